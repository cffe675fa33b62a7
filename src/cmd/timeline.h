/*
 * The samples of a recording as cells of a heat map: counted by slot of time,
 * box, event, thread and goroutine.
 */
#ifndef CMD_TIMELINE_H
#define CMD_TIMELINE_H

#include "base/arena.h"
#include "cmd/input.h"
#include "render.h"

/* More cells than this are made fewer by longer slots: what a browser reads at once, about 4 MB. */
#define TIMELINE_CELLS 400000

struct timeline {
	struct render_time time; /* slots 0: the input has no times */
	struct render_cell *cells;
	size_t nr;
	struct render_dimension dimensions[RENDER_DIMENSIONS];
	size_t nr_dimensions;
	struct arena strings;
};

/*
 * of_node: box of each node of the input's profile. column: per event of the recording, which column its values
 * go to; weighted: per column, whether weights count, or samples. max: so many cells at most (TIMELINE_CELLS),
 * as far as longer slots can do that. The input must have been read with keep_samples.
 */
void timeline_make(struct timeline *t, const struct input *in, const uint32_t *of_node, const uint32_t *column,
		   const bool *weighted, size_t max);
void timeline_release(struct timeline *t);

#endif
