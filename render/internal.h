/*
 * Shared by the files of render/ only.
 */
#ifndef RENDER_INTERNAL_H
#define RENDER_INTERNAL_H

#include "render.h"

#define DRAWN_WIDTH 1200.0 /* of a fluid SVG before it is stretched */
#define ROW_HEIGHT 16.0
#define SIDE 10.0 /* px left and right of the boxes */
#define FONT_SIZE 12.0
/* Advance of the monospace faces named in the pictures, in units of the font size. */
#define CHAR_ADVANCE 0.602
#define CAIRO_MAX 32767
#define MARKED_WIDTH 6.0 /* px from which new and vanished boxes have their dashes */
#define LINE_HEIGHT 17.0 /* of the details below the boxes */
#define LEGEND_FONT 11.0
#define LEGEND_ROW 17.0
#define LEGEND_SWATCH 15.0 /* px from an entry's left edge to its text */

/* --- legend.c --- */

#define LEGEND_MAX 16
struct rgb {
	uint8_t r, g, b;
};
struct legend_entry {
	struct rgb color;
	char class[32]; /* empty: text alone */
	char text[128];
	double width, x; /* px at the monospace advance */
	size_t row;
};
struct legend {
	struct legend_entry entries[LEGEND_MAX];
	size_t nr;
};
/* used: per kind, whether a box of it is drawn. */
void legend_make(struct legend *l, const struct render_graph *g, const struct render_options *o, const bool *used,
		 bool inlined);
/* Adds that so many nodes are not drawn. */
void legend_add_hidden(struct legend *l, size_t nr);
/* Sets x and row of the entries for so many px; returns the rows. */
size_t legend_place(struct legend *l, double width);

/* --- layout.c: boxes first, then drawing --- */

struct box {
	uint32_t node;
	uint32_t depth; /* 0: the root */
	double x, w;	/* in units of the value, from the left */
};

struct layout {
	struct box *boxes; /* preorder */
	size_t nr;
	size_t hidden;	 /* boxes left out as too narrow */
	uint32_t rows;	 /* depth of the deepest + 1 */
	double total;	 /* units across */
	double width;	 /* px of the whole picture */
	double row;	 /* px per row */
	double top, bottom; /* px above and below the rows */
	double height;	 /* px of the whole picture */
	struct legend legend;
	double found;	 /* units that lie in nodes marked found, each counted once */
};

/* False when there is not enough memory; then nothing needs to be released. */
bool layout_make(struct layout *l, const struct render_graph *g, const struct render_options *o);
void layout_release(struct layout *l);
/* Upper edge of a box in px. */
double layout_y(const struct layout *l, const struct box *b, bool inverted);
/* The boxes as text, a line each, for golden tests. */
void layout_dump(FILE *f, const struct layout *l, const struct render_graph *g);

/* --- text.c --- */

/* Characters as a monospace font sets them: East Asian ones take two cells. */
size_t text_cells(const char *s);
/* Valid UTF-8 without characters XML 1.0 forbids; every bad byte or character becomes U+FFFD. malloc'ed, or NULL. */
char *text_clean(const char *s);
/* The same, escaped for XML text and attributes, straight to the stream. */
void text_xml(FILE *f, const char *s);
/*
 * Shortened to at most `max` cells in the way that suits Go names: import path, type arguments, receiver, package
 * go first, the end of the function's name last. malloc'ed, "" when nothing fits, NULL without memory.
 */
char *text_shorten(const char *name, size_t max);
/* A value of the graph's unit: "1,234 samples", "1.23 s", "4.5 MiB". */
const char *text_value(char *buf, size_t size, double value, const char *unit);
/* As printf's "%.2f", without printf but where rounding is close: a picture has thousands. */
const char *text_hundredths(char *buf, size_t size, double value);
/* Decimal with at most 4 digits behind the point and no trailing zeros; never depends on the locale. */
const char *text_number(char *buf, size_t size, double value);

/* --- palette.c --- */

#define PALETTE_STEPS 8 /* of a difference, to either side */
/* Whether boxes are coloured by what they stand for; by the change between two sides. Else by name. */
bool palette_by_kind(const char *palette, const struct render_graph *g);
bool palette_by_change(const char *palette, const struct render_graph *g);
struct rgb palette_color(const char *palette, const struct render_graph *g, const struct render_node *n);
/* Light and dark colours of the kinds, for the style sheet. */
struct rgb palette_kind(enum render_kind kind, bool dark);
/* -PALETTE_STEPS … PALETTE_STEPS: the change of a node, its colour, its style's name. */
int palette_step_of(const struct render_graph *g, const struct render_node *n);
struct rgb palette_step(const char *palette, int step, bool dark);
const char *palette_step_class(int step);
/* Whether white can be read better than black on this colour. */
bool palette_wants_light_text(struct rgb c);
/* What the colours of a palette of names stand for, at most max of them; 0: nothing. */
size_t palette_meanings(const char *palette, struct rgb *colors, const char **texts, size_t max);
const char *render_kind_name(enum render_kind kind);
const char *render_kind_text(enum render_kind kind);
/* Change of a node's share between base and value: -1 … 1, 0 none; new/vanished say which side alone has it. */
double palette_change(const struct render_graph *g, const struct render_node *n, bool *new, bool *vanished);

/* --- html.c and its parts --- */

/* SHA-256 (FIPS 180-4) of so many bytes, as base64: 44 characters and the NUL. */
void sha256_base64(const void *data, size_t size, char out[45]);
/* A JSON string, with `<` escaped so that no name ends the element it stands in. */
void json_string(FILE *f, const char *s);
/* Nodes by function: name and kind. The first node of a function, in preorder, stands for it. */
struct functions {
	uint32_t *of; /* per node */
	uint32_t *first;
	size_t nr;
};
bool functions_make(struct functions *f, const struct render_graph *g);
void functions_release(struct functions *f);
/* The data of the page as a JSON document. False without memory. */
bool html_data(FILE *f, const struct render_report *r, const struct render_options *o, const struct functions *fn);
/* What a browser without scripts shows: the picture and the table of functions. False without memory. */
bool html_still(FILE *f, const struct render_report *r, const struct render_options *o, const struct functions *fn);

/* The scripts and the style sheet as strings, made at build time. */
extern const char render_names_js[], render_svg_js[], render_report_js[], render_report_css[];

#endif
