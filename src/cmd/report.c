/*
 * perfskew report: functions with self and cumulative values, as a table, markdown, JSON or HTML;
 * of many recordings a line each.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/output.h"
#include "cmd/cmd.h"
#include "cmd/color.h"
#include "cmd/comment.h"
#include "cmd/confine.h"
#include "cmd/document.h"
#include "cmd/escape.h"
#include "cmd/golabels.h"
#include "cmd/input.h"
#include "cmd/json.h"
#include "cmd/message.h"
#include "cmd/summary.h"
#include "cmd/traceinfo.h"

struct report {
	struct common_options common;
	struct read_options read;
	struct weight_options weight;
	struct {
		size_t top;
		int sort;
		double limit;
		const char *pprof;
	} table;
	struct batch_options batch;
};

static const char *const sort_choices[] = {"self", "cum", NULL};

#define ROW(name, letter, type, field, arg, help, choices)                     \
	{name, letter, type, offsetof(struct report, table.field) - offsetof(struct report, table), arg, help, choices}
static const struct opt table_opts[] = {
	ROW("top", 'n', OPT_SIZE, top, "N", "so many functions (30, all as JSON), or recordings (all)", NULL),
	ROW("sort", 's', OPT_CHOICE, sort, "WHAT", "self or cum", sort_choices),
	ROW("percent-limit", 0, OPT_DOUBLE, limit, "P", "no functions below P percent", NULL),
	ROW("pprof", 0, OPT_STRING, pprof, "FILE", "with --by goroutine: Go's CPU profile of the same run, for labels", NULL),
	{0},
};

static const struct opt_group groups[] = {
	OPT_GROUP("Input and output", common_opts, struct report, common),
	OPT_GROUP("Samples and stacks", read_opts, struct report, read),
	OPT_GROUP("Values", weight_opts, struct report, weight),
	OPT_GROUP("Table", table_opts, struct report, table),
	OPT_GROUP("Many recordings", batch_opts, struct report, batch),
	{0},
};

static int by_cum(const void *a, const void *b)
{
	const struct profile_function *x = a, *y = b;

	if (x->cum != y->cum)
		return x->cum > y->cum ? -1 : 1;
	return x->self > y->self ? -1 : x->self < y->self;
}

static double percent(int64_t value, int64_t total)
{
	return total ? 100.0 * (double)value / (double)total : 0;
}

/* A share, coloured where that is wanted; the width is that of the text. */
static void put_percent(FILE *f, bool color, double value)
{
	fprintf(f, " %s%6.2f%%%s", color_start(color, color_of_percent(value)), value, color_start(color, COLOR_PLAIN));
}

static int write_text(const struct report *o, const struct input *in, size_t series,
		      const struct profile_function *f, size_t nr)
{
	const struct profile *p = &in->profile;
	const char *unit = profile_str(p, p->series[series].unit);
	int64_t total = p->series[series].total;
	struct output out;
	struct error e;
	char a[64];
	bool color;

	if (output_open(&out, o->common.output, &e) < 0)
		return fail(&e);
	color = color_wanted(&o->common, out.f);
	fprintf(out.f, "%s# ", color_start(color, COLOR_HEAD));
	put_safe(out.f, in->path);
	fprintf(out.f, ": ");
	put_safe(out.f, input_event_name(in, series));
	fprintf(out.f, ", total %s%s\n", format_value(a, sizeof(a), (double)total, unit),
		strcmp(unit, "count") ? "" : strcmp(profile_str(p, p->series[series].type), "samples") ? " counts" : " samples");
	fprintf(out.f, "#  self  self %%       cum   cum %%  function%s\n", color_start(color, COLOR_PLAIN));
	for (size_t i = 0; i < nr; i++) {
		fprintf(out.f, "%11s", format_value(a, sizeof(a), (double)f[i].self, unit));
		put_percent(out.f, color, percent(f[i].self, total));
		fprintf(out.f, " %11s", format_value(a, sizeof(a), (double)f[i].cum, unit));
		put_percent(out.f, color, percent(f[i].cum, total));
		fputs("  ", out.f);
		put_safe(out.f, profile_str(p, f[i].name));
		fprintf(out.f, "%s\n", f[i].kind == FRAME_KERNEL ? " [k]" : "");
	}
	return output_commit(&out, &e) < 0 ? fail(&e) : EXIT_CODE_OK;
}

