#include "profile/tree.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/hash.h"

static _Thread_local const struct profile *sort_profile; /* qsort has no context */

static int compare_ids(const struct profile_frame *x, const struct profile_frame *y)
{
	const uint32_t a[] = {x->name, x->file, x->dso, (uint32_t)x->start_line, x->kind, x->inlined};
	const uint32_t b[] = {y->name, y->file, y->dso, (uint32_t)y->start_line, y->kind, y->inlined};

	for (size_t i = 0; i < sizeof(a) / sizeof(*a); i++)
		if (a[i] != b[i])
			return a[i] < b[i] ? -1 : 1;
	return 0;
}

static int by_ids(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	int c = compare_ids(&sort_profile->frames[x], &sort_profile->frames[y]);

	return c ? c : x < y ? -1 : x > y;
}

/* Per frame, the first frame of the same function. Strings are interned: equal ids are equal text. */
static uint32_t *same_function(const struct profile *p)
{
	uint32_t *sorted = xreallocarray(NULL, p->nr_frames + 1, sizeof(*sorted));
	uint32_t *same = xreallocarray(NULL, p->nr_frames + 1, sizeof(*same));

	for (size_t i = 0; i < p->nr_frames; i++)
		sorted[i] = (uint32_t)i;
	sort_profile = p;
	qsort(sorted, p->nr_frames, sizeof(*sorted), by_ids);
	for (size_t i = 0; i < p->nr_frames; i++)
		same[sorted[i]] = i && !compare_ids(&p->frames[sorted[i - 1]], &p->frames[sorted[i]])
					  ? same[sorted[i - 1]] : sorted[i];
	free(sorted);
	return same;
}

struct numbering {
	uint32_t *same, *function; /* per frame */
	struct map64 children;	   /* parent stack, function → stack */
};

static uint32_t function_of(struct tree *t, struct numbering *n, uint32_t frame)
{
	uint32_t first = n->same[frame];

	if (n->function[first] == TREE_NONE) {
		ALLOC_GROW(t->functions, t->nr_functions + 1, t->alloc_functions);
		n->function[first] = (uint32_t)t->nr_functions;
		t->functions[t->nr_functions++] = first;
	}
	return n->function[first];
}

static uint32_t child(struct tree *t, struct numbering *n, uint32_t parent, uint32_t function)
{
	uint64_t key = (uint64_t)parent << 32 | function;
	uint32_t s = map64_get(&n->children, key);

	if (s != MAP64_NONE)
		return s;
	ALLOC_GROW(t->stacks, t->nr_stacks + 1, t->alloc_stacks);
	s = (uint32_t)t->nr_stacks++;
	t->stacks[s] = (struct tree_stack){parent, function};
	map64_put(&n->children, key, s);
	return s;
}

/* The stack of a node: its callers that have none yet are numbered first, from the root. */
static uint32_t number(struct tree *t, struct numbering *n, const struct profile *p, uint32_t node, uint32_t *path)
{
	size_t depth = 0;

	for (uint32_t i = node; i && t->of_node[i] == TREE_NONE; i = p->nodes[i].parent)
		path[depth++] = i;
	while (depth) {
		uint32_t i = path[--depth], parent = p->nodes[i].parent;

		t->of_node[i] = child(t, n, parent ? t->of_node[parent] : TREE_NONE, function_of(t, n, p->nodes[i].frame));
	}
	return node ? t->of_node[node] : TREE_NONE;
}

static uint32_t *none(size_t nr)
{
	uint32_t *a = xreallocarray(NULL, nr + 1, sizeof(*a));

	for (size_t i = 0; i < nr; i++)
		a[i] = TREE_NONE;
	return a;
}

void tree_make(struct tree *t, const struct profile *p)
{
	struct numbering n = {.same = same_function(p), .function = none(p->nr_frames)};
	uint32_t *path = xreallocarray(NULL, p->nr_nodes + 1, sizeof(*path));

	*t = (struct tree){.order = profile_row_order(p), .of_row = none(p->nr_rows),
			  .of_node = none(p->nr_nodes)};
	for (size_t i = 0; i < p->nr_rows; i++)
		t->of_row[t->order[i]] = number(t, &n, p, p->rows[t->order[i]].node, path);
	map64_release(&n.children);
	free(n.same);
	free(n.function);
	free(path);
}

void tree_release(struct tree *t)
{
	free(t->functions);
	free(t->stacks);
	free(t->order);
	free(t->of_row);
	free(t->of_node);
	*t = (struct tree){0};
}

int64_t *tree_values(const struct tree *t, const struct profile *p, size_t series)
{
	int64_t *values = xcalloc(t->nr_stacks + 1, sizeof(*values));

	for (size_t r = 0; r < p->nr_rows; r++)
		if (t->of_row[r] != TREE_NONE)
			values[t->of_row[r]] = profile_sum(values[t->of_row[r]], p->series[series].values[r]);
	for (size_t s = 0; s < t->nr_stacks; s++)
		if (values[s] < 0)
			values[s] = 0;
	return values;
}
