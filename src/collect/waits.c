#include "collect/waits.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

/* include/uapi/linux/perf_event.h: enum perf_type_id */
#define PERF_TYPE_TRACEPOINT 2
/*
 * include/linux/sched.h: TASK_INTERRUPTIBLE 1, TASK_UNINTERRUPTIBLE 2, stopped 4, traced 8, EXIT_DEAD 0x10, EXIT_ZOMBIE 0x20
 * parked 0x40, TASK_REPORT_IDLE 0x80; 0 and what is above them: it could have gone on.
 */
#define STATES_EXIT 0x30
#define STATES_BLOCKED 0xcf

struct wait_event waits_event(const struct perfdata *pd, const struct perf_attr *a)
{
	const struct tracepoint *t = a->type == PERF_TYPE_TRACEPOINT ? perfdata_tracepoint(pd, a->config) : NULL;
	struct wait_event e = {NULL, NULL};

	if (!t || strcmp(t->system, "sched") || strcmp(t->name, "sched_switch"))
		return e;
	e.state = tracepoint_field(t, "prev_state");
	e.next = tracepoint_field(t, "next_pid");
	return e.state && e.next ? e : (struct wait_event){NULL, NULL};
}

void waits_release(struct waits *w)
{
	free(w->starts);
	free(w->ends);
	*w = (struct waits){0};
}

static void add_end(struct waits *w, uint32_t tid, uint64_t time)
{
	ALLOC_GROW(w->ends, w->nr_ends + 1, w->alloc_ends);
	w->ends[w->nr_ends++] = (struct wait_end){.time = time, .tid = tid};
}

bool waits_sample(struct waits *w, const struct wait_event *e, const struct perf_sample *s, bool swap,
		  enum wait_state *state)
{
	uint64_t bits, next;

	if (!tracepoint_number(e->state, s, swap, &bits) || !tracepoint_number(e->next, s, swap, &next))
		return false;
	if (next)
		add_end(w, (uint32_t)next, s->time);
	*state = bits & STATES_EXIT ? WAIT_EXITED : bits & STATES_BLOCKED ? WAIT_BLOCKED : WAIT_PREEMPTED;
	return true;
}

void waits_begin(struct waits *w, struct wait_start start)
{
	ALLOC_GROW(w->starts, w->nr_starts + 1, w->alloc_starts);
	w->starts[w->nr_starts++] = start;
}

int waits_record(struct waits *w, const struct perfdata *pd, const struct perfdata_record *rec)
{
	struct perf_sample_id id;
	struct perf_switch s;
	int damage = perfdata_switch(pd, rec, &s, &id);

	if (!damage && !s.out && id.time)
		add_end(w, id.tid, id.time);
	return damage;
}

/* --- pairs --------------------------------------------------------------------------------- */

static int starts_in_order(const void *a, const void *b)
{
	const struct wait_start *x = *(struct wait_start *const *)a, *y = *(struct wait_start *const *)b;

	if (x->tid != y->tid)
		return x->tid < y->tid ? -1 : 1;
	return x->time < y->time ? -1 : x->time > y->time;
}

static int ends_in_order(const void *a, const void *b)
{
	const struct wait_end *x = a, *y = b;

	if (x->tid != y->tid)
		return x->tid < y->tid ? -1 : 1;
	return x->time < y->time ? -1 : x->time > y->time;
}

void waits_finish(struct waits *lists, size_t nr, uint64_t end, struct wait_counts *counts)
{
	size_t nr_starts = 0, nr_ends = 0, at = 0;
	struct wait_start **starts;
	struct wait_end *ends;

	*counts = (struct wait_counts){0};
	for (size_t i = 0; i < nr; i++) {
		nr_starts += lists[i].nr_starts;
		nr_ends += lists[i].nr_ends;
	}
	starts = xcalloc(nr_starts + 1, sizeof(struct wait_start *));
	ends = xcalloc(nr_ends + 1, sizeof(*ends));
	nr_starts = nr_ends = 0;
	for (size_t i = 0; i < nr; i++) {
		for (size_t k = 0; k < lists[i].nr_starts; k++)
			starts[nr_starts++] = &lists[i].starts[k];
		if (lists[i].nr_ends)
			memcpy(ends + nr_ends, lists[i].ends, lists[i].nr_ends * sizeof(*ends));
		nr_ends += lists[i].nr_ends;
	}
	qsort(starts, nr_starts, sizeof(struct wait_start *), starts_in_order);
	qsort(ends, nr_ends, sizeof(*ends), ends_in_order);
	for (size_t i = 0; i < nr_starts; i++) {
		struct wait_start *s = starts[i];
		bool again = i + 1 < nr_starts && starts[i + 1]->tid == s->tid;

		counts->starts++;
		while (at < nr_ends && (ends[at].tid < s->tid || (ends[at].tid == s->tid && ends[at].time <= s->time)))
			at++;
		if (at < nr_ends && ends[at].tid == s->tid && (!again || ends[at].time <= starts[i + 1]->time)) {
			s->length = ends[at].time - s->time;
			counts->ended++;
		} else if (again) {
			counts->lost++;
		} else {
			s->length = end > s->time ? end - s->time : 0;
			counts->open++;
		}
	}
	free(starts);
	free(ends);
}

