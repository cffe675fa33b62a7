#include "cmd/paired.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"

/* --- the two sides ------------------------------------------------------------------------ */

/* A profile of the trace's stacks: the row of each, by its index. */
static uint32_t *stack_rows(struct profile *out, const struct trace *t)
{
	uint32_t *rows = xcalloc(t->nr_stacks, sizeof(*rows));
	size_t series = profile_add_series(out, "samples", "count");

	for (size_t i = 0; i < t->nr_cpu_samples; i++) {
		const struct trace_stack *s = &t->stacks[t->cpu_samples[i].stack];
		uint32_t node = 0;
		size_t row;

		for (uint32_t k = s->nr; k-- > 0;) {
			const struct trace_frame *tf = &t->frames[s->first + k];
			struct profile_frame f = {
				.name = strtab_add(&out->strings, trace_str(t, tf->func)), .kind = FRAME_USER, .go = true,
			};

			node = profile_add_node(out, node, profile_add_frame(out, &f));
		}
		row = profile_add_row(out, node, 0);
		profile_add_value(out, row, series, 1);
		rows[t->cpu_samples[i].stack] = (uint32_t)row;
	}
	return rows;
}

/* The row of each node; several rows of one node differ in labels alone. */
static uint32_t *node_rows(const struct profile *p)
{
	uint32_t *rows = xcalloc(p->nr_nodes, sizeof(*rows));

	for (size_t i = 0; i < p->nr_rows; i++)
		rows[p->rows[i].node] = (uint32_t)i;
	return rows;
}

/* --- pairs ---------------------------------------------------------------------------------- */

struct pairing {
	struct paired *p;
	const struct collect *c;
	const struct trace *t;
	const uint32_t *perf_rows, *pprof_rows;
	size_t alloc_rows;
};

const char *paired_leaf(const struct compare_stacks *s, uint32_t row)
{
	const struct profile *j = &s->joint;

	return profile_str(j, j->frames[j->nodes[s->node[row]].frame].name);
}

static void add_pair(struct pairing *w, const struct trace_cpu_sample *s, const struct collect_sample *seen)
{
	struct paired *p = w->p;
	uint32_t pprof = w->pprof_rows[s->stack], perf = w->perf_rows[seen->node];
	enum compare_class a = (enum compare_class)p->pprof.class_of[pprof], b = (enum compare_class)p->perf.class_of[perf];
	uint64_t distance = s->time - seen->time;
	bool late = distance > 2 * seen->weight;
	size_t i = 0;

	p->pairs++;
	p->late += late;
	p->same_function += !strcmp(paired_leaf(&p->pprof, pprof), paired_leaf(&p->perf, perf));
	while (i < p->nr_rows && (p->rows[i].pprof != a || p->rows[i].perf != b))
		i++;
	if (i == p->nr_rows) {
		ALLOC_GROW(p->rows, p->nr_rows + 1, w->alloc_rows);
		p->rows[p->nr_rows++] = (struct paired_row){
			.pprof = a, .perf = b, .time = s->time, .tid = s->tid, .distance = distance,
			.goid = s->goid == TRACE_NO_GOROUTINE ? 0 : s->goid, .pprof_stack = pprof, .perf_stack = perf,
		};
	}
	p->rows[i].samples++;
	p->rows[i].late += late;
}

/* Of the event that counts time, and none of the measuring. */
static bool is_work(const struct pairing *w, const struct collect_sample *s)
{
	return s->event == w->c->main_event && w->p->perf.class_of[w->perf_rows[s->node]] != CLASS_SIGNAL;
}

/* Both lists are in order of time. */
static void pair_all(struct pairing *w)
{
	struct map64 last = MAP64_INIT; /* thread → index of its latest sample */
	size_t next = 0;

	for (size_t i = 0; i < w->t->nr_cpu_samples; i++) {
		const struct trace_cpu_sample *s = &w->t->cpu_samples[i];
		uint32_t at;

		if (s->time < w->c->time_first || s->time > w->c->time_last)
			continue;
		for (; next < w->c->nr_samples && w->c->samples[next].time <= s->time; next++)
			if (is_work(w, &w->c->samples[next]))
				map64_put(&last, w->c->samples[next].tid, (uint32_t)next);
		w->p->samples++;
		at = map64_get(&last, s->tid);
		if (at != MAP64_NONE && s->time - w->c->samples[at].time <= PAIRED_REACH_NS)
			add_pair(w, s, &w->c->samples[at]);
	}
	map64_release(&last);
}

static int by_samples(const void *a, const void *b)
{
	const struct paired_row *x = a, *y = b;

	if (x->samples != y->samples)
		return x->samples > y->samples ? -1 : 1;
	return x->pprof != y->pprof ? (x->pprof < y->pprof ? -1 : 1) : x->perf < y->perf ? -1 : x->perf > y->perf;
}

bool paired_make(struct paired *p, const struct collect *c, const struct profile *profile, const struct trace *t,
		 double pprof_period)
{
	struct profile written;
	struct pairing w = {.p = p, .c = c, .t = t};
	uint32_t *perf_rows, *pprof_rows;
	uint64_t preempted[2] = {0, 0};

	*p = (struct paired){.pprof_preemption = NAN, .perf_preemption = NAN};
	if (c->trace.unused || !c->nr_samples || !t->nr_cpu_samples)
		return false;
	profile_init(&written);
	w.pprof_rows = pprof_rows = stack_rows(&written, t);
	w.perf_rows = perf_rows = node_rows(profile);
	compare_stacks_make(&p->pprof, &written);
	compare_stacks_make(&p->perf, profile);
	profile_release(&written);
	pair_all(&w);
	free(pprof_rows);
	free(perf_rows);
	if (p->nr_rows)
		qsort(p->rows, p->nr_rows, sizeof(*p->rows), by_samples);
	for (size_t i = 0; i < p->nr_rows; i++) {
		preempted[0] += p->rows[i].pprof == CLASS_PREEMPTION ? p->rows[i].samples : 0;
		preempted[1] += p->rows[i].perf == CLASS_PREEMPTION ? p->rows[i].samples : 0;
	}
	if (p->pairs) {
		p->pprof_preemption = (double)preempted[0] / (double)p->pairs;
		p->perf_preemption = (double)preempted[1] / (double)p->pairs;
	}
	paired_find_misses(p, c, t, pprof_period);
	return true;
}

void paired_release(struct paired *p)
{
	compare_stacks_release(&p->perf);
	compare_stacks_release(&p->pprof);
	free(p->rows);
}
