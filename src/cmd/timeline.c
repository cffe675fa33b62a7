#include "cmd/timeline.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"

#define SECOND UINT64_C(1000000000)

/* --- threads and goroutines ------------------------------------------------------------ */

struct thread {
	uint32_t pid, tid;
	uint64_t last; /* ns: the time of its last sample, for its name */
	uint32_t place;
};

static int by_ids(const void *a, const void *b)
{
	const struct thread *x = a, *y = b;

	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	return x->tid < y->tid ? -1 : x->tid > y->tid;
}

static const char *keep(struct timeline *t, const char *text)
{
	return arena_strndup(&t->strings, text, strlen(text));
}

static const char *thread_name(struct timeline *t, const struct session *s, const struct thread *th, bool processes)
{
	char buf[64], *text;
	const char *comm = session_comm_text(s, session_comm(s, th->pid, th->tid, th->last), buf, sizeof(buf)), *kept;

	text = processes ? xasprintf("%s %u/%u", comm, th->pid, th->tid) : xasprintf("%s %u", comm, th->tid);
	kept = keep(t, text);
	free(text);
	return kept;
}

/* The threads' names by process and thread; thread[i] becomes the index of sample i's. */
static void add_threads(struct timeline *t, const struct collect *c, uint32_t *thread)
{
	struct render_dimension *d = &t->dimensions[t->nr_dimensions++];
	struct map64 index = MAP64_INIT;
	struct thread *list = NULL;
	size_t nr = 0, alloc = 0;
	const char **names;
	uint32_t *place;

	for (size_t i = 0; i < c->nr_samples; i++) {
		const struct collect_sample *s = &c->samples[i];
		uint64_t key = (uint64_t)s->pid << 32 | s->tid;
		uint32_t at = map64_get(&index, key);

		if (at == MAP64_NONE) {
			ALLOC_GROW(list, nr + 1, alloc);
			at = (uint32_t)nr++;
			list[at] = (struct thread){s->pid, s->tid, 0, at};
			map64_put(&index, key, at);
		}
		thread[i] = at;
		list[at].last = s->time > list[at].last ? s->time : list[at].last;
	}
	if (nr)
		qsort(list, nr, sizeof(*list), by_ids);
	place = xreallocarray(NULL, nr + 1, sizeof(*place));
	names = arena_alloc(&t->strings, (nr + 1) * sizeof(*names));
	for (uint32_t i = 0; i < nr; i++) {
		place[list[i].place] = i;
		names[i] = thread_name(t, c->session, &list[i], list[0].pid != list[nr - 1].pid);
	}
	for (size_t i = 0; i < c->nr_samples; i++)
		thread[i] = place[thread[i]];
	*d = (struct render_dimension){"Thread", names, nr};
	map64_release(&index);
	free(place);
	free(list);
}

static const struct collect *sort_collect; /* qsort has no context */

static int by_goroutine_name(const void *a, const void *b)
{
	return strcmp(sort_collect->sample_goroutines[*(const uint32_t *)a],
		      sort_collect->sample_goroutines[*(const uint32_t *)b]);
}

/* Entry functions by name, without the word that roots begin with; place: where each came to stand. */
static void add_goroutines(struct timeline *t, const struct collect *c, uint32_t *place)
{
	static const char word[] = "goroutine ";
	struct render_dimension *d = &t->dimensions[t->nr_dimensions++];
	size_t nr = c->nr_sample_goroutines;
	uint32_t *order = xreallocarray(NULL, nr + 1, sizeof(*order));
	const char **names = arena_alloc(&t->strings, (nr + 1) * sizeof(*names));

	for (uint32_t i = 0; i < nr; i++)
		order[i] = i;
	sort_collect = c;
	if (nr)
		qsort(order, nr, sizeof(*order), by_goroutine_name);
	for (uint32_t i = 0; i < nr; i++) {
		const char *name = c->sample_goroutines[order[i]];

		place[order[i]] = i;
		names[i] = keep(t, strncmp(name, word, sizeof(word) - 1) ? name : name + sizeof(word) - 1);
	}
	*d = (struct render_dimension){"Goroutine", names, nr};
	free(order);
}

/* --- slots --------------------------------------------------------------------------------- */

/* Columns of a second, of 50 rows, as FlameScope has them; shorter and longer recordings have shorter and longer ones. */
static uint64_t slots_for(uint64_t duration, uint32_t *rows)
{
	static const uint64_t longer[] = {1, 2, 5, 10, 30, 60, 300, 600, 3600, 36000, 360000};
	uint64_t column = SECOND;

	*rows = 50;
	if (duration < 5 * SECOND) {
		*rows = 10;
		while (column > SECOND / 1000 && column > duration / 5)
			column /= 10;
		return column / *rows;
	}
	for (size_t i = 0; i < sizeof(longer) / sizeof(*longer); i++) {
		column = longer[i] * SECOND;
		if (duration / column <= 600)
			break;
	}
	return column / *rows;
}

