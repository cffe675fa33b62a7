/*
 * Opening libdw on what is needed of a file's debug information. Private to
 * process/.
 *
 * libdw inflates every compressed section of debug information when it opens a file: 0.1 s for
 * what Go writes for a server of 10 MB.
 */
#ifndef PROCESS_DWARFOPEN_H
#define PROCESS_DWARFOPEN_H

#include <elfutils/libdw.h>
#include <stdbool.h>

/*
 * Functions, inlined calls and lines: no locations, macros, frames, nothing that is compressed. NULL
 * where the file has none. The caller holds the module's lock and owns the result.
 */
Dwarf *dwarf_open_names(Elf *elf);

bool dwarf_section_wanted(const char *name);
/*
 * dwarfimage.c: the wanted sections inflated, as an ELF file in memory. NULL where none of them is
 * compressed or they cannot be had this way. *bytes is to be freed after elf_end().
 */
Elf *dwarf_image(Elf *elf, void **bytes);

#endif
