/*
 * What a Go program says of its own code against what is read from its file:
 * tests/go/frames prints the runtime's frames for addresses all over its text.
 */
#ifndef TESTS_UNIT_FRAMES_H
#define TESTS_UNIT_FRAMES_H

#include <stdbool.h>
#include <stddef.h>

struct frames_result {
	size_t addresses, frames, inlined, functions;
	size_t wrong;	 /* addresses whose entry, names, files or lines differ */
	char first[1024]; /* the first of them */
};

/* Runs the program; false when it cannot be run or has no table (r->first says why). */
bool frames_compare(const char *binary, unsigned step, struct frames_result *r);

#endif
