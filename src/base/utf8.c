#include "base/utf8.h"

#include <string.h>

#include "base/alloc.h"

size_t utf8_sequence(const char *text, unsigned *code)
{
	const unsigned char *s = (const unsigned char *)text;
	unsigned c = s[0], low = 0x80, high = 0xbf;
	size_t n;

	if (c < 0x80) {
		n = 1;
	} else if (c >= 0xc2 && c <= 0xdf) {
		n = 2;
		c &= 0x1f;
	} else if (c >= 0xe0 && c <= 0xef) {
		n = 3;
		low = c == 0xe0 ? 0xa0 : 0x80;
		high = c == 0xed ? 0x9f : 0xbf;
		c &= 0x0f;
	} else if (c >= 0xf0 && c <= 0xf4) {
		n = 4;
		low = c == 0xf0 ? 0x90 : 0x80;
		high = c == 0xf4 ? 0x8f : 0xbf;
		c &= 0x07;
	} else {
		return 0;
	}
	for (size_t i = 1; i < n; i++) {
		if (s[i] < low || s[i] > high)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
		low = 0x80;
		high = 0xbf;
	}
	if (code)
		*code = c;
	return n;
}

char *utf8_clean(const char *s)
{
	char *copy = xmalloc(strlen(s) * 3 + 1), *to = copy;

	while (*s) {
		size_t n = utf8_sequence(s, NULL);

		if (n) {
			memcpy(to, s, n);
			to += n;
			s += n;
		} else {
			memcpy(to, "\xef\xbf\xbd", 3);
			to += 3;
			s++;
		}
	}
	*to = '\0';
	return copy;
}
