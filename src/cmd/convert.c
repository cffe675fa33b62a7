/*
 * perfskew convert: the profile in another tool's form. A form is one row.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/output.h"
#include "cmd/cmd.h"
#include "cmd/confine.h"
#include "cmd/input.h"
#include "cmd/kinds.h"
#include "cmd/message.h"
#include "cmd/threads.h"
#include "profile/firefox.h"
#include "profile/folded.h"
#include "profile/jsonform.h"
#include "profile/pprof.h"
#include "profile/repair.h"
#include "profile/speedscope.h"

struct convert {
	struct common_options common;
	struct read_options read;
	struct weight_options weight;
	struct {
		int annotate;
		bool no_comm, repair;
	} form;
};

static const char *const annotate_choices[] = {"all", "none", NULL};

#define ROW(name, type, field, arg, help, choices)                             \
	{name, 0, type, offsetof(struct convert, form.field) - offsetof(struct convert, form), arg, help, choices}
static const struct opt form_opts[] = {
	ROW("annotate", OPT_CHOICE, annotate, "WHAT", "folded: suffixes _[k] and _[i]: all or none", annotate_choices),
	ROW("no-comm", OPT_FLAG, no_comm, NULL, "without the command name as the first frame", NULL),
	ROW("repair", OPT_FLAG, repair, NULL, "time at runtime.asyncPreempt to what it interrupted; no wrappers, no vdso", NULL),
	{0},
};

static const struct opt_group groups[] = {
	OPT_GROUP("Input and output", common_opts, struct convert, common),
	OPT_GROUP("Samples and stacks", read_opts, struct convert, read),
	OPT_GROUP("Values", weight_opts, struct convert, weight),
	OPT_GROUP("Form", form_opts, struct convert, form),
	{0},
};

static int write_folded(const struct convert *o, const struct input *in, FILE *f, struct error *e)
{
	struct folded_write_options opts = {.annotate = !o->form.annotate};
	enum weight weight = (enum weight)o->weight.weight;

	if (input_series(in, &o->read, weight == WEIGHT_AUTO && !o->read.off_cpu && !o->read.wall ? WEIGHT_SAMPLES : weight, &o->common,
			 &opts.series, e) < 0)
		return -1;
	opts.skip_root = o->form.no_comm && in->kind != INPUT_PERF;
	return folded_write(&in->profile, f, &opts, e);
}

static int write_pprof(const struct convert *o, const struct input *in, FILE *f, struct error *e)
{
	struct pprof_write_options opts = {.gzip = true, .go_cpu = in->kind == INPUT_PERF, .jobs = (int)o->read.jobs};

	return pprof_write(&in->profile, f, &opts, e);
}

/* What other viewers show as the profile's name: the input's, without its folder. */
static const char *document_name(const struct input *in)
{
	const char *slash = strrchr(in->path, '/');

	return slash && slash[1] ? slash + 1 : in->path;
}

static int write_speedscope(const struct convert *o, const struct input *in, FILE *f, struct error *e)
{
	struct speedscope_write_options opts = {.name = document_name(in)};

	if (input_series(in, &o->read, (enum weight)o->weight.weight, &o->common, &opts.series, e) < 0)
		return -1;
	return speedscope_write(&in->profile, f, &opts, e);
}

static int write_json(const struct convert *o, const struct input *in, FILE *f, struct error *e)
{
	struct jsonform_write_options opts = {
		.tool = "perfskew " PACKAGE_VERSION, .name = document_name(in), .damage = &in->damage,
	};

	if (input_series(in, &o->read, (enum weight)o->weight.weight, &o->common, &opts.series, e) < 0)
		return -1;
	return jsonform_write(&in->profile, f, &opts, e);
}

/* The Firefox Profiler names its colours; categories are the kinds that pictures colour by. */
static const struct firefox_category categories[RENDER_KINDS] = {
	[RENDER_ROOT] = {"Other", "grey"},
	[RENDER_APP] = {"Application", "green"},
	[RENDER_STD] = {"Standard library", "blue"},
	[RENDER_GC] = {"Runtime: garbage collection", "orange"},
	[RENDER_SCHED] = {"Runtime: scheduler", "yellow"},
	[RENDER_ALLOC] = {"Runtime: allocation", "magenta"},
	[RENDER_RUNTIME] = {"Runtime: other", "purple"},
	[RENDER_NATIVE] = {"Native code", "lightblue"},
	[RENDER_KERNEL] = {"Kernel", "red"},
	[RENDER_LABEL] = {"Process, thread, event", "lightgreen"},
	[RENDER_UNKNOWN] = {"Unresolved", "darkgrey"},
	[RENDER_WAIT] = {"Waits", "brown"},
};

static int write_firefox(const struct convert *o, const struct input *in, FILE *f, struct error *e)
{
	struct firefox_write_options opts = {
		.name = document_name(in), .categories = categories, .nr_categories = RENDER_KINDS,
	};
	struct threads threads;
	uint8_t *kinds;
	int r;

	if (input_series(in, &o->read, (enum weight)o->weight.weight, &o->common, &opts.series, e) < 0)
		return -1;
	opts.category = kinds = kinds_of_frames(&in->profile);
	threads_make(&threads, in, opts.series);
	opts.threads = threads.threads;
	opts.nr_threads = threads.nr;
	opts.samples = threads.samples;
	r = firefox_write(&in->profile, f, &opts, e);
	threads_release(&threads);
	free(kinds);
	return r;
}

