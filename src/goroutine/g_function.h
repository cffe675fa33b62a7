/*
 * What matters of a function to whoever asks whose stack it is on; found once
 * per address and kept per worker. Private to goroutine/.
 */
#ifndef GOROUTINE_G_FUNCTION_H
#define GOROUTINE_G_FUNCTION_H

#include "goroutine/goroutine.h"
#include "process/gotab.h"

enum g_role {
	G_NOT_GO,      /* C code, vdso, kernel, no binary */
	G_PLAIN,
	G_GOEXIT,      /* the root of a goroutine's stack */
	G_GOEXIT1,     /* what it calls at the goroutine's end, on the goroutine's stack */
	G_GOEXIT0,     /* the same on the system stack */
	G_SYSTEMSTACK,
	G_MCALL,
	G_MORESTACK,
	G_ASMCGOCALL,
	G_VDSO_CALL,   /* nanotime1 and kin: to the system stack and the vdso */
	G_EXECUTE,     /* its first argument is the g that runs next */
	G_LEAVES,      /* its first argument is the g that newstack was called for */
	G_ASSISTS,     /* its first argument is the g that allocates and has to mark for it */
	G_SCHEDULE,    /* from here on the thread looks for work */
	G_SIGTRAMP,    /* the root of a signal handler */
	G_CALLBACK,    /* cgocallback and kin: C called Go */
};

struct g_function {
	const struct module *module; /* NULL: slot not filled */
	uint64_t lookup;	     /* what was asked for */
	uint64_t vaddr;		     /* of the function */
	const char *name;	     /* the physical function's */
	const char *logical;	     /* the outermost one here that is no wrapper, or NULL */
	/*
	 * A function literal of an entry function of the runtime's goroutines, such as
	 * runtime.gcBgMarkWorker.func2: that function (vaddr, name); else 0.
	 */
	uint64_t literal_of;
	const char *literal_name;
	uint8_t role;
	bool assembly;		     /* written by hand: may keep anything in g's register */
	bool reloads;		     /* at this address g's register is about to be loaded, and may hold g0 */
	uint8_t layout;		     /* of asmcgocall's frame: offset of g / 8 */
};

#define G_FUNCTION_SLOTS 16384
struct g_functions {
	struct modules *modules;
	struct g_function slots[G_FUNCTION_SLOTS];
};

/* The function of a user frame; borrowed until the next call. */
const struct g_function *g_function(struct g_functions *f, const struct unwind_frame *frame);

/*
 * Of a leaf: whether it has put its first argument where callees find it, `to_argument` bytes above SP, as its
 * code before the sampled address says. x86-64 only.
 */
bool g_argument_kept(const struct g_function *g, uint64_t to_argument);

/* Whether goroutines that enter at that function are the runtime's own. */
bool g_is_system(const char *name);

#endif
