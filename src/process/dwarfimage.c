/*
 * An ELF image that holds the inflated sections of debug information that names and
 * lines need, and nothing else. libdw inflates what it is given itself, but all of it, by zlib,
 * which takes 0.05 s for the C library's: libdeflate takes a third of that.
 * Sources: System V ABI gABI (Elf64_Chdr); GNU binutils' .zdebug_ ("ZLIB", size as
 * big-endian u64, zlib data).
 */
#include <endian.h>
#include <gelf.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>
#ifdef HAVE_LIBDEFLATE
#include <libdeflate.h>
#endif

#include "base/alloc.h"
#include "process/dwarfopen.h"

#ifndef ELFCOMPRESS_ZSTD
#define ELFCOMPRESS_ZSTD 2
#endif

#define MAX_PARTS 64
/* Deflate packs at most 1032 to 1; what claims to unpack to more is not believed, whatever packed it. */
#define MAX_RATIO 1100
#define MAX_IMAGE ((size_t)4 << 30)
/* Zeros behind the last section: libdw takes a string at the end of .debug_info for ended. */
#define TAIL 64

enum packing { PLAIN, ZLIB, ZSTD };

struct part {
	const char *name; /* without z */
	const uint8_t *data;
	size_t size, unpacked, at; /* at: in the image */
	enum packing packing;
};

struct image {
	struct part parts[MAX_PARTS];
	size_t nr, names_size;
	bool packed; /* one of them at least */
};

static bool take_chdr(struct part *p)
{
	Elf64_Chdr ch;

	if (p->size < sizeof(ch))
		return false;
	memcpy(&ch, p->data, sizeof(ch));
	if (ch.ch_type != ELFCOMPRESS_ZLIB && ch.ch_type != ELFCOMPRESS_ZSTD)
		return false;
	p->packing = ch.ch_type == ELFCOMPRESS_ZLIB ? ZLIB : ZSTD;
	p->unpacked = ch.ch_size;
	p->data += sizeof(ch);
	p->size -= sizeof(ch);
	return true;
}

static bool take_gnu(struct part *p)
{
	uint64_t size;

	if (p->size < 12 || memcmp(p->data, "ZLIB", 4) != 0)
		return false;
	memcpy(&size, p->data + 4, 8);
	p->packing = ZLIB;
	p->unpacked = be64toh(size);
	p->data += 12;
	p->size -= 12;
	return true;
}

static bool add_part(struct image *im, const char *name, const GElf_Shdr *sh, const uint8_t *raw, size_t raw_size)
{
	struct part *p = &im->parts[im->nr];
	bool gnu = !strncmp(name, ".zdebug_", 8);

	if (im->nr == MAX_PARTS || sh->sh_offset > raw_size || sh->sh_size > raw_size - sh->sh_offset)
		return false;
	*p = (struct part){.name = name, .data = raw + sh->sh_offset, .size = sh->sh_size, .unpacked = sh->sh_size};
	if (sh->sh_flags & SHF_COMPRESSED ? !take_chdr(p) : gnu && !take_gnu(p))
		return false;
	if (p->packing != PLAIN && (p->unpacked > MAX_IMAGE || p->unpacked / MAX_RATIO > p->size))
		return false;
	im->packed |= p->packing != PLAIN;
	im->names_size += strlen(name) + 1;
	im->nr++;
	return true;
}

static bool find_parts(struct image *im, Elf *elf)
{
	size_t names, raw_size;
	const char *raw = elf_rawfile(elf, &raw_size);
	Elf_Scn *scn = NULL;
	GElf_Shdr sh;

	if (!raw || elf_getshdrstrndx(elf, &names) < 0)
		return false;
	while ((scn = elf_nextscn(elf, scn))) {
		const char *name = gelf_getshdr(scn, &sh) ? elf_strptr(elf, names, sh.sh_name) : NULL;
		bool debug = name && (!strncmp(name, ".debug_", 7) || !strncmp(name, ".zdebug_", 8));

		if (!name || sh.sh_type == SHT_NOBITS || (!debug && strcmp(name, ".gnu_debugaltlink") != 0) ||
		    !dwarf_section_wanted(name))
			continue;
		if (!add_part(im, name, &sh, (const uint8_t *)raw, raw_size))
			return false;
	}
	return im->packed;
}

