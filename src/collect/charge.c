#include "collect/charge.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "collect/traced.h"

void charge_init(struct charge *ch, struct collect *c, const struct run *run)
{
	*ch = (struct charge){.c = c, .run = run, .ev = run->evidence};
}

void charge_release(struct charge *ch)
{
	free(ch->entries);
	free(ch->entry_names);
	switches_release(&ch->switches);
	map64_release(&ch->group_index);
	map64_release(&ch->name_index);
}

void charge_place(struct charge *ch, uint32_t *const *nodes)
{
	struct evidence *ev = ch->ev;

	for (size_t i = 0; ev && i < ev->nr_rows; i++)
		if (nodes[ev->rows[i].worker])
			ev->rows[i].node = nodes[ev->rows[i].worker][ev->rows[i].node];
	for (size_t i = 0; ev && ev->keep_all && i < ev->nr_notes; i++)
		if (nodes[ev->notes[i].worker])
			ev->notes[i].node = nodes[ev->notes[i].worker][ev->notes[i].node];
}

/* --- entries ----------------------------------------------------------------------------- */

static struct evidence_note *note_of(const struct charge *ch, size_t sight)
{
	return &ch->ev->notes[ch->ev->sights[sight].tag];
}

static bool better_name(const struct goroutine_entry *e, const struct goroutine_entry *than)
{
	return e->named && (!than->named || strcmp(e->name, than->name) < 0);
}

/*
 * Of one function where goroutines enter, what any sample tells: where one shows nothing but a
 * wrapper, the name that others have, and any frame below it, but always the same.
 */
static void join_entries(struct charge *ch)
{
	const struct evidence *ev = ch->ev;
	struct map64 functions = MAP64_INIT;
	uint32_t *best = xreallocarray(NULL, ev->nr_entries, sizeof(*best)); /* of a function, at its first entry */

	ch->nr_entries = ev->nr_entries;
	ch->entries = xreallocarray(NULL, ev->nr_entries, sizeof(*ch->entries));
	ch->entry_names = xreallocarray(NULL, ev->nr_entries, sizeof(*ch->entry_names));
	for (size_t i = 0; i < ev->nr_entries; i++) {
		const struct goroutine_entry *e = &ev->entries[i];
		uint64_t key = hash_u64(e->vaddr) ^ e->module;
		uint32_t first = map64_get(&functions, key);

		ch->entries[i] = *e;
		if (first == MAP64_NONE) {
			map64_put(&functions, key, first = (uint32_t)i);
			best[first] = first;
		}
		if (better_name(e, &ev->entries[best[first]]))
			best[first] = (uint32_t)i;
		if (e->root && (!ch->entries[first].root || e->root < ch->entries[first].root))
			ch->entries[first].root = e->root;
	}
	for (size_t i = 0; i < ev->nr_entries; i++) {
		struct goroutine_entry *e = &ch->entries[i];
		uint32_t first = map64_get(&functions, hash_u64(e->vaddr) ^ e->module);

		e->root = ch->entries[first].root;
		if (!e->named) {
			e->name = ev->entries[best[first]].name;
			e->system = ev->entries[best[first]].system;
		}
		ch->entry_names[i] = strtab_add(&ch->c->profile.strings, e->name);
	}
	map64_release(&functions);
	free(best);
}

static enum goroutine_kind kind_of(const struct charge *ch, uint32_t entry)
{
	return ch->entries[entry].system ? GOROUTINE_SYSTEM : GOROUTINE_USER;
}

static bool of_goroutine(const struct goroutine_sight *s)
{
	return s->kind == GOROUTINE_USER || s->kind == GOROUTINE_SYSTEM;
}

/* --- roots of --by goroutine --------------------------------------------------------------- */

static uint32_t add_string(struct charge *ch, const char *text)
{
	return strtab_add(&ch->c->profile.strings, text);
}

