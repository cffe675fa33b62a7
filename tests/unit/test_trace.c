/*
 * Go's execution traces, built byte by byte.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "suite.h"
#include "trace/trace.h"
#include "tracefile.h"

#define U(x) UINT64_C(x)

static const unsigned versions[] = {22, 23, 25, 26};

static int read_built(struct trace *t, const struct build *b, struct error *e)
{
	*e = (struct error){.text = ""};
	return trace_read(t, b->data, b->nr, "t.trace", e);
}

/* The trace must be refused, or broken off, with these words and a place. */
static void expect_words(struct build *b, const char *words)
{
	struct trace t;
	struct error e;
	const char *said;

	if (read_built(&t, b, &e) == 0) {
		said = t.broken.text;
		CU_ASSERT_EQUAL(t.broken.code, EXIT_CODE_DAMAGED);
		CU_ASSERT_EQUAL(damage_total(&t.damage), 1);
	} else {
		said = e.text;
		CU_ASSERT_EQUAL(e.code, EXIT_CODE_INPUT);
	}
	if (!strstr(said, words))
		printf("\n  '%s' instead of '%s'\n", said, words);
	CU_ASSERT_PTR_NOT_NULL(strstr(said, words));
	CU_ASSERT_PTR_NOT_NULL(strstr(said, "t.trace: "));
	CU_ASSERT_PTR_NOT_NULL(strstr(said, "offset"));
	trace_release(&t);
	build_free(b);
}

static void header(void)
{
	static const unsigned old[] = {5, 11, 19, 21};
	static const char whole[] = "go 1.22 trace\0\0";
	struct build b = {0};
	char words[64];

	expect_words(&b, "no Go execution trace");
	put_bytes(&b, "go 1.22 trac", 12);
	expect_words(&b, "no Go execution trace");
	for (size_t size = 0; size <= sizeof(whole); size++) {
		char *begin = xmemdup(whole, size ? size : 1);

		CU_ASSERT_EQUAL(trace_recognise(begin, size), size == sizeof(whole));
		free(begin);
	}
	put_bytes(&b, "#!/bin/sh\nexit 0\nexit 0\n", 24);
	CU_ASSERT_FALSE(trace_recognise(b.data, b.nr));
	expect_words(&b, "no Go execution trace");
	for (size_t i = 0; i < sizeof(old) / sizeof(*old); i++) {
		trace_begin(&b, old[i]);
		put8(&b, 0);
		CU_ASSERT_TRUE(trace_recognise(b.data, b.nr));
		snprintf(words, sizeof(words), "old format (v1, \"go 1.%u trace\")", old[i]);
		expect_words(&b, words);
	}
	trace_begin(&b, 24);
	expect_words(&b, "unknown version");
	trace_begin(&b, 99);
	expect_words(&b, "unknown version (\"go 1.99 trace\")");
	trace_begin(&b, 22);
	expect_words(&b, "no frequency");
	trace_begin(&b, 26);
	expect_words(&b, "without events");
}

static void expect_span(const struct trace *t, uint64_t tid, uint64_t units, uint64_t goid, enum trace_state state)
{
	const struct trace_span *s = trace_running(t, tid, units * 64);

	if (!goid) {
		CU_ASSERT_PTR_NULL(s);
		return;
	}
	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	CU_ASSERT_EQUAL(t->goroutines[s->goroutine].goid, goid);
	CU_ASSERT_EQUAL(s->state, state);
}

