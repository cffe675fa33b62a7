/*
 * Bytes to blocks of whole records: mapped, streamed, decompressed.
 * Source: tools/perf/util/session.c (reader__read_event, auxtrace and
 * tracing-data payloads), util/zstd.c and builtin-record.c (COMPRESSED records
 * of one source are one zstd stream, cut anywhere).
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>
#include <zstd_errors.h>

#include "base/alloc.h"
#include "perfdata/internal.h"

/* What zstd is given to write into at a time, and so how far a block may grow past BLOCK_SIZE. */
#define ZSTD_STEP ((size_t)128 << 10)
/* What zstd asks for between two blocks of a frame (RFC 8878 section 3.1.1.2). */
#define ZSTD_BLOCK_HEADER 3
/* Room a decompressed block starts with. */
#define OWNED_SIZE (BLOCK_SIZE + 2 * ZSTD_STEP)
/*
 * Stack dumps that are mostly zeros shrink to 1/50 or so. A stream that grows far more than any
 * recording does is a bomb: 64 KB can hold 2 GB.
 */
#define ZSTD_RATIO 2000
#define ZSTD_RATIO_FROM ((uint64_t)256 << 20)
/* Formats of all events of a kernel are 4 MB. */
#define TRACING_MAX ((size_t)64 << 20)

/* The kernel's records are whole u64s (perf_event_header__init_id, perf_output_begin). */
static bool is_unaligned(const struct perfdata *pd, const uint8_t *p, size_t size)
{
	return size % 8 && load32(p, pd->swap) < RECORD_USER_TYPE_START;
}

/* Bytes that follow a record in the stream without being records. */
struct payload {
	uint64_t size;
	bool tracing; /* of HEADER_TRACING_DATA: kept for the walk */
};

static struct payload payload_of(const struct perfdata *pd, const uint8_t *p, size_t size)
{
	uint32_t type = load32(p, pd->swap);

	if (type == PERF_RECORD_AUXTRACE && size >= RECORD_HEADER_SIZE + 8)
		return (struct payload){perfdata_load64(p + RECORD_HEADER_SIZE, pd->swap), false};
	if (type == PERF_RECORD_HEADER_TRACING_DATA && size >= RECORD_HEADER_SIZE + 4)
		return (struct payload){((uint64_t)load32(p + RECORD_HEADER_SIZE, pd->swap) + 7) & ~UINT64_C(7),
					true};
	return (struct payload){0};
}

/* The first of a recording is kept; formats come first in it, so what is past the limit is of no use. */
static void keep_tracing(struct perfdata *pd, const uint8_t *data, size_t size, uint64_t offset)
{
	struct owned *t = &pd->tracing;

	if (!pd->tracing_seen)
		pd->tracing_offset = offset;
	pd->tracing_seen = true;
	size = size < TRACING_MAX - t->nr ? size : TRACING_MAX - t->nr;
	if (!size)
		return;
	ALLOC_GROW(t->data, t->nr + size, t->alloc);
	memcpy(t->data + t->nr, data, size);
	t->nr += size;
}

/*
 * "perf record … -o - >FILE 2>&1" leaves what perf says at its end behind the records: no damage, and
 * the size that its text makes is no record's.
 */
static bool is_perf_talk(const struct perfdata *pd, const uint8_t *p, size_t left)
{
	static const char talk[] = "[ perf record: ";

	return pd->form == PERFDATA_PIPE && left >= sizeof(talk) - 1 && !memcmp(p, talk, sizeof(talk) - 1);
}

static bool is_compressed(const struct perfdata *pd, const uint8_t *p)
{
	uint32_t type = load32(p, pd->swap);

	return type == PERF_RECORD_COMPRESSED || type == PERF_RECORD_COMPRESSED2;
}

/* How a run of records in `data` ends. */
enum run_end {
	RUN_FULL,	/* the limit was reached */
	RUN_COMPRESSED, /* a COMPRESSED record comes next */
	RUN_PAYLOAD,	/* the last record is followed by *payload */
	RUN_CUT,	/* the next record's rest is missing */
	RUN_BROKEN,	/* the next record's size is impossible */
	RUN_TALK,	/* perf's messages come next, to the end */
	RUN_END,	/* the data ends with a record */
};

