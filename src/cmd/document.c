#include "cmd/document.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "cmd/chart.h"
#include "cmd/graph.h"
#include "cmd/message.h"
#include "cmd/timeline.h"

/* --- lists ------------------------------------------------------------------------------ */

static const char *vtext(struct document *d, const char *fmt, va_list ap)
{
	va_list again;
	char *text;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	text = arena_alloc(&d->strings, (size_t)(n > 0 ? n : 0) + 1);
	vsnprintf(text, (size_t)(n > 0 ? n : 0) + 1, fmt, ap);
	return text;
}

const char *document_text(struct document *d, const char *fmt, ...)
{
	va_list ap;
	const char *text;

	va_start(ap, fmt);
	text = vtext(d, fmt, ap);
	va_end(ap);
	return text;
}

void document_field(struct document *d, const char *name, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	ALLOC_GROW(d->summary, d->report.nr_summary + 1, d->alloc_summary);
	d->summary[d->report.nr_summary++] = (struct render_field){name, vtext(d, fmt, ap)};
	va_end(ap);
}

void document_note(struct document *d, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	ALLOC_GROW(d->notes, d->report.nr_notes + 1, d->alloc_notes);
	d->notes[d->report.nr_notes++] = vtext(d, fmt, ap);
	va_end(ap);
}

void document_finding(struct document *d, const char *text, const char *cause)
{
	ALLOC_GROW(d->findings, d->report.nr_findings + 1, d->alloc_findings);
	d->findings[d->report.nr_findings++] =
		(struct render_finding){document_text(d, "%s", text), *cause ? document_text(d, "%s", cause) : NULL};
}

const char *document_value(struct document *d, double value, const char *unit)
{
	char buf[64];
	size_t digits = strspn(format_value(buf, sizeof(buf), value, unit), "-0123456789.,");

	return document_text(d, "%.*s%s%s", (int)digits, buf, buf[digits] ? " " : "", buf + digits);
}

const char **document_table(struct document *d, const char *title, const char *help, const char *const *heads,
			    size_t nr_heads, size_t nr_rows, const char ***row_help)
{
	const char **cells = arena_alloc(&d->strings, (nr_heads * nr_rows + 1) * sizeof(*cells));

	if (row_help)
		*row_help = arena_alloc(&d->strings, (nr_rows + 1) * sizeof(**row_help));
	ALLOC_GROW(d->tables, d->report.nr_tables + 1, d->alloc_tables);
	d->tables[d->report.nr_tables++] = (struct render_table){
		.title = title, .help = help, .heads = heads, .nr_heads = nr_heads, .cells = cells, .nr_rows = nr_rows,
		.row_help = row_help ? *row_help : NULL,
	};
	return cells;
}

void document_release(struct document *d)
{
	free(d->summary);
	free(d->findings);
	free(d->tables);
	free(d->notes);
	arena_release(&d->strings);
	*d = (struct document){0};
}

static int write_report(struct document *d, const struct picture_options *o, const char *subtitle,
			const struct common_options *common)
{
	d->report.summary = d->summary;
	d->report.findings = d->findings;
	d->report.tables = d->tables;
	d->report.notes = d->notes;
	d->report.reversed = o->reverse;
	return picture_write_report(&d->report, o, subtitle, common);
}

/* --- inputs ------------------------------------------------------------------------------- */

static const char *counted(struct document *d, uint64_t n)
{
	char buf[64];

	return document_text(d, "%s", format_value(buf, sizeof(buf), (double)n, "count"));
}

