/*
 * Go's rules for stacks (runtime/traceback.go), on the bundled binary with dumps
 * written word by word; and whole samples, with what the kernel recorded.
 */
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "dump.h"
#include "goroutine/goroutine.h"
#include "process/gotab.h"
#include "suite.h"

struct go_world {
	struct world w;
	const struct gotab *g;
	size_t at; /* the next word to write: the stack grows upwards as callers are added */
};

/* Maps its code where it was linked to. */
static void map_binary(struct world *w, const char *path, const char *arch)
{
	FILE *f = fopen(path, "rb");
	Elf64_Ehdr eh;
	Elf64_Phdr ph = {0};

	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	CU_ASSERT_EQUAL_FATAL(fread(&eh, sizeof(eh), 1, f), 1);
	CU_ASSERT_EQUAL_FATAL(fseek(f, (long)eh.e_phoff, SEEK_SET), 0);
	for (int i = 0; i < eh.e_phnum && !(ph.p_type == PT_LOAD && ph.p_flags & PF_X); i++)
		CU_ASSERT_EQUAL_FATAL(fread(&ph, sizeof(ph), 1, f), 1);
	fclose(f);
	dump_open(w, path, ph.p_vaddr, (ph.p_filesz + 4095) / 4096 * 4096, ph.p_offset, arch);
}

static struct go_world *open_binary(const char *path, const char *arch)
{
	struct go_world *g = xcalloc(1, sizeof(*g));
	struct module *m;

	map_binary(&g->w, path, arch);
	m = modules_get(session_modules(g->w.s), 0);
	CU_ASSERT_TRUE_FATAL(module_open(session_modules(g->w.s), m));
	CU_ASSERT_PTR_NOT_NULL_FATAL(m->gotab);
	g->g = m->gotab;
	return g;
}

static struct go_world *open_go(void)
{
	char relative[4096], path[4096];

	snprintf(relative, sizeof(relative), "%s/samples/recording/bin/server", test_srcdir());
	CU_ASSERT_PTR_NOT_NULL_FATAL(realpath(relative, path));
	return open_binary(path, "x86_64");
}

/* Builds a program of the tree, and opens it; NULL, with the test skipped, where that does not go. */
static struct go_world *build_go(const char *test, const char *folder, const char *env, const char *package,
				 const char *arch)
{
	char dir[] = "/tmp/perfskew-test-XXXXXX", command[9000], path[64];
	struct go_world *g = NULL;

	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/program", dir);
	snprintf(command, sizeof(command), "cd %s/%s && %s go build -o %s %s >/dev/null 2>&1", test_srcdir(), folder,
		 env, path, package);
	if (system(command) == 0)
		g = open_binary(path, arch);
	else
		test_skip(test, "go does not build that here");
	unlink(path); /* what is open stays */
	rmdir(dir);
	return g;
}

static void close_go(struct go_world *g)
{
	dump_end(&g->w);
	free(g);
}

/* A pc in the function whose SP delta is the greatest; for a return address, of the byte before. */
static uint64_t pc_of(const struct go_world *g, const char *name, bool returned, int32_t *delta)
{
	struct gotab_func f;
	uint64_t found = 0;
	int32_t d;

	*delta = -1;
	CU_ASSERT_TRUE_FATAL(gotab_func_by_name(g->g, name, &f));
	for (uint64_t pc = f.entry + returned; pc < f.end; pc++) {
		if (gotab_sp_delta(g->g, &f, pc - returned, &d) && d > *delta) {
			*delta = d;
			found = pc;
		}
	}
	CU_ASSERT_NOT_EQUAL_FATAL(found, 0);
	return found;
}

static uint64_t go_leaf(struct go_world *g, const char *name)
{
	int32_t delta;
	uint64_t pc = pc_of(g, name, false, &delta);

	memset(g->w.words, 0, sizeof(g->w.words));
	dump_leaf(&g->w, pc);
	g->at = (size_t)delta / 8;
	return pc;
}

