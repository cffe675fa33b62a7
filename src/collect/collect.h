/*
 * The run: drives bytes → records → processes → stacks → goroutines and leaves
 * one profile. Everything before profile/ is called from here and nowhere else.
 *
 * Blocks of records are walked once in order (history, counts), then their
 * samples go to workers, each with its own trie of raw locations; tries are
 * merged at the end, and every distinct location is symbolised once. Memory
 * follows distinct stacks, not samples (unless keep_samples is asked for).
 */
#ifndef COLLECT_COLLECT_H
#define COLLECT_COLLECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/hash.h"
#include "goroutine/goroutine.h"
#include "perfdata/perfdata.h"
#include "process/session.h"
#include "profile/profile.h"
#include "collect/waits.h"
#include "trace/trace.h"
#include "unwind/unwind.h"

/* What the clock counts: time on the CPU, time that threads waited for, or both in one. */
enum collect_time {
	COLLECT_ON_CPU,
	COLLECT_OFF_CPU, /* the event is sched:sched_switch, weighed by the time until the thread came back */
	COLLECT_WALL,	 /* that added to the event that counts CPU time, which is called "wall" */
};

enum collect_by {
	COLLECT_BY_NONE,
	COLLECT_BY_THREAD,
	COLLECT_BY_PROCESS,
	COLLECT_BY_CPU,
	COLLECT_BY_EVENT,
	COLLECT_BY_GOROUTINE,	 /* per entry function */
	COLLECT_BY_GOROUTINE_ID, /* per goroutine */
};

/*
 * A window of the wall clock, [from, to) in ns since 1970: only samples in it count, where the recording tells how its
 * clock lies to it. 0, 0: no window. -1 with *e ends the run.
 */
typedef int collect_window_fn(void *ctx, int64_t *from, int64_t *to, struct error *e);

struct collect_options {
	/* which samples count; empty means all */
	const char *event;	/* name as recorded, with or without its modifiers */
	const char *comm;	/* comma-separated names */
	const char *pid, *tid;	/* comma-separated numbers */
	const char *cpu;	/* "0-2,5" */
	const char *goroutine;	/* RE2 expression: only goroutines whose name matches */
	const char *time;	/* "START,STOP" in seconds of the recording's clock, or "10%-20%" */

	collect_window_fn *window; /* NULL: none. Asked once, when the first samples are about to be taken */
	void *window_ctx;

	/* how stacks are made */
	const struct unwinder *unwinder; /* NULL: auto */
	size_t max_stack;
	bool no_inline;
	enum collect_by by; /* one root frame per value */
	enum collect_time time_of;
	bool goroutines;    /* tell goroutines apart even where no option needs it */
	const struct trace *trace; /* Go's execution trace of the same run, or NULL */
	bool no_splice;	    /* samples on the system stack stay as recorded, without their goroutine */
	bool no_comm;	    /* no comm as the first frame */
	bool lines;	    /* frames keep line and address (pprof); else one frame per function */
	bool stacks_only;   /* for info: unwind and count, symbolise nothing */
	bool measure;	    /* memory, for the report of cost */
	bool keep_samples;  /* one entry per sample, for time axes */
	bool threads;	    /* how many threads of each process have samples */

	struct session_options session;
	int jobs; /* 0: one per CPU */
	/* Called now and then from the reading thread; bytes_total 0 when unknown. */
	void (*progress)(void *ctx, uint64_t bytes_done, uint64_t bytes_total);
	void *progress_ctx;
};

struct collect_event {
	const char *name;
	uint64_t samples, period;
	bool switches;	  /* what a probe says of goroutines, without stacks: no series of its own */
	const char *unit; /* of the weight: "nanoseconds" for the clocks, else "events" */
};

struct collect_comm {
	uint32_t event; /* index of collect_event */
	uint32_t comm;	/* see session_comm_text() */
	uint64_t samples, period;
	uint64_t time_first, time_last; /* ns of the recording's clock */
};

/* A root of --by goroutine: an entry function's goroutines, or one goroutine. */
struct collect_goroutine {
	uint32_t name;	/* strings of the profile: as the root frame is called */
	uint32_t entry; /* the entry function's name, 0 unknown */
	uint8_t kind;	/* enum goroutine_kind */
	uint64_t goroutines;	  /* how many */
	uint64_t samples, weight; /* of the main event */
	uint64_t time_first, time_last; /* ns of the recording's clock */
	uint64_t threads;	  /* that ran them */
	uint64_t g;		  /* one goroutine: address of its g, 0 unknown */
	uint64_t goid;		  /* the same, by the trace; 0 unknown */
};