static bool unpack_zlib(const struct part *p, uint8_t *to)
{
#ifdef HAVE_LIBDEFLATE
	struct libdeflate_decompressor *d = libdeflate_alloc_decompressor();
	bool ok = d && libdeflate_zlib_decompress(d, p->data, p->size, to, p->unpacked, NULL) == LIBDEFLATE_SUCCESS;

	libdeflate_free_decompressor(d);
	return ok;
#else
	uLongf size = p->unpacked;

	return uncompress(to, &size, p->data, p->size) == Z_OK && size == p->unpacked;
#endif
}

static bool unpack(const struct part *p, uint8_t *to)
{
	switch (p->packing) {
	case PLAIN:
		if (p->size)
			memcpy(to, p->data, p->size);
		return true;
	case ZLIB:
		return unpack_zlib(p, to);
	case ZSTD:
		return ZSTD_decompress(to, p->unpacked, p->data, p->size) == p->unpacked;
	}
	return false;
}

/* Header, section headers, names, sections. Returns the size, 0 when it would be too large. */
static size_t lay_out(struct image *im, size_t *names_at)
{
	size_t at = sizeof(Elf64_Ehdr) + (im->nr + 2) * sizeof(Elf64_Shdr);

	*names_at = at;
	at += 1 + sizeof(".shstrtab") + im->names_size;
	for (size_t i = 0; i < im->nr; i++) {
		at = (at + 7) & ~(size_t)7;
		im->parts[i].at = at;
		if (im->parts[i].unpacked > MAX_IMAGE - at)
			return 0;
		at += im->parts[i].unpacked;
	}
	return at;
}

static bool fill(const struct image *im, uint8_t *bytes, size_t names_at, const Elf64_Ehdr *like)
{
	Elf64_Ehdr *eh = (Elf64_Ehdr *)bytes;
	Elf64_Shdr *sh = (Elf64_Shdr *)(bytes + sizeof(*eh));
	char *names = (char *)bytes + names_at, *name = names + 1;

	memset(bytes, 0, im->nr ? im->parts[0].at : names_at);
	*eh = *like;
	eh->e_type = ET_EXEC;
	eh->e_entry = eh->e_phoff = eh->e_phnum = 0;
	eh->e_shoff = sizeof(*eh);
	eh->e_shentsize = sizeof(*sh);
	eh->e_shnum = (Elf64_Half)(im->nr + 2);
	eh->e_shstrndx = (Elf64_Half)(im->nr + 1);
	for (size_t i = 0; i < im->nr; i++) {
		const struct part *p = &im->parts[i];
		bool gnu = p->name[1] == 'z';

		sh[i + 1] = (Elf64_Shdr){.sh_name = (Elf64_Word)(name - names), .sh_type = SHT_PROGBITS,
					 .sh_offset = p->at, .sh_size = p->unpacked, .sh_addralign = 1};
		*name++ = '.';
		memcpy(name, p->name + (gnu ? 2 : 1), strlen(p->name + (gnu ? 2 : 1)) + 1);
		name += strlen(name) + 1;
		if (!unpack(p, bytes + p->at))
			return false;
	}
	sh[im->nr + 1] = (Elf64_Shdr){.sh_name = (Elf64_Word)(name - names), .sh_type = SHT_STRTAB, .sh_offset = names_at,
				      .sh_size = (Elf64_Xword)(name - names) + sizeof(".shstrtab"), .sh_addralign = 1};
	memcpy(name, ".shstrtab", sizeof(".shstrtab"));
	return true;
}

Elf *dwarf_image(Elf *elf, void **bytes)
{
	const char *ident = elf_getident(elf, NULL);
	const Elf64_Ehdr *like;
	struct image im = {0};
	size_t size, names_at;
	Elf *made;

	*bytes = NULL;
	/* relocatable files, other classes and byte orders are left to libdw */
	if (!ident || ident[EI_CLASS] != ELFCLASS64 ||
	    (ident[EI_DATA] == ELFDATA2LSB) != (__BYTE_ORDER == __LITTLE_ENDIAN) || !(like = elf64_getehdr(elf)) ||
	    like->e_type == ET_REL || !find_parts(&im, elf) || !(size = lay_out(&im, &names_at)))
		return NULL;
	*bytes = xlarge(size + TAIL);
	memset((uint8_t *)*bytes + size, 0, TAIL);
	made = fill(&im, *bytes, names_at, like) ? elf_memory(*bytes, size) : NULL;
	if (!made) {
		free(*bytes);
		*bytes = NULL;
	}
	return made;
}
