/*
 * perfskew flame: a flame graph of one input, as SVG, PNG, PDF or HTML report.
 */
#include <errno.h>
#include <string.h>

#include "base/output.h"
#include "cmd/chart.h"
#include "cmd/cmd.h"
#include "cmd/confine.h"
#include "cmd/document.h"
#include "cmd/graph.h"
#include "cmd/input.h"
#include "cmd/message.h"
#include "cmd/picture.h"

struct flame {
	struct common_options common;
	struct read_options read;
	struct weight_options weight;
	struct picture_options picture;
};

static const struct opt_group groups[] = {
	OPT_GROUP("Input and output", common_opts, struct flame, common),
	OPT_GROUP("Samples and stacks", read_opts, struct flame, read),
	OPT_GROUP("Values", weight_opts, struct flame, weight),
	OPT_GROUP("Picture", picture_opts, struct flame, picture),
	{0},
};

static int draw(const struct flame *o, const struct input *in, const struct picture_format *format,
		struct error *e)
{
	struct graph_options opts = {.reverse = o->picture.reverse};
	struct graph g;
	char subtitle[256], value[64];
	int code;

	if (picture_is_report(format))
		return document_profile(in, &o->read, (enum weight)o->weight.weight, &o->picture, &o->common, false);
	if (input_series(in, &o->read, (enum weight)o->weight.weight, &o->common, &opts.series, e) < 0)
		return fail(e);
	if (!o->picture.flamechart)
		graph_build(&g, &in->profile, &opts);
	else if (chart_build(&g, in, &opts, o->read.by != NULL, &o->common, e) < 0)
		return fail(e);
	snprintf(subtitle, sizeof(subtitle), "%s, %s: %s", in->path, input_event_name(in, opts.series),
		 format_value(value, sizeof(value), g.nodes[0].value, g.render.unit));
	code = picture_write(&g.render, &o->picture, subtitle, format, &o->common);
	graph_release(&g);
	return code;
}

static int run(void *options, int argc, char **argv)
{
	struct flame *o = options;
	struct input_wants wants = {.no_comm = false};
	const struct picture_format *format;
	struct input in;
	struct error e;
	const char *path;
	int code, damaged;

	format = picture_format(&o->common, &o->picture, &e);
	wants.goroutines = picture_is_report(format);
	wants.keep_samples = wants.goroutines || o->picture.flamechart;
	path = format ? input_single(&o->common, argc, argv, &e) : NULL;
	if (!path) {
		message("flame: %s", e.text);
		return EXIT_CODE_USAGE;
	}
	confine_input(path);
	if (confine(&o->common, &o->read, &e) < 0)
		return fail(&e);
	if (input_load(&in, path, &o->read, &o->common, &wants, &e) < 0)
		return fail(&e);
	damaged = report_damage(in.path, &in.damage);
	code = damaged && o->common.strict ? damaged : draw(o, &in, format, &e);
	input_release(&in);
	return code ? code : damaged;
}

const struct cmd cmd_flame = {
	.name = "flame",
	.args = "[FILE]",
	.summary = "flame graph: .svg, .png, .pdf or .html by the output's suffix or --format",
	.groups = groups,
	.size = sizeof(struct flame),
	.run = run,
};
