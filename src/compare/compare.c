#include "compare/compare.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "compare/classes.h"
#include "compare/metrics.h"
#include "compare/stats.h"

static const char *const class_names[COMPARE_CLASSES] = {
#define X(id, name) [id] = name,
	FOREACH_COMPARE_CLASS(X)
#undef X
};

struct sides {
	size_t rows;
	/*
	 * Weights per row, and of all. Lists add up weights, which are whole numbers,
	 * and divide at the end: the sums do not hang on the order of rows.
	 */
	double *a, *b, a_total, b_total;
	double na, nb; /* samples, as many as equal weights would make it */
};

/* --- lists ------------------------------------------------------------------------------------------ */

static int by_difference(const void *a, const void *b)
{
	const struct compare_row *x = a, *y = b;
	double dx = fabs(compare_difference(x)), dy = fabs(compare_difference(y));

	if (dx != dy)
		return dx > dy ? -1 : 1;
	dx = fabs(x->difference_cum);
	dy = fabs(y->difference_cum);
	if (dx != dy)
		return dx > dy ? -1 : 1;
	return strcmp(x->name, y->name);
}

/* Rows of weights become rows of shares, tested and sorted. */
static void finish_rows(struct compare_row *rows, size_t nr, const struct sides *s)
{
	double *p = xreallocarray(NULL, nr, sizeof(*p)), *q = xreallocarray(NULL, nr, sizeof(*q));

	for (size_t i = 0; i < nr; i++) {
		struct compare_row *r = &rows[i];
		double x, y;

		r->a_self /= s->a_total;
		r->a_cum /= s->a_total;
		r->b_self /= s->b_total;
		r->b_cum /= s->b_total;
		x = r->a_self * s->na;
		y = r->b_self * s->nb;
		r->difference_self = r->b_self - r->a_self;
		r->difference_cum = r->b_cum - r->a_cum;
		/* what has no self time on either side is judged by its cumulative share */
		r->by_cum = x + y <= 0;
		if (r->by_cum) {
			x = r->a_cum * s->na;
			y = r->b_cum * s->nb;
		}
		stats_difference_interval(x, s->na, y, s->nb, &r->ci_low, &r->ci_high);
		r->p_value = stats_two_counts(round(x), s->na, round(y), s->nb);
		p[i] = r->p_value;
	}
	stats_q_values(p, q, nr);
	for (size_t i = 0; i < nr; i++)
		rows[i].q_value = q[i];
	if (nr)
		qsort(rows, nr, sizeof(*rows), by_difference);
	free(p);
	free(q);
}

static void fill_functions(struct comparison *c, const struct sides *s)
{
	const struct profile *p = &c->joint;
	uint32_t *seen = xcalloc(p->nr_frames, sizeof(*seen));
	struct compare_row *rows = xcalloc(p->nr_frames, sizeof(*rows));
	size_t nr = 0;

	for (size_t r = 0; r < s->rows; r++) {
		uint32_t node = p->rows[r].node;

		if (node) {
			rows[p->nodes[node].frame].a_self += s->a[r];
			rows[p->nodes[node].frame].b_self += s->b[r];
		}
		for (; node; node = p->nodes[node].parent) {
			uint32_t f = p->nodes[node].frame;

			if (seen[f] == r + 1)
				continue;
			seen[f] = (uint32_t)r + 1;
			rows[f].a_cum += s->a[r];
			rows[f].b_cum += s->b[r];
		}
	}
	for (size_t i = 1; i < p->nr_frames; i++) {
		const char *name = profile_str(p, p->frames[i].name);

		if ((rows[i].a_cum <= 0 && rows[i].b_cum <= 0) || !strcmp(name, NORMALISE_SYSTEM_STACK) ||
		    !strcmp(name, NORMALISE_TRUNCATED))
			continue;
		rows[nr] = rows[i];
		rows[nr++].name = name;
	}
	finish_rows(rows, nr, s);
	c->functions = rows;
	c->nr_functions = nr;
	free(seen);
}

