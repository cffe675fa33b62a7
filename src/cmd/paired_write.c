/*
 * The pairs as text, markdown and JSON.
 */
#include <inttypes.h>

#include "cmd/compared.h"
#include "cmd/message.h"
#include "cmd/paired.h"

static const char *caller_of(const struct compare_stacks *s, uint32_t row)
{
	const struct profile *j = &s->joint;
	uint32_t up = j->nodes[s->node[row]].parent;

	return up ? profile_str(j, j->frames[j->nodes[up].frame].name) : "";
}

static void put_stack(FILE *f, const struct compare_stacks *s, uint32_t row)
{
	const char *caller = caller_of(s, row);

	put_safe(f, paired_leaf(s, row));
	if (*caller) {
		fputs(" < ", f);
		put_safe(f, caller);
	}
}

static void put_miss(FILE *f, const char *who, const struct paired *p, const struct paired_miss *m)
{
	char a[32], b[32];

	fprintf(f, "  goroutine_run_miss_rate of %s: %s of goroutines' run time in intervals without a sample (a perfect sampler of its rate: %s); never seen: %"
		   PRIu64 " of %" PRIu64 " goroutines, %" PRIu64 " of %" PRIu64 " entry functions\n",
		who, percent_text(a, sizeof(a), m->rate), percent_text(b, sizeof(b), m->perfect), m->goroutines, p->goroutines,
		m->entries, p->entries);
}

void paired_text(FILE *f, const struct paired *p, double aggregated, bool markdown)
{
	char a[64], b[64], c[64];
	size_t shown = p->nr_rows < PAIRED_SHOWN ? p->nr_rows : PAIRED_SHOWN;

	fprintf(f, "%spprof's samples beside perf's last of the same thread (execution trace): %" PRIu64 " of %" PRIu64
		   " have one",
		markdown ? "\n" : "", p->pairs, p->samples);
	if (!p->pairs) {
		fputs("\n\n", f);
		return;
	}
	fprintf(f, "; %s came late, %s name the same function\n", percent_text(a, sizeof(a), (double)p->late / (double)p->pairs),
		percent_text(b, sizeof(b), (double)p->same_function / (double)p->pairs));
	fputs(markdown ? "\n| pprof wrote | the thread did | samples | share | late | for example |\n|---|---|---:|---:|---:|---|\n"
		       : "  pprof wrote  the thread did  samples    share  late  for example\n", f);
	for (size_t i = 0; i < shown; i++) {
		const struct paired_row *r = &p->rows[i];

		fprintf(f, markdown ? "| %s | %s | %" PRIu64 " | %s | %" PRIu64 " | " : "  %-12s %-14s %8" PRIu64 " %8s %5" PRIu64 "  ",
			compare_class_name(r->pprof), compare_class_name(r->perf), r->samples,
			percent_text(a, sizeof(a), (double)r->samples / (double)p->pairs), r->late);
		put_stack(f, &p->pprof, r->pprof_stack);
		fprintf(f, ", %s after ", format_value(b, sizeof(b), (double)r->distance, "nanoseconds"));
		put_stack(f, &p->perf, r->perf_stack);
		fputs(markdown ? " |\n" : "\n", f);
	}
	if (p->nr_rows > shown)
		fprintf(f, "%s%zu more\n", markdown ? "\n" : "  ", p->nr_rows - shown);
	if (markdown)
		fputc('\n', f);
	put_miss(f, "pprof", p, &p->pprof_miss);
	put_miss(f, "perf", p, &p->perf_miss);
	fprintf(f, "%s  preemption_capture_excess by pairs %s points (pprof %s), of the whole profiles %s points\n\n", markdown ? "\n" : "",
		points_text(a, sizeof(a), p->pprof_preemption - p->perf_preemption),
		percent_text(b, sizeof(b), p->pprof_preemption), points_text(c, sizeof(c), aggregated));
}

static void miss_json(struct json_object *doc, const char *who, const struct paired_miss *m)
{
	struct json_object *o = json_add_obj(doc, who);

	json_add_num(o, "value", m->rate);
	json_add_num(o, "perfect_sampler", m->perfect);
	json_add_u64(o, "goroutines_never_seen", m->goroutines);
	json_add_u64(o, "entries_never_seen", m->entries);
}

static void stack_json(struct json_object *o, const char *key, const struct compare_stacks *s, uint32_t row)
{
	const struct profile *j = &s->joint;
	struct json_object *arr = json_add_arr(o, key);

	for (uint32_t at = s->node[row]; at; at = j->nodes[at].parent)
		json_object_array_add(arr, json_object_new_string(profile_str(j, j->frames[j->nodes[at].frame].name)));
}

void paired_json(struct json_object *doc, const struct paired *p, double aggregated)
{
	struct json_object *obj = json_add_obj(doc, "paired"), *arr, *row;

	json_add_u64(obj, "samples", p->samples);
	json_add_u64(obj, "pairs", p->pairs);
	json_add_u64(obj, "late", p->late);
	json_add_u64(obj, "same_function", p->same_function);
	row = json_add_obj(obj, "preemption_capture_excess");
	json_add_num(row, "value", p->pprof_preemption - p->perf_preemption);
	json_add_num(row, "pprof_share", p->pprof_preemption);
	json_add_num(row, "perf_share", p->perf_preemption);
	json_add_num(row, "aggregated", aggregated);
	row = json_add_obj(obj, "goroutine_run_miss_rate");
	miss_json(row, "pprof", &p->pprof_miss);
	miss_json(row, "perf", &p->perf_miss);
	json_add_u64(row, "goroutines", p->goroutines);
	json_add_u64(row, "entries", p->entries);
	arr = json_add_arr(obj, "classes");
	for (size_t i = 0; i < p->nr_rows; i++) {
		const struct paired_row *r = &p->rows[i];

		row = json_append_obj(arr);
		json_add_str(row, "pprof", compare_class_name(r->pprof));
		json_add_str(row, "perf", compare_class_name(r->perf));
		json_add_u64(row, "samples", r->samples);
		json_add_u64(row, "late", r->late);
		row = json_add_obj(row, "example");
		json_add_u64(row, "time", r->time);
		json_add_u64(row, "tid", r->tid);
		if (r->goid)
			json_add_u64(row, "goid", r->goid);
		else
			json_add_str(row, "goid", NULL);
		json_add_u64(row, "distance_ns", r->distance);
		stack_json(row, "pprof", &p->pprof, r->pprof_stack);
		stack_json(row, "perf", &p->perf, r->perf_stack);
	}
}
