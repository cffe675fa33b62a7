/*
 * The tables' unwinder: Go code by its pclntab, everything else by call frame
 * information. `go` is the same without the latter.
 * Sources: Go runtime/traceback.go; DWARF 5 section 6.4; System V ABI AMD64
 * section 3.6.2 (DWARF register numbers); Linux arch/x86/include/uapi/asm/
 * sigcontext.h (struct rt_sigframe, ucontext).
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "unwind/code.h"
#include "unwind/expr.h"

enum { DW_X86_BP = 6, DW_X86_SP = 7, DW_X86_R14 = 14, DW_X86_RA = 16,
       DW_ARM_X20 = 20, DW_ARM_X28 = 28, DW_ARM_FP = 29, DW_ARM_LR = 30, DW_ARM_SP = 31 };

/* Pointer authentication codes stand above the address bits of user space. */
#define ARM64_ADDRESS_MASK ((UINT64_C(1) << 48) - 1)

struct walk {
	const struct unwind_input *in;
	struct resolver *resolver;
	struct unwind_stack *out;
	size_t max; /* frames */
	uint64_t regs[CODE_MAX_REGS]; /* by DWARF number */
	uint64_t valid;
	uint64_t pc, sp;
	enum unwind_pc_kind kind;
	bool leaf, arm;
	bool interrupted; /* a signal frame led to a stack that is not in the dump */
};

static void end(struct walk *w, enum unwind_end why)
{
	unsigned fp = w->arm ? DW_ARM_FP : DW_X86_BP, g = w->arm ? DW_ARM_X28 : DW_X86_R14;

	w->out->end = why;
	w->out->end_pc = w->pc;
	w->out->end_fp = w->regs[fp];
	w->out->end_g = w->regs[g];
	w->out->has_fp = w->valid >> fp & 1;
	w->out->has_g = w->valid >> g & 1;
}

static void set_reg(struct walk *w, unsigned reg, uint64_t value)
{
	w->regs[reg] = value;
	w->valid |= UINT64_C(1) << reg;
}

static bool has_reg(const struct walk *w, unsigned reg)
{
	return w->valid >> reg & 1;
}

static bool load_registers(struct walk *w)
{
	static const uint8_t x86[16] = {
		PERF_X86_AX, PERF_X86_DX, PERF_X86_CX, PERF_X86_BX, PERF_X86_SI, PERF_X86_DI,
		PERF_X86_BP, PERF_X86_SP, PERF_X86_R8, PERF_X86_R9, PERF_X86_R10, PERF_X86_R11,
		PERF_X86_R12, PERF_X86_R13, PERF_X86_R14, PERF_X86_R15,
	};
	const struct unwind_input *in = w->in;
	unsigned nr = w->arm ? 32 : 16, pc = w->arm ? PERF_ARM64_PC : PERF_X86_IP;

	for (unsigned i = 0; i < nr; i++) {
		unsigned perf = w->arm ? i : x86[i];

		if (in->regs_mask >> perf & 1)
			set_reg(w, i, in->regs[perf]);
	}
	if (!(in->regs_mask >> pc & 1) || !has_reg(w, w->arm ? DW_ARM_SP : DW_X86_SP))
		return false;
	w->pc = in->regs[pc];
	w->sp = w->regs[w->arm ? DW_ARM_SP : DW_X86_SP];
	w->kind = UNWIND_PC_EXACT;
	return true;
}

/* A word of the stack; on failure the walk is ended with what that means. */
static bool read_word(struct walk *w, uint64_t addr, uint64_t *value)
{
	const struct unwind_input *in = w->in;

	if (unwind_read_stack(in, addr, value))
		return true;
	if (w->interrupted)
		end(w, UNWIND_SIGNAL);
	else
		end(w, unwind_is_above(in, addr) ? UNWIND_TRUNCATED : UNWIND_BAD_MEMORY);
	return false;
}

/* --- Go -------------------------------------------------------------------------------- */

