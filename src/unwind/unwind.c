#include "unwind/unwind.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "unwind/code.h"

static const char *const keys[UNWIND_ENDS] = {
#define X(id, key, text) [id] = key,
	FOREACH_UNWIND_END(X)
#undef X
};
static const char *const texts[UNWIND_ENDS] = {
#define X(id, key, text) [id] = text,
	FOREACH_UNWIND_END(X)
#undef X
};

const char *unwind_end_key(enum unwind_end end)
{
	return keys[end];
}

const char *unwind_end_text(enum unwind_end end)
{
	return texts[end];
}

bool unwind_end_complete(enum unwind_end end)
{
	return end == UNWIND_ROOT || end == UNWIND_G0_BOUNDARY || end == UNWIND_CHAIN;
}

static const struct unwinder *const unwinders[] = {
	&unwinder_auto, &unwinder_go, &unwinder_libdw, &unwinder_libunwind, &unwinder_fp, NULL,
};

const struct unwinder *const *unwinder_list(void)
{
	return unwinders;
}

const struct unwinder *unwinder_find(const char *name)
{
	for (size_t i = 0; unwinders[i]; i++)
		if (!strcmp(unwinders[i]->name, name))
			return unwinders[i];
	return NULL;
}

/* --- samples ------------------------------------------------------------------------------- */

#define KERNEL_SLOTS 4096

struct unwind_worker {
	struct session *session;
	const struct unwinder *unwinder;
	void *state;
	struct resolver *resolver; /* for recorded chains and lone leaves: made for the first of them */
	struct resolved *kernel; /* KERNEL_SLOTS addresses of the kernel, likewise */
	size_t max;
	const char *arch_name; /* as the features have it; arch is what it means */
	enum perf_arch arch;
	struct unwind_input input;
	bool has_input;
	struct unwind_stack stack;
};

struct unwind_worker *unwind_worker_new(struct session *s, const struct unwind_options *opts)
{
	struct unwind_worker *w = xcalloc(1, sizeof(*w));

	w->session = s;
	w->unwinder = opts->unwinder ? opts->unwinder : &unwinder_auto;
	w->max = opts->max_stack && opts->max_stack < UNWIND_MAX_FRAMES ? opts->max_stack : UNWIND_MAX_FRAMES;
	w->stack.frames = xreallocarray(NULL, UNWIND_MAX_FRAMES, sizeof(*w->stack.frames));
	return w;
}

void unwind_worker_free(struct unwind_worker *w)
{
	if (!w)
		return;
	if (w->state)
		w->unwinder->destroy(w->state);
	resolver_free(w->resolver);
	free(w->kernel);
	free(w->stack.frames);
	free(w);
}

const struct unwind_input *unwind_last_input(const struct unwind_worker *w)
{
	return w->has_input ? &w->input : NULL;
}

static struct resolved *resolve_kernel(struct unwind_worker *w, uint64_t pc, enum unwind_pc_kind kind, uint64_t time)
{
	uint64_t owner = (session_kernel_version(w->session) + 1) << 1 | (kind == UNWIND_PC_RETURN);
	struct resolved *at;

	if (!w->kernel)
		w->kernel = xtable(KERNEL_SLOTS, sizeof(*w->kernel));
	at = &w->kernel[hash_u64(pc << 1 | (owner & 1)) % KERNEL_SLOTS];
	if (at->pc == pc && at->owner == owner && time >= at->from && time <= at->to)
		return at;
	*at = (struct resolved){.pc = pc, .owner = owner, .vaddr = kind == UNWIND_PC_RETURN ? pc - 1 : pc};
	at->module = session_kernel_module(w->session, pc, time, &at->from, &at->to);
	/* kernel modules are relocatable: known by the distance from where they were loaded */
	if (at->module && at->module->kind == MODULE_KMOD)
		at->vaddr -= at->module->kernel_start;
	return at;
}

static void add_kernel(struct unwind_worker *w, uint64_t pc, enum unwind_pc_kind kind, uint64_t time)
{
	struct resolved *at;

	if (w->stack.nr >= w->max)
		return;
	at = resolve_kernel(w, pc, kind, time);
	w->stack.frames[w->stack.nr++] = (struct unwind_frame){
		.pc = pc, .lookup = at->vaddr, .kind = (uint8_t)kind, .module = at->module ? at->module->id : UINT32_MAX,
		.kernel = true, .tag = at->tag, .marked = at->marked, .resolved = at,
	};
	w->stack.nr_kernel = w->stack.nr;
}

/* Returns the Go role of the frame. */
static enum go_role add_user(struct unwind_worker *w, const struct image *im, uint64_t pc, enum unwind_pc_kind kind,
			     uint64_t time)
{
	struct resolved *at;
	const struct code *c;

	if (!w->resolver)
		w->resolver = resolver_new(w->session, false);
	at = resolve(w->resolver, im, kind == UNWIND_PC_RETURN ? pc - 1 : pc, time);
	c = resolve_code(w->resolver, at);

	if (w->stack.nr < w->max)
		frame_set(&w->stack.frames[w->stack.nr++], at, pc, kind, 0);
	return c->kind == CODE_GO ? (enum go_role)c->role : GO_PLAIN;
}

