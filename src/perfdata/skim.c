/*
 * The serial walk of plain records, done by all workers at once. Nothing tells where records begin but
 * the records before them. So the data is cut into pieces; in each but the first a worker looks for
 * a place where a chain of plausible headers begins and walks from there, noting what
 * the walk will want to see. The piece counts when the walk of the piece before it ends at
 * this very place, which proves the guess; else it is walked again from the right one.
 */
#include <stdlib.h>

#include "base/alloc.h"
#include "base/pool.h"
#include "perfdata/internal.h"

/*
 * A piece, and how many of them are taken at a time: more and more, and one
 * after a stop, so that little is walked in vain.
 */
#define PIECE_SIZE ((size_t)8 << 20)
#define PIECES_MAX 64
#define PIECES_STEP 4
/* Headers that must follow one another for a guess. */
#define CHAIN 8
struct type_count {
	uint32_t type;
	uint64_t count;
};

struct piece {
	size_t from, limit; /* in the source; a record that begins before the limit belongs to it */
	size_t start, end;  /* what was walked */
	bool found;	    /* a start */
	bool stopped;	    /* at `end` is something for perfdata_next_block */
	struct perfdata_skim out;
	struct type_count *types;
	size_t nr_types, alloc_types;
};

struct skim {
	struct perfdata *pd;
	const struct source *source;
	struct piece *pieces;
	size_t at; /* where the walk is */
};

/* --- one piece ------------------------------------------------------------------------------- */

static bool known_type(uint32_t type)
{
	return perf_record_name(type) != NULL;
}

/* Whether a chain of headers begins at `at`, as far as the source goes. */
static bool plausible(const struct perfdata *pd, const struct source *s, size_t at)
{
	size_t n;

	for (int i = 0; i < CHAIN && at < s->size; i++, at += n) {
		const uint8_t *p = s->data + at;

		if (!record_size(pd, p, s->size - at, &n) || n % 8 || !known_type(load32(p, pd->swap)))
			return false;
	}
	return true;
}

static bool guess_start(const struct perfdata *pd, const struct source *s, struct piece *c)
{
	/* the kernel's records are whole u64s, and so are nearly all of perf's */
	for (size_t at = c->from & ~(size_t)7; at + RECORD_HEADER_SIZE <= c->limit; at += 8) {
		if (at >= c->from && plausible(pd, s, at)) {
			c->start = at;
			return true;
		}
	}
	return false;
}

static void count_type(struct piece *c, uint32_t type, size_t *last)
{
	size_t i = *last;

	if (i >= c->nr_types || c->types[i].type != type)
		for (i = 0; i < c->nr_types && c->types[i].type != type; i++)
			;
	if (i == c->nr_types) {
		ALLOC_GROW(c->types, c->nr_types + 1, c->alloc_types);
		c->types[c->nr_types++] = (struct type_count){type, 0};
	}
	c->types[i].count++;
	*last = i;
}

/*
 * What the walk acts on. What is only counted is not worth a note: a recording
 * may hold millions of SWITCH records.
 */
static bool is_noted(uint32_t type)
{
	switch (type) {
	case PERF_RECORD_MMAP:
	case PERF_RECORD_MMAP2:
	case PERF_RECORD_COMM:
	case PERF_RECORD_FORK:
	case PERF_RECORD_EXIT:
	case PERF_RECORD_KSYMBOL:
	case PERF_RECORD_LOST:
	case PERF_RECORD_LOST_SAMPLES:
	case PERF_RECORD_THROTTLE:
	case PERF_RECORD_CALLCHAIN_DEFERRED:
	case PERF_RECORD_FINISHED_ROUND:
		return true;
	}
	return false;
}

/*
 * What changes how the records behind it are read, or is followed by bytes that
 * are no records, is left to perfdata_next_block; and so is what is broken.
 */
static bool is_special(const struct perfdata *pd, const uint8_t *p, size_t size)
{
	uint32_t type = load32(p, pd->swap);

	switch (type) {
	case PERF_RECORD_FINISHED_ROUND:
	case PERF_RECORD_ID_INDEX:
	case PERF_RECORD_THREAD_MAP:
	case PERF_RECORD_CPU_MAP:
	case PERF_RECORD_TIME_CONV:
	case PERF_RECORD_FINISHED_INIT:
		return false;
	}
	return type >= RECORD_USER_TYPE_START || size % 8;
}

