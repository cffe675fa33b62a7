/*
 * perfskew merge: many inputs of one kind as one profile.
 *
 * Every input is brought into the form of the output first, by writing and
 * reading it: what is merged is what a file of it would hold, so that merging
 * files of merged inputs gives the same bytes as merging all at once.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/output.h"
#include "cmd/batch.h"
#include "cmd/cmd.h"
#include "cmd/confine.h"
#include "cmd/input.h"
#include "cmd/message.h"
#include "profile/folded.h"
#include "profile/pprof.h"

struct merge {
	struct common_options common;
	struct read_options read;
	struct weight_options weight;
};

static const struct opt_group groups[] = {
	OPT_GROUP("Input and output", common_opts, struct merge, common),
	OPT_GROUP("Samples and stacks", read_opts, struct merge, read),
	OPT_GROUP("Values", weight_opts, struct merge, weight),
	{0},
};

struct form {
	const char *name;
	bool binary;
	struct input_wants wants;
	/* A profile in this form; from perf where the input was a recording. */
	int (*write)(const struct profile *p, FILE *f, bool gzip, bool from_perf, size_t series, struct error *e);
	int (*read)(struct profile *p, const void *data, size_t size, const char *path, struct error *e);
};

static int write_pprof(const struct profile *p, FILE *f, bool gzip, bool from_perf, size_t series, struct error *e)
{
	struct pprof_write_options opts = {.gzip = gzip, .go_cpu = from_perf};

	(void)series;
	return pprof_write(p, f, &opts, e);
}

static int write_folded(const struct profile *p, FILE *f, bool gzip, bool from_perf, size_t series, struct error *e)
{
	struct folded_write_options opts = {.series = series, .annotate = true};

	(void)gzip;
	(void)from_perf;
	return folded_write(p, f, &opts, e);
}

static const struct form forms[] = {
	{"pprof", true, {.lines = true, .no_comm = true}, write_pprof, pprof_read},
	{"folded", false, {0}, write_folded, folded_read},
};

static bool ends_with(const char *s, const char *tail)
{
	size_t n = strlen(s), k = strlen(tail);

	return n > k && !strcmp(s + n - k, tail);
}

/* By --format, else by the suffix of --output, else pprof. NULL with *e. */
static const struct form *find_form(const struct common_options *o, struct error *e)
{
	const struct form *form = &forms[0];

	if (o->format && strcmp(o->format, "pprof") && strcmp(o->format, "folded")) {
		error_set(e, EXIT_CODE_USAGE, "--format: '%s' is none of pprof, folded", o->format);
		return NULL;
	}
	if (o->format ? !strcmp(o->format, "folded")
		      : o->output && (ends_with(o->output, ".folded") || ends_with(o->output, ".txt")))
		form = &forms[1];
	if (form->binary && !o->output && isatty(STDOUT_FILENO)) {
		error_set(e, EXIT_CODE_USAGE, "will not write pprof to the terminal: give --output");
		return NULL;
	}
	return form;
}

/* Writes `in` in the form and reads that back into an initialised profile. */
static int in_form(struct profile *out, const struct input *in, const struct merge *o, const struct form *form,
		   struct error *e)
{
	enum weight weight = (enum weight)o->weight.weight;
	char *bytes = NULL;
	size_t size = 0, series;
	FILE *f;
	int r;

	if (input_series(in, &o->read, weight == WEIGHT_AUTO ? WEIGHT_SAMPLES : weight, &o->common, &series, e) < 0)
		return -1;
	f = open_memstream(&bytes, &size);
	if (!f)
		return error_set(e, EXIT_CODE_LIMIT, "%s: no memory for its profile", in->path);
	r = form->write(&in->profile, f, false, in->kind == INPUT_PERF, series, e);
	if (fclose(f) != 0 && !r)
		r = error_set(e, EXIT_CODE_LIMIT, "%s: no memory for its profile", in->path);
	if (!r)
		r = form->read(out, bytes, size, in->path, e);
	free(bytes);
	return r;
}

/* "samples/count, cpu/nanoseconds" into buf. */
static const char *types_text(char *buf, size_t size, const struct profile *p)
{
	buf[0] = '\0';
	for (size_t i = 0; i < p->nr_series; i++)
		snprintf(buf + strlen(buf), size - strlen(buf), "%s%s/%s", i ? ", " : "",
			 profile_str(p, p->series[i].type), profile_str(p, p->series[i].unit));
	return buf;
}

