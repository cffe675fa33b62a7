/*
 * Folded text: "comm;root;…;leaf COUNT" (FlameGraph's stackcollapse form).
 * Source: flamegraph.pl (remove_narrows excluded), stackcollapse-perf.pl;
 * the contract's section "Folded form".
 */
#ifndef PROFILE_FOLDED_H
#define PROFILE_FOLDED_H

#include <stdio.h>

#include "profile/profile.h"

bool folded_recognise(const void *bytes, size_t n);
/* The lines that count, in their order, with the first of their counts. */
struct folded_line {
	uint32_t node;
	int64_t value;
};
struct folded_order {
	struct folded_line *lines;
	size_t nr, alloc;
};
/* Suffixes _[k] _[i] become the frame's kind; two-column lines (difffolded) become two series. */
int folded_read(struct profile *p, const void *data, size_t size, const char *path, struct error *e);
/* The same, and the lines are added to *order; the caller frees them. */
int folded_read_ordered(struct profile *p, const void *data, size_t size, const char *path, struct folded_order *order,
			struct error *e);

struct folded_write_options {
	size_t series;
	bool annotate;	   /* suffixes _[k] and _[i] */
	bool skip_root;	   /* leave out the first frame (comm) */
};
/* Lines sorted byte for byte; ';' inside a name is written ':'; newlines in names as spaces. */
int folded_write(const struct profile *p, FILE *f, const struct folded_write_options *opts, struct error *e);

#endif
