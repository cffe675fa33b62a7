/*
 * profile.proto's finer points: frames to drop, addresses without names, old
 * forms, regular expressions.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "profile/folded.h"
#include "profile/pprof.h"
#include "profile/profile.h"
#include "profile/regex.h"
#include "profile/repair.h"
#include "suite.h"

/* --- messages, byte by byte ------------------------------------------------------------------ */

struct message {
	uint8_t *bytes;
	size_t nr, alloc;
};

static void put_varint(struct message *m, uint64_t v)
{
	do {
		ALLOC_GROW(m->bytes, m->nr + 1, m->alloc);
		m->bytes[m->nr++] = (uint8_t)(v > 127 ? v | 128 : v);
		v >>= 7;
	} while (v);
}

static void put_number(struct message *m, int field, uint64_t v)
{
	put_varint(m, (uint64_t)field << 3);
	put_varint(m, v);
}

static void put_bytes(struct message *m, int field, const void *bytes, size_t n)
{
	put_varint(m, (uint64_t)field << 3 | 2);
	put_varint(m, n);
	ALLOC_GROW(m->bytes, m->nr + n, m->alloc);
	memcpy(m->bytes + m->nr, bytes, n);
	m->nr += n;
}

static void put_message(struct message *m, int field, struct message *inner)
{
	put_bytes(m, field, inner->bytes, inner->nr);
	free(inner->bytes);
	*inner = (struct message){0};
}

/* Strings of the table: 1, 2: the type; then functions f0…f4 of locations 1…5, then what a test adds. */
static void start(struct message *m, const char *const *extra)
{
	static const char *const strings[] = {"", "cpu", "nanoseconds", "root", "user", "malloc", "deep", "leaf"};
	struct message inner = {0};

	put_number(&inner, 1, 1);
	put_number(&inner, 2, 2);
	put_message(m, 1, &inner);
	for (size_t i = 0; i < sizeof(strings) / sizeof(*strings); i++)
		put_bytes(m, 6, strings[i], strlen(strings[i]));
	for (; extra && *extra; extra++)
		put_bytes(m, 6, *extra, strlen(*extra));
	for (uint64_t i = 1; i <= 5; i++) {
		struct message line = {0};

		put_number(&inner, 1, i);
		put_number(&inner, 2, i + 2);
		put_message(m, 5, &inner);
		put_number(&inner, 1, i);
		put_number(&line, 1, i);
		put_message(&inner, 4, &line);
		put_message(m, 4, &inner);
	}
}

/* A stack of locations, leaf first, ends in 0. */
static void sample(struct message *m, const uint64_t *stack, uint64_t value)
{
	struct message inner = {0};

	for (; *stack; stack++)
		put_number(&inner, 1, *stack);
	put_number(&inner, 2, value);
	put_message(m, 2, &inner);
}

static void expect(struct message *m, const char *want)
{
	struct folded_write_options o = {0};
	struct profile p;
	struct error e;
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	profile_init(&p);
	CU_ASSERT_EQUAL_FATAL(pprof_read(&p, m->bytes, m->nr, "test", &e), 0);
	o.series = p.default_series;
	CU_ASSERT_EQUAL(folded_write(&p, f, &o, &e), 0);
	fclose(f);
	CU_ASSERT_STRING_EQUAL(text, want);
	if (strcmp(text, want) != 0)
		printf("\ngot  %s\nwant %s\n", text, want);
	free(text);
	profile_release(&p);
}

static const uint64_t whole[] = {5, 4, 3, 2, 1, 0}, reversed[] = {4, 5, 3, 0};