/* The goid where a trace tells it; else "0xc000006380", with ".1" for the goroutine that had this g next. */
static void id_text(char *buf, size_t size, const struct goroutine *g)
{
	if (g->goid)
		snprintf(buf, size, "%" PRIu64, g->goid);
	else if (!g->g)
		snprintf(buf, size, "stack %#" PRIx64, g->stack_hi);
	else if (g->generation)
		snprintf(buf, size, "%#" PRIx64 ".%" PRIu32, g->g, g->generation);
	else
		snprintf(buf, size, "%#" PRIx64, g->g);
}

static const char *without_goroutine(enum goroutine_kind kind)
{
	switch (kind) {
	case GOROUTINE_SCHEDULER:
		return "[scheduler]";
	case GOROUTINE_SIGNAL:
		return "[signal]";
	case GOROUTINE_NONE:
		return "[no goroutine]";
	default:
		return "[unknown goroutine]";
	}
}

/* The name of one goroutine (or of all with its entry), as a root frame shows it. */
static uint32_t root_name(struct charge *ch, const struct goroutine_sight *s, bool by_id, uint32_t *entry)
{
	char id[64];
	const char *name;
	char *text;
	uint32_t string;

	*entry = s->entry == GOROUTINE_NO_ENTRY ? 0 : ch->entry_names[s->entry];
	if (!*entry && s->id == GOROUTINE_NO_ID)
		return add_string(ch, without_goroutine((enum goroutine_kind)s->kind));
	name = *entry ? strtab_get(&ch->c->profile.strings, *entry) : "[unknown entry]";
	if (by_id && s->id == GOROUTINE_NO_ID)
		text = xasprintf("goroutine %s [unknown]", name);
	else if (by_id)
		id_text(id, sizeof(id), &ch->ev->found.list[s->id]), text = xasprintf("goroutine %s %s", name, id);
	else
		text = xasprintf("goroutine %s", name);
	string = add_string(ch, text);
	free(text);
	return string;
}

enum { KEY_ID, KEY_ENTRY, KEY_KIND };

/* What makes two samples' roots the same. */
static uint64_t group_key(const struct charge *ch, const struct goroutine_sight *s, bool by_id)
{
	bool entry = s->entry != GOROUTINE_NO_ENTRY;

	if (s->id != GOROUTINE_NO_ID && (by_id || !entry))
		return by_id ? (uint64_t)KEY_ID << 32 | s->id : (uint64_t)KEY_ENTRY << 32;
	if (entry)
		return (uint64_t)KEY_ENTRY << 32 | ch->entry_names[s->entry];
	return (uint64_t)KEY_KIND << 32 | s->kind;
}

static uint32_t find_group(struct charge *ch, const struct goroutine_sight *s, bool by_id)
{
	struct collect *c = ch->c;
	uint64_t key = group_key(ch, s, by_id);
	uint32_t i = map64_get(&ch->group_index, key);

	if (i != MAP64_NONE)
		return i;
	ALLOC_GROW(c->goroutines, c->nr_goroutines + 1, ch->alloc_groups);
	i = (uint32_t)c->nr_goroutines++;
	c->goroutines[i] = (struct collect_goroutine){
		.kind = s->kind, .time_first = UINT64_MAX,
		.g = by_id && s->id != GOROUTINE_NO_ID ? ch->ev->found.list[s->id].g : 0,
		.goid = by_id && s->id != GOROUTINE_NO_ID ? ch->ev->found.list[s->id].goid : 0,
	};
	c->goroutines[i].name = root_name(ch, s, by_id, &c->goroutines[i].entry);
	map64_put(&ch->group_index, key, i);
	return i;
}

uint32_t charge_name(struct charge *ch, size_t i)
{
	struct collect *c = ch->c;
	const struct goroutine_sight *s = &ch->ev->sights[i];
	uint64_t key = group_key(ch, s, false);
	uint32_t at = map64_get(&ch->name_index, key), entry;

	if (at != MAP64_NONE)
		return at;
	ALLOC_GROW(c->sample_goroutines, c->nr_sample_goroutines + 1, c->alloc_sample_goroutines);
	at = (uint32_t)c->nr_sample_goroutines++;
	c->sample_goroutines[at] = xstrdup(strtab_get(&c->profile.strings, root_name(ch, s, false, &entry)));
	map64_put(&ch->name_index, key, at);
	return at;
}