/* The caller of what was laid last: its return address, then its frame. */
static uint64_t go_caller(struct go_world *g, const char *name)
{
	int32_t delta;
	uint64_t pc = pc_of(g, name, true, &delta);

	CU_ASSERT_TRUE_FATAL(g->at + 1 + (size_t)delta / 8 < WORDS);
	g->w.words[g->at] = pc;
	g->at += 1 + (size_t)delta / 8;
	return pc;
}

static void goexit_ends_a_stack(void)
{
	struct go_world *g = open_go();
	uint64_t a = go_leaf(g, "runtime.mallocgc"), b = go_caller(g, "runtime.newobject"), c;

	c = go_caller(g, "main.main");
	go_caller(g, "runtime.main");
	go_caller(g, "runtime.goexit");
	g->w.words[g->at] = b; /* what lies above goexit is not looked at */
	dump_walk(&g->w);
	CU_ASSERT_EQUAL(g->w.out.nr, 5);
	CU_ASSERT_EQUAL(g->w.out.end, UNWIND_ROOT);
	CU_ASSERT_EQUAL(g->w.frames[0].pc, a);
	CU_ASSERT_EQUAL(g->w.frames[1].pc, b);
	CU_ASSERT_EQUAL(g->w.frames[1].lookup, b - 1);
	CU_ASSERT_EQUAL(g->w.frames[2].pc, c);
	CU_ASSERT_TRUE(g->w.frames[0].go && g->w.frames[4].go);
	/* Go's own tables are enough */
	dump_walk_by(&g->w, &unwinder_go, UNWIND_MAX_FRAMES);
	CU_ASSERT_EQUAL(g->w.out.nr, 5);
	CU_ASSERT_EQUAL(g->w.out.end, UNWIND_ROOT);
	close_go(g);
}

static void cut_go_dumps(void)
{
	struct go_world *g = open_go();
	size_t last = 0;

	go_leaf(g, "runtime.mallocgc");
	go_caller(g, "runtime.newobject");
	go_caller(g, "main.main");
	go_caller(g, "runtime.main");
	go_caller(g, "runtime.goexit");
	for (size_t size = 0; size <= (g->at + 2) * 8; size += 8) {
		g->w.in.stack_size = size;
		dump_walk(&g->w);
		CU_ASSERT_TRUE(g->w.out.nr >= last);
		CU_ASSERT_EQUAL(g->w.out.end, g->w.out.nr == 5 ? UNWIND_ROOT : UNWIND_TRUNCATED);
		last = g->w.out.nr;
	}
	CU_ASSERT_EQUAL(last, 5);
	close_go(g);
}

/* Who calls from another stack: what lies above is not the callee's past. */
static void switches_of_stack(void)
{
	static const char *const switches[] = {"runtime.systemstack", "runtime.mcall", "runtime.morestack",
					       "runtime.asmcgocall"};

	for (size_t i = 0; i < 4; i++) {
		struct go_world *g = open_go();

		go_leaf(g, "runtime.mallocgc");
		go_caller(g, switches[i]);
		go_caller(g, "main.main");
		dump_walk(&g->w);
		CU_ASSERT_EQUAL(g->w.out.nr, 2);
		CU_ASSERT_EQUAL(g->w.out.end, UNWIND_G0_BOUNDARY);
		go_leaf(g, switches[i]); /* mid-switch nobody knows whose SP it is */
		go_caller(g, "main.main");
		dump_walk(&g->w);
		CU_ASSERT_EQUAL(g->w.out.nr, 1);
		CU_ASSERT_EQUAL(g->w.out.end, UNWIND_SPWRITE_LEAF);
		close_go(g);
	}
}

