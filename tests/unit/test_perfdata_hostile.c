/*
 * The reader on input that means harm: what it costs in time and memory stays
 * bounded, and nothing is lost in silence.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "base/alloc.h"
#include "reading.h"
#include "suite.h"

/* 64 KB of zstd may hold gigabytes: blocks stay small, and the stream ends where it grows beyond belief. */
static void zstd_bomb(void)
{
	size_t zeros = (size_t)600 << 20, n, largest = 0;
	struct build b = {0};
	ZSTD_CCtx *z = ZSTD_createCCtx();
	uint8_t *in = calloc(1, 1 << 20), packed[65000];
	ZSTD_outBuffer out = {packed, sizeof(packed), 0};
	struct perfdata *pd;
	struct perfdata_block blk;
	struct error e;

	/* records of 8 zero bytes have an impossible size: these have size 8 */
	for (size_t i = 0; i < 1 << 20; i += 8)
		in[i] = 200, in[i + 6] = 8;
	for (n = 0; n < zeros; n += 1 << 20) {
		ZSTD_inBuffer ib = {in, 1 << 20, 0};

		ZSTD_compressStream2(z, &out, &ib, ZSTD_e_continue);
	}
	{
		ZSTD_inBuffer ib = {in, 0, 0};

		CU_ASSERT_EQUAL_FATAL(ZSTD_compressStream2(z, &out, &ib, ZSTD_e_end), 0);
	}
	file_begin(&b, &basic, 1);
	record_begin(&b, PERF_RECORD_COMPRESSED, 0);
	put_bytes(&b, packed, out.pos);
	record_end(&b);
	file_end(&b, NULL, 0);
	pd = open_built(&b);
	CU_ASSERT_PTR_NOT_NULL_FATAL(pd);
	while (perfdata_next_block(pd, &blk, &e) > 0) {
		largest = blk.size > largest ? blk.size : largest;
		perfdata_block_release(&blk);
	}
	CU_ASSERT_TRUE(largest <= (size_t)4 << 20);
	CU_ASSERT_TRUE(perfdata_stats(pd)->decompressed < (uint64_t)300 << 20);
	CU_ASSERT_EQUAL(perfdata_damage(pd)->kind[DAMAGE_COMPRESSED].count, 1);
	perfdata_close(pd);
	build_free(&b);
	ZSTD_freeCCtx(z);
	free(in);
}

/* A record larger than a block after decompression goes on in the next one, and all of it arrives. */
static void compressed_record_of_many_blocks(void)
{
	struct build raw = {0}, b = {0};
	size_t nr = 400000, n, bound;
	uint8_t *packed;
	struct perfdata *pd;
	struct seen s;

	for (size_t i = 0; i < nr; i++)
		basic_sample(&raw, 1, 2, 3);
	bound = ZSTD_compressBound(raw.nr);
	packed = malloc(bound);
	n = ZSTD_compress(packed, bound, raw.data, raw.nr, 1);
	CU_ASSERT_TRUE_FATAL(n < 65000);
	file_begin(&b, &basic, 1);
	record_begin(&b, PERF_RECORD_COMPRESSED, 0);
	put_bytes(&b, packed, n);
	record_end(&b);
	file_end(&b, NULL, 0);
	pd = open_built(&b);
	CU_ASSERT_PTR_NOT_NULL_FATAL(pd);
	s = read_all(pd);
	CU_ASSERT_EQUAL(s.samples, nr);
	CU_ASSERT_EQUAL(damage_total(perfdata_damage(pd)), 0);
	perfdata_close(pd);
	free(packed);
	build_free(&raw);
	build_free(&b);
}

