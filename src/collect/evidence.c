#include "collect/evidence.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

/* Sights that may wait for a block before them: a worker that is far ahead waits with them. */
#define WAITING_MAX ((size_t)1 << 16)

static goroutine_sink take_decided;

void evidence_init(struct evidence *ev, bool keep_all, int nr_workers)
{
	*ev = (struct evidence){.keep_all = keep_all, .nr_workers = nr_workers};
	pthread_mutex_init(&ev->lock, NULL);
	pthread_cond_init(&ev->moved, NULL);
	ev->workers = xcalloc((size_t)nr_workers, sizeof(*ev->workers));
	ev->resolver = goroutine_resolver_new(keep_all, take_decided, ev);
}

static void free_parcel(struct parcel *p)
{
	if (!p)
		return;
	free(p->sights);
	free(p->notes);
	free(p);
}

static void free_spares(struct evidence *ev)
{
	while (ev->spare) {
		struct parcel *next = ev->spare->next;

		free_parcel(ev->spare);
		ev->spare = next;
	}
}

/* What only evidence that is under way needs. */
static void end_taking(struct evidence *ev)
{
	if (!ev->resolver)
		return;
	goroutine_resolver_free(ev->resolver);
	ev->resolver = NULL;
	for (size_t i = 0; i < ev->nr_blocks; i++)
		free_parcel(ev->blocks[i]);
	free(ev->blocks);
	ev->blocks = NULL;
	ev->nr_blocks = 0;
	free_spares(ev);
	for (int i = 0; i < ev->nr_workers; i++)
		free(ev->workers[i].entries);
	free(ev->workers);
	ev->workers = NULL;
	free(ev->free_notes);
	ev->free_notes = NULL;
	map64_release(&ev->entry_index);
	map64_release(&ev->row_index);
	map64_release(&ev->variants);
	pthread_mutex_destroy(&ev->lock);
	pthread_cond_destroy(&ev->moved);
}

void evidence_release(struct evidence *ev)
{
	end_taking(ev);
	free(ev->entries);
	free(ev->notes);
	free(ev->sights);
	free(ev->rows);
	free(ev->by_entry);
	goroutines_release(&ev->found);
	*ev = (struct evidence){0};
}

void evidence_expect(struct evidence *ev, size_t nr_blocks)
{
	ev->blocks = xreallocarray(ev->blocks, nr_blocks, sizeof(struct parcel *));
	memset(ev->blocks, 0, nr_blocks * sizeof(struct parcel *));
	ev->nr_blocks = nr_blocks;
	ev->next = 0;
}

/* --- parcels ------------------------------------------------------------------------------ */

struct parcel *evidence_parcel(struct evidence *ev)
{
	struct parcel *p;

	pthread_mutex_lock(&ev->lock);
	p = ev->spare;
	if (p)
		ev->spare = p->next;
	pthread_mutex_unlock(&ev->lock);
	return p ? p : xcalloc(1, sizeof(*p));
}

void evidence_add(struct parcel *p, const struct goroutine_sight *s, const struct evidence_note *note)
{
	ALLOC_GROW(p->sights, p->nr_sights + 1, p->alloc_sights);
	p->sights[p->nr_sights] = *s;
	p->sights[p->nr_sights++].tag = note ? (uint32_t)p->nr_notes : UINT32_MAX;
	if (!note)
		return;
	ALLOC_GROW(p->notes, p->nr_notes + 1, p->alloc_notes);
	p->notes[p->nr_notes++] = *note;
}

static uint32_t add_entry(struct evidence *ev, const struct goroutine_entry *e)
{
	uint64_t key = (hash_u64(e->vaddr) ^ e->module) + hash_bytes(e->name, strlen(e->name)) + !e->root;
	uint32_t i = map64_get(&ev->entry_index, key);

	if (i != MAP64_NONE)
		return i;
	ALLOC_GROW(ev->entries, ev->nr_entries + 1, ev->alloc_entries);
	i = (uint32_t)ev->nr_entries++;
	ev->entries[i] = *e;
	map64_put(&ev->entry_index, key, i);
	return i;
}

/* The run's entries instead of the worker's. */
static void rename_entries(struct evidence *ev, int worker, const struct goroutine_worker *w, struct parcel *p)
{
	struct evidence_worker *known = &ev->workers[worker];
	const struct goroutine_entry *entries;
	size_t nr;

	entries = goroutine_worker_entries(w, &nr);
	ALLOC_GROW(known->entries, nr, known->alloc);
	for (; known->nr < nr; known->nr++)
		known->entries[known->nr] = add_entry(ev, &entries[known->nr]);
	for (size_t i = 0; i < p->nr_sights; i++)
		if (p->sights[i].entry != GOROUTINE_NO_ENTRY)
			p->sights[i].entry = known->entries[p->sights[i].entry];
}