static enum run_end find_run(const struct perfdata *pd, const uint8_t *data, size_t size, size_t limit,
			     bool compressed_allowed, size_t *run, struct payload *payload)
{
	size_t at = 0, n;

	*payload = (struct payload){0};
	for (;;) {
		*run = at;
		if (at == size)
			return RUN_END;
		if (size - at < RECORD_HEADER_SIZE)
			return RUN_CUT;
		if (is_perf_talk(pd, data + at, size - at))
			return RUN_TALK;
		if (!record_size(pd, data + at, size - at, &n))
			return n < RECORD_HEADER_SIZE ? RUN_BROKEN : RUN_CUT;
		if (is_unaligned(pd, data + at, n))
			return RUN_BROKEN;
		if (at >= limit)
			return RUN_FULL;
		if (!compressed_allowed && is_compressed(pd, data + at))
			return RUN_COMPRESSED;
		*payload = payload_of(pd, data + at, n);
		at += n;
		if (payload->size) {
			*run = at;
			return RUN_PAYLOAD;
		}
	}
}

/* --- decompression ------------------------------------------------------------------ */

static bool compressed_payload(const struct perfdata *pd, const uint8_t *p, size_t size,
			       const uint8_t **data, size_t *n)
{
	*data = p + RECORD_HEADER_SIZE;
	*n = size - RECORD_HEADER_SIZE;
	if (load32(p, pd->swap) == PERF_RECORD_COMPRESSED2) {
		uint64_t real;

		if (*n < 8)
			return false;
		real = perfdata_load64(*data, pd->swap);
		*data += 8;
		*n -= 8;
		if (real > *n)
			return false;
		*n = (size_t)real;
	}
	return true;
}

enum taken {
	TAKEN_ALL,
	TAKEN_PART,   /* the block is full */
	TAKEN_BAD,    /* not zstd, or a bomb */
	TAKEN_MEMORY, /* zstd got no memory */
};

/*
 * Decompresses from *at until the payload is taken or the block is full; a
 * record may hold more than a block's worth.
 */
static enum taken decompress(struct perfdata *pd, const uint8_t *data, size_t n, size_t *at,
			     struct owned *o)
{
	ZSTD_inBuffer in = {data, n, *at};
	bool full = true;

	if (!pd->zstd)
		pd->zstd = ZSTD_createDStream();
	if (!pd->zstd)
		return TAKEN_MEMORY;
	/* until the input is taken and the output was not filled to the brim */
	while (in.pos < in.size || full) {
		ZSTD_outBuffer out;
		size_t r;

		if (o->nr >= BLOCK_SIZE) {
			*at = in.pos;
			return TAKEN_PART;
		}
		ALLOC_GROW(o->data, o->nr + ZSTD_STEP, o->alloc);
		out = (ZSTD_outBuffer){o->data + o->nr, ZSTD_STEP, 0};
		pd->zstd_in -= in.pos;
		r = ZSTD_decompressStream(pd->zstd, &out, &in);
		pd->zstd_in += in.pos;
		if (ZSTD_isError(r))
			return ZSTD_getErrorCode(r) == ZSTD_error_memory_allocation ? TAKEN_MEMORY : TAKEN_BAD;
		/* what it wants next: nothing (between frames), a block's header, or the rest of something */
		pd->zstd_inside = r != 0 && r != ZSTD_BLOCK_HEADER;
		o->nr += out.pos;
		pd->stats.decompressed += out.pos;
		full = out.pos == out.size;
		if (pd->stats.decompressed > ZSTD_RATIO_FROM &&
		    pd->stats.decompressed / ZSTD_RATIO > pd->zstd_in)
			return TAKEN_BAD;
	}
	*at = 0;
	return TAKEN_ALL;
}

/* The compressed stream ended in a block, and nothing said before tells why. */
static bool stopped_inside(const struct perfdata *pd)
{
	return pd->zstd_inside && !damage_total(&pd->damage);
}

/* What is left of a source whose compressed stream broke cannot be told apart: it ends here. */
static void end_source(struct perfdata *pd)
{
	pd->at = pd->sources[pd->source].size;
	pd->done = pd->fd >= 0;
}

static void keep_carry(struct perfdata *pd, const uint8_t *data, size_t n)
{
	ALLOC_GROW(pd->carry, n, pd->alloc_carry);
	memcpy(pd->carry, data, n);
	pd->nr_carry = n;
}

/*
 * Turns what was decompressed into a block of whole records, the rest into the
 * carry. Nested COMPRESSED records are broken ones.
 */
