/*
 * Tracing data: a HEADER_TRACING_DATA of these bytes in pipe form; then every field of every
 * tracepoint is asked for in a payload that is the input's first bytes.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "perfdata/tracing.h"
#include "../unit/build.h"

enum { PAYLOAD = 64, MOST = 1 << 16 };

static const struct build_attr attr = {.type = 2, .period = 1, .flags = FLAG_ID_ALL,
				       .sample_type = PERF_SAMPLE_IP | PERF_SAMPLE_RAW};

static uint64_t ask(const struct tracepoint *t, const struct perf_sample *s)
{
	uint64_t sum = strlen(t->name) + strlen(t->system), v = 0;

	for (size_t i = 0; i < t->nr_fields; i++) {
		const struct tracepoint_field *f = &t->fields[i];

		if (!tracepoint_field(t, f->name))
			abort();
		sum += strlen(f->type);
		for (int swap = 0; swap < 2; swap++) {
			size_t n = 0;
			const uint8_t *p = tracepoint_bytes(f, s, swap, &n);

			for (size_t k = 0; p && k < n; k++)
				sum += p[k];
			sum += tracepoint_number(f, s, swap, &v) ? v : 1;
		}
	}
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct perf_sample s = {.raw = data, .raw_size = size < PAYLOAD ? (uint32_t)size : PAYLOAD};
	struct build b = {0};
	struct perfdata_block block;
	struct perfdata *pd;
	struct error e;
	uint64_t sum = 0;

	if (size > MOST)
		return 0;
	pipe_begin(&b, &attr, 1);
	record_begin(&b, PERF_RECORD_HEADER_TRACING_DATA, 0);
	put32(&b, (uint32_t)size);
	put32(&b, 0);
	record_end(&b);
	put_bytes(&b, data, size);
	put_bytes(&b, NULL, -size & 7);
	pd = perfdata_open_memory("fuzz", b.data, b.nr, &e);
	if (!pd)
		abort();
	while (perfdata_next_block(pd, &block, &e) > 0) {
		struct perfdata_walk w = perfdata_walk_start(pd, &block);
		struct perfdata_record rec;

		while (perfdata_walk_next(&w, &rec))
			;
		perfdata_block_release(&block);
	}
	for (uint64_t id = 0; id < 1024; id++) {
		const struct tracepoint *t = perfdata_tracepoint(pd, id);

		if (t)
			sum += ask(t, &s);
	}
	if (sum == UINT64_MAX)
		abort();
	perfdata_close(pd);
	build_free(&b);
	return 0;
}
