/*
 * Samples charged to goroutines, at the end of a run: --by goroutine,
 * --goroutine, and system stacks put under the goroutine they work for.
 * Private to collect/.
 */
#ifndef COLLECT_CHARGE_H
#define COLLECT_CHARGE_H

#include "collect/worker.h"

struct charge {
	struct collect *c;
	const struct run *run;
	struct evidence *ev; /* NULL: nobody asks for goroutines */
	struct goroutine_entry *entries; /* the evidence's, with what others of the same function tell */
	uint32_t *entry_names; /* strings of the profile */
	struct switches switches; /* of all workers */
	size_t nr_entries;     /* the evidence's, and those that only a trace names */

	struct map64 name_index;  /* of c->sample_goroutines */
	struct map64 group_index; /* rows of c->goroutines */
	size_t alloc_groups;
};

void charge_init(struct charge *ch, struct collect *c, const struct run *run);
void charge_release(struct charge *ch);
/* Once all evidence was given: who is who, and which samples --goroutine leaves. */
void charge_resolve(struct charge *ch);
/* Workers' nodes become those of the merged stacks; per worker, NULL: the same. */
void charge_place(struct charge *ch, uint32_t *const *nodes);
/* Whose sight i is: the index of its name in c->sample_goroutines. */
uint32_t charge_name(struct charge *ch, size_t i);
/* Adds what workers deferred to the values of the merged stacks; c->main_event is known. */
void charge_count(struct charge *ch, struct stacks *all);

#endif
