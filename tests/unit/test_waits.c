/*
 * How long threads were off their CPUs: pairs of switches, what is missing, and the kind of a wait.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "cmd/tracewaits.h"
#include "collect/collect.h"
#include "collect/waits.h"
#include "reading.h"
#include "suite.h"
#include "tracefile.h"

static void start(struct waits *w, uint32_t tid, uint64_t time)
{
	waits_begin(w, (struct wait_start){.tid = tid, .time = time});
}

static void end(struct waits *w, uint32_t tid, uint64_t time)
{
	ALLOC_GROW(w->ends, w->nr_ends + 1, w->alloc_ends);
	w->ends[w->nr_ends++] = (struct wait_end){.tid = tid, .time = time};
}

/* Lists of two workers, in no order. */
static void pairs(void)
{
	struct waits w[2] = {0};
	struct wait_counts counts;

	start(&w[0], 5, 100), end(&w[1], 5, 130); /* on another CPU's list */
	start(&w[1], 5, 200); /* its end is lost… */
	start(&w[0], 5, 300), end(&w[0], 5, 301);
	start(&w[0], 6, 110), end(&w[0], 6, 111), end(&w[1], 6, 112); /* told twice */
	end(&w[1], 7, 50); /* was away before the recording began */
	start(&w[1], 7, 400); /* and is when it ends */
	waits_finish(w, 2, 1000, &counts);
	CU_ASSERT_EQUAL(counts.starts, 5);
	CU_ASSERT_EQUAL(counts.ended, 3);
	CU_ASSERT_EQUAL(counts.lost, 1);
	CU_ASSERT_EQUAL(counts.open, 1);
	CU_ASSERT_EQUAL(w[0].starts[0].length, 30);
	CU_ASSERT_EQUAL(w[1].starts[0].length, 0);
	CU_ASSERT_EQUAL(w[0].starts[1].length, 1);
	CU_ASSERT_EQUAL(w[0].starts[2].length, 1);
	CU_ASSERT_EQUAL(w[1].starts[1].length, 600);
	waits_release(&w[0]);
	waits_release(&w[1]);
}

static const char *next_name(void *ctx)
{
	const char *const **at = ctx;

	return **at ? *(*at)++ : NULL;
}

static const char *kind(const char *const *names)
{
	return waits_kind(next_name, &names);
}

static void kinds(void)
{
	CU_ASSERT_STRING_EQUAL(kind((const char *const[]){"runtime.futex", "runtime.notesleep", "runtime.mPark", "runtime.stopm",
							  "runtime.findRunnable", "runtime.schedule", "runtime.mcall", NULL}),
			       "[idle thread]");
	CU_ASSERT_STRING_EQUAL(kind((const char *const[]){"do_epoll_wait", "runtime.netpoll", "runtime.findRunnable", NULL}),
			       "[network poller]");
	CU_ASSERT_STRING_EQUAL(kind((const char *const[]){"do_syscall_64", "syscall.Syscall6", "main.read", NULL}), "[system call]");
	CU_ASSERT_STRING_EQUAL(kind((const char *const[]){"runtime.futex", "runtime.gcAssistAlloc.func2", NULL}),
			       "[garbage collection]");
	CU_ASSERT_STRING_EQUAL(kind((const char *const[]){"exc_page_fault", "main.touch", NULL}), "[page fault]");
	CU_ASSERT_STRING_EQUAL(kind((const char *const[]){"syscalls.notOurs", NULL}), "[blocked]");
	CU_ASSERT_STRING_EQUAL(kind((const char *const[]){NULL}), "[blocked]");
}

/* --- a recording ------------------------------------------------------------------------------- */

static const char format[] =
	"name: sched_switch\nID: 372\nformat:\n"
	"\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n\n"
	"\tfield:long prev_state;\toffset:8;\tsize:8;\tsigned:1;\n"
	"\tfield:pid_t next_pid;\toffset:16;\tsize:4;\tsigned:1;\n\n"
	"print fmt: \"\"\n";

