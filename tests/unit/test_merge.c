/*
 * Merging: whatever the grouping, and whatever is written and read in between,
 * the bytes are the same.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "compare/stats.h"
#include "profile/pprof.h"
#include "profile/profile.h"
#include "suite.h"

#define INPUTS 7
#define GROUPINGS 300

struct bytes {
	char *data;
	size_t size;
};

static struct bytes write_bytes(const struct profile *p)
{
	struct pprof_write_options o = {.gzip = false};
	struct bytes b;
	struct error e;
	FILE *f = open_memstream(&b.data, &b.size);

	CU_ASSERT_EQUAL(pprof_write(p, f, &o, &e), 0);
	fclose(f);
	return b;
}

static void read_bytes(struct profile *p, const struct bytes *b)
{
	struct error e;

	profile_init(p);
	CU_ASSERT_EQUAL(pprof_read(p, b->data, b->size, "test", &e), 0);
}

static size_t pick(struct rng *r, size_t n)
{
	return (size_t)(rng_uniform(r) * (double)n);
}

static uint32_t text(struct profile *p, const char *prefix, size_t n)
{
	char s[32];

	snprintf(s, sizeof(s), "%s%zu", prefix, n);
	return strtab_add(&p->strings, s);
}

static void add_mapping(struct profile *p, const char *file, const char *id, uint64_t start, uint64_t offset, bool lines)
{
	ALLOC_GROW(p->mappings, p->nr_mappings + 1, p->alloc_mappings);
	p->mappings[p->nr_mappings++] = (struct profile_mapping){
		.start = start, .limit = start + 0x10000, .offset = offset,
		.file = strtab_add(&p->strings, file), .build_id = strtab_add(&p->strings, id),
		.has_functions = true, .has_lines = lines,
	};
}

/* Few names, so that frames, stacks and label sets meet again in other inputs, met in another order. */
static void make_input(struct profile *p, struct rng *r)
{
	static const char *const files[] = {"/bin/fixed", "/bin/pie", "/lib/libc.so", ""};
	uint64_t pie = UINT64_C(0x560000000000) + (pick(r, 1000) << 12), lib = UINT64_C(0x7f0000000000) + (pick(r, 1000) << 12);
	uint64_t starts[] = {0x400000, pie, lib, 0};

	profile_init(p);
	profile_add_series(p, "samples", "count");
	profile_add_series(p, "cpu", "nanoseconds");
	p->default_series = pick(r, 2);
	if (pick(r, 2))
		add_mapping(p, "/bin/pie", "aa", pie, 0x1000, pick(r, 2));
	add_mapping(p, "/bin/fixed", pick(r, 2) ? "bb" : "cc", 0x400000, 0, pick(r, 2));
	add_mapping(p, "/bin/pie", "aa", pie, 0x1000, pick(r, 2));
	add_mapping(p, "/lib/libc.so", "", lib, 0x26000, false);
	for (size_t i = 0; i < 60; i++) {
		struct profile_label labels[3] = {
			{.key = text(p, "key", pick(r, 3)), .str = text(p, "value", pick(r, 3))},
			{.key = text(p, "bytes", pick(r, 2)), .num = (int64_t)pick(r, 3), .unit = text(p, "unit", pick(r, 2))},
			{.key = text(p, "key", pick(r, 3)), .str = text(p, "value", pick(r, 3))},
		};
		uint32_t node = 0;
		size_t row, depth = pick(r, 6);

		for (size_t k = 0; k < depth; k++) {
			size_t file = pick(r, 4);
			struct profile_frame f = {
				.name = text(p, "f", pick(r, 5)), .dso = strtab_add(&p->strings, files[file]),
				.file = text(p, "src", pick(r, 2)), .line = (int32_t)pick(r, 3), .start_line = (int32_t)pick(r, 2),
				.linkage = pick(r, 4) ? 0 : text(p, "_Zf", pick(r, 2)),
				.inlined = k && !pick(r, 4), .address = starts[file] + 0x100 * pick(r, 4),
			};

			node = profile_add_node(p, node, profile_add_frame(p, &f));
		}
		row = profile_add_row(p, node, profile_add_labels(p, labels, pick(r, 4)));
		profile_add_value(p, row, 0, (int64_t)pick(r, 3));
		profile_add_value(p, row, 1, (int64_t)pick(r, 1000) * 1000);
	}
	for (size_t i = pick(r, 3); i-- > 0;) {
		ALLOC_GROW(p->comments, p->nr_comments + 1, p->alloc_comments);
		p->comments[p->nr_comments++] = text(p, "comment", pick(r, 4));
	}
	p->time_ns = (int64_t)pick(r, 5);
	p->duration_ns = (int64_t)pick(r, 5);
	p->period = (int64_t)pick(r, 2);
	p->period_type = text(p, "cpu", pick(r, 2));
	p->period_unit = text(p, "ns", pick(r, 2));
	p->drop_frames = pick(r, 2) ? strtab_add(&p->strings, "f4") : 0;
}

