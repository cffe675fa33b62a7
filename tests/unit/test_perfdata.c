/*
 * The reader on files built by hand: every sample_type bit, every kind of
 * damage, both byte orders, both forms, zstd.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "base/alloc.h"
#include "build.h"
#include "perfdata/perfdata.h"
#include "reading.h"
#include "suite.h"

static void reads_either_byte_order(void)
{
	for (int swap = 0; swap < 2; swap++) {
		struct build b = {.swap = swap};
		struct perfdata *pd;
		struct seen s;

		file_begin(&b, &basic, 1);
		basic_sample(&b, 0x1234, 7, 99);
		file_end(&b, NULL, 0);
		pd = open_built(&b);
		CU_ASSERT_PTR_NOT_NULL_FATAL(pd);
		CU_ASSERT_EQUAL(perfdata_swapped(pd), swap);
		CU_ASSERT_TRUE(perfdata_attr(pd, 0)->sample_id_all);
		CU_ASSERT_FALSE(perfdata_attr(pd, 0)->freq);
		CU_ASSERT_STRING_EQUAL(perfdata_attr(pd, 0)->name, "cpu-clock");
		s = read_all(pd);
		CU_ASSERT_EQUAL(s.samples, 1);
		CU_ASSERT_EQUAL(s.last.ip, 0x1234);
		CU_ASSERT_EQUAL(s.last.tid, 7);
		CU_ASSERT_EQUAL(s.last.time, 99);
		CU_ASSERT_EQUAL(s.last.period, 0);
		CU_ASSERT_EQUAL(s.last.weight_period, 1000000);
		CU_ASSERT_EQUAL(damage_total(perfdata_damage(pd)), 0);
		perfdata_close(pd);
		build_free(&b);
	}
}

/* One sample with every field; each value differs, so that a swapped order shows. */
static void reads_every_sample_bit(void)
{
	struct build_attr a = basic;
	struct build b = {0};
	struct perfdata *pd;
	struct seen s;
	const struct perf_sample *p = &s.last;

	a.sample_type = (UINT64_C(1) << 25) - 1 - PERF_SAMPLE_WEIGHT;
	a.read_format = PERF_FORMAT_GROUP | PERF_FORMAT_ID | PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_LOST;
	a.branch_type = UINT64_C(1) << 17 | UINT64_C(1) << 19; /* HW_INDEX, COUNTERS */
	a.regs_user = 0x103;
	a.regs_intr = 0x4;
	a.stack_user = 16;
	file_begin(&b, &a, 1);
	record_begin(&b, PERF_RECORD_SAMPLE, PERF_CPUMODE_KERNEL);
	put64(&b, 55);		    /* IDENTIFIER */
	put64(&b, 1);		    /* IP */
	put32(&b, 2), put32(&b, 3); /* TID */
	put64(&b, 4);		    /* TIME */
	put64(&b, 5);		    /* ADDR */
	put64(&b, 55);		    /* ID */
	put64(&b, 7);		    /* STREAM_ID */
	put32(&b, 8), put32(&b, 0); /* CPU */
	put64(&b, 9);		    /* PERIOD */
	put64(&b, 2), put64(&b, 100); /* READ: nr, time_enabled */
	put64(&b, 11), put64(&b, 54), put64(&b, 0);
	put64(&b, 12), put64(&b, 55), put64(&b, 0);
	put64(&b, 3), put64(&b, PERF_CONTEXT_USER), put64(&b, 13), put64(&b, 14); /* CALLCHAIN */
	put32(&b, 4), put32(&b, 0xabcd);					  /* RAW */
	put64(&b, 1), put64(&b, 77), put64(&b, 15), put64(&b, 16), put64(&b, 17), put64(&b, 18); /* BRANCH */
	put64(&b, 2), put64(&b, 19), put64(&b, 20), put64(&b, 21); /* REGS_USER */
	put64(&b, 16), put64(&b, 22), put64(&b, 23), put64(&b, 8); /* STACK_USER */
	put64(&b, 24), put64(&b, 25), put64(&b, 26);		    /* WEIGHT_STRUCT, DATA_SRC, TRANSACTION */
	put64(&b, 2), put64(&b, 27);				    /* REGS_INTR */
	put64(&b, 28), put64(&b, 30), put64(&b, 31), put64(&b, 32); /* PHYS, CGROUP, page sizes */
	put64(&b, 8), put64(&b, 33);				    /* AUX */
	record_end(&b);
	file_end(&b, NULL, 0);
	pd = open_built(&b);
	CU_ASSERT_PTR_NOT_NULL_FATAL(pd);
	s = read_all(pd);
	CU_ASSERT_EQUAL_FATAL(s.samples, 1);
	CU_ASSERT_EQUAL(p->id, 55);
	CU_ASSERT_EQUAL(p->ip, 1);
	CU_ASSERT_EQUAL(p->pid, 2);
	CU_ASSERT_EQUAL(p->tid, 3);
	CU_ASSERT_EQUAL(p->time, 4);
	CU_ASSERT_EQUAL(p->addr, 5);
	CU_ASSERT_EQUAL(p->stream_id, 7);
	CU_ASSERT_EQUAL(p->cpu, 8);
	CU_ASSERT_EQUAL(p->period, 9);
	CU_ASSERT_EQUAL(p->read_value, 12); /* of the sample's own id */
	CU_ASSERT_EQUAL(p->callchain_nr, 3);
	CU_ASSERT_EQUAL(perfdata_load64(p->callchain + 16, false), 14);
	CU_ASSERT_EQUAL(p->raw_size, 4);
	CU_ASSERT_EQUAL(p->branches_nr, 1);
	CU_ASSERT_EQUAL(perfdata_load64(p->branches, false), 15);
	CU_ASSERT_EQUAL(p->regs_abi, 2);
	CU_ASSERT_EQUAL(p->regs_mask, 0x103);
	CU_ASSERT_EQUAL(perfdata_load64(p->regs + 16, false), 21);
	CU_ASSERT_EQUAL(p->stack_requested, 16);
	CU_ASSERT_EQUAL(p->stack_size, 8);
	CU_ASSERT_EQUAL(p->weight, 24);
	CU_ASSERT_EQUAL(p->data_src, 25);
	CU_ASSERT_EQUAL(p->transaction, 26);
	CU_ASSERT_EQUAL(perfdata_load64(p->regs_intr, false), 27);
	CU_ASSERT_EQUAL(p->phys_addr, 28);
	CU_ASSERT_EQUAL(p->cgroup, 30);
	CU_ASSERT_EQUAL(p->data_page_size, 31);
	CU_ASSERT_EQUAL(p->code_page_size, 32);
	CU_ASSERT_EQUAL(p->aux_size, 8);
	perfdata_close(pd);
	/* cut anywhere, the sample is dropped and counted, or what is left is no less than it says */
	for (size_t cut = 8; cut < b.nr - b.record; cut += 8) {
		uint16_t size = (uint16_t)cut;
		struct build c = {0};

		put_bytes(&c, b.data, b.record + cut);
		memcpy(c.data + b.record + 6, &size, 2);
		file_end(&c, NULL, 0);
		pd = open_built(&c);
		CU_ASSERT_PTR_NOT_NULL_FATAL(pd);
		s = read_all(pd);
		CU_ASSERT_EQUAL(s.samples, 0);
		CU_ASSERT_EQUAL(s.damaged, 1);
		perfdata_close(pd);
		build_free(&c);
	}
	build_free(&b);
}

