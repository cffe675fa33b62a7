/*
 * perfskew diff: two profiles of any kind, as a table or a picture.
 */
#include <math.h>
#include <string.h>

#include "base/output.h"
#include "cmd/cmd.h"
#include "cmd/compared.h"
#include "cmd/confine.h"
#include "cmd/diff.h"
#include "cmd/document.h"
#include "cmd/message.h"

struct diff {
	struct common_options common;
	struct read_options read;
	struct picture_options picture;
	struct {
		bool normalize;
		size_t top;
	} table;
};

static const struct opt table_opts[] = {
	{.name = "normalize", .type = OPT_FLAG, .offset = 0,
	 .help = "compare shares of each side's own total (they are, in any case)"},
	{.name = "top", .letter = 'n', .type = OPT_SIZE, .offset = offsetof(struct diff, table.top) - offsetof(struct diff, table),
	 .arg = "N", .help = "so many functions (30)"},
	{0},
};

static const struct opt_group groups[] = {
	OPT_GROUP("Input and output", common_opts, struct diff, common),
	OPT_GROUP("Samples and stacks", read_opts, struct diff, read),
	OPT_GROUP("Picture", picture_opts, struct diff, picture),
	OPT_GROUP("Table", table_opts, struct diff, table),
	{0},
};

struct two {
	struct input before, after;
	struct comparison c;
	double ratio, ratio_low, ratio_high;
};

static void json_side(struct json_object *doc, const char *key, const struct input *in, const struct compare_side *s,
		      double samples, double weight)
{
	struct json_object *o = json_add_obj(doc, key);

	json_add_str(o, "path", in->path);
	json_add_str(o, "type", input_event_name(in, s->weight));
	json_add_str(o, "unit", profile_str(&in->profile, in->profile.series[s->weight].unit));
	json_add_num(o, "samples", samples);
	json_add_num(o, "total", weight);
}

static int write_json(const struct diff *o, const struct two *t, const struct compare_side *a, const struct compare_side *b)
{
	struct json_object *doc = json_document("perfskew.diff.v1"), *ratio, *notes;
	const char *ua = profile_str(&t->before.profile, t->before.profile.series[a->weight].unit);
	const char *ub = profile_str(&t->after.profile, t->after.profile.series[b->weight].unit);
	struct damage damage = t->before.damage;

	json_side(doc, "before", &t->before, a, t->c.a_samples, t->c.a_weight);
	json_side(doc, "after", &t->after, b, t->c.b_samples, t->c.b_weight);
	ratio = json_add_obj(doc, "ratio");
	json_add_num(ratio, "value", strcmp(ua, ub) ? NAN : t->ratio);
	json_add_range(ratio, "ci95", strcmp(ua, ub) ? NAN : t->ratio_low, t->ratio_high);
	compared_json_metrics(doc, &t->c, "before_share", "after_share", false);
	compared_json_functions(doc, &t->c, "before", "after");
	notes = json_add_arr(doc, "notes");
	compared_json_null_notes(notes, &t->c, "before", "after", false);
	if (strcmp(ua, ub) != 0)
		json_object_array_add(notes, json_object_new_string("the two sides count in different units: the ratio of their totals is null"));
	damage_merge(&damage, &t->after.damage);
	json_add_damage(doc, &damage);
	return json_write(doc, &o->common);
}

static int write_text(const struct diff *o, const struct two *t, const struct compare_side *a, const struct compare_side *b)
{
	bool markdown = o->common.format && !strcmp(o->common.format, "markdown");
	const struct compare_metric *m = &t->c.metrics[SKEW_TOTAL_VARIATION_SELF];
	const char *ua = profile_str(&t->before.profile, t->before.profile.series[a->weight].unit);
	const char *ub = profile_str(&t->after.profile, t->after.profile.series[b->weight].unit);
	char x[64], y[64];
	struct output out;
	struct error e;

	if (output_open(&out, o->common.output, &e) < 0)
		return fail(&e);
	fprintf(out.f, "before  %s  ", format_value(x, sizeof(x), t->c.a_weight, ua));
	put_safe(out.f, t->before.path);
	fprintf(out.f, "\nafter   %s  ", format_value(y, sizeof(y), t->c.b_weight, ub));
	put_safe(out.f, t->after.path);
	fputc('\n', out.f);
	if (!isnan(t->ratio_low) && !strcmp(ua, ub))
		fprintf(out.f, "total   %+.1f %% (95 %%: %+.1f to %+.1f)\n", 100 * (t->ratio - 1), 100 * (t->ratio_low - 1),
			100 * (t->ratio_high - 1));
	if (!isnan(m->p_value))
		fprintf(out.f, "moved   %.2f %% of the time is in another function; %.2f %% is what noise alone would show (p %.3g)\n",
			100 * m->value, 100 * m->noise_floor, m->p_value);
	fputc('\n', out.f);
	compared_table(out.f, &t->c, o->table.top ? o->table.top : 30, markdown, "before", "after");
	return output_commit(&out, &e) < 0 ? fail(&e) : EXIT_CODE_OK;
}

/* The format named, or by the suffix of --output; NULL: text. */
static const char *wanted_format(const struct common_options *o)
{
	const char *dot = !o->format && o->output ? strrchr(o->output, '.') : NULL;

	if (o->format)
		return o->format;
	if (dot && (!strcmp(dot, ".svg") || !strcmp(dot, ".png") || !strcmp(dot, ".pdf") || !strcmp(dot, ".html")))
		return dot + 1;
	return dot && !strcmp(dot, ".json") ? "json" : "text";
}

