#include "unwind/code.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "base/hash.h"
#include "process/gotab.h"
#include "unwind/cfi.h"

#define CFI_TABLES 3

/* What module->unwind points to: the tables, and every address asked for so far. */
struct code_table {
	struct arena arena;
	struct map64 index; /* vaddr × 2 + go_only → codes */
	const struct code **codes;
	size_t nr, alloc;
	bool cfi_open;
	struct cfi *cfi[CFI_TABLES]; /* .eh_frame and .debug_frame of the binary, .debug_frame of the debug file */
};

static const struct code no_code;

static void free_table(void *table)
{
	struct code_table *t = table;

	if (!t)
		return;
	for (int i = 0; i < CFI_TABLES; i++)
		cfi_close(t->cfi[i]);
	map64_release(&t->index);
	free(t->codes);
	arena_release(&t->arena);
	free(t);
}

/* --- Go ------------------------------------------------------------------------------------ */

static bool is_one_of(const char *name, const char *const *list)
{
	for (; *list; list++)
		if (!strcmp(name, *list))
			return true;
	return false;
}

/*
 * runtime/traceback.go, (*unwinder).resolveInternal; before 1.17 and 1.18 the
 * flags are missing, so the few functions that matter are also known by name.
 */
static enum go_role role_of(const struct gotab_func *f)
{
	static const char *const tops[] = {"runtime.goexit", "runtime.mstart", "runtime.rt0_go", NULL};
	static const char *const switches[] = {"runtime.mcall", "runtime.systemstack", "runtime.morestack",
					       "runtime.asmcgocall", NULL};
	static const char *const injected[] = {"runtime.asyncPreempt", "runtime.sigpanic", "runtime.sigpanic0",
					       "runtime.debugCallV1", "runtime.debugCallV2", NULL};
	static const char *const vdso_calls[] = {"runtime.nanotime1", "time.now", "runtime.walltime", "runtime.walltime1",
						 "runtime.vgetrandom1", NULL};
	static const char *const returns[] = {"runtime.sigreturn", "runtime.sigreturn__sigaction", NULL};

	/* all names below are the runtime's, but for one: most functions are compared with none of them */
	if (strncmp(f->name, "runtime.", 8) != 0 && strcmp(f->name, "time.now") != 0)
		return f->flags & GOTAB_TOPFRAME ? GO_TOP : f->flags & GOTAB_SPWRITE ? GO_BOUNDARY : GO_PLAIN;
	if (is_one_of(f->name, returns))
		return GO_SIGRETURN;
	if (!strcmp(f->name, "runtime.sigtramp")) /* the flag is from 1.20 */
		return GO_SIGTRAMP;
	if (f->flags & GOTAB_TOPFRAME || is_one_of(f->name, tops))
		return GO_TOP;
	if (!strcmp(f->name, "runtime.cgocallback") || !strcmp(f->name, "runtime.cgocallback_gofunc"))
		return GO_CALLBACK;
	if (is_one_of(f->name, vdso_calls))
		return GO_VDSO_CALL;
	if (f->flags & GOTAB_SPWRITE || is_one_of(f->name, switches))
		return GO_BOUNDARY;
	return is_one_of(f->name, injected) ? GO_INJECTED : GO_PLAIN;
}

/* False for external code linked into Go's text: it has its own CFI. */
static bool go_code(const struct gotab *g, uint64_t vaddr, struct code *c)
{
	struct gotab_func f;
	int32_t delta;

	if (!gotab_find(g, vaddr, &f) || !gotab_sp_delta(g, &f, vaddr, &delta))
		return false;
	*c = (struct code){.kind = CODE_GO, .role = (uint8_t)role_of(&f), .delta = delta, .entry = f.entry};
	return true;
}

/* --- call frame information ------------------------------------------------------------------ */

static void open_cfi(struct code_table *t, struct module *m)
{
	t->cfi_open = true;
	module_lock(m); /* libelf */
	if (m->elf) {
		t->cfi[0] = cfi_open(m->elf, CFI_EH_FRAME);
		t->cfi[1] = cfi_open(m->elf, CFI_DEBUG_FRAME);
	}
	if (m->debug) /* whose .eh_frame has no bytes */
		t->cfi[2] = cfi_open(m->debug, CFI_DEBUG_FRAME);
	module_unlock(m);
}

static const struct code *cfi_code_of(struct code_table *t, const struct cfi *cfi, uint64_t vaddr)
{
	struct code_saved saved[CODE_MAX_REGS];
	struct code row = {.kind = CODE_CFI}, *c;

	if (!cfi_row(cfi, vaddr, &row, saved))
		return NULL;
	row.saved = arena_memdup(&t->arena, saved, row.nr_saved * sizeof(*saved));
	c = arena_alloc(&t->arena, sizeof(*c));
	*c = row;
	return c;
}

static const struct code *cfi_code(struct code_table *t, struct module *m, uint64_t vaddr)
{
	if (!t->cfi_open)
		open_cfi(t, m);
	for (int i = 0; i < CFI_TABLES; i++) {
		const struct code *c = t->cfi[i] ? cfi_code_of(t, t->cfi[i], vaddr) : NULL;

		if (c)
			return c;
	}
	return NULL;
}

static struct code_table *table_of(struct module *m)
{
	if (!m->unwind) {
		m->unwind = xcalloc(1, sizeof(struct code_table));
		m->unwind_free = free_table;
	}
	return m->unwind;
}

