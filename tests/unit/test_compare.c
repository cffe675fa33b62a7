/*
 * The skew metrics on profiles with known answers.
 */
#include <math.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "compare/categories.h"
#include "compare/compare.h"
#include "compare/pattern.h"
#include "compare/stats.h"
#include "profile/folded.h"
#include "suite.h"

#define NEAR(a, b, tolerance) CU_ASSERT_TRUE(fabs((a) - (b)) <= (tolerance))

/* A side from folded text: counts are samples, weights the same times 1e6 ns. */
static void make_side(struct profile *p, struct compare_side *s, const char *text)
{
	struct profile folded;
	struct error e;

	profile_init(&folded);
	CU_ASSERT_EQUAL_FATAL(folded_read(&folded, text, strlen(text), "test", &e), 0);
	profile_init(p);
	profile_add_series(p, "samples", "count");
	profile_add_series(p, "cpu", "nanoseconds");
	for (size_t r = 0; r < folded.nr_rows; r++) {
		uint32_t path[256], node = 0;
		size_t depth = profile_path(&folded, folded.rows[r].node, path, 256), row;

		for (size_t i = 0; i < depth; i++) {
			struct profile_frame f = folded.frames[path[i]];

			f.name = strtab_add(&p->strings, profile_str(&folded, f.name));
			f.go = strchr(profile_str(p, f.name), '.') != NULL;
			node = profile_add_node(p, node, profile_add_frame(p, &f));
		}
		row = profile_add_row(p, node, 0);
		profile_add_value(p, row, 0, folded.series[0].values[r]);
		profile_add_value(p, row, 1, folded.series[0].values[r] * 1000000);
	}
	profile_release(&folded);
	*s = (struct compare_side){p, 0, 1};
}

struct pair {
	struct profile a, b;
	struct comparison c;
};

static void compare_by(struct pair *x, const char *perf, const char *pprof, size_t replicates)
{
	struct compare_options o = {.rules = NORMALISE_GO, .replicates = replicates};
	struct compare_side a, b;

	make_side(&x->a, &a, perf);
	make_side(&x->b, &b, pprof);
	comparison_make(&x->c, &a, &b, &o);
}

static void compare(struct pair *x, const char *perf, const char *pprof)
{
	compare_by(x, perf, pprof, 200);
}

static void end(struct pair *x)
{
	comparison_release(&x->c);
	profile_release(&x->a);
	profile_release(&x->b);
}

static const struct compare_row *row(const struct compare_row *rows, size_t nr, const char *name)
{
	for (size_t i = 0; i < nr; i++)
		if (!strcmp(rows[i].name, name))
			return &rows[i];
	return NULL;
}

#define USER "runtime.goexit;main.main;main.work"
#define USER2 "runtime.goexit;main.main;main.other"
#define READ "runtime.goexit;main.main;os.(*File).Read;internal/poll.(*FD).Read;syscall.read;internal/runtime/syscall.Syscall6"
#define WRITE "runtime.goexit;main.main;net.(*conn).Write;internal/poll.(*FD).Write;syscall.write;internal/runtime/syscall.Syscall6"
#define PARK "runtime.mcall;runtime.park_m;runtime.schedule;runtime.findRunnable"
#define FUTEX "runtime.mcall;runtime.park_m;runtime.schedule;runtime.findRunnable;runtime.stopm;runtime.notesleep;runtime.futexsleep;runtime.futex"
#define PREEMPT "runtime.goexit;main.main;main.work;runtime.asyncPreempt"

/* perf written as pprof, unchanged: nothing may be found. */
static void the_same_is_no_difference(void)
{
	static const char text[] = USER " 5000\n" USER2 " 2000\n" READ " 1000\n" WRITE " 500\n" PARK " 1000\n" FUTEX " 500\n";
	struct pair x;
	double ratio, low, high;

	compare(&x, text, text);
	for (int m = 0; m < SKEW_METRICS; m++) {
		const struct compare_metric *k = &x.c.metrics[m];

		NEAR(k->value, 0, 1e-12);
		CU_ASSERT_TRUE(k->excess <= 0 + 1e-12 && k->excess > -0.1);
		CU_ASSERT_TRUE(k->p_value > 0.5 || isnan(k->p_value));
	}
	for (size_t i = 0; i < x.c.nr_functions; i++)
		CU_ASSERT_TRUE(x.c.functions[i].q_value > 0.5);
	compare_ratio(x.c.a_weight, x.c.a_samples, x.c.b_weight, x.c.b_samples, &ratio, &low, &high);
	NEAR(ratio, 1, 1e-12);
	CU_ASSERT_TRUE(low < 1 && high > 1);
	end(&x);
}