/* The address after a call of the function, in the whole text. */
static uint64_t after_a_call_of(const struct go_world *g, const char *name)
{
	const struct module *m = modules_get(session_modules(g->w.s), 0);
	const struct module_segment *text = m->segments;
	struct gotab_func f, caller;

	CU_ASSERT_TRUE_FATAL(gotab_func_by_name(g->g, name, &f));
	while (!(text->flags & PF_X))
		text++;
	for (uint64_t i = 0; i + 5 <= text->filesz; i++) {
		const uint8_t *p = m->map.data + text->offset + i;
		uint64_t after = text->vaddr + i + 5;
		int32_t distance;

		memcpy(&distance, p + 1, 4);
		if (*p == 0xe8 && after + (uint64_t)(int64_t)distance == f.entry && gotab_find(g->g, after - 1, &caller))
			return after;
	}
	CU_FAIL_FATAL("nobody calls it");
	return 0;
}

/* While its return address is still where it was called from, the switch has not been. */
static void before_the_switch_of_stack(void)
{
	static const char *const switches[] = {"runtime.systemstack", "runtime.mcall", "runtime.nanotime1"};

	for (size_t i = 0; i < 3; i++) {
		struct go_world *g = open_go();
		struct gotab_func f;
		uint64_t caller;
		int32_t delta;

		caller = after_a_call_of(g, switches[i]);
		CU_ASSERT_TRUE_FATAL(gotab_func_by_name(g->g, switches[i], &f));
		CU_ASSERT_TRUE_FATAL(gotab_sp_delta(g->g, &f, f.entry, &delta) && delta == 0);
		dump_leaf(&g->w, f.entry);
		g->w.words[0] = caller;
		dump_walk(&g->w);
		CU_ASSERT_TRUE(g->w.out.nr >= 2);
		CU_ASSERT_EQUAL(g->w.frames[1].pc, caller);
		CU_ASSERT_EQUAL(g->w.frames[1].sp, SP + 8);
		g->w.words[0] = caller + 1;
		dump_walk(&g->w);
		CU_ASSERT_EQUAL(g->w.out.nr, 1);
		CU_ASSERT_EQUAL(g->w.out.end, UNWIND_SPWRITE_LEAF);
		close_go(g);
	}
}

/* cgocallback runs on the goroutine's stack; it returns to g.sched's pc, which is exact. */
static void callbacks_go_on(void)
{
	struct go_world *g = build_go("callbacks_go_on", "samples", "CGO_ENABLED=1", "./cgo", "x86_64");
	struct gotab_func f;

	if (!g)
		return;
	go_leaf(g, "runtime.mallocgc");
	go_caller(g, "runtime.cgocallback");
	CU_ASSERT_TRUE_FATAL(gotab_func_by_name(g->g, "runtime.systemstack_switch", &f));
	g->w.words[g->at++] = f.entry; /* as up to Go 1.20: SP delta 0 */
	go_caller(g, "runtime.cgocall");
	go_caller(g, "runtime.goexit");
	dump_walk(&g->w);
	CU_ASSERT_EQUAL(g->w.out.nr, 5);
	CU_ASSERT_EQUAL(g->w.out.end, UNWIND_ROOT);
	CU_ASSERT_EQUAL(g->w.frames[2].lookup, f.entry);
	CU_ASSERT_EQUAL(g->w.frames[2].kind, UNWIND_PC_EXACT);
	close_go(g);
}

static void injected_calls_return_to_the_very_pc(void)
{
	static const char *const injected[] = {"runtime.asyncPreempt", "runtime.sigpanic", "runtime.debugCallV2"};

	for (size_t i = 0; i < 3; i++) {
		struct go_world *g = open_go();
		uint64_t pc;

		go_leaf(g, "runtime.mallocgc");
		go_caller(g, injected[i]);
		pc = go_caller(g, "main.main") - 1; /* its SP delta is that byte's */
		for (size_t k = 0; k < g->at; k++)
			if (g->w.words[k] == pc + 1)
				g->w.words[k] = pc;
		go_caller(g, "runtime.goexit");
		dump_walk(&g->w);
		CU_ASSERT_EQUAL(g->w.out.nr, 4);
		CU_ASSERT_EQUAL(g->w.frames[2].lookup, pc);
		CU_ASSERT_EQUAL(g->w.frames[2].kind, UNWIND_PC_EXACT);
		CU_ASSERT_EQUAL(g->w.frames[1].kind, UNWIND_PC_RETURN);
		CU_ASSERT_EQUAL(g->w.out.end, UNWIND_ROOT);
		close_go(g);
	}
}

