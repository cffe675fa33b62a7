/*
 * Events of processors (Ps).
 */
#include "trace/order.h"

#include <inttypes.h>

#include "base/alloc.h"

static const char *const proc_names[] = {"bad", "running", "idle", "syscall", "syscall abandoned"};

/* Whether a thread has the processor: the status that says it is about to be stolen is then that thread's. */
static bool is_bound(const struct attempt *a, uint64_t proc)
{
	for (size_t i = 0; i < a->o->nr_ms; i++)
		if (a->o->ms[i].p == proc)
			return true;
	return false;
}

static void add_p(struct attempt *a, uint64_t proc, enum proc_status status)
{
	struct order *o = a->o;

	ALLOC_GROW(o->ps, o->nr_ps + 1, o->alloc_ps);
	o->ps[o->nr_ps] = (struct p_state){.status = (uint8_t)status, .generation = a->r->generation};
	map64_put(&o->p_index, proc, (uint32_t)o->nr_ps++);
}

enum outcome advance_proc_status(struct attempt *a)
{
	uint64_t proc = a->args[0], status = a->args[1];
	struct p_state *p = find_p(a, proc);
	bool promoted = false;

	if (status >= PROC_STATUSES)
		return refuse(a, "invalid status for proc %" PRIu64 ": %" PRIu64, proc, status);
	if (p) {
		if (status == PROC_SYSCALL_ABANDONED && p->status == PROC_SYSCALL)
			promoted = true; /* nothing was lost: it is still in that system call */
		else if (status != p->status)
			return refuse(a, "inconsistent status for proc %" PRIu64 ": old %s vs. new %s", proc,
				      proc_names[p->status], proc_names[status]);
		p->generation = a->r->generation;
		p->seq = 0;
	} else {
		add_p(a, proc, (enum proc_status)status);
	}
	if (status == PROC_RUNNING || status == PROC_SYSCALL)
		a->next.p = proc;
	if (promoted && !is_bound(a, proc))
		return refuse(a, "failed to find sched context for proc %" PRIu64 " that's about to be stolen", proc);
	return show(a);
}

enum outcome advance_proc_start(struct attempt *a)
{
	struct p_state *p = find_p(a, a->args[0]);

	if (!p || p->status != PROC_IDLE || !is_next(a->r->generation, a->args[1], p->generation, p->seq) ||
	    a->now.p != NO_PROC)
		return NOT_YET;
	if (need(a, MUST, MUST_NOT, MAY) < 0)
		return BROKEN;
	p->status = PROC_RUNNING;
	p->seq = a->args[1];
	a->next.p = a->args[0];
	return show(a);
}

enum outcome advance_proc_stop(struct attempt *a)
{
	struct p_state *p = find_p(a, a->now.p);

	if (!p)
		return refuse(a, "event for proc (%" PRId64 ") that doesn't exist", (int64_t)a->now.p);
	if (p->status != PROC_RUNNING && p->status != PROC_SYSCALL)
		return refuse(a, "event for proc that's not running or syscall");
	if (need(a, MUST, MUST, MAY) < 0)
		return BROKEN;
	p->status = PROC_IDLE;
	a->next.p = NO_PROC;
	return show(a);
}

/* A processor is taken away from a thread that sits in a system call. */
enum outcome advance_proc_steal(struct attempt *a)
{
	uint64_t proc = a->args[0], tid = a->args[2];
	struct p_state *p = find_p(a, proc);
	enum proc_status old;
	uint32_t m;

	if (!p || (p->status != PROC_SYSCALL && p->status != PROC_SYSCALL_ABANDONED) ||
	    !is_next(a->r->generation, a->args[1], p->generation, p->seq))
		return NOT_YET;
	if (need(a, MUST, MAY, MAY) < 0)
		return BROKEN;
	old = (enum proc_status)p->status;
	p->status = PROC_IDLE;
	p->seq = a->args[1];
	if (old == PROC_SYSCALL_ABANDONED)
		return show(a);
	if (tid == a->now.m) {
		if (a->now.p != proc)
			return refuse(a, "tried to self-steal proc %" PRIu64 " (thread %" PRIu64 "), but got proc %" PRId64 " instead",
				      proc, tid, (int64_t)a->now.p);
		a->next.p = NO_PROC;
		return show(a);
	}
	m = map64_get(&a->o->m_index, tid);
	if (m == MAP64_NONE)
		return refuse(a, "stole proc from non-existent thread %" PRIu64, tid);
	if (a->o->ms[m].p != proc)
		return refuse(a, "tried to steal proc %" PRIu64 " from thread %" PRIu64 ", but got proc %" PRId64 " instead",
			      proc, tid, (int64_t)a->o->ms[m].p);
	a->o->ms[m].p = NO_PROC;
	return show(a);
}
