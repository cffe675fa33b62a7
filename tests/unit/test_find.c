/*
 * What skew says is the cause of a difference: only what the figures show.
 */
#include <math.h>
#include <string.h>

#include "cmd/skew.h"
#include "suite.h"

#define PERIOD 10000000 /* ns a sample */

/* "root;…;leaf", and samples on both sides. */
struct given {
	const char *stack;
	int64_t perf, pprof;
};

static void add_stack(struct profile *p, const char *stack, int64_t samples)
{
	uint32_t node = 0;
	size_t row;

	for (const char *at = stack; samples && *at;) {
		size_t n = strcspn(at, ";");
		struct profile_frame f = {.kind = FRAME_USER, .go = *at != '['};
		char name[100];

		snprintf(name, sizeof(name), "%.*s", (int)n, at);
		f.name = strtab_add(&p->strings, name);
		node = profile_add_node(p, node, profile_add_frame(p, &f));
		at += n + (at[n] == ';');
	}
	if (!samples)
		return;
	row = profile_add_row(p, node, 0);
	profile_add_value(p, row, 0, samples);
	profile_add_value(p, row, 1, samples * PERIOD);
}

/* The cause of the finding whose text begins so; "none" where there is no such finding. */
static const char *cause_of(const struct given *given, const char *finding, const struct paired *paired)
{
	static struct skew_findings all;
	struct compare_timers timers = {.threads = 4};
	struct compare_options opts = {.rules = NORMALISE_GO, .jobs = 1};
	struct skew_result r = {.timed = true};
	struct profile p[2];
	const char *cause = "none";

	for (int s = 0; s < 2; s++) {
		profile_init(&p[s]);
		profile_add_series(&p[s], "samples", "count");
		profile_add_series(&p[s], "cpu", "nanoseconds");
		for (const struct given *g = given; g->stack; g++)
			add_stack(&p[s], g->stack, s ? g->pprof : g->perf);
	}
	r.a = (struct compare_side){.profile = &p[0], .count = 0, .weight = 1};
	r.b = (struct compare_side){.profile = &p[1], .count = 0, .weight = 1};
	comparison_make(&r.c, &r.a, &r.b, &opts);
	compare_coverage(r.c.a_weight, r.c.a_samples, r.c.b_weight, r.c.b_samples, &timers, &r.coverage, &r.coverage_low,
			 &r.coverage_high);
	if (paired) {
		r.paired = *paired;
		r.has_paired = true;
	}
	skew_find(&r, &all);
	for (size_t i = 0; i < all.nr; i++)
		if (!strncmp(all.list[i].text, finding, strlen(finding)))
			cause = all.list[i].cause;
	comparison_release(&r.c);
	profile_release(&p[0]);
	profile_release(&p[1]);
	return cause;
}

#define GIVEN(...) ((const struct given[]){__VA_ARGS__, {NULL, 0, 0}})
#define USER "main.main;main.work"
#define GC "runtime.gcBgMarkWorker;runtime.gcDrain"
#define SCHED "runtime.mcall;runtime.schedule"

static void expect(const char *got, const char *want)
{
	CU_ASSERT_STRING_EQUAL(got, want);
	if (strcmp(got, want))
		printf("got  %s\nwant %s\n", got, want);
}

static void by_seconds(void)
{
	/* all of gc's time is there, half of the rest is not */
	expect(cause_of(GIVEN({USER, 5000, 2000}, {GC, 3000, 3010}), "class gc", NULL),
	       "in seconds the two agree (perf 30.00 s, pprof 30.10 s): pprof misses time of other classes, so this one has a "
	       "larger share of the rest.");
	/* gc's time is what is missing */
	expect(cause_of(GIVEN({USER, 5000, 5000}, {GC, 3000, 1000}), "class gc", NULL),
	       "it is 20.00 s of the 20.00 s that pprof misses in all: signals that were lost, see there.");
	/* it is in the scheduler, mostly */
	expect(cause_of(GIVEN({USER, 5000, 5000}, {GC, 3000, 1000}, {SCHED, 500, 2100}), "class gc", NULL),
	       "pprof has 20.00 s less than perf here and 16.00 s more in class scheduler.");
	/* some of it is elsewhere, some is missing: which is which is not known */
	expect(cause_of(GIVEN({USER, 5000, 5000}, {GC, 3000, 1000}, {SCHED, 500, 1200}), "class gc", NULL), "");
	/* no time is missing, and nothing shows why gc has less of it */
	expect(cause_of(GIVEN({USER, 5000, 7000}, {GC, 3000, 1000}), "class gc", NULL), "");
	expect(cause_of(GIVEN({USER, 5000, 5000}, {GC, 3000, 3000}), "class gc", NULL), "none");
}

static void by_names_and_stacks(void)
{
	expect(cause_of(GIVEN({USER, 2000, 5000}, {GC, 0, 1000}, {"[server]+0x1f499", 4000, 0}), "class gc", NULL),
	       "66.7 % of perf's time is in functions whose names are not known, as their binary was not found: what they are "
	       "cannot be told.");
	expect(cause_of(GIVEN({USER, 5000, 4000}, {"runtime._System;runtime.memmove", 0, 1000}), "class runtime", NULL),
	       "stacks that pprof could not walk (the signal came on the system stack, or while stacks were switched: "
	       "runtime._System and kin) are 20.0 points of it; their callers are not known.");
	expect(cause_of(GIVEN({USER, 4000, 5000}, {"[truncated];runtime.memmove", 1000, 0}), "class runtime", NULL),
	       "stacks that perf's dump holds a part of are 20.0 points of it; their callers are not known.");
	/* the same with all its callers */
	expect(cause_of(GIVEN({USER, 5000, 4000}, {USER ";runtime.memmove", 0, 1000}), "class runtime", NULL), "");
}

static void by_pairs(void)
{
	struct paired_row rows[] = {
		{.pprof = CLASS_USER, .perf = CLASS_USER, .samples = 500},
		{.pprof = CLASS_USER, .perf = CLASS_GC, .samples = 180, .late = 9},
		{.pprof = CLASS_SCHEDULER, .perf = CLASS_GC, .samples = 20},
		{.pprof = CLASS_GC, .perf = CLASS_GC, .samples = 100},
		{.pprof = CLASS_ALLOCATION, .perf = CLASS_USER, .samples = 200, .late = 150},
	};
	const struct paired paired = {.pairs = 1000, .rows = rows, .nr_rows = 5};

	expect(cause_of(GIVEN({USER, 7000, 9000}, {GC, 3000, 1000}), "class gc", &paired),
	       "by the execution trace, 180 of the 300 samples that pprof took of threads in it are in class user (9 of them late).");
	expect(cause_of(GIVEN({USER, 9000, 7000}, {"main.main;runtime.mallocgc", 1000, 3000}), "class allocation", &paired),
	       "by the execution trace, 200 of pprof's 200 samples there were taken of threads that were in class user (150 of them "
	       "late).");
	/* too few pairs for so large a difference */
	expect(cause_of(GIVEN({USER, 5000, 9000}, {GC, 5000, 1000}), "class gc", &paired), "");
}

static const struct suite_test tests[] = {
	{"by seconds", by_seconds},
	{"by names and stacks", by_names_and_stacks},
	{"by pairs", by_pairs},
	{NULL, NULL},
};
const struct suite suite_find = {"find", tests};
