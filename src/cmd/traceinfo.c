#include "cmd/traceinfo.h"

#include <inttypes.h>

#include "cmd/message.h"

/* --- the trace itself ------------------------------------------------------------------ */

static const char *const clock_names[] = {"another clock", "CLOCK_MONOTONIC"};

static uint64_t spans(const struct trace *t)
{
	uint64_t n = 0;

	for (size_t i = 0; i < t->nr_threads; i++)
		n += t->threads[i].nr;
	return n;
}

static uint64_t total(const struct trace_phase *p, size_t nr, uint64_t end)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < nr; i++)
		sum += (p[i].to ? p[i].to : end) - p[i].from;
	return sum;
}

static void line(FILE *f, const char *name, uint64_t n, const char *rest)
{
	char buf[64];

	fprintf(f, "%-12s %s%s\n", name, format_value(buf, sizeof(buf), (double)n, "count"), rest);
}

static void phase_line(FILE *f, const char *name, const struct trace_phase *p, size_t nr, uint64_t end)
{
	char buf[64], rest[96];

	snprintf(rest, sizeof(rest), ", %s in all", format_value(buf, sizeof(buf), (double)total(p, nr, end), "nanoseconds"));
	line(f, name, nr, nr ? rest : "");
}

void traceinfo_text(FILE *f, const struct trace *t)
{
	char buf[64];

	fprintf(f, "form         Go execution trace, go 1.%u\n", t->version);
	fprintf(f, "duration     %.3f s of %s\n", (double)(t->to - t->from) / 1e9, clock_names[t->monotonic]);
	line(f, "generations", t->generations, "");
	line(f, "goroutines", t->nr_goroutines, "");
	line(f, "threads", t->nr_threads, "");
	line(f, "CPU samples", t->nr_cpu_samples, "");
	phase_line(f, "collections", t->collections, t->nr_collections, t->to);
	phase_line(f, "pauses", t->pauses, t->nr_pauses, t->to);
	fputs("\nevents            count  as Go's reader counts them\n", f);
	for (int i = 0; i < TRACE_KINDS; i++)
		if (t->kinds[i])
			fprintf(f, "%23s  %s\n", format_value(buf, sizeof(buf), (double)t->kinds[i], "count"),
				trace_kind_name((enum trace_kind)i));
	fputs("\non the wire       count  type\n", f);
	for (unsigned i = 0; i < 256; i++)
		if (t->events[i] && trace_event_name(i))
			fprintf(f, "%23s  %s\n", format_value(buf, sizeof(buf), (double)t->events[i], "count"),
				trace_event_name(i));
}

static void phases_json(struct json_object *doc, const char *key, const struct trace *t, const struct trace_phase *p,
			size_t nr)
{
	struct json_object *arr = json_add_arr(doc, key);

	for (size_t i = 0; i < nr; i++) {
		struct json_object *row = json_append_obj(arr);

		if (p[i].what)
			json_add_str(row, "what", trace_str(t, p[i].what));
		json_add_u64(row, "from", p[i].from);
		if (p[i].to)
			json_add_u64(row, "to", p[i].to);
		else
			json_add_str(row, "to", NULL);
	}
}

void traceinfo_json(struct json_object *doc, const struct trace *t)
{
	struct json_object *obj;
	char version[16];

	snprintf(version, sizeof(version), "1.%u", t->version);
	json_add_str(doc, "version", version);
	json_add_u64(doc, "generations", t->generations);
	json_add_bool(doc, "monotonic", t->monotonic);
	json_add_u64(doc, "time_first", t->from);
	json_add_u64(doc, "time_last", t->to);
	json_add_u64(doc, "threads", t->nr_threads);
	json_add_u64(doc, "spans", spans(t));
	json_add_u64(doc, "cpu_samples", t->nr_cpu_samples);
	obj = json_add_obj(doc, "events");
	for (int i = 0; i < TRACE_KINDS; i++)
		json_add_u64(obj, trace_kind_name((enum trace_kind)i), t->kinds[i]);
	obj = json_add_obj(doc, "wire");
	for (unsigned i = 0; i < 256; i++)
		if (t->events[i] && trace_event_name(i))
			json_add_u64(obj, trace_event_name(i), t->events[i]);
	phases_json(doc, "collections", t, t->collections, t->nr_collections);
	phases_json(doc, "pauses", t, t->pauses, t->nr_pauses);
	obj = json_add_arr(doc, "goroutines");
	for (size_t i = 0; i < t->nr_goroutines; i++)
		traceinfo_goroutine_json(json_append_obj(obj), t, &t->goroutines[i]);
	json_add_str(doc, "broken", t->broken.text[0] ? t->broken.text : NULL);
}

/* --- one goroutine ------------------------------------------------------------------------- */

/* The frame of the go statement. */
static const struct trace_frame *creator(const struct trace *t, const struct trace_goroutine *g)
{
	const struct trace_stack *s = &t->stacks[g->created_by];

	return s->nr ? &t->frames[s->first] : NULL;
}

