#include "compare/metrics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "compare/resample.h"
#include "compare/stats.h"

/* Of a sum of many parts a quarter of the replicates tells the quantiles as well, see is_sum_of_many. */
#define REPLICATES 400
#define REPLICATES_OF_MANY 100
#define SEED UINT64_C(20180416)

static const char *const metric_names[SKEW_METRICS] = {
#define X(id, name, biased, help) [id] = name,
	FOREACH_SKEW_METRIC(X)
#undef X
};
static const char *const metric_helps[SKEW_METRICS] = {
#define X(id, name, biased, help) [id] = help,
	FOREACH_SKEW_METRIC(X)
#undef X
};
/* One-sided: can only be large, and is never 0 with noise. The others have a sign. */
static const bool metric_biased[SKEW_METRICS] = {
#define X(id, name, biased, help) [id] = biased,
	FOREACH_SKEW_METRIC(X)
#undef X
};

const char *skew_metric_name(enum skew_metric m)
{
	return metric_names[m];
}

const char *skew_metric_help(enum skew_metric m)
{
	return metric_helps[m];
}

/* --- the groups that metrics compare ------------------------------------------------------- */

#define NO_GROUP UINT32_MAX

/* What a metric takes for "the same": a frame, a node, or nothing further; NO_GROUP: not its business. */
static uint32_t group_key(enum skew_metric m, const struct comparison *c, const struct classes *classes, uint32_t node)
{
	const struct profile *p = &c->joint;
	enum compare_class class = (enum compare_class)c->class_of[node];

	switch (m) {
	case SKEW_SYSCALL_MISATTRIBUTION_RATE:
		return class == CLASS_SYSCALL ? classes_caller(classes, p, node) : NO_GROUP;
	case SKEW_SYSCALL_MISATTRIBUTION_PATH:
		return class == CLASS_SYSCALL ? node : NO_GROUP;
	case SKEW_GOROUTINE_SWITCH_MISS_RATE:
		return class == CLASS_SCHEDULER || class == CLASS_PREEMPTION ? p->nodes[node].frame : NO_GROUP;
	case SKEW_USER_CODE_SHARE_ERROR:
		return class == CLASS_USER ? 0 : NO_GROUP;
	case SKEW_PREEMPTION_CAPTURE_EXCESS:
		return class == CLASS_PREEMPTION ? 0 : NO_GROUP;
	case SKEW_TOTAL_VARIATION_SELF:
		return p->nodes[node].frame;
	default:
		return node;
	}
}

/* The weights of both sides by group; freed with free_groups. */
static void make_groups(struct resample_groups *g, enum skew_metric m, const struct comparison *c,
			const struct classes *classes)
{
	const struct profile *p = &c->joint;
	const int64_t *wa = p->series[COMPARE_A_WEIGHT].values, *wb = p->series[COMPARE_B_WEIGHT].values;
	/* group + 1 per key */
	uint32_t *index = xcalloc(p->nr_nodes > p->nr_frames ? p->nr_nodes : p->nr_frames, sizeof(*index));
	int64_t *a = xcalloc(p->nr_rows ? p->nr_rows : 1, sizeof(*a)), *b = xcalloc(p->nr_rows ? p->nr_rows : 1, sizeof(*b));

	*g = (struct resample_groups){0, 0, a, b};
	for (size_t r = 0; r < p->nr_rows; r++) {
		uint32_t key = group_key(m, c, classes, p->rows[r].node), i;

		if (key == NO_GROUP)
			continue;
		if (!index[key])
			index[key] = (uint32_t)++g->nr;
		i = index[key] - 1;
		a[i] = profile_sum(a[i], wa[r]);
		b[i] = profile_sum(b[i], wb[r]);
	}
	free(index);
}

static void free_groups(struct resample_groups *g)
{
	free((void *)g->a);
	free((void *)g->b);
}

static double metric_of(enum skew_metric m, const struct resample_sums *s)
{
	switch (m) {
	case SKEW_USER_CODE_SHARE_ERROR:
		return s->a > 0 ? (s->b - s->a) / s->a : NAN;
	case SKEW_PREEMPTION_CAPTURE_EXCESS:
		return s->b - s->a;
	case SKEW_TOTAL_VARIATION_SELF:
	case SKEW_TOTAL_VARIATION_STACK:
		/* sum |a - b| / 2, since |a - b| = a + b - 2 min(a, b) */
		return (s->a + s->b) / 2 - s->both;
	default:
		return s->a > 0 ? 1 - s->both / s->a : NAN;
	}
}

/* --- what chance makes of them --------------------------------------------------------------- */

static double mean_of(const double *v, size_t n)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += v[i];
	return n ? sum / (double)n : NAN;
}

/* The metric of each replicate that it can be computed of; returns how many. */
static size_t values_of(enum skew_metric m, const struct resample_sums *sums, size_t replicates, double *out)
{
	size_t n = 0;

	for (size_t i = 0; i < replicates; i++) {
		double v = metric_of(m, &sums[i]);

		if (!isnan(v))
			out[n++] = v;
	}
	return n;
}

