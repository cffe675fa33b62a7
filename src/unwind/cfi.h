/*
 * Call frame information: .eh_frame and .debug_frame of one ELF file, of DWARF 2
 * to 5, to the rule of every register at one address. Nothing in it is believed:
 * a register number is an index only when it is one we have. (libdw's own
 * interpreter allocates as many rows as the largest number asks for.) Private to
 * unwind/.
 *
 * Sources: DWARF 5 sections 6.4 and 7.24, LSB core generic 10.6 (.eh_frame and
 * .eh_frame_hdr), DWARF for the Arm 64-bit architecture (aadwarf64) 4.2.
 */
#ifndef UNWIND_CFI_H
#define UNWIND_CFI_H

#include <libelf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "unwind/code.h"

enum cfi_kind { CFI_EH_FRAME, CFI_DEBUG_FRAME };

struct cfi;

/*
 * The tables of an ELF file, whose bytes are borrowed and must outlive it; NULL
 * where there are none. An entry that does not parse ends the section: what
 * comes before it is used. Compressed sections are decompressed (in libelf).
 */
struct cfi *cfi_open(Elf *elf, enum cfi_kind kind);
void cfi_close(struct cfi *c);

/*
 * How the caller's registers are found at vaddr: cfa and saved of *code, whose
 * expressions point into the section; saved must have room for CODE_MAX_REGS.
 * Registers that the program leaves alone follow the ABI: what a callee saves
 * keeps its value, the stack pointer is the CFA, the others are undefined. False
 * where no entry covers vaddr, or its program does not parse.
 */
bool cfi_row(const struct cfi *c, uint64_t vaddr, struct code *code, struct code_saved *saved);

#endif
