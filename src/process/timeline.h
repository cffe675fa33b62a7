/*
 * What a number stood for at a time: the name of a tid, the image of a pid.
 * Private to process/.
 *
 * Changes arrive in order of time, but for late ones, which come in a batch of
 * their own that is in order again. So each key has two sorted runs, merged by
 * timelines_settle: no order of arrival makes adding worse than n log n.
 */
#ifndef PROCESS_TIMELINE_H
#define PROCESS_TIMELINE_H

#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"

struct timeline_entry {
	uint64_t time;
	uint32_t value;
};

struct timeline {
	struct timeline_entry *entries; /* [0, settled) and [settled, nr), each by time */
	size_t settled, nr, alloc;
};

struct timelines {
	struct map64 index;
	struct timeline *lines;
	size_t nr, alloc;
	uint32_t *unsettled; /* lines with a second run */
	size_t nr_unsettled, alloc_unsettled;
	uint64_t moved; /* entries merged so far, for the tests of growth */
};

#define TIMELINE_NONE UINT32_MAX

/* From time on the key means value. Of equal times the later call wins. */
void timelines_add(struct timelines *t, uint32_t key, uint64_t time, uint32_t value);
/* The value at a time; TIMELINE_NONE before the first one and for an unknown key. */
uint32_t timelines_find(const struct timelines *t, uint32_t key, uint64_t time);
/* The first value of a key, TIMELINE_NONE for an unknown one. */
uint32_t timelines_first(const struct timelines *t, uint32_t key);
/* Ends a batch: the next one may begin at an earlier time. */
void timelines_settle(struct timelines *t);
void timelines_release(struct timelines *t);

#endif
