/*
 * The skew as an HTML report; and the tables that diff's has as well.
 */
#include <math.h>
#include <string.h>

#include "cmd/document.h"
#include "cmd/skew.h"

/* More entries than this are only in the JSON. */
#define ROWS 60

enum form { FIXED, SIGNED, SHORT };

static const char *number(struct document *d, enum form form, double v)
{
	if (isnan(v))
		return "–";
	return form == SHORT ? document_text(d, "%.3g", v) : document_text(d, form == SIGNED ? "%+.4f" : "%.4f", v);
}

static const char *share(struct document *d, double v)
{
	char text[32];

	return isnan(v) ? "–" : document_text(d, "%s", percent_text(text, sizeof(text), v));
}

static const char *points(struct document *d, double v)
{
	char text[32];

	return isnan(v) ? "–" : document_text(d, "%s", points_text(text, sizeof(text), v));
}

static const char *between(struct document *d, double low, double high)
{
	return isnan(low) || isnan(high) ? "–" : document_text(d, "%.4f to %.4f", low, high);
}

void compared_document_metrics(struct document *d, const struct comparison *c, const char *a, const char *b, bool all)
{
	const char **heads = arena_alloc(&d->strings, 8 * sizeof(*heads)), **help, **cells;
	size_t nr = 0;

	memcpy(heads, (const char *[]){"Metric", "Value", "95 % interval", "Noise alone", "Excess", "p", a, b}, 8 * sizeof(*heads));
	cells = document_table(d, "Metrics",
			       "Value: what was measured. Noise alone: what sampling would show if there were no difference. "
			       "Excess: the value beyond that.", heads, 8, all ? SKEW_METRICS : 2, &help);
	for (int i = 0; i < SKEW_METRICS; i++) {
		const struct compare_metric *m = &c->metrics[i];

		if (!all && i != SKEW_TOTAL_VARIATION_SELF && i != SKEW_TOTAL_VARIATION_STACK)
			continue;
		help[nr++] = skew_metric_help((enum skew_metric)i);
		*cells++ = skew_metric_name((enum skew_metric)i);
		*cells++ = number(d, FIXED, m->value);
		*cells++ = between(d, m->ci_low, m->ci_high);
		*cells++ = number(d, FIXED, m->noise_floor);
		*cells++ = number(d, SIGNED, m->excess);
		*cells++ = number(d, SHORT, m->p_value);
		*cells++ = share(d, m->a_share);
		*cells++ = share(d, m->b_share);
	}
}

void compared_document_rows(struct document *d, const char *title, const char *help, const char *head,
			    const struct compare_row *rows, size_t nr, const char *a, const char *b)
{
	const char **heads = arena_alloc(&d->strings, 5 * sizeof(*heads)), **cells;
	size_t shown = 0;

	for (size_t i = 0; i < nr; i++)
		shown += rows[i].a_self > 0 || rows[i].b_self > 0;
	if (!shown)
		return;
	if (shown > ROWS)
		shown = ROWS;
	memcpy(heads, (const char *[]){head, a, b, "Points", "q"}, 5 * sizeof(*heads));
	cells = document_table(d, title, help, heads, 5, shown, NULL);
	for (size_t i = 0; i < nr && shown; i++) {
		if (rows[i].a_self <= 0 && rows[i].b_self <= 0)
			continue;
		*cells++ = rows[i].name;
		*cells++ = share(d, rows[i].a_self);
		*cells++ = share(d, rows[i].b_self);
		*cells++ = points(d, rows[i].difference_self);
		*cells++ = number(d, SHORT, rows[i].q_value);
		shown--;
	}
}

static void summarise(struct document *d, const struct skew_result *r)
{
	const struct compare_metric *tv = &r->c.metrics[SKEW_TOTAL_VARIATION_SELF];

	if (r->timed)
		document_field(d, "perf", "%.2f s of CPU, %.0f samples of %s", r->c.a_weight / 1e9, r->c.a_samples,
			       input_event_name(&r->perf, r->a.weight));
	else
		document_field(d, "perf", "%.0f samples of %s", r->c.a_samples, input_event_name(&r->perf, r->a.weight));
	document_field(d, "pprof", "%.2f s of CPU, %.0f samples", r->c.b_weight / 1e9, r->c.b_samples);
	if (!isnan(r->coverage))
		document_field(d, "pprof has of perf's time", "%.1f %% (95 %%: %.1f to %.1f)", 100 * r->coverage,
			       100 * r->coverage_low, 100 * r->coverage_high);
	if (isnan(tv->value))
		return;
	document_field(d, "Charged to another function", "%.2f %%", 100 * tv->value);
	document_field(d, "Noise alone would show", "%.2f %% (p %.2g)", 100 * tv->noise_floor, tv->p_value);
	if (r->has_repaired)
		document_field(d, "Left after convert --repair", "%.2f %%",
			       100 * r->repaired.metrics[SKEW_TOTAL_VARIATION_SELF].value);
}

static void find(struct document *d, const struct skew_result *r)
{
	struct skew_findings all;
	size_t differ = 0;

	skew_find(r, &all);
	for (size_t i = 0; i < all.nr; i++)
		document_finding(d, all.list[i].text, all.list[i].cause);
	for (size_t i = 0; i < r->c.nr_functions; i++)
		differ += r->c.functions[i].q_value < 0.05;
	if (isnan(r->c.metrics[SKEW_TOTAL_VARIATION_SELF].p_value))
		document_finding(d, "What is noise cannot be told: the profile does not say how many samples it has.", "");
	else if (!all.nr && !differ)
		document_finding(d, "No difference beyond sampling noise: read this pprof profile as it stands.", "");
	else if (!all.nr)
		document_finding(d, document_text(d, "As a whole no difference beyond sampling noise; %zu of %zu functions differ.",
						  differ, r->c.nr_functions), "");
}

int skew_html(const struct skew_result *r, const struct picture_options *o, const struct common_options *common)
{
	struct picture_options with = *o;
	struct document d = {0};
	int code;

	if (!with.title)
		with.title = "pprof against perf";
	summarise(&d, r);
	find(&d, r);
	compared_document_metrics(&d, &r->c, "perf", "pprof", true);
	compared_document_rows(&d, "Classes of stacks", "By what is at the leaf. q: how likely noise alone is, for all rows together.",
			       "Class", r->c.classes, r->c.nr_classes, "perf", "pprof");
	compared_document_rows(&d, "Goroutines", "By the function that the go statement started.", "Entry function", r->c.goroutines,
			       r->c.nr_goroutines, "perf", "pprof");
	for (size_t i = 0; i < r->nr_notes; i++)
		document_note(&d, "%s", r->notes[i]);
	document_input(&d, &r->perf);
	document_input(&d, &r->pprof);
	code = document_comparison(&d, &r->c, &with, common, (struct compared_drawn){COMPARE_A_WEIGHT, "perf"},
				   (struct compared_drawn){COMPARE_B_WEIGHT, "pprof"},
				   document_text(&d, "%s, %s", r->perf.path, r->pprof.path));
	document_release(&d);
	return code;
}
