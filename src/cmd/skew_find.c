/*
 * What is wrong with a pprof profile, how sure that is, and why.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/skew.h"

/* A finding counts when noise alone would show it in less than one of a hundred runs, and it is worth a word. */
#define SURE 0.01
#define WORTH 0.005
/* Less than this of the CPU time is not worth saying that it is missing. */
#define MISSING 0.01

static void add(struct skew_findings *f, double size, const char *cause, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

static void add(struct skew_findings *f, double size, const char *cause, const char *fmt, ...)
{
	struct skew_finding *n = &f->list[f->nr++];
	va_list ap;

	n->size = fabs(size);
	snprintf(n->cause, sizeof(n->cause), "%s", cause);
	va_start(ap, fmt);
	vsnprintf(n->text, sizeof(n->text), fmt, ap);
	va_end(ap);
}

static int by_size(const void *a, const void *b)
{
	double x = ((const struct skew_finding *)a)->size, y = ((const struct skew_finding *)b)->size;

	return x > y ? -1 : x < y;
}

static const struct compare_row *row_of(const struct compare_row *rows, size_t nr, const char *name)
{
	for (size_t i = 0; i < nr; i++)
		if (!strcmp(rows[i].name, name))
			return &rows[i];
	return NULL;
}

static bool is_sure(const struct compare_metric *m)
{
	return m->p_value < SURE && fabs(m->excess) > WORTH;
}

/* Time in the runtime's monitor thread, which runs without an M's timer. */
static double sysmon_share(const struct skew_result *r)
{
	const struct compare_row *row = row_of(r->c.functions, r->c.nr_functions, "runtime.sysmon");

	return row ? row->a_cum - row->b_cum : 0;
}

static void find_coverage(struct skew_findings *f, const struct skew_result *r)
{
	double sysmon = sysmon_share(r);
	char cause[400], share[120] = "";

	if (isnan(r->coverage_low))
		return;
	if (sysmon > WORTH)
		snprintf(share, sizeof(share), "; %.1f points of it are the runtime's own sysmon thread, which has no timer",
			 100 * sysmon);
	snprintf(cause, sizeof(cause),
		 "the kernel looks at CPU timers at its ticks only, so threads that run between ticks are passed over, as are those that the profiler has not set up%s.",
		 share);
	if (r->coverage_high < 1 - MISSING)
		add(f, 1 - r->coverage, cause,
		    "pprof misses %.1f %% of the CPU time: %.2f s of %.2f s are there (missing, 95 %%: %.1f to %.1f %%).",
		    100 * (1 - r->coverage), r->c.b_weight / 1e9, r->c.a_weight / 1e9, 100 * (1 - r->coverage_high),
		    100 * (1 - r->coverage_low));
	else if (r->coverage_low > 1 + MISSING)
		add(f, r->coverage - 1, "perf lost samples, or the two did not cover the same seconds.",
		    "pprof counts %.1f %% more CPU time than perf (95 %%: %.1f to %.1f %%).",
		    100 * (r->coverage - 1), 100 * (r->coverage_low - 1), 100 * (r->coverage_high - 1));
}

/* --- causes that the figures show ------------------------------------------------------------------ */

/*
 * What both sides have of each class, in seconds; and shares, pprof's less perf's, of stacks that tell less than
 * they should: whose callers one side does not have (by class), whose leaf has no name (of all).
 */
struct evidence {
	struct {
		double perf, pprof, noise; /* noise: 95 % of the difference, as counts have it */
		double open;
	} of[COMPARE_CLASSES];
	double nameless;
};

static bool is_open(const struct profile *p, uint32_t node)
{
	while (p->nodes[node].parent)
		node = p->nodes[node].parent;
	return !strcmp(profile_str(p, p->frames[p->nodes[node].frame].name), NORMALISE_TRUNCATED);
}

/* "[server]+0x1f499": the binary was not found */
static bool is_nameless(const struct profile *p, uint32_t node)
{
	const char *name = profile_str(p, p->frames[p->nodes[node].frame].name);

	return name[0] == '[' && strstr(name, "]+0x");
}

static void gather(struct evidence *e, const struct skew_result *r)
{
	const struct comparison *c = &r->c;
	const int64_t *a = c->joint.series[COMPARE_A_WEIGHT].values, *b = c->joint.series[COMPARE_B_WEIGHT].values;

	*e = (struct evidence){.nameless = 0};
	for (size_t i = 0; i < c->joint.nr_rows; i++) {
		uint32_t node = c->joint.rows[i].node;
		double more = (double)b[i] / c->b_weight - (double)a[i] / c->a_weight;
		uint8_t class = c->class_of[node];

		e->of[class].perf += (double)a[i] / 1e9;
		e->of[class].pprof += (double)b[i] / 1e9;
		if (node && is_open(&c->joint, node))
			e->of[class].open += more;
		if (node && is_nameless(&c->joint, node))
			e->nameless += more;
	}
	for (int k = 0; k < COMPARE_CLASSES; k++)
		e->of[k].noise = 1.96 * sqrt(e->of[k].perf * c->a_weight / 1e9 / c->a_samples +
					     e->of[k].pprof * c->b_weight / 1e9 / c->b_samples);
}

/* Whether this share explains half of the difference or more. */
static bool explains(double share, double difference)
{
	return fabs(share) >= fabs(difference) / 2;
}

static bool nameless_cause(char *buf, size_t size, const struct evidence *e, double difference)
{
	if (!explains(e->nameless, difference))
		return false;
	snprintf(buf, size, "%.1f %% of %s's time is in functions whose names are not known, as their binary was not found: what they are cannot be told.",
		 100 * fabs(e->nameless), e->nameless < 0 ? "perf" : "pprof");
	return true;
}

static bool open_cause(char *buf, size_t size, const struct evidence *e, enum compare_class class, double difference)
{
	double open = e->of[class].open;

	/* a helper of the runtime whose caller is not there is in this class: with it, it would be in the caller's */
	if (class != CLASS_RUNTIME || !explains(open, difference) || open * difference <= 0)
		return false;
	snprintf(buf, size, difference > 0
		 ? "stacks that pprof could not walk (the signal came on the system stack, or while stacks were switched: runtime._System and kin) are %.1f points of it; their callers are not known."
		 : "stacks that perf's dump holds a part of are %.1f points of it; their callers are not known.", 100 * fabs(open));
	return true;
}

/* What threads did, or what pprof wrote, instead: the most frequent of the pairs that differ. */
static bool paired_cause(char *buf, size_t size, const struct skew_result *r, enum compare_class class, double difference)
{
	const struct paired_row *most = NULL;
	uint64_t all = 0;

	for (size_t i = 0; r->has_paired && i < r->paired.nr_rows; i++) {
		const struct paired_row *row = &r->paired.rows[i];

		if ((difference > 0 ? row->pprof : row->perf) != class)
			continue;
		all += row->samples;
		if (row->pprof != row->perf && (!most || row->samples > most->samples))
			most = row;
	}
	if (!most || !explains((double)most->samples / (double)r->paired.pairs, difference))
		return false;
	snprintf(buf, size, difference > 0
		 ? "by the execution trace, %llu of pprof's %llu samples there were taken of threads that were in class %s (%llu of them late)."
		 : "by the execution trace, %llu of the %llu samples that pprof took of threads in it are in class %s (%llu of them late).",
		 (unsigned long long)most->samples, (unsigned long long)all,
		 compare_class_name(difference > 0 ? most->perf : most->pprof), (unsigned long long)most->late);
	return true;
}

/* By seconds: a class whose time is all there has a larger share of less; or its time is elsewhere, or missing. */
static bool seconds_cause(char *buf, size_t size, const struct skew_result *r, const struct evidence *e,
			  enum compare_class class, const struct compare_row *row)
{
	double lacks = e->of[class].perf - e->of[class].pprof, noise = e->of[class].noise;
	double missing = (r->c.a_weight - r->c.b_weight) / 1e9;
	int most = -1;

	if (isnan(r->coverage_high) || r->coverage_high >= 1 - MISSING)
		return false;
	if (row->difference_self > 0 && fabs(lacks) <= noise && explains(row->a_self / r->coverage - row->a_self, row->difference_self)) {
		snprintf(buf, size, "in seconds the two agree (perf %.2f s, pprof %.2f s): pprof misses time of other classes, so this one has a larger share of the rest.",
			 e->of[class].perf, e->of[class].pprof);
		return true;
	}
	if (row->difference_self > 0 || lacks <= noise)
		return false;
	for (int k = 0; k < COMPARE_CLASSES; k++) /* what the preemption path has is user code's */
		if (k != CLASS_PREEMPTION && e->of[k].pprof - e->of[k].perf > e->of[k].noise &&
		    (most < 0 || e->of[k].pprof - e->of[k].perf > e->of[most].pprof - e->of[most].perf))
			most = k;
	if (most >= 0 && e->of[most].pprof - e->of[most].perf >= lacks / 2)
		snprintf(buf, size, "pprof has %.2f s less than perf here and %.2f s more in class %s.", lacks,
			 e->of[most].pprof - e->of[most].perf, compare_class_name((enum compare_class)most));
	else if (most < 0 && lacks <= missing + noise)
		snprintf(buf, size, "it is %.2f s of the %.2f s that pprof misses in all: signals that were lost, see there.", lacks, missing);
	else
		return false;
	return true;
}

/* Why a class differs that has no cause of its own; "" where nothing shows it. */
static const char *measured_cause(char *buf, size_t size, const struct skew_result *r, const struct evidence *e,
				  enum compare_class class, const struct compare_row *row)
{
	if (open_cause(buf, size, e, class, row->difference_self) || paired_cause(buf, size, r, class, row->difference_self) ||
	    seconds_cause(buf, size, r, e, class, row))
		return buf;
	return "";
}

/* --- findings --------------------------------------------------------------------------------------- */

static void find_user(struct skew_findings *f, const struct compare_metric *user, double taken, const struct evidence *e)
{
	double lost = user->a_share - user->b_share;
	char nameless[400];
	const char *cause = nameless_cause(nameless, sizeof(nameless), e, lost) ? nameless
			    : lost > 0 && taken > lost / 2 ? "mostly what the preemption path took, see there."
							   : "time that the two charge to other classes, below.";

	if (is_sure(user) && fabs(lost) > WORTH)
		add(f, lost, cause, "pprof shows %.2f %% of CPU in user code, perf %.2f %% (relative error %+.1f %%; 95 %%: %+.1f to %+.1f).",
		    100 * user->b_share, 100 * user->a_share, 100 * user->value, 100 * user->ci_low, 100 * user->ci_high);
}

static void find_metrics(struct skew_findings *f, const struct skew_result *r, const struct evidence *e)
{
	const struct compare_metric *m = r->c.metrics;
	const struct compare_metric *preempt = &m[SKEW_PREEMPTION_CAPTURE_EXCESS];
	const struct compare_metric *sys = &m[SKEW_SYSCALL_MISATTRIBUTION_RATE], *sched = &m[SKEW_GOROUTINE_SWITCH_MISS_RATE];
	bool captured = is_sure(preempt) && preempt->value > 0;

	if (captured)
		add(f, preempt->value,
		    "the scheduler's preemption signal and the profiling signal arrive together: pprof wrote down the switch instead of the goroutine. Read that time as its caller's (convert -f pprof --repair does).",
		    "pprof charges %.2f %% of CPU to the preemption path (runtime.asyncPreempt and kin), perf saw %.2f %% there.",
		    100 * preempt->b_share, 100 * preempt->a_share);
	find_user(f, &m[SKEW_USER_CODE_SHARE_ERROR], captured ? preempt->value : 0, e);
	if (is_sure(sys) && sys->excess * sys->a_share > WORTH)
		add(f, sys->excess * sys->a_share,
		    "a signal that comes while a thread is in the kernel is delivered when it returns, and not at all while the thread waits for a P.",
		    "%.1f %% of the system call time is charged to another caller or missing (noise alone: %.1f %%).",
		    100 * sys->value, 100 * sys->noise_floor);
	if (is_sure(sched) && sched->excess * sched->a_share > WORTH)
		add(f, sched->excess * sched->a_share,
		    sched->b_share > sched->a_share
			    ? "what pprof has too much of is in the table below."
			    : "the scheduler runs in short bursts and on threads that then sleep: between the ticks at which CPU timers are looked at.",
		    "%.1f %% of the scheduler's time is elsewhere or missing in pprof (noise alone: %.1f %%).",
		    100 * sched->value, 100 * sched->noise_floor);
}

/* Classes that differ, with what is known of why. Preemption and user code have findings of their own. */
static const struct {
	enum compare_class class;
	const char *more, *less; /* cause when pprof has more, or less; NULL: what the figures show */
} class_causes[] = {
	{CLASS_SIGNAL, "a profiling signal that waited for another signal's handler (a nil pointer fault, a preemption) is delivered at its end.",
	 "handlers run with the profiling signal blocked."},
	{CLASS_GC, NULL, NULL},
	{CLASS_ALLOCATION, NULL, NULL},
	{CLASS_RUNTIME, NULL, NULL},
	{CLASS_SCHEDULER, "profiling signals that wait while signals are blocked in the scheduler come out there.",
	 "the scheduler runs in short bursts and on threads that then sleep: between the ticks at which CPU timers are looked at."},
	{CLASS_SYSCALL, "a signal that comes while a thread is in the kernel is delivered when it returns.",
	 "a thread that waits for a P after a system call gets no signal."},
};

static void find_classes(struct skew_findings *f, const struct skew_result *r, const struct evidence *e)
{
	for (size_t i = 0; i < sizeof(class_causes) / sizeof(*class_causes); i++) {
		enum compare_class class = class_causes[i].class;
		const char *name = compare_class_name(class), *cause;
		const struct compare_row *row = row_of(r->c.classes, r->c.nr_classes, name);
		char measured[400];

		if (!row || !(row->q_value < SURE) || fabs(row->difference_self) <= 2 * WORTH)
			continue;
		cause = row->difference_self > 0 ? class_causes[i].more : class_causes[i].less;
		if (nameless_cause(measured, sizeof(measured), e, row->difference_self))
			cause = measured;
		else if (!cause)
			cause = measured_cause(measured, sizeof(measured), r, e, class, row);
		add(f, row->difference_self, cause, "class %s: %.2f %% of CPU in pprof, %.2f %% in perf (q %.2g).", name,
		    100 * row->b_self, 100 * row->a_self, row->q_value);
	}
}

void skew_find(const struct skew_result *r, struct skew_findings *f)
{
	struct evidence e;

	f->nr = 0;
	find_coverage(f, r);
	gather(&e, r);
	find_metrics(f, r, &e);
	find_classes(f, r, &e);
	qsort(f->list, f->nr, sizeof(*f->list), by_size);
}
