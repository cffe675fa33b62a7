#include "goroutine/goroutine.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "goroutine/g_function.h"

/* Bytes above SP at goexit: newproc1's room "in case of reads slightly beyond frame". */
enum { TOP_X86 = 4 * 8, TOP_ARM64 = 48 /* 4 * 8 + MinFrameSize, aligned to 16 */ };
/* Smallest stack, to whose size every stack is aligned (internal/abi, StackMin). */
enum { STACK_ALIGN = 2048 };

struct goroutine_worker {
	struct g_functions functions;
	struct map64 index; /* hash of (module, vaddr, name) → entries */
	struct goroutine_entry *entries;
	size_t nr, alloc;
};

struct goroutine_worker *goroutine_worker_new(struct session *s)
{
	struct goroutine_worker *w = xcalloc(1, sizeof(*w));

	w->functions.modules = session_modules(s);
	return w;
}

void goroutine_worker_free(struct goroutine_worker *w)
{
	if (!w)
		return;
	map64_release(&w->index);
	free(w->entries);
	free(w);
}

const struct goroutine_entry *goroutine_worker_entries(const struct goroutine_worker *w, size_t *nr)
{
	*nr = w->nr;
	return w->entries;
}

#define X(id, key, text) [id] = key,
static const char *const kind_keys[] = {FOREACH_GOROUTINE_KIND(X)};
#undef X
#define X(id, key, text) [id] = text,
static const char *const kind_texts[] = {FOREACH_GOROUTINE_KIND(X)};
#undef X
#define X(id, key, confidence, text) [id] = {key, confidence, text},
static const char *const sources[][3] = {FOREACH_GOROUTINE_SOURCE(X)};
#undef X

const char *goroutine_kind_key(enum goroutine_kind k) { return kind_keys[k]; }
const char *goroutine_kind_text(enum goroutine_kind k) { return kind_texts[k]; }
const char *goroutine_source_key(enum goroutine_source s) { return sources[s][0]; }
const char *goroutine_source_confidence(enum goroutine_source s) { return sources[s][1]; }
const char *goroutine_source_text(enum goroutine_source s) { return sources[s][2]; }

/* --- entries ----------------------------------------------------------------------------- */

/* Names of one function are one string of its module's table, but for few: those are entries of one name. */
static uint32_t entry_id(struct goroutine_worker *w, const struct goroutine_entry *e)
{
	uint64_t key = hash_u64(e->vaddr ^ hash_u64((uintptr_t)e->name)) ^ (uint64_t)e->module << 1 ^ !e->root;
	uint32_t i = map64_get(&w->index, key);

	if (i != MAP64_NONE)
		return i;
	ALLOC_GROW(w->entries, w->nr + 1, w->alloc);
	i = (uint32_t)w->nr++;
	w->entries[i] = *e;
	w->entries[i].system = g_is_system(e->name);
	map64_put(&w->index, key, i);
	return i;
}

/*
 * The entry at frames[at]; those below it towards the leaf tell the name where it
 * is a wrapper, or where C called: then the exported function is what runs.
 */
static uint32_t find_entry(struct goroutine_worker *w, const struct unwind_stack *stack, size_t at, uint64_t root)
{
	const struct unwind_frame *frames = stack->frames;
	const struct g_function *f = g_function(&w->functions, &frames[at]);
	bool callback = f->role == G_CALLBACK, named = !callback && f->logical;
	struct goroutine_entry e = {.module = frames[at].module, .vaddr = f->vaddr, .root = root};
	const char *name = named ? f->logical : f->name;

	if (f->role == G_NOT_GO || f->role == G_GOEXIT1)
		return GOROUTINE_NO_ENTRY;
	for (size_t i = at; !named && i-- > stack->nr_kernel;) {
		f = g_function(&w->functions, &frames[i]);
		if (f->role == G_NOT_GO)
			break;
		if (f->role == G_CALLBACK || !f->logical || !strncmp(f->name, "_cgoexp_", 8))
			continue;
		name = f->logical;
		named = true;
	}
	e.named = named;
	e.name = strcmp(name, "runtime.main") ? name : "main.main";
	return entry_id(w, &e);
}

