#include "cmd/picture.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/output.h"
#include "cmd/message.h"
#include "profile/regex.h"

#define ROW(name, letter, type, field, arg, help)                              \
	{name, letter, type, offsetof(struct picture_options, field), arg, help, NULL}
const struct opt picture_opts[] = {
	ROW("title", 0, OPT_STRING, title, "TEXT", "title of the picture"),
	ROW("subtitle", 0, OPT_STRING, subtitle, "TEXT", "second line"),
	ROW("width", 0, OPT_DOUBLE, width, "PX", "width (SVG: fluid; else 1200)"),
	ROW("height", 0, OPT_DOUBLE, height, "PX", "height of a row (16)"),
	ROW("min-width", 0, OPT_STRING, min_width, "PX", "leave out boxes narrower than this many px, or N% of all (0.1)"),
	ROW("minwidth", 0, OPT_STRING, min_width, NULL, NULL),
	ROW("scale", 0, OPT_DOUBLE, scale, "N", "PNG: pixels per px (1)"),
	ROW("colors", 0, OPT_STRING, colors, "PALETTE",
	    "go; by name: hot, mem, io, red, green, blue, yellow, purple, aqua, orange, java, js, perl, python, rust, "
	    "wakeup, chain; differences: diff, redblue"),
	ROW("search", 0, OPT_STRING, search, "REGEX", "highlight matching functions"),
	ROW("inverted", 0, OPT_FLAG, inverted, NULL, "root on top (icicle)"),
	ROW("reverse", 0, OPT_FLAG, reverse, NULL, "merge from the leaves: who was on CPU, then its callers"),
	ROW("flamechart", 0, OPT_FLAG, flamechart, NULL, "x is time: samples in their order"),
	{0},
};

static const struct picture_format formats[] = {
	{"svg", render_svg},
	{"png", render_png},
	{"pdf", render_pdf},
	{"html", NULL},
};
#define NR_FORMATS (sizeof(formats) / sizeof(*formats))

static const struct picture_format *find(const char *name)
{
	for (size_t i = 0; i < NR_FORMATS; i++)
		if (!strcmp(formats[i].name, name))
			return &formats[i];
	return NULL;
}

static bool known_palette(const char *name)
{
	for (const char *const *p = render_palettes(); *p; p++)
		if (!strcmp(*p, name))
			return true;
	return false;
}

/* "0.5": px; "0.5%": of the whole. */
static bool parse_min_width(const char *text, double *px, double *share)
{
	char *end;
	double v;

	*px = -1;
	*share = 0;
	if (!text)
		return true;
	v = strtod(text, &end);
	if (end == text || !(v >= 0) || (strcmp(end, "%") != 0 && *end))
		return false;
	if (*end) {
		*px = 0;
		*share = v / 100;
	} else {
		*px = v;
	}
	return true;
}

/* Searches are in any case, as they are in the picture when it opens. */
static int compile_search(regex_t *re, const char *search, struct error *e)
{
	char *any_case = xasprintf("%s%s", strncmp(search, "(?i)", 4) ? "(?i)" : "", search), why[128];
	const char *wrong = regex_compile(re, any_case, false, why);

	free(any_case);
	if (!wrong)
		return 0;
	error_set(e, EXIT_CODE_USAGE, "--search: '%s': %s", search, wrong);
	return -1;
}

/* What can be said of the options before any input is read. */
static int check(const struct picture_options *o, struct error *e)
{
	double px, share;
	regex_t re;

	if (o->colors && !known_palette(o->colors)) {
		error_set(e, EXIT_CODE_USAGE, "--colors: no palette '%s'", o->colors);
		return -1;
	}
	if (o->width < 0 || o->height < 0 || o->scale < 0 || o->width > 1e6 || o->height > 1e4 || o->scale > 1e4) {
		error_set(e, EXIT_CODE_USAGE, "--width, --height and --scale are positive, up to 1,000,000, 10,000 and 10,000");
		return -1;
	}
	if (!parse_min_width(o->min_width, &px, &share)) {
		error_set(e, EXIT_CODE_USAGE, "--min-width: '%s' is not a number of px or a percentage", o->min_width);
		return -1;
	}
	if (o->search) {
		if (compile_search(&re, o->search, e) < 0)
			return -1;
		regfree(&re);
	}
	return 0;
}

