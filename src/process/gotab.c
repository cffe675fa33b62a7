/*
 * Functions, pc tables and inline trees of an opened pclntab.
 * Source: Go runtime/symtab.go (pcvalue, step, funcInfo), symtabinl.go (inline
 * unwinder), runtime2.go (_func). Layouts by version as the comments say.
 */
#include "process/gotab.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/cursor.h"
#include "process/goelf.h"
#include "process/gotab_internal.h"

/* More pairs than the pc table of any function has: a lying table costs no more. */
#define MAX_STEPS (1 << 20)

/* Which pcdata and funcdata hold the inline tree: runtime/funcdata.h, internal/abi/symtab.go. */
static uint32_t pcdata_inline(const struct gotab *t)
{
	return t->layout == GOTAB_V12 && t->minor <= 12 ? 1 : 2;
}

static uint32_t funcdata_inline(const struct gotab *t)
{
	return t->layout != GOTAB_V12 ? 3 : t->minor <= 12 ? 2 : 4;
}

const char *gotab_layout(const struct gotab *t)
{
	static const char *const names[] = {"1.2-1.15", "1.16-1.17", "1.18-1.19", "1.20+"};

	return names[t->layout];
}

const char *gotab_go_version(const struct gotab *t)
{
	return t->version[0] ? t->version : NULL;
}

int gotab_go_minor(const struct gotab *t)
{
	return t->minor;
}

size_t gotab_nr_funcs(const struct gotab *t)
{
	return t->nfunc;
}

void gotab_text(const struct gotab *t, uint64_t *start, uint64_t *end)
{
	*start = t->text;
	*end = t->text_end;
}

/* --- functions ------------------------------------------------------------------------- */

/* functab: {u64 pc, u64 off} up to 1.17, {u32 pc - text, u32 off} since 1.18 */
static uint64_t entry_pc(const struct gotab *t, uint64_t i)
{
	return t->layout <= GOTAB_V116 ? part_u64(t, t->funcs, i * 16)
				       : t->text + part_u32(t, t->funcs, i * 8);
}

void gotab_range(const struct gotab *t, uint32_t index, uint64_t *entry, uint64_t *end)
{
	*entry = entry_pc(t, index);
	*end = entry_pc(t, (uint64_t)index + 1);
}

bool gotab_record(const struct gotab *t, uint32_t index, struct gotab_record *r)
{
	bool wide = t->layout <= GOTAB_V116;
	uint64_t at = wide ? part_u64(t, t->funcs, (uint64_t)index * 16 + 8)
			   : part_u32(t, t->funcs, (uint64_t)index * 8 + 4);
	/* an entry of eight bytes and cuOffset since 1.16, of four since 1.18, startLine since 1.20 */
	size_t before_arrays = t->layout == GOTAB_V116 || t->layout == GOTAB_V120 ? 44 : 40;
	struct gotab_part f = t->funcs;
	uint64_t p;

	*r = (struct gotab_record){0};
	if (t->layout == GOTAB_V12)
		at -= 16; /* offsets from the table's begin; funcs begins 16 bytes in, what lies before wraps */
	if (at >= f.size || f.size - at < before_arrays)
		return false;
	r->at = at;
	p = at + (wide ? 8 : 4); /* past entry */
	r->name = (int32_t)part_u32(t, f, p);
	r->pcsp = part_u32(t, f, p + 12);
	r->pcfile = part_u32(t, f, p + 16);
	r->pcln = part_u32(t, f, p + 20);
	r->npcdata = part_u32(t, f, p + 24);
	if (t->layout == GOTAB_V12) { /* no cuOffset; funcID, pad, pad, nfuncdata since 1.12 */
		r->func_id = f.p[p + 28];
		r->nfuncdata = f.p[p + 31];
		r->pcdata = p + 32;
		/* from the table's begin, 16 bytes before: 8-aligned all the same */
		r->funcdata = (r->pcdata + 4 * (uint64_t)r->npcdata + 7) & ~UINT64_C(7);
		return true;
	}
	r->cu = part_u32(t, f, p + 28);
	p += 32;
	if (t->layout == GOTAB_V120) {
		r->start_line = (int32_t)part_u32(t, f, p);
		p += 4;
	}
	r->func_id = f.p[p];
	r->flags = f.p[p + 1];
	r->nfuncdata = f.p[p + 3];
	r->pcdata = p + 4;
	r->funcdata = r->pcdata + 4 * (uint64_t)r->npcdata;
	if (wide)
		r->funcdata = (r->funcdata + 7) & ~UINT64_C(7);
	return true;
}