/* Half of the futex samples dropped, half of READ's weight moved to WRITE: values by hand. */
static void each_metric_by_hand(void)
{
	struct pair x;
	/* perf: user 7000, syscall 1500 (read 1000, write 500), scheduler 1500 (findRunnable 1000, futex 500) of 10000 */
	static const char perf[] = USER " 5000\n" USER2 " 2000\n" READ " 1000\n" WRITE " 500\n" PARK " 1000\n" FUTEX " 500\n";
	static const char pprof[] = USER " 5000\n" USER2 " 2000\n" READ " 500\n" WRITE " 1000\n" PARK " 1000\n" FUTEX " 250\n";
	const double total = 9750; /* pprof's */
	const struct compare_metric *m = x.c.metrics;
	double read = 500 / total, write = 1000 / total, park = 1000 / total, futex = 250 / total;

	compare(&x, perf, pprof);
	NEAR(m[SKEW_USER_CODE_SHARE_ERROR].value, (7000 / total - 0.7) / 0.7, 1e-9);
	/* callers os.(*File).Read and net.(*conn).Write */
	NEAR(m[SKEW_SYSCALL_MISATTRIBUTION_RATE].value, 1 - (fmin(0.1, read) + fmin(0.05, write)) / 0.15, 1e-9);
	NEAR(m[SKEW_SYSCALL_MISATTRIBUTION_RATE].a_share, 0.15, 1e-9);
	NEAR(m[SKEW_GOROUTINE_SWITCH_MISS_RATE].value, 1 - (fmin(0.1, park) + fmin(0.05, futex)) / 0.15, 1e-9);
	NEAR(m[SKEW_PREEMPTION_CAPTURE_EXCESS].value, 0, 1e-12);
	/* both system calls end in one leaf: only findRunnable, futex and the shift of the total show */
	NEAR(m[SKEW_TOTAL_VARIATION_SELF].value,
	     (fabs(5000 / total - 0.5) + fabs(2000 / total - 0.2) + fabs(1500 / total - 0.15) + fabs(park - 0.1) + fabs(futex - 0.05)) / 2,
	     1e-9);
	NEAR(m[SKEW_TOTAL_VARIATION_STACK].value,
	     (fabs(5000 / total - 0.5) + fabs(2000 / total - 0.2) + fabs(read - 0.1) + fabs(write - 0.05) + fabs(park - 0.1) + fabs(futex - 0.05)) / 2,
	     1e-9);
	CU_ASSERT_TRUE(m[SKEW_SYSCALL_MISATTRIBUTION_RATE].p_value < 0.01);
	CU_ASSERT_TRUE(m[SKEW_GOROUTINE_SWITCH_MISS_RATE].p_value < 0.01);
	CU_ASSERT_TRUE(m[SKEW_SYSCALL_MISATTRIBUTION_RATE].ci_low < m[SKEW_SYSCALL_MISATTRIBUTION_RATE].value &&
		       m[SKEW_SYSCALL_MISATTRIBUTION_RATE].ci_high > m[SKEW_SYSCALL_MISATTRIBUTION_RATE].value);
	end(&x);
}

static void planted_preemption_is_found(void)
{
	struct pair x;
	const struct compare_row *f;

	compare(&x, USER " 6000\n" USER2 " 4000\n", USER " 480\n" PREEMPT " 120\n" USER2 " 400\n");
	NEAR(x.c.metrics[SKEW_PREEMPTION_CAPTURE_EXCESS].value, 0.12, 1e-9);
	CU_ASSERT_TRUE(x.c.metrics[SKEW_PREEMPTION_CAPTURE_EXCESS].p_value < 0.01);
	NEAR(x.c.metrics[SKEW_USER_CODE_SHARE_ERROR].value, -0.12, 1e-9);
	NEAR(x.c.metrics[SKEW_TOTAL_VARIATION_SELF].value, 0.12, 1e-9);
	f = row(x.c.functions, x.c.nr_functions, "runtime.asyncPreempt");
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	CU_ASSERT_TRUE(f->q_value < 1e-6);
	NEAR(f->difference_self, 0.12, 1e-9);
	CU_ASSERT_TRUE(f->ci_low > 0.09 && f->ci_high < 0.15);
	f = row(x.c.functions, x.c.nr_functions, "main.other");
	CU_ASSERT_TRUE(f->q_value > 0.2);
	NEAR(row(x.c.classes, x.c.nr_classes, "preemption")->b_self, 0.12, 1e-9);
	end(&x);
}

