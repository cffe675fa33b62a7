/*
 * The opened table, shared by the gotab files only.
 */
#ifndef PROCESS_GOTAB_INTERNAL_H
#define PROCESS_GOTAB_INTERNAL_H

#include <string.h>

#include "process/gotab.h"

/* Layouts of pclntab: internal/abi/symtab.go, the magic numbers. */
enum gotab_layout {
	GOTAB_V12,  /* 0xfffffffb: Go 1.2 – 1.15 */
	GOTAB_V116, /* 0xfffffffa: Go 1.16, 1.17 */
	GOTAB_V118, /* 0xfffffff0: Go 1.18, 1.19 */
	GOTAB_V120, /* 0xfffffff1: Go 1.20 – */
};

/* A stretch of the table, bounded. */
struct gotab_part {
	const uint8_t *p;
	size_t size;
};

struct gotab {
	enum gotab_layout layout;
	unsigned quantum; /* minLC: pc deltas are in its units */
	bool swap;
	int minor;	  /* 26 for Go 1.26, 0 unknown */
	char version[64]; /* "go1.26.8", or "" */
	uint64_t text, text_end;
	uint32_t nfunc;
	struct gotab_part all, names, cus, files, pctab, funcs /* functab and _func records */;
	struct gotab_part gofunc; /* go:func.*, target of funcdata offsets (1.18+) */
	struct goelf *elf;	  /* ≤ 1.17: funcdata are addresses */
};

static inline uint32_t part_u32(const struct gotab *t, struct gotab_part s, uint64_t at)
{
	uint32_t v;

	if (at > s.size || s.size - at < 4)
		return 0;
	memcpy(&v, s.p + at, 4);
	return t->swap ? __builtin_bswap32(v) : v;
}

static inline uint64_t part_u64(const struct gotab *t, struct gotab_part s, uint64_t at)
{
	uint64_t v;

	if (at > s.size || s.size - at < 8)
		return 0;
	memcpy(&v, s.p + at, 8);
	return t->swap ? __builtin_bswap64(v) : v;
}

/* The NUL-terminated string at an offset, "" when it does not end inside. */
static inline const char *part_str(struct gotab_part s, uint64_t at)
{
	if (at >= s.size || !memchr(s.p + at, 0, s.size - (size_t)at))
		return "";
	return (const char *)s.p + at;
}

/* Fields of a function's _func record; all 0 when it lies outside. */
struct gotab_record {
	uint64_t at;	     /* in t->funcs */
	uint64_t pcdata, funcdata; /* offsets in t->funcs of the arrays */
	int32_t name, start_line;
	uint32_t pcsp, pcfile, pcln, npcdata, cu;
	uint8_t func_id, flags, nfuncdata;
};
bool gotab_record(const struct gotab *t, uint32_t index, struct gotab_record *r);
/* [entry, end) of function `index`. */
void gotab_range(const struct gotab *t, uint32_t index, uint64_t *entry, uint64_t *end);
/* Value of a pc table (offset in pctab) at pc; false when pc is not covered. */
bool gotab_pcvalue(const struct gotab *t, uint32_t table, uint64_t entry, uint64_t pc, int32_t *value);

/* From bytes: the table alone, for tests; text is the address of its first function. */
struct gotab *gotab_from_memory(const void *data, size_t size, uint64_t text, struct error *e);

#endif
