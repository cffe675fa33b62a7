/*
 * Names for addresses: once per distinct address, at the end of a run.
 *
 * Go code by its pclntab, everything else by DWARF (inlined subroutines, lines)
 * and symbol tables via libdw; kernel by kallsyms or vmlinux; JIT code by
 * /tmp/perf-PID.map. Names are demangled (C++: __cxa_demangle of libstdc++;
 * Rust legacy: the hash taken off; Rust v0 left as it is).
 */
#ifndef PROCESS_SYMBOL_H
#define PROCESS_SYMBOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/strtab.h"
#include "process/module.h"

/* One logical frame. Ids are in the strtab given to symbolise(). */
struct symbol {
	uint32_t name;	     /* never "": "[dso]+0xOFFSET" where nothing names it */
	uint32_t linkage;    /* undemangled name, or 0 */
	uint32_t file;	     /* source file, 0 unknown */
	int32_t line;	     /* 0 unknown */
	int32_t start_line;  /* of the function, 0 unknown */
	bool inlined;	     /* inlined into the next one */
	bool named;	     /* false for [dso]+0xOFFSET */
	bool go;	     /* Go code by pclntab */
	bool wrapper;	     /* Go's compiler-made wrapper (funcID wrapper) */
	uint64_t start;	     /* vaddr of the enclosing function, 0 unknown */
};

/*
 * The frames at an address of a module, innermost first. vaddr is an ELF
 * virtual address (kernel: absolute address; kernel module: distance from where it
 * was loaded), already moved into the call
 * instruction for return addresses. Without SYMBOL_INLINES just the function.
 * Strings go into `strings`. Returns how many, at least 1, at most max. walks
 * (process/gotab.h) may be NULL; with them addresses in their order cost less.
 * Thread-safe (takes module_lock where libdw is needed).
 */
enum symbol_want {
	SYMBOL_INLINES = 1,
	SYMBOL_LINES = 2, /* else lines may be 0 */
};
struct gotab_walks;
size_t symbolise(struct modules *ms, struct module *m, uint64_t vaddr, unsigned want, struct gotab_walks *walks,
		 struct strtab *strings, struct symbol *out, size_t max);

/*
 * Whether symbolise() would read more than Go's table for this address, and that reading done ahead:
 * of several modules from several threads. It does nothing where another thread has begun.
 */
bool symbols_wanted(struct modules *ms, struct module *m, uint64_t vaddr);
void symbols_load(struct modules *ms, struct module *m);

/* Frees m->symbols; called by modules_free. */
void symbols_free(struct symbols *s);

/*
 * Demangles into a malloc'ed string, or returns NULL when `name` is not a
 * mangled name this version knows. Depth and size are bounded.
 */
char *demangle(const char *name);

#endif
