/*
 * The profile and its file formats.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "profile/folded.h"
#include "profile/pprof.h"
#include "profile/profile.h"
#include "suite.h"

static void read_folded(struct profile *p, const char *text)
{
	struct error e;

	profile_init(p);
	CU_ASSERT_TRUE(folded_recognise(text, strlen(text)));
	CU_ASSERT_EQUAL(folded_read(p, text, strlen(text), "test", &e), 0);
}

/* What folded_write makes of a profile; the caller frees it. */
static char *write_folded(const struct profile *p, size_t series, bool annotate, bool skip_root)
{
	struct folded_write_options o = {series, annotate, skip_root};
	struct error e;
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	CU_ASSERT_EQUAL(folded_write(p, f, &o, &e), 0);
	fclose(f);
	return text;
}

static void expect_folded(const struct profile *p, const char *want)
{
	char *got = write_folded(p, p->default_series, true, false);

	CU_ASSERT_STRING_EQUAL(got, want);
	free(got);
}

static void folded_reads_and_writes(void)
{
	struct profile p;
	char *text;

	read_folded(&p, "# comment\nmain;b_[k] 2\r\nmain;a;c_[i] 3\nmain;b_[k] 5\n\nmain;-;x 1\n");
	expect_folded(&p, "main;-;x 1\nmain;a;c_[i] 3\nmain;b_[k] 7\n");
	text = write_folded(&p, 0, false, true);
	CU_ASSERT_STRING_EQUAL(text, "-;x 1\na;c 3\nb 7\n");
	free(text);
	CU_ASSERT_EQUAL(p.series[0].total, 11);
	profile_release(&p);
	/* a stack of the comm alone is none */
	read_folded(&p, "main 4\nmain;a 1\n");
	text = write_folded(&p, 0, false, true);
	CU_ASSERT_STRING_EQUAL(text, "a 1\n");
	free(text);
	CU_ASSERT_EQUAL(damage_total(&p.damage), 0);
	profile_release(&p);
	/* difffolded.pl: two columns */
	read_folded(&p, "a;b 1 4\na;c 2 5\n");
	CU_ASSERT_EQUAL_FATAL(p.nr_series, 2);
	CU_ASSERT_EQUAL(p.series[0].total, 3);
	CU_ASSERT_EQUAL(p.series[1].total, 9);
	profile_release(&p);
}

static void folded_names_keep_their_bytes(void)
{
	struct profile p;
	struct profile_frame f = {.kind = FRAME_USER};
	char *text;

	profile_init(&p);
	profile_add_series(&p, "samples", "count");
	f.name = strtab_add(&p.strings, "slices.SortFunc[go.shape.struct { a int; b int }]");
	profile_add_value(&p, profile_add_row(&p, profile_add_node(&p, 0, profile_add_frame(&p, &f)), 0), 0, 2);
	text = write_folded(&p, 0, true, false);
	CU_ASSERT_STRING_EQUAL(text, "slices.SortFunc[go.shape.struct { a int: b int }] 2\n");
	free(text);
	profile_release(&p);
}

static void folded_damage_is_counted(void)
{
	struct profile p;
	struct error e;
	const char *text = "a;b 1\nno count\n;;; 99999999999999999999\na 2\n";

	profile_init(&p);
	CU_ASSERT_EQUAL(folded_read(&p, text, strlen(text), "test", &e), 0);
	CU_ASSERT_EQUAL(p.damage.kind[DAMAGE_FOLDED_LINE].count, 2);
	CU_ASSERT_EQUAL(p.damage.kind[DAMAGE_FOLDED_LINE].offset, 6);
	CU_ASSERT_EQUAL(p.series[0].total, 3);
	profile_release(&p);
	/* a line may have 16 MB */
	for (size_t over = 0; over < 2; over++) {
		size_t n = ((size_t)16 << 20) + over;
		char *line = malloc(n);

		memset(line, 'a', n);
		memcpy(line + n - 2, " 7", 2);
		profile_init(&p);
		CU_ASSERT_EQUAL(folded_read(&p, line, n, "test", &e) < 0, over); /* no other line is there */
		CU_ASSERT_EQUAL(p.damage.kind[DAMAGE_FOLDED_LINE].count, over);
		CU_ASSERT_EQUAL(p.nr_rows, over ? 0 : 1);
		profile_release(&p);
		free(line);
	}
	CU_ASSERT_FALSE(folded_recognise("hello world", 11));
	CU_ASSERT_FALSE(folded_recognise("", 0));
	CU_ASSERT_FALSE(folded_recognise("a\0b 1", 5));
}