static void note_sample(const struct perfdata *pd, const struct perfdata_record *rec, struct perfdata_block *b,
			struct perfdata_round *r)
{
	struct perf_sample_id id;

	if (perfdata_sample_ids(pd, rec, &id) || !id.time)
		return;
	if (id.time > b->last)
		b->last = id.time;
	if (id.time > r->last)
		r->last = id.time;
	if (id.time < r->first)
		r->first = id.time;
}

static void begin_block(struct perfdata_skim *out, const struct source *s, size_t at)
{
	ALLOC_GROW(out->blocks, out->nr_blocks + 1, out->alloc_blocks);
	out->blocks[out->nr_blocks++] = (struct perfdata_block){.data = s->data + at, .offset = s->offset + at};
}

static void begin_round(struct perfdata_skim *out, size_t at)
{
	ALLOC_GROW(out->rounds, out->nr_rounds + 1, out->alloc_rounds);
	out->rounds[out->nr_rounds++] = (struct perfdata_round){.from = at, .first = UINT64_MAX};
}

/* Walks from c->start; what it finds is in offsets from the source's begin. */
static void walk_piece(const struct perfdata *pd, const struct source *s, struct piece *c)
{
	struct perfdata_skim *out = &c->out;
	size_t at = c->start, n, last = 0;

	out->nr_records = out->nr_blocks = out->nr_rounds = c->nr_types = 0;
	c->stopped = false;
	begin_block(out, s, at);
	begin_round(out, at);
	for (; at < c->limit; at += n) {
		const uint8_t *p = s->data + at;
		struct perfdata_block *b = &out->blocks[out->nr_blocks - 1];
		struct perfdata_record rec;

		if (s->size - at < RECORD_HEADER_SIZE || !record_size(pd, p, s->size - at, &n) ||
		    is_special(pd, p, n)) {
			c->stopped = true;
			break;
		}
		__builtin_prefetch(p + 2 * n);
		rec = (struct perfdata_record){.type = load32(p, pd->swap), .misc = load16(p + 4, pd->swap),
					       .size = n, .data = p, .offset = s->offset + at};
		count_type(c, rec.type, &last);
		if (b->size >= BLOCK_SIZE) {
			begin_block(out, s, at);
			b = &out->blocks[out->nr_blocks - 1];
		}
		b->size += n;
		if (rec.type == PERF_RECORD_SAMPLE) {
			note_sample(pd, &rec, b, &out->rounds[out->nr_rounds - 1]);
		} else if (is_noted(rec.type)) {
			ALLOC_GROW(out->records, out->nr_records + 1, out->alloc_records);
			out->records[out->nr_records++] = at;
			if (rec.type == PERF_RECORD_FINISHED_ROUND) {
				out->rounds[out->nr_rounds - 1].to = at;
				begin_round(out, at + n);
			}
		}
	}
	out->rounds[out->nr_rounds - 1].to = at;
	c->end = at;
}

static void skim_piece(void *ctx, int worker, size_t task)
{
	struct skim *k = ctx;
	struct piece *c = &k->pieces[task];

	(void)worker;
	c->found = c->start == c->from || guess_start(k->pd, k->source, c);
	if (c->found)
		walk_piece(k->pd, k->source, c);
}

/* --- all of them --------------------------------------------------------------------------------- */

static void append_rounds(struct perfdata_skim *out, const struct perfdata_skim *from)
{
	size_t i = 0;

	/* a round goes on from piece to piece */
	if (out->nr_rounds && from->nr_rounds) {
		struct perfdata_round *r = &out->rounds[out->nr_rounds - 1];

		r->to = from->rounds[0].to;
		if (from->rounds[0].first < r->first)
			r->first = from->rounds[0].first;
		if (from->rounds[0].last > r->last)
			r->last = from->rounds[0].last;
		i = 1;
	}
	ALLOC_GROW(out->rounds, out->nr_rounds + from->nr_rounds, out->alloc_rounds);
	for (; i < from->nr_rounds; i++)
		out->rounds[out->nr_rounds++] = from->rounds[i];
}