/* The rates of sampling must not matter: 1999 Hz against 100 Hz of the same thing. */
static void rates_do_not_matter(void)
{
	struct pair x;

	compare(&x, USER " 119940\n" USER2 " 79960\n", USER " 6000\n" USER2 " 4000\n");
	NEAR(x.c.metrics[SKEW_TOTAL_VARIATION_SELF].value, 0, 1e-9);
	CU_ASSERT_TRUE(x.c.metrics[SKEW_TOTAL_VARIATION_SELF].p_value > 0.5);
	end(&x);
}

/* One side has kernel frames, wrappers, suffixes, the 64-frame cap; the other is as pprof writes it. */
static void names_and_frames_are_made_comparable(void)
{
	struct pair x;
	char *deep = xstrdup(""), *capped = xstrdup(""), *perf, *pprof;

	for (int i = 0; i < 100; i++) {
		char *longer = xasprintf("%s;main.rec", deep);

		free(deep);
		deep = longer;
		if (i == 63) {
			free(capped);
			capped = xstrdup(deep + 1);
		}
	}
	perf = xasprintf("runtime.goexit;runtime.main%s 100\n"
			 "runtime.goexit;main.T.M-fm;main.T.M;slices.Sort[go.shape.int];runtime.futex.abi0;do_futex_[k] 10\n"
			 "runtime.goexit;net/http.(*Server).Serve.gowrap3;main.h;runtime.nanotime1 10\n"
			 "runtime.asmcgocall;_cgo_abc_Cfunc_burn;burn 10\n", deep);
	pprof = xasprintf("%s 100\nmain.T.M;slices.Sort[...];runtime.futex 10\nmain.h;runtime.nanotime 10\n"
			  "main.callsC;runtime.cgocall 10\n", capped);
	compare(&x, perf, pprof);
	NEAR(x.c.metrics[SKEW_TOTAL_VARIATION_STACK].value, 0, 1e-12);
	NEAR(x.c.metrics[SKEW_TOTAL_VARIATION_SELF].value, 0, 1e-12);
	end(&x);
	free(deep);
	free(capped);
	free(perf);
	free(pprof);
}

