/*
 * The interactive SVG. Without scripts it is a still picture, 1200 px wide or
 * --width; with them it fills the window (inferno's way: boxes in percent
 * inside a nested svg), zooms and searches (svg.js).
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

struct svg {
	FILE *f;
	const struct render_graph *g;
	const struct render_options *o;
	struct layout l;
	bool by_kind, by_change; /* what the boxes' colour says; else their name's hash */
};

static void put_rgb(FILE *f, struct rgb c)
{
	fprintf(f, "#%02x%02x%02x", c.r, c.g, c.b);
}

static void put_number(FILE *f, const char *before, double v, const char *after)
{
	char n[48];

	fputs(before, f);
	fputs(text_number(n, sizeof(n), v), f);
	fputs(after, f);
}

static void put_share(FILE *f, const char *before, double part, double whole, const char *after)
{
	char n[48];

	fputs(before, f);
	fputs(text_hundredths(n, sizeof(n), whole > 0 ? 100 * part / whole : 0), f);
	fputs(after, f);
}

static void put_rule(FILE *f, const char *class, struct rgb c)
{
	fprintf(f, ".%s>rect{fill:", class);
	put_rgb(f, c);
	fputc('}', f);
}

/* The colours that a picture uses, for light or dark surroundings. */
static void colors(struct svg *s, bool dark)
{
	if (s->by_kind)
		for (int k = 0; k < RENDER_KINDS; k++)
			put_rule(s->f, render_kind_name((enum render_kind)k), palette_kind((enum render_kind)k, dark));
	if (s->by_change)
		for (int step = -PALETTE_STEPS; step <= PALETTE_STEPS; step++)
			put_rule(s->f, palette_step_class(step), palette_step(s->o->colors, step, dark));
}

/* Faded boxes keep the contrast of their text: only their ground fades. */
static void style(struct svg *s)
{
	FILE *f = s->f;

	fputs("<style>\n"
	      "svg{background:#fff;font-family:ui-monospace,\"DejaVu Sans Mono\",Menlo,Consolas,monospace;font-size:12px}\n"
	      "text{fill:#111;pointer-events:none;white-space:pre}\n"
	      "#bg,#barbg{fill:#fff}#bar{pointer-events:none}#title{font-size:16px;font-weight:bold;text-anchor:middle}"
	      "#sub,#matched,.hint{fill:#444}#sub{text-anchor:middle}#matched,.btn{text-anchor:end}#reset{text-anchor:start}\n"
	      ".btn{pointer-events:all;cursor:pointer;fill:#0550ae}.btn:hover,.btn:focus{text-decoration:underline}"
	      ".btn[aria-pressed=true]{font-weight:bold}.off{display:none}\n"
	      "g.f{cursor:pointer;outline:none}g.f:hover>rect,g.f:focus>rect{stroke:#000;stroke-width:1.2;stroke-dasharray:none}\n"
	      ".fix>text{fill:#000}.lt>text{fill:#fff}g.up.lt>text{fill:#000}\n", f);
	if (s->g->differential)
		fputs(".new>rect{stroke:#7f3b08;stroke-width:1.5;stroke-dasharray:3 2}"
		      ".gone>rect{stroke:#2d004b;stroke-width:1.5;stroke-dasharray:1 2}g.thin>rect{stroke:none}\n", f);
	colors(s, false);
	fputs("\ng.i>rect{fill-opacity:.6}g.up>rect{fill-opacity:.35}\n@media(prefers-color-scheme:dark){"
	      "svg{background:#15181d}#bg,#barbg{fill:#15181d}text{fill:#e8eaed}#sub,#matched,.hint{fill:#b4bac2}"
	      ".btn{fill:#79b8ff}g.f:hover>rect,g.f:focus>rect{stroke:#fff}g.up.fix>text{fill:#e8eaed}", f);
	if (s->g->differential)
		fputs(".new>rect{stroke:#ffb86b}.gone>rect{stroke:#d3c5ff}", f);
	colors(s, true);
	fputs("}\ng.hit>rect{fill:#e600e6;fill-opacity:1}g.f.hit>text{fill:#000}\n</style>\n", f);
}

/* "Matched: 12.3 %" */
static void put_matched(struct svg *s)
{
	if (s->o->search)
		fprintf(s->f, "Matched: %.1f %%", s->l.total > 0 ? 100 * s->l.found / s->l.total : 0);
}

static void button(FILE *f, const char *id, const char *dx, const char *label, const char *text, const char *help)
{
	fprintf(f, "<text id=\"%s\" class=\"btn off\" %s y=\"24\" role=\"button\" tabindex=\"0\" aria-label=\"%s\">%s"
		   "<title>%s</title></text>\n", id, dx, label, text, help);
}

