/*
 * Events of things that last: the world stopped, collections, sweeping, assists,
 * and what users mark. And those that just happen.
 */
#include "trace/order.h"

#include <inttypes.h>

#include "base/alloc.h"

/* --- ranges of a goroutine or processor ----------------------------------------------- */

static bool has_range(const struct order *o, uint32_t list, uint8_t type, uint64_t what)
{
	for (uint32_t i = list; i; i = o->ranges[i - 1].next)
		if (o->ranges[i - 1].type == type && o->ranges[i - 1].what == what)
			return true;
	return false;
}

static struct range *add_range(struct order *o, uint32_t *list, uint8_t type, uint64_t what)
{
	uint32_t i = o->free_ranges;

	if (i) {
		o->free_ranges = o->ranges[i - 1].next;
	} else {
		ALLOC_GROW(o->ranges, o->nr_ranges + 1, o->alloc_ranges);
		i = (uint32_t)++o->nr_ranges;
	}
	o->ranges[i - 1] = (struct range){.next = *list, .type = type, .what = what};
	*list = i;
	return &o->ranges[i - 1];
}

/* Takes the range that such an event began out of the list; false when there is none. */
static bool end_range(struct order *o, uint32_t *list, uint8_t type, struct range *ended)
{
	uint32_t before = 0, i = *list;

	while (i && o->ranges[i - 1].type != type) {
		before = i;
		i = o->ranges[i - 1].next;
	}
	if (!i)
		return false;
	*ended = o->ranges[i - 1];
	if (before)
		o->ranges[before - 1].next = ended->next;
	else
		*list = ended->next;
	o->ranges[i - 1].next = o->free_ranges;
	o->free_ranges = i;
	return true;
}

static enum outcome begin(struct attempt *a, uint32_t *list, uint8_t type, uint64_t what)
{
	if (has_range(a->o, *list, type, what))
		return refuse(a, "discovered event already in-flight for when starting event");
	add_range(a->o, list, type, what);
	return show(a);
}

/* What a generation says is still under way; the first may say so of what began before it. */
static enum outcome active(struct attempt *a, uint32_t *list, uint8_t type)
{
	bool has = has_range(a->o, *list, type, 0);

	if (a->r->first && has)
		return refuse(a, "found named active range already in first gen");
	if (!a->r->first && !has)
		return refuse(a, "resource is missing active range");
	if (!has)
		add_range(a->o, list, type, 0);
	return show(a);
}

static enum outcome end(struct attempt *a, uint32_t *list, uint8_t type)
{
	struct range ended;

	if (!end_range(a->o, list, type, &ended))
		return refuse(a, "tried to end event %s, but not in-flight", event_specs[type].name);
	if (show(a) == BROKEN)
		return BROKEN;
	if (ended.phase)
		a->t->pauses[ended.phase - 1].to = a->shown;
	return ADVANCED;
}

static struct g_state *known_g(struct attempt *a, uint64_t goid)
{
	struct g_state *g = find_g(a, goid);

	if (!g)
		refuse(a, "without known state for goroutine %" PRId64, (int64_t)goid);
	return g;
}

enum outcome advance_range_begin(struct attempt *a)
{
	bool stw = a->ev->type == EV_STW_BEGIN;
	struct g_state *g;
	struct trace *t = a->t;

	if (need_all(a) < 0)
		return BROKEN;
	g = known_g(a, a->now.g);
	if (!g || begin(a, &g->ranges, a->ev->type, stw ? a->args[0] : 0) == BROKEN)
		return BROKEN;
	if (!stw)
		return ADVANCED;
	ALLOC_GROW(t->pauses, t->nr_pauses + 1, t->alloc_pauses);
	t->pauses[t->nr_pauses++] = (struct trace_phase){
		.from = a->shown, .what = tables_string(a->r, a->args[0]), .goid = a->now.g,
	};
	a->o->ranges[g->ranges - 1].phase = (uint32_t)t->nr_pauses;
	return ADVANCED;
}

enum outcome advance_range_active(struct attempt *a)
{
	struct g_state *g = known_g(a, a->args[0]);

	return g ? active(a, &g->ranges, EV_ASSIST_BEGIN) : BROKEN;
}

enum outcome advance_range_end(struct attempt *a)
{
	struct g_state *g;

	if (need_all(a) < 0)
		return BROKEN;
	g = known_g(a, a->now.g);
	return g ? end(a, &g->ranges, a->ev->type == EV_STW_END ? EV_STW_BEGIN : EV_ASSIST_BEGIN) : BROKEN;
}

/* --- sweeping: of a processor ------------------------------------------------------------ */

static struct p_state *known_p(struct attempt *a, uint64_t proc)
{
	struct p_state *p = find_p(a, proc);

	if (!p)
		refuse(a, "for unknown proc %" PRId64, (int64_t)proc);
	return p;
}

enum outcome advance_sweep_begin(struct attempt *a)
{
	struct p_state *p;

	if (need(a, MUST, MUST, MAY) < 0)
		return BROKEN;
	p = known_p(a, a->now.p);
	return p ? begin(a, &p->ranges, EV_SWEEP_BEGIN, 0) : BROKEN;
}

enum outcome advance_sweep_active(struct attempt *a)
{
	struct p_state *p = known_p(a, a->args[0]);

	return p ? active(a, &p->ranges, EV_SWEEP_BEGIN) : BROKEN;
}

enum outcome advance_sweep_end(struct attempt *a)
{
	struct p_state *p;

	if (need(a, MUST, MUST, MAY) < 0)
		return BROKEN;
	p = known_p(a, a->now.p);
	return p ? end(a, &p->ranges, EV_SWEEP_BEGIN) : BROKEN;
}

