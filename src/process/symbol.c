#include "process/symbol.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "process/dwarfinfo.h"
#include "process/elfcheck.h"
#include "process/gotab.h"
#include "process/module_internal.h"
#include "process/symtab.h"

/* Everything but Go's tables, read when the first address asks for it. */
struct symbols {
	struct symtab table;
	bool kept;	      /* kernel: the table is perf's copy, which knows modules of another time */
	struct symtab modules; /* then: what /proc/kallsyms says, once it was asked for */
	bool has_modules;
	struct dwarfinfo *dwarf;
	bool moved; /* a kernel of another boot, at another address: its modules moved differently */
};

#define MAX_DWARF_FRAMES 128

/*
 * perf's copy of kallsyms is a file like any other, /proc/kallsyms is made while it is read (25 ms).
 * The same kernel at the same address has the same symbols in both, but for its modules'.
 */
static bool load_kept(struct symbols *s, const struct module *m)
{
	if (!m->kept_symbols)
		return false;
	if (symtab_add_kallsyms(&s->table, m->kept_symbols, m->kernel_ref) == m->kernel_start &&
	    (s->table.nr || s->table.sorted))
		return true;
	symtab_release(&s->table);
	return false;
}

static void load_kernel(struct symbols *s, const struct module *m)
{
	uint64_t ref = 0;

	s->kept = load_kept(s, m);
	if (s->kept)
		return;
	if (m->symbol_file) {
		ref = symtab_add_kallsyms(&s->table, m->symbol_file, m->kernel_ref);
	} else if (m->elf) {
		symtab_add_elf(&s->table, m->elf);
		for (size_t i = 0; i < s->table.nr && !ref; i++)
			if (m->kernel_ref && !strcmp(s->table.entries[i].name, m->kernel_ref))
				ref = s->table.entries[i].start;
	}
	/* address space randomisation: the recorded place of a known symbol tells */
	s->moved = ref && m->kernel_start && ref != m->kernel_start;
	if (s->moved)
		symtab_shift(&s->table, m->kernel_start - ref);
}

/*
 * Go's linker drops the DWARF of C objects, and the Go functions are in gotab:
 * only where C's linker left its .comment there is more to know, and libdw takes
 * 0.1 s to decompress what Go writes. Kernel modules are relocatable: addresses
 * in their DWARF are not final.
 */
static bool has_useful_dwarf(const struct module *m)
{
	return m->kind != MODULE_KMOD && (!m->gotab || !m->elf || symtab_has_section(m->elf, ".comment"));
}

static void check_dwarf(struct modules *ms, struct module *m, const struct symbols *s)
{
	Elf *looked_at = s->dwarf && s->dwarf->image ? s->dwarf->image : m->debug ? m->debug : m->elf;

	module_set_broken(ms, m, m->file ? m->file : m->path, dwarf_check(looked_at));
}

/* Under the module's lock. */
static struct symbols *load(struct modules *ms, struct module *m)
{
	struct symbols *s = xcalloc(1, sizeof(*s));

	switch (m->kind) {
	case MODULE_KERNEL:
		load_kernel(s, m);
		break;
	case MODULE_ANON:
		if (m->symbol_file)
			symtab_add_jitmap(&s->table, m->symbol_file);
		break;
	default:
		if (m->elf) {
			symtab_add_elf(&s->table, m->elf);
			symtab_add_plt(&s->table, m->elf);
		}
		if (m->debug)
			symtab_add_elf(&s->table, m->debug);
		if (m->minidebug)
			symtab_add_elf(&s->table, m->minidebug);
		if (!has_useful_dwarf(m))
			break;
		s->dwarf = m->debug ? dwarfinfo_open(m->debug) : NULL;
		if (!s->dwarf && m->elf)
			s->dwarf = dwarfinfo_open(m->elf);
		if (m->debug || m->elf)
			check_dwarf(ms, m, s);
	}
	symtab_finish(&s->table);
	return s;
}

void symbols_free(struct symbols *s)
{
	if (!s)
		return;
	dwarfinfo_close(s->dwarf);
	symtab_release(&s->table);
	symtab_release(&s->modules);
	free(s);
}

bool symbols_wanted(struct modules *ms, struct module *m, uint64_t vaddr)
{
	struct gotab_func f;

	module_open(ms, m);
	if (!m->elf && !m->debug && !m->symbol_file)
		return false;
	return !(m->gotab && gotab_find(m->gotab, vaddr, &f) && !f.external);
}

void symbols_load(struct modules *ms, struct module *m)
{
	if (__atomic_exchange_n(&m->symbols_claimed, true, __ATOMIC_RELAXED))
		return;
	module_open(ms, m);
	module_lock(m);
	if (!m->symbols)
		m->symbols = load(ms, m);
	module_unlock(m);
}

static uint32_t add_name(const struct modules *ms, struct strtab *strings, const char *name, uint32_t *linkage)
{
	char *plain = modules_options(ms)->no_demangle ? NULL : demangle(name);
	uint32_t id;

	*linkage = 0;
	if (!plain)
		return strtab_add(strings, name);
	*linkage = strtab_add(strings, name);
	id = strtab_add(strings, plain);
	free(plain);
	return id;
}

static size_t by_go(const struct module *m, const struct gotab_func *f, uint64_t vaddr, unsigned want,
		    struct gotab_walks *walks, struct strtab *strings, struct symbol *out, size_t max)
{
	struct gotab_inline frames[MAX_DWARF_FRAMES];
	size_t nr = gotab_frames(m->gotab, f, vaddr, GOTAB_FILES | (want & SYMBOL_LINES ? GOTAB_LINES : 0), walks, frames,
				 max < MAX_DWARF_FRAMES ? max : MAX_DWARF_FRAMES);
	size_t first = want & SYMBOL_INLINES || !nr ? 0 : nr - 1;

