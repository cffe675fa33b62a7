/*
 * Interned strings: each distinct string once, named by a 32-bit id. Id 0 is
 * the empty string. Strings may hold any bytes but NUL; they are stored as
 * recorded, escaping is the writers' business.
 */
#ifndef BASE_STRTAB_H
#define BASE_STRTAB_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

struct strtab {
	struct arena arena;
	struct strtab_entry {
		const char *str;
		uint32_t len;
		uint32_t hash;
	} *entries;
	size_t nr, alloc;
	uint32_t *slots; /* entry id + 1, 0 = free */
	size_t mask;
};

void strtab_init(struct strtab *t);
void strtab_release(struct strtab *t);
uint32_t strtab_add(struct strtab *t, const char *s);
/* len bytes of s; a NUL inside ends the string there. */
uint32_t strtab_add_len(struct strtab *t, const char *s, size_t len);
/* The string, NUL-terminated, valid as long as the table; an id out of range is "". */
const char *strtab_get(const struct strtab *t, uint32_t id);
size_t strtab_len(const struct strtab *t, uint32_t id);
/* The id of a string that was added before, or UINT32_MAX. */
uint32_t strtab_find(const struct strtab *t, const char *s);

#endif