static void check_sample(const struct trace *t)
{
	const struct trace_goroutine *one = trace_goroutine(t, 1), *two = trace_goroutine(t, 2);

	CU_ASSERT_EQUAL(t->generations, 1);
	CU_ASSERT_TRUE(t->monotonic);
	CU_ASSERT_EQUAL(t->from, 64000);
	CU_ASSERT_EQUAL(t->to, 1072 * 64);
	CU_ASSERT_EQUAL(t->kinds[TRACE_STATE_TRANSITION], 13);
	CU_ASSERT_EQUAL(t->kinds[TRACE_SYNC], 2);
	CU_ASSERT_EQUAL(t->kinds[TRACE_STACK_SAMPLE], 1);
	CU_ASSERT_EQUAL(t->events[16], 2);
	expect_span(t, 7, 999, 0, TRACE_GONE);
	expect_span(t, 7, 1001, 1, TRACE_RUNNING); /* known since the trace began */
	expect_span(t, 7, 1019, 1, TRACE_RUNNING);
	expect_span(t, 7, 1020, 0, TRACE_GONE);
	expect_span(t, 7, 1030, 2, TRACE_RUNNING);
	expect_span(t, 7, 1040, 2, TRACE_IN_SYSCALL);
	expect_span(t, 7, 1050, 2, TRACE_RUNNING);
	expect_span(t, 7, 1060, 0, TRACE_GONE);
	expect_span(t, 8, 1052, 1, TRACE_RUNNING); /* by that thread's own clock */
	expect_span(t, 8, 1072, 0, TRACE_GONE);
	expect_span(t, 9, 1052, 0, TRACE_GONE);
	CU_ASSERT_EQUAL(trace_last(t, 7, U(1025) * 64)->goroutine, 0);
	CU_ASSERT_PTR_NOT_NULL_FATAL(one);
	CU_ASSERT_PTR_NOT_NULL_FATAL(two);
	CU_ASSERT_PTR_NULL(trace_goroutine(t, 3));
	CU_ASSERT_EQUAL(one->state, TRACE_WAITING);
	CU_ASSERT_EQUAL(one->starts, 1);
	CU_ASSERT_EQUAL(one->created, 0);
	CU_ASSERT_STRING_EQUAL(trace_str(t, one->entry), "main.main");
	CU_ASSERT_EQUAL(two->state, TRACE_GONE);
	CU_ASSERT_EQUAL(two->parent, 1);
	CU_ASSERT_EQUAL(two->created, 1010 * 64);
	CU_ASSERT_EQUAL(two->ended, 1060 * 64);
	CU_ASSERT_EQUAL(two->time[TRACE_RUNNING], 20 * 64);
	CU_ASSERT_EQUAL(two->time[TRACE_IN_SYSCALL], 10 * 64);
	CU_ASSERT_EQUAL(two->time[TRACE_RUNNABLE], 20 * 64);
	CU_ASSERT_STRING_EQUAL(trace_str(t, two->entry), "main.worker");
	CU_ASSERT_EQUAL(t->stacks[two->created_by].nr, 1);
	CU_ASSERT_EQUAL(t->frames[t->stacks[two->created_by].first].line, 42);
	CU_ASSERT_EQUAL_FATAL(t->nr_pauses, 1);
	CU_ASSERT_EQUAL(t->pauses[0].to - t->pauses[0].from, 3 * 64);
	CU_ASSERT_STRING_EQUAL(trace_str(t, t->pauses[0].what), "stop-the-world (test)");
	CU_ASSERT_EQUAL_FATAL(t->nr_cpu_samples, 1);
	CU_ASSERT_EQUAL(t->cpu_samples[0].time, 1045 * 64);
	CU_ASSERT_EQUAL(t->cpu_samples[0].goid, 2);
	CU_ASSERT_EQUAL(t->frames[t->stacks[t->cpu_samples[0].stack].first].pc, 0x2001);
}

static void whole_trace(void)
{
	for (size_t i = 0; i < sizeof(versions) / sizeof(*versions); i++) {
		struct build b = {0};
		struct trace t;
		struct error e;

		sample_trace(&b, versions[i]);
		CU_ASSERT_EQUAL_FATAL(read_built(&t, &b, &e), 0);
		CU_ASSERT_STRING_EQUAL(t.broken.text, "");
		CU_ASSERT_EQUAL(t.version, versions[i]);
		CU_ASSERT_EQUAL(t.has_wall, versions[i] >= 25);
		if (t.has_wall)
			CU_ASSERT_EQUAL(t.wall_offset, INT64_C(1700000000000000005) - 64000);
		check_sample(&t);
		trace_release(&t);
		build_free(&b);
	}
}

/* The second of two generations says again what is so, and goes on. */
static void two_generations(struct build *b, unsigned version, uint64_t second_status)
{
	sample_trace(b, version);
	put_clocks(b, version, 2, 1100);
	batch_begin(b, 2, 8, 1100);
	put_event(b, 13, 3, U(0), U(0), U(1));
	put_event(b, 25, 4, U(1), U(1), U(8), second_status);
	put_event(b, 21, 4, U(1), U(1), U(1), U(0)); /* 1102 GoUnblock */
	put_event(b, 16, 3, U(1), U(1), U(2));	     /* 1103 GoStart */
	batch_end(b);
	put_generation_end(b, version);
}

static void generations(void)
{
	for (size_t i = 0; i < sizeof(versions) / sizeof(*versions); i++) {
		struct build b = {0};
		struct trace t;
		struct error e;

		two_generations(&b, versions[i], 4);
		CU_ASSERT_EQUAL_FATAL(read_built(&t, &b, &e), 0);
		CU_ASSERT_STRING_EQUAL(t.broken.text, "");
		CU_ASSERT_EQUAL(t.generations, 2);
		CU_ASSERT_EQUAL(t.kinds[TRACE_SYNC], 3);
		CU_ASSERT_EQUAL(trace_goroutine(&t, 1)->starts, 2);
		CU_ASSERT_EQUAL(trace_goroutine(&t, 1)->state, TRACE_RUNNING);
		trace_release(&t);
		build_free(&b);
		two_generations(&b, versions[i], 2);
		expect_words(&b, "inconsistent status for goroutine 1: old waiting vs. new running");
	}
}

