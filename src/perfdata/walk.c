/*
 * Blocks to records: the serial walk, which also takes in what the stream says
 * about itself, and the plain steps of the workers.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "perfdata/internal.h"

/* Garbage may name any number of types; a kernel has a few dozen. The rest is counted as one. */
#define MAX_TYPES 1024
#define OTHER_TYPES UINT32_MAX
/* Android's simpleperf (record.h, SIMPLE_PERF_RECORD_TRACING_DATA): u32 size, then the tracing data. */
#define SIMPLEPERF_TRACING_DATA 32777

static const char *const names[] = {
#define X(number, name) [number] = #name,
	FOREACH_PERF_RECORD(X)
#undef X
};

const char *perf_record_name(uint32_t type)
{
	return type < sizeof(names) / sizeof(*names) ? names[type] : NULL;
}

bool perfdata_block_next(const struct perfdata *pd, const struct perfdata_block *b, size_t *at,
			 struct perfdata_record *rec)
{
	const uint8_t *p = b->data + *at;

	if (*at >= b->size)
		return false;
	/* sizes were checked when the block was made, but a mapped file may shrink meanwhile */
	rec->size = b->size - *at < RECORD_HEADER_SIZE ? 0 : load16(p + 6, pd->swap);
	if (rec->size < RECORD_HEADER_SIZE || rec->size > b->size - *at)
		return false;
	rec->data = p;
	rec->type = load32(p, pd->swap);
	rec->misc = load16(p + 4, pd->swap);
	/* inside compressed data only the record that holds it has an offset in the file */
	rec->offset = b->compressed ? b->offset : b->offset + *at;
	*at += rec->size;
	return true;
}

struct perfdata_walk perfdata_walk_start(struct perfdata *pd, struct perfdata_block *b)
{
	return (struct perfdata_walk){.pd = pd, .block = b};
}

/* Runs of one type are the rule, so the last row is tried first. */
void record_count(struct perfdata *pd, uint32_t type, uint64_t n)
{
	struct perfdata_stats *st = &pd->stats;
	size_t low = 0, high = st->nr_records;

	if (pd->last_count < high && st->records[pd->last_count].type == type) {
		st->records[pd->last_count].count += n;
		return;
	}
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (st->records[mid].type < type)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == st->nr_records || st->records[low].type != type) {
		if (st->nr_records >= MAX_TYPES && type != OTHER_TYPES) {
			record_count(pd, OTHER_TYPES, n);
			return;
		}
		ALLOC_GROW(st->records, st->nr_records + 1, st->alloc_records);
		memmove(st->records + low + 1, st->records + low,
			(st->nr_records - low) * sizeof(*st->records));
		st->records[low] = (struct perf_record_count){type, 0};
		st->nr_records++;
	}
	st->records[low].count += n;
	pd->last_count = low;
}

/* HEADER_ATTR: an attr, whose own size field says where the ids begin. */
static void take_attr(struct perfdata *pd, const struct perfdata_record *rec)
{
	const uint8_t *body = rec->data + RECORD_HEADER_SIZE;
	size_t left = rec->size - RECORD_HEADER_SIZE, size;
	struct error e;

	if (left < 64) {
		damage_add(&pd->damage, DAMAGE_RECORD_CUT, rec->offset);
		return;
	}
	size = load32(body + 4, pd->swap);
	if (!size)
		size = 64; /* before the field was filled: PERF_ATTR_SIZE_VER0 */
	if (size > left || size < 64 || pd->nr_attrs >= MAX_ATTRS) {
		damage_add(&pd->damage, DAMAGE_ATTR, rec->offset);
		return;
	}
	if (!attr_add(pd, body, size, rec->offset + RECORD_HEADER_SIZE, &e)) {
		/* said by the next perfdata_next_block, as in file form by perfdata_open */
		if (!pd->refused)
			pd->refusal = e;
		pd->refused = true;
		return;
	}
	for (size_t at = size; at + 8 <= left; at += 8)
		attr_add_id(pd, pd->nr_attrs - 1, perfdata_load64(body + at, pd->swap));
	attr_finish(pd);
}

/* HEADER_FEATURE: u64 id, then the feature's bytes. */
static void take_feature(struct perfdata *pd, const struct perfdata_record *rec)
{
	struct cursor c = record_body(pd, rec);
	uint64_t id = cursor_u64(&c);

	if (c.failed || id > UINT32_MAX)
		damage_add(&pd->damage, DAMAGE_FEATURE, rec->offset);
	else
		feature_read(pd, (unsigned)id, c.p, cursor_left(&c), cursor_offset(&c));
}

