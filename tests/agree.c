/*
 * How well the tables unwind: for every sample of the recordings given, the
 * stack of `auto` against libdw's own walk, address by address, and how many
 * stacks reached a true root.
 *
 * Usage: agree [-v] [-u UNWINDER] [-b FILE-OR-DIR] [-r PERCENT] [-a PERCENT] RECORDING...
 *   -u  another unwinder than auto
 *   -b  where the binaries are, when not at their recorded paths
 *   -v  the differences by kind, each with an example
 *   -r  exit 1 when a smaller share of the stacks with user frames ends at a root;
 *       stacks deeper than their dump, or that end in a binary that is not here, are left out
 *   -a  exit 1 when a smaller share agrees
 * `make check` runs it on the bundled recording, whose binary has no call frame
 * information to compare with; tests/live/unwind.sh on fresh ones.
 */
#include <elfutils/libdw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "process/gotab.h"
#include "unwind/unwind.h"

#define KIND_TEXT 320

struct difference {
	char kind[KIND_TEXT];
	uint64_t samples, first_time;
};

struct tally {
	uint64_t samples, user, rooted, cut;
	uint64_t compared, same; /* of the samples with a dump, in binaries whose CFI libdw can read */
	uint64_t lost;		 /* not compared: libdw is known to be wrong there, see libdw_lost and is_untold */
	uint64_t ends[UNWIND_ENDS];
	uint64_t auto_ns, libdw_ns, frames;
	struct map64 debug_frames; /* module → has CFI of Go's code */
	struct difference *differences;
	size_t nr, alloc;
};

static const char *extra[2];
static const struct unwinder *tested = &unwinder_auto;
static bool verbose;
static double least_rooted, least_same;

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* The function of a frame, or where it is, for the list of differences. */
static void describe(struct session *s, const struct unwind_frame *f, char *buf, size_t size)
{
	const struct module *m = f->module == UINT32_MAX ? NULL : modules_get(session_modules(s), f->module);
	struct gotab_func fn;

	if (m && m->gotab && gotab_find(m->gotab, f->lookup, &fn))
		snprintf(buf, size, "%.80s", fn.name);
	else
		snprintf(buf, size, "[%.60s]+0x%" PRIx64, m ? m->name : "unmapped", f->lookup);
}

static void count_difference(struct tally *t, const char *kind, uint64_t time)
{
	size_t i = 0;

	while (i < t->nr && strcmp(t->differences[i].kind, kind) != 0)
		i++;
	if (i == t->nr) {
		ALLOC_GROW(t->differences, t->nr + 1, t->alloc);
		t->differences[i] = (struct difference){.first_time = time};
		snprintf(t->differences[i].kind, KIND_TEXT, "%s", kind);
		t->nr++;
	}
	t->differences[i].samples++;
}

static void note_end(struct tally *t, struct session *s, const struct unwind_stack *a, uint64_t time)
{
	char last[96], caller[96] = "the leaf", kind[KIND_TEXT];

	if (unwind_end_complete(a->end) || a->nr == a->nr_kernel)
		return;
	describe(s, &a->frames[a->nr - 1], last, sizeof(last));
	if (a->nr - 1 > a->nr_kernel)
		describe(s, &a->frames[a->nr - 2], caller, sizeof(caller));
	snprintf(kind, sizeof(kind), "end %s: %s, above %s", unwind_end_key(a->end), last, caller);
	count_difference(t, kind, time);
}

/* Where the two part: the last frame they share, and what each has after it. */
static void note_difference(struct tally *t, struct session *s, const struct unwind_stack *a,
			    const struct unwind_stack *b, uint64_t time)
{
	char shared[96] = "the leaf", mine[96], theirs[96], kind[KIND_TEXT];
	size_t i = a->nr_kernel;

	while (i < a->nr && i < b->nr && a->frames[i].pc == b->frames[i].pc)
		i++;
	if (i > a->nr_kernel)
		describe(s, &a->frames[i - 1], shared, sizeof(shared));
	snprintf(mine, sizeof(mine), "end %s", unwind_end_key(a->end));
	snprintf(theirs, sizeof(theirs), "end %s", unwind_end_key(b->end));
	if (i < a->nr)
		describe(s, &a->frames[i], mine, sizeof(mine));
	if (i < b->nr)
		describe(s, &b->frames[i], theirs, sizeof(theirs));
	snprintf(kind, sizeof(kind), "after %s: %s: %s; libdw: %s", shared, tested->name, mine, theirs);
	count_difference(t, kind, time);
}

