/*
 * Samples charged by an execution trace, and pprof's samples in it paired with perf's.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/paired.h"
#include "collect/collect.h"
#include "reading.h"
#include "suite.h"
#include "tracefile.h"

#define U(x) UINT64_C(x)
#define MONOTONIC 1 /* clockid_t */

/* Seen on thread `tid` of process 7 at so many units of 64 ns. */
static void sample_at(struct build *b, uint32_t pid, uint32_t tid, uint64_t units)
{
	record_begin(b, PERF_RECORD_SAMPLE, 2); /* user mode */
	put64(b, 0x1000);
	put32(b, pid), put32(b, tid);
	put64(b, units * 64);
	record_end(b);
}

struct at {
	uint32_t pid, tid;
	uint64_t units;
};

static char *write_recording(uint32_t clockid, uint64_t flags, const struct at *list, size_t nr)
{
	struct build_attr attr = basic;
	struct build b = {0};
	char *path = strdup("/tmp/perfskew-traced-XXXXXX");
	int fd = mkstemp(path);

	attr.flags |= flags;
	attr.clockid = clockid;
	file_begin(&b, &attr, 1);
	for (size_t i = 0; i < nr; i++)
		sample_at(&b, list[i].pid, list[i].tid, list[i].units);
	file_end(&b, NULL, 0);
	CU_ASSERT_FATAL(fd >= 0);
	CU_ASSERT_EQUAL_FATAL(write(fd, b.data, b.nr), (ssize_t)b.nr);
	close(fd);
	build_free(&b);
	return path;
}

static void collect(struct collect *c, const struct trace *t, const char *path)
{
	struct collect_options opts = {.by = COLLECT_BY_GOROUTINE_ID, .trace = t, .no_comm = true, .jobs = 2};
	struct error e;

	CU_ASSERT_EQUAL_FATAL(collect_run(c, path, -1, NULL, 0, &opts, &e), 0);
}

static uint64_t samples_of(const struct collect *c, const char *name)
{
	for (size_t i = 0; i < c->nr_goroutines; i++)
		if (!strcmp(profile_str(&c->profile, c->goroutines[i].name), name))
			return c->goroutines[i].samples;
	return 0;
}

static void read_sample_trace(struct trace *t)
{
	struct build b = {0};
	struct error e;

	sample_trace(&b, 26);
	CU_ASSERT_EQUAL_FATAL(trace_read(t, b.data, b.nr, "t", &e), 0);
	build_free(&b);
}

/* See sample_trace() for who has which thread when. */
static void charged(void)
{
	static const struct at list[] = {
		{7, 7, 990},  /* before the trace */
		{7, 7, 1001}, {7, 7, 1019}, /* goroutine 1 */
		{7, 7, 1025}, /* none */
		{7, 7, 1030}, {7, 7, 1045}, {7, 7, 1059}, /* 2, in the middle in a system call */
		{7, 8, 1050}, /* not yet */
		{7, 8, 1052}, {7, 8, 1071}, /* 1, on another thread */
		{7, 7, 1061}, /* 2 has ended */
		{9, 9, 1030}, /* another process */
		{7, 7, 1090}, /* after the trace */
	};
	char *path = write_recording(MONOTONIC, FLAG_CLOCKID, list, sizeof(list) / sizeof(*list));
	struct collect c;
	struct trace t;

	read_sample_trace(&t);
	collect(&c, &t, path);
	CU_ASSERT_PTR_NULL(c.trace.unused);
	CU_ASSERT_EQUAL(samples_of(&c, "goroutine main.main 1"), 4);
	CU_ASSERT_EQUAL(samples_of(&c, "goroutine main.worker 2"), 3);
	CU_ASSERT_EQUAL(samples_of(&c, "[no goroutine]"), 6);
	CU_ASSERT_EQUAL(c.trace.samples, 7);
	CU_ASSERT_EQUAL(c.trace.charged, 7);
	CU_ASSERT_EQUAL(c.trace.goids, 2);
	CU_ASSERT_EQUAL(c.goroutine_sources[GOROUTINE_BY_TRACE], 7);
	collect_release(&c);
	trace_release(&t);
	unlink(path);
	free(path);
}

