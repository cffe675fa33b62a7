#include "compare/metrics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "compare/resample.h"
#include "compare/stats.h"

#define REPLICATES 400
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

	*g = (struct resample_groups){0, a, b};
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

static void finish_metric(struct compare_metric *out, enum skew_metric m, const struct resample_sums *null,
			  const struct resample_sums *self, size_t replicates)
{
	double *v = xcalloc(replicates, sizeof(*v)), bias;
	size_t n = values_of(m, null, replicates, v), above = 0;

	/* a signed metric has no floor: noise makes it as often too small as too large */
	out->noise_floor = metric_biased[m] ? mean_of(v, n) : 0;
	out->excess = out->value - out->noise_floor;
	/* a tie that differs in its last bit is a tie */
	for (size_t i = 0; i < n; i++)
		above += (metric_biased[m] ? v[i] : fabs(v[i])) >= (metric_biased[m] ? out->value : fabs(out->value)) - 1e-9;
	out->p_value = n && !isnan(out->value) ? ((double)above + 1) / ((double)n + 1) : NAN;
	n = values_of(m, self, replicates, v);
	bias = mean_of(v, n) - out->value;
	out->ci_low = stats_quantile(v, n, 0.025) - bias;
	out->ci_high = stats_quantile(v, n, 0.975) - bias;
	free(v);
}

void metrics_fill(struct comparison *c, const struct classes *classes, double na, double nb,
		  const struct compare_options *o)
{
	struct resample_sides sides = {c->joint.series[COMPARE_A_WEIGHT].total, c->joint.series[COMPARE_B_WEIGHT].total, na, nb};
	struct resample_options opts = {o->replicates ? o->replicates : REPLICATES, o->seed ? o->seed : SEED, o->jobs};
	struct resample_groups groups[SKEW_METRICS];
	struct resample_sums *null, *self;
	bool both = sides.a_weight > 0 && sides.b_weight > 0;

	for (int m = 0; m < SKEW_METRICS; m++) {
		struct compare_metric *out = &c->metrics[m];

		*out = (struct compare_metric){NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN};
		make_groups(&groups[m], (enum skew_metric)m, c, classes);
		if (both) {
			struct resample_sums s = resample_sums(&groups[m], &sides);

			out->value = metric_of((enum skew_metric)m, &s);
			out->a_share = s.a;
			out->b_share = s.b;
		}
	}
	if (both && na > 0 && nb > 0) {
		null = xcalloc(SKEW_METRICS * opts.replicates, sizeof(*null));
		self = xcalloc(SKEW_METRICS * opts.replicates, sizeof(*self));
		resample(groups, SKEW_METRICS, &sides, &opts, null, self);
		for (size_t m = 0; m < SKEW_METRICS; m++)
			finish_metric(&c->metrics[m], (enum skew_metric)m, null + m * opts.replicates,
				      self + m * opts.replicates, opts.replicates);
		free(null);
		free(self);
	}
	for (int m = 0; m < SKEW_METRICS; m++)
		free_groups(&groups[m]);
}
