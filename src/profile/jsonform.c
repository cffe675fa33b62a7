#include "profile/jsonform.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "profile/jsontext.h"
#include "profile/tree.h"

static void put_or_null(FILE *f, const char *key, const char *s)
{
	fprintf(f, ",\"%s\":", key);
	if (*s)
		jsontext_string(f, s);
	else
		fputs("null", f);
}

static void put_types(FILE *f, const struct profile *p)
{
	for (size_t i = 0; i < p->nr_series; i++) {
		fputs(i ? ",\n{\"type\":" : "\n{\"type\":", f);
		jsontext_string(f, profile_str(p, p->series[i].type));
		fputs(",\"unit\":", f);
		jsontext_string(f, profile_str(p, p->series[i].unit));
		fprintf(f, ",\"total\":%" PRId64 "}", p->series[i].total);
	}
}

static void put_frames(FILE *f, const struct profile *p, const struct tree *t)
{
	static const char *const kinds[] = {[FRAME_USER] = "user", [FRAME_KERNEL] = "kernel", [FRAME_WAIT] = "wait", [FRAME_LABEL] = "label"};

	for (size_t i = 0; i < t->nr_functions; i++) {
		const struct profile_frame *frame = &p->frames[t->functions[i]];

		fputs(i ? ",\n{\"name\":" : "\n{\"name\":", f);
		jsontext_string(f, profile_str(p, frame->name));
		put_or_null(f, "dso", profile_str(p, frame->dso));
		put_or_null(f, "file", profile_str(p, frame->file));
		if (frame->start_line > 0)
			fprintf(f, ",\"line\":%" PRId32, frame->start_line);
		else
			fputs(",\"line\":null", f);
		fprintf(f, ",\"kind\":\"%s\",\"inlined\":%s}", kinds[frame->kind], frame->inlined ? "true" : "false");
	}
}

static bool is_empty(const struct profile *p, uint32_t row)
{
	for (size_t k = 0; k < p->nr_series; k++)
		if (p->series[k].values[row])
			return false;
	return true;
}

/* Rows of one stack and the same labels, which differ by addresses alone, are one. */
struct sums {
	uint32_t *rows; /* of each, the first row */
	int64_t *values;
	size_t nr;
};

static void sum_rows(struct sums *s, const struct profile *p, const struct tree *t)
{
	struct map64 index = MAP64_INIT;

	s->rows = xcalloc(p->nr_rows, sizeof(*s->rows));
	s->values = xcalloc(p->nr_rows * p->nr_series + 1, sizeof(*s->values));
	for (size_t i = 0; i < p->nr_rows; i++) {
		uint32_t row = t->order[i];
		uint64_t key = (uint64_t)t->of_row[row] << 32 | p->rows[row].labels;
		uint32_t at = map64_get(&index, key);

		if (is_empty(p, row))
			continue;
		if (at == MAP64_NONE) {
			at = (uint32_t)s->nr++;
			map64_put(&index, key, at);
			s->rows[at] = row;
		}
		for (size_t k = 0; k < p->nr_series; k++)
			s->values[at * p->nr_series + k] =
				profile_sum(s->values[at * p->nr_series + k], p->series[k].values[row]);
	}
	map64_release(&index);
}

static void put_path(FILE *f, const struct tree *t, uint32_t stack, uint32_t *path)
{
	size_t depth = 0;

	for (; stack != TREE_NONE; stack = t->stacks[stack].parent)
		path[depth++] = t->stacks[stack].function;
	while (depth--)
		fprintf(f, depth ? "%" PRIu32 "," : "%" PRIu32, path[depth]);
}

/* Sorted by key, then value: equal keys stand together. */
static void put_labels(FILE *f, const struct profile *p, const struct profile_labels *set)
{
	fputs(",\"labels\":{", f);
	for (uint32_t i = 0; i < set->nr; i++) {
		const struct profile_label *l = &p->labels[set->first + i];
		bool same = i && l[-1].key == l->key;

		if (!same) {
			fputs(i ? "]," : "", f);
			jsontext_string(f, profile_str(p, l->key));
		}
		fputs(same ? "," : ":[", f);
		if (l->str)
			jsontext_string(f, profile_str(p, l->str));
		else
			fprintf(f, "%" PRId64, l->num);
	}
	fputs("]}", f);
}

static void put_stacks(FILE *f, const struct profile *p, const struct tree *t)
{
	uint32_t *path = xreallocarray(NULL, t->nr_stacks + 1, sizeof(*path));
	struct sums s = {0};

	sum_rows(&s, p, t);
	for (size_t i = 0; i < s.nr; i++) {
		const struct profile_row *row = &p->rows[s.rows[i]];

		fputs(i ? ",\n{\"frames\":[" : "\n{\"frames\":[", f);
		put_path(f, t, t->of_row[s.rows[i]], path);
		fputs("],\"values\":[", f);
		for (size_t k = 0; k < p->nr_series; k++)
			fprintf(f, k ? ",%" PRId64 : "%" PRId64, s.values[i * p->nr_series + k]);
		fputc(']', f);
		if (row->labels && p->label_sets[row->labels].nr)
			put_labels(f, p, &p->label_sets[row->labels]);
		fputc('}', f);
	}
	free(s.rows);
	free(s.values);
	free(path);
}

static void put_damage(FILE *f, const struct damage *d)
{
	bool first = true;

	for (int i = 0; i < DAMAGE_KINDS; i++) {
		if (!d->kind[i].count)
			continue;
		fputs(first ? "\n{\"what\":" : ",\n{\"what\":", f);
		jsontext_string(f, damage_text((enum damage_kind)i));
		fprintf(f, ",\"offset\":%" PRIu64 ",\"count\":%" PRIu64 "}", d->kind[i].offset, d->kind[i].count);
		first = false;
	}
}

int jsonform_write(const struct profile *p, FILE *f, const struct jsonform_write_options *opts, struct error *e)
{
	struct tree t;

	tree_make(&t, p);
	fputs("{\"schema\":\"perfskew.profile.v1\",\n\"tool\":", f);
	jsontext_string(f, opts->tool);
	fputs(",\n\"name\":", f);
	jsontext_string(f, opts->name);
	fputs(",\n\"types\":[", f);
	put_types(f, p);
	fprintf(f, "],\n\"default\":%zu,\n\"frames\":[", opts->series);
	put_frames(f, p, &t);
	fputs("],\n\"stacks\":[", f);
	put_stacks(f, p, &t);
	fputs("],\n\"damage\":[", f);
	put_damage(f, opts->damage);
	fputs("]}\n", f);
	tree_release(&t);
	if (ferror(f)) {
		error_set(e, EXIT_CODE_OUTPUT, "cannot write: %s", strerror(errno));
		return -1;
	}
	return 0;
}
