/*
 * Sources: DWARF 5 sections 3.3 (functions, inlined subroutines), 6.1.2 (which
 * unit has an address) and 6.2 (lines). Go and clang write no .debug_aranges, so the
 * own ranges of units that are not in it are indexed once, and the functions of a unit when an
 * address in it is asked for.
 */
#include "process/dwarfinfo.h"

#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "process/dwarfopen.h"

/* Of a file, or of one unit. */
#define MAX_RANGES ((size_t)1 << 24)
/* Nesting of namespaces and classes, and of scopes in a function. */
#define MAX_DEPTH 256
/* Overlapping ranges looked at: code that was dropped by the linker leaves ranges at 0. */
#define MAX_OVERLAPS 64

/* --- ranges ------------------------------------------------------------------------------- */

static void add_range(struct dwarf_ranges *r, uint64_t start, uint64_t end, uint64_t what)
{
	if (end <= start || r->nr >= MAX_RANGES)
		return;
	ALLOC_GROW(r->list, r->nr + 1, r->alloc);
	r->list[r->nr++] = (struct dwarf_range){start, end, 0, what};
}

static void add_die_ranges(struct dwarf_ranges *r, Dwarf_Die *die, uint64_t what)
{
	Dwarf_Addr base, start, end;
	ptrdiff_t at = 0;

	while ((at = dwarf_ranges(die, at, &base, &start, &end)) > 0)
		add_range(r, start, end, what);
}

static int by_start(const void *a, const void *b)
{
	const struct dwarf_range *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	if (x->end != y->end) /* of two that begin together the shorter is the last */
		return x->end > y->end ? -1 : 1;
	return x->what < y->what ? -1 : x->what > y->what;
}

static void sort_ranges(struct dwarf_ranges *r)
{
	uint64_t reach = 0;

	if (r->nr)
		qsort(r->list, r->nr, sizeof(*r->list), by_start);
	for (size_t i = 0; i < r->nr; i++) {
		if (r->list[i].end > reach)
			reach = r->list[i].end;
		r->list[i].reach = reach;
	}
}

/*
 * The ranges that cover addr, one a call, the one with the highest start first.
 * *at is 0 for the first call. NULL when there is no more.
 */
static const struct dwarf_range *covering(const struct dwarf_ranges *r, uint64_t addr, size_t *at)
{
	size_t lo = 0, hi = r->nr;

	if (*at) {
		lo = *at - 1;
	} else {
		while (lo < hi) {
			size_t mid = lo + (hi - lo) / 2;

			if (r->list[mid].start <= addr)
				lo = mid + 1;
			else
				hi = mid;
		}
	}
	for (size_t i = lo; i > 0 && lo - i < MAX_OVERLAPS && r->list[i - 1].reach > addr; i--) {
		if (addr < r->list[i - 1].end) {
			*at = i;
			return &r->list[i - 1];
		}
	}
	return NULL;
}

/* --- units and their functions -------------------------------------------------------------- */

static int by_die(const void *offset, const void *unit)
{
	Dwarf_Off a = *(const Dwarf_Off *)offset, b = ((const struct dwarf_unit *)unit)->die;

	return a < b ? -1 : a > b;
}

/* By .debug_aranges, which saves reading the abbreviations of every unit: 30 of 145 million instructions for glibc's. */
static void index_aranges(struct dwarfinfo *d)
{
	Dwarf_Aranges *aranges;
	size_t nr;

	if (!d->nr_units || dwarf_getaranges(d->dw, &aranges, &nr) != 0)
		return;
	for (size_t i = 0; i < nr; i++) {
		Dwarf_Addr start;
		Dwarf_Word length;
		Dwarf_Off die;
		struct dwarf_unit *u = NULL;

		if (dwarf_getarangeinfo(dwarf_onearange(aranges, i), &start, &length, &die) == 0)
			u = bsearch(&die, d->units, d->nr_units, sizeof(*d->units), by_die);
		if (!u || !length)
			continue;
		add_range(&d->ranges, start, start + length, (uint64_t)(u - d->units));
		d->by_aranges = u->by_aranges = true;
	}
}

/* Own ranges of the units that by_aranges says are, or are not, in .debug_aranges. */
static void index_own(struct dwarfinfo *d, bool by_aranges)
{
	Dwarf_Die die;

	for (size_t i = 0; i < d->nr_units; i++)
		if (d->units[i].by_aranges == by_aranges && dwarf_offdie(d->dw, d->units[i].die, &die))
			add_die_ranges(&d->ranges, &die, i);
	sort_ranges(&d->ranges);
}

