/*
 * Events in an order that makes sense: dispatch, and the events of goroutines.
 */
#include "trace/order.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"

struct order *order_new(void)
{
	return xcalloc(1, sizeof(struct order));
}

void order_free(struct order *o)
{
	if (!o)
		return;
	free(o->gs);
	free(o->ps);
	free(o->ms);
	free(o->ranges);
	free(o->regions);
	map64_release(&o->p_index);
	map64_release(&o->m_index);
	map64_release(&o->tasks);
	free(o);
}

enum outcome refuse(struct attempt *a, const char *fmt, ...)
{
	char what[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	a->r->damage = DAMAGE_TRACE_ORDER;
	reader_fail(a->r, a->ev->offset, "%s of thread %" PRId64 ": %s", event_specs[a->ev->type].name,
		    (int64_t)a->now.m, what);
	return BROKEN;
}

static int need_one(struct attempt *a, enum need n, bool has, const char *what)
{
	if (n == MUST && !has)
		refuse(a, "expected a %s but didn't have one", what);
	else if (n == MUST_NOT && has)
		refuse(a, "expected no %s but had one", what);
	else
		return 0;
	return -1;
}

int need(struct attempt *a, enum need m, enum need p, enum need g)
{
	if (need_one(a, m, a->now.m != TRACE_NO_THREAD, "thread") < 0 ||
	    need_one(a, p, a->now.p != NO_PROC, "proc") < 0)
		return -1;
	return need_one(a, g, a->now.g != TRACE_NO_GOROUTINE, "goroutine");
}

int need_all(struct attempt *a)
{
	return need(a, MUST, MUST, MUST);
}

/* reader.go: an event is never shown at or before the time of the one before. */
static void place_in_time(struct attempt *a)
{
	struct reader *r = a->r;

	a->shown = a->ev->time > r->last ? a->ev->time : add_time(r->last, 1);
	r->last = a->shown;
	a->t->to = a->shown;
}

enum outcome show(struct attempt *a)
{
	const struct event_spec *spec = &event_specs[a->ev->type];

	for (int i = 0; i < MAX_ARGS - 1; i++) {
		if (spec->stacks & ARG(i) && !tables_have_stack(&a->r->tables, a->ev->args[i]))
			return refuse(a, "found invalid stack ID %" PRIu64, a->ev->args[i]);
		if (spec->strings & ARG(i) && !tables_have_string(&a->r->tables, a->ev->args[i]))
			return refuse(a, "found invalid string ID %" PRIu64, a->ev->args[i]);
	}
	a->t->kinds[spec->kind]++;
	place_in_time(a);
	return ADVANCED;
}

enum outcome show_as(struct attempt *a, enum event_type type)
{
	a->t->kinds[event_specs[type].kind]++;
	place_in_time(a);
	return ADVANCED;
}

struct g_state *find_g(struct attempt *a, uint64_t goid)
{
	uint32_t i = map64_get(&a->t->goroutine_index, goid);

	return i != MAP64_NONE && a->o->gs[i].status != TRACE_GONE ? &a->o->gs[i] : NULL;
}

struct p_state *find_p(const struct attempt *a, uint64_t proc)
{
	uint32_t i = map64_get(&a->o->p_index, proc);

	return i == MAP64_NONE ? NULL : &a->o->ps[i];
}

static uint32_t index_of(const struct attempt *a, const struct g_state *g)
{
	return (uint32_t)(g - a->o->gs);
}

static struct g_state *add_g(struct attempt *a, uint64_t goid, enum trace_state status)
{
	uint32_t i = track_goroutine(a->t, goid);
	struct order *o = a->o;