/* The interrupted code is in the ucontext SP points to; its stack is another one. */
static void signals_show_what_they_interrupted(void)
{
	struct go_world *g = open_go();
	struct gotab_func f;
	int32_t delta;
	uint64_t pc = pc_of(g, "main.main", false, &delta);

	go_leaf(g, "runtime.mallocgc");
	CU_ASSERT_TRUE_FATAL(gotab_func_by_name(g->g, "runtime.sigreturn__sigaction", &f));
	g->w.words[g->at++] = f.entry + 1;
	g->w.words[g->at + 5 + 15] = UINT64_C(0xc000123000);
	g->w.words[g->at + 5 + 16] = pc;
	dump_walk(&g->w);
	CU_ASSERT_EQUAL(g->w.out.nr, 3);
	CU_ASSERT_EQUAL(g->w.out.end, UNWIND_SIGNAL);
	CU_ASSERT_EQUAL(g->w.frames[2].pc, pc);
	CU_ASSERT_EQUAL(g->w.frames[2].lookup, pc);
	CU_ASSERT_EQUAL(g->w.frames[2].sp, UINT64_C(0xc000123000));
	dump_walk_by(&g->w, &unwinder_auto, 2);
	CU_ASSERT_EQUAL(g->w.out.nr, 2);
	CU_ASSERT_EQUAL(g->w.out.end, UNWIND_SIGNAL);
	close_go(g);
}

/*
 * arm64, cross-built: return addresses at SP or, before the frame is made, in LR;
 * an injected call leaves LR in 16 bytes above its frame.
 */
static void arm64_frames(void)
{
	struct go_world *g = build_go("arm64_frames", "tests/go/frames", "GOARCH=arm64 CGO_ENABLED=0", ".", "aarch64");
	struct gotab_func f;
	int32_t outer, preempt, top;
	uint64_t a, b, c, p;

	if (!g)
		return;
	CU_ASSERT_TRUE_FATAL(gotab_func_by_name(g->g, "runtime.mallocgc", &f));
	b = pc_of(g, "main.main", true, &outer);
	c = pc_of(g, "runtime.goexit", true, &top);
	a = f.entry; /* frameless as yet */
	dump_leaf(&g->w, a);
	dump_set(&g->w, PERF_ARM64_LR, b);
	g->w.words[0] = c; /* main.main's */
	dump_walk(&g->w);
	CHECK_PCS(&g->w, a, b, c);
	CU_ASSERT_EQUAL(g->w.out.end, UNWIND_ROOT);
	CU_ASSERT_EQUAL(g->w.frames[1].sp, SP);
	CU_ASSERT_EQUAL(g->w.frames[2].sp, SP + (uint64_t)outer);
	p = pc_of(g, "runtime.asyncPreempt", false, &preempt);
	memset(g->w.words, 0, sizeof(g->w.words));
	dump_leaf(&g->w, p);
	g->w.words[0] = a;		      /* interrupted at its first byte */
	g->w.words[preempt / 8] = b;	      /* its LR */
	g->w.words[preempt / 8 + 2] = c;
	dump_walk(&g->w);
	CHECK_PCS(&g->w, p, a, b, c);
	CU_ASSERT_EQUAL(g->w.frames[1].lookup, a);
	CU_ASSERT_EQUAL(g->w.frames[1].sp, SP + (uint64_t)preempt + 16);
	CU_ASSERT_EQUAL(g->w.out.end, UNWIND_ROOT);
	close_go(g);
}

