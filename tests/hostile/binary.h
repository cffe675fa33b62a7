/*
 * Small programs, compiled when the test runs, and recordings of them.
 */
#ifndef TESTS_HOSTILE_BINARY_H
#define TESTS_HOSTILE_BINARY_H

#include "hostile.h"

enum binary {
	BINARY_STRIPPED, /* call frame information alone */
	BINARY_SYMBOLS,	 /* .symtab */
	BINARY_DWARF4,
	BINARY_DWARF5,
	BINARY_PACKED, /* compressed debug information */
};

/* By $CC or cc; false, once said why, where that does not work. */
bool binary_compile(struct build *b, enum binary what);
/* A recording whose samples lie in the executable segment of a 64-bit ELF file. */
bool binary_recording(struct build *b, const struct build *elf, const char *path);

#endif
