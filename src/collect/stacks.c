#include "collect/stacks.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"

static uint64_t location_hash(uint32_t module, uint64_t address, uint32_t kernel)
{
	return hash_u64(address ^ ((uint64_t)module << 40) ^ kernel);
}

/*
 * Of a whole path from the root: known for a whole stack before its nodes are, so that the memory of all of them can be
 * asked for at once. Multiplicative (Knuth 1973, 6.4).
 */
static uint32_t path_hash(uint32_t caller, uint32_t location)
{
	return (uint32_t)((uint64_t)(caller ^ location) * UINT64_C(0x9e3779b97f4a7c15) >> 32);
}

void stacks_init(struct stacks *s, size_t columns)
{
	*s = (struct stacks){.columns = columns, .location_mask = 1023, .node_mask = 4095};
	s->location_slots = xtable(s->location_mask + 1, sizeof(*s->location_slots));
	s->node_slots = xtable(s->node_mask + 1, sizeof(*s->node_slots));
	ALLOC_GROW(s->nodes, 1, s->alloc_nodes);
	s->nodes[s->nr_nodes++] = (struct stacks_node){0};
}

void stacks_release(struct stacks *s)
{
	free(s->locations);
	free(s->location_slots);
	free(s->nodes);
	free(s->node_slots);
	free(s->values);
	*s = (struct stacks){0};
}

static void grow_locations(struct stacks *s)
{
	free(s->location_slots);
	s->location_mask = s->location_mask * 2 + 1;
	s->location_slots = xtable(s->location_mask + 1, sizeof(*s->location_slots));
	for (size_t n = 0; n < s->nr_locations; n++) {
		const struct stacks_location *l = &s->locations[n];
		size_t i = location_hash(l->module, l->address, l->kernel) & s->location_mask;

		while (s->location_slots[i])
			i = (i + 1) & s->location_mask;
		s->location_slots[i] = (uint32_t)n + 1;
	}
}

uint32_t stacks_location(struct stacks *s, uint32_t module, uint64_t address, bool kernel)
{
	size_t i = location_hash(module, address, kernel) & s->location_mask;

	for (; s->location_slots[i]; i = (i + 1) & s->location_mask) {
		const struct stacks_location *l = &s->locations[s->location_slots[i] - 1];

		if (l->address == address && l->module == module && l->kernel == kernel)
			return s->location_slots[i] - 1;
	}
	ALLOC_GROW(s->locations, s->nr_locations + 1, s->alloc_locations);
	s->locations[s->nr_locations] = (struct stacks_location){address, module, kernel};
	s->location_slots[i] = (uint32_t)++s->nr_locations;
	if (s->nr_locations > s->location_mask / 2)
		grow_locations(s);
	return (uint32_t)s->nr_locations - 1;
}

/* The slot of a node, free where there is none. */
static uint32_t *find_node(const struct stacks *s, uint32_t parent, uint32_t location, uint32_t hash)
{
	size_t i = hash & s->node_mask;

	for (; s->node_slots[i]; i = (i + 1) & s->node_mask) {
		const struct stacks_node *n = &s->nodes[s->node_slots[i]];

		if (n->parent == parent && n->location == location)
			break;
	}
	return &s->node_slots[i];
}

static void grow_nodes(struct stacks *s)
{
	free(s->node_slots);
	s->node_mask = s->node_mask * 2 + 1;
	s->node_slots = xtable(s->node_mask + 1, sizeof(*s->node_slots));
	for (size_t n = 1; n < s->nr_nodes; n++)
		*find_node(s, s->nodes[n].parent, s->nodes[n].location, s->nodes[n].hash) = (uint32_t)n;
}

