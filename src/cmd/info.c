/*
 * perfskew info: what is in a recording and how much of it can be trusted.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/output.h"
#include "cmd/cmd.h"
#include "cmd/color.h"
#include "cmd/confine.h"
#include "cmd/input.h"
#include "cmd/json.h"
#include "cmd/message.h"
#include "cmd/traceinfo.h"
#include "process/gotab.h"

struct info {
	struct common_options common;
	struct read_options read;
};

static const struct opt_group groups[] = {
	OPT_GROUP("Input and output", common_opts, struct info, common),
	OPT_GROUP("Samples and stacks", read_opts, struct info, read),
	{0},
};

static const char *const status_names[] = {
	[MODULE_VERIFIED] = "verified",
	[MODULE_UNVERIFIED] = "unverified",
	[MODULE_MISMATCH] = "mismatch",
	[MODULE_MISSING] = "missing",
};

static const char *arch_name(enum perf_arch arch)
{
	static const char *const names[] = {
		[PERF_ARCH_UNKNOWN] = "unknown", [PERF_ARCH_X86_64] = "x86_64",
		[PERF_ARCH_ARM64] = "aarch64",	 [PERF_ARCH_X86_32] = "i686",
		[PERF_ARCH_ARM32] = "arm",	 [PERF_ARCH_OTHER] = "other",
	};

	return names[arch];
}

static const char *arch_text(const struct perfdata *pd)
{
	const char *recorded = perfdata_features(pd)->arch;

	return recorded && *recorded ? recorded : arch_name(perfdata_arch(pd));
}

static int by_samples(const void *a, const void *b)
{
	const struct module *x = *(struct module *const *)a, *y = *(struct module *const *)b;

	if (x->samples != y->samples)
		return x->samples > y->samples ? -1 : 1;
	return strcmp(x->path, y->path);
}

/* Modules that samples hit, most first; those without a file on disk (anon) too. The caller frees it. */
static struct module **hit_modules(const struct collect *c, size_t *nr)
{
	struct modules *ms = session_modules(c->session);
	struct module **list = calloc(modules_nr(ms) + 1, sizeof(*list));

	*nr = 0;
	for (uint32_t i = 0; list && i < modules_nr(ms); i++) {
		struct module *m = modules_get(ms, i);

		if (!m->samples)
			continue;
		module_open(ms, m);
		list[(*nr)++] = m;
	}
	if (list)
		qsort(list, *nr, sizeof(*list), by_samples);
	return list;
}

static uint64_t complete(const struct collect *c)
{
	uint64_t n = 0;

	for (int i = 0; i < UNWIND_ENDS; i++)
		if (unwind_end_complete((enum unwind_end)i))
			n += c->ends[i];
	return n;
}

/* --- JSON ------------------------------------------------------------------------ */

static void json_records(struct json_object *doc, const struct perfdata_stats *st)
{
	struct json_object *records = json_add_obj(doc, "records");

	for (size_t i = 0; i < st->nr_records; i++) {
		const char *name = perf_record_name(st->records[i].type);
		char number[32];

		snprintf(number, sizeof(number), "UNKNOWN_%" PRIu32, st->records[i].type);
		json_add_u64(records, name ? name : number, st->records[i].count);
	}
}

static void json_unwind(struct json_object *doc, const struct collect *c)
{
	struct json_object *unwind = json_add_obj(doc, "unwind");

	json_add_u64(unwind, "complete", complete(c));
	for (int i = 0; i < UNWIND_ENDS; i++)
		if (i != UNWIND_ROOT)
			json_add_u64(unwind, unwind_end_key((enum unwind_end)i), c->ends[i]);
	json_add_u64(unwind, "user_stacks", c->user_stacks);
	json_add_u64(unwind, "rooted", c->rooted_stacks);
}

/* Samples by whom they ran for, and how that is known. */
static void json_goroutines(struct json_object *doc, const struct collect *c)
{
	struct json_object *obj = json_add_obj(doc, "goroutines"), *list;

	json_add_u64(obj, "distinct", c->distinct_goroutines);
	list = json_add_obj(obj, "kinds");
	for (int i = 0; i < GOROUTINE_KINDS; i++)
		json_add_u64(list, goroutine_kind_key((enum goroutine_kind)i), c->goroutine_kinds[i]);
	list = json_add_obj(obj, "sources");
	for (int i = 0; i < GOROUTINE_SOURCES; i++)
		json_add_u64(list, goroutine_source_key((enum goroutine_source)i), c->goroutine_sources[i]);
}

