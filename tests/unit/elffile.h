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
/* Writes bytes to DIR/NAME, making folders on the way; returns the path in a static buffer. */
const char *elf_write(const char *dir, const char *name, const void *bytes, size_t size);

#endif
