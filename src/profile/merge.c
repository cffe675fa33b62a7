/*
 * Many profiles into one, so that any order and grouping of them, written and
 * read again in between or not, gives the same bytes in the end: everything
 * that is kept of two inputs is a sum, a union, a minimum or a maximum.
 * Source for what is kept: github.com/google/pprof profile/merge.go.
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "profile/profile.h"

/* --- series ---------------------------------------------------------------------------- */

static bool same_series(const struct profile *a, size_t i, const struct profile *b, size_t k)
{
	return !strcmp(profile_str(a, a->series[i].type), profile_str(b, b->series[k].type)) &&
	       !strcmp(profile_str(a, a->series[i].unit), profile_str(b, b->series[k].unit));
}

bool profile_same_types(const struct profile *a, const struct profile *b)
{
	size_t i = 0;

	while (i < a->nr_series && i < b->nr_series && same_series(a, i, b, i))
		i++;
	return i == a->nr_series && i == b->nr_series;
}

/* The series of `into` with the type and unit of in's, made when missing. */
static size_t find_series(struct profile *into, const struct profile *in, size_t series)
{
	for (size_t i = 0; i < into->nr_series; i++)
		if (same_series(into, i, in, series))
			return i;
	return profile_add_series(into, profile_str(in, in->series[series].type),
				  profile_str(in, in->series[series].unit));
}

/* Per series of `in` its column in `into`; by position where both have the same, for names may repeat. */
static size_t *match_series(struct profile *into, const struct profile *in)
{
	size_t *series = xreallocarray(NULL, in->nr_series, sizeof(*series));
	bool same = profile_same_types(into, in), first = !into->nr_series;

	for (size_t i = 0; i < in->nr_series; i++) {
		if (first)
			series[i] = profile_add_series(into, profile_str(in, in->series[i].type),
						       profile_str(in, in->series[i].unit));
		else
			series[i] = same ? i : find_series(into, in, i);
	}
	if (in->nr_series && (first || series[in->default_series] > into->default_series))
		into->default_series = series[in->default_series];
	return series;
}

static uint32_t string(struct profile *into, const struct profile *in, uint32_t id)
{
	return strtab_add(&into->strings, profile_str(in, id));
}

/* --- mappings ---------------------------------------------------------------------------- */

/*
 * Where a binary was loaded differs from run to run (PIE, shared libraries, the
 * vdso): what begins above 4 GiB is put at its offset in the file, so that one
 * instruction has one address in all inputs. Fixed addresses are below that.
 */
#define LOADED_ANYWHERE (UINT64_C(1) << 32)

static uint64_t settled_start(const struct profile_mapping *m)
{
	return m->limit > m->start && m->start >= LOADED_ANYWHERE ? m->offset : m->start;
}

static int by_file(const void *a, const void *b)
{
	const struct profile_mapping *x = a, *y = b;

	if (x->file != y->file)
		return x->file < y->file ? -1 : 1;
	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	if (x->limit != y->limit)
		return x->limit < y->limit ? -1 : 1;
	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

/* The mappings of `p` that will move, sorted by file and start. The caller frees them. */
static struct profile_mapping *movers(const struct profile *p, size_t *nr)
{
	struct profile_mapping *list = xreallocarray(NULL, p->nr_mappings, sizeof(*list));

	*nr = 0;
	for (size_t i = 0; i < p->nr_mappings; i++)
		if (settled_start(&p->mappings[i]) != p->mappings[i].start)
			list[(*nr)++] = p->mappings[i];
	if (*nr)
		qsort(list, *nr, sizeof(*list), by_file);
	return list;
}

static uint64_t settled_address(const struct profile_frame *f, const struct profile_mapping *list, size_t nr)
{
	size_t low = 0, high = nr;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (list[mid].file < f->dso || (list[mid].file == f->dso && list[mid].start <= f->address))
			low = mid + 1;
		else
			high = mid;
	}
	if (!low || list[low - 1].file != f->dso || f->address >= list[low - 1].limit)
		return f->address;
	return f->address - list[low - 1].start + settled_start(&list[low - 1]);
}

static _Thread_local const struct profile *sort_profile; /* qsort has no context */

static int compare_mappings(const struct profile *p, const struct profile_mapping *a, const struct profile_mapping *b)
{
	int c = strcmp(profile_str(p, a->file), profile_str(p, b->file));

	c = c ? c : strcmp(profile_str(p, a->build_id), profile_str(p, b->build_id));
	if (c)
		return c;
	if (a->offset != b->offset)
		return a->offset < b->offset ? -1 : 1;
	return a->start < b->start ? -1 : a->start > b->start;
}

static int by_identity(const void *a, const void *b)
{
	return compare_mappings(sort_profile, a, b);
}

/* Two of one identity: the longer range, and what both have. */
static void unite(struct profile_mapping *m, const struct profile_mapping *other)
{
	m->limit = other->limit > m->limit ? other->limit : m->limit;
	m->has_functions &= other->has_functions;
	m->has_filenames &= other->has_filenames;
	m->has_lines &= other->has_lines;
	m->has_inlines &= other->has_inlines;
}