/* The value of funcID "wrapper": internal/abi/symtab.go, cmd/internal/objabi/funcid.go by version. */
static bool is_wrapper(const struct gotab *t, uint8_t id)
{
	int m = t->minor;

	return id == (m >= 25   ? 23
		      : m >= 22 ? 22
		      : m >= 18 ? 21
		      : m >= 14 ? 22
		      : m >= 12 ? 20
				: 256);
}

bool gotab_func_at(const struct gotab *t, uint32_t index, struct gotab_func *f)
{
	struct gotab_record r;

	if (index >= t->nfunc || !gotab_record(t, index, &r))
		return false;
	*f = (struct gotab_func){.index = index, .flags = r.flags, .func_id = r.func_id,
				 .start_line = r.start_line, .wrapper = is_wrapper(t, r.func_id),
				 .external = !r.pcsp};
	gotab_range(t, index, &f->entry, &f->end);
	f->name = part_str(t->names, (uint32_t)r.name);
	return true;
}

bool gotab_find(const struct gotab *t, uint64_t pc, struct gotab_func *f)
{
	uint32_t lo = 0, hi = t->nfunc;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (entry_pc(t, mid) <= pc)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo && gotab_func_at(t, lo - 1, f) && pc >= f->entry && pc < f->end;
}

bool gotab_func_by_name(const struct gotab *t, const char *name, struct gotab_func *f)
{
	for (uint32_t i = 0; i < t->nfunc; i++)
		if (gotab_func_at(t, i, f) && !strcmp(f->name, name))
			return true;
	return false;
}

/* --- pc tables ---------------------------------------------------------------------------- */

struct pc_walk {
	struct cursor c;
	uint64_t pc;
	int32_t value;
	uint32_t steps;
};

static bool pc_start(const struct gotab *t, uint32_t table, uint64_t entry, struct pc_walk *w)
{
	if (!table || table >= t->pctab.size)
		return false;
	w->c = cursor_make(t->pctab.p + table, t->pctab.size - table, 0, false);
	w->pc = entry;
	w->value = -1;
	w->steps = 0;
	return true;
}

/* One pair: zigzag varint value delta, varint pc delta (step in runtime/symtab.go). */
static bool pc_step(const struct gotab *t, struct pc_walk *w)
{
	uint32_t delta = (uint32_t)cursor_uleb(&w->c);
	uint64_t pcs;

	if (w->c.failed || (!delta && w->steps) || w->steps++ == MAX_STEPS)
		return false;
	w->value = (int32_t)((uint32_t)w->value + (delta & 1 ? ~(delta >> 1) : delta >> 1)); /* wraps, as Go's */
	pcs = cursor_uleb(&w->c);
	if (w->c.failed || !pcs || pcs > UINT32_MAX)
		return false;
	w->pc += pcs * t->quantum;
	return true;
}

/* Pairs of a byte each, as nearly all are, as long as they do not reach beyond pc. */
static void skip_short_pairs(const struct gotab *t, struct pc_walk *w, uint64_t pc)
{
	const uint8_t *p = w->c.p, *end = w->c.end;
	uint64_t at = w->pc;
	uint32_t value = (uint32_t)w->value;

	for (; end - p >= 2 && p[0] && p[1] && !((p[0] | p[1]) & 0x80) && w->steps < MAX_STEPS; p += 2, w->steps++) {
		uint64_t next = at + (uint64_t)p[1] * t->quantum;

		if (pc < next)
			break;
		value += p[0] & 1 ? ~((uint32_t)p[0] >> 1) : (uint32_t)p[0] >> 1;
		at = next;
	}
	w->c.p = p;
	w->pc = at;
	w->value = (int32_t)value;
}

bool gotab_pcvalue(const struct gotab *t, uint32_t table, uint64_t entry, uint64_t pc, int32_t *value)
{
	struct pc_walk w;

	if (!pc_start(t, table, entry, &w))
		return false;
	for (;;) {
		skip_short_pairs(t, &w, pc);
		if (!pc_step(t, &w))
			return false;
		if (pc < w.pc) {
			*value = w.value;
			return true;
		}
	}
}

