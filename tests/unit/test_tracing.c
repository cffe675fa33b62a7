/*
 * Tracing data: names and layouts of tracepoints, in both forms, and lies in them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "perfdata/tracing.h"
#include "reading.h"
#include "suite.h"

/* As /sys/kernel/tracing/events/sched/sched_switch/format of Linux 6.18 has it, one field left out. */
static const char sched_switch[] =
	"name: sched_switch\nID: 372\nformat:\n"
	"\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"
	"\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;\n"
	"\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n"
	"\tfield:char prev_comm[16];\toffset:8;\tsize:16;\tsigned:0;\n"
	"\tfield:pid_t prev_pid;\toffset:24;\tsize:4;\tsigned:1;\n"
	"\tfield:long prev_state;\toffset:32;\tsize:8;\tsigned:1;\n"
	"\tfield:char next_comm[16];\toffset:40;\tsize:16;\tsigned:0;\n"
	"\tfield:pid_t next_pid;\toffset:56;\tsize:4;\tsigned:1;\n\n"
	"print fmt: \"prev_comm=%s field:bogus;\", REC->prev_comm\n";
/* Kernels before 2.6.33 had no signed; __data_loc and __rel_loc; pointers; a name of one letter. */
static const char dynamic[] =
	"name: dyn\nID: 7\nformat:\n"
	"\tfield special:unsigned short t;\toffset:0;\tsize:2;\n"
	"\tfield:__data_loc char[] text;\toffset:4;\tsize:4;\tsigned:1;\n"
	"\tfield:__rel_loc u8[] rel;\toffset:8;\tsize:4;\tsigned:0;\n"
	"\tfield:const char * p;\toffset:16;\tsize:8;\tsigned:0;\n"
	"\tfield:unsigned long args[2];\toffset:24;\tsize:16;\tsigned:0;\n";

static const struct build_attr raw_attrs[] = {
	{.type = 2, .config = 372, .period = 1, .sample_type = PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_RAW,
	 .flags = FLAG_ID_ALL, .ids = (const uint64_t[]){11}, .nr_ids = 1},
	{.type = 2, .config = 7, .period = 1, .sample_type = PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_RAW,
	 .flags = FLAG_ID_ALL, .ids = (const uint64_t[]){12}, .nr_ids = 1},
	{.type = 2, .config = 99, .period = 1, .sample_type = PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_RAW,
	 .flags = FLAG_ID_ALL, .ids = (const uint64_t[]){13}, .nr_ids = 1},
};

/* A sched_switch from thread 5, sleeping (1), to `next`. */
static void put_switch(struct build *b, int32_t next)
{
	record_begin(b, PERF_RECORD_SAMPLE, PERF_CPUMODE_KERNEL);
	put64(b, 11);
	put32(b, 60);
	put16(b, 372), put16(b, 0);
	put32(b, 5);
	put_str(b, "one", 16);
	put32(b, 5), put32(b, 120);
	put64(b, 1);
	put_str(b, "two", 16);
	put32(b, (uint32_t)next);
	record_end(b);
}

static uint64_t number(const struct perfdata *pd, const struct perf_sample *s, const char *name)
{
	const struct tracepoint *t = perfdata_tracepoint(pd, s->attr->config);
	uint64_t v = 0;

	CU_ASSERT_TRUE(tracepoint_number(tracepoint_field(t, name), s, perfdata_swapped(pd), &v));
	return v;
}

static void check_switch(const struct perfdata *pd, const struct perf_sample *s)
{
	const struct tracepoint *t = perfdata_tracepoint(pd, 372);
	uint64_t v;
	size_t n;
	const uint8_t *p;

	CU_ASSERT_PTR_NOT_NULL_FATAL(t);
	CU_ASSERT_STRING_EQUAL(t->system, "sched");
	CU_ASSERT_STRING_EQUAL(t->name, "sched_switch");
	CU_ASSERT_EQUAL(t->nr_fields, 8);
	CU_ASSERT_EQUAL(number(pd, s, "common_type"), 372);
	CU_ASSERT_EQUAL(number(pd, s, "prev_pid"), 5);
	CU_ASSERT_EQUAL(number(pd, s, "prev_state"), 1);
	CU_ASSERT_EQUAL(number(pd, s, "next_pid"), (uint64_t)-2); /* signed */
	CU_ASSERT_STRING_EQUAL(tracepoint_field(t, "prev_pid")->type, "pid_t");
	CU_ASSERT_STRING_EQUAL(tracepoint_field(t, "prev_comm")->type, "char");
	CU_ASSERT_FALSE(tracepoint_number(tracepoint_field(t, "prev_comm"), s, false, &v));
	p = tracepoint_bytes(tracepoint_field(t, "next_comm"), s, false, &n);
	CU_ASSERT_EQUAL_FATAL(n, 16);
	CU_ASSERT_STRING_EQUAL((const char *)p, "two");
	CU_ASSERT_PTR_NULL(tracepoint_field(t, "bogus"));
	CU_ASSERT_PTR_NULL(perfdata_tracepoint(pd, 1));
}

