/*
 * The HTML report: its policy, its data, and samples as cells over time.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "build.h"
#include "cmd/timeline.h"
#include "internal.h"
#include "suite.h"

static void hashes_are_sha256(void)
{
	static const struct {
		size_t size; /* of letters a */
		const char *hash;
	} known[] = {
		{0, "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="},
		{55, "n0OQ+NMMLdkuyfCVtl4rmumwqSWlJY4kHJ8ekQ9zQxg="},
		{56, "s1Q5pKxvCUi21vnjxq8PX1kM4g8b3nCQ73lwaG7Gc4o="},
		{63, "fT50oF19sVvOStnsBljqmOPwbu7PFrTG//LaRX3cLzQ="},
		{64, "/+BU/nrgy23GXDr5th1SCfQ5hR20PQulmXM33xVGaOs="},
		{1000000, "zcduXJkU+5KBocfihNc+Z/GAmkiklyAOBG05zMcRLNA="},
	};
	char *text = xmalloc(1000000), hash[45];

	memset(text, 'a', 1000000);
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		sha256_base64(text, known[i].size, hash);
		CU_ASSERT_STRING_EQUAL(hash, known[i].hash);
	}
	sha256_base64("abc", 3, hash);
	CU_ASSERT_STRING_EQUAL(hash, "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=");
	free(text);
}

static void json_ends_no_element(void)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	json_string(f, "</script><!-- \"\\\x1b\xff\xef\xbf\xbe\xd7\xa9");
	fclose(f);
	CU_ASSERT_STRING_EQUAL(text, "\"\\u003c/script>\\u003c!-- \\\"\\\\\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xd7\xa9\"");
	free(text);
}

static const struct render_node nodes[] = {
	{.name = "all", .kind = RENDER_ROOT, .value = 300},
	{.name = "a", .kind = RENDER_APP, .value = 200, .self = 100, .detail = "a.go:1"},
	{.name = "b", .parent = 1, .kind = RENDER_APP, .inlined = true, .value = 100, .self = 100},
	{.name = "a", .kind = RENDER_KERNEL, .value = 100, .self = 100},
	{.name = "b", .parent = 3, .kind = RENDER_APP},
};
static const struct render_graph graph = {.nodes = nodes, .nr_nodes = 5, .unit = "nanoseconds"};
static const double self[] = {0, 100, 100, 100, 0};
static const struct render_column column = {"cpu", "nanoseconds", self};

static char *page(const struct render_report *r)
{
	struct render_options o = {.min_width = -1};
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	CU_ASSERT_EQUAL(render_html(f, r, &o), RENDER_OK);
	fclose(f);
	return text;
}

/* What stands between two strings, after `from`; a copy. */
static char *between(const char *text, const char *begin, const char *end)
{
	const char *at = strstr(text, begin), *stop = at ? strstr(at + strlen(begin), end) : NULL;

	CU_ASSERT_PTR_NOT_NULL_FATAL(stop);
	return xstrndup(at + strlen(begin), (size_t)(stop - at) - strlen(begin));
}

static void policy_names_what_is_there(void)
{
	struct render_report r = {.graph = &graph, .columns = &column, .nr_columns = 1};
	char *text = page(&r), *again = page(&r), hash[45];
	static const char *const parts[][3] = {
		{"script-src 'sha256-", "\n<script>", "</script>"}, {"style-src 'sha256-", "<style>", "</style>"}};

	CU_ASSERT_STRING_EQUAL(text, again);
	for (size_t i = 0; i < 2; i++) {
		char *named = between(text, parts[i][0], "'"), *part = between(text, parts[i][1], parts[i][2]);

		sha256_base64(part, strlen(part), hash);
		CU_ASSERT_STRING_EQUAL(named, hash);
		free(named);
		free(part);
	}
	free(text);
	free(again);
}

static void data_is_small_numbers(void)
{
	const struct render_cell cells[] = {{.slot = 2, .node = 1, .value = 100}, {.slot = 70, .node = 2, .of = {1, 0}, .value = 100},
					    {.slot = 70, .node = 3, .of = {0, 40}, .value = 100}};
	const char *threads[] = {"t <1>", "t 2"};
	const struct render_dimension dimensions[] = {{"Thread", threads, 2}, {"Goroutine", threads, 2}};
	struct render_report r = {.graph = &graph, .columns = &column, .nr_columns = 1, .cells = cells, .nr_cells = 3,
				  .dimensions = dimensions, .nr_dimensions = 2, .time = {0.02, 50, 71}};
	char *text = page(&r);

	/* b inlined is the b of 4 that is not; a of the kernel is another a */
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"tree\":{\"n\":5,\"up\":\"AACA\",\"fn\":\"ACFGE\"}"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"names\":[\n\"all\",\n\"a\",\n\"b\",\n\"a\"]"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"scale\":100,\"self\":\"ACCCA\""));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"slot\":0.02,\"rows\":50,\"slots\":71"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"slot\":\"CkCA\",\"node\":\"BCD\",\"column\":\"AAA\",\"of\":[\"ABA\",\"AAoB\"],\"value\":\"CCC\""));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"t \\u003c1>\""));
	free(text);
}

