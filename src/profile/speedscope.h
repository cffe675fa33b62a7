/*
 * speedscope's own form: one "sampled" profile per series, time in no order.
 * Source: github.com/jlfwong/speedscope, src/lib/file-format-spec.ts.
 */
#ifndef PROFILE_SPEEDSCOPE_H
#define PROFILE_SPEEDSCOPE_H

#include <stdio.h>

#include "profile/profile.h"

struct speedscope_write_options {
	const char *name; /* of the document: the input's */
	size_t series;	  /* shown first */
};
/* Series without a value are left out. 0 or -1 with *e (exit 5). */
int speedscope_write(const struct profile *p, FILE *f, const struct speedscope_write_options *opts, struct error *e);

#endif