static void frame_pointers(void)
{
	struct go_world *g = open_go();
	int32_t delta;
	uint64_t a = pc_of(g, "runtime.mallocgc", false, &delta), b = pc_of(g, "main.main", true, &delta),
		 c = pc_of(g, "runtime.goexit", true, &delta);

	dump_leaf(&g->w, a);
	dump_set(&g->w, PERF_X86_BP, SP + 32);
	g->w.words[4] = SP + 96;
	g->w.words[5] = b;
	g->w.words[12] = 0;
	g->w.words[13] = c;
	dump_walk_by(&g->w, &unwinder_fp, UNWIND_MAX_FRAMES);
	CHECK_PCS(&g->w, a, b, c);
	CU_ASSERT_EQUAL(g->w.out.end, UNWIND_ROOT);
	CU_ASSERT_EQUAL(g->w.frames[1].sp, SP + 48);
	g->w.words[4] = SP + 32; /* points to itself */
	dump_walk_by(&g->w, &unwinder_fp, UNWIND_MAX_FRAMES);
	CHECK_PCS(&g->w, a, b);
	CU_ASSERT_EQUAL(g->w.out.end, UNWIND_BAD_MEMORY);
	close_go(g);
}

/* --- whole samples ------------------------------------------------------------------------------ */

struct sample_world {
	struct go_world *g;
	struct unwind_worker *worker;
	struct perf_sample s;
	uint64_t regs[64];
	uint64_t chain[32];
};

static void limit_stack(struct sample_world *sw, size_t max)
{
	unwind_worker_free(sw->worker);
	sw->worker = unwind_worker_new(sw->g->w.s, &(struct unwind_options){.max_stack = max});
}

static void begin_sample(struct sample_world *sw)
{
	memset(sw, 0, sizeof(*sw));
	sw->g = open_go();
	limit_stack(sw, 0);
	sw->s = (struct perf_sample){.pid = PID, .tid = PID, .time = 2, .cpumode = PERF_CPUMODE_USER};
}

static void end_sample(struct sample_world *sw)
{
	unwind_worker_free(sw->worker);
	close_go(sw->g);
}

/* Registers and dump as the walk tests lay them. */
static void attach_dump(struct sample_world *sw)
{
	const struct unwind_input *in = &sw->g->w.in;
	size_t n = 0;

	for (uint64_t mask = in->regs_mask; mask; mask &= mask - 1)
		sw->regs[n++] = in->regs[__builtin_ctzll(mask)];
	sw->s.regs_abi = 2;
	sw->s.regs = (const uint8_t *)sw->regs;
	sw->s.regs_mask = in->regs_mask;
	sw->s.stack = in->stack;
	sw->s.stack_size = sw->s.stack_requested = in->stack_size;
	sw->s.ip = in->regs[PERF_X86_IP];
	sw->s.sample_type |= PERF_SAMPLE_REGS_USER | PERF_SAMPLE_STACK_USER;
}

static void attach_chain(struct sample_world *sw, const uint64_t *chain, size_t n)
{
	memcpy(sw->chain, chain, n * 8);
	sw->s.callchain = (const uint8_t *)sw->chain;
	sw->s.callchain_nr = n;
	sw->s.sample_type |= PERF_SAMPLE_CALLCHAIN;
}
#define CHAIN(sw, ...) attach_chain((sw), (const uint64_t[]){__VA_ARGS__}, sizeof((const uint64_t[]){__VA_ARGS__}) / 8)

static const struct unwind_stack *take(struct sample_world *sw)
{
	return unwind_sample(sw->worker, sw->g->w.pd, &sw->s);
}

#define GUEST ((uint64_t)-2048) /* PERF_CONTEXT_GUEST */
#define KERNEL(n) (UINT64_C(0xffffffff81000000) + (n))