static void expect_unused(uint32_t clockid, uint64_t flags, const struct at *list, size_t nr, const char *words)
{
	char *path = write_recording(clockid, flags, list, nr);
	struct collect c;
	struct trace t;

	read_sample_trace(&t);
	collect(&c, &t, path);
	CU_ASSERT_PTR_NOT_NULL_FATAL(c.trace.unused);
	CU_ASSERT_PTR_NOT_NULL(strstr(c.trace.unused, words));
	CU_ASSERT_EQUAL(c.goroutine_sources[GOROUTINE_BY_TRACE], 0);
	CU_ASSERT_EQUAL(samples_of(&c, "goroutine main.main 1"), 0);
	collect_release(&c);
	trace_release(&t);
	unlink(path);
	free(path);
}

/* Who had thread 10 last, by goid; 0 nobody. */
static uint64_t last_goid(const struct trace *t, uint64_t tid, uint64_t time)
{
	const struct trace_span *s = trace_last(t, tid, time);

	return s ? t->goroutines[s->goroutine].goid : 0;
}

/* In any order, of two processes; a span lasts until the next, the last one to the end. */
static void switches(void)
{
	struct trace_switch list[] = {
		{.time = 500, .g = 0xb, .goid = 2, .pid = 7, .tid = 10},
		{.time = 100, .g = 0xa, .goid = 1, .pid = 7, .tid = 10},
		{.time = 300, .g = 0xa, .goid = 1, .pid = 7, .tid = 10}, /* its stack has grown */
		{.time = 400, .g = 0xa, .goid = 9, .pid = 8, .tid = 10},
		{.time = 600, .g = 0xa, .goid = 3, .pid = 7, .tid = 11}, /* 1 has ended, its g is another's */
	};
	struct trace t;

	trace_of_switches(&t, list, sizeof(list) / sizeof(*list), 1000);
	CU_ASSERT_TRUE(t.open_ended);
	CU_ASSERT_EQUAL(t.from, 100);
	CU_ASSERT_EQUAL(t.to, 1000);
	CU_ASSERT_EQUAL(t.nr_goroutines, 3);
	CU_ASSERT_EQUAL(last_goid(&t, 10, 99), 0);
	CU_ASSERT_EQUAL(last_goid(&t, 10, 100), 1);
	CU_ASSERT_EQUAL(last_goid(&t, 10, 499), 1);
	CU_ASSERT_EQUAL(last_goid(&t, 10, 500), 2);
	CU_ASSERT_EQUAL(last_goid(&t, 10, 999), 2);
	CU_ASSERT_EQUAL(last_goid(&t, 11, 700), 3);
	CU_ASSERT_EQUAL(trace_goroutine(&t, 1)->g, 0xa);
	CU_ASSERT_EQUAL(trace_goroutine(&t, 3)->g, 0xa);
	CU_ASSERT_PTR_NULL(trace_goroutine(&t, 9));
	CU_ASSERT_EQUAL(trace_thread(&t, 10)->nr, 2);
	trace_release(&t);
}

/* Nothing is charged by guess. */
static void nothing_in_common(void)
{
	static const struct at same[] = {{7, 7, 1010}, {7, 8, 1060}};
	static const struct at later[] = {{7, 7, 2010}, {7, 8, 2060}};
	static const struct at other[] = {{7, 17, 1010}, {7, 18, 1060}};

	expect_unused(0, 0, same, 2, "not of CLOCK_MONOTONIC");
	expect_unused(4, FLAG_CLOCKID, same, 2, "not of CLOCK_MONOTONIC"); /* CLOCK_MONOTONIC_RAW */
	expect_unused(MONOTONIC, FLAG_CLOCKID, later, 2, "other seconds");
	expect_unused(MONOTONIC, FLAG_CLOCKID, other, 2, "none of its threads");
}

