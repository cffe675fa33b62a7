/*
 * The figures of Go execution traces, to be compared with those of Go's own
 * parser: figures TRACE. What `go tool trace -d=wire` and -d=parsed show gives the
 * same lines by wire.awk and parsed.awk.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "trace/trace.h"

static int by_goid(const void *a, const void *b)
{
	const struct trace_goroutine *x = a, *y = b;

	return x->goid < y->goid ? -1 : x->goid > y->goid;
}

static void print_goroutines(struct trace *t)
{
	if (t->nr_goroutines)
		qsort(t->goroutines, t->nr_goroutines, sizeof(*t->goroutines), by_goid);
	for (size_t i = 0; i < t->nr_goroutines; i++) {
		const struct trace_goroutine *g = &t->goroutines[i];

		printf("goroutine %" PRIu64 " parent %" PRIu64 " created %" PRIu64 " ended %" PRIu64 " starts %" PRIu64
		       " running %" PRIu64 " syscall %" PRIu64 " runnable %" PRIu64 " waiting %" PRIu64 "\n",
		       g->goid, g->parent, g->created, g->ended, g->starts, g->time[TRACE_RUNNING],
		       g->time[TRACE_IN_SYSCALL], g->time[TRACE_RUNNABLE], g->time[TRACE_WAITING]);
	}
}

static void print_trace(struct trace *t)
{
	/* by name, as awk's output is sorted */
	for (unsigned i = 0; i < 256; i++)
		if (t->events[i] && trace_event_name(i))
			printf("wire %s %" PRIu64 "\n", trace_event_name(i), t->events[i]);
	for (int i = 0; i < TRACE_KINDS; i++)
		if (t->kinds[i])
			printf("kind %s %" PRIu64 "\n", trace_kind_name((enum trace_kind)i), t->kinds[i]);
	print_goroutines(t);
}

int main(int argc, char **argv)
{
	struct file_map m;
	struct error e = {.text = ""};
	struct trace t;

	if (argc != 2) {
		fprintf(stderr, "usage: figures TRACE\n");
		return 2;
	}
	if (file_map_open(&m, argv[1], &e) < 0) {
		fprintf(stderr, "%s\n", e.text);
		return 3;
	}
	if (trace_read(&t, m.data, m.size, argv[1], &e) < 0)
		fprintf(stderr, "%s\n", e.text);
	else if (t.broken.text[0])
		fprintf(stderr, "%s\n", t.broken.text);
	print_trace(&t);
	trace_release(&t);
	file_map_close(&m);
	return 0;
}
