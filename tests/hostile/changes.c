#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "hostile.h"

void say(struct note *n, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(n->text, sizeof(n->text), fmt, ap);
	va_end(ap);
}

void bytes_delete(struct build *b, size_t at, size_t nr)
{
	memmove(b->data + at, b->data + at + nr, b->nr - at - nr);
	b->nr -= nr;
}

void bytes_insert(struct build *b, size_t at, const void *p, size_t nr)
{
	uint8_t *copy = xmalloc(nr);

	if (nr)
		memcpy(copy, p, nr); /* may lie in b */
	put_bytes(b, NULL, nr);
	memmove(b->data + at + nr, b->data + at, b->nr - nr - at);
	if (nr)
		memcpy(b->data + at, copy, nr);
	free(copy);
}

uint64_t odd_number(struct rng *r, unsigned width)
{
	static const uint64_t odd[] = {
		0, 1, 7, 8, 16, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xfff8, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xfffffff8,
		0xffffffff, UINT64_C(0x100000000), UINT64_C(1) << 61, UINT64_C(1) << 60, INT64_MAX, UINT64_C(1) << 63,
		UINT64_MAX - 7, UINT64_MAX,
	};
	uint64_t v = odd[rng_below(r, sizeof(odd) / sizeof(*odd))];

	return width == 8 ? v : v & ((UINT64_C(1) << (8 * width)) - 1);
}

static bool swapped(const struct build *b)
{
	return b->swap;
}

void set_number(struct build *b, size_t at, unsigned width, uint64_t v)
{
	for (unsigned i = 0; i < width; i++)
		b->data[at + (swapped(b) ? width - 1 - i : i)] = (uint8_t)(v >> (8 * i));
}

uint64_t get_number(const struct build *b, size_t at, unsigned width)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < width; i++)
		v |= (uint64_t)b->data[at + (swapped(b) ? width - 1 - i : i)] << (8 * i);
	return v;
}

static void flip(struct build *b, size_t from, size_t to, struct rng *r, struct note *n)
{
	size_t nr = 1 + rng_below(r, 8);

	say(n, "%zu bits flipped in %#zx..%#zx", nr, from, to);
	for (size_t i = 0; i < nr; i++)
		b->data[from + rng_below(r, to - from)] ^= (uint8_t)(1u << rng_below(r, 8));
}

static void word(struct build *b, size_t from, size_t to, struct rng *r, struct note *n)
{
	unsigned width = 1u << rng_below(r, 4);
	size_t at = from + rng_below(r, to - from);
	uint64_t v = odd_number(r, width);

	if (b->nr - at < width)
		return;
	set_number(b, at, width, v);
	say(n, "%u bytes at %#zx become %#llx", width, at, (unsigned long long)v);
}

enum expect change_bytes(struct build *b, size_t from, size_t to, struct rng *r, struct note *n)
{
	size_t at, nr;

	if (from >= to || to > b->nr)
		return ANY;
	at = from + rng_below(r, to - from);
	nr = 1 + rng_below(r, to - at < 64 ? to - at : 64);
	switch (rng_below(r, 8)) {
	default:
		flip(b, from, to, r, n);
		break;
	case 3:
	case 4:
		word(b, from, to, r, n);
		break;
	case 5:
		say(n, "%zu bytes at %#zx taken out", nr, at);
		bytes_delete(b, at, nr);
		break;
	case 6:
		say(n, "%zu bytes at %#zx doubled", nr, at);
		bytes_insert(b, at, b->data + at, nr);
		break;
	case 7:
		say(n, "%zu bytes at %#zx made %#x", nr, at, (unsigned)(rng_next(r) & 1 ? 0xff : 0));
		memset(b->data + at, rng_next(r) & 1 ? 0xff : 0, nr);
		break;
	}
	return ANY;
}
