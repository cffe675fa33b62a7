/*
 * Hashing of short keys, and an open-addressing map from uint64 to uint32.
 * Not for keys an attacker may choose to collide without bound: tables here
 * cap their probe length by growing, so a flood costs memory, not hangs.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

/* A bijective mixer (the finaliser of MurmurHash3). */
static inline uint64_t hash_u64(uint64_t x)
{
	x ^= x >> 33;
	x *= UINT64_C(0xff51afd7ed558ccd);
	x ^= x >> 33;
	x *= UINT64_C(0xc4ceb9fe1a85ec53);
	x ^= x >> 33;
	return x;
}

uint64_t hash_bytes(const void *p, size_t n);

struct map64 {
	uint64_t *keys;
	uint32_t *values; /* MAP64_NONE: free slot */
	size_t nr, mask;  /* mask + 1 slots, or no table at all */
};

#define MAP64_INIT {0}
#define MAP64_NONE UINT32_MAX

/* The value, or MAP64_NONE. Safe for concurrent readers. */
uint32_t map64_get(const struct map64 *m, uint64_t key);
/* Sets key to value (never MAP64_NONE), replacing an old one. */
void map64_put(struct map64 *m, uint64_t key, uint32_t value);
void map64_release(struct map64 *m);

#endif
