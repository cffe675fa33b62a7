/*
 * PNG and PDF: the same boxes through cairo.
 */
#include <cairo-pdf.h>
#include <cairo.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fonts.h"
#include "internal.h"

#define TITLE_SIZE 17.0
#define PADDING 3.0 /* px between a box's edge and its name */

struct picture {
	cairo_t *cr;
	const struct render_graph *g;
	const struct render_options *o;
	struct layout l;
	struct fonts *fonts;
};

static const struct rgb black = {0x00, 0x00, 0x00}, grey = {0x44, 0x44, 0x44}, white = {0xff, 0xff, 0xff},
			found = {0xe6, 0x00, 0xe6};

static cairo_status_t write_bytes(void *closure, const unsigned char *data, unsigned int length)
{
	return fwrite(data, 1, length, closure) == length ? CAIRO_STATUS_SUCCESS : CAIRO_STATUS_WRITE_ERROR;
}

static void set_color(cairo_t *cr, struct rgb c)
{
	cairo_set_source_rgb(cr, c.r / 255.0, c.g / 255.0, c.b / 255.0);
}

/* Dashed: new; dotted: gone. */
static void mark(struct picture *p, bool new, double x, double y, double w, double h)
{
	static const double dash_new[] = {3, 2}, dash_gone[] = {1, 2};

	if (w < MARKED_WIDTH)
		return;
	cairo_set_dash(p->cr, new ? dash_new : dash_gone, 2, 0);
	cairo_set_line_width(p->cr, 1.2);
	set_color(p->cr, new ? (struct rgb){0x7f, 0x3b, 0x08} : (struct rgb){0x2d, 0x00, 0x4b});
	cairo_rectangle(p->cr, x + 0.6, y + 0.6, w - 1.2, h - 1.2);
	cairo_stroke(p->cr);
	cairo_set_dash(p->cr, NULL, 0, 0);
}

/* The longest form of a name that fits, malloc'ed, or NULL. Cells are narrower than those of a monospace font. */
static char *fit(struct picture *p, const char *name, double width)
{
	size_t cells = (size_t)(width / (FONT_SIZE * 0.4));

	while (cells >= 3) {
		char *label = text_shorten(name, cells);
		double w = label && *label ? fonts_measure(p->cr, p->fonts, FONT_SIZE, label) : 0;
		size_t have = label ? text_cells(label) : 0;

		if (w > 0 && w <= width)
			return label;
		free(label);
		if (w <= 0)
			return NULL;
		/* by the mean width of what was tried, at least one cell less */
		cells = (size_t)((double)have * width / w) < have ? (size_t)((double)have * width / w) : have - 1;
	}
	return NULL;
}

static void draw_box(struct picture *p, const struct box *b)
{
	const struct render_node *n = &p->g->nodes[b->node];
	double inner = p->l.width - 2 * SIDE, scale = p->l.total > 0 ? inner / p->l.total : 0;
	double x = SIDE + b->x * scale, w = b->w * scale, y = layout_y(&p->l, b, p->o->inverted);
	struct rgb c = n->found ? found : palette_color(p->o->colors, p->g, n);
	bool new = false, vanished = false;
	char *label;

	set_color(p->cr, c);
	cairo_rectangle(p->cr, x, y, w > 0.6 ? w - 0.3 : w, p->l.row - 1);
	cairo_fill(p->cr);
	if (p->g->differential)
		palette_change(p->g, n, &new, &vanished);
	if (new || vanished)
		mark(p, new, x, y, w, p->l.row - 1);
	label = w > 12 ? fit(p, n->name, w - 2 * PADDING) : NULL;
	if (!label)
		return;
	set_color(p->cr, palette_wants_light_text(c) ? white : black);
	fonts_show(p->cr, p->fonts, FONT_SIZE, x + PADDING, y + p->l.row - 4.5, label);
	free(label);
}

/* Below the boxes; entries stand where the monospace widths of the SVG put them. */
static void draw_legend(struct picture *p)
{
	double top = p->l.top + p->l.rows * p->l.row + LEGEND_ROW;

	for (size_t i = 0; i < p->l.legend.nr; i++) {
		const struct legend_entry *e = &p->l.legend.entries[i];
		double x = SIDE + e->x, y = top + (double)e->row * LEGEND_ROW;
		char *text = text_clean(e->text);

		if (*e->class) {
			set_color(p->cr, e->color);
			cairo_rectangle(p->cr, x, y + 4, 10, 10);
			cairo_fill(p->cr);
			x += LEGEND_SWATCH;
		}
		if (strstr(e->class, " new") || strstr(e->class, " gone"))
			mark(p, strstr(e->class, " new") != NULL, x - LEGEND_SWATCH, y + 4, 10, 10);
		set_color(p->cr, grey);
		if (text)
			fonts_show(p->cr, p->fonts, LEGEND_FONT, x, y + 13, text);
		free(text);
	}
}