/* A count or size that points past the record, at each place that has one. */
static void counts_past_the_end(void)
{
	static const struct {
		uint64_t bit, read_format;
		uint64_t words[3];
	} cases[] = {
		{PERF_SAMPLE_CALLCHAIN, 0, {UINT64_MAX / 8 + 2, 0, 0}},
		{PERF_SAMPLE_CALLCHAIN, 0, {3, 0, 0}},
		{PERF_SAMPLE_RAW, 0, {0xffffffff, 0, 0}},
		{PERF_SAMPLE_BRANCH_STACK, 0, {UINT64_MAX / 24 + 2, 0, 0}},
		{PERF_SAMPLE_BRANCH_STACK, 0, {UINT64_MAX / 24 + 1, 0, 0}}, /* times 24: 8 */
		{PERF_SAMPLE_READ, PERF_FORMAT_GROUP, {UINT64_MAX, 0, 0}},
		{PERF_SAMPLE_STACK_USER, 0, {UINT64_MAX - 7, 0, 0}},
		{PERF_SAMPLE_STACK_USER, 0, {8, 0, 9}}, /* more valid bytes than were reserved */
		{PERF_SAMPLE_AUX, 0, {UINT64_MAX, 0, 0}},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct build_attr a = basic;
		struct build b = {0};
		struct perfdata *pd;
		struct seen s;

		a.sample_type |= cases[i].bit;
		a.read_format = cases[i].read_format;
		file_begin(&b, &a, 1);
		record_begin(&b, PERF_RECORD_SAMPLE, PERF_CPUMODE_USER);
		put64(&b, 1), put64(&b, 2), put64(&b, 3);
		for (int k = 0; k < 3; k++)
			put64(&b, cases[i].words[k]);
		record_end(&b);
		basic_sample(&b, 1, 2, 3); /* too short for this attribute as well */
		file_end(&b, NULL, 0);
		pd = open_built(&b);
		CU_ASSERT_PTR_NOT_NULL_FATAL(pd);
		s = read_all(pd);
		CU_ASSERT_EQUAL(s.samples, 0);
		CU_ASSERT_EQUAL(s.damaged, 2);
		perfdata_close(pd);
		build_free(&b);
	}
}