	if (i >= o->nr_gs) {
		ALLOC_GROW(o->gs, (size_t)i + 1, o->alloc_gs);
		o->nr_gs = (size_t)i + 1;
	}
	o->gs[i] = (struct g_state){.status = (uint8_t)status, .generation = a->r->generation};
	return &o->gs[i];
}

/* The state of a goroutine, for the order and for the trace. */
static void set_state(struct attempt *a, struct g_state *g, enum trace_state state)
{
	g->status = (uint8_t)state;
	track_state(a->t, index_of(a, g), state, a->shown);
}

static void end_g(struct attempt *a, struct g_state *g)
{
	struct trace_goroutine *tg = &a->t->goroutines[index_of(a, g)];

	for (uint32_t i = g->ranges, next; i; i = next) {
		next = a->o->ranges[i - 1].next;
		a->o->ranges[i - 1].next = a->o->free_ranges;
		a->o->free_ranges = i;
	}
	for (uint32_t i = g->regions, next; i; i = next) {
		next = a->o->regions[i - 1].next;
		a->o->regions[i - 1].next = a->o->free_regions;
		a->o->free_regions = i;
	}
	g->ranges = g->regions = 0;
	set_state(a, g, TRACE_GONE);
	tg->ended = a->shown;
}

/* A goroutine whose status is told has been in it since the trace began. */
static void begin_known(struct attempt *a, struct g_state *g, uint64_t tid, bool new)
{
	uint32_t i = index_of(a, g);
	const struct trace_thread *th = trace_thread(a->t, tid);
	bool from_start = new && (!th || !th->nr);

	if (new) {
		a->t->goroutines[i].since = a->r->began;
		a->t->goroutines[i].state = g->status;
		set_state(a, g, (enum trace_state)g->status);
	}
	if (g->status == TRACE_RUNNING || g->status == TRACE_IN_SYSCALL)
		track_open(a->t, tid, i, (enum trace_state)g->status, from_start ? a->t->from : a->ev->time);
}

static uint32_t find_m(struct order *o, uint64_t m)
{
	uint32_t i = map64_get(&o->m_index, m);

	if (i != MAP64_NONE)
		return i;
	ALLOC_GROW(o->ms, o->nr_ms + 1, o->alloc_ms);
	i = (uint32_t)o->nr_ms++;
	o->ms[i] = (struct m_state){TRACE_NO_GOROUTINE, NO_PROC};
	map64_put(&o->m_index, m, i);
	return i;
}

/* Which thread a goroutine in a system call sits on: a->next, or another one; NO_THREAD after refuse(). */
static uint64_t bind_syscall(struct attempt *a, uint64_t goid, uint64_t tid)
{
	uint32_t i;

	if (tid == TRACE_NO_THREAD) {
		refuse(a, "found goroutine %" PRIu64 " in syscall without a thread", goid);
		return TRACE_NO_THREAD;
	}
	if (tid == a->now.m) {
		if (!a->r->first && a->now.g != goid) {
			refuse(a, "inconsistent thread for syscalling goroutine %" PRIu64 ": thread has goroutine %" PRId64,
			       goid, (int64_t)a->now.g);
			return TRACE_NO_THREAD;
		}
		a->next.g = goid;
		return tid;
	}
	i = map64_get(&a->o->m_index, tid);
	if (i == MAP64_NONE) {
		i = find_m(a->o, tid); /* may move ms */
		a->o->ms[i].g = goid;
	} else if (a->o->ms[i].g != goid) {
		refuse(a, "inconsistent thread for syscalling goroutine %" PRIu64 ": thread has goroutine %" PRId64, goid,
		       (int64_t)a->o->ms[i].g);
		return TRACE_NO_THREAD;
	}
	return tid;
}

static enum outcome advance_go_status(struct attempt *a)
{
	uint64_t goid = a->args[0], tid = a->now.m, status = a->args[2];
	struct g_state *g = find_g(a, goid);
	bool new = !g;