static void the_kernels_part_comes_first(void)
{
	struct sample_world sw;
	const struct unwind_stack *u;

	begin_sample(&sw);
	go_leaf(sw.g, "runtime.mallocgc");
	go_caller(sw.g, "runtime.goexit");
	attach_dump(&sw);
	sw.s.cpumode = PERF_CPUMODE_KERNEL;
	sw.s.ip = KERNEL(1);
	CHAIN(&sw, PERF_CONTEXT_KERNEL, KERNEL(1), KERNEL(2), PERF_CONTEXT_USER, 0x1111);
	u = take(&sw);
	CU_ASSERT_EQUAL(u->nr, 4);
	CU_ASSERT_EQUAL(u->nr_kernel, 2);
	CU_ASSERT_TRUE(u->frames[0].kernel && u->frames[0].kind == UNWIND_PC_EXACT && u->frames[0].lookup == KERNEL(1));
	CU_ASSERT_TRUE(u->frames[1].kernel && u->frames[1].kind == UNWIND_PC_RETURN && u->frames[1].lookup == KERNEL(1));
	CU_ASSERT_EQUAL(u->frames[2].pc, sw.g->w.in.regs[PERF_X86_IP]);
	CU_ASSERT_EQUAL(u->end, UNWIND_ROOT);
	CU_ASSERT_PTR_NOT_NULL(unwind_last_input(sw.worker));
	for (size_t max = 1; max < 4; max++) {
		limit_stack(&sw, max);
		u = take(&sw);
		CU_ASSERT_EQUAL(u->nr, max);
		CU_ASSERT_EQUAL(u->nr_kernel, max < 2 ? max : 2);
		CU_ASSERT_EQUAL(u->end, UNWIND_MAX_DEPTH);
	}
	end_sample(&sw);
}

static void recorded_chains(void)
{
	struct sample_world sw;
	const struct unwind_stack *u;
	int32_t delta;
	uint64_t main_pc, goexit;

	begin_sample(&sw);
	main_pc = pc_of(sw.g, "main.main", true, &delta);
	goexit = pc_of(sw.g, "runtime.goexit", true, &delta);
	sw.s.ip = main_pc;
	CHAIN(&sw, PERF_CONTEXT_USER, main_pc, main_pc + 1);
	u = take(&sw);
	CU_ASSERT_EQUAL(u->nr, 2);
	CU_ASSERT_EQUAL(u->frames[0].lookup, main_pc);
	CU_ASSERT_EQUAL(u->frames[1].lookup, main_pc);
	CU_ASSERT_EQUAL(u->end, UNWIND_CHAIN);
	CU_ASSERT_PTR_NULL(unwind_last_input(sw.worker));
	CHAIN(&sw, PERF_CONTEXT_USER, main_pc, main_pc + 1, goexit);
	u = take(&sw);
	CU_ASSERT_EQUAL(u->nr, 3);
	CU_ASSERT_EQUAL(u->end, UNWIND_ROOT);
	end_sample(&sw);
}

