#include "collect/finish.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "collect/charge.h"
#include "collect/names.h"

enum { PERF_TYPE_HARDWARE = 0, PERF_TYPE_SOFTWARE = 1, PERF_COUNT_SW_CPU_CLOCK = 0, PERF_COUNT_SW_TASK_CLOCK = 1,
       PERF_COUNT_HW_CPU_CYCLES = 0 };

void cost_memory(struct collect *c)
{
	FILE *f = fopen("/proc/self/status", "re");
	char line[256];
	size_t kb;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "RssAnon: %zu", &kb) == 1 && kb * 1024 > c->cost.anon)
			c->cost.anon = kb * 1024;
	if (f)
		fclose(f);
}

static const char *event_unit(const struct perf_attr *a)
{
	if (a->type == PERF_TYPE_SOFTWARE &&
	    (a->config == PERF_COUNT_SW_CPU_CLOCK || a->config == PERF_COUNT_SW_TASK_CLOCK))
		return "nanoseconds";
	return "count";
}

/* Whether an event samples where CPU time goes: what is shown where only one event can be. */
static bool is_cpu_time(const struct perf_attr *a)
{
	/* hybrid CPUs: the kind of CPU is in the upper half */
	return (a->type == PERF_TYPE_SOFTWARE &&
		(a->config == PERF_COUNT_SW_CPU_CLOCK || a->config == PERF_COUNT_SW_TASK_CLOCK)) ||
	       (a->type == PERF_TYPE_HARDWARE && (uint32_t)a->config == PERF_COUNT_HW_CPU_CYCLES);
}

static int by_time(const void *a, const void *b)
{
	const struct collect_sample *x = a, *y = b;

	if (x->time != y->time)
		return x->time < y->time ? -1 : 1;
	if (x->tid != y->tid)
		return x->tid < y->tid ? -1 : 1;
	return x->event < y->event ? -1 : x->event > y->event;
}

/* The worker's are let go, so that there is one copy; how many they were it still knows. */
static void merge_samples(struct collect *c, struct worker *w, const uint32_t *nodes)
{
	c->samples = xreallocarray(c->samples, c->nr_samples + w->nr_samples, sizeof(*c->samples));
	for (size_t i = 0; i < w->nr_samples; i++) {
		c->samples[c->nr_samples] = w->samples[i];
		c->samples[c->nr_samples++].node = nodes ? nodes[w->samples[i].node] : w->samples[i].node;
	}
	free(w->samples);
	w->samples = NULL;
}

static void merge_comms(struct collect *c, const struct worker *w, struct map64 *index)
{
	for (size_t i = 0; i < w->nr_comms; i++) {
		const struct worker_comm *from = &w->comms[i];
		uint64_t key = (uint64_t)from->event << 32 | from->comm;
		uint32_t n = map64_get(index, key);
		struct collect_comm *to;

		if (n == MAP64_NONE) {
			n = (uint32_t)c->nr_comms++;
			map64_put(index, key, n);
			c->comms = xreallocarray(c->comms, c->nr_comms, sizeof(*c->comms));
			c->comms[n] = (struct collect_comm){
				.event = from->event, .comm = from->comm, .time_first = UINT64_MAX};
		}
		to = &c->comms[n];
		to->samples += from->samples;
		to->period += from->period;
		if (from->first < to->time_first)
			to->time_first = from->first;
		if (from->last > to->time_last)
			to->time_last = from->last;
	}
}

/* A thread's samples may be several workers'. */
static void count_threads(struct collect *c, const struct worker *workers, int nr)
{
	struct map64 seen = MAP64_INIT;

	for (int i = 0; i < nr; i++) {
		const struct map64 *t = &workers[i].threads;

		for (size_t slot = 0; t->nr && slot <= t->mask; slot++) {
			uint32_t threads, pid = (uint32_t)(t->keys[slot] >> 32);

			if (t->values[slot] == MAP64_NONE || map64_get(&seen, t->keys[slot]) != MAP64_NONE)
				continue;
			map64_put(&seen, t->keys[slot], 0);
			threads = map64_get(&c->threads, pid);
			map64_put(&c->threads, pid, threads == MAP64_NONE ? 1 : threads + 1);
		}
	}
	map64_release(&seen);
}