/* --- pairs ------------------------------------------------------------------------------------ */

static uint32_t add_stack(struct profile *p, size_t series, const char *root, const char *leaf)
{
	struct profile_frame f = {.name = strtab_add(&p->strings, root), .kind = FRAME_USER, .go = true};
	uint32_t node = profile_add_node(p, 0, profile_add_frame(p, &f));

	f.name = strtab_add(&p->strings, leaf);
	node = profile_add_node(p, node, profile_add_frame(p, &f));
	profile_add_value(p, profile_add_row(p, node, 0), series, 1);
	return node;
}

static uint32_t trace_stack_of(struct trace *t, const char *root, const char *leaf)
{
	t->frames = realloc(t->frames, (t->nr_frames + 2) * sizeof(*t->frames));
	t->stacks = realloc(t->stacks, (t->nr_stacks + 1) * sizeof(*t->stacks));
	t->stacks[t->nr_stacks] = (struct trace_stack){(uint32_t)t->nr_frames, 2};
	t->frames[t->nr_frames++] = (struct trace_frame){.func = strtab_add(&t->strings, leaf)};
	t->frames[t->nr_frames++] = (struct trace_frame){.func = strtab_add(&t->strings, root)};
	return (uint32_t)t->nr_stacks++;
}

static const struct paired_row *row_of(const struct paired *p, enum compare_class pprof, enum compare_class perf)
{
	for (size_t i = 0; i < p->nr_rows; i++)
		if (p->rows[i].pprof == pprof && p->rows[i].perf == perf)
			return &p->rows[i];
	return NULL;
}

#define MS U(1000000)

/*
 * 100 ms in which perf saw thread 7 work each ms, up to 40 and from 80 on; pprof wrote main.work every 10 ms
 * up to 40, then the preemption of it at 79, and at 90 the scheduler. Thread 9 is unknown to perf.
 */