static void json_dsos(struct json_object *doc, const struct collect *c)
{
	struct json_object *arr = json_add_arr(doc, "dsos");
	struct module **list;
	size_t nr;

	list = hit_modules(c, &nr);
	for (size_t i = 0; i < nr; i++) {
		const struct module *m = list[i];
		struct json_object *row = json_append_obj(arr);
		char hex[41];

		json_add_str(row, "path", m->path);
		json_add_str(row, "build_id", m->build_id_size ? build_id_hex(m->build_id, m->build_id_size, hex) : NULL);
		json_add_str(row, "status", status_names[m->status]);
		json_add_u64(row, "samples", m->samples);
		json_add_str(row, "file", m->file);
		json_add_str(row, "file_build_id",
			     m->file_build_id_size ? build_id_hex(m->file_build_id, m->file_build_id_size, hex) : NULL);
		json_add_str(row, "why", m->why);
		json_add_str(row, "go_version", m->gotab ? gotab_go_version(m->gotab) : NULL);
	}
	free(list);
}

static struct json_object *json_info(const struct input *in)
{
	const struct collect *c = &in->collect;
	const struct perfdata_stats *st = perfdata_stats(c->perfdata);
	struct json_object *doc = json_document("perfskew.info.v1"), *arr;
	char comm[16];

	json_add_u64(doc, "samples", c->total_samples);
	json_add_u64(doc, "lost", st->lost);
	arr = json_add_arr(doc, "events");
	for (size_t i = 0; i < c->nr_events; i++) {
		struct json_object *row = json_append_obj(arr);

		json_add_str(row, "name", c->events[i].name);
		json_add_u64(row, "samples", c->events[i].samples);
		json_add_u64(row, "period", c->events[i].period);
	}
	arr = json_add_arr(doc, "comms");
	for (size_t i = 0; i < c->nr_comms; i++) {
		struct json_object *row = json_append_obj(arr);

		json_add_str(row, "event", c->events[c->comms[i].event].name);
		json_add_str(row, "comm", session_comm_text(c->session, c->comms[i].comm, comm, sizeof(comm)));
		json_add_u64(row, "samples", c->comms[i].samples);
		json_add_u64(row, "period", c->comms[i].period);
		json_add_u64(row, "time_first", c->comms[i].time_first);
		json_add_u64(row, "time_last", c->comms[i].time_last);
	}
	json_records(doc, st);
	json_add_str(doc, "arch", arch_text(c->perfdata));
	json_add_str(doc, "form", perfdata_form(c->perfdata) == PERFDATA_PIPE ? "pipe" : "file");
	json_add_bool(doc, "compressed", perfdata_compressed(c->perfdata));
	json_unwind(doc, c);
	json_goroutines(doc, c);
	traceinfo_used_json(doc, c);
	json_dsos(doc, c);
	json_add_damage(doc, &in->damage);
	json_add_u64(doc, "dropped", c->dropped);
	json_add_u64(doc, "late", c->late);
	json_add_u64(doc, "filtered", c->filtered);
	json_add_u64(doc, "throttled", st->throttled);
	json_add_str(doc, "cmdline", perfdata_features(c->perfdata)->cmdline);
	json_add_str(doc, "perf_version", perfdata_features(c->perfdata)->version);
	json_add_str(doc, "os_release", perfdata_features(c->perfdata)->osrelease);
	return doc;
}

/* --- text -------------------------------------------------------------------------- */

static void line(FILE *f, const char *name, const char *value)
{
	if (!value || !*value)
		return;
	fprintf(f, "%-12s ", name);
	put_safe(f, value);
	fputc('\n', f);
}

static const char *count(char *buf, size_t size, uint64_t n)
{
	return format_value(buf, size, (double)n, "count");
}