static const struct session *sort_session; /* qsort has no context */

static int by_event_and_name(const void *a, const void *b)
{
	const struct collect_comm *x = a, *y = b;
	char a_text[16], b_text[16];

	if (x->event != y->event)
		return x->event < y->event ? -1 : 1;
	return strcmp(session_comm_text(sort_session, x->comm, a_text, sizeof(a_text)),
		      session_comm_text(sort_session, y->comm, b_text, sizeof(b_text)));
}

static void merge_counts(struct collect *c, const struct worker *w, struct map64 *index)
{
	merge_comms(c, w, index);
	c->total_samples += w->total;
	c->filtered += w->filtered;
	c->switches += w->switched;
	c->dropped += w->dropped;
	c->user_stacks += w->user_stacks;
	c->rooted_stacks += w->rooted;
	for (int end = 0; end < UNWIND_ENDS; end++)
		c->ends[end] += w->ends[end];
	if (w->first < c->time_first)
		c->time_first = w->first;
	if (w->last > c->time_last)
		c->time_last = w->last;
	for (int kind = 0; kind < GOROUTINE_KINDS; kind++)
		c->goroutine_kinds[kind] += w->kinds[kind];
	damage_merge(&c->damage, &w->damage);
}

/* Where samples are after their goroutines were found, in order of time. */
static void place_samples(struct collect *c, struct charge *charge, const size_t *first)
{
	const struct evidence *ev = charge->ev;
	size_t kept = 0;

	for (size_t i = 0; ev && i < ev->nr_sights; i++) {
		const struct evidence_note *n = &ev->notes[ev->sights[i].tag];
		struct collect_sample *s = &c->samples[first[n->worker] + n->sample];

		s->node = n->node;
		s->goroutine = charge_name(charge, i);
		if (n->event == UINT32_MAX)
			s->event = UINT32_MAX;
	}
	for (size_t i = 0; i < c->nr_samples; i++)
		if (c->samples[i].event != UINT32_MAX)
			c->samples[kept++] = c->samples[i];
	c->nr_samples = kept;
	if (kept)
		qsort(c->samples, kept, sizeof(*c->samples), by_time);
}

/* The first sample of each worker in c->samples. */
static size_t *first_samples(const struct worker *workers, int nr)
{
	size_t *first = xcalloc((size_t)nr, sizeof(*first)), at = 0;

	for (int i = 0; i < nr; i++) {
		first[i] = at;
		at += workers[i].nr_samples;
	}
	return first;
}

/* Off-CPU time is shown alone, or with the time on the CPU as one. */
static void choose_time(struct collect *c, const struct run *run)
{
	if (run->opts->time_of == COLLECT_WALL)
		c->events[c->main_event].name = "wall";
	for (size_t i = 0; i < c->nr_events; i++) {
		if (!run_waits(run, i))
			continue;
		c->events[i].unit = "nanoseconds";
		c->events[i].name = "off-cpu";
		c->events[i].switches = run->opts->time_of == COLLECT_WALL;
		if (run->opts->time_of == COLLECT_OFF_CPU)
			c->main_event = i;
	}
}