static void index_units(struct dwarfinfo *d)
{
	Dwarf_CU *cu = NULL;
	Dwarf_Die die;
	uint8_t kind;

	while (dwarf_get_units(d->dw, cu, &cu, NULL, &kind, &die, NULL) == 0) {
		if (kind != DW_UT_compile && kind != DW_UT_skeleton)
			continue;
		ALLOC_GROW(d->units, d->nr_units + 1, d->alloc_units);
		d->units[d->nr_units++] = (struct dwarf_unit){.die = dwarf_dieoffset(&die)};
	}
	index_aranges(d);
	index_own(d, false);
}

struct dwarfinfo *dwarfinfo_open(Elf *elf)
{
	struct dwarfinfo *d = xcalloc(1, sizeof(*d));

	d->image = dwarf_image(elf, &d->image_bytes);
	d->dw = d->image ? dwarf_begin_elf(d->image, DWARF_C_READ, NULL) : dwarf_open_names(elf);
	if (d->dw)
		index_units(d);
	if (d->ranges.nr)
		return d;
	dwarfinfo_close(d);
	return NULL;
}

void dwarfinfo_close(struct dwarfinfo *d)
{
	if (!d)
		return;
	dwarf_end(d->dw);
	elf_end(d->image);
	free(d->image_bytes);
	for (size_t i = 0; i < d->nr_units; i++)
		free(d->units[i].functions.list);
	free(d->units);
	free(d->ranges.list);
	free(d->names);
	map64_release(&d->index);
	arena_release(&d->arena);
	free(d);
}

/* Scopes that hold functions: true to go into them. */
static bool is_scope(int tag)
{
	return tag == DW_TAG_namespace || tag == DW_TAG_module || tag == DW_TAG_class_type ||
	       tag == DW_TAG_structure_type || tag == DW_TAG_union_type || tag == DW_TAG_enumeration_type;
}

/* "outer::inner" in the arena; modules of Fortran and Swift have no part in names. */
static const char *enter_scope(struct dwarfinfo *d, const char *outer, Dwarf_Die *die)
{
	const char *name = dwarf_diename(die);
	size_t len, before = strlen(outer);
	char *text;

	if (dwarf_tag(die) == DW_TAG_module)
		return outer;
	if (!name)
		name = dwarf_tag(die) == DW_TAG_namespace ? "(anonymous namespace)" : "(anonymous)";
	len = strlen(name);
	if (!before)
		return arena_strndup(&d->arena, name, len);
	text = arena_alloc(&d->arena, before + 2 + len + 1);
	memcpy(text, outer, before);
	memcpy(text + before, "::", 2);
	memcpy(text + before + 2, name, len + 1);
	return text;
}

/*
 * All functions of a unit that stand outside of functions. Compilers put
 * definitions into namespaces many levels deep (clang, rustc) or beside them
 * with a specification (gcc).
 */
static void read_functions(struct dwarfinfo *d, struct dwarf_unit *u, Dwarf_Die *cu)
{
	Dwarf_Die stack[MAX_DEPTH];
	const char *scope[MAX_DEPTH] = {""};
	bool named = dwarf_has_namespaces(cu);
	int depth = 0;

	u->read = true;
	if (dwarf_child(cu, &stack[0]) != 0)
		return;
	while (depth >= 0) {
		Dwarf_Die *die = &stack[depth];
		int tag = dwarf_tag(die);

		if (tag == DW_TAG_subprogram) {
			add_die_ranges(&u->functions, die, dwarf_dieoffset(die));
			if (named && scope[depth][0])
				dwarf_name_scope(d, die, scope[depth]);
		} else if (is_scope(tag) && depth + 1 < MAX_DEPTH && dwarf_child(die, &stack[depth + 1]) == 0) {
			scope[depth + 1] = named ? enter_scope(d, scope[depth], die) : "";
			depth++;
			continue;
		}
		while (depth >= 0 && dwarf_siblingof(&stack[depth], &stack[depth]) != 0)
			depth--;
	}
	sort_ranges(&u->functions);
}

