#include "process/timeline.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

static struct timeline *get(struct timelines *t, uint32_t key, uint32_t *i)
{
	*i = map64_get(&t->index, key);
	if (*i == MAP64_NONE) {
		ALLOC_GROW(t->lines, t->nr + 1, t->alloc);
		*i = (uint32_t)t->nr++;
		t->lines[*i] = (struct timeline){0};
		map64_put(&t->index, key, *i);
	}
	return &t->lines[*i];
}

void timelines_add(struct timelines *t, uint32_t key, uint64_t time, uint32_t value)
{
	uint32_t i;
	struct timeline *l = get(t, key, &i);

	/* most threads have one name and most pids one image: begin small */
	if (l->nr == l->alloc) {
		l->alloc = l->alloc ? l->alloc * 2 : 2;
		l->entries = xreallocarray(l->entries, l->alloc, sizeof(*l->entries));
	}
	if (l->settled == l->nr) {
		if (!l->nr || l->entries[l->nr - 1].time <= time) {
			l->settled++;
		} else {
			ALLOC_GROW(t->unsettled, t->nr_unsettled + 1, t->alloc_unsettled);
			t->unsettled[t->nr_unsettled++] = i;
		}
	}
	l->entries[l->nr++] = (struct timeline_entry){time, value};
}

/* The last entry of a run not younger than time, or NULL. */
static const struct timeline_entry *last_of(const struct timeline_entry *run, size_t nr, uint64_t time)
{
	size_t lo = 0, hi = nr;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (run[mid].time <= time)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo ? &run[lo - 1] : NULL;
}

static const struct timeline *find(const struct timelines *t, uint32_t key)
{
	uint32_t i = map64_get(&t->index, key);

	return i == MAP64_NONE ? NULL : &t->lines[i];
}

uint32_t timelines_find(const struct timelines *t, uint32_t key, uint64_t time)
{
	const struct timeline *l = find(t, key);
	const struct timeline_entry *a, *b;

	if (!l)
		return TIMELINE_NONE;
	a = last_of(l->entries, l->settled, time);
	b = last_of(l->entries + l->settled, l->nr - l->settled, time);
	if (!a || (b && b->time >= a->time))
		a = b;
	return a ? a->value : TIMELINE_NONE;
}

uint32_t timelines_first(const struct timelines *t, uint32_t key)
{
	const struct timeline *l = find(t, key);
	const struct timeline_entry *second;

	if (!l)
		return TIMELINE_NONE;
	second = l->settled < l->nr ? &l->entries[l->settled] : NULL;
	return second && second->time < l->entries[0].time ? second->value : l->entries[0].value;
}

static void settle(struct timeline *l)
{
	size_t a = l->settled, b = l->nr - l->settled, at = l->nr;
	struct timeline_entry *run = xmemdup(l->entries + a, b * sizeof(*run));

	/* from the back, so that what stands in front need not move */
	while (b) {
		if (a && l->entries[a - 1].time > run[b - 1].time)
			l->entries[--at] = l->entries[--a];
		else
			l->entries[--at] = run[--b];
	}
	l->settled = l->nr;
	free(run);
}

void timelines_settle(struct timelines *t)
{
	for (size_t i = 0; i < t->nr_unsettled; i++) {
		struct timeline *l = &t->lines[t->unsettled[i]];

		t->moved += l->nr;
		settle(l);
	}
	t->nr_unsettled = 0;
}

void timelines_release(struct timelines *t)
{
	for (size_t i = 0; i < t->nr; i++)
		free(t->lines[i].entries);
	free(t->lines);
	free(t->unsettled);
	map64_release(&t->index);
	*t = (struct timelines){0};
}
