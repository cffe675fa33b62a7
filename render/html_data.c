/*
 * The page's data as JSON. Long lists of numbers are strings of base-64 digits:
 * five bits a digit, least significant first, 32 added where more follow. A
 * browser reads such a string many times as fast as an array, and it is a third
 * of its size.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

/* --- functions ----------------------------------------------------------------------- */

static uint64_t hash_node(const struct render_node *n)
{
	uint64_t h = UINT64_C(14695981039346656037) ^ n->kind; /* FNV-1a */

	for (const char *s = n->name; *s; s++)
		h = (h ^ (unsigned char)*s) * UINT64_C(1099511628211);
	return h ^ h >> 29;
}

bool functions_make(struct functions *f, const struct render_graph *g)
{
	size_t mask = 1023, nr = g->nr_nodes;
	uint32_t *slots;

	while (mask / 2 < nr)
		mask = mask * 2 + 1;
	slots = calloc(mask + 1, sizeof(*slots)); /* function + 1 */
	*f = (struct functions){.of = malloc(nr * sizeof(*f->of)), .first = malloc(nr * sizeof(*f->first))};
	if (!slots || !f->of || !f->first) {
		free(slots);
		functions_release(f);
		return false;
	}
	for (size_t i = 0; i < nr; i++) {
		const struct render_node *n = &g->nodes[i], *known;
		size_t at = hash_node(n) & mask;

		for (; slots[at]; at = (at + 1) & mask) {
			known = &g->nodes[f->first[slots[at] - 1]];
			if (known->kind == n->kind && (known->name == n->name || !strcmp(known->name, n->name)))
				break;
		}
		if (!slots[at]) {
			f->first[f->nr] = (uint32_t)i;
			slots[at] = (uint32_t)++f->nr;
		}
		f->of[i] = slots[at] - 1;
	}
	free(slots);
	return true;
}

void functions_release(struct functions *f)
{
	free(f->of);
	free(f->first);
	*f = (struct functions){0};
}

/* --- numbers ------------------------------------------------------------------------- */

static void put_digits(FILE *f, uint64_t v)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (; v >= 32; v >>= 5)
		fputc(digits[32 | (v & 31)], f);
	fputc(digits[v], f);
}

/* Doubled, and odd when negative. */
static void put_signed(FILE *f, double v)
{
	put_digits(f, v < 0 ? (uint64_t)-v * 2 + 1 : (uint64_t)v * 2);
}

