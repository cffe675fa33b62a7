/*
 * Mappings over time: which one covers an address at a moment. Private to
 * process/.
 *
 * perf records no munmap, so a mapping lasts until a later one covers the
 * address: of all that cover it and began by then, the latest wins. The index is
 * a segment tree over the sorted range bounds; each tree node lists, in order of
 * time, the mappings that span it. Building is n log n, a query visits one list
 * per level.
 *
 * Mappings come in batches, so there are several indexes of falling size: a new
 * one takes in those before it that are not at least twice its size. Each
 * mapping is indexed log n times at most, a query asks log n indexes at most.
 */
#ifndef PROCESS_HISTORY_H
#define PROCESS_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "process/session.h"

struct history_part {
	struct mapping *maps; /* by time, then arrival */
	size_t nr;
	uint64_t *bounds;
	size_t nr_bounds, leaves; /* leaves: power of two */
	uint32_t *first;	  /* per tree node: start of its list; one more at the end */
	uint32_t *lists;	  /* indexes of maps, rising */
};

struct history {
	struct history_part *parts; /* in order of arrival */
	size_t nr_parts, alloc_parts;
	struct mapping *tail; /* the latest arrivals: scanned */
	size_t nr_tail, alloc_tail;
	size_t nr;	/* mappings in all */
	uint64_t placed; /* list entries made so far, for the tests of growth */
};

void history_add(struct history *h, const struct mapping *m);
/* Adds what `from` knew at time upto, in order of arrival; returns how many that were. */
size_t history_copy(struct history *h, const struct history *from, uint64_t upto);
/* Brings the index up to date where scanning the rest would cost more. */
void history_index(struct history *h);
/* See session_map; valid_from and valid_to narrow what the caller has set. */
const struct mapping *history_find(const struct history *h, uint64_t addr, uint64_t t,
				   uint64_t *valid_from, uint64_t *valid_to);
void history_release(struct history *h);

#endif
