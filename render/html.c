/*
 * The one-file HTML report: head and text that need no script, the data, and the
 * script that makes the rest of the page of it (render/report/).
 */
#include <stdlib.h>
#include <string.h>

#include "internal.h"

/* Cells from which a value of the summary is a line to read, not a figure. */
#define LONG_VALUE 60

static void put_fill(FILE *f, const char *before, const char *class, struct rgb c)
{
	fprintf(f, "%ssvg .%s>rect{fill:#%02x%02x%02x}", before, class, c.r, c.g, c.b);
}

/* Colours of the still picture. */
static void put_palette(FILE *f, const char *palette, const struct render_graph *g, const char *before, bool dark)
{
	for (int k = 0; palette_by_kind(palette, g) && k < RENDER_KINDS; k++)
		put_fill(f, before, render_kind_name((enum render_kind)k), palette_kind((enum render_kind)k, dark));
	for (int step = -PALETTE_STEPS; palette_by_change(palette, g) && step <= PALETTE_STEPS; step++)
		put_fill(f, before, palette_step_class(step), palette_step(palette, step, dark));
}

/* The style sheet as it stands in the page. malloc'ed, NULL without memory. */
static char *style(const struct render_report *r, const struct render_options *o)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return NULL;
	fputs(render_report_css, f);
	if (r->graph) {
		put_palette(f, o->colors, r->graph, "", false);
		fputs("\n@media(prefers-color-scheme:dark){", f);
		put_palette(f, o->colors, r->graph, ":root:not([data-theme=light]) ", true);
		fputs("}\n", f);
	}
	if (fclose(f) != 0) {
		free(text);
		return NULL;
	}
	return text;
}

static char *script(void)
{
	static const char head[] = "\"use strict\";\n(function () {\n", tail[] = "})();\n";
	size_t size = sizeof(head) + strlen(render_names_js) + strlen(render_report_js) + sizeof(tail);
	char *text = malloc(size);

	if (text)
		snprintf(text, size, "%s%s%s%s", head, render_names_js, render_report_js, tail);
	return text;
}

/* js NULL: no script at all. */
static void head(FILE *f, const char *title, const char *css, const char *js)
{
	char hash[45];

	fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; ", f);
	if (js) {
		sha256_base64(js, strlen(js), hash);
		fprintf(f, "script-src 'sha256-%s'; ", hash);
	}
	sha256_base64(css, strlen(css), hash);
	fprintf(f, "style-src 'sha256-%s'; img-src data:; base-uri 'none'; form-action 'none'\">\n", hash);
	fputs("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	      "<meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"referrer\" content=\"no-referrer\">\n"
	      "<link rel=\"icon\" href=\"data:,\">\n<title>", f);
	text_xml(f, title);
	fputs("</title>\n<style>", f);
	fputs(css, f);
	fputs("</style>\n</head>\n<body>\n", f);
}

static void summary(FILE *f, const struct render_report *r, const char *title, const char *subtitle)
{
	fputs("<header>\n<div><h1>", f);
	text_xml(f, title);
	fputs("</h1>", f);
	if (subtitle) {
		fputs("<p class=\"sub\">", f);
		text_xml(f, subtitle);
		fputs("</p>", f);
	}
	fputs("</div>\n", f);
	if (r->nr_summary)
		fputs("<dl class=\"summary\">\n", f);
	for (size_t i = 0; i < r->nr_summary; i++) {
		fputs("<div><dt>", f);
		text_xml(f, r->summary[i].name);
		fputs(text_cells(r->summary[i].value) > LONG_VALUE ? "</dt><dd class=\"long\">" : "</dt><dd>", f);
		text_xml(f, r->summary[i].value);
		fputs("</dd></div>\n", f);
	}
	if (r->nr_summary)
		fputs("</dl>\n", f);
	fputs("</header>\n", f);
}

static void findings(FILE *f, const struct render_report *r)
{
	if (!r->nr_findings)
		return;
	fputs("<section class=\"findings\" aria-label=\"Findings\"><h2>Findings</h2>\n<ol>\n", f);
	for (size_t i = 0; i < r->nr_findings; i++) {
		fputs("<li><p>", f);
		text_xml(f, r->findings[i].text);
		fputs("</p>", f);
		if (r->findings[i].cause) {
			fputs("<p class=\"cause\">", f);
			text_xml(f, r->findings[i].cause);
			fputs("</p>", f);
		}
		fputs("</li>\n", f);
	}
	fputs("</ol></section>\n", f);
}

