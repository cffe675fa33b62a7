#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "profile/profile.h"
#include "profile/regex.h"

enum { FOCUS = 1, IGNORE = 2, HIDE = 4 };

struct filter_work {
	const struct profile *in;
	const struct profile_filter *f;
	uint8_t *marks; /* per frame: FOCUS … */
};

static int mark(struct filter_work *w, const char *pattern, const char *option, uint8_t bit, struct error *e)
{
	regex_t re;
	const char *problem;
	char why[128];

	if (!pattern)
		return 0;
	problem = regex_compile(&re, pattern, false, why);
	if (problem)
		return error_set(e, EXIT_CODE_USAGE, "--%s: '%s': %s", option, pattern, problem);
	for (size_t i = 1; i < w->in->nr_frames; i++)
		if (regexec(&re, profile_str(w->in, w->in->frames[i].name), 0, NULL, 0) == 0)
			w->marks[i] |= bit;
	regfree(&re);
	return 0;
}

/* The row's frames, root first, as far as they stay; -1 when the row does not count. */
static ptrdiff_t path(void *ctx, uint32_t *path, size_t depth, const uint32_t **frames)
{
	const struct filter_work *w = ctx;
	const struct profile *p = w->in;
	size_t kept = 0;
	uint8_t any = 0;

	(void)frames;
	for (size_t i = 0; i < depth; i++) {
		const struct profile_frame *f = &p->frames[path[i]];

		any |= w->marks[path[i]];
		if (w->marks[path[i]] & HIDE || (w->f->no_inline && f->inlined))
			continue;
		if (w->f->merge_recursion && kept) {
			const struct profile_frame *last = &p->frames[path[kept - 1]];

			if (last->name == f->name && last->kind == f->kind && last->dso == f->dso)
				continue;
		}
		path[kept++] = path[i];
	}
	if (any & IGNORE || (w->f->focus && !(any & FOCUS)))
		return -1;
	if (w->f->reverse)
		for (size_t i = 0; i < kept / 2; i++) {
			uint32_t t = path[i];

			path[i] = path[kept - 1 - i];
			path[kept - 1 - i] = t;
		}
	if (w->f->max_depth && kept > w->f->max_depth)
		kept = w->f->max_depth;
	return (ptrdiff_t)kept;
}

int profile_filter(struct profile *out, const struct profile *in, const struct profile_filter *f, uint32_t *nodes,
		   struct error *e)
{
	struct filter_work w = {.in = in, .f = f, .marks = xcalloc(in->nr_frames, 1)};
	int result = -1;

	if (mark(&w, f->focus, "focus", FOCUS, e) == 0 && mark(&w, f->ignore, "ignore", IGNORE, e) == 0 &&
	    mark(&w, f->hide, "hide", HIDE, e) == 0) {
		profile_map(out, in, path, &w, nodes);
		result = 0;
	}
	free(w.marks);
	return result;
}
