#include "cmd/check_write.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/comment.h"
#include "cmd/escape.h"
#include "cmd/json.h"
#include "cmd/message.h"


static const char *share(char *buf, size_t size, double v)
{
	if (isnan(v))
		return "-";
	snprintf(buf, size, "%.2f %%", 100 * v);
	return buf;
}

/* "13.99 % (95 %: 11.59 to 16.40)" */
static const char *measured(char *buf, size_t size, const struct verdict *v)
{
	char text[32];

	if (isnan(v->low))
		return share(buf, size, v->value);
	snprintf(buf, size, "%s (95 %%: %.2f to %.2f)", share(text, sizeof(text), v->value), 100 * v->low, 100 * v->high);
	return buf;
}

/* What the value is, where its name does not say it all; buf or "". */
static const char *remark(char *buf, size_t size, const struct verdict *v)
{
	buf[0] = '\0';
	if (!isnan(v->noise_floor) && v->noise_floor > 0)
		snprintf(buf, size, "beyond noise of %.2f %%", 100 * v->noise_floor);
	else if (!isnan(v->before) && !isnan(v->after))
		snprintf(buf, size, "from %.2f to %.2f %% of all time", 100 * v->before, 100 * v->after);
	return buf;
}

/* "max-growth", and what it is about: a metric, a function, or nothing. */
static const char *subject(const struct verdict *v)
{
	if (v->subject)
		return v->subject;
	return v->limit->kind == LIMIT_SKEW ? skew_metric_name(v->limit->metric) : v->limit->pattern;
}

static const char *state_text(const struct verdict *v)
{
	return verdict_status_text(v->status);
}

/* --- text: one line a violation ------------------------------------------------------------------ */

static void write_text(FILE *f, const struct verdicts *vs)
{
	char a[96], b[96];

	for (size_t i = 0; i < vs->nr; i++) {
		const struct verdict *v = &vs->v[i];

		if (v->status != VERDICT_EXCEEDED)
			continue;
		put_safe(f, v->item->name);
		fprintf(f, ": max-%s", limit_kind_name(v->limit->kind));
		if (subject(v)) {
			fputc(' ', f);
			put_safe(f, subject(v));
		}
		fprintf(f, ": %s", measured(a, sizeof(a), v));
		if (*remark(b, sizeof(b), v))
			fprintf(f, ", %s", b);
		fprintf(f, "; allowed %s\n", share(a, sizeof(a), v->limit->max));
	}
}

/* --- JSON --------------------------------------------------------------------------------------------- */

static void write_document(FILE *f, struct json_object *doc)
{
	fputs(json_object_to_json_string_ext(doc, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE), f);
	fputc('\n', f);
	json_object_put(doc);
}

static void write_json(FILE *f, const struct verdicts *vs)
{
	struct json_object *doc = json_document("perfskew.check.v1"), *arr;

	json_add_u64(doc, "recordings", vs->judged);
	json_add_u64(doc, "exceeded", vs->of[VERDICT_EXCEEDED]);
	json_add_u64(doc, "undecided", vs->of[VERDICT_UNDECIDED]);
	json_add_u64(doc, "not_judged", vs->of[VERDICT_NOT_JUDGED]);
	json_add_u64(doc, "kept", vs->of[VERDICT_KEPT]);
	arr = json_add_arr(doc, "results");
	for (size_t i = 0; i < vs->nr; i++) {
		const struct verdict *v = &vs->v[i];
		struct json_object *o = json_append_obj(arr);

		json_add_str(o, "recording", v->item->name);
		json_add_str(o, "path", v->item->path);
		json_add_str(o, "threshold", limit_kind_name(v->limit->kind));
		json_add_str(o, "subject", subject(v));
		json_add_str(o, "status", state_text(v));
		json_add_num(o, "value", v->value);
		json_add_range(o, "ci95", v->low, v->high);
		json_add_num(o, "max", v->limit->max);
		json_add_num(o, "noise_floor", v->noise_floor);
		json_add_num(o, "before", v->before);
		json_add_num(o, "after", v->after);
		json_add_str(o, "why", v->why);
	}
	arr = json_add_arr(doc, "errors");
	for (size_t i = 0; i < vs->nr_errors; i++) {
		struct json_object *o = json_append_obj(arr);

		json_add_str(o, "recording", vs->errors[i].item->name);
		json_add_str(o, "path", vs->errors[i].item->path);
		json_add_str(o, "error", vs->errors[i].text);
	}
	write_document(f, doc);
}