/* A table walked so far: runs [the end before, end) of one value. */
struct known_table {
	const struct gotab *t;
	uint32_t table;
	uint64_t entry;
	struct known_run {
		uint64_t end;
		int32_t value;
	} *runs;
	size_t nr, alloc;
	struct pc_walk w; /* behind the last run */
	bool ended;
};

struct gotab_walks {
	struct known_table files, lines, inlines;
};

struct gotab_walks *gotab_walks_new(void)
{
	return xcalloc(1, sizeof(struct gotab_walks));
}

void gotab_walks_free(struct gotab_walks *w)
{
	if (!w)
		return;
	free(w->files.runs);
	free(w->lines.runs);
	free(w->inlines.runs);
	free(w);
}

/* The first run that ends behind pc, of those known; k->nr: none. */
static size_t find_run(const struct known_table *k, uint64_t pc)
{
	size_t low = 0, high = k->nr;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (k->runs[mid].end <= pc)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* gotab_pcvalue(); k may be NULL. */
static bool value_at(const struct gotab *t, uint32_t table, uint64_t entry, uint64_t pc, struct known_table *k, int32_t *value)
{
	size_t run;

	if (!k)
		return gotab_pcvalue(t, table, entry, pc, value);
	if (k->t != t || k->table != table || k->entry != entry) {
		k->t = t;
		k->table = table;
		k->entry = entry;
		k->nr = 0;
		k->ended = !pc_start(t, table, entry, &k->w);
	}
	run = find_run(k, pc);
	while (run == k->nr && !k->ended) {
		k->ended = !pc_step(t, &k->w);
		if (k->ended)
			break;
		ALLOC_GROW(k->runs, k->nr + 1, k->alloc);
		k->runs[k->nr++] = (struct known_run){k->w.pc, k->w.value};
		run += k->w.pc <= pc;
	}
	if (run == k->nr)
		return false;
	*value = k->runs[run].value;
	return true;
}

bool gotab_sp_delta(const struct gotab *t, const struct gotab_func *f, uint64_t pc, int32_t *delta)
{
	struct gotab_record r;

	return gotab_record(t, f->index, &r) && gotab_pcvalue(t, r.pcsp, f->entry, pc, delta);
}

bool gotab_sp_runs(const struct gotab *t, const struct gotab_func *f,
		   void (*fn)(void *ctx, uint64_t pc, uint64_t end, int32_t delta), void *ctx)
{
	struct gotab_record r;
	struct pc_walk w;
	uint64_t from = f->entry;

	if (!gotab_record(t, f->index, &r) || !pc_start(t, r.pcsp, f->entry, &w))
		return false;
	while (from < f->end && pc_step(t, &w)) {
		fn(ctx, from, w.pc < f->end ? w.pc : f->end, w.value);
		from = w.pc;
	}
	return true;
}

/* --- lines and inlined calls ----------------------------------------------------------------- */

static const char *file_name(const struct gotab *t, const struct gotab_record *r, int32_t file)
{
	if (file < 0)
		return "";
	if (t->layout == GOTAB_V12) { /* a table of offsets after the functab, its count first */
		uint32_t table = part_u32(t, t->funcs, (uint64_t)t->nfunc * 16 + 8);

		return part_str(t->all, part_u32(t, t->all, table + 4 * (uint64_t)(uint32_t)file));
	}
	return part_str(t->files, part_u32(t, t->cus, 4 * ((uint64_t)r->cu + (uint32_t)file)));
}

static void set_line(const struct gotab *t, const struct gotab_record *r, uint64_t entry, uint64_t pc,
		     unsigned want, struct gotab_walks *walks, struct gotab_inline *out)
{
	int32_t file = -1, line = 0;

	out->file = "";
	if (want & GOTAB_FILES) {
		value_at(t, r->pcfile, entry, pc, walks ? &walks->files : NULL, &file);
		out->file = file_name(t, r, file);
	}
	if (want & GOTAB_LINES && value_at(t, r->pcln, entry, pc, walks ? &walks->lines : NULL, &line) && line > 0)
		out->line = line;
}

/* The inline tree's bytes: an offset from go:func.* since 1.18, an address before. */
static struct gotab_part inline_tree(const struct gotab *t, const struct gotab_record *r)
{
	struct gotab_part none = {0};
	uint32_t which = funcdata_inline(t), offset;
	size_t left;
	const uint8_t *p;

	if (r->nfuncdata <= which)
		return none;
	if (t->layout <= GOTAB_V116) {
		uint64_t addr;

		if (!t->elf)
			return none;
		addr = part_u64(t, t->funcs, r->funcdata + 8 * (uint64_t)which);
		p = addr ? goelf_at(t->elf, addr, &left) : NULL;
		return p ? (struct gotab_part){p, left} : none;
	}
	offset = part_u32(t, t->funcs, r->funcdata + 4 * (uint64_t)which);
	if (offset == UINT32_MAX || offset >= t->gofunc.size)
		return none;
	return (struct gotab_part){t->gofunc.p + offset, t->gofunc.size - offset};
}

/* Entry ix: name, funcID, where in the caller the call is. */
struct inline_entry {
	int32_t name, parent_pc, start_line;
	uint8_t func_id;
};

static bool read_entry(const struct gotab *t, struct gotab_part tree, int32_t ix, struct inline_entry *out)
{
	uint64_t size = t->layout == GOTAB_V120 ? 16 : 20, at = size * (uint32_t)ix;

	if (ix < 0 || at > tree.size || tree.size - at < size)
		return false;
	if (t->layout == GOTAB_V120) { /* funcID, pad[3], nameOff, parentPc, startLine */
		*out = (struct inline_entry){(int32_t)part_u32(t, tree, at + 4), (int32_t)part_u32(t, tree, at + 8),
					     (int32_t)part_u32(t, tree, at + 12), tree.p[at]};
	} else { /* parent i16, funcID, pad, file, line, func_, parentPc */
		*out = (struct inline_entry){(int32_t)part_u32(t, tree, at + 12),
					     (int32_t)part_u32(t, tree, at + 16), 0, tree.p[at + 2]};
	}
	return true;
}

static int32_t inline_index(const struct gotab *t, const struct gotab_record *r, uint64_t entry, uint64_t pc,
			    struct gotab_walks *walks)
{
	uint32_t which = pcdata_inline(t);
	int32_t ix = -1;

	if (r->npcdata <= which ||
	    !value_at(t, part_u32(t, t->funcs, r->pcdata + 4 * (uint64_t)which), entry, pc, walks ? &walks->inlines : NULL, &ix))
		return -1;
	return ix;
}

size_t gotab_frames(const struct gotab *t, const struct gotab_func *f, uint64_t pc, unsigned want, struct gotab_walks *walks,
		    struct gotab_inline *out, size_t max)
{
	struct gotab_record r;
	struct gotab_part tree;
	struct inline_entry in;
	size_t n = 0;
	int32_t ix, last = INT32_MAX;

	if (!max || !gotab_record(t, f->index, &r))
		return 0;
	tree = inline_tree(t, &r);
	ix = inline_index(t, &r, f->entry, pc, walks);
	/* callers come before callees in a tree (addBranch in cmd/internal/obj/pcln.go): no cycles */
	while (n + 1 < max && ix >= 0 && ix < last && read_entry(t, tree, ix, &in)) {
		out[n] = (struct gotab_inline){.name = part_str(t->names, (uint32_t)in.name),
					       .start_line = in.start_line, .wrapper = is_wrapper(t, in.func_id),
					       .inlined = true};
		set_line(t, &r, f->entry, pc, want, walks, &out[n++]);
		pc = f->entry + (uint32_t)in.parent_pc;
		last = ix;
		ix = inline_index(t, &r, f->entry, pc, walks);
	}
	out[n] = (struct gotab_inline){.name = f->name, .start_line = f->start_line, .wrapper = f->wrapper};
	set_line(t, &r, f->entry, pc, want, walks, &out[n++]);
	return n;
}

size_t gotab_inline(const struct gotab *t, uint64_t pc, struct gotab_inline *out, size_t max)
{
	struct gotab_func f;

	return gotab_find(t, pc, &f) ? gotab_frames(t, &f, pc, GOTAB_FILES | GOTAB_LINES, NULL, out, max) : 0;
}