/*
 * Return into the signal trampoline: SP points to the ucontext, whose gregs
 * (from byte 40: r8…r15, rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip) are the
 * interrupted code's. Its stack is another one.
 */
static void step_sigreturn(struct walk *w)
{
	uint64_t rip, rsp;
	struct resolved *at;

	end(w, UNWIND_SIGNAL);
	if (w->arm || !unwind_read_stack(w->in, w->sp + 40 + 16 * 8, &rip) ||
	    !unwind_read_stack(w->in, w->sp + 40 + 15 * 8, &rsp) || w->out->nr >= w->max)
		return;
	at = resolve(w->resolver, w->in->image, rip, w->in->time);
	resolve_code(w->resolver, at);
	if (!at->module)
		return;
	frame_set(&w->out->frames[w->out->nr++], at, rip, UNWIND_PC_EXACT, rsp);
	w->out->has_g = unwind_read_stack(w->in, w->sp + 40 + 6 * 8, &w->out->end_g);
	w->out->has_fp = unwind_read_stack(w->in, w->sp + 40 + 10 * 8, &w->out->end_fp);
}

/*
 * Above the root of a signal handler: the kernel's frame, whose context is the interrupted code's (Linux
 * arch/x86/include/asm/sigframe.h, arch/arm64/kernel/signal.c: siginfo and ucontext; cs, pstate: user mode).
 */
static void look_behind_handler(struct walk *w, const struct resolved *at)
{
	enum { X86_GREGS = 40, X86_BP = 10, X86_SP = 15, X86_IP = 16, X86_CS = 18, X86_R14 = 6, USER_CS = 0x33,
	       ARM_REGS = 128 + 176 + 8, ARM_FP = 29, ARM_SP = 31, ARM_PC = 32, ARM_PSTATE = 33, ARM_MODE = 15 };
	uint64_t regs = w->sp + (uint64_t)(int64_t)at->delta + (w->arm ? ARM_REGS : 8u + X86_GREGS), pc, sp, mode;
	struct unwind_stack *out = w->out;
	struct resolved *behind;

	out->has_g = out->has_fp = false;
	if (!unwind_read_stack(w->in, regs + (w->arm ? ARM_PC : X86_IP) * 8u, &pc) ||
	    !unwind_read_stack(w->in, regs + (w->arm ? ARM_SP : X86_SP) * 8u, &sp) ||
	    !unwind_read_stack(w->in, regs + (w->arm ? ARM_PSTATE : X86_CS) * 8u, &mode) ||
	    (w->arm ? mode & ARM_MODE : (mode & 0xffff) != USER_CS))
		return;
	behind = resolve(w->resolver, w->in->image, pc, w->in->time);
	resolve_code(w->resolver, behind);
	if (!behind->module || !behind->executable)
		return;
	frame_set(&out->interrupted, behind, pc, UNWIND_PC_EXACT, sp);
	out->has_interrupted = true;
	out->has_g = unwind_read_stack(w->in, regs + (w->arm ? DW_ARM_X28 : X86_R14) * 8u, &out->end_g);
	out->has_fp = unwind_read_stack(w->in, regs + (w->arm ? ARM_FP : X86_BP) * 8u, &out->end_fp);
}

/*
 * A leaf that writes SP, before it did: what stands where its return address then
 * is must be the return address of a call of this very function.
 */
static bool not_switched_yet(const struct walk *w, const struct resolved *at)
{
	uint64_t ra;

	return !w->arm && at->delta >= 0 && unwind_read_stack(w->in, w->sp + (uint64_t)at->delta, &ra) &&
	       is_return_of(at, at->code, ra);
}

/* What a vdso call may have on the stack between its frame and the vdso's: results, alignment. */
#define VDSO_CALL_ROOM 128

