/*
 * The reader and the session on recordings collected elsewhere (CORPUS): samples
 * and period sums per event and command, against the tables of expected/.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "collect/collect.h"
#include "profile/pprof.h"
#include "base/file.h"
#include "suite.h"

struct row {
	char event[160], comm[256];
	uint64_t samples, period;
};

struct table {
	struct row *rows;
	size_t nr, alloc;
};

/* Modifiers differ between versions of perf: "cycles:u", "cpu_core/cycles/Pu" lose them. */
static void plain_event(char *out, size_t size, const char *name)
{
	const char *slash = strrchr(name, '/'), *colon = strrchr(name, ':');
	size_t len = strlen(name);

	if (colon && colon[1] && strspn(colon + 1, "ukhGHIpPSDWeb") == strlen(colon + 1))
		len = (size_t)(colon - name);
	else if (slash && strchr(name, '/') != slash && strspn(slash + 1, "ukhGHIpPSDWeb") == strlen(slash + 1))
		len = (size_t)(slash + 1 - name);
	snprintf(out, size, "%.*s", (int)len, name);
}

static void add(struct table *t, const char *event, const char *comm, uint64_t samples, uint64_t period)
{
	struct row r = {.samples = samples, .period = period};
	size_t len;

	plain_event(r.event, sizeof(r.event), event);
	snprintf(r.comm, sizeof(r.comm), "%s", comm);
	/* the tables were made from printed text, whose columns do not keep a trailing blank */
	for (len = strlen(r.comm); len && r.comm[len - 1] == ' '; len--)
		r.comm[len - 1] = '\0';
	for (size_t i = 0; i < t->nr; i++) {
		if (!strcmp(t->rows[i].event, r.event) && !strcmp(t->rows[i].comm, r.comm)) {
			t->rows[i].samples += samples;
			t->rows[i].period += period;
			return;
		}
	}
	ALLOC_GROW(t->rows, t->nr + 1, t->alloc);
	t->rows[t->nr++] = r;
}

static bool equal(const struct table *a, const struct table *b)
{
	size_t same = 0;

	for (size_t i = 0; i < a->nr; i++)
		for (size_t k = 0; k < b->nr; k++)
			same += !strcmp(a->rows[i].event, b->rows[k].event) && !strcmp(a->rows[i].comm, b->rows[k].comm) &&
				a->rows[i].samples == b->rows[k].samples && a->rows[i].period == b->rows[k].period;
	return a->nr == b->nr && same == a->nr;
}

static bool read_expected(const char *path, struct table *t)
{
	FILE *f = fopen(path, "r");
	char line[1024], event[160], comm[256];
	unsigned long long samples, period;

	if (!f)
		return false;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "%159[^\t]\t%255[^\t]\t%llu\t%llu", event, comm, &samples, &period) == 4)
			add(t, event, comm, samples, period);
	fclose(f);
	return true;
}

static int run(const char *path, struct table *t, struct error *e)
{
	struct collect_options opts = {.stacks_only = true, .jobs = 2};
	struct collect c;
	char buf[16];
	int r = collect_run(&c, path, -1, NULL, 0, &opts, e), damage = 0;

	if (!r) {
		for (size_t i = 0; i < c.nr_comms; i++)
			add(t, c.events[c.comms[i].event].name, session_comm_text(c.session, c.comms[i].comm, buf, sizeof(buf)),
			    c.comms[i].samples, c.comms[i].period);
		damage = damage_total(&c.damage) > 0;
	}
	collect_release(&c);
	return r ? r : damage;
}

/* What the corpus' README says of the files that have no table, or one that is not of the records alone. */
static const struct oddity {
	const char *part; /* of the path */
	uint64_t samples;
	int result; /* of run(): 0 sound, 1 damaged, -1 refused */
} oddities[] = {
	{"intel_pt-4.14", 15, 0}, /* perf decodes 131 more out of AUX data */
	{"perf_with_trace_offcpu_v2", 304, 0},
	{"perf_with_tracepoint_event_dynamic_field", 10, 0},
	{"debug_unwind_small_map_range", 1, 0},
	{"perf_with_big_trace_data", 0, 0},
	{"706d4077.perf.data.old", 123, 1},	 /* killed recorder */
	{"corrupted.zero_size_sample-3.2", 0, -1}, /* a record of size 0 before the first sample */
	{"invalid_perf.data", 0, -1},
	{"etm/perf_inject.data", 0, -1},
};
#define NR_ODDITIES (sizeof(oddities) / sizeof(*oddities))

static const struct oddity *find_oddity(const char *path)
{
	for (size_t i = 0; i < NR_ODDITIES; i++)
		if (strstr(path, oddities[i].part))
			return &oddities[i];
	return NULL;
}

static void check_oddity(const struct oddity *o, const char *path)
{
	struct table got = {0};
	struct error e = {.text = ""};
	uint64_t samples = 0;
	int r = run(path, &got, &e);

	for (size_t i = 0; i < got.nr; i++)
		samples += got.rows[i].samples;
	if (r != o->result || samples != o->samples || (r < 0 && strlen(e.text) < 20)) {
		printf("\n%s: %d, %" PRIu64 " samples %s\n", path, r, samples, r < 0 ? e.text : "");
		CU_FAIL("a recording read otherwise than its README says");
	}
	free(got.rows);
}

