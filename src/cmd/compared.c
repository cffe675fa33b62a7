#include "cmd/compared.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/escape.h"
#include "cmd/graph.h"
#include "cmd/message.h"

/* A series that counts samples: of the same profile, by pprof's usual names. */
static size_t count_series(const struct profile *p, size_t weight)
{
	static const char *const names[] = {"samples", "sample", "contentions", "alloc_objects", "inuse_objects", "objects"};

	for (size_t i = 0; i < p->nr_series; i++) {
		const char *type = profile_str(p, p->series[i].type);

		if (strcmp(profile_str(p, p->series[i].unit), "count") != 0)
			continue;
		if (i == weight)
			return i;
		for (size_t k = 0; k < sizeof(names) / sizeof(*names); k++)
			if (!strcmp(type, names[k]) && (strncmp(type, "alloc", 5) || weight == i + 1) &&
			    (strncmp(type, "inuse", 5) || weight == i + 1))
				return i;
	}
	return SIZE_MAX;
}

int compared_side(struct compare_side *s, const struct input *in, const struct read_options *r,
		  const struct common_options *o, struct error *e)
{
	struct read_options one = *r;

	s->profile = &in->profile;
	if (in->kind == INPUT_PERF)
		one.type = NULL;
	if (input_series(in, &one, WEIGHT_PERIOD, o, &s->weight, e) < 0)
		return -1;
	s->count = in->kind == INPUT_PERF ? s->weight - 1 : count_series(&in->profile, s->weight);
	return 0;
}

/* --- JSON -------------------------------------------------------------------------------- */

static bool is_shown(enum skew_metric m, bool all)
{
	return all || m == SKEW_TOTAL_VARIATION_SELF || m == SKEW_TOTAL_VARIATION_STACK;
}

void compared_json_metrics(struct json_object *doc, const struct comparison *c, const char *a_key,
			   const char *b_key, bool all)
{
	struct json_object *metrics = json_add_obj(doc, "metrics");

	for (int i = 0; i < SKEW_METRICS; i++) {
		const struct compare_metric *m = &c->metrics[i];
		struct json_object *o;

		if (!is_shown((enum skew_metric)i, all))
			continue;
		o = json_add_obj(metrics, skew_metric_name((enum skew_metric)i));
		json_add_num(o, "value", m->value);
		json_add_range(o, "ci95", m->ci_low, m->ci_high);
		json_add_num(o, "noise_floor", m->noise_floor);
		json_add_num(o, "excess", m->excess);
		json_add_num(o, "p_value", m->p_value);
		json_add_num(o, a_key, m->a_share);
		json_add_num(o, b_key, m->b_share);
	}
}

