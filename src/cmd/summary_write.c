/*
 * Summaries in the forms that people, comments and scripts read.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "base/output.h"
#include "cmd/comment.h"
#include "cmd/escape.h"
#include "cmd/json.h"
#include "cmd/message.h"
#include "cmd/picture.h"
#include "cmd/summary.h"

#define ERRORS_SHOWN 20

/* --- what cells say ------------------------------------------------------------------------------- */

/* "21.70 %" into buf; "–" where it is not known. */
static const char *percent(char *buf, size_t size, double share)
{
	if (isnan(share))
		return "–";
	snprintf(buf, size, "%.2f %%", 100 * share);
	return buf;
}

/* "+1.20 (95 %: 0.40 to 2.00)", in points. */
static const char *points(char *buf, size_t size, double value, double low, double high)
{
	if (isnan(value))
		return "–";
	snprintf(buf, size, "%+.2f (95 %%: %+.2f to %+.2f)", 100 * value, 100 * low, 100 * high);
	return buf;
}

/* "21.70 % skew", or "–" where nothing is wrong. */
static const char *worst(char *buf, size_t size, const struct summary *s)
{
	double share;
	enum summary_worst w = summary_worst(s, &share);

	if (w == SUMMARY_WORSTS)
		return "–";
	snprintf(buf, size, "%.2f %% %s", 100 * share, summary_worst_name(w));
	return buf;
}

/* How far pprof is from perf. */
static const char *beside_pprof(char *buf, size_t size, const struct summary *s)
{
	char missing[64] = "";

	if (!s->has_skew)
		return "–";
	if (summary_badness(s, SUMMARY_MISSING) > 0)
		snprintf(missing, sizeof(missing), ", misses %.1f %%", 100 * (1 - s->coverage));
	if (summary_badness(s, SUMMARY_SKEW) > 0)
		snprintf(buf, size, "%.2f %% of the time elsewhere%s", 100 * summary_badness(s, SUMMARY_SKEW), missing);
	else if (isnan(s->metrics[SKEW_TOTAL_VARIATION_SELF].p_value))
		snprintf(buf, size, "noise is not known%s", missing);
	else
		snprintf(buf, size, "as a whole no difference beyond noise%s", missing);
	return buf;
}

/* What grew, with the function's name by `put`. */
static void put_growth(FILE *f, const struct summary *s, void (*put)(FILE *f, const char *name))
{
	char buf[96];

	if (s->grown && !(s->growth_low > 0)) {
		fputs("no function grew beyond noise", f);
		return;
	}
	if (s->grown) {
		put(f, s->grown);
		fputc(' ', f);
	}
	fputs(points(buf, sizeof(buf), s->growth, s->growth_low, s->growth_high), f);
}

static void put_name(FILE *f, const char *name)
{
	put_safe(f, name);
}

static void put_code(FILE *f, const char *name)
{
	put_markdown_code(f, name, COMMENT_NAME);
}

static const char *total(char *buf, size_t size, const struct summary *s)
{
	return isnan(s->total) ? "–" : format_value(buf, size, s->total, s->unit);
}

static const char *number(char *buf, size_t size, double v)
{
	return isnan(v) ? "–" : format_value(buf, size, v, "count");
}

static const char *skew_excess(char *buf, size_t size, const struct summary *s)
{
	const struct compare_metric *tv = &s->metrics[SKEW_TOTAL_VARIATION_SELF];

	return points(buf, size, tv->excess, tv->ci_low - tv->noise_floor, tv->ci_high - tv->noise_floor);
}

static const char *plural(size_t n)
{
	return n == 1 ? "" : "s";
}

static size_t rows(const struct summaries *s, size_t top)
{
	return top && top < s->nr ? top : s->nr;
}