enum { CPU_ID = 11, SWITCH_ID = 12 };
static const struct build_attr attrs[] = {
	{.type = 1, .config = 0, .period = 1000, .sample_type = PERF_SAMPLE_IDENTIFIER | BASIC | PERF_SAMPLE_PERIOD,
	 .flags = FLAG_ID_ALL, .ids = (const uint64_t[]){CPU_ID}, .nr_ids = 1},
	{.type = 2, .config = 372, .period = 1, .sample_type = PERF_SAMPLE_IDENTIFIER | BASIC | PERF_SAMPLE_PERIOD | PERF_SAMPLE_RAW,
	 .flags = FLAG_ID_ALL, .ids = (const uint64_t[]){SWITCH_ID}, .nr_ids = 1},
};

static void begin_sample(struct build *b, uint64_t id, uint32_t tid, uint64_t time, uint64_t period)
{
	record_begin(b, PERF_RECORD_SAMPLE, 2);
	put64(b, id);
	put64(b, 0x1000);
	put32(b, 7), put32(b, tid);
	put64(b, time);
	put64(b, period);
}

static void on_cpu(struct build *b, uint32_t tid, uint64_t time)
{
	begin_sample(b, CPU_ID, tid, time, 1000);
	record_end(b);
}

static void leaves(struct build *b, uint32_t tid, uint64_t time, uint64_t state, uint32_t next)
{
	begin_sample(b, SWITCH_ID, tid, time, 1);
	put32(b, 28);
	put64(b, 372);
	put64(b, state);
	put32(b, next);
	put64(b, 0); /* padding of the payload */
	record_end(b);
}

/* SWITCH: a thread comes back. */
static void comes_back(struct build *b, uint32_t tid, uint64_t time)
{
	record_begin(b, PERF_RECORD_SWITCH, 0);
	put32(b, 7), put32(b, tid);
	put64(b, time);
	put64(b, SWITCH_ID);
	record_end(b);
}

static void write_file(char *path)
{
	struct build b = {0}, t = {0};
	struct build_feature f;
	int fd = mkstemp(path);

	file_begin(&b, attrs, 2);
	on_cpu(&b, 10, 1000);
	leaves(&b, 10, 2000, 1, 11);	   /* 11 comes: next_pid */
	leaves(&b, 11, 5000, 0x100, 0);	   /* preempted */
	comes_back(&b, 10, 9000);	   /* a word too many: 10 has come at 7000, see below */
	comes_back(&b, 11, 5500);
	on_cpu(&b, 11, 6000);
	leaves(&b, 11, 7000, 0x20, 10);	   /* exits; 10 comes */
	on_cpu(&b, 10, 10000);
	put_tracing_data(&t, (const char *const[]){format}, 1);
	f = (struct build_feature){1, t.data, t.nr};
	file_end(&b, &f, 1);
	CU_ASSERT_FATAL(fd >= 0);
	CU_ASSERT_EQUAL_FATAL(write(fd, b.data, b.nr), (ssize_t)b.nr);
	close(fd);
	build_free(&b);
	build_free(&t);
}

static int64_t total(const struct profile *p, size_t series)
{
	int64_t sum = 0;

	for (size_t i = 0; i < p->nr_rows; i++)
		sum += p->series[series].values[i];
	return sum;
}

/* Of the rows whose leaf has that name. */
static int64_t of_leaf(const struct profile *p, size_t series, const char *leaf)
{
	int64_t sum = 0;

	for (size_t i = 0; i < p->nr_rows; i++)
		if (!strcmp(profile_str(p, p->frames[p->nodes[p->rows[i].node].frame].name), leaf))
			sum += p->series[series].values[i];
	return sum;
}

