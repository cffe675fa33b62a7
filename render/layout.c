#include <stdlib.h>
#include <string.h>

#include "internal.h"

#define TITLE_HEIGHT 56.0  /* title, subtitle, controls */
#define MARGIN 8.0

/* Width of a node: the larger side in a differential graph, so that vanished frames are seen. */
static double extent(const struct render_graph *g, const struct render_node *n)
{
	if (!g->differential)
		return n->value;
	/* the base side as it would be at the value side's total */
	double scale = g->base_total > 0 && g->nodes[0].value > 0 ? g->nodes[0].value / g->base_total : 1;
	double base = n->base_value * scale;

	return n->value > base ? n->value : base;
}

/*
 * Children stand side by side from their parent's left edge. In a differential
 * graph they may need more room than the parent's own extent, so extents are
 * summed from the leaves up.
 */
static double *widths(const struct render_graph *g)
{
	double *w = calloc(g->nr_nodes, sizeof(*w)), *children = calloc(g->nr_nodes, sizeof(*children));

	for (size_t i = g->nr_nodes; w && children && i-- > 0;) {
		double own = extent(g, &g->nodes[i]);

		w[i] = own > children[i] ? own : children[i];
		if (i)
			children[g->nodes[i].parent] += w[i];
	}
	if (!children) {
		free(w);
		w = NULL;
	}
	free(children);
	return w;
}

/* Bytes of SVG that the boxes of a picture may take where the user set no width to leave out. */
#define BUDGET 1900000.0

struct cost {
	double width, bytes;
	uint32_t node, depth;
};

/* Widest first, then nearest the root: a caller comes before its callees, which are no wider. */
static int by_importance(const void *a, const void *b)
{
	const struct cost *x = a, *y = b;

	if (x->width != y->width)
		return x->width > y->width ? -1 : 1;
	if (x->depth != y->depth)
		return x->depth < y->depth ? -1 : 1;
	return x->node < y->node ? -1 : x->node > y->node;
}

/* What svg.c writes for a box, about: markup, name and place; the label is within that. */
static double bytes_of(const struct render_node *n, bool differential)
{
	return 235 + (differential ? 60 : 0) + (double)strlen(n->name) + (n->detail ? (double)strlen(n->detail) : 0);
}

/* Clears `shown` for the narrowest boxes beyond the budget. False without memory. */
static bool keep_budget(const struct render_graph *g, const double *w, const uint32_t *depth, bool *shown)
{
	struct cost *costs;
	double bytes = 0;
	size_t nr = 0;

	for (size_t i = 0; i < g->nr_nodes; i++) {
		nr += shown[i];
		bytes += shown[i] ? bytes_of(&g->nodes[i], g->differential) : 0;
	}
	if (bytes <= BUDGET)
		return true;
	costs = malloc(nr * sizeof(*costs));
	if (!costs)
		return false;
	nr = 0;
	for (size_t i = 0; i < g->nr_nodes; i++)
		if (shown[i])
			costs[nr++] = (struct cost){w[i], bytes_of(&g->nodes[i], g->differential), (uint32_t)i, depth[i]};
	qsort(costs, nr, sizeof(*costs), by_importance);
	bytes = 0;
	for (size_t k = 0; k < nr; k++) {
		bytes += costs[k].bytes;
		if (k && bytes > BUDGET)
			shown[costs[k].node] = false;
	}
	free(costs);
	return true;
}

struct progress {
	double *w, *next; /* per node: its width, and where its next child begins */
	uint32_t *depth;
	bool *shown;
	double found_end; /* right edge of the last node counted as found */
	bool used[RENDER_KINDS], inlined;
};

static void choose(struct progress *p, const struct render_graph *g, double min)
{
	for (size_t i = 0; i < g->nr_nodes; i++) {
		uint32_t parent = g->nodes[i].parent;

		p->depth[i] = i ? p->depth[parent] + 1 : 0;
		p->shown[i] = !i || (p->w[i] > 0 && p->w[i] >= min && p->shown[parent]);
	}
}

static void place(struct layout *l, struct progress *p, const struct render_graph *g, size_t i)
{
	const struct render_node *n = &g->nodes[i];
	double x = i ? p->next[n->parent] + n->gap : 0;

	p->next[i] = x;
	if (i)
		p->next[n->parent] = x + p->w[i];
	/* preorder: what lies in the last one found begins before its right edge */
	if (n->found && p->w[i] > 0 && x >= p->found_end) {
		l->found += p->w[i];
		p->found_end = x + p->w[i];
	}
	if (!p->shown[i]) {
		l->hidden++;
		return;
	}
	l->boxes[l->nr++] = (struct box){(uint32_t)i, p->depth[i], x, p->w[i]};
	p->used[n->kind] = true;
	p->inlined |= n->inlined;
	if (p->depth[i] + 1 > l->rows)
		l->rows = p->depth[i] + 1;
}

static double smallest_width(const struct layout *l, const struct render_options *o)
{
	double px = o->min_width < 0 ? 0.1 : o->min_width, inner = l->width - 2 * SIDE;
	double min = inner > 0 ? l->total * px / inner : 0, share = l->total * o->min_share;

	return min > share ? min : share;
}

bool layout_make(struct layout *l, const struct render_graph *g, const struct render_options *o)
{
	struct progress p = {.w = widths(g), .next = calloc(g->nr_nodes, sizeof(*p.next)),
			     .depth = calloc(g->nr_nodes, sizeof(*p.depth)), .shown = calloc(g->nr_nodes, 1)};
	bool ok;

	memset(l, 0, sizeof(*l));
	l->boxes = malloc(g->nr_nodes * sizeof(*l->boxes));
	ok = p.w && p.next && p.depth && p.shown && l->boxes;
	if (ok) {
		l->width = o->width > 0 ? o->width : DRAWN_WIDTH;
		l->row = o->height > 0 ? o->height : ROW_HEIGHT;
		l->total = p.w[0];
		choose(&p, g, smallest_width(l, o));
		ok = o->min_width >= 0 || keep_budget(g, p.w, p.depth, p.shown);
	}
	if (ok) {
		for (size_t i = 0; i < g->nr_nodes; i++)
			place(l, &p, g, i);
		legend_make(&l->legend, g, o, p.used, p.inlined);
		if (l->hidden)
			legend_add_hidden(&l->legend, l->hidden);
		l->top = TITLE_HEIGHT;
		l->bottom = 2 * LINE_HEIGHT + (double)legend_place(&l->legend, l->width - 2 * SIDE) * LEGEND_ROW + MARGIN;
		l->height = l->top + l->rows * l->row + l->bottom;
	} else {
		free(l->boxes);
	}
	free(p.w);
	free(p.next);
	free(p.depth);
	free(p.shown);
	return ok;
}

void layout_release(struct layout *l)
{
	free(l->boxes);
	memset(l, 0, sizeof(*l));
}

double layout_y(const struct layout *l, const struct box *b, bool inverted)
{
	return l->top + (inverted ? b->depth : l->rows - 1 - b->depth) * l->row;
}

void layout_dump(FILE *f, const struct layout *l, const struct render_graph *g)
{
	char x[32], w[32];

	for (size_t i = 0; i < l->nr; i++) {
		const struct box *b = &l->boxes[i];

		fprintf(f, "%u %s %s %s\n", b->depth, text_number(x, sizeof(x), b->x),
			text_number(w, sizeof(w), b->w), g->nodes[b->node].name);
	}
	fprintf(f, "%zu hidden\n", l->hidden);
}
