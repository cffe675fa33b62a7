/*
 * perfskew check: thresholds for CI; exits 1 when one is exceeded.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/output.h"
#include "cmd/batch.h"
#include "cmd/check_write.h"
#include "cmd/cmd.h"
#include "cmd/confine.h"
#include "cmd/input.h"
#include "cmd/judge.h"
#include "cmd/limits.h"
#include "cmd/message.h"

struct check {
	struct common_options common;
	struct read_options read;
	struct {
		const char *config, *baseline, *summary;
		struct opt_list max[LIMIT_KINDS];
		int undecided;
	} limits;
};

static const char *const undecided_choices[] = {"pass", "fail", NULL};

#define AT(field) (offsetof(struct check, limits.field) - offsetof(struct check, limits))
#define MAX(kind) (AT(max) + (kind) * sizeof(struct opt_list))
static const struct opt limit_opts[] = {
	{"config", 'c', OPT_STRING, AT(config), "FILE", "thresholds from an INI or TOML file", NULL},
	{"max-skew", 0, OPT_LIST, MAX(LIMIT_SKEW), "[METRIC=]SHARE",
	 "skew beyond noise (total_variation_self); needs the pprof profile", NULL},
	{"max-growth", 0, OPT_LIST, MAX(LIMIT_GROWTH), "[FUNCTION=]SHARE",
	 "growth of a function's own share since the baseline ('*': any)", NULL},
	{"max-growth-cum", 0, OPT_LIST, MAX(LIMIT_GROWTH_CUM), "[FUNCTION=]SHARE", "the same with all it calls", NULL},
	{"max-runtime-share", 0, OPT_LIST, MAX(LIMIT_RUNTIME_SHARE), "SHARE", "CPU time in Go's runtime", NULL},
	{"max-truncated", 0, OPT_LIST, MAX(LIMIT_TRUNCATED), "SHARE", "stacks whose root was not reached", NULL},
	{"max-lost", 0, OPT_LIST, MAX(LIMIT_LOST), "SHARE", "events that perf lost", NULL},
	{"baseline", 0, OPT_STRING, AT(baseline), "DIR|FILE", "what growth is measured against: each with its namesake", NULL},
	{"undecided", 0, OPT_CHOICE, AT(undecided), "WHAT", "what noise leaves open: pass, or fail", undecided_choices},
	{"summary", 0, OPT_STRING, AT(summary), "FILE", "append the markdown form to FILE, too", NULL},
	{0},
};

static const struct opt_group groups[] = {
	OPT_GROUP("Input and output", common_opts, struct check, common),
	OPT_GROUP("Thresholds: shares such as 5% or 0.05", limit_opts, struct check, limits),
	OPT_GROUP("Samples and stacks", read_opts, struct check, read),
	{0},
};

/* The file first, since options replace what it says. */
static int gather(struct limits *l, const struct check *o, struct error *e)
{
	struct file_map m;
	int r;

	if (o->limits.config) {
		if (file_map_open(&m, o->limits.config, e) < 0) {
			e->code = EXIT_CODE_USAGE;
			return -1;
		}
		r = limits_parse(l, o->limits.config, m.data ? (const char *)m.data : "", m.size, e);
		file_map_close(&m);
		if (r < 0)
			return -1;
	}
	for (int k = 0; k < LIMIT_KINDS; k++)
		for (size_t i = 0; i < o->limits.max[k].nr; i++)
			if (limits_set(l, (enum limit_kind)k, o->limits.max[k].items[i], e) < 0)
				return -1;
	if (!l->nr)
		return error_set(e, EXIT_CODE_USAGE, "no threshold given: --config or one of the --max options");
	if ((limits_have(l, LIMIT_GROWTH) || limits_have(l, LIMIT_GROWTH_CUM)) && !o->limits.baseline)
		return error_set(e, EXIT_CODE_USAGE, "max-growth needs --baseline");
	return 0;
}

static int append_summary(const char *path, const struct verdicts *vs)
{
	FILE *f = fopen(path, "ae");
	int bad;

	if (f) {
		check_markdown(f, vs);
		bad = ferror(f) | (fclose(f) != 0);
		if (!bad)
			return EXIT_CODE_OK;
	}
	message("%s: cannot write: %s", path, strerror(errno));
	return EXIT_CODE_OUTPUT;
}

