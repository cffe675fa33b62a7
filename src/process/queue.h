/*
 * Records that wait for their turn in time. Private to process/.
 *
 * A file holds the buffers of several CPUs one after the other, so records are
 * kept until everything before them in time has been seen (perf:
 * tools/perf/util/ordered-events.c). Equal times keep the file's order.
 */
#ifndef PROCESS_QUEUE_H
#define PROCESS_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "perfdata/perfdata.h"

struct queued {
	uint64_t time, order;
	struct perfdata_record rec;
	uint8_t *copy; /* of the record's bytes, or NULL */
};

struct queue {
	struct queued *entries; /* the first `sorted` by time */
	size_t sorted, nr, alloc;
	size_t bytes; /* in copies */
	uint64_t order;
};

/* stable: the record's bytes stay; else they are copied. */
void queue_push(struct queue *q, uint64_t time, const struct perfdata_record *rec, bool stable);
void queue_sort(struct queue *q);
/*
 * How many of the sorted entries are due: those up to `upto`, and the oldest
 * ones when more wait than memory should hold (a recording whose times make no
 * sense).
 */
size_t queue_due(const struct queue *q, uint64_t upto);
/* Removes the first n. */
void queue_drop(struct queue *q, size_t n);
void queue_release(struct queue *q);

#endif
