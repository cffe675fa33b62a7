/*
 * What was wrong with an input and could be survived. Every kind is one row:
 * the enum, the text on stderr and the JSON's "what" come from it. Any damage
 * makes the exit code 4. What is merely counted (lost events, unknown record
 * types) is not damage and is counted elsewhere.
 */
#ifndef BASE_DAMAGE_H
#define BASE_DAMAGE_H

#include <stdint.h>

#define FOREACH_DAMAGE(X)                                                      \
	X(DAMAGE_RECORDER_KILLED, "recorder was killed: data size 0 in the header") \
	X(DAMAGE_FILE_CUT, "file is cut short")                                \
	X(DAMAGE_FILE_SHRANK, "file shrank while it was read")                 \
	X(DAMAGE_RECORD_SIZE, "record of impossible size")                     \
	X(DAMAGE_RECORD_CUT, "record cut short")                               \
	X(DAMAGE_RECORD_FIELD, "record with a field that does not fit")        \
	X(DAMAGE_FORK_CHAIN, "chain of forks too long to be followed")        \
	X(DAMAGE_SAMPLE_CUT, "sample cut short")                               \
	X(DAMAGE_SAMPLE_COUNT, "sample with a count past its end")             \
	X(DAMAGE_SAMPLE_ID, "sample of an unknown event id")                   \
	X(DAMAGE_STRING_END, "string without an end")                          \
	X(DAMAGE_FEATURE, "header feature out of bounds")                      \
	X(DAMAGE_TRACING, "tracing data that does not parse")                  \
	X(DAMAGE_ATTR, "event attribute out of bounds")                        \
	X(DAMAGE_COMPRESSED, "compressed data that does not decompress")       \
	X(DAMAGE_PROFILE_INDEX, "profile index out of range")                  \
	X(DAMAGE_PROFILE_FIELD, "profile field that does not fit")             \
	X(DAMAGE_FOLDED_LINE, "folded line without a count")                   \
	X(DAMAGE_TRACE_BATCH, "trace batch that does not parse")               \
	X(DAMAGE_TRACE_CUT, "trace is cut short")                              \
	X(DAMAGE_TRACE_ORDER, "trace events that fit no order")                \
	X(DAMAGE_BINARY, "binary that does not parse")                         \
	X(DAMAGE_BATCH_FILE, "file of a batch that is unusable")

enum damage_kind {
#define X(id, text) id,
	FOREACH_DAMAGE(X)
#undef X
	DAMAGE_KINDS
};

struct damage {
	struct {
		uint64_t count;
		uint64_t offset; /* in the file, of the first one */
	} kind[DAMAGE_KINDS];
};

void damage_add(struct damage *d, enum damage_kind kind, uint64_t offset);
void damage_merge(struct damage *into, const struct damage *from);
uint64_t damage_total(const struct damage *d);
const char *damage_text(enum damage_kind kind);

#endif