static void head(struct svg *s)
{
	FILE *f = s->f;
	const char *title = s->o->title ? s->o->title
			    : s->g->differential ? "Differential flame graph"
						 : "Flame graph";
	char w[32], h[32], t[48];
	double width = s->l.width;

	text_number(w, sizeof(w), width);
	text_number(h, sizeof(h), s->l.height);
	fprintf(f, "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"no\"?>\n"
		   "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%s\" height=\"%s\" viewBox=\"0 0 %s %s\" role=\"group\" aria-label=\"",
		w, h, w, h);
	text_xml(f, title);
	text_number(t, sizeof(t), s->l.total);
	fprintf(f, "\" data-total=\"%s\" data-unit=\"", t);
	text_xml(f, s->g->unit);
	fprintf(f, "\" data-fluid=\"%d\" data-inverted=\"%d\" data-diff=\"%d\" data-top=\"%s\" data-row=\"", s->o->width <= 0,
		s->o->inverted, s->g->differential, text_number(w, sizeof(w), s->l.top));
	fprintf(f, "%s\" data-rows=\"%u\"", text_number(w, sizeof(w), s->l.row), s->l.rows);
	if (s->g->differential) {
		fputs(" data-side=\"", f);
		text_xml(f, s->g->side_a ? s->g->side_a : "after");
		fputc('"', f);
	}
	fputs(">\n", f);
	style(s);
	fputs("<rect id=\"bg\" width=\"100%\" height=\"100%\"/>\n<text id=\"title\" x=\"50%\" y=\"24\">", f);
	text_xml(f, title);
	fputs("</text>\n<text id=\"sub\" x=\"50%\" y=\"42\">", f);
	if (s->o->subtitle)
		text_xml(f, s->o->subtitle);
	fputs("</text>\n", f);
	button(f, "reset", "x=\"10\"", "Reset zoom", "Reset zoom", "Show everything again (0, or Esc)");
	button(f, "invert", "x=\"100%\" dx=\"-100\"", "Invert", "Invert", "Root at the top or at the bottom (I)");
	button(f, "case", "x=\"100%\" dx=\"-68\"", "Match case", "Aa", "Match case in searches (Ctrl-I)");
	button(f, "find", "x=\"100%\" dx=\"-10\"", "Search", "Search",
	       "Search by regular expression (Ctrl-F, F3 or /); n, N: next and previous match; Esc: clear");
}

/* The unit comes from the input, as names do. */
static void put_value(struct svg *s, double value)
{
	char buf[64];

	text_xml(s->f, text_value(buf, sizeof(buf), value, s->g->unit));
}

/* "name (1,234 samples, 5.67 %)" and what else the details lines show, a line each. */
static void title(struct svg *s, const struct render_node *n)
{
	double total = s->g->nodes[0].value;
	FILE *f = s->f;

	text_xml(f, n->name);
	fputs(" (", f);
	put_value(s, n->value);
	put_share(f, ", ", n->value, total, " %)");
	if (!s->g->differential && n != s->g->nodes && s->g->nodes[n->parent].value > 0)
		put_share(f, "\n", n->value, s->g->nodes[n->parent].value, " % of its caller");
	if (n->self > 0) {
		fputs("\nself ", f);
		put_value(s, n->self);
		put_share(f, ", ", n->self, total, " %");
	}
	if (s->g->differential) {
		double b = s->g->base_total > 0 ? 100 * n->base_value / s->g->base_total : 0;

		fputc('\n', f);
		text_xml(f, s->g->side_b ? s->g->side_b : "base");
		fputs(": ", f);
		put_value(s, n->base_value);
		fprintf(f, ", %.2f %%; difference %+.2f points", b, (total > 0 ? 100 * n->value / total : 0) - b);
	}
	if (n->detail) {
		fputc('\n', f);
		text_xml(f, n->detail);
	}
}

/* attr: with its opening quote. */
static void put_percent(struct svg *s, const char *attr, double units)
{
	put_number(s->f, attr, s->l.total > 0 ? 100 * units / s->l.total : 0, "%\"");
}

static void classes(struct svg *s, const struct render_node *n, double px)
{
	fputs("f ", s->f);
	if (s->by_kind)
		fputs(render_kind_name((enum render_kind)n->kind), s->f);
	else if (s->by_change)
		fputs(palette_step_class(palette_step_of(s->g, n)), s->f);
	else
		fputs(palette_wants_light_text(palette_color(s->o->colors, s->g, n)) ? "fix lt" : "fix", s->f);
	if (n->inlined && s->by_kind)
		fputs(" i", s->f);
	if (s->g->differential) {
		bool new = false, vanished = false;

		palette_change(s->g, n, &new, &vanished);
		fputs(new ? " new" : vanished ? " gone" : "", s->f);
		if (px < MARKED_WIDTH)
			fputs(" thin", s->f);
	}
	if (n->found)
		fputs(" hit", s->f);
}

static void put_fill(FILE *f, struct rgb c)
{
	fputs(" fill=\"", f);
	put_rgb(f, c);
	fputc('"', f);
}