static enum unwind_pc_kind kind_above(enum go_role callee)
{
	return callee == GO_INJECTED || callee == GO_CALLBACK ? UNWIND_PC_EXACT : UNWIND_PC_RETURN;
}

/*
 * The recorded call chain: addresses by context, the first of a context is where
 * it was, the others are return addresses (kernel/events/callchain.c).
 */
static void take_chain(struct unwind_worker *w, const struct perf_sample *s, bool swap, bool want_user,
		       const struct image *im)
{
	uint64_t context = s->cpumode == PERF_CPUMODE_KERNEL ? PERF_CONTEXT_KERNEL : PERF_CONTEXT_USER;
	enum go_role role = GO_PLAIN;
	bool first = true, user = false;

	for (uint64_t i = 0; i < s->callchain_nr; i++) {
		uint64_t pc = perfdata_load64(s->callchain + i * 8, swap);
		enum unwind_pc_kind kind;

		if (pc >= PERF_CONTEXT_MAX) {
			context = pc;
			first = true;
			continue;
		}
		kind = first ? UNWIND_PC_EXACT : kind_above(role);
		first = false;
		if (context == PERF_CONTEXT_KERNEL) {
			add_kernel(w, pc, kind, s->time);
		} else if (context == PERF_CONTEXT_USER && want_user) {
			role = add_user(w, im, pc, kind, s->time);
			user = true;
		}
	}
	if (want_user)
		w->stack.end = role == GO_TOP || role == GO_SIGTRAMP ? UNWIND_ROOT : user ? UNWIND_CHAIN : UNWIND_KERNEL_ONLY;
}

/*
 * Where the dump was too short and the sample has a user call chain as well, that
 * chain's rest. It is taken from where it agrees with the walk's last frame; on
 * the way there the walk may have frames the chain lacks (it is made of frame
 * pointers), never the other way round.
 */
static void splice_chain(struct unwind_worker *w, const struct perf_sample *s, bool swap, const struct image *im)
{
	struct unwind_stack *out = &w->stack;
	uint64_t i = 0;
	size_t at = out->nr_kernel;
	enum go_role role = GO_PLAIN;
	bool joined = false;

	while (i < s->callchain_nr && perfdata_load64(s->callchain + i * 8, swap) != PERF_CONTEXT_USER)
		i++;
	for (i++; at < out->nr && i < s->callchain_nr; at++) {
		joined = out->frames[at].pc == perfdata_load64(s->callchain + i * 8, swap);
		i += joined;
	}
	if (!joined)
		return;
	for (; i < s->callchain_nr; i++) {
		uint64_t pc = perfdata_load64(s->callchain + i * 8, swap);

		if (pc >= PERF_CONTEXT_MAX)
			break;
		role = add_user(w, im, pc, kind_above(role), s->time);
		out->end = role == GO_TOP || role == GO_SIGTRAMP ? UNWIND_ROOT : UNWIND_CHAIN;
		out->end_pc = pc;
	}
}

/*
 * Whether the chain goes on from the walk's last frame at element i: it is that frame, or, of nanotime1 and kin, what
 * called it (the vdso makes no frame of its own, so the chain begins there).
 */
static bool chain_joins(struct unwind_worker *w, const struct unwind_frame *last, uint64_t pc, const struct image *im,
			uint64_t time, bool *is_caller)
{
	struct resolved *at = resolve(w->resolver, im, last->kind == UNWIND_PC_RETURN ? last->pc - 1 : last->pc, time);
	const struct code *c = resolve_code(w->resolver, at);

	*is_caller = c->kind == CODE_GO && c->role == GO_VDSO_CALL && is_return_of(at, c, pc);
	return *is_caller || last->pc == pc;
}

/*
 * The walk ended at the switch to the system stack. Frame pointers lead across systemstack, which leaves the
 * goroutine's to what it calls: where the sample has the kernel's user call chain as well, and it reaches
 * goexit from there, these are the callers.
 */
static void cross_switch(struct unwind_worker *w, const struct perf_sample *s, bool swap, const struct image *im)
{
	struct unwind_stack *out = &w->stack;
	const struct unwind_frame *last = &out->frames[out->nr - 1];
	enum go_role role = GO_PLAIN;
	size_t nr = out->nr;
	bool is_caller = false;
	uint64_t i = 0;

	if (!w->resolver)
		w->resolver = resolver_new(w->session, false);
	while (i < s->callchain_nr && perfdata_load64(s->callchain + i * 8, swap) != PERF_CONTEXT_USER)
		i++;
	for (i++; i < s->callchain_nr; i++)
		if (chain_joins(w, last, perfdata_load64(s->callchain + i * 8, swap), im, s->time, &is_caller))
			break;
	for (i += !is_caller; i < s->callchain_nr && role != GO_TOP; i++) {
		uint64_t pc = perfdata_load64(s->callchain + i * 8, swap);

		if (pc >= PERF_CONTEXT_MAX || out->nr >= w->max)
			break;
		role = add_user(w, im, pc, kind_above(role), s->time);
	}
	if (role != GO_TOP) {
		out->nr = nr;
		return;
	}
	out->switched = nr;
	out->end = UNWIND_ROOT;
}