/*
 * github-action-benchmark's customSmallerIsBetter: an array of {name, unit, value,
 * range, extra}; its README. What could not be measured is left out.
 */
static void write_github(FILE *f, const struct verdicts *vs)
{
	struct json_object *arr = json_object_new_array();

	for (size_t i = 0; i < vs->nr; i++) {
		const struct verdict *v = &vs->v[i];
		struct json_object *o;
		char name[512], text[128], r[96];

		if (isnan(v->value))
			continue;
		/* a pattern's name, not the function's: the series must go on from run to run */
		snprintf(name, sizeof(name), "%s: %s", v->item->name, limit_text(text, sizeof(text), v->limit));
		if (v->status == VERDICT_EXCEEDED && v->subject && strcmp(v->subject, v->limit->pattern))
			snprintf(name + strlen(name), sizeof(name) - strlen(name), " (%s)", v->subject);
		o = json_append_obj(arr);
		json_add_str(o, "name", name);
		json_add_str(o, "unit", "%");
		json_add_num(o, "value", 100 * v->value);
		if (!isnan(v->low)) {
			snprintf(text, sizeof(text), "%.2f to %.2f", 100 * v->low, 100 * v->high);
			json_add_str(o, "range", text);
		}
		snprintf(text, sizeof(text), "%s; allowed %s", state_text(v), share(r, sizeof(r), v->limit->max));
		json_add_str(o, "extra", text);
	}
	write_document(f, arr);
}

/* --- JUnit --------------------------------------------------------------------------------------------- */

static void junit_case(FILE *f, const struct batch_item *item, const struct limit *l, const char *function)
{
	const char *what = l->kind == LIMIT_SKEW ? skew_metric_name(l->metric) : l->pattern;

	fputs("    <testcase classname=\"", f);
	put_xml(f, item->name, 0);
	fprintf(f, "\" name=\"max-%s", limit_kind_name(l->kind));
	if (what) {
		fputc(' ', f);
		put_xml(f, what, 0);
	}
	if (function && what && strcmp(function, what)) {
		fputs(" (", f);
		put_xml(f, function, 0);
		fputc(')', f);
	}
	fputs("\"", f);
}

static void junit_verdict(FILE *f, const struct verdict *v)
{
	char a[96], b[96], c[32];

	junit_case(f, v->item, v->limit, v->status == VERDICT_EXCEEDED ? v->subject : NULL);
	if (v->status == VERDICT_KEPT) {
		fputs("/>\n", f);
		return;
	}
	fputs(">\n      ", f);
	if (v->status == VERDICT_EXCEEDED) {
		fprintf(f, "<failure type=\"exceeded\" message=\"%s; allowed %s\">%s</failure>", measured(a, sizeof(a), v),
			share(c, sizeof(c), v->limit->max), remark(b, sizeof(b), v));
	} else {
		fprintf(f, "<skipped message=\"%s: ", state_text(v));
		put_xml(f, v->why ? v->why : "", 0);
		fputs("\"/>", f);
	}
	fputs("\n    </testcase>\n", f);
}

