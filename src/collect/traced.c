#include "collect/traced.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"

/* Samples of goroutines' own stacks, in the trace's seconds, of which so many must fall into its spans. */
#define CHECKED_FROM 20
#define CHECKED_SHARE 0.9

struct traced {
	struct charge *ch;
	struct evidence *ev;
	const struct trace *t;
	uint32_t *of; /* per sight: goroutine of the trace, index + 1, 0: none */
	bool *within; /* per sight: it had the thread then */
	uint32_t space;
};

/* --- which sample falls into which span ------------------------------------------------------ */

static bool in_window(const struct traced *w, const struct goroutine_sight *s)
{
	return s->time >= w->t->from && s->time <= w->t->to;
}

static bool ran_for_goroutine(const struct goroutine_sight *s)
{
	return s->kind == GOROUTINE_USER || s->kind == GOROUTINE_SYSTEM;
}

/* On a goroutine's own stack, by its root or by the register in compiled code. */
static bool on_own_stack(const struct goroutine_sight *s)
{
	return ran_for_goroutine(s) && !(s->flags & GOROUTINE_ON_SYSTEM_STACK) &&
	       (s->stack_hi || (s->source == GOROUTINE_BY_REGISTER && !(s->flags & GOROUTINE_DOUBTFUL)));
}

/* Whether the sample's own word is for the goroutine that the thread switched to last. */
static bool ran_for_last(const struct traced *w, const struct goroutine_sight *s, const struct trace_span *span)
{
	uint64_t g = w->t->goroutines[span->goroutine].g;

	return ran_for_goroutine(s) && (!s->g || s->g == g || s->flags & GOROUTINE_DOUBTFUL);
}

/*
 * What mcall begins on the system stack, it does for the goroutine that called it, also when the
 * trace has that one parked already: no other has had the thread since.
 */
static void find_spans(struct traced *w)
{
	for (size_t i = 0; i < w->ev->nr_sights; i++) {
		const struct goroutine_sight *s = &w->ev->sights[i];
		const struct trace_span *span = trace_last(w->t, s->tid, s->time);

		if (span && w->t->open_ended && !ran_for_last(w, s, span))
			continue;
		w->within[i] = span && s->time < span->to;
		if (w->within[i] || (span && s->source == GOROUTINE_BY_MCALL && in_window(w, s)))
			w->of[i] = span->goroutine + 1;
	}
}

/* The address space that most of the trace's samples are of: the process it is a trace of. */
static bool find_space(struct traced *w)
{
	struct map64 index = MAP64_INIT;
	uint32_t most = 0;

	for (size_t i = 0; i < w->ev->nr_sights; i++) {
		uint32_t n, space = w->ev->sights[i].space;

		if (!w->of[i])
			continue;
		n = map64_get(&index, space);
		n = n == MAP64_NONE ? 1 : n + 1;
		map64_put(&index, space, n);
		if (n > most) {
			most = n;
			w->space = space;
		}
	}
	map64_release(&index);
	return most > 0;
}

static const char *why_unused(struct traced *w)
{
	const struct charge *ch = w->ch;
	size_t within = 0, own = 0, found = 0;

	if (!w->t->open_ended && perfdata_clockid(ch->c->perfdata) != CLOCK_MONOTONIC)
		return "the recording's times are not of CLOCK_MONOTONIC (perf record -k mono)";
	if (!w->t->monotonic)
		return "the trace's times are not of CLOCK_MONOTONIC";
	for (size_t i = 0; i < w->ev->nr_sights; i++)
		within += in_window(w, &w->ev->sights[i]);
	if (!within)
		return "it is of other seconds than the recording";
	find_spans(w);
	if (!find_space(w))
		return w->t->open_ended ? "no sample is of a goroutine that it names: of another program"
					: "none of its threads is in the recording: another program, or another pid namespace";
	for (size_t i = 0; i < w->ev->nr_sights; i++) {
		const struct goroutine_sight *s = &w->ev->sights[i];

		if (s->space != w->space || !in_window(w, s) || !on_own_stack(s))
			continue;
		own++;
		found += w->within[i];
	}
	if (own >= CHECKED_FROM && (double)found < CHECKED_SHARE * (double)own)
		return w->t->open_ended ? "the goroutines of most samples are others: events lost, or of another program"
					: "goroutines ran when it has none on their threads: another program, or another clock";
	return NULL;
}

/* --- what the samples alone say, judged by the trace ------------------------------------------- */

static uint32_t count_pair(struct map64 *pairs, uint32_t a, uint32_t b)
{
	uint64_t key = (uint64_t)a << 32 | b;
	uint32_t n = map64_get(pairs, key);

	n = n == MAP64_NONE ? 1 : n + 1;
	map64_put(pairs, key, n);
	return n;
}

