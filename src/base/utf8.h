/*
 * UTF-8 as RFC 3629 has it: no surrogates, no overlong forms, up to U+10FFFF.
 */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stddef.h>

/*
 * Length in bytes (1–4) of the valid sequence at the NUL-terminated s, 0 when
 * there is none. *code, if not NULL, receives the code point.
 */
size_t utf8_sequence(const char *s, unsigned *code);

/* A copy in which every byte that is not valid UTF-8 is U+FFFD; the caller frees it. */
char *utf8_clean(const char *s);

#endif