/*
 * nanotime1 and kin (runtime/sys_linux_amd64.s, sys_linux_arm64.s) call the vdso on the system stack when
 * they were called on a goroutine's, and where they are otherwise. On amd64 their frame pointer tells, and
 * goes on being right while SP is not; on arm64 X20 keeps SP. True: w is at the caller, or on arm64 at the
 * frame as it was before the switch; false: the stack ends here.
 */
static bool step_vdso_call(struct walk *w, const struct resolved *at)
{
	uint64_t fp = w->regs[DW_X86_BP], ra, caller_fp, sp = w->regs[DW_ARM_X20];

	if (w->arm) {
		if (!w->leaf && has_reg(w, DW_ARM_X20) && sp >= w->sp && sp - w->sp <= VDSO_CALL_ROOM) {
			w->sp = sp;
			return true;
		}
	} else if (has_reg(w, DW_X86_BP) && fp >= w->sp && unwind_read_stack(w->in, fp + 8, &ra) &&
		   is_return_of(at, at->code, ra) && unwind_read_stack(w->in, fp, &caller_fp)) {
		w->valid = 0;
		w->sp = fp + 16;
		w->pc = ra;
		w->kind = UNWIND_PC_RETURN;
		set_reg(w, DW_X86_SP, w->sp);
		set_reg(w, DW_X86_BP, caller_fp);
		return true;
	} else if (has_reg(w, DW_X86_BP) && !unwind_read_stack(w->in, fp + 8, &ra)) {
		end(w, UNWIND_G0_BOUNDARY);
		return false;
	}
	end(w, w->leaf ? UNWIND_SPWRITE_LEAF : UNWIND_G0_BOUNDARY);
	return false;
}

/* False at the end of the stack. */
static bool go_role_goes_on(struct walk *w, const struct resolved *at)
{
	switch (at->role) {
	case GO_TOP:
		end(w, UNWIND_ROOT);
		return false;
	case GO_BOUNDARY:
		if (w->leaf && not_switched_yet(w, at))
			return true;
		end(w, w->leaf ? UNWIND_SPWRITE_LEAF : UNWIND_G0_BOUNDARY);
		return false;
	case GO_SIGTRAMP:
		end(w, UNWIND_ROOT);
		look_behind_handler(w, at);
		return false;
	case GO_SIGRETURN:
		step_sigreturn(w);
		return false;
	}
	return true;
}

static bool step_go(struct walk *w, const struct resolved *at)
{
	uint64_t cfa, ra, bp, lr, keep = 0;

	if (at->role == GO_VDSO_CALL && !(w->leaf && not_switched_yet(w, at))) {
		if (!step_vdso_call(w, at))
			return false;
		if (!w->arm)
			return true;
	} else if (!go_role_goes_on(w, at)) {
		return false;
	}
	cfa = w->sp + (uint64_t)(int64_t)at->delta + (w->arm ? 0 : 8);
	/* only a leaf, or what was interrupted on arm64, has no frame yet */
	if (at->delta < 0 || cfa < w->sp ||
	    (cfa == w->sp && !w->leaf && !(w->kind == UNWIND_PC_EXACT && has_reg(w, DW_ARM_LR)))) {
		end(w, UNWIND_BAD_MEMORY);
		return false;
	}
	if (!w->arm) {
		if (!read_word(w, cfa - 8, &ra))
			return false;
		keep = UINT64_C(1) << DW_X86_BP & w->valid;
		if (at->delta >= 8 && unwind_read_stack(w->in, cfa - 16, &bp)) {
			set_reg(w, DW_X86_BP, bp); /* the frame pointer is saved below the return address */
			keep = UINT64_C(1) << DW_X86_BP;
		}
	} else if (at->delta > 0) {
		if (!read_word(w, w->sp, &ra))
			return false;
		if (unwind_read_stack(w->in, w->sp - 8, &bp)) {
			set_reg(w, DW_ARM_FP, bp);
			keep = UINT64_C(1) << DW_ARM_FP;
		}
		ra &= ARM64_ADDRESS_MASK;
	} else if (has_reg(w, DW_ARM_LR)) { /* frameless: LR is still the caller's */
		ra = w->regs[DW_ARM_LR] & ARM64_ADDRESS_MASK;
		keep = UINT64_C(1) << DW_ARM_FP & w->valid;
	} else {
		end(w, UNWIND_BAD_MEMORY);
		return false;
	}
	w->valid = keep; /* Go has no other callee-saved registers */
	/* cgocallback's return address is the pc that g.sched held: systemstack_switch's first byte up to 1.20 */
	w->kind = at->role == GO_INJECTED || at->role == GO_CALLBACK ? UNWIND_PC_EXACT : UNWIND_PC_RETURN;
	w->pc = ra;
	/* an injected call on arm64 saves LR in 16 bytes of its own (traceback.go, usesLR && injectedCall) */
	if (w->arm && at->role == GO_INJECTED) {
		if (!read_word(w, cfa, &lr))
			return false;
		set_reg(w, DW_ARM_LR, lr & ARM64_ADDRESS_MASK);
		cfa += 16;
	}
	w->sp = cfa;
	set_reg(w, w->arm ? DW_ARM_SP : DW_X86_SP, cfa);
	return true;
}