struct merged {
	struct profile all;
	size_t nr;	   /* inputs in it */
	bool damaged;
	char first[256];   /* the first input's path, for messages */
};

/* 0, or -1 with *e: EXIT_CODE_USAGE ends the command, the rest concerns this input alone. */
static int add(struct merged *m, const struct batch_item *item, const struct merge *o, const struct form *form,
	       struct error *e)
{
	struct input in;
	struct profile p;
	char mine[256], others[256];
	int r;

	if (input_load(&in, item->path, &o->read, &o->common, &form->wants, e) < 0)
		return -1;
	m->damaged |= report_damage(in.path, &in.damage) != 0;
	profile_init(&p);
	r = in_form(&p, &in, o, form, e);
	if (!r && m->nr && !profile_same_types(&m->all, &p))
		r = error_set(e, EXIT_CODE_USAGE, "%s has the sample types %s, %s has %s: these do not add up", in.path,
			      types_text(mine, sizeof(mine), &p), m->first, types_text(others, sizeof(others), &m->all));
	if (!r) {
		profile_merge(&m->all, &p);
		if (!m->nr++)
			snprintf(m->first, sizeof(m->first), "%s", in.path);
	}
	profile_release(&p);
	input_release(&in);
	return r;
}

/* Names are left as they are, except on a terminal. */
static int write_safely(const struct merged *m, const struct form *form, FILE *f, struct error *e)
{
	char *text = NULL;
	size_t size = 0;
	FILE *memory;
	int r;

	if (form->binary || !isatty(fileno(f)))
		return form->write(&m->all, f, true, false, m->all.default_series, e);
	memory = open_memstream(&text, &size);
	if (!memory)
		return error_set(e, EXIT_CODE_LIMIT, "no memory for what is to be shown");
	r = form->write(&m->all, memory, false, false, m->all.default_series, e);
	if (fclose(memory) == 0 && !r)
		put_text(f, text, size);
	free(text);
	return r;
}

static int write_merged(const struct merged *m, const struct merge *o, const struct form *form)
{
	struct output out;
	struct error e;

	if (output_open(&out, o->common.output, &e) < 0)
		return fail(&e);
	if (write_safely(m, form, out.f, &e) < 0) {
		if (e.code == EXIT_CODE_OUTPUT)
			output_failed(&out, &e);
		output_discard(&out);
		return fail(&e);
	}
	return output_commit(&out, &e) < 0 ? fail(&e) : EXIT_CODE_OK;
}

static int merge_all(struct merged *m, const struct batch *b, const struct merge *o, const struct form *form)
{
	struct error e;
	int code = EXIT_CODE_INPUT;

	for (size_t i = 0; i < b->nr; i++) {
		if (add(m, &b->items[i], o, form, &e) == 0)
			continue;
		code = fail(&e);
		if (code == EXIT_CODE_USAGE)
			return code;
		m->damaged = true;
	}
	if (!m->nr || (m->damaged && o->common.strict))
		return m->nr ? EXIT_CODE_DAMAGED : code;
	code = write_merged(m, o, form);
	note(&o->common, "%zu of %zu inputs merged", m->nr, b->nr);
	return code ? code : m->damaged ? EXIT_CODE_DAMAGED : EXIT_CODE_OK;
}

static int run(void *options, int argc, char **argv)
{
	struct merge *o = options;
	struct merged m = {.nr = 0};
	const struct form *form;
	struct batch b;
	struct error e;
	int code;

	form = argc || o->common.input.nr ? find_form(&o->common, &e) : NULL;
	if (!argc && !o->common.input.nr)
		error_set(&e, EXIT_CODE_USAGE, "takes FILEs, folders or patterns");
	if (!form) {
		message("merge: %s", e.text);
		return EXIT_CODE_USAGE;
	}
	batch_operands(&b, &o->common, argc, argv, NULL);
	profile_init(&m.all);
	confine_batch(&b);
	code = confine(&o->common, &o->read, &e) < 0 ? fail(&e) : merge_all(&m, &b, o, form);
	profile_release(&m.all);
	batch_release(&b);
	return code;
}

const struct cmd cmd_merge = {
	.name = "merge",
	.args = "FILE…",
	.summary = "many inputs of one kind as one profile (pprof, or folded by -o or --format)",
	.help = "Files, folders and patterns. Any order and grouping of the inputs gives the same bytes:\n"
		"merged profiles can be merged again.",
	.groups = groups,
	.size = sizeof(struct merge),
	.run = run,
};