static void text_head(FILE *f, const struct input *in)
{
	const struct collect *c = &in->collect;
	const struct perf_features *ft = perfdata_features(c->perfdata);
	const struct perfdata_stats *st = perfdata_stats(c->perfdata);
	static const char *const forms[] = {"file", "pipe", "directory"};
	char buf[64], text[160];

	line(f, "file", in->path);
	snprintf(text, sizeof(text), "%s%s, %s%s", forms[perfdata_form(c->perfdata)],
		 perfdata_compressed(c->perfdata) ? ", zstd" : "", arch_text(c->perfdata),
		 perfdata_swapped(c->perfdata) ? ", foreign byte order" : "");
	line(f, "form", text);
	line(f, "command", ft->cmdline);
	line(f, "perf", ft->version);
	line(f, "kernel", ft->osrelease);
	line(f, "host", ft->hostname);
	line(f, "cpu", ft->cpudesc);
	snprintf(text, sizeof(text), "%.3f s", (double)(c->time_last - c->time_first) / 1e9);
	line(f, "duration", text);
	line(f, "samples", count(buf, sizeof(buf), c->total_samples));
	if (st->lost) {
		snprintf(text, sizeof(text), "%s (%.2f %% of all)", count(buf, sizeof(buf), st->lost),
			 100.0 * (double)st->lost / ((double)st->lost + (double)c->total_samples));
		line(f, "lost", text);
	}
	if (c->dropped)
		line(f, "dropped", count(buf, sizeof(buf), c->dropped));
	if (c->late)
		line(f, "late", count(buf, sizeof(buf), c->late));
	if (c->filtered)
		line(f, "filtered", count(buf, sizeof(buf), c->filtered));
	if (st->throttled)
		line(f, "throttled", count(buf, sizeof(buf), st->throttled));
}

static void text_events(FILE *f, const struct collect *c)
{
	char a[64], b[64];

	fputs("\nevents          samples          period  name\n", f);
	for (size_t i = 0; i < c->nr_events; i++) {
		fprintf(f, "%23s %15s  ", count(a, sizeof(a), c->events[i].samples),
			format_value(b, sizeof(b), (double)c->events[i].period, c->events[i].unit));
		put_safe(f, c->events[i].name);
		fputc('\n', f);
	}
	fputs("\ncommands        samples  name\n", f);
	for (size_t i = 0; i < c->nr_comms; i++) {
		fprintf(f, "%23s  ", count(a, sizeof(a), c->comms[i].samples));
		put_safe(f, session_comm_text(c->session, c->comms[i].comm, b, sizeof(b)));
		if (c->nr_events > 1) {
			fputs(" (", f);
			put_safe(f, c->events[c->comms[i].event].name);
			fputc(')', f);
		}
		fputc('\n', f);
	}
}

static void text_unwind(FILE *f, const struct collect *c)
{
	char a[64];
	uint64_t all = collect_counted(c);

	fputs("\nstacks          samples       %  how they end\n", f);
	for (int i = 0; i < UNWIND_ENDS; i++)
		if (c->ends[i])
			fprintf(f, "%23s %6.2f%%  %s\n", count(a, sizeof(a), c->ends[i]),
				100.0 * (double)c->ends[i] / (double)(all ? all : 1),
				unwind_end_text((enum unwind_end)i));
	if (c->user_stacks)
		fprintf(f, "%23s %6.2f%%  of the stacks with user frames reached their root\n",
			count(a, sizeof(a), c->rooted_stacks),
			100.0 * (double)c->rooted_stacks / (double)c->user_stacks);
}

static void text_goroutines(FILE *f, const struct collect *c)
{
	uint64_t all = collect_counted(c), charged = 0;
	char a[64];

	for (int i = 0; i < GOROUTINE_SOURCES; i++)
		charged += c->goroutine_sources[i];
	if (!charged)
		return;
	fputs("\ngoroutines      samples       %  whom they ran for\n", f);
	for (int i = 0; i < GOROUTINE_KINDS; i++)
		if (c->goroutine_kinds[i])
			fprintf(f, "%23s %6.2f%%  %s\n", count(a, sizeof(a), c->goroutine_kinds[i]),
				100.0 * (double)c->goroutine_kinds[i] / (double)(all ? all : 1),
				goroutine_kind_text((enum goroutine_kind)i));
	fprintf(f, "  of goroutines, which of %" PRIu64 ", by\n", c->distinct_goroutines);
	for (int i = 0; i < GOROUTINE_SOURCES; i++)
		if (c->goroutine_sources[i])
			fprintf(f, "%23s %6.2f%%  %s: %s\n", count(a, sizeof(a), c->goroutine_sources[i]),
				100.0 * (double)c->goroutine_sources[i] / (double)charged,
				goroutine_source_confidence((enum goroutine_source)i),
				goroutine_source_text((enum goroutine_source)i));
}