static void functions_count_recursion_once(void)
{
	struct profile p;
	struct profile_function *f;
	size_t nr;

	read_folded(&p, "main;rec;rec;rec;leaf 4\nmain;rec 2\nmain 1\n");
	f = profile_functions(&p, 0, &nr);
	CU_ASSERT_EQUAL_FATAL(nr, 3);
	CU_ASSERT_STRING_EQUAL(profile_str(&p, f[0].name), "leaf");
	CU_ASSERT_EQUAL(f[0].self, 4);
	CU_ASSERT_STRING_EQUAL(profile_str(&p, f[1].name), "rec");
	CU_ASSERT_EQUAL(f[1].self, 2);
	CU_ASSERT_EQUAL(f[1].cum, 6);
	CU_ASSERT_EQUAL(f[2].cum, 7);
	free(f);
	profile_release(&p);
}

static void filtered(const char *in, struct profile_filter f, const char *want)
{
	struct profile p, out;
	struct error e;

	read_folded(&p, in);
	profile_init(&out);
	CU_ASSERT_EQUAL(profile_filter(&out, &p, &f, NULL, &e), 0);
	expect_folded(&out, want);
	profile_release(&p);
	profile_release(&out);
}

static void filters(void)
{
	static const char in[] = "a;b;c 1\na;d 2\na;b;b;b 4\n";
	struct profile p, out;
	struct error e;

	filtered(in, (struct profile_filter){.focus = "^b$"}, "a;b;b;b 4\na;b;c 1\n");
	filtered(in, (struct profile_filter){.ignore = "c|d"}, "a;b;b;b 4\n");
	filtered(in, (struct profile_filter){.hide = "b"}, "a 4\na;c 1\na;d 2\n");
	filtered(in, (struct profile_filter){.reverse = true}, "b;b;b;a 4\nc;b;a 1\nd;a 2\n");
	filtered(in, (struct profile_filter){.merge_recursion = true}, "a;b 4\na;b;c 1\na;d 2\n");
	filtered(in, (struct profile_filter){.max_depth = 2}, "a;b 5\na;d 2\n");
	filtered("a;b_[i];c 1\n", (struct profile_filter){.no_inline = true}, "a;c 1\n");
	read_folded(&p, in);
	profile_init(&out);
	CU_ASSERT_EQUAL(profile_filter(&out, &p, &(struct profile_filter){.focus = "("}, NULL, &e), -1);
	CU_ASSERT_EQUAL(e.code, EXIT_CODE_USAGE);
	profile_release(&p);
	profile_release(&out);
}

/* --- pprof ------------------------------------------------------------------------------ */

static char *write_pprof(const struct profile *p, bool gzip, size_t *size)
{
	struct pprof_write_options o = {.gzip = gzip};
	struct error e;
	char *bytes = NULL;
	FILE *f = open_memstream(&bytes, size);

	CU_ASSERT_EQUAL(pprof_write(p, f, &o, &e), 0);
	fclose(f);
	return bytes;
}

/* A profile with what the format can hold: labels, inlined lines, mappings, two series. */
static void make_rich(struct profile *p, bool other_order)
{
	struct profile_frame outer = {.kind = FRAME_USER, .line = 10, .start_line = 5, .address = 0x4010};
	struct profile_frame inner = {.kind = FRAME_USER, .line = 3, .inlined = true, .address = 0x4010};
	struct profile_label labels[2] = {{.num = 7}, {0}};
	uint32_t node;

	profile_init(p);
	profile_add_series(p, "samples", "count");
	profile_add_series(p, "cpu", "nanoseconds");
	p->default_series = 1;
	if (other_order)
		strtab_add(&p->strings, "something first");
	outer.name = strtab_add(&p->strings, "main.outer");
	outer.file = strtab_add(&p->strings, "main.go");
	outer.dso = inner.dso = strtab_add(&p->strings, "/bin/app");
	inner.name = strtab_add(&p->strings, "main.inner");
	inner.file = outer.file;
	labels[0].key = strtab_add(&p->strings, "bytes");
	labels[0].unit = strtab_add(&p->strings, "bytes");
	labels[1].key = strtab_add(&p->strings, "handler");
	labels[1].str = strtab_add(&p->strings, "/x");
	p->mappings = calloc(1, sizeof(*p->mappings));
	p->nr_mappings = p->alloc_mappings = 1;
	p->mappings[0] = (struct profile_mapping){.start = 0x4000, .limit = 0x5000, .file = outer.dso,
						  .build_id = strtab_add(&p->strings, "abcd"), .has_functions = true};
	p->time_ns = 123;
	p->duration_ns = 456;
	node = profile_add_node(p, 0, profile_add_frame(p, &outer));
	for (int i = 0; i < 2; i++) {
		bool with_inline = (i == 0) != other_order;
		size_t row = profile_add_row(p, with_inline ? profile_add_node(p, node, profile_add_frame(p, &inner)) : node,
					     with_inline ? profile_add_labels(p, labels, 2) : 0);

		profile_add_value(p, row, 0, with_inline ? 3 : 1);
		profile_add_value(p, row, 1, with_inline ? 30 : 10);
	}
}