static void names_in_one_form(void)
{
	static const char *const cases[][2] = {
		{"runtime.futex.abi0", "runtime.futex"},
		{"type..eq.main.T", "type:.eq.main.T"},
		{"slices.SortFunc[go.shape.struct { a int; b []int }].func1", "slices.SortFunc[...].func1"},
		{"main.F[...]", "main.F[...]"},
		{"gogo", "runtime.gogo"},
		{"main.(*T).M", "main.(*T).M"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char *name = normalise_name(cases[i][0]);

		CU_ASSERT_STRING_EQUAL(name, cases[i][1]);
		free(name);
	}
}

static void categories(void)
{
	static const char *const cases[][2] = {
		{"runtime.mallocgc", "malloc"}, {"runtime.findRunnable", "sched"}, {"runtime.asyncPreempt", "sched-preempt"},
		{"runtime.(*mheap).allocSpan", "malloc"}, {"runtime.futex", "runtime-lock"}, {"syscall.Syscall6", "syscall"},
		{"internal/runtime/syscall/linux.Syscall6", "syscall"}, {"runtime.scanObject", "gc-mark"},
		{"runtime.preemptone", "sched"}, {"encoding/json.Marshal", "encoding"},
		/* what the first characters say must not hide a row: escapes, optional parts, groups in groups, no anchor */
		{"aeshashbody", "hash"}, {"gcWriteBarrier", "gc-writebarrier"}, {"runtime.gcWriteBarrier2", "gc-writebarrier"},
		{"gogo", "sched"}, {"[vdso]+0xa40", "clock"}, {"main._Cfunc_burn", "cgo"}, {"_cgo_1234_Cfunc_burn", "cgo"},
		{"runtime.reentersyscall", "syscall-entry"}, {"runtime.entersyscall", "syscall-entry"},
		{"internal/sync.(*Mutex).lockSlow", "mutex"}, {"sync.(*Mutex).Lock", "mutex"}, {"sync.runtime_Semacquire", "mutex"},
		{"internal/runtime/syscall.Syscall6", "syscall"}, {"runtime/internal/syscall.Syscall6", "syscall"},
		{"syscall.RawSyscall", "syscall"}, {"golang.org/x/sys/unix.Poll", "syscall"}, {"runtime.nanotime1", "clock"},
		{"runtime.(*timers).run", "timer"}, {"runtime.addtimer", "timer"}, {"time.Sleep", "timer"}, {"memeqbody", "memory"},
		{"runtime.memclrNoHeapPointers", "memory"}, {"runtime.(*profBuf).write", "profiler"}, {"runtime.traceEvent", "tracer"},
		{"runtime.semacquire1", "mutex"}, {"runtime.(*unwinder).next", "unwind"}, {"runtime.sigreturn__sigaction", "signal"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const char *got = categories_find(cases[i][0]);

		CU_ASSERT_PTR_NOT_NULL_FATAL(got);
		CU_ASSERT_STRING_EQUAL(got, cases[i][1]);
	}
	CU_ASSERT_PTR_NULL(categories_find("main.work"));
	CU_ASSERT_PTR_NULL(categories_find("runtime.GOMAXPROCS"));
}

/* "^runtime\\.(a|b(1)?)$" gives runtime.a and runtime.b1: the start and one branch, specials left out. */
static void name_of_branch(char *name, size_t size, const char *pattern, const char *branch)
{
	const char *parts[] = {pattern, branch}, *ends[] = {"(", "|)"};
	size_t n = 0;

	for (int i = 0; i < 2; i++)
		for (const char *c = parts[i]; *c && n + 1 < size; c++) {
			if (*c == '\\' && c[1])
				c++;
			else if (strchr(ends[i], *c))
				break;
			else if (strchr("^$()?*+[]", *c))
				continue;
			name[n++] = *c;
		}
	name[n] = '\0';
}

static size_t differ_from_regexec(regex_t *re, size_t nr, const char *name)
{
	const char *want = NULL, *got = categories_find(name);

	for (size_t i = 0; i < nr && !want; i++)
		if (regexec(&re[i], name, 0, NULL, 0) == 0)
			categories_row(i, &want);
	if (want == got)
		return 0;
	printf("%s: %s, by regexec %s\n", name, got ? got : "none", want ? want : "none");
	return 1;
}

/* Names of every branch of every row, and with a character more, less and changed: as the C library has them. */
static void categories_as_regexec(void)
{
	regex_t re[128];
	const char *pattern, *category;
	size_t nr = 0, names = 0, wrong = 0, found = 0;

	while ((pattern = categories_row(nr, &category))) {
		CU_ASSERT_FATAL(nr < sizeof(re) / sizeof(*re));
		CU_ASSERT_EQUAL_FATAL(regcomp(&re[nr], pattern, REG_EXTENDED | REG_NOSUB), 0);
		nr++;
	}
	for (size_t i = 0; (pattern = categories_row(i, &category)); i++)
		for (const char *branch = pattern; branch; branch = strpbrk(branch, "|(")) {
			char name[160], changed[164];
			size_t n;

			name_of_branch(name, sizeof(name), pattern, *branch == '^' ? "" : ++branch);
			n = strlen(name);
			names++;
			found += categories_find(name) != NULL;
			wrong += differ_from_regexec(re, nr, name);
			for (int edit = 0; edit < 4; edit++) {
				size_t at = (names * 7 + (size_t)edit) % (n + 1);

				snprintf(changed, sizeof(changed), "%.*s%s%s", (int)at, name,
					 edit == 0 ? "" : edit == 1 ? "x" : edit == 2 ? "0" : ".func1",
					 name + at + (edit == 0 && at < n));
				wrong += differ_from_regexec(re, nr, changed);
			}
			if (*branch == '^')
				branch++;
		}
	for (size_t i = 0; i < nr; i++)
		regfree(&re[i]);
	CU_ASSERT_EQUAL(wrong, 0);
	CU_ASSERT_TRUE(names > 600 && found > 300);
}

static void patterns(void)
{
	static const char *const refused[] = {"a{2}", "(a", "a)", "a|b", "(a)*", "^(a)+", "a$b", "[", "[]a]", "[^a]", "\\", "*a", "a**"};
	static const struct {
		const char *pattern, *name;
		bool matches;
	} cases[] = {
		{"^a(b|c(d)?)?e$", "ae", true},	  {"^a(b|c(d)?)?e$", "acde", true},   {"^a(b|c(d)?)?e$", "ade", false},
		{"^a(b|bc)d", "abcd", true},	  {"^[a-c_]*c$", "abc_c", true},      {"^[a-c]+$", "", false},
		{"^[a-c]+x?$", "abc", true},	  {"^(a.*|b)z$", "azbz", true},	      {"^(a.*|b)z$", "azb", false},
		{"b", "abc", true},		  {"b$", "abc", false},		      {"", "", true},
		{"^a\\.b$", "axb", false},	  {"^(a|)b$", "b", true},	      {"^(a$|ab)", "abc", true},
		{"^ab?c", "ac", true},		  {"^ab*(c|d)$", "abbd", true},	      {"^ab(c|d)?e", "abe", true},
		{"^a\\.(b|[cd]x)e", "a.dxe", true}, {"^ab((c|d)e|f)$", "abde", true}, {"^ab(c|d)$", "ab", false},
		{"^ab", "a", false},		  {"^$", "", true},		      {"^$", "a", false},
	};
	struct pattern p;

	for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
		CU_ASSERT_FALSE(pattern_make(&p, refused[i]));
		pattern_release(&p);
	}
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		CU_ASSERT_TRUE_FATAL(pattern_make(&p, cases[i].pattern));
		CU_ASSERT_EQUAL(pattern_matches(&p, cases[i].name), cases[i].matches);
		pattern_release(&p);
	}
}