static void record_sizes_that_lie(void)
{
	static const struct {
		uint16_t size;
		enum damage_kind damage;
	} cases[] = {
		{0, DAMAGE_RECORD_SIZE},
		{7, DAMAGE_RECORD_SIZE},
		{33, DAMAGE_RECORD_SIZE}, /* the kernel's are multiples of 8 */
		{65528, DAMAGE_RECORD_CUT},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		for (int pipe = 0; pipe < 2; pipe++) {
			struct build b = {0};
			struct perfdata *pd;
			struct seen s;
			size_t at;

			if (pipe)
				pipe_begin(&b, &basic, 1);
			else
				file_begin(&b, &basic, 1);
			basic_sample(&b, 1, 2, 3);
			at = b.nr;
			basic_sample(&b, 1, 2, 3);
			memcpy(b.data + b.record + 6, &cases[i].size, 2);
			basic_sample(&b, 1, 2, 3);
			if (!pipe)
				file_end(&b, NULL, 0);
			pd = open_built(&b);
			CU_ASSERT_PTR_NOT_NULL_FATAL(pd);
			s = read_all(pd);
			CU_ASSERT_EQUAL(s.samples, 1);
			CU_ASSERT_EQUAL(perfdata_damage(pd)->kind[cases[i].damage].count, 1);
			CU_ASSERT_EQUAL(perfdata_damage(pd)->kind[cases[i].damage].offset, at);
			perfdata_close(pd);
			build_free(&b);
		}
	}
}

static void unknown_records_are_skipped_and_counted(void)
{
	struct build b = {0};
	struct perfdata *pd;
	struct seen s;
	const struct perfdata_stats *st;

	file_begin(&b, &basic, 1);
	record_begin(&b, 32776, 0);
	put64(&b, 1);
	record_end(&b);
	record_begin(&b, PERF_RECORD_LOST, 0);
	put64(&b, 1), put64(&b, 40), put64(&b, 0), put64(&b, 0);
	record_end(&b);
	record_begin(&b, PERF_RECORD_LOST_SAMPLES, 0);
	put64(&b, UINT64_MAX), put64(&b, 0), put64(&b, 0);
	record_end(&b);
	record_begin(&b, PERF_RECORD_AUXTRACE, 0); /* its payload follows the record */
	put64(&b, 24);
	put_bytes(&b, NULL, 32);
	record_end(&b);
	put_bytes(&b, "not records, although so", 24);
	basic_sample(&b, 1, 2, 3);
	file_end(&b, NULL, 0);
	pd = open_built(&b);
	CU_ASSERT_PTR_NOT_NULL_FATAL(pd);
	s = read_all(pd);
	st = perfdata_stats(pd);
	CU_ASSERT_EQUAL(s.samples, 1);
	CU_ASSERT_EQUAL(st->lost, UINT64_MAX); /* a sum that does not wrap */
	CU_ASSERT_EQUAL(st->records[st->nr_records - 1].type, 32776);
	CU_ASSERT_EQUAL(st->records[st->nr_records - 1].count, 1);
	CU_ASSERT_EQUAL(damage_total(perfdata_damage(pd)), 0);
	CU_ASSERT_STRING_EQUAL(perf_record_name(PERF_RECORD_MMAP2), "MMAP2");
	CU_ASSERT_PTR_NULL(perf_record_name(32776));
	perfdata_close(pd);
	build_free(&b);
}