static void of_a_recording(void)
{
	char path[] = "/tmp/perfskew-waits-XXXXXX";
	struct collect_options opts = {.time_of = COLLECT_OFF_CPU, .jobs = 2};
	struct collect c;
	struct error e;
	size_t time;

	write_file(path);
	CU_ASSERT_EQUAL_FATAL(collect_run(&c, path, -1, NULL, 0, &opts, &e), 0);
	time = c.profile.default_series + 1;
	CU_ASSERT_STRING_EQUAL(c.events[c.main_event].name, "off-cpu");
	CU_ASSERT_STRING_EQUAL(profile_str(&c.profile, c.profile.series[time].unit), "nanoseconds");
	CU_ASSERT_EQUAL(c.waits.starts, 2);
	CU_ASSERT_EQUAL(c.waits.ended, 2);
	CU_ASSERT_EQUAL(of_leaf(&c.profile, time, "[blocked]"), 5000);
	CU_ASSERT_EQUAL(of_leaf(&c.profile, time, "[preempted]"), 500);
	CU_ASSERT_EQUAL(total(&c.profile, time), 5500);
	CU_ASSERT_EQUAL(damage_total(&c.damage), 0);
	collect_release(&c);

	opts.time_of = COLLECT_WALL;
	opts.by = COLLECT_BY_GOROUTINE;
	CU_ASSERT_EQUAL_FATAL(collect_run(&c, path, -1, NULL, 0, &opts, &e), 0);
	time = c.profile.default_series + 1;
	CU_ASSERT_STRING_EQUAL(c.events[c.main_event].name, "wall");
	CU_ASSERT_EQUAL(c.profile.nr_series, 2);
	CU_ASSERT_EQUAL(total(&c.profile, time), 5500 + 3000);
	collect_release(&c);

	opts.time_of = COLLECT_ON_CPU;
	opts.by = COLLECT_BY_NONE;
	CU_ASSERT_EQUAL_FATAL(collect_run(&c, path, -1, NULL, 0, &opts, &e), 0);
	CU_ASSERT_EQUAL(total(&c.profile, c.profile.default_series + 1), 3000);
	CU_ASSERT_EQUAL(c.waits.starts, 0);
	collect_release(&c);
	unlink(path);
}

/* --- an execution trace ---------------------------------------------------------------------------- */

/* What waits add up to is what the goroutines' states do; the profile has the same. */
static void of_a_trace(void)
{
	struct build b = {0};
	struct profile p;
	struct trace t;
	struct error e;
	uint64_t states = 0, waits = 0;

	sample_trace(&b, 26);
	CU_ASSERT_EQUAL_FATAL(trace_read(&t, b.data, b.nr, "t", &e), 0);
	build_free(&b);
	for (size_t i = 0; i < t.nr_goroutines; i++)
		states += t.goroutines[i].time[TRACE_RUNNABLE] + t.goroutines[i].time[TRACE_IN_SYSCALL] +
			  t.goroutines[i].time[TRACE_WAITING];
	for (size_t i = 0; i < t.nr_waits; i++)
		waits += t.waits[i].time;
	CU_ASSERT(waits > 0);
	CU_ASSERT_EQUAL(waits, states);
	profile_init(&p);
	tracewaits_profile(&p, &t, COLLECT_BY_GOROUTINE_ID);
	CU_ASSERT_EQUAL((uint64_t)total(&p, p.default_series), states);
	CU_ASSERT_EQUAL((uint64_t)of_leaf(&p, p.default_series, "[system call]"),
			t.goroutines[0].time[TRACE_IN_SYSCALL] + t.goroutines[1].time[TRACE_IN_SYSCALL]);
	profile_release(&p);
	trace_release(&t);
}

static const struct suite_test tests[] = {
	{"pairs", pairs},
	{"kinds", kinds},
	{"of a recording", of_a_recording},
	{"of a trace", of_a_trace},
	{NULL, NULL},
};
const struct suite suite_waits = {"waits", tests};
