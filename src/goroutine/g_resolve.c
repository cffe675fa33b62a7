/*
 * Evidence to goroutines, in order of time, a window at a time. First what names its g beyond doubt:
 * it tells which goroutine had which g and which stack from when to when. Then
 * the rest, by g where stacks agree, by stack where they do not or nothing else
 * is known.
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "goroutine/g_order.h"
#include "goroutine/g_places.h"
#include "goroutine/goroutine.h"

/* internal/abi, StackMin: stack.go allocates it times powers of two. */
#define STACK_MIN 2048

struct goroutine_resolver {
	goroutine_sink *sink;
	void *ctx;
	bool keep_ids;
	struct goroutines out;

	struct goroutine_entry *entries;
	uint32_t *same; /* per entry: the first one of its name */
	bool *ends; /* per entry, of its name's first: its goroutines have been seen to end */
	size_t nr_entries, alloc_entries, alloc_same, alloc_ends;
	struct map64 names; /* hash of name → entry */

	/* sights that wait, by slot, and the slots in use and free */
	struct goroutine_sight *sights;
	uint32_t *free;
	size_t nr_slots, alloc_sights, nr_free, alloc_free;
	struct list {
		uint32_t *slots;
		size_t nr, alloc;
	} fresh, /* as they came, fewer than a window */
		held, /* by time: none or a window, which fresh ones may still go between */
		ready, /* by time, those that name their g have been taken; none or a window */
		other; /* room */

	struct places gs, stacks, blocks; /* blocks: of stacks whose ends are not known */
	struct tenures tenures;
	size_t kept;	      /* of tenures and goroutines, when last some were forgotten */
	uint32_t *by_address; /* stacks sorted by (space, address) */
	size_t nr_by_address, alloc_by_address;
};

static uint32_t new_goroutine(struct goroutine_resolver *r, const struct goroutine_sight *s, uint64_t g,
			      uint32_t generation)
{
	struct goroutines *out = &r->out;

	ALLOC_GROW(out->list, out->nr + 1, out->alloc);
	out->list[out->nr] = (struct goroutine){
		.g = g, .stack_hi = s->stack_hi, .space = s->space, .entry = s->entry,
		.generation = generation, .first = s->time, .last = s->time,
	};
	out->distinct++;
	return (uint32_t)out->nr++;
}

/* --- entries ------------------------------------------------------------------------------------ */

void goroutine_resolver_entries(struct goroutine_resolver *r, const struct goroutine_entry *entries, size_t nr)
{
	if (nr <= r->nr_entries)
		return;
	ALLOC_GROW(r->entries, nr, r->alloc_entries);
	ALLOC_GROW(r->same, nr, r->alloc_same);
	ALLOC_GROW(r->ends, nr, r->alloc_ends);
	for (size_t i = r->nr_entries; i < nr; i++) {
		uint64_t key = hash_bytes(entries[i].name, strlen(entries[i].name));

		r->entries[i] = entries[i];
		r->ends[i] = false;
		r->same[i] = map64_get(&r->names, key);
		if (r->same[i] == MAP64_NONE)
			map64_put(&r->names, key, r->same[i] = (uint32_t)i);
	}
	r->nr_entries = nr;
}

/* Two functions for certain: a wrapper's name, or another Go function called from C, is of the same one. */
static bool differ(const struct goroutine_resolver *r, uint32_t entry, uint32_t other)
{
	const struct goroutine_entry *a, *b;

	if (entry == other || entry == GOROUTINE_NO_ENTRY || other == GOROUTINE_NO_ENTRY ||
	    r->same[entry] == r->same[other])
		return false;
	a = &r->entries[entry];
	b = &r->entries[other];
	return a->vaddr != b->vaddr || a->module != b->module;
}

/* Counts a sight to its goroutine, each of which may tell the other its entry. */
static void charge(struct goroutine_resolver *r, struct goroutine_sight *s, uint32_t id, enum goroutine_source source)
{
	struct goroutine *g = &r->out.list[id];

	s->id = id;
	s->source = (uint8_t)source;
	if (g->entry == GOROUTINE_NO_ENTRY ||
	    (s->entry != GOROUTINE_NO_ENTRY && r->entries[s->entry].named && !r->entries[g->entry].named))
		g->entry = s->entry;
	if (s->stack_hi)
		g->stack_hi = s->stack_hi;
	if (s->time < g->first)
		g->first = s->time;
	if (s->time > g->last)
		g->last = s->time;
}

/* --- what names its g ----------------------------------------------------------------------- */

