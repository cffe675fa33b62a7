#include "reading.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"

const struct build_attr basic = {.type = 1, .config = 0, .period = 1000000,
					.sample_type = BASIC, .flags = FLAG_ID_ALL};

/* $SEEDS: a folder that takes what the tests build, as seeds for tests/fuzz/. */
static void keep_seed(const struct build *b)
{
	const char *dir = getenv("SEEDS");
	static unsigned nr;
	char *name;
	FILE *f;

	if (!dir || b->nr > 4096)
		return;
	name = xasprintf("%s/unit-%03u", dir, nr++);
	f = fopen(name, "w");
	if (f) {
		fwrite(b->data, 1, b->nr, f);
		fclose(f);
	}
	free(name);
}

struct perfdata *open_built(struct build *b)
{
	struct error e;
	struct perfdata *pd;

	/* no byte more than there is, so that a sanitizer sees a read past the end */
	if (b->nr && b->nr < b->alloc)
		b->data = xrealloc(b->data, b->alloc = b->nr);
	pd = perfdata_open_memory("built", b->data, b->nr, &e);
	keep_seed(b);

	if (!pd)
		printf("open: %s\n", e.text);
	return pd;
}

struct seen read_all(struct perfdata *pd)
{
	struct seen s = {0};
	struct perfdata_block b;
	struct error e;

	while (perfdata_next_block(pd, &b, &e) > 0) {
		struct perfdata_walk w = perfdata_walk_start(pd, &b);
		struct perfdata_record rec;
		size_t at = 0;

		while (perfdata_walk_next(&w, &rec))
			s.records++;
		while (perfdata_block_next(pd, &b, &at, &rec)) {
			if (rec.type != PERF_RECORD_SAMPLE)
				continue;
			if (perfdata_sample(pd, &rec, &s.last))
				s.damaged++;
			else
				s.samples++;
		}
		perfdata_block_release(&b);
	}
	return s;
}

void basic_sample(struct build *b, uint64_t ip, uint32_t tid, uint64_t time)
{
	record_begin(b, PERF_RECORD_SAMPLE, PERF_CPUMODE_USER);
	put64(b, ip);
	put32(b, tid);
	put32(b, tid);
	put64(b, time);
	record_end(b);
}
