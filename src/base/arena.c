#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

#define CHUNK_MIN ((size_t)64 * 1024)

struct arena_chunk {
	struct arena_chunk *next;
	_Alignas(16) char data[];
};

void *arena_alloc(struct arena *a, size_t n)
{
	char *p;

	n = (n + 7) & ~(size_t)7;
	if (!a->head || a->size - a->used < n) {
		size_t size = n > CHUNK_MIN ? n : CHUNK_MIN;
		struct arena_chunk *c = xmalloc(sizeof(*c) + size);

		c->next = a->head;
		a->head = c;
		a->size = size;
		a->used = 0;
		a->total += sizeof(*c) + size;
	}
	p = a->head->data + a->used;
	a->used += n;
	return p;
}

void *arena_memdup(struct arena *a, const void *p, size_t n)
{
	void *copy = arena_alloc(a, n);

	if (n)
		memcpy(copy, p, n);
	return copy;
}

char *arena_strndup(struct arena *a, const char *s, size_t n)
{
	char *copy = arena_alloc(a, n + 1);

	if (n)
		memcpy(copy, s, n);
	copy[n] = '\0';
	return copy;
}

void arena_release(struct arena *a)
{
	while (a->head) {
		struct arena_chunk *next = a->head->next;

		free(a->head);
		a->head = next;
	}
	*a = (struct arena)ARENA_INIT;
}
