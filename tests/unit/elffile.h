/*
 * Small ELF files for tests, written byte by byte.
 */
#ifndef TESTS_UNIT_ELFFILE_H
#define TESTS_UNIT_ELFFILE_H

#include <stddef.h>
#include <stdint.h>

struct elf_wish {
	const void *build_id; /* NULL: no note */
	size_t build_id_size;
	const void *notes;    /* raw bytes of PT_NOTE instead, or NULL */
	size_t notes_size;
	uint64_t notes_align; /* 0: 4 */
	uint64_t text_offset, text_size; /* of the executable segment; mapped at ELF_BASE + offset */
	const char *debuglink; /* .gnu_debuglink's name, or NULL */
	uint32_t debuglink_crc;
	const void *debugdata; /* .gnu_debugdata, or NULL */
	size_t debugdata_size;
};

#define ELF_BASE UINT64_C(0x400000)

/* Bytes of an x86-64 executable, malloc'ed. */
uint8_t *elf_make(const struct elf_wish *wish, size_t *size);
/* A section of a file that is made of sections; those with SHF_ALLOC have a segment each, too. */
struct elf_section {
	const char *name;
	uint32_t type; /* 0: SHT_PROGBITS */
	uint64_t flags, addr;
	const void *data;
	size_t size;
	uint64_t says_offset, says_size; /* lies, when not 0 */
	uint32_t link;			 /* from 1 on */
	uint64_t entsize;
};

/* Bytes of such a file for x86-64, malloc'ed: the last section ends it. */
uint8_t *elf_of_sections(const struct elf_section *sections, size_t nr, size_t *size);
/* Writes bytes to DIR/NAME, making folders on the way; returns the path in a static buffer. */
const char *elf_write(const char *dir, const char *name, const void *bytes, size_t size);

#endif