/* The section of a file: EVENT_DESC's names stay, the others get the tracepoint's. */
static void file_section(void)
{
	for (int swap = 0; swap < 2; swap++) {
		const char *formats[] = {sched_switch, dynamic};
		struct build b = {.swap = swap}, t = {.swap = swap};
		struct build_feature f[2];
		struct perfdata *pd;
		struct seen s;

		put_tracing_data(&t, formats, 2);
		f[0] = (struct build_feature){1, t.data, t.nr};
		f[1] = (struct build_feature){3, (uint8_t[4]){0}, 4}; /* HOSTNAME, by which the order of words is told */
		file_begin(&b, raw_attrs, 3);
		put_switch(&b, -2);
		file_end(&b, f, 2);
		pd = open_built(&b);
		CU_ASSERT_PTR_NOT_NULL_FATAL(pd);
		CU_ASSERT_STRING_EQUAL(perfdata_attr(pd, 0)->name, "sched:sched_switch");
		CU_ASSERT_STRING_EQUAL(perfdata_attr(pd, 1)->name, "sched:dyn");
		CU_ASSERT_STRING_EQUAL(perfdata_attr(pd, 2)->name, "tracepoint-99");
		s = read_all(pd);
		CU_ASSERT_EQUAL(s.samples, 1);
		check_switch(pd, &s.last);
		CU_ASSERT_EQUAL(damage_total(perfdata_damage(pd)), 0);
		perfdata_close(pd);
		build_free(&b);
		build_free(&t);
	}
}

static void build_pipe(struct build *b)
{
	const char *formats[] = {sched_switch};
	struct build t = {0};

	put_tracing_data(&t, formats, 1);
	pipe_begin(b, raw_attrs, 3);
	record_begin(b, PERF_RECORD_HEADER_TRACING_DATA, 0);
	put32(b, (uint32_t)t.nr), put32(b, 0);
	record_end(b);
	put_bytes(b, t.data, t.nr);
	put_bytes(b, (uint8_t[8]){0}, -t.nr % 8);
	put_switch(b, -2);
	build_free(&t);
}

/* The record of a pipe, whose bytes follow it: from memory, and from a real pipe in two pieces. */
static void pipe_record(void)
{
	for (int stream = 0; stream < 2; stream++) {
		struct build b = {0};
		struct perfdata *pd;
		struct error e;
		struct seen s;
		int fds[2];

		build_pipe(&b);
		CU_ASSERT_EQUAL_FATAL(pipe(fds), 0);
		CU_ASSERT_EQUAL(write(fds[1], b.data + 30, b.nr - 30), (ssize_t)(b.nr - 30));
		close(fds[1]);
		pd = stream ? perfdata_open("stream", fds[0], b.data, 30, &e) : open_built(&b);
		CU_ASSERT_PTR_NOT_NULL_FATAL(pd);
		s = read_all(pd);
		CU_ASSERT_EQUAL(s.samples, 1);
		CU_ASSERT_STRING_EQUAL(perfdata_attr(pd, 0)->name, "sched:sched_switch");
		CU_ASSERT_STRING_EQUAL(perfdata_attr(pd, 1)->name, "tracepoint-7");
		CU_ASSERT_PTR_NOT_NULL(perfdata_tracepoint(pd, 372));
		if (!stream) /* a stream's sample was borrowed from its block */
			check_switch(pd, &s.last);
		CU_ASSERT_EQUAL(damage_total(perfdata_damage(pd)), 0);
		perfdata_close(pd);
		close(fds[0]);
		build_free(&b);
	}
}