/* The union of two files, as a file. */
static struct bytes merge_two(const struct bytes *a, const struct bytes *b)
{
	struct profile x, y, all;
	struct bytes out;

	read_bytes(&x, a);
	read_bytes(&y, b);
	profile_init(&all);
	profile_merge(&all, &x);
	profile_merge(&all, &y);
	out = write_bytes(&all);
	profile_release(&x);
	profile_release(&y);
	profile_release(&all);
	return out;
}

static struct bytes merge_all(const struct bytes *in, size_t nr)
{
	struct profile all;
	struct bytes out;

	profile_init(&all);
	for (size_t i = 0; i < nr; i++) {
		struct profile p;

		read_bytes(&p, &in[i]);
		profile_merge(&all, &p);
		profile_release(&p);
	}
	out = write_bytes(&all);
	profile_release(&all);
	return out;
}

/* Puts together any two until one is left. */
static struct bytes merge_somehow(const struct bytes *in, size_t nr, struct rng *r)
{
	struct bytes left[INPUTS];

	for (size_t i = 0; i < nr; i++)
		left[i] = (struct bytes){xmemdup(in[i].data, in[i].size), in[i].size};
	while (nr > 1) {
		size_t a = pick(r, nr), b = (a + 1 + pick(r, nr - 1)) % nr;
		struct bytes both = merge_two(&left[a], &left[b]);

		free(left[a].data);
		free(left[b].data);
		left[a < b ? a : b] = both;
		left[a < b ? b : a] = left[nr - 1];
		nr--;
	}
	return left[0];
}

static void any_grouping_gives_the_same_bytes(void)
{
	struct bytes in[INPUTS], want;
	struct rng r;
	size_t same = 0;

	rng_seed(&r, 7);
	for (size_t i = 0; i < INPUTS; i++) {
		struct profile p, clean;
		struct bytes raw;

		make_input(&p, &r);
		raw = write_bytes(&p);
		read_bytes(&clean, &raw);
		in[i] = write_bytes(&clean);
		profile_release(&p);
		profile_release(&clean);
		free(raw.data);
	}
	want = merge_all(in, INPUTS);
	CU_ASSERT_TRUE(want.size > 1000);
	for (size_t i = 0; i < GROUPINGS; i++) {
		struct bytes got = merge_somehow(in, INPUTS, &r);

		same += got.size == want.size && !memcmp(got.data, want.data, got.size);
		free(got.data);
	}
	CU_ASSERT_EQUAL(same, GROUPINGS);
	for (size_t i = 0; i < INPUTS; i++)
		free(in[i].data);
	free(want.data);
}

/* One instruction of a program that was loaded at two places is one location. */
static void loaded_anywhere(void)
{
	struct profile in[2], all;

	profile_init(&all);
	for (int i = 0; i < 2; i++) {
		uint64_t start = UINT64_C(0x550000000000) + ((uint64_t)i << 20);
		struct profile_frame f = {.address = start + 0x123};

		profile_init(&in[i]);
		profile_add_series(&in[i], "samples", "count");
		add_mapping(&in[i], "/bin/pie", "aa", start, 0x2000, true);
		f.name = strtab_add(&in[i].strings, "main.main");
		f.dso = in[i].mappings[0].file;
		profile_add_value(&in[i], profile_add_row(&in[i], profile_add_node(&in[i], 0, profile_add_frame(&in[i], &f)), 0), 0, 3);
		profile_merge(&all, &in[i]);
		profile_release(&in[i]);
	}
	CU_ASSERT_EQUAL(all.nr_rows, 1);
	CU_ASSERT_EQUAL(all.series[0].total, 6);
	CU_ASSERT_EQUAL_FATAL(all.nr_mappings, 1);
	CU_ASSERT_EQUAL(all.mappings[0].start, 0x2000);
	CU_ASSERT_EQUAL(all.frames[1].address, 0x2123);
	profile_release(&all);
}

static void durations_saturate(void)
{
	struct profile in, all;

	profile_init(&in);
	profile_init(&all);
	profile_add_series(&in, "samples", "count");
	in.duration_ns = INT64_MAX - 1;
	for (int i = 0; i < 3; i++)
		profile_merge(&all, &in);
	CU_ASSERT_EQUAL(all.duration_ns, INT64_MAX);
	profile_release(&in);
	profile_release(&all);
}

static const struct suite_test tests[] = {
	{"any grouping gives the same bytes", any_grouping_gives_the_same_bytes},
	{"a program loaded anywhere", loaded_anywhere},
	{"durations saturate", durations_saturate},
	{NULL, NULL},
};

const struct suite suite_merge = {"merge", tests};
