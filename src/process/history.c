#include "process/history.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

/* So many mappings are scanned rather than indexed. */
#define SCAN_MAX 32

void history_add(struct history *h, const struct mapping *m)
{
	if (m->end <= m->start)
		return;
	/* most processes of a system map little: begin small */
	if (h->nr_tail == h->alloc_tail) {
		h->alloc_tail = h->alloc_tail ? h->alloc_tail * 2 : 2;
		h->tail = xreallocarray(h->tail, h->alloc_tail, sizeof(*h->tail));
	}
	h->tail[h->nr_tail++] = *m;
	h->nr++;
}

static size_t copy_known(struct history *h, const struct mapping *maps, size_t nr, uint64_t upto)
{
	size_t n = 0;

	for (size_t i = 0; i < nr; i++) {
		if (maps[i].time <= upto) {
			history_add(h, &maps[i]);
			n++;
		}
	}
	return n;
}

size_t history_copy(struct history *h, const struct history *from, uint64_t upto)
{
	size_t n = 0;

	for (size_t i = 0; i < from->nr_parts; i++)
		n += copy_known(h, from->parts[i].maps, from->parts[i].nr, upto);
	return n + copy_known(h, from->tail, from->nr_tail, upto);
}

/* --- building -------------------------------------------------------------------------- */

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Two sorted runs [0, mid) and [mid, nr) into one; of equals those of the first come first. */
static void merge(struct mapping *out, const struct mapping *m, size_t mid, size_t nr)
{
	size_t a = 0, b = mid;

	for (size_t i = 0; i < nr; i++)
		out[i] = b == nr || (a < mid && m[a].time <= m[b].time) ? m[a++] : m[b++];
}

/* A merge sort, since equal times must keep the order of arrival; mostly there is nothing to do. */
static void sort_by_time(struct mapping *m, size_t nr)
{
	struct mapping *other;
	bool sorted = true;

	for (size_t i = 1; i < nr && sorted; i++)
		sorted = m[i - 1].time <= m[i].time;
	if (sorted)
		return;
	other = xreallocarray(NULL, nr, sizeof(*other));
	for (size_t width = 1; width < nr; width *= 2) {
		for (size_t i = 0; i < nr; i += 2 * width) {
			size_t left = nr - i, run = left < 2 * width ? left : 2 * width;

			merge(other + i, m + i, width < run ? width : run, run);
		}
		memcpy(m, other, nr * sizeof(*m));
	}
	free(other);
}

