/*
 * Regular expressions as the table of categories has them, on function names. glibc's regcomp and regexec took a sixth of
 * the comparison for this: most names fail at the first character of every branch, before a state machine is worth building.
 */
#ifndef COMPARE_PATTERN_H
#define COMPARE_PATTERN_H

#include <stdbool.h>
#include <stdint.h>

/* The longest text of a pattern, in bytes. */
#define PATTERN_MAX 1024

struct pattern {
	const char *text; /* borrowed */
	/* at '(' and '|': the next '|' or the ')' of the group; at '(' also its end */
	uint16_t next[PATTERN_MAX], end[PATTERN_MAX];
};

/*
 * POSIX extended expressions (IEEE Std 1003.1, 9.4) of ^ at the start, $ at the end of a branch, plain and escaped characters, ".",
 * [sets and a-z], each with ?, * or +, and groups with | and ?. Characters are bytes. `text` must live as long as the pattern.
 * false: something else is in it.
 */
bool pattern_make(struct pattern *p, const char *text);

/* Whether it matches somewhere in `name` (from the start with ^). Any thread may ask. */
bool pattern_matches(const struct pattern *p, const char *name);

#endif
