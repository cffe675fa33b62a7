/*
 * The bounded reader for every format: take n bytes or fail. After the first
 * failure everything returns empty (0, NULL), so a parser reads on and asks
 * once at the end; `cursor_offset` then tells where it stopped.
 * (Model: `require` in libbacktrace's dwarf.c.)
 */
#ifndef BASE_CURSOR_H
#define BASE_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct cursor {
	const uint8_t *p, *end;
	const uint8_t *begin;
	uint64_t base; /* offset in the file of `begin`, for messages */
	bool swap;     /* the data is of foreign byte order */
	bool failed;
};

static inline struct cursor cursor_make(const void *data, size_t size, uint64_t base, bool swap)
{
	const uint8_t *p = data;

	return (struct cursor){p, p + size, p, base, swap, false};
}

static inline size_t cursor_left(const struct cursor *c)
{
	return (size_t)(c->end - c->p);
}

/* Offset in the file of the next byte (after a failure: of the bytes missed). */
static inline uint64_t cursor_offset(const struct cursor *c)
{
	return c->base + (uint64_t)(c->p - c->begin);
}

/* The next n bytes, borrowed from the underlying memory, or NULL. */
static inline const void *cursor_take(struct cursor *c, size_t n)
{
	const uint8_t *p = c->p;

	if (c->failed || n > cursor_left(c)) {
		c->failed = true;
		return NULL;
	}
	c->p += n;
	return p;
}

static inline uint8_t cursor_u8(struct cursor *c)
{
	const uint8_t *p = cursor_take(c, 1);

	return p ? *p : 0;
}

static inline uint16_t cursor_u16(struct cursor *c)
{
	const void *p = cursor_take(c, 2);
	uint16_t v = 0;

	if (p)
		memcpy(&v, p, 2);
	return c->swap ? __builtin_bswap16(v) : v;
}

static inline uint32_t cursor_u32(struct cursor *c)
{
	const void *p = cursor_take(c, 4);
	uint32_t v = 0;

	if (p)
		memcpy(&v, p, 4);
	return c->swap ? __builtin_bswap32(v) : v;
}

static inline uint64_t cursor_u64(struct cursor *c)
{
	const void *p = cursor_take(c, 8);
	uint64_t v = 0;

	if (p)
		memcpy(&v, p, 8);
	return c->swap ? __builtin_bswap64(v) : v;
}

/* LEB128 (DWARF 7.6, protobuf varint); more than 64 bits of value fail. */
uint64_t cursor_uleb_long(struct cursor *c);
static inline uint64_t cursor_uleb(struct cursor *c)
{
	/* one byte is the rule */
	if (!c->failed && c->p < c->end && *c->p < 0x80)
		return *c->p++;
	return cursor_uleb_long(c);
}
int64_t cursor_sleb(struct cursor *c);

/*
 * A NUL-terminated string, the NUL included in what is taken; a string without
 * an end before the data's fails. *len (may be NULL) is without the NUL.
 */
const char *cursor_cstr(struct cursor *c, size_t *len);

#endif
