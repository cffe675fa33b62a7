/*
 * Summaries made: one recording is read, measured, and let go.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "cmd/compared.h"
#include "cmd/graph.h"
#include "cmd/input.h"
#include "cmd/kinds.h"
#include "cmd/message.h"
#include "cmd/skew.h"
#include "cmd/summary.h"
#include "compare/stats.h"

/* --- the recording itself ------------------------------------------------------------------------ */

static void measure_kinds(struct summary *s, const struct profile *p, size_t series)
{
	uint8_t *kinds = kinds_of_frames(p);

	for (size_t r = 0; r < p->nr_rows; r++) {
		int k = kinds[p->nodes[p->rows[r].node].frame];

		/* a stack without a frame, or with no more than what is put in front of stacks */
		k = k == RENDER_ROOT || k == RENDER_LABEL ? RENDER_UNKNOWN : k;
		if (s->total > 0)
			s->kinds[k] += (double)p->series[series].values[r] / s->total;
	}
	free(kinds);
}

static void measure_top(struct summary *s, const struct profile *p, size_t series)
{
	size_t nr;
	struct profile_function *f = profile_functions(p, series, &nr);

	for (size_t i = 0; i < nr && !s->top; i++)
		if (f[i].kind != FRAME_LABEL && f[i].self > 0) {
			s->top = xstrdup(profile_str(p, f[i].name));
			s->top_share = (double)f[i].self / s->total;
		}
	free(f);
}

static char *draw(const struct profile *p, const struct graph_options *o, const char *side_a, const char *side_b)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);
	struct graph g;
	bool ok = false;

	graph_build(&g, p, o);
	g.render.side_a = side_a;
	g.render.side_b = side_b;
	if (f) {
		ok = render_strip(f, &g.render) == RENDER_OK;
		ok = fclose(f) == 0 && ok;
	}
	graph_release(&g);
	if (ok)
		return text;
	free(text);
	return NULL;
}

static void describe(struct summary *s, const struct input *in, const struct compare_side *side)
{
	const struct profile *p = &in->profile;
	const struct collect *c = &in->collect;

	s->damage = in->damage;
	s->event = xstrdup(input_event_name(in, side->weight));
	s->unit = xstrdup(profile_str(p, p->series[side->weight].unit));
	s->total = (double)p->series[side->weight].total;
	if (side->count != SIZE_MAX)
		s->samples = (double)p->series[side->count].total;
	measure_kinds(s, p, side->weight);
	measure_top(s, p, side->weight);
	if (in->kind == INPUT_PERF) {
		double lost = (double)perfdata_stats(c->perfdata)->lost, all = lost + (double)c->total_samples;

		s->lost = all > 0 ? lost / all : NAN;
		s->cut = c->user_stacks ? (double)(c->user_stacks - c->rooted_stacks) / (double)c->user_stacks : NAN;
	}
}

/* --- beside its pprof profile ----------------------------------------------------------------------- */

static void describe_skew(struct summary *s, const struct skew_result *r)
{
	struct skew_findings all;

	s->has_skew = true;
	memcpy(s->metrics, r->c.metrics, sizeof(s->metrics));
	s->coverage = r->coverage;
	s->coverage_low = r->coverage_low;
	s->coverage_high = r->coverage_high;
	skew_find(r, &all);
	s->findings = all.nr;
	if (all.nr) {
		s->finding = xstrdup(all.list[0].text);
		s->cause = *all.list[0].cause ? xstrdup(all.list[0].cause) : NULL;
	}
}

static bool has_profile(struct summaries *s, const struct batch_item *item)
{
	struct error e;

	if (item->pprof)
		return true;
	error_set(&e, EXIT_CODE_USAGE, "%s: no pprof profile of the same run is beside it", item->path);
	fail(&e);
	summary_error(s, item, &e);
	return false;
}

/* Compares an item with its profile; false when that failed, which was then said. skew_release either way. */
static bool compare(struct summaries *s, struct skew_result *r, const struct batch_item *item, const struct summary_options *o)
{
	struct error e;
	bool damaged;

	if (skew_load(r, item->path, item->pprof, o->read, o->common, &e) < 0) {
		fail(&e);
		summary_error(s, item, &e);
		return false;
	}
	damaged = s->skew && report_damage(r->perf.path, &r->perf.damage);
	damaged |= report_damage(r->pprof.path, &r->pprof.damage) != 0;
	s->damaged |= damaged;
	if (!damaged || !o->common->strict)
		return true;
	error_set(&e, EXIT_CODE_DAMAGED, "%s: damaged, and --strict is given", item->path);
	summary_error(s, item, &e);
	return false;
}

/* How much the excess of the skew has changed; intervals of two independent measurements add in squares. */
static void skew_growth(struct summaries *s, struct summary *now, const struct batch_item *base, const struct summary_options *o)
{
	const struct compare_metric *a, *b = &now->metrics[SKEW_TOTAL_VARIATION_SELF];
	struct skew_result r = {0};

	if (has_profile(s, base) && compare(s, &r, base, o)) {
		a = &r.c.metrics[SKEW_TOTAL_VARIATION_SELF];
		now->growth = b->excess - a->excess;
		now->growth_low = now->growth - hypot(b->value - b->ci_low, a->ci_high - a->value);
		now->growth_high = now->growth + hypot(b->ci_high - b->value, a->value - a->ci_low);
	}
	skew_release(&r);
}