/* The compressed stream ends inside a record: said in every form. */
static void compressed_end_in_a_record(void)
{
	for (int pipe_form = 0; pipe_form < 2; pipe_form++) {
		struct build raw = {0}, b = {0};
		uint8_t packed[4096];
		size_t n;
		struct perfdata *pd;
		struct seen s;

		basic_sample(&raw, 1, 2, 3);
		basic_sample(&raw, 1, 2, 3);
		n = ZSTD_compress(packed, sizeof(packed), raw.data, raw.nr - 4, 1);
		if (pipe_form)
			pipe_begin(&b, &basic, 1);
		else
			file_begin(&b, &basic, 1);
		record_begin(&b, PERF_RECORD_COMPRESSED, 0);
		put_bytes(&b, packed, n);
		record_end(&b);
		record_begin(&b, PERF_RECORD_FINISHED_ROUND, 0);
		record_end(&b);
		if (pipe_form) {
			struct error e;
			int fds[2];

			CU_ASSERT_EQUAL_FATAL(pipe(fds), 0);
			CU_ASSERT_EQUAL(write(fds[1], b.data, b.nr), (ssize_t)b.nr);
			close(fds[1]);
			pd = perfdata_open("stream", fds[0], NULL, 0, &e);
			CU_ASSERT_PTR_NOT_NULL_FATAL(pd);
			s = read_all(pd);
			close(fds[0]);
		} else {
			file_end(&b, NULL, 0);
			pd = open_built(&b);
			CU_ASSERT_PTR_NOT_NULL_FATAL(pd);
			s = read_all(pd);
		}
		CU_ASSERT_EQUAL(s.samples, 1);
		/* in a finished file it is perf that lost it, which is no damage */
		CU_ASSERT_EQUAL(perfdata_damage(pd)->kind[DAMAGE_RECORD_CUT].count, pipe_form ? 1 : 0);
		CU_ASSERT_EQUAL(perfdata_stats(pd)->lost, pipe_form ? 0 : 1);
		CU_ASSERT_EQUAL(perfdata_stats(pd)->unflushed, pipe_form ? 0 : raw.nr / 2 - 4);
		perfdata_close(pd);
		build_free(&raw);
		build_free(&b);
	}
}

/* Every record of another type, descending: counting stays bounded, and no record is lost from the count. */
static void flood_of_record_types(void)
{
	struct build b = {0};
	struct perfdata *pd;
	const struct perfdata_stats *st;
	uint64_t sum = 0;

	file_begin(&b, &basic, 1);
	for (uint32_t i = 0; i < 100000; i++) {
		record_begin(&b, 2000000000 - i, 0);
		record_end(&b);
	}
	file_end(&b, NULL, 0);
	pd = open_built(&b);
	CU_ASSERT_PTR_NOT_NULL_FATAL(pd);
	CU_ASSERT_EQUAL(read_all(pd).records, 100000);
	st = perfdata_stats(pd);
	CU_ASSERT_TRUE(st->nr_records < 2000);
	for (size_t i = 0; i < st->nr_records; i++) {
		sum += st->records[i].count;
		CU_ASSERT_TRUE(!i || st->records[i].type > st->records[i - 1].type);
	}
	CU_ASSERT_EQUAL(sum, 100000);
	perfdata_close(pd);
	build_free(&b);
}

/* Every attribute claims the whole file as its ids. */
static void ids_that_overlap(void)
{
	struct build_attr a[16];
	struct build b = {0};
	struct perfdata *pd;
	size_t ids = 0, at;

	for (size_t i = 0; i < 16; i++)
		a[i] = basic;
	file_begin(&b, a, 16);
	at = perfdata_load64(b.data + 24, false);
	put_bytes(&b, NULL, 100000);
	file_end(&b, NULL, 0);
	for (size_t i = 0; i < 16; i++) {
		uint64_t section[2] = {0, b.nr};

		memcpy(b.data + at + i * (136 + 16) + 136, section, 16);
	}
	pd = open_built(&b);
	CU_ASSERT_PTR_NOT_NULL_FATAL(pd);
	for (size_t i = 0; i < perfdata_nr_attrs(pd); i++)
		ids += perfdata_attr(pd, i)->nr_ids;
	CU_ASSERT_TRUE(ids <= b.nr / 8);
	CU_ASSERT_EQUAL(perfdata_damage(pd)->kind[DAMAGE_ATTR].count, 15);
	perfdata_close(pd);
	build_free(&b);
}

/* A mapped file that shrinks reads as zeros: a block whose records became zeros ends. */
static void block_that_becomes_zeros(void)
{
	struct build b = {0};
	struct perfdata *pd;
	struct perfdata_block blk;
	struct perfdata_record rec;
	struct perfdata_walk w;
	struct error e;
	size_t at = 0;

	file_begin(&b, &basic, 1);
	basic_sample(&b, 1, 2, 3);
	basic_sample(&b, 1, 2, 3);
	file_end(&b, NULL, 0);
	pd = open_built(&b);
	CU_ASSERT_PTR_NOT_NULL_FATAL(pd);
	CU_ASSERT_EQUAL(perfdata_next_block(pd, &blk, &e), 1);
	memset(b.data + b.record, 0, 8);
	w = perfdata_walk_start(pd, &blk);
	CU_ASSERT_TRUE(perfdata_walk_next(&w, &rec));
	CU_ASSERT_FALSE(perfdata_walk_next(&w, &rec));
	CU_ASSERT_TRUE(perfdata_block_next(pd, &blk, &at, &rec));
	CU_ASSERT_FALSE(perfdata_block_next(pd, &blk, &at, &rec));
	perfdata_close(pd);
	build_free(&b);
}

