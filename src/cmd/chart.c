#include "cmd/chart.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "cmd/kinds.h"
#include "cmd/message.h"
#include "cmd/threads.h"

struct entry {
	uint32_t node;
	uint32_t group; /* the node below the root that it is under */
	size_t place;	/* among all */
	double value;
};

struct chart {
	const struct profile *p;
	struct graph *g;
	const struct graph_options *opts;
	uint8_t *kinds; /* per frame */
	size_t nr, alloc; /* of g->nodes: new ones come in preorder by themselves */
	uint32_t *open, *frames; /* the last stack's boxes and frames, root first */
	double *since;		 /* per depth, 0 the root: what its box had of its own since its last child */
	size_t depth, alloc_open, alloc_frames, alloc_since;
	uint32_t *path;
	size_t alloc_path;
};

static uint32_t group_of(const struct profile *p, uint32_t node)
{
	while (node && p->nodes[node].parent)
		node = p->nodes[node].parent;
	return node;
}

static const struct profile *sort_profile; /* qsort has no context */

static int by_group(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int c = x->group == y->group ? 0
				     : strcmp(profile_str(sort_profile, sort_profile->frames[sort_profile->nodes[x->group].frame].name),
					      profile_str(sort_profile, sort_profile->frames[sort_profile->nodes[y->group].frame].name));

	if (c)
		return c;
	return x->place < y->place ? -1 : x->place > y->place;
}

/* What is to be drawn, in its order. */
static struct entry *entries(const struct input *in, const struct graph_options *opts, bool grouped, size_t *nr)
{
	const struct profile *p = &in->profile;
	const struct collect *c = &in->collect;
	struct entry *list = xreallocarray(NULL, c->nr_samples + p->nr_rows + 1, sizeof(*list));

	*nr = 0;
	for (size_t i = 0; i < c->nr_samples; i++) {
		const struct collect_sample *s = &c->samples[i];
		bool weighted = in->kind == INPUT_FOLDED || opts->series & 1;

		if (in->kind == INPUT_FOLDED || threads_sample_counts(in, s, opts->series))
			list[(*nr)++] = (struct entry){s->node, group_of(p, s->node), i, weighted ? (double)s->weight : 1};
	}
	for (size_t r = 0; !c->nr_samples && r < p->nr_rows; r++)
		if (p->series[opts->series].values[r] > 0)
			list[(*nr)++] = (struct entry){p->rows[r].node, group_of(p, p->rows[r].node), r,
						       (double)p->series[opts->series].values[r]};
	sort_profile = p;
	if (grouped && *nr)
		qsort(list, *nr, sizeof(*list), by_group);
	return list;
}

static bool same_box(const struct profile *p, uint32_t a, uint32_t b)
{
	const struct profile_frame *x = &p->frames[a], *y = &p->frames[b];

	return a == b || (x->name == y->name && x->inlined == y->inlined &&
			  (x->kind == FRAME_KERNEL) == (y->kind == FRAME_KERNEL));
}

static uint32_t add_box(struct chart *c, uint32_t parent, uint32_t frame, double gap)
{
	const struct profile_frame *f = &c->p->frames[frame];

	ALLOC_GROW(c->g->nodes, c->nr + 1, c->alloc);
	c->g->nodes[c->nr] = (struct render_node){
		.name = profile_str(c->p, f->name), .detail = graph_detail(c->g, c->p, f), .parent = parent, .gap = gap,
		.kind = c->kinds[frame], .inlined = f->inlined,
	};
	return (uint32_t)c->nr++;
}

static void add_entry(struct chart *c, const struct entry *en)
{
	size_t depth = profile_path(c->p, en->node, NULL, 0), common = 0;
	uint32_t at;

	ALLOC_GROW(c->path, depth, c->alloc_path);
	profile_path(c->p, en->node, c->path, depth);
	for (size_t i = 0; c->opts->reverse && i < depth / 2; i++) {
		uint32_t t = c->path[i];

		c->path[i] = c->path[depth - 1 - i];
		c->path[depth - 1 - i] = t;
	}
	while (common < depth && common < c->depth && same_box(c->p, c->path[common], c->frames[common]))
		common++;
	ALLOC_GROW(c->open, depth, c->alloc_open);
	ALLOC_GROW(c->frames, depth, c->alloc_frames);
	ALLOC_GROW(c->since, depth + 1, c->alloc_since);
	for (at = common ? c->open[common - 1] : 0; common < depth; common++) {
		at = add_box(c, at, c->path[common], c->since[common]);
		c->since[common] = 0;
		c->since[common + 1] = 0;
		c->open[common] = at;
		c->frames[common] = c->path[common];
	}
	c->depth = depth;
	c->since[depth] += en->value;
	c->g->nodes[at].self += en->value;
}

int chart_build(struct graph *g, const struct input *in, const struct graph_options *opts, bool grouped,
		const struct common_options *o, struct error *e)
{
	const struct profile *p = &in->profile;
	struct chart c = {.p = p, .g = g, .opts = opts, .kinds = kinds_of_frames(p)};
	size_t nr;
	struct entry *list = entries(in, opts, grouped, &nr);
	int result = 0;

	*g = (struct graph){0};
	if (in->kind == INPUT_PPROF)
		note(o, "%s: a pprof profile has no times: stacks are drawn in the order it has them", in->path);
	ALLOC_GROW(g->nodes, 1, c.alloc);
	ALLOC_GROW(c.since, 1, c.alloc_since);
	c.since[0] = 0;
	g->nodes[c.nr++] = (struct render_node){.name = opts->root_name ? opts->root_name : "all", .kind = RENDER_ROOT};
	for (size_t i = 0; i < nr && c.nr <= CHART_BOXES; i++)
		add_entry(&c, &list[i]);
	if (c.nr > CHART_BOXES)
		result = error_set(e, EXIT_CODE_LIMIT, "%s: a flame chart of more than %d boxes: choose a part by --time or --tid",
				   in->path, CHART_BOXES);
	for (size_t i = c.nr; i-- > 0;) {
		g->nodes[i].value += g->nodes[i].self;
		if (i)
			g->nodes[g->nodes[i].parent].value += g->nodes[i].value;
	}
	g->render = (struct render_graph){.nodes = g->nodes, .nr_nodes = c.nr, .unit = profile_str(p, p->series[opts->series].unit)};
	if (result < 0)
		graph_release(g);
	free(list);
	free(c.kinds);
	free(c.open);
	free(c.frames);
	free(c.since);
	free(c.path);
	return result;
}
