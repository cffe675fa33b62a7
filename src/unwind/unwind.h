/*
 * Unwinding: registers and a stack dump to a list of addresses. Knows nothing
 * of names.
 *
 * Sources: DWARF 5 section 6.4 (call frame information), System V ABI AMD64
 * psABI (.eh_frame), AAPCS64, Go src/runtime/traceback.go and stkframe.go,
 * Linux arch/{x86,arm64}/include/uapi/asm/perf_regs.h (register numbering).
 */
#ifndef UNWIND_UNWIND_H
#define UNWIND_UNWIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "perfdata/perfdata.h"
#include "process/session.h"

/* perf's register numbers (perf_regs.h), which index unwind_input.regs. */
enum perf_reg_x86 {
	PERF_X86_AX, PERF_X86_BX, PERF_X86_CX, PERF_X86_DX, PERF_X86_SI, PERF_X86_DI,
	PERF_X86_BP, PERF_X86_SP, PERF_X86_IP, PERF_X86_FLAGS, PERF_X86_CS, PERF_X86_SS,
	PERF_X86_R8 = 16, PERF_X86_R9, PERF_X86_R10, PERF_X86_R11, PERF_X86_R12,
	PERF_X86_R13, PERF_X86_R14, PERF_X86_R15,
};
enum perf_reg_arm64 {
	PERF_ARM64_X0 = 0, PERF_ARM64_X28 = 28, PERF_ARM64_X29 = 29 /* FP */,
	PERF_ARM64_LR = 30, PERF_ARM64_SP = 31, PERF_ARM64_PC = 32,
};

/* What kind of address a frame holds: decides whether 1 is taken off for lookup. */
enum unwind_pc_kind {
	UNWIND_PC_EXACT,  /* the leaf, or interrupted (below a signal frame or an injected call) */
	UNWIND_PC_RETURN, /* a return address: the call is at pc - 1 */
};

struct unwind_frame {
	uint64_t pc;
	uint64_t sp;	 /* the frame's SP at pc (its callee's CFA), 0 unknown (kernel, call chain) */
	uint64_t lookup; /* pc or pc - 1 as an ELF vaddr of the module; kernel: the absolute address; no module: pc */
	uint32_t module; /* session_modules() id, UINT32_MAX: no mapping covers it */
	uint8_t kind;	 /* enum unwind_pc_kind */
	bool kernel;
	bool go;	 /* inside the module's Go text */
	bool marked;	 /* unwind_mark was called for (module, lookup) */
	uint32_t tag;	 /* what unwind_tag gave (module, lookup), 0: nothing */
	struct resolved *resolved; /* for unwind_tag and unwind_mark; NULL: neither */
};

/* How a stack ended. One list: enum, JSON key and text. */
#define FOREACH_UNWIND_END(X)                                                  \
	X(UNWIND_ROOT, "complete", "reached the thread's or goroutine's root")       \
	X(UNWIND_G0_BOUNDARY, "complete_g0", "reached the switch to the system stack (systemstack, mcall, morestack, asmcgocall)") \
	X(UNWIND_KERNEL_ONLY, "kernel_only", "no user registers or chain: kernel thread or exiting task") \
	X(UNWIND_TRUNCATED, "truncated", "the next word lies past the stack dump")   \
	X(UNWIND_NO_CFI, "no_cfi", "no unwind information covers the address")       \
	X(UNWIND_NO_MAP, "no_map", "no mapping covers the address")                  \
	X(UNWIND_BAD_MEMORY, "bad_memory", "a word outside the stack or a chain that does not advance was needed") \
	X(UNWIND_SPWRITE_LEAF, "spwrite_leaf", "the leaf is in a function that writes SP")      \
	X(UNWIND_SIGNAL, "signal_boundary", "reached a signal frame whose stack is not in the dump") \
	X(UNWIND_MAX_DEPTH, "max_depth", "--max-stack reached")                      \
	X(UNWIND_CHAIN, "recorded_chain", "recorded frame-pointer chain, whose end cannot be checked") \
	X(UNWIND_32BIT, "abi32", "32-bit registers: not unwound")                    \
	X(UNWIND_NO_DATA, "no_data", "the sample has neither call chain nor stack dump: the leaf alone")
enum unwind_end {
#define X(id, key, text) id,
	FOREACH_UNWIND_END(X)
#undef X
	UNWIND_ENDS
};
const char *unwind_end_key(enum unwind_end end);
const char *unwind_end_text(enum unwind_end end);
/* Whether the stack's root was reached (nothing to mark as [truncated]). */
bool unwind_end_complete(enum unwind_end end);

