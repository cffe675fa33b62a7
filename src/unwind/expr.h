/*
 * DWARF expressions as call frame information uses them (DWARF 5 section 2.5).
 * Private to unwind/.
 */
#ifndef UNWIND_EXPR_H
#define UNWIND_EXPR_H

#include "unwind/code.h"

struct expr_context {
	const struct unwind_input *in;
	const uint64_t *regs; /* by DWARF number */
	uint64_t valid;	      /* bit per register */
	uint64_t cfa;
	bool starts_with_cfa; /* a register's expression finds the CFA on the stack (DWARF 5 6.4.2.3) */
};

/* Evaluates; false for anything unknown, out of bounds or too long. */
bool expr_evaluate(const struct code_expr *e, const struct expr_context *c, uint64_t *result);

#endif