	if (!status || status >= TRACE_STATES)
		return refuse(a, "invalid status for goroutine %" PRIu64 ": %" PRIu64, goid, status);
	if (g && g->status != status)
		return refuse(a, "inconsistent status for goroutine %" PRIu64 ": old %s vs. new %s", goid,
			      trace_state_name((enum trace_state)g->status), trace_state_name((enum trace_state)status));
	if (!g && !a->r->first)
		return refuse(a, "found goroutine status for new goroutine after the first generation: id=%" PRIu64 " status=%" PRIu64,
			      goid, status);
	if (!g)
		g = add_g(a, goid, (enum trace_state)status);
	g->generation = a->r->generation;
	g->seq = 0;
	if (status == TRACE_RUNNING)
		a->next.g = goid;
	if (status == TRACE_IN_SYSCALL) {
		tid = bind_syscall(a, goid, a->args[1]);
		if (tid == TRACE_NO_THREAD)
			return BROKEN;
	}
	if (show(a) == BROKEN)
		return BROKEN;
	begin_known(a, g, tid, new);
	if (a->ev->type == EV_GO_STATUS_STACK) {
		track_entry(a->t, index_of(a, g), tables_stack(a->r, a->args[3]));
		if (new)
			track_wait(a->t, index_of(a, g), tables_stack(a->r, a->args[3]), 0);
	}
	return ADVANCED;
}

static enum outcome advance_go_create(struct attempt *a)
{
	uint64_t goid = a->args[0];
	struct g_state *g;
	struct trace_goroutine *tg;

	if (need(a, MUST, MUST, MAY) < 0)
		return BROKEN;
	g = find_g(a, a->now.g);
	if (g && g->status != TRACE_RUNNING)
		return refuse(a, "event for goroutine that's not running");
	if (find_g(a, goid))
		return refuse(a, "tried to create goroutine (%" PRIu64 ") that already exists", goid);
	g = add_g(a, goid, a->ev->type == EV_GO_CREATE_BLOCKED ? TRACE_WAITING : TRACE_RUNNABLE);
	if (show(a) == BROKEN)
		return BROKEN;
	set_state(a, g, (enum trace_state)g->status);
	tg = &a->t->goroutines[index_of(a, g)];
	tg->created = a->shown;
	tg->parent = a->now.g == TRACE_NO_GOROUTINE ? 0 : a->now.g;
	tg->created_by = tables_stack(a->r, a->args[2]);
	track_entry(a->t, index_of(a, g), tables_stack(a->r, a->args[1]));
	track_wait(a->t, index_of(a, g), tables_stack(a->r, a->args[1]), 0);
	return ADVANCED;
}

/* The goroutine that the thread has, which must be in that state; NULL after refuse(). */
static struct g_state *current_g(struct attempt *a, enum trace_state state)
{
	struct g_state *g = find_g(a, a->now.g);

	if (!g)
		refuse(a, "event for goroutine (%" PRId64 ") that doesn't exist", (int64_t)a->now.g);
	else if (g->status != state)
		refuse(a, "event for goroutine that's not %s", trace_state_name(state));
	else
		return g;
	return NULL;
}

/* The processor that the thread has; NULL after refuse(). */
static struct p_state *current_p(struct attempt *a)
{
	struct p_state *p = find_p(a, a->now.p);

	if (!p)
		refuse(a, "uninitialized proc %" PRId64, (int64_t)a->now.p);
	return p;
}

/* GoDestroy, GoStop, GoBlock. */
static enum outcome advance_go_stop(struct attempt *a)
{
	struct g_state *g;