static void several_events_by_id(void)
{
	const uint64_t first[] = {10, 11}, second[] = {20};
	struct build_attr a[2] = {basic, basic};
	struct build b = {0};
	struct perfdata *pd;
	struct perf_comm comm;
	struct perf_switch change;
	struct perf_sample_id id;
	struct seen s;

	a[0].sample_type = a[1].sample_type = BASIC | PERF_SAMPLE_IDENTIFIER;
	a[0].ids = first, a[0].nr_ids = 2;
	a[1].ids = second, a[1].nr_ids = 1;
	a[1].config = 1;
	file_begin(&b, a, 2);
	record_begin(&b, PERF_RECORD_SAMPLE, PERF_CPUMODE_USER);
	put64(&b, 20), put64(&b, 1), put64(&b, 2), put64(&b, 3);
	record_end(&b);
	record_begin(&b, PERF_RECORD_SAMPLE, PERF_CPUMODE_USER);
	put64(&b, 99), put64(&b, 1), put64(&b, 2), put64(&b, 3);
	record_end(&b);
	record_begin(&b, PERF_RECORD_COMM, 0);
	put32(&b, 5), put32(&b, 6), put_str(&b, "name", 8);
	put64(&b, 0), put64(&b, 77), put64(&b, 11);
	record_end(&b);
	record_begin(&b, PERF_RECORD_SWITCH, 0); /* without the id that it ends in */
	record_end(&b);
	record_begin(&b, 79, 0); /* TIME_CONV, perf's own: no id at its end */
	put64(&b, 1), put64(&b, 2), put64(&b, 3), put64(&b, 11);
	record_end(&b);
	file_end(&b, NULL, 0);
	pd = open_built(&b);
	CU_ASSERT_PTR_NOT_NULL_FATAL(pd);
	s = read_all(pd);
	CU_ASSERT_EQUAL(s.samples, 1);
	CU_ASSERT_EQUAL(s.damaged, 1); /* an id that no event has */
	perfdata_close(pd);
	pd = open_built(&b);
	{
		struct perfdata_block blk;
		struct perfdata_record rec;
		struct error e;
		size_t at = 0;

		CU_ASSERT_EQUAL(perfdata_next_block(pd, &blk, &e), 1);
		perfdata_block_next(pd, &blk, &at, &rec);
		CU_ASSERT_EQUAL(perfdata_sample(pd, &rec, &s.last), 0);
		CU_ASSERT_STRING_EQUAL(s.last.attr->name, "task-clock");
		perfdata_block_next(pd, &blk, &at, &rec);
		perfdata_block_next(pd, &blk, &at, &rec);
		CU_ASSERT_EQUAL(perfdata_comm(pd, &rec, &comm, &id), 0);
		CU_ASSERT_STRING_EQUAL(comm.comm, "name");
		CU_ASSERT_EQUAL(id.time, 77);
		CU_ASSERT_EQUAL(perfdata_record_time(pd, &rec), 77);
		perfdata_block_next(pd, &blk, &at, &rec);
		CU_ASSERT_EQUAL(rec.type, PERF_RECORD_SWITCH);
		CU_ASSERT_EQUAL(perfdata_switch(pd, &rec, &change, &id), DAMAGE_RECORD_CUT);
		perfdata_block_next(pd, &blk, &at, &rec);
		CU_ASSERT_EQUAL(rec.type, 79);
		CU_ASSERT_EQUAL(perfdata_record_time(pd, &rec), 0);
	}
	perfdata_close(pd);
	build_free(&b);
}