/*
 * Whether a metric of these groups is a sum of so many independent parts that it is near a normal distribution, whose
 * quantiles follow from the mean and the standard deviation s: from 100 replicates they are as certain (0.14 s) as what is
 * read off 400 (0.13 s). Parts are |differences| of shares: their variances are those of the counts behind them, and each is
 * skewed by 1 at most (half a normal distribution), so that the sum is by no more than sum v^1.5 / (sum v)^1.5. 0.2 of that
 * moves the outer quantiles by 0.1 s (Cornish & Fisher 1938).
 */
static bool is_sum_of_many(const struct resample_groups *g, const struct resample_sides *s)
{
	enum { LEAST_GROUPS = 200 };
	const double most_skew = 0.2;
	double sum = 0, third = 0;

	for (size_t i = 0; i < g->nr; i++) {
		double v = (double)g->a[i] / (double)s->a_weight / s->a_samples + (double)g->b[i] / (double)s->b_weight / s->b_samples;

		sum += v;
		third += v * sqrt(v);
	}
	return g->nr >= LEAST_GROUPS && third <= most_skew * sum * sqrt(sum);
}

static double deviation_of(const double *v, size_t n, double mean)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += (v[i] - mean) * (v[i] - mean);
	return n > 1 ? sqrt(sum / (double)(n - 1)) : NAN;
}

/* Of v[0 … n - 1] as drawn, how likely chance makes at least `value`: counted, or of many by the normal distribution. */
static double p_value(const double *v, size_t n, double value, bool biased, bool many)
{
	double mean = mean_of(v, n), deviation = deviation_of(v, n, mean), above = 0, p;

	if (!n || isnan(value))
		return NAN;
	if (many && deviation > 0) {
		p = 0.5 * erfc((biased ? value - mean : fabs(value)) / deviation * M_SQRT1_2) * (biased ? 1 : 2);
		/* what counting could say: the tail further out is no better known */
		return fmax(p, 1.0 / (REPLICATES + 1));
	}
	/* a tie that differs in its last bit is a tie */
	for (size_t i = 0; i < n; i++)
		above += (biased ? v[i] : fabs(v[i])) >= (biased ? value : fabs(value)) - 1e-9;
	return (above + 1) / ((double)n + 1);
}

static void finish_metric(struct compare_metric *out, enum skew_metric m, const struct resample_sums *null,
			  const struct resample_sums *self, size_t replicates, bool many)
{
	double *v = xcalloc(replicates, sizeof(*v)), mean, deviation;
	size_t n = values_of(m, null, replicates, v);

	/* a signed metric has no floor: noise makes it as often too small as too large */
	out->noise_floor = metric_biased[m] ? mean_of(v, n) : 0;
	out->excess = out->value - out->noise_floor;
	out->p_value = p_value(v, n, out->value, metric_biased[m], many);
	n = self ? values_of(m, self, replicates, v) : 0;
	if (n) {
		mean = mean_of(v, n);
		deviation = deviation_of(v, n, mean);
		out->ci_low = (many ? mean - STATS_Z95 * deviation : stats_quantile(v, n, 0.025)) - (mean - out->value);
		out->ci_high = (many ? mean + STATS_Z95 * deviation : stats_quantile(v, n, 0.975)) - (mean - out->value);
	}
	free(v);
}

void metrics_fill(struct comparison *c, const struct classes *classes, double na, double nb,
		  const struct compare_options *o)
{
	struct resample_sides sides = {c->joint.series[COMPARE_A_WEIGHT].total, c->joint.series[COMPARE_B_WEIGHT].total, na, nb};
	struct resample_options opts = {o->replicates ? o->replicates : REPLICATES, o->seed ? o->seed : SEED, o->jobs};
	bool many[SKEW_METRICS];
	struct resample_groups groups[SKEW_METRICS];
	struct resample_sums *null, *self;
	bool both = sides.a_weight > 0 && sides.b_weight > 0;
	uint32_t drawn = o->drawn ? o->drawn : UINT32_MAX;

	for (int m = 0; m < SKEW_METRICS; m++) {
		struct compare_metric *out = &c->metrics[m];

		*out = (struct compare_metric){NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN};
		make_groups(&groups[m], (enum skew_metric)m, c, classes);
		if (both) {
			struct resample_sums s = resample_sums(&groups[m], &sides);

			many[m] = !o->replicates && is_sum_of_many(&groups[m], &sides);
			groups[m].replicates = !(drawn >> m & 1) ? 0 : many[m] ? REPLICATES_OF_MANY : opts.most;
			out->value = metric_of((enum skew_metric)m, &s);
			out->a_share = s.a;
			out->b_share = s.b;
		}
	}
	if (both && na > 0 && nb > 0) {
		null = xcalloc(SKEW_METRICS * opts.most, sizeof(*null));
		self = o->no_intervals ? NULL : xcalloc(SKEW_METRICS * opts.most, sizeof(*self));
		resample(groups, SKEW_METRICS, &sides, &opts, null, self);
		for (size_t m = 0; m < SKEW_METRICS; m++)
			if (groups[m].replicates)
				finish_metric(&c->metrics[m], (enum skew_metric)m, null + m * opts.most, self ? self + m * opts.most : NULL,
					      groups[m].replicates, many[m]);
		free(null);
		free(self);
	}
	for (int m = 0; m < SKEW_METRICS; m++)
		free_groups(&groups[m]);
}
