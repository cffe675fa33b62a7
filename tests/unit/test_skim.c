/*
 * The walk by all workers at once against the serial one: the same records, counts,
 * rounds and samples, whatever the stack dumps hold.
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/pool.h"
#include "reading.h"
#include "suite.h"

#define DUMP 16384

static const struct build_attr with_stack = {.type = 1, .period = 1000000, .flags = FLAG_ID_ALL, .stack_user = DUMP,
					     .sample_type = BASIC | PERF_SAMPLE_STACK_USER};

/* What both ways have to agree on. */
struct result {
	size_t samples, bytes, records;
	uint64_t ips;	   /* sum: which samples were seen */
	uint64_t offsets;  /* of the records the walk acts on, in order */
	uint64_t late;	   /* samples older than the last sample of the round before */
	uint64_t last, complete, round_last, counts, damage;
};

static void take_sample(struct result *r, const struct perfdata *pd, const struct perfdata_record *rec)
{
	struct perf_sample_id id;

	if (perfdata_sample_ids(pd, rec, &id) || !id.time)
		return;
	r->last = id.time > r->last ? id.time : r->last;
	r->late += id.time < r->complete;
}

static void take_other(struct result *r, const struct perfdata_record *rec)
{
	if (rec->type == PERF_RECORD_FINISHED_ROUND) {
		r->complete = r->round_last;
		r->round_last = r->last;
	}
	r->offsets = (r->offsets + rec->offset) * 0x9e3779b97f4a7c15;
}

static bool acted_on(uint32_t type)
{
	return type == PERF_RECORD_COMM || type == PERF_RECORD_MMAP2 || type == PERF_RECORD_FORK ||
	       type == PERF_RECORD_FINISHED_ROUND;
}

static void parse_block(struct result *r, const struct perfdata *pd, const struct perfdata_block *b)
{
	struct perfdata_record rec;
	struct perf_sample s;
	size_t at = 0;

	r->bytes += b->size;
	while (perfdata_block_next(pd, b, &at, &rec)) {
		r->records++;
		if (rec.type == PERF_RECORD_SAMPLE && !perfdata_sample(pd, &rec, &s)) {
			r->samples++;
			r->ips = (r->ips + s.ip) * 0x9e3779b97f4a7c15;
		}
	}
}

/* pool NULL: the serial walk alone. */
static bool next(struct result *r, struct perfdata *pd, struct pool *pool)
{
	struct perfdata_block b;
	struct perfdata_skim k;
	struct perfdata_record rec;
	struct error e;
	size_t round = 0;

	if (!pool || !perfdata_skim(pd, pool, &k)) {
		if (perfdata_next_block(pd, &b, &e) <= 0)
			return false;
		for (struct perfdata_walk w = perfdata_walk_start(pd, &b); perfdata_walk_next(&w, &rec);) {
			if (rec.type == PERF_RECORD_SAMPLE)
				take_sample(r, pd, &rec);
			else if (acted_on(rec.type))
				take_other(r, &rec);
		}
		parse_block(r, pd, &b);
		perfdata_block_release(&b);
		return true;
	}
	for (size_t i = 0; i <= k.nr_records; i++) {
		if (!i || rec.type == PERF_RECORD_FINISHED_ROUND) {
			const struct perfdata_round *in = &k.rounds[round++];
			struct perfdata_block part = {.data = k.source + in->from, .size = in->to - in->from,
						      .offset = k.offset + in->from};
			uint64_t first = UINT64_MAX, last = 0;

			for (size_t at = 0; perfdata_block_next(pd, &part, &at, &rec);) {
				struct perf_sample_id id;

				if (rec.type != PERF_RECORD_SAMPLE || perfdata_sample_ids(pd, &rec, &id) || !id.time)
					continue;
				first = id.time < first ? id.time : first;
				last = id.time > last ? id.time : last;
				take_sample(r, pd, &rec);
			}
			CU_ASSERT_EQUAL(in->first, first);
			CU_ASSERT_EQUAL(in->last, last);
		}
		if (i == k.nr_records)
			break;
		perfdata_skim_record(pd, &k, i, &rec);
		perfdata_take(pd, &rec);
		if (acted_on(rec.type))
			take_other(r, &rec);
	}
	CU_ASSERT_EQUAL(round, k.nr_rounds);
	for (size_t i = 0; i < k.nr_blocks; i++)
		parse_block(r, pd, &k.blocks[i]);
	perfdata_skim_release(&k);
	return true;
}

static struct result read_by(struct build *b, int jobs)
{
	struct perfdata *pd = open_built(b);
	struct pool *pool = jobs ? pool_new(jobs) : NULL;
	struct result r = {0};
	const struct perfdata_stats *st = perfdata_stats(pd);