/* --- filter ------------------------------------------------------------------------------------ */

static bool matches(const struct charge *ch, uint32_t string)
{
	return string && regexec(&ch->run->filter.goroutine, strtab_get(&ch->c->profile.strings, string), 0, NULL, 0) == 0;
}

/* The counts that workers made before goroutines were known, anew from what is left. */
static void recount(struct charge *ch)
{
	struct collect *c = ch->c;
	struct map64 index = MAP64_INIT;
	size_t kept = 0;

	for (size_t i = 0; i < c->nr_comms; i++) {
		map64_put(&index, (uint64_t)c->comms[i].event << 32 | c->comms[i].comm, (uint32_t)i);
		if (run_switches(ch->run, c->comms[i].event))
			continue; /* of no stack, and of all goroutines */
		c->comms[i].samples = c->comms[i].period = c->comms[i].time_last = 0;
		c->comms[i].time_first = UINT64_MAX;
	}
	memset(c->ends, 0, sizeof(c->ends));
	c->user_stacks = c->rooted_stacks = 0;
	for (size_t i = 0; i < ch->ev->nr_sights; i++) {
		const struct evidence_note *n = note_of(ch, i);
		uint64_t time = ch->ev->sights[i].time;
		struct collect_comm *to;

		if (n->event == UINT32_MAX) {
			c->filtered++;
			continue;
		}
		to = &c->comms[map64_get(&index, (uint64_t)n->event << 32 | n->comm)];
		to->samples++;
		to->period += n->period;
		to->time_first = time < to->time_first ? time : to->time_first;
		to->time_last = time > to->time_last ? time : to->time_last;
		c->ends[n->end]++;
		c->user_stacks += n->user;
		c->rooted_stacks += n->user && unwind_end_complete((enum unwind_end)n->end);
	}
	for (size_t i = 0; i < c->nr_comms; i++)
		if (c->comms[i].samples)
			c->comms[kept++] = c->comms[i];
	c->nr_comms = kept;
	map64_release(&index);
}

static void filter_goroutines(struct charge *ch)
{
	/* per goroutine, per entry and per kind without either: 1 yes, 2 no */
	uint8_t *by_id = xcalloc(ch->ev->found.nr + 1, 1), *by_entry = xcalloc(ch->nr_entries + 1, 1);
	uint8_t by_kind[GOROUTINE_KINDS] = {0};

	for (size_t i = 0; i < ch->ev->nr_sights; i++) {
		const struct goroutine_sight *s = &ch->ev->sights[i];
		uint8_t *known = s->id != GOROUTINE_NO_ID	       ? &by_id[s->id]
				 : s->entry != GOROUTINE_NO_ENTRY ? &by_entry[s->entry]
								  : &by_kind[s->kind];

		if (!*known) {
			uint32_t entry, name = root_name(ch, s, true, &entry);

			*known = matches(ch, entry) || matches(ch, name) ? 1 : 2;
		}
		if (*known == 2)
			note_of(ch, i)->event = UINT32_MAX;
	}
	free(by_id);
	free(by_entry);
	recount(ch);
}

/* --- who is who ---------------------------------------------------------------------------------- */

static void count_kept(struct charge *ch)
{
	struct collect *c = ch->c;

	for (size_t i = 0; i < ch->ev->nr_sights; i++) {
		const struct goroutine_sight *s = &ch->ev->sights[i];

		if (note_of(ch, i)->event == UINT32_MAX)
			continue;
		c->goroutine_kinds[s->kind]++;
		if (of_goroutine(s) || s->id != GOROUTINE_NO_ID)
			c->goroutine_sources[s->source]++;
	}
}