static void add_skew(struct summaries *s, const struct batch_item *item, const struct batch_item *base,
		     const struct summary_options *o)
{
	const struct graph_options graph = {.series = COMPARE_A_WEIGHT, .differential = true, .base_series = COMPARE_B_WEIGHT};
	struct skew_result r = {0};
	struct summary *new;

	if (has_profile(s, item) && compare(s, &r, item, o)) {
		new = summary_new(s, item);
		describe(new, &r.perf, &r.a);
		describe_skew(new, &r);
		if (o->pictures)
			new->picture = draw(&r.c.joint, &graph, "perf", "pprof");
		if (base)
			skew_growth(s, new, base, o);
	}
	skew_release(&r);
}

/* --- beside its namesake ------------------------------------------------------------------------------- */

/* The function that surely grew most: all are tested at once, so their intervals are those of as many. */
static void find_growth(struct summary *s, const struct comparison *c)
{
	const struct compare_row *most = NULL;

	for (size_t i = 0; i < c->nr_functions; i++) {
		const struct compare_row *row = &c->functions[i];
		double low, high;

		stats_difference_intervals(row->a_self * c->a_samples, c->a_samples, row->b_self * c->b_samples, c->b_samples,
					   c->nr_functions, &low, &high);
		if (most && !(low > s->growth_low))
			continue;
		most = row;
		s->growth = row->difference_self;
		s->growth_low = low;
		s->growth_high = high;
	}
	s->grown = most ? xstrdup(most->name) : NULL;
}

static void add_growth(struct summaries *s, struct summary *now, const struct compare_side *after,
		       const struct batch_item *base, const struct summary_options *o)
{
	struct compare_options opts = {.rules = NORMALISE_NAMES, .replicates = 1, .jobs = 1};
	struct input_wants wants = {.no_comm = true};
	struct compare_side before;
	struct comparison c;
	struct input in;
	struct error e;

	if (input_load(&in, base->path, o->read, o->common, &wants, &e) < 0) {
		fail(&e);
		summary_error(s, base, &e);
		return;
	}
	s->damaged |= report_damage(in.path, &in.damage) != 0;
	if (compared_side(&before, &in, o->read, o->common, &e) < 0) {
		fail(&e);
		summary_error(s, base, &e);
	} else {
		comparison_make(&c, &before, after, &opts);
		find_growth(now, &c);
		comparison_release(&c);
	}
	input_release(&in);
}

static void add_report(struct summaries *s, const struct batch_item *item, const struct batch_item *base,
		       const struct summary_options *o)
{
	struct input_wants wants = {.no_comm = true};
	/* what is to be said of the recording is said once */
	struct common_options silent = *o->common;
	struct summary_options again = {.read = o->read, .common = &silent};
	struct skew_result r = {0};
	struct compare_side side;
	struct summary *new;
	struct input in;
	struct error e;
	int damaged;

	silent.quiet = true;
	if (input_load(&in, item->path, o->read, o->common, &wants, &e) < 0) {
		fail(&e);
		summary_error(s, item, &e);
		return;
	}
	damaged = report_damage(in.path, &in.damage);
	s->damaged |= damaged != 0;
	if (damaged && o->common->strict) {
		error_set(&e, EXIT_CODE_DAMAGED, "%s: damaged, and --strict is given", item->path);
		summary_error(s, item, &e);
	} else if (compared_side(&side, &in, o->read, o->common, &e) < 0) {
		fail(&e);
		summary_error(s, item, &e);
	} else {
		if (o->weight == WEIGHT_SAMPLES && side.count != SIZE_MAX)
			side.weight = side.count;
		new = summary_new(s, item);
		describe(new, &in, &side);
		if (o->pictures)
			new->picture = draw(&in.profile, &(struct graph_options){.series = side.weight}, NULL, NULL);
		if (base)
			add_growth(s, new, &side, base, o);
		if (item->pprof && compare(s, &r, item, &again))
			describe_skew(new, &r);
		skew_release(&r);
	}
	input_release(&in);
}

void summary_add(struct summaries *s, const struct batch_item *item, const struct batch_item *base,
		 const struct summary_options *o)
{
	(s->skew ? add_skew : add_report)(s, item, base, o);
}

int summaries_run(struct summaries *s, const struct batch *b, const struct batch *bases, const struct summary_options *o,
		  const char *format, size_t top)
{
	int code;

	s->baseline = bases->nr > 0;
	for (size_t i = 0; i < b->nr; i++)
		summary_add(s, &b->items[i], batch_base(bases, &b->items[i]), o);
	if (!s->nr)
		return s->code;
	summaries_sort(s);
	code = summaries_write(s, format, top, o->common);
	return code ? code : s->nr_errors || s->damaged ? EXIT_CODE_DAMAGED : EXIT_CODE_OK;
}