	if (need_all(a) < 0)
		return BROKEN;
	g = current_g(a, TRACE_RUNNING);
	if (!g)
		return BROKEN;
	a->next.g = TRACE_NO_GOROUTINE;
	if (show(a) == BROKEN)
		return BROKEN;
	track_close(a->t, a->now.m, a->ev->time);
	if (a->ev->type == EV_GO_DESTROY) {
		end_g(a, g);
		return ADVANCED;
	}
	set_state(a, g, a->ev->type == EV_GO_STOP ? TRACE_RUNNABLE : TRACE_WAITING);
	track_wait(a->t, index_of(a, g), tables_stack(a->r, a->args[1]), tables_string(a->r, a->args[0]));
	if (!a->t->goroutines[index_of(a, g)].entry)
		track_entry(a->t, index_of(a, g), tables_stack(a->r, a->args[1]));
	return ADVANCED;
}

/* The goroutine that waits in `status` for this sequence number, or NULL. */
static struct g_state *awaited(struct attempt *a, enum trace_state status)
{
	struct g_state *g = find_g(a, a->args[0]);

	return g && g->status == status && is_next(a->r->generation, a->args[1], g->generation, g->seq) ? g : NULL;
}

static void start_g(struct attempt *a, struct g_state *g)
{
	set_state(a, g, TRACE_RUNNING);
	a->t->goroutines[index_of(a, g)].starts++;
	track_open(a->t, a->now.m, index_of(a, g), TRACE_RUNNING, a->ev->time);
	a->next.g = a->args[0];
}

static enum outcome advance_go_start(struct attempt *a)
{
	struct g_state *g = awaited(a, TRACE_RUNNABLE);

	if (!g)
		return NOT_YET;
	if (need(a, MUST, MUST, MUST_NOT) < 0)
		return BROKEN;
	g->seq = a->args[1];
	if (show(a) == BROKEN)
		return BROKEN;
	start_g(a, g);
	return ADVANCED;
}

static enum outcome advance_go_unblock(struct attempt *a)
{
	struct g_state *g = awaited(a, TRACE_WAITING);

	if (!g)
		return NOT_YET;
	g->seq = a->args[1];
	if (show(a) == BROKEN)
		return BROKEN;
	set_state(a, g, TRACE_RUNNABLE);
	return ADVANCED;
}

/* Unblocks one goroutine, blocks or ends the present one, starts the first. */
static enum outcome advance_go_switch(struct attempt *a)
{
	struct g_state *g, *to;

	if (need_all(a) < 0)
		return BROKEN;
	g = current_g(a, TRACE_RUNNING);
	if (!g)
		return BROKEN;
	to = awaited(a, TRACE_WAITING);
	if (!to)
		return NOT_YET;
	to->seq = a->args[1];
	if (show(a) == BROKEN)
		return BROKEN;
	set_state(a, to, TRACE_RUNNABLE);
	track_close(a->t, a->now.m, a->ev->time);
	if (a->ev->type == EV_GO_SWITCH) {
		show_as(a, EV_GO_BLOCK);
		set_state(a, g, TRACE_WAITING);
	} else {
		show_as(a, EV_GO_DESTROY);
		end_g(a, g);
	}
	show_as(a, EV_GO_START);
	start_g(a, to);
	return ADVANCED;
}

static enum outcome advance_syscall_begin(struct attempt *a)
{
	struct g_state *g;
	struct p_state *p;

	if (need_all(a) < 0)
		return BROKEN;
	g = current_g(a, TRACE_RUNNING);
	if (!g)
		return BROKEN;
	p = current_p(a);
	if (!p)
		return BROKEN;
	p->status = PROC_SYSCALL;
	if (!is_next(a->r->generation, a->args[0], p->generation, p->seq))
		return refuse(a, "failed to advance: can't make sequence: %" PRIu64 " (gen=%" PRIu64 ") -> %" PRIu64 " (gen=%" PRIu64 ")",
			      p->seq, p->generation, a->args[0], a->r->generation);
	p->seq = a->args[0];
	if (show(a) == BROKEN)
		return BROKEN;
	set_state(a, g, TRACE_IN_SYSCALL);
	track_wait(a->t, index_of(a, g), tables_stack(a->r, a->args[1]), 0);
	track_open(a->t, a->now.m, index_of(a, g), TRACE_IN_SYSCALL, a->ev->time);
	return ADVANCED;
}

static enum outcome advance_syscall_end(struct attempt *a)
{
	struct g_state *g;
	struct p_state *p;

