/*
 * A profile as the tree of boxes that render/ draws: frames of one name under
 * one caller are one box, siblings in order of name.
 */
#ifndef CMD_GRAPH_H
#define CMD_GRAPH_H

#include "profile/profile.h"
#include "render.h"

struct graph_options {
	size_t series;
	bool differential;  /* base is a second series of the same profile */
	size_t base_series;
	bool reverse;	    /* leaf becomes root (flamegraph.pl --reverse) */
	const char *root_name; /* NULL: "all" */
	size_t max_depth;   /* frames nearest the root, 0: all */
};

struct graph {
	struct render_graph render;
	struct render_node *nodes;
	uint32_t *of_node; /* profile node → box (not with reverse) */
	struct arena strings;
};

void graph_build(struct graph *g, const struct profile *p, const struct graph_options *opts);
void graph_release(struct graph *g);

/* "file.go:12", or the binary, or NULL; made in g->strings. */
const char *graph_detail(struct graph *g, const struct profile *p, const struct profile_frame *f);


#endif
