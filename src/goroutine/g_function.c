#include "goroutine/g_function.h"

#include <elf.h>
#include <string.h>

#include "base/hash.h"

#define MAX_INLINE 64

/*
 * Go src/runtime: asm_*.s and proc.go. mcall's and systemstack's names carry no
 * package in the symbol table of some versions, but always in pclntab.
 */
static const struct {
	const char *name;
	enum g_role role;
} roles[] = {
	{"runtime.goexit", G_GOEXIT},
	{"runtime.goexit1", G_GOEXIT1},
	{"runtime.goexit0", G_GOEXIT0},
	{"runtime.gdestroy", G_GOEXIT0},
	{"runtime.systemstack", G_SYSTEMSTACK},
	{"runtime.mcall", G_MCALL},
	{"runtime.morestack", G_MORESTACK},
	{"runtime.asmcgocall", G_ASMCGOCALL},
	{"runtime.nanotime1", G_VDSO_CALL},
	{"time.now", G_VDSO_CALL},
	{"runtime.walltime", G_VDSO_CALL},
	{"runtime.walltime1", G_VDSO_CALL},
	{"runtime.execute", G_EXECUTE},
	{"runtime.copystack", G_LEAVES},
	{"runtime.gopreempt_m", G_LEAVES},
	{"runtime.goschedImpl", G_LEAVES},
	{"runtime.preemptPark", G_LEAVES},
	{"runtime.gcAssistAlloc1", G_ASSISTS},
	{"runtime.schedule", G_SCHEDULE},
	{"runtime.findRunnable", G_SCHEDULE},
	{"runtime.findrunnable", G_SCHEDULE},
	{"runtime.stopm", G_SCHEDULE}, /* also from exitsyscall0, whose goroutine waits in a queue by then */
	{"runtime.sigtramp", G_SIGTRAMP},
	{"runtime.cgocallback", G_CALLBACK},
	{"runtime.cgocallback_gofunc", G_CALLBACK},
	{"runtime.cgocallbackg", G_CALLBACK},
	{"runtime.cgocallbackg1", G_CALLBACK},
};

/* runtime/traceback.go, isSystemGoroutine with fixed set */
bool g_is_system(const char *name)
{
	static const char *const users[] = {
		"runtime.main", "runtime.corostart", "runtime.handleAsyncEvent",
		"runtime.runfinq", "runtime.runFinalizers", "runtime.runCleanups",
		"runtime.cgocallback", "runtime.cgocallback_gofunc", NULL,
	};

	if (strncmp(name, "runtime.", 8) != 0)
		return false;
	for (size_t i = 0; users[i]; i++)
		if (!strcmp(name, users[i]))
			return false;
	return true;
}

bool goroutine_is_system(const char *entry)
{
	return g_is_system(entry);
}

/* Before 1.18 functions carry no flag for it: the source file tells. */
static bool is_assembly(const struct gotab *t, const struct gotab_func *f, uint64_t lookup)
{
	struct gotab_inline frames[MAX_INLINE];
	size_t nr, len;

	if (gotab_go_minor(t) >= 18 || f->flags & GOTAB_ASM)
		return f->flags & GOTAB_ASM;
	nr = gotab_inline(t, lookup, frames, MAX_INLINE);
	len = nr ? strlen(frames[nr - 1].file) : 0;
	return len > 2 && !strcmp(frames[nr - 1].file + len - 2, ".s");
}

/* What a wrapper was made for, where that is inlined here. */
static const char *wrapped(const struct gotab *t, uint64_t lookup)
{
	struct gotab_inline frames[MAX_INLINE];

	for (size_t i = gotab_inline(t, lookup, frames, MAX_INLINE); i-- > 0;)
		if (!frames[i].wrapper)
			return frames[i].name;
	return NULL;
}

static void find_literal(struct g_function *g, const struct gotab *t)
{
	static const char *const entries[] = {"runtime.gcBgMarkWorker", "runtime.bgsweep", "runtime.bgscavenge",
					      "runtime.forcegchelper", NULL};
	const char *dot = strstr(g->name, ".func");
	struct gotab_func f;

	for (size_t i = 0; dot && entries[i]; i++) {
		size_t len = (size_t)(dot - g->name);

		if (len != strlen(entries[i]) || memcmp(g->name, entries[i], len) != 0 ||
		    !gotab_func_by_name(t, entries[i], &f))
			continue;
		g->literal_of = f.entry;
		g->literal_name = f.name;
	}
}