/*
 * Without call frame information (a Go binary linked with -s -w) libdw follows
 * frame pointers, which loses callers: nothing to compare with.
 */
static bool has_debug_frame(struct tally *t, struct module *m)
{
	uint32_t has = map64_get(&t->debug_frames, m->id);
	Elf *elfs[2] = {m->elf, m->debug};

	if (has != MAP64_NONE)
		return has;
	has = 0;
	for (int i = 0; i < 2; i++) {
		Dwarf *dw = elfs[i] ? dwarf_begin_elf(elfs[i], DWARF_C_READ, NULL) : NULL;

		has |= dw && dwarf_getcfi(dw);
		dwarf_end(dw);
	}
	map64_put(&t->debug_frames, m->id, has);
	return has;
}

static bool comparable(struct tally *t, struct session *s, const struct unwind_stack *a)
{
	for (size_t i = a->nr_kernel; i < a->nr; i++)
		if (a->frames[i].go && !has_debug_frame(t, modules_get(session_modules(s), a->frames[i].module)))
			return false;
	return true;
}

/*
 * The same addresses, for lookup too; but libdw does not know of injected calls,
 * and takes 1 from where asyncPreempt and sigpanic return to.
 */
static bool same_stack(const struct unwind_stack *a, const struct unwind_stack *b)
{
	if (a->nr != b->nr)
		return false;
	for (size_t i = a->nr_kernel; i < a->nr; i++) {
		const struct unwind_frame *f = &a->frames[i], *g = &b->frames[i];

		if (f->pc != g->pc || f->module != g->module || (f->lookup != g->lookup && f->kind == g->kind))
			return false;
		if (f->kind != g->kind && (f->kind != UNWIND_PC_EXACT || i == a->nr_kernel))
			return false;
	}
	return true;
}

/*
 * What Go's CFI does not tell (runtime/sys_linux_amd64.s): functions that call the vdso switch to the system
 * stack, or not, and SP is taken for what it was before; behind sigreturn is what a signal interrupted. libdw
 * ends there, or reads a caller that is none.
 */
static bool is_untold(struct session *s, const struct unwind_frame *f)
{
	static const char *const names[] = {"runtime.nanotime1", "runtime.walltime", "time.now", "runtime.vgetrandom1",
					  "runtime.sigreturn", "runtime.sigreturn__sigaction"};
	const struct module *m = f->module == UINT32_MAX ? NULL : modules_get(session_modules(s), f->module);
	struct gotab_func fn;

	if (!m || !m->gotab || !gotab_find(m->gotab, f->lookup, &fn))
		return false;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!strcmp(fn.name, names[i]))
			return true;
	return false;
}

/* The two part right behind such a function. */
static bool is_behind_untold(struct session *s, const struct unwind_stack *a, const struct unwind_stack *b)
{
	size_t i = a->nr_kernel;

	while (i < a->nr && i < b->nr && a->frames[i].pc == b->frames[i].pc)
		i++;
	return i > a->nr_kernel && is_untold(s, &a->frames[i - 1]) && (i < a->nr || i < b->nr);
}

/*
 * libdw ended at an address it looks up one byte off. cgocallback returns to what
 * g.sched held, up to Go 1.20 the first byte of systemstack_switch: the byte
 * before is another function's. And the system call of rt_sigreturn is the last of
 * its function: the pc behind it is nobody's.
 */
