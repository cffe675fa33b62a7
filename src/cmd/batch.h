/*
 * The inputs of one command: files, folders and globs as a list of recordings,
 * each with the pprof profile of the same run where there is one.
 *
 * A recording is a file, the directory of `perf record --threads`, or a folder
 * left by `perfskew record`. Any other folder stands for what is in it, one
 * level deep. NAME.pb.gz (.pprof, .pb) beside NAME.data belongs to it.
 */
#ifndef CMD_BATCH_H
#define CMD_BATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "cmd/options.h"

struct batch_item {
	char *name;  /* what it is called in tables and in a baseline: unique within the batch */
	char *path;  /* for input_load; "-" for standard input */
	char *pprof; /* NULL: none */
};

struct batch {
	struct batch_item *items; /* in the order given; those of a folder by name */
	size_t nr, alloc;
	bool many; /* more than one operand, a folder of recordings, or a glob: wants a summary */
};

/* What is not there stays in the list, for input_load to say so. */
void batch_expand(struct batch *b, size_t nr, const char *const *operands);
/* The same of --input and operands, in that order. */
void batch_operands(struct batch *b, const struct common_options *o, int argc, char *const *argv);
void batch_release(struct batch *b);

/* Makes PERF PPROF, two files of any names, one recording with its profile; anything else stays as it is. */
void batch_pair_up(struct batch *b);

/* The item of that name, or NULL. */
const struct batch_item *batch_find(const struct batch *b, const char *name);

#endif
