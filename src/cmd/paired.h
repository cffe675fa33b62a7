/*
 * What pprof wrote down, sample by sample, beside what perf saw the same thread
 * do just before. An execution trace holds the samples of Go's CPU profiler with
 * their time and thread (runtime/trace.go, traceCPUSample).
 */
#ifndef CMD_PAIRED_H
#define CMD_PAIRED_H

#include <stdio.h>

#include "cmd/json.h"
#include "collect/collect.h"
#include "compare/compare.h"
#include "trace/trace.h"

/*
 * What the thread did is perf's last sample of it before pprof's, when no older than this: perf takes one for
 * each of its periods of the thread's CPU time, so that the thread has done nothing else since, however long it
 * was off its CPU. Where that is more than two periods ago, pprof's signal came late: the thread did not run
 * right before. Samples in signal handlers and in the tracer, which come with the signal, are passed over.
 */
#define PAIRED_REACH_NS 1000000000
/* So many rows as text. */
#define PAIRED_SHOWN 12

/* All pairs of one class for pprof and one for perf. */
struct paired_row {
	enum compare_class pprof, perf;
	uint64_t samples;
	uint64_t late; /* of these, where the thread had not run right before */
	/* the first of them */
	uint64_t time, tid, goid, distance; /* ns of CLOCK_MONOTONIC; ns from perf's sample to pprof's */
	uint32_t pprof_stack, perf_stack;   /* rows of the two compare_stacks */
};

/*
 * Run time of goroutines in run intervals (from a start, or a return from a system call, to the next stop or system
 * call) that no sample hit; shares of all of it. A perfect sampler with that period misses an interval that is
 * shorter by 1 - length / period. Lengths are of the wall clock: the trace does not know when the kernel took the CPU.
 */
struct paired_miss {
	double rate, perfect; /* NaN: no samples, or none of a known period */
	uint64_t goroutines, entries; /* that ran and were never seen; entries: functions they begin with */
};

struct paired {
	struct compare_stacks perf, pprof;
	uint64_t samples; /* pprof's in the trace, while perf recorded */
	uint64_t pairs;	  /* with a sample of perf's */
	uint64_t late, same_function;
	struct paired_miss pprof_miss, perf_miss; /* while both clocks ran */
	uint64_t goroutines, entries; /* that ran */
	struct paired_row *rows; /* most samples first */
	size_t nr_rows;
	double pprof_preemption, perf_preemption; /* shares of the pairs on the preemption path; NaN without pairs */
};

/*
 * Pairs the trace's CPU samples with c's (kept samples, whose nodes are of `profile`). False when
 * there is nothing to pair. paired_release frees *p then, too. pprof_period: ns of CPU time, 0 unknown.
 */
bool paired_make(struct paired *p, const struct collect *c, const struct profile *profile, const struct trace *t,
		 double pprof_period);
/* The misses alone; paired_make does it. */
void paired_find_misses(struct paired *p, const struct collect *c, const struct trace *t, double pprof_period);
void paired_release(struct paired *p);
/* The function of the leaf of a row's stack; "" for an empty one. */
const char *paired_leaf(const struct compare_stacks *s, uint32_t row);

/* aggregated: preemption_capture_excess of the whole profiles. */
void paired_text(FILE *f, const struct paired *p, double aggregated, bool markdown);
void paired_json(struct json_object *doc, const struct paired *p, double aggregated);

#endif
