/*
 * Memory that a library asked for and did not get. Most libraries go on without what they wanted to keep
 * there, and the result would lack it in silence; so the first such failure ends the run, as one of our
 * own does (base/alloc.h). A request that no machine could meet comes from a number in a damaged file,
 * which the library says in its own way.
 *
 * The symbols of the program replace those of the C library ("Replacing malloc" in its manual); the
 * __libc_ ones are what it exports for that. Sanitizers have replaced them already.
 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/alloc.h"

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

#define IMPOSSIBLE ((uint64_t)1 << 34)

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *p, size_t n);
void *__libc_memalign(size_t align, size_t n);

static void *checked(void *p, size_t n)
{
	if (!p && n < IMPOSSIBLE && alloc_has_handler())
		alloc_failed(n);
	return p;
}

void *malloc(size_t n)
{
	return checked(__libc_malloc(n), n);
}

void *calloc(size_t count, size_t size)
{
	size_t n;

	if (__builtin_mul_overflow(count, size, &n))
		n = SIZE_MAX;
	return checked(__libc_calloc(count, size), n);
}

void *realloc(void *p, size_t n)
{
	void *q = __libc_realloc(p, n);

	return n ? checked(q, n) : q; /* NULL for 0 is no failure */
}

int posix_memalign(void **to, size_t align, size_t n)
{
	void *p;

	if (align % sizeof(void *) || align & (align - 1) || !align)
		return EINVAL;
	p = checked(__libc_memalign(align, n), n);
	if (!p)
		return ENOMEM;
	*to = p;
	return 0;
}

void *aligned_alloc(size_t align, size_t n)
{
	return checked(__libc_memalign(align, n), n);
}

#endif
