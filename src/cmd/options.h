/*
 * Options as tables: each command lists groups of options, and each group is a
 * struct of its own, shared by the commands that understand it. Parsing and
 * --help come from the same rows.
 */
#ifndef CMD_OPTIONS_H
#define CMD_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

enum opt_type {
	OPT_FLAG,   /* bool: true when given */
	OPT_COUNT,  /* int: how often it was given */
	OPT_STRING, /* const char * */
	OPT_SIZE,   /* size_t: a whole number */
	OPT_DOUBLE, /* double */
	OPT_CHOICE, /* int: index into choices */
	OPT_LIST,   /* struct opt_list: may be given more than once */
};

struct opt_list {
	const char **items;
	size_t nr, alloc;
};

struct opt {
	const char *name; /* long name; NULL ends the table */
	char letter;	  /* short name or 0 */
	enum opt_type type;
	size_t offset;	  /* in the group's struct */
	const char *arg;  /* name of the value in --help */
	const char *help; /* NULL: not shown */
	const char *const *choices; /* OPT_CHOICE: NULL-terminated */
};

struct opt_group {
	const char *title;
	const struct opt *opts;
	size_t base; /* offset of the group's struct in the command's */
};

/*
 * Parses argv[1…], moving operands to the front of argv; *operands is how many.
 * Returns 0, 1 for --help, 2 for --version, -1 with *e (exit 2).
 */
int options_parse(const struct opt_group *groups, void *options, int argc, char **argv,
		  int *operands, struct error *e);
/* Prints the groups' options for --help on standard output. */
void options_help(const struct opt_group *groups);
/* Frees what OPT_LIST rows allocated. */
void options_release(const struct opt_group *groups, void *options);

/* --- groups shared by commands ------------------------------------------------- */

struct common_options {
	struct opt_list input;
	const char *output, *format;
	int color, progress; /* enum when */
	bool quiet, strict, no_sandbox;
	int verbose;
	const char *max_memory;
	size_t max_cpu;
};
enum when { WHEN_AUTO, WHEN_ALWAYS, WHEN_NEVER };
extern const struct opt common_opts[];

/* What is read and how stacks are made. */
struct read_options {
	const char *event, *comm, *pid, *tid, *cpu, *time;
	const char *focus, *ignore, *hide;
	const char *by, *type, *goroutine, *trace;
	const char *symfs, *debug_dir, *kallsyms, *vmlinux, *unwinder;
	struct opt_list binary;
	bool off_cpu, wall;
	bool no_splice, no_inline, no_demangle, merge_recursion, no_debuginfod;
	size_t max_stack, jobs;
};
extern const struct opt read_opts[];

/* Which numbers are shown. */
struct weight_options {
	int weight; /* enum weight */
};
enum weight { WEIGHT_AUTO, WEIGHT_SAMPLES, WEIGHT_PERIOD };
extern const struct opt weight_opts[];

#define OPT_GROUP(title_, table_, type_, member_)                              \
	{.title = (title_), .opts = (table_), .base = offsetof(type_, member_)}

#endif
