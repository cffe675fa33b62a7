#include "cmd/graph.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "cmd/kinds.h"

/* A box while it is built; the profile's trie has a node per frame, boxes merge by name. */
struct box {
	uint32_t parent, name;
	uint32_t frame; /* of several that have the name the first of the profile: gives detail and kind */
	uint32_t first_child, next; /* 0: none */
	uint8_t kind;
	bool inlined;
	double value, self, base_value, base_self;
};

struct builder {
	const struct profile *p;
	struct box *boxes;
	size_t nr, alloc;
	uint8_t *kinds; /* per frame */
	bool *shared;	/* per frame: another one looks the same in a box */
};

/* What a frame is in a box: name, kernel or not, inlined or not. */
static uint64_t look_of(const struct profile_frame *f)
{
	return (uint64_t)f->name << 2 ^ (uint64_t)f->inlined << 1 ^ (uint64_t)(f->kind == FRAME_KERNEL);
}

static bool *shared_looks(const struct profile *p)
{
	bool *shared = xcalloc(p->nr_frames, sizeof(*shared));
	struct map64 first = MAP64_INIT;

	for (size_t i = 0; i < p->nr_frames; i++) {
		uint64_t look = look_of(&p->frames[i]);
		uint32_t other = map64_get(&first, look);

		if (other == MAP64_NONE)
			map64_put(&first, look, (uint32_t)i);
		else
			shared[i] = shared[other] = true;
	}
	map64_release(&first);
	return shared;
}

static uint32_t add_box(struct builder *b, uint32_t parent, uint32_t frame)
{
	const struct profile_frame *f = &b->p->frames[frame];
	uint32_t i = (uint32_t)b->nr++;

	ALLOC_GROW(b->boxes, b->nr, b->alloc);
	b->boxes[i] = (struct box){
		.parent = parent, .name = f->name, .frame = frame, .kind = b->kinds[frame],
		.inlined = f->inlined, .next = b->boxes[parent].first_child,
	};
	b->boxes[parent].first_child = i;
	return i;
}

/* One box per caller and look. */
static uint32_t child_box(struct builder *b, struct map64 *index, uint32_t parent, uint32_t frame)
{
	uint64_t key = (uint64_t)parent << 34 ^ look_of(&b->p->frames[frame]);
	uint32_t i = map64_get(index, key);

	if (i == MAP64_NONE) {
		i = add_box(b, parent, frame);
		map64_put(index, key, i);
	} else if (frame < b->boxes[i].frame) { /* whatever the order of stacks */
		b->boxes[i].frame = frame;
		b->boxes[i].kind = b->kinds[frame];
	}
	return i;
}

static const struct box *sort_boxes; /* qsort has no context */
static const struct profile *sort_profile;

static int by_name(const void *a, const void *b)
{
	const struct box *x = &sort_boxes[*(const uint32_t *)a], *y = &sort_boxes[*(const uint32_t *)b];
	int c = strcmp(profile_str(sort_profile, x->name), profile_str(sort_profile, y->name));

	if (c)
		return c;
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return x->inlined - y->inlined;
}

const char *graph_detail(struct graph *g, const struct profile *p, const struct profile_frame *f)
{
	const char *file = profile_str(p, f->file), *dso = profile_str(p, f->dso);
	int32_t line = f->start_line ? f->start_line : f->line;
	size_t size;
	char *text;

	if (!*file)
		return *dso ? dso : NULL;
	if (!line)
		return file;
	size = strlen(file) + 16;
	text = arena_alloc(&g->strings, size);
	snprintf(text, size, "%s:%d", file, line);
	return text;
}

/* Preorder without recursion: a stack of boxes still to be placed. */
static void place(struct graph *g, struct builder *b)
{
	uint32_t *stack = xreallocarray(NULL, b->nr, sizeof(*stack));
	uint32_t *children = xreallocarray(NULL, b->nr, sizeof(*children));
	uint32_t *placed = xreallocarray(NULL, b->nr, sizeof(*placed));
	const char **details = xcalloc(b->p->nr_frames, sizeof(*details)); /* one a frame: most are in many boxes */
	size_t depth = 0, nr = 0;

	g->nodes = xcalloc(b->nr, sizeof(*g->nodes));
	sort_boxes = b->boxes;
	sort_profile = b->p;
	stack[depth++] = 0;
	while (depth) {
		uint32_t i = stack[--depth];
		const struct box *box = &b->boxes[i];
		struct render_node *n = &g->nodes[nr];
		size_t k = 0;

		placed[i] = (uint32_t)nr++;
		*n = (struct render_node){
			.parent = i ? placed[box->parent] : 0, .kind = box->kind, .inlined = box->inlined,
			.value = box->value, .self = box->self,
			.base_value = box->base_value, .base_self = box->base_self,
		};
		if (i) {
			n->name = profile_str(b->p, box->name);
			if (!details[box->frame])
				details[box->frame] = graph_detail(g, b->p, &b->p->frames[box->frame]);
			n->detail = details[box->frame];
		}
		for (uint32_t c = box->first_child; c; c = b->boxes[c].next)
			children[k++] = c;
		if (k > 1)
			qsort(children, k, sizeof(*children), by_name);
		while (k)
			stack[depth++] = children[--k];
	}
	for (size_t i = 0; g->of_node && i < b->p->nr_nodes; i++)
		g->of_node[i] = placed[g->of_node[i]];
	free(stack);
	free(children);
	free(placed);
	free(details);
}

