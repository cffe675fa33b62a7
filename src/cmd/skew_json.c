/*
 * The skew as JSON.
 */
#include <math.h>

#include "cmd/compared.h"
#include "cmd/skew.h"

static void add_findings(struct json_object *doc, const struct skew_result *r)
{
	struct json_object *arr = json_add_arr(doc, "findings");
	struct skew_findings all;

	skew_find(r, &all);
	for (size_t i = 0; i < all.nr; i++) {
		struct json_object *o = json_append_obj(arr);

		json_add_num(o, "share", all.list[i].size);
		json_add_str(o, "text", all.list[i].text);
		json_add_str(o, "cause", *all.list[i].cause ? all.list[i].cause : NULL);
	}
}

/* "repaired": what the metrics are after convert --repair; null where there is nothing to repair. */
static void add_repaired(struct json_object *doc, const struct skew_result *r)
{
	struct json_object *o;

	if (!r->has_repaired) {
		json_add_str(doc, "repaired", NULL);
		return;
	}
	o = json_add_obj(doc, "repaired");
	json_add_num(o, "moved", r->moved);
	compared_json_metrics(o, &r->repaired, "perf_share", "pprof_share", true);
}

int skew_json(const struct skew_result *r, const struct common_options *o)
{
	struct json_object *doc = json_document("perfskew.skew.v1"), *side, *notes;
	struct damage damage;

	side = json_add_obj(doc, "perf");
	json_add_str(side, "event", input_event_name(&r->perf, r->a.weight));
	json_add_num(side, "samples", r->c.a_samples);
	json_add_num(side, "cpu_seconds", r->timed ? r->c.a_weight / 1e9 : NAN);
	side = json_add_obj(doc, "pprof");
	json_add_str(side, "type", profile_str(r->b.profile, r->b.profile->series[r->b.weight].type));
	json_add_num(side, "samples", r->c.b_samples);
	json_add_num(side, "cpu_seconds", r->c.b_weight / 1e9);
	side = json_add_obj(doc, "coverage");
	json_add_num(side, "value", r->coverage);
	json_add_range(side, "ci95", r->coverage_low, r->coverage_high);
	add_findings(doc, r);
	compared_json_metrics(doc, &r->c, "perf_share", "pprof_share", true);
	compared_json_rows(doc, "classes", "class", r->c.classes, r->c.nr_classes, "perf", "pprof");
	compared_json_functions(doc, &r->c, "perf", "pprof");
	compared_json_rows(doc, "goroutines", "entry", r->c.goroutines, r->c.nr_goroutines, "perf", "pprof");
	add_repaired(doc, r);
	if (r->has_paired)
		paired_json(doc, &r->paired, r->c.metrics[SKEW_PREEMPTION_CAPTURE_EXCESS].value);
	notes = json_add_arr(doc, "notes");
	for (size_t i = 0; i < r->nr_notes; i++)
		json_object_array_add(notes, json_object_new_string(r->notes[i]));
	compared_json_null_notes(notes, &r->c, "perf", "pprof", true);
	damage = r->perf.damage;
	damage_merge(&damage, &r->pprof.damage);
	json_add_damage(doc, &damage);
	return json_write(doc, o);
}
