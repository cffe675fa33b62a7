/*
 * Bytes to batches to generations, and the merging of a generation's threads
 * (Go src/internal/trace/{batch,generation,batchcursor,reader}.go).
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "trace/internal.h"

#define HEADER_SIZE 16 /* "go 1.22 trace\0\0\0" */
/* Of traces by cputicks() another one, so that only CLOCK_MONOTONIC's are taken for it (runtime/tracetime.go). */
#define MONOTONIC_UNITS 15625000
/* A clock snapshot's two clocks are read one after the other, and a thread may lose its CPU in between. */
#define SNAPSHOT_NS 100000000
/* Events that cannot be next are tried again and again: in a trace that makes sense, seldom. */
#define FAILURES_PER_EVENT 64
#define FAILURES_FREE ((uint64_t)1 << 24)

int reader_fail(struct reader *r, uint64_t offset, const char *fmt, ...)
{
	char what[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	r->damage_offset = offset;
	return error_set(r->e, EXIT_CODE_INPUT, "%s: trace generation %" PRIu64 ": %s at offset %#" PRIx64, r->path,
			 r->generation, what, offset);
}

uint64_t reader_ns(const struct reader *r, uint64_t units)
{
	double ns = (double)units * r->unit;

	return ns < (double)INT64_MAX ? (uint64_t)ns : INT64_MAX;
}

/* --- header -------------------------------------------------------------------------------- */

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

/* 0: no trace; else the minor version. */
static unsigned header_version(const uint8_t *p, size_t size)
{
	static const char tail[] = " trace\0\0"; /* and one NUL more */
	unsigned version = 0;
	size_t at = 5;

	if (size < HEADER_SIZE || memcmp(p, "go 1.", at) != 0)
		return 0;
	for (; at < 7 && is_digit(p[at]); at++)
		version = version * 10 + (p[at] - '0');
	return at > 5 && !memcmp(p + at, tail, sizeof(tail)) ? version : 0;
}

bool trace_recognise(const void *data, size_t size)
{
	return header_version(data, size) > 0;
}

static int read_header(struct reader *r)
{
	const uint8_t *p = cursor_take(&r->c, HEADER_SIZE);
	unsigned v = p ? header_version(p, HEADER_SIZE) : 0;

	if (!v)
		return error_set(r->e, EXIT_CODE_INPUT, "%s: no Go execution trace, in its header at offset 0", r->path);
	if (v < 22)
		return error_set(r->e, EXIT_CODE_INPUT,
				 "%s: a Go execution trace of the old format (v1, \"go 1.%u trace\"), in its header at offset 0: only v2, of Go 1.22 and later, is read",
				 r->path, v);
	if (v != 22 && v != 23 && v != 25 && v != 26)
		return error_set(r->e, EXIT_CODE_INPUT,
				 "%s: a Go execution trace of an unknown version (\"go 1.%u trace\"), in its header at offset 0", r->path, v);
	r->t->version = v;
	return 0;
}

/* --- batches ------------------------------------------------------------------------------- */

enum batch_result { BATCH_BROKEN = -1, BATCH_NONE, BATCH_READ, BATCH_END /* of a generation */ };

static enum batch_result broken_batch(struct reader *r, uint64_t offset, const char *what)
{
	if (r->c.failed && cursor_left(&r->c) < MAX_BATCH)
		r->damage = DAMAGE_TRACE_CUT;
	reader_fail(r, offset, "%s", what);
	return BATCH_BROKEN;
}

static enum batch_result read_batch(struct reader *r, struct batch *b, uint64_t *generation, bool *experimental)
{
	struct cursor *c = &r->c;
	uint64_t offset = cursor_offset(c), size;
	uint8_t type;

	*generation = 0;
	*experimental = false;
	if (!cursor_left(c))
		return BATCH_NONE;
	type = cursor_u8(c);
	r->t->events[type]++;
	if (type == EV_END_OF_GENERATION)
		return BATCH_END;
	if (type != EV_BATCH && type != EV_EXPERIMENTAL_BATCH) {
		r->t->events[type]--;
		reader_fail(r, offset, "expected batch event, got event %u", type);
		return BATCH_BROKEN;
	}
	if (type == EV_EXPERIMENTAL_BATCH)
		*experimental = cursor_u8(c) != 0;
	*generation = cursor_uleb(c);
	*b = (struct batch){0};
	b->thread = cursor_uleb(c);
	b->time = cursor_uleb(c);
	size = cursor_uleb(c);
	if (c->failed)
		return broken_batch(r, offset, "header of a batch that is cut short");
	if (size > MAX_BATCH) {
		reader_fail(r, offset, "invalid batch size %" PRIu64 ", maximum is %d", size, MAX_BATCH);
		return BATCH_BROKEN;
	}
	b->offset = cursor_offset(c);
	b->size = (size_t)size;
	b->data = cursor_take(c, b->size);
	if (c->failed)
		return broken_batch(r, offset, "batch that is cut short");
	return BATCH_READ;
}

static void add_batch(struct reader *r, struct batch *b)
{
	uint32_t i = map64_get(&r->stream_index, b->thread);
	struct stream *s;

	ALLOC_GROW(r->batches, r->nr_batches + 1, r->alloc_batches);
	r->batches[r->nr_batches++] = *b;
	if (i == MAP64_NONE) {
		ALLOC_GROW(r->streams, r->nr_streams + 1, r->alloc_streams);
		i = (uint32_t)r->nr_streams++;
		r->streams[i] = (struct stream){.thread = b->thread};
		map64_put(&r->stream_index, b->thread, i);
	}
	s = &r->streams[i];
	if (s->last)
		r->batches[s->last - 1].next = (uint32_t)r->nr_batches;
	else
		s->first = (uint32_t)r->nr_batches;
	s->last = (uint32_t)r->nr_batches;
}

static int take_batch(struct reader *r, struct batch *b, bool experimental)
{
	int taken = 1;

	if (!experimental) {
		taken = tables_take(r, b);
		if (taken < 0)
			return -1;
	}
	if (!r->min_time || b->time < r->min_time)
		r->min_time = b->time;
	if (!taken) {
		if (!r->min_event_time || b->time < r->min_event_time)
			r->min_event_time = b->time;
		add_batch(r, b);
	}
	return 0;
}

static void clear_generation(struct reader *r)
{
	tables_clear(&r->tables);
	map64_release(&r->stream_index);
	r->nr_batches = r->nr_streams = 0;
	r->min_time = r->min_event_time = 0;
	r->generation = 0;
}

/* --- generations ---------------------------------------------------------------------------- */

/* Batches up to the end of the generation: an event since 1.26, before that the first batch of the next. */
enum generation_result { GENERATION_BROKEN = -1, GENERATION_NONE, GENERATION_READ };

static enum generation_result read_batches(struct reader *r)
{
	bool marked = r->t->version >= 26;

	for (;;) {
		struct cursor before = r->c;
		uint64_t generation, offset = cursor_offset(&r->c);
		struct batch b;
		bool experimental;
		enum batch_result got = read_batch(r, &b, &generation, &experimental);

		if (got == BATCH_NONE) {
			if (!marked)
				return GENERATION_READ;
			if (!r->generation)
				return GENERATION_NONE;
			r->damage = DAMAGE_TRACE_CUT;
			reader_fail(r, offset, "incomplete generation; the trace is cut short");
			return GENERATION_BROKEN;
		}
		if (got == BATCH_BROKEN) {
			/* before 1.26 that may be the next generation's first batch */
			if (marked || !r->generation)
				return GENERATION_BROKEN;
			r->spilled = *r->e;
			return GENERATION_READ;
		}
		if (got == BATCH_END && marked)
			return GENERATION_READ;
		if (!generation) {
			reader_fail(r, offset, "invalid generation number 0");
			return GENERATION_BROKEN;
		}
		if (!marked && r->generation && generation == r->generation + 1) {
			r->c = before; /* read again as the next one's first */
			r->t->events[*before.p]--;
			r->more = true;
			return GENERATION_READ;
		}
		if (r->generation && generation != r->generation) {
			reader_fail(r, offset, "generations out of order: a batch of %" PRIu64, generation);
			return GENERATION_BROKEN;
		}
		r->generation = generation;
		if (take_batch(r, &b, experimental) < 0)
			return GENERATION_BROKEN;
	}
}

static int check_clocks(struct reader *r, uint64_t offset)
{
	const struct tables *tab = &r->tables;
	struct trace *t = r->t;
	uint64_t ns;

	if (!tab->units)
		return reader_fail(r, offset, "no frequency event found");
	if (t->version >= 25 && !tab->has_snapshot)
		return reader_fail(r, offset, "no clock snapshot event found");
	r->unit = 1.0 / ((double)tab->units / 1e9);
	if (r->first) {
		t->units = tab->units;
		t->monotonic = true;
		t->from = t->to = reader_ns(r, r->min_event_time);
	}
	t->monotonic = t->monotonic && tab->units == MONOTONIC_UNITS;
	if (tab->has_snapshot) {
		ns = reader_ns(r, tab->snapshot_time);
		t->monotonic = t->monotonic && ns < tab->snapshot_mono + SNAPSHOT_NS &&
			       tab->snapshot_mono < add_time(ns, SNAPSHOT_NS);
		t->has_wall = true;
		t->wall_offset = (int64_t)(tab->snapshot_sec * 1000000000 + tab->snapshot_nsec - tab->snapshot_mono);
	}
	return 0;
}

/* What came before the file was cut, or is broken, is still a generation before 1.26 (reader.go, spillErr). */
static enum generation_result read_generation(struct reader *r)
{
	uint64_t begin = cursor_offset(&r->c);
	enum generation_result result;

	clear_generation(r);
	r->more = false;
	result = read_batches(r);
	if (result != GENERATION_READ)
		return result;
	if (check_clocks(r, begin) < 0 || tables_check(r) < 0)
		return GENERATION_BROKEN;
	return GENERATION_READ;
}

/* --- streams ---------------------------------------------------------------------------------- */

/* Reads a thread's next event into s->ev: 1, 0 at its end, -1 with *r->e. */
static int next_event(struct reader *r, struct stream *s)
{
	const struct event_spec *spec;

	while (!s->started || (s->at && !cursor_left(&s->c))) {
		const struct batch *b;

		s->at = s->started ? r->batches[s->at - 1].next : s->first;
		s->started = true;
		if (!s->at)
			break;
		b = &r->batches[s->at - 1];
		s->c = cursor_make(b->data, b->size, b->offset, false);
		s->last_time = reader_ns(r, b->time);
	}
	if (!s->at)
		return 0;
	s->ev.offset = cursor_offset(&s->c);
	s->ev.type = cursor_u8(&s->c);
	spec = &event_specs[s->ev.type];
	if (!spec->timed)
		return reader_fail(r, s->ev.offset, "%s (type %u) in the events of a thread",
				   spec->name ? spec->name : "invalid event", s->ev.type);
	s->ev.time = add_time(s->last_time, reader_ns(r, cursor_uleb(&s->c)));
	for (unsigned i = 0; i < spec->nr_args; i++)
		s->ev.args[i] = cursor_uleb(&s->c);
	if (s->c.failed)
		return reader_fail(r, s->ev.offset, "%s that is cut short", spec->name);
	s->last_time = s->ev.time;
	r->t->events[s->ev.type]++;
	return 1;
}

/* A heap of streams by the time of their next event, as Go's, so that equal times come in the same order. */
struct heap {
	struct stream **list;
	size_t nr;
};

static bool later(const struct stream *a, const struct stream *b)
{
	return a->ev.time > b->ev.time;
}

static void swap(struct heap *h, size_t i, size_t k)
{
	struct stream *s = h->list[i];

	h->list[i] = h->list[k];
	h->list[k] = s;
}

static size_t sift_up(struct heap *h, size_t i)
{
	for (; i && later(h->list[(i - 1) / 2], h->list[i]); i = (i - 1) / 2)
		swap(h, i, (i - 1) / 2);
	return i;
}

static void sift_down(struct heap *h, size_t i)
{
	for (;;) {
		size_t least = i;

		for (size_t k = 2 * i + 1; k <= 2 * i + 2 && k < h->nr; k++)
			if (later(h->list[least], h->list[k]))
				least = k;
		if (least == i)
			return;
		swap(h, i, least);
		i = least;
	}
}

static void heap_update(struct heap *h, size_t i)
{
	if (sift_up(h, i) == i)
		sift_down(h, i);
}

static void heap_remove(struct heap *h, size_t i)
{
	for (; i; i = (i - 1) / 2)
		swap(h, i, (i - 1) / 2);
	swap(h, 0, --h->nr);
	sift_down(h, 0);
}

static int by_event_time(const void *a, const void *b)
{
	const struct stream *x = *(struct stream *const *)a, *y = *(struct stream *const *)b;

	if (x->ev.time != y->ev.time)
		return x->ev.time < y->ev.time ? -1 : 1;
	return x < y ? -1 : x > y;
}

/* Go sorts so few by insertion: equal times stay in their order. */
#define SORTED_BY_INSERTION 12

static void sort_heap(struct heap *h)
{
	if (h->nr > SORTED_BY_INSERTION) {
		qsort(h->list, h->nr, sizeof(struct stream *), by_event_time);
		return;
	}
	for (size_t i = 1; i < h->nr; i++)
		for (size_t k = i; k && later(h->list[k - 1], h->list[k]); k--)
			swap(h, k, k - 1);
}

/* Tries the event of one stream, and reads the next when it was its turn. */
static int try(struct reader *r, struct heap *h, size_t i)
{
	struct stream *s = h->list[i];
	int result = order_advance(r, s);

	if (result <= 0)
		return result;
	result = next_event(r, s);
	if (result > 0)
		heap_update(h, i);
	else if (!result)
		heap_remove(h, i);
	return result < 0 ? -1 : 1;
}

/* The earliest event whose turn it can be. 0, or -1 with *r->e. */
static int advance(struct reader *r, struct heap *h)
{
	int done = try(r, h, 0);

	if (done)
		return done < 0 ? -1 : 0;
	sort_heap(h);
	for (size_t i = 0; i < h->nr && !done; i++) {
		done = try(r, h, i);
		r->failures += !done;
	}
	if (done)
		r->advanced++;
	if (done > 0 && r->failures <= FAILURES_FREE + FAILURES_PER_EVENT * r->advanced)
		return 0;
	if (!done) {
		r->damage = DAMAGE_TRACE_ORDER;
		reader_fail(r, h->list[0]->ev.offset, "failed to advance: no thread's next event can come next; the first is %s of thread %" PRId64,
			    event_specs[h->list[0]->ev.type].name, (int64_t)h->list[0]->thread);
	} else if (done > 0) {
		reader_fail(r, h->list[0]->ev.offset, "events of %zu threads out of order again and again", h->nr);
		r->e->code = EXIT_CODE_LIMIT;
	}
	return -1;
}

/* --- CPU samples ------------------------------------------------------------------------------- */

static int by_sample_time(const void *a, const void *b)
{
	const struct trace_cpu_sample *x = a, *y = b;

	if (x->time != y->time)
		return x->time < y->time ? -1 : 1;
	if (x->tid != y->tid)
		return x->tid < y->tid ? -1 : 1;
	return x->stack < y->stack ? -1 : x->stack > y->stack;
}

static void sort_samples(struct reader *r)
{
	struct tables *tab = &r->tables;

	for (size_t i = 0; i < tab->nr_samples; i++) {
		tab->samples[i].time = reader_ns(r, tab->samples[i].time);
		tab->samples[i].stack = tables_stack(r, tab->sample_stacks[i]);
	}
	if (tab->nr_samples)
		qsort(tab->samples, tab->nr_samples, sizeof(*tab->samples), by_sample_time);
}

static void take_sample(struct reader *r, const struct trace_cpu_sample *s)
{
	struct trace *t = r->t;

	ALLOC_GROW(t->cpu_samples, t->nr_cpu_samples + 1, t->alloc_cpu_samples);
	t->cpu_samples[t->nr_cpu_samples++] = *s;
	t->kinds[TRACE_STACK_SAMPLE]++;
	r->last = s->time > r->last ? s->time : add_time(r->last, 1);
	t->to = r->last;
}

/* --- the whole ----------------------------------------------------------------------------------- */

/* Counts what is left of a broken generation, so that events[] is what the file holds. */
static void count_rest(struct reader *r)
{
	struct error *e = r->e, ignored;
	uint64_t offset = r->damage_offset;

	r->e = &ignored;
	for (size_t i = 0; i < r->nr_streams; i++)
		while (next_event(r, &r->streams[i]) > 0)
			;
	r->e = e;
	r->damage_offset = offset;
}

static int order_generation(struct reader *r)
{
	struct heap h = {.list = xreallocarray(NULL, r->nr_streams, sizeof(struct stream *))};
	const struct tables *tab = &r->tables;
	size_t sample = 0;
	int result = 0;

	sort_samples(r);
	for (size_t i = 0; i < r->nr_streams && !result; i++) {
		int got = next_event(r, &r->streams[i]);

		if (got < 0)
			result = -1;
		if (got > 0) {
			h.list[h.nr++] = &r->streams[i];
			sift_up(&h, h.nr - 1);
		}
	}
	while (!result && (h.nr || sample < tab->nr_samples)) {
		if (sample < tab->nr_samples && (!h.nr || tab->samples[sample].time < h.list[0]->ev.time))
			take_sample(r, &tab->samples[sample++]);
		else
			result = advance(r, &h);
	}
	if (result < 0)
		count_rest(r);
	free(h.list);
	return result;
}

/* Go's reader shows each generation's beginning as an event. */
static void begin_generation(struct reader *r)
{
	uint64_t time = reader_ns(r, r->min_time);

	r->t->kinds[TRACE_SYNC]++;
	r->last = time > r->last ? time : add_time(r->last, 1);
	if (r->first)
		r->began = r->last;
}

/* All generations, until the end or what is wrong with the first that is broken: 0 or -1 with *r->e. */
static int read_all(struct reader *r)
{
	for (;;) {
		enum generation_result got = read_generation(r);

		if (got != GENERATION_READ) {
			r->t->kinds[TRACE_SYNC]++;
			return got == GENERATION_BROKEN ? -1 : 0;
		}
		begin_generation(r);
		if (order_generation(r) < 0)
			return -1;
		r->t->generations++;
		r->first = !r->ordered;
		if (r->spilled.text[0]) {
			*r->e = r->spilled;
			r->t->kinds[TRACE_SYNC]++;
			return -1;
		}
		if (r->t->version < 26 && !r->more) {
			r->t->kinds[TRACE_SYNC]++;
			return 0;
		}
	}
}

int trace_read(struct trace *t, const void *data, size_t size, const char *path, struct error *e)
{
	struct reader r = {
		.t = t, .path = path, .c = cursor_make(data, size, 0, false), .e = e, .first = true,
		.damage = DAMAGE_TRACE_BATCH,
	};
	int result;

	*t = (struct trace){.nr_stacks = 1, .alloc_stacks = 1, .stacks = xcalloc(1, sizeof(*t->stacks))};
	strtab_init(&t->strings);
	if (read_header(&r) < 0)
		return -1;
	r.order = order_new();
	result = read_all(&r);
	if (!result && !t->generations)
		result = error_set(e, EXIT_CODE_INPUT, "%s: a trace without events, which end at offset %zu", path, size);
	if (result < 0 && t->generations) {
		damage_add(&t->damage, r.damage, r.damage_offset);
		t->broken = *e;
		t->broken.code = EXIT_CODE_DAMAGED;
		result = 0;
	}
	track_finish(t);
	if (t->nr_cpu_samples)
		qsort(t->cpu_samples, t->nr_cpu_samples, sizeof(*t->cpu_samples), by_sample_time);
	order_free(r.order);
	clear_generation(&r);
	free(r.batches);
	free(r.streams);
	return result;
}

void trace_release(struct trace *t)
{
	for (size_t i = 0; i < t->nr_threads; i++)
		free(t->threads[i].spans);
	strtab_release(&t->strings);
	free(t->frames);
	free(t->stacks);
	free(t->threads);
	free(t->goroutines);
	free(t->cpu_samples);
	free(t->pauses);
	free(t->waits);
	map64_release(&t->wait_index);
	free(t->collections);
	map64_release(&t->thread_index);
	map64_release(&t->goroutine_index);
	*t = (struct trace){0};
}
