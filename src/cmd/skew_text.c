/*
 * The skew as a person reads it.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/compared.h"
#include "cmd/message.h"
#include "cmd/skew.h"

static size_t nr_flagged(const struct comparison *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->nr_functions; i++)
		n += c->functions[i].q_value < 0.05;
	return n;
}

static void put_findings(FILE *f, const struct skew_result *r, bool markdown)
{
	const struct compare_metric *tv = &r->c.metrics[SKEW_TOTAL_VARIATION_SELF];
	struct skew_findings all;
	const char *bold = markdown ? "**" : "";
	size_t flagged = nr_flagged(&r->c);

	skew_find(r, &all);
	if (isnan(tv->p_value))
		fprintf(f, "%swhat is noise cannot be told: the profile does not say how many samples it has%s\n", bold, bold);
	else if (!all.nr && !flagged)
		fprintf(f, "%sno difference beyond sampling noise: read this pprof profile as it stands%s\n", bold, bold);
	else if (!all.nr)
		fprintf(f, "%sas a whole no difference beyond sampling noise; %zu of %zu functions differ, see below%s\n", bold,
			flagged, r->c.nr_functions, bold);
	for (size_t i = 0; i < all.nr; i++) {
		const struct skew_finding *n = &all.list[i];

		if (markdown) {
			fprintf(f, "%zu. %s%s%s\n", i + 1, n->text, *n->cause ? " Cause: " : "", n->cause);
			continue;
		}
		put_wrapped(f, fprintf(f, "%3zu. ", i + 1), 5, n->text);
		if (*n->cause)
			put_wrapped(f, fprintf(f, "     cause: ") , 12, n->cause);
	}
	if (!isnan(tv->value) && isnan(tv->p_value))
		fprintf(f, "\n%.2f %% of all time is charged to another function.\n", 100 * tv->value);
	else if (!isnan(tv->value))
		fprintf(f, "\n%.2f %% of all time is charged to another function; noise alone would show %.2f %% (excess %+.2f, p %.2g).\n",
			100 * tv->value, 100 * tv->noise_floor, 100 * tv->excess, tv->p_value);
}

enum number { FIXED, SIGNED, SHORT };

/* A number of the table, "-" where it cannot be computed. */
static const char *number(char *buf, size_t size, enum number form, double v)
{
	if (isnan(v))
		return "-";
	if (form == SHORT)
		snprintf(buf, size, "%.3g", v);
	else
		snprintf(buf, size, form == SIGNED ? "%+.4f" : "%.4f", v);
	return buf;
}

/* What convert --repair can put right, and what it cannot. */
static void put_repaired(FILE *f, const struct skew_result *r, bool markdown)
{
	const struct compare_metric *before = r->c.metrics, *after = r->repaired.metrics;

	if (!r->has_repaired)
		return;
	fprintf(f, "%sAfter repair (convert -f pprof --repair moves %.2f %% of pprof's time) %.2f %% remain", markdown ? "\n" : "",
		100 * r->moved, 100 * after[SKEW_TOTAL_VARIATION_SELF].value);
	if (!isnan(after[SKEW_TOTAL_VARIATION_SELF].p_value))
		fprintf(f, " (excess %+.2f, p %.2g)", 100 * after[SKEW_TOTAL_VARIATION_SELF].excess,
			after[SKEW_TOTAL_VARIATION_SELF].p_value);
	fputs(",\nwith ", f);
	if (!isnan(after[SKEW_USER_CODE_SHARE_ERROR].value))
		fprintf(f, "user code %+.1f %% off (was %+.1f %%) and ", 100 * after[SKEW_USER_CODE_SHARE_ERROR].value,
			100 * before[SKEW_USER_CODE_SHARE_ERROR].value);
	fprintf(f, "the preemption path %+.2f points (was %+.2f).\n", 100 * after[SKEW_PREEMPTION_CAPTURE_EXCESS].value,
		100 * before[SKEW_PREEMPTION_CAPTURE_EXCESS].value);
}

