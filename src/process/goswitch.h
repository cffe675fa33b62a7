/*
 * Where a Go program switches to a goroutine: the place for a probe that says which.
 *
 * Every switch to a goroutine ends in runtime.gogo (schedule's execute, coroutines, stacks that have grown,
 * recovered panics), which loads its g into a register and jumps to gogo<>. A probe on that jump has the g at hand,
 * and the kernel carries a jump out itself, where most other instructions are run elsewhere and stepped over by
 * traps: about a tenth of the cost.
 *
 * Sources: Go src/runtime/asm_amd64.s and asm_arm64.s (gogo), runtime2.go (g.goid, Go 1.17 … 1.27);
 * kernel arch/x86/kernel/uprobes.c (branch_setup_xol_ops), arch/arm64/kernel/probes/decode-insn.c.
 */
#ifndef PROCESS_GOSWITCH_H
#define PROCESS_GOSWITCH_H

#include <libelf.h>
#include <stdint.h>

#include "base/error.h"

struct goswitch {
	uint64_t offset;	/* of the jump, in the file */
	const char *g_register; /* that holds the g, as the kernel's probes name it: "dx", "x6" */
	unsigned goid;		/* bytes from the g's start to its goid, a u64 */
};

/*
 * Finds the place in a Go binary of x86-64 or arm64. Returns 0, or -1 with *e (exit code 3): no Go program, a
 * version whose g is not known, or a runtime.gogo that is not as it should be. path is for messages.
 */
int goswitch_find(struct goswitch *s, Elf *elf, const char *path, struct error *e);

#endif
