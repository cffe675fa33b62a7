/*
 * A flame chart: samples side by side in their order, those of one stack merged
 * only where nothing came between (flamegraph.pl --flamechart).
 */
#ifndef CMD_CHART_H
#define CMD_CHART_H

#include "cmd/graph.h"
#include "cmd/input.h"

/* Boxes that a chart may have: beyond it, no picture or browser helps. */
#define CHART_BOXES 10000000

/*
 * Like graph_build, of an input that was read with keep_samples: recordings in order of time, folded text in that
 * of its lines; a pprof profile has neither, which a note says. grouped: the first frame (--by) has all its samples
 * together. 0, or -1 with *e (exit 6) over CHART_BOXES.
 */
int chart_build(struct graph *g, const struct input *in, const struct graph_options *opts, bool grouped,
		const struct common_options *o, struct error *e);

#endif
