/*
 * Preloaded: the $FAIL_AT-th allocation of the process fails, and all after it. With FAIL_AT=0 none does,
 * and their number is written to the file $FAIL_COUNT at the end.
 */
#include <dlfcn.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *p, size_t n);
void *__libc_memalign(size_t align, size_t n);

static atomic_long calls;
static long fail_at = -1; /* before main: none */
static pid_t owner;

/* The process alone, not one that it forks. */
static int fails(void)
{
	return fail_at >= 0 && getpid() == owner && atomic_fetch_add(&calls, 1) + 1 >= fail_at && fail_at;
}

/* The program's own malloc asks these (src/exhausted.c); the C library's are behind ours. */
#define NEXT(type, name, args, pass) \
	static type (*real)args; \
	if (!real) \
		*(void **)&real = dlsym(RTLD_NEXT, #name); \
	return real pass

void *__libc_malloc(size_t n)
{
	if (fails())
		return NULL;
	NEXT(void *, __libc_malloc, (size_t), (n));
}

void *__libc_calloc(size_t count, size_t size)
{
	if (fails())
		return NULL;
	NEXT(void *, __libc_calloc, (size_t, size_t), (count, size));
}

void *__libc_realloc(void *p, size_t n)
{
	if (fails())
		return NULL;
	NEXT(void *, __libc_realloc, (void *, size_t), (p, n));
}

void *__libc_memalign(size_t align, size_t n)
{
	if (fails())
		return NULL;
	NEXT(void *, __libc_memalign, (size_t, size_t), (align, n));
}

static void __attribute__((constructor)) start(void)
{
	const char *at = getenv("FAIL_AT");

	owner = getpid();
	fail_at = at ? strtol(at, NULL, 10) : -1;
}

static void __attribute__((destructor)) end(void)
{
	const char *path = getenv("FAIL_COUNT");
	FILE *f;

	if (fail_at != 0 || !path || getpid() != owner)
		return;
	fail_at = -1;
	f = fopen(path, "w");
	if (f) {
		fprintf(f, "%ld\n", (long)calls);
		fclose(f);
	}
}