/* What stands before the break is used. */
static void second_broken(void)
{
	struct build b = {0};
	struct trace t;
	struct error e;

	two_generations(&b, 25, 2);
	CU_ASSERT_EQUAL_FATAL(read_built(&t, &b, &e), 0);
	CU_ASSERT_EQUAL(t.broken.code, EXIT_CODE_DAMAGED);
	CU_ASSERT_EQUAL(t.damage.kind[DAMAGE_TRACE_ORDER].count, 1);
	CU_ASSERT_EQUAL(t.generations, 1);
	expect_span(&t, 7, 1030, 2, TRACE_RUNNING);
	trace_release(&t);
	build_free(&b);
}

/* Cut anywhere: refused or broken off, and never quietly short. */
static void cut_anywhere(void)
{
	for (size_t i = 0; i < sizeof(versions) / sizeof(*versions); i++) {
		struct build b = {0};
		size_t whole;

		two_generations(&b, versions[i], 4);
		whole = b.nr;
		for (size_t n = 0; n < whole; n++) {
			struct trace t;
			struct error e;
			uint8_t *copy = malloc(n ? n : 1);
			int r;

			memcpy(copy, b.data, n);
			r = trace_read(&t, copy, n, "t.trace", &e);
			if (r < 0)
				CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "offset"));
			/* before 1.26 nothing says that more was to come after a whole batch */
			if (!r && versions[i] >= 26 && t.generations < 2)
				CU_ASSERT_TRUE(t.broken.text[0] || copy[n - 1] == 52);
			trace_release(&t);
			free(copy);
		}
		build_free(&b);
	}
}

/* Any byte changed: no crash, no endless work; spans stay in order. */
static void damaged_anywhere(void)
{
	static const uint8_t changes[] = {0x00, 0x01, 0x7f, 0x80, 0xff, 52};
	struct build b = {0};

	two_generations(&b, 26, 4);
	for (size_t n = 16; n < b.nr; n++) {
		for (size_t c = 0; c < sizeof(changes); c++) {
			uint8_t old = b.data[n];
			struct trace t;
			struct error e;

			b.data[n] = changes[c];
			read_built(&t, &b, &e);
			for (size_t i = 0; i < t.nr_threads; i++)
				for (size_t k = 1; k < t.threads[i].nr; k++)
					CU_ASSERT_TRUE(t.threads[i].spans[k - 1].to <= t.threads[i].spans[k].from);
			trace_release(&t);
			b.data[n] = old;
		}
	}
	build_free(&b);
}

static void begin(struct build *b)
{
	trace_begin(b, 22);
	put_clocks(b, 22, 1, 1000);
}

static void broken_tables(void)
{
	struct build b = {0};

	begin(&b);
	put_string(&b, 1, 1, "a");
	put_string(&b, 1, 1, "b");
	expect_words(&b, "multiple strings with the same ID 1");
	begin(&b);
	put_stack(&b, 1, 1, 1, 1, 1);
	expect_words(&b, "invalid func string ID 1");
	begin(&b);
	put_string(&b, 1, 1, "f");
	put_stack(&b, 1, 1, 1, 1, 2);
	expect_words(&b, "invalid file string ID 2");
	begin(&b);
	put_clocks(&b, 22, 1, 1000);
	expect_words(&b, "multiple frequency events");
	begin(&b);
	put_clocks(&b, 22, 3, 1000);
	expect_words(&b, "generations out of order");
	begin(&b);
	batch_begin(&b, 0, 1, 1);
	batch_end(&b);
	expect_words(&b, "invalid generation number 0");
	trace_begin(&b, 25);
	put_clocks(&b, 22, 1, 1000); /* without a snapshot */
	expect_words(&b, "no frequency event");
	trace_begin(&b, 25);
	batch_begin(&b, 1, UINT64_MAX, 1000);
	put8(&b, 50);
	put_event(&b, 8, 1, UINT64_C(15625000));
	batch_end(&b);
	expect_words(&b, "no clock snapshot event");
	begin(&b);
	put8(&b, 1);
	for (int i = 0; i < 3; i++)
		put_uleb(&b, 1);
	put_uleb(&b, 65537);
	expect_words(&b, "invalid batch size 65537, maximum is 65536");
	begin(&b);
	put8(&b, 99);
	expect_words(&b, "expected batch event, got event 99");
	begin(&b);
	batch_begin(&b, 1, UINT64_MAX, 1000);
	put8(&b, 4);
	put_event(&b, 5, 2, U(1), U(1025));
	batch_end(&b);
	expect_words(&b, "invalid string size 1025, maximum is 1024");
	begin(&b);
	batch_begin(&b, 1, UINT64_MAX, 1000);
	put8(&b, 2);
	put_event(&b, 3, 2, U(1), U(129));
	batch_end(&b);
	expect_words(&b, "invalid stack size 129, maximum is 128");
}

