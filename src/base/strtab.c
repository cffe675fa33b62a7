#include "base/strtab.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"

void strtab_init(struct strtab *t)
{
	*t = (struct strtab){.mask = 255};
	t->slots = xcalloc(t->mask + 1, sizeof(*t->slots));
	strtab_add_len(t, "", 0);
}

void strtab_release(struct strtab *t)
{
	arena_release(&t->arena);
	free(t->entries);
	free(t->slots);
	*t = (struct strtab){0};
}

static size_t find(const struct strtab *t, const char *s, size_t len, uint32_t hash)
{
	size_t i = hash & t->mask;

	for (; t->slots[i]; i = (i + 1) & t->mask) {
		const struct strtab_entry *e = &t->entries[t->slots[i] - 1];

		if (e->hash == hash && e->len == len && !memcmp(e->str, s, len))
			break;
	}
	return i;
}

static void rehash(struct strtab *t)
{
	free(t->slots);
	t->mask = t->mask * 2 + 1;
	t->slots = xcalloc(t->mask + 1, sizeof(*t->slots));
	for (size_t id = 0; id < t->nr; id++) {
		size_t i = t->entries[id].hash & t->mask;

		while (t->slots[i])
			i = (i + 1) & t->mask;
		t->slots[i] = (uint32_t)id + 1;
	}
}

uint32_t strtab_add_len(struct strtab *t, const char *s, size_t len)
{
	uint32_t hash;
	size_t i;

	len = strnlen(s, len < UINT32_MAX ? len : UINT32_MAX - 1);
	hash = (uint32_t)hash_bytes(s, len);
	i = find(t, s, len, hash);
	if (t->slots[i])
		return t->slots[i] - 1;
	if (t->nr >= (t->mask + 1) / 2) {
		rehash(t);
		i = find(t, s, len, hash);
	}
	ALLOC_GROW(t->entries, t->nr + 1, t->alloc);
	t->entries[t->nr] = (struct strtab_entry){
		.str = arena_strndup(&t->arena, s, len),
		.len = (uint32_t)len,
		.hash = hash,
	};
	t->slots[i] = (uint32_t)++t->nr;
	return (uint32_t)t->nr - 1;
}

uint32_t strtab_add(struct strtab *t, const char *s)
{
	return strtab_add_len(t, s, strlen(s));
}

const char *strtab_get(const struct strtab *t, uint32_t id)
{
	return id < t->nr ? t->entries[id].str : "";
}

size_t strtab_len(const struct strtab *t, uint32_t id)
{
	return id < t->nr ? t->entries[id].len : 0;
}

uint32_t strtab_find(const struct strtab *t, const char *s)
{
	size_t len = strlen(s);
	size_t i = find(t, s, len, (uint32_t)hash_bytes(s, len));

	return t->slots[i] ? t->slots[i] - 1 : UINT32_MAX;
}