/* The line that says what was counted, for a table of so many columns. */
static void markdown_head(FILE *f, const struct input *in, const char *event, double all, const char *unit, const char *columns)
{
	char a[64];

	fputs("### ", f);
	put_markdown_code(f, in->path, COMMENT_NAME);
	fputs("\n\n", f);
	put_markdown_code(f, event, COMMENT_NAME);
	fprintf(f, ", total %s%s\n\n%s", format_value(a, sizeof(a), all, unit), strcmp(unit, "count") ? "" : " counts", columns);
}

/* What did not fit, or was not asked for, is counted. */
static int markdown_end(struct comment *c, struct output *out, size_t left)
{
	struct error e;

	comment_end(c);
	if (left)
		fprintf(out->f, "\n%zu more rows are not shown.\n", left);
	return output_commit(out, &e) < 0 ? fail(&e) : EXIT_CODE_OK;
}

static int markdown_start(struct comment *c, struct output *out, const struct report *o)
{
	struct error e;

	if (output_open(out, o->common.output, &e) < 0)
		return fail(&e);
	if (comment_start(c, out->f))
		return EXIT_CODE_OK;
	output_discard(out);
	error_set(&e, EXIT_CODE_LIMIT, "no memory for the table");
	return fail(&e);
}

/* all: functions there are; nr of them are wanted. */
static int write_markdown(const struct report *o, const struct input *in, size_t series, const struct profile_function *f,
			  size_t nr, size_t all)
{
	const struct profile *p = &in->profile;
	const char *unit = profile_str(p, p->series[series].unit);
	int64_t total = p->series[series].total;
	struct comment c;
	struct output out;
	size_t shown = 0;
	char self[64], cum[64];
	int code = markdown_start(&c, &out, o);

	if (code)
		return code;
	markdown_head(c.row, in, input_event_name(in, series), (double)total, unit,
		      "| function | self | | cum | |\n|---|---:|---:|---:|---:|\n");
	comment_take(&c);
	for (; shown < nr; shown++) {
		fputs("| ", c.row);
		put_markdown_code(c.row, profile_str(p, f[shown].name), COMMENT_NAME);
		fprintf(c.row, "%s | %s | %.2f %% | %s | %.2f %% |\n", f[shown].kind == FRAME_KERNEL ? " [k]" : "",
			format_value(self, sizeof(self), (double)f[shown].self, unit), percent(f[shown].self, total),
			format_value(cum, sizeof(cum), (double)f[shown].cum, unit), percent(f[shown].cum, total));
		if (!comment_take(&c))
			break;
	}
	return markdown_end(&c, &out, all - shown);
}

static void json_functions(struct json_object *doc, const struct profile *p, const struct profile_function *f, size_t nr)
{
	struct json_object *arr = json_add_arr(doc, "functions");

	for (size_t i = 0; i < nr; i++) {
		struct json_object *row = json_append_obj(arr);
		const char *file = profile_str(p, f[i].file);

		json_add_str(row, "name", profile_str(p, f[i].name));
		json_add_str(row, "dso", profile_str(p, f[i].dso));
		json_add_str(row, "file", *file ? file : NULL);
		if (f[i].line)
			json_add_i64(row, "line", f[i].line);
		else
			json_add_str(row, "line", NULL);
		json_add_i64(row, "self", f[i].self);
		json_add_i64(row, "cum", f[i].cum);
	}
}