/* A block whose last record goes beyond it, or has no room for its head. */
static void records_beyond_the_block(void)
{
	struct build b = {0};
	struct perfdata *pd;
	struct perfdata_record rec;

	file_begin(&b, &basic, 1);
	basic_sample(&b, 1, 2, 3);
	file_end(&b, NULL, 0);
	pd = open_built(&b);
	CU_ASSERT_PTR_NOT_NULL_FATAL(pd);
	for (size_t n = 0; n <= 32; n++) {
		uint8_t *exact = xmemdup(b.data + b.record, n ? n : 1);
		struct perfdata_block blk = {.data = exact, .size = n};
		size_t at = 0;

		CU_ASSERT_EQUAL(perfdata_block_next(pd, &blk, &at, &rec), n == 32);
		CU_ASSERT_EQUAL(at, n == 32 ? 32 : 0);
		free(exact);
	}
	perfdata_close(pd);
	build_free(&b);
}

/* Names of events (perf before 3.10): one for each attribute, what comes after is passed over. */
static void names_of_events(void)
{
	struct build b = {0};
	struct perfdata *pd;

	pipe_begin(&b, &basic, 1);
	for (int i = 0; i < 2; i++) {
		record_begin(&b, PERF_RECORD_HEADER_EVENT_TYPE, 0);
		put64(&b, basic.config);
		put_str(&b, i ? "second" : "first", 64);
		record_end(&b);
	}
	basic_sample(&b, 1, 2, 3);
	pd = open_built(&b);
	CU_ASSERT_PTR_NOT_NULL_FATAL(pd);
	CU_ASSERT_EQUAL(read_all(pd).samples, 1);
	CU_ASSERT_STRING_EQUAL(perfdata_attr(pd, 0)->name, "first");
	perfdata_close(pd);
	build_free(&b);
}

/*
 * In pipe form the attribute comes with the records. A stream that begins with this one, then has a sample, is
 * refused by a text that holds "why", and the attribute is not taken.
 */
static void pipe_refuses(const struct build_attr *a, const char *why)
{
	struct build b = {0};
	struct perfdata *pd;
	struct perfdata_block blk;
	struct perfdata_record rec;
	struct perfdata_walk w;
	struct error e;

	pipe_begin(&b, a, 1);
	basic_sample(&b, 1, 2, 3);
	pd = open_built(&b);
	CU_ASSERT_PTR_NOT_NULL_FATAL(pd);
	CU_ASSERT_EQUAL(perfdata_next_block(pd, &blk, &e), 1);
	w = perfdata_walk_start(pd, &blk);
	while (perfdata_walk_next(&w, &rec))
		;
	perfdata_block_release(&blk);
	CU_ASSERT_EQUAL(perfdata_nr_attrs(pd), 0);
	CU_ASSERT_EQUAL(perfdata_next_block(pd, &blk, &e), -1);
	CU_ASSERT_EQUAL(e.code, EXIT_CODE_INPUT);
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, why));
	perfdata_close(pd);
	build_free(&b);
}

static void pipe_refuses_by_name_too(void)
{
	struct build_attr a = basic;

	a.sample_type |= UINT64_C(1) << 40;
	pipe_refuses(&a, "sample_type bit 40");
}

/* The kernel takes no attribute over a page (perf_copy_attr); none of ours is one. */
static void pipe_refuses_large_attributes(void)
{
	struct build_attr a = basic;

	a.size = 4200;
	pipe_refuses(&a, "event attribute of 4200 bytes, at offset 0x18");
}

