#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/cursor.h"
#include "base/damage.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/output.h"
#include "base/pool.h"
#include "base/sort.h"
#include "base/strtab.h"
#include "suite.h"

static void cursor_stops_at_the_end(void)
{
	const uint8_t bytes[] = {1, 2, 3, 4, 5};
	struct cursor c = cursor_make(bytes, sizeof(bytes), 100, false);

	CU_ASSERT_EQUAL(cursor_u32(&c), 0x04030201);
	CU_ASSERT_EQUAL(cursor_u16(&c), 0);
	CU_ASSERT_TRUE(c.failed);
	CU_ASSERT_EQUAL(cursor_offset(&c), 104);
	CU_ASSERT_EQUAL(cursor_u8(&c), 0); /* one byte is left, but nothing is read after a failure */
	c = cursor_make(bytes, sizeof(bytes), 0, true);
	CU_ASSERT_EQUAL(cursor_u32(&c), 0x01020304);
}

static void cursor_reads_leb128(void)
{
	/* DWARF 5, figures 22 and 23 of 7.6 */
	const uint8_t u[] = {0x02, 0x7f, 0x80, 0x01, 0x81, 0x01, 0xb9, 0x64};
	const uint8_t s[] = {0x02, 0x7e, 0xff, 0x00, 0x81, 0x7f, 0x80, 0x01, 0x80, 0x7f};
	const uint8_t over[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f};
	struct cursor c = cursor_make(u, sizeof(u), 0, false);

	CU_ASSERT_EQUAL(cursor_uleb(&c), 2);
	CU_ASSERT_EQUAL(cursor_uleb(&c), 127);
	CU_ASSERT_EQUAL(cursor_uleb(&c), 128);
	CU_ASSERT_EQUAL(cursor_uleb(&c), 129);
	CU_ASSERT_EQUAL(cursor_uleb(&c), 12857);
	c = cursor_make(s, sizeof(s), 0, false);
	CU_ASSERT_EQUAL(cursor_sleb(&c), 2);
	CU_ASSERT_EQUAL(cursor_sleb(&c), -2);
	CU_ASSERT_EQUAL(cursor_sleb(&c), 127);
	CU_ASSERT_EQUAL(cursor_sleb(&c), -127);
	CU_ASSERT_EQUAL(cursor_sleb(&c), 128);
	CU_ASSERT_EQUAL(cursor_sleb(&c), -128);
	c = cursor_make(over, sizeof(over), 0, false);
	cursor_uleb(&c);
	CU_ASSERT_TRUE(c.failed);
	/* eleven bytes: more than 64 bits, whatever the last one says */
	for (int sign = 0; sign < 2; sign++) {
		const uint8_t eleven[] = {0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, sign ? 0x7f : 0};

		c = cursor_make(eleven, sizeof(eleven), 0, false);
		cursor_sleb(&c);
		CU_ASSERT_TRUE(c.failed);
		c = cursor_make(eleven, sizeof(eleven), 0, false);
		cursor_uleb(&c);
		CU_ASSERT_TRUE(c.failed);
	}
}

static void cursor_strings_need_an_end(void)
{
	struct cursor c = cursor_make("ab\0cd", 5, 0, false);
	size_t len;

	CU_ASSERT_STRING_EQUAL(cursor_cstr(&c, &len), "ab");
	CU_ASSERT_EQUAL(len, 2);
	CU_ASSERT_PTR_NULL(cursor_cstr(&c, &len));
	CU_ASSERT_TRUE(c.failed);
}

static void strtab_interns(void)
{
	struct strtab t;
	char name[16];
	uint32_t a, b;

	strtab_init(&t);
	CU_ASSERT_EQUAL(strtab_add(&t, ""), 0);
	a = strtab_add(&t, "main.main");
	b = strtab_add_len(&t, "main.mainly", 9);
	CU_ASSERT_EQUAL(a, b);
	for (int i = 0; i < 5000; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		strtab_add(&t, name);
	}
	CU_ASSERT_EQUAL(strtab_find(&t, "main.main"), a);
	CU_ASSERT_EQUAL(strtab_find(&t, "missing"), UINT32_MAX);
	CU_ASSERT_EQUAL(t.nr, 5002);
	CU_ASSERT_STRING_EQUAL(strtab_get(&t, strtab_find(&t, "f4999")), "f4999");
	strtab_release(&t);
}

static void map64_keeps_all_keys(void)
{
	struct map64 m = MAP64_INIT;

	CU_ASSERT_EQUAL(map64_get(&m, 0), MAP64_NONE);
	for (uint32_t i = 0; i < 10000; i++)
		map64_put(&m, (uint64_t)i << 32, i);
	map64_put(&m, 0, 7);
	CU_ASSERT_EQUAL(m.nr, 10000);
	CU_ASSERT_EQUAL(map64_get(&m, 0), 7);
	CU_ASSERT_EQUAL(map64_get(&m, (uint64_t)9999 << 32), 9999);
	CU_ASSERT_EQUAL(map64_get(&m, 1), MAP64_NONE);
	map64_release(&m);
}

static void damage_remembers_the_first_offset(void)
{
	struct damage d = {0}, other = {0};

	damage_add(&d, DAMAGE_RECORD_CUT, 500);
	damage_add(&other, DAMAGE_RECORD_CUT, 20);
	damage_merge(&d, &other);
	CU_ASSERT_EQUAL(damage_total(&d), 2);
	CU_ASSERT_EQUAL(d.kind[DAMAGE_RECORD_CUT].offset, 20);
}

