/*
 * A bump allocator: many small objects of one lifetime, freed together.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

struct arena_chunk;

struct arena {
	struct arena_chunk *head;
	size_t used, size; /* of the head chunk's payload, bytes */
	size_t total;	   /* bytes taken from malloc */
};

#define ARENA_INIT {0}

/* n bytes, 8-aligned, uninitialised; valid until arena_release(). */
void *arena_alloc(struct arena *a, size_t n);
void *arena_memdup(struct arena *a, const void *p, size_t n);
/* Copies n bytes and adds the closing NUL. */
char *arena_strndup(struct arena *a, const char *s, size_t n);
void arena_release(struct arena *a);

#endif
