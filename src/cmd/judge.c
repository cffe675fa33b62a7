#include "cmd/judge.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "cmd/compared.h"
#include "cmd/input.h"
#include "cmd/message.h"
#include "cmd/skew.h"
#include "compare/stats.h"

const char *verdict_status_text(enum verdict_status s)
{
	static const char *const texts[VERDICT_STATES] = {
#define X(id, text) [id] = text,
		FOREACH_VERDICT(X)
#undef X
	};

	return texts[s];
}

/* --- one verdict ------------------------------------------------------------------------------ */

static struct verdict *add(struct verdicts *vs, const struct batch_item *item, const struct limit *l)
{
	struct verdict *v;

	ALLOC_GROW(vs->v, vs->nr + 1, vs->alloc);
	v = &vs->v[vs->nr++];
	*v = (struct verdict){.item = item, .limit = l, .status = VERDICT_NOT_JUDGED, .value = NAN, .low = NAN,
			      .high = NAN, .noise_floor = NAN, .before = NAN, .after = NAN};
	return v;
}

static void not_judged(struct verdicts *vs, const struct batch_item *item, const struct limit *l, const char *why)
{
	add(vs, item, l)->why = xstrdup(why);
}

/* The interval narrows with the root of the number of samples. */
static char *how_many_more(const struct verdict *v)
{
	double half = v->value > v->limit->max ? v->value - v->low : v->high - v->value;
	double away = fabs(v->value - v->limit->max), factor = away > 0 ? half * half / (away * away) : INFINITY;

	if (factor < 100)
		return xasprintf("the limit lies within the 95 %% interval: about %.0f times as many samples would tell", ceil(factor));
	return xstrdup("the limit lies within the 95 % interval, next to the value");
}

static void decide(struct verdict *v)
{
	if (isnan(v->value)) {
		v->why = xstrdup("cannot be computed");
	} else if (isnan(v->low)) {
		v->why = xstrdup("the input does not say how many samples it has: noise cannot be told from change");
	} else if (v->low > v->limit->max) {
		v->status = VERDICT_EXCEEDED;
	} else if (v->high <= v->limit->max) {
		v->status = VERDICT_KEPT;
	} else {
		v->status = VERDICT_UNDECIDED;
		v->why = how_many_more(v);
	}
}

/* What was counted and not sampled is what it is. */
static void decide_exact(struct verdict *v, double part, double whole)
{
	v->value = whole > 0 ? part / whole : NAN;
	if (isnan(v->value))
		v->why = xstrdup("no samples");
	else
		v->status = v->value > v->limit->max ? VERDICT_EXCEEDED : VERDICT_KEPT;
}

/* --- what one recording tells ------------------------------------------------------------------- */

static void judge_lost(struct verdicts *vs, const struct batch_item *item, const struct limit *l, const struct input *in)
{
	double lost;

	if (in->kind != INPUT_PERF) {
		not_judged(vs, item, l, "only a perf recording counts its losses");
		return;
	}
	lost = (double)perfdata_stats(in->collect.perfdata)->lost;
	decide_exact(add(vs, item, l), lost, lost + (double)in->collect.total_samples);
}

/* Stacks whose root was not reached, of those with user code: what the folded form begins with [truncated]. */
static void judge_truncated(struct verdicts *vs, const struct batch_item *item, const struct limit *l, const struct input *in)
{
	const struct collect *c = &in->collect;

	if (in->kind != INPUT_PERF)
		not_judged(vs, item, l, "only a perf recording tells which stacks were cut");
	else
		decide_exact(add(vs, item, l), (double)(c->user_stacks - c->rooted_stacks), (double)c->user_stacks);
}

static bool is_runtime_class(const char *class)
{
	return strcmp(class, "user") != 0 && strcmp(class, "syscall") != 0;
}

static void judge_runtime(struct verdicts *vs, const struct batch_item *item, const struct limit *l,
			  const struct compare_side *side)
{
	struct compare_options opts = {.rules = NORMALISE_GO, .replicates = 1, .jobs = 1};
	struct verdict *v = add(vs, item, l);
	struct compare_side nothing = {.count = 0, .weight = 0};
	struct profile empty;
	struct comparison c;

	profile_init(&empty);
	profile_add_series(&empty, "samples", "count");
	nothing.profile = &empty;
	comparison_make(&c, side, &nothing, &opts);
	v->value = c.a_weight > 0 ? 0 : NAN;
	for (size_t i = 0; i < c.nr_classes; i++)
		if (is_runtime_class(c.classes[i].name))
			v->value += c.classes[i].a_self;
	stats_share_interval(v->value * c.a_samples, c.a_samples, &v->low, &v->high);
	decide(v);
	comparison_release(&c);
	profile_release(&empty);
}

