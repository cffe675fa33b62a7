/*
 * The verdicts of `perfskew check` in the forms that people and CI systems read.
 */
#ifndef CMD_CHECK_WRITE_H
#define CMD_CHECK_WRITE_H

#include <stdio.h>

#include "cmd/judge.h"

struct check_format {
	const char *name;
	void (*write)(FILE *f, const struct verdicts *vs);
};

/* By name; NULL with *e (exit 2). */
const struct check_format *check_format(const char *name, struct error *e);

/* The markdown form, as --summary appends it. */
void check_markdown(FILE *f, const struct verdicts *vs);

#endif
