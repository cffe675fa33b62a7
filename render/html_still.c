/*
 * The page without scripts: a still flame graph and the functions with the most
 * of their own. With scripts it is what is seen while the page loads.
 */
#include <stdlib.h>
#include <string.h>

#include "internal.h"

#define STILL_BOXES 1500
#define STILL_ROWS 50
#define STILL_WIDTH 1200.0

static void put_number(FILE *f, const char *before, double v, const char *after)
{
	char n[48];

	fprintf(f, "%s%s%s", before, text_number(n, sizeof(n), v), after);
}

static void put_class(FILE *f, const struct render_graph *g, const struct render_options *o, const struct render_node *n)
{
	fputs(" class=\"", f);
	if (n->found)
		fputs("hit", f);
	else if (palette_by_kind(o->colors, g))
		fprintf(f, "%s%s", render_kind_name((enum render_kind)n->kind), n->inlined ? " i" : "");
	else if (palette_by_change(o->colors, g))
		fputs(palette_step_class(palette_step_of(g, n)), f);
	else
		fputs(palette_wants_light_text(palette_color(o->colors, g, n)) ? "fix lt" : "fix", f);
	fputc('"', f);
}

static void put_box(FILE *f, const struct render_graph *g, const struct render_options *o, const struct layout *l,
		    const struct box *b)
{
	const struct render_node *n = &g->nodes[b->node];
	double per_unit = l->total > 0 ? STILL_WIDTH / l->total : 0, w = b->w * per_unit;
	double y = layout_y(l, b, o->inverted) - l->top;
	struct rgb c = palette_color(o->colors, g, n);
	char *label = w > 20 ? text_shorten(n->name, (size_t)((w - 4) / (FONT_SIZE * CHAR_ADVANCE))) : NULL;
	char value[64];

	fputs("<g", f);
	put_class(f, g, o, n);
	fputs("><title>", f);
	text_xml(f, n->name);
	fputs(": ", f);
	text_xml(f, text_value(value, sizeof(value), n->value, g->unit));
	put_number(f, "</title><rect x=\"", b->x * per_unit, "\"");
	put_number(f, " y=\"", y, "\"");
	put_number(f, " width=\"", w, "\"");
	put_number(f, " height=\"", l->row - 1, "\"");
	if (!palette_by_kind(o->colors, g) && !palette_by_change(o->colors, g))
		fprintf(f, " fill=\"#%02x%02x%02x\"", c.r, c.g, c.b);
	fputs("/>", f);
	if (label && *label) {
		put_number(f, "<text x=\"", b->x * per_unit + 3, "\"");
		put_number(f, " y=\"", y + l->row - 4.5, "\">");
		text_xml(f, label);
		fputs("</text>", f);
	}
	free(label);
	fputs("</g>\n", f);
}

static bool picture(FILE *f, const struct render_graph *g, const struct render_options *o)
{
	struct render_options small = *o;
	struct layout l;

	small.width = STILL_WIDTH + 2 * SIDE;
	small.height = ROW_HEIGHT;
	for (small.min_width = 1;; small.min_width *= 2) {
		if (!layout_make(&l, g, &small))
			return false;
		if (l.nr <= STILL_BOXES)
			break;
		layout_release(&l);
	}
	fputs("<div class=\"scroll\"><svg class=\"picture\" role=\"img\" aria-label=\"Flame graph\"", f);
	put_number(f, " width=\"", STILL_WIDTH, "\"");
	put_number(f, " height=\"", l.rows * l.row, "\">\n");
	for (size_t i = 0; i < l.nr; i++)
		put_box(f, g, o, &l, &l.boxes[i]);
	fputs("</svg></div>\n", f);
	layout_release(&l);
	return true;
}

struct sum {
	uint32_t function;
	double self, cum;
};

static int by_self(const void *a, const void *b)
{
	const struct sum *x = a, *y = b;

	if (x->self != y->self)
		return x->self > y->self ? -1 : 1;
	if (x->cum != y->cum)
		return x->cum > y->cum ? -1 : 1;
	return x->function < y->function ? -1 : x->function > y->function;
}

/* A function on a stack more than once counts once for what it takes with its callees. */
static bool sums_make(struct sum *sums, const struct render_graph *g, const struct functions *fn)
{
	uint32_t *path = malloc(g->nr_nodes * sizeof(*path)), *open = calloc(fn->nr, sizeof(*open));
	size_t depth = 0;
	bool ok = path && open;

	for (size_t i = 0; i < fn->nr; i++)
		sums[i].function = (uint32_t)i;
	for (size_t i = 1; ok && i < g->nr_nodes; i++) {
		const struct render_node *n = &g->nodes[i];
		struct sum *s = &sums[fn->of[i]];

		while (depth && path[depth - 1] != n->parent)
			open[fn->of[path[--depth]]]--;
		s->self += n->self;
		if (!open[fn->of[i]]++)
			s->cum += n->value;
		path[depth++] = (uint32_t)i;
	}
	free(path);
	free(open);
	return ok;
}

static void put_row(FILE *f, const struct render_graph *g, const char *name, const struct sum *s)
{
	double total = g->nodes[0].value > 0 ? g->nodes[0].value : 1;
	char value[64];

	fputs("<tr><td>", f);
	text_xml(f, text_value(value, sizeof(value), s->self, g->unit));
	fprintf(f, "</td><td>%.2f %%</td><td>", 100 * s->self / total);
	text_xml(f, text_value(value, sizeof(value), s->cum, g->unit));
	fprintf(f, "</td><td>%.2f %%</td><th scope=\"row\">", 100 * s->cum / total);
	text_xml(f, name);
	fputs("</th></tr>\n", f);
}

static bool table(FILE *f, const struct render_graph *g, const struct functions *fn)
{
	struct sum *sums = calloc(fn->nr, sizeof(*sums));
	bool ok = sums && sums_make(sums, g, fn);
	size_t nr = 0;

	if (ok) {
		qsort(sums, fn->nr, sizeof(*sums), by_self);
		fputs("<div class=\"scroll\"><table class=\"data\"><thead><tr><th scope=\"col\">Self</th><th scope=\"col\"></th>"
		      "<th scope=\"col\">Total</th><th scope=\"col\"></th><th scope=\"col\">Function</th></tr></thead><tbody>\n", f);
		for (size_t i = 0; i < fn->nr && nr < STILL_ROWS; i++) {
			const struct render_node *n = &g->nodes[fn->first[sums[i].function]];

			if (n->kind == RENDER_ROOT || n->kind == RENDER_LABEL || sums[i].cum <= 0)
				continue;
			put_row(f, g, n->name, &sums[i]);
			nr++;
		}
		fputs("</tbody></table></div>\n", f);
	}
	free(sums);
	return ok;
}

bool html_still(FILE *f, const struct render_report *r, const struct render_options *o, const struct functions *fn)
{
	return picture(f, r->graph, o) && table(f, r->graph, fn);
}