static bool is_kernel(const struct perf_sample *s)
{
	return s->cpumode == PERF_CPUMODE_KERNEL || s->cpumode == PERF_CPUMODE_GUEST_KERNEL ||
	       s->cpumode == PERF_CPUMODE_HYPERVISOR;
}

/* Two comparisons of names a sample, but for the first. */
static enum perf_arch arch_of(struct unwind_worker *w, const struct perfdata *pd)
{
	const char *name = perfdata_features(pd)->arch;

	if (!name || name != w->arch_name) {
		w->arch_name = name;
		w->arch = perfdata_arch(pd);
	}
	return w->arch;
}

static void fill_input(struct unwind_worker *w, const struct perfdata *pd, const struct perf_sample *s,
		       const struct image *im)
{
	struct unwind_input *in = &w->input;
	bool swap = perfdata_swapped(pd);
	const uint8_t *p = s->regs;
	enum perf_arch arch = arch_of(w, pd);

	in->arch = arch;
	in->swap = swap;
	in->regs_mask = s->regs_mask;
	for (uint64_t mask = s->regs_mask; mask; mask &= mask - 1, p += 8)
		in->regs[__builtin_ctzll(mask)] = perfdata_load64(p, swap);
	in->stack = s->stack;
	in->stack_base = in->regs[arch == PERF_ARCH_ARM64 ? PERF_ARM64_SP : PERF_X86_SP];
	in->stack_size = s->stack_size;
	in->dump_full = s->stack_size == s->stack_requested;
	in->image = im;
	in->time = s->time;
	w->has_input = true;
}

/* perf's registers and a dump, of an architecture this program unwinds. */
static bool can_unwind(struct unwind_worker *w, const struct perfdata *pd, const struct perf_sample *s)
{
	enum perf_arch arch = arch_of(w, pd);

	return s->regs_abi == 2 && s->regs && s->stack_requested &&
	       (arch == PERF_ARCH_X86_64 || arch == PERF_ARCH_ARM64);
}

/*
 * In a virtual machine or a hypervisor: other address spaces than the recorded
 * kernel's and process's, of which this recording holds no mappings.
 */
static bool is_elsewhere(const struct perf_sample *s)
{
	return s->cpumode == PERF_CPUMODE_HYPERVISOR || s->cpumode == PERF_CPUMODE_GUEST_KERNEL ||
	       s->cpumode == PERF_CPUMODE_GUEST_USER;
}

static void add_elsewhere(struct unwind_worker *w, uint64_t pc)
{
	w->stack.frames[w->stack.nr++] = (struct unwind_frame){
		.pc = pc, .lookup = pc, .kind = UNWIND_PC_EXACT, .module = UINT32_MAX, .kernel = true};
	w->stack.nr_kernel = w->stack.nr;
}

const struct unwind_stack *unwind_sample(struct unwind_worker *w, const struct perfdata *pd,
					 const struct perf_sample *s)
{
	struct unwind_stack *out = &w->stack;
	const struct image *im = session_image(w->session, s->pid, s->time);
	bool dump = can_unwind(w, pd, s);

	out->nr = out->nr_kernel = 0;
	out->end = UNWIND_NO_DATA;
	out->end_pc = s->ip;
	out->has_fp = out->has_g = out->has_interrupted = false;
	out->switched = 0;
	w->has_input = false;
	if (s->callchain_nr)
		take_chain(w, s, perfdata_swapped(pd), !dump, im);
	if (!out->nr && is_elsewhere(s))
		add_elsewhere(w, s->ip);
	else if (!out->nr && is_kernel(s))
		add_kernel(w, s->ip, UNWIND_PC_EXACT, s->time);
	if (dump) {
		if (!w->state) /* has tables of megabytes, and of many workers some never see a sample */
			w->state = w->unwinder->create(w->session);
		fill_input(w, pd, s, im);
		w->unwinder->unwind(w->state, &w->input, out, w->max);
		if (out->end == UNWIND_TRUNCATED && s->callchain_nr)
			splice_chain(w, s, perfdata_swapped(pd), im);
		else if (out->end == UNWIND_G0_BOUNDARY && s->callchain_nr && out->nr)
			cross_switch(w, s, perfdata_swapped(pd), im);
	} else if (s->sample_type & PERF_SAMPLE_REGS_USER && out->nr == out->nr_kernel && is_kernel(s)) {
		out->end = s->regs_abi == 1 ? UNWIND_32BIT : UNWIND_KERNEL_ONLY;
	} else if (!out->nr) {
		add_user(w, im, s->ip, UNWIND_PC_EXACT, s->time);
		out->end = s->regs_abi == 1 ? UNWIND_32BIT : UNWIND_NO_DATA;
	}
	return out;
}