/* EVENT_UPDATE: u64 type, u64 id, then a unit, scale, name or cpu map. */
static void take_event_update(struct perfdata *pd, const struct perfdata_record *rec)
{
	enum { UNIT, SCALE, NAME };
	struct cursor c = record_body(pd, rec);
	uint64_t type = cursor_u64(&c), id = cursor_u64(&c);
	struct perf_attr *a = attr_by_id(pd, id);
	size_t left = cursor_left(&c), len;
	const char *text;

	if (c.failed) {
		damage_add(&pd->damage, DAMAGE_RECORD_CUT, rec->offset);
		return;
	}
	if (!a || (type != UNIT && type != NAME))
		return;
	text = cursor_take(&c, left);
	len = strnlen(text, left);
	if (type == NAME && len) {
		a->name = arena_strndup(&pd->strings, text, len);
		a->name_made = false;
	} else if (type == UNIT && len) {
		a->unit = arena_strndup(&pd->strings, text, len);
	}
}

/* HEADER_EVENT_TYPE (perf before 3.10, pipe): u64 config, char name[64]. */
static void take_event_type(struct perfdata *pd, const struct perfdata_record *rec)
{
	struct cursor c = record_body(pd, rec);
	uint64_t config = cursor_u64(&c);
	size_t left = cursor_left(&c), len;
	const char *text = cursor_take(&c, left);

	/* one for each event at most */
	if (c.failed || pd->nr_event_types >= pd->nr_attrs)
		return;
	pd->nr_event_types++;
	len = strnlen(text, left);
	for (size_t i = 0; len && i < pd->nr_attrs; i++) {
		if (pd->attrs[i]->config != config)
			continue;
		pd->attrs[i]->name = arena_strndup(&pd->strings, text, len);
		pd->attrs[i]->name_made = false;
	}
}

/* HEADER_TRACING_DATA: u32 size; what followed it in the stream was kept for now. */
static void take_tracing(struct perfdata *pd)
{
	if (pd->tracing.nr)
		tracing_read(pd, pd->tracing.data, pd->tracing.nr, pd->tracing_offset);
	free(pd->tracing.data);
	pd->tracing = (struct owned){0};
}

static void take_simpleperf_tracing(struct perfdata *pd, const struct perfdata_record *rec)
{
	struct cursor c = record_body(pd, rec);
	uint32_t size = cursor_u32(&c);
	uint64_t offset = cursor_offset(&c);
	const uint8_t *data = cursor_take(&c, size);

	if (data && !pd->tracing_seen)
		tracing_read(pd, data, size, offset);
	else if (!data)
		damage_add(&pd->damage, DAMAGE_RECORD_CUT, rec->offset);
	pd->tracing_seen = true;
}

static void take_lost(struct perfdata *pd, const struct perfdata_record *rec)
{
	struct cursor c = record_body(pd, rec);
	uint64_t lost;

	if (rec->type == PERF_RECORD_LOST)
		cursor_u64(&c); /* id */
	lost = cursor_u64(&c);
	if (c.failed)
		damage_add(&pd->damage, DAMAGE_RECORD_CUT, rec->offset);
	else if (lost > UINT64_MAX - pd->stats.lost)
		pd->stats.lost = UINT64_MAX;
	else
		pd->stats.lost += lost;
}

void perfdata_take(struct perfdata *pd, const struct perfdata_record *rec)
{
	switch (rec->type) {
	case PERF_RECORD_HEADER_ATTR:
		take_attr(pd, rec);
		break;
	case PERF_RECORD_HEADER_FEATURE:
		take_feature(pd, rec);
		break;
	case PERF_RECORD_HEADER_TRACING_DATA:
		take_tracing(pd);
		break;
	case SIMPLEPERF_TRACING_DATA:
		take_simpleperf_tracing(pd, rec);
		break;
	case PERF_RECORD_HEADER_BUILD_ID:
		build_id_record(pd, rec->data, rec->size, rec->offset);
		break;
	case PERF_RECORD_EVENT_UPDATE:
		take_event_update(pd, rec);
		break;
	case PERF_RECORD_HEADER_EVENT_TYPE:
		take_event_type(pd, rec);
		break;
	case PERF_RECORD_LOST:
	case PERF_RECORD_LOST_SAMPLES:
		take_lost(pd, rec);
		break;
	case PERF_RECORD_THROTTLE:
		pd->stats.throttled++;
		break;
	case PERF_RECORD_FINISHED_ROUND:
		pd->stats.rounds++;
		break;
	}
}

bool perfdata_walk_next(struct perfdata_walk *w, struct perfdata_record *rec)
{
	if (!perfdata_block_next(w->pd, w->block, &w->at, rec))
		return false;
	record_count(w->pd, rec->type, 1);
	perfdata_take(w->pd, rec);
	return true;
}