static void strings_need_an_end(void)
{
	struct build b = {0};
	struct perfdata *pd;
	struct perfdata_block blk;
	struct perfdata_record rec;
	struct perf_comm comm;
	struct perf_sample_id id;
	struct error e;
	size_t at = 0;

	file_begin(&b, &basic, 1);
	record_begin(&b, PERF_RECORD_COMM, 0);
	put32(&b, 5), put32(&b, 6), put_bytes(&b, "eightchr", 8);
	put64(&b, 0), put64(&b, 77);
	record_end(&b);
	file_end(&b, NULL, 0);
	pd = open_built(&b);
	CU_ASSERT_PTR_NOT_NULL_FATAL(pd);
	CU_ASSERT_EQUAL(perfdata_next_block(pd, &blk, &e), 1);
	CU_ASSERT_TRUE(perfdata_block_next(pd, &blk, &at, &rec));
	CU_ASSERT_NOT_EQUAL(perfdata_comm(pd, &rec, &comm, &id), 0);
	perfdata_close(pd);
	build_free(&b);
}

static void features_and_their_bounds(void)
{
	uint8_t host[4 + 8] = {8, 0, 0, 0, 'b', 'o', 'x', 0}, arch[4 + 8] = {8, 0, 0, 0, 'x', '8', '6', '_', '6', '4', 0};
	uint8_t clock[24] = {1, 0, 0, 0, 1, 0, 0, 0, 100, 0, 0, 0, 0, 0, 0, 0, 30};
	uint8_t ids[8 + 4 + 24 + 8] = {0};
	struct build_feature f[] = {
		{2, ids, sizeof(ids)}, {3, host, sizeof(host)}, {6, arch, sizeof(arch)}, {29, clock, sizeof(clock)}};
	struct build b = {0};
	struct perfdata *pd;
	int64_t offset;
	size_t table;

	ids[6] = sizeof(ids);
	ids[12] = 0xaa, ids[13] = 0xbb;
	memcpy(ids + 36, "/a/b", 5);
	file_begin(&b, &basic, 1);
	basic_sample(&b, 1, 2, 3);
	table = b.nr;
	file_end(&b, f, 4);
	pd = open_built(&b);
	CU_ASSERT_PTR_NOT_NULL_FATAL(pd);
	CU_ASSERT_STRING_EQUAL(perfdata_features(pd)->hostname, "box");
	CU_ASSERT_EQUAL(perfdata_arch(pd), PERF_ARCH_X86_64);
	CU_ASSERT_TRUE(perfdata_wall_offset(pd, &offset));
	CU_ASSERT_EQUAL(offset, 70);
	CU_ASSERT_EQUAL_FATAL(perfdata_nr_build_ids(pd), 1);
	CU_ASSERT_EQUAL(perfdata_build_id(pd, 0)->size, 2); /* zero padding taken off */
	CU_ASSERT_STRING_EQUAL(perfdata_build_id(pd, 0)->path, "/a/b");
	perfdata_close(pd);
	/* a section that points past the end, a string longer than its section */
	memset(b.data + table + 8, 0xff, 4);
	memset(b.data + table + 16 * 4 + sizeof(ids), 0xff, 4);
	pd = open_built(&b);
	CU_ASSERT_PTR_NOT_NULL_FATAL(pd);
	CU_ASSERT_EQUAL(perfdata_damage(pd)->kind[DAMAGE_FEATURE].count, 2);
	CU_ASSERT_EQUAL(read_all(pd).samples, 1);
	perfdata_close(pd);
	build_free(&b);
}

