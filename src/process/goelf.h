/*
 * Where Go keeps its tables in an ELF file. Private to process/.
 */
#ifndef PROCESS_GOELF_H
#define PROCESS_GOELF_H

#include <libelf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct goelf_section {
	const char *name;
	uint64_t addr, size;
	const uint8_t *data; /* size bytes, or NULL (nobits, out of bounds, compressed) */
	uint32_t type;
	uint64_t flags;
};

struct goelf {
	Elf *elf;
	struct goelf_section *sections;
	size_t nr;
	bool swap; /* the file's byte order is not this machine's */
};

/* 64-bit little- or big-endian files only; false otherwise. */
bool goelf_open(struct goelf *g, Elf *elf);
void goelf_release(struct goelf *g);

const struct goelf_section *goelf_section(const struct goelf *g, const char *name);
/* Bytes from addr to the end of its section, or NULL. */
const uint8_t *goelf_at(const struct goelf *g, uint64_t addr, size_t *left);
/* The 64-bit word at addr as the loader leaves it: a RELATIVE relocation's addend where there is one. */
bool goelf_word(const struct goelf *g, uint64_t addr, uint64_t *value);
/* Address of a symbol of .symtab. */
bool goelf_symbol(const struct goelf *g, const char *name, uint64_t *value);
/* Finds an address whose loaded word is `value`; *at is where to go on from (start with 0). */
bool goelf_find_word(const struct goelf *g, uint64_t value, size_t *at, uint64_t *addr);

#endif
