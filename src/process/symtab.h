/*
 * A sorted table of symbols: ELF, kallsyms or perf-PID.map. Private to process/.
 */
#ifndef PROCESS_SYMTAB_H
#define PROCESS_SYMTAB_H

#include "base/arena.h"
#include "base/file.h"
#include "process/module.h"

struct symtab_entry {
	uint64_t start, end; /* end 0 while unknown */
	const char *name;
	uint32_t order; /* of JIT code made at one address the last one counts; else 0 */
	uint8_t rank;	/* better of two at one address: higher */
	bool sized;	/* end is the table's, not the next symbol's start */
	bool label;	/* neither function nor data, as assembly leaves them */
};

struct symtab {
	struct symtab_entry *entries; /* by start */
	size_t nr, alloc;
	struct arena strings; /* names that were made here */
	char *text;	      /* the text file that holds the others, or NULL: they are in an ELF file */
	struct file_map map;  /* of the text, if it has any data: what is read only here and there need not be copied */
	/* kallsyms: so many bytes of the text are lines in order of address, and no entries */
	size_t sorted;
	uint64_t shift;		   /* is added to the addresses in them */
	struct symtab_entry found; /* the last answer where there are such lines; name NULL: nothing there */
};

/* Adds the functions of .symtab (or .dynsym where that is all) of an ELF file; names stay in it. */
void symtab_add_elf(struct symtab *t, Elf *elf);
/* PLT stubs as "name@plt" (x86-64, arm64). */
void symtab_add_plt(struct symtab *t, Elf *elf);
/*
 * /proc/kallsyms' form; text symbols only. Returns the address of `ref`, 0 when absent.
 * A table takes in one text file at most.
 */
uint64_t symtab_add_kallsyms(struct symtab *t, const char *path, const char *ref);
/* JIT maps: "START SIZE name", hexadecimal. */
void symtab_add_jitmap(struct symtab *t, const char *path);
void symtab_shift(struct symtab *t, uint64_t delta);
/*
 * Sorts, drops all but the best at each address and labels inside of functions,
 * closes open ends at the next symbol.
 */
void symtab_finish(struct symtab *t);
/* NULL where there is none; valid until the next call. */
const struct symtab_entry *symtab_find(struct symtab *t, uint64_t addr);
/* Whether the text file was cut short since it was taken in: nothing is found any more. */
bool symtab_cut(const struct symtab *t);
void symtab_release(struct symtab *t);
bool symtab_has_section(Elf *elf, const char *name);

#endif