static void table(FILE *f, const struct render_table *t)
{
	fputs("<section><h2>", f);
	text_xml(f, t->title);
	fputs("</h2>", f);
	if (t->help) {
		fputs("<p class=\"help\">", f);
		text_xml(f, t->help);
		fputs("</p>", f);
	}
	fputs(t->legend ? t->legend : "", f);
	fputs("<div class=\"scroll\"><table class=\"data named\"><thead><tr>", f);
	for (size_t c = 0; c < t->nr_heads; c++) {
		fputs("<th scope=\"col\">", f);
		text_xml(f, t->heads[c]);
		fputs("</th>", f);
		if (!c && t->pictures)
			fputs("<th scope=\"col\"></th>", f);
	}
	fputs("</tr></thead><tbody>\n", f);
	for (size_t row = 0; row < t->nr_rows; row++) {
		const char *const *cells = &t->cells[row * t->nr_heads];

		fputs("<tr><th scope=\"row\">", f);
		text_xml(f, cells[0]);
		if (t->row_help && t->row_help[row]) {
			fputs("<small>", f);
			text_xml(f, t->row_help[row]);
			fputs("</small>", f);
		}
		fputs("</th>", f);
		if (t->pictures)
			fprintf(f, "<td>%s</td>", t->pictures[row] ? t->pictures[row] : "");
		for (size_t c = 1; c < t->nr_heads; c++) {
			fputs("<td>", f);
			text_xml(f, cells[c]);
			fputs("</td>", f);
		}
		fputs("</tr>\n", f);
	}
	fputs("</tbody></table></div></section>\n", f);
}

static void notes(FILE *f, const struct render_report *r)
{
	if (!r->nr_notes)
		return;
	fputs("<section class=\"notes\"><h2>Notes</h2><ul>\n", f);
	for (size_t i = 0; i < r->nr_notes; i++) {
		fputs("<li>", f);
		text_xml(f, r->notes[i]);
		fputs("</li>\n", f);
	}
	fputs("</ul></section>\n", f);
}

/* The graph: what the script makes of the data, and what is seen without. False without memory. */
static bool graph(FILE *f, const struct render_report *r, const struct render_options *o, const struct functions *fn)
{
	bool ok;

	fputs("<div id=\"app\" hidden></div>\n<div id=\"still\">\n", f);
	ok = html_still(f, r, o, fn);
	fputs("</div>\n", f);
	return ok;
}

static bool data(FILE *f, const struct render_report *r, const struct render_options *o, const struct functions *fn,
		 const char *js)
{
	bool ok;

	fputs("<script type=\"application/json\" id=\"data\">\n", f);
	ok = html_data(f, r, o, fn);
	fputs("\n</script>\n<script>", f);
	fputs(js, f);
	fputs("</script>\n", f);
	return ok;
}

enum render_status render_html(FILE *f, const struct render_report *r, const struct render_options *o)
{
	const char *title = o->title ? o->title : r->graph && r->graph->differential ? "Differential profile" : "Profile";
	char *css = style(r, o), *js = r->graph ? script() : NULL;
	struct functions fn = {0};
	bool ok = css && (!r->graph || (js && functions_make(&fn, r->graph)));

	if (ok) {
		head(f, title, css, js);
		summary(f, r, title, o->subtitle);
		fputs("<main>\n", f);
		findings(f, r);
		ok = !r->graph || graph(f, r, o, &fn);
		for (size_t i = 0; i < r->nr_tables; i++)
			table(f, &r->tables[i]);
		notes(f, r);
		fputs("</main>\n", f);
		ok = ok && (!r->graph || data(f, r, o, &fn, js));
		fputs("</body>\n</html>\n", f);
	}
	functions_release(&fn);
	free(css);
	free(js);
	return !ok ? RENDER_MEMORY : ferror(f) ? RENDER_WRITE : RENDER_OK;
}
