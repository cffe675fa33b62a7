#include "base/cursor.h"

uint64_t cursor_uleb_long(struct cursor *c)
{
	uint64_t v = 0;
	unsigned shift = 0;

	for (;;) {
		const uint8_t *p = cursor_take(c, 1);

		if (!p)
			return 0;
		if (shift >= 64 || (shift == 63 && (*p & 0x7e))) {
			c->failed = true;
			return 0;
		}
		v |= (uint64_t)(*p & 0x7f) << shift;
		if (!(*p & 0x80))
			return v;
		shift += 7;
	}
}

int64_t cursor_sleb(struct cursor *c)
{
	uint64_t v = 0;
	unsigned shift = 0;

	for (;;) {
		const uint8_t *p = cursor_take(c, 1);

		if (!p)
			return 0;
		if (shift >= 64) {
			c->failed = true;
			return 0;
		}
		v |= (uint64_t)(*p & 0x7f) << shift;
		shift += 7;
		if (!(*p & 0x80)) {
			if (shift < 64 && (*p & 0x40))
				v |= ~(uint64_t)0 << shift;
			return (int64_t)v;
		}
	}
}

const char *cursor_cstr(struct cursor *c, size_t *len)
{
	const uint8_t *nul;
	const char *s;

	if (len)
		*len = 0;
	if (c->failed)
		return NULL;
	nul = cursor_left(c) ? memchr(c->p, 0, cursor_left(c)) : NULL;
	if (!nul) {
		c->failed = true;
		return NULL;
	}
	if (len)
		*len = (size_t)(nul - c->p);
	s = (const char *)c->p;
	c->p = nul + 1;
	return s;
}
