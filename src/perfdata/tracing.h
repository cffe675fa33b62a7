/*
 * Tracepoints: their names and the layout of their payload (PERF_SAMPLE_RAW), as the tracing data of
 * a recording tells.
 *
 * Sources: tools/perf/util/trace-event-info.c (writer) and trace-event-read.c (reader) for the blob;
 * kernel/trace/trace_events.c (f_show) and include/trace/stages/ for the text of a format;
 * tools/lib/traceevent/event-parse.c for __data_loc and __rel_loc.
 */
#ifndef PERFDATA_TRACING_H
#define PERFDATA_TRACING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "perfdata/perfdata.h"

struct tracepoint_field {
	const char *name;
	const char *type;      /* as declared, without name and brackets: "unsigned long" */
	uint32_t offset, size; /* bytes of the payload */
	bool is_signed;
	bool array;    /* declared with brackets: bytes or several values, not one number */
	bool data_loc; /* the field is a u32: where in the payload the value stands, and its length */
	bool relative; /* data_loc that counts from the field's own end (__rel_loc) */
};

struct tracepoint {
	const char *system, *name; /* "sched", "sched_switch"; the event is called "system:name" */
	uint32_t id;		   /* the attribute's config; differs from kernel to kernel */
	const struct tracepoint_field *fields;
	size_t nr_fields;
};

/* The tracepoint of that id, or NULL; valid until perfdata_close(). */
const struct tracepoint *perfdata_tracepoint(const struct perfdata *pd, uint64_t id);

/* NULL if it has no such field. */
const struct tracepoint_field *tracepoint_field(const struct tracepoint *t, const char *name);

/*
 * One number of a sample's payload, sign-extended where the field is signed. False for an array, for
 * a size that is no number's, and where the payload is too short.
 */
bool tracepoint_number(const struct tracepoint_field *f, const struct perf_sample *s, bool swap,
		       uint64_t *value);
/*
 * The bytes of an array or a string, borrowed from the sample, or NULL where they lie outside of the
 * payload. A string's closing NUL and what follows it is not taken off.
 */
const uint8_t *tracepoint_bytes(const struct tracepoint_field *f, const struct perf_sample *s, bool swap,
				size_t *size);

#endif