/* The goroutine of a function literal that only its entry function hands to systemstack. */
static uint32_t literal_entry(struct goroutine_worker *w, const struct unwind_frame *frame)
{
	const struct g_function *f = g_function(&w->functions, frame);
	struct goroutine_entry e = {.module = frame->module, .vaddr = f->literal_of, .named = true, .name = f->literal_name};

	return f->literal_of ? entry_id(w, &e) : GOROUTINE_NO_ENTRY;
}

static uint8_t kind_of(const struct goroutine_worker *w, uint32_t entry)
{
	return entry != GOROUTINE_NO_ENTRY && w->entries[entry].system ? GOROUTINE_SYSTEM : GOROUTINE_USER;
}

/* --- evidence ----------------------------------------------------------------------------- */

struct look {
	struct goroutine_worker *w;
	const struct unwind_input *in;
	const struct unwind_stack *stack;
	const struct unwind_frame *frames;
	size_t first, nr; /* user frames: [first, nr) */
	bool arm;
	struct goroutine_sight *out;
};

/* For all but names: of most addresses there is nothing else to tell, and that is remembered beside what unwinding needs. */
static const struct g_function *at(const struct look *l, size_t i)
{
	static const struct g_function plain = {.role = G_PLAIN, .name = ""};
	const struct unwind_frame *frame = &l->frames[i];
	const struct g_function *f;

	if (frame->marked)
		return &plain;
	f = g_function(&l->w->functions, frame);
	if (f->role == G_PLAIN && !f->assembly && !f->reloads)
		unwind_mark(frame);
	return f;
}

static bool has_role(const struct look *l, enum g_role role)
{
	for (size_t i = l->first; i < l->nr; i++)
		if (at(l, i)->role == role)
			return true;
	return false;
}

/* A pointer to a g: aligned, in user space, not the first page. */
static bool can_be_g(uint64_t g)
{
	return g >= 4096 && !(g & 7) && g < UINT64_C(1) << 47;
}

/* The register at the leaf. Compiled Go code keeps g there, assembly may not. */
static void take_register(const struct look *l)
{
	unsigned reg = l->arm ? PERF_ARM64_X28 : PERF_X86_R14;
	const struct g_function *leaf = at(l, l->first);

	if (!l->in || !(l->in->regs_mask >> reg & 1) || !can_be_g(l->in->regs[reg]))
		return;
	l->out->g = l->in->regs[reg];
	l->out->source = GOROUTINE_BY_REGISTER;
	/* Go's assembler for arm64 has no name for R28 but g */
	if (leaf->role == G_NOT_GO || (leaf->assembly && !l->arm) || leaf->reloads)
		l->out->flags |= GOROUTINE_DOUBTFUL;
}

/* What the walk found in the register at its last frame, through code that keeps it (C, vdso). */
static void take_unwound(const struct look *l)
{
	if (!l->stack->has_g || !can_be_g(l->stack->end_g))
		return;
	l->out->g = l->stack->end_g;
	l->out->source = GOROUTINE_BY_REGISTER;
	l->out->flags |= GOROUTINE_DOUBTFUL;
}

static void take_word(const struct look *l, uint64_t addr, enum goroutine_source source)
{
	uint64_t g;

	if (addr && l->in && unwind_read_stack(l->in, addr, &g) && can_be_g(g)) {
		l->out->g = g;
		l->out->source = (uint8_t)source;
	}
}

/*
 * The word for a function's first argument above its frame (cmd/compile/abi-internal.md, spill area): a goroutine's,
 * which is kept there over calls since Go has no registers that callees save.
 */
static bool take_argument(const struct look *l, enum g_role role, enum goroutine_source source)
{
	for (size_t i = l->first; i + 1 < l->nr; i++) {
		const struct g_function *f = at(l, i);
		uint64_t addr = l->frames[i + 1].sp + (l->arm ? 8 : 0);

		if (f->role != role || (i == l->first && (l->arm || !g_argument_kept(f, addr - l->frames[i].sp))))
			continue;
		take_word(l, addr, source);
		return l->out->g != 0;
	}
	return false;
}