static void file_survives_shrinking(void)
{
	char path[] = "/tmp/perfskew-test-XXXXXX";
	int fd = mkstemp(path);
	struct file_map m;
	struct error e;
	unsigned sum = 0;

	CU_ASSERT_EQUAL_FATAL(ftruncate(fd, 64 * 1024), 0);
	CU_ASSERT_EQUAL_FATAL(file_map_open(&m, path, &e), 0);
	CU_ASSERT_EQUAL(ftruncate(fd, 4096), 0);
	for (size_t i = 0; i < m.size; i += 512)
		sum += ((const volatile uint8_t *)m.data)[i];
	CU_ASSERT_EQUAL(sum, 0);
	CU_ASSERT_TRUE(file_map_shrank(&m));
	file_map_close(&m);
	close(fd);
	unlink(path);
}

static void file_refuses_what_is_no_file(void)
{
	struct file_map m;
	struct error e;
	char path[64];

	snprintf(path, sizeof(path), "/tmp/perfskew-fifo-%d", (int)getpid());
	CU_ASSERT_EQUAL_FATAL(mkfifo(path, 0600), 0);
	CU_ASSERT_EQUAL(file_map_open(&m, path, &e), -1); /* and does not block */
	CU_ASSERT_EQUAL(e.code, EXIT_CODE_INPUT);
	unlink(path);
	CU_ASSERT_EQUAL(file_map_open(&m, "/tmp", &e), -1);
	CU_ASSERT_EQUAL(file_map_open(&m, "/dev/null", &e), -1);
}

static void output_is_whole_or_absent(void)
{
	char dir[] = "/tmp/perfskew-out-XXXXXX", path[64], text[16] = "";
	struct output o;
	struct error e;
	int fd;

	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/x", dir);
	CU_ASSERT_EQUAL_FATAL(output_open(&o, path, &e), 0);
	fputs("one", o.f);
	CU_ASSERT_EQUAL(access(path, F_OK), -1);
	CU_ASSERT_EQUAL(output_commit(&o, &e), 0);
	CU_ASSERT_EQUAL_FATAL(output_open(&o, path, &e), 0);
	fputs("two", o.f);
	output_discard(&o);
	fd = open(path, O_RDONLY);
	CU_ASSERT_EQUAL(read(fd, text, sizeof(text)), 3);
	CU_ASSERT_STRING_EQUAL(text, "one");
	close(fd);
	unlink(path);
	CU_ASSERT_EQUAL(rmdir(dir), 0); /* no temporary file is left */
	CU_ASSERT_EQUAL(output_open(&o, "/nonexistent/x", &e), -1);
	CU_ASSERT_EQUAL(e.code, EXIT_CODE_OUTPUT);
}

static void output_reports_a_full_device(void)
{
	struct output o;
	struct error e;

	CU_ASSERT_EQUAL_FATAL(output_open(&o, "/dev/full", &e), 0);
	fputs("x", o.f);
	CU_ASSERT_EQUAL(output_commit(&o, &e), -1);
	CU_ASSERT_EQUAL(e.code, EXIT_CODE_OUTPUT);
}

static void add_task(void *ctx, int worker, size_t task)
{
	atomic_ulong *sum = ctx;

	CU_ASSERT_TRUE(worker >= 0 && worker < 4);
	atomic_fetch_add(sum, task);
}

static void pool_runs_every_task_once(void)
{
	struct pool *p = pool_new(4);

	for (int round = 0; round < 200; round++) {
		atomic_ulong sum = 0;

		pool_start(p, 100, add_task, &sum);
		pool_wait(p);
		CU_ASSERT_EQUAL(atomic_load(&sum), 4950);
	}
	pool_free(p);
}

static void sort_orders_pairs_and_keeps_ties(void)
{
	enum { NR = 5000 };
	static struct sort_pair pairs[NR], scratch[NR];
	static const uint64_t masks[] = {0, 7, 0xffff0000, UINT64_MAX, (uint64_t)3 << 62};
	uint64_t seed = 42;

	for (size_t m = 0; m < sizeof(masks) / sizeof(*masks); m++) {
		uint64_t before = 0, after = 0;

		for (uint32_t i = 0; i < NR; i++) {
			pairs[i] = (struct sort_pair){(seed = hash_u64(seed + i)) & masks[m], i};
			before += hash_u64(pairs[i].key ^ i);
		}
		sort_pairs(pairs, scratch, NR);
		for (size_t i = 0; i < NR; i++) {
			after += hash_u64(pairs[i].key ^ pairs[i].value);
			if (!i)
				continue;
			CU_ASSERT_TRUE(pairs[i - 1].key <= pairs[i].key);
			CU_ASSERT_TRUE(pairs[i - 1].key < pairs[i].key || pairs[i - 1].value < pairs[i].value);
		}
		CU_ASSERT_EQUAL(before, after);
	}
	sort_pairs(pairs, scratch, 0);
	pairs[0] = (struct sort_pair){9, 1};
	sort_pairs(pairs, scratch, 1);
	CU_ASSERT_EQUAL(pairs[0].key, 9);
}

static const struct suite_test tests[] = {
	{"cursor stops at the end", cursor_stops_at_the_end},
	{"cursor reads LEB128", cursor_reads_leb128},
	{"cursor: strings need an end", cursor_strings_need_an_end},
	{"strtab interns", strtab_interns},
	{"map64 keeps all keys", map64_keeps_all_keys},
	{"damage remembers the first offset", damage_remembers_the_first_offset},
	{"file survives shrinking", file_survives_shrinking},
	{"file refuses what is no file", file_refuses_what_is_no_file},
	{"output is whole or absent", output_is_whole_or_absent},
	{"output reports a full device", output_reports_a_full_device},
	{"pool runs every task once", pool_runs_every_task_once},
	{"sort orders pairs and keeps ties", sort_orders_pairs_and_keeps_ties},
	{NULL, NULL},
};
const struct suite suite_base = {"base", tests};