static void fill_events(struct collect *c, const struct run *run)
{
	c->nr_events = perfdata_nr_attrs(run->perfdata);
	c->events = xcalloc(c->nr_events, sizeof(*c->events));
	for (size_t i = 0; i < c->nr_events; i++) {
		const struct perf_attr *a = perfdata_attr(run->perfdata, i);

		c->events[i].name = a->name;
		c->events[i].unit = event_unit(a);
		c->events[i].switches = run_switches(run, i) && !run->opts->event;
	}
	for (size_t i = 0; i < c->nr_comms; i++) {
		c->events[c->comms[i].event].samples += c->comms[i].samples;
		c->events[c->comms[i].event].period += c->comms[i].period;
	}
	for (size_t i = 1; i < c->nr_events; i++) {
		const struct collect_event *best = &c->events[c->main_event];
		bool switches = c->events[i].switches;
		bool time = c->events[i].samples && is_cpu_time(perfdata_attr(run->perfdata, i));
		bool best_time = best->samples && is_cpu_time(perfdata_attr(run->perfdata, c->main_event));

		if (switches != best->switches ? best->switches : time != best_time ? time : c->events[i].samples > best->samples)
			c->main_event = i;
	}
	choose_time(c, run);
}

/* Where a wait's time is counted: in its own event, or in that of CPU time. */
static uint32_t wait_event_of(const struct collect *c, const struct run *run, uint32_t event)
{
	return run->opts->time_of == COLLECT_WALL ? (uint32_t)c->main_event : event;
}

/*
 * How long each wait was. Those that are charged to goroutines are counted by their notes, which get it; the others
 * here. Nodes are the merged ones by now.
 */
static void count_waits(struct collect *c, const struct run *run, struct worker *workers, int nr,
			struct charge *charge, struct stacks *all)
{
	struct waits *lists = xcalloc((size_t)nr, sizeof(*lists));
	struct collect_sample *samples = c->samples;
	struct evidence *ev = charge->ev;

	for (int i = 0; i < nr; i++)
		lists[i] = workers[i].waits;
	waits_finish(lists, (size_t)nr, c->time_last, &c->waits);
	for (int i = 0; i < nr; i++) {
		for (size_t k = 0; k < lists[i].nr_starts; k++) {
			const struct wait_start *s = &lists[i].starts[k];
			uint32_t event = wait_event_of(c, run, s->event);

			if (!s->counted)
				stacks_add(all, s->node, event, 1, s->length);
			if (run->opts->keep_samples) {
				samples[s->sample].weight = s->length;
				samples[s->sample].event = event;
			}
		}
		samples += workers[i].nr_samples;
	}
	for (size_t i = 0; ev && ev->keep_all && i < ev->nr_notes; i++) {
		struct evidence_note *n = &ev->notes[i];

		if (n->wait == UINT32_MAX || n->event == UINT32_MAX)
			continue;
		n->weight = lists[n->worker].starts[n->wait].length;
		n->event = wait_event_of(c, run, n->event);
	}
	free(lists);
}

/* Samples per module: a stack counts once for every module on it. */
static void count_modules(const struct run *run, const struct stacks *all)
{
	struct modules *ms = session_modules(run->session);
	size_t nr = modules_nr(ms);
	uint32_t *seen = xcalloc(nr, sizeof(*seen));

	for (uint32_t n = 1; n < all->nr_nodes; n++) {
		const struct stacks_value *v = stacks_values(all, n);
		uint64_t samples = 0;

		for (size_t col = 0; v && col < all->columns; col++)
			samples += v[col].samples;
		if (!samples)
			continue;
		for (uint32_t at = n; at; at = all->nodes[at].parent) {
			uint32_t m = all->locations[all->nodes[at].location].module;

			if (m < nr && seen[m] != n) {
				seen[m] = n;
				modules_get(ms, m)->samples += samples;
			}
		}
	}
	free(seen);
}

/* --- all workers' in one ------------------------------------------------------------- */

/*
 * What the workers have becomes one: while one merges their stacks, another resolves goroutines and then charges samples
 * to them; who has nothing else to do looks up names.
 */