/* --- growth --------------------------------------------------------------------------------------- */

static bool is_subject(const struct limit *l, const struct compare_row *r)
{
	bool cum = l->kind == LIMIT_GROWTH_CUM;

	return (cum ? r->a_cum + r->b_cum : r->a_self + r->b_self) > 0 && limit_matches(l->pattern, r->name);
}

static void measure_growth(struct verdict *v, const struct compare_row *r, const struct comparison *c, size_t subjects)
{
	bool cum = v->limit->kind == LIMIT_GROWTH_CUM;

	v->before = cum ? r->a_cum : r->a_self;
	v->after = cum ? r->b_cum : r->b_self;
	v->value = v->after - v->before;
	stats_difference_intervals(v->before * c->a_samples, c->a_samples, v->after * c->b_samples, c->b_samples, subjects,
				   &v->low, &v->high);
}

/*
 * Every function that exceeds has its verdict; of the others, one: the nearest to
 * the limit. All functions of a pattern are tested at once, so their intervals
 * are those of as many differences.
 */
static void judge_growth(struct verdicts *vs, const struct batch_item *item, const struct limit *l, const struct comparison *c)
{
	struct verdict nearest = {.status = VERDICT_STATES, .limit = l};
	const struct compare_row *of_nearest = NULL;
	size_t subjects = 0, before = vs->nr;

	for (size_t i = 0; i < c->nr_functions; i++)
		subjects += is_subject(l, &c->functions[i]);
	for (size_t i = 0; i < c->nr_functions; i++) {
		struct verdict v = {.status = VERDICT_NOT_JUDGED, .item = item, .limit = l, .noise_floor = NAN};

		if (!is_subject(l, &c->functions[i]))
			continue;
		measure_growth(&v, &c->functions[i], c, subjects);
		decide(&v);
		if (v.status == VERDICT_EXCEEDED) {
			v.subject = xstrdup(c->functions[i].name);
			*add(vs, item, l) = v;
		} else if (!of_nearest || v.high > nearest.high || isnan(v.high)) {
			free(nearest.why);
			nearest = v;
			of_nearest = &c->functions[i];
		} else {
			free(v.why);
		}
	}
	if (of_nearest && vs->nr == before) {
		nearest.subject = xstrdup(of_nearest->name);
		*add(vs, item, l) = nearest;
	} else {
		free(nearest.why);
	}
	if (!subjects) {
		struct verdict *v = add(vs, item, l);

		v->value = v->low = v->high = 0;
		decide(v);
	}
}

static void judge_growths(struct verdicts *vs, const struct batch_item *item, const struct limits *l,
			  const struct compare_side *after, const struct batch_item *base, const struct judge_options *o)
{
	struct compare_options opts = {.rules = NORMALISE_NAMES, .replicates = 1, .jobs = 1};
	struct input_wants wants = {.no_comm = true};
	struct compare_side before;
	struct comparison c;
	struct input in;
	struct error e;

	if (input_load(&in, base->path, o->read, o->common, &wants, &e) < 0) {
		fail(&e);
		verdicts_error(vs, item, e.text);
		return;
	}
	vs->damaged |= report_damage(in.path, &in.damage) != 0;
	if (compared_side(&before, &in, o->read, o->common, &e) < 0) {
		fail(&e);
		verdicts_error(vs, item, e.text);
	} else {
		comparison_make(&c, &before, after, &opts);
		for (size_t i = 0; i < l->nr; i++)
			if (l->v[i].kind == LIMIT_GROWTH || l->v[i].kind == LIMIT_GROWTH_CUM)
				judge_growth(vs, item, &l->v[i], &c);
		comparison_release(&c);
	}
	input_release(&in);
}

/* --- skew ------------------------------------------------------------------------------------------- */

static void judge_metric(struct verdicts *vs, const struct batch_item *item, const struct limit *l, const struct comparison *c)
{
	const struct compare_metric *m = &c->metrics[l->metric];
	struct verdict *v = add(vs, item, l);

	if (isnan(m->value)) {
		v->why = xstrdup("perf saw no such stacks");
		return;
	}
	v->value = m->excess;
	v->low = m->ci_low - m->noise_floor;
	v->high = m->ci_high - m->noise_floor;
	v->noise_floor = m->noise_floor;
	/* a relative error counts in either direction */
	if (l->metric == SKEW_USER_CODE_SHARE_ERROR) {
		double a = fabs(v->low), b = fabs(v->high);

		v->low = v->low <= 0 && v->high >= 0 ? 0 : fmin(a, b);
		v->high = fmax(a, b);
		v->value = fabs(v->value);
	}
	decide(v);
}