static void recordings(void)
{
	const char *corpus = test_corpus();
	char name[4096], line[4096], path[2048], kind[64];
	size_t files = 0, refused = 0, odd = 0;
	FILE *f;

	if (!corpus) {
		test_skip("corpus recordings", "no corpus (set CORPUS)");
		return;
	}
	snprintf(name, sizeof(name), "%s/INDEX.tsv", corpus);
	f = fopen(name, "r");
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	while (fgets(line, sizeof(line), f)) {
		struct table want = {0}, got = {0};
		const struct oddity *o;
		struct error e;
		int r;

		if (sscanf(line, "%2047[^\t]\t%63[^\t]", path, kind) != 2 || !strstr(kind, "perf.data"))
			continue;
		o = find_oddity(path);
		if (o) {
			snprintf(name, sizeof(name), "%s/%s", corpus, path);
			check_oddity(o, name);
			odd++;
			continue;
		}
		snprintf(name, sizeof(name), "%s/expected/%s.tsv", corpus, path);
		if (read_expected(name, &want)) {
			snprintf(name, sizeof(name), "%s/%s", corpus, path);
			r = run(name, &got, &e);
			if (r < 0 || !equal(&want, &got)) {
				printf("\n%s: %s\n", path, r < 0 ? e.text : "other counts");
				CU_FAIL("a recording read otherwise than perf reads it");
			}
			files++;
		} else if (!strcmp(kind, "perf.data-fuzz")) {
			snprintf(name, sizeof(name), "%s/%s", corpus, path);
			r = run(name, &got, &e);
			CU_ASSERT_TRUE(r < 0 ? strlen(e.text) > 20 : r == 1 && !got.nr);
			refused++;
		}
		free(want.rows);
		free(got.rows);
	}
	fclose(f);
	CU_ASSERT_TRUE(files >= 70);
	CU_ASSERT_TRUE(refused >= 19);
	CU_ASSERT_EQUAL(odd, NR_ODDITIES);
}

/* Whether pprof itself refuses the file (the corpus' README). */
static bool must_be_refused(const char *path)
{
	static const char *const names[] = {"7e3c92482f6f", "dotnet-pprof-3.pb.gz", "dump1.labels.pb.gz", "jemalloc.heap"};

	for (size_t i = 0; i < 4; i++)
		if (strstr(path, names[i]))
			return true;
	return false;
}

/* The nth tab-separated column, which may be empty. */
static void column(const char *line, int n, char *out, size_t size)
{
	for (; n && line; n--) {
		line = strchr(line, '\t');
		line = line ? line + 1 : NULL;
	}
	snprintf(out, size, "%.*s", line ? (int)strcspn(line, "\t\n") : 0, line ? line : "");
}

static void profiles(void)
{
	const char *corpus = test_corpus();
	char name[4096], line[4096], path[2048], kind[64], mode[64], samples[64];
	size_t files = 0;
	FILE *f;

	if (!corpus) {
		test_skip("corpus profiles", "no corpus (set CORPUS)");
		return;
	}
	snprintf(name, sizeof(name), "%s/INDEX.tsv", corpus);
	f = fopen(name, "r");
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	while (fgets(line, sizeof(line), f)) {
		struct file_map m;
		struct profile p;
		struct error e;
		int r;

		/* path kind arch mode events sample_type samples */
		column(line, 0, path, sizeof(path));
		column(line, 1, kind, sizeof(kind));
		column(line, 3, mode, sizeof(mode));
		column(line, 6, samples, sizeof(samples));
		if (strcmp(kind, "pprof") != 0)
			continue;
		snprintf(name, sizeof(name), "%s/%s", corpus, path);
		CU_ASSERT_EQUAL_FATAL(file_map_open(&m, name, &e), 0);
		profile_init(&p);
		r = pprof_recognise(m.data, m.size) ? pprof_read(&p, m.data, m.size, path, &e) : -1;
		if (must_be_refused(path) || !strcmp(mode, "legacy")) {
			CU_ASSERT_EQUAL(r, -1);
		} else {
			if (r || damage_total(&p.damage))
				printf("\n%s: %s\n", path, r ? e.text : "damage");
			CU_ASSERT_EQUAL(r, 0);
			CU_ASSERT_EQUAL(damage_total(&p.damage), 0);
			/* equal stacks and labels are one row here */
			CU_ASSERT_TRUE(p.nr_rows <= strtoull(samples, NULL, 10));
			CU_ASSERT_TRUE(p.nr_rows > 0 || !strtoull(samples, NULL, 10));
			files++;
		}
		profile_release(&p);
		file_map_close(&m);
	}
	fclose(f);
	CU_ASSERT_TRUE(files >= 20);
}

static const struct suite_test tests[] = {
	{"corpus recordings", recordings},
	{"corpus profiles", profiles},
	{NULL, NULL},
};
const struct suite suite_corpus = {"corpus", tests};
