#include "goroutine/g_places.h"

#include <stdlib.h>

#include "base/alloc.h"

static uint64_t place_key(uint32_t space, uint64_t address)
{
	return hash_u64(address) + (uint64_t)space * UINT64_C(0x9e3779b97f4a7c15);
}

void places_release(struct places *p)
{
	map64_release(&p->index);
	free(p->list);
	*p = (struct places){0};
}

struct place *places_find(const struct places *p, uint32_t space, uint64_t address)
{
	uint32_t i = map64_get(&p->index, place_key(space, address));

	return i == MAP64_NONE ? NULL : &p->list[i];
}

struct place *places_make(struct places *p, uint32_t space, uint64_t address)
{
	struct place *found = places_find(p, space, address);

	if (found)
		return found;
	ALLOC_GROW(p->list, p->nr + 1, p->alloc);
	p->list[p->nr] = (struct place){.address = address, .lowest = address, .space = space};
	map64_put(&p->index, place_key(space, address), (uint32_t)p->nr);
	return &p->list[p->nr++];
}

static void append(struct tenures *t, struct place *p, const struct tenure *new)
{
	ALLOC_GROW(t->list, t->nr + 1, t->alloc);
	t->list[t->nr] = *new;
	t->list[t->nr++].next = 0;
	if (p->tail)
		t->list[p->tail - 1].next = (uint32_t)t->nr;
	else
		p->head = (uint32_t)t->nr;
	p->tail = (uint32_t)t->nr;
}

void tenures_stay(struct tenures *t, struct place *p, uint32_t id, uint64_t time)
{
	struct tenure *last = p->tail ? &t->list[p->tail - 1] : NULL;

	/* a sample that comes too late */
	if (last && time < last->last)
		time = last->last;
	if (last && last->id == id)
		last->last = time;
	else
		append(t, p, &(struct tenure){.first = time, .last = time, .id = id});
}

const struct tenure *tenures_last(const struct tenures *t, const struct place *p)
{
	return p->tail ? &t->list[p->tail - 1] : NULL;
}

const struct tenure *tenures_at(const struct tenures *t, struct place *p, uint64_t time)
{
	const struct tenure *at;

	if (!p->cursor || t->list[p->cursor - 1].first > time)
		p->cursor = p->head;
	while ((at = &t->list[p->cursor - 1])->next && t->list[at->next - 1].first <= time)
		p->cursor = at->next;
	return at;
}

void tenures_keep(const struct tenures *t, struct places *places, uint64_t time, struct tenures *kept)
{
	for (size_t i = 0; i < places->nr; i++) {
		struct place *p = &places->list[i];
		uint32_t at;

		if (!p->head)
			continue;
		tenures_at(t, p, time);
		at = p->cursor;
		p->head = p->tail = p->cursor = 0;
		for (; at; at = t->list[at - 1].next)
			append(kept, p, &t->list[at - 1]);
	}
}