/* The slot of the last bound not above addr; nr_bounds when below all. */
static size_t bound_slot(const struct history_part *p, uint64_t addr)
{
	size_t lo = 0, hi = p->nr_bounds;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (p->bounds[mid] <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo ? lo - 1 : p->nr_bounds;
}

/* Calls for each tree node of the canonical cover of [l, r) of leaves. */
static void cover(const struct history_part *p, size_t l, size_t r, uint32_t *counts, uint32_t *lists,
		  uint32_t map)
{
	for (l += p->leaves, r += p->leaves; l < r; l /= 2, r /= 2) {
		if (l & 1) {
			if (lists)
				lists[counts[l]] = map;
			counts[l++]++;
		}
		if (r & 1) {
			r--;
			if (lists)
				lists[counts[r]] = map;
			counts[r]++;
		}
	}
}

static void cover_map(const struct history_part *p, size_t i, uint32_t *counts, uint32_t *lists)
{
	cover(p, bound_slot(p, p->maps[i].start), bound_slot(p, p->maps[i].end), counts, lists, (uint32_t)i);
}

static void make_bounds(struct history_part *p)
{
	size_t n = p->nr * 2;

	p->bounds = xreallocarray(NULL, n, sizeof(*p->bounds));
	for (size_t i = 0; i < p->nr; i++) {
		p->bounds[2 * i] = p->maps[i].start;
		p->bounds[2 * i + 1] = p->maps[i].end;
	}
	qsort(p->bounds, n, sizeof(*p->bounds), by_value);
	for (size_t i = 0; i < n; i++)
		if (!i || p->bounds[i] != p->bounds[p->nr_bounds - 1])
			p->bounds[p->nr_bounds++] = p->bounds[i];
	for (p->leaves = 1; p->leaves < p->nr_bounds; p->leaves *= 2)
		;
}

/* Returns how long the lists are in all. */
static size_t build_index(struct history_part *p)
{
	size_t total = 0, nodes;
	uint32_t *fill;

	make_bounds(p);
	nodes = p->leaves * 2;
	p->first = xcalloc(nodes + 1, sizeof(*p->first));
	for (size_t i = 0; i < p->nr; i++)
		cover_map(p, i, p->first, NULL);
	for (size_t i = 0; i <= nodes; i++) {
		size_t count = p->first[i];

		p->first[i] = (uint32_t)total;
		total += count;
	}
	p->lists = xreallocarray(NULL, total, sizeof(*p->lists));
	fill = xmemdup(p->first, (nodes + 1) * sizeof(*fill));
	for (size_t i = 0; i < p->nr; i++)
		cover_map(p, i, fill, p->lists);
	free(fill);
	return total;
}

static void release_index(struct history_part *p)
{
	free(p->bounds);
	free(p->first);
	free(p->lists);
}

void history_index(struct history *h)
{
	struct history_part p = {0};
	size_t first = h->nr_parts, at = 0;

	if (h->nr_tail <= SCAN_MAX)
		return;
	p.nr = h->nr_tail;
	while (first && h->parts[first - 1].nr < 2 * p.nr)
		p.nr += h->parts[--first].nr;
	p.maps = xreallocarray(NULL, p.nr, sizeof(*p.maps));
	for (size_t i = first; i < h->nr_parts; i++) {
		memcpy(p.maps + at, h->parts[i].maps, h->parts[i].nr * sizeof(*p.maps));
		at += h->parts[i].nr;
		release_index(&h->parts[i]);
		free(h->parts[i].maps);
	}
	memcpy(p.maps + at, h->tail, h->nr_tail * sizeof(*p.maps));
	h->nr_tail = 0;
	sort_by_time(p.maps, p.nr);
	h->placed += build_index(&p);
	ALLOC_GROW(h->parts, first + 1, h->alloc_parts);
	h->parts[first] = p;
	h->nr_parts = first + 1;
}

/* --- asking ---------------------------------------------------------------------------- */

struct search {
	uint64_t t;
	const struct mapping *best;
	bool later;    /* a mapping that begins after t was seen */
	uint64_t next; /* the earliest such time */
};

/* Later time wins, then later arrival: candidates come in order of arrival. */
static void consider(struct search *s, const struct mapping *m)
{
	if (m->time > s->t) {
		if (m->time < s->next)
			s->next = m->time;
		s->later = true;
	} else if (!s->best || m->time >= s->best->time) {
		s->best = m;
	}
}

/* How many maps of the part began by t. */
static uint32_t known_at(const struct history_part *p, uint64_t t)
{
	size_t lo = 0, hi = p->nr;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (p->maps[mid].time <= t)
			lo = mid + 1;
		else
			hi = mid;
	}
	return (uint32_t)lo;
}

static void search_part(struct search *s, const struct history_part *p, uint64_t addr)
{
	size_t slot = bound_slot(p, addr), best = p->nr, next = p->nr;
	uint32_t known;

	if (slot == p->nr_bounds)
		return;
	known = known_at(p, s->t);
	for (size_t node = slot + p->leaves; node; node /= 2) {
		const uint32_t *list = p->lists + p->first[node];
		size_t lo = 0, nr = p->first[node + 1] - p->first[node], hi = nr;

		while (lo < hi) {
			size_t mid = (lo + hi) / 2;

			if (list[mid] < known)
				lo = mid + 1;
			else
				hi = mid;
		}
		if (lo && (best == p->nr || list[lo - 1] > best))
			best = list[lo - 1];
		if (lo < nr && list[lo] < next)
			next = list[lo];
	}
	if (best < p->nr)
		consider(s, &p->maps[best]);
	if (next < p->nr)
		consider(s, &p->maps[next]);
}

const struct mapping *history_find(const struct history *h, uint64_t addr, uint64_t t,
				   uint64_t *valid_from, uint64_t *valid_to)
{
	struct search s = {.t = t, .next = UINT64_MAX};

	for (size_t i = 0; i < h->nr_parts; i++)
		search_part(&s, &h->parts[i], addr);
	for (size_t i = 0; i < h->nr_tail; i++)
		if (addr >= h->tail[i].start && addr < h->tail[i].end)
			consider(&s, &h->tail[i]);
	if (s.best && s.best->time > *valid_from)
		*valid_from = s.best->time;
	if (s.later && s.next - 1 < *valid_to)
		*valid_to = s.next - 1;
	return s.best;
}

void history_release(struct history *h)
{
	for (size_t i = 0; i < h->nr_parts; i++) {
		release_index(&h->parts[i]);
		free(h->parts[i].maps);
	}
	free(h->parts);
	free(h->tail);
	*h = (struct history){0};
}