static void chains_go_on_where_dumps_end(void)
{
	struct sample_world sw;
	const struct unwind_stack *u;
	uint64_t a, b, c, d;
	size_t cut;

	begin_sample(&sw);
	a = go_leaf(sw.g, "runtime.mallocgc");
	b = go_caller(sw.g, "runtime.newobject");
	cut = sw.g->at; /* in newobject's frame: its return address is past the dump */
	c = go_caller(sw.g, "main.main");
	d = go_caller(sw.g, "runtime.goexit");
	sw.g->w.in.stack_size = cut * 8;
	attach_dump(&sw);
	CHAIN(&sw, PERF_CONTEXT_USER, a, b, c, d);
	u = take(&sw);
	CU_ASSERT_EQUAL(u->nr, 4);
	CU_ASSERT_EQUAL(u->frames[2].pc, c);
	CU_ASSERT_EQUAL(u->frames[3].pc, d);
	CU_ASSERT_EQUAL(u->end, UNWIND_ROOT);
	CHAIN(&sw, PERF_CONTEXT_USER, b, c); /* the chain lacks the leaf's frame */
	u = take(&sw);
	CU_ASSERT_EQUAL(u->nr, 3);
	CU_ASSERT_EQUAL(u->end, UNWIND_CHAIN);
	CHAIN(&sw, PERF_CONTEXT_USER, a, b, c, GUEST, d); /* what follows is no caller */
	u = take(&sw);
	CU_ASSERT_EQUAL(u->nr, 3);
	CU_ASSERT_EQUAL(u->end, UNWIND_CHAIN);
	CHAIN(&sw, PERF_CONTEXT_USER, a, c, d); /* no word on where newobject belongs */
	u = take(&sw);
	CU_ASSERT_EQUAL(u->nr, 2);
	CU_ASSERT_EQUAL(u->end, UNWIND_TRUNCATED);
	CHAIN(&sw, PERF_CONTEXT_KERNEL, KERNEL(1));
	u = take(&sw);
	CU_ASSERT_EQUAL(u->nr - u->nr_kernel, 2);
	CU_ASSERT_EQUAL(u->end, UNWIND_TRUNCATED);
	end_sample(&sw);
}

static void samples_without_a_user_part(void)
{
	struct sample_world sw;
	const struct unwind_stack *u;

	begin_sample(&sw);
	sw.s.ip = KERNEL(5);
	sw.s.cpumode = PERF_CPUMODE_KERNEL;
	sw.s.sample_type = PERF_SAMPLE_REGS_USER; /* a kernel thread: abi 0 */
	u = take(&sw);
	CU_ASSERT_EQUAL(u->nr, 1);
	CU_ASSERT_EQUAL(u->nr_kernel, 1);
	CU_ASSERT_EQUAL(u->end, UNWIND_KERNEL_ONLY);
	sw.s.regs_abi = 1;
	u = take(&sw);
	CU_ASSERT_EQUAL(u->end, UNWIND_32BIT);
	sw.s.regs_abi = 0;
	sw.s.sample_type = 0;
	sw.s.cpumode = PERF_CPUMODE_USER;
	sw.s.ip = 0x401000;
	u = take(&sw);
	CU_ASSERT_EQUAL(u->nr, 1);
	CU_ASSERT_EQUAL(u->end, UNWIND_NO_DATA);
	end_sample(&sw);
}