static void text_dsos(FILE *f, const struct collect *c, bool color)
{
	size_t nr;
	struct module **list = hit_modules(c, &nr);
	char a[64], hex[41];

	fputs("\nbinaries        samples  status      build-id\n", f);
	for (size_t i = 0; i < nr; i++) {
		const struct module *m = list[i];

		fprintf(f, "%23s  %s%-10s%s  %-40s  ", count(a, sizeof(a), m->samples),
			color_start(color, m->status == MODULE_VERIFIED	    ? COLOR_GOOD
					   : m->status == MODULE_UNVERIFIED ? COLOR_PLAIN
									    : COLOR_BAD),
			status_names[m->status], color_start(color, COLOR_PLAIN),
			m->build_id_size ? build_id_hex(m->build_id, m->build_id_size, hex) : "-");
		put_safe(f, m->path);
		if (m->gotab && gotab_go_version(m->gotab)) {
			fputs(" (", f);
			put_safe(f, gotab_go_version(m->gotab));
			fputc(')', f);
		}
		if (m->why) {
			fputs(": ", f);
			put_safe(f, m->why);
		}
		fputc('\n', f);
	}
	free(list);
}

static void text_records(FILE *f, const struct perfdata_stats *st)
{
	char a[64];

	fputs("\nrecords           count  type\n", f);
	for (size_t i = 0; i < st->nr_records; i++) {
		const char *name = perf_record_name(st->records[i].type);

		fprintf(f, "%23s  ", count(a, sizeof(a), st->records[i].count));
		if (name)
			fprintf(f, "%s\n", name);
		else
			fprintf(f, "unknown type %" PRIu32 ", skipped\n", st->records[i].type);
	}
}

static int write_text(const struct info *o, const struct input *in)
{
	const struct perf_features *ft = perfdata_features(in->collect.perfdata);
	struct output out;
	struct error e;

	if (output_open(&out, o->common.output, &e) < 0)
		return fail(&e);
	text_head(out.f, in);
	text_events(out.f, &in->collect);
	text_unwind(out.f, &in->collect);
	text_goroutines(out.f, &in->collect);
	traceinfo_used_text(out.f, &in->collect);
	text_dsos(out.f, &in->collect, color_wanted(&o->common, out.f));
	text_records(out.f, perfdata_stats(in->collect.perfdata));
	if (o->common.verbose) {
		fputs("\nheader\n", out.f);
		for (size_t i = 0; i < ft->nr_text; i++) {
			fputs("  ", out.f);
			put_safe(out.f, ft->text[i]);
			fputc('\n', out.f);
		}
	}
	return output_commit(&out, &e) < 0 ? fail(&e) : EXIT_CODE_OK;
}

static int show_trace(const struct info *o, const struct input *in)
{
	struct output out;
	struct error e;

	if (o->common.format && !strcmp(o->common.format, "json")) {
		struct json_object *doc = json_document("perfskew.trace.v1");

		traceinfo_json(doc, &in->trace);
		json_add_damage(doc, &in->damage);
		return json_write(doc, &o->common);
	}
	if (output_open(&out, o->common.output, &e) < 0)
		return fail(&e);
	line(out.f, "file", in->path);
	traceinfo_text(out.f, &in->trace);
	return output_commit(&out, &e) < 0 ? fail(&e) : EXIT_CODE_OK;
}

static int show(const struct info *o, const struct input *in)
{
	if (in->kind == INPUT_TRACE)
		return show_trace(o, in);
	if (in->kind != INPUT_PERF) {
		message("info: %s: is a profile, not a recording; see report", in->path);
		return EXIT_CODE_USAGE;
	}
	if (o->common.format && !strcmp(o->common.format, "json"))
		return json_write(json_info(in), &o->common);
	return write_text(o, in);
}

static int run(void *options, int argc, char **argv)
{
	struct info *o = options;
	struct input_wants wants = {.stacks_only = true, .goroutines = true, .own_warnings = true, .traces = true};
	struct input in;
	struct error e;
	const char *path = input_single(&o->common, argc, argv, &e);
	int code, damaged;

	if (path && o->common.format && strcmp(o->common.format, "text") &&
	    strcmp(o->common.format, "json")) {
		error_set(&e, EXIT_CODE_USAGE, "--format '%s' is none of text, json", o->common.format);
		path = NULL;
	}
	if (!path) {
		message("info: %s", e.text);
		return EXIT_CODE_USAGE;
	}
	confine_input(path);
	if (confine(&o->common, &o->read, &e) < 0)
		return fail(&e);
	if (input_load(&in, path, &o->read, &o->common, &wants, &e) < 0)
		return fail(&e);
	damaged = report_damage(in.path, &in.damage);
	code = damaged && o->common.strict ? damaged : show(o, &in);
	input_release(&in);
	return code ? code : damaged;
}

const struct cmd cmd_info = {
	.name = "info",
	.args = "[FILE]",
	.summary = "what is in the file: events, processes, losses, unwinding quality, binaries",
	.groups = groups,
	.size = sizeof(struct info),
	.run = run,
};
