/*
 * The skew as a person reads it: what is wrong, how sure that is, and why.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/compared.h"
#include "cmd/message.h"
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

static void find_user(struct skew_findings *f, const struct compare_metric *user, double taken)
{
	double lost = user->a_share - user->b_share;
	const char *cause = lost > 0 && taken > lost / 2
				    ? "mostly what the preemption path took, see there."
				    : "time that the two charge to other classes, below.";

	if (is_sure(user) && fabs(lost) > WORTH)
		add(f, lost, cause, "pprof shows %.2f %% of CPU in user code, perf %.2f %% (relative error %+.1f %%; 95 %%: %+.1f to %+.1f).",
		    100 * user->b_share, 100 * user->a_share, 100 * user->value, 100 * user->ci_low, 100 * user->ci_high);
}

static void find_metrics(struct skew_findings *f, const struct skew_result *r)
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
	find_user(f, &m[SKEW_USER_CODE_SHARE_ERROR], captured ? preempt->value : 0);
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
	const char *class, *more, *less; /* cause when pprof has more, or less */
} class_causes[] = {
	{"signal", "a profiling signal that waited for another signal's handler (a nil pointer fault, a preemption) is delivered at its end.",
	 "handlers run with the profiling signal blocked."},
	{"gc", NULL, NULL},
	{"allocation", NULL, NULL},
	{"runtime", NULL, NULL},
	{"scheduler", "profiling signals that wait while signals are blocked in the scheduler come out there.",
	 "the scheduler runs in short bursts and on threads that then sleep: between the ticks at which CPU timers are looked at."},
	{"syscall", "a signal that comes while a thread is in the kernel is delivered when it returns.",
	 "a thread that waits for a P after a system call gets no signal."},
};

static void find_classes(struct skew_findings *f, const struct skew_result *r)
{
	for (size_t i = 0; i < sizeof(class_causes) / sizeof(*class_causes); i++) {
		const struct compare_row *row = row_of(r->c.classes, r->c.nr_classes, class_causes[i].class);
		const char *cause;

		if (!row || !(row->q_value < SURE) || fabs(row->difference_self) <= 2 * WORTH)
			continue;
		cause = row->difference_self > 0 ? class_causes[i].more : class_causes[i].less;
		add(f, row->difference_self, cause ? cause : "", "class %s: %.2f %% of CPU in pprof, %.2f %% in perf (q %.2g).",
		    class_causes[i].class, 100 * row->b_self, 100 * row->a_self, row->q_value);
	}
}

void skew_find(const struct skew_result *r, struct skew_findings *f)
{
	f->nr = 0;
	find_coverage(f, r);
	find_metrics(f, r);
	find_classes(f, r);
	qsort(f->list, f->nr, sizeof(*f->list), by_size);
}

/* Words up to the 100th column, further lines indented. */
static void put_wrapped(FILE *f, int column, int indent, const char *text)
{
	while (*text) {
		size_t n = strcspn(text, " ");

		if (column > indent && column + 1 + (int)n > 100) {
			fprintf(f, "\n%*s", indent, "");
			column = indent;
		} else if (column > indent) {
			fputc(' ', f);
			column++;
		}
		fprintf(f, "%.*s", (int)n, text);
		column += (int)n;
		text += n + strspn(text + n, " ");
	}
	fputc('\n', f);
}

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
