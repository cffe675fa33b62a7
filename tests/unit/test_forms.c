/*
 * speedscope's and the Firefox Profiler's forms: read back with a JSON parser,
 * every index in its table, every value in its sum.
 */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "profile/firefox.h"
#include "profile/jsonform.h"
#include "profile/speedscope.h"
#include "profile/tree.h"
#include "suite.h"

static const char hostile[] = "</script>\"\\\033\xff]]>\xe2\x80\xa8";

static uint32_t frame(struct profile *p, const char *name, int line, uint64_t address)
{
	struct profile_frame f = {
		.name = strtab_add(&p->strings, name), .dso = strtab_add(&p->strings, "/bin/x"),
		.file = strtab_add(&p->strings, "/src/x.go"), .line = line, .start_line = 7, .address = address,
	};

	return profile_add_frame(p, &f);
}

/* main → work (at two addresses), main → a hostile name; the second series counts in bytes. */
static void make(struct profile *p)
{
	uint32_t main_node, node;

	profile_init(p);
	profile_add_series(p, "cpu", "nanoseconds");
	profile_add_series(p, "space", "bytes");
	profile_add_series(p, "empty", "count");
	main_node = profile_add_node(p, 0, frame(p, "main.main", 8, 0x10));
	node = profile_add_node(p, main_node, frame(p, "main.work", 9, 0x20));
	profile_add_value(p, profile_add_row(p, node, 0), 0, 1500000);
	node = profile_add_node(p, main_node, frame(p, "main.work", 10, 0x30));
	profile_add_value(p, profile_add_row(p, node, 0), 0, 2500001);
	node = profile_add_node(p, main_node, frame(p, hostile, 11, 0x40));
	profile_add_value(p, profile_add_row(p, node, 0), 0, 10);
	profile_add_value(p, profile_add_row(p, node, 0), 1, 4096);
	profile_add_value(p, profile_add_row(p, main_node, 0), 0, -5);
}

static struct json_object *get(struct json_object *o, const char *key)
{
	struct json_object *v = NULL;

	CU_ASSERT_TRUE(json_object_object_get_ex(o, key, &v));
	return v;
}

static struct json_object *at(struct json_object *o, const char *key, size_t i)
{
	return json_object_array_get_idx(get(o, key), i);
}

static struct json_object *parse(char *text)
{
	struct json_object *doc = json_tokener_parse(text);

	CU_ASSERT_PTR_NOT_NULL_FATAL(doc);
	CU_ASSERT_PTR_NULL(strstr(text, "</script>"));
	return doc;
}

static void the_same_function_is_one(void)
{
	struct profile p;
	struct tree t;
	int64_t *values;

	make(&p);
	tree_make(&t, &p);
	CU_ASSERT_EQUAL(t.nr_functions, 3);
	CU_ASSERT_EQUAL(t.nr_stacks, 3);
	values = tree_values(&t, &p, 0);
	for (size_t s = 0; s < t.nr_stacks; s++) {
		const char *name = profile_str(&p, p.frames[t.functions[t.stacks[s].function]].name);

		CU_ASSERT_TRUE(t.stacks[s].parent == TREE_NONE || t.stacks[s].parent < s);
		if (!strcmp(name, "main.work"))
			CU_ASSERT_EQUAL(values[s], 4000001);
		if (!strcmp(name, "main.main"))
			CU_ASSERT_EQUAL(values[s], 0);
	}
	free(values);
	tree_release(&t);
	profile_release(&p);
}

static void speedscope_reads_back(void)
{
	struct speedscope_write_options o = {.name = hostile, .series = 1};
	struct json_object *doc, *profile;
	struct profile p;
	struct error e;
	char *text = NULL;
	size_t size, nr_frames;
	int64_t sum = 0;
	FILE *f = open_memstream(&text, &size);

	make(&p);
	CU_ASSERT_EQUAL(speedscope_write(&p, f, &o, &e), 0);
	fclose(f);
	doc = parse(text);
	nr_frames = json_object_array_length(get(get(doc, "shared"), "frames"));
	CU_ASSERT_EQUAL(nr_frames, 3);
	CU_ASSERT_EQUAL(json_object_array_length(get(doc, "profiles")), 2); /* the empty one is left out */
	CU_ASSERT_EQUAL(json_object_get_int(get(doc, "activeProfileIndex")), 1);
	profile = at(doc, "profiles", 0);
	CU_ASSERT_STRING_EQUAL(json_object_get_string(get(profile, "unit")), "nanoseconds");
	CU_ASSERT_EQUAL(json_object_array_length(get(profile, "samples")), json_object_array_length(get(profile, "weights")));
	for (size_t i = 0; i < json_object_array_length(get(profile, "samples")); i++) {
		struct json_object *stack = at(profile, "samples", i);

		sum += json_object_get_int64(at(profile, "weights", i));
		CU_ASSERT_EQUAL(json_object_array_length(stack), 2);
		for (size_t k = 0; k < json_object_array_length(stack); k++)
			CU_ASSERT_TRUE((size_t)json_object_get_int(json_object_array_get_idx(stack, k)) < nr_frames);
	}
	CU_ASSERT_EQUAL(sum, 4000011);
	CU_ASSERT_EQUAL(json_object_get_int64(get(profile, "endValue")), 4000011);
	CU_ASSERT_STRING_EQUAL(json_object_get_string(get(at(doc, "profiles", 1), "unit")), "bytes");
	json_object_put(doc);
	free(text);
	profile_release(&p);
}

