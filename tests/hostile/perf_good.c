/*
 * Small recordings of each sort, with every kind of record that is decoded and most header features.
 */
#include <stdio.h>
#include <string.h>

#include "hostile.h"
#include "perf_shape.h"
#include "perfdata/perfdata.h"

enum { PID = 100, SAMPLES = 12, FRAMES = 9, DUMP = 512, REGS = 20 };
#define REGS_MASK UINT64_C(0xff0fff)
#define BASE UINT64_C(0x400000)
#define STACK UINT64_C(0x7ffc00001000)

static const uint64_t ids[] = {11, 12};

static size_t make_attrs(struct build_attr attrs[2], enum recording what)
{
	const struct build_attr clock = {.type = 1, .config = 0, .period = 1000000, .flags = FLAG_ID_ALL};

	attrs[0] = attrs[1] = clock;
	switch (what) {
	case PLAIN:
		for (int i = 0; i < 2; i++) {
			attrs[i].sample_type = PLAIN_TYPE;
			attrs[i].ids = &ids[i];
			attrs[i].nr_ids = 1;
		}
		attrs[1].config = 1;
		return 2;
	case CALLCHAIN:
		attrs[0].sample_type = CALLCHAIN_TYPE;
		return 1;
	case DUMPS:
		attrs[0].sample_type = DUMPS_TYPE;
		attrs[0].regs_user = REGS_MASK;
		attrs[0].stack_user = DUMP;
		return 1;
	}
	return 0;
}

/* sample_id_all's fields behind other records. */
static void trailer(struct build *b, enum recording what, uint32_t tid, uint64_t time)
{
	put32(b, PID);
	put32(b, tid);
	put64(b, time);
	if (what == PLAIN)
		put64(b, ids[0]);
	record_end(b);
}

static void mapping(struct build *b, enum recording what, uint64_t addr, uint64_t size, uint64_t offset, const char *path, uint64_t time)
{
	record_begin(b, PERF_RECORD_MMAP2, PERF_CPUMODE_USER);
	put32(b, PID);
	put32(b, PID);
	put64(b, addr);
	put64(b, size);
	put64(b, offset);
	put_bytes(b, NULL, 24);
	put32(b, 5);
	put32(b, 2);
	put_str(b, path, (strlen(path) + 8) / 8 * 8);
	trailer(b, what, PID, time);
}

static void name(struct build *b, enum recording what, uint32_t tid, const char *comm, uint64_t time)
{
	record_begin(b, PERF_RECORD_COMM, 0);
	put32(b, PID);
	put32(b, tid);
	put_str(b, comm, 16);
	trailer(b, what, tid, time);
}

static void task(struct build *b, enum recording what, uint32_t type, uint32_t tid, uint64_t time)
{
	record_begin(b, type, 0);
	put32(b, PID);
	put32(b, PID);
	put32(b, tid);
	put32(b, PID);
	put64(b, time);
	trailer(b, what, PID, time);
}

/* An address of the text for sample `i`, stack word or frame `k`. */
struct places {
	const uint64_t *offsets;
	size_t nr;
};

static uint64_t place(const struct places *p, size_t i, size_t k)
{
	return p->nr ? BASE + p->offsets[(i * 7 + k * 3) % p->nr] : BASE + 0x1000 + i * 0x40 + k * 0x111;
}

static void sample(struct build *b, enum recording what, const struct places *p, size_t i)
{
	uint64_t ip = place(p, i, 0);

	record_begin(b, PERF_RECORD_SAMPLE, PERF_CPUMODE_USER);
	put64(b, ip);
	put32(b, PID);
	put32(b, (uint32_t)(PID + i % 3));
	put64(b, 10000 + i * 100);
	if (what == PLAIN)
		put64(b, ids[i % 2]);
	if (what != DUMPS)
		put64(b, 1000000);
	if (what == CALLCHAIN) {
		put64(b, FRAMES + 1);
		put64(b, PERF_CONTEXT_USER);
		for (size_t k = 0; k < FRAMES; k++)
			put64(b, place(p, i, k));
	}
	if (what == DUMPS) {
		put64(b, 2);
		put64(b, PERF_CONTEXT_USER);
		put64(b, ip);
		put64(b, 2); /* 64-bit registers */
		for (uint64_t reg = 0; reg < 24; reg++)
			if (REGS_MASK >> reg & 1)
				put64(b, reg == 7 ? STACK : reg == 8 ? ip : reg == 6 ? STACK + 64 : STACK + 16 * reg);
		put64(b, DUMP);
		for (size_t k = 0; k < DUMP / 8; k++)
			put64(b, k % 4 == 3 ? STACK + 8 * k + 32 : place(p, i, k + 1));
		put64(b, DUMP);
	}
	record_end(b);
}