static void block_of_owned(struct perfdata *pd, struct owned *o, uint64_t offset, bool last,
			   struct perfdata_block *b)
{
	struct payload payload;
	size_t run;
	enum run_end end = find_run(pd, o->data, o->nr, SIZE_MAX, true, &run, &payload);

	pd->nr_carry = 0;
	if (end == RUN_BROKEN || end == RUN_TALK) {
		damage_add(&pd->damage, DAMAGE_RECORD_SIZE, offset);
		end_source(pd);
	} else if (end == RUN_CUT && last) {
		damage_add(&pd->damage, DAMAGE_RECORD_CUT, offset);
	} else if (end == RUN_CUT) {
		keep_carry(pd, o->data + run, o->nr - run);
	} else if (end == RUN_PAYLOAD) {
		/* not written by perf: payloads are never compressed */
		damage_add(&pd->damage, DAMAGE_COMPRESSED, offset);
		end_source(pd);
	}
	*b = (struct perfdata_block){.data = o->data, .size = run, .offset = offset, .owned = o->data, .room = o->alloc,
				     .compressed = true};
}

static void start_owned(struct perfdata *pd, struct owned *o)
{
	if (pd->nr_spares && pd->spares[pd->nr_spares - 1].alloc >= pd->nr_carry) {
		*o = pd->spares[--pd->nr_spares];
	} else {
		o->alloc = OWNED_SIZE > pd->nr_carry ? OWNED_SIZE : pd->nr_carry;
		o->data = xlarge(o->alloc);
	}
	if (pd->nr_carry)
		memcpy(o->data, pd->carry, pd->nr_carry);
	o->nr = pd->nr_carry;
}

/*
 * Decompresses records from data until a block's worth is there; *used is what was taken. The
 * record that fills it stays, with zstd_at, for the next block.
 */
static int decompress_run(struct perfdata *pd, const uint8_t *data, size_t size, uint64_t offset,
			  bool last, struct perfdata_block *b, size_t *used, struct error *e)
{
	enum taken taken = TAKEN_ALL;
	struct owned o;
	size_t at = 0, n;

	pd->compressed = true;
	start_owned(pd, &o);
	while (taken == TAKEN_ALL && size - at >= RECORD_HEADER_SIZE && o.nr < BLOCK_SIZE &&
	       record_size(pd, data + at, size - at, &n) && is_compressed(pd, data + at)) {
		const uint8_t *payload;
		size_t payload_nr;

		taken = compressed_payload(pd, data + at, n, &payload, &payload_nr)
				? decompress(pd, payload, payload_nr, &pd->zstd_at, &o)
				: TAKEN_BAD;
		if (taken == TAKEN_ALL) {
			record_count(pd, load32(data + at, pd->swap), 1);
			at += n;
		}
	}
	if (taken == TAKEN_MEMORY) {
		free(o.data);
		return error_set(e, EXIT_CODE_LIMIT, "%s: out of memory in zstd, at offset %#" PRIx64,
				 pd->path, offset + at);
	}
	if (taken == TAKEN_BAD) {
		damage_add(&pd->damage, DAMAGE_COMPRESSED, offset + at);
		at = size;
		end_source(pd);
	}
	*used = at;
	block_of_owned(pd, &o, offset, last && at == size, b);
	return 0;
}

/* --- memory ---------------------------------------------------------------------------- */

/* A payload in memory is passed over; one that reaches past the end is a cut file. */
static void pass_payload(struct perfdata *pd, const struct source *s, struct payload payload)
{
	if (payload.size > s->size - pd->at) {
		damage_add(&pd->damage, DAMAGE_FILE_CUT, s->offset + s->size);
		payload.size = s->size - pd->at;
	}
	if (payload.tracing && !pd->tracing_seen)
		keep_tracing(pd, s->data + pd->at, (size_t)payload.size, s->offset + pd->at);
	pd->at += (size_t)payload.size;
}

static int next_in_memory(struct perfdata *pd, const struct source *s, struct perfdata_block *b,
			  struct error *e)
{
	const uint8_t *data = s->data + pd->at;
	size_t size = s->size - pd->at, run, used;
	uint64_t offset = s->offset + pd->at;
	struct payload payload;
	enum run_end end = find_run(pd, data, size, BLOCK_SIZE, false, &run, &payload);