/*
 * Whether the code at vaddr is what the compiler puts behind a call of assembly, which may have changed
 * R14 (systemstack: to g0): XORPS X15, X15 and a load of R14 from thread-local storage (cmd/compile/
 * internal/amd64, ssaGenValue, getgFromTLS).
 */
static bool reloads_g(const struct module *m, uint64_t vaddr)
{
	static const uint8_t clear[] = {0x45, 0x0f, 0x57, 0xff}, load[] = {0x64, 0x4c, 0x8b, 0x34, 0x25},
			     load_offset[] = {0x4c, 0x8b, 0x35}, load_by_offset[] = {0x64, 0x4d, 0x8b, 0x36};
	const uint8_t *p = module_bytes(m, vaddr, 12);

	if (!p || m->machine != EM_X86_64)
		return false;
	if (!memcmp(p, clear, sizeof(clear)))
		p += sizeof(clear);
	return !memcmp(p, load, sizeof(load)) || !memcmp(p, load_by_offset, sizeof(load_by_offset)) ||
	       !memcmp(p, load_offset, sizeof(load_offset));
}

bool g_argument_kept(const struct g_function *g, uint64_t to_argument)
{
	enum { SEARCHED = 48, LONGEST = 8 };
	const uint8_t *p = module_bytes(g->module, g->vaddr, SEARCHED + LONGEST);
	uint32_t offset;

	if (!p || g->module->machine != EM_X86_64 || g->lookup < g->vaddr)
		return false;
	for (size_t i = 0; i < SEARCHED; i++) {
		/* MOVQ AX, offset(SP) with an offset of 8 or of 32 bits */
		static const uint8_t store[] = {0x48, 0x89, 0x44, 0x24}, store_far[] = {0x48, 0x89, 0x84, 0x24};

		memcpy(&offset, p + i + 4, sizeof(offset));
		if (!memcmp(p + i, store, sizeof(store)) && p[i + 4] == to_argument)
			return g->lookup - g->vaddr >= i + 5;
		if (!memcmp(p + i, store_far, sizeof(store_far)) && offset == to_argument)
			return g->lookup - g->vaddr >= i + 8;
	}
	return false;
}

/* Inlined calls are looked up where they matter only: that takes ten times as long as all the rest. */
static void fill(struct g_function *g, const struct gotab *t, const struct gotab_func *f)
{
	bool runtime = !strncmp(f->name, "runtime.", 8); /* as all of `roles`, and the literals */

	g->role = G_PLAIN;
	g->vaddr = f->entry;
	g->name = f->name;
	g->logical = f->wrapper ? wrapped(t, g->lookup) : f->name;
	g->assembly = is_assembly(t, f, g->lookup);
	/* asm_amd64.s: 64 bytes with g at 48 up to 1.21, 16 bytes with g at 8 since */
	g->layout = gotab_go_minor(t) && gotab_go_minor(t) < 22 ? 6 : 1;
	g->reloads = reloads_g(g->module, g->lookup);
	if (runtime)
		find_literal(g, t);
	for (size_t i = 0; runtime && i < sizeof(roles) / sizeof(*roles); i++)
		if (!strcmp(f->name, roles[i].name))
			g->role = roles[i].role;
}

const struct g_function *g_function(struct g_functions *fs, const struct unwind_frame *frame)
{
	static const struct g_function nothing = {.role = G_NOT_GO, .name = ""};
	struct gotab_func f;
	struct g_function *g;
	const struct module *m;

	if (!frame->go || frame->module == UINT32_MAX)
		return &nothing;
	m = modules_get(fs->modules, frame->module);
	g = &fs->slots[hash_u64(frame->lookup ^ (uint64_t)frame->module << 48) % G_FUNCTION_SLOTS];
	if (g->module == m && g->lookup == frame->lookup)
		return g;
	*g = (struct g_function){.module = m, .lookup = frame->lookup, .name = ""};
	if (m->gotab && gotab_find(m->gotab, frame->lookup, &f))
		fill(g, m->gotab, &f);
	return g;
}