static void append(struct perfdata *pd, struct perfdata_skim *out, const struct piece *c)
{
	const struct perfdata_skim *from = &c->out;

	append_rounds(out, from);
	ALLOC_GROW(out->records, out->nr_records + from->nr_records, out->alloc_records);
	for (size_t i = 0; i < from->nr_records; i++)
		out->records[out->nr_records++] = from->records[i];
	ALLOC_GROW(out->blocks, out->nr_blocks + from->nr_blocks, out->alloc_blocks);
	for (size_t i = 0; i < from->nr_blocks; i++)
		if (from->blocks[i].size)
			out->blocks[out->nr_blocks++] = from->blocks[i];
	for (size_t i = 0; i < c->nr_types; i++)
		record_count(pd, c->types[i].type, c->types[i].count);
}

/* Pieces from the place of the walk on; returns how many. */
static size_t cut(struct skim *k, size_t max)
{
	size_t nr = 0, at = k->at;

	for (; nr < max && at < k->source->size; nr++) {
		struct piece *c = &k->pieces[nr];
		size_t left = k->source->size - at;

		c->from = at;
		c->limit = left < PIECE_SIZE + PIECE_SIZE / 2 ? k->source->size : at + PIECE_SIZE;
		c->start = nr ? SIZE_MAX : at;
		at = c->limit;
	}
	return nr;
}

/*
 * Takes in the pieces in order, walking those that were not, or from a wrong guess. Returns
 * whether something is in the way.
 */
static bool join(struct skim *k, size_t nr, struct perfdata_skim *out)
{
	for (size_t i = 0; i < nr; i++) {
		struct piece *c = &k->pieces[i];

		if (!c->found || c->start != k->at) {
			c->start = k->at; /* beyond it where it lies inside of a record, all of it */
			walk_piece(k->pd, k->source, c);
		}
		append(k->pd, out, c);
		k->at = c->end;
		if (c->stopped)
			return true;
	}
	return false;
}

static void release_piece(struct piece *c)
{
	perfdata_skim_release(&c->out);
	free(c->types);
}

bool perfdata_skim(struct perfdata *pd, struct pool *pool, struct perfdata_skim *out)
{
	struct skim k = {.pd = pd, .source = &pd->sources[pd->source], .at = pd->at};
	size_t nr;
	bool stopped;

	*out = (struct perfdata_skim){0};
	if (pd->done || pd->refused || !k.source->data || pd->nr_carry)
		return false;
	pd->pieces = pd->pieces ? pd->pieces : 1;
	k.pieces = xcalloc(pd->pieces, sizeof(*k.pieces));
	nr = cut(&k, pd->pieces);
	if (pool_jobs(pool) > 1)
		pool_run(pool, nr, skim_piece, &k);
	out->source = k.source->data;
	out->offset = k.source->offset;
	stopped = join(&k, nr, out);
	for (size_t i = 0; i < nr; i++)
		release_piece(&k.pieces[i]);
	free(k.pieces);
	pd->pieces = stopped ? 1 : pd->pieces * PIECES_STEP < PIECES_MAX ? pd->pieces * PIECES_STEP : PIECES_MAX;
	pd->stats.bytes += k.at - pd->at;
	if (k.at == pd->at) {
		perfdata_skim_release(out);
		return false;
	}
	pd->at = k.at;
	return true;
}

void perfdata_skim_record(const struct perfdata *pd, const struct perfdata_skim *k, size_t i,
			  struct perfdata_record *rec)
{
	const uint8_t *p = k->source + k->records[i];

	*rec = (struct perfdata_record){.type = load32(p, pd->swap), .misc = load16(p + 4, pd->swap),
					.size = load16(p + 6, pd->swap), .data = p,
					.offset = k->offset + k->records[i]};
}

void perfdata_skim_release(struct perfdata_skim *k)
{
	free(k->records);
	free(k->rounds);
	free(k->blocks);
	*k = (struct perfdata_skim){0};
}