/* Cut at every byte: refused or said, and no record before the cut is lost. */
static void cut_anywhere(void)
{
	uint8_t host[12] = {8, 0, 0, 0, 'b', 'o', 'x'};
	struct build_feature f = {3, host, sizeof(host)};

	for (int pipe_form = 0; pipe_form < 2; pipe_form++) {
		struct build b = {0};
		size_t first, records;

		if (pipe_form)
			pipe_begin(&b, &basic, 1);
		else
			file_begin(&b, &basic, 1);
		first = b.nr;
		for (int i = 0; i < 5; i++)
			basic_sample(&b, 1, 2, 3);
		records = b.nr;
		if (!pipe_form)
			file_end(&b, &f, 1);
		for (size_t cut = 0; cut < b.nr; cut++) {
			struct error e;
			uint8_t *exact = xmemdup(b.data, cut ? cut : 1);
			struct perfdata *pd = perfdata_open_memory("cut", exact, cut, &e);
			size_t whole = cut < first ? 0 : ((cut < records ? cut : records) - first) / 32;

			CU_ASSERT_TRUE(pd || cut < first);
			CU_ASSERT_TRUE(pd || strlen(e.text) > 10);
			if (!pd) {
				free(exact);
				continue;
			}
			CU_ASSERT_EQUAL(read_all(pd).samples, whole);
			/* a stream that ends with a record cannot be told from a whole one */
			if (!pipe_form || (cut > 16 && cut < first) || (cut > first && (cut - first) % 32))
				CU_ASSERT_TRUE(damage_total(perfdata_damage(pd)) > 0);
			perfdata_close(pd);
			free(exact);
		}
		build_free(&b);
	}
}

/* COMPRESSED2 says how many of its bytes are meant: less than the word for it, and more than there are. */
static void compressed_size_that_lies(void)
{
	for (int word = 0; word < 2; word++) {
		struct build b = {0};
		struct perfdata *pd;

		pipe_begin(&b, &basic, 1);
		basic_sample(&b, 1, 2, 3);
		record_begin(&b, PERF_RECORD_COMPRESSED2, 0);
		if (word)
			put64(&b, 4096);
		else
			put32(&b, 4);
		record_end(&b);
		pd = open_built(&b);
		CU_ASSERT_PTR_NOT_NULL_FATAL(pd);
		CU_ASSERT_EQUAL(read_all(pd).samples, 1);
		CU_ASSERT_EQUAL(damage_total(perfdata_damage(pd)), 1);
		perfdata_close(pd);
		build_free(&b);
	}
}

/* Names that perf would make, where the file gives none. */
static void names_made(void)
{
	static const struct {
		uint32_t type;
		uint64_t config;
		const char *name;
	} cases[] = {
		{0, 0, "cycles"}, {0, 9, "ref-cycles"}, {0, 0x400000000, "cycles"},
		{0, 77, "unknown-hardware"}, {1, 9, "dummy"}, {1, 99, "unknown-software"},
		{3, 0, "L1-dcache-loads"}, {3, 0x10002, "LLC-load-misses"},
		{3, 0x203, "dTLB-prefetches"}, {3, 0x77, "invalid-cache"}, {3, 0x300, "invalid-cache"}, {3, 0x20000, "invalid-cache"},
		{4, 0x1a8, "raw 0x1a8"}, {2, 300, "tracepoint-300"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct build_attr a = basic;
		struct build b = {0};
		struct perfdata *pd;

		a.type = cases[i].type;
		a.config = cases[i].config;
		file_begin(&b, &a, 1);
		file_end(&b, NULL, 0);
		pd = open_built(&b);
		CU_ASSERT_PTR_NOT_NULL_FATAL(pd);
		CU_ASSERT_STRING_EQUAL(perfdata_attr(pd, 0)->name, cases[i].name);
		perfdata_close(pd);
		build_free(&b);
	}
}

/*
 * Header features that promise more than they hold: lists of everything (topologies once ran over a reader's array),
 * strings of 3 GB, a build-id record of no size and one that is longer than the section.
 */
static void features_that_promise(void)
{
	static const unsigned lists[] = {11, 12, 13, 14, 16, 17};
	static const unsigned strings[] = {3, 4, 5, 6, 8, 9};
	const uint32_t many[6] = {0xffffffff, 0xfffffff0, 0xfffffff0, 0xfffffff0, 0xfffffff0, 0xfffffff0};

	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists) + sizeof(strings) / sizeof(*strings); i++) {
		size_t n = sizeof(lists) / sizeof(*lists);
		struct build_feature f = {i < n ? lists[i] : strings[i - n], many, sizeof(many)};
		struct build b = {0};
		struct perfdata *pd;

		file_begin(&b, &basic, 1);
		basic_sample(&b, 1, 2, 3);
		file_end(&b, &f, 1);
		pd = open_built(&b);
		CU_ASSERT_PTR_NOT_NULL_FATAL(pd);
		CU_ASSERT_TRUE(perfdata_damage(pd)->kind[DAMAGE_FEATURE].count > 0);
		CU_ASSERT_EQUAL(read_all(pd).samples, 1);
		perfdata_close(pd);
		build_free(&b);
	}
	for (uint16_t size = 0; size < 200; size = (uint16_t)(size ? size * 3 : 7)) {
		uint8_t record[64] = {0};
		struct build_feature f = {2, record, sizeof(record)};
		struct build b = {0};
		struct perfdata *pd;

		memcpy(record + 6, &size, 2);
		file_begin(&b, &basic, 1);
		basic_sample(&b, 1, 2, 3);
		file_end(&b, &f, 1);
		pd = open_built(&b);
		CU_ASSERT_PTR_NOT_NULL_FATAL(pd);
		CU_ASSERT_EQUAL(perfdata_damage(pd)->kind[DAMAGE_FEATURE].count, 1);
		perfdata_close(pd);
		build_free(&b);
	}
}