/* Sorted, but for the program, which pprof's readers look for in front: the first of the inputs' programs. */
static void merge_mappings(struct profile *into, const struct profile *in)
{
	struct profile_mapping program;
	size_t nr = 0, at = 0;

	if (!in->nr_mappings)
		return;
	ALLOC_GROW(into->mappings, into->nr_mappings + in->nr_mappings, into->alloc_mappings);
	for (size_t i = 0; i < in->nr_mappings; i++) {
		struct profile_mapping m = in->mappings[i];
		uint64_t start = settled_start(&m);

		m.limit = m.limit - m.start + start;
		m.start = start;
		m.file = string(into, in, m.file);
		m.build_id = string(into, in, m.build_id);
		if (!i)
			program = !into->nr_mappings || compare_mappings(into, &m, &into->mappings[0]) < 0 ? m : into->mappings[0];
		into->mappings[into->nr_mappings++] = m;
	}
	sort_profile = into;
	qsort(into->mappings, into->nr_mappings, sizeof(*into->mappings), by_identity);
	for (size_t i = 0; i < into->nr_mappings; i++) {
		if (nr && !compare_mappings(into, &into->mappings[nr - 1], &into->mappings[i]))
			unite(&into->mappings[nr - 1], &into->mappings[i]);
		else
			into->mappings[nr++] = into->mappings[i];
	}
	into->nr_mappings = nr;
	while (compare_mappings(into, &into->mappings[at], &program))
		at++;
	program = into->mappings[at];
	memmove(into->mappings + 1, into->mappings, at * sizeof(program));
	into->mappings[0] = program;
}

/* --- stacks and labels --------------------------------------------------------------------- */

static uint32_t *merge_nodes(struct profile *into, const struct profile *in)
{
	uint32_t *frames = xreallocarray(NULL, in->nr_frames, sizeof(*frames));
	uint32_t *nodes = xreallocarray(NULL, in->nr_nodes, sizeof(*nodes));
	size_t nr_moved;
	struct profile_mapping *moved = movers(in, &nr_moved);

	for (size_t i = 0; i < in->nr_frames; i++) {
		struct profile_frame f = in->frames[i];

		f.address = settled_address(&f, moved, nr_moved);
		f.name = string(into, in, f.name);
		f.linkage = string(into, in, f.linkage);
		f.dso = string(into, in, f.dso);
		f.file = string(into, in, f.file);
		frames[i] = profile_add_frame(into, &f);
	}
	nodes[0] = 0;
	for (size_t n = 1; n < in->nr_nodes; n++)
		nodes[n] = profile_add_node(into, nodes[in->nodes[n].parent], frames[in->nodes[n].frame]);
	free(moved);
	free(frames);
	return nodes;
}

static uint32_t *merge_labels(struct profile *into, const struct profile *in)
{
	uint32_t *sets = xreallocarray(NULL, in->nr_label_sets, sizeof(*sets));

	for (size_t i = 0; i < in->nr_label_sets; i++) {
		const struct profile_labels *s = &in->label_sets[i];
		struct profile_label *copy = xreallocarray(NULL, s->nr, sizeof(*copy));

		for (uint32_t k = 0; k < s->nr; k++) {
			const struct profile_label *l = &in->labels[s->first + k];

			copy[k] = (struct profile_label){string(into, in, l->key), string(into, in, l->str), l->num,
							 string(into, in, l->unit)};
		}
		sets[i] = profile_add_labels(into, copy, s->nr);
		free(copy);
	}
	return sets;
}

/* --- the head ------------------------------------------------------------------------------- */

static int by_text(const void *a, const void *b)
{
	return strcmp(profile_str(sort_profile, *(const uint32_t *)a), profile_str(sort_profile, *(const uint32_t *)b));
}

static void merge_comments(struct profile *into, const struct profile *in)
{
	size_t nr = 0;

	if (!in->nr_comments)
		return;
	ALLOC_GROW(into->comments, into->nr_comments + in->nr_comments, into->alloc_comments);
	for (size_t i = 0; i < in->nr_comments; i++)
		into->comments[into->nr_comments++] = string(into, in, in->comments[i]);
	sort_profile = into;
	qsort(into->comments, into->nr_comments, sizeof(*into->comments), by_text);
	for (size_t i = 0; i < into->nr_comments; i++)
		if (!nr || into->comments[nr - 1] != into->comments[i])
			into->comments[nr++] = into->comments[i];
	into->nr_comments = nr;
}

/* The largest period with its type, in that order of precedence. */
static void merge_period(struct profile *into, const struct profile *in)
{
	const char *type = profile_str(in, in->period_type), *unit = profile_str(in, in->period_unit);
	int c = in->period < into->period ? -1 : in->period > into->period;

	c = c ? c : strcmp(type, profile_str(into, into->period_type));
	c = c ? c : strcmp(unit, profile_str(into, into->period_unit));
	if (c <= 0)
		return;
	into->period = in->period;
	into->period_type = strtab_add(&into->strings, type);
	into->period_unit = strtab_add(&into->strings, unit);
}

/*
 * Earliest start, summed duration. drop_frames and keep_frames were applied when
 * the input was read and are not kept: they would prune the other inputs' stacks.
 */
static void merge_head(struct profile *into, const struct profile *in)
{
	int64_t duration;

	if (in->time_ns && (!into->time_ns || in->time_ns < into->time_ns))
		into->time_ns = in->time_ns;
	if (__builtin_add_overflow(into->duration_ns, in->duration_ns, &duration))
		duration = in->duration_ns < 0 ? INT64_MIN : INT64_MAX;
	into->duration_ns = duration;
	merge_period(into, in);
	merge_comments(into, in);
	damage_merge(&into->damage, &in->damage);
}

void profile_merge(struct profile *into, const struct profile *in)
{
	uint32_t *nodes = merge_nodes(into, in), *sets = merge_labels(into, in);
	size_t *series = match_series(into, in);

	for (size_t r = 0; r < in->nr_rows; r++) {
		size_t row = profile_add_row(into, nodes[in->rows[r].node], sets[in->rows[r].labels]);

		for (size_t s = 0; s < in->nr_series; s++)
			profile_add_value(into, row, series[s], in->series[s].values[r]);
	}
	merge_mappings(into, in);
	merge_head(into, in);
	free(series);
	free(nodes);
	free(sets);
}