static void add_note(struct json_object *notes, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void add_note(struct json_object *notes, const char *fmt, ...)
{
	va_list ap;
	char text[256];

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	json_object_array_add(notes, json_object_new_string(text));
}

void compared_json_null_notes(struct json_object *notes, const struct comparison *c, const char *a, const char *b,
			      bool all)
{
	bool empty_a = !(c->a_weight > 0), empty_b = !(c->b_weight > 0);

	if (empty_a || empty_b)
		add_note(notes, "%s has no samples: nothing can be compared", empty_a ? a : b);
	else if (isnan(c->a_samples) || isnan(c->b_samples))
		add_note(notes, "%s does not count samples: there are no noise floors, intervals and tests",
			 isnan(c->a_samples) ? a : b);
	for (int i = 0; i < SKEW_METRICS && !empty_a && !empty_b; i++)
		if (is_shown((enum skew_metric)i, all) && isnan(c->metrics[i].value))
			add_note(notes, "%s is null: %s has no sample of the kind it is about",
				 skew_metric_name((enum skew_metric)i), a);
}

static void add_named(struct json_object *o, const char *side, const char *what, double value)
{
	char key[64];

	snprintf(key, sizeof(key), "%s_%s", side, what);
	json_add_num(o, key, value);
}

void compared_json_functions(struct json_object *doc, const struct comparison *c, const char *a, const char *b)
{
	struct json_object *arr = json_add_arr(doc, "functions");

	for (size_t i = 0; i < c->nr_functions; i++) {
		const struct compare_row *r = &c->functions[i];
		struct json_object *o = json_append_obj(arr);

		json_add_str(o, "name", r->name);
		add_named(o, a, "self", r->a_self);
		add_named(o, b, "self", r->b_self);
		json_add_num(o, "difference_self", r->difference_self);
		add_named(o, a, "cum", r->a_cum);
		add_named(o, b, "cum", r->b_cum);
		json_add_num(o, "difference_cum", r->difference_cum);
		json_add_range(o, "ci95", r->ci_low, r->ci_high);
		json_add_num(o, "q_value", r->q_value);
		json_add_str(o, "tested", r->by_cum ? "cum" : "self");
	}
}

void compared_json_rows(struct json_object *doc, const char *list, const char *key, const struct compare_row *rows,
			size_t nr, const char *a, const char *b)
{
	struct json_object *arr = json_add_arr(doc, list);

	for (size_t i = 0; i < nr; i++) {
		struct json_object *o = json_append_obj(arr);

		json_add_str(o, key, rows[i].name);
		add_named(o, a, "share", rows[i].a_self);
		add_named(o, b, "share", rows[i].b_self);
		json_add_num(o, "difference", rows[i].difference_self);
		json_add_range(o, "ci95", rows[i].ci_low, rows[i].ci_high);
		json_add_num(o, "q_value", rows[i].q_value);
	}
}

/* --- pictures ------------------------------------------------------------------------------ */

int compared_picture(const struct comparison *c, const struct picture_options *o,
		     const struct picture_format *format, const struct common_options *common,
		     struct compared_drawn wide, struct compared_drawn other, const char *subtitle)
{
	struct graph_options opts = {.series = wide.series, .differential = true,
				     .base_series = other.series, .reverse = o->reverse};
	struct graph g;
	int code;

	graph_build(&g, &c->joint, &opts);
	g.render.side_a = wide.name;
	g.render.side_b = other.name;
	code = picture_write(&g.render, o, subtitle, format, common);
	graph_release(&g);
	return code;
}

int compared_check_picture(const struct picture_options *o, struct error *e)
{
	return o->flamechart ? error_set(e, EXIT_CODE_USAGE, "--flamechart is for one profile, see flame") : 0;
}

/* --- text ------------------------------------------------------------------------------------ */

const char *percent_text(char *buf, size_t size, double share)
{
	if (isnan(share))
		return "-";
	snprintf(buf, size, "%.2f %%", 100 * share);
	return buf;
}

const char *points_text(char *buf, size_t size, double difference)
{
	if (isnan(difference))
		return "-";
	snprintf(buf, size, "%+.2f", 100 * difference);
	return buf;
}

static void put_cell(FILE *f, const char *name, bool markdown)
{
	if (!markdown) {
		put_safe(f, name);
		return;
	}
	put_markdown_code(f, name, 0);
}

static const char *q_text(char *buf, size_t size, double q)
{
	if (isnan(q))
		return "-";
	snprintf(buf, size, q < 0.0001 ? "<0.0001" : "%.4f", q);
	return buf;
}

static void put_row(FILE *f, const struct compare_row *r, bool markdown)
{
	double before = r->by_cum ? r->a_cum : r->a_self, after = r->by_cum ? r->b_cum : r->b_self;
	const char *of = r->by_cum ? "cum" : "self";
	char x[32], y[32], d[32], q[32];

	percent_text(x, sizeof(x), before);
	percent_text(y, sizeof(y), after);
	points_text(d, sizeof(d), compare_difference(r));
	q_text(q, sizeof(q), r->q_value);
	if (!markdown)
		fprintf(f, "%10s %10s %8s %9s  %-4s  ", x, y, d, q, of);
	else
		fputs("| ", f);
	put_cell(f, r->name, markdown);
	if (markdown)
		fprintf(f, " | %s | %s | %s | %s | %s |", of, x, y, d, q);
	fputc('\n', f);
}

/* A caller that adds nothing to the one above it in the table: f calls g calls h, and all time is in h. */
static bool is_same_chain(const struct compare_row *r, const struct compare_row *last)
{
	return last && r->by_cum && last->by_cum && r->a_cum == last->a_cum && r->b_cum == last->b_cum;
}

void compared_table(FILE *f, const struct comparison *c, size_t top, bool markdown, const char *a, const char *b)
{
	const struct compare_row *last = NULL;
	size_t shown = 0, flagged = 0;

	for (size_t i = 0; i < c->nr_functions; i++)
		flagged += c->functions[i].q_value < 0.05;
	if (!flagged) {
		fputs(markdown ? "No function differs beyond sampling noise (q < 0.05).\n"
			       : "functions: none differs beyond sampling noise (q < 0.05)\n", f);
		return;
	}
	if (markdown)
		fprintf(f, "| function | of | %s | %s | points | q |\n|---|---|---:|---:|---:|---:|\n", a, b);
	else
		fprintf(f, "functions that differ (q < 0.05): %zu of %zu\n%10s %10s %8s %9s  of    function\n", flagged,
			c->nr_functions, a, b, "points", "q");
	for (size_t i = 0; i < c->nr_functions && shown < top; i++) {
		const struct compare_row *r = &c->functions[i];

		if (!(r->q_value < 0.05))
			continue;
		if (is_same_chain(r, last)) {
			flagged--;
			continue;
		}
		put_row(f, r, markdown);
		last = r;
		shown++;
	}
	if (flagged > shown)
		fprintf(f, "%s%zu more\n", markdown ? "\n" : "", flagged - shown);
}