static int by_place(const void *a, const void *b)
{
	const struct render_cell *x = a, *y = b;

	if (x->slot != y->slot)
		return x->slot < y->slot ? -1 : 1;
	if (x->node != y->node)
		return x->node < y->node ? -1 : 1;
	if (x->column != y->column)
		return x->column < y->column ? -1 : 1;
	for (size_t d = 0; d < RENDER_DIMENSIONS; d++)
		if (x->of[d] != y->of[d])
			return x->of[d] < y->of[d] ? -1 : 1;
	return 0;
}

/* In order, those of one place as one. */
static void join(struct timeline *t)
{
	size_t kept = 0;

	if (t->nr)
		qsort(t->cells, t->nr, sizeof(*t->cells), by_place);
	for (size_t i = 0; i < t->nr; i++) {
		if (kept && !by_place(&t->cells[kept - 1], &t->cells[i]))
			t->cells[kept - 1].value += t->cells[i].value;
		else
			t->cells[kept++] = t->cells[i];
	}
	t->nr = kept;
}

/* Longer slots: fewer rows, then longer columns; then nothing is told apart but by time. False: as few as can be. */
static bool coarsen(struct timeline *t)
{
	static const uint32_t rows[] = {50, 25, 10, 5, 1};
	uint32_t factor = 2;

	if (t->time.slots <= 1) {
		if (!t->nr_dimensions)
			return false;
		t->nr_dimensions--;
		for (size_t i = 0; i < t->nr; i++)
			t->cells[i].of[t->nr_dimensions] = 0;
		return true;
	}
	for (size_t i = 0; i + 1 < sizeof(rows) / sizeof(*rows); i++) {
		if (t->time.rows == rows[i]) {
			factor = rows[i] / rows[i + 1];
			t->time.rows = rows[i + 1];
			break;
		}
	}
	t->time.slot *= factor;
	t->time.slots = (t->time.slots + factor - 1) / factor;
	for (size_t i = 0; i < t->nr; i++)
		t->cells[i].slot /= factor;
	return true;
}

void timeline_make(struct timeline *t, const struct input *in, const uint32_t *of_node, const uint32_t *column,
		   const bool *weighted, size_t max)
{
	const struct collect *c = &in->collect;
	uint64_t first = UINT64_MAX, last = 0, slot;
	uint32_t *thread, *goroutine;

	*t = (struct timeline){0};
	if (in->kind != INPUT_PERF || !c->nr_samples)
		return;
	for (size_t i = 0; i < c->nr_samples; i++) {
		first = c->samples[i].time < first ? c->samples[i].time : first;
		last = c->samples[i].time > last ? c->samples[i].time : last;
	}
	slot = slots_for(last - first, &t->time.rows);
	t->time.slot = (double)slot / (double)SECOND;
	/* recordings without times have all samples at 0; beyond a century of seconds no slot helps */
	t->time.slots = (last - first) / slot < UINT32_MAX ? (uint32_t)((last - first) / slot) + 1 : 0;
	thread = xreallocarray(NULL, c->nr_samples, sizeof(*thread));
	goroutine = xreallocarray(NULL, c->nr_sample_goroutines + 1, sizeof(*goroutine));
	add_threads(t, c, thread);
	if (c->nr_sample_goroutines)
		add_goroutines(t, c, goroutine);
	t->cells = xreallocarray(NULL, c->nr_samples, sizeof(*t->cells));
	for (size_t i = 0; i < c->nr_samples; i++) {
		const struct collect_sample *s = &c->samples[i];
		uint32_t to = column[s->event];

		t->cells[t->nr++] = (struct render_cell){
			.slot = t->time.slots ? (uint32_t)((s->time - first) / slot) : 0,
			.node = of_node[s->node], .column = to,
			.of = {thread[i], c->nr_sample_goroutines ? goroutine[s->goroutine] : 0},
			.value = weighted[to] ? (double)s->weight : 1,
		};
	}
	free(thread);
	free(goroutine);
	join(t);
	while (t->nr > max && coarsen(t))
		join(t);
	if (last == first)
		t->time.slots = 0;
}

void timeline_release(struct timeline *t)
{
	free(t->cells);
	arena_release(&t->strings);
	*t = (struct timeline){0};
}
