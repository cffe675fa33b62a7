/*
 * Debug information: functions, inlined calls and lines at addresses. The input is sections, each
 * behind its number (a byte, index of `names`; above 127: compressed here with zlib) and its length
 * (two bytes, little-endian); a length past the end is cut.
 */
#include <elf.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/alloc.h"
#include "fuzz.h"
#include "process/dwarfinfo.h"

#define TEXT UINT64_C(0x401000)
#define TEXT_SIZE UINT64_C(0x1000)

static const char *const names[] = {
	".debug_info",	 ".debug_abbrev",   ".debug_line", ".debug_str",	 ".debug_ranges", ".debug_rnglists",
	".debug_aranges", ".debug_line_str", ".debug_addr", ".debug_str_offsets", ".debug_types", ".shstrtab",
};
/* Zeros behind it, as file_map_open_private() gives. */
#define TAIL 64
enum { NAMES = sizeof(names) / sizeof(*names), STRINGS = NAMES - 1, MOST = 1 << 16 };

struct image {
	uint8_t *p;
	size_t nr, alloc;
	Elf64_Shdr sections[NAMES + 1];
};

static size_t put(struct image *m, const void *p, size_t n)
{
	size_t at = (m->nr + 7) / 8 * 8;

	ALLOC_GROW(m->p, at + n, m->alloc);
	memset(m->p + m->nr, 0, at - m->nr);
	if (n)
		memcpy(m->p + at, p, n);
	m->nr = at + n;
	return at;
}

static void put_packed(struct image *m, Elf64_Shdr *sh, const uint8_t *p, size_t n)
{
	uLongf packed = compressBound(n);
	uint8_t *z = xmalloc(sizeof(Elf64_Chdr) + packed);

	*(Elf64_Chdr *)z = (Elf64_Chdr){.ch_type = ELFCOMPRESS_ZLIB, .ch_size = n, .ch_addralign = 1};
	if (compress(z + sizeof(Elf64_Chdr), &packed, p, n) != Z_OK)
		abort();
	sh->sh_flags = SHF_COMPRESSED;
	sh->sh_size = sizeof(Elf64_Chdr) + packed;
	sh->sh_offset = put(m, z, sh->sh_size);
	free(z);
}

static void put_section(struct image *m, unsigned number, const uint8_t *p, size_t n)
{
	Elf64_Shdr *sh = &m->sections[1 + (number & 127) % STRINGS];

	sh->sh_type = SHT_PROGBITS;
	sh->sh_flags = 0;
	if (number & 128) {
		put_packed(m, sh, p, n);
		return;
	}
	sh->sh_size = n;
	sh->sh_offset = put(m, p, n);
}

static void put_names(struct image *m)
{
	char text[512] = "";
	size_t n = 1;

	for (unsigned i = 0; i < NAMES; i++) {
		m->sections[1 + i].sh_name = (Elf64_Word)n;
		memcpy(text + n, names[i], strlen(names[i]) + 1);
		n += strlen(names[i]) + 1;
	}
	m->sections[1 + STRINGS] = (Elf64_Shdr){.sh_type = SHT_STRTAB, .sh_name = m->sections[1 + STRINGS].sh_name,
					       .sh_size = n, .sh_offset = put(m, text, n)};
}

static void put_header(struct image *m)
{
	size_t at;

	put_names(m);
	at = put(m, m->sections, sizeof(m->sections));
	*(Elf64_Ehdr *)m->p = (Elf64_Ehdr){
		.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
		.e_type = ET_EXEC, .e_machine = EM_X86_64, .e_version = EV_CURRENT, .e_shoff = at,
		.e_ehsize = sizeof(Elf64_Ehdr), .e_shentsize = sizeof(Elf64_Shdr), .e_shnum = NAMES + 1,
		.e_shstrndx = 1 + STRINGS,
	};
}

static void use(Elf *elf)
{
	struct dwarf_frame frames[32];
	struct dwarfinfo *d = dwarfinfo_open(elf);
	size_t sum = 0;

	for (uint64_t pc = TEXT; d && pc < TEXT + TEXT_SIZE; pc += 0x15) {
		size_t n = dwarfinfo_frames(d, pc, frames, 32);

		if (n > 32)
			abort();
		for (size_t i = 0; i < n; i++) {
			sum += frames[i].name ? strlen(frames[i].name) : 0;
			sum += frames[i].file ? strlen(frames[i].file) : 0;
		}
	}
	if (d)
		sum += dwarfinfo_frames(d, UINT64_MAX, frames, 32);
	dwarfinfo_close(d);
	if (sum == SIZE_MAX)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct image m = {0};
	Elf *elf;

	if (size > MOST)
		return 0;
	put(&m, &(Elf64_Ehdr){0}, sizeof(Elf64_Ehdr));
	while (size > 3) {
		size_t n = data[1] | (size_t)data[2] << 8;

		if (n > size - 3)
			n = size - 3;
		put_section(&m, data[0], data + 3, n);
		data += 3 + n;
		size -= 3 + n;
	}
	put_header(&m);
	ALLOC_GROW(m.p, m.nr + TAIL, m.alloc);
	memset(m.p + m.nr, 0, TAIL);
	elf_version(EV_CURRENT);
	elf = elf_memory((char *)m.p, m.nr);
	if (elf)
		use(elf);
	elf_end(elf);
	free(m.p);
	return 0;
}
