/*
 * Inlined calls and lines from DWARF through libdw. Private to process/; used
 * under the module's lock.
 */
#ifndef PROCESS_DWARFINFO_H
#define PROCESS_DWARFINFO_H

#include <elfutils/libdw.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/hash.h"

/* Address ranges of units or functions, by start; they may overlap. */
struct dwarf_range {
	uint64_t start, end;
	uint64_t reach; /* the highest end of this and all ranges before */
	uint64_t what;	/* units: index; functions: offset of the DIE */
};

struct dwarf_ranges {
	struct dwarf_range *list;
	size_t nr, alloc;
};

struct dwarf_unit {
	Dwarf_Off die;
	bool by_aranges;	       /* its ranges are those of .debug_aranges */
	bool read;		       /* functions was filled */
	struct dwarf_ranges functions; /* those outside of other functions */
};

struct dwarfinfo {
	Dwarf *dw;
	Elf *image; /* what dw looks into, where it was made for it, and its bytes */
	void *image_bytes;
	struct dwarf_unit *units;
	size_t nr_units, alloc_units;
	struct dwarf_ranges ranges; /* of units */
	bool by_aranges; /* of some their own ranges are not in it yet */
	/* names with their namespaces: offset of a declaration in a namespace or class → names */
	struct arena arena;
	struct map64 index;
	struct dwarf_name {
		const char *scope; /* "ns::Class", or NULL */
		const char *full;  /* made when asked for */
	} *names;
	size_t nr_names, alloc_names;
};

struct dwarf_frame {
	const char *name; /* linkage name where there is one, else the name with its namespaces and classes; NULL: unknown */
	const char *file;
	int line, start_line;
	bool inlined;
};

/* NULL when the file has no .debug_info. */
struct dwarfinfo *dwarfinfo_open(Elf *elf);
void dwarfinfo_close(struct dwarfinfo *d);
/*
 * Frames at an address, innermost first; 0 when no unit covers it. The last one
 * is the function; its name is NULL where only lines are known. Names are valid
 * as long as d.
 */
size_t dwarfinfo_frames(struct dwarfinfo *d, uint64_t addr, struct dwarf_frame *out, size_t max);

/* dwarfname.c: attributes through abstract_origin and specification; names. */
bool dwarf_find_attr(Dwarf_Die *die, unsigned name, Dwarf_Attribute *out);
/* Remembers in which named scope ("" for none) the function DIE stands. */
void dwarf_name_scope(struct dwarfinfo *d, Dwarf_Die *die, const char *scope);
const char *dwarf_name(struct dwarfinfo *d, Dwarf_Die *cu, Dwarf_Die *die);
bool dwarf_has_namespaces(Dwarf_Die *cu);

#endif