/* What an execution trace gave: see collect/traced.h. */
struct collect_trace {
	const char *unused; /* why it was not used (static), or NULL */
	uint64_t switches;  /* it is none, but so many switches that a probe recorded */
	uint64_t samples;   /* of its process and seconds, that ran for a goroutine */
	uint64_t charged;   /* of these, whose goid it told */
	/* What the samples alone say, judged by it: per source, how many, and how many are of the goid most are of. */
	uint64_t judged[GOROUTINE_SOURCES], right[GOROUTINE_SOURCES];
	uint64_t goids, split; /* goroutines it gave samples; of these, taken for more than one without it */
};

/* One sample, for time axes: kept only on request, in order of time. */
struct collect_sample {
	uint64_t time; /* ns of the recording's clock */
	uint32_t node; /* in the profile */
	uint32_t pid, tid;
	uint32_t event;
	uint32_t cpu;
	uint32_t goroutine; /* index of collect.sample_goroutines; those with one entry function are one */
	uint64_t weight; /* in the event's unit */
};

struct collect {
	struct perfdata *perfdata;
	struct session *session;
	struct pool *pool; /* gives the recording's pages back until all is released */

	/*
	 * Two series per event that has samples and stacks (or the one chosen): "samples" in
	 * "count", then the event's weight in its unit; series 2*i and 2*i+1.
	 */
	struct profile profile;

	struct collect_event *events; /* one per attribute of the recording */
	size_t nr_events;
	size_t main_event; /* the one to show where only one can be */
	struct collect_comm *comms; /* sorted by event, then name */
	size_t nr_comms;
	struct collect_sample *samples;
	size_t nr_samples;
	struct map64 threads; /* with opts.threads: process → how many of its threads have samples */
	char **sample_goroutines; /* as the roots of --by goroutine are called */
	size_t nr_sample_goroutines, alloc_sample_goroutines;

	/* with by goroutine; most weight first */
	struct collect_goroutine *goroutines;
	size_t nr_goroutines;
	/* Where evidence of goroutines was gathered: samples by kind; of goroutines' samples, by source. */
	bool has_goroutines;
	uint64_t goroutine_kinds[GOROUTINE_KINDS], goroutine_sources[GOROUTINE_SOURCES];
	uint64_t distinct_goroutines;
	bool has_trace;
	struct collect_trace trace;

	uint64_t total_samples; /* SAMPLE records parsed, before any filter */
	uint64_t filtered;	/* of these, not chosen by a filter */
	uint64_t switches;	/* of these, chosen, but without stacks: see collect_event */
	uint64_t dropped;	/* SAMPLE records that could not be parsed */
	struct wait_counts waits; /* with COLLECT_OFF_CPU, COLLECT_WALL */
	uint64_t late;		/* records older than what a finished round promised */
	uint64_t ends[UNWIND_ENDS];
	uint64_t user_stacks, rooted_stacks; /* with user frames; of these, ending at a true root */
	uint64_t time_first, time_last;
	struct damage damage;

	struct collect_cost {
		/* seconds of wall time; of a stream all of `walk` is in `unwind` */
		double walk, unwind, merge, load /* symbols and debug information */, symbolise, build;
		size_t locations, nodes, rows; /* distinct addresses, callers with a place, stacks */
		size_t anon;		       /* bytes of RssAnon, the most that was seen between stages */
	} cost;
};

/*
 * Reads all of an input (see perfdata_open for path, fd and prefix) and fills
 * *c. Returns 0, or -1 with *e when nothing of it can be used; damage that was
 * survived is in c->damage. collect_release frees everything either way.
 */
int collect_run(struct collect *c, const char *path, int fd, const void *prefix, size_t prefix_size,
		const struct collect_options *opts, struct error *e);
void collect_release(struct collect *c);

/* Samples that were chosen and have, or should have, a stack. */
static inline uint64_t collect_counted(const struct collect *c)
{
	return c->total_samples - c->filtered - c->switches;
}

#endif
