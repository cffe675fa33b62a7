#include "profile/profile.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"

/* --- the indexes: open addressing over what the tables hold ------------------------- */

static uint64_t frame_hash(const struct profile_frame *f)
{
	uint64_t h = hash_u64((uint64_t)f->name << 32 | f->dso);

	h = hash_u64(h ^ ((uint64_t)f->file << 32 | (uint32_t)f->line));
	h = hash_u64(h ^ f->address ^ ((uint64_t)(uint32_t)f->start_line << 32));
	return h ^ (uint64_t)(f->kind | f->inlined << 4 | f->go << 5 | f->wrapper << 6 | f->nameless << 7);
}

static bool frame_equal(const struct profile_frame *a, const struct profile_frame *b)
{
	return a->name == b->name && a->linkage == b->linkage && a->dso == b->dso && a->file == b->file &&
	       a->line == b->line && a->start_line == b->start_line && a->kind == b->kind &&
	       a->inlined == b->inlined && a->go == b->go && a->wrapper == b->wrapper && a->nameless == b->nameless &&
	       a->address == b->address;
}

static uint64_t pair_hash(uint32_t a, uint32_t b)
{
	return hash_u64((uint64_t)a << 32 | b);
}

static uint64_t labels_hash(const struct profile_label *l, size_t nr)
{
	uint64_t h = nr;

	for (size_t i = 0; i < nr; i++)
		h = hash_u64(h ^ ((uint64_t)l[i].key << 32 | l[i].str)) ^ (uint64_t)l[i].num ^ l[i].unit;
	return hash_u64(h);
}

static bool label_equal(const struct profile_label *a, const struct profile_label *b)
{
	return a->key == b->key && a->str == b->str && a->num == b->num && a->unit == b->unit;
}

/* Doubles a slot table until `room` fill no more than half of it; `hash_of(i)` gives the hash of item i of nr. */
#define INDEX_RESERVE(slots, mask, nr, room, hash_of)                          \
	do {                                                                   \
		if ((room) * 2 > (mask)) {                                     \
			free(slots);                                           \
			while ((room) * 2 > (mask))                            \
				(mask) = (mask) * 2 + 1;                       \
			(slots) = xcalloc((mask) + 1, sizeof(*(slots)));       \
			for (size_t i_ = 0; i_ < (nr); i_++) {                 \
				size_t s_ = (hash_of(i_)) & (mask);            \
				while ((slots)[s_])                            \
					s_ = (s_ + 1) & (mask);                \
				(slots)[s_] = (uint32_t)i_ + 1;                \
			}                                                      \
		}                                                              \
	} while (0)
#define INDEX_GROW(slots, mask, nr, hash_of) INDEX_RESERVE(slots, mask, nr, nr, hash_of)

void profile_init(struct profile *p)
{
	*p = (struct profile){.frame_mask = 255, .node_mask = 1023, .label_mask = 15, .row_mask = 255};
	strtab_init(&p->strings);
	p->frame_slots = xcalloc(p->frame_mask + 1, sizeof(*p->frame_slots));
	p->node_slots = xcalloc(p->node_mask + 1, sizeof(*p->node_slots));
	p->label_slots = xcalloc(p->label_mask + 1, sizeof(*p->label_slots));
	p->row_slots = xcalloc(p->row_mask + 1, sizeof(*p->row_slots));
	/* index 0: none, the root, no labels */
	profile_add_frame(p, &(struct profile_frame){.kind = FRAME_LABEL});
	ALLOC_GROW(p->nodes, 1, p->alloc_nodes);
	p->nodes[p->nr_nodes++] = (struct profile_node){0};
	profile_add_labels(p, NULL, 0);
}

void profile_release(struct profile *p)
{
	strtab_release(&p->strings);
	free(p->frames);
	free(p->nodes);
	free(p->labels);
	free(p->label_sets);
	free(p->rows);
	for (size_t i = 0; i < p->nr_series; i++)
		free(p->series[i].values);
	free(p->series);
	free(p->mappings);
	free(p->comments);
	free(p->frame_slots);
	free(p->node_slots);
	free(p->label_slots);
	free(p->row_slots);
	*p = (struct profile){0};
}

