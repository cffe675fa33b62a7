/*
 * perfskew flame: a flame graph of each input, as SVG, PNG, PDF or HTML report.
 */
#include <errno.h>
#include <string.h>

#include "base/output.h"
#include "cmd/chart.h"
#include "cmd/cmd.h"
#include "cmd/confine.h"
#include "cmd/diff.h"
#include "cmd/document.h"
#include "cmd/gallery.h"
#include "cmd/graph.h"
#include "cmd/input.h"
#include "cmd/message.h"
#include "cmd/picture.h"

struct flame {
	struct common_options common;
	struct read_options read;
	struct weight_options weight;
	struct picture_options picture;
	struct batch_options batch;
};

static const struct opt_group groups[] = {
	OPT_GROUP("Input and output", common_opts, struct flame, common),
	OPT_GROUP("Samples and stacks", read_opts, struct flame, read),
	OPT_GROUP("Values", weight_opts, struct flame, weight),
	OPT_GROUP("Picture", picture_opts, struct flame, picture),
	OPT_GROUP("Many recordings", batch_opts, struct flame, batch),
	{0},
};

static int draw(const struct flame *o, const struct input *in, const struct picture_format *format,
		const struct common_options *common)
{
	struct graph_options opts = {.reverse = o->picture.reverse};
	struct graph g;
	struct error e;
	char subtitle[256], value[64];
	int code;

	if (picture_is_report(format))
		return document_profile(in, &o->read, (enum weight)o->weight.weight, &o->picture, common, false);
	if (input_series(in, &o->read, (enum weight)o->weight.weight, common, &opts.series, &e) < 0)
		return fail(&e);
	if (!o->picture.flamechart)
		graph_build(&g, &in->profile, &opts);
	else if (chart_build(&g, in, &opts, o->read.by != NULL, common, &e) < 0)
		return fail(&e);
	snprintf(subtitle, sizeof(subtitle), "%s, %s: %s", in->path, input_event_name(in, opts.series),
		 format_value(value, sizeof(value), g.nodes[0].value, g.render.unit));
	code = picture_write(&g.render, &o->picture, subtitle, format, common);
	graph_release(&g);
	return code;
}

/* One recording, beside its namesake where there is one. */
static int draw_one(void *ctx, const struct batch_item *item, const struct batch_item *base,
		    const struct picture_format *format, const struct common_options *common)
{
	const struct flame *o = ctx;
	bool report = picture_is_report(format);
	struct input_wants wants = {.goroutines = report && !base, .keep_samples = !base && (report || o->picture.flamechart),
				    .no_comm = base != NULL};
	struct input in;
	struct error e;
	int code, damaged;

	if (input_load(&in, item->path, &o->read, common, &wants, &e) < 0)
		return fail(&e);
	damaged = report_damage(in.path, &in.damage);
	if (damaged && common->strict)
		code = damaged;
	else if (base)
		code = diff_draw(base->path, &in, &o->read, &o->picture, format->name, common);
	else
		code = draw(o, &in, format, common);
	input_release(&in);
	return code ? code : damaged;
}

static int draw_all(struct flame *o, const struct batch *b, const struct batch *bases, const struct picture_format *format)
{
	for (size_t i = 0; bases->nr && i < b->nr; i++)
		if (!batch_base(bases, &b->items[i]))
			note(&o->common, "%s: the baseline has nothing of this name: drawn alone", b->items[i].name);
	if (b->many)
		return gallery_draw(b, bases, format, &o->common, draw_one, o);
	return draw_one(o, &b->items[0], batch_base(bases, &b->items[0]), format, &o->common);
}

static int run(void *options, int argc, char **argv)
{
	struct flame *o = options;
	const struct picture_format *format = NULL;
	struct batch b = {.nr = 0}, bases = {.nr = 0};
	struct error e;
	int code;

	batch_operands(&b, &o->common, argc, argv, input_default());
	if (o->batch.baseline)
		batch_expand(&bases, 1, &o->batch.baseline);
	if (!o->batch.baseline || compared_check_picture(&o->picture, &e) == 0)
		format = b.many ? gallery_open(&o->common, &o->picture, &e) : picture_format(&o->common, &o->picture, &e);
	confine_batch(&b);
	confine_batch(&bases);
	if (!format) {
		message("flame: %s", e.text);
		code = (int)e.code;
	} else if (confine(&o->common, &o->read, &e) < 0) {
		code = fail(&e);
	} else {
		code = draw_all(o, &b, &bases, format);
	}
	batch_release(&b);
	batch_release(&bases);
	return code;
}

const struct cmd cmd_flame = {
	.name = "flame",
	.args = "[FILE|FOLDER|PATTERN]…",
	.summary = "flame graph: .svg, .png, .pdf or .html by the output's suffix or --format",
	.help = "Of many recordings --output names a folder, and each has its picture there; with --baseline the\n"
		"difference to its namesake.",
	.groups = groups,
	.size = sizeof(struct flame),
	.run = run,
};
