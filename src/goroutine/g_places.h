/*
 * Who had which g and which stack from when to when. Private to goroutine/.
 */
#ifndef GOROUTINE_G_PLACES_H
#define GOROUTINE_G_PLACES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"

/*
 * A goroutine's time with a g, or on a stack: [first, last] of the samples that
 * show it. Those of one g or stack are a list in order of time.
 */
struct tenure {
	uint64_t first, last; /* ns */
	uint32_t id;	      /* in goroutines.list */
	uint32_t next;	      /* index + 1, 0: none */
};

/* A g or a stack, known by its address and space. */
struct place {
	uint64_t address; /* stacks: the upper end */
	uint64_t lowest;  /* stacks: lowest address seen in use */
	uint32_t space;
	uint32_t head, tail; /* tenures, index + 1, 0: none */
	uint32_t cursor;     /* the last tenure that began before the time looked for */
	uint32_t unnamed;    /* stacks: goroutine of which only the stack is known, index + 1 */
	bool exited;	     /* g: the goroutine of the last tenure has ended */
};

struct places {
	struct map64 index;
	struct place *list;
	size_t nr, alloc;
};

struct tenures {
	struct tenure *list;
	size_t nr, alloc;
};

void places_release(struct places *p);
/* NULL where nothing is known of it; borrowed until the next place is made. */
struct place *places_find(const struct places *p, uint32_t space, uint64_t address);
struct place *places_make(struct places *p, uint32_t space, uint64_t address);

/* The goroutine is seen to have the place. Times come in order, nearly. */
void tenures_stay(struct tenures *t, struct place *p, uint32_t id, uint64_t time);
/* The last one of a place, or NULL. */
const struct tenure *tenures_last(const struct tenures *t, const struct place *p);
/* The last one that began at or before the time, else the first; the place has one. Moves its cursor. */
const struct tenure *tenures_at(const struct tenures *t, struct place *p, uint64_t time);
/* Forgets what no look-up for that time or later can find: `kept` gets what is left. */
void tenures_keep(const struct tenures *t, struct places *p, uint64_t time, struct tenures *kept);

#endif
