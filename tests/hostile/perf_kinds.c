/*
 * Recordings: file, pipe, call chains, dumps; and compressed ones.
 */
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "base/alloc.h"
#include "binary.h"
#include "perf_shape.h"

static const enum recording sorts[] = {PLAIN, CALLCHAIN, DUMPS};

/* --- perf, pipe ------------------------------------------------------------------------------------ */

static bool make_file(struct build *b, unsigned which)
{
	recording_make(b, sorts[which / 2], false, which % 2);
	return true;
}

static bool make_pipe(struct build *b, unsigned which)
{
	recording_make(b, sorts[which / 2], true, which % 2);
	return true;
}

static enum expect mutate(struct build *b, unsigned which, struct rng *r, struct note *n)
{
	return perf_mutate(b, sorts[which / 2], r, n);
}

const struct kind kind_perf = {"perf", AS_FILE, false, false, 6, make_file, NULL, mutate};
const struct kind kind_pipe = {"pipe", AS_STDIN, false, false, 6, make_pipe, NULL, mutate};

/* --- call chains, dumps: with the binary they lead into ---------------------------------------------- */

static bool make_callchain(struct build *b, unsigned which)
{
	recording_make(b, CALLCHAIN, which / 2, which % 2);
	return true;
}

static enum expect mutate_callchain(struct build *b, unsigned which, struct rng *r, struct note *n)
{
	(void)which;
	return perf_mutate(b, CALLCHAIN, r, n);
}

const struct kind kind_callchain = {"callchain", AS_FILE, false, false, 4, make_callchain, NULL, mutate_callchain};

static bool program(struct build *b, unsigned which)
{
	return binary_compile(b, which ? BINARY_DWARF5 : BINARY_STRIPPED);
}

static bool make_dwarf(struct build *b, unsigned which)
{
	struct build prog = {0};
	bool ok = program(&prog, which) && binary_recording(b, &prog, which ? "/hostile/other1" : "/hostile/other0");

	build_free(&prog);
	return ok;
}

static enum expect mutate_dwarf(struct build *b, unsigned which, struct rng *r, struct note *n)
{
	(void)which;
	return perf_mutate(b, DUMPS, r, n);
}

const struct kind kind_dwarf = {"dwarf", AS_FILE, false, false, 2, make_dwarf, program, mutate_dwarf};

/* --- zstd ---------------------------------------------------------------------------------------------- */

enum { PARTS = 3 };

/*
 * One frame with a checksum over many records. `flush`: each holds whole blocks, as perf -z writes them;
 * else one block is cut anywhere.
 */
static void pack(struct build *b, const uint8_t *p, size_t n, bool newer, bool flush)
{
	size_t room = ZSTD_compressBound(n) + 256;
	uint8_t *z = xmalloc(room);
	ZSTD_CCtx *c = ZSTD_createCCtx();
	ZSTD_outBuffer out = {z, room, 0};
	size_t ends[PARTS], at = 0;

	ZSTD_CCtx_setParameter(c, ZSTD_c_checksumFlag, 1);
	for (size_t i = 0; i < PARTS; i++) {
		ZSTD_inBuffer in = {p, i + 1 < PARTS ? n / PARTS * (i + 1) : n, n / PARTS * i};

		if (ZSTD_compressStream2(c, &out, &in, i + 1 == PARTS ? ZSTD_e_end : flush ? ZSTD_e_flush : ZSTD_e_continue))
			abort();
		ends[i] = out.pos;
	}
	for (size_t i = 0; i < PARTS; i++) {
		size_t end = flush || i + 1 == PARTS ? ends[i] : out.pos / PARTS * (i + 1), take = end - at;

		record_begin(b, newer ? PERF_RECORD_COMPRESSED2 : PERF_RECORD_COMPRESSED, 0);
		if (newer)
			put64(b, take);
		put_bytes(b, z + at, take);
		if (newer)
			put_bytes(b, NULL, -take & 7);
		record_end(b);
		at += take;
	}
	ZSTD_freeCCtx(c);
	free(z);
}

static enum recording zstd_sort(unsigned which)
{
	return which < 8 ? PLAIN : DUMPS;
}

static bool make_zstd(struct build *b, unsigned which)
{
	struct build plain;
	struct shape s;
	bool pipe = which / 2 % 2, newer = which % 2;

	recording_make(&plain, zstd_sort(which), pipe, false);
	s = shape_of(&plain, zstd_sort(which));
	*b = (struct build){0};
	if (pipe) { /* attributes and features stay as they are */
		size_t first = 0;

		while (s.records[first].type >= 64)
			first++;
		put_bytes(b, plain.data, s.records[first].at);
		pack(b, plain.data + s.records[first].at, plain.nr - s.records[first].at, newer, which / 4 % 2);
	} else {
		put_bytes(b, plain.data, s.data);
		pack(b, plain.data + s.data, s.end - s.data, newer, which / 4 % 2);
		file_end(b, NULL, 0);
	}
	build_free(&plain);
	return true;
}

static size_t first_compressed(const struct shape *s)
{
	size_t i = 0;

	while (s->records[i].type != PERF_RECORD_COMPRESSED && s->records[i].type != PERF_RECORD_COMPRESSED2)
		i++;
	return i;
}