static bool wants_goroutine(const struct goroutine_sight *s)
{
	return s->kind == GOROUTINE_USER || s->kind == GOROUTINE_SYSTEM || s->kind == GOROUTINE_SIGNAL ||
	       (s->kind == GOROUTINE_SCHEDULER && s->source == GOROUTINE_BY_ARGUMENT);
}

static bool ends_another(const struct goroutine_sight *s)
{
	return s->ended && s->ended != s->g;
}

bool goroutine_sight_matters(const struct goroutine_sight *s)
{
	return wants_goroutine(s) || ends_another(s);
}

static bool names_g(const struct goroutine_sight *s)
{
	return s->g && !(s->flags & GOROUTINE_DOUBTFUL) && s->source != GOROUTINE_UNKNOWN;
}

/*
 * Another goroutine than the one this g was: it has ended since, or enters
 * elsewhere, or is back on a stack that was another's meanwhile.
 */
static bool is_another(const struct goroutine_resolver *r, const struct place *g, const struct goroutine_sight *s)
{
	const struct tenure *last = tenures_last(&r->tenures, g), *there;
	const struct goroutine *was = &r->out.list[last->id];
	const struct place *stack;

	if (g->exited || differ(r, was->entry, s->entry))
		return true;
	if (!s->stack_hi || s->stack_hi != was->stack_hi)
		return false;
	stack = places_find(&r->stacks, s->space, s->stack_hi);
	there = stack ? tenures_last(&r->tenures, stack) : NULL;
	return there && there->id != last->id;
}

static void take_named(struct goroutine_resolver *r, struct goroutine_sight *s)
{
	struct place *g = places_make(&r->gs, s->space, s->g);
	const struct tenure *last = tenures_last(&r->tenures, g);
	uint8_t source = s->source;
	uint32_t id;

	if (!last) {
		id = new_goroutine(r, s, s->g, 0);
	} else {
		uint32_t entry;

		id = last->id;
		entry = r->out.list[id].entry;
		if (is_another(r, g, s)) {
			if (entry != GOROUTINE_NO_ENTRY)
				r->ends[r->same[entry]] = true;
			id = new_goroutine(r, s, s->g, r->out.list[id].generation + 1);
		} else if (entry != GOROUTINE_NO_ENTRY && r->ends[r->same[entry]]) {
			source = GOROUTINE_BY_REUSED; /* one more of that function may have come in between */
		}
	}
	g->exited = s->ended == s->g;
	tenures_stay(&r->tenures, g, id, s->time);
	charge(r, s, id, (enum goroutine_source)source);
	if (s->stack_hi) {
		struct place *stack = places_make(&r->stacks, s->space, s->stack_hi);

		tenures_stay(&r->tenures, stack, id, s->time);
		if (s->stack && s->stack < stack->lowest)
			stack->lowest = s->stack;
	}
}

/* The end of a goroutine seen from the scheduler that goes on after it. */
static void take_exit(struct goroutine_resolver *r, const struct goroutine_sight *s)
{
	struct place *g = places_find(&r->gs, s->space, s->ended);

	if (g)
		g->exited = true;
}

static void take_all_named(struct goroutine_resolver *r, const struct list *l)
{
	for (size_t i = 0; i < l->nr; i++) {
		struct goroutine_sight *s = &r->sights[l->slots[i]];

		if (ends_another(s))
			take_exit(r, s);
		if (wants_goroutine(s) && names_g(s))
			take_named(r, s);
	}
}

/* --- the rest ---------------------------------------------------------------------------------- */

/*
 * The goroutine that had the place at a time, of a given entry where that is
 * known: the one whose tenure covers it, else the nearer one of before and after.
 */
static uint32_t tenant(const struct goroutine_resolver *r, struct place *p, uint64_t time, uint32_t entry)
{
	const struct tenure *t, *next;
	bool fits, next_fits;

	if (!p->head)
		return GOROUTINE_NO_ID;
	t = tenures_at(&r->tenures, p, time);
	next = t->next ? &r->tenures.list[t->next - 1] : NULL;
	fits = !differ(r, r->out.list[t->id].entry, entry);
	next_fits = next && !differ(r, r->out.list[next->id].entry, entry);
	if (fits && (time <= t->last || !next_fits || time - t->last <= next->first - time))
		return t->id;
	return next_fits ? next->id : GOROUTINE_NO_ID;
}

/* A power of two that the stack is at least long. */
static uint64_t size_of(const struct place *stack)
{
	uint64_t size = STACK_MIN;

	while (size < stack->address - stack->lowest)
		size *= 2;
	return size;
}

