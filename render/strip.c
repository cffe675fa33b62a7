/*
 * A flame graph so small that it stands in a table: boxes without names, one path a colour.
 */
#include <stdio.h>
#include <string.h>

#include "internal.h"

#define STRIP_WIDTH 300.0
#define STRIP_HEIGHT 48.0
#define STRIP_ROW 6.0 /* px at most */
#define STRIP_BOXES 600

static struct rgb color_of(const struct render_graph *g, const struct layout *l, size_t i)
{
	return palette_color(NULL, g, &g->nodes[l->boxes[i].node]);
}

static void put_number(FILE *f, const char *before, double v)
{
	char n[48];

	/* a tenth of a px is enough, and short */
	fprintf(f, "%s%s", before, text_number(n, sizeof(n), (double)(long)(v * 10 + 0.5) / 10));
}

static void put_box(FILE *f, const struct layout *l, const struct box *b)
{
	double per_unit = l->total > 0 ? STRIP_WIDTH / l->total : 0, w = b->w * per_unit;

	put_number(f, "M", b->x * per_unit);
	put_number(f, " ", STRIP_HEIGHT - (b->depth + 1) * l->row);
	/* a gap between neighbours, where there is room */
	put_number(f, "h", w > 2 ? w - 0.4 : w);
	put_number(f, "v", l->row > 2 ? l->row - 0.4 : l->row);
	put_number(f, "H", b->x * per_unit);
	fputs("z", f);
}

/* All boxes of one colour are one path, in order of the colours' first boxes. */
static void put_paths(FILE *f, const struct render_graph *g, struct layout *l)
{
	for (size_t first = 0; first < l->nr; first++) {
		struct rgb c;

		if (l->boxes[first].node == UINT32_MAX)
			continue;
		c = color_of(g, l, first);
		fprintf(f, "<path fill=\"#%02x%02x%02x\" d=\"", c.r, c.g, c.b);
		for (size_t i = first; i < l->nr; i++) {
			struct rgb d;

			if (l->boxes[i].node == UINT32_MAX)
				continue;
			d = color_of(g, l, i);
			if (memcmp(&c, &d, sizeof(c)) != 0)
				continue;
			put_box(f, l, &l->boxes[i]);
			l->boxes[i].node = UINT32_MAX; /* drawn */
		}
		fputs("\"/>", f);
	}
}

enum render_status render_strip(FILE *f, const struct render_graph *g)
{
	struct render_options small = {.width = STRIP_WIDTH + 2 * SIDE, .min_width = 1};
	struct layout l;

	for (;; small.min_width *= 2) {
		if (!layout_make(&l, g, &small))
			return RENDER_MEMORY;
		if (l.nr <= STRIP_BOXES)
			break;
		layout_release(&l);
	}
	l.row = l.rows * STRIP_ROW > STRIP_HEIGHT ? STRIP_HEIGHT / l.rows : STRIP_ROW;
	fprintf(f, "<svg class=\"strip\" role=\"img\" aria-label=\"Flame graph\" width=\"%.0f\" height=\"%.0f\">", STRIP_WIDTH,
		STRIP_HEIGHT);
	put_paths(f, g, &l);
	fputs("</svg>", f);
	layout_release(&l);
	return ferror(f) ? RENDER_WRITE : RENDER_OK;
}

void render_strip_legend(FILE *f, const bool used[RENDER_KINDS], const char *side_a, const char *side_b)
{
	const struct render_graph g = {.differential = !used, .side_a = side_a, .side_b = side_b};
	const struct render_options o = {0};
	struct legend l;

	legend_make(&l, &g, &o, used, false);
	fputs("<ul class=\"legend\">", f);
	for (size_t i = 0; i < l.nr; i++) {
		const struct legend_entry *e = &l.entries[i];

		if (strchr(e->class, ' ')) /* dashes, which strips have not */
			continue;
		fprintf(f, "<li><svg class=\"swatch\"><path fill=\"#%02x%02x%02x\" d=\"M0 0h11v11h-11z\"/></svg>", e->color.r,
			e->color.g, e->color.b);
		text_xml(f, e->text);
		fputs("</li>", f);
	}
	fputs("</ul>\n", f);
}
