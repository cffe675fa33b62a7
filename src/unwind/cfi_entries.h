/*
 * The entries of a section of call frame information: cfi.c's first half.
 */
#ifndef UNWIND_CFI_ENTRIES_H
#define UNWIND_CFI_ENTRIES_H

#include "base/cursor.h"
#include "unwind/cfi.h"

struct cfi_entry {
	uint64_t start, end; /* vaddr */
	size_t cie, program; /* offsets in the section: of the CIE, of the FDE's instructions */
	size_t program_end;
};

struct cfi {
	const uint8_t *data;
	size_t size;
	uint64_t vaddr; /* of data */
	enum cfi_kind kind;
	bool swap;
	uint16_t machine;
	struct cfi_entry *entries; /* by start */
	size_t nr, alloc;
};

/* The common part of a number of entries. */
struct cie {
	size_t program, program_end;
	uint64_t code_align, ra;
	int64_t data_align;
	uint8_t encoding, address_size;
	bool sized; /* augmentation 'z' */
	bool signal;
};

static inline struct cursor cfi_cursor(const struct cfi *c, size_t from, size_t to)
{
	return cursor_make(c->data + from, to - from, from, c->swap);
}

static inline size_t cfi_position(const struct cfi *c, const struct cursor *cur)
{
	return (size_t)(cur->p - c->data);
}

/*
 * A pointer in one of the encodings of LSB 10.5, which the cursor (of this section)
 * stands at; one that is not relative to nothing or to itself fails.
 */
uint64_t cfi_pointer(const struct cfi *c, struct cursor *cur, uint8_t encoding, uint8_t address_size);
bool cfi_read_cie(const struct cfi *c, size_t at, struct cie *cie);
/* The entry that covers vaddr, or NULL. */
const struct cfi_entry *cfi_find(const struct cfi *c, uint64_t vaddr);

#endif