/* The unit and, where one covers the address, the function. */
static bool find_indexed(struct dwarfinfo *d, uint64_t addr, Dwarf_Die *cu, Dwarf_Die *function, bool *found)
{
	const struct dwarf_range *r;
	bool any = false;
	size_t at = 0;

	*found = false;
	for (int i = 0; i < MAX_OVERLAPS && (r = covering(&d->ranges, addr, &at)); i++) {
		struct dwarf_unit *u = &d->units[r->what];
		const struct dwarf_range *f;
		Dwarf_Die die;
		size_t from = 0;

		if (!dwarf_offdie(d->dw, u->die, &die))
			continue;
		if (!u->read)
			read_functions(d, u, &die);
		f = covering(&u->functions, addr, &from);
		if (f && dwarf_offdie(d->dw, f->what, function)) {
			*cu = die;
			return *found = true;
		}
		if (!any)
			*cu = die;
		any = true;
	}
	return any;
}

/* What .debug_aranges leaves out may still be in a unit that it names. */
static bool find_function(struct dwarfinfo *d, uint64_t addr, Dwarf_Die *cu, Dwarf_Die *function, bool *found)
{
	bool any = find_indexed(d, addr, cu, function, found);

	if (any || !d->by_aranges)
		return any;
	d->by_aranges = false;
	index_own(d, true);
	return find_indexed(d, addr, cu, function, found);
}

/* --- frames ------------------------------------------------------------------------------------ */

static int die_number(Dwarf_Die *die, unsigned name)
{
	Dwarf_Attribute a;
	Dwarf_Word v;

	return dwarf_find_attr(die, name, &a) && dwarf_formudata(&a, &v) == 0 && v < INT32_MAX ? (int)v : 0;
}

static const char *call_file(Dwarf_Die *cu, Dwarf_Die *die)
{
	Dwarf_Attribute a;
	Dwarf_Files *files;
	Dwarf_Word n;
	size_t nr;

	if (!dwarf_attr(die, DW_AT_call_file, &a) || dwarf_formudata(&a, &n) < 0 ||
	    dwarf_getsrcfiles(cu, &files, &nr) < 0 || n >= nr)
		return NULL;
	return dwarf_filesrc(files, n, NULL, NULL);
}

/* The child that covers addr and may hold inlined calls. */
static bool child_with(Dwarf_Die *die, uint64_t addr, Dwarf_Die *out)
{
	for (int r = dwarf_child(die, out); r == 0; r = dwarf_siblingof(out, out)) {
		switch (dwarf_tag(out)) {
		case DW_TAG_subprogram:
		case DW_TAG_inlined_subroutine:
		case DW_TAG_lexical_block:
		case DW_TAG_try_block:
		case DW_TAG_catch_block:
		case DW_TAG_with_stmt:
			if (dwarf_haspc(out, addr) > 0)
				return true;
		}
	}
	return false;
}

static void set_line(Dwarf_Die *cu, uint64_t addr, const char **file, int *line)
{
	Dwarf_Line *l = dwarf_getsrc_die(cu, addr);

	if (!l)
		return;
	*file = dwarf_linesrc(l, NULL, NULL);
	dwarf_lineno(l, line);
}

size_t dwarfinfo_frames(struct dwarfinfo *d, uint64_t addr, struct dwarf_frame *out, size_t max)
{
	Dwarf_Die cu, scopes[MAX_DEPTH];
	const char *file = NULL;
	size_t nr = 0, n = 0;
	bool found;
	int line = 0;

	if (!max || !find_function(d, addr, &cu, &scopes[0], &found))
		return 0;
	set_line(&cu, addr, &file, &line);
	if (!found) { /* assembly, or the functions are in a .dwo */
		out[0] = (struct dwarf_frame){.file = file, .line = line};
		return file != NULL;
	}
	for (nr = 1; nr < MAX_DEPTH && child_with(&scopes[nr - 1], addr, &scopes[nr]); nr++)
		;
	/* innermost scope first: each inlined call's own file:line is where its caller goes on */
	for (size_t i = nr; i-- > 0;) {
		int tag = dwarf_tag(&scopes[i]);

		if (tag != DW_TAG_subprogram && tag != DW_TAG_inlined_subroutine)
			continue;
		if (n + 1 < max || tag == DW_TAG_subprogram)
			out[n++] = (struct dwarf_frame){dwarf_name(d, &cu, &scopes[i]), file, line,
							die_number(&scopes[i], DW_AT_decl_line),
							tag == DW_TAG_inlined_subroutine};
		if (tag == DW_TAG_subprogram)
			break;
		file = call_file(&cu, &scopes[i]);
		line = die_number(&scopes[i], DW_AT_call_line);
	}
	return n;
}
