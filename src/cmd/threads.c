#include "cmd/threads.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

static int by_thread(const void *a, const void *b)
{
	const struct collect_sample *x = *(const struct collect_sample *const *)a;
	const struct collect_sample *y = *(const struct collect_sample *const *)b;

	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	if (x->tid != y->tid)
		return x->tid < y->tid ? -1 : 1;
	if (x->time != y->time)
		return x->time < y->time ? -1 : 1;
	return x < y ? -1 : x > y; /* as they stand: in order of time, and of the file */
}

/* An event's second series carries its name. */
bool threads_sample_counts(const struct input *in, const struct collect_sample *s, size_t series)
{
	const struct profile *p = &in->profile;
	size_t weight = series | 1;

	return weight < p->nr_series && s->event < in->collect.nr_events &&
	       !strcmp(in->collect.events[s->event].name, profile_str(p, p->series[weight].type));
}

static const char *comm(struct threads *t, const struct input *in, uint32_t pid, uint32_t tid, uint64_t time)
{
	char buf[64];
	const struct session *s = in->collect.session;

	ALLOC_GROW(t->names, t->nr_names + 1, t->alloc_names);
	t->names[t->nr_names] = xstrdup(session_comm_text(s, session_comm(s, pid, tid, time), buf, sizeof(buf)));
	return t->names[t->nr_names++];
}

void threads_make(struct threads *t, const struct input *in, size_t series)
{
	const struct collect_sample **sorted;
	size_t alloc = 0, nr = 0;

	*t = (struct threads){0};
	if (in->kind != INPUT_PERF || in->filtered || !in->collect.nr_samples)
		return;
	sorted = xreallocarray(NULL, in->collect.nr_samples, sizeof(*sorted));
	for (size_t i = 0; i < in->collect.nr_samples; i++)
		if (threads_sample_counts(in, &in->collect.samples[i], series))
			sorted[nr++] = &in->collect.samples[i];
	qsort(sorted, nr, sizeof(*sorted), by_thread);
	t->samples = xcalloc(nr + 1, sizeof(*t->samples));
	for (size_t i = 0; i < nr; i++) {
		const struct collect_sample *s = sorted[i];

		if (!i || s->pid != sorted[i - 1]->pid || s->tid != sorted[i - 1]->tid) {
			ALLOC_GROW(t->threads, t->nr + 1, alloc);
			t->threads[t->nr++] = (struct firefox_thread){.pid = s->pid, .tid = s->tid, .first = i};
		}
		t->threads[t->nr - 1].nr++;
		t->samples[i] = (struct firefox_sample){
			.time = s->time > in->collect.time_first ? s->time - in->collect.time_first : 0,
			.weight = series & 1 ? s->weight : 1, .node = s->node,
		};
	}
	for (size_t i = 0; i < t->nr; i++) {
		struct firefox_thread *th = &t->threads[i];
		uint64_t time = sorted[th->first + th->nr - 1]->time;

		th->name = comm(t, in, th->pid, th->tid, time);
		th->process = comm(t, in, th->pid, th->pid, time);
	}
	free(sorted);
}

void threads_release(struct threads *t)
{
	for (size_t i = 0; i < t->nr_names; i++)
		free(t->names[i]);
	free(t->names);
	free(t->threads);
	free(t->samples);
}
