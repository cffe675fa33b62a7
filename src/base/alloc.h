/*
 * Memory that is always there: the x-functions never return NULL. When memory
 * runs out they call the handler that main installed (message, exit 6), so no
 * caller needs a path of its own for it. Sizes that come from a file must be
 * bounded by the caller first: exhaustion is for real shortage only.
 */
#ifndef BASE_ALLOC_H
#define BASE_ALLOC_H

#include <stdbool.h>
#include <stddef.h>

/* Called with the size that could not be had; must not return. */
typedef void alloc_handler(size_t bytes);
void alloc_set_handler(alloc_handler *handler);
bool alloc_has_handler(void);
/* Calls it, or aborts where none is set: for memory that was not to be had in another way. */
void alloc_failed(size_t bytes) __attribute__((noreturn));

#define ALLOC_NONNULL __attribute__((returns_nonnull, warn_unused_result))
void *xmalloc(size_t n) ALLOC_NONNULL;
void *xcalloc(size_t count, size_t size) ALLOC_NONNULL;
/*
 * Zeroed memory for a table that is looked into at random, to be freed with free(). Its pages are there
 * from the start, huge ones where the system grants them: what calloc gives is read first, which
 * maps the page of zeros, and then written, which makes every processor flush its TLB.
 */
void *xtable(size_t count, size_t size) ALLOC_NONNULL;
/* Memory that will be filled at once, in huge pages where the system grants them; freed with free(). */
void *xlarge(size_t n) ALLOC_NONNULL;
void *xrealloc(void *p, size_t n) ALLOC_NONNULL;
void *xreallocarray(void *p, size_t count, size_t size) ALLOC_NONNULL; /* checks overflow */
char *xstrdup(const char *s) ALLOC_NONNULL;
char *xstrndup(const char *s, size_t n) ALLOC_NONNULL;
void *xmemdup(const void *p, size_t n) ALLOC_NONNULL;
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * Makes room for at least `nr` elements in the array x of capacity `alloc`
 * (both lvalues), growing by half; git's ALLOC_GROW.
 */
#define ALLOC_GROW(x, nr, alloc)                                               \
	do {                                                                   \
		if ((nr) > (alloc)) {                                          \
			size_t want_ = ((size_t)(alloc) + 16) * 3 / 2;         \
			if (want_ < (size_t)(nr))                              \
				want_ = (size_t)(nr);                          \
			(x) = xreallocarray((x), want_, sizeof(*(x)));         \
			(alloc) = want_;                                       \
		}                                                              \
	} while (0)

#endif