	if (need_all(a) < 0)
		return BROKEN;
	g = current_g(a, TRACE_IN_SYSCALL);
	if (!g)
		return BROKEN;
	p = current_p(a);
	if (!p)
		return BROKEN;
	if (p->status != PROC_SYSCALL)
		return refuse(a, "expected proc %" PRIu64 " in state syscall", a->now.p);
	p->status = PROC_RUNNING;
	if (show(a) == BROKEN)
		return BROKEN;
	set_state(a, g, TRACE_RUNNING);
	track_open(a->t, a->now.m, index_of(a, g), TRACE_RUNNING, a->ev->time);
	return ADVANCED;
}

static enum outcome advance_syscall_end_blocked(struct attempt *a)
{
	struct p_state *p = NULL;
	struct g_state *g;

	if (a->now.p != NO_PROC) {
		p = current_p(a);
		if (!p)
			return BROKEN;
		if (p->status == PROC_SYSCALL)
			return NOT_YET;
	}
	if (need(a, MUST, MAY, MUST) < 0)
		return BROKEN;
	g = current_g(a, TRACE_IN_SYSCALL);
	if (!g)
		return BROKEN;
	a->next.g = TRACE_NO_GOROUTINE;
	if (show(a) == BROKEN)
		return BROKEN;
	set_state(a, g, TRACE_RUNNABLE);
	track_close(a->t, a->now.m, a->ev->time);
	return ADVANCED;
}

/* A C thread calls into Go. */
static enum outcome advance_go_create_syscall(struct attempt *a)
{
	struct g_state *g;
	struct trace_goroutine *tg;

	if (need(a, MUST, MAY, MUST_NOT) < 0)
		return BROKEN;
	if (find_g(a, a->args[0]))
		return refuse(a, "tried to create goroutine (%" PRIu64 ") in syscall that already exists", a->args[0]);
	g = add_g(a, a->args[0], TRACE_IN_SYSCALL);
	a->next.g = a->args[0];
	if (show(a) == BROKEN)
		return BROKEN;
	set_state(a, g, TRACE_IN_SYSCALL);
	tg = &a->t->goroutines[index_of(a, g)];
	if (!tg->created)
		tg->created = a->shown;
	tg->ended = 0;
	track_open(a->t, a->now.m, index_of(a, g), TRACE_IN_SYSCALL, a->ev->time);
	return ADVANCED;
}

static enum outcome advance_go_destroy_syscall(struct attempt *a)
{
	struct g_state *g;
	struct p_state *p;