static bool libdw_lost(const struct unwind_stack *a, const struct unwind_stack *b)
{
	const struct unwind_frame *f;

	if (b->nr >= a->nr || b->nr == b->nr_kernel)
		return false;
	for (size_t i = a->nr_kernel; i < b->nr; i++)
		if (a->frames[i].pc != b->frames[i].pc)
			return false;
	f = &a->frames[b->nr - 1];
	return f->kind != b->frames[b->nr - 1].kind;
}

/* In a binary that is not here: the vdso of another kernel, say. */
static bool is_missing(struct session *s, const struct unwind_frame *last)
{
	return last->module != UINT32_MAX && !modules_get(session_modules(s), last->module)->elf;
}

static void compare_sample(struct tally *t, struct session *s, struct unwind_worker *mine,
			   struct unwind_worker *libdw, const struct perfdata *pd, const struct perf_sample *sample)
{
	uint64_t start = now(), middle;
	const struct unwind_stack *b = unwind_sample(libdw, pd, sample), *a;

	middle = now();
	a = unwind_sample(mine, pd, sample); /* second, so that the pages of the dump are there */
	t->auto_ns += now() - middle;
	t->libdw_ns += middle - start;
	t->samples++;
	t->ends[a->end]++;
	t->frames += a->nr - a->nr_kernel;
	if (a->nr > a->nr_kernel) {
		t->user++;
		t->rooted += unwind_end_complete(a->end);
		t->cut += a->end == UNWIND_TRUNCATED || is_missing(s, &a->frames[a->nr - 1]);
	}
	note_end(t, s, a, sample->time);
	if (!unwind_last_input(mine) || !comparable(t, s, a))
		return;
	if (libdw_lost(a, b) || is_behind_untold(s, a, b)) {
		t->lost++;
		return;
	}
	t->compared++;
	if (same_stack(a, b))
		t->same++;
	else
		note_difference(t, s, a, b, sample->time);
}

static double percent(uint64_t part, uint64_t whole)
{
	return whole ? 100.0 * (double)part / (double)whole : 100.0;
}

static int by_samples(const void *a, const void *b)
{
	const struct difference *x = a, *y = b;

	return (y->samples > x->samples) - (y->samples < x->samples);
}

static void print_tally(struct tally *t, const char *path)
{
	const char *slash = strrchr(path, '/');
	uint64_t n = t->samples ? t->samples : 1;

	printf("%-32s %8" PRIu64 " %8" PRIu64 " %6" PRIu64 "  %6.2f %% %8" PRIu64 " %6" PRIu64 "  %6.2f %%  %6.1f %7.2f %8.2f ",
	       slash ? slash + 1 : path, t->samples, t->user, t->cut,
	       percent(t->rooted, t->user - t->cut), t->compared, t->lost,
	       percent(t->same, t->compared),
	       (double)t->frames / (double)(t->user ? t->user : 1), (double)t->auto_ns / (double)n / 1000,
	       (double)t->libdw_ns / (double)n / 1000);
	for (int i = 0; i < UNWIND_ENDS; i++)
		if (t->ends[i])
			printf(" %s %" PRIu64, unwind_end_key((enum unwind_end)i), t->ends[i]);
	putchar('\n');
	if (!verbose || !t->nr)
		return;
	qsort(t->differences, t->nr, sizeof(*t->differences), by_samples);
	for (size_t i = 0; i < t->nr; i++)
		printf("    %6" PRIu64 " %s (first at %" PRIu64 ".%06" PRIu64 ")\n", t->differences[i].samples,
		       t->differences[i].kind, t->differences[i].first_time / 1000000000u,
		       t->differences[i].first_time / 1000 % 1000000);
}

/* All records but samples into the session. */
static bool apply_records(struct session *s, struct perfdata *pd, struct error *e)
{
	struct perfdata_block block;
	struct perfdata_record rec;
	int r;

	while ((r = perfdata_next_block(pd, &block, e)) > 0) {
		struct perfdata_walk walk = perfdata_walk_start(pd, &block);

		while (perfdata_walk_next(&walk, &rec))
			if (rec.type != PERF_RECORD_SAMPLE)
				session_apply(s, pd, &rec, !block.owned);
		perfdata_block_release(&block);
	}
	session_freeze(s, pd, UINT64_MAX);
	session_build_ids(s, pd);
	return r == 0;
}