static int write_json(const struct report *o, const struct input *in, size_t series,
		      const struct profile_function *f, size_t nr)
{
	const struct profile *p = &in->profile;
	struct json_object *doc = json_document("perfskew.report.v1");

	json_add_str(doc, "event", input_event_name(in, series));
	json_add_str(doc, "unit", profile_str(p, p->series[series].unit));
	json_add_i64(doc, "total", p->series[series].total);
	json_functions(doc, p, f, nr);
	json_add_damage(doc, &in->damage);
	return json_write(doc, &o->common);
}

/* --- --by goroutine: who ran, instead of what ------------------------------------- */

struct goroutine_rows {
	const struct collect_goroutine *rows;
	size_t nr;
	int64_t total;
	bool weight, by_id; /* period, not samples; one row a goroutine */
	const char *unit;
	const struct golabels *labels; /* NULL: no profile that could have any */
};

static double row_value(const struct goroutine_rows *r, const struct collect_goroutine *g)
{
	return (double)(r->weight ? g->weight : g->samples);
}

/* What the trace knows of a goroutine, or NULL. */
static const struct trace_goroutine *traced(const struct input *in, const struct collect_goroutine *g)
{
	return in->has_trace && g->goid ? trace_goroutine(&in->trace, g->goid) : NULL;
}

/* ", waiting, created by main.main in goroutine 1, from 0.013 to 2.500 s" */
static void put_traced(FILE *f, const struct input *in, const struct collect_goroutine *g)
{
	const struct trace_goroutine *t = traced(in, g);
	double start = (double)in->collect.time_first;

	if (!t)
		return;
	fprintf(f, ", %s", trace_state_name((enum trace_state)t->state));
	if (t->label) {
		fputs(", label ", f);
		put_safe(f, trace_str(&in->trace, t->label));
	}
	if (t->created_by || t->parent) {
		fputs(", ", f);
		traceinfo_created_by(f, &in->trace, t);
	}
	if (t->created)
		fprintf(f, ", from %.3f", ((double)t->created - start) / 1e9);
	if (t->ended)
		fprintf(f, "%s to %.3f", t->created ? "" : ", from before the trace", ((double)t->ended - start) / 1e9);
	if (t->created || t->ended)
		fputs(" s", f);
}

static int goroutines_text(const struct report *o, const struct input *in, const struct goroutine_rows *r)
{
	const struct collect *c = &in->collect;
	struct output out;
	struct error e;
	char a[64];
	bool color;

	if (output_open(&out, o->common.output, &e) < 0)
		return fail(&e);
	color = color_wanted(&o->common, out.f);
	fprintf(out.f, "%s# ", color_start(color, COLOR_HEAD));
	put_safe(out.f, in->path);
	fprintf(out.f, ": ");
	put_safe(out.f, c->events[c->main_event].name);
	fprintf(out.f, ", total %s\n", format_value(a, sizeof(a), (double)r->total, r->unit));
	fprintf(out.f, "#   time       %%  samples %sthreads    first s     last s  name%s\n", r->by_id ? "" : "goroutines  ",
		color_start(color, COLOR_PLAIN));
	for (size_t i = 0; i < r->nr; i++) {
		const struct collect_goroutine *g = &r->rows[i];

		fprintf(out.f, "%8s", format_value(a, sizeof(a), row_value(r, g), r->unit));
		put_percent(out.f, color, percent((int64_t)row_value(r, g), r->total));
		fprintf(out.f, " %8" PRIu64 " ", g->samples);
		if (!r->by_id)
			fprintf(out.f, "%10" PRIu64 "  ", g->goroutines);
		fprintf(out.f, "%7" PRIu64 " %10.3f %10.3f  ", g->threads, (double)(g->time_first - c->time_first) / 1e9,
			(double)(g->time_last - c->time_first) / 1e9);
		put_safe(out.f, profile_str(&in->profile, g->name));
		put_traced(out.f, in, g);
		if (r->labels && g->entry)
			golabels_text(out.f, ", labels ", r->labels, profile_str(&in->profile, g->entry));
		fputc('\n', out.f);
	}
	return output_commit(&out, &e) < 0 ? fail(&e) : EXIT_CODE_OK;
}

