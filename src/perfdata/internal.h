/*
 * The reader's state, shared by the files of perfdata/ only.
 */
#ifndef PERFDATA_INTERNAL_H
#define PERFDATA_INTERNAL_H

#include <zstd.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/hash.h"
#include "perfdata/perfdata.h"
#include "perfdata/tracing.h"

/* struct perf_event_header */
#define RECORD_HEADER_SIZE 8
/* The first type that perf writes itself; those below are the kernel's. */
#define RECORD_USER_TYPE_START 64
/* Decompressed blocks kept for use again; more are not under way at once. */
#define MAX_SPARES 16
/* Bytes of a block, or little more. */
#define BLOCK_SIZE ((size_t)2 << 20)
/* More events than any recording has. */
#define MAX_ATTRS 16384

/* A stretch of the input that holds records: the data section, or a file of a directory. */
struct source {
	const uint8_t *data; /* mapped or given memory; NULL: read from fd */
	size_t size;
	uint64_t offset; /* in the file, of data[0] */
	struct file_map map;
};

/* Bytes in a buffer of our own. */
struct owned {
	uint8_t *data;
	size_t nr, alloc;
};

struct perfdata {
	char *path;
	enum perfdata_form form;
	bool swap, compressed;
	struct file_map map;
	const uint8_t *mem; /* the whole file where it is in memory, else NULL */
	size_t mem_size;

	/* a stream: bytes already read, then the descriptor */
	int fd;
	const uint8_t *prefix;
	size_t prefix_left;

	struct source *sources;
	size_t nr_sources, source;
	size_t at;	       /* position in the current source */
	uint64_t skip;	       /* payload bytes still to pass over in a stream */
	bool skip_tracing;     /* they are tracing data */
	uint8_t *carry;	       /* start of a record whose rest is still to come */
	size_t nr_carry, alloc_carry;
	uint64_t stream_offset; /* in the input, of the next byte from the descriptor */
	struct owned raw;	/* bytes of the stream */
	size_t raw_at;		/* the first of them that is not in a block yet */
	bool stream_end;
	bool delivered; /* a block, of records */
	bool done;
	size_t pieces; /* that perfdata_skim takes at a time */

	ZSTD_DStream *zstd;
	size_t zstd_at;		/* bytes taken of the payload of the COMPRESSED record at hand */
	uint64_t zstd_in;	/* bytes of all payloads taken so far */
	bool zstd_inside;	/* of a block of the stream, whose rest is still to come */

	struct perf_attr **attrs;
	size_t nr_attrs, alloc_attrs;
	size_t nr_named;       /* attrs that attr_finish has seen */
	size_t nr_event_types; /* HEADER_EVENT_TYPE records taken in */
	struct map64 ids;      /* event id → attr index */
	int id_offset;	       /* of the id in a SAMPLE's body, bytes; -1: none */
	int id_from_end;       /* of the id in other records, bytes before the end; 0: none */
	bool refused;	       /* an attribute was refused in pipe form, for this reason */
	struct error refusal;

	struct tracepoint *tracepoints;
	size_t nr_tracepoints, alloc_tracepoints;
	struct map64 tracepoint_ids; /* id → tracepoints */
	/* the payload of a stream's HEADER_TRACING_DATA, until the walk comes to the record */
	struct owned tracing;
	uint64_t tracing_offset;
	bool tracing_seen; /* the first one of a recording is taken */

	struct perf_features features;
	struct perf_build_id *build_ids;
	size_t nr_build_ids, alloc_build_ids;
	struct perfdata_stats stats;
	size_t last_count; /* row of stats.records that the last record was counted in */
	struct damage damage;
	struct arena strings;

	/* memory of decompressed blocks to be used again: fresh memory costs a fault a page */
	struct owned spares[MAX_SPARES];
	size_t nr_spares;
};

static inline uint16_t load16(const uint8_t *p, bool swap)
{
	uint16_t v;

	memcpy(&v, p, 2);
	return swap ? __builtin_bswap16(v) : v;
}

static inline uint32_t load32(const uint8_t *p, bool swap)
{
	uint32_t v;

	memcpy(&v, p, 4);
	return swap ? __builtin_bswap32(v) : v;
}

/* The bytes of a record after its header. */
static inline struct cursor record_body(const struct perfdata *pd, const struct perfdata_record *r)
{
	return cursor_make(r->data + RECORD_HEADER_SIZE, r->size - RECORD_HEADER_SIZE,
			   r->offset + RECORD_HEADER_SIZE, pd->swap);
}

/* What a record occupies. Returns false when its header lies: `size` is then what it says. */
static inline bool record_size(const struct perfdata *pd, const uint8_t *p, size_t left, size_t *size)
{
	*size = load16(p + 6, pd->swap);
	return *size >= RECORD_HEADER_SIZE && *size <= left;
}

/* attr.c */
/*
 * Takes in a perf_event_attr of `size` bytes and its ids; equal ones known
 * already are not added again. Returns the attr, or NULL with *e when it asks
 * for something this reader does not know.
 */
struct perf_attr *attr_add(struct perfdata *pd, const uint8_t *data, size_t size, uint64_t offset,
			   struct error *e);
void attr_add_id(struct perfdata *pd, size_t index, uint64_t id);
/* After the last change: positions of ids, and a name for every attr that has none. */
void attr_finish(struct perfdata *pd);
struct perf_attr *attr_by_id(struct perfdata *pd, uint64_t id);

/* The name that type and config give: "cycles", or of a tracepoint known by now. */
const char *attr_made_name(struct perfdata *pd, const struct perf_attr *a);

/* tracing.c */
/* Takes in the tracing data; what does not parse is damage, what came before it stays. */
void tracing_read(struct perfdata *pd, const uint8_t *data, size_t size, uint64_t offset);

/* features.c */
/* Reads one feature's bytes; what does not fit is damage, never fatal. */
void feature_read(struct perfdata *pd, unsigned id, const uint8_t *data, size_t size, uint64_t offset);
void build_id_record(struct perfdata *pd, const uint8_t *data, size_t size, uint64_t offset);

/* walk.c */
void record_count(struct perfdata *pd, uint32_t type, uint64_t n);

/* header.c */
int header_read_file(struct perfdata *pd, struct error *e);
/* A stream of which no record was read becomes a mapping of an unnamed temporary file. */
int header_keep_stream(struct perfdata *pd, struct error *e);

#endif