	for (size_t i = first; i < nr; i++)
		out[i - first] = (struct symbol){
			.name = strtab_add(strings, frames[i].name),
			.file = strtab_add(strings, frames[i].file),
			.line = frames[i].line,
			.start_line = frames[i].start_line,
			.inlined = frames[i].inlined,
			.named = true,
			.go = !f->external,
			.wrapper = frames[i].wrapper,
			.start = f->entry,
		};
	return nr - first;
}

/*
 * Innermost first. The function itself is called what the symbol table calls it,
 * as perf does, if that symbol has a size: "foo.cold" is not all of "foo".
 */
static size_t by_dwarf(const struct modules *ms, struct symbols *s, uint64_t vaddr, bool inlines,
		       struct strtab *strings, struct symbol *out, size_t max)
{
	struct dwarf_frame frames[MAX_DWARF_FRAMES];
	const struct symtab_entry *entry = symtab_find(&s->table, vaddr);
	size_t nr = dwarfinfo_frames(s->dwarf, vaddr, frames, max < MAX_DWARF_FRAMES ? max : MAX_DWARF_FRAMES), n = 0;

	for (size_t i = inlines || !nr ? 0 : nr - 1; i < nr; i++) {
		const struct dwarf_frame *f = &frames[i];
		struct symbol *o = &out[n];
		const char *name = f->name;

		if (entry && !f->inlined && (entry->sized || !name))
			name = entry->name;
		if (!name && f->inlined)
			continue; /* its name is in a file that is not here (.gnu_debugaltlink) */
		if (!name)
			return 0;
		*o = (struct symbol){.line = f->line, .start_line = f->start_line, .inlined = f->inlined,
				     .named = true, .start = entry ? entry->start : 0};
		o->name = add_name(ms, strings, name, &o->linkage);
		o->file = f->file ? strtab_add(strings, f->file) : 0;
		n++;
	}
	return n;
}

/* table: one of m's. */
static size_t by_table(struct modules *ms, struct module *m, struct symtab *table, uint64_t vaddr,
		       struct strtab *strings, struct symbol *out)
{
	const struct symtab_entry *entry = symtab_find(table, vaddr);

	if (symtab_cut(table))
		module_set_broken(ms, m, m->kept_symbols ? m->kept_symbols : m->symbol_file, xstrdup("cut short while it was read"));
	if (!entry)
		return 0;
	*out = (struct symbol){.named = true, .start = entry->start};
	out->name = add_name(ms, strings, entry->name, &out->linkage);
	return 1;
}

static struct symtab *modules_table(struct symbols *s, const struct module *kernel)
{
	if (!s->kept)
		return &s->table;
	if (!s->has_modules) {
		s->has_modules = true;
		symtab_add_kallsyms(&s->modules, kernel->symbol_file, NULL);
		symtab_finish(&s->modules);
	}
	return &s->modules;
}

/* A kernel module whose file is not here: kallsyms of the same boot holds its symbols, too. */
static size_t by_kernel(struct modules *ms, const struct module *m, uint64_t vaddr, struct strtab *strings,
			struct symbol *out)
{
	struct module *kernel = modules_kernel(ms);
	size_t n = 0;

	if (!kernel)
		return 0;
	module_open(ms, kernel);
	if (!kernel->symbol_file)
		return 0;
	module_lock(kernel);
	if (!kernel->symbols)
		kernel->symbols = load(ms, kernel);
	if (!kernel->symbols->moved)
		n = by_table(ms, kernel, modules_table(kernel->symbols, kernel), m->kernel_start + vaddr, strings, out);
	module_unlock(kernel);
	return n;
}

static size_t nameless(const struct module *m, uint64_t vaddr, struct strtab *strings, struct symbol *out)
{
	char *text = m->kind == MODULE_BPF ? xstrdup(m->path)
		     : m->name[0] == '['   ? xasprintf("%s+%#" PRIx64, m->name, vaddr)
					   : xasprintf("[%s]+%#" PRIx64, m->name, vaddr);

	*out = (struct symbol){.name = strtab_add(strings, text), .named = m->kind == MODULE_BPF};
	free(text);
	return 1;
}

size_t symbolise(struct modules *ms, struct module *m, uint64_t vaddr, unsigned want, struct gotab_walks *walks,
		 struct strtab *strings, struct symbol *out, size_t max)
{
	struct gotab_func f;
	bool in_table;
	size_t n = 0;

	module_open(ms, m);
	in_table = m->gotab && gotab_find(m->gotab, vaddr, &f);
	if (in_table && !f.external)
		n = by_go(m, &f, vaddr, want, walks, strings, out, max);
	if (!n && (m->elf || m->debug || m->symbol_file)) {
		module_lock(m);
		if (!m->symbols)
			m->symbols = load(ms, m);
		if (m->symbols->dwarf)
			n = by_dwarf(ms, m->symbols, vaddr, want & SYMBOL_INLINES, strings, out, max);
		if (!n)
			n = by_table(ms, m, &m->symbols->table, vaddr, strings, out);
		module_unlock(m);
	}
	if (!n && m->kind == MODULE_KMOD)
		n = by_kernel(ms, m, vaddr, strings, out);
	/* C code linked by Go's linker: its table knows the name, DWARF the lines */
	if (!n && in_table)
		n = by_go(m, &f, vaddr, want, walks, strings, out, max);
	return n ? n : nameless(m, vaddr, strings, out);
}
