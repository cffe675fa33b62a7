/*
 * COMPRESSED and COMPRESSED2 records in pipe form. The first byte chooses: 1 the newer record, 2
 * whether the bytes are payloads as they stand (else they are records, and packed here first, so
 * that what is decompressed varies as well), 4 a cut of the packed stream, the rest how long each
 * payload is.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <zstd.h>

#include "base/alloc.h"
#include "fuzz.h"
#include "perf_use.h"
#include "perfdata/perfdata.h"
#include "../unit/build.h"

enum { NEWER = 1, AS_IT_STANDS = 2, CUT = 4, LENGTH_SHIFT = 3, ROOM = 1 << 16, LONGEST = 65535 - 16 };

static const struct build_attr attr = {.type = 1, .period = 1000000, .flags = FLAG_ID_ALL,
				       .sample_type = PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_TIME};

static void put_payload(struct build *b, const uint8_t *p, size_t n, bool newer)
{
	record_begin(b, newer ? PERF_RECORD_COMPRESSED2 : PERF_RECORD_COMPRESSED, 0);
	if (newer)
		put64(b, n);
	put_bytes(b, p, n);
	if (newer)
		put_bytes(b, NULL, -n & 7);
	record_end(b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct build b = {0};
	uint8_t *packed = NULL;
	const uint8_t *p;
	size_t n, step;

	if (size < 1 || size > ROOM)
		return 0;
	step = 1 + (size_t)(data[0] >> LENGTH_SHIFT) * 37;
	p = data + 1;
	n = size - 1;
	if (!(data[0] & AS_IT_STANDS)) {
		size_t room = ZSTD_compressBound(n);

		packed = xmalloc(room);
		n = ZSTD_compress(packed, room, p, n, 1);
		if (ZSTD_isError(n))
			abort();
		p = packed;
	}
	if (data[0] & CUT)
		n -= n / 4;
	if (data[0] >> LENGTH_SHIFT == 31)
		step = LONGEST;
	pipe_begin(&b, &attr, 1);
	while (n) {
		size_t take = n < step ? n : step;

		put_payload(&b, p, take, data[0] & NEWER);
		p += take;
		n -= take;
	}
	perf_use(b.data, b.nr);
	build_free(&b);
	free(packed);
	return 0;
}