static uint32_t number_of(struct map64 *index, uint64_t key, size_t *nr)
{
	uint32_t i = map64_get(index, key);

	if (i == MAP64_NONE) {
		i = (uint32_t)(*nr)++;
		map64_put(index, key, i);
	}
	return i;
}

static void fill_classes(struct comparison *c, const struct sides *s)
{
	c->classes = xcalloc(COMPARE_CLASSES, sizeof(*c->classes));
	c->nr_classes = COMPARE_CLASSES;
	for (int i = 0; i < COMPARE_CLASSES; i++)
		c->classes[i].name = class_names[i];
	for (size_t r = 0; r < s->rows; r++) {
		struct compare_row *row = &c->classes[c->class_of[c->joint.rows[r].node]];

		row->a_self += s->a[r];
		row->b_self += s->b[r];
	}
	finish_rows(c->classes, c->nr_classes, s);
}

/* By the function at the root of the stack: the goroutine's entry. */
static void fill_goroutines(struct comparison *c, const struct sides *s)
{
	const struct profile *p = &c->joint;
	struct map64 index = MAP64_INIT;
	size_t nr = 0;

	c->goroutines = xcalloc(p->nr_frames, sizeof(*c->goroutines));
	for (size_t r = 0; r < s->rows; r++) {
		uint32_t node = p->rows[r].node, i;

		while (node && p->nodes[node].parent)
			node = p->nodes[node].parent;
		i = number_of(&index, p->nodes[node].frame, &nr);
		c->goroutines[i].name = node ? profile_str(p, p->frames[p->nodes[node].frame].name) : "(none)";
		c->goroutines[i].a_self += s->a[r];
		c->goroutines[i].b_self += s->b[r];
	}
	finish_rows(c->goroutines, nr, s);
	c->nr_goroutines = nr;
	map64_release(&index);
}

/* --- the whole -------------------------------------------------------------------------------------- */

static double count_of(const struct compare_side *s)
{
	return s->count == SIZE_MAX ? NAN : (double)s->profile->series[s->count].total;
}

/*
 * How many samples of equal weight say as much (Kish 1965: the square of the
 * sum over the sum of squares), each row's samples taken as equal.
 */
static double effective_samples(const struct profile *p, size_t count, size_t weight, double samples)
{
	/* long: what the order of rows changes must not reach the whole number that comes out */
	long double sum = 0, squares = 0;
	double n;

	for (size_t r = 0; r < p->nr_rows; r++) {
		double c = (double)p->series[count].values[r], w = (double)p->series[weight].values[r];

		sum += w;
		squares += c > 0 ? w * w / c : 0;
	}
	n = squares > 0 ? round((double)(sum * sum / squares)) : samples;
	return n < samples ? n : samples;
}

static double *weights_of(const struct profile *p, size_t series, double *total)
{
	double *v = xcalloc(p->nr_rows, sizeof(*v));

	/* of a side without any, all shares are 0 */
	*total = p->series[series].total > 0 ? (double)p->series[series].total : INFINITY;
	for (size_t r = 0; r < p->nr_rows; r++)
		v[r] = (double)p->series[series].values[r];
	return v;
}