static void own_stack(const struct look *l)
{
	size_t root = l->nr - 1;
	bool leaving = l->nr - l->first > 1 && at(l, root - 1)->role == G_GOEXIT1;

	take_register(l);
	l->out->stack = l->in ? l->in->stack_base : 0;
	if (l->frames[root].sp)
		l->out->stack_hi = l->frames[root].sp + (l->arm ? TOP_ARM64 : TOP_X86);
	if (leaving)
		l->out->ended = l->out->g;
	else if (l->nr - l->first > 1)
		l->out->entry = find_entry(l->w, l->stack, root - 1, l->frames[root].lookup);
	l->out->kind = kind_of(l->w, l->out->entry);
}

/* systemstack leaves the goroutine's frame pointer to the function it calls. */
static void below_systemstack(const struct look *l)
{
	struct goroutine_sight *out = l->out;

	out->kind = GOROUTINE_USER;
	if (l->stack->has_fp)
		out->stack = l->stack->end_fp;
	take_argument(l, G_ASSISTS, GOROUTINE_BY_ARGUMENT);
	if (l->nr - l->first < 2)
		return;
	out->entry = literal_entry(l->w, &l->frames[l->nr - 2]);
	if (out->entry == GOROUTINE_NO_ENTRY)
		return;
	out->kind = GOROUTINE_SYSTEM;
	/* the frame is the entry function's, so near the stack's upper end that this can be told */
	if (out->stack)
		out->stack_hi = (out->stack + STACK_ALIGN) / STACK_ALIGN * STACK_ALIGN;
}

/* At work for no goroutine, but for the one that it is about to run. */
static void scheduler(const struct look *l)
{
	l->out->kind = GOROUTINE_SCHEDULER;
	l->out->source = GOROUTINE_UNKNOWN;
	l->out->g = 0;
	take_argument(l, G_EXECUTE, GOROUTINE_BY_ARGUMENT);
}

/* The goroutine's own stack, from the recorded call chain. */
static void callers(const struct look *l)
{
	size_t root = l->stack->nr - 1;

	l->out->flags |= GOROUTINE_WITH_CALLERS | GOROUTINE_SHOWS_ENTRY;
	if (root > l->nr)
		l->out->entry = find_entry(l->w, l->stack, root - 1, l->frames[root].lookup);
	l->out->kind = kind_of(l->w, l->out->entry);
}

static void system_stack(const struct look *l)
{
	size_t root = l->nr - 1;
	const struct g_function *f = at(l, root);
	uint64_t sp = l->frames[root].sp, word;

	l->out->flags |= GOROUTINE_ON_SYSTEM_STACK;
	l->out->kind = GOROUTINE_USER;
	switch (f->role) {
	case G_SYSTEMSTACK:
		below_systemstack(l);
		break;
	case G_MCALL: /* PUSHQ AX right after the switch; on arm64 g travels in R0 alone */
		if (!l->arm)
			take_word(l, sp, GOROUTINE_BY_MCALL);
		if (has_role(l, G_GOEXIT0))
			l->out->ended = l->out->g;
		if (has_role(l, G_SCHEDULE))
			l->out->kind = GOROUTINE_SCHEDULER;
		break;
	case G_MORESTACK:
		if (has_role(l, G_SCHEDULE))
			l->out->kind = GOROUTINE_SCHEDULER;
		else
			take_argument(l, G_LEAVES, GOROUTINE_BY_ARGUMENT);
		break;
	case G_ASMCGOCALL:
		take_word(l, sp ? sp + (l->arm ? 0 : f->layout * UINT64_C(8)) : 0, GOROUTINE_BY_ASMCGOCALL);
		break;
	case G_VDSO_CALL:
		take_unwound(l);
		/* it switches from m.curg's stack only, and its frame is elsewhere: the register, which C code keeps, is curg */
		if (l->stack->has_fp && l->in && !unwind_read_stack(l->in, l->stack->end_fp, &word))
			l->out->flags &= (uint8_t)~GOROUTINE_DOUBTFUL;
		if (l->stack->has_fp)
			l->out->stack = l->stack->end_fp;
		break;
	default: /* into the race detector */
		take_unwound(l);
		if (l->stack->has_fp)
			l->out->stack = l->stack->end_fp;
	}
	if (l->stack->switched)
		callers(l);
	if (l->out->kind == GOROUTINE_SCHEDULER)
		scheduler(l);
}