/* What the payloads of the compressed records unpack to; 0 where they do not. */
static size_t unpacked(const struct build *b, const struct shape *s, uint8_t *to, size_t room)
{
	size_t i = first_compressed(s), n = 0, r;
	bool newer = s->records[i].type == PERF_RECORD_COMPRESSED2;
	uint8_t *z = xmalloc(b->nr);

	for (size_t k = i; k < i + PARTS; k++) {
		size_t head = newer ? 16 : 8, take = newer ? (size_t)get_number(b, s->records[k].at + 8, 8) : s->records[k].size - 8;

		memcpy(z + n, b->data + s->records[k].at + head, take);
		n += take;
	}
	r = ZSTD_decompress(to, room, z, n);
	free(z);
	return ZSTD_isError(r) ? 0 : r;
}

/* Flips a bit; a few bits of a frame mean nothing, as those that fill up a bit stream. */
static bool flip_matters(struct build *b, const struct shape *s, size_t byte, unsigned bit)
{
	enum { ROOM = 1 << 17 };
	uint8_t *was = xmalloc(ROOM), *is = xmalloc(ROOM);
	size_t n = unpacked(b, s, was, ROOM), m;
	bool matters;

	b->data[byte] ^= (uint8_t)(1u << bit);
	m = unpacked(b, s, is, ROOM);
	matters = m != n || memcmp(was, is, n) != 0;
	free(was);
	free(is);
	return matters;
}

static enum expect lie_frame(struct build *b, const struct shape *s, bool flush, struct rng *r, struct note *n)
{
	size_t i = first_compressed(s), head = s->records[i].type == PERF_RECORD_COMPRESSED2 ? 16 : 8;
	size_t at = s->records[i].at + head, k = i + rng_below(r, PARTS), bit, pad = head == 16 ? 8 : 0;

	switch (rng_below(r, 6)) {
	case 0:
		say(n, "zstd: no frame");
		set_number(b, at + rng_below(r, 4), 1, 0);
		return DETECTED;
	case 1: /* its descriptor: other sizes, windows, dictionaries */
		say(n, "zstd: frame header lies");
		set_number(b, at + 4 + rng_below(r, 4), 1, rng_next(r));
		return ANY;
	case 2: { /* the checksum stands at the end, each byte of the frame counts */
		size_t span = s->records[k].size - head - pad, from = s->records[k].at + head + (k == i ? 12 : 0);

		span -= k == i ? 12 : 0;
		bit = rng_below(r, span * 8);
		say(n, "zstd: bit %zu of part %zu flipped", bit, k - i);
		return flip_matters(b, s, from + bit / 8, bit & 7) ? DETECTED : ANY;
	}
	case 3:
		say(n, "zstd: part %zu is missing", k - i);
		set_number(b, s->records[k].at, 4, 4095);
		/* perf never ends its frame: a stream may end behind any whole block */
		return flush && k == i + PARTS - 1 ? ANY : DETECTED;
	case 4:
		if (head != 16)
			break;
		say(n, "zstd: part %zu: length lies", k - i);
		set_number(b, s->records[k].at + 8, 8, s->records[k].size + odd_number(r, 4));
		return DETECTED;
	default:
		break;
	}
	say(n, "zstd: bytes of part %zu", k - i);
	return change_bytes(b, s->records[k].at, s->records[k].at + s->records[k].size, r, n);
}

/* A frame of nothing but one byte, over and over: gigabytes in a few records. */
static enum expect bomb(struct build *b, const struct shape *s, struct note *n)
{
	size_t i = first_compressed(s), room = 60000, was = b->nr;
	uint8_t *zeros = xcalloc(1, 1 << 20), *z = xmalloc(room);
	ZSTD_CCtx *c = ZSTD_createCCtx();
	ZSTD_outBuffer out = {z, room, 0};
	struct build rec = {0};

	for (int k = 0; k < 1024 && out.pos + 256 < room; k++) {
		ZSTD_inBuffer in = {zeros, 1 << 20, 0};

		ZSTD_compressStream2(c, &out, &in, ZSTD_e_continue);
	}
	record_begin(&rec, PERF_RECORD_COMPRESSED, 0);
	put_bytes(&rec, z, out.pos);
	record_end(&rec);
	bytes_insert(b, s->records[i].at, rec.data, rec.nr);
	if (!s->pipe)
		set_number(b, 48, 8, get_number(b, 48, 8) + (b->nr - was));
	say(n, "zstd: a gigabyte of zeros in %zu bytes", out.pos);
	build_free(&rec);
	ZSTD_freeCCtx(c);
	free(zeros);
	free(z);
	return DETECTED;
}

static enum expect mutate_zstd(struct build *b, unsigned which, struct rng *r, struct note *n)
{
	const struct shape s = shape_of(b, zstd_sort(which));

	if (rng_below(r, 400) == 0)
		return bomb(b, &s, n);
	switch (rng_below(r, 8)) {
	case 0: {
		size_t at = rng_below(r, b->nr), i = first_compressed(&s);

		/* what ends between records of one frame, in the frame */
		say(n, "cut at %#zx of %#zx", at, b->nr);
		b->nr = at;
		return s.pipe && at <= s.records[i].at ? ANY : DETECTED;
	}
	case 1: {
		size_t i = rng_below(r, s.nr), at = s.records[i].at;
		static const uint16_t sizes[] = {0, 7, 65535};
		uint16_t size = sizes[rng_below(r, 3)];

		say(n, "record %zu at %#zx: size %u", i, at, size);
		set_number(b, at + 6, 2, size);
		return DETECTED;
	}
	case 2:
		return change_bytes(b, 0, b->nr, r, n);
	default:
		return lie_frame(b, &s, which / 4 % 2, r, n);
	}
}

const struct kind kind_zstd = {"zstd", AS_FILE, false, false, 16, make_zstd, NULL, mutate_zstd};
