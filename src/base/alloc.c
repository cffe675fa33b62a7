#include "base/alloc.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define HUGE_PAGE ((size_t)2 << 20)

static alloc_handler *on_failure;

void alloc_set_handler(alloc_handler *handler)
{
	on_failure = handler;
}

bool alloc_has_handler(void)
{
	return on_failure != NULL;
}

void alloc_failed(size_t n)
{
	if (on_failure)
		on_failure(n);
	abort();
}

void *xmalloc(size_t n)
{
	void *p = malloc(n ? n : 1);

	if (!p)
		alloc_failed(n);
	return p;
}

void *xcalloc(size_t count, size_t size)
{
	void *p = calloc(count ? count : 1, size ? size : 1);

	if (!p)
		alloc_failed(size && count > SIZE_MAX / size ? SIZE_MAX : count * size);
	return p;
}

void *xlarge(size_t n)
{
	size_t align = n < HUGE_PAGE ? 64 : HUGE_PAGE;
	void *p = NULL;

	if (n > SIZE_MAX / 2 || posix_memalign(&p, align, n ? n : 1) != 0)
		alloc_failed(n);
	if (align == HUGE_PAGE)
		madvise(p, n / HUGE_PAGE * HUGE_PAGE, MADV_HUGEPAGE);
	return p;
}

void *xtable(size_t count, size_t size)
{
	if (size && count > SIZE_MAX / 2 / size)
		alloc_failed(SIZE_MAX);
	return memset(xlarge(count * size), 0, count * size);
}

void *xrealloc(void *p, size_t n)
{
	p = realloc(p, n ? n : 1);
	if (!p)
		alloc_failed(n);
	return p;
}

void *xreallocarray(void *p, size_t count, size_t size)
{
	if (size && count > SIZE_MAX / size)
		alloc_failed(SIZE_MAX);
	return xrealloc(p, count * size);
}

char *xstrdup(const char *s)
{
	return xmemdup(s, strlen(s) + 1);
}

char *xstrndup(const char *s, size_t n)
{
	size_t len = strnlen(s, n);
	char *copy = xmalloc(len + 1);

	memcpy(copy, s, len);
	copy[len] = '\0';
	return copy;
}

void *xmemdup(const void *p, size_t n)
{
	void *copy = xmalloc(n);

	if (n)
		memcpy(copy, p, n);
	return copy;
}

char *xasprintf(const char *fmt, ...)
{
	va_list ap;
	char *s = NULL;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&s, fmt, ap);
	va_end(ap);
	if (n < 0)
		alloc_failed(strlen(fmt));
	return s;
}