	if (!run && end == RUN_COMPRESSED) {
		if (decompress_run(pd, data, size, offset, true, b, &used, e) < 0)
			return -1;
		pd->stats.bytes += used;
		if (pd->at < s->size)
			pd->at += used;
		return 0;
	}
	*b = (struct perfdata_block){.data = data, .size = run, .offset = offset};
	pd->at += run;
	pd->stats.bytes += run;
	if (end == RUN_PAYLOAD) {
		pass_payload(pd, s, payload);
	} else if (end == RUN_TALK) {
		end_source(pd);
	} else if (end == RUN_BROKEN || end == RUN_CUT) {
		damage_add(&pd->damage, end == RUN_BROKEN ? DAMAGE_RECORD_SIZE : DAMAGE_RECORD_CUT,
			   offset + run);
		end_source(pd);
	}
	return 0;
}

/* --- streams ----------------------------------------------------------------------------- */

static ssize_t read_some(struct perfdata *pd, uint8_t *to, size_t n)
{
	ssize_t r;

	if (pd->prefix_left) {
		n = n < pd->prefix_left ? n : pd->prefix_left;
		memcpy(to, pd->prefix, n);
		pd->prefix += n;
		pd->prefix_left -= n;
		return (ssize_t)n;
	}
	do
		r = read(pd->fd, to, n);
	while (r < 0 && errno == EINTR);
	return r;
}

static int fill(struct perfdata *pd, struct owned *o, size_t want, struct error *e)
{
	while (o->nr < want && !pd->stream_end) {
		ssize_t r = read_some(pd, o->data + o->nr, want - o->nr);

		if (r < 0)
			return error_set(e, EXIT_CODE_INPUT, "%s: %s, at offset %#" PRIx64, pd->path,
					 strerror(errno), pd->stream_offset);
		if (!r)
			pd->stream_end = true;
		o->nr += (size_t)r;
		pd->stream_offset += (uint64_t)r;
		pd->stats.bytes += (uint64_t)r;
	}
	return 0;
}

static int skip_payload(struct perfdata *pd, struct error *e)
{
	uint8_t scrap[16384];

	while (pd->skip && !pd->stream_end) {
		struct owned o = {scrap, 0, sizeof(scrap)};

		if (fill(pd, &o, pd->skip < sizeof(scrap) ? (size_t)pd->skip : sizeof(scrap), e) < 0)
			return -1;
		if (pd->skip_tracing)
			keep_tracing(pd, scrap, o.nr, pd->stream_offset - o.nr);
		pd->skip -= o.nr;
	}
	if (pd->skip)
		damage_add(&pd->damage, DAMAGE_FILE_CUT, pd->stream_offset);
	pd->skip = 0;
	return 0;
}

/* A whole record, whatever its size, unless the stream ends first. */
static int have_record(struct perfdata *pd, struct error *e)
{
	struct owned *raw = &pd->raw;

	if (!raw->data) {
		raw->alloc = BLOCK_SIZE;
		raw->data = xmalloc(raw->alloc);
	}
	if (raw->nr - pd->raw_at > UINT16_MAX || pd->stream_end)
		return 0;
	raw->nr -= pd->raw_at;
	memmove(raw->data, raw->data + pd->raw_at, raw->nr);
	pd->raw_at = 0;
	return fill(pd, raw, BLOCK_SIZE, e);
}

static int next_in_stream(struct perfdata *pd, struct perfdata_block *b, struct error *e)
{
	const uint8_t *data;
	size_t size, run, used, have;
	struct payload payload;
	uint64_t offset;
	enum run_end end;

	if (skip_payload(pd, e) < 0 || have_record(pd, e) < 0)
		return -1;
	data = pd->raw.data + pd->raw_at;
	size = pd->raw.nr - pd->raw_at;
	if (!size) {
		if (pd->nr_carry || stopped_inside(pd))
			damage_add(&pd->damage, DAMAGE_RECORD_CUT, pd->stream_offset);
		pd->done = true;
		return 0;
	}
	offset = pd->stream_offset - size;
	end = find_run(pd, data, size, SIZE_MAX, false, &run, &payload);
	if (!run && end == RUN_COMPRESSED) {
		if (decompress_run(pd, data, size, offset, pd->stream_end, b, &used, e) < 0)
			return -1;
		pd->raw_at += used;
		return 0;
	}
	*b = (struct perfdata_block){.size = run, .offset = offset, .owned = xmemdup(data, run)};
	b->data = b->owned;
	pd->raw_at += run;
	if (end == RUN_TALK) {
		pd->done = true;
	} else if (end == RUN_BROKEN || (end == RUN_CUT && pd->stream_end)) {
		damage_add(&pd->damage, end == RUN_BROKEN ? DAMAGE_RECORD_SIZE : DAMAGE_RECORD_CUT,
			   offset + run);
		pd->done = true;
	}
	have = payload.size < size - run ? (size_t)payload.size : size - run;
	pd->skip = payload.size - have;
	pd->skip_tracing = payload.tracing && !pd->tracing_seen;
	if (pd->skip_tracing)
		keep_tracing(pd, data + run, have, offset + run);
	pd->raw_at += have;
	/* the walk of this block wants the whole of it; what will not come is said even if the next call refuses the file */
	return pd->skip_tracing || pd->stream_end ? skip_payload(pd, e) : 0;
}