/* One goroutine by the samples is one goid: the one that most of its samples are of. */
static void judge(struct traced *w)
{
	struct charge *ch = w->ch;
	struct collect_trace *out = &ch->c->trace;
	uint32_t *main_goid = xcalloc(w->ev->found.nr + 1, sizeof(*main_goid));
	uint32_t *most = xcalloc(w->ev->found.nr + 1, sizeof(*most));
	uint8_t *identities = xcalloc(w->t->nr_goroutines + 1, 1);
	struct map64 pairs = MAP64_INIT;

	for (size_t i = 0; i < w->ev->nr_sights; i++) {
		uint32_t id = w->ev->sights[i].id, n;

		if (!w->of[i] || id == GOROUTINE_NO_ID)
			continue;
		n = count_pair(&pairs, id, w->of[i]);
		if (n == 1 && identities[w->of[i]] < 2)
			identities[w->of[i]]++;
		if (n > most[id]) {
			most[id] = n;
			main_goid[id] = w->of[i];
		}
	}
	for (size_t i = 0; i < w->ev->nr_sights; i++) {
		const struct goroutine_sight *s = &w->ev->sights[i];

		if (!w->of[i])
			continue;
		out->judged[s->source]++;
		out->right[s->source] += s->id != GOROUTINE_NO_ID && main_goid[s->id] == w->of[i];
	}
	for (size_t i = 1; i <= w->t->nr_goroutines; i++)
		out->split += identities[i] > 1;
	map64_release(&pairs);
	free(main_goid);
	free(most);
	free(identities);
}

/* --- the trace's goroutines ----------------------------------------------------------------------- */

/* Entries by name; where a wrapper has the name of its function, the one at the lower address. */
struct by_name {
	struct map64 index;
};

static uint64_t name_key(const char *name)
{
	return hash_bytes(name, strlen(name));
}

static void index_names(struct by_name *b, const struct charge *ch)
{
	for (size_t i = 0; i < ch->nr_entries; i++) {
		const struct goroutine_entry *e = &ch->entries[i];
		uint32_t known = map64_get(&b->index, name_key(e->name));

		if (known == MAP64_NONE || e->module < ch->entries[known].module ||
		    (e->module == ch->entries[known].module && e->vaddr < ch->entries[known].vaddr))
			map64_put(&b->index, name_key(e->name), (uint32_t)i);
	}
}

/* The entry function that the trace names; one that no sample has shown becomes an entry without an address. */
static uint32_t entry_of(struct traced *w, struct by_name *b, const struct trace_goroutine *g)
{
	struct charge *ch = w->ch;
	const char *name = trace_str(w->t, g->entry);
	uint32_t i;

	if (!*name)
		return GOROUTINE_NO_ENTRY;
	i = map64_get(&b->index, name_key(name));
	if (i != MAP64_NONE)
		return i;
	i = (uint32_t)ch->nr_entries++;
	ch->entries = xreallocarray(ch->entries, ch->nr_entries, sizeof(*ch->entries));
	ch->entry_names = xreallocarray(ch->entry_names, ch->nr_entries, sizeof(*ch->entry_names));
	ch->entry_names[i] = strtab_add(&ch->c->profile.strings, name);
	ch->entries[i] = (struct goroutine_entry){
		.module = UINT32_MAX, .named = true, .system = goroutine_is_system(name), .name = name,
	};
	map64_put(&b->index, name_key(name), i);
	return i;
}

/* Per goroutine of the samples: the one of the trace it is, index + 1; 0 none, UINT32_MAX several. */
static uint32_t *find_same(const struct traced *w)
{
	uint32_t *same = xcalloc(w->ev->found.nr + 1, sizeof(*same));

	for (size_t i = 0; i < w->ev->nr_sights; i++) {
		uint32_t id = w->ev->sights[i].id;

		if (w->of[i] && id != GOROUTINE_NO_ID)
			same[id] = !same[id] || same[id] == w->of[i] ? w->of[i] : UINT32_MAX;
	}
	return same;
}

static uint32_t add_goroutine(struct goroutines *list, struct goroutine g)
{
	g.first = UINT64_MAX;
	g.last = 0;
	ALLOC_GROW(list->list, list->nr + 1, list->alloc);
	list->list[list->nr] = g;
	return (uint32_t)list->nr++;
}