/* One event on thread 7 after what begin() has and the status of one processor, when wanted. */
static void one_event(struct build *b, bool proc, bool goroutine)
{
	begin(b);
	batch_begin(b, 1, 7, 1000);
	if (proc)
		put_event(b, 13, 3, U(0), U(0), U(1));
	if (goroutine)
		put_event(b, 25, 4, U(0), U(1), U(7), U(2));
}

static void impossible_events(void)
{
	struct build b = {0};

	one_event(&b, false, false);
	put_event(&b, 20, 3, U(1), U(0), U(0));
	batch_end(&b);
	expect_words(&b, "GoBlock of thread 7: expected a proc but didn't have one");
	one_event(&b, true, false);
	put_event(&b, 20, 3, U(1), U(0), U(0));
	batch_end(&b);
	expect_words(&b, "expected a goroutine but didn't have one");
	one_event(&b, true, true);
	put_event(&b, 20, 3, U(1), U(0), U(9));
	batch_end(&b);
	expect_words(&b, "found invalid stack ID 9");
	one_event(&b, true, true);
	put_event(&b, 20, 3, U(1), U(9), U(0));
	batch_end(&b);
	expect_words(&b, "found invalid string ID 9");
	one_event(&b, true, true);
	put_event(&b, 14, 4, U(1), U(1), U(0), U(0));
	batch_end(&b);
	expect_words(&b, "tried to create goroutine (1) that already exists");
	one_event(&b, true, false);
	put_event(&b, 16, 3, U(1), U(5), U(1));
	batch_end(&b);
	expect_words(&b, "failed to advance");
	one_event(&b, true, true);
	put_event(&b, 27, 1, U(1));
	batch_end(&b);
	expect_words(&b, "tried to end event STWBegin, but not in-flight");
	one_event(&b, true, true);
	put_event(&b, 99, 1, U(1));
	batch_end(&b);
	expect_words(&b, "invalid event (type 99) in the events of a thread");
	one_event(&b, true, true);
	put8(&b, 16);
	put8(&b, 1);
	batch_end(&b);
	expect_words(&b, "GoStart that is cut short");
	one_event(&b, true, true);
	put_event(&b, 40, 5, U(1), U(3), U(0), U(0), U(0));
	put_event(&b, 40, 5, U(1), U(3), U(0), U(0), U(0));
	batch_end(&b);
	expect_words(&b, "task ID conflict: 3");
}

/* Many threads that only the status of goroutines in system calls names; all are those goroutines' since the beginning. */
static void sitting_in_syscalls(void)
{
	struct build b = {0};
	struct trace t;
	struct error e;

	begin(&b);
	for (uint64_t i = 0; i < 100; i++) {
		batch_begin(&b, 1, 7, 1000 + i);
		put_event(&b, 25, 4, U(1), 1 + i, 100 + i, U(3));
		batch_end(&b);
	}
	CU_ASSERT_EQUAL_FATAL(read_built(&t, &b, &e), 0);
	CU_ASSERT_EQUAL(t.nr_goroutines, 100);
	for (uint64_t i = 0; i < 100; i++)
		expect_span(&t, 100 + i, 1000, 1 + i, TRACE_IN_SYSCALL);
	trace_release(&t);
	build_free(&b);
}

/* A clock of another unit is not CLOCK_MONOTONIC's; times still are ns. */
static void other_clock(void)
{
	struct build b = {0};
	struct trace t;
	struct error e;

	trace_begin(&b, 22);
	batch_begin(&b, 1, UINT64_MAX, 1000);
	put_event(&b, 8, 1, U(1000000000));
	batch_end(&b);
	batch_begin(&b, 1, 7, 5000);
	put_event(&b, 13, 3, U(0), U(0), U(1));
	put_event(&b, 25, 4, U(7), U(1), U(7), U(2));
	batch_end(&b);
	CU_ASSERT_EQUAL_FATAL(read_built(&t, &b, &e), 0);
	CU_ASSERT_FALSE(t.monotonic);
	CU_ASSERT_EQUAL(t.from, 5000);
	CU_ASSERT_EQUAL(t.to, 5007);
	trace_release(&t);
	build_free(&b);
}

static const struct suite_test tests[] = {
	{"header", header},
	{"a whole trace, of each version", whole_trace},
	{"generations", generations},
	{"the second generation is broken", second_broken},
	{"cut anywhere", cut_anywhere},
	{"damaged anywhere", damaged_anywhere},
	{"broken tables", broken_tables},
	{"impossible events", impossible_events},
	{"sitting in system calls", sitting_in_syscalls},
	{"another clock", other_clock},
	{NULL, NULL},
};
const struct suite suite_trace = {"trace", tests};