static void put_metrics(FILE *f, const struct comparison *c, bool markdown)
{
	fputs(markdown ? "\n| value | 95 % from | to | noise | excess | p | perf | pprof | metric |\n"
			 "|---:|---:|---:|---:|---:|---:|---:|---:|---|\n"
		       : "\n    value       95 %        to     noise    excess         p      perf     pprof  metric\n", f);
	for (int i = 0; i < SKEW_METRICS; i++) {
		const struct compare_metric *m = &c->metrics[i];
		const double values[] = {m->value, m->ci_low, m->ci_high, m->noise_floor,
					 m->excess, m->p_value, m->a_share, m->b_share};
		static const enum number forms[] = {FIXED, FIXED, FIXED, FIXED, SIGNED, SHORT, FIXED, FIXED};
		const char *name = skew_metric_name((enum skew_metric)i);
		char text[32];

		fputs(markdown ? "|" : "", f);
		for (size_t k = 0; k < 8; k++)
			fprintf(f, markdown ? " %s |" : "%9s ", number(text, sizeof(text), forms[k], values[k]));
		if (markdown)
			fprintf(f, " `%s` |\n", name);
		else
			fprintf(f, " %s\n", name);
	}
}

static void put_classes(FILE *f, const struct comparison *c, bool markdown)
{
	char x[32], y[32], d[32], q[32];

	fputs(markdown ? "\n| class | perf | pprof | points | q |\n|---|---:|---:|---:|---:|\n"
		       : "\n        perf        pprof      points         q  class\n", f);
	for (size_t i = 0; i < c->nr_classes; i++) {
		const struct compare_row *r = &c->classes[i];

		if (r->a_self <= 0 && r->b_self <= 0)
			continue;
		if (markdown)
			fprintf(f, "| %s | %s | %s | %s | %s |\n", r->name, percent_text(x, sizeof(x), r->a_self),
				percent_text(y, sizeof(y), r->b_self), points_text(d, sizeof(d), r->difference_self),
				number(q, sizeof(q), SHORT, r->q_value));
		else
			fprintf(f, "%12s %12s %11s %9s  %s\n", percent_text(x, sizeof(x), r->a_self),
				percent_text(y, sizeof(y), r->b_self), points_text(d, sizeof(d), r->difference_self),
				number(q, sizeof(q), SHORT, r->q_value), r->name);
	}
}

void skew_text(FILE *f, const struct skew_result *r, size_t top, bool markdown)
{
	fprintf(f, "%sperf   %.0f samples of ", markdown ? "### pprof against perf\n\n" : "", r->c.a_samples);
	put_safe(f, input_event_name(&r->perf, r->a.weight));
	if (r->timed)
		fprintf(f, ", %.2f s of CPU", r->c.a_weight / 1e9);
	fprintf(f, "\n%spprof  ", markdown ? "\n" : "");
	if (!isnan(r->c.b_samples))
		fprintf(f, "%.0f samples, ", r->c.b_samples);
	fprintf(f, "%.2f s of CPU", r->c.b_weight / 1e9);
	if (!isnan(r->coverage))
		fprintf(f, " (%.1f %% of perf's", 100 * r->coverage);
	if (!isnan(r->coverage_low))
		fprintf(f, "; 95 %%: %.1f to %.1f", 100 * r->coverage_low, 100 * r->coverage_high);
	fputs(isnan(r->coverage) ? "\n\n" : ")\n\n", f);
	put_findings(f, r, markdown);
	put_repaired(f, r, markdown);
	if (r->has_paired)
		paired_text(f, &r->paired, r->c.metrics[SKEW_PREEMPTION_CAPTURE_EXCESS].value, markdown);
	put_metrics(f, &r->c, markdown);
	put_classes(f, &r->c, markdown);
	fputc('\n', f);
	compared_table(f, &r->c, top, markdown, "perf", "pprof");
	for (size_t i = 0; i < r->nr_notes; i++) {
		fprintf(f, "%snote: ", i ? "" : "\n");
		put_safe(f, r->notes[i]);
		fputc('\n', f);
	}
}