/* The kernel's frame pointers cross systemstack: its chain goes on where the dump ends, if it comes to goexit. */
static void chains_cross_systemstack(void)
{
	struct goroutine_worker *gw;
	struct goroutine_sight sight;
	struct sample_world sw;
	const struct unwind_stack *u;
	const struct goroutine_entry *entries;
	int32_t delta;
	uint64_t leaf, fn, on_g0, caller, entry, goexit;
	size_t nr;

	begin_sample(&sw);
	leaf = go_leaf(sw.g, "runtime.mallocgc");
	fn = go_caller(sw.g, "runtime.gcAssistAlloc1");
	on_g0 = go_caller(sw.g, "runtime.systemstack");
	caller = pc_of(sw.g, "runtime.newobject", true, &delta);
	entry = pc_of(sw.g, "main.main", true, &delta);
	goexit = pc_of(sw.g, "runtime.goexit", true, &delta);
	attach_dump(&sw);
	/* frameless or in its prologue: the chain lacks the leaf's caller */
	CHAIN(&sw, PERF_CONTEXT_USER, leaf, on_g0, caller, entry, goexit);
	u = take(&sw);
	CU_ASSERT_EQUAL_FATAL(u->nr, 6);
	CU_ASSERT_EQUAL(u->switched, 3);
	CU_ASSERT_EQUAL(u->end, UNWIND_ROOT);
	CU_ASSERT_EQUAL(u->frames[1].pc, fn);
	CU_ASSERT_EQUAL(u->frames[3].pc, caller);
	CU_ASSERT_EQUAL(u->frames[3].lookup, caller - 1);
	gw = goroutine_worker_new(sw.g->w.s);
	goroutine_identify(gw, &sw.s, unwind_last_input(sw.worker), u, &sight);
	entries = goroutine_worker_entries(gw, &nr);
	CU_ASSERT_TRUE(sight.flags & GOROUTINE_WITH_CALLERS && sight.flags & GOROUTINE_ON_SYSTEM_STACK);
	CU_ASSERT_TRUE_FATAL(sight.entry < nr);
	CU_ASSERT_STRING_EQUAL(entries[sight.entry].name, "main.main");
	goroutine_worker_free(gw);
	CHAIN(&sw, PERF_CONTEXT_USER, leaf, fn, on_g0, caller, entry); /* comes to no root: proves nothing */
	u = take(&sw);
	CU_ASSERT_EQUAL(u->nr, 3);
	CU_ASSERT_EQUAL(u->switched, 0);
	CU_ASSERT_EQUAL(u->end, UNWIND_G0_BOUNDARY);
	CHAIN(&sw, PERF_CONTEXT_USER, leaf, on_g0, caller, GUEST, goexit); /* the root of another stack */
	u = take(&sw);
	CU_ASSERT_EQUAL(u->nr, 3);
	CU_ASSERT_EQUAL(u->end, UNWIND_G0_BOUNDARY);
	limit_stack(&sw, 4); /* where not all of them are wanted, none is */
	CHAIN(&sw, PERF_CONTEXT_USER, leaf, on_g0, caller, entry, goexit);
	u = take(&sw);
	CU_ASSERT_EQUAL(u->nr, 3);
	CU_ASSERT_EQUAL(u->end, UNWIND_G0_BOUNDARY);
	limit_stack(&sw, 0);
	CHAIN(&sw, PERF_CONTEXT_USER, leaf, fn, caller, entry, goexit); /* not by way of the switch */
	u = take(&sw);
	CU_ASSERT_EQUAL(u->nr, 3);
	CU_ASSERT_EQUAL(u->end, UNWIND_G0_BOUNDARY);
	end_sample(&sw);
}

static void every_end_has_its_words(void)
{
	for (int i = 0; i < UNWIND_ENDS; i++) {
		CU_ASSERT_PTR_NOT_NULL(unwind_end_key((enum unwind_end)i));
		CU_ASSERT_PTR_NOT_NULL(unwind_end_text((enum unwind_end)i));
	}
	CU_ASSERT_PTR_EQUAL(unwinder_find("libdw"), &unwinder_libdw);
	CU_ASSERT_PTR_NULL(unwinder_find("guess"));
}

static const struct suite_test tests[] = {
	{"goexit_ends_a_stack", goexit_ends_a_stack},
	{"cut_go_dumps", cut_go_dumps},
	{"switches_of_stack", switches_of_stack},
	{"before_the_switch_of_stack", before_the_switch_of_stack},
	{"callbacks_go_on", callbacks_go_on},
	{"injected_calls_return_to_the_very_pc", injected_calls_return_to_the_very_pc},
	{"signals_show_what_they_interrupted", signals_show_what_they_interrupted},
	{"chains_cross_systemstack", chains_cross_systemstack},
	{"arm64_frames", arm64_frames},
	{"frame_pointers", frame_pointers},
	{"the_kernels_part_comes_first", the_kernels_part_comes_first},
	{"recorded_chains", recorded_chains},
	{"chains_go_on_where_dumps_end", chains_go_on_where_dumps_end},
	{"samples_without_a_user_part", samples_without_a_user_part},
	{"every_end_has_its_words", every_end_has_its_words},
	{NULL, NULL},
};
const struct suite suite_unwind_go = {"unwind_go", tests};