/* prune.go: malloc goes with what it calls; keep_frames spare; nothing before the first frame that stays. */
static void frames_are_dropped(void)
{
	static const struct {
		const char *drop, *keep, *want;
	} cases[] = {
		{"malloc|never", "", "malloc;leaf;deep 5\nroot;user 7\n"},
		{"mal", "", "malloc;leaf;deep 5\nroot;user;malloc;deep;leaf 7\n"},
		{"m\\w+c", "", "malloc;leaf;deep 5\nroot;user 7\n"},
		{"(?:malloc|leaf)", "ma.*", "malloc 5\nroot;user;malloc;deep 7\n"},
		{".*", "", "malloc;leaf;deep 5\nroot;user;malloc;deep;leaf 7\n"},
		{"leaf", "", "malloc 5\nroot;user;malloc;deep 7\n"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const char *extra[] = {cases[i].drop, cases[i].keep, NULL};
		struct message m = {0};

		start(&m, extra);
		sample(&m, whole, 7);
		sample(&m, reversed, 5);
		put_number(&m, 7, 8);
		if (*cases[i].keep)
			put_number(&m, 8, 9);
		expect(&m, cases[i].want);
		free(m.bytes);
	}
}

static void unread_expressions_are_said(void)
{
	const char *extra[] = {"\\pL+|malloc", NULL};
	struct message m = {0};
	struct profile p;
	struct error e;

	start(&m, extra);
	sample(&m, whole, 7);
	put_number(&m, 7, 8);
	expect(&m, "root;user;malloc;deep;leaf 7\n");
	profile_init(&p);
	CU_ASSERT_EQUAL(pprof_read(&p, m.bytes, m.nr, "test", &e), 0);
	CU_ASSERT_PTR_NOT_NULL(p.unread_frames);
	CU_ASSERT_EQUAL(damage_total(&p.damage), 0);
	profile_release(&p);
	free(m.bytes);
}

/* A location without lines keeps none when written again. */
static void addresses_stay_addresses(void)
{
	static const uint64_t stack[] = {9, 2, 0};
	struct pprof_write_options o = {0};
	struct message m = {0}, inner = {0};
	const char *extra[] = {"/bin/app", NULL};
	struct profile p;
	struct error e;
	char *bytes = NULL;
	size_t size;
	FILE *f;

	start(&m, extra);
	put_number(&inner, 1, 1);
	put_number(&inner, 2, 0x1000);
	put_number(&inner, 3, 0x2000);
	put_number(&inner, 5, 8);
	put_message(&m, 3, &inner);
	put_number(&inner, 1, 9);
	put_number(&inner, 2, 1);
	put_number(&inner, 3, 0x1234);
	put_message(&m, 4, &inner);
	sample(&m, stack, 3);
	for (int round = 0; round < 2; round++) {
		expect(&m, "user;[app]+0x1234 3\n");
		profile_init(&p);
		CU_ASSERT_EQUAL(pprof_read(&p, m.bytes, m.nr, "test", &e), 0);
		for (size_t i = 1; i < p.nr_frames; i++)
			CU_ASSERT_EQUAL(p.frames[i].nameless, p.frames[i].address == 0x1234);
		f = open_memstream(&bytes, &size);
		CU_ASSERT_EQUAL(pprof_write(&p, f, &o, &e), 0);
		fclose(f);
		profile_release(&p);
		free(m.bytes);
		m = (struct message){(uint8_t *)bytes, size, size};
	}
	free(m.bytes);
}

static void old_forms_have_names(void)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{"heap profile: 1: 2 [3: 4] @ heap/1048576\n", "heap"},
		{"\nheap profile: 1: 2 [3: 4] @ growthz\n", "heap"},
		{"goroutine profile: total 7\n", "goroutine"},
		{"threadcreate profile: total 5\n", "threadcreate"},
		{"mine profile: total 5\n", "counts"},
		{"--- contention:\ncycles/second=1\n", "contention"},
		{"--- contentionz 1 ---\n", "contention"},
		{"--- mutex:\n", "mutex"},
		{"--- threadz 1 ---\n", "thread"},
		{"--- Thread 7f (name: main/1) stack: ---\n", "thread"},
		{"goroutine 1 [running]:\nmain.main()\n", "dump of goroutines"},
		{"goroutine 1;main.main 5\n", NULL},
		{"main.main;goroutine profile: 5\n", NULL},
		{"heap 5\n", NULL},
	};
	static const uint64_t cpu[] = {0, 3, 0, 10000, 0, 1, 1, 0x1234};
	static const uint32_t cpu32[] = {0, 0x03000000, 0, 10000, 0, 1, 1, 0x1234};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const char *got = pprof_old_form(cases[i].text, strlen(cases[i].text));

		CU_ASSERT_EQUAL(!got, !cases[i].want);
		if (got && cases[i].want)
			CU_ASSERT_PTR_NOT_NULL(strstr(got, cases[i].want));
	}
	CU_ASSERT_PTR_NOT_NULL(pprof_old_form(cpu, sizeof(cpu)));
	CU_ASSERT_PTR_NOT_NULL(pprof_old_form(cpu32, sizeof(cpu32)));
	CU_ASSERT_PTR_NULL(pprof_old_form(cpu, 16));
	CU_ASSERT_PTR_NULL(pprof_old_form("", 0));
	CU_ASSERT_PTR_NULL(pprof_old_form("\n \n", 3));
}