static void pairs(void)
{
	struct collect_sample samples[128];
	struct trace_cpu_sample written[8];
	struct collect c = {.samples = samples, .time_first = MS, .time_last = 100 * MS};
	struct profile p;
	struct trace t = {.nr_stacks = 1, .stacks = calloc(1, sizeof(*t.stacks)), .cpu_samples = written};
	struct paired out;
	const struct paired_row *row;
	uint32_t work, handler, user, preempted, scheduler;
	size_t series;

	strtab_init(&t.strings);
	profile_init(&p);
	series = profile_add_series(&p, "samples", "count");
	work = add_stack(&p, series, "main.main", "main.work");
	handler = add_stack(&p, series, "runtime.sigtramp", "runtime.sighandler");
	user = trace_stack_of(&t, "main.main", "main.work");
	preempted = trace_stack_of(&t, "main.work", "runtime.asyncPreempt");
	scheduler = trace_stack_of(&t, "runtime.mcall", "runtime.schedule");
	for (uint64_t ms = 1; ms <= 100; ms++)
		if (ms <= 40 || ms >= 80)
			samples[c.nr_samples++] = (struct collect_sample){.time = ms * MS, .node = work, .tid = 7, .weight = MS};
	/* the handler itself is not what the thread did */
	samples[40 - 1].node = handler;
	for (uint64_t i = 1; i <= 4; i++)
		written[t.nr_cpu_samples++] = (struct trace_cpu_sample){i * 10 * MS + 5, 7, 3, user};
	written[t.nr_cpu_samples++] = (struct trace_cpu_sample){79 * MS, 7, 3, preempted};
	written[t.nr_cpu_samples++] = (struct trace_cpu_sample){90 * MS + 5, 7, TRACE_NO_GOROUTINE, scheduler};
	written[t.nr_cpu_samples++] = (struct trace_cpu_sample){91 * MS, 9, 4, user};
	written[t.nr_cpu_samples++] = (struct trace_cpu_sample){200 * MS, 7, 3, user}; /* perf had ended */

	CU_ASSERT_TRUE(paired_make(&out, &c, &p, &t, 10.0 * MS));
	CU_ASSERT_EQUAL(out.samples, 7);
	CU_ASSERT_EQUAL(out.pairs, 6);
	CU_ASSERT_EQUAL(out.late, 1);
	CU_ASSERT_EQUAL(out.same_function, 4);
	CU_ASSERT_EQUAL(out.nr_rows, 3);
	CU_ASSERT_EQUAL(out.rows[0].samples, 4);
	row = row_of(&out, CLASS_PREEMPTION, CLASS_USER);
	CU_ASSERT_PTR_NOT_NULL_FATAL(row);
	CU_ASSERT_EQUAL(row->samples, 1);
	CU_ASSERT_EQUAL(row->late, 1);
	CU_ASSERT_EQUAL(row->distance, 40 * MS); /* from 39 ms, before the handler */
	CU_ASSERT_EQUAL(row->goid, 3);
	CU_ASSERT_STRING_EQUAL(paired_leaf(&out.pprof, row->pprof_stack), "runtime.asyncPreempt");
	CU_ASSERT_STRING_EQUAL(paired_leaf(&out.perf, row->perf_stack), "main.work");
	row = row_of(&out, CLASS_SCHEDULER, CLASS_USER);
	CU_ASSERT_PTR_NOT_NULL_FATAL(row);
	CU_ASSERT_EQUAL(row->late, 0);
	CU_ASSERT_EQUAL(row->goid, 0);
	CU_ASSERT_DOUBLE_EQUAL(out.pprof_preemption, 1.0 / 6, 1e-12);
	CU_ASSERT_DOUBLE_EQUAL(out.perf_preemption, 0, 1e-12);
	paired_release(&out);
	/* nothing to pair: no sample of the profiler's */
	t.nr_cpu_samples = 0;
	CU_ASSERT_FALSE(paired_make(&out, &c, &p, &t, 10.0 * MS));
	paired_release(&out);
	profile_release(&p);
	t.cpu_samples = NULL;
	trace_release(&t);
}

/* In the sample trace: run intervals of 20, 10 and 10 units on one thread, and of 20 on the other. */
static void misses(void)
{
	struct collect_sample samples[] = {{.time = 1050 * 64 + 1, .tid = 7, .weight = 40 * 64}};
	struct collect c = {.samples = samples, .nr_samples = 1, .time_first = 0, .time_last = 2000 * 64};
	struct paired p = {0};
	struct trace t;
	double all = 20 + 10 + 10 + 20;

	read_sample_trace(&t);
	paired_find_misses(&p, &c, &t, 10.0 * 64);
	CU_ASSERT_EQUAL(p.goroutines, 2);
	CU_ASSERT_EQUAL(p.entries, 2);
	/* pprof's only sample is in the system call: it hits no run interval */
	CU_ASSERT_DOUBLE_EQUAL(p.pprof_miss.rate, 1, 1e-9);
	CU_ASSERT_DOUBLE_EQUAL(p.pprof_miss.perfect, 0, 1e-9); /* none is shorter than its period */
	CU_ASSERT_EQUAL(p.pprof_miss.goroutines, 1);
	CU_ASSERT_DOUBLE_EQUAL(p.perf_miss.rate, 1 - 10 / all, 1e-9);
	CU_ASSERT_DOUBLE_EQUAL(p.perf_miss.perfect, (20 * 0.5 * 2 + 10 * 0.75 * 2) / all, 1e-9);
	CU_ASSERT_EQUAL(p.perf_miss.goroutines, 1);
	CU_ASSERT_EQUAL(p.perf_miss.entries, 1);
	trace_release(&t);
}

static const struct suite_test tests[] = {
	{"charged by thread and time", charged},
	{"nothing in common", nothing_in_common},
	{"switches", switches},
	{"pairs", pairs},
	{"run intervals without a sample", misses},
	{NULL, NULL},
};
const struct suite suite_traced = {"traced", tests};