/* --- call frame information ---------------------------------------------------------------- */

static bool saved_value(struct walk *w, const struct code_saved *s, uint64_t cfa, uint64_t *value, bool *memory)
{
	struct expr_context ctx = {w->in, w->regs, w->valid, cfa, true};
	uint64_t addr;

	*memory = false;
	switch (s->kind) {
	case SAVED_CFA:
		*value = cfa + (uint64_t)(int64_t)s->value;
		return true;
	case SAVED_REG:
		*value = w->regs[s->value];
		return has_reg(w, (unsigned)s->value);
	case SAVED_EXPR:
		return expr_evaluate(&s->expr, &ctx, value);
	case SAVED_AT_EXPR:
		if (!expr_evaluate(&s->expr, &ctx, &addr))
			return false;
		break;
	default:
		addr = cfa + (uint64_t)(int64_t)s->value;
	}
	*memory = true;
	if (unwind_read_stack(w->in, addr, value))
		return true;
	*value = addr; /* for the message of read_word */
	return false;
}

static bool find_cfa(struct walk *w, const struct code *c, uint64_t *cfa)
{
	if (c->cfa_reg == CODE_CFA_EXPR) {
		struct expr_context ctx = {w->in, w->regs, w->valid, 0, false};

		return expr_evaluate(&c->cfa_expr, &ctx, cfa);
	}
	*cfa = w->regs[c->cfa_reg] + (uint64_t)(int64_t)c->cfa_offset;
	return has_reg(w, c->cfa_reg);
}

static bool step_cfi(struct walk *w, const struct code *c)
{
	unsigned sp_reg = w->arm ? DW_ARM_SP : DW_X86_SP;
	uint64_t regs[CODE_MAX_REGS], valid = w->valid, cfa, ra;
	bool undefined = false;

	if (!find_cfa(w, c, &cfa)) {
		end(w, UNWIND_BAD_MEMORY);
		return false;
	}
	memcpy(regs, w->regs, sizeof(regs));
	regs[sp_reg] = cfa;
	valid |= UINT64_C(1) << sp_reg;
	for (unsigned i = 0; i < c->nr_saved; i++) {
		const struct code_saved *s = &c->saved[i];
		uint64_t value;
		bool memory;

		valid &= ~(UINT64_C(1) << s->reg);
		if (s->kind == SAVED_NONE) {
			undefined |= s->reg == c->ra_reg;
			continue;
		}
		if (saved_value(w, s, cfa, &value, &memory)) {
			regs[s->reg] = value;
			valid |= UINT64_C(1) << s->reg;
		} else if (s->reg == c->ra_reg) {
			if (!memory || read_word(w, value, &value))
				end(w, UNWIND_BAD_MEMORY);
			return false;
		}
	}
	if (undefined) {
		end(w, UNWIND_ROOT);
		return false;
	}
	if (!(valid >> c->ra_reg & 1)) {
		end(w, UNWIND_BAD_MEMORY);
		return false;
	}
	ra = regs[c->ra_reg];
	if (w->arm)
		ra &= ARM64_ADDRESS_MASK;
	if (!c->signal && (cfa < w->sp || (cfa == w->sp && ra == w->pc))) {
		end(w, UNWIND_BAD_MEMORY);
		return false;
	}
	memcpy(w->regs, regs, sizeof(regs));
	w->valid = valid;
	w->sp = regs[sp_reg];
	w->pc = ra;
	w->kind = c->signal ? UNWIND_PC_EXACT : UNWIND_PC_RETURN;
	w->interrupted |= c->signal && (w->sp < w->in->stack_base || w->sp - w->in->stack_base > w->in->stack_size);
	if (!ra)
		end(w, UNWIND_ROOT);
	return ra != 0;
}