bool traceinfo_created_by(FILE *f, const struct trace *t, const struct trace_goroutine *g)
{
	const struct trace_frame *by = creator(t, g);

	if (!by && !g->parent)
		return false;
	fputs("created by ", f);
	put_safe(f, by ? trace_str(t, by->func) : "?");
	if (g->parent)
		fprintf(f, " in goroutine %" PRIu64, g->parent);
	return true;
}

static void stack_json(struct json_object *row, const char *key, const struct trace *t, uint32_t stack)
{
	const struct trace_stack *s = &t->stacks[stack];
	struct json_object *arr;

	if (!s->nr) {
		json_add_str(row, key, NULL);
		return;
	}
	arr = json_add_arr(row, key);
	for (uint32_t i = 0; i < s->nr; i++) {
		const struct trace_frame *f = &t->frames[s->first + i];
		struct json_object *o = json_append_obj(arr);

		json_add_str(o, "name", trace_str(t, f->func));
		json_add_str(o, "file", trace_str(t, f->file));
		json_add_u64(o, "line", f->line);
	}
}

static void add_or_null(struct json_object *row, const char *key, uint64_t value)
{
	if (value)
		json_add_u64(row, key, value);
	else
		json_add_str(row, key, NULL);
}

void traceinfo_goroutine_json(struct json_object *row, const struct trace *t, const struct trace_goroutine *g)
{
	json_add_u64(row, "goid", g->goid);
	json_add_str(row, "starts_in", g->entry ? trace_str(t, g->entry) : NULL);
	json_add_str(row, "state", trace_state_name((enum trace_state)g->state));
	json_add_str(row, "label", g->label ? trace_str(t, g->label) : NULL);
	add_or_null(row, "parent", g->parent);
	stack_json(row, "created_by", t, g->created_by);
	add_or_null(row, "created", g->created);
	add_or_null(row, "ended", g->ended);
	json_add_u64(row, "starts", g->starts);
	json_add_u64(row, "running_ns", g->time[TRACE_RUNNING]);
	json_add_u64(row, "syscall_ns", g->time[TRACE_IN_SYSCALL]);
	json_add_u64(row, "runnable_ns", g->time[TRACE_RUNNABLE]);
	json_add_u64(row, "waiting_ns", g->time[TRACE_WAITING]);
}

/* --- beside a recording ---------------------------------------------------------------------- */

static uint64_t judged(const struct collect_trace *ct)
{
	uint64_t n = 0;

	for (int i = 0; i < GOROUTINE_SOURCES; i++)
		n += ct->judged[i];
	return n;
}

static double share(uint64_t part, uint64_t whole)
{
	return whole ? (double)part / (double)whole : 0;
}

void traceinfo_used_text(FILE *f, const struct collect *c)
{
	const struct collect_trace *ct = &c->trace;
	char a[64], b[64];

	if (!c->has_trace)
		return;
	fprintf(f, "\n%-15s samples       %%  \n", ct->switches ? "probe" : "execution trace");
	if (ct->unused) {
		fprintf(f, "  goes unused: %s\n", ct->unused);
		return;
	}
	if (ct->switches)
		fprintf(f, "%23s          switches to goroutines\n", format_value(a, sizeof(a), (double)ct->switches, "count"));
	fprintf(f, "%23s %6.2f%%  of %s that ran for a goroutine in its seconds have their goid\n",
		format_value(a, sizeof(a), (double)ct->charged, "count"), 100 * share(ct->charged, ct->samples),
		format_value(b, sizeof(b), (double)ct->samples, "count"));
	fputs("  without it, right of those it tells, by\n", f);
	for (int i = 0; i < GOROUTINE_SOURCES; i++)
		if (ct->judged[i])
			fprintf(f, "%23s %6.2f%%  %s: %s\n", format_value(a, sizeof(a), (double)ct->judged[i], "count"),
				100 * share(ct->right[i], ct->judged[i]), goroutine_source_confidence((enum goroutine_source)i),
				goroutine_source_text((enum goroutine_source)i));
	fprintf(f, "  goroutines: %s, %" PRIu64 " of them taken for more than one without it\n",
		format_value(a, sizeof(a), (double)ct->goids, "count"), ct->split);
}

void traceinfo_used_json(struct json_object *doc, const struct collect *c)
{
	const struct collect_trace *ct = &c->trace;
	struct json_object *obj, *row;

	if (!c->has_trace)
		return;
	obj = json_add_obj(doc, ct->switches ? "switches" : "trace");
	if (ct->switches)
		json_add_u64(obj, "switches", ct->switches);
	json_add_str(obj, "unused", ct->unused);
	json_add_u64(obj, "samples", ct->samples);
	json_add_u64(obj, "charged", ct->charged);
	json_add_u64(obj, "goroutines", ct->goids);
	json_add_u64(obj, "split", ct->split);
	json_add_u64(obj, "judged", judged(ct));
	obj = json_add_obj(obj, ct->switches ? "without_switches" : "without_trace");
	for (int i = 0; i < GOROUTINE_SOURCES; i++) {
		if (!ct->judged[i])
			continue;
		row = json_add_obj(obj, goroutine_source_key((enum goroutine_source)i));
		json_add_u64(row, "samples", ct->judged[i]);
		json_add_u64(row, "right", ct->right[i]);
	}
}
