#include "compare/classes.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "compare/categories.h"
#include "compare/normalise.h"

static const struct {
	const char *category;
	enum compare_class class;
} class_rows[] = {
	{"sched-preempt", CLASS_PREEMPTION}, {"sched", CLASS_SCHEDULER}, {"runtime-lock", CLASS_SCHEDULER},
	{"netpoll", CLASS_SCHEDULER},	     {"timer", CLASS_SCHEDULER}, {"sysmon", CLASS_SCHEDULER},
	{"syscall", CLASS_SYSCALL},
	{"gc-bgmark", CLASS_GC},	     {"gc-assist", CLASS_GC},	 {"gc-mark", CLASS_GC},
	{"gc-stw", CLASS_GC},		     {"gc-sweep", CLASS_GC},	 {"gc-scavenge", CLASS_GC},
	{"gc-writebarrier", CLASS_GC},	     {"gc-finalizer", CLASS_GC}, {"malloc", CLASS_ALLOCATION},
	{"stack-growth", CLASS_ALLOCATION},  {"signal", CLASS_SIGNAL},	 {"profiler", CLASS_SIGNAL},
	{"tracer", CLASS_SIGNAL},
};

static bool starts(const char *s, const char *prefix)
{
	return !strncmp(s, prefix, strlen(prefix));
}

/* The runtime and what only it calls; everything else is the program's or the library's own work. */
static bool is_runtime(const char *name)
{
	static const char *const prefixes[] = {
		"runtime.", "runtime/internal/", "internal/runtime/",
		/* the runtime's assembly that has no package in its name */
		"gcWriteBarrier", "gogo", "aeshash", "debugCall", "callRet", "setg_gcc",
		NORMALISE_SYSTEM_STACK, NORMALISE_TRUNCATED, NORMALISE_CLOCK,
	};

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++)
		if (starts(name, prefixes[i]))
			return true;
	return false;
}

/* Packages passed over on the way from a system call to who asked for it. */
static bool is_syscall_layer(const char *name)
{
	return is_runtime(name) || starts(name, "syscall.") || starts(name, "internal/syscall/") ||
	       starts(name, "internal/poll.") || starts(name, "golang.org/x/sys/");
}

static int class_of_category(const char *category)
{
	for (size_t i = 0; category && i < sizeof(class_rows) / sizeof(*class_rows); i++)
		if (!strcmp(class_rows[i].category, category))
			return (int)class_rows[i].class;
	return -1;
}

void classes_make(struct classes *n, const struct profile *p)
{
	n->category = xcalloc(p->nr_frames, 1);
	n->runtime = xcalloc(p->nr_frames, sizeof(*n->runtime));
	n->layer = xcalloc(p->nr_frames, sizeof(*n->layer));
	for (size_t i = 0; i < p->nr_frames; i++) {
		const char *name = profile_str(p, p->frames[i].name);

		n->runtime[i] = is_runtime(name);
		n->layer[i] = is_syscall_layer(name);
		/* nobody asks what others are busy with */
		n->category[i] = n->layer[i] ? (int8_t)class_of_category(categories_find(name)) : -1;
	}
}

void classes_release(struct classes *n)
{
	free(n->category);
	free(n->runtime);
	free(n->layer);
}

uint32_t classes_caller(const struct classes *n, const struct profile *p, uint32_t node)
{
	for (; node; node = p->nodes[node].parent)
		if (!n->layer[p->nodes[node].frame])
			return p->nodes[node].frame;
	return 0;
}

/*
 * The leaf's own category; a runtime helper without one takes that of its
 * nearest caller that has one. A leaf outside the runtime is user code, unless
 * it is a system call stub. One that the runtime calls for itself (the network
 * poller's epoll_wait) is the caller's work.
 */
enum compare_class classes_find(const struct classes *n, const struct profile *p, uint32_t node)
{
	uint32_t leaf = p->nodes[node].frame;
	bool stub;

	if (!node)
		return CLASS_RUNTIME;
	stub = n->category[leaf] == CLASS_SYSCALL;
	if (stub && classes_caller(n, p, node))
		return CLASS_SYSCALL;
	if (!n->runtime[leaf] && !stub)
		return CLASS_USER;
	for (uint32_t at = node; at; at = p->nodes[at].parent) {
		uint32_t f = p->nodes[at].frame;

		if (!n->layer[f])
			break;
		if (n->category[f] >= 0 && !(stub && n->category[f] == CLASS_SYSCALL))
			return (enum compare_class)n->category[f];
		if (!n->runtime[f] && !stub)
			break;
	}
	return stub ? CLASS_SYSCALL : CLASS_RUNTIME;
}