/* In the middle of the picture, cut where that is too narrow. */
static void centred(struct picture *p, double size, double y, struct rgb c, const char *s)
{
	char *clean = text_clean(s);
	double w = clean ? fonts_measure(p->cr, p->fonts, size, clean) : 0, room = p->l.width - 2 * SIDE;

	if (w > room && w > 0) {
		char *shorter = text_shorten(clean, (size_t)((double)text_cells(clean) * room / w));

		free(clean);
		clean = shorter;
		w = clean ? fonts_measure(p->cr, p->fonts, size, clean) : 0;
	}
	set_color(p->cr, c);
	if (clean)
		fonts_show(p->cr, p->fonts, size, (p->l.width - w) / 2, y, clean);
	free(clean);
}

static const char *title_of(const struct picture *p)
{
	return p->o->title ? p->o->title : p->g->differential ? "Differential flame graph" : "Flame graph";
}

static void draw(struct picture *p)
{
	set_color(p->cr, white);
	cairo_paint(p->cr);
	centred(p, TITLE_SIZE, 24, black, title_of(p));
	if (p->o->subtitle)
		centred(p, FONT_SIZE, 42, grey, p->o->subtitle);
	for (size_t i = 0; i < p->l.nr; i++)
		draw_box(p, &p->l.boxes[i]);
	if (p->o->search) {
		char text[64];

		snprintf(text, sizeof(text), "Matched: %.1f %%", p->l.total > 0 ? 100 * p->l.found / p->l.total : 0);
		set_color(p->cr, grey);
		fonts_show(p->cr, p->fonts, FONT_SIZE,
			   p->l.width - SIDE - fonts_measure(p->cr, p->fonts, FONT_SIZE, text), 24, text);
	}
	draw_legend(p);
}

static enum render_status status_of(cairo_status_t s)
{
	switch (s) {
	case CAIRO_STATUS_SUCCESS:
		return RENDER_OK;
	case CAIRO_STATUS_NO_MEMORY:
		return RENDER_MEMORY;
	case CAIRO_STATUS_WRITE_ERROR:
		return RENDER_WRITE;
	default:
		return RENDER_CAIRO;
	}
}

static enum render_status draw_on(cairo_surface_t *surface, struct picture *p, double scale)
{
	enum render_status st = status_of(cairo_surface_status(surface));

	if (st != RENDER_OK)
		return st;
	p->fonts = fonts_new("sans-serif");
	if (!p->fonts)
		return RENDER_MEMORY;
	p->cr = cairo_create(surface);
	cairo_scale(p->cr, scale, scale);
	draw(p);
	st = status_of(cairo_status(p->cr));
	cairo_destroy(p->cr);
	fonts_free(p->fonts);
	return st;
}

/* Both sizes are looked at before anything of that size is allocated. */
static bool too_large(double w, double h)
{
	return !(w <= CAIRO_MAX && h <= CAIRO_MAX);
}

enum render_status render_png(FILE *f, const struct render_graph *g, const struct render_options *o)
{
	struct picture p = {.g = g, .o = o};
	double scale = o->scale > 0 ? o->scale : 1, w, h;
	enum render_status st = RENDER_TOO_LARGE;

	if (!layout_make(&p.l, g, o))
		return RENDER_MEMORY;
	w = ceil(p.l.width * scale);
	h = ceil(p.l.height * scale);
	if (!too_large(w, h)) {
		cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)w, (int)h);

		st = draw_on(surface, &p, scale);
		if (st == RENDER_OK)
			st = status_of(cairo_surface_write_to_png_stream(surface, write_bytes, f));
		cairo_surface_destroy(surface);
	}
	layout_release(&p.l);
	return st;
}

enum render_status render_pdf(FILE *f, const struct render_graph *g, const struct render_options *o)
{
	struct picture p = {.g = g, .o = o};
	enum render_status st = RENDER_TOO_LARGE;

	if (!layout_make(&p.l, g, o))
		return RENDER_MEMORY;
	if (!too_large(p.l.width, p.l.height)) {
		cairo_surface_t *surface = cairo_pdf_surface_create_for_stream(write_bytes, f, p.l.width, p.l.height);

		char *title = text_clean(title_of(&p));

		if (title)
			cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_TITLE, title);
		free(title);
		/* no date of its own: the same input gives the same bytes */
		cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_CREATE_DATE, "1970-01-01T00:00:00Z");
		st = draw_on(surface, &p, 1);
		cairo_surface_finish(surface);
		if (st == RENDER_OK)
			st = status_of(cairo_surface_status(surface));
		cairo_surface_destroy(surface);
	}
	layout_release(&p.l);
	return st;
}
