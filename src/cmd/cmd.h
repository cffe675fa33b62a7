/*
 * Commands: one file each, which exports one const entry; main.c lists them.
 * Only this folder prints, and only main exits.
 */
#ifndef CMD_CMD_H
#define CMD_CMD_H

#include "cmd/options.h"

struct cmd {
	const char *name;
	const char *args;    /* "PERF PPROF" */
	const char *summary; /* one line */
	const char *help;    /* a paragraph for --help, or NULL */
	const struct opt_group *groups; /* ends with {0} */
	size_t size;	     /* bytes of its options struct, zeroed before parsing */
	/* argc/argv: what is left after the options. Returns an exit code. */
	int (*run)(void *options, int argc, char **argv);
};

#define FOREACH_CMD(X)                                                         \
	X(info) X(report) X(flame) X(skew) X(diff) X(convert) \
	X(check) X(merge) X(record)

#define X(name) extern const struct cmd cmd_##name;
FOREACH_CMD(X)
#undef X

#endif