/* --- repair ------------------------------------------------------------------------------------ */

static void repaired(const char *in, const char *want, int64_t moved)
{
	struct folded_write_options o = {.annotate = true};
	struct repair_report report;
	struct profile p, out;
	struct error e;
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	profile_init(&p);
	profile_init(&out);
	CU_ASSERT_EQUAL_FATAL(folded_read(&p, in, strlen(in), "test", &e), 0);
	profile_repair(&out, &p, &report);
	CU_ASSERT_EQUAL(folded_write(&out, f, &o, &e), 0);
	fclose(f);
	CU_ASSERT_STRING_EQUAL(text, want);
	CU_ASSERT_EQUAL(report.moved, moved);
	CU_ASSERT_EQUAL(report.total, out.series[0].total);
	CU_ASSERT_EQUAL(p.series[0].total, out.series[0].total);
	CU_ASSERT_EQUAL_FATAL(out.nr_comments, 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(profile_str(&out, out.comments[0]), "perfskew repair: "));
	free(text);
	profile_release(&p);
	profile_release(&out);
}

static void preemption_is_given_back(void)
{
	repaired("main.main;main.work;runtime.asyncPreempt 3\nmain.main;main.work 4\nmain.main;runtime.asyncPreempt;runtime.asyncPreempt2 1\n",
		 "main.main;main.work 7\nmain.main;runtime.asyncPreempt;runtime.asyncPreempt2 1\n", 3);
	/* nothing is left of a stack that is nothing else */
	repaired("runtime.asyncPreempt 3\n", "runtime.asyncPreempt 3\n", 0);
	/* the function that was inlined into a wrapper is one of its own */
	repaired("runtime.goexit;main.run.gowrap1;main.work_[i];main.inner_[i] 5\nmain.f-fm;main.f.abi0;time.Now;time.now;[vdso] 2\n",
		 "main.f;time.Now 2\nmain.work;main.inner_[i] 5\n", 0);
	/* a wrapper that panics is shown, as in Go's own tracebacks */
	repaired("main.main;main.(*T).M-fm;runtime.panicwrap 1\n", "main.main;main.(*T).M-fm;runtime.panicwrap 1\n", 0);
}

/* --- RE2 --------------------------------------------------------------------------------------- */

static void expressions_are_translated(void)
{
	static const struct {
		const char *re2, *posix;
	} cases[] = {
		{"main\\.work", "main\\.work"},
		{"(?:a|b)+?c*?", "(a|b)+c*"},
		{"(?P<x>a)(?<y>b)", "(a)(b)"},
		{"\\d{2,3}", "[0123456789]{2,3}"},
		{"\\D", "[^0123456789]"},
		{"[\\d.-]", "[.0123456789-]"},
		{"[]a]", "[]a]"},
		{"[^\\]\\\\]", "[^]\\]"},
		{"[^^]", "[^^]"},
		{"[\\^]", "\\^"},
		{"[[:digit:]x]", "[0123456789x]"},
		{"\\x41\\x{42}", "AB"},
		{"\\Qa.b*\\E+", "a\\.b\\*+"},
		{"\\Aa\\z", "^a$"},
		{"\\<\\-\\/", "<-/"},
		{"a{,2}b{", "a\\{,2}b\\{"},
		{"a{}b{x}", "a\\{}b\\{x}"},
		{"\\bf\\b", "\\bf\\b"},
		{"^.{40}$", "^.{40}$"},
		{"^(a{20}){20}$", "^(a{20}){20}$"},
		{"^a$|^b$|^c$|^d$|^e$|^f$|^g$|^h$", "^a$|^b$|^c$|^d$|^e$|^f$|^g$|^h$"},
		{"(^a|b$){6}", "(^a|b$){6}"},
	};
	static const char *const refused[] = {
		"\\pL", "[\\pL]", "\\1", "a(?i)b", "(?i:a)", "[a", "[z-a]", "*", "a**", "\\", "[\\", "a{1001}",
		"(a{100}){100}", "[\xc3\xa9]", "\\x{1F600}", "\\x80", "\\x00", "\\x", "\\x{41", "(?P<x",
		"a)(b", "^*", "(\\B0{0,}){443}", "((a?$){3}){5}", "\\b0*\\b0*\\b0*\\b0*\\b0*\\b0*\\b0*\\b0*\\b0*\\b0*\\b0*\\b0*\\b0*",
	};
	const char *why;
	bool ignore_case;
	char *deep = xmalloc(401);

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char *posix = regex_to_posix(cases[i].re2, &ignore_case, &why);

		CU_ASSERT_PTR_NOT_NULL(posix);
		if (posix && strcmp(posix, cases[i].posix) != 0)
			printf("\n%s: %s, not %s\n", cases[i].re2, posix, cases[i].posix);
		if (posix)
			CU_ASSERT_STRING_EQUAL(posix, cases[i].posix);
		CU_ASSERT_FALSE(ignore_case);
		free(posix);
	}
	for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
		char *posix = regex_to_posix(refused[i], &ignore_case, &why);

		CU_ASSERT_PTR_NULL(posix);
		CU_ASSERT_PTR_NOT_NULL(why);
		if (posix)
			printf("\n%s: %s, not refused\n", refused[i], posix);
		free(posix);
	}
	memset(deep, '(', 200);
	memset(deep + 200, ')', 200);
	deep[400] = '\0';
	CU_ASSERT_PTR_NULL(regex_to_posix(deep, &ignore_case, &why));
	free(deep);
}