static void judge_skew(struct verdicts *vs, const struct batch_item *item, const struct limits *l, const struct judge_options *o)
{
	struct skew_result r = {0};
	struct error e;

	if (!item->pprof) {
		error_set(&e, EXIT_CODE_USAGE, "%s: max-skew needs the pprof profile of the same run: none is beside it", item->path);
		fail(&e);
		verdicts_error(vs, item, e.text);
		return;
	}
	if (skew_load(&r, item->path, item->pprof, o->read, o->common, &e) < 0) {
		fail(&e);
		verdicts_error(vs, item, e.text);
	} else {
		vs->damaged |= report_damage(r.pprof.path, &r.pprof.damage) != 0;
		for (size_t i = 0; i < l->nr; i++)
			if (l->v[i].kind == LIMIT_SKEW)
				judge_metric(vs, item, &l->v[i], &r.c);
	}
	skew_release(&r);
}

/* --- all of it ---------------------------------------------------------------------------------------- */

static void judge_input(struct verdicts *vs, const struct batch_item *item, const struct batch_item *base,
			const struct limits *l, const struct input *in, const struct judge_options *o)
{
	bool growth = limits_have(l, LIMIT_GROWTH) || limits_have(l, LIMIT_GROWTH_CUM);
	struct compare_side side;
	struct error e;

	if ((growth || limits_have(l, LIMIT_RUNTIME_SHARE)) && compared_side(&side, in, o->read, o->common, &e) < 0) {
		fail(&e);
		verdicts_error(vs, item, e.text);
		return;
	}
	for (size_t i = 0; i < l->nr; i++) {
		const struct limit *limit = &l->v[i];

		if (limit->kind == LIMIT_LOST)
			judge_lost(vs, item, limit, in);
		else if (limit->kind == LIMIT_TRUNCATED)
			judge_truncated(vs, item, limit, in);
		else if (limit->kind == LIMIT_RUNTIME_SHARE)
			judge_runtime(vs, item, limit, &side);
		else if (limit->kind != LIMIT_SKEW && !base)
			not_judged(vs, item, limit, "the baseline has nothing of this name");
	}
	if (growth && base)
		judge_growths(vs, item, l, &side, base, o);
}

void judge(struct verdicts *vs, const struct batch_item *item, const struct batch_item *base,
	   const struct limits *l, const struct judge_options *o)
{
	struct input_wants wants = {.no_comm = true};
	struct input in;
	struct error e;
	int damaged;

	if (input_load(&in, item->path, o->read, o->common, &wants, &e) < 0) {
		fail(&e);
		verdicts_error(vs, item, e.text);
		return;
	}
	damaged = report_damage(in.path, &in.damage);
	vs->damaged |= damaged != 0;
	if (damaged && o->common->strict) {
		verdicts_error(vs, item, "damaged, and --strict is given");
	} else {
		vs->judged++;
		judge_input(vs, item, base, l, &in, o);
	}
	input_release(&in);
	if (limits_have(l, LIMIT_SKEW) && !(damaged && o->common->strict))
		judge_skew(vs, item, l, o);
}

void verdicts_error(struct verdicts *vs, const struct batch_item *item, const char *text)
{
	ALLOC_GROW(vs->errors, vs->nr_errors + 1, vs->alloc_errors);
	vs->errors[vs->nr_errors++] = (struct judge_error){item, xstrdup(text)};
}

static int by_badness(const void *a, const void *b)
{
	const struct verdict *x = a, *y = b;
	double over_x = x->value - x->limit->max, over_y = y->value - y->limit->max;

	if (x->status != y->status)
		return (int)x->status - (int)y->status;
	if (over_x != over_y && !isnan(over_x) && !isnan(over_y))
		return over_x > over_y ? -1 : 1;
	if (isnan(over_x) != isnan(over_y))
		return isnan(over_x) ? 1 : -1;
	if (x->item != y->item)
		return strcmp(x->item->name, y->item->name);
	if (x->limit != y->limit)
		return x->limit < y->limit ? -1 : 1;
	return x->subject && y->subject ? strcmp(x->subject, y->subject) : 0;
}

void verdicts_sort(struct verdicts *vs)
{
	memset(vs->of, 0, sizeof(vs->of));
	for (size_t i = 0; i < vs->nr; i++)
		vs->of[vs->v[i].status]++;
	if (vs->nr)
		qsort(vs->v, vs->nr, sizeof(*vs->v), by_badness);
}

void verdicts_release(struct verdicts *vs)
{
	for (size_t i = 0; i < vs->nr; i++) {
		free(vs->v[i].subject);
		free(vs->v[i].why);
	}
	for (size_t i = 0; i < vs->nr_errors; i++)
		free(vs->errors[i].text);
	free(vs->v);
	free(vs->errors);
	*vs = (struct verdicts){0};
}
