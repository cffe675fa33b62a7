/*
 * Go's own tables: .gopclntab of Go 1.2 … 1.27 (functions, SP deltas, files,
 * lines, inline trees). Present in every Go binary, survives strip.
 *
 * Sources: Go src/runtime/symtab.go, runtime2.go (_func, moduledata),
 * internal/abi/symtab.go (magic, flags, funcID), cmd/link/internal/ld/pcln.go,
 * debug/gosym. Layouts by version are named at each reader in gotab.c.
 *
 * All addresses here are ELF virtual addresses of the module. Everything is
 * bounded: a table that lies gives "not found", never a crash. After
 * gotab_open the structure is read-only and safe from many threads.
 */
#ifndef PROCESS_GOTAB_H
#define PROCESS_GOTAB_H

#include <libelf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct gotab;

/* internal/abi FuncFlag */
enum gotab_flag { GOTAB_TOPFRAME = 1, GOTAB_SPWRITE = 2, GOTAB_ASM = 4 };

struct gotab_func {
	uint32_t index;
	uint64_t entry, end; /* [entry, end) */
	const char *name;    /* borrowed from the table, NUL-terminated */
	uint8_t flags, func_id;
	int32_t start_line;  /* 0 where the version does not carry it */
	bool wrapper;	     /* funcID wrapper of this version */
	bool external;	     /* C code the linker put among Go's functions: no pcsp, no lines */
};

struct gotab_inline { /* innermost first; the last one is the function itself */
	const char *name;
	const char *file;
	int32_t line;
	int32_t start_line;
	bool wrapper;
	bool inlined; /* false only for the last */
};

/*
 * Finds the pclntab of an ELF file (sections .gopclntab, .data.rel.ro.gopclntab,
 * symbol runtime.pclntab, else a scan for its magic), its text start (header,
 * relocation, moduledata, symbol runtime.text) and go:func.*. NULL when it is
 * no Go binary (e->text empty) or the table is unusable (*e says why). A table
 * with a part that cannot be read is returned, and *e says which.
 * The Elf handle must outlive the table.
 */
struct gotab *gotab_open(Elf *elf, struct error *e);
void gotab_free(struct gotab *t);

/* "1.20-1.27" and the like, from the table's layout; and the exact version from buildinfo ("go1.26.8"), or NULL. */
const char *gotab_layout(const struct gotab *t);
const char *gotab_go_version(const struct gotab *t);
int gotab_go_minor(const struct gotab *t); /* 26 for Go 1.26.x, 0 unknown */
size_t gotab_nr_funcs(const struct gotab *t);
/* [start, end) of Go's text. */
void gotab_text(const struct gotab *t, uint64_t *start, uint64_t *end);

/* The function that covers pc. */
bool gotab_find(const struct gotab *t, uint64_t pc, struct gotab_func *f);
bool gotab_func_at(const struct gotab *t, uint32_t index, struct gotab_func *f);
/* The first function of that exact name (e.g. "runtime.mcall"); linear, for set-up. */
bool gotab_func_by_name(const struct gotab *t, const char *name, struct gotab_func *f);

/*
 * SP delta at pc (pcsp table): bytes between SP and the CFA less the return
 * address slot on amd64, less nothing on arm64. Returns false when the function
 * has no pcsp (external code) or pc is not covered.
 */
bool gotab_sp_delta(const struct gotab *t, const struct gotab_func *f, uint64_t pc, int32_t *delta);

/* All (pc, delta) steps of a function: calls fn for each run [pc, end) of equal delta. */
bool gotab_sp_runs(const struct gotab *t, const struct gotab_func *f,
		   void (*fn)(void *ctx, uint64_t pc, uint64_t end, int32_t delta), void *ctx);

/*
 * The logical frames at pc, innermost first, at most max; returns how many
 * (0: not a Go pc). pc is the address to look up (already minus 1 for return
 * addresses).
 */
size_t gotab_inline(const struct gotab *t, uint64_t pc, struct gotab_inline *out, size_t max);

/*
 * The pc tables of the function that was asked for last, as far as they were walked: who asks for addresses in their
 * order walks each table once. For one thread, and no longer than the tables are open.
 */
struct gotab_walks;
struct gotab_walks *gotab_walks_new(void);
void gotab_walks_free(struct gotab_walks *w);

/*
 * The same of the function that gotab_find() gave, where not all is asked for: what is not stays "" and 0. Each costs a
 * walk of its own table; walks may be NULL.
 */
enum gotab_want { GOTAB_NAMES = 0, GOTAB_FILES = 1, GOTAB_LINES = 2 };
size_t gotab_frames(const struct gotab *t, const struct gotab_func *f, uint64_t pc, unsigned want, struct gotab_walks *walks,
		    struct gotab_inline *out, size_t max);

#endif
