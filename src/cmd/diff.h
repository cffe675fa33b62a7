/*
 * A differential flame graph for commands that have one side already.
 */
#ifndef CMD_DIFF_H
#define CMD_DIFF_H

#include "cmd/input.h"
#include "cmd/picture.h"

/*
 * `after`, read with no_comm, against the recording `before`: as diff draws it, in the picture format named,
 * to --output. Prints what fails; returns an exit code.
 */
int diff_draw(const char *before, const struct input *after, const struct read_options *read,
	      const struct picture_options *picture, const char *format, const struct common_options *common);

#endif
