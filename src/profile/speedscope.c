#include "profile/speedscope.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "profile/jsontext.h"
#include "profile/tree.h"

static void put_frames(FILE *f, const struct profile *p, const struct tree *t)
{
	for (size_t i = 0; i < t->nr_functions; i++) {
		const struct profile_frame *frame = &p->frames[t->functions[i]];
		const char *file = profile_str(p, frame->file);

		fputs(i ? ",\n{\"name\":" : "\n{\"name\":", f);
		jsontext_string(f, profile_str(p, frame->name));
		if (!*file)
			file = profile_str(p, frame->dso);
		if (*file) {
			fputs(",\"file\":", f);
			jsontext_string(f, file);
		}
		if (frame->start_line > 0)
			fprintf(f, ",\"line\":%d", (int)frame->start_line);
		fputc('}', f);
	}
}

/* Units that speedscope knows; it shows others as bare numbers. */
static const char *unit_name(const char *unit)
{
	static const char *const known[] = {"nanoseconds", "microseconds", "milliseconds", "seconds", "bytes"};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (!strcmp(known[i], unit))
			return known[i];
	return "none";
}

static void put_stack(FILE *f, const struct tree *t, uint32_t stack, uint32_t *path)
{
	size_t depth = 0;

	for (; stack != TREE_NONE; stack = t->stacks[stack].parent)
		path[depth++] = t->stacks[stack].function;
	fputc('[', f);
	while (depth--)
		fprintf(f, depth ? "%u," : "%u", path[depth]);
	fputc(']', f);
}

static void put_profile(FILE *f, const struct profile *p, const struct tree *t, size_t series)
{
	const struct profile_series *s = &p->series[series];
	int64_t *values = tree_values(t, p, series), total = 0;
	uint32_t *path = xreallocarray(NULL, t->nr_stacks + 1, sizeof(*path));
	bool first = true;

	fputs("{\"type\":\"sampled\",\"name\":", f);
	jsontext_string(f, profile_str(p, s->type));
	fprintf(f, ",\"unit\":\"%s\",\"startValue\":0,\n\"samples\":[", unit_name(profile_str(p, s->unit)));
	for (uint32_t i = 0; i < t->nr_stacks; i++) {
		if (!values[i])
			continue;
		total = profile_sum(total, values[i]);
		fputs(first ? "\n" : ",\n", f);
		first = false;
		put_stack(f, t, i, path);
	}
	fputs("],\n\"weights\":[", f);
	first = true;
	for (uint32_t i = 0; i < t->nr_stacks; i++) {
		if (!values[i])
			continue;
		fprintf(f, first ? "%lld" : ",%lld", (long long)values[i]);
		first = false;
	}
	fprintf(f, "],\n\"endValue\":%lld}", (long long)total);
	free(values);
	free(path);
}

int speedscope_write(const struct profile *p, FILE *f, const struct speedscope_write_options *opts, struct error *e)
{
	size_t written = 0, active = 0;
	struct tree t;

	tree_make(&t, p);
	fputs("{\"$schema\":\"https://www.speedscope.app/file-format-schema.json\",\n\"exporter\":\"perfskew\",\n\"name\":", f);
	jsontext_string(f, opts->name);
	fputs(",\n\"shared\":{\"frames\":[", f);
	put_frames(f, p, &t);
	fputs("]},\n\"profiles\":[\n", f);
	for (size_t i = 0; i < p->nr_series; i++) {
		if (p->series[i].total <= 0 && i != opts->series)
			continue;
		if (i == opts->series)
			active = written;
		if (written++)
			fputs(",\n", f);
		put_profile(f, p, &t, i);
	}
	fprintf(f, "],\n\"activeProfileIndex\":%zu}\n", active);
	tree_release(&t);
	if (ferror(f)) {
		error_set(e, EXIT_CODE_OUTPUT, "cannot write: %s", strerror(errno));
		return -1;
	}
	return 0;
}