static void headers_that_lie(void)
{
	static const struct {
		size_t at;
		uint64_t value;
		int opens;
	} cases[] = {
		{0, 0, 0},	    /* magic */
		{8, 50, 0},	    /* header size */
		{16, 10, 0},	    /* attr size */
		{16, 0, 0},
		{16, 79, 0}, /* a byte less than the first version's with its ids */
		{16, UINT64_MAX, 0},
		{24, UINT64_MAX, 0}, /* attr offset */
		{32, UINT64_MAX, 0}, /* attr section size */
		{32, 0, 0},	    /* no attribute */
		{40, UINT64_MAX, 0}, /* data offset */
		{48, UINT64_MAX, 1}, /* data size: read what is there */
		{48, 0, 1},	    /* recorder killed */
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct build b = {0};
		struct perfdata *pd;
		struct error e;

		file_begin(&b, &basic, 1);
		basic_sample(&b, 1, 2, 3);
		file_end(&b, NULL, 0);
		memcpy(b.data + cases[i].at, &cases[i].value, 8);
		pd = perfdata_open_memory("built", b.data, b.nr, &e);
		CU_ASSERT_EQUAL(pd != NULL, cases[i].opens);
		if (pd) {
			CU_ASSERT_EQUAL(read_all(pd).samples, 1);
			CU_ASSERT_EQUAL(damage_total(perfdata_damage(pd)), 1);
			perfdata_close(pd);
		} else {
			CU_ASSERT_EQUAL(e.code, EXIT_CODE_INPUT);
			CU_ASSERT_TRUE(strlen(e.text) > 10);
		}
		build_free(&b);
	}
}

static void too_many_attributes(void)
{
	enum { ENTRY = 80, MANY = 20000 };
	uint64_t head[3] = {ENTRY, 0, (uint64_t)ENTRY * MANY};
	struct build b = {0};
	struct error e;

	file_begin(&b, &basic, 1);
	file_end(&b, NULL, 0);
	head[1] = b.nr;
	put_bytes(&b, NULL, (size_t)ENTRY * MANY);
	memcpy(b.data + 16, head, sizeof(head));
	CU_ASSERT_PTR_NULL(perfdata_open_memory("built", b.data, b.nr, &e));
	CU_ASSERT_EQUAL(e.code, EXIT_CODE_LIMIT);
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "20000 events"));
	build_free(&b);
}

static void recognised_by_its_magic(void)
{
	static const char magic[2][9] = {"PERFILE2", "2ELIFREP"};

	for (int swap = 0; swap < 2; swap++)
		for (size_t n = 1; n <= 8; n++) {
			uint8_t *exact = xmemdup(magic[swap], n);

			CU_ASSERT_EQUAL(perfdata_recognise(exact, n), n == 8);
			free(exact);
		}
}

/* Before perf 3.0 entries had no pid: the kernel's name, four bytes early, tells. */
static void build_ids_without_pids(void)
{
	for (int with_pid = 0; with_pid < 2; with_pid++) {
		struct build entries = {0}, b = {0};
		struct build_feature f = {2, NULL, 0};
		struct perfdata *pd;

		for (int i = 0; i < 2; i++) {
			record_begin(&entries, 0, 0);
			if (with_pid)
				put32(&entries, 7);
			put8(&entries, (uint8_t)(0x11 * (i + 1)));
			put_bytes(&entries, NULL, 23);
			put_str(&entries, i ? "[kernel.kallsyms]" : "/bin/long-enough-to-be-seen", 32);
			record_end(&entries);
		}
		f.data = entries.data;
		f.size = entries.nr;
		file_begin(&b, &basic, 1);
		basic_sample(&b, 1, 2, 3);
		file_end(&b, &f, 1);
		pd = open_built(&b);
		CU_ASSERT_PTR_NOT_NULL_FATAL(pd);
		CU_ASSERT_EQUAL_FATAL(perfdata_nr_build_ids(pd), 2);
		CU_ASSERT_EQUAL(perfdata_build_id(pd, 1)->pid, with_pid ? 7 : -1);
		CU_ASSERT_EQUAL(perfdata_build_id(pd, 1)->id[0], 0x22);
		CU_ASSERT_STRING_EQUAL(perfdata_build_id(pd, 1)->path, "[kernel.kallsyms]");
		CU_ASSERT_STRING_EQUAL(perfdata_build_id(pd, 0)->path, "/bin/long-enough-to-be-seen");
		perfdata_close(pd);
		build_free(&entries);
		build_free(&b);
	}
}