/* --- collections -------------------------------------------------------------------------- */

static void begin_collection(struct attempt *a, uint64_t from)
{
	struct trace *t = a->t;

	ALLOC_GROW(t->collections, t->nr_collections + 1, t->alloc_collections);
	t->collections[t->nr_collections++] = (struct trace_phase){.from = from, .goid = a->now.g};
	a->o->gc_phase = (uint32_t)t->nr_collections;
}

enum outcome advance_gc_active(struct attempt *a)
{
	struct order *o = a->o;

	if (a->r->first) {
		if (o->gc_state != GC_UNDETERMINED)
			return refuse(a, "GCActive in the first generation isn't first GC event");
		o->gc_seq = a->args[0];
		o->gc_state = GC_RUNNING;
		if (show(a) == BROKEN)
			return BROKEN;
		begin_collection(a, a->t->from);
		return ADVANCED;
	}
	if (a->args[0] != o->gc_seq + 1)
		return NOT_YET;
	if (o->gc_state != GC_RUNNING)
		return refuse(a, "encountered GCActive while GC was not in progress");
	o->gc_seq = a->args[0];
	return need_all(a) < 0 ? BROKEN : show(a);
}

enum outcome advance_gc_begin(struct attempt *a)
{
	struct order *o = a->o;
	bool undetermined = o->gc_state == GC_UNDETERMINED;

	if (!undetermined && a->args[0] != o->gc_seq + 1)
		return NOT_YET;
	if (o->gc_state == GC_RUNNING)
		return refuse(a, "encountered GCBegin while GC was already in progress");
	o->gc_seq = a->args[0];
	o->gc_state = GC_RUNNING;
	if ((!undetermined && need_all(a) < 0) || show(a) == BROKEN)
		return BROKEN;
	begin_collection(a, a->shown);
	return ADVANCED;
}

enum outcome advance_gc_end(struct attempt *a)
{
	struct order *o = a->o;

	if (a->args[0] != o->gc_seq + 1)
		return NOT_YET;
	if (o->gc_state != GC_RUNNING)
		return refuse(a, o->gc_state == GC_UNDETERMINED ? "encountered GCEnd when GC was in an undetermined state"
								: "encountered GCEnd when GC was not in progress");
	o->gc_seq = a->args[0];
	o->gc_state = GC_NOT_RUNNING;
	if (need_all(a) < 0 || show(a) == BROKEN)
		return BROKEN;
	a->t->collections[o->gc_phase - 1].to = a->shown;
	return ADVANCED;
}

/* --- tasks and regions --------------------------------------------------------------------- */

enum outcome advance_task_begin(struct attempt *a)
{
	if (map64_get(&a->o->tasks, a->args[0]) == 1)
		return refuse(a, "task ID conflict: %" PRIu64, a->args[0]);
	map64_put(&a->o->tasks, a->args[0], 1);
	return need_all(a) < 0 ? BROKEN : show(a);
}

enum outcome advance_task_end(struct attempt *a)
{
	if (map64_get(&a->o->tasks, a->args[0]) == 1)
		map64_put(&a->o->tasks, a->args[0], 0);
	return need_all(a) < 0 ? BROKEN : show(a);
}

/* The goroutine that enters or leaves a region; NULL after refuse(). */
static struct g_state *of_region(struct attempt *a)
{
	if (need_all(a) < 0)
		return NULL;
	if (!tables_have_string(&a->r->tables, a->args[1])) {
		refuse(a, "invalid string ID %" PRIu64, a->args[1]);
		return NULL;
	}
	return known_g(a, a->now.g);
}

enum outcome advance_region_begin(struct attempt *a)
{
	struct g_state *g = of_region(a);
	struct order *o = a->o;
	uint32_t i = o->free_regions;

	if (!g)
		return BROKEN;
	if (i) {
		o->free_regions = o->regions[i - 1].next;
	} else {
		ALLOC_GROW(o->regions, o->nr_regions + 1, o->alloc_regions);
		i = (uint32_t)++o->nr_regions;
	}
	o->regions[i - 1] = (struct region){.next = g->regions, .name = tables_string(a->r, a->args[1]), .task = a->args[0]};
	g->regions = i;
	return show(a);
}

enum outcome advance_region_end(struct attempt *a)
{
	struct g_state *g = of_region(a);
	struct order *o = a->o;
	struct region *innermost;
	uint32_t i;

	if (!g)
		return BROKEN;
	i = g->regions;
	if (!i) /* began before the trace did */
		return show(a);
	innermost = &o->regions[i - 1];
	if (innermost->task != a->args[0] || innermost->name != tables_string(a->r, a->args[1]))
		return refuse(a, "misuse of region in goroutine %" PRIu64 ": region end when the inner-most active region is another",
			      a->now.g);
	g->regions = innermost->next;
	innermost->next = o->free_regions;
	o->free_regions = i;
	return show(a);
}

/* --- what just happens ------------------------------------------------------------------------ */

enum outcome advance_annotation(struct attempt *a)
{
	uint32_t i;

	if (need_all(a) < 0 || show(a) == BROKEN)
		return BROKEN;
	i = map64_get(&a->t->goroutine_index, a->now.g);
	if (a->ev->type == EV_GO_LABEL && i != MAP64_NONE)
		a->t->goroutines[i].label = tables_string(a->r, a->args[0]);
	return ADVANCED;
}

enum outcome advance_metric(struct attempt *a)
{
	return need(a, MUST, MUST, MAY) < 0 ? BROKEN : show(a);
}

enum outcome advance_experimental(struct attempt *a)
{
	return need(a, MUST, MAY, MAY) < 0 ? BROKEN : show(a);
}
