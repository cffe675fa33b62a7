#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "profile/profile.h"

/* Frames of one function: same name, binary and kind; lines and addresses differ. */
static uint32_t *function_of_frames(const struct profile *p, struct profile_function **functions, size_t *nr)
{
	uint32_t *of = xreallocarray(NULL, p->nr_frames, sizeof(*of));
	struct map64 index = MAP64_INIT;
	size_t alloc = 0;

	*functions = NULL;
	*nr = 0;
	for (size_t i = 0; i < p->nr_frames; i++) {
		const struct profile_frame *f = &p->frames[i];
		/* exact for what occurs: 2^31 names, 2^29 binaries, 4 kinds */
		uint64_t key = (uint64_t)f->name << 31 | (uint64_t)f->dso << 2 | f->kind;
		uint32_t n = map64_get(&index, key);

		if (n == MAP64_NONE) {
			ALLOC_GROW(*functions, *nr + 1, alloc);
			n = (uint32_t)(*nr)++;
			(*functions)[n] = (struct profile_function){
				.name = f->name, .dso = f->dso, .file = f->file,
				.line = f->start_line, .kind = f->kind};
			map64_put(&index, key, n);
		}
		of[i] = n;
	}
	map64_release(&index);
	return of;
}

static _Thread_local const struct profile *sort_profile; /* qsort has no context */

static int by_self(const void *a, const void *b)
{
	const struct profile_function *x = a, *y = b;
	int c;

	if (x->self != y->self)
		return x->self > y->self ? -1 : 1;
	if (x->cum != y->cum)
		return x->cum > y->cum ? -1 : 1;
	c = strcmp(profile_str(sort_profile, x->name), profile_str(sort_profile, y->name));
	return c ? c : strcmp(profile_str(sort_profile, x->dso), profile_str(sort_profile, y->dso));
}

struct profile_function *profile_functions(const struct profile *p, size_t series, size_t *nr)
{
	struct profile_function *functions;
	uint32_t *of = function_of_frames(p, &functions, nr);
	uint32_t *seen = xcalloc(*nr, sizeof(*seen)); /* row + 1 that counted the function last */

	for (size_t r = 0; r < p->nr_rows; r++) {
		int64_t value = p->series[series].values[r];
		uint32_t n = p->rows[r].node;

		if (!value)
			continue;
		if (n)
			functions[of[p->nodes[n].frame]].self = profile_sum(functions[of[p->nodes[n].frame]].self, value);
		for (; n; n = p->nodes[n].parent) {
			uint32_t f = of[p->nodes[n].frame];

			if (seen[f] == r + 1)
				continue;
			seen[f] = (uint32_t)r + 1;
			functions[f].cum = profile_sum(functions[f].cum, value);
		}
	}
	free(seen);
	free(of);
	sort_profile = p;
	if (functions)
		qsort(functions, *nr, sizeof(*functions), by_self);
	while (*nr && !functions[*nr - 1].self && !functions[*nr - 1].cum)
		--*nr;
	return functions;
}