/* Rows of one stack are one, whatever their addresses; labels come with their values. */
static void json_reads_back(void)
{
	struct damage damage = {0};
	struct jsonform_write_options o = {.tool = "t", .name = hostile, .series = 1, .damage = &damage};
	struct profile_label labels[2] = {{0}};
	struct json_object *doc, *stacks, *stack;
	struct profile p;
	struct error e;
	char *text = NULL;
	size_t size, labelled = 0;
	int64_t sum = 0;
	FILE *f = open_memstream(&text, &size);

	make(&p);
	labels[0] = (struct profile_label){.key = strtab_add(&p.strings, "user"), .str = strtab_add(&p.strings, hostile)};
	labels[1] = (struct profile_label){.key = labels[0].key, .num = -7};
	profile_add_value(&p, profile_add_row(&p, 1, profile_add_labels(&p, labels, 2)), 0, 3);
	damage_add(&damage, DAMAGE_FOLDED_LINE, 9);
	CU_ASSERT_EQUAL(jsonform_write(&p, f, &o, &e), 0);
	fclose(f);
	doc = parse(text);
	CU_ASSERT_STRING_EQUAL(json_object_get_string(get(doc, "schema")), "perfskew.profile.v1");
	CU_ASSERT_EQUAL(json_object_array_length(get(doc, "types")), 3);
	CU_ASSERT_EQUAL(json_object_get_int(get(doc, "default")), 1);
	CU_ASSERT_EQUAL(json_object_array_length(get(doc, "frames")), 3);
	CU_ASSERT_EQUAL(json_object_get_int(get(at(doc, "frames", 0), "line")), 7);
	CU_ASSERT_STRING_EQUAL(json_object_get_string(get(at(doc, "frames", 0), "kind")), "user");
	stacks = get(doc, "stacks");
	CU_ASSERT_EQUAL(json_object_array_length(stacks), 4);
	for (size_t i = 0; i < json_object_array_length(stacks); i++) {
		stack = json_object_array_get_idx(stacks, i);
		CU_ASSERT_EQUAL(json_object_array_length(get(stack, "values")), 3);
		sum += json_object_get_int64(at(stack, "values", 0));
		for (size_t k = 0; k < json_object_array_length(get(stack, "frames")); k++)
			CU_ASSERT_TRUE(json_object_get_int(at(stack, "frames", k)) < 3);
		if (!json_object_object_get_ex(stack, "labels", NULL))
			continue;
		labelled++;
		CU_ASSERT_EQUAL(json_object_array_length(get(get(stack, "labels"), "user")), 2);
	}
	CU_ASSERT_EQUAL(labelled, 1);
	CU_ASSERT_EQUAL(sum, 4000011 - 5 + 3);
	CU_ASSERT_EQUAL(json_object_get_int(get(at(doc, "damage", 0), "offset")), 9);
	json_object_put(doc);
	free(text);
	profile_release(&p);
}

/* Every column of a table has its length; returns that. */
static size_t table(struct json_object *doc, const char *key)
{
	struct json_object *t = get(get(doc, "shared"), key);
	size_t length = (size_t)json_object_get_int(get(t, "length"));

	json_object_object_foreach(t, column, values)
		if (strcmp(column, "length") != 0)
			CU_ASSERT_EQUAL(json_object_array_length(values), length);
	return length;
}

static void in_range(struct json_object *doc, const char *key, const char *column, size_t limit)
{
	struct json_object *values = get(get(get(doc, "shared"), key), column);

	for (size_t i = 0; i < json_object_array_length(values); i++) {
		struct json_object *v = json_object_array_get_idx(values, i);

		CU_ASSERT_TRUE(!v || json_object_get_int(v) == -1 || (size_t)json_object_get_int(v) < limit);
	}
}

