#include "cmd/golabels.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "cmd/message.h"

/* runtime/cpuprof.go: maxCPUProfStack. Inlined calls count more, so a stack with fewer frames was not cut. */
#define CUT_AT 64
/* So many label sets of an entry function are shown in a line. */
#define SHOWN 3

/* The function a goroutine began with, as --by goroutine names it; NULL: not known, the stack may have been cut. */
static const char *entry_of(const struct profile *p, uint32_t node)
{
	const char *name = NULL;
	size_t depth = 0;

	for (; node; node = p->nodes[node].parent, depth++) {
		const char *caller = profile_str(p, p->frames[p->nodes[node].frame].name);

		if (strcmp(caller, "runtime.goexit"))
			name = caller;
	}
	if (!name || depth >= CUT_AT)
		return NULL;
	return strcmp(name, "runtime.main") ? name : "main.main";
}

static int by_entry(const void *a, const void *b)
{
	const struct golabel *x = a, *y = b;
	int c = strcmp(x->entry, y->entry);

	if (c)
		return c;
	if (x->samples != y->samples)
		return x->samples > y->samples ? -1 : 1;
	return x->set < y->set ? -1 : x->set > y->set;
}

/* Entry functions that have no labels at all. */
static void drop_unlabelled(struct golabels *l)
{
	size_t kept = 0;

	for (size_t i = 0, end; i < l->nr; i = end) {
		bool labelled = false;

		for (end = i; end < l->nr && !strcmp(l->list[end].entry, l->list[i].entry); end++)
			labelled |= l->list[end].set != 0;
		for (size_t k = i; labelled && k < end; k++)
			l->list[kept++] = l->list[k];
	}
	l->nr = kept;
}

void golabels_make(struct golabels *l, const struct profile *p)
{
	struct map64 index = MAP64_INIT;
	struct strtab entries;

	*l = (struct golabels){.profile = p};
	strtab_init(&entries);
	for (size_t r = 0; p->nr_series && r < p->nr_rows; r++) {
		const char *entry = p->series[0].values[r] > 0 ? entry_of(p, p->rows[r].node) : NULL;
		uint64_t key;
		uint32_t at;

		if (!entry)
			continue;
		key = (uint64_t)strtab_add(&entries, entry) << 32 | p->rows[r].labels;
		at = map64_get(&index, key);
		if (at == MAP64_NONE) {
			ALLOC_GROW(l->list, l->nr + 1, l->alloc);
			map64_put(&index, key, at = (uint32_t)l->nr++);
			l->list[at] = (struct golabel){entry, p->rows[r].labels, 0};
		}
		l->list[at].samples = profile_sum(l->list[at].samples, p->series[0].values[r]);
	}
	if (l->nr)
		qsort(l->list, l->nr, sizeof(*l->list), by_entry);
	drop_unlabelled(l);
	map64_release(&index);
	strtab_release(&entries);
}

void golabels_release(struct golabels *l)
{
	free(l->list);
	*l = (struct golabels){0};
}

const struct golabel *golabels_of(const struct golabels *l, const char *entry, size_t *nr, int64_t *total)
{
	const struct golabel *first = NULL;

	*nr = 0;
	*total = 0;
	for (size_t i = 0; i < l->nr; i++) {
		if (strcmp(l->list[i].entry, entry))
			continue;
		first = first ? first : &l->list[i];
		++*nr;
		*total = profile_sum(*total, l->list[i].samples);
	}
	return first;
}

static void put_set(FILE *f, const struct profile *p, const struct profile_labels *set)
{
	if (!set->nr)
		fputs("none", f);
	for (uint32_t i = 0; i < set->nr; i++) {
		const struct profile_label *label = &p->labels[set->first + i];

		if (i)
			fputc(' ', f);
		put_safe(f, profile_str(p, label->key));
		fputc('=', f);
		if (label->str)
			put_safe(f, profile_str(p, label->str));
		else
			fprintf(f, "%" PRId64, label->num);
	}
}

void golabels_text(FILE *f, const char *lead, const struct golabels *l, const char *entry)
{
	size_t nr;
	int64_t total;
	const struct golabel *of = golabels_of(l, entry, &nr, &total);

	for (size_t i = 0; i < nr && i < SHOWN; i++) {
		fputs(i ? ", " : lead, f);
		put_set(f, l->profile, &l->profile->label_sets[of[i].set]);
		fprintf(f, " %.0f %%", 100.0 * (double)of[i].samples / (double)total);
	}
	if (nr > SHOWN)
		fprintf(f, ", %zu more", nr - SHOWN);
}

static void set_json(struct json_object *list, const struct profile *p, const struct profile_labels *set)
{
	for (uint32_t i = 0; i < set->nr; i++) {
		const struct profile_label *label = &p->labels[set->first + i];
		struct json_object *item = json_append_obj(list);

		json_add_str(item, "key", profile_str(p, label->key));
		if (label->str)
			json_add_str(item, "value", profile_str(p, label->str));
		else
			json_add_i64(item, "value", label->num);
	}
}

void golabels_json(struct json_object *row, const struct golabels *l, const char *entry)
{
	struct json_object *list = json_add_arr(row, "labels");
	size_t nr;
	int64_t total;
	const struct golabel *of = golabels_of(l, entry, &nr, &total);

	for (size_t i = 0; i < nr; i++) {
		struct json_object *item = json_append_obj(list);

		set_json(json_add_arr(item, "labels"), l->profile, &l->profile->label_sets[of[i].set]);
		json_add_i64(item, "samples", of[i].samples);
		json_add_num(item, "share", (double)of[i].samples / (double)total);
	}
}
