/*
 * What a reader of a table or picture should know of the recording behind it: binaries that were not
 * there and stacks that were cut, where they weigh, and what helps.
 */
#ifndef CMD_WARN_H
#define CMD_WARN_H

#include <stddef.h>

#include "collect/collect.h"

#define WARN_MAX 6
#define WARN_TEXT 512

struct warnings {
	char text[WARN_MAX][WARN_TEXT];
	size_t nr;
};

/* Most important first; none for a recording that was read well. */
void warnings_make(struct warnings *w, const struct collect *c);

#endif