static uint64_t greatest_divisor(uint64_t a, uint64_t b)
{
	while (b) {
		uint64_t rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

/* Samples of a fixed period are multiples of it, and small numbers when divided by it. */
static uint64_t scale_of(const struct render_report *r, size_t column)
{
	uint64_t scale = 0;

	for (size_t i = 0; i < r->graph->nr_nodes && scale != 1; i++)
		scale = greatest_divisor(scale, (uint64_t)fabs(r->columns[column].self[i]));
	for (size_t i = 0; i < r->nr_cells && scale != 1; i++)
		if (r->cells[i].column == column)
			scale = greatest_divisor(scale, (uint64_t)fabs(r->cells[i].value));
	return scale ? scale : 1;
}

static void put_real(FILE *f, double v)
{
	if (isfinite(v))
		fprintf(f, "%.6g", v);
	else
		fputs("null", f);
}

static void put_color(FILE *f, struct rgb c)
{
	fprintf(f, "\"#%02x%02x%02x\"", c.r, c.g, c.b);
}

/* --- parts of the document ------------------------------------------------------------- */

static void put_tree(FILE *f, const struct render_graph *g, const struct functions *fn, const uint32_t *depth, bool gaps)
{
	fprintf(f, "\"tree\":{\"n\":%zu,\"up\":\"", g->nr_nodes);
	for (size_t i = 1; i < g->nr_nodes; i++)
		put_digits(f, depth[i - 1] + 1 - depth[i]);
	fputs("\",\"fn\":\"", f);
	for (size_t i = 0; i < g->nr_nodes; i++)
		put_digits(f, (uint64_t)fn->of[i] * 2 + g->nodes[i].inlined);
	if (gaps) {
		fputs("\",\"gap\":\"", f);
		for (size_t i = 0; i < g->nr_nodes; i++)
			put_digits(f, (uint64_t)g->nodes[i].gap);
	}
	fputs("\"},\n", f);
}

static void put_functions(FILE *f, const struct render_graph *g, const struct functions *fn)
{
	fprintf(f, "\"functions\":{\"n\":%zu,\"kinds\":\"", fn->nr);
	for (size_t i = 0; i < fn->nr; i++)
		put_digits(f, g->nodes[fn->first[i]].kind);
	fputs("\",\n\"names\":[", f);
	for (size_t i = 0; i < fn->nr; i++) {
		fputs(i ? ",\n" : "\n", f);
		json_string(f, g->nodes[fn->first[i]].name);
	}
	fputs("],\n\"details\":[", f);
	for (size_t i = 0; i < fn->nr; i++) {
		const char *detail = g->nodes[fn->first[i]].detail;

		fputs(i ? ",\n" : "\n", f);
		json_string(f, detail ? detail : "");
	}
	fputs("]},\n", f);
}

static void put_columns(FILE *f, const struct render_report *r, const uint64_t *scales)
{
	fputs("\"columns\":[", f);
	for (size_t c = 0; c < r->nr_columns; c++) {
		fputs(c ? ",\n{\"name\":" : "\n{\"name\":", f);
		json_string(f, r->columns[c].name);
		fputs(",\"unit\":", f);
		json_string(f, r->columns[c].unit);
		fprintf(f, ",\"scale\":%llu,\"self\":\"", (unsigned long long)scales[c]);
		for (size_t i = 0; i < r->graph->nr_nodes; i++)
			put_signed(f, r->columns[c].self[i] / (double)scales[c]);
		fputs("\"}", f);
	}
	fprintf(f, "],\"column\":%zu,\n", r->column);
}

static void put_dimensions(FILE *f, const struct render_report *r)
{
	fputs("\"dimensions\":[", f);
	for (size_t d = 0; d < r->nr_dimensions; d++) {
		fputs(d ? ",\n{\"name\":" : "\n{\"name\":", f);
		json_string(f, r->dimensions[d].name);
		fputs(",\"values\":[", f);
		for (size_t i = 0; i < r->dimensions[d].nr; i++) {
			if (i)
				fputs(",\n", f);
			json_string(f, r->dimensions[d].values[i]);
		}
		fputs("]}", f);
	}
	fputs("],\n", f);
}

/* By columns: each of them is alike, and the browser wants arrays. Slots as the difference to the one before. */
static void put_cells(FILE *f, const struct render_report *r, const uint64_t *scales)
{
	char slot[48];
	uint32_t last = 0;

	if (r->time.slots)
		fprintf(f, "\"time\":{\"slot\":%s,\"rows\":%u,\"slots\":%u},\n", text_number(slot, sizeof(slot), r->time.slot),
			r->time.rows, r->time.slots);
	if (!r->nr_cells)
		return;
	fprintf(f, "\"cells\":{\"n\":%zu,\"slot\":\"", r->nr_cells);
	for (size_t i = 0; i < r->nr_cells; last = r->cells[i++].slot)
		put_digits(f, r->cells[i].slot - last);
	fputs("\",\"node\":\"", f);
	for (size_t i = 0; i < r->nr_cells; i++)
		put_digits(f, r->cells[i].node);
	fputs("\",\"column\":\"", f);
	for (size_t i = 0; i < r->nr_cells; i++)
		put_digits(f, r->cells[i].column);
	fputs("\",\"of\":[", f);
	for (size_t d = 0; d < r->nr_dimensions; d++) {
		fputs(d ? ",\"" : "\"", f);
		for (size_t i = 0; i < r->nr_cells; i++)
			put_digits(f, r->cells[i].of[d]);
		fputc('"', f);
	}
	fputs("],\"value\":\"", f);
	for (size_t i = 0; i < r->nr_cells; i++)
		put_signed(f, r->cells[i].value / (double)scales[r->cells[i].column]);
	fputs("\"},\n", f);
}

static void put_tests(FILE *f, const struct render_report *r)
{
	fputs("\"tests\":[", f);
	for (size_t i = 0; i < r->nr_tests; i++) {
		fputs(i ? ",\n[" : "\n[", f);
		json_string(f, r->tests[i].name);
		fputc(',', f);
		put_real(f, r->tests[i].q);
		fputc(',', f);
		put_real(f, r->tests[i].ci_low);
		fputc(',', f);
		put_real(f, r->tests[i].ci_high);
		fputc(']', f);
	}
	fputs("],\n", f);
}

/* Palettes of names: a colour a function, and for it where it is inlined. */
static void put_named_colors(FILE *f, const struct render_report *r, const char *palette, const struct functions *fn)
{
	struct rgb colors[8];
	const char *texts[8];
	size_t nr = palette_meanings(palette, colors, texts, 8);

	fputs("\"colors\":[", f);
	for (size_t i = 0; i < 2 * fn->nr; i++) {
		struct render_node n = r->graph->nodes[fn->first[i / 2]];

		n.inlined = i % 2;
		if (i)
			fputc(',', f);
		put_color(f, palette_color(palette, r->graph, &n));
	}
	fputs("],\n\"meanings\":[", f);
	for (size_t i = 0; i < nr; i++) {
		fputs(i ? ",{\"text\":" : "{\"text\":", f);
		json_string(f, texts[i]);
		fputs(",\"color\":", f);
		put_color(f, colors[i]);
		fputc('}', f);
	}
	fputs("],\n", f);
}

static void put_colors(FILE *f, const struct render_report *r, const struct render_options *o, const struct functions *fn)
{
	fputs("\"kinds\":[", f);
	for (int k = 0; k < RENDER_KINDS; k++) {
		fputs(k ? ",\n{\"text\":" : "\n{\"text\":", f);
		json_string(f, render_kind_text((enum render_kind)k));
		fputs(",\"light\":", f);
		put_color(f, palette_kind((enum render_kind)k, false));
		fputs(",\"dark\":", f);
		put_color(f, palette_kind((enum render_kind)k, true));
		fputc('}', f);
	}
	fputs("],\n\"steps\":{", f);
	for (int dark = 0; dark < 2; dark++) {
		fputs(dark ? "],\"dark\":[" : "\"light\":[", f);
		for (int step = -PALETTE_STEPS; step <= PALETTE_STEPS; step++) {
			if (step > -PALETTE_STEPS)
				fputc(',', f);
			put_color(f, palette_step(o->colors, step, dark));
		}
	}
	fputs("]},\n", f);
	if (o->colors && !palette_by_kind(o->colors, r->graph) && !palette_by_change(o->colors, r->graph))
		put_named_colors(f, r, o->colors, fn);
}

bool html_data(FILE *f, const struct render_report *r, const struct render_options *o, const struct functions *fn)
{
	const struct render_graph *g = r->graph;
	uint32_t *depth = malloc(g->nr_nodes * sizeof(*depth));
	uint64_t *scales = malloc((r->nr_columns + 1) * sizeof(*scales));
	bool ok = depth && scales;

	if (ok) {
		for (size_t i = 0; i < g->nr_nodes; i++)
			depth[i] = i ? depth[g->nodes[i].parent] + 1 : 0;
		for (size_t c = 0; c < r->nr_columns; c++)
			scales[c] = scale_of(r, c);
		fputs("{", f);
		put_tree(f, g, fn, depth, o->flamechart);
		put_functions(f, g, fn);
		put_columns(f, r, scales);
		put_dimensions(f, r);
		put_cells(f, r, scales);
		put_tests(f, r);
		put_colors(f, r, o, fn);
		fprintf(f, "\"compare\":%s,\"inverted\":%s,\"reversed\":%s,\"flamechart\":%s,\"tableFirst\":%s,\"search\":",
			g->differential ? "true" : "false", o->inverted ? "true" : "false", r->reversed ? "true" : "false",
			o->flamechart ? "true" : "false", r->table_first ? "true" : "false");
		json_string(f, o->search ? o->search : "");
		fputs("}", f);
	}
	free(depth);
	free(scales);
	return ok;
}