/* The known stack an address lies in, as far as use of it shows. */
static struct place *stack_around(const struct goroutine_resolver *r, uint32_t space, uint64_t address)
{
	size_t low = 0, high = r->nr_by_address;
	struct place *p;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		p = &r->stacks.list[r->by_address[mid]];
		if (p->space < space || (p->space == space && p->address <= address))
			low = mid + 1;
		else
			high = mid;
	}
	if (low == r->nr_by_address)
		return NULL;
	p = &r->stacks.list[r->by_address[low]];
	return p->space == space && p->address - address <= size_of(p) ? p : NULL;
}

/* A goroutine of which only the stack was ever seen. */
static uint32_t unnamed(struct goroutine_resolver *r, struct place *stack, const struct goroutine_sight *s)
{
	if (!stack->unnamed || differ(r, r->out.list[stack->unnamed - 1].entry, s->entry))
		stack->unnamed = new_goroutine(r, s, 0, 0) + 1;
	return stack->unnamed - 1;
}

/*
 * The goroutine of a g that assembly or C code had in its register: garbage is not the address of a g that
 * other samples know, of a goroutine that enters where this one does. Stacks say less: they are moved and used again
 * between two samples.
 */
static uint32_t doubtful(const struct goroutine_resolver *r, const struct goroutine_sight *s)
{
	struct place *g = s->g && s->source != GOROUTINE_UNKNOWN ? places_find(&r->gs, s->space, s->g) : NULL;

	return g ? tenant(r, g, s->time, s->entry) : GOROUTINE_NO_ID;
}

/*
 * Whose a stack is that a frame pointer leads to: not between two owners, or before the first or after the
 * last of several, where it may be anyone's.
 */
static uint32_t owner(const struct goroutine_resolver *r, struct place *stack, const struct goroutine_sight *s)
{
	const struct tenure *t = stack->head ? tenures_at(&r->tenures, stack, s->time) : NULL;

	if (!t || (stack->head != stack->tail && (s->time < t->first || s->time > t->last)))
		return GOROUTINE_NO_ID;
	return differ(r, r->out.list[t->id].entry, s->entry) ? GOROUTINE_NO_ID : t->id;
}

static void take_by_stack(struct goroutine_resolver *r, struct goroutine_sight *s)
{
	struct place *stack = places_make(&r->stacks, s->space, s->stack_hi);
	uint32_t of_stack = tenant(r, stack, s->time, s->entry), id = doubtful(r, s);

	if (id != GOROUTINE_NO_ID)
		charge(r, s, id, (enum goroutine_source)s->source);
	else
		charge(r, s, of_stack != GOROUTINE_NO_ID ? of_stack : unnamed(r, stack, s), GOROUTINE_BY_STACK);
}

/* No stack is smaller than 2 KB, and each begins at a multiple of it: two addresses in the same ones are one stack's. */
static void take_by_part(struct goroutine_resolver *r, struct goroutine_sight *s)
{
	uint32_t id = unnamed(r, places_make(&r->blocks, s->space, s->stack / STACK_MIN), s);

	if (!r->out.list[id].stack_hi)
		r->out.list[id].stack_hi = (s->stack / STACK_MIN + 1) * STACK_MIN;
	charge(r, s, id, GOROUTINE_BY_STACK);
}

static void take_rest(struct goroutine_resolver *r, struct goroutine_sight *s)
{
	struct place *stack = s->stack ? stack_around(r, s->space, s->stack) : NULL;
	uint32_t of_stack = stack ? owner(r, stack, s) : GOROUTINE_NO_ID;
	uint32_t id = doubtful(r, s);

	if (id != GOROUTINE_NO_ID) {
		charge(r, s, id, (enum goroutine_source)s->source);
		return;
	}
	s->source = GOROUTINE_UNKNOWN;
	if (of_stack != GOROUTINE_NO_ID)
		charge(r, s, of_stack, GOROUTINE_BY_STACK);
	else if (s->stack && s->flags & GOROUTINE_ON_SYSTEM_STACK)
		take_by_part(r, s);
}

static const struct place *sort_places; /* qsort has no context */

static int by_address(const void *a, const void *b)
{
	const struct place *x = &sort_places[*(const uint32_t *)a], *y = &sort_places[*(const uint32_t *)b];

	if (x->space != y->space)
		return x->space < y->space ? -1 : 1;
	return x->address < y->address ? -1 : x->address > y->address;
}

