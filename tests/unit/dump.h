/*
 * A process to unwind: a binary with call frame information written byte by byte,
 * a dump written word by word.
 */
#ifndef TESTS_UNIT_DUMP_H
#define TESTS_UNIT_DUMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "build.h"
#include "elffile.h"
#include "perfdata/perfdata.h"
#include "process/session.h"
#include "unwind/unwind.h"

#define TEXT (ELF_BASE + 0x1000)
#define TEXT_SIZE 0x1000
#define FUNC(n) (TEXT + (uint64_t)(n) * 0x100)
#define SP UINT64_C(0x7ffc00001000)
#define WORDS 2048
#define PID 7

enum { RBX = 3, RBP = 6, RSP = 7, RIP = 16 }; /* DWARF's numbers */

struct world {
	struct build b;
	char dir[32];
	struct perfdata *pd;
	struct session *s;
	uint64_t words[WORDS]; /* the dump, from SP up */
	struct unwind_input in;
	struct unwind_stack out;
	struct unwind_frame frames[UNWIND_MAX_FRAMES];
};

/* A binary of one code segment and one section of call frame information. */
struct binary {
	uint16_t machine;
	const char *section; /* ".eh_frame", ".debug_frame" */
	bool compressed;     /* SHF_COMPRESSED */
	const void *frames;
	size_t size;
};

/* Entries of .eh_frame and .debug_frame (DWARF 5 section 6.4.1, LSB 10.6). */
struct entries {
	struct build b;
	bool debug; /* .debug_frame's form: other CIE ids, offsets instead of distances */
	uint32_t cie;
};


/* x86-64: return address in column 16, CFA = rsp + 8, RA at CFA - 8. arm64: column 30, CFA = sp. */
void put_cie(struct entries *e, bool arm, bool signal);
/* For FUNC(func), of 256 bytes. */
void put_fde(struct entries *e, int func, bool augmented, const uint8_t *program, size_t n);
#define PROGRAM(...) (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})

/* A session of one process, PID, with that file mapped. */
void dump_open(struct world *w, const char *path, uint64_t addr, uint64_t len, uint64_t pgoff, const char *arch);
void dump_begin(struct world *w, const struct binary *bin);
/* The same with a terminated .eh_frame; frees the entries. */
void dump_begin_eh(struct world *w, struct entries *e, uint16_t machine);
void dump_end(struct world *w);

/* The registers; a leaf has SP as well. */
void dump_set(struct world *w, unsigned perf_reg, uint64_t v);
void dump_leaf(struct world *w, uint64_t pc);

void dump_walk_by(struct world *w, const struct unwinder *u, size_t max);
void dump_walk(struct world *w); /* auto */

#define CHECK_PCS(w, ...) \
	dump_check((w), (const uint64_t[]){__VA_ARGS__}, sizeof((const uint64_t[]){__VA_ARGS__}) / 8)
void dump_check(const struct world *w, const uint64_t *pcs, size_t n);

#endif
