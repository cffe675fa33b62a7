/*
 * Off-CPU time: how long threads waited, and on which stack. A thread leaves its CPU with a sample of
 * sched:sched_switch, which has its stack, and comes back with a SWITCH record (perf record --switch-events) or as
 * next_pid of another thread's sched_switch. Private to collect/.
 *
 * Sources: kernel include/trace/events/sched.h (sched_switch, prev_state), include/uapi/linux/perf_event.h
 * (PERF_RECORD_SWITCH), include/linux/sched.h (task states).
 */
#ifndef COLLECT_WAITS_H
#define COLLECT_WAITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "perfdata/perfdata.h"
#include "perfdata/tracing.h"

/* Of an attribute: sched:sched_switch, else NULL. */
struct wait_event {
	const struct tracepoint_field *state, *next;
};
struct wait_event waits_event(const struct perfdata *pd, const struct perf_attr *a);

/* A thread leaves its CPU. */
struct wait_start {
	uint64_t time; /* ns */
	uint64_t length; /* ns; when ended */
	uint32_t tid;
	uint32_t node;	 /* of its stack: the worker's */
	uint32_t event;	 /* attribute */
	uint32_t sample; /* the worker's number of it, with keep_samples */
	uint32_t worker;
	bool counted;	 /* its note counts it: see evidence_note.wait */
};
struct wait_end {
	uint64_t time;
	uint32_t tid;
};

struct waits {
	struct wait_start *starts;
	struct wait_end *ends;
	size_t nr_starts, nr_ends, alloc_starts, alloc_ends;
};
void waits_release(struct waits *w);

enum wait_state {
	WAIT_BLOCKED,
	WAIT_PREEMPTED, /* it could have gone on */
	WAIT_EXITED,	/* it does not come back */
};
/* What a sample of that event says; false where its payload does not hold the fields. Notes who comes instead. */
bool waits_sample(struct waits *w, const struct wait_event *e, const struct perf_sample *s, bool swap,
		  enum wait_state *state);
void waits_begin(struct waits *w, struct wait_start start);
/* A SWITCH or SWITCH_CPU_WIDE record: a thread that comes back. Returns 0 or what is damaged. */
int waits_record(struct waits *w, const struct perfdata *pd, const struct perfdata_record *rec);

/* What became of them. */
struct wait_counts {
	uint64_t starts; /* times a thread left its CPU, exits left out */
	uint64_t ended;	 /* and came back */
	uint64_t open;	 /* was still away when the recording ended: its time counts up to then */
	uint64_t lost;	 /* left again without having come back: an event is missing; no time counts */
};
/* Gives every start of all lists its length; `end` is the recording's, ns. */
void waits_finish(struct waits *lists, size_t nr, uint64_t end, struct wait_counts *counts);

/* What a thread waits for, by the names of its frames; `name` gives the next caller's, NULL at the root. */
const char *waits_kind(const char *(*name)(void *ctx), void *ctx);

#endif
