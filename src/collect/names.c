#include "collect/names.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "process/gotab.h"

/* Locations that a worker takes at once. */
#define PIECE 256

struct names_part {
	struct strtab strings;
	struct gotab_walks *walks;
	uint32_t *taken; /* per string: the profile's + 1, 0 not yet */
	struct symbol *symbols;
	size_t nr, alloc;
};

static size_t name_location(const struct run *run, const struct stacks_location *l, struct gotab_walks *walks,
			    struct strtab *strings, struct symbol *out)
{
	struct modules *ms = session_modules(run->session);
	unsigned want = (run->opts->no_inline ? 0 : SYMBOL_INLINES) | (run->opts->lines ? SYMBOL_LINES : 0);

	return symbolise(ms, modules_get(ms, l->module), l->address, want, walks, strings, out, NAMES_MAX_INLINE);
}

void names_init(struct names *n, const struct run *run, int parts)
{
	*n = (struct names){.run = run, .nr_parts = parts};
	n->parts = xcalloc((size_t)parts, sizeof(*n->parts));
	for (int i = 0; i < parts; i++) {
		strtab_init(&n->parts[i].strings);
		n->parts[i].walks = gotab_walks_new();
	}
}

void names_release(struct names *n)
{
	for (int i = 0; i < n->nr_parts; i++) {
		strtab_release(&n->parts[i].strings);
		gotab_walks_free(n->parts[i].walks);
		free(n->parts[i].taken);
		free(n->parts[i].symbols);
	}
	free(n->parts);
	free(n->locations);
	free(n->order);
	free(n->of);
}

struct sort_pair *names_order(const struct stacks *all)
{
	size_t nr = all->nr_locations;
	struct sort_pair *order = xreallocarray(NULL, nr, sizeof(*order)), *room = xreallocarray(NULL, nr, sizeof(*room));

	for (size_t i = 0; i < nr; i++)
		order[i] = (struct sort_pair){all->locations[i].address, (uint32_t)i};
	sort_pairs(order, room, nr);
	for (size_t i = 0; i < nr; i++) {
		const struct stacks_location *l = &all->locations[order[i].value];

		order[i].key = (uint64_t)l->module << 1 | l->kernel;
	}
	sort_pairs(order, room, nr);
	free(room);
	return order;
}

void names_begin(struct names *n, const struct stacks *all)
{
	n->nr_locations = all->nr_locations;
	n->locations = xmemdup(all->locations, all->nr_locations * sizeof(*n->locations));
	n->order = names_order(all);
	n->of = xcalloc(all->nr_locations, sizeof(*n->of));
}

static void look_up(struct names *n, int part, size_t location)
{
	struct names_part *p = &n->parts[part];
	const struct stacks_location *l = &n->locations[location];
	size_t nr;

	if (l->module >= STACKS_FIRST_SPECIAL)
		return;
	ALLOC_GROW(p->symbols, p->nr + NAMES_MAX_INLINE, p->alloc);
	nr = name_location(n->run, l, p->walks, &p->strings, p->symbols + p->nr);
	n->of[location] = (struct names_of){(uint32_t)part, (uint32_t)p->nr, (uint32_t)nr};
	p->nr += nr;
}

void names_look_up(struct names *n, int part)
{
	struct names_part *p = &n->parts[part];
	size_t from;

	while ((from = atomic_fetch_add(&n->next, PIECE)) < n->nr_locations)
		for (size_t i = from; i < n->nr_locations && i < from + PIECE; i++)
			look_up(n, part, n->order[i].value);
	p->taken = xcalloc(p->strings.nr, sizeof(*p->taken));
}

static uint32_t take_string(struct names_part *p, struct strtab *to, uint32_t id)
{
	if (!p->taken[id])
		p->taken[id] = strtab_add_len(to, strtab_get(&p->strings, id), strtab_len(&p->strings, id)) + 1;
	return p->taken[id] - 1;
}

size_t names_take(struct names *n, const struct stacks *all, size_t location, struct strtab *to, struct symbol *out)
{
	struct names_part *p;
	struct names_of of;

	if (location >= n->nr_locations)
		return name_location(n->run, &all->locations[location], NULL, to, out);
	of = n->of[location];
	p = &n->parts[of.part];
	for (uint32_t i = 0; i < of.nr; i++) {
		out[i] = p->symbols[of.first + i];
		out[i].linkage = take_string(p, to, out[i].linkage);
		out[i].name = take_string(p, to, out[i].name);
		out[i].file = take_string(p, to, out[i].file);
	}
	return of.nr;
}
