/*
 * Private to order*.c: the scheduler's state that events are checked against.
 * Rules, and the words of errors, are those of Go's src/internal/trace/order.go.
 */
#ifndef TRACE_ORDER_H
#define TRACE_ORDER_H

#include "trace/internal.h"

#define NO_PROC UINT64_MAX

enum proc_status { PROC_BAD, PROC_RUNNING, PROC_IDLE, PROC_SYSCALL, PROC_SYSCALL_ABANDONED, PROC_STATUSES };
enum gc_state { GC_UNDETERMINED, GC_NOT_RUNNING, GC_RUNNING };

/* Things under way on a goroutine or processor, in order of their beginning; a list in order.ranges. */
struct range {
	uint32_t next;	/* index + 1 */
	uint8_t type;	/* the event that begins it */
	uint64_t what;	/* STW: the string's id */
	uint32_t phase; /* STW: in trace.pauses, index + 1 */
};

/* A user region; a list in order.regions, the innermost first. */
struct region {
	uint32_t next; /* index + 1 */
	uint32_t name; /* trace.strings */
	uint64_t task;
};

struct g_state { /* beside trace.goroutines, same index */
	uint8_t status; /* enum trace_state; TRACE_GONE: is not there */
	uint64_t generation, seq;
	uint32_t ranges, regions; /* index + 1 */
};

struct p_state {
	uint8_t status; /* enum proc_status */
	uint64_t generation, seq;
	uint32_t ranges;
};

struct m_state { /* TRACE_NO_GOROUTINE, NO_PROC: none */
	uint64_t g, p;
};

struct order {
	struct g_state *gs;
	struct p_state *ps;
	struct m_state *ms;
	struct range *ranges;
	struct region *regions;
	size_t nr_gs, nr_ps, nr_ms, nr_ranges, nr_regions;
	size_t alloc_gs, alloc_ps, alloc_ms, alloc_ranges, alloc_regions;
	uint32_t free_ranges, free_regions; /* lists, index + 1 */
	struct map64 p_index, m_index, tasks; /* tasks: 1 active, 0 over */
	uint64_t gc_seq;
	enum gc_state gc_state;
	uint32_t gc_phase; /* in trace.collections, index + 1 */
};

/* What a thread has, and whether an event needs it. */
struct context {
	uint64_t g, p, m;
};
enum need { MUST_NOT, MAY, MUST };

/* An event that is tried. */
struct attempt {
	struct reader *r;
	struct trace *t;
	struct order *o;
	const struct event *ev;
	uint64_t args[MAX_ARGS - 1];
	struct context now, next; /* before and after */
	uint64_t shown;		  /* ns: when Go's reader says it was; once shown */
};

enum outcome { BROKEN = -1, NOT_YET, ADVANCED };

/* Says what is wrong with the event; BROKEN. */
enum outcome refuse(struct attempt *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* 0, or -1 after refuse(). */
int need(struct attempt *a, enum need m, enum need p, enum need g);
/* Most events: thread, processor and goroutine. */
int need_all(struct attempt *a);
/* The event takes its place in the order: ADVANCED, or BROKEN when it names strings or stacks that are not there. */
enum outcome show(struct attempt *a);
/* The same for an event that another one implies. */
enum outcome show_as(struct attempt *a, enum event_type type);

/* Goroutines and processors that exist; NULL when not. Valid until the next is added. */
struct g_state *find_g(struct attempt *a, uint64_t goid);
struct p_state *find_p(const struct attempt *a, uint64_t proc);

typedef enum outcome advance_fn(struct attempt *a);
/* order_ranges.c */
advance_fn advance_annotation, advance_metric, advance_experimental, advance_sweep_begin, advance_sweep_active,
	advance_sweep_end, advance_range_begin, advance_range_active, advance_range_end, advance_gc_active,
	advance_gc_begin, advance_gc_end, advance_task_begin, advance_task_end, advance_region_begin,
	advance_region_end;
/* order_procs.c */
advance_fn advance_proc_start, advance_proc_stop, advance_proc_steal, advance_proc_status;

static inline bool is_next(uint64_t generation, uint64_t seq, uint64_t now_generation, uint64_t now)
{
	return generation == now_generation && seq == now + 1;
}

#endif