/* 220 functions of a long tail, drawn `samples` times or so. Malloc'ed. */
static char *drawn_text(struct rng *rng, double samples)
{
	char *text = xmalloc(220 * 64);
	size_t at = 0;

	for (int i = 0; i < 220; i++) {
		double n = rng_poisson(rng, samples / (i + 3) / 5);

		if (n > 0)
			at += (size_t)snprintf(text + at, 64, "runtime.goexit;main.f%d %.0f\n", i, n);
	}
	return text;
}

/* Twenty pairs drawn from one distribution: at most one function in twenty may be flagged. */
static void calibrated(void)
{
	size_t flagged = 0, functions = 0, small = 0, pairs = 20;
	struct rng rng;

	rng_seed(&rng, 7);
	for (size_t k = 0; k < pairs; k++) {
		char *text[] = {drawn_text(&rng, 10000), drawn_text(&rng, 1000)};
		struct pair x;

		compare(&x, text[0], text[1]);
		for (size_t i = 0; i < x.c.nr_functions; i++) {
			functions++;
			flagged += x.c.functions[i].q_value < 0.05;
		}
		small += x.c.metrics[SKEW_TOTAL_VARIATION_SELF].p_value < 0.05;
		end(&x);
		free(text[0]);
		free(text[1]);
	}
	CU_ASSERT_TRUE(functions > 3000);
	CU_ASSERT_TRUE((double)flagged <= 0.05 * (double)functions);
	CU_ASSERT_TRUE(small <= 4); /* P(more than 4 of 20 at 5 %) < 0.003 */
}

/* Few replicates and a normal distribution say of a sum of many parts what thousands of replicates do. */
static void quantiles_of_many(void)
{
	struct rng rng;

	rng_seed(&rng, 11);
	for (int k = 0; k < 5; k++) {
		char *text[] = {drawn_text(&rng, 50000), drawn_text(&rng, 5000 + 40000 * k)};
		struct pair few, all;
		const struct compare_metric *m, *of;
		double half;

		compare_by(&few, text[0], text[1], 0);
		compare_by(&all, text[0], text[1], 4000);
		m = &few.c.metrics[SKEW_TOTAL_VARIATION_SELF];
		of = &all.c.metrics[SKEW_TOTAL_VARIATION_SELF];
		half = (of->ci_high - of->ci_low) / 2;
		NEAR(m->ci_low, of->ci_low, 0.3 * half);
		NEAR(m->ci_high, of->ci_high, 0.3 * half);
		NEAR(m->noise_floor, of->noise_floor, 0.2 * half);
		NEAR(m->p_value, of->p_value, 0.1);
		end(&few);
		end(&all);
		for (int side = 0; side < 2; side++)
			free(text[side]);
	}
}

static const struct suite_test tests[] = {
	{"the same is no difference", the_same_is_no_difference},
	{"each metric by hand", each_metric_by_hand},
	{"planted preemption is found", planted_preemption_is_found},
	{"rates do not matter", rates_do_not_matter},
	{"names and frames are made comparable", names_and_frames_are_made_comparable},
	{"names in one form", names_in_one_form},
	{"categories", categories},
	{"categories as the C library finds them", categories_as_regexec},
	{"patterns", patterns},
	{"calibrated", calibrated},
	{"quantiles of many", quantiles_of_many},
	{NULL, NULL},
};
const struct suite suite_compare = {"compare", tests};
