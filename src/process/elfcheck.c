/*
 * Sources: System V ABI gABI (ELF header, extended numbering in section 0); DWARF 5 section 7.5.1
 * (unit headers).
 */
#include "process/elfcheck.h"

#include <gelf.h>
#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cursor.h"

static bool outside(uint64_t offset, uint64_t n, uint64_t size)
{
	return offset > size || n > size - offset;
}

static char *check_tables(Elf *elf, const GElf_Ehdr *eh, uint64_t size)
{
	bool wide = gelf_getclass(elf) == ELFCLASS64;
	uint64_t section = wide ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr);
	uint64_t segment = wide ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
	/* 0: the number is in section 0 (e_shnum), or there is none */
	uint64_t sections = eh->e_shnum ? eh->e_shnum : 1;
	/* PN_XNUM: it is in section 0; elf_getphdrnum gives as many as fit, or what stands there */
	uint64_t segments = eh->e_phnum;
	GElf_Shdr first;

	if (segments == PN_XNUM && gelf_getshdr(elf_getscn(elf, 0), &first))
		segments = first.sh_info;
	if (eh->e_shoff && outside(eh->e_shoff, sections * section, size))
		return xasprintf("section headers at %#" PRIx64 " lie outside of the file (%#" PRIx64 " bytes)", eh->e_shoff, size);
	if (segments && outside(eh->e_phoff, segments * segment, size))
		return xasprintf("program headers at %#" PRIx64 " lie outside of the file (%#" PRIx64 " bytes)", eh->e_phoff, size);
	if ((eh->e_shoff && eh->e_shentsize != section) || (segments && eh->e_phentsize != segment))
		return xasprintf("headers of %u and %u bytes, at 0x36", eh->e_phentsize, eh->e_shentsize);
	return NULL;
}

size_t elf_segments(Elf *elf)
{
	uint64_t segment = gelf_getclass(elf) == ELFCLASS64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
	size_t nr = 0, size = 0;
	GElf_Ehdr eh;

	if (elf_getphdrnum(elf, &nr) != 0 || !gelf_getehdr(elf, &eh) || !elf_rawfile(elf, &size))
		return 0;
	return outside(eh.e_phoff, nr * segment, size) ? 0 : nr;
}

static char *check_segments(Elf *elf, uint64_t size)
{
	size_t nr = elf_segments(elf);

	for (size_t i = 0; i < nr; i++) {
		GElf_Phdr ph;

		if (gelf_getphdr(elf, (int)i, &ph) && ph.p_type == PT_LOAD && ph.p_filesz && outside(ph.p_offset, ph.p_filesz, size))
			return xasprintf("segment %zu at %#" PRIx64 " lies outside of the file (%#" PRIx64 " bytes)", i, ph.p_offset, size);
	}
	return NULL;
}

static char *check_sections(Elf *elf, uint64_t size)
{
	Elf_Scn *scn = NULL;
	GElf_Shdr sh;

	while ((scn = elf_nextscn(elf, scn)))
		if (gelf_getshdr(scn, &sh) && sh.sh_type != SHT_NOBITS && sh.sh_type != SHT_NULL &&
		    outside(sh.sh_offset, sh.sh_size, size))
			return xasprintf("section %zu at %#" PRIx64 " lies outside of the file (%#" PRIx64 " bytes)",
					 elf_ndxscn(scn), sh.sh_offset, size);
	return NULL;
}

char *elf_check(Elf *elf, uint64_t size, bool debug_file)
{
	GElf_Ehdr eh;
	char *wrong;

	if (!gelf_getehdr(elf, &eh))
		return xstrdup("no ELF header");
	wrong = check_tables(elf, &eh, size);
	if (!wrong && !debug_file)
		wrong = check_segments(elf, size);
	return wrong ? wrong : check_sections(elf, size);
}

/* Walks unit headers; the compressed ones are checked once they are inflated. */
static char *check_units(const uint8_t *data, size_t size, bool swap)
{
	struct cursor c = cursor_make(data, size, 0, swap);

	while (cursor_left(&c) >= 4) {
		uint64_t at = cursor_offset(&c), length = cursor_u32(&c);
		uint16_t version;

		if (length == UINT32_MAX)
			length = cursor_u64(&c);
		else if (length >= 0xfffffff0)
			return xasprintf("unit of a reserved length at %#" PRIx64 " of .debug_info", at);
		if (!length && !c.failed) /* padding */
			continue;
		if (c.failed || length > cursor_left(&c) || length < 2)
			return xasprintf("unit at %#" PRIx64 " of .debug_info ends outside of it", at);
		version = cursor_u16(&c);
		if (version < 2 || version > 5)
			return xasprintf("unit at %#" PRIx64 " of .debug_info has version %u", at, version);
		cursor_take(&c, (size_t)length - 2);
	}
	return NULL;
}

char *dwarf_check(Elf *elf)
{
	const char *ident = elf_getident(elf, NULL);
	size_t names;
	Elf_Scn *scn = NULL;
	GElf_Shdr sh;

	if (!ident || elf_getshdrstrndx(elf, &names) < 0)
		return NULL;
	while ((scn = elf_nextscn(elf, scn))) {
		const char *name = gelf_getshdr(scn, &sh) ? elf_strptr(elf, names, sh.sh_name) : NULL;
		Elf_Data *data;

		if (!name || strcmp(name, ".debug_info") != 0 || sh.sh_type == SHT_NOBITS || sh.sh_flags & SHF_COMPRESSED)
			continue;
		data = elf_rawdata(scn, NULL);
		return data && data->d_buf ? check_units(data->d_buf, data->d_size, (ident[EI_DATA] == ELFDATA2LSB) !=
												    (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__))
					   : NULL;
	}
	return NULL;
}
