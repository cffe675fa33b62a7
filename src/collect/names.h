/*
 * Names of the merged stacks' locations: looked up by several workers while samples are charged to goroutines,
 * which adds strings to the profile, and locations; or one by one when they are asked for. Private to collect/.
 */
#ifndef COLLECT_NAMES_H
#define COLLECT_NAMES_H

#include <stdatomic.h>

#include "base/sort.h"
#include "collect/worker.h"
#include "process/symbol.h"

/* Inlined calls at one address; more are cut, innermost kept. */
#define NAMES_MAX_INLINE 128

struct names {
	const struct run *run;
	struct stacks_location *locations; /* as they were when looking up began */
	size_t nr_locations;
	struct sort_pair *order; /* neighbours are looked up one after the other: they share most of what is read */
	atomic_size_t next;	 /* in that order: who nobody has taken */
	struct names_of {
		uint32_t part, first, nr;
	} *of; /* per location: symbols of a part, innermost first */
	struct names_part *parts; /* what one worker found, with strings of its own */
	int nr_parts;
};

/* parts: how many workers may look up names. */
void names_init(struct names *n, const struct run *run, int parts);
void names_release(struct names *n);
/* Locations in order of their modules and addresses (value: the location). The caller frees it. */
struct sort_pair *names_order(const struct stacks *all);
/* These locations are to be looked up; more may come, which are not. */
void names_begin(struct names *n, const struct stacks *all);
/* Looks up what no other part has taken, until nothing is left. Each part once, by any thread. */
void names_look_up(struct names *n, int part);
/*
 * The frames of a location of code, innermost first, with strings of `to`: at least 1, at most NAMES_MAX_INLINE.
 * By one thread, after all parts have ended.
 */
size_t names_take(struct names *n, const struct stacks *all, size_t location, struct strtab *to, struct symbol *out);

#endif