static void pprof_round_trip(void)
{
	struct profile p, q;
	struct error e;
	size_t size, again, other_size;
	char *bytes, *second, *other;

	make_rich(&p, false);
	bytes = write_pprof(&p, true, &size);
	profile_init(&q);
	CU_ASSERT_TRUE(pprof_recognise(bytes, size));
	CU_ASSERT_EQUAL_FATAL(pprof_read(&q, bytes, size, "test", &e), 0);
	CU_ASSERT_EQUAL(damage_total(&q.damage), 0);
	CU_ASSERT_EQUAL(q.nr_series, 2);
	CU_ASSERT_EQUAL(q.default_series, 1);
	CU_ASSERT_EQUAL(q.series[1].total, 40);
	CU_ASSERT_EQUAL(q.time_ns, 123);
	CU_ASSERT_EQUAL(q.duration_ns, 456);
	CU_ASSERT_STRING_EQUAL(profile_str(&q, q.mappings[0].build_id), "abcd");
	expect_folded(&q, "main.outer 10\nmain.outer;main.inner_[i] 30\n");
	second = write_pprof(&q, true, &again);
	CU_ASSERT_EQUAL(size, again);
	CU_ASSERT_EQUAL(memcmp(bytes, second, size), 0);
	profile_release(&p);
	/* filled in another order: the same samples */
	make_rich(&p, true);
	other = write_pprof(&p, false, &other_size);
	profile_release(&q);
	profile_init(&q);
	CU_ASSERT_EQUAL(pprof_read(&q, other, other_size, "test", &e), 0);
	expect_folded(&q, "main.outer 10\nmain.outer;main.inner_[i] 30\n");
	free(bytes);
	free(second);
	free(other);
	profile_release(&p);
	profile_release(&q);
}

/* Cut anywhere or changed anywhere, a profile gives an error or a profile, never a crash. */
static void pprof_survives_damage(void)
{
	struct profile p;
	size_t size, refused = 0;
	char *bytes;

	make_rich(&p, false);
	bytes = write_pprof(&p, false, &size);
	profile_release(&p);
	for (size_t i = 0; i < size; i++) {
		struct error e;
		char old = bytes[i];

		profile_init(&p);
		refused += pprof_read(&p, bytes, i, "test", &e) < 0;
		profile_release(&p);
		for (int v = 0; v < 256; v += 17) {
			bytes[i] = (char)v;
			profile_init(&p);
			pprof_read(&p, bytes, size, "test", &e);
			profile_release(&p);
		}
		bytes[i] = old;
	}
	CU_ASSERT_TRUE(refused > size / 2);
	free(bytes);
}

static void gzip_bombs_are_refused(void)
{
	enum { ZEROS = 64 << 20 };
	uLongf n = compressBound(ZEROS) + 64;
	unsigned char *zeros = calloc(1, ZEROS), *packed = malloc(n);
	z_stream z = {0};
	struct profile p;
	struct error e;

	deflateInit2(&z, 9, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY);
	z.next_in = zeros;
	z.avail_in = ZEROS;
	z.next_out = packed;
	z.avail_out = (uInt)n;
	deflate(&z, Z_FINISH);
	profile_init(&p);
	CU_ASSERT_EQUAL(pprof_read(&p, packed, z.total_out, "bomb", &e), -1);
	CU_ASSERT_EQUAL(e.code, EXIT_CODE_LIMIT);
	profile_release(&p);
	deflateEnd(&z);
	free(zeros);
	free(packed);
}