const struct picture_format *picture_format(const struct common_options *common,
					    const struct picture_options *o, struct error *e)
{
	const char *name = common->format;
	const struct picture_format *f;

	if (check(o, e) < 0)
		return NULL;
	if (!name && common->output) {
		const char *dot = strrchr(common->output, '.');

		name = dot ? dot + 1 : NULL;
		if (name && (strchr(name, '/') || !strcmp(common->output, "-")))
			name = NULL;
	}
	f = find(name ? name : "svg");
	if (!f)
		error_set(e, EXIT_CODE_USAGE, "%s '%s' is none of svg, png, pdf, html",
			  common->format ? "--format" : "the suffix of --output", name);
	else if (strcmp(f->name, "svg") != 0 && !common->output && isatty(STDOUT_FILENO)) {
		error_set(e, EXIT_CODE_USAGE, "will not write a %s to the terminal: give --output",
			  f->name);
		return NULL;
	}
	return f;
}

/* The graph's nodes with those marked that match; the caller frees them. */
static struct render_node *search(const struct render_graph *g, const char *pattern)
{
	struct render_node *nodes = xmemdup(g->nodes, g->nr_nodes * sizeof(*nodes));
	struct error e;
	regex_t re;

	if (compile_search(&re, pattern, &e) == 0) {
		for (size_t i = 1; i < g->nr_nodes; i++)
			nodes[i].found = regexec(&re, nodes[i].name, 0, NULL, 0) == 0;
		regfree(&re);
	}
	return nodes;
}

static int exit_code(enum render_status st)
{
	return st == RENDER_TOO_LARGE || st == RENDER_MEMORY ? EXIT_CODE_LIMIT : EXIT_CODE_OUTPUT;
}

/* A graph by its format, or a report. */
static int write_to(const struct render_graph *graph, const struct render_report *report,
		    const struct picture_options *o, const char *subtitle, const struct picture_format *format,
		    const struct common_options *common)
{
	struct render_options r = {
		.title = o->title, .subtitle = o->subtitle ? o->subtitle : subtitle,
		.width = o->width, .height = o->height,
		.colors = o->colors, .search = o->search, .inverted = o->inverted,
		.flamechart = o->flamechart, .scale = o->scale,
	};
	struct render_graph g = graph ? *graph : (struct render_graph){0};
	struct render_report with;
	struct render_node *nodes = NULL;
	struct output out;
	struct error e;
	enum render_status st;

	if (o->colors && render_palette_differential(o->colors) && !g.differential) {
		error_set(&e, EXIT_CODE_USAGE, "--colors: palette '%s' is for differences", o->colors);
		return fail(&e);
	}
	parse_min_width(o->min_width, &r.min_width, &r.min_share);
	if (output_open(&out, common->output, &e) < 0)
		return fail(&e);
	if (o->search && graph)
		g.nodes = nodes = search(graph, o->search);
	if (report) {
		with = *report;
		with.graph = graph ? &g : NULL;
		st = render_html(out.f, &with, &r);
	} else {
		st = format->write(out.f, &g, &r);
	}
	free(nodes);
	if (st == RENDER_OK || st == RENDER_WRITE) /* what could not be written, commit says */
		return output_commit(&out, &e) < 0 ? fail(&e) : EXIT_CODE_OK;
	output_discard(&out);
	message("%s", render_status_text(st));
	return exit_code(st);
}

int picture_write(const struct render_graph *graph, const struct picture_options *o, const char *subtitle,
		  const struct picture_format *format, const struct common_options *common)
{
	return write_to(graph, NULL, o, subtitle, format, common);
}

int picture_write_report(const struct render_report *r, const struct picture_options *o, const char *subtitle,
			 const struct common_options *common)
{
	return write_to(r->graph, r, o, subtitle, NULL, common);
}