/* As Jenkins, GitLab and GitHub actions read it: one testcase a threshold and recording. */
static void write_junit(FILE *f, const struct verdicts *vs)
{
	fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n", f);
	fprintf(f, "<testsuites>\n  <testsuite name=\"perfskew check\" tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" skipped=\"%zu\">\n",
		vs->nr + vs->nr_errors, vs->of[VERDICT_EXCEEDED], vs->nr_errors,
		vs->of[VERDICT_UNDECIDED] + vs->of[VERDICT_NOT_JUDGED]);
	for (size_t i = 0; i < vs->nr_errors; i++) {
		fputs("    <testcase classname=\"", f);
		put_xml(f, vs->errors[i].item->name, 0);
		fputs("\" name=\"readable\">\n      <error message=\"", f);
		put_xml(f, vs->errors[i].text, 0);
		fputs("\"/>\n    </testcase>\n", f);
	}
	for (size_t i = 0; i < vs->nr; i++)
		junit_verdict(f, &vs->v[i]);
	fputs("  </testsuite>\n</testsuites>\n", f);
}

/* --- markdown ---------------------------------------------------------------------------------------------- */

static void markdown_row(FILE *f, const struct verdict *v)
{
	static const char *const marks[VERDICT_STATES] = {"❌", "⚠️", "➖", "✅"};
	char a[96], b[96], c[32];

	fprintf(f, "| %s %s | ", marks[v->status], state_text(v));
	put_markdown_code(f, v->item->name, COMMENT_NAME);
	fprintf(f, " | max-%s", limit_kind_name(v->limit->kind));
	if (subject(v)) {
		fputc(' ', f);
		put_markdown_code(f, subject(v), COMMENT_NAME);
	}
	fprintf(f, " | %s", measured(a, sizeof(a), v));
	if (*remark(b, sizeof(b), v))
		fprintf(f, ", %s", b);
	if (v->why)
		fputs("; ", f), put_safe(f, v->why);
	fprintf(f, " | %s |\n", share(c, sizeof(c), v->limit->max));
}

static void markdown_head(FILE *f, const struct verdicts *vs)
{
	if (vs->of[VERDICT_EXCEEDED])
		fprintf(f, "### ❌ perfskew check: %zu threshold%s exceeded\n\n", vs->of[VERDICT_EXCEEDED],
			vs->of[VERDICT_EXCEEDED] == 1 ? "" : "s");
	else
		fputs(vs->nr_errors ? "### ⚠️ perfskew check: not all could be read\n\n"
				    : "### ✅ perfskew check: no threshold exceeded\n\n", f);
	fprintf(f, "%zu recording%s; %zu kept, %zu undecided, %zu not judged.\n\n", vs->judged, vs->judged == 1 ? "" : "s",
		vs->of[VERDICT_KEPT], vs->of[VERDICT_UNDECIDED], vs->of[VERDICT_NOT_JUDGED]);
}

void check_markdown(FILE *f, const struct verdicts *vs)
{
	struct comment c;
	size_t shown = 0;

	if (!comment_start(&c, f))
		return;
	markdown_head(c.row, vs);
	for (size_t i = 0; i < vs->nr_errors && i < 20; i++) {
		fputs("- could not be read: ", c.row);
		put_markdown_code(c.row, vs->errors[i].text, 300);
		fputc('\n', c.row);
	}
	if (vs->nr_errors > 20)
		fprintf(c.row, "- and %zu more\n", vs->nr_errors - 20);
	if (vs->nr)
		fprintf(c.row, "%s| | recording | threshold | measured | allowed |\n|---|---|---|---|---:|\n", vs->nr_errors ? "\n" : "");
	comment_take(&c);
	for (; shown < vs->nr; shown++) {
		markdown_row(c.row, &vs->v[shown]);
		if (!comment_take(&c))
			break;
	}
	comment_end(&c);
	if (shown < vs->nr)
		fprintf(f, "\n%zu more rows are cut: a comment holds no more. They follow the ones above in order, worst first.\n",
			vs->nr - shown);
}

/* --- the table of forms --------------------------------------------------------------------------------- */

static const struct check_format formats[] = {
	{"text", write_text}, {"junit", write_junit}, {"markdown", check_markdown}, {"json", write_json}, {"github", write_github},
};

const struct check_format *check_format(const char *name, struct error *e)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++)
		if (!strcmp(formats[i].name, name ? name : "text"))
			return &formats[i];
	error_set(e, EXIT_CODE_USAGE, "--format: '%s' is none of text, junit, markdown, json, github", name);
	return NULL;
}