void comparison_make(struct comparison *c, const struct compare_side *a, const struct compare_side *b,
		     const struct compare_options *opts)
{
	struct normalise_side sides[2];
	struct classes classes;
	struct sides s = {0};

	*c = (struct comparison){0};
	profile_init(&c->joint);
	profile_add_series(&c->joint, "a", "count");
	profile_add_series(&c->joint, "a", profile_str(a->profile, a->profile->series[a->weight].unit));
	profile_add_series(&c->joint, "b", "count");
	profile_add_series(&c->joint, "b", profile_str(b->profile, b->profile->series[b->weight].unit));
	sides[0] = (struct normalise_side){a->profile, a->count, a->weight, COMPARE_A_COUNT, COMPARE_A_WEIGHT, false};
	sides[1] = (struct normalise_side){b->profile, b->count, b->weight, COMPARE_B_COUNT, COMPARE_B_WEIGHT,
					   opts->rules == NORMALISE_GO};
	normalise_pair(&c->joint, sides, opts->rules);
	c->a_samples = count_of(a);
	c->b_samples = count_of(b);
	s.na = effective_samples(&c->joint, COMPARE_A_COUNT, COMPARE_A_WEIGHT, c->a_samples);
	s.nb = effective_samples(&c->joint, COMPARE_B_COUNT, COMPARE_B_WEIGHT, c->b_samples);
	c->a_weight = (double)c->joint.series[COMPARE_A_WEIGHT].total;
	c->b_weight = (double)c->joint.series[COMPARE_B_WEIGHT].total;
	s.rows = c->joint.nr_rows;
	s.a = weights_of(&c->joint, COMPARE_A_WEIGHT, &s.a_total);
	s.b = weights_of(&c->joint, COMPARE_B_WEIGHT, &s.b_total);
	classes_make(&classes, &c->joint);
	c->class_of = xcalloc(c->joint.nr_nodes, 1);
	for (size_t i = 0; i < c->joint.nr_nodes; i++)
		c->class_of[i] = (uint8_t)classes_find(&classes, &c->joint, (uint32_t)i);
	metrics_fill(c, &classes, s.na, s.nb, opts);
	if (!opts->metrics_only) {
		fill_functions(c, &s);
		fill_classes(c, &s);
		fill_goroutines(c, &s);
	}
	classes_release(&classes);
	free(s.a);
	free(s.b);
}

const char *compare_class_name(enum compare_class c)
{
	return class_names[c];
}

void compare_stacks_make(struct compare_stacks *s, const struct profile *p)
{
	struct classes classes;

	*s = (struct compare_stacks){.node = xcalloc(p->nr_rows, sizeof(*s->node)), .class_of = xcalloc(p->nr_rows, 1)};
	profile_init(&s->joint);
	normalise_each(&s->joint, p, s->node);
	classes_make(&classes, &s->joint);
	for (size_t r = 0; r < p->nr_rows; r++)
		s->class_of[r] = (uint8_t)classes_find(&classes, &s->joint, s->node[r]);
	classes_release(&classes);
}

void compare_stacks_release(struct compare_stacks *s)
{
	if (!s->node)
		return;
	profile_release(&s->joint);
	free(s->node);
	free(s->class_of);
}

void comparison_release(struct comparison *c)
{
	profile_release(&c->joint);
	free(c->functions);
	free(c->classes);
	free(c->goroutines);
	free(c->class_of);
	*c = (struct comparison){0};
}

void compare_ratio(double a, double a_samples, double b, double b_samples, double *value, double *low, double *high)
{
	double half = STATS_Z95 * sqrt(1 / a_samples + 1 / b_samples);

	*value = *low = *high = NAN;
	if (!(a > 0) || !(b >= 0))
		return;
	*value = b / a;
	if (a_samples > 0 && b_samples > 0) {
		*low = *value * exp(-half);
		*high = *value * exp(half);
	}
}

void compare_coverage(double a, double a_samples, double b, double b_samples, const struct compare_timers *t,
		      double *value, double *low, double *high)
{
	double ends = (double)(t->threads ? t->threads : 1) / 4;
	double va = t->cpu_wide || ends > a_samples ? a_samples : ends, vb = ends > b_samples ? b_samples : ends;
	double half = STATS_Z95 * sqrt(va / (a_samples * a_samples) + vb / (b_samples * b_samples));

	*value = *low = *high = NAN;
	if (!(a > 0) || !(b >= 0))
		return;
	*value = b / a;
	if (a_samples > 0 && b_samples > 0) {
		*low = *value * exp(-half);
		*high = *value * exp(half) / (1 - t->late);
	}
}
