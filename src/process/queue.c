#include "process/queue.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

/* What may wait of records that had to be copied (a stream): far more than a round holds. */
#define MAX_WAITING ((size_t)1 << 20)
#define MAX_BYTES ((size_t)256 << 20)

void queue_push(struct queue *q, uint64_t time, const struct perfdata_record *rec, bool stable)
{
	struct queued *e;

	ALLOC_GROW(q->entries, q->nr + 1, q->alloc);
	e = &q->entries[q->nr++];
	*e = (struct queued){time, q->order++, *rec, NULL};
	if (!stable) {
		e->rec.data = e->copy = xmemdup(rec->data, rec->size);
		q->bytes += rec->size;
	}
}

static int by_order(const void *a, const void *b)
{
	const struct queued *x = a, *y = b;

	if (x->time != y->time)
		return x->time < y->time ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

static bool in_order(const struct queued *e, size_t nr)
{
	for (size_t i = 1; i < nr; i++)
		if (e[i - 1].time > e[i].time)
			return false;
	return true;
}

/* What waits already is older in the file: first among equals. */
static void merge(struct queue *q)
{
	size_t a = q->sorted, b = q->nr - q->sorted, at = q->nr;
	struct queued *run = xmemdup(q->entries + a, b * sizeof(*run));

	while (b) {
		if (a && q->entries[a - 1].time > run[b - 1].time)
			q->entries[--at] = q->entries[--a];
		else
			q->entries[--at] = run[--b];
	}
	free(run);
}

void queue_sort(struct queue *q)
{
	size_t nr = q->nr - q->sorted;
	struct queued *fresh;

	if (!nr)
		return;
	fresh = q->entries + q->sorted;
	if (!in_order(fresh, nr))
		qsort(fresh, nr, sizeof(*fresh), by_order);
	if (q->sorted && fresh[-1].time > fresh[0].time)
		merge(q);
	q->sorted = q->nr;
}

size_t queue_due(const struct queue *q, uint64_t upto)
{
	size_t n = 0, bytes = q->bytes;

	for (; n < q->nr; n++) {
		const struct queued *e = &q->entries[n];

		if (e->time > upto && bytes <= MAX_BYTES && (!e->copy || q->nr - n <= MAX_WAITING))
			break;
		bytes -= e->copy ? e->rec.size : 0;
	}
	return n;
}

void queue_drop(struct queue *q, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (q->entries[i].copy) {
			q->bytes -= q->entries[i].rec.size;
			free(q->entries[i].copy);
		}
	}
	q->nr -= n;
	q->sorted = q->nr;
	if (q->nr)
		memmove(q->entries, q->entries + n, q->nr * sizeof(*q->entries));
}

void queue_release(struct queue *q)
{
	queue_drop(q, q->nr);
	free(q->entries);
	*q = (struct queue){0};
}
