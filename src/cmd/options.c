#include "cmd/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

static const char *const when_choices[] = {"auto", "always", "never", NULL};
static const char *const weight_choices[] = {"auto", "samples", "period", NULL};

#define ROW(name, letter, type, field, arg, help)                              \
	{name, letter, type, offsetof(GROUP, field), arg, help, NULL}
#define CHOICE(name, letter, field, list, arg, help)                           \
	{name, letter, OPT_CHOICE, offsetof(GROUP, field), arg, help, list}

#define GROUP struct common_options
const struct opt common_opts[] = {
	ROW("input", 'i', OPT_LIST, input, "FILE", "read FILE (the same as naming it as an operand)"),
	ROW("output", 'o', OPT_STRING, output, "FILE", "write to FILE, '-' for standard output"),
	ROW("format", 'f', OPT_STRING, format, "FORMAT", "output format, else by the suffix of --output"),
	ROW("strict", 0, OPT_FLAG, strict, NULL, "write nothing when the input is damaged"),
	CHOICE("color", 0, color, when_choices, "WHEN", "colour on the terminal: auto, always, never"),
	CHOICE("progress", 0, progress, when_choices, "WHEN", "progress bar: auto, always, never"),
	ROW("quiet", 'q', OPT_FLAG, quiet, NULL, "no notes and no progress, errors only"),
	ROW("verbose", 'v', OPT_COUNT, verbose, NULL, "say more: costs by stage, search for binaries, the sandbox"),
	ROW("max-memory", 0, OPT_STRING, max_memory, "SIZE", "give up (exit 6) when more is needed, as 512M or 4G"),
	ROW("max-cpu", 0, OPT_SIZE, max_cpu, "SECONDS", "give up (exit 6) after so much CPU time"),
	ROW("no-sandbox", 0, OPT_FLAG, no_sandbox, NULL, "keep all rights of the user while files are read"),
	{0},
};
#undef GROUP

#define GROUP struct read_options
const struct opt read_opts[] = {
	ROW("event", 'e', OPT_STRING, event, "NAME", "only samples of this event"),
	ROW("comm", 0, OPT_STRING, comm, "NAME[,NAME]", "only threads of these names"),
	ROW("pid", 'p', OPT_STRING, pid, "PID[,PID]", "only these processes"),
	ROW("tid", 't', OPT_STRING, tid, "TID[,TID]", "only these threads"),
	ROW("cpu", 'C', OPT_STRING, cpu, "LIST", "only these CPUs, as 0-2,5"),
	ROW("time", 0, OPT_STRING, time, "START,STOP",
	    "only this span, in seconds of the recording's clock, or 10%-20%"),
	ROW("focus", 0, OPT_STRING, focus, "REGEX", "only stacks with a function that matches"),
	ROW("ignore", 0, OPT_STRING, ignore, "REGEX", "no stacks with a function that matches"),
	ROW("hide", 0, OPT_STRING, hide, "REGEX", "leave matching functions out of the stacks"),
	ROW("goroutine", 0, OPT_STRING, goroutine, "REGEX", "only goroutines whose entry function or id matches"),
	ROW("by", 0, OPT_STRING, by, "WHAT",
	    "one root per thread, process, cpu, event, goroutine (entry function) or goroutine=id"),
	ROW("trace", 0, OPT_STRING, trace, "FILE", "Go's execution trace of the same run: it tells each sample's goroutine"),
	ROW("off-cpu", 0, OPT_FLAG, off_cpu, NULL,
	    "how long threads waited, and where, by the scheduler's switches (record --off-cpu)"),
	ROW("wall", 0, OPT_FLAG, wall, NULL, "time on the CPU and off it in one"),
	ROW("no-splice", 0, OPT_FLAG, no_splice, NULL,
	    "leave system stacks as recorded, without their goroutine"),
	ROW("type", 0, OPT_STRING, type, "NAME", "sample type of a pprof profile, as cpu or alloc_space"),
	ROW("symfs", 0, OPT_STRING, symfs, "DIR", "look for binaries below DIR"),
	ROW("debug-dir", 0, OPT_STRING, debug_dir, "DIR", "separate debug files (/usr/lib/debug)"),
	ROW("binary", 0, OPT_LIST, binary, "FILE", "a binary, or a folder of them, to look in as well"),
	ROW("kallsyms", 0, OPT_STRING, kallsyms, "FILE", "kernel symbols, as /proc/kallsyms prints them"),
	ROW("vmlinux", 'k', OPT_STRING, vmlinux, "FILE", "kernel image with symbols"),
	ROW("no-debuginfod", 0, OPT_FLAG, no_debuginfod, NULL,
	    "do not ask the servers of $DEBUGINFOD_URLS for what is not found"),
	ROW("no-inline", 0, OPT_FLAG, no_inline, NULL, "do not expand inlined calls"),
	ROW("no-demangle", 0, OPT_FLAG, no_demangle, NULL, "leave C++ and Rust names as they are"),
	ROW("merge-recursion", 0, OPT_FLAG, merge_recursion, NULL,
	    "one frame for a function that calls itself"),
	ROW("max-stack", 0, OPT_SIZE, max_stack, "N", "at most N frames a stack, from the leaf"),
	ROW("unwinder", 0, OPT_STRING, unwinder, "NAME", "auto, go, libdw, libunwind or fp"),
	ROW("jobs", 'j', OPT_SIZE, jobs, "N", "worker threads (one per CPU)"),
	{0},
};
#undef GROUP

