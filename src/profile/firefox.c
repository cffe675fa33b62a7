#include "profile/firefox.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "profile/jsontext.h"
#include "profile/tree.h"

#define PROCESSED_VERSION 60 /* of the processed form */
#define GECKO_VERSION 31	     /* of the form it would have come from */

struct writer {
	FILE *f;
	const struct profile *p;
	const struct firefox_write_options *o;
	struct tree t;
	/* strings of the profile that are used, in order of first use */
	uint32_t *strings, *string_index;
	size_t nr_strings;
	/* resources are binaries, sources are files: string ids, in order of first use */
	uint32_t *resources, *resource_index, *sources, *source_index;
	size_t nr_resources, nr_sources;
};

static uint32_t *none(size_t nr)
{
	uint32_t *a = xreallocarray(NULL, nr + 1, sizeof(*a));

	for (size_t i = 0; i < nr; i++)
		a[i] = TREE_NONE;
	return a;
}

/* The number of id in the list, added when new. */
static uint32_t number(uint32_t *list, size_t *nr, uint32_t *index, uint32_t id)
{
	if (index[id] == TREE_NONE) {
		index[id] = (uint32_t)*nr;
		list[(*nr)++] = id;
	}
	return index[id];
}

static uint32_t string(struct writer *w, uint32_t id)
{
	return number(w->strings, &w->nr_strings, w->string_index, id);
}

/* "key":[…] with one value per i; value prints it. */
typedef void put_value(struct writer *w, size_t i);
static void column(struct writer *w, const char *key, size_t nr, put_value *value)
{
	fprintf(w->f, "\"%s\":[", key);
	for (size_t i = 0; i < nr; i++) {
		if (i)
			fputc(',', w->f);
		value(w, i);
	}
	fputs("],\n", w->f);
}

static const struct profile_frame *frame(const struct writer *w, size_t function)
{
	return &w->p->frames[w->t.functions[function]];
}

static void put_null(struct writer *w, size_t i)
{
	(void)i;
	fputs("null", w->f);
}

static void put_zero(struct writer *w, size_t i)
{
	(void)i;
	fputc('0', w->f);
}

static void put_false(struct writer *w, size_t i)
{
	(void)i;
	fputs("false", w->f);
}

static void put_minus_one(struct writer *w, size_t i)
{
	(void)i;
	fputs("-1", w->f);
}

static void put_index(struct writer *w, size_t i)
{
	fprintf(w->f, "%zu", i);
}

static void put_category(struct writer *w, size_t i)
{
	fprintf(w->f, "%u", w->o->category[w->t.functions[i]]);
}

static void put_name(struct writer *w, size_t i)
{
	fprintf(w->f, "%u", string(w, frame(w, i)->name));
}

static void put_resource(struct writer *w, size_t i)
{
	uint32_t dso = frame(w, i)->dso;

	if (*profile_str(w->p, dso))
		fprintf(w->f, "%u", number(w->resources, &w->nr_resources, w->resource_index, dso));
	else
		fputs("-1", w->f);
}

static void put_source(struct writer *w, size_t i)
{
	uint32_t file = frame(w, i)->file;

	if (*profile_str(w->p, file))
		fprintf(w->f, "%u", number(w->sources, &w->nr_sources, w->source_index, file));
	else
		fputs("null", w->f);
}

static void put_line(struct writer *w, size_t i)
{
	if (frame(w, i)->start_line > 0)
		fprintf(w->f, "%d", (int)frame(w, i)->start_line);
	else
		fputs("null", w->f);
}

static void put_stack_function(struct writer *w, size_t i)
{
	fprintf(w->f, "%u", w->t.stacks[i].function);
}

static void put_prefix(struct writer *w, size_t i)
{
	if (w->t.stacks[i].parent == TREE_NONE)
		fputs("null", w->f);
	else
		fprintf(w->f, "%u", w->t.stacks[i].parent);
}

static void put_resource_name(struct writer *w, size_t i)
{
	fprintf(w->f, "%u", string(w, w->resources[i]));
}

static void put_library(struct writer *w, size_t i)
{
	(void)i;
	fputc('1', w->f); /* resourceTypes.library */
}

static void put_source_name(struct writer *w, size_t i)
{
	fprintf(w->f, "%u", string(w, w->sources[i]));
}

static void put_string(struct writer *w, size_t i)
{
	if (i)
		fputc('\n', w->f);
	jsontext_string(w->f, profile_str(w->p, w->strings[i]));
}

