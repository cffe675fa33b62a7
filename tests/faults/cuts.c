/*
 * A recording cut short, at each border between two records and at a thousand other places, goes through
 * the whole program: what is too short to hold a sample is refused (exit 3), any other cut is counted as
 * damage (exit 4), and no sample before it is lost. Usage: cuts FILE|PIPE...
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "collect/collect.h"

#define OTHER_PLACES 1000

struct outcome {
	bool refused, damaged;
	enum exit_code code;
	uint64_t samples;
	char text[200];
};

static struct outcome read_first(const char *path, const uint8_t *data, size_t size, bool pipe_form)
{
	struct collect_options opts = {.stacks_only = true, .jobs = 1, .no_splice = true,
				       .session.modules.symfs = "/nonexistent"};
	struct outcome o = {0};
	struct collect c;
	struct error e;
	FILE *f;
	int fd = -1;

	unlink(path); /* truncating would wait for the disk (ext4) */
	f = fopen(path, "w");
	if (!f || fwrite(data, 1, size, f) != size || fclose(f) != 0) {
		perror(path);
		exit(99);
	}
	if (pipe_form)
		fd = fileno(freopen(path, "r", stdin));
	o.refused = collect_run(&c, path, fd, NULL, 0, &opts, &e) < 0;
	if (o.refused) {
		o.code = e.code;
		snprintf(o.text, sizeof(o.text), "%.199s", e.text);
	} else {
		o.samples = c.total_samples;
		o.damaged = damage_total(&c.damage) > 0;
	}
	collect_release(&c);
	return o;
}

struct places {
	size_t *at;
	size_t nr, alloc, first; /* first: where the first record begins */
};

static void add(struct places *p, size_t at)
{
	ALLOC_GROW(p->at, p->nr + 1, p->alloc);
	p->at[p->nr++] = at;
}

/* The borders by the records' own sizes. */
static struct places find_places(const uint8_t *data, size_t size, bool pipe_form)
{
	size_t at = pipe_form ? 16 : (size_t)perfdata_load64(data + 40, false), end = size;
	struct places p = {.first = at};
	uint16_t n;

	if (!pipe_form && perfdata_load64(data + 48, false))
		end = at + (size_t)perfdata_load64(data + 48, false);
	for (; at + 8 <= end; at += n) {
		memcpy(&n, data + at + 6, 2);
		if (n < 8)
			break;
		add(&p, at);
	}
	for (size_t i = 0; i < OTHER_PLACES; i++)
		add(&p, size * i / OTHER_PLACES);
	return p;
}

static int wrong(const char *path, size_t cut, const struct outcome *o, const char *why)
{
	printf("not ok %s cut at %zu: %s (refused %d, code %d, damaged %d, %llu samples, %s)\n", path, cut, why, o->refused,
	       (int)o->code, o->damaged, (unsigned long long)o->samples, o->text);
	return 1;
}

static uint64_t samples_before(const uint8_t *data, size_t from, size_t cut)
{
	uint64_t samples = 0;
	uint32_t type;
	uint16_t n;

	for (; from + 8 <= cut; from += n) {
		memcpy(&type, data + from, 4);
		memcpy(&n, data + from + 6, 2);
		if (n < 8 || n > cut - from)
			break;
		samples += type == PERF_RECORD_SAMPLE;
	}
	return samples;
}

static int check(const char *path, const char *cut_path)
{
	size_t size = 0, alloc = 0;
	uint8_t *data = NULL;
	FILE *f = fopen(path, "r");
	bool pipe_form, border;
	struct outcome whole;
	struct places p;
	int bad = 0;

	while (f && !feof(f)) {
		ALLOC_GROW(data, size + 65536, alloc);
		size += fread(data + size, 1, 65536, f);
	}
	if (!f || size < 104) {
		printf("not ok %s: cannot be read\n", path);
		return 1;
	}
	fclose(f);
	pipe_form = perfdata_load64(data + 8, false) == 16;
	whole = read_first(cut_path, data, size, pipe_form);
	if (whole.refused || whole.damaged || !whole.samples)
		return wrong(path, size, &whole, "the whole of it");
	p = find_places(data, size, pipe_form);
	for (size_t i = 0; i < p.nr; i++) {
		size_t cut = p.at[i];
		struct outcome o = read_first(cut_path, data, cut, pipe_form);

		border = false;
		for (size_t k = 0; k < p.nr - OTHER_PLACES && !border; k++)
			border = p.at[k] == cut;
		if (o.refused && o.code != EXIT_CODE_INPUT)
			bad |= wrong(path, cut, &o, "refused with another code");
		else if (o.refused && samples_before(data, p.first, cut))
			bad |= wrong(path, cut, &o, "refused though there are samples");
		else if (o.refused && !strstr(o.text, cut_path))
			bad |= wrong(path, cut, &o, "the error does not name the file");
		/* a stream that ends with a record cannot be told from a whole one */
		else if (!o.refused && !o.damaged && !(pipe_form && border))
			bad |= wrong(path, cut, &o, "taken in silence");
		else if (!o.refused && o.samples != samples_before(data, p.first, cut))
			bad |= wrong(path, cut, &o, "samples lost or made up");
	}
	if (!bad)
		printf("ok %s cut at %zu places\n", strrchr(path, '/') ? strrchr(path, '/') + 1 : path, p.nr);
	free(p.at);
	free(data);
	return bad;
}

int main(int argc, char **argv)
{
	char cut_path[4096];
	int bad = 0;

	for (int i = 1; i < argc; i++) {
		snprintf(cut_path, sizeof(cut_path), "%s.cut", argv[i]);
		bad |= check(argv[i], cut_path);
		unlink(cut_path);
	}
	return bad;
}