static void summarise(struct document *d, const char *name, const struct input *in, const struct compare_side *s,
		      double samples, double weight)
{
	const char *value = document_value(d, weight, profile_str(&in->profile, in->profile.series[s->weight].unit));

	if (isnan(samples))
		document_field(d, name, "%s, %s", value, input_event_name(in, s->weight));
	else
		document_field(d, name, "%s, %.0f samples of %s", value, samples, input_event_name(in, s->weight));
	document_input(d, in);
}

static int write_html(const struct diff *o, struct two *t, const struct compare_side *a, const struct compare_side *b)
{
	const struct compare_metric *m = &t->c.metrics[SKEW_TOTAL_VARIATION_SELF];
	struct document d = {0};
	int code;

	summarise(&d, "Before", &t->before, a, t->c.a_samples, t->c.a_weight);
	summarise(&d, "After", &t->after, b, t->c.b_samples, t->c.b_weight);
	if (!isnan(t->ratio_low))
		document_field(&d, "Change of the total", "%+.1f %% (95 %%: %+.1f to %+.1f)", 100 * (t->ratio - 1),
			       100 * (t->ratio_low - 1), 100 * (t->ratio_high - 1));
	if (!isnan(m->p_value)) {
		document_field(&d, "In another function", "%.2f %%", 100 * m->value);
		document_field(&d, "Noise alone would show", "%.2f %% (p %.3g)", 100 * m->noise_floor, m->p_value);
	}
	compared_document_metrics(&d, &t->c, "Before", "After", false);
	code = document_comparison(&d, &t->c, &o->picture, &o->common, (struct compared_drawn){COMPARE_B_WEIGHT, "after"},
				   (struct compared_drawn){COMPARE_A_WEIGHT, "before"},
				   document_text(&d, "%s → %s", t->before.path, t->after.path));
	document_release(&d);
	return code;
}

static int show(const struct diff *o, struct two *t)
{
	struct compare_side a, b;
	struct compare_options opts = {.rules = NORMALISE_NAMES, .jobs = (int)o->read.jobs};
	const char *format = wanted_format(&o->common);
	struct error e;
	int code;

	if (compared_side(&a, &t->before, &o->read, &o->common, &e) < 0 ||
	    compared_side(&b, &t->after, &o->read, &o->common, &e) < 0)
		return fail(&e);
	comparison_make(&t->c, &a, &b, &opts);
	compare_ratio(t->c.a_weight, t->c.a_samples, t->c.b_weight, t->c.b_samples, &t->ratio, &t->ratio_low, &t->ratio_high);
	if (!strcmp(format, "json")) {
		code = write_json(o, t, &a, &b);
	} else if (!strcmp(format, "text") || !strcmp(format, "markdown")) {
		code = write_text(o, t, &a, &b);
	} else {
		const struct picture_format *picture = picture_format(&o->common, &o->picture, &e);

		code = picture_is_report(picture) ? write_html(o, t, &a, &b)
		       : picture ? compared_picture(&t->c, &o->picture, picture, &o->common,
						  (struct compared_drawn){COMPARE_B_WEIGHT, "after"},
						  (struct compared_drawn){COMPARE_A_WEIGHT, "before"}, NULL)
			       : fail(&e);
	}
	comparison_release(&t->c);
	return code;
}

int diff_draw(const char *before, const struct input *after, const struct read_options *read,
	      const struct picture_options *picture, const char *format, const struct common_options *common)
{
	struct diff o = {.common = *common, .read = *read, .picture = *picture};
	struct input_wants wants = {.no_comm = true};
	struct two t = {.after = *after};
	struct error e;
	int code, damaged;

	o.common.format = format;
	if (input_load(&t.before, before, read, common, &wants, &e) < 0)
		return fail(&e);
	damaged = report_damage(t.before.path, &t.before.damage);
	code = damaged && common->strict ? damaged : show(&o, &t);
	input_release(&t.before);
	return code ? code : damaged;
}

static int run(void *options, int argc, char **argv)
{
	struct diff *o = options;
	struct input_wants wants = {.no_comm = true};
	const char *format = wanted_format(&o->common);
	struct two t = {0};
	const char *paths[2];
	struct error e;
	int code, damaged;

	if (input_operands(&o->common, argc, argv, paths, 2) != 2) {
		message("diff: takes two FILEs, BEFORE and AFTER");
		return EXIT_CODE_USAGE;
	}
	if (compared_check_picture(&o->picture, &e) < 0 ||
	    (strcmp(format, "json") && strcmp(format, "text") && strcmp(format, "markdown") &&
	     !picture_format(&o->common, &o->picture, &e))) {
		message("diff: %s", e.text);
		return EXIT_CODE_USAGE;
	}
	confine_input(paths[0]);
	confine_input(paths[1]);
	if (confine(&o->common, &o->read, &e) < 0 || input_load(&t.before, paths[0], &o->read, &o->common, &wants, &e) < 0)
		return fail(&e);
	if (input_load(&t.after, paths[1], &o->read, &o->common, &wants, &e) < 0) {
		input_release(&t.before);
		return fail(&e);
	}
	damaged = report_damage(t.before.path, &t.before.damage);
	damaged = report_damage(t.after.path, &t.after.damage) ? EXIT_CODE_DAMAGED : damaged;
	code = damaged && o->common.strict ? damaged : show(o, &t);
	input_release(&t.before);
	input_release(&t.after);
	return code ? code : damaged;
}

const struct cmd cmd_diff = {
	.name = "diff",
	.args = "BEFORE AFTER",
	.summary = "two profiles of any kind, as a table, a differential flame graph or an HTML report",
	.groups = groups,
	.size = sizeof(struct diff),
	.run = run,
};