#define UNWIND_MAX_FRAMES 16384

/* A stack, leaf first; memory is the worker's and reused from sample to sample. */
struct unwind_stack {
	struct unwind_frame *frames; /* UNWIND_MAX_FRAMES of them */
	size_t nr;
	size_t nr_kernel; /* the first so many are kernel frames */
	enum unwind_end end;
	uint64_t end_pc;  /* where it ended, for counting by module */
	/*
	 * What the frame pointer and the register that Go keeps g in (RBP and R14,
	 * X29 and X28) held in the last frame, as far as the walk could tell.
	 */
	uint64_t end_fp, end_g;
	bool has_fp, has_g;
	/*
	 * Of a signal handler that ended at its root: where the signal interrupted; end_fp and end_g are of
	 * that place then.
	 */
	struct unwind_frame interrupted;
	bool has_interrupted;
	/*
	 * Not 0: the first so many end at the switch to the system stack, and the others, from the recorded user
	 * call chain, are the goroutine's up to its root. (end_fp, end_g: at the switch.)
	 */
	size_t switched;
};

struct unwind_input {
	enum perf_arch arch;
	bool swap;
	uint64_t regs[PERF_MAX_REGS]; /* by perf's number; valid where the mask has the bit */
	uint64_t regs_mask;
	const uint8_t *stack; /* stack[0] is the byte at stack_base */
	uint64_t stack_base;  /* user SP */
	uint64_t stack_size;  /* valid bytes */
	bool dump_full;	      /* stack_size is all the recorder reserved: more may lie above */
	const struct image *image;
	uint64_t time;
};

/* One unwinder; each file of this folder that implements one ends in such an entry. */
struct unwind_state;
struct unwinder {
	const char *name; /* --unwinder */
	const char *help;
	/* Per-worker state; shares what can be shared through the modules. */
	void *(*create)(struct session *s);
	void (*destroy)(void *state);
	/* Appends the user frames to out (after kernel frames already there) and sets out->end. */
	void (*unwind)(void *state, const struct unwind_input *in, struct unwind_stack *out, size_t max);
};
extern const struct unwinder unwinder_auto, unwinder_go, unwinder_libdw, unwinder_libunwind, unwinder_fp;
/* By name, NULL if unknown; and the list, NULL-terminated, for --help. */
const struct unwinder *unwinder_find(const char *name);
const struct unwinder *const *unwinder_list(void);

/* --- a worker's unwinding of whole samples ------------------------------------- */

struct unwind_options {
	const struct unwinder *unwinder;
	size_t max_stack; /* 0: no limit but UNWIND_MAX_FRAMES */
};

struct unwind_worker *unwind_worker_new(struct session *s, const struct unwind_options *opts);
void unwind_worker_free(struct unwind_worker *w);

/*
 * The whole stack of a sample, leaf first: kernel call chain in front, then the
 * user part by the unwinder where the sample carries registers and a dump, else
 * by its recorded user call chain. The result is borrowed until the next call.
 * Never fails: what went wrong is out->end.
 */
const struct unwind_stack *unwind_sample(struct unwind_worker *w, const struct perfdata *pd,
					 const struct perf_sample *sample);

/*
 * Has the frame's (module, lookup) remembered by a number of the caller's, from 1 to UNWIND_TAG_MAX (others are ignored),
 * for as long as the address is: a frame of the last stack that has it again mostly has the number with it.
 */
#define UNWIND_TAG_BITS 23
#define UNWIND_TAG_MAX ((1u << UNWIND_TAG_BITS) - 1)
void unwind_tag(const struct unwind_frame *f, uint32_t tag);

/* The same for one bit, which says what it does to whoever sets it: goroutine/ marks addresses that tell it nothing. */
void unwind_mark(const struct unwind_frame *f);

/* The input of the last sample (registers, dump), for goroutine/; NULL when it had none. */
const struct unwind_input *unwind_last_input(const struct unwind_worker *w);

/* Reads the user stack of the dump: true and *value when [addr, addr+8) lies inside. */
static inline bool unwind_read_stack(const struct unwind_input *in, uint64_t addr, uint64_t *value)
{
	if (addr < in->stack_base || in->stack_size < 8 || addr - in->stack_base > in->stack_size - 8)
		return false;
	*value = perfdata_load64(in->stack + (addr - in->stack_base), in->swap);
	return true;
}

#endif
