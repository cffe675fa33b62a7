/*
 * Names of functions: DWARF 5 sections 2.13 (specification), 3.3.8.1 (abstract
 * origin) and 2.22 (linkage names).
 */
#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "process/dwarfinfo.h"

/* References followed from an inlined call to its name; a cycle ends here. */
#define MAX_ORIGINS 16

static bool follow(Dwarf_Die *die)
{
	Dwarf_Attribute link;
	Dwarf_Die next;

	if ((!dwarf_attr(die, DW_AT_abstract_origin, &link) && !dwarf_attr(die, DW_AT_specification, &link)) ||
	    !dwarf_formref_die(&link, &next))
		return false;
	*die = next;
	return true;
}

bool dwarf_find_attr(Dwarf_Die *die, unsigned name, Dwarf_Attribute *out)
{
	Dwarf_Die at = *die;

	for (int i = 0; i < MAX_ORIGINS; i++) {
		if (dwarf_attr(&at, name, out))
			return true;
		if (!follow(&at))
			return false;
	}
	return false;
}

static const char *die_string(Dwarf_Die *die, unsigned name)
{
	Dwarf_Attribute a;

	return dwarf_find_attr(die, name, &a) ? dwarf_formstring(&a) : NULL;
}

/* What abstract_origin and specification lead to in the end: the declaration in its scope. */
static Dwarf_Die declaration(Dwarf_Die *die)
{
	Dwarf_Die at = *die;

	for (int i = 0; i < MAX_ORIGINS && follow(&at); i++)
		;
	return at;
}

bool dwarf_has_namespaces(Dwarf_Die *cu)
{
	switch (dwarf_srclang(cu)) {
	case DW_LANG_C_plus_plus:
	case DW_LANG_C_plus_plus_03:
	case DW_LANG_C_plus_plus_11:
	case DW_LANG_C_plus_plus_14:
	case 0x2a: /* C++17 */
	case 0x2b: /* C++20 */
	case DW_LANG_Rust:
	case DW_LANG_D:
		return true;
	}
	return false;
}

static struct dwarf_name *name_of(struct dwarfinfo *d, uint64_t offset)
{
	uint32_t i = map64_get(&d->index, offset);

	if (i != MAP64_NONE)
		return &d->names[i];
	ALLOC_GROW(d->names, d->nr_names + 1, d->alloc_names);
	i = (uint32_t)d->nr_names++;
	d->names[i] = (struct dwarf_name){0};
	map64_put(&d->index, offset, i);
	return &d->names[i];
}

void dwarf_name_scope(struct dwarfinfo *d, Dwarf_Die *die, const char *scope)
{
	name_of(d, dwarf_dieoffset(die))->scope = scope;
}

/* "std::vector<int>::push_back": the scopes that have a name in C++ and Rust. */
static const char *qualified(struct dwarfinfo *d, Dwarf_Die *cu, Dwarf_Die *die)
{
	Dwarf_Die at = declaration(die);
	const char *plain = die_string(die, DW_AT_name);
	struct dwarf_name *name;
	size_t scope, len;
	char *text;

	if (!plain || !dwarf_has_namespaces(cu))
		return plain;
	name = name_of(d, dwarf_dieoffset(&at));
	if (name->full)
		return name->full;
	if (!name->scope || !name->scope[0])
		return name->full = plain;
	scope = strlen(name->scope);
	len = strlen(plain);
	text = arena_alloc(&d->arena, scope + 2 + len + 1);
	memcpy(text, name->scope, scope);
	memcpy(text + scope, "::", 2);
	memcpy(text + scope + 2, plain, len + 1);
	return name->full = text;
}

const char *dwarf_name(struct dwarfinfo *d, Dwarf_Die *cu, Dwarf_Die *die)
{
	const char *name = die_string(die, DW_AT_linkage_name);

	if (!name)
		name = die_string(die, DW_AT_MIPS_linkage_name);
	return name ? name : qualified(d, cu, die);
}