void document_input(struct document *d, const struct input *in)
{
	const struct collect *c = &in->collect;
	const struct perfdata_stats *st = in->kind == INPUT_PERF ? perfdata_stats(c->perfdata) : NULL;

	for (int i = 0; i < DAMAGE_KINDS; i++)
		if (in->damage.kind[i].count)
			document_note(d, "%s: %s: %s (first at offset %" PRIu64 ")", in->path, damage_text((enum damage_kind)i),
				      counted(d, in->damage.kind[i].count), in->damage.kind[i].offset);
	if (!st)
		return;
	if (st->lost)
		document_note(d, "%s: perf lost %s events while it recorded.", in->path, counted(d, st->lost));
	if (c->dropped)
		document_note(d, "%s: %s samples could not be read.", in->path, counted(d, c->dropped));
	if (c->filtered)
		document_note(d, "%s: %s of %s samples are left out by filters.", in->path, counted(d, c->filtered),
			      counted(d, c->total_samples));
	if (c->user_stacks > c->rooted_stacks)
		document_note(d, "%s: %s of %s stacks with user frames did not reach their root; most begin with [truncated].", in->path,
			      counted(d, c->user_stacks - c->rooted_stacks), counted(d, c->user_stacks));
}

static void summarise(struct document *d, const struct input *in, size_t series)
{
	const struct profile *p = &in->profile;
	const struct collect *c = &in->collect;
	const char *unit = profile_str(p, p->series[series].unit), *command;

	document_field(d, strcmp(unit, "nanoseconds") ? "Total" : c->waits.starts || in->kind == INPUT_TRACE ? "Time" : "CPU time", "%s",
		       document_value(d, (double)p->series[series].total, unit));
	if (in->kind == INPUT_PERF)
		document_field(d, "Samples", "%s", counted(d, collect_counted(c)));
	document_field(d, in->kind == INPUT_PERF ? "Event" : "Sample type", "%s", input_event_name(in, series));
	if (in->kind == INPUT_PERF && c->time_last > c->time_first)
		document_field(d, "Duration", "%.2f s", (double)(c->time_last - c->time_first) / 1e9);
	else if (p->duration_ns > 0)
		document_field(d, "Duration", "%.2f s", (double)p->duration_ns / 1e9);
	if (in->kind != INPUT_PERF)
		return;
	if (c->distinct_goroutines)
		document_field(d, "Goroutines seen", "%s", counted(d, c->distinct_goroutines));
	if (c->user_stacks)
		document_field(d, "Stacks to their root", "%.2f %%", 100.0 * (double)c->rooted_stacks / (double)c->user_stacks);
	command = perfdata_features(c->perfdata)->cmdline;
	if (command && *command)
		document_field(d, "Command", "%s", command);
}

/* --- one profile --------------------------------------------------------------------------- */

struct columns {
	struct render_column *list;
	size_t nr;
	uint32_t *of_event; /* per event of the recording */
	bool *weighted;	    /* per column */
};

static double *sums(const struct profile *p, size_t series, const struct graph *g)
{
	double *self = xcalloc(g->render.nr_nodes, sizeof(*self));

	for (size_t r = 0; r < p->nr_rows; r++)
		self[g->of_node[p->rows[r].node]] += (double)p->series[series].values[r];
	return self;
}

/* Two series per event of a recording, of which one is shown; every sample type of a profile. */
static void add_columns(struct columns *cs, const struct input *in, enum weight weight, const struct graph *g)
{
	const struct profile *p = &in->profile;
	const struct collect *c = &in->collect;
	bool perf = in->kind == INPUT_PERF;
	size_t event = 0;

	cs->list = xcalloc(p->nr_series, sizeof(*cs->list));
	cs->weighted = xcalloc(p->nr_series, sizeof(*cs->weighted));
	cs->of_event = xcalloc(c->nr_events + 1, sizeof(*cs->of_event));
	for (size_t s = 0; s < p->nr_series; s += perf ? 2 : 1) {
		struct render_column *col = &cs->list[cs->nr];
		bool weighted = perf && (weight == WEIGHT_PERIOD ||
					 (weight == WEIGHT_AUTO && !strcmp(profile_str(p, p->series[s + 1].unit), "nanoseconds")));

		while (perf && (!c->events[event].samples || c->events[event].switches))
			event++;
		cs->of_event[event++] = (uint32_t)cs->nr;
		cs->weighted[cs->nr++] = weighted;
		*col = (struct render_column){
			.name = profile_str(p, p->series[s + perf].type),
			.unit = profile_str(p, p->series[s + weighted].unit),
			.self = sums(p, s + weighted, g),
		};
		if (!perf)
			event = 0;
	}
}

