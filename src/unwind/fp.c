/*
 * Frame pointers over the dump: each frame's saved frame pointer and, above it,
 * the return address (x86-64 and arm64 alike). Misses the caller of code that
 * has not set up its frame.
 */
#include <stdlib.h>

#include "unwind/code.h"

static void unwind(void *state, const struct unwind_input *in, struct unwind_stack *out, size_t max)
{
	bool arm = in->arch == PERF_ARCH_ARM64;
	unsigned pc_reg = arm ? PERF_ARM64_PC : PERF_X86_IP, fp_reg = arm ? PERF_ARM64_X29 : PERF_X86_BP;
	uint64_t pc = in->regs[pc_reg], fp = in->regs[fp_reg], sp = in->stack_base, next, ra;
	enum unwind_pc_kind kind = UNWIND_PC_EXACT;

	while (out->nr < max) {
		struct resolved *at = resolve(state, in->image, kind == UNWIND_PC_RETURN ? pc - 1 : pc, in->time);
		const struct code *c = resolve_code(state, at);

		out->end = UNWIND_BAD_MEMORY;
		out->end_pc = pc;
		if (!at->module && kind == UNWIND_PC_RETURN) {
			out->end = UNWIND_NO_MAP;
			return;
		}
		frame_set(&out->frames[out->nr++], at, pc, kind, sp);
		if (c->kind == CODE_GO && (c->role == GO_TOP || c->role == GO_SIGTRAMP)) {
			out->end = UNWIND_ROOT;
			return;
		}
		if (!fp) {
			out->end = UNWIND_CHAIN;
			return;
		}
		if (fp < sp)
			return; /* frames only go up */
		if (!unwind_read_stack(in, fp, &next) || !unwind_read_stack(in, fp + 8, &ra)) {
			if (unwind_is_above(in, fp + 8))
				out->end = UNWIND_TRUNCATED;
			return;
		}
		sp = fp + 16;
		pc = ra;
		fp = next;
		kind = UNWIND_PC_RETURN;
	}
	out->end = UNWIND_MAX_DEPTH;
}

static void *create(struct session *s)
{
	return resolver_new(s, true);
}

const struct unwinder unwinder_fp = {
	.name = "fp",
	.help = "frame pointers",
	.create = create,
	.destroy = resolver_free,
	.unwind = unwind,
};
