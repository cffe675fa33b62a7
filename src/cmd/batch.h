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
	bool many;   /* more than one operand, a folder of recordings, or a glob: wants a summary */
	bool opened; /* there was such a folder or glob: what it holds was not named */
};

/* Options of commands that take a batch. */
struct batch_options {
	const char *baseline;
};
extern const struct opt batch_opts[];

/* What is not there stays in the list, for input_load to say so. */
void batch_expand(struct batch *b, size_t nr, const char *const *operands);
/* The same of --input and operands, in that order; without any, of `none` (NULL: the batch is empty). */
void batch_operands(struct batch *b, const struct common_options *o, int argc, char *const *argv, const char *none);
void batch_release(struct batch *b);

/* Makes PERF PPROF, two files of any names, one recording with its profile; anything else stays as it is. */
void batch_pair_up(struct batch *b);

/*
 * Two operands that a command takes for PERF and PPROF are these, whatever they are, and one recording; unless
 * they are folders of recordings, the second is a folder, or it is a recording and one of them has a profile.
 */
void batch_named_pair(struct batch *b, const char *perf, const char *pprof);

/* What an item is compared with: its namesake, or the baseline that is one recording; NULL: nothing. */
const struct batch_item *batch_base(const struct batch *bases, const struct batch_item *item);

/* The item of that name, or NULL. */
const struct batch_item *batch_find(const struct batch *b, const char *name);

#endif
