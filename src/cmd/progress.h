/*
 * A progress bar on a terminal, for inputs that take more than a second.
 */
#ifndef CMD_PROGRESS_H
#define CMD_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "cmd/options.h"

struct progress {
	const char *name;
	bool on, shown;
	double start, last; /* seconds */
};

void progress_init(struct progress *p, const struct common_options *o, const char *name);
/* ctx: struct progress; total 0 when unknown. Draws at most ten times a second. */
void progress_update(void *ctx, uint64_t done, uint64_t total);
/* Takes the bar off the screen. */
void progress_end(struct progress *p);

#endif