static int write_verdicts(const struct check *o, const struct verdicts *vs, const struct check_format *format)
{
	struct output out;
	struct error e;

	if (output_open(&out, o->common.output, &e) < 0)
		return fail(&e);
	format->write(out.f, vs);
	if (output_commit(&out, &e) < 0)
		return fail(&e);
	return o->limits.summary ? append_summary(o->limits.summary, vs) : EXIT_CODE_OK;
}

static void note_open(const struct check *o, const struct verdicts *vs)
{
	char text[256];

	for (size_t i = 0; i < vs->nr; i++) {
		const struct verdict *v = &vs->v[i];

		if (v->status == VERDICT_UNDECIDED || v->status == VERDICT_NOT_JUDGED)
			note(&o->common, "%s: %s: %s: %s", v->item->name, limit_text(text, sizeof(text), v->limit),
			     verdict_status_text(v->status), v->why);
	}
	note(&o->common, "%zu recording%s; thresholds: %zu kept, %zu exceeded, %zu undecided, %zu not judged", vs->judged,
	     vs->judged == 1 ? "" : "s", vs->of[VERDICT_KEPT], vs->of[VERDICT_EXCEEDED], vs->of[VERDICT_UNDECIDED],
	     vs->of[VERDICT_NOT_JUDGED]);
}

static int conclude(const struct check *o, const struct verdicts *vs)
{
	if (vs->of[VERDICT_EXCEEDED] || (o->limits.undecided && vs->of[VERDICT_UNDECIDED]))
		return EXIT_CODE_THRESHOLD;
	return vs->nr_errors || vs->damaged ? EXIT_CODE_DAMAGED : EXIT_CODE_OK;
}

static int check_all(const struct check *o, const struct limits *l, const struct batch *b, const struct batch *bases,
		     const struct check_format *format)
{
	struct judge_options opts = {&o->read, &o->common};
	struct verdicts vs = {.nr = 0};
	int code = EXIT_CODE_INPUT;

	for (size_t i = 0; i < b->nr; i++)
		judge(&vs, &b->items[i], batch_base(bases, &b->items[i]), l, &opts);
	verdicts_sort(&vs);
	if (vs.nr) {
		code = write_verdicts(o, &vs, format);
		note_open(o, &vs);
		code = code ? code : conclude(o, &vs);
	}
	verdicts_release(&vs);
	return code;
}

static int run(void *options, int argc, char **argv)
{
	struct check *o = options;
	const struct check_format *format;
	struct batch b = {.nr = 0}, bases = {.nr = 0};
	struct limits l = {.nr = 0};
	struct error e;
	int code = EXIT_CODE_USAGE;

	format = check_format(o->common.format, &e);
	if (!format || gather(&l, o, &e) < 0) {
		message("check: %s", e.text);
		limits_release(&l);
		return code;
	}
	batch_operands(&b, &o->common, argc, argv, input_default());
	batch_pair_up(&b);
	if (o->limits.baseline)
		batch_expand(&bases, 1, &o->limits.baseline);
	confine_batch(&b);
	confine_batch(&bases);
	confine_output(o->limits.summary);
	code = confine(&o->common, &o->read, &e) < 0 ? fail(&e) : check_all(o, &l, &b, &bases, format);
	batch_release(&b);
	batch_release(&bases);
	limits_release(&l);
	return code;
}

const struct cmd cmd_check = {
	.name = "check",
	.args = "[FILE|FOLDER|PATTERN]…",
	.summary = "thresholds for CI: exits 1 when one is exceeded",
	.help = "A recording with its pprof profile is a folder of perfskew record, NAME.data beside NAME.pb.gz, or\n"
		"PERF PPROF. Noise neither breaks nor keeps a threshold: the 95 % interval must lie on one side.\n"
		"Formats: text (one line a violation), junit, markdown, json, github (customSmallerIsBetter).",
	.groups = groups,
	.size = sizeof(struct check),
	.run = run,
};