/* A flame chart is of one event: its x axis is time, or near it. */
static void add_chart_column(struct columns *cs, const struct input *in, size_t series, const struct graph *g)
{
	double *self = xcalloc(g->render.nr_nodes, sizeof(*self));

	for (size_t i = 0; i < g->render.nr_nodes; i++)
		self[i] = g->nodes[i].self;
	cs->list = xcalloc(1, sizeof(*cs->list));
	cs->nr = 1;
	cs->list[0] = (struct render_column){.name = input_event_name(in, series), .unit = g->render.unit, .self = self};
}

static void columns_release(struct columns *cs)
{
	for (size_t i = 0; i < cs->nr; i++)
		free((double *)cs->list[i].self);
	free(cs->list);
	free(cs->weighted);
	free(cs->of_event);
}

int document_profile(const struct input *in, const struct read_options *r, enum weight weight,
		     const struct picture_options *o, const struct common_options *common, bool table_first)
{
	struct graph_options opts = {0};
	struct document d = {0};
	struct columns cs = {0};
	struct timeline t = {0};
	struct graph g;
	struct error e;
	char subtitle[256];
	int code;

	if (input_series(in, r, weight, common, &opts.series, &e) < 0)
		return fail(&e);
	if (o->flamechart) {
		if (chart_build(&g, in, &opts, r->by != NULL, common, &e) < 0)
			return fail(&e);
		add_chart_column(&cs, in, opts.series, &g);
	} else {
		graph_build(&g, &in->profile, &opts);
		add_columns(&cs, in, weight, &g);
		timeline_make(&t, in, g.of_node, cs.of_event, cs.weighted, TIMELINE_CELLS);
	}
	summarise(&d, in, opts.series);
	document_input(&d, in);
	d.report.graph = &g.render;
	d.report.columns = cs.list;
	d.report.nr_columns = cs.nr;
	d.report.column = o->flamechart ? 0 : in->kind == INPUT_PERF ? opts.series / 2 : opts.series;
	d.report.time = t.time;
	d.report.cells = t.cells;
	d.report.nr_cells = t.nr;
	d.report.dimensions = t.dimensions;
	d.report.nr_dimensions = t.nr_dimensions;
	d.report.table_first = table_first;
	snprintf(subtitle, sizeof(subtitle), "%s", in->path);
	code = write_report(&d, o, subtitle, common);
	timeline_release(&t);
	columns_release(&cs);
	graph_release(&g);
	document_release(&d);
	return code;
}

/* --- two profiles ----------------------------------------------------------------------------- */

int document_comparison(struct document *d, const struct comparison *c, const struct picture_options *o,
			const struct common_options *common, struct compared_drawn wide, struct compared_drawn other,
			const char *subtitle)
{
	struct graph_options opts = {.series = wide.series, .differential = true, .base_series = other.series};
	struct render_column columns[2];
	struct render_test *tests = xcalloc(c->nr_functions + 1, sizeof(*tests));
	const struct compared_drawn sides[2] = {wide.series < other.series ? wide : other,
						wide.series < other.series ? other : wide};
	double *self[2];
	struct graph g;
	int code;

	graph_build(&g, &c->joint, &opts);
	g.render.side_a = wide.name;
	g.render.side_b = other.name;
	for (size_t i = 0; i < 2; i++) {
		self[i] = sums(&c->joint, sides[i].series, &g);
		columns[i] = (struct render_column){sides[i].name,
						    profile_str(&c->joint, c->joint.series[sides[i].series].unit), self[i]};
	}
	for (size_t i = 0; i < c->nr_functions; i++)
		tests[i] = (struct render_test){c->functions[i].name, c->functions[i].q_value, c->functions[i].ci_low,
						c->functions[i].ci_high};
	d->report.graph = &g.render;
	d->report.columns = columns;
	d->report.nr_columns = 2;
	d->report.column = sides[1].series == wide.series;
	d->report.tests = tests;
	d->report.nr_tests = c->nr_functions;
	code = write_report(d, o, subtitle, common);
	graph_release(&g);
	free(self[0]);
	free(self[1]);
	free(tests);
	return code;
}
