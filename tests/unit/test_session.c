/*
 * Processes over time, from records built by hand.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "build.h"
#include "process/history.h"
#include "process/queue.h"
#include "process/session.h"
#include "process/timeline.h"
#include "suite.h"

static const struct build_attr attr = {.type = 1, .sample_type = PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_TIME,
				       .flags = FLAG_ID_ALL};

struct world {
	struct build b;
	struct perfdata *pd;
	struct session *s;
};

static void begin(struct world *w)
{
	memset(w, 0, sizeof(*w));
	file_begin(&w->b, &attr, 1);
}

/* Freezes up to `upto` after each `batch` records, as a stream is read, and at the end. */
static void apply_stream(struct world *w, size_t batch, uint64_t upto, void (*after)(struct world *w, size_t nr))
{
	const struct session_options opts = {.modules = {.debug_dir = "/nonexistent"}};
	struct perfdata_block blk;
	struct perfdata_record rec;
	struct error e;
	size_t nr = 0;

	file_end(&w->b, NULL, 0);
	w->pd = perfdata_open_memory("built", w->b.data, w->b.nr, &e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(w->pd);
	w->s = session_new(&opts);
	while (perfdata_next_block(w->pd, &blk, &e) > 0) {
		struct perfdata_walk walk = perfdata_walk_start(w->pd, &blk);

		while (perfdata_walk_next(&walk, &rec)) {
			session_apply(w->s, w->pd, &rec, false);
			if (++nr % batch)
				continue;
			session_freeze(w->s, w->pd, upto);
			if (after)
				after(w, nr);
		}
	}
	session_freeze(w->s, w->pd, UINT64_MAX);
}

static void apply(struct world *w)
{
	apply_stream(w, SIZE_MAX, 0, NULL);
}

static void end(struct world *w)
{
	session_free(w->s);
	perfdata_close(w->pd);
	build_free(&w->b);
}

/* Path of the module mapped at an address, "" for none. */
static const char *at(const struct world *w, uint32_t pid, uint64_t addr, uint64_t t)
{
	const struct mapping *m = session_map(w->s, session_image(w->s, pid, t), addr, t, NULL, NULL);

	return m ? modules_get(session_modules(w->s), m->module)->path : "";
}

static const char *comm(const struct world *w, uint32_t tid, uint64_t t)
{
	static char buf[16];

	return session_comm_text(w->s, session_comm(w->s, tid, tid, t), buf, sizeof(buf));
}

/* A mapping of the kernel's side, or with any other mode. */
static void put_mode_mmap(struct build *b, uint16_t mode, uint32_t pid, uint64_t addr, uint64_t len,
			  uint64_t pgoff, const char *name)
{
	record_begin(b, PERF_RECORD_MMAP, mode);
	put32(b, pid);
	put32(b, 0);
	put64(b, addr);
	put64(b, len);
	put64(b, pgoff);
	put_str(b, name, (strlen(name) + 8) / 8 * 8);
	put32(b, pid);
	put32(b, 0);
	put64(b, 0);
	record_end(b);
}

static void put_ksymbol(struct build *b, uint64_t addr, uint32_t len, uint16_t flags, const char *name, uint64_t time)
{
	record_begin(b, PERF_RECORD_KSYMBOL, 0);
	put64(b, addr);
	put32(b, len);
	put16(b, 1);
	put16(b, flags);
	put_str(b, name, (strlen(name) + 8) / 8 * 8);
	put32(b, 0);
	put32(b, 0);
	put64(b, time);
	record_end(b);
}

static void later_mappings_cover_earlier_ones(void)
{
	struct world w;
	uint64_t from, to;

	begin(&w);
	put_mmap2(&w.b, 1, 0x1000, 0x9000, 0, "/a", 10);
	put_mmap2(&w.b, 1, 0x3000, 0x2000, 0, "/b", 20);
	put_mmap2(&w.b, 1, 0x4000, 0x3000, 0, "/c", 30);
	apply(&w);
	CU_ASSERT_STRING_EQUAL(at(&w, 1, 0x3800, 15), "/a");
	CU_ASSERT_STRING_EQUAL(at(&w, 1, 0x3800, 20), "/b");
	CU_ASSERT_STRING_EQUAL(at(&w, 1, 0x4800, 25), "/b");
	CU_ASSERT_STRING_EQUAL(at(&w, 1, 0x4800, 35), "/c");
	CU_ASSERT_STRING_EQUAL(at(&w, 1, 0x6fff, 35), "/c");
	CU_ASSERT_STRING_EQUAL(at(&w, 1, 0x7000, 35), "/a");
	CU_ASSERT_STRING_EQUAL(at(&w, 1, 0xa000, 35), "");
	CU_ASSERT_STRING_EQUAL(at(&w, 1, 0x3800, 5), "");
	CU_ASSERT_STRING_EQUAL(at(&w, 2, 0x3800, 35), "");
	session_map(w.s, session_image(w.s, 1, 25), 0x4800, 25, &from, &to);
	CU_ASSERT_EQUAL(from, 20);
	CU_ASSERT_EQUAL(to, 29);
	end(&w);
}

static void forks_inherit_and_execs_forget(void)
{
	struct world w;

	begin(&w);
	/* out of order in the file, as buffers of several CPUs are */
	put_fork(&w.b, 2, 1, 2, 1, 50);
	put_comm(&w.b, 1, 1, "parent", 0, 5);
	put_mmap2(&w.b, 1, 0x1000, 0x1000, 0, "/early", 10);
	put_mmap2(&w.b, 1, 0x2000, 0x1000, 0, "/late", 60); /* after the fork: not the child's */
	put_comm(&w.b, 2, 2, "child", PERF_MISC_COMM_EXEC, 70);
	put_mmap2(&w.b, 2, 0x3000, 0x1000, 0, "/new", 71);
	apply(&w);
	CU_ASSERT_STRING_EQUAL(at(&w, 2, 0x1000, 55), "/early");
	CU_ASSERT_STRING_EQUAL(at(&w, 2, 0x2000, 65), "");
	CU_ASSERT_STRING_EQUAL(at(&w, 1, 0x2000, 65), "/late");
	CU_ASSERT_STRING_EQUAL(comm(&w, 2, 55), "parent");
	CU_ASSERT_STRING_EQUAL(comm(&w, 2, 70), "child");
	CU_ASSERT_STRING_EQUAL(at(&w, 2, 0x1000, 75), ""); /* exec */
	CU_ASSERT_STRING_EQUAL(at(&w, 2, 0x3000, 75), "/new");
	end(&w);
}

static void pids_are_used_again(void)
{
	struct world w;

	begin(&w);
	put_comm(&w.b, 1, 1, "shell", 0, 1);
	put_fork(&w.b, 7, 1, 7, 1, 10);
	put_comm(&w.b, 7, 7, "one", PERF_MISC_COMM_EXEC, 11);
	put_mmap2(&w.b, 7, 0x1000, 0x1000, 0, "/one", 12);
	put_exit(&w.b, 7, 7, 20);
	put_fork(&w.b, 7, 1, 7, 1, 30);
	put_mmap2(&w.b, 7, 0x1000, 0x1000, 0, "/two", 32);
	apply(&w);
	CU_ASSERT_STRING_EQUAL(comm(&w, 7, 15), "one");
	CU_ASSERT_STRING_EQUAL(comm(&w, 7, 25), ":7"); /* exited: perf's name for it */
	CU_ASSERT_STRING_EQUAL(comm(&w, 7, 31), "shell");
	CU_ASSERT_STRING_EQUAL(at(&w, 7, 0x1000, 15), "/one");
	CU_ASSERT_STRING_EQUAL(at(&w, 7, 0x1000, 31), "");
	CU_ASSERT_STRING_EQUAL(at(&w, 7, 0x1000, 33), "/two");
	CU_ASSERT_STRING_EQUAL(comm(&w, 0, 5), "swapper");
	CU_ASSERT_STRING_EQUAL(comm(&w, UINT32_MAX, 5), ":-1");
	end(&w);
}

/* Mappings without a byte are none: a process that has no other finds its parent's. */
static void empty_mappings(void)
{
	struct history h = {0};
	struct world w;

	history_add(&h, &(struct mapping){.start = 5, .end = 5});
	history_add(&h, &(struct mapping){.start = 6, .end = 5});
	CU_ASSERT_EQUAL(h.nr, 0);
	history_add(&h, &(struct mapping){.start = 5, .end = 6});
	CU_ASSERT_EQUAL(h.nr, 1);
	history_release(&h);
	begin(&w);
	put_mmap2(&w.b, 3, 0x1000, 0x1000, 0, "/first", 1);
	put_fork(&w.b, 4, 3, 4, 3, 2);
	put_mmap2(&w.b, 4, 0x1000, 0, 0, "/empty", 3);
	put_fork(&w.b, 5, 4, 5, 4, 4);
	apply(&w);
	CU_ASSERT_STRING_EQUAL(at(&w, 4, 0x1000, 20), "/first");
	CU_ASSERT_STRING_EQUAL(at(&w, 5, 0x1800, 20), "/first");
	end(&w);
}

static void parents_that_are_their_own(void)
{
	struct world w;

	begin(&w);
	put_fork(&w.b, 3, 4, 3, 4, 10);
	put_fork(&w.b, 4, 3, 4, 3, 11);
	put_fork(&w.b, 5, 5, 6, 5, 12);
	put_mmap2(&w.b, 3, UINT64_MAX - 0xfff, 0x2000, 0, "/wraps", 13);
	apply(&w);
	CU_ASSERT_STRING_EQUAL(at(&w, 4, 0x1000, 20), "");
	CU_ASSERT_STRING_EQUAL(at(&w, 3, 0x1000, 20), "");
	CU_ASSERT_EQUAL(damage_total(perfdata_damage(w.pd)), 1);
	end(&w);
}

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

/* The plain way: of all that cover addr and began by t the latest, of those the last to arrive. */
static const struct mapping *scan(const struct mapping *maps, size_t nr, uint64_t addr, uint64_t t)
{
	const struct mapping *best = NULL;

	for (size_t i = 0; i < nr; i++)
		if (addr >= maps[i].start && addr < maps[i].end && maps[i].time <= t &&
		    (!best || maps[i].time >= best->time))
			best = &maps[i];
	return best;
}

/* The index against a plain scan, on ranges that overlap in every way, in batches of all sizes. */
static void index_agrees_with_a_scan(void)
{
	struct history h = {0};
	struct mapping *maps = calloc(2000, sizeof(*maps));
	uint32_t seed = 12345, wrong = 0;

	for (uint32_t i = 0; i < 2000; i++) {
		struct mapping *m = &maps[i];

		m->module = i;
		m->start = next_random(&seed) >> 12;
		m->end = m->start + 1 + (next_random(&seed) >> 16);
		m->time = next_random(&seed) >> 14;
		history_add(&h, m);
		if (next_random(&seed) % 100 == 0)
			history_index(&h);
	}
	CU_ASSERT(h.nr_parts > 1);
	for (int i = 0; i < 20000; i++) {
		uint64_t addr = next_random(&seed) >> 12, t = next_random(&seed) >> 14, from = 0, to = UINT64_MAX;
		const struct mapping *best = scan(maps, 2000, addr, t), *found;

		found = history_find(&h, addr, t, &from, &to);
		wrong += (found ? found->module : UINT32_MAX) != (best ? best->module : UINT32_MAX) ||
			 from > t || to < t || scan(maps, 2000, addr, from) != best ||
			 scan(maps, 2000, addr, to) != best ||
			 (to < UINT64_MAX && scan(maps, 2000, addr, to + 1) == best);
	}
	CU_ASSERT_EQUAL(wrong, 0);
	history_release(&h);
	free(maps);
}

/* Generations that each map something of their own, far more than are asked one by one. */
static void long_chains_of_forks(void)
{
	enum { GENERATIONS = 300 };
	struct world w;
	char name[16];

	begin(&w);
	for (uint32_t i = 0; i < GENERATIONS; i++) {
		if (i)
			put_fork(&w.b, 100 + i, 99 + i, 100 + i, 99 + i, i * 10);
		snprintf(name, sizeof(name), "/%u", i);
		put_mmap2(&w.b, 100 + i, 0x100000 + i * 0x1000, 0x1000, 0, name, i * 10 + 1);
		put_mmap2(&w.b, 100 + i, 0x1000, 0x1000, 0, name, i * 10 + 1); /* over the parent's */
		put_mmap2(&w.b, 100 + i, 0x2000, 0x1000, 0, name, 100000);	   /* long after the child began */
	}
	apply(&w);
	for (uint32_t i = 0; i < GENERATIONS; i += 7) {
		for (uint32_t k = 0; k < GENERATIONS; k += 11) {
			snprintf(name, sizeof(name), "/%u", k);
			CU_ASSERT_STRING_EQUAL(at(&w, 100 + i, 0x100000 + k * 0x1000, 9000), k <= i ? name : "");
		}
		snprintf(name, sizeof(name), "/%u", i);
		CU_ASSERT_STRING_EQUAL(at(&w, 100 + i, 0x1000, 9000), name);
		CU_ASSERT_STRING_EQUAL(at(&w, 100 + i, 0x2000, 9000), "");
		CU_ASSERT_STRING_EQUAL(at(&w, 100 + i, 0x2000, 100000), name);
	}
	CU_ASSERT_EQUAL(damage_total(perfdata_damage(w.pd)), 0);
	end(&w);
}

/* A hundred thousand forks of forks, none of which maps anything: all ask the first. */
static void forks_without_mappings_cost_nothing(void)
{
	enum { FORKS = 100000 };
	struct world w;

	begin(&w);
	put_comm(&w.b, 1, 1, "bomb", 0, 1);
	put_mmap2(&w.b, 1, 0x1000, 0x1000, 0, "/bomb", 2);
	for (uint32_t i = 1; i < FORKS; i++)
		put_fork(&w.b, i + 1, i, i + 1, i, 10 + i);
	apply(&w);
	CU_ASSERT_STRING_EQUAL(at(&w, FORKS, 0x1000, 10 + FORKS), "/bomb");
	CU_ASSERT_STRING_EQUAL(comm(&w, FORKS, 10 + FORKS), "bomb");
	CU_ASSERT_EQUAL(damage_total(perfdata_damage(w.pd)), 0);
	end(&w);
}

static uint32_t version_before;

static void look_while_streaming(struct world *w, size_t nr)
{
	uint64_t from, to;

	switch (nr) {
	case 2:
		CU_ASSERT_STRING_EQUAL(at(w, 1, 0x1000, 50), "/a");
		version_before = session_image(w->s, 1, 50)->version;
		break;
	case 4:
		/* the new mapping has its place in time, and what was kept is known to be old */
		session_map(w->s, session_image(w->s, 1, 15), 0x1000, 15, &from, &to);
		CU_ASSERT_EQUAL(to, 19);
		CU_ASSERT_STRING_EQUAL(at(w, 1, 0x1000, 50), "/b");
		CU_ASSERT_NOT_EQUAL(session_image(w->s, 1, 50)->version, version_before);
		break;
	case 6: /* late: they belong before what is known */
		CU_ASSERT_STRING_EQUAL(at(w, 1, 0x1000, 12), "/late");
		CU_ASSERT_STRING_EQUAL(at(w, 1, 0x1000, 50), "/b");
		CU_ASSERT_STRING_EQUAL(comm(w, 1, 4), "first");
		CU_ASSERT_STRING_EQUAL(comm(w, 1, 7), "one");
		break;
	case 8: /* beyond what was asked for: not yet */
		CU_ASSERT_STRING_EQUAL(at(w, 1, 0x1000, 5000), "/b");
	}
}

static void streams_are_frozen_in_steps(void)
{
	struct world w;

	begin(&w);
	put_comm(&w.b, 1, 1, "one", 0, 5);
	put_mmap2(&w.b, 1, 0x1000, 0x1000, 0, "/a", 10);
	put_mmap2(&w.b, 1, 0x1000, 0x1000, 0, "/b", 20);
	put_mmap2(&w.b, 1, 0x5000, 0x1000, 0, "/c", 21);
	put_comm(&w.b, 1, 1, "first", 0, 3);
	put_mmap2(&w.b, 1, 0x1000, 0x1000, 0, "/late", 11);
	put_mmap2(&w.b, 1, 0x1000, 0x1000, 0, "/future", 2000);
	put_mmap2(&w.b, 1, 0x6000, 0x1000, 0, "/d", 30);
	apply_stream(&w, 2, 1000, look_while_streaming);
	CU_ASSERT_STRING_EQUAL(at(&w, 1, 0x1000, 5000), "/future");
	end(&w);
}

static const char *kernel_at(const struct world *w, uint64_t addr, uint64_t t)
{
	uint64_t from, to;
	const struct module *m = session_kernel_module(w->s, addr, t, &from, &to);
	uint64_t f, l;

	/* for all the time that it says */
	CU_ASSERT_TRUE(from <= t && t <= to);
	CU_ASSERT_PTR_EQUAL(session_kernel_module(w->s, addr, from, &f, &l), m);
	CU_ASSERT_PTR_EQUAL(session_kernel_module(w->s, addr, to, &f, &l), m);
	return m ? m->path : "";
}

static void the_kernel_and_what_it_loads(void)
{
	const uint64_t base = UINT64_C(0xffffffff81000000), mod = UINT64_C(0xffffffffc0000000);
	uint64_t from, to;
	struct world w;

	begin(&w);
	put_mode_mmap(&w.b, PERF_CPUMODE_GUEST_KERNEL, 7, base, 0x1000000, base, "[guest.kernel.kallsyms]_text");
	put_mode_mmap(&w.b, PERF_CPUMODE_GUEST_KERNEL, 7, mod, 0x1000, 0, "/lib/modules/guest.ko");
	put_mode_mmap(&w.b, PERF_CPUMODE_KERNEL, UINT32_MAX, base, 0x1000000, base + 0x100, "[kernel.kallsyms]_stext");
	put_mode_mmap(&w.b, PERF_CPUMODE_KERNEL, UINT32_MAX, mod + 0x1000, 0x1000, 0, "/lib/modules/net.ko");
	put_ksymbol(&w.b, mod + 0x8000, 0x100, 0, "bpf_prog_1", 10);
	put_ksymbol(&w.b, mod + 0x8000, 0x100, 1, "bpf_prog_1", 20);
	put_ksymbol(&w.b, UINT64_MAX - 1, 0x100, 0, "wraps", 20);
	apply(&w);
	CU_ASSERT_STRING_EQUAL(kernel_at(&w, base + 5, 1), "[kernel.kallsyms]");
	CU_ASSERT_TRUE(session_kernel_version(w.s) & 1); /* the kernel's mapping, and some modules */
	CU_ASSERT_TRUE(session_kernel_version(w.s) > 2);
	CU_ASSERT_EQUAL(session_kernel_module(w.s, base, 1, &from, &to)->kernel_start, base + 0x100);
	CU_ASSERT_STRING_EQUAL(session_kernel_module(w.s, base, 1, &from, &to)->kernel_ref, "_stext");
	CU_ASSERT_STRING_EQUAL(kernel_at(&w, mod + 5, 1), "[kernel.kallsyms]");
	CU_ASSERT_STRING_EQUAL(kernel_at(&w, mod + 0x1fff, 1), "/lib/modules/net.ko");
	CU_ASSERT_STRING_EQUAL(kernel_at(&w, mod + 0x8010, 5), "[kernel.kallsyms]");
	CU_ASSERT_STRING_EQUAL(kernel_at(&w, mod + 0x8010, 10), "bpf_prog_1");
	CU_ASSERT_STRING_EQUAL(kernel_at(&w, mod + 0x8010, 20), "[kernel.kallsyms]");
	CU_ASSERT_EQUAL(damage_total(perfdata_damage(w.pd)), 1);
	CU_ASSERT_STRING_EQUAL(at(&w, 7, base, 5), "");
	end(&w);
}

static void what_mappings_are_called(void)
{
	static const struct {
		const char *name;
		enum module_kind kind;
	} cases[] = {
		{"/usr/bin/ls", MODULE_FILE}, {"/usr/bin/ls (deleted)", MODULE_FILE}, {"[vdso]", MODULE_VDSO},
		{"[vsyscall]", MODULE_VSYSCALL}, {"[heap]", MODULE_ANON}, {"[stack]", MODULE_ANON},
		{"[uprobes]", MODULE_ANON}, {"//anon", MODULE_ANON}, {"", MODULE_ANON},
		{"/memfd:jit (deleted)", MODULE_ANON}, {"anon_inode:[perf_event]", MODULE_ANON},
		{"/SYSV00000000 (deleted)", MODULE_ANON}, {"/dev/zero (deleted)", MODULE_ANON},
		{"/anon_hugepage (deleted)", MODULE_ANON},
	};
	enum { NR = sizeof(cases) / sizeof(*cases) };
	struct world w;

	begin(&w);
	for (uint32_t i = 0; i < NR; i++)
		put_mmap2(&w.b, 1, 0x1000 * (i + 1), 0x1000, 0, cases[i].name, 0);
	apply(&w);
	for (uint32_t i = 0; i < NR; i++) {
		const struct mapping *m = session_map(w.s, session_image(w.s, 1, 0), 0x1000 * (i + 1), 0, NULL, NULL);
		const struct module *mod = m ? modules_get(session_modules(w.s), m->module) : NULL;

		CU_ASSERT_PTR_NOT_NULL_FATAL(mod);
		CU_ASSERT_EQUAL(mod->kind, cases[i].kind);
		CU_ASSERT_EQUAL(mod->pid, mod->kind == MODULE_ANON); /* one a process, its code is its own */
	}
	end(&w);
}

/* sample_id_all came with Linux 2.6.39: before, only FORK and EXIT carried a time. */
static void records_without_times(void)
{
	static const struct build_attr old = {.type = 1, .sample_type = PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_TIME};
	struct world w = {0};

	file_begin(&w.b, &old, 1);
	put_comm(&w.b, 1, 1, "shell", 0, 0);
	put_fork(&w.b, 2, 1, 2, 1, 50);
	put_fork(&w.b, 3, 1, 3, 1, 60);
	put_comm(&w.b, 2, 2, "prog", 0, 0);
	put_mmap2(&w.b, 2, 0x1000, 0x1000, 0, "/prog", 0);
	put_exit(&w.b, 2, 2, 70);
	apply(&w);
	CU_ASSERT_STRING_EQUAL(comm(&w, 2, 55), "prog");
	CU_ASSERT_STRING_EQUAL(comm(&w, 2, 75), "prog");
	CU_ASSERT_STRING_EQUAL(comm(&w, 3, 75), "shell");
	CU_ASSERT_STRING_EQUAL(at(&w, 2, 0x1000, 55), "/prog");
	end(&w);
}

static void records_cut_short_are_counted(void)
{
	static const uint32_t types[] = {PERF_RECORD_MMAP, PERF_RECORD_MMAP2, PERF_RECORD_COMM, PERF_RECORD_FORK,
					 PERF_RECORD_EXIT, PERF_RECORD_KSYMBOL};
	enum { NR = sizeof(types) / sizeof(*types) };
	struct world w;

	begin(&w);
	for (size_t i = 0; i < NR; i++) {
		record_begin(&w.b, types[i], PERF_CPUMODE_USER);
		put64(&w.b, 1); /* not even the sample_id */
		record_end(&w.b);
		record_begin(&w.b, types[i], PERF_CPUMODE_USER);
		put64(&w.b, UINT64_MAX); /* a pid and nothing, then the sample_id */
		put64(&w.b, 1);
		put64(&w.b, 1);
		record_end(&w.b);
	}
	apply(&w);
	CU_ASSERT(damage_total(perfdata_damage(w.pd)) >= 2 * NR - 1); /* COMM of no letters may pass */
	end(&w);
}

static double log_2(double n)
{
	int bits = 0;

	for (; n > 1; n /= 2)
		bits++;
	return bits;
}

/*
 * Growth, in steps rather than seconds: mappings that come in small batches, at
 * ever new addresses, over each other, and backwards in time.
 */
static void mappings_in_batches_cost_n_log_n(void)
{
	enum { NR = 100000, BATCH = 40 };

	for (int shape = 0; shape < 3; shape++) {
		struct history h = {0};
		double log_n = log_2(NR);

		for (uint64_t i = 0; i < NR; i++) {
			struct mapping m = {.time = shape == 2 ? NR - i : i};

			m.start = shape == 1 ? (i % 64) * 0x1000 : i * 0x1000;
			m.end = m.start + (shape == 1 ? 0x40000 : 0x1000);
			history_add(&h, &m);
			if (i % BATCH == 0)
				history_index(&h);
		}
		CU_ASSERT_EQUAL(h.nr, NR);
		CU_ASSERT((double)h.nr_parts <= log_n + 1);
		/* a mapping is indexed again only with twice as many; each time in 2 log n lists at most */
		CU_ASSERT((double)h.placed <= NR * log_n * (shape == 1 ? 12 : 2));
		history_release(&h);
	}
}

static void names_in_batches_cost_n_log_n(void)
{
	enum { THREADS = 10000, BATCHES = 100 };
	struct timelines t = {0};

	for (uint64_t b = 0; b < BATCHES; b++) {
		for (uint32_t i = 0; i < 1000; i++)
			timelines_add(&t, i, b * 1000 + i, i); /* in order: nothing to merge */
		timelines_settle(&t);
	}
	CU_ASSERT_EQUAL(t.moved, 0);
	for (uint32_t i = 0; i < THREADS; i++)
		timelines_add(&t, 1, 2 * i, 2 * i); /* late, all of one thread */
	timelines_settle(&t);
	CU_ASSERT(t.moved <= THREADS + BATCHES);
	CU_ASSERT_EQUAL(timelines_find(&t, 1, 501), 500);
	CU_ASSERT_EQUAL(timelines_find(&t, 1, 1001), 1); /* of the first run, but later in time */
	CU_ASSERT_EQUAL(timelines_find(&t, 1, 1002), 1002);
	CU_ASSERT_EQUAL(timelines_first(&t, 1), 0);
	CU_ASSERT_EQUAL(timelines_find(&t, THREADS, 5), TIMELINE_NONE);
	timelines_release(&t);
}

/* What waits in a stream is bounded, whatever its times say. */
static void a_stream_of_the_far_future(void)
{
	uint8_t bytes[65528] = {0};
	struct perfdata_record rec = {.type = PERF_RECORD_COMM, .size = sizeof(bytes), .data = bytes};
	struct queue q = {0};
	size_t most = 0;

	for (int i = 0; i < 8000; i++) {
		queue_push(&q, UINT64_MAX - (uint64_t)i, &rec, false);
		if (i % 100)
			continue;
		queue_sort(&q);
		queue_drop(&q, queue_due(&q, 5));
		most = q.bytes > most ? q.bytes : most;
	}
	CU_ASSERT(most > 0 && most <= (size_t)256 << 20);
	queue_release(&q);
}

static void equal_times_keep_their_order(void)
{
	uint8_t bytes[8] = {0};
	struct perfdata_record rec = {.size = sizeof(bytes), .data = bytes};
	struct queue q = {0};
	uint32_t seed = 1, wrong = 0;

	for (int i = 0; i < 1000; i++) {
		queue_push(&q, next_random(&seed) % 8, &rec, i & 1);
		if (i % 50 == 0)
			queue_sort(&q);
	}
	queue_sort(&q);
	for (size_t i = 1; i < q.nr; i++)
		wrong += q.entries[i - 1].time > q.entries[i].time ||
			 (q.entries[i - 1].time == q.entries[i].time && q.entries[i - 1].order > q.entries[i].order);
	CU_ASSERT_EQUAL(wrong, 0);
	CU_ASSERT_EQUAL(queue_due(&q, 7), 1000);
	queue_drop(&q, queue_due(&q, 3));
	CU_ASSERT_EQUAL(q.entries[0].time, 4);
	queue_release(&q);
}

static const struct suite_test tests[] = {
	{"later mappings cover earlier ones", later_mappings_cover_earlier_ones},
	{"forks inherit and execs forget", forks_inherit_and_execs_forget},
	{"pids are used again", pids_are_used_again},
	{"empty mappings", empty_mappings},
	{"parents that are their own", parents_that_are_their_own},
	{"index agrees with a scan", index_agrees_with_a_scan},
	{"long chains of forks", long_chains_of_forks},
	{"forks without mappings cost nothing", forks_without_mappings_cost_nothing},
	{"streams are frozen in steps", streams_are_frozen_in_steps},
	{"the kernel and what it loads", the_kernel_and_what_it_loads},
	{"what mappings are called", what_mappings_are_called},
	{"records without times", records_without_times},
	{"records cut short are counted", records_cut_short_are_counted},
	{"mappings in batches cost n log n", mappings_in_batches_cost_n_log_n},
	{"names in batches cost n log n", names_in_batches_cost_n_log_n},
	{"a stream of the far future", a_stream_of_the_far_future},
	{"equal times keep their order", equal_times_keep_their_order},
	{NULL, NULL},
};
const struct suite suite_session = {"session", tests};