#define GROUP struct weight_options
const struct opt weight_opts[] = {
	CHOICE("weight", 0, weight, weight_choices, "WHAT", "count samples, or their period (time)"),
	{0},
};
#undef GROUP

/* --- parsing ------------------------------------------------------------------ */

/* getopt_long's `val` of row i: above any character. */
#define VAL_BASE 1000
enum { VAL_HELP = 900, VAL_VERSION };

struct flat {
	const struct opt **rows;
	void **targets;
	size_t nr;
};

static struct flat flatten(const struct opt_group *groups, void *options)
{
	struct flat f = {0};
	size_t nr = 0;

	for (const struct opt_group *g = groups; g->opts; g++)
		for (const struct opt *o = g->opts; o->name; o++)
			nr++;
	f.rows = xcalloc(nr, sizeof(*f.rows));
	f.targets = xcalloc(nr, sizeof(*f.targets));
	for (const struct opt_group *g = groups; g->opts; g++) {
		for (const struct opt *o = g->opts; o->name; o++) {
			f.rows[f.nr] = o;
			f.targets[f.nr++] = (char *)options + g->base + o->offset;
		}
	}
	return f;
}

static int set_choice(const struct opt *o, int *target, const char *value, struct error *e)
{
	char list[256] = "";
	size_t at = 0;

	for (int i = 0; o->choices[i]; i++) {
		if (!strcmp(o->choices[i], value)) {
			*target = i;
			return 0;
		}
		at += (size_t)snprintf(list + at, sizeof(list) - at, "%s%s", i ? ", " : "",
				       o->choices[i]);
		if (at >= sizeof(list))
			at = sizeof(list) - 1;
	}
	return error_set(e, EXIT_CODE_USAGE, "--%s: '%s' is none of %s", o->name, value, list);
}

static int set_size(const struct opt *o, size_t *target, const char *value, struct error *e)
{
	unsigned long long v;
	char *end;

	errno = 0;
	v = strtoull(value, &end, 10);
	if (errno || *end || value[0] < '0' || value[0] > '9' || v > SIZE_MAX / 2)
		return error_set(e, EXIT_CODE_USAGE, "--%s: '%s' is not a whole number", o->name, value);
	*target = (size_t)v;
	return 0;
}

static int set_double(const struct opt *o, double *target, const char *value, struct error *e)
{
	char *end;

	errno = 0;
	*target = strtod(value, &end);
	if (errno || *end || end == value || *target != *target)
		return error_set(e, EXIT_CODE_USAGE, "--%s: '%s' is not a number", o->name, value);
	return 0;
}

