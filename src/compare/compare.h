/*
 * Comparing two profiles: the skew metrics and their statistics. Works on
 * profiles alone; reads no files, prints nothing.
 *
 * The metrics are the contract's ("Skew metrics"). Each value comes with what
 * sampling alone would make of it: both sides are drawn again and again (fixed
 * seed) from the pooled distribution with their own numbers of samples
 * (resample.h); the mean of that is the noise floor, its tail the p value. Intervals come from
 * drawing each side from itself (percentile bootstrap, moved by its bias; Efron
 * & Tibshirani 1993, ch. 13). Lists carry exact tests of two counts and
 * Benjamini-Hochberg q values.
 */
#ifndef COMPARE_COMPARE_H
#define COMPARE_COMPARE_H

#include "compare/normalise.h"
#include "profile/profile.h"

/* One list drives JSON names, text and manual. */
#define FOREACH_SKEW_METRIC(X)                                                 \
	X(SKEW_USER_CODE_SHARE_ERROR, "user_code_share_error", false,          \
	  "relative error of the share of user code (outside the runtime and system calls)") \
	X(SKEW_SYSCALL_MISATTRIBUTION_RATE, "syscall_misattribution_rate", true, \
	  "share of system call time charged to another caller, or not at all") \
	X(SKEW_SYSCALL_MISATTRIBUTION_PATH, "syscall_misattribution_rate_path", true, \
	  "the same, by the full path to the system call")                     \
	X(SKEW_GOROUTINE_SWITCH_MISS_RATE, "goroutine_switch_miss_rate", true, \
	  "share of scheduler time that pprof has elsewhere or not at all")    \
	X(SKEW_PREEMPTION_CAPTURE_EXCESS, "preemption_capture_excess", false,  \
	  "share charged to the preemption path beyond what perf saw there")   \
	X(SKEW_TOTAL_VARIATION_SELF, "total_variation_self", true,             \
	  "share of all time charged to another function")                     \
	X(SKEW_TOTAL_VARIATION_STACK, "total_variation_stack", true,           \
	  "share of all time charged to another stack")
enum skew_metric {
#define X(id, name, biased, help) id,
	FOREACH_SKEW_METRIC(X)
#undef X
	SKEW_METRICS
};
const char *skew_metric_name(enum skew_metric m);
const char *skew_metric_help(enum skew_metric m);

/* Classes of stacks, decided from the leaf upwards. */
#define FOREACH_COMPARE_CLASS(X)                                               \
	X(CLASS_USER, "user") X(CLASS_SYSCALL, "syscall") X(CLASS_SCHEDULER, "scheduler") \
	X(CLASS_PREEMPTION, "preemption") X(CLASS_GC, "gc") X(CLASS_ALLOCATION, "allocation") \
	X(CLASS_SIGNAL, "signal") X(CLASS_RUNTIME, "runtime")
enum compare_class {
#define X(id, name) id,
	FOREACH_COMPARE_CLASS(X)
#undef X
	COMPARE_CLASSES
};

/* NaN where it cannot be computed (JSON null). Shares are 0..1. */
struct compare_metric {
	double value, ci_low, ci_high, noise_floor, excess, p_value;
	double a_share, b_share; /* of the stacks the metric is about */
};

/* A function, class or goroutine entry. a: perf, before; b: pprof, after. */
struct compare_row {
	const char *name; /* borrowed from the comparison */
	double a_self, b_self, a_cum, b_cum;
	double difference_self, difference_cum; /* b - a */
	double ci_low, ci_high;			/* of what is tested */
	double p_value, q_value;
	bool by_cum; /* no self time on either side: the cumulative share is tested */
};

/* The tested difference of a row. */
static inline double compare_difference(const struct compare_row *r)
{
	return r->by_cum ? r->difference_cum : r->difference_self;
}

struct comparison {
	/* Both sides in one profile: series a count, a weight, b count, b weight. */
	struct profile joint;
	double a_samples, b_samples; /* NaN where a side does not say */
	double a_weight, b_weight;   /* in its own unit */
	struct compare_metric metrics[SKEW_METRICS];
	struct compare_row *functions, *classes, *goroutines; /* largest tested |difference| first */
	size_t nr_functions, nr_classes, nr_goroutines;
	/* per node of joint: its class as a leaf */
	uint8_t *class_of;
};
enum { COMPARE_A_COUNT, COMPARE_A_WEIGHT, COMPARE_B_COUNT, COMPARE_B_WEIGHT };

struct compare_side {
	const struct profile *profile;
	size_t count;  /* series of sample counts, SIZE_MAX: none */
	size_t weight; /* series compared, as shares of its total */
};

struct compare_options {
	enum normalise_rules rules;
	size_t replicates; /* of the resampling; 0: 400, or 100 of a sum of many parts (metrics.c) */
	uint64_t seed;	   /* 0: the fixed one */
	int jobs;	   /* threads, 0: one per CPU; does not show in the result */
	uint32_t drawn;	   /* metrics (1 << enum skew_metric) whose noise, interval and p are wanted, else NaN; 0: of all */
	bool no_intervals; /* of metrics: they are NaN */
	bool metrics_only; /* no functions, classes and goroutines: their lists stay empty */
};

/* Fills *c; either side may be empty (its shares are then NaN). */
void comparison_make(struct comparison *c, const struct compare_side *a, const struct compare_side *b,
		     const struct compare_options *opts);
void comparison_release(struct comparison *c);

const char *compare_class_name(enum compare_class c);

/* The stacks of a profile one by one, as comparison_make sees them. */
struct compare_stacks {
	struct profile joint; /* no rows */
	uint32_t *node;	      /* per row of the profile: its stack in joint, 0: empty */
	uint8_t *class_of;    /* per row: enum compare_class */
};
void compare_stacks_make(struct compare_stacks *s, const struct profile *p);
void compare_stacks_release(struct compare_stacks *s);

/*
 * pprof's CPU time over perf's, with its 95 % interval (log normal).
 *
 * Both sample by a timer of each thread that counts the thread's CPU time and
 * keeps its rest over switches (kernel/events/core.c, perf_swevent_cancel_hrtimer;
 * posix-cpu-timers.c; Go sets the first expiry at random, runtime/os_linux.go).
 * So a count is wrong at its ends only, by less than a period a thread, and not
 * by the square root of itself. The variance of what is cut off is p (1 - p), at
 * most 1/4. Where perf's timers are those of the CPUs (perf record -a), its
 * samples of one process come as by chance: variance is the count.
 */
struct compare_timers {
	size_t threads;	   /* that were sampled */
	bool cpu_wide;	   /* perf's timers are the CPUs' */
	double late;	   /* share of perf's time that may lie after pprof's last sample */
};
void compare_coverage(double a, double a_samples, double b, double b_samples, const struct compare_timers *t,
		      double *value, double *low, double *high);

/* Ratio of two totals of sampled time with its 95 % interval (log normal, counts as Poisson). */
void compare_ratio(double a, double a_samples, double b, double b_samples, double *value, double *low,
		   double *high);

#endif
