/*
 * The end of a run: workers' tries to one profile, every location symbolised
 * once. Private to collect/.
 */
#ifndef COLLECT_FINISH_H
#define COLLECT_FINISH_H

#include "base/pool.h"
#include "collect/worker.h"

/* Fills *c from the workers (whose tries it takes apart). 0, or -1 with *e. */
int finish(struct collect *c, const struct run *run, struct pool *pool, struct worker *workers, int nr,
	   struct error *e);

/* Looks how much anonymous memory there is now, for the report of cost. */
void cost_memory(struct collect *c);

#endif