static void expressions_match(void)
{
	static const struct {
		const char *re2, *text;
		bool whole, matches;
	} cases[] = {
		{"(?i)MALLOC", "tc_malloc", false, true}, {"(?i)MALLOC", "tc_malloc", true, false},
		{"a|b", "ab", true, false},		   {"f\\.func\\d+", "f.func12", true, true},
		{"[\\w.]+\\(\\)", "operator.x()", true, true}, {"^main", "main.main", false, true},
		{"\\bwork\\b", "main.work", false, true},  {"\\bwor\\b", "main.work", false, false},
	};
	char why[128];
	regex_t re;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		CU_ASSERT_PTR_NULL_FATAL(regex_compile(&re, cases[i].re2, cases[i].whole, why));
		CU_ASSERT_EQUAL(regexec(&re, cases[i].text, 0, NULL, 0) == 0, cases[i].matches);
		regfree(&re);
	}
	CU_ASSERT_PTR_NOT_NULL(regex_compile(&re, "a(", false, why));
}

/*
 * Addresses that are negative, mappings that are in no table or have a build-id of two digits: what pprof's own
 * reader fell over. Stacks and values stay; an index that leads nowhere is counted.
 */
static void odd_mappings(void)
{
	static const struct {
		uint64_t mapping, address, build_id;
		uint64_t damage;
	} cases[] = {
		{1, UINT64_MAX, 0, 0}, {1, (uint64_t)INT64_MIN, 8, 0}, {1, 0, 8, 0}, {0, 0x1000, 0, 0}, {99, 0x1000, 0, 1}, {1, 0x1000, 99, 1},
	};
	static const char *const extra[] = {"ab", NULL};
	static const uint64_t stack[] = {6, 1, 0};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct message m = {0}, inner = {0};
		struct profile p;
		struct error e;

		start(&m, extra);
		put_number(&inner, 1, 1);
		put_number(&inner, 2, 0x1000);
		put_number(&inner, 3, 0x2000);
		put_number(&inner, 6, cases[i].build_id);
		put_message(&m, 3, &inner);
		put_number(&inner, 1, 6);
		put_number(&inner, 2, cases[i].mapping);
		put_number(&inner, 3, cases[i].address);
		put_message(&m, 4, &inner);
		sample(&m, stack, 5);
		profile_init(&p);
		CU_ASSERT_EQUAL_FATAL(pprof_read(&p, m.bytes, m.nr, "test", &e), 0);
		CU_ASSERT_EQUAL(p.series[0].total, 5);
		CU_ASSERT_EQUAL(p.damage.kind[DAMAGE_PROFILE_INDEX].count > 0, cases[i].damage);
		profile_release(&p);
		free(m.bytes);
	}
}

/* Fields of a later version are passed over; text is not taken for a profile. */
static void later_fields(void)
{
	static const uint64_t stack[] = {1, 0};
	static const char text[] = "heap: 5 objects in 7 places\n";
	struct message m = {0};

	start(&m, NULL);
	sample(&m, stack, 3);
	put_number(&m, 16, 1);
	put_bytes(&m, 200, "later", 5);
	CU_ASSERT_TRUE(pprof_recognise(m.bytes, m.nr));
	expect(&m, "root 3\n");
	CU_ASSERT_FALSE(pprof_recognise(text, sizeof(text) - 1));
	CU_ASSERT_FALSE(pprof_recognise("\x0a\x05half", 6)); /* a message of five bytes, of which four are there */
	CU_ASSERT_TRUE(pprof_recognise("\x0a\x04half", 6));
	free(m.bytes);
}