/* Sums from the leaves to the root: a box's index is larger than its parent's. */
static void sum_up(struct builder *b)
{
	for (size_t i = b->nr; i-- > 0;) {
		struct box *box = &b->boxes[i];

		box->value += box->self;
		box->base_value += box->base_self;
		if (i) {
			b->boxes[box->parent].value += box->value;
			b->boxes[box->parent].base_value += box->base_value;
		}
	}
}

/*
 * A node is alone in its box where no frame on its stack shares its look: then it is not looked for. Those are nearly all.
 */
static void add_forward(struct graph *g, struct builder *b, struct map64 *index,
			const struct graph_options *opts)
{
	const struct profile *p = b->p;
	uint32_t *depth = xcalloc(p->nr_nodes, sizeof(*depth));
	bool *merged = xcalloc(p->nr_nodes, sizeof(*merged)); /* perhaps with others */

	g->of_node = xcalloc(p->nr_nodes, sizeof(*g->of_node));
	for (size_t n = 1; n < p->nr_nodes; n++) {
		uint32_t parent = p->nodes[n].parent, frame = p->nodes[n].frame;

		depth[n] = depth[parent] + 1;
		merged[n] = merged[parent] || b->shared[frame];
		if (opts->max_depth && depth[n] > opts->max_depth)
			g->of_node[n] = g->of_node[parent];
		else if (merged[n])
			g->of_node[n] = child_box(b, index, g->of_node[parent], frame);
		else
			g->of_node[n] = add_box(b, g->of_node[parent], frame);
	}
	free(merged);
	for (size_t r = 0; r < p->nr_rows; r++) {
		struct box *box = &b->boxes[g->of_node[p->rows[r].node]];

		box->self += (double)p->series[opts->series].values[r];
		if (opts->differential)
			box->base_self += (double)p->series[opts->base_series].values[r];
	}
	free(depth);
}

static void add_reversed(struct builder *b, struct map64 *index, const struct graph_options *opts)
{
	const struct profile *p = b->p;

	for (size_t r = 0; r < p->nr_rows; r++) {
		double value = (double)p->series[opts->series].values[r];
		double base = opts->differential ? (double)p->series[opts->base_series].values[r] : 0;
		uint32_t at = 0;
		size_t depth = 0;

		if (value == 0 && base == 0)
			continue;
		for (uint32_t n = p->rows[r].node; n; n = p->nodes[n].parent)
			if (!opts->max_depth || depth++ < opts->max_depth)
				at = child_box(b, index, at, p->nodes[n].frame);
		b->boxes[at].self += value;
		b->boxes[at].base_self += base;
	}
}

void graph_build(struct graph *g, const struct profile *p, const struct graph_options *opts)
{
	struct builder b = {.p = p};
	struct map64 index = MAP64_INIT;

	*g = (struct graph){0};
	b.kinds = kinds_of_frames(p);
	b.shared = shared_looks(p);
	ALLOC_GROW(b.boxes, 1, b.alloc);
	b.boxes[b.nr++] = (struct box){.kind = RENDER_ROOT};
	if (opts->reverse)
		add_reversed(&b, &index, opts);
	else
		add_forward(g, &b, &index, opts);
	sum_up(&b);
	place(g, &b);
	g->nodes[0].name = opts->root_name ? opts->root_name : "all";
	g->render = (struct render_graph){
		.nodes = g->nodes, .nr_nodes = b.nr,
		.unit = profile_str(p, p->series[opts->series].unit),
		.differential = opts->differential,
		.base_total = b.boxes[0].base_value,
	};
	map64_release(&index);
	free(b.boxes);
	free(b.kinds);
	free(b.shared);
}

void graph_release(struct graph *g)
{
	free(g->nodes);
	free(g->of_node);
	arena_release(&g->strings);
	*g = (struct graph){0};
}