/* Folded text written as pprof with frames to drop and to keep (NULL: none), read again. */
static void expect_dropped(const char *folded, const char *drop, const char *keep, const char *want)
{
	struct profile p, q;
	struct error e;
	size_t size;
	char *bytes;

	read_folded(&p, folded);
	p.drop_frames = strtab_add(&p.strings, drop);
	if (keep)
		p.keep_frames = strtab_add(&p.strings, keep);
	bytes = write_pprof(&p, false, &size);
	profile_init(&q);
	CU_ASSERT_EQUAL(pprof_read(&q, bytes, size, "test", &e), 0);
	expect_folded(&q, want);
	free(bytes);
	profile_release(&p);
	profile_release(&q);
}

/* google/pprof profile/prune.go: with the dropped function goes what it calls, never all. */
static void dropped_frames(void)
{
	static const struct {
		const char *drop, *keep, *want;
	} cases[] = {
		{"malloc", NULL, "a 1\na;b 2\n"},
		{"malloc|b", NULL, "a 3\n"},
		{"a", NULL, "a;b;malloc 2\na;malloc;c 1\n"},	  /* nothing kept calls it */
		{"a|malloc", NULL, "a;b 2\na;malloc;c 1\n"},	  /* a and malloc below it are passed over */
		{"m.*", "malloc", "a;b;malloc 2\na;malloc;c 1\n"},
		{"mall", NULL, "a;b;malloc 2\na;malloc;c 1\n"}, /* a whole name is asked for */
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		expect_dropped("a;b;malloc 2\na;malloc;c 1\n", cases[i].drop, cases[i].keep, cases[i].want);
}

/* prune.go, simplifyFunc: arguments are no part of a name, but for what is called so. */
static void dropped_frames_with_arguments(void)
{
	static const struct {
		const char *drop, *want;
	} cases[] = {
		{"f", "a 1\na;g(anonymous namespace)h;(int) 2\n"},
		{"x::operator\\(\\)", "a;f(int) 1\na;g(anonymous namespace)h;(int) 2\n"},
		{"g\\(anonymous namespace\\)h", "a 2\na;f(int);x::operator()(long) 1\n"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		expect_dropped("a;f(int);x::operator()(long) 1\na;g(anonymous namespace)h;(int) 2\n", cases[i].drop, NULL,
			       cases[i].want);
}

/* Two bytes an empty sample, in a file that is no gzip bomb by its ratio. */
static void empty_messages_are_bounded(void)
{
	const size_t size = (size_t)64 << 20;
	char *bytes = malloc(size);
	struct profile p;
	struct error e;

	for (size_t i = 0; i < size; i += 2) {
		bytes[i] = 0x12; /* field 2, sample */
		bytes[i + 1] = 0;
	}
	profile_init(&p);
	CU_ASSERT_EQUAL(pprof_read(&p, bytes, size, "test", &e), -1);
	CU_ASSERT_EQUAL(e.code, EXIT_CODE_LIMIT);
	profile_release(&p);
	free(bytes);
}

static void merge_is_associative(void)
{
	static const char *const texts[] = {"a;b 1\na;c 2\n", "a;b 4\nd 1\n", "d;e 3\na;c 1\n"};
	struct profile in[3], left, right;
	char *x, *y;

	for (int i = 0; i < 3; i++)
		read_folded(&in[i], texts[i]);
	profile_init(&left);
	profile_init(&right);
	for (int i = 0; i < 3; i++)
		profile_merge(&left, &in[i]);
	profile_merge(&in[1], &in[2]);
	profile_merge(&right, &in[1]);
	profile_merge(&right, &in[0]);
	expect_folded(&left, "a;b 5\na;c 3\nd 1\nd;e 3\n");
	x = write_folded(&left, 0, true, false);
	y = write_folded(&right, 0, true, false);
	CU_ASSERT_STRING_EQUAL(x, y);
	free(x);
	free(y);
	for (int i = 0; i < 3; i++)
		profile_release(&in[i]);
	profile_release(&left);
	profile_release(&right);
}

static void values_saturate(void)
{
	struct profile p;
	size_t row;

	profile_init(&p);
	profile_add_series(&p, "samples", "count");
	row = profile_add_row(&p, 0, 0);
	profile_add_value(&p, row, 0, INT64_MAX);
	profile_add_value(&p, row, 0, INT64_MAX);
	CU_ASSERT_EQUAL(p.series[0].total, INT64_MAX);
	CU_ASSERT_EQUAL(p.series[0].values[row], INT64_MAX);
	profile_release(&p);
}

/* Rows that print as one line are summed, too. */
static void sums_saturate(void)
{
	struct profile p;
	struct profile_function *f;
	size_t nr;
	char *text;

	read_folded(&p, "a;b 9223372036854775807\na;b_[i] 9223372036854775807\nb 1\n");
	text = write_folded(&p, 0, false, false);
	CU_ASSERT_STRING_EQUAL(text, "a;b 9223372036854775807\nb 1\n");
	free(text);
	f = profile_functions(&p, 0, &nr);
	CU_ASSERT_EQUAL(f[0].self, INT64_MAX);
	CU_ASSERT_EQUAL(f[0].cum, INT64_MAX);
	free(f);
	profile_release(&p);
}

struct naive_line {
	char text[128];
	long long value;
};

static int by_text(const void *a, const void *b)
{
	return strcmp(((const struct naive_line *)a)->text, ((const struct naive_line *)b)->text);
}

/* Every row's line made alone, sorted, equal ones summed. */
static char *naive_folded(const struct profile *p, bool skip_root)
{
	static struct naive_line lines[512];
	char *text = NULL;
	size_t nr = 0, size;
	FILE *f = open_memstream(&text, &size);

	for (size_t r = 0; r < p->nr_rows; r++) {
		uint32_t path[16];
		size_t depth = profile_path(p, p->rows[r].node, path, 16), len = 0;

		if (!p->series[0].values[r] || depth <= skip_root)
			continue;
		lines[nr].text[0] = '\0';
		for (size_t i = skip_root; i < depth; i++)
			len += (size_t)snprintf(lines[nr].text + len, sizeof(lines[nr].text) - len, "%s%s%s", len ? ";" : "",
						profile_str(p, p->frames[path[i]].name), p->frames[path[i]].inlined ? "_[i]" : "");
		lines[nr++].value = p->series[0].values[r];
	}
	qsort(lines, nr, sizeof(*lines), by_text);
	for (size_t i = 0; i < nr; i++) {
		if (i + 1 < nr && !strcmp(lines[i].text, lines[i + 1].text))
			lines[i + 1].value += lines[i].value;
		else
			fprintf(f, "%s %lld\n", lines[i].text, lines[i].value);
	}
	fclose(f);
	return text;
}

/* Lines are in the order of their bytes, whatever stands where a separator stands in others. */
static void folded_lines_are_sorted(void)
{
	static const char *const names[] = {"", "a", "a b", "a(x)", "a:", "a<", "aa", "\xc3\xa4", "b"};
	static const char *const dsos[] = {"one", "two"};
	uint64_t seed = 7;

	for (int round = 0; round < 50; round++) {
		struct profile p;
		char *got, *want;

		profile_init(&p);
		profile_add_series(&p, "samples", "count");
		for (int i = 0; i < 300; i++) {
			uint32_t node = 0;
			size_t row;

			for (size_t depth = (seed = seed * 6364136223846793005u + 1442695040888963407u) >> 33 & 7; depth; depth--) {
				uint64_t draw = (seed = seed * 6364136223846793005u + 1442695040888963407u) >> 33;
				struct profile_frame f = {.name = strtab_add(&p.strings, names[draw % 9]), .inlined = draw >> 10 & 1,
							  .dso = strtab_add(&p.strings, dsos[draw >> 11 & 1])};

				node = profile_add_node(&p, node, profile_add_frame(&p, &f));
			}
			row = profile_add_row(&p, node, 0);
			profile_add_value(&p, row, 0, (int64_t)(seed >> 60));
		}
		for (int skip = 0; skip < 2; skip++) {
			got = write_folded(&p, 0, true, skip);
			want = naive_folded(&p, skip);
			CU_ASSERT_STRING_EQUAL(got, want);
			free(got);
			free(want);
		}
		profile_release(&p);
	}
}

static const struct suite_test tests[] = {
	{"folded reads and writes", folded_reads_and_writes},
	{"folded: names keep their bytes", folded_names_keep_their_bytes},
	{"folded: damage is counted", folded_damage_is_counted},
	{"functions count recursion once", functions_count_recursion_once},
	{"filters", filters},
	{"pprof round trip", pprof_round_trip},
	{"pprof survives damage", pprof_survives_damage},
	{"gzip bombs are refused", gzip_bombs_are_refused},
	{"pprof: dropped frames", dropped_frames},
	{"pprof: dropped frames with arguments", dropped_frames_with_arguments},
	{"pprof: empty messages are bounded", empty_messages_are_bounded},
	{"merge is associative", merge_is_associative},
	{"values saturate", values_saturate},
	{"sums saturate", sums_saturate},
	{"folded lines are sorted", folded_lines_are_sorted},
	{NULL, NULL},
};
const struct suite suite_profile = {"profile", tests};