static void records(struct build *b, enum recording what, const char *path, uint64_t offset, uint64_t size,
		    const struct places *p)
{
	mapping(b, what, BASE, size, offset, path, 1);
	name(b, what, PID, "main", 2);
	task(b, what, PERF_RECORD_FORK, PID + 1, 3);
	name(b, what, PID + 1, "worker;odd", 4);
	task(b, what, PERF_RECORD_FORK, PID + 2, 5);
	mapping(b, what, UINT64_C(0x7f0000000000), 0x2000, 0, "//anon", 6);
	record_begin(b, PERF_RECORD_KSYMBOL, 0);
	put64(b, UINT64_C(0xffffffffc0000000));
	put32(b, 0x100);
	put16(b, 1), put16(b, 0);
	put_str(b, "bpf_prog_1", 16);
	trailer(b, what, PID, 7);
	for (size_t i = 0; i < SAMPLES; i++)
		sample(b, what, p, i);
	task(b, what, PERF_RECORD_EXIT, PID + 1, 20000);
	record_begin(b, PERF_RECORD_LOST, 0);
	put64(b, 11);
	put64(b, 3);
	trailer(b, what, PID, 20001);
	record_begin(b, 68, 0); /* FINISHED_ROUND */
	record_end(b);
}

static void put_string(struct build *b, const char *s)
{
	size_t padded = (strlen(s) + 1 + 63) / 64 * 64;

	put32(b, (uint32_t)padded);
	put_str(b, s, padded);
}

struct feature {
	unsigned id;
	struct build bytes;
};
enum { NR_FEATURES = 8 };

/* In order of their ids. */
static void make_features(struct feature f[NR_FEATURES], bool swap, const char *path)
{
	static const unsigned known[NR_FEATURES] = {2, 3, 4, 6, 7, 11, 21, 29};

	for (int i = 0; i < NR_FEATURES; i++)
		f[i] = (struct feature){known[i], {.swap = swap}};
	record_begin(&f[0].bytes, 0, PERF_CPUMODE_USER);
	put32(&f[0].bytes, PID);
	for (uint8_t i = 0; i < 20; i++)
		put8(&f[0].bytes, i);
	put_bytes(&f[0].bytes, NULL, 4);
	put_str(&f[0].bytes, path, 64);
	record_end(&f[0].bytes);
	put_string(&f[1].bytes, "host");
	put_string(&f[2].bytes, "6.18.0");
	put_string(&f[3].bytes, "x86_64");
	put32(&f[4].bytes, 8);
	put32(&f[4].bytes, 8);
	put32(&f[5].bytes, 3);
	put_string(&f[5].bytes, "perf");
	put_string(&f[5].bytes, "record");
	put_string(&f[5].bytes, "-g");
	put64(&f[6].bytes, 1);
	put64(&f[6].bytes, 20001);
	put32(&f[7].bytes, 1);
	put32(&f[7].bytes, 1);
	put64(&f[7].bytes, UINT64_C(1700000000000000000));
	put64(&f[7].bytes, 1000);
}

static void with_features(struct build *b, bool pipe, const char *path)
{
	struct feature f[NR_FEATURES];
	struct build_feature list[NR_FEATURES];

	make_features(f, b->swap, path);
	for (int i = 0; i < NR_FEATURES; i++)
		list[i] = (struct build_feature){f[i].id, f[i].bytes.data, f[i].bytes.nr};
	if (!pipe)
		file_end(b, list, NR_FEATURES);
	for (int i = 0; i < NR_FEATURES; i++)
		build_free(&f[i].bytes);
}

/* HEADER_FEATURE records, which a stream begins with. */
static void feature_records(struct build *b, const char *path)
{
	struct feature f[NR_FEATURES];

	make_features(f, b->swap, path);
	for (int i = 0; i < NR_FEATURES; i++) {
		record_begin(b, 80, 0);
		put64(b, f[i].id);
		put_bytes(b, f[i].bytes.data, f[i].bytes.nr);
		record_end(b);
		build_free(&f[i].bytes);
	}
}

static void make(struct build *b, enum recording what, bool pipe, const char *path, uint64_t offset, uint64_t size,
		 const struct places *p)
{
	struct build_attr attrs[2];
	size_t nr = make_attrs(attrs, what);

	if (pipe) {
		pipe_begin(b, attrs, nr);
		feature_records(b, "/hostile/other");
	} else {
		file_begin(b, attrs, nr);
	}
	records(b, what, path, offset, size, p);
	with_features(b, pipe, "/hostile/other");
}

void recording_make(struct build *b, enum recording what, bool pipe, bool swap)
{
	const struct places none = {0};

	*b = (struct build){.swap = swap};
	make(b, what, pipe, "/hostile/program", 0, 0x10000, &none);
}

void recording_of(struct build *b, const char *path, uint64_t offset, uint64_t size, const uint64_t *offsets, size_t nr)
{
	const struct places p = {offsets, nr};

	*b = (struct build){0};
	make(b, DUMPS, false, path, offset, size, &p);
}