/* Numbers and stretches against payloads that are shorter than the format says. */
static void values(void)
{
	const char *formats[] = {dynamic};
	struct build b = {0}, t = {0};
	struct build_feature f;
	uint8_t raw[40] = {[4] = 12, [6] = 3, [8] = 2, [10] = 1, [12] = 'a', 'b', 'c', [16] = 1};
	struct perf_sample s = {.raw = raw, .raw_size = sizeof(raw)};
	const struct tracepoint_field *text, *rel;
	const struct tracepoint *dyn;
	struct perfdata *pd;
	uint64_t v;
	size_t n;

	put_tracing_data(&t, formats, 1);
	f = (struct build_feature){1, t.data, t.nr};
	file_begin(&b, raw_attrs, 3);
	put_switch(&b, 1);
	file_end(&b, &f, 1);
	pd = open_built(&b);
	CU_ASSERT_PTR_NOT_NULL_FATAL(pd);
	dyn = perfdata_tracepoint(pd, 7);
	CU_ASSERT_PTR_NOT_NULL_FATAL(dyn);
	CU_ASSERT_EQUAL_FATAL(dyn->nr_fields, 5);
	text = tracepoint_field(dyn, "text");
	rel = tracepoint_field(dyn, "rel");
	CU_ASSERT_TRUE_FATAL(text && text->data_loc && !text->relative && rel && rel->relative);
	CU_ASSERT_STRING_EQUAL(text->type, "char");
	CU_ASSERT_STRING_EQUAL(tracepoint_field(dyn, "p")->type, "const char *");
	CU_ASSERT_TRUE(tracepoint_field(dyn, "args")->array);
	CU_ASSERT_EQUAL(memcmp(tracepoint_bytes(text, &s, false, &n), "abc", 3), 0);
	CU_ASSERT_EQUAL(n, 3);
	/* 2 bytes past the field's end at 12 */
	CU_ASSERT_PTR_EQUAL(tracepoint_bytes(rel, &s, false, &n), raw + 14);
	CU_ASSERT_EQUAL(n, 1);
	CU_ASSERT_FALSE(tracepoint_number(text, &s, false, &v));
	CU_ASSERT_TRUE(tracepoint_number(tracepoint_field(dyn, "p"), &s, false, &v));
	CU_ASSERT_EQUAL(v, 1);
	CU_ASSERT_FALSE(tracepoint_number(NULL, &s, false, &v));
	raw[6] = 29; /* 12 + 29 > 40 */
	CU_ASSERT_PTR_NULL(tracepoint_bytes(text, &s, false, &n));
	raw[6] = 28;
	CU_ASSERT_PTR_NOT_NULL(tracepoint_bytes(text, &s, false, &n));
	s.raw_size = 23;
	CU_ASSERT_FALSE(tracepoint_number(tracepoint_field(dyn, "p"), &s, false, &v));
	CU_ASSERT_PTR_NULL(tracepoint_bytes(tracepoint_field(dyn, "args"), &s, false, &n));
	perfdata_close(pd);
	build_free(&b);
	build_free(&t);
}

/* A file with this tracing data, which is freed: one damage, no tracepoint 5, and sched_switch where "rest" is read. */
static void expect_damage(struct build *t, bool rest)
{
	struct build b = {0};
	struct build_feature f = {1, t->data, t->nr};
	struct perfdata *pd;

	file_begin(&b, raw_attrs, 3);
	put_switch(&b, 1);
	file_end(&b, &f, 1);
	pd = open_built(&b);
	CU_ASSERT_PTR_NOT_NULL_FATAL(pd);
	CU_ASSERT_EQUAL(perfdata_damage(pd)->kind[DAMAGE_TRACING].count, 1);
	CU_ASSERT_PTR_NULL(perfdata_tracepoint(pd, 5));
	CU_ASSERT_EQUAL(perfdata_tracepoint(pd, 372) != NULL, rest);
	perfdata_close(pd);
	build_free(&b);
	build_free(t);
}