size_t profile_add_series(struct profile *p, const char *type, const char *unit)
{
	p->series = xreallocarray(p->series, p->nr_series + 1, sizeof(*p->series));
	p->series[p->nr_series] = (struct profile_series){
		.type = strtab_add(&p->strings, type),
		.unit = strtab_add(&p->strings, unit),
		.values = xcalloc(p->alloc_rows, sizeof(int64_t)),
	};
	return p->nr_series++;
}

uint32_t profile_add_frame(struct profile *p, const struct profile_frame *f)
{
#define HASH(i) frame_hash(&p->frames[i])
	size_t s = frame_hash(f) & p->frame_mask;

	for (; p->frame_slots[s]; s = (s + 1) & p->frame_mask)
		if (frame_equal(&p->frames[p->frame_slots[s] - 1], f))
			return p->frame_slots[s] - 1;
	ALLOC_GROW(p->frames, p->nr_frames + 1, p->alloc_frames);
	p->frames[p->nr_frames] = *f;
	p->frame_slots[s] = (uint32_t)++p->nr_frames;
	INDEX_GROW(p->frame_slots, p->frame_mask, p->nr_frames, HASH);
	return (uint32_t)p->nr_frames - 1;
#undef HASH
}

uint32_t profile_find_node(const struct profile *p, uint32_t parent, uint32_t frame)
{
	for (size_t s = pair_hash(parent, frame) & p->node_mask; p->node_slots[s]; s = (s + 1) & p->node_mask) {
		const struct profile_node *n = &p->nodes[p->node_slots[s] - 1];

		if (n->parent == parent && n->frame == frame)
			return p->node_slots[s] - 1;
	}
	return 0;
}

uint32_t profile_add_node(struct profile *p, uint32_t parent, uint32_t frame)
{
#define HASH(i) pair_hash(p->nodes[i].parent, p->nodes[i].frame)
	size_t s = pair_hash(parent, frame) & p->node_mask;

	for (; p->node_slots[s]; s = (s + 1) & p->node_mask) {
		const struct profile_node *n = &p->nodes[p->node_slots[s] - 1];

		if (n->parent == parent && n->frame == frame)
			return p->node_slots[s] - 1;
	}
	ALLOC_GROW(p->nodes, p->nr_nodes + 1, p->alloc_nodes);
	p->nodes[p->nr_nodes] = (struct profile_node){parent, frame};
	p->node_slots[s] = (uint32_t)++p->nr_nodes;
	INDEX_GROW(p->node_slots, p->node_mask, p->nr_nodes, HASH);
	return (uint32_t)p->nr_nodes - 1;
#undef HASH
}

static _Thread_local const struct strtab *sort_strings; /* qsort has no context */

static int by_key(const void *a, const void *b)
{
	const struct profile_label *x = a, *y = b;
	int c = strcmp(strtab_get(sort_strings, x->key), strtab_get(sort_strings, y->key));

	c = c ? c : strcmp(strtab_get(sort_strings, x->str), strtab_get(sort_strings, y->str));
	if (c)
		return c;
	if (x->num != y->num)
		return x->num < y->num ? -1 : 1;
	return strcmp(strtab_get(sort_strings, x->unit), strtab_get(sort_strings, y->unit));
}

