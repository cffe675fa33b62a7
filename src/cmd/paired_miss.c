/*
 * Which run intervals of goroutines nobody sampled.
 */
#include <math.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "cmd/paired.h"

struct misses {
	const struct trace *t;
	uint64_t from, to;    /* what both speak of */
	bool **hit;	      /* per thread, per span */
	bool *seen, *ran;     /* per goroutine */
};

/* The part of a run interval within the window, ns. */
static uint64_t length(const struct misses *m, const struct trace_span *s)
{
	uint64_t from = s->from > m->from ? s->from : m->from, to = s->to < m->to ? s->to : m->to;

	return s->state == TRACE_RUNNING && to > from ? to - from : 0;
}

static void mark(const struct misses *m, uint64_t tid, uint64_t time)
{
	const struct trace_thread *th = trace_thread(m->t, tid);
	const struct trace_span *s = trace_running(m->t, tid, time);

	if (!s)
		return;
	m->hit[th - m->t->threads][s - th->spans] = true;
	m->seen[s->goroutine] = true;
}

static void clear(const struct misses *m)
{
	for (size_t i = 0; i < m->t->nr_threads; i++)
		for (size_t k = 0; k < m->t->threads[i].nr; k++)
			m->hit[i][k] = false;
	for (size_t i = 0; i < m->t->nr_goroutines; i++)
		m->seen[i] = false;
}

static void sum(const struct misses *m, double period, struct paired_miss *out)
{
	double all = 0, missed = 0, perfect = 0;

	for (size_t i = 0; i < m->t->nr_threads; i++) {
		for (size_t k = 0; k < m->t->threads[i].nr; k++) {
			double n = (double)length(m, &m->t->threads[i].spans[k]);

			all += n;
			missed += m->hit[i][k] ? 0 : n;
			perfect += n < period ? n * (1 - n / period) : 0;
		}
	}
	out->rate = all > 0 ? missed / all : NAN;
	out->perfect = all > 0 && period > 0 ? perfect / all : NAN;
}

/* Goroutines that ran, by entry function: how many have one that was seen, and how many none. */
static uint64_t count_entries(const struct misses *m, const bool *of)
{
	struct map64 entries = MAP64_INIT;
	uint64_t nr;

	for (size_t i = 0; i < m->t->nr_goroutines; i++)
		if (m->ran[i] && of[i] && m->t->goroutines[i].entry)
			map64_put(&entries, m->t->goroutines[i].entry, 1);
	nr = entries.nr;
	map64_release(&entries);
	return nr;
}

static void count_unseen(const struct misses *m, const struct paired *p, struct paired_miss *out)
{
	for (size_t i = 0; i < m->t->nr_goroutines; i++)
		out->goroutines += m->ran[i] && !m->seen[i];
	out->entries = p->entries - count_entries(m, m->seen);
}

static void find_runners(const struct misses *m, struct paired *p)
{
	for (size_t i = 0; i < m->t->nr_threads; i++)
		for (size_t k = 0; k < m->t->threads[i].nr; k++)
			if (length(m, &m->t->threads[i].spans[k]))
				m->ran[m->t->threads[i].spans[k].goroutine] = true;
	for (size_t i = 0; i < m->t->nr_goroutines; i++)
		p->goroutines += m->ran[i];
	p->entries = count_entries(m, m->ran);
}

/* Most samples of the clocks weigh their period. */
static double perf_period(const struct collect *c)
{
	uint64_t weight = 0, nr = 0;

	for (size_t i = 0; i < c->nr_samples; i++) {
		if (c->samples[i].event == c->main_event) {
			weight += c->samples[i].weight;
			nr++;
		}
	}
	return nr ? (double)weight / (double)nr : 0;
}

void paired_find_misses(struct paired *p, const struct collect *c, const struct trace *t, double pprof_period)
{
	struct misses m = {
		.t = t, .from = t->from > c->time_first ? t->from : c->time_first,
		.to = t->to < c->time_last ? t->to : c->time_last,
		.hit = xcalloc(t->nr_threads, sizeof(*m.hit)), .seen = xcalloc(t->nr_goroutines, sizeof(*m.seen)),
		.ran = xcalloc(t->nr_goroutines, sizeof(*m.ran)),
	};

	for (size_t i = 0; i < t->nr_threads; i++)
		m.hit[i] = xcalloc(t->threads[i].nr, sizeof(**m.hit));
	find_runners(&m, p);
	for (size_t i = 0; i < t->nr_cpu_samples; i++)
		mark(&m, t->cpu_samples[i].tid, t->cpu_samples[i].time);
	sum(&m, pprof_period, &p->pprof_miss);
	count_unseen(&m, p, &p->pprof_miss);
	clear(&m);
	for (size_t i = 0; i < c->nr_samples; i++)
		if (c->samples[i].event == c->main_event)
			mark(&m, c->samples[i].tid, c->samples[i].time);
	sum(&m, perf_period(c), &p->perf_miss);
	count_unseen(&m, p, &p->perf_miss);
	for (size_t i = 0; i < t->nr_threads; i++)
		free(m.hit[i]);
	free(m.hit);
	free(m.seen);
	free(m.ran);
}