/* Samples of two threads, each a second, 7 ms apart, at as many nodes as there are. */
#define SAMPLES 1000
static void make_samples(struct input *in, struct session *s)
{
	struct collect *c = &in->collect;

	*in = (struct input){.kind = INPUT_PERF};
	c->session = s;
	c->samples = xcalloc(SAMPLES, sizeof(*c->samples));
	c->nr_samples = SAMPLES;
	for (uint32_t i = 0; i < SAMPLES; i++)
		c->samples[i] = (struct collect_sample){.time = 5000000000 + i * UINT64_C(7000000), .node = i % 10, .pid = 9,
							.tid = 9 + i % 2, .weight = 3, .cpu = 0};
}

static double sum_of(const struct timeline *t)
{
	double sum = 0;

	for (size_t i = 0; i < t->nr; i++)
		sum += t->cells[i].value;
	return sum;
}

static void samples_become_cells(void)
{
	const struct session_options opts = {.modules = {.debug_dir = "/nonexistent"}};
	static const struct build_attr attr = {.type = 1, .sample_type = PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_TIME};
	struct build b = {0};
	struct perfdata *pd;
	struct session *s = session_new(&opts);
	struct timeline t;
	struct input in;
	struct error e;
	uint32_t of_node[10], column_of[1] = {0};
	bool weighted = true;

	file_begin(&b, &attr, 1);
	file_end(&b, NULL, 0);
	pd = perfdata_open_memory("built", b.data, b.nr, &e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(pd);
	session_freeze(s, pd, UINT64_MAX);
	for (uint32_t i = 0; i < 10; i++)
		of_node[i] = i + 1;
	make_samples(&in, s);
	timeline_make(&t, &in, of_node, column_of, &weighted, TIMELINE_CELLS);
	CU_ASSERT_EQUAL(t.nr, SAMPLES);
	CU_ASSERT_EQUAL(t.time.rows, 50);
	CU_ASSERT_DOUBLE_EQUAL(t.time.slot, 0.02, 1e-12);
	CU_ASSERT_EQUAL(t.time.slots, 6993 / 20 + 1);
	CU_ASSERT_EQUAL(t.nr_dimensions, 1);
	CU_ASSERT_STRING_EQUAL(t.dimensions[0].values[0], ":9 9");
	CU_ASSERT_STRING_EQUAL(t.dimensions[0].values[1], ":10 10");
	CU_ASSERT_DOUBLE_EQUAL(sum_of(&t), 3.0 * SAMPLES, 1e-9);
	CU_ASSERT_TRUE(t.cells[3].slot == 1 && t.cells[3].node == 4 && t.cells[3].of[0] == 1);
	timeline_release(&t);
	/* fewer cells by longer slots: two a second would still be 10 nodes each, and nothing is lost */
	timeline_make(&t, &in, of_node, column_of, &weighted, 200);
	CU_ASSERT_TRUE(t.nr <= 200 && t.nr > 10);
	CU_ASSERT_TRUE(t.time.rows < 50 && t.time.slot > 0.02);
	CU_ASSERT_TRUE(t.time.slot * t.time.slots >= 6.993);
	CU_ASSERT_DOUBLE_EQUAL(sum_of(&t), 3.0 * SAMPLES, 1e-9);
	timeline_release(&t);
	/* not even one slot is few enough: as few as there can be */
	weighted = false;
	timeline_make(&t, &in, of_node, column_of, &weighted, 3);
	CU_ASSERT_EQUAL(t.nr, 10);
	CU_ASSERT_EQUAL(t.nr_dimensions, 0);
	CU_ASSERT_DOUBLE_EQUAL(sum_of(&t), SAMPLES, 1e-9);
	timeline_release(&t);
	free(in.collect.samples);
	session_free(s);
	perfdata_close(pd);
	build_free(&b);
}

static const struct suite_test tests[] = {
	{"hashes are SHA-256", hashes_are_sha256},
	{"JSON ends no element", json_ends_no_element},
	{"policy names what is there", policy_names_what_is_there},
	{"data is small numbers", data_is_small_numbers},
	{"samples become cells", samples_become_cells},
	{NULL, NULL},
};
const struct suite suite_report = {"report", tests};