/* "skew: time that …; missing: …": what the column stands for. */
static void put_order(FILE *f)
{
	static const struct {
		const char *name, *help;
	} kinds[] = {
#define X(id, name, help) {name, help},
		FOREACH_SUMMARY_WORST(X)
#undef X
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		fprintf(f, "%s%s: %s", i ? "; " : "", kinds[i].name, kinds[i].help);
}

/* --- text ---------------------------------------------------------------------------------------------- */

/* In so many columns, to the right, with one free at least; "–" is one column of three bytes. */
static void put_right(FILE *f, int columns, const char *s)
{
	fprintf(f, " %*s", columns - 1 + (strcmp(s, "–") ? 0 : 2), s);
}

static void text_row(FILE *f, const struct summaries *all, const struct summary *s)
{
	char buf[96];

	put_right(f, 16, worst(buf, sizeof(buf), s));
	put_right(f, 15, total(buf, sizeof(buf), s));
	put_right(f, 11, number(buf, sizeof(buf), s->samples));
	fputs("  ", f);
	put_safe(f, s->item->name);
	fputs(damage_total(&s->damage) ? " (damaged)" : "", f);
	if (s->top && !all->skew) {
		fprintf(f, ": %.2f %% ", 100 * s->top_share);
		put_safe(f, s->top);
	}
	if (s->has_skew)
		fprintf(f, "%s pprof %s", all->skew ? ":" : ";", beside_pprof(buf, sizeof(buf), s));
	if (!isnan(s->growth)) {
		fputs("; since baseline ", f);
		put_growth(f, s, put_name);
	}
	fputc('\n', f);
	if (all->skew && s->finding) {
		put_wrapped(f, fprintf(f, "%19s", ""), 19, s->finding);
		if (s->cause)
			put_wrapped(f, fprintf(f, "%19scause: ", ""), 26, s->cause);
	}
}

static void write_text(FILE *f, const struct summaries *s, size_t top)
{
	size_t shown = rows(s, top);

	fprintf(f, "# %zu recording%s, worst first\n#          worst          total    samples  recording\n", s->nr, plural(s->nr));
	for (size_t i = 0; i < shown; i++)
		text_row(f, s, &s->v[i]);
	if (shown < s->nr)
		fprintf(f, "# %zu more\n", s->nr - shown);
}

/* --- markdown -------------------------------------------------------------------------------------------- */

/*
 * A comment shows no images of its own (no data: addresses, no SVG), but text in
 * colour: so many squares for the time by what is at the leaf.
 */
#define SQUARES 10
static const char *const squares[RENDER_KINDS] = {
	[RENDER_ROOT] = "⬜", [RENDER_APP] = "🟩", [RENDER_STD] = "🟦", [RENDER_GC] = "🟧", [RENDER_SCHED] = "🟨",
	[RENDER_ALLOC] = "🟫", [RENDER_RUNTIME] = "🟪", [RENDER_NATIVE] = "⬛", [RENDER_KERNEL] = "🟥",
	[RENDER_LABEL] = "⬜", [RENDER_UNKNOWN] = "⬜", [RENDER_WAIT] = "⬜",
};
static const char *const kind_texts[RENDER_KINDS] = {
#define X(id, key, text) [id] = text,
	FOREACH_RENDER_KIND(X)
#undef X
};
static const char *const kind_keys[RENDER_KINDS] = {
#define X(id, key, text) [id] = key,
	FOREACH_RENDER_KIND(X)
#undef X
};

static void put_squares(FILE *f, const struct summary *s)
{
	unsigned cells[RENDER_KINDS];

	summary_cells(s->kinds, SQUARES, cells);
	for (int k = 0; k < RENDER_KINDS; k++)
		for (unsigned i = 0; i < cells[k]; i++)
			fputs(squares[k], f);
}

static void markdown_legend(FILE *f, const struct summaries *s, size_t shown)
{
	bool used[RENDER_KINDS] = {false};
	unsigned cells[RENDER_KINDS];

	for (size_t i = 0; i < shown; i++) {
		summary_cells(s->v[i].kinds, SQUARES, cells);
		for (int k = 0; k < RENDER_KINDS; k++)
			used[k] |= cells[k] > 0;
	}
	fputs("\nEach square is a tenth of the time, by what ran:", f);
	for (int k = 0; k < RENDER_KINDS; k++)
		if (used[k])
			fprintf(f, " %s %s", squares[k], kind_texts[k]);
	fputs(". ", f);
}

static void put_text_cell(FILE *f, const char *s)
{
	for (; *s; s++)
		fputs(*s == '|' ? "\\|" : *s == '<' ? "&lt;" : (char[]){*s, '\0'}, f);
}

static void markdown_row(FILE *f, const struct summaries *all, const struct summary *s)
{
	char buf[96];

	fputs(damage_total(&s->damage) ? "| ⚠️ damaged " : "| ", f);
	put_markdown_code(f, s->item->name, COMMENT_NAME);
	fprintf(f, " | %s | ", worst(buf, sizeof(buf), s));
	if (all->skew) {
		fprintf(f, "%s | %s | ", skew_excess(buf, sizeof(buf), s), isnan(s->coverage) ? "–" : percent((char[32]){0}, 32, s->coverage));
		put_text_cell(f, s->finding ? s->finding : beside_pprof(buf, sizeof(buf), s));
		if (s->cause) {
			fputs("<br>Cause: ", f);
			put_text_cell(f, s->cause);
		}
	} else {
		put_squares(f, s);
		fprintf(f, " | %s | ", total(buf, sizeof(buf), s));
		if (s->top) {
			put_markdown_code(f, s->top, COMMENT_NAME);
			fprintf(f, " %.2f %%", 100 * s->top_share);
		}
		fprintf(f, " | %s", beside_pprof(buf, sizeof(buf), s));
	}
	if (all->baseline) {
		fputs(" | ", f);
		put_growth(f, s, put_code);
	}
	fputs(" |\n", f);
}

static void markdown_head(FILE *f, const struct summaries *s)
{
	fprintf(f, "### perfskew: %zu recording%s%s\n\n", s->nr, plural(s->nr), s->skew ? ", pprof against perf" : "");
	for (size_t i = 0; i < s->nr_errors && i < ERRORS_SHOWN; i++) {
		fputs("- ⚠️ ", f);
		put_markdown_code(f, s->errors[i].text, 300);
		fputc('\n', f);
	}
	if (s->nr_errors > ERRORS_SHOWN)
		fprintf(f, "- and %zu more that could not be read\n", s->nr_errors - ERRORS_SHOWN);
	fputs(s->nr_errors ? "\n" : "", f);
	fputs(s->skew ? "| recording | worst | skew beyond noise, points | pprof has of perf's time | first finding |"
		      : "| recording | worst | by what ran | total | most in | pprof against perf |", f);
	fputs(s->baseline ? " since baseline, points |\n" : "\n", f);
	fputs(s->skew ? "|---|---:|---:|---:|---|" : "|---|---:|---|---:|---|---|", f);
	fputs(s->baseline ? "---|\n" : "\n", f);
}

void summaries_markdown(FILE *f, const struct summaries *s, size_t top)
{
	size_t shown = 0, wanted = rows(s, top);
	struct comment c;

	if (!comment_start(&c, f))
		return;
	markdown_head(c.row, s);
	comment_take(&c);
	for (; shown < wanted; shown++) {
		markdown_row(c.row, s, &s->v[shown]);
		if (!comment_take(&c))
			break;
	}
	comment_end(&c);
	if (s->skew)
		fputc('\n', f);
	else
		markdown_legend(f, s, shown);
	fputs("Worst first, by the largest of ", f);
	put_order(f);
	fputs(".\n", f);
	if (shown < s->nr)
		fprintf(f, "\n%zu more recording%s follow%s in that order and %s not shown%s.\n", s->nr - shown, plural(s->nr - shown),
			s->nr - shown == 1 ? "s" : "", s->nr - shown == 1 ? "is" : "are",
			shown < wanted ? ": a comment holds no more" : "");
}

static void write_markdown(FILE *f, const struct summaries *s, size_t top)
{
	summaries_markdown(f, s, top);
}

/* --- JSON ---------------------------------------------------------------------------------------------------- */

static void json_skew(struct json_object *o, const struct summary *s)
{
	struct json_object *skew, *metrics, *c;

	if (!s->has_skew) {
		json_add_str(o, "skew", NULL);
		return;
	}
	skew = json_add_obj(o, "skew");
	c = json_add_obj(skew, "coverage");
	json_add_num(c, "value", s->coverage);
	json_add_range(c, "ci95", s->coverage_low, s->coverage_high);
	metrics = json_add_obj(skew, "metrics");
	for (int i = 0; i < SKEW_METRICS; i++) {
		const struct compare_metric *m = &s->metrics[i];

		c = json_add_obj(metrics, skew_metric_name((enum skew_metric)i));
		json_add_num(c, "value", m->value);
		json_add_range(c, "ci95", m->ci_low, m->ci_high);
		json_add_num(c, "noise_floor", m->noise_floor);
		json_add_num(c, "excess", m->excess);
		json_add_num(c, "p_value", m->p_value);
	}
	json_add_u64(skew, "findings", s->findings);
	json_add_str(skew, "finding", s->finding);
	json_add_str(skew, "cause", s->cause);
}

static void json_row(struct json_object *arr, const struct summary *s)
{
	struct json_object *o = json_append_obj(arr), *part;
	double share;
	enum summary_worst w = summary_worst(s, &share);

	json_add_str(o, "recording", s->item->name);
	json_add_str(o, "path", s->item->path);
	json_add_str(o, "pprof", s->item->pprof);
	part = json_add_obj(o, "worst");
	json_add_str(part, "what", summary_worst_name(w));
	json_add_num(part, "share", share);
	json_add_str(o, "event", s->event);
	json_add_str(o, "unit", s->unit);
	json_add_num(o, "total", s->total);
	json_add_num(o, "samples", s->samples);
	json_add_num(o, "lost", s->lost);
	json_add_num(o, "truncated", s->cut);
	part = json_add_obj(o, "kinds");
	for (int k = 0; k < RENDER_KINDS; k++)
		if (s->kinds[k] > 0)
			json_add_num(part, kind_keys[k], s->kinds[k]);
	part = json_add_obj(o, "top");
	json_add_str(part, "name", s->top);
	json_add_num(part, "share", s->top_share);
	json_add_damage(o, &s->damage);
	json_skew(o, s);
	if (isnan(s->growth)) {
		json_add_str(o, "growth", NULL);
		return;
	}
	part = json_add_obj(o, "growth");
	json_add_str(part, "function", s->grown);
	json_add_num(part, "value", s->growth);
	json_add_range(part, "ci95", s->growth_low, s->growth_high);
}

static int write_json(const struct summaries *s, size_t top, const struct common_options *o)
{
	struct json_object *doc = json_document("perfskew.batch.v1"), *arr;
	size_t shown = rows(s, top);

	json_add_u64(doc, "read", s->nr);
	arr = json_add_arr(doc, "recordings");
	for (size_t i = 0; i < shown; i++)
		json_row(arr, &s->v[i]);
	arr = json_add_arr(doc, "errors");
	for (size_t i = 0; i < s->nr_errors; i++) {
		struct json_object *e = json_append_obj(arr);

		json_add_str(e, "recording", s->errors[i].item->name);
		json_add_str(e, "path", s->errors[i].item->path);
		json_add_str(e, "error", s->errors[i].text);
	}
	return json_write(doc, o);
}

/* --- HTML ---------------------------------------------------------------------------------------------------- */

static const char *keep(struct arena *a, const char *s)
{
	size_t n = strlen(s) + 1;

	return memcpy(arena_alloc(a, n), s, n);
}

/* Below the name: what most of it was in, what grew. */
static const char *html_detail(struct arena *a, const struct summaries *all, const struct summary *s)
{
	char *text = NULL;
	const char *kept;

	if (!all->skew && s->top)
		text = xasprintf("%.2f %% in %s", 100 * s->top_share, s->top);
	if (s->grown && s->growth_low > 0) {
		char *more = xasprintf("%s%smost growth: %s", text ? text : "", text ? "; " : "", s->grown);

		free(text);
		text = more;
	}
	if (damage_total(&s->damage)) {
		char *more = xasprintf("damaged%s%s", text ? "; " : "", text ? text : "");

		free(text);
		text = more;
	}
	kept = text ? keep(a, text) : NULL;
	free(text);
	return kept;
}

enum { HTML_NAME, HTML_WORST, HTML_SKEW, HTML_COVERAGE, HTML_TOTAL, HTML_SAMPLES, HTML_LOST, HTML_CUT, HTML_GROWTH, HTML_COLUMNS };
static const char *const html_heads[HTML_COLUMNS] = {
	"Recording", "Worst", "Skew beyond noise", "pprof has", "Total", "Samples", "Lost", "Cut", "Since baseline",
};

static void html_row(struct arena *a, const char **cells, const struct summaries *all, const struct summary *s)
{
	char buf[96];

	cells[HTML_NAME] = s->item->name;
	cells[HTML_WORST] = keep(a, worst(buf, sizeof(buf), s));
	cells[HTML_TOTAL] = keep(a, total(buf, sizeof(buf), s));
	cells[HTML_SAMPLES] = keep(a, number(buf, sizeof(buf), s->samples));
	cells[HTML_LOST] = keep(a, percent(buf, sizeof(buf), s->lost));
	cells[HTML_CUT] = keep(a, percent(buf, sizeof(buf), s->cut));
	cells[HTML_SKEW] = s->has_skew ? keep(a, percent(buf, sizeof(buf), s->metrics[SKEW_TOTAL_VARIATION_SELF].excess)) : "–";
	cells[HTML_COVERAGE] = keep(a, percent(buf, sizeof(buf), s->coverage));
	if (all->baseline)
		cells[HTML_GROWTH] = keep(a, points(buf, sizeof(buf), s->growth, s->growth_low, s->growth_high));
}

static const char *html_legend(struct arena *a, const struct summaries *s)
{
	bool used[RENDER_KINDS] = {false};
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);
	const char *kept = NULL;

	for (size_t i = 0; i < s->nr; i++)
		for (int k = 0; k < RENDER_KINDS; k++)
			used[k] |= s->v[i].kinds[k] > 0;
	if (f) {
		render_strip_legend(f, s->skew ? NULL : used, "perf", "pprof");
		kept = fclose(f) == 0 ? keep(a, text) : NULL;
	}
	free(text);
	return kept;
}

