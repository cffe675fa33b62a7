/*
 * Which goroutine a sample ran for, from the samples alone.
 *
 * In two steps. goroutine_identify, in the workers, turns one unwound sample
 * into evidence (struct goroutine_sight): which g, which stack, which entry
 * function. A goroutine_resolver then goes over a run's evidence in order of
 * time: g structs and stacks are used again by later goroutines, and some
 * samples only say on which stack they ran, which others know the owner of.
 *
 * Sources: Go src/runtime/asm_amd64.s and asm_arm64.s (mcall, systemstack,
 * asmcgocall, morestack), runtime2.go (g, m), stack.go (newstack), traceback.go
 * (isSystemGoroutine), proc.go (newproc1: the top of a new stack), cmd/compile/
 * abi-internal.md (R14 = g on amd64, R28 = g on arm64).
 */
#ifndef GOROUTINE_GOROUTINE_H
#define GOROUTINE_GOROUTINE_H

#include <stdbool.h>
#include <stdint.h>

#include "process/session.h"
#include "unwind/unwind.h"

#define FOREACH_GOROUTINE_KIND(X)                                              \
	X(GOROUTINE_NONE, "none", "no Go code")                                \
	X(GOROUTINE_USER, "user", "user goroutine")                            \
	X(GOROUTINE_SYSTEM, "system", "goroutine of the runtime")              \
	X(GOROUTINE_SCHEDULER, "scheduler", "scheduler and its threads")       \
	X(GOROUTINE_SIGNAL, "signal", "signal handler")
enum goroutine_kind {
#define X(id, key, text) id,
	FOREACH_GOROUTINE_KIND(X)
#undef X
	GOROUTINE_KINDS
};
const char *goroutine_kind_key(enum goroutine_kind k);
const char *goroutine_kind_text(enum goroutine_kind k);

/* Where the identity comes from, best first; the list drives JSON and text of `info`. */
#define FOREACH_GOROUTINE_SOURCE(X)                                            \
	X(GOROUTINE_BY_TRACE, "trace", "exact", "execution trace")             \
	X(GOROUTINE_BY_SWITCH, "switch", "exact", "switches recorded by a probe") \
	X(GOROUTINE_BY_REGISTER, "register", "exact", "g in its register at the leaf") \
	X(GOROUTINE_BY_MCALL, "mcall", "exact", "g pushed by mcall")           \
	X(GOROUTINE_BY_ASMCGOCALL, "asmcgocall", "exact", "g stored by asmcgocall") \
	X(GOROUTINE_BY_ARGUMENT, "argument", "exact", "g given to the scheduler's functions") \
	X(GOROUTINE_BY_REUSED, "reused", "inferred", "g whose goroutines have been seen to end, the last one it had") \
	X(GOROUTINE_BY_STACK, "stack", "inferred", "stack whose owner other samples tell") \
	X(GOROUTINE_BY_ENTRY, "entry", "entry only", "entry function of the stack") \
	X(GOROUTINE_UNKNOWN, "none", "none", "not known")
enum goroutine_source {
#define X(id, key, confidence, text) id,
	FOREACH_GOROUTINE_SOURCE(X)
#undef X
	GOROUTINE_SOURCES
};
const char *goroutine_source_key(enum goroutine_source s);
const char *goroutine_source_confidence(enum goroutine_source s);
const char *goroutine_source_text(enum goroutine_source s);

/*
 * An entry function: what the go statement started, as the frame above goexit
 * shows it. Compiler-made wrappers (gowrapN) are the function's own; the name is
 * that of the first logical frame that is no wrapper, and main.main for the
 * goroutine that the runtime starts with. Where a sample shows nothing but the wrapper, or C that
 * called any of several Go functions, one function has several entries: what an entry says hangs
 * on the sample alone, never on those before it.
 */
struct goroutine_entry {
	uint32_t module;
	bool system;	  /* isSystemGoroutine */
	bool named;	  /* name is of no wrapper */
	uint64_t vaddr;	  /* of the function, in the module */
	uint64_t root;	  /* lookup address of the frame below it (goexit), 0 unknown */
	const char *name; /* borrowed from the module's Go table */
};

#define GOROUTINE_NO_ENTRY UINT32_MAX
#define GOROUTINE_NO_ID UINT32_MAX

enum goroutine_flags {
	GOROUTINE_ON_SYSTEM_STACK = 1, /* of a goroutine whose own stack is not in the dump */
	GOROUTINE_DOUBTFUL = 2,	       /* g is believed only where other samples know it: assembly */
	GOROUTINE_SHOWS_ENTRY = 4,     /* its own stack does, no other sample's */
	GOROUTINE_WITH_CALLERS = 8,    /* on the system stack, but its own stack is known by a call chain */
	GOROUTINE_IN_C = 16,	       /* in C code that cannot be unwound: of a goroutine only if g is one that is known */
};
_Static_assert((GOROUTINE_ON_SYSTEM_STACK ^ GOROUTINE_DOUBTFUL ^ GOROUTINE_SHOWS_ENTRY ^ GOROUTINE_WITH_CALLERS ^
		GOROUTINE_IN_C) == 31,
	       "each a bit of its own");