/* --- the walk ---------------------------------------------------------------------------------- */

static void unwind(void *state, const struct unwind_input *in, struct unwind_stack *out, size_t max)
{
	struct walk w = {.in = in, .resolver = state, .out = out, .max = max, .leaf = true, .arm = in->arch == PERF_ARCH_ARM64};
	bool on;

	if (!load_registers(&w)) {
		end(&w, UNWIND_BAD_MEMORY);
		return;
	}
	do {
		struct resolved *at;
		const struct code *c;

		if (!w.arm) /* the PLT's rule asks where in its stub the pc is */
			set_reg(&w, DW_X86_RA, w.pc);

		if (out->nr >= max) {
			end(&w, UNWIND_MAX_DEPTH);
			return;
		}
		at = resolve(w.resolver, in->image, w.kind == UNWIND_PC_RETURN ? w.pc - 1 : w.pc, in->time);
		c = resolve_code(w.resolver, at);
		if (w.leaf && at->module && at->kind == CODE_NONE && out->nr_kernel) {
			/* behind a system call, which may be the last its function does (rt_sigreturn, exit) */
			w.kind = UNWIND_PC_RETURN;
			at = resolve(w.resolver, in->image, w.pc - 1, in->time);
			c = resolve_code(w.resolver, at);
		}
		if (!w.leaf && (!at->module || !at->executable)) {
			/* no code there: not a return address */
			end(&w, UNWIND_NO_MAP);
			return;
		}
		frame_set(&out->frames[out->nr++], at, w.pc, w.kind, w.sp);
		if (at->signal && w.kind == UNWIND_PC_RETURN && !w.leaf) {
			/* a signal trampoline is returned to at its first byte: its CFI begins one earlier, its symbol does not */
			out->frames[out->nr - 1].kind = UNWIND_PC_EXACT;
			out->frames[out->nr - 1].lookup++;
			out->frames[out->nr - 1].tag = 0;
			out->frames[out->nr - 1].marked = false;
			out->frames[out->nr - 1].resolved = NULL;
		}
		if (at->kind == CODE_GO) {
			on = step_go(&w, at);
		} else if (at->kind == CODE_CFI) {
			on = step_cfi(&w, c);
		} else {
			end(&w, at->module ? UNWIND_NO_CFI : UNWIND_NO_MAP);
			return;
		}
		w.leaf = false;
	} while (on);
}

static void *create(struct session *s)
{
	return resolver_new(s, false);
}

static void *create_go(struct session *s)
{
	return resolver_new(s, true);
}

const struct unwinder unwinder_auto = {
	.name = "auto",
	.help = "Go by its pclntab, the rest by call frame information",
	.create = create,
	.destroy = resolver_free,
	.unwind = unwind,
};

const struct unwinder unwinder_go = {
	.name = "go",
	.help = "Go's pclntab alone",
	.create = create_go,
	.destroy = resolver_free,
	.unwind = unwind,
};