/* The first finding of each of the worst. */
#define HTML_FINDINGS 5
static size_t html_findings(struct arena *a, struct render_finding *findings, const struct summaries *s, size_t shown)
{
	size_t nr = 0;

	for (size_t i = 0; i < shown && nr < HTML_FINDINGS; i++) {
		char *text;

		if (!s->v[i].finding)
			continue;
		text = xasprintf("%s: %s", s->v[i].item->name, s->v[i].finding);
		findings[nr++] = (struct render_finding){keep(a, text), s->v[i].cause};
		free(text);
	}
	return nr;
}

static const char *html_order(struct arena *a, size_t hidden)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);
	const char *kept = NULL;

	if (f) {
		fputs("By the largest of ", f);
		put_order(f);
		fputs(". Skew is a share of all time; pprof has so much of perf's time.", f);
		if (hidden)
			fprintf(f, " %zu more are not shown.", hidden);
		kept = fclose(f) == 0 ? keep(a, text) : NULL;
	}
	free(text);
	return kept;
}

static int write_html(const struct summaries *s, size_t top, const struct common_options *o)
{
	size_t shown = rows(s, top), columns = s->baseline ? HTML_COLUMNS : HTML_COLUMNS - 1;
	struct arena a = {0};
	const char **cells = arena_alloc(&a, (shown * columns + 1) * sizeof(*cells));
	const char **help = arena_alloc(&a, (shown + 1) * sizeof(*help)), **pictures = arena_alloc(&a, (shown + 1) * sizeof(*pictures));
	const char **notes = arena_alloc(&a, (s->nr_errors + 1) * sizeof(*notes));
	const struct render_table table = {
		.title = "Worst first", .help = html_order(&a, s->nr - shown), .heads = html_heads, .nr_heads = columns,
		.cells = cells, .nr_rows = shown, .row_help = help, .pictures = pictures, .legend = html_legend(&a, s),
	};
	char count[2][64];
	struct render_finding *findings = arena_alloc(&a, HTML_FINDINGS * sizeof(*findings));
	const struct render_field fields[] = {
		{"Recordings", number(count[0], sizeof(count[0]), (double)s->nr)},
		{"Could not be read", number(count[1], sizeof(count[1]), (double)s->nr_errors)},
	};
	const struct render_report r = {.tables = &table, .nr_tables = 1, .summary = fields, .nr_summary = s->nr_errors ? 2 : 1,
					.findings = findings, .nr_findings = html_findings(&a, findings, s, shown),
					.notes = notes, .nr_notes = s->nr_errors};
	const struct picture_options options = {.title = s->skew ? "Recordings: pprof against perf" : "Recordings"};
	int code;

	for (size_t i = 0; i < shown; i++) {
		html_row(&a, cells + i * columns, s, &s->v[i]);
		help[i] = html_detail(&a, s, &s->v[i]);
		pictures[i] = s->v[i].picture;
	}
	for (size_t i = 0; i < s->nr_errors; i++)
		notes[i] = s->errors[i].text;
	code = picture_write_report(&r, &options, NULL, o);
	arena_release(&a);
	return code;
}