/* An attribute's own size: 0 is the first version's, any that its entry does not hold is a lie. */
static void attribute_sizes(void)
{
	static const struct {
		uint32_t size;
		bool lies;
	} cases[] = {{0, false}, {64, false}, {136, false}, {7, true}, {63, true}, {137, true}, {UINT32_MAX, true}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct build b = {0};
		struct perfdata *pd;

		file_begin(&b, &basic, 1);
		basic_sample(&b, 1, 2, 3);
		file_end(&b, NULL, 0);
		memcpy(b.data + 104 + 4, &cases[i].size, 4);
		pd = open_built(&b);
		CU_ASSERT_PTR_NOT_NULL_FATAL(pd);
		CU_ASSERT_EQUAL(perfdata_damage(pd)->kind[DAMAGE_ATTR].count, cases[i].lies);
		perfdata_close(pd);
		build_free(&b);
	}
}

/* A compressed stream that ends in a block: said, even where nothing of the block came out. */
static void compressed_end_in_a_block(void)
{
	uint8_t packed[4096];
	struct build raw = {0};
	size_t n;

	for (int i = 0; i < 40; i++)
		basic_sample(&raw, (uint64_t)i * 77, 2, (uint64_t)i);
	n = ZSTD_compress(packed, sizeof(packed), raw.data, raw.nr, 1);
	CU_ASSERT_FALSE_FATAL(ZSTD_isError(n));
	for (int whole = 0; whole < 2; whole++) {
		for (int pipe_form = 0; pipe_form < 2; pipe_form++) {
			struct build b = {0};
			struct perfdata *pd;
			struct seen seen;

			if (pipe_form)
				pipe_begin(&b, &basic, 1);
			else
				file_begin(&b, &basic, 1);
			record_begin(&b, PERF_RECORD_COMPRESSED, 0);
			put_bytes(&b, packed, whole ? n : n / 2);
			record_end(&b);
			if (!pipe_form)
				file_end(&b, NULL, 0);
			pd = open_built(&b);
			CU_ASSERT_PTR_NOT_NULL_FATAL(pd);
			seen = read_all(pd);
			CU_ASSERT_EQUAL(seen.samples, whole ? 40 : 0);
			CU_ASSERT_EQUAL(damage_total(perfdata_damage(pd)), !whole && pipe_form);
			/* in a finished file it is perf that did not flush */
			CU_ASSERT_EQUAL(perfdata_stats(pd)->unflushed, !whole && !pipe_form);
			perfdata_close(pd);
			build_free(&b);
		}
	}
	build_free(&raw);
}

static const struct suite_test tests[] = {
	{"features that promise", features_that_promise},
	{"attribute sizes", attribute_sizes},
	{"compressed end in a block", compressed_end_in_a_block},
	{"zstd bomb", zstd_bomb},
	{"compressed record of many blocks", compressed_record_of_many_blocks},
	{"compressed end in a record", compressed_end_in_a_record},
	{"flood of record types", flood_of_record_types},
	{"ids that overlap", ids_that_overlap},
	{"block that becomes zeros", block_that_becomes_zeros},
	{"records beyond the block", records_beyond_the_block},
	{"names of events", names_of_events},
	{"pipe refuses by name too", pipe_refuses_by_name_too},
	{"pipe form refuses large attributes", pipe_refuses_large_attributes},
	{"cut anywhere", cut_anywhere},
	{"compressed size that lies", compressed_size_that_lies},
	{"names made", names_made},
	{NULL, NULL},
};
const struct suite suite_perfdata_hostile = {"perfdata_hostile", tests};