static uint32_t keep_note(struct evidence *ev, const struct evidence_note *note)
{
	uint32_t slot;

	if (ev->nr_free) {
		slot = ev->free_notes[--ev->nr_free];
	} else {
		ALLOC_GROW(ev->notes, ev->nr_notes + 1, ev->alloc_notes);
		slot = (uint32_t)ev->nr_notes++;
	}
	ev->notes[slot] = *note;
	return slot;
}

static void take_parcel(struct evidence *ev, struct parcel *p)
{
	for (size_t i = 0; i < p->nr_sights; i++)
		if (p->sights[i].tag != UINT32_MAX)
			p->sights[i].tag = keep_note(ev, &p->notes[p->sights[i].tag]);
	goroutine_resolver_take(ev->resolver, p->sights, p->nr_sights);
	p->nr_sights = p->nr_notes = 0;
}

/* Hands on the parcels that nothing is missing before. Called and left with the lock held, which others get meanwhile. */
static void take_ready(struct evidence *ev)
{
	struct parcel *p;

	ev->taking = true;
	while (ev->next < ev->nr_blocks && (p = ev->blocks[ev->next])) {
		ev->blocks[ev->next++] = NULL;
		ev->waiting -= p->nr_sights;
		goroutine_resolver_entries(ev->resolver, ev->entries, ev->nr_entries);
		pthread_cond_broadcast(&ev->moved);
		pthread_mutex_unlock(&ev->lock);
		take_parcel(ev, p);
		pthread_mutex_lock(&ev->lock);
		p->next = ev->spare;
		ev->spare = p;
	}
	ev->taking = false;
}

void evidence_give(struct evidence *ev, size_t block, int worker, const struct goroutine_worker *w,
		   struct parcel *p)
{
	pthread_mutex_lock(&ev->lock);
	/* the block that is waited for is with another worker, which does not wait */
	while (ev->waiting > WAITING_MAX && block != ev->next)
		pthread_cond_wait(&ev->moved, &ev->lock);
	rename_entries(ev, worker, w, p);
	ev->blocks[block] = p;
	ev->waiting += p->nr_sights;
	if (!ev->taking)
		take_ready(ev);
	pthread_mutex_unlock(&ev->lock);
}

/* --- decided ---------------------------------------------------------------------------------- */

static void count(struct evidence *ev, const struct goroutine_sight *s)
{
	bool of_goroutine = s->kind == GOROUTINE_USER || s->kind == GOROUTINE_SYSTEM;

	if (of_goroutine || s->id != GOROUTINE_NO_ID)
		ev->sources[s->source]++;
	if (!of_goroutine || s->entry == GOROUTINE_NO_ENTRY) {
		ev->kinds[s->kind]++;
		return;
	}
	if (s->entry >= ev->alloc_by_entry) {
		size_t before = ev->alloc_by_entry;

		ALLOC_GROW(ev->by_entry, s->entry + (size_t)1, ev->alloc_by_entry);
		memset(ev->by_entry + before, 0, (ev->alloc_by_entry - before) * sizeof(*ev->by_entry));
	}
	ev->by_entry[s->entry]++;
}

static void count_row(struct evidence *ev, const struct evidence_note *n, uint32_t entry)
{
	uint64_t key = hash_u64((uint64_t)n->worker << 32 | n->event) + entry;
	uint32_t variant = map64_get(&ev->variants, key), row;

	if (variant == MAP64_NONE)
		map64_put(&ev->variants, key, variant = (uint32_t)ev->variants.nr);
	key = (uint64_t)variant << 32 | n->node;
	row = map64_get(&ev->row_index, key);
	if (row == MAP64_NONE) {
		ALLOC_GROW(ev->rows, ev->nr_rows + 1, ev->alloc_rows);
		map64_put(&ev->row_index, key, row = (uint32_t)ev->nr_rows++);
		ev->rows[row] = (struct evidence_row){.node = n->node, .event = n->event, .entry = entry, .worker = n->worker};
	}
	ev->rows[row].samples++;
	ev->rows[row].weight += n->weight;
}

static void take_decided(void *ctx, const struct goroutine_sight *s)
{
	struct evidence *ev = ctx;
	bool of_goroutine = s->kind == GOROUTINE_USER || s->kind == GOROUTINE_SYSTEM;

	if (ev->keep_all) {
		ALLOC_GROW(ev->sights, ev->nr_sights + 1, ev->alloc_sights);
		ev->sights[ev->nr_sights++] = *s;
		return;
	}
	count(ev, s);
	if (s->tag == UINT32_MAX)
		return;
	count_row(ev, &ev->notes[s->tag], of_goroutine ? s->entry : GOROUTINE_NO_ENTRY);
	ALLOC_GROW(ev->free_notes, ev->nr_free + 1, ev->alloc_free);
	ev->free_notes[ev->nr_free++] = s->tag;
}

void evidence_finish(struct evidence *ev)
{
	goroutine_resolver_finish(ev->resolver, &ev->found);
	end_taking(ev);
}