enum { MERGE_STACKS, MERGE_CHARGE, MERGE_NAMES };
struct merge {
	struct collect *c;
	const struct run *run;
	struct worker *workers;
	int nr;
	struct stacks *all;
	uint32_t **nodes; /* per worker: its nodes in `all`; NULL: the same */
	struct charge charge;
	struct names *names;
	struct pool_mark merged; /* 1: `all` is complete, but for what charging adds */
};

static void merge_stacks(struct merge *m)
{
	*m->all = m->workers[0].stacks;
	m->workers[0].stacks = (struct stacks){0};
	for (int i = 1; i < m->nr; i++) {
		struct stacks *s = &m->workers[i].stacks;

		m->nodes[i] = xreallocarray(NULL, s->nr_nodes, sizeof(**m->nodes));
		stacks_columns(m->all, s->columns);
		stacks_merge(m->all, s, m->nodes[i]);
		stacks_release(s);
	}
	if (m->run->load_ahead)
		names_begin(m->names, m->all);
	pool_mark_reach(&m->merged, 1);
}

/* Nodes that workers noted become those of the merged stacks. */
static void place_nodes(struct merge *m)
{
	charge_place(&m->charge, m->nodes);
	for (int i = 0; i < m->nr; i++) {
		struct waits *waits = &m->workers[i].waits;

		merge_samples(m->c, &m->workers[i], m->nodes[i]);
		for (size_t k = 0; m->nodes[i] && k < waits->nr_starts; k++)
			waits->starts[k].node = m->nodes[i][waits->starts[k].node];
	}
}

static void charge_samples(struct merge *m)
{
	struct collect *c = m->c;
	const struct run *run = m->run;

	charge_resolve(&m->charge);
	sort_session = run->session;
	if (c->nr_comms)
		qsort(c->comms, c->nr_comms, sizeof(*c->comms), by_event_and_name);
	fill_events(c, run);
	pool_mark_wait(&m->merged, 1);
	stacks_columns(m->all, run->nr_events);
	place_nodes(m);
	if (run->wait_events)
		count_waits(c, run, m->workers, m->nr, &m->charge, m->all);
	charge_count(&m->charge, m->all);
	if (run->opts->keep_samples) {
		size_t *first = first_samples(m->workers, m->nr);

		place_samples(c, &m->charge, first);
		free(first);
	}
	count_modules(run, m->all);
}

static void merge_part(void *ctx, int worker, size_t task)
{
	struct merge *m = ctx;

	(void)worker;
	switch (task) {
	case MERGE_STACKS:
		merge_stacks(m);
		break;
	case MERGE_CHARGE:
		charge_samples(m);
		break;
	default:
		pool_mark_wait(&m->merged, 1);
		names_look_up(m->names, (int)task - MERGE_NAMES);
	}
}

static void merge_workers(struct collect *c, const struct run *run, struct pool *pool, struct worker *workers, int nr,
			  struct stacks *all, struct names *names)
{
	struct map64 index = MAP64_INIT;
	struct merge m = {.c = c, .run = run, .workers = workers, .nr = nr, .all = all,
			  .nodes = xcalloc((size_t)nr, sizeof(uint32_t *)), .names = names,
			  .merged = POOL_MARK_INIT};

	charge_init(&m.charge, c, run);
	c->time_first = UINT64_MAX;
	for (int i = 0; i < nr; i++) {
		merge_counts(c, &workers[i], &index);
		switches_append(&m.charge.switches, &workers[i].switches);
	}
	map64_release(&index);
	if (c->time_first > c->time_last)
		c->time_first = c->time_last;
	count_threads(c, workers, nr);
	damage_merge(&c->damage, perfdata_damage(run->perfdata));
	/* without load_ahead modules are still to be loaded, by all workers */
	pool_run(pool, MERGE_NAMES + (run->load_ahead ? (size_t)nr : 0), merge_part, &m);
	for (int i = 0; i < nr; i++)
		free(m.nodes[i]);
	free(m.nodes);
	charge_release(&m.charge);
}

