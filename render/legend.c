/*
 * What the colours of a picture mean, as a list that every writer draws.
 */
#include <stdio.h>
#include <string.h>

#include "internal.h"

static void add(struct legend *l, struct rgb color, const char *class, const char *text)
{
	struct legend_entry *e;

	if (l->nr == LEGEND_MAX)
		return;
	e = &l->entries[l->nr++];
	*e = (struct legend_entry){.color = color};
	snprintf(e->class, sizeof(e->class), "%s", class);
	snprintf(e->text, sizeof(e->text), "%s", text);
	e->width = LEGEND_SWATCH + (double)text_cells(e->text) * LEGEND_FONT * CHAR_ADVANCE + 14;
}

static void add_change(struct legend *l, const char *palette, const char *mark, int step, const char *what, const char *side)
{
	char text[sizeof(l->entries[0].text)], class[32];

	snprintf(text, sizeof(text), "%s%.80s", what, side);
	snprintf(class, sizeof(class), "%s%s", palette_step_class(step), mark);
	add(l, palette_step(palette, step, false), class, text);
}

static void differences(struct legend *l, const struct render_graph *g, const char *palette)
{
	const char *a = g->side_a ? g->side_a : "after", *b = g->side_b ? g->side_b : "before";

	add_change(l, palette, "", PALETTE_STEPS, "more in ", a);
	add_change(l, palette, "", 0, "the same", "");
	add_change(l, palette, "", -PALETTE_STEPS, "more in ", b);
	add_change(l, palette, " new", PALETTE_STEPS, "only in ", a);
	add_change(l, palette, " gone", -PALETTE_STEPS, "only in ", b);
}

static void kinds(struct legend *l, const bool *used, bool inlined)
{
	for (int k = RENDER_APP; k < RENDER_KINDS; k++)
		if (used[k])
			add(l, palette_kind((enum render_kind)k, false), render_kind_name((enum render_kind)k),
			    render_kind_text((enum render_kind)k));
	if (inlined) {
		struct rgb c = palette_kind(RENDER_APP, false);

		c = (struct rgb){(uint8_t)((c.r * 3 + 255 * 2) / 5), (uint8_t)((c.g * 3 + 255 * 2) / 5),
				 (uint8_t)((c.b * 3 + 255 * 2) / 5)};
		add(l, c, "app i", "paler: inlined");
	}
}

void legend_make(struct legend *l, const struct render_graph *g, const struct render_options *o, const bool *used,
		 bool inlined)
{
	struct rgb colors[8];
	const char *texts[8];

	l->nr = 0;
	if (palette_by_change(o->colors, g)) {
		differences(l, g, o->colors);
	} else if (palette_by_kind(o->colors, g)) {
		kinds(l, used, inlined);
	} else {
		size_t nr = palette_meanings(o->colors, colors, texts, 8);

		for (size_t i = 0; i < nr; i++)
			add(l, colors[i], "fix", texts[i]);
	}
}

void legend_add_hidden(struct legend *l, size_t nr)
{
	struct legend_entry *e;
	char count[64];

	if (l->nr == LEGEND_MAX)
		return;
	e = &l->entries[l->nr++];
	*e = (struct legend_entry){.class = ""};
	snprintf(e->text, sizeof(e->text), "%s left out",
		 text_value(count, sizeof(count), (double)nr, nr == 1 ? "narrow frame" : "narrow frames"));
	e->width = (double)text_cells(e->text) * LEGEND_FONT * CHAR_ADVANCE + 14;
}

size_t legend_place(struct legend *l, double width)
{
	double x = 0;
	size_t row = 0;

	for (size_t i = 0; i < l->nr; i++) {
		struct legend_entry *e = &l->entries[i];

		if (x > 0 && x + e->width > width) {
			x = 0;
			row++;
		}
		e->x = x;
		e->row = row;
		x += e->width;
	}
	return l->nr ? row + 1 : 0;
}