static uint32_t node_of(struct stacks *s, uint32_t parent, uint32_t location, uint32_t hash)
{
	uint32_t *slot = find_node(s, parent, location, hash);

	if (*slot != 0)
		return *slot;
	ALLOC_GROW(s->nodes, s->nr_nodes + 1, s->alloc_nodes);
	s->nodes[s->nr_nodes] = (struct stacks_node){.parent = parent, .location = location, .hash = hash};
	*slot = (uint32_t)s->nr_nodes++;
	if (s->nr_nodes > s->node_mask / 2)
		grow_nodes(s);
	return (uint32_t)s->nr_nodes - 1;
}

uint32_t stacks_node(struct stacks *s, uint32_t parent, uint32_t location)
{
	return node_of(s, parent, location, path_hash(s->nodes[parent].hash, location));
}

uint32_t stacks_path(struct stacks *s, uint32_t node, const uint32_t *locations, size_t nr)
{
	enum { AT_ONCE = 32 };
	uint32_t hashes[AT_ONCE];

	for (; nr; nr -= nr < AT_ONCE ? nr : AT_ONCE, locations += AT_ONCE) {
		size_t n = nr < AT_ONCE ? nr : AT_ONCE;
		uint32_t hash = s->nodes[node].hash;

		for (size_t i = 0; i < n; i++) {
			hashes[i] = hash = path_hash(hash, locations[i]);
			__builtin_prefetch(&s->node_slots[hash & s->node_mask]);
		}
		for (size_t i = 0; i < n; i++)
			__builtin_prefetch(&s->nodes[s->node_slots[hashes[i] & s->node_mask]]);
		for (size_t i = 0; i < n; i++)
			node = node_of(s, node, locations[i], hashes[i]);
	}
	return node;
}

void stacks_columns(struct stacks *s, size_t columns)
{
	struct stacks_value *wider;

	if (columns <= s->columns)
		return;
	wider = xcalloc(s->nr_rows * columns, sizeof(*wider));
	for (size_t n = 0; n < s->nr_rows; n++)
		memcpy(wider + n * columns, s->values + n * s->columns, s->columns * sizeof(*wider));
	free(s->values);
	s->values = wider;
	s->alloc_rows = s->nr_rows;
	s->columns = columns;
}

void stacks_add(struct stacks *s, uint32_t node, size_t column, uint64_t samples, uint64_t weight)
{
	struct stacks_value *v;

	if (!s->nodes[node].row) {
		if (s->nr_rows == s->alloc_rows) {
			s->alloc_rows = (s->alloc_rows + 16) * 3 / 2;
			s->values = xreallocarray(s->values, s->alloc_rows, s->columns * sizeof(*s->values));
		}
		memset(s->values + s->nr_rows * s->columns, 0, s->columns * sizeof(*s->values));
		s->nodes[node].row = (uint32_t)++s->nr_rows;
	}
	v = &s->values[(s->nodes[node].row - 1) * s->columns + column];
	v->samples += samples;
	v->weight += weight;
}

void stacks_merge(struct stacks *into, const struct stacks *from, uint32_t *node_map)
{
	uint32_t *map = node_map ? node_map : xreallocarray(NULL, from->nr_nodes, sizeof(*map));
	uint32_t *locations = xreallocarray(NULL, from->nr_locations, sizeof(*locations));

	for (size_t i = 0; i < from->nr_locations; i++) {
		const struct stacks_location *l = &from->locations[i];

		locations[i] = stacks_location(into, l->module, l->address, l->kernel);
	}
	map[0] = 0;
	for (size_t n = 1; n < from->nr_nodes; n++) {
		const struct stacks_node *node = &from->nodes[n];

		map[n] = stacks_node(into, map[node->parent], locations[node->location]);
	}
	for (uint32_t n = 0; n < from->nr_nodes; n++) {
		const struct stacks_value *v = stacks_values(from, n);

		for (size_t c = 0; v && c < from->columns; c++)
			if (v[c].samples)
				stacks_add(into, map[n], c, v[c].samples, v[c].weight);
	}
	free(locations);
	if (!node_map)
		free(map);
}
