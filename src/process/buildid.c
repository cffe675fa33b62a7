#include "process/buildid.h"

#include <gelf.h>
#include <string.h>

#include "base/cursor.h"
#include "process/elfcheck.h"
#include "process/module.h"

const char *build_id_hex(const uint8_t *id, size_t size, char buf[41])
{
	static const char digits[] = "0123456789abcdef";

	if (size > 20)
		size = 20;
	for (size_t i = 0; i < size; i++) {
		buf[2 * i] = digits[id[i] >> 4];
		buf[2 * i + 1] = digits[id[i] & 15];
	}
	buf[2 * size] = '\0';
	return buf;
}

bool build_id_equal(const uint8_t *a, size_t na, const uint8_t *b, size_t nb)
{
	while (na && !a[na - 1])
		na--;
	while (nb && !b[nb - 1])
		nb--;
	return na && na == nb && !memcmp(a, b, na);
}

size_t build_id_in_notes(const void *notes, size_t size, size_t align, bool swap, uint8_t id[20])
{
	struct cursor c = cursor_make(notes, size, 0, swap);

	align = align == 8 ? 8 : 4;
	while (cursor_left(&c) >= 12) {
		uint32_t namesz = cursor_u32(&c), descsz = cursor_u32(&c), type = cursor_u32(&c);
		const char *name = cursor_take(&c, namesz);
		const uint8_t *desc;

		cursor_take(&c, (align - (12 + (size_t)namesz) % align) % align);
		desc = cursor_take(&c, descsz);
		if (c.failed)
			return 0;
		if (type == NT_GNU_BUILD_ID && namesz == 4 && !memcmp(name, "GNU", 4) && descsz) {
			descsz = descsz < 20 ? descsz : 20;
			memcpy(id, desc, descsz);
			return descsz;
		}
		cursor_take(&c, (align - descsz % align) % align); /* the last one's may be missing */
	}
	return 0;
}

size_t elf_build_id(Elf *elf, uint8_t id[20])
{
	size_t nr = elf_segments(elf), n = 0, raw_size;
	const char *raw = elf_rawfile(elf, &raw_size), *ident = elf_getident(elf, NULL);
	bool swap = ident && (ident[EI_DATA] == ELFDATA2MSB) != (__BYTE_ORDER == __BIG_ENDIAN);
	Elf_Scn *scn = NULL;

	memset(id, 0, 20);
	for (size_t i = 0; raw && i < nr && !n; i++) {
		GElf_Phdr ph;

		if (gelf_getphdr(elf, (int)i, &ph) && ph.p_type == PT_NOTE && ph.p_offset <= raw_size &&
		    ph.p_filesz <= raw_size - ph.p_offset)
			n = build_id_in_notes(raw + ph.p_offset, ph.p_filesz, ph.p_align, swap, id);
	}
	/* relocatable files (kernel modules) have sections only */
	while (raw && !n && (scn = elf_nextscn(elf, scn))) {
		GElf_Shdr sh;

		if (gelf_getshdr(scn, &sh) && sh.sh_type == SHT_NOTE && sh.sh_offset <= raw_size &&
		    sh.sh_size <= raw_size - sh.sh_offset)
			n = build_id_in_notes(raw + sh.sh_offset, sh.sh_size, sh.sh_addralign, swap, id);
	}
	return n;
}