void charge_resolve(struct charge *ch)
{
	struct evidence *ev = ch->ev;
	struct collect *c = ch->c;

	if (!ev)
		return;
	evidence_finish(ev);
	join_entries(ch);
	if (ch->run->opts->trace) {
		traced_apply(ch, ch->run->opts->trace);
	} else if (ch->switches.nr && ev->keep_all) {
		struct trace t;

		trace_of_switches(&t, ch->switches.list, ch->switches.nr, c->time_last);
		traced_apply(ch, &t);
		trace_release(&t);
	}
	for (size_t i = 0; i < ev->nr_sights; i++)
		if (of_goroutine(&ev->sights[i]) && ev->sights[i].entry != GOROUTINE_NO_ENTRY)
			ev->sights[i].kind = (uint8_t)kind_of(ch, ev->sights[i].entry);
	if (ch->run->filter.has_goroutine)
		filter_goroutines(ch);
	c->has_goroutines = true;
	c->distinct_goroutines = ev->found.distinct;
	for (size_t i = 0; i < GOROUTINE_KINDS; i++)
		c->goroutine_kinds[i] += ev->kinds[i];
	for (size_t i = 0; i < GOROUTINE_SOURCES; i++)
		c->goroutine_sources[i] += ev->sources[i];
	for (uint32_t i = 0; i < ev->nr_entries && i < ev->alloc_by_entry; i++)
		c->goroutine_kinds[kind_of(ch, i)] += ev->by_entry[i];
	count_kept(ch);
}

/* --- stacks anew ----------------------------------------------------------------------------------- */

struct placer {
	struct charge *ch;
	struct stacks *all;
	struct map64 variants; /* root's string << 32 | entry + 1 → 0, 1, 2 … */
	size_t nr_variants;
	struct map64 placed; /* node << 32 | variant → node */
	uint32_t *path;
	size_t alloc;
	size_t heads; /* label nodes in front of every stack: --by, comm */
};

static uint32_t label(struct placer *p, uint32_t parent, uint32_t string)
{
	return stacks_node(p->all, parent, stacks_location(p->all, STACKS_LABEL, string, false));
}

/* The goroutine's frames that are known: goexit, the entry function, and the switch. */
static uint32_t splice(struct placer *p, uint32_t node, const struct goroutine_entry *e)
{
	if (!e->vaddr) /* known by the trace alone */
		return label(p, label(p, node, add_string(p->ch, e->name)), add_string(p->ch, "[systemstack]"));
	if (e->root)
		node = stacks_node(p->all, node, stacks_location(p->all, e->module, e->root, false));
	node = stacks_node(p->all, node, stacks_location(p->all, e->module, e->vaddr, false));
	return label(p, node, add_string(p->ch, "[systemstack]"));
}

static uint32_t place(struct placer *p, uint32_t from, uint32_t root, uint32_t entry)
{
	size_t depth = 0;
	uint32_t node = 0;

	for (uint32_t n = from; n; n = p->all->nodes[n].parent) {
		ALLOC_GROW(p->path, depth + 1, p->alloc);
		p->path[depth++] = p->all->nodes[n].location;
	}
	if (root)
		node = label(p, node, root);
	for (size_t i = depth; i-- > 0;) {
		if (entry != GOROUTINE_NO_ENTRY && i + 1 + p->heads == depth)
			node = splice(p, node, &p->ch->entries[entry]);
		node = stacks_node(p->all, node, p->path[i]);
	}
	return node;
}

static uint32_t placed(struct placer *p, uint32_t from, uint32_t root, uint32_t entry)
{
	uint64_t key = (uint64_t)root << 32 | (uint32_t)(entry + 1);
	uint32_t variant, to;

	if (!root && entry == GOROUTINE_NO_ENTRY)
		return from;
	variant = map64_get(&p->variants, key);
	if (variant == MAP64_NONE)
		map64_put(&p->variants, key, variant = (uint32_t)p->nr_variants++);
	key = (uint64_t)from << 32 | variant;
	to = map64_get(&p->placed, key);
	if (to == MAP64_NONE) {
		to = place(p, from, root, entry);
		map64_put(&p->placed, key, to);
	}
	return to;
}