uint32_t profile_add_labels(struct profile *p, struct profile_label *labels, size_t nr)
{
#define HASH(i) labels_hash(p->labels + p->label_sets[i].first, p->label_sets[i].nr)
	size_t s;

	sort_strings = &p->strings;
	if (nr > 1)
		qsort(labels, nr, sizeof(*labels), by_key);
	for (s = labels_hash(labels, nr) & p->label_mask; p->label_slots[s]; s = (s + 1) & p->label_mask) {
		const struct profile_labels *set = &p->label_sets[p->label_slots[s] - 1];
		size_t i = 0;

		while (set->nr == nr && i < nr && label_equal(&p->labels[set->first + i], &labels[i]))
			i++;
		if (set->nr == nr && i == nr)
			return p->label_slots[s] - 1;
	}
	ALLOC_GROW(p->labels, p->nr_labels + nr, p->alloc_labels);
	for (size_t i = 0; i < nr; i++)
		p->labels[p->nr_labels + i] = labels[i];
	ALLOC_GROW(p->label_sets, p->nr_label_sets + 1, p->alloc_label_sets);
	p->label_sets[p->nr_label_sets] = (struct profile_labels){(uint32_t)p->nr_labels, (uint32_t)nr};
	p->nr_labels += nr;
	p->label_slots[s] = (uint32_t)++p->nr_label_sets;
	INDEX_GROW(p->label_slots, p->label_mask, p->nr_label_sets, HASH);
	return (uint32_t)p->nr_label_sets - 1;
#undef HASH
}

static void grow_rows(struct profile *p)
{
	size_t old = p->alloc_rows;

	ALLOC_GROW(p->rows, p->nr_rows + 1, p->alloc_rows);
	if (p->alloc_rows == old)
		return;
	for (size_t i = 0; i < p->nr_series; i++) {
		struct profile_series *s = &p->series[i];

		s->values = xreallocarray(s->values, p->alloc_rows, sizeof(*s->values));
		memset(s->values + old, 0, (p->alloc_rows - old) * sizeof(*s->values));
	}
}

size_t profile_add_row(struct profile *p, uint32_t node, uint32_t labels)
{
#define HASH(i) pair_hash(p->rows[i].node, p->rows[i].labels)
	size_t s = pair_hash(node, labels) & p->row_mask;

	for (; p->row_slots[s]; s = (s + 1) & p->row_mask) {
		const struct profile_row *r = &p->rows[p->row_slots[s] - 1];

		if (r->node == node && r->labels == labels)
			return p->row_slots[s] - 1;
	}
	grow_rows(p);
	p->rows[p->nr_rows] = (struct profile_row){node, labels};
	p->row_slots[s] = (uint32_t)++p->nr_rows;
	INDEX_GROW(p->row_slots, p->row_mask, p->nr_rows, HASH);
	return p->nr_rows - 1;
#undef HASH
}

void profile_add_value(struct profile *p, size_t row, size_t series, int64_t value)
{
	struct profile_series *s = &p->series[series];

	s->values[row] = profile_sum(s->values[row], value);
	s->total = profile_sum(s->total, value);
}

void profile_reserve(struct profile *p, size_t nodes, size_t rows)
{
#define NODE_HASH(i) pair_hash(p->nodes[i].parent, p->nodes[i].frame)
#define ROW_HASH(i) pair_hash(p->rows[i].node, p->rows[i].labels)
	INDEX_RESERVE(p->node_slots, p->node_mask, p->nr_nodes, nodes, NODE_HASH);
	INDEX_RESERVE(p->row_slots, p->row_mask, p->nr_rows, rows, ROW_HASH);
#undef NODE_HASH
#undef ROW_HASH
}

int64_t *profile_self(const struct profile *p, size_t series)
{
	int64_t *self = xcalloc(p->nr_nodes, sizeof(*self));

	for (size_t r = 0; r < p->nr_rows; r++)
		self[p->rows[r].node] = profile_sum(self[p->rows[r].node], p->series[series].values[r]);
	return self;
}

int64_t *profile_cum(const struct profile *p, size_t series)
{
	int64_t *cum = profile_self(p, series);

	for (size_t n = p->nr_nodes; n-- > 1;)
		cum[p->nodes[n].parent] = profile_sum(cum[p->nodes[n].parent], cum[n]);
	return cum;
}

size_t profile_path(const struct profile *p, uint32_t node, uint32_t *frames, size_t max)
{
	size_t depth = 0, at;

	for (uint32_t n = node; n; n = p->nodes[n].parent)
		depth++;
	at = depth;
	for (uint32_t n = node; n; n = p->nodes[n].parent)
		if (--at < max)
			frames[at] = p->nodes[n].frame;
	return depth;
}
