/*
 * Outputs are whole or absent: written to a temporary file in the same
 * directory, flushed, fsynced and renamed. On any failure the temporary file
 * is removed and a file of that name that existed before is untouched.
 */
#ifndef BASE_OUTPUT_H
#define BASE_OUTPUT_H

#include <stdio.h>

#include "base/error.h"

struct output {
	FILE *f;
	char *path, *tmp; /* NULL for standard output and for devices */
	char *buffer;	  /* of f; NULL: stdio's own */
	int slot;	  /* in the list that output_abort_all() removes */
};

/*
 * path NULL or "-" is standard output; a device or FIFO is written in place.
 * Returns 0, or -1 with *e of exit code 5.
 */
int output_open(struct output *o, const char *path, struct error *e);
/* Flush, sync, rename. On error -1 with *e of exit code 5, the temporary file removed. */
int output_commit(struct output *o, struct error *e);
/* After a writer has failed with *e of exit code 5: puts the output's name in front, removes what was written. */
void output_failed(struct output *o, struct error *e);
/* Removes what was written; harmless after commit. */
void output_discard(struct output *o);
/* Removes all temporary files of outputs still open; async-signal-safe. */
void output_abort_all(void);

#endif
