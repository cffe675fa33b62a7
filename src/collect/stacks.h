/*
 * Stacks of raw locations, interned: a location is (module, address), a node is
 * (caller's node, location). Each worker has its own; they are merged at the end.
 */
#ifndef COLLECT_STACKS_H
#define COLLECT_STACKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * module is a module id or one of these; address then means what is said.
 */
enum stacks_special {
	STACKS_UNMAPPED = UINT32_MAX,	      /* a pc that no mapping covers */
	STACKS_COMM = UINT32_MAX - 1,	      /* see session_comm_text() */
	STACKS_TRUNCATED = UINT32_MAX - 2,    /* 0 */
	STACKS_THREAD = UINT32_MAX - 3,	      /* tid */
	STACKS_PROCESS = UINT32_MAX - 4,      /* pid */
	STACKS_CPU = UINT32_MAX - 5,	      /* cpu */
	STACKS_EVENT = UINT32_MAX - 6,	      /* attribute index */
	STACKS_LABEL = UINT32_MAX - 7,	      /* string id of the profile */
	STACKS_SWITCHED = UINT32_MAX - 8,     /* 0: below it on the system stack */
	STACKS_WAIT = UINT32_MAX - 9,	      /* enum wait_state: below it the thread was off its CPU */
	STACKS_FIRST_SPECIAL = UINT32_MAX - 15,
};

struct stacks_location {
	uint64_t address;
	uint32_t module;
	uint32_t kernel; /* 1: kernel frame */
};

struct stacks_node {
	uint32_t parent; /* smaller than its own index; 0 is the root */
	uint32_t location;
	uint32_t row; /* of values, from 1; 0: no sample ends here, as with most nodes */
	uint32_t hash; /* of all locations from the root to here */
};

struct stacks_value {
	uint64_t samples, weight;
};

struct stacks {
	struct stacks_location *locations;
	size_t nr_locations, alloc_locations;
	uint32_t *location_slots;
	size_t location_mask;

	struct stacks_node *nodes;
	size_t nr_nodes, alloc_nodes;
	uint32_t *node_slots; /* indexes, 0 free: the root is found without */
	size_t node_mask;

	size_t columns;
	struct stacks_value *values; /* columns a row */
	size_t nr_rows, alloc_rows;
};

/* columns: values per node (events). */
void stacks_init(struct stacks *s, size_t columns);
void stacks_release(struct stacks *s);
/* Makes room for more columns (an event that comes late in pipe form); never fewer. */
void stacks_columns(struct stacks *s, size_t columns);

uint32_t stacks_location(struct stacks *s, uint32_t module, uint64_t address, bool kernel);
uint32_t stacks_node(struct stacks *s, uint32_t parent, uint32_t location);
/* The node of nr locations below `node`, caller first: as stacks_node of each in turn, only faster. */
uint32_t stacks_path(struct stacks *s, uint32_t node, const uint32_t *locations, size_t nr);
void stacks_add(struct stacks *s, uint32_t node, size_t column, uint64_t samples, uint64_t weight);

/* The columns of a node, or NULL. */
static inline const struct stacks_value *stacks_values(const struct stacks *s, uint32_t node)
{
	uint32_t row = s->nodes[node].row;

	return row ? s->values + (row - 1) * s->columns : NULL;
}

/*
 * Adds all of `from` (which may have fewer columns) to `into`; node_map, if not
 * NULL, receives for each node of `from` its node in `into` (from->nr_nodes of them).
 */
void stacks_merge(struct stacks *into, const struct stacks *from, uint32_t *node_map);

#endif
