/*
 * What unwinding needs to know of one address, found once and kept: for Go code
 * the SP delta of its pclntab, for other code the row of its call frame
 * information, in a compact form. Private to unwind/.
 */
#ifndef UNWIND_CODE_H
#define UNWIND_CODE_H

#include "process/module.h"
#include "process/session.h"
#include "unwind/unwind.h"

enum code_kind {
	CODE_NONE, /* no unwind information */
	CODE_GO,
	CODE_CFI,
};

enum go_role {
	GO_PLAIN,
	GO_TOP,	      /* ends a stack: goexit, mstart, rt0_go … */
	GO_BOUNDARY,  /* writes SP: as a caller it is the switch to another stack */
	GO_CALLBACK,  /* cgocallback: writes SP, but the frames above are on this stack */
	GO_VDSO_CALL, /* calls the vdso, on the system stack where it was on a goroutine's: nanotime1, time.now … */
	GO_INJECTED,  /* called by a signal handler's doing: its return address is exact */
	GO_SIGTRAMP,  /* the root of a signal handler, since 1.22 */
	GO_SIGRETURN, /* the signal trampoline's return */
};

/* Where a register's value in the caller comes from. */
enum saved_kind {
	SAVED_AT_CFA,  /* memory at CFA + value */
	SAVED_CFA,     /* CFA + value itself */
	SAVED_REG,     /* another register */
	SAVED_AT_EXPR, /* memory at the expression's result */
	SAVED_EXPR,    /* the expression's result */
	SAVED_NONE,    /* undefined: for the return address, the root */
};

/* A DWARF expression, as it stands in the section; data NULL: none. */
struct code_expr {
	const uint8_t *data;
	size_t size;
};

struct code_saved {
	uint8_t reg; /* DWARF number */
	uint8_t kind;
	int32_t value; /* offset or register */
	struct code_expr expr;
};

struct code {
	uint8_t kind, role;
	bool signal; /* a signal frame: the caller's pc is exact */
	/* CODE_GO */
	int32_t delta;
	uint64_t entry; /* of its function, vaddr */
	/* CODE_CFI */
	uint8_t cfa_reg; /* CODE_CFA_EXPR: the expression */
	uint8_t ra_reg;
	uint8_t nr_saved;
	int32_t cfa_offset;
	struct code_expr cfa_expr;
	struct code_saved *saved;
};
#define CODE_CFA_EXPR 255
#define CODE_MAX_REGS 34 /* x0–x30, sp, and RA_SIGN_STATE; rax–r15 and RA are fewer */

/*
 * The code at vaddr of a module (opened here if need be). Never NULL; kept as
 * long as the module. Takes the module's lock: call once per address and cache.
 * go_only leaves call frame information out.
 */
const struct code *code_at(struct modules *ms, struct module *m, uint64_t vaddr, bool go_only);

/* --- addresses, cached per worker ------------------------------------------------------ */

/* One line of the processor's cache. */
struct resolved {
	uint64_t pc, from, to; /* holds for this lookup pc in [from, to] */
	uint64_t owner;	       /* image and its version when it was asked */
	uint64_t vaddr;
	struct module *module;	 /* NULL: unmapped */
	const struct code *code; /* NULL until resolve_code, which also fills what follows from it */
	int32_t delta;
	uint32_t tag : UNWIND_TAG_BITS; /* unwind_tag */
	uint32_t kind : 2, role : 4; /* enum code_kind, enum go_role */
	uint32_t signal : 1;
	uint32_t marked : 1; /* unwind_mark */
	uint32_t executable : 1; /* the mapping was made so */
};
_Static_assert(sizeof(struct resolved) == 64, "a line of the cache");

#define RESOLVER_SLOTS 32768
struct resolver {
	struct session *session;
	bool go_only;
	struct resolved *slots;
};

struct resolver *resolver_new(struct session *s, bool go_only);
void resolver_free(void *r);
/* The module and vaddr of a user address; borrowed until the next call. */
struct resolved *resolve(struct resolver *r, const struct image *im, uint64_t pc, uint64_t time);
const struct code *resolve_code(struct resolver *r, struct resolved *at);

/*
 * Whether ra is the return address of a call, by its own instruction, of the Go
 * function of c. x86-64 only (CALL rel32).
 */
bool is_return_of(const struct resolved *at, const struct code *c, uint64_t ra);

/*
 * Whether a word that is not in the dump stands above it, where a bigger dump
 * would have had it. Further up than any stack is long (1 GB) it never would.
 */
static inline bool unwind_is_above(const struct unwind_input *in, uint64_t addr)
{
	return in->dump_full && addr >= in->stack_base && addr - in->stack_base < UINT64_C(1) << 30;
}

/* Fills a frame from a resolved lookup address. */
void frame_set(struct unwind_frame *f, struct resolved *at, uint64_t pc, enum unwind_pc_kind kind, uint64_t sp);

#endif