static void box(struct svg *s, const struct box *b)
{
	const struct render_node *n = &s->g->nodes[b->node];
	double y = layout_y(&s->l, b, s->o->inverted) - s->l.top, inner = s->l.width - 2 * SIDE;
	double px = s->l.total > 0 ? inner * b->w / s->l.total : 0;
	size_t chars = px > 8 ? (size_t)((px - 4) / (FONT_SIZE * CHAR_ADVANCE)) : 0;
	FILE *f = s->f;

	fputs("<g class=\"", f);
	classes(s, n, px);
	put_number(f, "\" data-x=\"", b->x, "\"");
	put_number(f, " data-w=\"", b->w, "\"");
	put_number(f, " data-d=\"", b->depth, "\"><title>");
	title(s, n);
	fputs("</title><rect", f);
	put_percent(s, " x=\"", b->x);
	put_percent(s, " width=\"", b->w);
	put_number(f, " y=\"", y, "\"");
	put_number(f, " height=\"", s->l.row - 1, "\"");
	if (!s->by_kind && !s->by_change)
		put_fill(f, palette_color(s->o->colors, s->g, n));
	fputs("/>", f);
	if (chars >= 3) {
		char *label = text_shorten(n->name, chars);

		if (label && *label) {
			fputs("<text", f);
			put_percent(s, " x=\"", b->x);
			put_number(f, " dx=\"3\" y=\"", y + s->l.row - 4.5, "\">");
			text_xml(f, label);
			fputs("</text>", f);
		}
		free(label);
	}
	fputs("</g>\n", f);
}

/* Below the boxes: two lines about the box under the pointer, and what the colours mean. */
static void foot(struct svg *s)
{
	double y = s->l.top + s->l.rows * s->l.row;
	FILE *f = s->f;

	fputs("<g id=\"legend\" style=\"font-size:11px\" role=\"group\" aria-label=\"Legend\"", f);
	put_number(f, " transform=\"translate(10 ", y + 2 * LINE_HEIGHT, ")\">\n");
	for (size_t i = 0; i < s->l.legend.nr; i++) {
		const struct legend_entry *e = &s->l.legend.entries[i];

		put_number(f, "<g class=\"key\" data-w=\"", e->width, "\"");
		put_number(f, " transform=\"translate(", e->x, " ");
		put_number(f, "", (double)e->row * LEGEND_ROW, ")\">");
		if (*e->class) {
			fprintf(f, "<g class=\"%s\"><rect y=\"4\" width=\"10\" height=\"10\"", e->class);
			if (!s->by_kind && !s->by_change)
				put_fill(f, e->color);
			fputs("/></g>", f);
		}
		put_number(f, "<text class=\"hint\" x=\"", *e->class ? LEGEND_SWATCH : 0, "\" y=\"13\">");
		text_xml(f, e->text);
		fputs("</text></g>\n", f);
	}
	fputs("</g>\n<g id=\"bar\"", f);
	put_number(f, " transform=\"translate(0 ", y, ")\">");
	fprintf(f, "<rect id=\"barbg\" width=\"100%%\" height=\"%d\"/><text id=\"details\" x=\"10\" y=\"13\"> </text>"
		   "<text id=\"more\" class=\"hint\" x=\"10\" y=\"%d\"> </text></g>\n", (int)(2 * LINE_HEIGHT),
		(int)(13 + LINE_HEIGHT));
	fputs("<text id=\"matched\" x=\"100%\" dx=\"-10\" y=\"42\" role=\"status\" aria-live=\"polite\">", f);
	put_matched(s);
	fputs("</text>\n", f);
}

enum render_status render_svg(FILE *f, const struct render_graph *g, const struct render_options *o)
{
	struct svg s = {.f = f, .g = g, .o = o, .by_kind = palette_by_kind(o->colors, g),
			.by_change = palette_by_change(o->colors, g)};

	if (!layout_make(&s.l, g, o))
		return RENDER_MEMORY;
	head(&s);
	put_number(f, "<svg id=\"frames\" x=\"", SIDE, "\"");
	put_number(f, " y=\"", s.l.top, "\"");
	put_number(f, " width=\"", s.l.width - 2 * SIDE, "\"");
	put_number(f, " height=\"", s.l.rows * s.l.row, "\">\n");
	for (size_t i = 0; i < s.l.nr; i++)
		box(&s, &s.l.boxes[i]);
	fputs("</svg>\n", f);
	foot(&s);
	if (o->search) {
		fputs("<desc id=\"search\">", f);
		text_xml(f, o->search);
		fputs("</desc>\n", f);
	}
	fputs("<script><![CDATA[\n", f);
	fputs("\"use strict\";\n(function () {\n", f);
	fputs(render_names_js, f);
	fputs(render_svg_js, f);
	fputs("})();\n]]></script>\n</svg>\n", f);
	layout_release(&s.l);
	return ferror(f) ? RENDER_WRITE : RENDER_OK;
}

const char *render_status_text(enum render_status st)
{
	switch (st) {
	case RENDER_OK:
		return "no error";
	case RENDER_WRITE:
		return "cannot write";
	case RENDER_TOO_LARGE:
		return "the picture is larger than the 32,767 px that cairo can draw: make it narrower, cut the stacks (--max-stack, --focus) or use SVG";
	case RENDER_CAIRO:
		return "cairo could not draw the picture";
	case RENDER_MEMORY:
		return "not enough memory for the picture";
	}
	return "";
}
