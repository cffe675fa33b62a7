/*
 * Whose a thread was, and what became of each goroutine.
 */
#include <stdlib.h>

#include "base/alloc.h"
#include "trace/internal.h"

uint32_t track_goroutine(struct trace *t, uint64_t goid)
{
	uint32_t i = map64_get(&t->goroutine_index, goid);

	if (i != MAP64_NONE)
		return i;
	ALLOC_GROW(t->goroutines, t->nr_goroutines + 1, t->alloc_goroutines);
	i = (uint32_t)t->nr_goroutines++;
	t->goroutines[i] = (struct trace_goroutine){.goid = goid};
	map64_put(&t->goroutine_index, goid, i);
	return i;
}

static void add_wait(struct trace *t, uint32_t goroutine, uint64_t time)
{
	const struct trace_goroutine *g = &t->goroutines[goroutine];
	uint64_t key = hash_u64((uint64_t)goroutine << 32 | g->wait_stack) + ((uint64_t)g->wait_why << 3 | g->state);
	uint32_t i = map64_get(&t->wait_index, key);

	if (i == MAP64_NONE) {
		ALLOC_GROW(t->waits, t->nr_waits + 1, t->alloc_waits);
		map64_put(&t->wait_index, key, i = (uint32_t)t->nr_waits++);
		t->waits[i] = (struct trace_wait){
			.goroutine = goroutine, .stack = g->wait_stack, .why = g->wait_why, .state = g->state,
		};
	}
	t->waits[i].time += time;
	t->waits[i].times++;
}

void track_state(struct trace *t, uint32_t goroutine, enum trace_state state, uint64_t time)
{
	struct trace_goroutine *g = &t->goroutines[goroutine];

	if (time > g->since && g->state != TRACE_GONE) {
		g->time[g->state] += time - g->since;
		if (g->state != TRACE_RUNNING)
			add_wait(t, goroutine, time - g->since);
	}
	if (g->state == TRACE_RUNNING)
		g->wait_stack = 0;
	g->wait_why = 0;
	g->since = time;
	g->state = (uint8_t)state;
}

void track_wait(struct trace *t, uint32_t goroutine, uint32_t stack, uint32_t why)
{
	t->goroutines[goroutine].wait_stack = stack;
	t->goroutines[goroutine].wait_why = why;
}

static struct trace_thread *find_thread(struct trace *t, uint64_t tid)
{
	uint32_t i = map64_get(&t->thread_index, tid);

	return i == MAP64_NONE ? NULL : &t->threads[i];
}

static struct trace_thread *make_thread(struct trace *t, uint64_t tid)
{
	struct trace_thread *found = find_thread(t, tid);

	if (found)
		return found;
	ALLOC_GROW(t->threads, t->nr_threads + 1, t->alloc_threads);
	map64_put(&t->thread_index, tid, (uint32_t)t->nr_threads);
	t->threads[t->nr_threads] = (struct trace_thread){.tid = tid};
	return &t->threads[t->nr_threads++];
}

static void close_span(struct trace_thread *th, uint64_t to)
{
	struct trace_span *s = &th->spans[th->nr - 1];

	s->to = to > s->from ? to : s->from;
	th->open = false;
	if (s->to == s->from)
		th->nr--;
}

void track_open(struct trace *t, uint64_t tid, uint32_t goroutine, enum trace_state state, uint64_t from)
{
	struct trace_thread *th = make_thread(t, tid);

	if (th->open) {
		const struct trace_span *s = &th->spans[th->nr - 1];

		/* what a new generation says again */
		if (s->goroutine == goroutine && s->state == state)
			return;
		close_span(th, from);
	}
	ALLOC_GROW(th->spans, th->nr + 1, th->alloc);
	th->spans[th->nr++] = (struct trace_span){.from = from, .to = from, .goroutine = goroutine, .state = (uint8_t)state};
	th->open = true;
}

void track_close(struct trace *t, uint64_t tid, uint64_t to)
{
	struct trace_thread *th = find_thread(t, tid);

	if (th && th->open)
		close_span(th, to);
}

void track_entry(struct trace *t, uint32_t goroutine, uint32_t stack)
{
	const struct trace_stack *s = &t->stacks[stack];

	/* stacks are cut at so many frames from the leaf */
	if (!t->goroutines[goroutine].entry && s->nr && s->nr < MAX_FRAMES)
		t->goroutines[goroutine].entry = t->frames[s->first + s->nr - 1].func;
}

static int by_time(const void *a, const void *b)
{
	const struct trace_span *x = a, *y = b;

	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	return x->to < y->to ? -1 : x->to > y->to;
}

static void put_in_order(struct trace_thread *th)
{
	bool sorted = true;
	size_t kept = 0;

	for (size_t i = 1; i < th->nr && sorted; i++)
		sorted = th->spans[i - 1].to <= th->spans[i].from;
	if (sorted)
		return;
	qsort(th->spans, th->nr, sizeof(*th->spans), by_time);
	for (size_t i = 0; i < th->nr; i++) {
		struct trace_span s = th->spans[i];

		if (i + 1 < th->nr && s.to > th->spans[i + 1].from)
			s.to = th->spans[i + 1].from;
		if (s.to > s.from)
			th->spans[kept++] = s;
	}
	th->nr = kept;
}

void track_finish(struct trace *t)
{
	for (size_t i = 0; i < t->nr_threads; i++) {
		struct trace_thread *th = &t->threads[i];

		if (th->open)
			close_span(th, t->to);
		put_in_order(th);
	}
	for (size_t i = 0; i < t->nr_goroutines; i++)
		track_state(t, (uint32_t)i, (enum trace_state)t->goroutines[i].state, t->to);
}

const struct trace_thread *trace_thread(const struct trace *t, uint64_t tid)
{
	uint32_t i = map64_get(&t->thread_index, tid);

	return i == MAP64_NONE ? NULL : &t->threads[i];
}

const struct trace_goroutine *trace_goroutine(const struct trace *t, uint64_t goid)
{
	uint32_t i = map64_get(&t->goroutine_index, goid);

	return i == MAP64_NONE ? NULL : &t->goroutines[i];
}

const struct trace_span *trace_last(const struct trace *t, uint64_t tid, uint64_t time)
{
	const struct trace_thread *th = trace_thread(t, tid);
	size_t low = 0, high = th ? th->nr : 0;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (th->spans[mid].from <= time)
			low = mid + 1;
		else
			high = mid;
	}
	return low ? &th->spans[low - 1] : NULL;
}

const struct trace_span *trace_running(const struct trace *t, uint64_t tid, uint64_t time)
{
	const struct trace_span *s = trace_last(t, tid, time);

	return s && time < s->to ? s : NULL;
}