/* --- locations to frames ---------------------------------------------------- */

struct frames_of {
	uint32_t first, nr;
};

struct expansion {
	struct frames_of *of; /* per location: in `ids`, outermost first */
	uint32_t *ids;
	size_t nr, alloc;
};

static void add_label_id(struct expansion *x, struct profile *p, size_t location, uint32_t string)
{
	struct profile_frame f = {.name = string, .kind = FRAME_LABEL};

	ALLOC_GROW(x->ids, x->nr + 1, x->alloc);
	x->of[location] = (struct frames_of){(uint32_t)x->nr, 1};
	x->ids[x->nr++] = profile_add_frame(p, &f);
}

static void add_label(struct expansion *x, struct profile *p, size_t location, const char *text)
{
	add_label_id(x, p, location, strtab_add(&p->strings, text));
}

static bool expand_special(struct expansion *x, struct collect *c, const struct run *run,
			   size_t location, const struct stacks_location *l)
{
	char text[64];

	switch (l->module) {
	case STACKS_COMM:
		add_label(x, &c->profile, location,
			  session_comm_text(run->session, (uint32_t)l->address, text, sizeof(text)));
		return true;
	case STACKS_TRUNCATED:
		add_label(x, &c->profile, location, "[truncated]");
		return true;
	case STACKS_SWITCHED:
		add_label(x, &c->profile, location, "[systemstack]");
		return true;
	case STACKS_EVENT:
		add_label(x, &c->profile, location, c->events[l->address].name);
		return true;
	case STACKS_THREAD:
	case STACKS_PROCESS:
	case STACKS_CPU:
		snprintf(text, sizeof(text), "%s %llu",
			 l->module == STACKS_THREAD    ? "thread"
			 : l->module == STACKS_PROCESS ? "process"
						       : "cpu",
			 (unsigned long long)l->address);
		add_label(x, &c->profile, location, text);
		return true;
	case STACKS_LABEL:
		add_label_id(x, &c->profile, location, (uint32_t)l->address);
		return true;
	case STACKS_WAIT: /* named by its callers: see wait_node */
		x->of[location] = (struct frames_of){0};
		return true;
	case STACKS_UNMAPPED:
		add_label(x, &c->profile, location, "[unknown]");
		return true;
	}
	return false;
}

static void expand_code(struct expansion *x, struct collect *c, const struct run *run, size_t location,
			const struct stacks *all, struct names *names)
{
	const struct stacks_location *l = &all->locations[location];
	struct profile *p = &c->profile;
	struct symbol syms[NAMES_MAX_INLINE];
	bool lines = run->opts->lines;
	size_t n = names_take(names, all, location, &p->strings, syms);
	uint32_t dso = strtab_add(&p->strings, modules_get(session_modules(run->session), l->module)->path);

	x->of[location] = (struct frames_of){(uint32_t)x->nr, (uint32_t)n};
	ALLOC_GROW(x->ids, x->nr + n, x->alloc);
	for (size_t i = n; i-- > 0;) {
		const struct symbol *s = &syms[i];
		struct profile_frame f = {
			.name = s->name,
			.linkage = s->linkage,
			.dso = dso,
			.file = s->file,
			.line = lines ? s->line : 0,
			.start_line = s->start_line,
			.kind = l->kernel ? FRAME_KERNEL : FRAME_USER,
			.inlined = s->inlined,
			.go = s->go,
			.wrapper = s->wrapper,
			.address = lines ? l->address : 0,
		};

		x->ids[x->nr++] = profile_add_frame(p, &f);
	}
}

struct symbol_load {
	struct modules *modules;
	struct module **list;
};

static void load_one(void *ctx, int worker, size_t task)
{
	struct symbol_load *l = ctx;

	(void)worker;
	symbols_load(l->modules, l->list[task]);
}