static bool compare_samples(struct tally *t, struct session *s, struct perfdata *pd, struct error *e)
{
	struct unwind_worker *mine = unwind_worker_new(s, &(struct unwind_options){.unwinder = tested});
	struct unwind_worker *libdw = unwind_worker_new(s, &(struct unwind_options){.unwinder = &unwinder_libdw});
	struct perfdata_block block;
	struct perfdata_record rec;
	struct perf_sample sample;
	int r;

	while ((r = perfdata_next_block(pd, &block, e)) > 0) {
		struct perfdata_walk walk = perfdata_walk_start(pd, &block);

		while (perfdata_walk_next(&walk, &rec))
			if (rec.type == PERF_RECORD_SAMPLE && !perfdata_sample(pd, &rec, &sample))
				compare_sample(t, s, mine, libdw, pd, &sample);
		perfdata_block_release(&block);
	}
	unwind_worker_free(mine);
	unwind_worker_free(libdw);
	return r == 0;
}

static bool compare(const char *path)
{
	const struct session_options opts = {.modules = {.debug_dir = "/usr/lib/debug", .extra = extra}};
	struct error e = {0};
	struct perfdata *records = perfdata_open(path, -1, NULL, 0, &e), *samples = NULL;
	struct session *s = session_new(&opts);
	struct tally t = {0};
	bool good = false;

	if (records && apply_records(s, records, &e))
		samples = perfdata_open(path, -1, NULL, 0, &e);
	if (samples)
		good = compare_samples(&t, s, samples, &e);
	if (good) {
		print_tally(&t, path);
		if (percent(t.rooted, t.user - t.cut) < least_rooted || percent(t.same, t.compared) < least_same) {
			printf("    too few: %.2f %% at a root and %.2f %% alike are wanted\n", least_rooted,
			       least_same);
			good = false;
		}
	} else {
		printf("%s: %s\n", path, e.text);
	}
	session_free(s);
	if (samples)
		perfdata_close(samples);
	if (records)
		perfdata_close(records);
	map64_release(&t.debug_frames);
	free(t.differences);
	return good;
}

static bool options(int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "vu:b:r:a:")) != -1) {
		switch (c) {
		case 'v':
			verbose = true;
			break;
		case 'u':
			tested = unwinder_find(optarg);
			break;
		case 'b':
			extra[0] = optarg;
			break;
		case 'r':
			least_rooted = atof(optarg);
			break;
		case 'a':
			least_same = atof(optarg);
			break;
		default:
			return false;
		}
	}
	return tested != NULL;
}

int main(int argc, char **argv)
{
	static char bundled[2][4096];
	const char *srcdir = getenv("srcdir");
	bool good = true;

	if (!options(argc, argv)) {
		fprintf(stderr, "usage: agree [-v] [-u UNWINDER] [-b FILE-OR-DIR] [-r PERCENT] [-a PERCENT] RECORDING...\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("%-32s %8s %8s %6s  %8s %8s %6s  %8s  %6s %7s %8s  %s\n", "recording", "samples", "user", "cut", "at root",
	       "compared", "lost", "as libdw", "frames", "us", "libdw us", "ends");
	for (int i = optind; i < argc; i++)
		good &= compare(argv[i]);
	if (optind == argc) { /* what issue 3 wants of every recording of a Go program */
		snprintf(bundled[0], sizeof(bundled[0]), "%s/samples/recording/bin", srcdir ? srcdir : ".");
		snprintf(bundled[1], sizeof(bundled[1]), "%s/samples/recording/perf.data", srcdir ? srcdir : ".");
		extra[0] = bundled[0];
		least_rooted = 99;
		verbose = true;
		good = compare(bundled[1]);
	}
	return good ? 0 : 1;
}