/* The last field that is looked at may not be longer than the file either. */
static void many_fields(void)
{
	uint8_t fields[64 * 2];

	for (size_t i = 0; i < sizeof(fields); i += 2)
		memcpy(fields + i, "\x32", 2); /* an empty string */
	CU_ASSERT_TRUE(pprof_recognise(fields, sizeof(fields)));
	fields[sizeof(fields) - 1] = 1;
	CU_ASSERT_FALSE(pprof_recognise(fields, sizeof(fields)));
}

/* Numbers of ten bytes everywhere: samples find room, and come back as they were. */
static void largest_samples(void)
{
	enum { SERIES = 20, ROWS = 5000, LABELS = 6 };
	struct pprof_write_options o = {.jobs = 2};
	struct profile p, again;
	struct error e;
	char *bytes = NULL;
	size_t size, wrong = 0;
	FILE *f = open_memstream(&bytes, &size);

	profile_init(&p);
	for (int i = 0; i < SERIES; i++)
		profile_add_series(&p, "type", "count");
	for (uint32_t r = 0; r < ROWS; r++) {
		struct profile_label labels[LABELS];
		char name[16];
		uint32_t node = 0;
		size_t row;

		snprintf(name, sizeof(name), "f%u", r);
		for (int i = 0; i < LABELS; i++)
			labels[i] = (struct profile_label){strtab_add(&p.strings, name), 0, INT64_MIN + i, strtab_add(&p.strings, "unit")};
		for (uint32_t depth = r % 3; depth; depth--)
			node = profile_add_node(&p, node, profile_add_frame(&p, &(struct profile_frame){.name = strtab_add(&p.strings, name)}));
		row = profile_add_row(&p, node, profile_add_labels(&p, labels, LABELS));
		for (size_t i = 0; i < SERIES; i++)
			profile_add_value(&p, row, i, r % 2 ? -1 : INT64_MIN);
	}
	CU_ASSERT_EQUAL(pprof_write(&p, f, &o, &e), 0);
	fclose(f);
	profile_init(&again);
	CU_ASSERT_EQUAL_FATAL(pprof_read(&again, bytes, size, "test", &e), 0);
	CU_ASSERT_EQUAL(again.nr_rows, ROWS);
	for (size_t r = 0; r < again.nr_rows; r++)
		for (size_t i = 0; i < SERIES; i++)
			wrong += again.series[i].values[r] != -1 && again.series[i].values[r] != INT64_MIN;
	CU_ASSERT_EQUAL(wrong, 0);
	CU_ASSERT(again.nr_labels >= (size_t)ROWS * LABELS);
	profile_release(&p);
	profile_release(&again);
	free(bytes);
}

/* A stack of more frames than any has is left out, and counted. */
static void deep_stacks(void)
{
	enum { MOST = 16384 };
	uint64_t *stack = xcalloc(2 * MOST + 1, sizeof(*stack));

	for (size_t i = 0; i < 2 * MOST; i++)
		stack[i] = 1;
	for (size_t nr = MOST; nr <= 2 * MOST; nr += MOST) {
		struct message m = {0};
		struct profile p;
		struct error e;

		start(&m, NULL);
		sample(&m, stack + 2 * MOST - nr, 5);
		profile_init(&p);
		CU_ASSERT_EQUAL_FATAL(pprof_read(&p, m.bytes, m.nr, "test", &e), 0);
		CU_ASSERT_EQUAL(p.nr_rows, nr == MOST);
		CU_ASSERT_EQUAL(p.damage.kind[DAMAGE_PROFILE_INDEX].count, nr != MOST);
		profile_release(&p);
		free(m.bytes);
	}
	free(stack);
}

static const struct suite_test tests[] = {
	{"odd mappings", odd_mappings},
	{"later fields", later_fields},
	{"many fields", many_fields},
	{"largest samples", largest_samples},
	{"deep stacks", deep_stacks},
	{"frames are dropped", frames_are_dropped},
	{"unread expressions are said", unread_expressions_are_said},
	{"addresses stay addresses", addresses_stay_addresses},
	{"old forms have names", old_forms_have_names},
	{"preemption is given back", preemption_is_given_back},
	{"expressions are translated", expressions_are_translated},
	{"expressions match", expressions_match},
	{NULL, NULL},
};
const struct suite suite_pprof = {"pprof", tests};
