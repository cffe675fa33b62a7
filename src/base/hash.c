#include "base/hash.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

uint64_t hash_bytes(const void *p, size_t n)
{
	const uint8_t *b = p;
	uint64_t h = UINT64_C(0x9e3779b97f4a7c15) ^ n;
	uint64_t w;

	for (; n >= 8; b += 8, n -= 8) {
		memcpy(&w, b, 8);
		h = (h ^ w) * UINT64_C(0xff51afd7ed558ccd);
		h ^= h >> 32;
	}
	w = 0;
	if (n)
		memcpy(&w, b, n);
	return hash_u64(h ^ w);
}

static size_t find(const struct map64 *m, uint64_t key)
{
	size_t i = (size_t)hash_u64(key) & m->mask;

	while (m->values[i] != MAP64_NONE && m->keys[i] != key)
		i = (i + 1) & m->mask;
	return i;
}

uint32_t map64_get(const struct map64 *m, uint64_t key)
{
	return m->keys ? m->values[find(m, key)] : MAP64_NONE;
}

static void grow(struct map64 *m)
{
	struct map64 old = *m;
	size_t slots = old.keys ? (old.mask + 1) * 2 : 64;

	m->keys = xreallocarray(NULL, slots, sizeof(*m->keys));
	m->values = xreallocarray(NULL, slots, sizeof(*m->values));
	m->mask = slots - 1;
	memset(m->values, 0xff, slots * sizeof(*m->values));
	for (size_t i = 0; old.keys && i <= old.mask; i++) {
		if (old.values[i] != MAP64_NONE) {
			size_t j = find(m, old.keys[i]);

			m->keys[j] = old.keys[i];
			m->values[j] = old.values[i];
		}
	}
	free(old.keys);
	free(old.values);
}

void map64_put(struct map64 *m, uint64_t key, uint32_t value)
{
	size_t i;

	if (!m->keys || m->nr >= (m->mask + 1) / 2)
		grow(m);
	i = find(m, key);
	if (m->values[i] == MAP64_NONE) {
		m->keys[i] = key;
		m->nr++;
	}
	m->values[i] = value;
}

void map64_release(struct map64 *m)
{
	free(m->keys);
	free(m->values);
	*m = (struct map64)MAP64_INIT;
}