/* The evidence of one sample. */
struct goroutine_sight {
	uint64_t time;	   /* ns */
	uint64_t g;	   /* address of the g it names, 0 none */
	uint64_t stack;	   /* an address on the goroutine's own stack, 0 none */
	uint64_t stack_hi; /* upper end of that stack, 0 unknown */
	uint64_t ended;	   /* address of the g of a goroutine that is at its end, 0 none */
	uint32_t space;	   /* whose addresses: see goroutine_space() */
	uint32_t tid;
	uint32_t entry;	   /* in the worker's table, later in the run's; GOROUTINE_NO_ENTRY */
	uint32_t id;	   /* when decided: in goroutines.list, or GOROUTINE_NO_ID */
	uint32_t tag;	   /* whatever who gives it wants to know it by */
	uint8_t kind, source, flags;
};

/* --- per worker ------------------------------------------------------------------------ */

struct goroutine_worker;
struct goroutine_worker *goroutine_worker_new(struct session *s);
void goroutine_worker_free(struct goroutine_worker *w);

/*
 * The evidence of a sample that was just unwound. `in` may be NULL (no registers).
 * Nothing is learnt from other samples; no allocation but for entries not seen before.
 */
void goroutine_identify(struct goroutine_worker *w, const struct perf_sample *sample,
			const struct unwind_input *in, const struct unwind_stack *stack,
			struct goroutine_sight *out);

/* The entries that sight.entry of this worker names. */
const struct goroutine_entry *goroutine_worker_entries(const struct goroutine_worker *w, size_t *nr);

/* --- the run ---------------------------------------------------------------------------- */

struct goroutine {
	uint64_t g;	   /* 0: known by its stack alone */
	uint64_t stack_hi; /* the last one known, of a stack whose end is not known that of a part; 0 none */
	uint32_t space;
	uint32_t entry;	   /* GOROUTINE_NO_ENTRY */
	uint32_t generation; /* how many goroutines this g was before, in this recording */
	uint8_t kind;	   /* user or system */
	uint64_t first, last; /* times of its first and last sample, ns */
	uint64_t goid;	   /* by an execution trace; 0 not known */
};

struct goroutines {
	struct goroutine *list;
	size_t nr, alloc;
	uint64_t distinct; /* how many there were, in the list or no longer */
};

/*
 * Whether a sight has anything for the resolver: one that has not is of no goroutine and tells
 * nothing of one; it may be given all the same.
 */
bool goroutine_sight_matters(const struct goroutine_sight *s);

/*
 * Gives every sight its goroutine, and what only other samples could decide: its
 * entry, kind and source. Sights are taken in the order of the recording, which is nearly
 * that of time, and handed on, decided, in order of time.
 *
 * Memory does not grow with the recording. With W = GOROUTINE_WINDOW, counted in sights: one is put in
 * its place in time as long as it comes no more than W later than it should; and it is decided once all
 * of the W that come after it in time have been seen, and those before it. What comes later still decides nothing for
 * it. A recording of up to 3 W sights is decided as a whole. (Kept over all of the recording
 * are the g and the stacks ever seen and who had each last: Go uses both again.)
 * The same sights in the same order have the same result.
 */
#define GOROUTINE_WINDOW ((size_t)1 << 16)

struct goroutine_resolver;
/* Takes a decided sight, whose entry is one of those given; borrowed. */
typedef void goroutine_sink(void *ctx, const struct goroutine_sight *s);

/* keep_ids: all goroutines stay in the list, for those who use sight.id; else ids are used again. */
struct goroutine_resolver *goroutine_resolver_new(bool keep_ids, goroutine_sink *sink, void *ctx);
void goroutine_resolver_free(struct goroutine_resolver *r);
/* The entries that sights name; `nr` only grows from call to call, and what is known of one never changes. */
void goroutine_resolver_entries(struct goroutine_resolver *r, const struct goroutine_entry *entries, size_t nr);
void goroutine_resolver_take(struct goroutine_resolver *r, const struct goroutine_sight *sights, size_t nr);
/* Decides what is left. *out is the caller's, see goroutines_release(). */
void goroutine_resolver_finish(struct goroutine_resolver *r, struct goroutines *out);
void goroutines_release(struct goroutines *g);

/* runtime/traceback.go, isSystemGoroutine: whether goroutines that enter at that function are the runtime's own. */
bool goroutine_is_system(const char *entry);

#endif