/* Go's tables are read without the lock: workers meet the same new addresses at the same time, and would wait for each other. */
const struct code *code_at(struct modules *ms, struct module *m, uint64_t vaddr, bool go_only)
{
	uint64_t key = vaddr << 1 | go_only;
	struct code_table *t;
	const struct code *c;
	struct code go;
	bool is_go;
	uint32_t i;

	if (!module_open(ms, m))
		return &no_code;
	pthread_mutex_lock(&m->unwind_lock);
	t = table_of(m);
	i = map64_get(&t->index, key);
	if (i == MAP64_NONE) {
		pthread_mutex_unlock(&m->unwind_lock);
		is_go = m->gotab && go_code(m->gotab, vaddr, &go);
		pthread_mutex_lock(&m->unwind_lock);
		i = map64_get(&t->index, key);
		if (i == MAP64_NONE) {
			c = is_go ? arena_memdup(&t->arena, &go, sizeof(go)) : go_only ? NULL : cfi_code(t, m, vaddr);
			ALLOC_GROW(t->codes, t->nr + 1, t->alloc);
			i = (uint32_t)t->nr++;
			t->codes[i] = c ? c : &no_code;
			map64_put(&t->index, key, i);
		}
	}
	c = t->codes[i]; /* which moves when it grows */
	pthread_mutex_unlock(&m->unwind_lock);
	return c;
}

/* --- addresses ----------------------------------------------------------------------------------- */

struct resolver *resolver_new(struct session *s, bool go_only)
{
	struct resolver *r = xcalloc(1, sizeof(*r));

	r->session = s;
	r->go_only = go_only;
	r->slots = xtable(RESOLVER_SLOTS, sizeof(*r->slots));
	return r;
}

void resolver_free(void *r)
{
	if (r)
		free(((struct resolver *)r)->slots);
	free(r);
}

static void look_up(struct resolver *r, struct resolved *at, const struct image *im, uint64_t pc, uint64_t time)
{
	struct modules *ms = session_modules(r->session);
	const struct mapping *map = session_map(r->session, im, pc, time, &at->from, &at->to);

	at->pc = pc;
	at->vaddr = pc;
	at->module = NULL;
	at->code = NULL;
	at->tag = 0;
	at->marked = 0;
	at->executable = map && map->prot & PROT_EXEC;
	if (!map)
		return;
	at->module = modules_get(ms, map->module);
	if (at->module->kind == MODULE_ANON)
		return; /* code that was made at run time is known by its address */
	module_open(ms, at->module);
	if (!module_vaddr(at->module, pc - map->start + map->pgoff, &at->vaddr) &&
	    at->module->kind == MODULE_VDSO)
		at->vaddr = pc - map->start;
}

struct resolved *resolve(struct resolver *r, const struct image *im, uint64_t pc, uint64_t time)
{
	struct resolved *at = &r->slots[hash_u64(pc ^ (uint64_t)image_index(im) << 48) % RESOLVER_SLOTS];
	/* 0 is the image of pids unknown, which maps nothing: what an unused slot says is right for it */
	uint64_t owner = (uint64_t)(image_index(im) + 1) << 32 | im->version;

	if (at->pc != pc || at->owner != owner || time < at->from || time > at->to) {
		at->owner = owner;
		look_up(r, at, im, pc, time);
	}
	return at;
}

const struct code *resolve_code(struct resolver *r, struct resolved *at)
{
	if (!at->code) {
		at->code = at->module ? code_at(session_modules(r->session), at->module, at->vaddr, r->go_only)
				      : &no_code;
		at->kind = at->code->kind & 3u;
		at->role = at->code->role & 15u;
		at->signal = at->code->signal;
		at->delta = at->code->delta;
	}
	return at->code;
}

bool is_return_of(const struct resolved *at, const struct code *c, uint64_t ra)
{
	enum { CALL = 0xe8, CALL_SIZE = 5 };
	uint64_t call = ra - (at->pc - at->vaddr) - CALL_SIZE;
	const uint8_t *p = module_bytes(at->module, call, CALL_SIZE);
	int32_t distance;

	if (!p || *p != CALL)
		return false;
	memcpy(&distance, p + 1, 4);
	return call + CALL_SIZE + (uint64_t)(int64_t)distance == c->entry;
}

void frame_set(struct unwind_frame *f, struct resolved *at, uint64_t pc, enum unwind_pc_kind kind, uint64_t sp)
{
	*f = (struct unwind_frame){
		.pc = pc, .sp = sp, .lookup = at->vaddr, .kind = (uint8_t)kind,
		.module = at->module ? at->module->id : UINT32_MAX,
		.go = at->code && at->kind == CODE_GO, .tag = at->tag, .marked = at->marked, .resolved = at,
	};
}

/* Whether the frame's place is still its own. */
static bool is_at(const struct resolved *at, const struct unwind_frame *f)
{
	return at && at->vaddr == f->lookup && (at->module ? at->module->id : UINT32_MAX) == f->module;
}

void unwind_tag(const struct unwind_frame *f, uint32_t tag)
{
	if (tag <= UNWIND_TAG_MAX && is_at(f->resolved, f))
		f->resolved->tag = tag & UNWIND_TAG_MAX;
}

void unwind_mark(const struct unwind_frame *f)
{
	if (is_at(f->resolved, f))
		f->resolved->marked = 1;
}