static void attributes_of_any_size(void)
{
	for (uint32_t size = 64; size <= 200; size += 8) {
		struct build_attr a = basic;
		struct build b = {0};
		struct perfdata *pd;

		a.size = size;
		file_begin(&b, &a, 1);
		basic_sample(&b, 1, 2, 3);
		file_end(&b, NULL, 0);
		pd = open_built(&b);
		CU_ASSERT_PTR_NOT_NULL_FATAL(pd);
		CU_ASSERT_EQUAL(read_all(pd).samples, 1);
		CU_ASSERT_EQUAL(damage_total(perfdata_damage(pd)), 0);
		perfdata_close(pd);
		build_free(&b);
	}
}

static void unknown_sample_type_is_refused_by_name(void)
{
	struct build_attr a = basic;
	struct build b = {0};
	struct error e;

	a.sample_type |= UINT64_C(1) << 40;
	file_begin(&b, &a, 1);
	file_end(&b, NULL, 0);
	CU_ASSERT_PTR_NULL(perfdata_open_memory("built", b.data, b.nr, &e));
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "sample_type bit 40"));
	build_free(&b);
}

/* Records in zstd frames cut anywhere, as perf -z writes them: one stream over many records. */
static void compressed_records(void)
{
	for (int v2 = 0; v2 < 2; v2++) {
		struct build raw = {0}, b = {0};
		uint8_t packed[65536];
		size_t n;
		struct perfdata *pd;
		struct seen s;

		for (int i = 0; i < 500; i++)
			basic_sample(&raw, (uint64_t)i, 2, 3);
		n = ZSTD_compress(packed, sizeof(packed), raw.data, raw.nr, 1);
		file_begin(&b, &basic, 1);
		for (size_t at = 0; at < n; at += 100) {
			size_t part = n - at < 100 ? n - at : 100, pad = v2 ? (8 - part % 8) % 8 : 0;

			record_begin(&b, v2 ? PERF_RECORD_COMPRESSED2 : PERF_RECORD_COMPRESSED, 0);
			if (v2)
				put64(&b, part);
			put_bytes(&b, packed + at, part);
			put_bytes(&b, NULL, pad);
			record_end(&b);
		}
		file_end(&b, NULL, 0);
		pd = open_built(&b);
		CU_ASSERT_PTR_NOT_NULL_FATAL(pd);
		s = read_all(pd);
		CU_ASSERT_EQUAL(s.samples, 500);
		CU_ASSERT_EQUAL(s.last.ip, 499);
		CU_ASSERT_TRUE(perfdata_compressed(pd));
		CU_ASSERT_EQUAL(damage_total(perfdata_damage(pd)), 0);
		perfdata_close(pd);
		/* the frame's magic number changed */
		b.data[perfdata_load64(b.data + 40, false) + 8 + (v2 ? 8 : 0)] ^= 0x55;
		pd = open_built(&b);
		CU_ASSERT_PTR_NOT_NULL_FATAL(pd);
		read_all(pd);
		CU_ASSERT_TRUE(damage_total(perfdata_damage(pd)) > 0);
		perfdata_close(pd);
		build_free(&raw);
		build_free(&b);
	}
}

static const struct suite_test tests[] = {
	{"reads either byte order", reads_either_byte_order},
	{"reads every sample bit", reads_every_sample_bit},
	{"counts past the end", counts_past_the_end},
	{"record sizes that lie", record_sizes_that_lie},
	{"unknown records are skipped and counted", unknown_records_are_skipped_and_counted},
	{"several events by id", several_events_by_id},
	{"strings need an end", strings_need_an_end},
	{"features and their bounds", features_and_their_bounds},
	{"headers that lie", headers_that_lie},
	{"too many attributes", too_many_attributes},
	{"recognised by its magic", recognised_by_its_magic},
	{"build-ids without pids", build_ids_without_pids},
	{"attributes of any size", attributes_of_any_size},
	{"unknown sample_type is refused by name", unknown_sample_type_is_refused_by_name},
	{"compressed records", compressed_records},
	{NULL, NULL},
};
const struct suite suite_perfdata = {"perfdata", tests};