/* " `route=/zip 62 %, none 38 %` |": a cell of its own. */
static void put_labels_cell(FILE *f, const struct input *in, const struct goroutine_rows *r, const struct collect_goroutine *g)
{
	char *text = NULL;
	size_t size;
	FILE *memory = open_memstream(&text, &size);

	if (!memory)
		alloc_failed(1);
	if (g->entry)
		golabels_text(memory, "", r->labels, profile_str(&in->profile, g->entry));
	fclose(memory);
	fputc(' ', f);
	if (size)
		put_markdown_code(f, text, COMMENT_NAME);
	fputs(" |", f);
	free(text);
}

/* all: rows there are, r->nr of them are wanted. */
static int goroutines_markdown(const struct report *o, const struct input *in, const struct goroutine_rows *r, size_t all)
{
	const struct collect *c = &in->collect;
	struct comment m;
	struct output out;
	size_t shown = 0;
	char a[64];
	bool labelled = r->labels && r->labels->nr;
	int code = markdown_start(&m, &out, o);

	if (code)
		return code;
	markdown_head(m.row, in, c->events[c->main_event].name, (double)r->total, r->unit, "");
	fprintf(m.row, "| %s | time | | samples |%s threads | first s | last s |%s\n|---|---:|---:|---:|%s---:|---:|---:|%s\n",
		r->by_id ? "goroutine" : "goroutines", r->by_id ? "" : " how many |", labelled ? " labels |" : "",
		r->by_id ? "" : "---:|", labelled ? "---|" : "");
	comment_take(&m);
	for (; shown < r->nr; shown++) {
		const struct collect_goroutine *g = &r->rows[shown];

		fputs("| ", m.row);
		put_markdown_code(m.row, profile_str(&in->profile, g->name), COMMENT_NAME);
		fprintf(m.row, " | %s | %.2f %% | %" PRIu64 " |", format_value(a, sizeof(a), row_value(r, g), r->unit),
			percent((int64_t)row_value(r, g), r->total), g->samples);
		if (!r->by_id)
			fprintf(m.row, " %" PRIu64 " |", g->goroutines);
		fprintf(m.row, " %" PRIu64 " | %.3f | %.3f |", g->threads, (double)(g->time_first - c->time_first) / 1e9,
			(double)(g->time_last - c->time_first) / 1e9);
		if (labelled)
			put_labels_cell(m.row, in, r, g);
		fputc('\n', m.row);
		if (!comment_take(&m))
			break;
	}
	return markdown_end(&m, &out, all - shown);
}

/* The functions of all of them stand beside, as in every report. */
static int goroutines_json(const struct report *o, const struct input *in, const struct goroutine_rows *r,
			   const struct profile_function *f, size_t nr)
{
	const struct collect *c = &in->collect;
	struct json_object *doc = json_document("perfskew.report.v1"), *arr;
	char g_text[32];

	json_add_str(doc, "event", c->events[c->main_event].name);
	json_add_str(doc, "unit", r->unit);
	json_add_i64(doc, "total", r->total);
	arr = json_add_arr(doc, "goroutines");
	for (size_t i = 0; i < r->nr; i++) {
		const struct collect_goroutine *g = &r->rows[i];
		struct json_object *row = json_append_obj(arr);

		json_add_str(row, "name", profile_str(&in->profile, g->name));
		json_add_str(row, "entry", g->entry ? profile_str(&in->profile, g->entry) : NULL);
		json_add_str(row, "kind", goroutine_kind_key((enum goroutine_kind)g->kind));
		if (r->by_id) {
			snprintf(g_text, sizeof(g_text), "%#" PRIx64, g->g);
			json_add_str(row, "g", g->g ? g_text : NULL);
			if (traced(in, g))
				traceinfo_goroutine_json(row, &in->trace, traced(in, g));
		} else {
			json_add_u64(row, "goroutines", g->goroutines);
		}
		json_add_u64(row, "samples", g->samples);
		json_add_u64(row, "value", r->weight ? g->weight : g->samples);
		json_add_num(row, "share", r->total ? row_value(r, g) / (double)r->total : 0);
		json_add_u64(row, "time_first", g->time_first);
		json_add_u64(row, "time_last", g->time_last);
		json_add_u64(row, "threads", g->threads);
		if (r->labels)
			golabels_json(row, r->labels, g->entry ? profile_str(&in->profile, g->entry) : "");
	}
	json_functions(doc, &in->profile, f, nr);
	json_add_damage(doc, &in->damage);
	return json_write(doc, &o->common);
}