static const struct form {
	const char *name, *help;
	bool binary;
	struct input_wants wants;
	int (*write)(const struct convert *o, const struct input *in, FILE *f, struct error *e);
} forms[] = {
	{"folded", "stackcollapse text", false, {0}, write_folded},
	{"pprof", "profile.proto, gzip", true, {.lines = true, .no_comm = true}, write_pprof},
	{"speedscope", "speedscope's JSON", false, {0}, write_speedscope},
	{"firefox", "the Firefox Profiler's processed form", false, {.keep_samples = true, .no_comm = true}, write_firefox},
	{"json", "functions and stacks as one JSON document", false, {0}, write_json},
};
#define NR_FORMS (sizeof(forms) / sizeof(*forms))

/* By --format, else by the suffix of --output. */
static const struct form *find_form(const struct common_options *o, struct error *e)
{
	static const struct {
		const char *suffix, *form;
	} suffixes[] = {{".folded", "folded"}, {".txt", "folded"}, {".pb.gz", "pprof"}, {".pprof", "pprof"},
		       {".speedscope.json", "speedscope"}, {".speedscope", "speedscope"}, {".firefox.json", "firefox"},
		       {".json", "json"}};
	const char *name = o->format;
	char list[128] = "";
	size_t at = 0;

	for (size_t i = 0; !name && o->output && i < sizeof(suffixes) / sizeof(*suffixes); i++) {
		size_t len = strlen(o->output), tail = strlen(suffixes[i].suffix);

		if (len > tail && !strcmp(o->output + len - tail, suffixes[i].suffix))
			name = suffixes[i].form;
	}
	for (size_t i = 0; i < NR_FORMS; i++) {
		if (name && !strcmp(forms[i].name, name))
			return &forms[i];
		at += (size_t)snprintf(list + at, sizeof(list) - at, "%s%s", i ? ", " : "", forms[i].name);
	}
	if (name)
		error_set(e, EXIT_CODE_USAGE, "--format: '%s' is none of %s", name, list);
	else
		error_set(e, EXIT_CODE_USAGE, "needs --format: %s", list);
	return NULL;
}

/* Puts the profile right and says what was moved. */
static void repair(struct input *in, const struct common_options *o)
{
	struct repair_report report;
	struct profile out;
	char moved[64], total[64];
	const char *unit;

	profile_init(&out);
	profile_repair(&out, &in->profile, &report);
	profile_release(&in->profile);
	in->profile = out;
	in->filtered = true;
	if (!out.nr_series)
		return;
	unit = profile_str(&out, out.series[report.series].unit);
	note(o, "%s: %s of %s moved from runtime.asyncPreempt to the functions it interrupted", in->path,
	     format_value(moved, sizeof(moved), (double)report.moved, unit),
	     format_value(total, sizeof(total), (double)report.total, unit));
}

/* Names are left as they are, except on a terminal. */
static int write_safely(const struct convert *o, const struct input *in, const struct form *form, FILE *f, struct error *e)
{
	char *text = NULL;
	size_t size = 0;
	FILE *memory;
	int r;

	if (form->binary || !isatty(fileno(f)))
		return form->write(o, in, f, e);
	memory = open_memstream(&text, &size);
	if (!memory)
		return error_set(e, EXIT_CODE_LIMIT, "no memory for what is to be shown");
	r = form->write(o, in, memory, e);
	if (fclose(memory) == 0 && !r)
		put_text(f, text, size);
	free(text);
	return r;
}

static int write_form(const struct convert *o, const struct input *in, const struct form *form)
{
	struct output out;
	struct error e;

	if (output_open(&out, o->common.output, &e) < 0)
		return fail(&e);
	if (write_safely(o, in, form, out.f, &e) < 0) {
		if (e.code == EXIT_CODE_OUTPUT)
			output_failed(&out, &e);
		output_discard(&out);
		return fail(&e);
	}
	return output_commit(&out, &e) < 0 ? fail(&e) : EXIT_CODE_OK;
}

static int run(void *options, int argc, char **argv)
{
	struct convert *o = options;
	const struct form *form;
	struct input_wants wants;
	struct input in;
	struct error e;
	const char *path = NULL;
	int code, damaged;

	form = find_form(&o->common, &e);
	if (form && form->binary && !o->common.output && isatty(STDOUT_FILENO)) {
		error_set(&e, EXIT_CODE_USAGE, "will not write %s to the terminal: give --output", form->name);
		form = NULL;
	}
	if (form)
		path = input_single(&o->common, argc, argv, &e);
	if (!path) {
		message("convert: %s", e.text);
		return EXIT_CODE_USAGE;
	}
	wants = form->wants;
	wants.no_comm |= o->form.no_comm;
	confine_input(path);
	if (confine(&o->common, &o->read, &e) < 0)
		return fail(&e);
	if (input_load(&in, path, &o->read, &o->common, &wants, &e) < 0)
		return fail(&e);
	damaged = report_damage(in.path, &in.damage);
	if (o->form.repair)
		repair(&in, &o->common);
	code = damaged && o->common.strict ? damaged : write_form(o, &in, form);
	input_release(&in);
	return code ? code : damaged;
}

const struct cmd cmd_convert = {
	.name = "convert",
	.args = "[FILE]",
	.summary = "to folded, pprof, speedscope, firefox or json",
	.groups = groups,
	.size = sizeof(struct convert),
	.run = run,
};
