/*
 * Whether a binary is whole, as far as its headers tell: libelf and libdw pass over what does not
 * fit, or believe it.
 */
#ifndef PROCESS_ELFCHECK_H
#define PROCESS_ELFCHECK_H

#include <libelf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What is wrong with the headers of a file of so many bytes, malloc'ed and with the offset, or NULL:
 * tables, segments (not of debug files, whose segments are elsewhere), sections that lie outside of it.
 */
char *elf_check(Elf *elf, uint64_t size, bool debug_file);
/* The same of the units of .debug_info: lengths and versions. */
char *dwarf_check(Elf *elf);
/*
 * How many program headers there are: 0 where the file has no room for so many. libelf believes the count in
 * section 0 (PN_XNUM), up to four billion.
 */
size_t elf_segments(Elf *elf);

#endif
