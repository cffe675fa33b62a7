#include "cmd/tracewaits.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/alloc.h"

static uint32_t add_text(struct profile *p, uint32_t node, const char *text, enum frame_kind kind)
{
	struct profile_frame f = {.name = strtab_add(&p->strings, text), .kind = (uint8_t)kind};

	return profile_add_node(p, node, profile_add_frame(p, &f));
}

static uint32_t add_root(struct profile *p, const struct trace_goroutine *g, const struct trace *t, enum collect_by by)
{
	const char *entry = g->entry ? trace_str(t, g->entry) : "[unknown entry]";
	uint32_t node;
	char *text;

	if (by == COLLECT_BY_GOROUTINE_ID)
		text = xasprintf("goroutine %s %" PRIu64, entry, g->goid);
	else
		text = xasprintf("goroutine %s", entry);
	node = add_text(p, 0, text, FRAME_LABEL);
	free(text);
	return node;
}

/* The stack, root first. One whose function is not known stands under the goroutine's entry. */
static uint32_t add_stack(struct profile *p, uint32_t node, const struct trace *t, const struct trace_wait *w)
{
	const struct trace_stack *s = &t->stacks[w->stack];
	const struct trace_goroutine *g = &t->goroutines[w->goroutine];

	for (uint32_t k = s->nr; k-- > 0;) {
		const struct trace_frame *tf = &t->frames[s->first + k];
		struct profile_frame f = {
			.name = strtab_add(&p->strings, trace_str(t, tf->func)),
			.file = strtab_add(&p->strings, trace_str(t, tf->file)), .kind = FRAME_USER, .go = true,
		};

		node = profile_add_node(p, node, profile_add_frame(p, &f));
	}
	if (!s->nr && g->entry) {
		struct profile_frame f = {.name = strtab_add(&p->strings, trace_str(t, g->entry)), .kind = FRAME_USER, .go = true};

		node = profile_add_node(p, node, profile_add_frame(p, &f));
	}
	return node;
}

static uint32_t add_kind(struct profile *p, uint32_t node, const struct trace *t, const struct trace_wait *w)
{
	char *text;

	if (w->state == TRACE_IN_SYSCALL)
		return add_text(p, node, "[system call]", FRAME_WAIT);
	if (w->state == TRACE_RUNNABLE)
		return add_text(p, node, "[runnable]", FRAME_WAIT);
	text = xasprintf("[%s]", w->why ? trace_str(t, w->why) : "waiting");
	node = add_text(p, node, text, FRAME_WAIT);
	free(text);
	return node;
}

void tracewaits_profile(struct profile *p, const struct trace *t, enum collect_by by)
{
	size_t count = profile_add_series(p, "waits", "count"), time = profile_add_series(p, "off-cpu", "nanoseconds");

	for (size_t i = 0; i < t->nr_waits; i++) {
		const struct trace_wait *w = &t->waits[i];
		uint32_t node = 0;
		size_t row;

		if (by == COLLECT_BY_GOROUTINE || by == COLLECT_BY_GOROUTINE_ID)
			node = add_root(p, &t->goroutines[w->goroutine], t, by);
		node = add_kind(p, add_stack(p, node, t, w), t, w);
		row = profile_add_row(p, node, 0);
		profile_add_value(p, row, count, (int64_t)w->times);
		profile_add_value(p, row, time, (int64_t)w->time);
	}
	p->default_series = time;
	p->duration_ns = (int64_t)(t->to - t->from);
	if (t->has_wall)
		p->time_ns = (int64_t)t->from + t->wall_offset;
}