/* A frame per function, a function per frame: addresses are not told apart. */
static void put_shared(struct writer *w)
{
	size_t functions = w->t.nr_functions, stacks = w->t.nr_stacks;
	FILE *f = w->f;

	fputs("\"shared\":{\"stackTable\":{\n", f);
	column(w, "frame", stacks, put_stack_function);
	column(w, "prefix", stacks, put_prefix);
	fprintf(f, "\"length\":%zu},\n\"frameTable\":{\n", stacks);
	column(w, "address", functions, put_minus_one);
	column(w, "inlineDepth", functions, put_zero);
	column(w, "category", functions, put_category);
	column(w, "subcategory", functions, put_zero);
	column(w, "func", functions, put_index);
	column(w, "nativeSymbol", functions, put_null);
	column(w, "innerWindowID", functions, put_null);
	column(w, "line", functions, put_line);
	column(w, "column", functions, put_null);
	fprintf(f, "\"length\":%zu},\n\"funcTable\":{\n", functions);
	column(w, "name", functions, put_name);
	column(w, "isJS", functions, put_false);
	column(w, "relevantForJS", functions, put_false);
	column(w, "resource", functions, put_resource);
	column(w, "source", functions, put_source);
	column(w, "lineNumber", functions, put_line);
	column(w, "columnNumber", functions, put_null);
	fprintf(f, "\"length\":%zu},\n\"resourceTable\":{\n", functions);
	column(w, "lib", w->nr_resources, put_null);
	column(w, "name", w->nr_resources, put_resource_name);
	column(w, "host", w->nr_resources, put_null);
	column(w, "type", w->nr_resources, put_library);
	fprintf(f, "\"length\":%zu},\n", w->nr_resources);
	fputs("\"nativeSymbols\":{\"libIndex\":[],\"address\":[],\"name\":[],\"functionSize\":[],\"length\":0},\n\"sources\":{\n", f);
	column(w, "uuid", w->nr_sources, put_null);
	column(w, "filename", w->nr_sources, put_source_name);
	fprintf(f, "\"length\":%zu},\n", w->nr_sources);
	fputs("\"stringArray\":[", f);
	for (size_t i = 0; i < w->nr_strings; i++) {
		if (i)
			fputc(',', f);
		put_string(w, i);
	}
	fputs("]},\n", f);
}

static void put_milliseconds(FILE *f, int64_t ns)
{
	fprintf(f, "%lld.%06lld", (long long)(ns / 1000000), (long long)(ns % 1000000));
}

/* Times are sums of what came before: milliseconds where the values are, else numbers. */
static void put_samples(struct writer *w, size_t series)
{
	const char *unit = profile_str(w->p, w->p->series[series].unit);
	bool ns = !strcmp(unit, "nanoseconds");
	int64_t *values = tree_values(&w->t, w->p, series), at = 0;
	size_t length = 0;
	FILE *f = w->f;

	fputs("\"samples\":{\"stack\":[", f);
	for (size_t i = 0; i < w->t.nr_stacks; i++)
		if (values[i])
			fprintf(f, length++ ? ",%zu" : "%zu", i);
	fputs("],\n\"time\":[", f);
	length = 0;
	for (size_t i = 0; i < w->t.nr_stacks; i++) {
		if (!values[i])
			continue;
		if (length++)
			fputc(',', f);
		if (ns)
			put_milliseconds(f, at);
		else
			fprintf(f, "%lld", (long long)at);
		at = profile_sum(at, values[i]);
	}
	fputs("],\n\"weight\":[", f);
	length = 0;
	for (size_t i = 0; i < w->t.nr_stacks; i++) {
		if (!values[i])
			continue;
		if (length++)
			fputc(',', f);
		if (ns)
			put_milliseconds(f, values[i]);
		else
			fprintf(f, "%lld", (long long)values[i]);
	}
	fprintf(f, "],\n\"weightType\":\"%s\",\"length\":%zu},\n",
		ns ? "tracing-ms" : !strcmp(unit, "bytes") ? "bytes" : "samples", length);
	free(values);
}

/* A thread's samples: when, where, how much, and, where that is CPU time, what the thread used since the last. */
static void put_thread_samples(struct writer *w, const struct firefox_thread *t)
{
	const struct firefox_sample *s = w->o->samples + t->first;
	const char *unit = profile_str(w->p, w->p->series[w->o->series].unit);
	bool ns = !strcmp(unit, "nanoseconds");
	FILE *f = w->f;

	fputs("\"samples\":{\"stack\":[", f);
	for (size_t i = 0; i < t->nr; i++) {
		uint32_t stack = w->t.of_node[s[i].node];

		if (i)
			fputc(',', f);
		if (stack == TREE_NONE)
			fputs("null", f);
		else
			fprintf(f, "%u", stack);
	}
	fputs("],\n\"time\":[", f);
	for (size_t i = 0; i < t->nr; i++) {
		if (i)
			fputc(',', f);
		put_milliseconds(f, (int64_t)s[i].time);
	}
	fputs("],\n\"weight\":[", f);
	for (size_t i = 0; i < t->nr; i++) {
		if (i)
			fputc(',', f);
		if (ns)
			put_milliseconds(f, (int64_t)s[i].weight);
		else
			fprintf(f, "%llu", (unsigned long long)s[i].weight);
	}
	if (ns) {
		fputs("],\n\"threadCPUDelta\":[", f);
		for (size_t i = 0; i < t->nr; i++)
			fprintf(f, i ? ",%llu" : "%llu", (unsigned long long)s[i].weight);
	}
	fprintf(f, "],\n\"weightType\":\"%s\",\"length\":%zu},\n",
		ns ? "tracing-ms" : !strcmp(unit, "bytes") ? "bytes" : "samples", t->nr);
}