/* A profile does not tell goroutines of one entry function apart: labels are of entry functions. */
static bool labels_wanted(const struct report *o)
{
	return o->read.by && !strcmp(o->read.by, "goroutine");
}

static bool counts_cpu_time(const struct profile *p)
{
	return p->nr_series > 1 && !strcmp(profile_str(p, p->series[0].type), "samples") &&
	       !strcmp(profile_str(p, p->series[1].type), "cpu");
}

/* Go's profile of the same run; what is wrong with it is an error where it was named, else a note. */
static int load_labels(const struct report *o, const char *path, struct input *profile, struct golabels *labels)
{
	const struct read_options plain = {0};
	int loaded;
	struct error e;

	loaded = input_load(profile, path, &plain, &o->common, NULL, &e);
	if (!loaded && profile->kind == INPUT_PPROF && counts_cpu_time(&profile->profile)) {
		golabels_make(labels, &profile->profile);
		return EXIT_CODE_OK;
	}
	if (!loaded) {
		error_set(&e, EXIT_CODE_USAGE, "%s: is not a CPU profile of Go's: it has no labels", path);
		input_release(profile);
	}
	if (o->table.pprof)
		return fail(&e);
	note(&o->common, "%s", e.text);
	return EXIT_CODE_OK;
}

static int show_goroutines(const struct report *o, const struct input *in, size_t series, const char *format,
			   const struct profile_function *f, size_t nr, const struct golabels *labels)
{
	const struct profile *p = &in->profile;
	struct goroutine_rows r = {
		.rows = in->collect.goroutines, .nr = in->collect.nr_goroutines,
		.total = p->series[series].total,
		.unit = profile_str(p, p->series[series].unit),
		.weight = strcmp(profile_str(p, p->series[series].type), "samples") != 0,
		.by_id = strcmp(o->read.by, "goroutine") != 0,
		.labels = labels->profile ? labels : NULL,
	};

	bool json = !strcmp(format, "json");

	if (!json && !o->table.top && r.nr > 30)
		r.nr = 30;
	if (o->table.top && r.nr > o->table.top)
		r.nr = o->table.top;
	while (r.nr && percent((int64_t)row_value(&r, &r.rows[r.nr - 1]), r.total) < o->table.limit)
		r.nr--;
	if (!strcmp(format, "markdown"))
		return goroutines_markdown(o, in, &r, in->collect.nr_goroutines);
	return json ? goroutines_json(o, in, &r, f, nr) : goroutines_text(o, in, &r);
}

