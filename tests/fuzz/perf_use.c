/*
 * Every record as every type, every byte that is pointed to.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "perf_use.h"
#include "perfdata/perfdata.h"

/* Records decoded as every type; a decompressed input has a great many. */
#define DECODED 512

struct counts {
	uint64_t records, samples, dropped;
	uint8_t sum; /* of all bytes pointed to, so that each is read */
};

/* Bounds of these reads are what matters, not which bytes there are. */
#ifdef __clang__
#define NO_COVERAGE __attribute__((no_sanitize("coverage")))
#else
#define NO_COVERAGE
#endif

NO_COVERAGE static void touch(struct counts *n, const void *p, uint64_t size)
{
	const uint8_t *b = p;

	for (uint64_t i = 0; i < size; i++)
		n->sum = (uint8_t)(n->sum + b[i]);
}

static void touch_text(struct counts *n, const char *s)
{
	if (s)
		touch(n, s, strlen(s));
}

static void decode(const struct perfdata *pd, const struct perfdata_record *rec, struct counts *n)
{
	struct perf_sample_id id;
	union {
		struct perf_mmap mmap;
		struct perf_comm comm;
		struct perf_task task;
		struct perf_ksymbol ksymbol;
		struct perf_switch sw;
		struct perf_callchain_deferred deferred;
	} u;

	/* each as each type: a decoder must not rely on being asked for its own */
	if (!perfdata_mmap(pd, rec, &u.mmap, &id))
		touch_text(n, u.mmap.filename);
	if (!perfdata_comm(pd, rec, &u.comm, &id))
		touch_text(n, u.comm.comm);
	if (!perfdata_ksymbol(pd, rec, &u.ksymbol, &id))
		touch_text(n, u.ksymbol.name);
	if (!perfdata_callchain_deferred(pd, rec, &u.deferred, &id))
		touch(n, u.deferred.callchain, u.deferred.callchain_nr * 8);
	perfdata_task(pd, rec, &u.task, &id);
	perfdata_switch(pd, rec, &u.sw, &id);
	perfdata_record_time(pd, rec);
}

static void parse(const struct perfdata *pd, const struct perfdata_record *rec, struct counts *n)
{
	struct perf_sample s;
	struct perf_sample_id id;

	perfdata_sample_ids(pd, rec, &id);
	if (perfdata_sample(pd, rec, &s)) {
		n->dropped++;
		return;
	}
	n->samples++;
	touch(n, s.callchain, s.callchain_nr * 8);
	touch(n, s.raw, s.raw_size);
	touch(n, s.branches, s.branches_nr * 24);
	if (s.regs)
		touch(n, s.regs, 8 * (uint64_t)__builtin_popcountll(s.regs_mask));
	if (s.regs_intr)
		touch(n, s.regs_intr, 8 * (uint64_t)__builtin_popcountll(s.regs_intr_mask));
	touch(n, s.stack, s.stack_size);
}

static void read_records(struct perfdata *pd, struct counts *n)
{
	struct perfdata_block b;
	struct error e;

	while (perfdata_next_block(pd, &b, &e) > 0) {
		struct perfdata_walk w = perfdata_walk_start(pd, &b);
		struct perfdata_record rec;
		uint64_t before = n->records, steps = 0;
		size_t at = 0;

		while (perfdata_walk_next(&w, &rec)) {
			n->records++;
			if (n->records <= DECODED)
				decode(pd, &rec, n);
		}
		for (; perfdata_block_next(pd, &b, &at, &rec); steps++)
			if (rec.type == PERF_RECORD_SAMPLE)
				parse(pd, &rec, n);
		if (steps != n->records - before)
			abort();
		perfdata_block_release(&b);
	}
}

static void read_rest(struct perfdata *pd, struct counts *n)
{
	const struct perf_features *f = perfdata_features(pd);
	int64_t offset;

	for (size_t i = 0; i < perfdata_nr_attrs(pd); i++) {
		touch_text(n, perfdata_attr(pd, i)->name);
		touch_text(n, perfdata_attr(pd, i)->unit);
	}
	for (size_t i = 0; i < perfdata_nr_build_ids(pd); i++)
		touch_text(n, perfdata_build_id(pd, i)->path);
	for (size_t i = 0; i < f->nr_text; i++)
		touch_text(n, f->text[i]);
	perfdata_wall_offset(pd, &offset);
	perfdata_clockid(pd);
	perfdata_arch(pd);
}

static struct counts read_all(struct perfdata *pd)
{
	struct counts n = {0};

	read_records(pd, &n);
	read_rest(pd, &n);
	return n;
}

static void same_as_stream(const uint8_t *data, size_t size, const struct counts *want,
			   const struct damage *damage)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	struct perfdata *pd;
	struct counts n;
	struct error e;

	if (fd < 0 || write(fd, data, size) != (ssize_t)size || lseek(fd, 0, SEEK_SET) != 0)
		abort();
	pd = perfdata_open("stream", fd, NULL, 0, &e);
	if (!pd)
		abort();
	n = read_all(pd);
	if (n.records != want->records || n.samples != want->samples || n.dropped != want->dropped ||
	    n.sum != want->sum)
		abort();
	for (int i = 0; i < DAMAGE_KINDS; i++)
		if (perfdata_damage(pd)->kind[i].count != damage->kind[i].count)
			abort();
	perfdata_close(pd);
	close(fd);
}

void perf_use(const uint8_t *data, size_t size)
{
	struct perfdata *pd;
	struct damage damage;
	struct counts n;
	struct error e;

	pd = perfdata_open_memory("input", data, size, &e);
	if (!pd)
		return;
	n = read_all(pd);
	damage = *perfdata_damage(pd);
	if (perfdata_form(pd) == PERFDATA_PIPE)
		same_as_stream(data, size, &n, &damage);
	perfdata_close(pd);
}