static void put_thread_head(struct writer *w, const char *name, const char *process, uint32_t pid, uint32_t tid)
{
	FILE *f = w->f;

	fputs("{\"processType\":\"default\",\"processStartupTime\":0,\"processShutdownTime\":null,\"registerTime\":0,"
	      "\"unregisterTime\":null,\"pausedRanges\":[],\"name\":", f);
	jsontext_string(f, name);
	fputs(",\"processName\":", f);
	jsontext_string(f, process);
	fprintf(f, ",\"isMainThread\":%s,\"pid\":\"%u\",\"tid\":%u,\n", pid == tid ? "true" : "false", pid, tid);
}

static void put_no_markers(FILE *f)
{
	fputs("\"markers\":{\"data\":[],\"name\":[],\"startTime\":[],\"endTime\":[],\"phase\":[],\"category\":[],\"length\":0}}", f);
}

static void put_meta(struct writer *w)
{
	const struct profile *p = w->p;
	FILE *f = w->f;

	fputs("{\"meta\":{\"interval\":", f);
	if (p->period > 0 && !strcmp(profile_str(p, p->period_unit), "nanoseconds"))
		put_milliseconds(f, p->period);
	else
		fputc('1', f);
	fputs(",\"startTime\":", f);
	put_milliseconds(f, p->time_ns > 0 ? p->time_ns : 0);
	fputs(",\"processType\":0,\"product\":", f);
	jsontext_string(f, w->o->name);
	fprintf(f, ",\"stackwalk\":1,\"version\":%d,\"preprocessedProfileVersion\":%d,\n"
		   "\"importedFrom\":\"perfskew\",\"symbolicated\":true,\"symbolicationNotSupported\":true,"
		   "\"usesOnlyOneStackType\":true,\"sourceCodeIsNotOnSearchfox\":true,\"keepProfileThreadOrder\":true,"
		   "\"sampleUnits\":{\"time\":\"ms\",\"eventDelay\":\"ms\",\"threadCPUDelta\":\"ns\"},"
		   "\"markerSchema\":[],\n\"categories\":[", GECKO_VERSION, PROCESSED_VERSION);
	for (size_t i = 0; i < w->o->nr_categories; i++) {
		fputs(i ? ",\n{\"name\":" : "{\"name\":", f);
		jsontext_string(f, w->o->categories[i].name);
		fputs(",\"color\":", f);
		jsontext_string(f, w->o->categories[i].color);
		fputs(",\"subcategories\":[\"Other\"]}", f);
	}
	fputs("]},\n\"libs\":[],\n", f);
}

static void put_series(struct writer *w, size_t series, uint32_t number)
{
	put_thread_head(w, profile_str(w->p, w->p->series[series].type), w->o->name, 1, number);
	put_samples(w, series);
	put_no_markers(w->f);
}

/* Threads as they ran; else the series, the one shown first first. */
static void put_threads(struct writer *w)
{
	uint32_t written = 0;

	fputs("\"threads\":[\n", w->f);
	for (size_t i = 0; i < w->o->nr_threads; i++) {
		const struct firefox_thread *t = &w->o->threads[i];

		if (i)
			fputs(",\n", w->f);
		put_thread_head(w, t->name, t->process, t->pid, t->tid);
		put_thread_samples(w, t);
		put_no_markers(w->f);
	}
	if (!w->o->nr_threads)
		put_series(w, w->o->series, ++written);
	for (size_t i = 0; !w->o->nr_threads && i < w->p->nr_series; i++) {
		if (i == w->o->series || w->p->series[i].total <= 0)
			continue;
		fputs(",\n", w->f);
		put_series(w, i, ++written);
	}
	fputs("]}\n", w->f);
}

int firefox_write(const struct profile *p, FILE *f, const struct firefox_write_options *opts, struct error *e)
{
	size_t strings = p->strings.nr;
	struct writer w = {
		.f = f, .p = p, .o = opts,
		.strings = none(strings), .string_index = none(strings),
		.resources = none(strings), .resource_index = none(strings),
		.sources = none(strings), .source_index = none(strings),
	};

	tree_make(&w.t, p);
	put_meta(&w);
	put_shared(&w);
	put_threads(&w);
	tree_release(&w.t);
	free(w.strings);
	free(w.string_index);
	free(w.resources);
	free(w.resource_index);
	free(w.sources);
	free(w.source_index);
	if (ferror(f)) {
		error_set(e, EXIT_CODE_OUTPUT, "cannot write: %s", strerror(errno));
		return -1;
	}
	return 0;
}