	if (need(a, MUST, MAY, MUST) < 0)
		return BROKEN;
	g = current_g(a, TRACE_IN_SYSCALL);
	if (!g)
		return BROKEN;
	a->next.g = TRACE_NO_GOROUTINE;
	if (a->now.p != NO_PROC) {
		p = find_p(a, a->now.p);
		if (!p)
			return refuse(a, "found invalid proc %" PRIu64, a->now.p);
		if (p->status != PROC_SYSCALL)
			return refuse(a, "proc %" PRIu64 " in unexpected state", a->now.p);
		p->status = PROC_SYSCALL_ABANDONED;
		a->next.p = NO_PROC;
		show_as(a, EV_PROC_STEAL);
	}
	if (show(a) == BROKEN)
		return BROKEN;
	end_g(a, g);
	track_close(a->t, a->now.m, a->ev->time);
	return ADVANCED;
}

static advance_fn *const handlers[256] = {
	[EV_PROCS_CHANGE] = advance_annotation,
	[EV_PROC_START] = advance_proc_start,
	[EV_PROC_STOP] = advance_proc_stop,
	[EV_PROC_STEAL] = advance_proc_steal,
	[EV_PROC_STATUS] = advance_proc_status,
	[EV_GO_CREATE] = advance_go_create,
	[EV_GO_CREATE_SYSCALL] = advance_go_create_syscall,
	[EV_GO_START] = advance_go_start,
	[EV_GO_DESTROY] = advance_go_stop,
	[EV_GO_DESTROY_SYSCALL] = advance_go_destroy_syscall,
	[EV_GO_STOP] = advance_go_stop,
	[EV_GO_BLOCK] = advance_go_stop,
	[EV_GO_UNBLOCK] = advance_go_unblock,
	[EV_GO_SYSCALL_BEGIN] = advance_syscall_begin,
	[EV_GO_SYSCALL_END] = advance_syscall_end,
	[EV_GO_SYSCALL_END_BLOCKED] = advance_syscall_end_blocked,
	[EV_GO_STATUS] = advance_go_status,
	[EV_STW_BEGIN] = advance_range_begin,
	[EV_STW_END] = advance_range_end,
	[EV_GC_ACTIVE] = advance_gc_active,
	[EV_GC_BEGIN] = advance_gc_begin,
	[EV_GC_END] = advance_gc_end,
	[EV_SWEEP_ACTIVE] = advance_sweep_active,
	[EV_SWEEP_BEGIN] = advance_sweep_begin,
	[EV_SWEEP_END] = advance_sweep_end,
	[EV_ASSIST_ACTIVE] = advance_range_active,
	[EV_ASSIST_BEGIN] = advance_range_begin,
	[EV_ASSIST_END] = advance_range_end,
	[EV_HEAP_ALLOC] = advance_metric,
	[EV_HEAP_GOAL] = advance_metric,
	[EV_GO_LABEL] = advance_annotation,
	[EV_TASK_BEGIN] = advance_task_begin,
	[EV_TASK_END] = advance_task_end,
	[EV_REGION_BEGIN] = advance_region_begin,
	[EV_REGION_END] = advance_region_end,
	[EV_LOG] = advance_annotation,
	[EV_GO_SWITCH] = advance_go_switch,
	[EV_GO_SWITCH_DESTROY] = advance_go_switch,
	[EV_GO_CREATE_BLOCKED] = advance_go_create,
	[EV_GO_STATUS_STACK] = advance_go_status,
	[EV_SPAN] = advance_experimental,
	[EV_SPAN_ALLOC] = advance_experimental,
	[EV_SPAN_FREE] = advance_experimental,
	[EV_HEAP_OBJECT] = advance_experimental,
	[EV_HEAP_OBJECT_ALLOC] = advance_experimental,
	[EV_HEAP_OBJECT_FREE] = advance_experimental,
	[EV_GOROUTINE_STACK] = advance_experimental,
	[EV_GOROUTINE_STACK_ALLOC] = advance_experimental,
	[EV_GOROUTINE_STACK_FREE] = advance_experimental,
};

int order_advance(struct reader *r, const struct stream *s)
{
	struct order *o = r->order;
	struct attempt a = {
		.r = r, .t = r->t, .o = o, .ev = &s->ev,
		.now = {.g = TRACE_NO_GOROUTINE, .p = NO_PROC, .m = s->thread},
	};
	uint32_t m = s->thread == TRACE_NO_THREAD ? MAP64_NONE : find_m(o, s->thread);
	enum outcome done;

	for (int i = 0; i < MAX_ARGS - 1; i++)
		a.args[i] = s->ev.args[i];
	if (m != MAP64_NONE) {
		a.now.g = o->ms[m].g;
		a.now.p = o->ms[m].p;
	}
	a.next = a.now;
	r->ordered = true;
	if (!handlers[s->ev.type])
		return refuse(&a, "bad event type found while ordering");
	done = handlers[s->ev.type](&a);
	if (done == ADVANCED && m != MAP64_NONE)
		o->ms[m] = (struct m_state){a.next.g, a.next.p};
	return done;
}