static void sort_stacks(struct goroutine_resolver *r)
{
	if (r->nr_by_address == r->stacks.nr)
		return;
	ALLOC_GROW(r->by_address, r->stacks.nr, r->alloc_by_address);
	for (size_t i = r->nr_by_address; i < r->stacks.nr; i++)
		r->by_address[i] = (uint32_t)i;
	r->nr_by_address = r->stacks.nr;
	sort_places = r->stacks.list;
	qsort(r->by_address, r->nr_by_address, sizeof(*r->by_address), by_address);
}

/* What the goroutine knows and the sample does not, and the other way round. */
static void finish_sight(const struct goroutine_resolver *r, struct goroutine_sight *s)
{
	if (s->id != GOROUTINE_NO_ID && s->entry == GOROUTINE_NO_ENTRY)
		s->entry = r->out.list[s->id].entry;
	if (s->id == GOROUTINE_NO_ID && s->flags & GOROUTINE_IN_C)
		s->kind = GOROUTINE_NONE;
	if (s->id == GOROUTINE_NO_ID)
		s->source = s->entry != GOROUTINE_NO_ENTRY ? GOROUTINE_BY_ENTRY : GOROUTINE_UNKNOWN;
	if ((s->kind == GOROUTINE_USER || s->kind == GOROUTINE_SYSTEM) && s->entry != GOROUTINE_NO_ENTRY)
		s->kind = r->entries[s->entry].system ? GOROUTINE_SYSTEM : GOROUTINE_USER;
}

/* Everything that can be known of them is: hands them on and frees their slots. */
static void decide(struct goroutine_resolver *r, struct list *l)
{
	/* stacks that only samples without a g have shown */
	for (size_t i = 0; i < l->nr; i++) {
		struct goroutine_sight *s = &r->sights[l->slots[i]];

		if (wants_goroutine(s) && s->id == GOROUTINE_NO_ID && s->stack_hi)
			take_by_stack(r, s);
	}
	sort_stacks(r);
	for (size_t i = 0; i < l->nr; i++) {
		struct goroutine_sight *s = &r->sights[l->slots[i]];

		if (wants_goroutine(s) && s->id == GOROUTINE_NO_ID)
			take_rest(r, s);
		finish_sight(r, s);
		r->sink(r->ctx, s);
	}
	ALLOC_GROW(r->free, r->nr_free + l->nr, r->alloc_free);
	if (l->nr)
		memcpy(r->free + r->nr_free, l->slots, l->nr * sizeof(*l->slots));
	r->nr_free += l->nr;
	l->nr = 0;
}

/* --- windows ---------------------------------------------------------------------------------------- */

/* A goroutine's place in the list that is kept. */
static uint32_t keep(const struct goroutines *from, struct goroutines *to, uint32_t *moved, uint32_t id)
{
	if (moved[id] == GOROUTINE_NO_ID) {
		ALLOC_GROW(to->list, to->nr + 1, to->alloc);
		to->list[to->nr] = from->list[id];
		moved[id] = (uint32_t)to->nr++;
	}
	return moved[id];
}

/* Goroutines that nobody can be found to be any more. */
static void forget_goroutines(struct goroutine_resolver *r)
{
	struct goroutines kept = {.distinct = r->out.distinct};
	uint32_t *moved = xreallocarray(NULL, r->out.nr, sizeof(*moved));

	memset(moved, 0xff, r->out.nr * sizeof(*moved));
	for (size_t i = 0; i < r->tenures.nr; i++)
		r->tenures.list[i].id = keep(&r->out, &kept, moved, r->tenures.list[i].id);
	for (size_t i = 0; i < r->stacks.nr; i++) {
		struct place *p = &r->stacks.list[i];

		if (p->unnamed)
			p->unnamed = keep(&r->out, &kept, moved, p->unnamed - 1) + 1;
	}
	for (size_t i = 0; i < r->blocks.nr; i++)
		r->blocks.list[i].unnamed = keep(&r->out, &kept, moved, r->blocks.list[i].unnamed - 1) + 1;
	for (size_t i = 0; i < r->ready.nr; i++) {
		struct goroutine_sight *s = &r->sights[r->ready.slots[i]];

		if (s->id != GOROUTINE_NO_ID)
			s->id = keep(&r->out, &kept, moved, s->id);
	}
	free(moved);
	free(r->out.list);
	r->out = kept;
}