static int set(const struct opt *o, void *target, const char *value, struct error *e)
{
	struct opt_list *l = target;

	switch (o->type) {
	case OPT_FLAG:
		*(bool *)target = true;
		break;
	case OPT_COUNT:
		++*(int *)target;
		break;
	case OPT_STRING:
		*(const char **)target = value;
		break;
	case OPT_LIST:
		ALLOC_GROW(l->items, l->nr + 2, l->alloc);
		l->items[l->nr++] = value;
		l->items[l->nr] = NULL; /* some are handed on as NULL-terminated */
		break;
	case OPT_SIZE:
		return set_size(o, target, value, e);
	case OPT_DOUBLE:
		return set_double(o, target, value, e);
	case OPT_CHOICE:
		return set_choice(o, target, value, e);
	}
	return 0;
}

static bool takes_value(const struct opt *o)
{
	return o->type != OPT_FLAG && o->type != OPT_COUNT;
}

/* The tables in getopt_long's own form; the caller frees both. */
static void getopt_tables(const struct flat *f, struct option **longs, char **shorts)
{
	size_t s = 0;

	*longs = xcalloc(f->nr + 3, sizeof(**longs));
	*shorts = xcalloc(f->nr * 2 + 4, 1);
	(*shorts)[s++] = ':'; /* getopt prints nothing itself */
	for (size_t i = 0; i < f->nr; i++) {
		const struct opt *o = f->rows[i];

		(*longs)[i] = (struct option){o->name, takes_value(o) ? required_argument : no_argument,
					      NULL, VAL_BASE + (int)i};
		if (o->letter) {
			(*shorts)[s++] = o->letter;
			if (takes_value(o))
				(*shorts)[s++] = ':';
		}
	}
	(*shorts)[s] = 'h';
	(*longs)[f->nr] = (struct option){"help", no_argument, NULL, VAL_HELP};
	(*longs)[f->nr + 1] = (struct option){"version", no_argument, NULL, VAL_VERSION};
}

static int bad_option(int c, const char *word, struct error *e)
{
	if (c == ':')
		return error_set(e, EXIT_CODE_USAGE, "%s needs a value", word);
	if (optopt && optopt < VAL_HELP)
		return error_set(e, EXIT_CODE_USAGE, "unknown option -%c", optopt);
	if (optopt >= VAL_HELP)
		return error_set(e, EXIT_CODE_USAGE, "%s takes no value", word);
	return error_set(e, EXIT_CODE_USAGE, "unknown or ambiguous option %s", word);
}

int options_parse(const struct opt_group *groups, void *options, int argc, char **argv,
		  int *operands, struct error *e)
{
	struct flat f = flatten(groups, options);
	struct option *longs;
	char *shorts;
	int c, result = 0;

	getopt_tables(&f, &longs, &shorts);
	optind = 0;
	opterr = 0;
	while (!result && (c = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		size_t row = 0;

		if (c == VAL_HELP || c == 'h') {
			result = 1;
		} else if (c == VAL_VERSION) {
			result = 2;
		} else if (c == ':' || c == '?') {
			result = bad_option(c, argv[optind - 1], e);
		} else {
			if (c >= VAL_BASE)
				row = (size_t)(c - VAL_BASE);
			else
				while (f.rows[row]->letter != c)
					row++;
			result = set(f.rows[row], f.targets[row], optarg, e);
		}
	}
	*operands = argc - optind;
	if (*operands > 0)
		memmove(argv, argv + optind, (size_t)*operands * sizeof(*argv));
	free(longs);
	free(shorts);
	free(f.rows);
	free(f.targets);
	return result;
}

void options_help(const struct opt_group *groups)
{
	for (const struct opt_group *g = groups; g->opts; g++) {
		printf("\n%s:\n", g->title);
		for (const struct opt *o = g->opts; o->name; o++) {
			char left[80];

			if (!o->help) /* another program's spelling of the one before */
				continue;
			snprintf(left, sizeof(left), "%s%c%s--%s%s%s", o->letter ? "-" : "  ",
				 o->letter ? o->letter : ' ', o->letter ? ", " : " ", o->name,
				 o->arg ? " " : "", o->arg ? o->arg : "");
			printf("  %-30s %s\n", left, o->help);
		}
	}
}

void options_release(const struct opt_group *groups, void *options)
{
	struct flat f = flatten(groups, options);

	for (size_t i = 0; i < f.nr; i++)
		if (f.rows[i]->type == OPT_LIST)
			free(((struct opt_list *)f.targets[i])->items);
	free(f.rows);
	free(f.targets);
}
