/*
 * Switches to goroutines that a probe recorded (`perfskew record --goroutines`, or perf probe): samples of a
 * tracepoint with the fields gp, address of the g, and goid. Private to collect/.
 */
#ifndef COLLECT_SWITCHES_H
#define COLLECT_SWITCHES_H

#include <stdbool.h>
#include <stddef.h>

#include "perfdata/perfdata.h"
#include "perfdata/tracing.h"
#include "trace/trace.h"

/* Of an attribute; NULL: it is another event. */
struct switch_event {
	const struct tracepoint_field *g, *goid;
};
struct switch_event switches_event(const struct perfdata *pd, const struct perf_attr *a);

struct switches {
	struct trace_switch *list;
	size_t nr, alloc;
};

/* A sample of that event; false where its payload does not hold the fields. */
bool switches_add(struct switches *to, const struct switch_event *e, const struct perf_sample *s, bool swap);
void switches_append(struct switches *to, const struct switches *from);
void switches_release(struct switches *s);

#endif