/*
 * Decompressed bytes that make no whole record, or a part of a compressed block, are left when the data ends. In a finished file
 * it is perf that lost the rest: zstd_compress_stream_to_records (tools/perf/util/zstd.c) leaves
 * in the compressor what finds no room in the output, for the next call, which at the end of a
 * recording never comes.
 */
static void leave_carry(struct perfdata *pd, uint64_t offset)
{
	const struct damage *d = &pd->damage;

	if (pd->form == PERFDATA_FILE && !d->kind[DAMAGE_RECORDER_KILLED].count &&
	    !d->kind[DAMAGE_FILE_CUT].count && !d->kind[DAMAGE_COMPRESSED].count) {
		pd->stats.unflushed = pd->nr_carry ? pd->nr_carry : 1;
		pd->stats.lost += pd->stats.lost < UINT64_MAX;
	} else {
		damage_add(&pd->damage, DAMAGE_RECORD_CUT, offset);
	}
	pd->nr_carry = 0;
	pd->zstd_inside = false;
}

static void free_spares(struct perfdata *pd)
{
	while (pd->nr_spares)
		free(pd->spares[--pd->nr_spares].data);
}

/* Where a stream, or the last source, ended. */
static uint64_t end_offset(const struct perfdata *pd)
{
	const struct source *s = &pd->sources[pd->nr_sources - 1];

	return pd->fd >= 0 ? pd->stream_offset : s->offset + s->size;
}

int perfdata_next_block(struct perfdata *pd, struct perfdata_block *b, struct error *e)
{
	*b = (struct perfdata_block){0};
	if (pd->refused) {
		*e = pd->refusal;
		return -1;
	}
	while (!pd->done) {
		const struct source *s = &pd->sources[pd->source];

		if (!s->data && !s->size && pd->fd >= 0) {
			if (next_in_stream(pd, b, e) < 0)
				return -1;
		} else if (pd->at >= s->size) {
			/* the next file of a directory: a stream of its own */
			if (pd->nr_carry || stopped_inside(pd))
				leave_carry(pd, s->offset + s->size);
			pd->at = 0;
			pd->zstd_at = 0;
			pd->source++;
			pd->done = pd->source == pd->nr_sources;
			if (pd->zstd)
				ZSTD_DCtx_reset(pd->zstd, ZSTD_reset_session_only);
		} else if (next_in_memory(pd, s, b, e) < 0) {
			return -1;
		}
		if (b->size) {
			pd->delivered = true;
			return 1;
		}
		perfdata_block_release(b);
	}
	free_spares(pd);
	/* attributes of a stream are taken by the walk, which may be blocks behind: none can come of no record */
	if (!pd->nr_attrs && !pd->delivered)
		return error_set(e, EXIT_CODE_INPUT, "%s: no events before its end, at offset %#" PRIx64, pd->path, end_offset(pd));
	return 0;
}

void perfdata_block_recycle(struct perfdata *pd, struct perfdata_block *b)
{
	if (b->compressed && b->owned && !pd->done && pd->nr_spares < MAX_SPARES) {
		pd->spares[pd->nr_spares++] = (struct owned){.data = b->owned, .alloc = b->room};
		b->owned = NULL;
	}
	perfdata_block_release(b);
}

void perfdata_block_release(struct perfdata_block *b)
{
	free(b->owned);
	*b = (struct perfdata_block){0};
}
