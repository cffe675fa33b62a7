/*
 * An order of rows that depends on their contents alone: what is written or
 * drawn from a profile must not depend on the order it was filled in.
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/sort.h"
#include "profile/profile.h"

static _Thread_local const struct profile *sort_profile; /* qsort has no context */
static _Thread_local const uint32_t *sort_rank;

static int by_text(const void *a, const void *b)
{
	return strcmp(profile_str(sort_profile, *(const uint32_t *)a), profile_str(sort_profile, *(const uint32_t *)b));
}

/* Per string its place among those that frames have; a string is there once. */
static uint32_t *rank_strings(const struct profile *p)
{
	uint32_t *order = xreallocarray(NULL, p->strings.nr, sizeof(*order)), *rank = xcalloc(p->strings.nr, sizeof(*rank));
	size_t nr = 0;

	for (size_t i = 0; i < p->nr_frames; i++) {
		const struct profile_frame *f = &p->frames[i];

		rank[f->name] = rank[f->dso] = rank[f->file] = rank[f->linkage] = 1;
	}
	for (size_t i = 0; i < p->strings.nr; i++)
		if (rank[i])
			order[nr++] = (uint32_t)i;
	qsort(order, nr, sizeof(*order), by_text);
	for (size_t i = 0; i < nr; i++)
		rank[order[i]] = (uint32_t)i;
	free(order);
	return rank;
}

/* What orders frames, first things first. */
struct frame_key {
	uint64_t words[5];
};
static _Thread_local const struct frame_key *sort_keys;

static struct frame_key key_of(const struct profile_frame *f, const uint32_t *strings)
{
	return (struct frame_key){
		.words = {(uint64_t)strings[f->name] << 32 | strings[f->dso],
			  (uint64_t)strings[f->file] << 32 | (uint32_t)(f->address >> 32),
			  (uint64_t)(uint32_t)f->address << 32 | (uint32_t)f->line,
			  (uint64_t)strings[f->linkage] << 32 | (uint32_t)f->start_line,
			  (uint64_t)f->kind << 1 | f->inlined},
	};
}

static int by_key(const void *a, const void *b)
{
	const struct frame_key *x = &sort_keys[((const struct sort_pair *)a)->value], *y = &sort_keys[((const struct sort_pair *)b)->value];
	int i = 0;

	while (i < 4 && x->words[i] == y->words[i])
		i++;
	return x->words[i] < y->words[i] ? -1 : x->words[i] > y->words[i];
}

/* Pairs sorted by their keys: those of one key by `compare`. */
static void sort_ties(struct sort_pair *pairs, size_t total, int (*compare)(const void *, const void *))
{
	for (size_t i = 0, nr; i < total; i += nr) {
		for (nr = 1; i + nr < total && pairs[i].key == pairs[i + nr].key; nr++)
			;
		if (nr > 1)
			qsort(pairs + i, nr, sizeof(*pairs), compare);
	}
}

/* Per frame its place in their order: stacks are compared by numbers then. Frames of the same contents have the same. */
static uint32_t *rank_frames(const struct profile *p)
{
	struct frame_key *keys = xreallocarray(NULL, p->nr_frames, sizeof(*keys));
	struct sort_pair *pairs = xreallocarray(NULL, p->nr_frames, sizeof(*pairs)), *room = xreallocarray(NULL, p->nr_frames, sizeof(*room));
	uint32_t *strings = rank_strings(p), *rank = xcalloc(p->nr_frames, sizeof(*rank));

	for (size_t i = 0; i < p->nr_frames; i++) {
		keys[i] = key_of(&p->frames[i], strings);
		pairs[i] = (struct sort_pair){keys[i].words[0], (uint32_t)i};
	}
	sort_keys = keys;
	sort_pairs(pairs, room, p->nr_frames);
	sort_ties(pairs, p->nr_frames, by_key);
	for (size_t i = 1; i < p->nr_frames; i++)
		rank[pairs[i].value] = rank[pairs[i - 1].value] + (by_key(&pairs[i - 1], &pairs[i]) != 0);
	free(strings);
	free(keys);
	free(pairs);
	free(room);
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

/* Words of ranks, from 1 on, of a row's leaf and as many callers as fit: they mostly decide. */
enum { NEAR_WORDS = 2 };

static void nearest(const struct profile *p, const uint32_t *rank, uint32_t row, uint64_t *words)
{
	int bits = 64 - __builtin_clzll(p->nr_frames + 1);
	uint32_t node = p->rows[row].node;

	for (int word = 0; word < NEAR_WORDS; word++) {
		words[word] = 0;
		for (int left = 64; left >= bits; left -= bits) {
			words[word] = words[word] << bits | (node ? rank[p->nodes[node].frame] + 1 : 0);
			node = p->nodes[node].parent;
		}
	}
}

/* Of rows whose nearest frames are the same. */
static int by_contents(const void *a, const void *b)
{
	const struct profile *p = sort_profile;
	const struct profile_row *x = &p->rows[((const struct sort_pair *)a)->value];
	const struct profile_row *y = &p->rows[((const struct sort_pair *)b)->value];
	int c = compare_stacks(p, x->node, y->node);

	return c ? c : compare_labels(p, x->labels, y->labels);
}

uint32_t *profile_row_order(const struct profile *p)
{
	struct sort_pair *pairs = xreallocarray(NULL, p->nr_rows, sizeof(*pairs)), *room = xreallocarray(NULL, p->nr_rows, sizeof(*room));
	uint64_t (*near)[NEAR_WORDS] = xreallocarray(NULL, p->nr_rows, sizeof(*near));
	uint32_t *order = xreallocarray(NULL, p->nr_rows, sizeof(*order)), *rank;

	sort_profile = p;
	sort_rank = rank = rank_frames(p);
	for (size_t i = 0; i < p->nr_rows; i++) {
		nearest(p, rank, (uint32_t)i, near[i]);
		pairs[i].value = (uint32_t)i;
	}
	for (int word = NEAR_WORDS; word-- > 0;) {
		for (size_t i = 0; i < p->nr_rows; i++)
			pairs[i].key = near[pairs[i].value][word];
		sort_pairs(pairs, room, p->nr_rows);
	}
	for (size_t i = 0; i < p->nr_rows; i++) {
		bool same = i && !memcmp(near[pairs[i].value], near[pairs[i - 1].value], sizeof(*near));

		pairs[i].key = same ? pairs[i - 1].key : i;
	}
	sort_ties(pairs, p->nr_rows, by_contents);
	for (size_t i = 0; i < p->nr_rows; i++)
		order[i] = pairs[i].value;
	free(pairs);
	free(room);
	free(near);
	free(rank);
	return order;
}
