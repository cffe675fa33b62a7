#include "collect/switches.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

/* include/uapi/linux/perf_event.h: enum perf_type_id */
#define PERF_TYPE_TRACEPOINT 2

struct switch_event switches_event(const struct perfdata *pd, const struct perf_attr *a)
{
	const struct tracepoint *t = a->type == PERF_TYPE_TRACEPOINT ? perfdata_tracepoint(pd, a->config) : NULL;
	struct switch_event e = {NULL, NULL};

	if (!t)
		return e;
	e.g = tracepoint_field(t, "gp");
	e.goid = tracepoint_field(t, "goid");
	return e.g && e.goid ? e : (struct switch_event){NULL, NULL};
}

bool switches_add(struct switches *to, const struct switch_event *e, const struct perf_sample *s, bool swap)
{
	struct trace_switch w = {.time = s->time, .pid = s->pid, .tid = s->tid};

	if (!tracepoint_number(e->g, s, swap, &w.g) || !tracepoint_number(e->goid, s, swap, &w.goid))
		return false;
	ALLOC_GROW(to->list, to->nr + 1, to->alloc);
	to->list[to->nr++] = w;
	return true;
}

void switches_append(struct switches *to, const struct switches *from)
{
	if (!from->nr)
		return;
	ALLOC_GROW(to->list, to->nr + from->nr, to->alloc);
	memcpy(to->list + to->nr, from->list, from->nr * sizeof(*from->list));
	to->nr += from->nr;
}

void switches_release(struct switches *s)
{
	free(s->list);
	*s = (struct switches){0};
}