/* --- the table of forms ------------------------------------------------------------------------------------ */

static const struct {
	const char *name;
	void (*put)(FILE *f, const struct summaries *s, size_t top);
	int (*write)(const struct summaries *s, size_t top, const struct common_options *o);
} formats[] = {
	{"text", write_text, NULL}, {"markdown", write_markdown, NULL}, {"html", NULL, write_html}, {"json", NULL, write_json},
};

static size_t find_format(const char *name)
{
	size_t i = 0;

	while (i < sizeof(formats) / sizeof(*formats) && strcmp(formats[i].name, name) != 0)
		i++;
	return i;
}

bool summaries_format(const char *format)
{
	return find_format(format) < sizeof(formats) / sizeof(*formats);
}

const char *summaries_wanted(const struct common_options *o)
{
	const char *dot = !o->format && o->output ? strrchr(o->output, '.') : NULL;

	return o->format ? o->format : dot && !strcmp(dot, ".html") ? "html" : "text";
}

int summaries_write(const struct summaries *s, const char *format, size_t top, const struct common_options *o)
{
	size_t i = find_format(format);
	struct output out;
	struct error e;

	if (formats[i].write)
		return formats[i].write(s, top, o);
	if (output_open(&out, o->output, &e) < 0)
		return fail(&e);
	formats[i].put(out.f, s, top);
	return output_commit(&out, &e) < 0 ? fail(&e) : EXIT_CODE_OK;
}