/* Symbol tables and debug information of the modules that need them, all at once. */
static void load_symbols(const struct run *run, struct pool *pool, const struct stacks *all)
{
	struct modules *ms = session_modules(run->session);
	size_t nr = modules_nr(ms), wanted = 0;
	struct symbol_load l = {ms, xcalloc(nr, sizeof(struct module *))};
	bool *seen = xcalloc(nr, sizeof(*seen));

	for (size_t i = 0; i < all->nr_locations; i++) {
		const struct stacks_location *at = &all->locations[i];

		if (at->module >= nr || seen[at->module])
			continue;
		seen[at->module] = symbols_wanted(ms, modules_get(ms, at->module), at->address);
		if (seen[at->module])
			l.list[wanted++] = modules_get(ms, at->module);
	}
	pool_run(pool, wanted, load_one, &l);
	free(seen);
	free(l.list);
}

/*
 * In order of addresses: of several places in one function the first gives the frame its file, and
 * workers meet them in any order.
 */
static void expand_locations(struct expansion *x, struct collect *c, const struct run *run,
			     const struct stacks *all, struct names *names)
{
	struct sort_pair *order = names_order(all);

	x->of = xcalloc(all->nr_locations, sizeof(*x->of));
	for (size_t i = 0; i < all->nr_locations; i++) {
		uint32_t location = order[i].value;

		if (!expand_special(x, c, run, location, &all->locations[location]))
			expand_code(x, c, run, location, all, names);
	}
	free(order);
}

/* --- the profile ---------------------------------------------------------------- */

static int by_samples(const void *a, const void *b)
{
	const struct module *x = *(struct module *const *)a, *y = *(struct module *const *)b;

	if ((x->kind == MODULE_FILE) != (y->kind == MODULE_FILE))
		return x->kind == MODULE_FILE ? -1 : 1;
	if (x->samples != y->samples)
		return x->samples > y->samples ? -1 : 1;
	return strcmp(x->path, y->path);
}

/* The binaries that samples hit, for formats that list them: the program first. */
static void fill_mappings(struct profile *p, const struct run *run)
{
	struct modules *ms = session_modules(run->session);
	struct module **hit = xcalloc(modules_nr(ms), sizeof(struct module *));
	size_t nr = 0;
	char hex[41];

	for (uint32_t i = 0; i < modules_nr(ms); i++)
		if (modules_get(ms, i)->samples)
			hit[nr++] = modules_get(ms, i);
	if (nr)
		qsort(hit, nr, sizeof(struct module *), by_samples);
	p->mappings = xcalloc(nr, sizeof(*p->mappings));
	p->nr_mappings = p->alloc_mappings = nr;
	for (size_t i = 0; i < nr; i++)
		p->mappings[i] = (struct profile_mapping){
			.file = strtab_add(&p->strings, hit[i]->path),
			.build_id = strtab_add(&p->strings, build_id_hex(hit[i]->build_id, hit[i]->build_id_size, hex)),
			.has_functions = true, .has_filenames = true, .has_lines = true, .has_inlines = true,
		};
	free(hit);
}

/* Callers of a node, one after the other. */
struct callers {
	const struct profile *p;
	uint32_t node;
};

static const char *next_caller(void *ctx)
{
	struct callers *at = ctx;
	const struct profile_node *n = &at->p->nodes[at->node];

	if (!at->node)
		return NULL;
	at->node = n->parent;
	return profile_str(at->p, at->p->frames[n->frame].name);
}

/* What a thread waits for, below the stack it waits on. */
static uint32_t wait_node(struct profile *p, uint32_t node, enum wait_state state)
{
	struct callers at = {p, node};
	const char *kind = state == WAIT_PREEMPTED ? "[preempted]" : waits_kind(next_caller, &at);
	struct profile_frame f = {.name = strtab_add(&p->strings, kind), .kind = FRAME_WAIT};

	return profile_add_node(p, node, profile_add_frame(p, &f));
}

