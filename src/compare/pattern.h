/*
 * Regular expressions as the table of categories has them, on function names. glibc's regcomp and regexec took a sixth of
 * the comparison for this: most names fail at the first character of every branch, before a state machine is worth building.
 */
#ifndef COMPARE_PATTERN_H
#define COMPARE_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The longest text of a pattern, in bytes. */
#define PATTERN_MAX UINT16_MAX

struct pattern {
	const char *text; /* borrowed */
	struct pattern_step {
		uint8_t width;	    /* bytes of what stands for one character and begins here; 0: nothing does */
		uint8_t first;	    /* of a branch after '(' or '|': what it must begin with; 0: one of several, or nothing */
		uint16_t next, end; /* at '(' and '|': the next '|' or the ')' of the group; at '(' also its end */
	} *steps;		    /* one for each byte of text */
	/* With ^: the plain characters behind it, as they stand in `text` up to `rest`, and what may follow them. */
	char *prefix;
	size_t prefix_size, rest;
	bool follows[256];
};

/*
 * POSIX extended expressions (IEEE Std 1003.1, 9.4) of ^ at the start, $ at the end of a branch, plain and escaped characters, ".",
 * [sets and a-z], each with ?, * or +, and groups with | and ?. Characters are bytes. `text` must live as long as the pattern.
 * false: something else is in it. Either way pattern_release frees what was made.
 */
bool pattern_make(struct pattern *p, const char *text);
void pattern_release(struct pattern *p);

/* Whether it matches somewhere in `name` (from the start with ^). Any thread may ask. */
bool pattern_matches(const struct pattern *p, const char *name);

#endif
