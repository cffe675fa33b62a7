/*
 * An order of rows that depends on their contents alone: what is written or
 * drawn from a profile must not depend on the order it was filled in.
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "profile/profile.h"

static _Thread_local const struct profile *sort_profile; /* qsort has no context */
static _Thread_local const uint32_t *sort_rank;

static int compare_frames(const struct profile *p, uint32_t a, uint32_t b)
{
	const struct profile_frame *x = &p->frames[a], *y = &p->frames[b];
	int c;

	if (a == b)
		return 0;
	if ((c = strcmp(profile_str(p, x->name), profile_str(p, y->name))))
		return c;
	if ((c = strcmp(profile_str(p, x->dso), profile_str(p, y->dso))))
		return c;
	if ((c = strcmp(profile_str(p, x->file), profile_str(p, y->file))))
		return c;
	if (x->address != y->address)
		return x->address < y->address ? -1 : 1;
	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	if ((c = strcmp(profile_str(p, x->linkage), profile_str(p, y->linkage))))
		return c;
	if (x->start_line != y->start_line)
		return x->start_line < y->start_line ? -1 : 1;
	if (x->kind != y->kind)
		return x->kind - y->kind;
	return x->inlined - y->inlined;
}

static int by_frame(const void *a, const void *b)
{
	return compare_frames(sort_profile, *(const uint32_t *)a, *(const uint32_t *)b);
}

/* Per frame its place in their order: stacks are compared by numbers then. Frames of the same contents have the same. */
static uint32_t *rank_frames(const struct profile *p)
{
	uint32_t *order = xreallocarray(NULL, p->nr_frames, sizeof(*order)), *rank = xcalloc(p->nr_frames, sizeof(*rank));

	for (size_t i = 0; i < p->nr_frames; i++)
		order[i] = (uint32_t)i;
	qsort(order, p->nr_frames, sizeof(*order), by_frame);
	for (size_t i = 1; i < p->nr_frames; i++)
		rank[order[i]] = rank[order[i - 1]] + (compare_frames(p, order[i - 1], order[i]) != 0);
	free(order);
	return rank;
}

static int compare_stacks(const struct profile *p, uint32_t a, uint32_t b)
{
	while (a != b && a && b) {
		uint32_t x = sort_rank[p->nodes[a].frame], y = sort_rank[p->nodes[b].frame];

		if (x != y)
			return x < y ? -1 : 1;
		a = p->nodes[a].parent;
		b = p->nodes[b].parent;
	}
	return a == b ? 0 : a ? 1 : -1;
}

static int compare_labels(const struct profile *p, uint32_t a, uint32_t b)
{
	const struct profile_labels *x = &p->label_sets[a], *y = &p->label_sets[b];

	for (uint32_t i = 0; a != b && i < x->nr && i < y->nr; i++) {
		const struct profile_label *l = &p->labels[x->first + i], *m = &p->labels[y->first + i];
		int c = strcmp(profile_str(p, l->key), profile_str(p, m->key));

		c = c ? c : strcmp(profile_str(p, l->str), profile_str(p, m->str));
		if (c)
			return c;
		if (l->num != m->num)
			return l->num < m->num ? -1 : 1;
		if ((c = strcmp(profile_str(p, l->unit), profile_str(p, m->unit))))
			return c;
	}
	return x->nr < y->nr ? -1 : x->nr > y->nr;
}

struct place {
	uint64_t near[2]; /* ranks from 1 on of the leaf and as many callers as fit, which mostly decide */
	uint32_t row;
};

static struct place place_of(const struct profile *p, const uint32_t *rank, uint32_t row)
{
	int bits = 64 - __builtin_clzll(p->nr_frames + 1);
	struct place place = {.row = row};
	uint32_t node = p->rows[row].node;

	for (int word = 0; word < 2; word++)
		for (int left = 64; left >= bits; left -= bits) {
			place.near[word] = place.near[word] << bits | (node ? rank[p->nodes[node].frame] + 1 : 0);
			node = p->nodes[node].parent;
		}
	return place;
}

static int by_contents(const void *a, const void *b)
{
	const struct profile *p = sort_profile;
	const struct place *i = a, *j = b;
	const struct profile_row *x = &p->rows[i->row], *y = &p->rows[j->row];
	int c = i->near[0] < j->near[0] ? -1 : i->near[0] > j->near[0];

	c = c ? c : i->near[1] < j->near[1] ? -1 : i->near[1] > j->near[1];
	c = c ? c : compare_stacks(p, x->node, y->node);
	return c ? c : compare_labels(p, x->labels, y->labels);
}

uint32_t *profile_row_order(const struct profile *p)
{
	struct place *places = xreallocarray(NULL, p->nr_rows, sizeof(*places));
	uint32_t *order = xreallocarray(NULL, p->nr_rows, sizeof(*order)), *rank;

	sort_profile = p;
	sort_rank = rank = rank_frames(p);
	for (size_t i = 0; i < p->nr_rows; i++)
		places[i] = place_of(p, rank, (uint32_t)i);
	if (p->nr_rows)
		qsort(places, p->nr_rows, sizeof(*places), by_contents);
	for (size_t i = 0; i < p->nr_rows; i++)
		order[i] = places[i].row;
	free(places);
	free(rank);
	return order;
}
