/*
 * .gnu_debugdata: a small ELF file with a symbol table, xz-compressed inside
 * the binary (GDB manual, "MiniDebugInfo"). Private to process/.
 */
#ifndef PROCESS_MINIDEBUG_H
#define PROCESS_MINIDEBUG_H

#include <libelf.h>

/* The inner ELF file, or NULL; *data receives its memory, to be freed after elf_end(). */
Elf *minidebug_open(Elf *elf, void **data);

#endif