/* Formats that lie are damage each, and the others stay. */
static void bad_formats(void)
{
	static const char *const bad[] = {
		"", "name: x\n", "ID: 5\n", "name: x\nID: 5x\n", "name: x\nID: 99999999999\n",
		"name: x\nID: 18446744073709551621\n", /* 5 in 64 bits */
		"name: x\nID: 4294967301\n", "name: x\nID: 6/\n", "name:\nID: 5\n",
		"name: x\nID: 5\nformat:\n\tfield:int a;\toffset:z;\tsize:4;\tsigned:1;\n",
		"name: x\nID: 5\nformat:\n\tfield:int a;\toffset:99999999999;\tsize:4;\n",
		"name: x\nID: 5\nformat:\n\tfield:int a;\toffset:1/;\tsize:4;\n",
		"name: x\nID: 5\nformat:\n\tfield:int a;\toffset:4294967296;\tsize:4;\n",
		"name: x\nID: 5\nformat:\n\tfield:int a\n", "name: x\nID: 5\nformat:\n\tfield:[4];\toffset:0;\tsize:4;\n",
		"name: x\nID: 5\nformat:\n\tfield:__data_loc ;\toffset:0;\tsize:4;\n",
		"name: x\nID: 5\nformat:\n\tfield:;\toffset:0;\tsize:4;\n", "name: x\nID: 5\nformat:\n\tfield;\n",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		const char *formats[] = {bad[i], sched_switch};
		struct build t = {0};

		put_tracing_data(&t, formats, 2);
		expect_damage(&t, true);
	}
}

/* Neither little nor big endian, words of neither four nor eight bytes: damage, and no tracepoint. */
static void bad_heads(void)
{
	static const uint8_t heads[][2] = {{2, 8}, {0, 2}, {0, 16}};

	for (size_t i = 0; i < sizeof(heads) / sizeof(*heads); i++) {
		const char *formats[] = {sched_switch};
		struct build t = {0};

		put_tracing_data(&t, formats, 1);
		memcpy(t.data + 14, heads[i], 2);
		expect_damage(&t, false);
	}
	for (int swap = 0; swap < 2; swap++) {
		const char *formats[] = {sched_switch};
		struct build t = {.swap = swap};

		put_tracing_data(&t, formats, 1);
		t.data[14] = 2;
		expect_damage(&t, false);
	}
}

/* Cut at every byte, and with every byte turned over: damage or a whole reading, never a crash. */
static void cut_and_flipped(void)
{
	const char *formats[] = {sched_switch, dynamic};
	struct build t = {0};

	put_tracing_data(&t, formats, 2);
	for (size_t i = 0; i < 2 * t.nr; i++) {
		size_t n = i < t.nr ? i : t.nr;
		uint8_t *copy = malloc(n + 1);
		struct build_feature f = {1, copy, n};
		struct build b = {0};
		struct perfdata *pd;

		memcpy(copy, t.data, n);
		if (i >= t.nr)
			copy[i - t.nr] ^= 0xff;
		file_begin(&b, raw_attrs, 3);
		put_switch(&b, 1);
		file_end(&b, &f, 1);
		pd = open_built(&b);
		CU_ASSERT_PTR_NOT_NULL_FATAL(pd);
		/* the last 16 bytes are what is not read */
		if (i < t.nr - 16)
			CU_ASSERT_TRUE(perfdata_damage(pd)->kind[DAMAGE_TRACING].count > 0);
		perfdata_close(pd);
		build_free(&b);
		free(copy);
	}
	build_free(&t);
}

static const char *name_of_first(const char *path)
{
	const char *corpus = test_corpus();
	char file[4400];
	static char name[256];
	struct perfdata *pd;
	struct error e;

	snprintf(file, sizeof(file), "%s/%s", corpus, path);
	pd = perfdata_open(file, -1, NULL, 0, &e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(pd);
	read_all(pd);
	snprintf(name, sizeof(name), "%s", perfdata_attr(pd, 0)->name);
	CU_ASSERT_EQUAL(perfdata_damage(pd)->kind[DAMAGE_TRACING].count, 0);
	perfdata_close(pd);
	return name;
}

/* Foreign recordings: a probe of perf's, and Android's simpleperf with its own record. */
static void corpus(void)
{
	if (!test_corpus()) {
		test_skip("tracing corpus", "no corpus");
		return;
	}
	CU_ASSERT_STRING_EQUAL(name_of_first("perfparser/tests/auto/perfdata/probe.data.file"),
			       "probe_untitled1:main");
	CU_ASSERT_STRING_EQUAL(
		name_of_first("simpleperf/simpleperf/testdata/perf_with_tracepoint_event_dynamic_field.data"),
		"kprobes:myopen");
}

static const struct suite_test tests[] = {
	{"file section", file_section},
	{"pipe record", pipe_record},
	{"values", values},
	{"bad formats", bad_formats},
	{"bad heads", bad_heads},
	{"cut and flipped", cut_and_flipped},
	{"corpus", corpus},
	{NULL, NULL},
};
const struct suite suite_tracing = {"tracing", tests};