static void firefox_reads_back(void)
{
	static const struct firefox_category categories[] = {{"Other", "grey"}, {"Application", "green"}};
	static const uint8_t category[16] = {0, 1, 1, 1, 1};
	struct firefox_write_options o = {.name = hostile, .series = 0, .categories = categories, .nr_categories = 2,
					  .category = category};
	struct json_object *doc, *samples;
	struct profile p;
	struct error e;
	char *text = NULL;
	size_t size, strings, functions, stacks;
	double sum = 0;
	FILE *f = open_memstream(&text, &size);

	make(&p);
	CU_ASSERT_EQUAL(firefox_write(&p, f, &o, &e), 0);
	fclose(f);
	doc = parse(text);
	strings = json_object_array_length(get(get(doc, "shared"), "stringArray"));
	stacks = table(doc, "stackTable");
	functions = table(doc, "funcTable");
	CU_ASSERT_EQUAL(stacks, 3);
	CU_ASSERT_EQUAL(functions, 3);
	in_range(doc, "stackTable", "prefix", stacks);
	in_range(doc, "stackTable", "frame", table(doc, "frameTable"));
	in_range(doc, "frameTable", "func", functions);
	in_range(doc, "frameTable", "category", 2);
	in_range(doc, "funcTable", "name", strings);
	in_range(doc, "funcTable", "resource", table(doc, "resourceTable"));
	in_range(doc, "funcTable", "source", table(doc, "sources"));
	in_range(doc, "resourceTable", "name", strings);
	in_range(doc, "sources", "filename", strings);
	CU_ASSERT_EQUAL(json_object_array_length(get(doc, "threads")), 2);
	samples = get(at(doc, "threads", 0), "samples");
	CU_ASSERT_STRING_EQUAL(json_object_get_string(get(samples, "weightType")), "tracing-ms");
	CU_ASSERT_EQUAL(json_object_get_int(get(samples, "length")), 2);
	for (size_t i = 0; i < 2; i++) {
		CU_ASSERT_TRUE((size_t)json_object_get_int(at(samples, "stack", i)) < stacks);
		CU_ASSERT_DOUBLE_EQUAL(json_object_get_double(at(samples, "time", i)), sum, 1e-9);
		sum += json_object_get_double(at(samples, "weight", i));
	}
	CU_ASSERT_DOUBLE_EQUAL(sum, 4.000011, 1e-9);
	json_object_put(doc);
	free(text);
	profile_release(&p);
}

/* Two threads, three samples: times, weights and CPU time of each thread's own. */
static void firefox_has_threads(void)
{
	static const struct firefox_category categories[] = {{"Other", "grey"}};
	static const uint8_t category[16];
	static const struct firefox_thread threads[] = {
		{.name = "main", .process = "main", .pid = 7, .tid = 7, .first = 0, .nr = 2},
		{.name = hostile, .process = "main", .pid = 7, .tid = 8, .first = 2, .nr = 1},
	};
	static const struct firefox_sample kept[] = {
		{.time = 0, .weight = 1000000, .node = 2},
		{.time = 2500000, .weight = 1500000, .node = 3},
		{.time = 1000000, .weight = 10, .node = 4},
	};
	struct firefox_write_options o = {.name = "x", .categories = categories, .nr_categories = 1, .category = category,
					  .threads = threads, .nr_threads = 2, .samples = kept};
	struct json_object *doc, *thread, *samples;
	struct profile p;
	struct error e;
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	make(&p);
	CU_ASSERT_EQUAL(firefox_write(&p, f, &o, &e), 0);
	fclose(f);
	doc = parse(text);
	CU_ASSERT_EQUAL(json_object_array_length(get(doc, "threads")), 2);
	thread = at(doc, "threads", 0);
	samples = get(thread, "samples");
	CU_ASSERT_STRING_EQUAL(json_object_get_string(get(thread, "pid")), "7");
	CU_ASSERT_TRUE(json_object_get_boolean(get(thread, "isMainThread")));
	CU_ASSERT_EQUAL(json_object_get_int(get(samples, "length")), 2);
	CU_ASSERT_DOUBLE_EQUAL(json_object_get_double(at(samples, "time", 1)), 2.5, 1e-9);
	CU_ASSERT_DOUBLE_EQUAL(json_object_get_double(at(samples, "weight", 1)), 1.5, 1e-9);
	CU_ASSERT_EQUAL(json_object_get_int(at(samples, "threadCPUDelta", 1)), 1500000);
	/* the same function at two addresses is one stack */
	CU_ASSERT_EQUAL(json_object_get_int(at(samples, "stack", 0)), json_object_get_int(at(samples, "stack", 1)));
	thread = at(doc, "threads", 1);
	CU_ASSERT_FALSE(json_object_get_boolean(get(thread, "isMainThread")));
	CU_ASSERT_EQUAL(json_object_get_int(get(get(thread, "samples"), "length")), 1);
	json_object_put(doc);
	free(text);
	profile_release(&p);
}

static const struct suite_test tests[] = {
	{"the same function is one", the_same_function_is_one},
	{"speedscope reads back", speedscope_reads_back},
	{"JSON reads back", json_reads_back},
	{"firefox reads back", firefox_reads_back},
	{"firefox has threads", firefox_has_threads},
	{NULL, NULL},
};
const struct suite suite_forms = {"forms", tests};