static int show(const struct report *o, const struct input *in, const struct golabels *labels)
{
	struct profile_function *f;
	const char *format = summaries_wanted(&o->common);
	bool json = !strcmp(format, "json");
	size_t series, nr, all = 0, kept = 0, top = o->table.top;
	struct error e;
	int code;

	if (!strcmp(format, "html"))
		return document_profile(in, &o->read, (enum weight)o->weight.weight, &(struct picture_options){0}, &o->common, true);
	if (input_series(in, &o->read, o->weight.weight == WEIGHT_AUTO ? WEIGHT_PERIOD : (enum weight)o->weight.weight,
			 &o->common, &series, &e) < 0)
		return fail(&e);
	f = profile_functions(&in->profile, series, &nr);
	if (o->table.sort)
		qsort(f, nr, sizeof(*f), by_cum);
	if (!top && !json)
		top = 30;
	for (size_t i = 0; i < nr; i++) {
		if (f[i].kind == FRAME_LABEL)
			continue;
		all++;
		if ((!top || kept < top) &&
		    percent(o->table.sort ? f[i].cum : f[i].self, in->profile.series[series].total) >= o->table.limit)
			f[kept++] = f[i];
	}
	if (in->collect.nr_goroutines)
		code = show_goroutines(o, in, series, format, f, kept, labels);
	else if (!strcmp(format, "markdown"))
		code = write_markdown(o, in, series, f, kept, all);
	else
		code = json ? write_json(o, in, series, f, kept) : write_text(o, in, series, f, kept);
	free(f);
	return code;
}

static int report_one(const struct report *o, const char *path, const char *pprof)
{
	bool html = !strcmp(summaries_wanted(&o->common), "html");
	struct input_wants wants = {.keep_samples = html, .goroutines = html};
	struct input in, profile;
	struct golabels labels = {0};
	bool labelled = pprof && labels_wanted(o) && !html;
	struct error e;
	int code = EXIT_CODE_OK, damaged;

	if (input_load(&in, path, &o->read, &o->common, &wants, &e) < 0)
		return fail(&e);
	damaged = report_damage(in.path, &in.damage);
	if (o->table.pprof && !labelled)
		note(&o->common, "--pprof goes unused: labels are of --by goroutine, as text, markdown and JSON");
	if (labelled)
		code = load_labels(o, pprof, &profile, &labels);
	if (!code)
		code = damaged && o->common.strict ? damaged : show(o, &in, &labels);
	if (labels.profile)
		input_release(&profile);
	golabels_release(&labels);
	input_release(&in);
	return code ? code : damaged;
}

static int report_many(const struct report *o, const struct batch *b, const struct batch *bases)
{
	const char *format = summaries_wanted(&o->common);
	struct summary_options opts = {.read = &o->read, .common = &o->common, .weight = (enum weight)o->weight.weight,
				       .pictures = !strcmp(format, "html")};
	struct summaries s = {.nr = 0};
	int code;

	if (o->table.sort || o->table.limit > 0)
		note(&o->common, "--sort and --percent-limit are for the functions of one recording");
	code = summaries_run(&s, b, bases, &opts, format, o->table.top);
	summaries_release(&s);
	return code;
}

static int run(void *options, int argc, char **argv)
{
	struct report *o = options;
	struct batch b = {.nr = 0}, bases = {.nr = 0};
	struct error e;
	int code;

	if (!summaries_format(summaries_wanted(&o->common))) {
		message("report: --format '%s' is none of text, markdown, json, html", summaries_wanted(&o->common));
		return EXIT_CODE_USAGE;
	}
	batch_operands(&b, &o->common, argc, argv, input_default());
	if (o->batch.baseline)
		batch_expand(&bases, 1, &o->batch.baseline);
	confine_batch(&b);
	confine_batch(&bases);
	if (o->table.pprof)
		confine_input(o->table.pprof);
	if (confine(&o->common, &o->read, &e) < 0)
		code = fail(&e);
	else
		code = b.many || bases.nr ? report_many(o, &b, &bases) : report_one(o, b.items[0].path, o->table.pprof ? o->table.pprof : b.items[0].pprof);
	batch_release(&b);
	batch_release(&bases);
	return code;
}

const struct cmd cmd_report = {
	.name = "report",
	.args = "[FILE|FOLDER|PATTERN]…",
	.summary = "table of functions: self and cumulative; of many recordings a line each, worst first",
	.help = "Formats: text, markdown (under 64 KB), json, html. Of many recordings, or with --baseline: what is\n"
		"wrong with each, where its time went, how far its pprof profile is from it, what grew.",
	.groups = groups,
	.size = sizeof(struct report),
	.run = run,
};
