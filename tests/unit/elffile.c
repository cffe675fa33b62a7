#include "elffile.h"

#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"

static const char names[] = "\0.shstrtab\0.gnu_debuglink\0.gnu_debugdata";
enum { NAME_SHSTRTAB = 1, NAME_DEBUGLINK = 11, NAME_DEBUGDATA = 26 };
enum { SECTIONS = 4 };

/* Header, two program headers, notes, names, link, text, packed symbols, section headers. */
uint8_t *elf_make(const struct elf_wish *w, size_t *size)
{
	size_t phdrs = sizeof(Elf64_Ehdr), notes = phdrs + 2 * sizeof(Elf64_Phdr), strings, link, packed, shdrs;
	size_t notes_size = w->notes ? w->notes_size : w->build_id ? 16 + (w->build_id_size + 3) / 4 * 4 : 0;
	size_t link_size = w->debuglink ? strlen(w->debuglink) / 4 * 4 + 8 : 0, text_end;
	const uint32_t head[] = {4, (uint32_t)w->build_id_size, NT_GNU_BUILD_ID};
	uint8_t *p;

	strings = notes + notes_size;
	link = (strings + sizeof(names) + 3) / 4 * 4;
	text_end = w->text_offset + w->text_size;
	packed = link + link_size > text_end ? link + link_size : text_end;
	shdrs = (packed + w->debugdata_size + 7) / 8 * 8;
	*size = shdrs + SECTIONS * sizeof(Elf64_Shdr);
	p = xcalloc(1, *size);
	*(Elf64_Ehdr *)p = (Elf64_Ehdr){
		.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
		.e_type = ET_EXEC, .e_machine = EM_X86_64, .e_version = EV_CURRENT, .e_phoff = phdrs,
		.e_shoff = shdrs, .e_ehsize = sizeof(Elf64_Ehdr), .e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = 2, .e_shentsize = sizeof(Elf64_Shdr), .e_shnum = SECTIONS, .e_shstrndx = 1,
	};
	((Elf64_Phdr *)(p + phdrs))[0] = (Elf64_Phdr){
		.p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_offset = w->text_offset,
		.p_vaddr = ELF_BASE + w->text_offset, .p_filesz = w->text_size, .p_memsz = w->text_size, .p_align = 4096,
	};
	((Elf64_Phdr *)(p + phdrs))[1] = (Elf64_Phdr){
		.p_type = notes_size ? PT_NOTE : PT_NULL, .p_flags = PF_R, .p_offset = notes,
		.p_filesz = notes_size, .p_memsz = notes_size, .p_align = w->notes_align ? w->notes_align : 4,
	};
	if (w->notes) {
		memcpy(p + notes, w->notes, notes_size);
	} else if (w->build_id) {
		memcpy(p + notes, head, sizeof(head));
		memcpy(p + notes + 12, "GNU", 4);
		memcpy(p + notes + 16, w->build_id, w->build_id_size);
	}
	memcpy(p + strings, names, sizeof(names));
	if (w->debuglink) {
		memcpy(p + link, w->debuglink, strlen(w->debuglink));
		memcpy(p + link + link_size - 4, &w->debuglink_crc, 4);
	}
	((Elf64_Shdr *)(p + shdrs))[1] = (Elf64_Shdr){
		.sh_name = NAME_SHSTRTAB, .sh_type = SHT_STRTAB, .sh_offset = strings, .sh_size = sizeof(names)};
	((Elf64_Shdr *)(p + shdrs))[2] = (Elf64_Shdr){
		.sh_name = NAME_DEBUGLINK, .sh_type = w->debuglink ? SHT_PROGBITS : SHT_NULL, .sh_offset = link,
		.sh_size = link_size};
	if (w->debugdata)
		memcpy(p + packed, w->debugdata, w->debugdata_size);
	((Elf64_Shdr *)(p + shdrs))[3] = (Elf64_Shdr){
		.sh_name = NAME_DEBUGDATA, .sh_type = w->debugdata ? SHT_PROGBITS : SHT_NULL, .sh_offset = packed,
		.sh_size = w->debugdata_size};
	return p;
}

static size_t aligned(size_t n)
{
	return (n + 7) / 8 * 8;
}

/* Header, program headers, section headers (one of nothing, then the names, then `sections`), names, sections. */
uint8_t *elf_of_sections(const struct elf_section *sections, size_t nr, size_t *size)
{
	static const char own[] = "\0.shstrtab";
	size_t segments = 0, strings = sizeof(own), phdrs = sizeof(Elf64_Ehdr), shdrs, at, name, segment = 0;
	uint8_t *p;
	Elf64_Shdr *sh;

	for (size_t i = 0; i < nr; i++) {
		segments += (sections[i].flags & SHF_ALLOC) != 0;
		strings += strlen(sections[i].name) + 1;
	}
	shdrs = phdrs + segments * sizeof(Elf64_Phdr);
	at = shdrs + (nr + 2) * sizeof(Elf64_Shdr);
	*size = at + strings;
	for (size_t i = 0; i < nr; i++)
		*size = aligned(*size) + sections[i].size;
	p = xcalloc(1, *size);
	*(Elf64_Ehdr *)p = (Elf64_Ehdr){
		.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
		.e_type = ET_EXEC, .e_machine = EM_X86_64, .e_version = EV_CURRENT, .e_phoff = segments ? phdrs : 0,
		.e_shoff = shdrs, .e_ehsize = sizeof(Elf64_Ehdr), .e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = (Elf64_Half)segments, .e_shentsize = sizeof(Elf64_Shdr), .e_shnum = (Elf64_Half)(nr + 2),
		.e_shstrndx = 1,
	};
	sh = (Elf64_Shdr *)(p + shdrs);
	sh[1] = (Elf64_Shdr){.sh_name = 1, .sh_type = SHT_STRTAB, .sh_offset = at, .sh_size = strings};
	memcpy(p + at, own, sizeof(own));
	name = sizeof(own);
	for (size_t i = 0, to = at + strings; i < nr; i++) {
		const struct elf_section *s = &sections[i];

		to = aligned(to);
		memcpy(p + at + name, s->name, strlen(s->name) + 1);
		sh[i + 2] = (Elf64_Shdr){
			.sh_name = (Elf64_Word)name, .sh_type = s->type ? s->type : SHT_PROGBITS, .sh_flags = s->flags,
			.sh_addr = s->addr, .sh_offset = s->says_offset ? s->says_offset : to,
			.sh_size = s->says_size ? s->says_size : s->size, .sh_link = s->link ? s->link + 1 : 0,
			.sh_addralign = 1, .sh_entsize = s->entsize,
		};
		if (s->flags & SHF_ALLOC)
			((Elf64_Phdr *)(p + phdrs))[segment++] = (Elf64_Phdr){
				.p_type = PT_LOAD, .p_flags = PF_R | (s->flags & SHF_EXECINSTR ? PF_X : 0), .p_offset = to,
				.p_vaddr = s->addr, .p_filesz = s->size, .p_memsz = s->size, .p_align = 8,
			};
		if (s->size)
			memcpy(p + to, s->data, s->size);
		name += strlen(s->name) + 1;
		to += s->size;
	}
	return p;
}

const char *elf_write(const char *dir, const char *name, const void *bytes, size_t size)
{
	static char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(path, 0777) < 0 && errno != EEXIST)
			return NULL;
		*slash = '/';
	}
	f = fopen(path, "wb");
	if (!f)
		return NULL;
	if (fwrite(bytes, 1, size, f) != size) {
		fclose(f);
		return NULL;
	}
	return fclose(f) == 0 ? path : NULL;
}