	while (next(&r, pd, pool))
		;
	for (size_t i = 0; i < st->nr_records; i++)
		r.counts = (r.counts + st->records[i].type * st->records[i].count) * 0x9e3779b97f4a7c15;
	r.counts += st->lost + st->rounds + st->bytes;
	r.damage = damage_total(perfdata_damage(pd));
	pool_free(pool);
	perfdata_close(pd);
	return r;
}

static void same_both_ways(struct build *b)
{
	struct result want = read_by(b, 0);

	for (int jobs = 1; jobs <= 3; jobs++) {
		struct result got = read_by(b, jobs);

		CU_ASSERT_EQUAL(memcmp(&got, &want, sizeof(got)), 0);
	}
}

static void put_sample(struct build *b, const uint8_t *dump, uint64_t ip, uint64_t time)
{
	record_begin(b, PERF_RECORD_SAMPLE, PERF_CPUMODE_USER);
	put64(b, ip);
	put32(b, 7);
	put32(b, 7);
	put64(b, time);
	put64(b, DUMP);
	put_bytes(b, dump, DUMP);
	put64(b, DUMP);
	record_end(b);
}

/* 40 MB: several pieces, with rounds, late samples, other records; what dumps hold is the test's. */
static void put_recording(struct build *b, const uint8_t *dump, size_t nr)
{
	uint64_t time = 1000, seed = 88172645463325252;

	file_begin(b, &with_stack, 1);
	put_comm(b, 7, 7, "first", 0, 1);
	for (size_t i = 0; i < nr; i++) {
		seed ^= seed << 13;
		seed ^= seed >> 7;
		seed ^= seed << 17;
		time += 10;
		if (seed % 50 == 0)
			put_mmap2(b, 7, i << 12, 4096, 0, "/bin/a", time);
		if (seed % 70 == 1) {
			record_begin(b, PERF_RECORD_SWITCH, 0);
			put32(b, 7);
			put32(b, 7);
			put64(b, time);
			record_end(b);
		}
		if (seed % 100 == 2) {
			record_begin(b, PERF_RECORD_FINISHED_ROUND, 0);
			record_end(b);
		}
		put_sample(b, dump, i, seed % 400 == 3 ? time / 2 : time);
	}
}

static void pieces_agree(void)
{
	uint8_t *dump = xcalloc(1, DUMP);
	struct build b = {0};

	put_recording(&b, dump, 2500);
	file_end(&b, NULL, 0);
	same_both_ways(&b);
	build_free(&b);
	free(dump);
}

/* Dumps full of what look like records: every guess is wrong, and it does not show. */
static void dumps_that_look_like_records(void)
{
	static const uint8_t fake[8] = {PERF_RECORD_FINISHED_ROUND, 0, 0, 0, 0, 0, 8, 0};
	uint8_t *dump = xcalloc(1, DUMP);
	struct build b = {0};

	for (size_t at = 0; at < DUMP; at += sizeof(fake))
		memcpy(dump + at, fake, sizeof(fake));
	put_recording(&b, dump, 2500);
	file_end(&b, NULL, 0);
	same_both_ways(&b);
	build_free(&b);
	free(dump);
}

/* Attributes, payloads and damage in the middle are found where they are. */
static void things_in_the_way(void)
{
	uint8_t *dump = xcalloc(1, DUMP);
	struct build b = {0};

	put_recording(&b, dump, 700);
	record_begin(&b, PERF_RECORD_AUXTRACE, 0);
	put64(&b, 4000);
	for (int i = 0; i < 4; i++)
		put64(&b, 0);
	record_end(&b);
	for (int i = 0; i < 500; i++)
		put64(&b, 0); /* the payload */
	for (uint64_t i = 0; i < 700; i++)
		put_sample(&b, dump, i, 9000000 + i);
	record_begin(&b, PERF_RECORD_ID_INDEX, 0);
	put64(&b, 0);
	record_end(&b);
	record_begin(&b, 4242, 0); /* of a type to come, and of no whole u64s */
	put8(&b, 1);
	record_end(&b);
	for (uint64_t i = 0; i < 700; i++)
		put_sample(&b, dump, i, 9500000 + i);
	put64(&b, 5); /* a size of 0 */
	for (uint64_t i = 0; i < 700; i++)
		put_sample(&b, dump, i, 9900000 + i);
	file_end(&b, NULL, 0);
	same_both_ways(&b);
	b.nr -= 12345; /* and cut short */
	same_both_ways(&b);
	build_free(&b);
	free(dump);
}

static const struct suite_test tests[] = {
	{"pieces agree with the serial walk", pieces_agree},
	{"stack dumps that look like records", dumps_that_look_like_records},
	{"payloads and damage between pieces", things_in_the_way},
	{NULL, NULL},
};
const struct suite suite_skim = {"skim", tests};