static void take(struct goroutines *list, uint32_t id, struct goroutine_sight *s)
{
	struct goroutine *g = &list->list[id];

	if (g->entry == GOROUTINE_NO_ENTRY && s->flags & GOROUTINE_SHOWS_ENTRY)
		g->entry = s->entry;
	g->first = s->time < g->first ? s->time : g->first;
	g->last = s->time > g->last ? s->time : g->last;
	s->id = id;
}

static void rebuild(struct traced *w)
{
	struct charge *ch = w->ch;
	struct goroutines out = {0};
	struct by_name names = {.index = MAP64_INIT};
	uint32_t *by_trace = xcalloc(w->t->nr_goroutines + 1, sizeof(*by_trace)); /* id + 1 */
	uint32_t *kept = xcalloc(w->ev->found.nr + 1, sizeof(*kept));
	uint32_t *same = find_same(w);

	index_names(&names, ch);
	for (size_t i = 0; i < w->ev->nr_sights; i++) {
		struct goroutine_sight *s = &w->ev->sights[i];
		uint32_t was = s->id, of = w->of[i];

		if (w->within[i])
			s->source = w->t->open_ended ? GOROUTINE_BY_SWITCH : GOROUTINE_BY_TRACE;
		if (!of && was != GOROUTINE_NO_ID && same[was] && same[was] != UINT32_MAX)
			of = same[was];
		if (of && !by_trace[of]) {
			const struct trace_goroutine *g = &w->t->goroutines[of - 1];
			struct goroutine new = {.entry = entry_of(w, &names, g), .space = s->space, .goid = g->goid};

			by_trace[of] = add_goroutine(&out, new) + 1;
		}
		if (of) {
			take(&out, by_trace[of] - 1, s);
			if (was != GOROUTINE_NO_ID && !out.list[s->id].g) {
				out.list[s->id].g = w->ev->found.list[was].g;
				out.list[s->id].stack_hi = w->ev->found.list[was].stack_hi;
			}
		} else if (was != GOROUTINE_NO_ID) {
			if (!kept[was])
				kept[was] = add_goroutine(&out, w->ev->found.list[was]) + 1;
			take(&out, kept[was] - 1, s);
		}
	}
	free(by_trace);
	free(kept);
	free(same);
	map64_release(&names.index);
	goroutines_release(&w->ev->found);
	out.distinct = out.nr;
	w->ev->found = out;
}

/* What the goroutine tells its samples: the entry where they show none, and whose work it was. */
static void finish(struct traced *w)
{
	struct charge *ch = w->ch;

	for (size_t i = 0; i < w->ev->found.nr; i++) {
		struct goroutine *g = &w->ev->found.list[i];

		ch->c->trace.goids += g->goid > 0;
		g->kind = g->entry != GOROUTINE_NO_ENTRY && ch->entries[g->entry].system ? GOROUTINE_SYSTEM : GOROUTINE_USER;
	}
	for (size_t i = 0; i < w->ev->nr_sights; i++) {
		struct goroutine_sight *s = &w->ev->sights[i];

		if (!w->of[i]) {
			/* on a system stack while no goroutine had the thread */
			if (!w->t->open_ended && s->space == w->space && in_window(w, s) && ran_for_goroutine(s) &&
			    s->id == GOROUTINE_NO_ID && s->entry == GOROUTINE_NO_ENTRY)
				s->kind = GOROUTINE_SCHEDULER;
			continue;
		}
		if (!(s->flags & GOROUTINE_SHOWS_ENTRY))
			s->entry = w->ev->found.list[s->id].entry;
		if (s->kind != GOROUTINE_SIGNAL)
			s->kind = w->ev->found.list[s->id].kind;
	}
}

static void count(const struct traced *w)
{
	struct collect_trace *out = &w->ch->c->trace;

	for (size_t i = 0; i < w->ev->nr_sights; i++) {
		const struct goroutine_sight *s = &w->ev->sights[i];

		if (s->space != w->space || !in_window(w, s) || (!w->of[i] && !on_own_stack(s)))
			continue;
		out->samples++;
		out->charged += s->id != GOROUTINE_NO_ID && w->ev->found.list[s->id].goid;
	}
}

void traced_apply(struct charge *ch, const struct trace *t)
{
	struct traced w = {.ch = ch, .ev = ch->ev, .t = t};

	w.of = xcalloc(w.ev->nr_sights + 1, sizeof(*w.of));
	w.within = xcalloc(w.ev->nr_sights + 1, sizeof(*w.within));

	ch->c->has_trace = true;
	ch->c->trace.switches = t->open_ended ? ch->switches.nr : 0;
	ch->c->trace.unused = why_unused(&w);
	if (!ch->c->trace.unused) {
		judge(&w);
		rebuild(&w);
		count(&w);
		finish(&w);
	}
	free(w.of);
	free(w.within);
}