/* A signal handler, and the code it interrupted: its g is believed where other samples know it. */
static void interrupted(const struct look *l, const struct unwind_frame *frame)
{
	const struct g_function *f = frame ? g_function(&l->w->functions, frame) : NULL;

	l->out->kind = GOROUTINE_SIGNAL;
	if (!f || f->role == G_NOT_GO || (f->assembly && !l->arm) || f->reloads)
		return;
	take_unwound(l);
	l->out->stack = frame->sp;
}

static void other_end(const struct look *l)
{
	switch (l->stack->end) {
	case UNWIND_SIGNAL:
		interrupted(l, &l->frames[l->nr - 1]);
		break;
	case UNWIND_ROOT:
		if (at(l, l->nr - 1)->role == G_SIGTRAMP) {
			interrupted(l, l->stack->has_interrupted ? &l->stack->interrupted : NULL);
			break;
		}
		for (size_t i = l->first; i < l->nr; i++)
			if (l->frames[i].go)
				l->out->kind = GOROUTINE_SCHEDULER;
		if (l->out->kind == GOROUTINE_SCHEDULER)
			scheduler(l);
		break;
	default:
		if (at(l, l->first)->role == G_NOT_GO) {
			/* the race detector, say: C code leaves the register alone or has it back at the end */
			take_register(l);
			if (l->out->g) {
				l->out->kind = GOROUTINE_USER;
				l->out->flags |= GOROUTINE_IN_C;
			}
			break;
		}
		l->out->kind = has_role(l, G_SCHEDULE) ? GOROUTINE_SCHEDULER : GOROUTINE_USER;
		if (l->out->kind == GOROUTINE_SCHEDULER) {
			scheduler(l);
			break;
		}
		take_register(l);
		l->out->stack = l->in ? l->in->stack_base : 0;
		/* the system stack, where the register holds g0, is not so deep that a dump cannot hold it */
		if (l->stack->end != UNWIND_TRUNCATED && l->stack->end != UNWIND_MAX_DEPTH)
			l->out->flags |= GOROUTINE_DOUBTFUL;
	}
}

/* Addresses of one process image; a process that no record announced is known by its pid. */
static uint32_t space_of(const struct perf_sample *sample, const struct unwind_input *in)
{
	uint32_t index = in ? image_index(in->image) : UINT32_MAX;

	return index == UINT32_MAX ? sample->pid | UINT32_C(1) << 31 : index;
}

void goroutine_identify(struct goroutine_worker *w, const struct perf_sample *sample,
			const struct unwind_input *in, const struct unwind_stack *stack,
			struct goroutine_sight *out)
{
	size_t nr = stack->switched ? stack->switched : stack->nr;
	struct look l = {w, in, stack, stack->frames, stack->nr_kernel, nr, in && in->arch == PERF_ARCH_ARM64, out};

	*out = (struct goroutine_sight){
		.time = sample->time, .tid = sample->tid, .space = space_of(sample, in), .entry = GOROUTINE_NO_ENTRY,
		.id = GOROUTINE_NO_ID, .tag = UINT32_MAX, .kind = GOROUTINE_NONE, .source = GOROUTINE_UNKNOWN,
	};
	if (l.first == l.nr)
		return;
	if (stack->end == UNWIND_G0_BOUNDARY || stack->switched)
		system_stack(&l);
	else if (at(&l, l.nr - 1)->role == G_GOEXIT)
		own_stack(&l);
	else
		other_end(&l);
	if (out->entry != GOROUTINE_NO_ENTRY)
		out->flags |= GOROUTINE_SHOWS_ENTRY;
}