/* Which entry function the sample's system stack is put under, if any. */
static uint32_t spliced(const struct charge *ch, const struct goroutine_sight *s)
{
	bool wanted = !ch->run->opts->no_splice && s->flags & GOROUTINE_ON_SYSTEM_STACK &&
		      !(s->flags & GOROUTINE_WITH_CALLERS) && of_goroutine(s);

	return wanted ? s->entry : GOROUTINE_NO_ENTRY;
}

static bool first_time(struct map64 *seen, uint32_t row, uint32_t what)
{
	uint64_t key = (uint64_t)row << 32 | what;

	if (map64_get(seen, key) != MAP64_NONE)
		return false;
	map64_put(seen, key, 1);
	return true;
}

static void count_group(const struct goroutine_sight *s, const struct evidence_note *n, struct collect_goroutine *g,
			uint32_t row, struct map64 *ids, struct map64 *tids)
{
	g->samples++;
	g->weight += n->weight;
	g->time_first = s->time < g->time_first ? s->time : g->time_first;
	g->time_last = s->time > g->time_last ? s->time : g->time_last;
	if (s->id != GOROUTINE_NO_ID)
		g->goroutines += first_time(ids, row, s->id);
	g->threads += first_time(tids, row, s->tid);
}

/* Kept one by one: all that --by goroutine and --goroutine ask, and places in a recording's time. */
static void count_kept_stacks(struct charge *ch, struct placer *p, bool roots)
{
	struct collect *c = ch->c;
	struct map64 ids = MAP64_INIT, tids = MAP64_INIT;

	for (size_t i = 0; i < ch->ev->nr_sights; i++) {
		const struct goroutine_sight *s = &ch->ev->sights[i];
		struct evidence_note *n = note_of(ch, i);
		uint32_t root = 0;

		if (!n->deferred || n->event == UINT32_MAX)
			continue;
		if (roots) {
			uint32_t row = find_group(ch, s, ch->run->opts->by == COLLECT_BY_GOROUTINE_ID);

			root = c->goroutines[row].name;
			if (n->event == c->main_event)
				count_group(s, n, &c->goroutines[row], row, &ids, &tids);
		}
		n->node = placed(p, n->node, root, spliced(ch, s));
		stacks_add(p->all, n->node, n->event, 1, n->weight);
	}
	map64_release(&ids);
	map64_release(&tids);
}

static const struct profile *sort_profile; /* qsort has no context */

static int by_weight(const void *a, const void *b)
{
	const struct collect_goroutine *x = a, *y = b;

	if (x->weight != y->weight)
		return x->weight > y->weight ? -1 : 1;
	return strcmp(profile_str(sort_profile, x->name), profile_str(sort_profile, y->name));
}

/* Those that only other events have seen. */
static void drop_empty_groups(struct collect *c)
{
	size_t kept = 0;

	for (size_t i = 0; i < c->nr_goroutines; i++)
		if (c->goroutines[i].samples)
			c->goroutines[kept++] = c->goroutines[i];
	c->nr_goroutines = kept;
}

void charge_count(struct charge *ch, struct stacks *all)
{
	struct collect *c = ch->c;
	enum collect_by by = ch->run->opts->by;
	bool roots = by == COLLECT_BY_GOROUTINE || by == COLLECT_BY_GOROUTINE_ID;
	struct placer p = {.ch = ch, .all = all};

	if (!ch->ev)
		return;
	p.heads = (size_t)!ch->run->opts->no_comm + (by != COLLECT_BY_NONE && !roots);
	for (size_t i = 0; i < ch->ev->nr_rows; i++) {
		const struct evidence_row *r = &ch->ev->rows[i];

		stacks_add(all, placed(&p, r->node, 0, r->entry), r->event, r->samples, r->weight);
	}
	count_kept_stacks(ch, &p, roots);
	drop_empty_groups(c);
	sort_profile = &c->profile;
	if (c->nr_goroutines)
		qsort(c->goroutines, c->nr_goroutines, sizeof(*c->goroutines), by_weight);
	map64_release(&p.variants);
	map64_release(&p.placed);
	free(p.path);
}
