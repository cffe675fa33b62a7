/*
 * A trace of switches alone, as a probe on runtime.gogo gives them.
 */
#include <stdlib.h>

#include "trace/internal.h"

static int by_time(const void *a, const void *b)
{
	const struct trace_switch *x = a, *y = b;

	if (x->time != y->time)
		return x->time < y->time ? -1 : 1;
	return x->tid < y->tid ? -1 : x->tid > y->tid;
}

/* The process that most are of: goids of another are other goroutines. */
static uint32_t main_process(const struct trace_switch *list, size_t nr)
{
	struct map64 counts = MAP64_INIT;
	uint32_t pid = 0, most = 0;

	for (size_t i = 0; i < nr; i++) {
		uint32_t n = map64_get(&counts, list[i].pid);

		n = n == MAP64_NONE ? 1 : n + 1;
		map64_put(&counts, list[i].pid, n);
		if (n > most) {
			most = n;
			pid = list[i].pid;
		}
	}
	map64_release(&counts);
	return pid;
}

void trace_of_switches(struct trace *t, struct trace_switch *list, size_t nr, uint64_t end)
{
	uint32_t pid = main_process(list, nr);

	*t = (struct trace){.monotonic = true, .open_ended = true, .to = end};
	strtab_init(&t->strings);
	qsort(list, nr, sizeof(*list), by_time);
	for (size_t i = 0; i < nr; i++) {
		uint32_t goroutine;

		if (list[i].pid != pid)
			continue;
		if (!t->from)
			t->from = list[i].time;
		goroutine = track_goroutine(t, list[i].goid);
		t->goroutines[goroutine].g = list[i].g;
		track_open(t, list[i].tid, goroutine, TRACE_RUNNING, list[i].time);
	}
	track_finish(t);
}