/* --- what for ------------------------------------------------------------------------------------- */

/*
 * Functions by which the kind of a wait is known, the surest first: a thread that looks for work under a collection's
 * stop waits for work. Names that end in '.' or '*' stand for all that begin so.
 */
static const struct kind {
	const char *function, *kind;
} kinds[] = {
	{"runtime.netpoll", "[network poller]"}, /* of an idle thread, for all goroutines that wait for the network */
	{"runtime.findRunnable", "[idle thread]"},
	{"runtime.findrunnable", "[idle thread]"}, /* up to 1.19 */
	{"runtime.stopm", "[idle thread]"},
	{"runtime.mPark", "[idle thread]"},
	{"runtime.templateThread", "[idle thread]"},
	{"runtime.sysmon", "[sysmon]"},
	{"runtime.gcStart", "[garbage collection]"},
	{"runtime.gcMarkDone", "[garbage collection]"},
	{"runtime.gcMarkTermination", "[garbage collection]"},
	{"runtime.gcBgMarkWorker*", "[garbage collection]"},
	{"runtime.gcAssistAlloc*", "[garbage collection]"},
	{"runtime.stopTheWorld*", "[stop the world]"},
	{"runtime.lock2", "[runtime lock]"},
	{"runtime.lock", "[runtime lock]"},
	{"runtime.notetsleepg", "[signal or timer]"},
	{"runtime.usleep", "[spinning]"},
	{"runtime.osyield", "[spinning]"},
	{"runtime.cgocall", "[cgo call]"},
	{"runtime.asmcgocall", "[cgo call]"},
	{"syscall.", "[system call]"},
	{"internal/runtime/syscall.", "[system call]"},
	{"runtime/internal/syscall.", "[system call]"},
	{"golang.org/x/sys/unix.", "[system call]"},
	{"pthread_cond_*", "[condition variable]"},
	{"__pthread_cond_*", "[condition variable]"},
	{"___pthread_cond_*", "[condition variable]"},
	{"pthread_mutex_*", "[mutex]"},
	{"__pthread_mutex_*", "[mutex]"},
	{"___pthread_mutex_*", "[mutex]"},
	{"__lll_lock_wait*", "[mutex]"},
	{"clock_nanosleep*", "[sleep]"},
	{"__clock_nanosleep*", "[sleep]"},
	{"nanosleep", "[sleep]"},
	{"epoll_wait", "[network poller]"},
	{"poll", "[network poller]"},
	{"__poll", "[network poller]"},
	{"do_page_fault", "[page fault]"}, /* kernel functions */
	{"exc_page_fault", "[page fault]"},
	{"do_mem_abort", "[page fault]"},
	{"do_futex", "[futex]"},
	{"do_epoll_wait", "[network poller]"},
	{"hrtimer_nanosleep", "[sleep]"},
	{"do_syscall_64", "[system call]"},
	{"el0_svc", "[system call]"},
};

static bool is_of(const char *name, const char *function)
{
	size_t n = strlen(function);

	if (function[n - 1] == '*')
		return !strncmp(name, function, n - 1);
	return function[n - 1] == '.' ? !strncmp(name, function, n) : !strcmp(name, function);
}

const char *waits_kind(const char *(*name)(void *ctx), void *ctx)
{
	size_t best = sizeof(kinds) / sizeof(*kinds);
	const char *text;

	while ((text = name(ctx)))
		for (size_t i = 0; i < best; i++)
			if (is_of(text, kinds[i].function))
				best = i;
	return best < sizeof(kinds) / sizeof(*kinds) ? kinds[best].kind : "[blocked]";
}