static void fill_profile(struct collect *c, const struct run *run, const struct stacks *all, struct names *names)
{
	struct profile *p = &c->profile;
	struct expansion x = {0};
	uint32_t *node = xreallocarray(NULL, all->nr_nodes, sizeof(*node));
	size_t *series = xcalloc(c->nr_events + 1, sizeof(*series));
	double start = clock_seconds(), named;
	int64_t wall;

	for (size_t i = 0; i < c->nr_events; i++) {
		if (!c->events[i].samples || c->events[i].switches)
			continue;
		series[i] = profile_add_series(p, "samples", "count");
		profile_add_series(p, c->events[i].name, c->events[i].unit);
	}
	expand_locations(&x, c, run, all, names);
	named = clock_seconds();
	if (run->opts->lines) /* else many are of one function */
		profile_reserve(p, all->nr_nodes, all->nr_nodes / 4);
	node[0] = 0;
	for (size_t n = 1; n < all->nr_nodes; n++) {
		const struct stacks_location *l = &all->locations[all->nodes[n].location];
		const struct frames_of *of = &x.of[all->nodes[n].location];

		node[n] = node[all->nodes[n].parent];
		if (l->module == STACKS_WAIT)
			node[n] = wait_node(p, node[n], (enum wait_state)l->address);
		for (uint32_t i = 0; i < of->nr; i++)
			node[n] = profile_add_node(p, node[n], x.ids[of->first + i]);
	}
	for (uint32_t n = 0; n < all->nr_nodes; n++) {
		const struct stacks_value *row_values = stacks_values(all, n);

		for (size_t col = 0; row_values && col < all->columns && col < c->nr_events; col++) {
			const struct stacks_value *v = &row_values[col];
			size_t row;

			if (!v->samples)
				continue;
			row = profile_add_row(p, node[n], 0);
			profile_add_value(p, row, series[col], (int64_t)v->samples);
			profile_add_value(p, row, series[col] + 1, (int64_t)v->weight);
		}
	}
	for (size_t i = 0; i < c->nr_samples; i++)
		c->samples[i].node = node[c->samples[i].node];
	fill_mappings(p, run);
	p->default_series = series[c->main_event];
	p->duration_ns = (int64_t)(c->time_last - c->time_first);
	if (perfdata_wall_offset(run->perfdata, &wall))
		p->time_ns = (int64_t)c->time_first + wall;
	c->cost.symbolise = named - start;
	c->cost.build = clock_seconds() - named;
	free(series);
	free(node);
	free(x.of);
	free(x.ids);
}

/* The recording's pages are given back behind what comes next, until collect_release(). */
enum { FORGET_PARTS = 32 };
static void forget_part(void *perfdata, int worker, size_t task)
{
	(void)worker;
	perfdata_forget(perfdata, task, FORGET_PARTS);
}

int finish(struct collect *c, const struct run *run, struct pool *pool, struct worker *workers, int nr,
	   struct error *e)
{
	struct stacks all;
	struct names names;
	double start = clock_seconds();

	names_init(&names, run, nr);
	merge_workers(c, run, pool, workers, nr, &all, &names);
	c->cost.merge = clock_seconds() - start;
	c->cost.locations = all.nr_locations;
	c->cost.nodes = all.nr_nodes;
	c->cost.rows = all.nr_rows;
	if (!run->opts->stacks_only) {
		start = clock_seconds();
		load_symbols(run, pool, &all);
		c->cost.load = clock_seconds() - start;
	}
	pool_start(pool, FORGET_PARTS, forget_part, run->perfdata);
	if (!run->opts->stacks_only)
		fill_profile(c, run, &all, &names);
	names_release(&names);
	stacks_release(&all);
	if (!c->total_samples && damage_total(&c->damage))
		return error_set(e, EXIT_CODE_INPUT, "%s: no sample could be read",
				 perfdata_path(run->perfdata));
	return 0;
}