/* What is before the time of the first sight that is not decided; at times, since it costs as much as what is kept. */
static void forget(struct goroutine_resolver *r)
{
	struct tenures kept = {0};
	uint64_t time = r->sights[r->ready.slots[0]].time;

	if (r->tenures.nr + r->out.nr < 2 * r->kept + GOROUTINE_WINDOW / 2)
		return;
	tenures_keep(&r->tenures, &r->gs, time, &kept);
	tenures_keep(&r->tenures, &r->stacks, time, &kept);
	free(r->tenures.list);
	r->tenures = kept;
	if (!r->keep_ids)
		forget_goroutines(r);
	r->kept = r->tenures.nr + (r->keep_ids ? 0 : r->out.nr);
}

static void reserve(struct list *l, size_t nr)
{
	ALLOC_GROW(l->slots, nr, l->alloc);
}

static void swap(struct list *a, struct list *b)
{
	struct list c = *a;

	*a = *b;
	*b = c;
}

/* Puts the fresh ones between the held ones, all in order of time. */
static void put_in_order(struct goroutine_resolver *r)
{
	size_t nr = r->held.nr + r->fresh.nr;

	reserve(&r->other, nr);
	g_order_sort(r->sights, r->fresh.slots, r->fresh.nr, r->other.slots);
	g_order_merge(r->sights, r->held.slots, r->held.nr, r->fresh.slots, r->fresh.nr, r->other.slots);
	r->other.nr = nr;
	r->fresh.nr = 0;
	swap(&r->held, &r->other);
}

/* A window is full. */
static void advance(struct goroutine_resolver *r)
{
	struct list first;

	put_in_order(r);
	if (r->held.nr <= GOROUTINE_WINDOW)
		return;
	first = (struct list){.slots = r->held.slots, .nr = GOROUTINE_WINDOW};
	take_all_named(r, &first);
	decide(r, &r->ready);
	reserve(&r->ready, first.nr);
	memcpy(r->ready.slots, first.slots, first.nr * sizeof(*first.slots));
	r->ready.nr = first.nr;
	r->held.nr -= first.nr;
	memmove(r->held.slots, r->held.slots + first.nr, r->held.nr * sizeof(*r->held.slots));
	forget(r);
}

void goroutine_resolver_take(struct goroutine_resolver *r, const struct goroutine_sight *sights, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		uint32_t slot;

		if (r->nr_free) {
			slot = r->free[--r->nr_free];
		} else {
			ALLOC_GROW(r->sights, r->nr_slots + 1, r->alloc_sights);
			slot = (uint32_t)r->nr_slots++;
		}
		r->sights[slot] = sights[i];
		r->sights[slot].id = GOROUTINE_NO_ID;
		reserve(&r->fresh, r->fresh.nr + 1);
		r->fresh.slots[r->fresh.nr++] = slot;
		if (r->fresh.nr == GOROUTINE_WINDOW)
			advance(r);
	}
}

void goroutine_resolver_finish(struct goroutine_resolver *r, struct goroutines *out)
{
	put_in_order(r);
	take_all_named(r, &r->held);
	reserve(&r->ready, r->ready.nr + r->held.nr);
	if (r->held.nr)
		memcpy(r->ready.slots + r->ready.nr, r->held.slots, r->held.nr * sizeof(*r->held.slots));
	r->ready.nr += r->held.nr;
	r->held.nr = 0;
	decide(r, &r->ready);
	for (size_t i = 0; i < r->out.nr; i++) {
		uint32_t entry = r->out.list[i].entry;

		r->out.list[i].kind = entry != GOROUTINE_NO_ENTRY && r->entries[entry].system ? GOROUTINE_SYSTEM
											       : GOROUTINE_USER;
	}
	*out = r->out;
	r->out = (struct goroutines){0};
}

struct goroutine_resolver *goroutine_resolver_new(bool keep_ids, goroutine_sink *sink, void *ctx)
{
	struct goroutine_resolver *r = xcalloc(1, sizeof(*r));

	r->sink = sink;
	r->ctx = ctx;
	r->keep_ids = keep_ids;
	return r;
}

void goroutine_resolver_free(struct goroutine_resolver *r)
{
	struct list *lists[] = {&r->fresh, &r->held, &r->ready, &r->other};

	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++)
		free(lists[i]->slots);
	goroutines_release(&r->out);
	free(r->entries);
	free(r->same);
	free(r->ends);
	map64_release(&r->names);
	free(r->sights);
	free(r->free);
	places_release(&r->gs);
	places_release(&r->stacks);
	places_release(&r->blocks);
	free(r->tenures.list);
	free(r->by_address);
	free(r);
}

void goroutines_release(struct goroutines *g)
{
	free(g->list);
	*g = (struct goroutines){0};
}
