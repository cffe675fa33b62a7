/*
 * Reading what build.h built, for tests: each includes what it needs.
 */
#ifndef TESTS_UNIT_READING_H
#define TESTS_UNIT_READING_H

#include "build.h"
#include "perfdata/perfdata.h"

#define BASIC (PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_TIME)

/* One software event with BASIC samples and sample_id_all. */
extern const struct build_attr basic;

/* Opens the bytes, or says why not. */
struct perfdata *open_built(struct build *b);

struct seen {
	size_t records, samples, damaged;
	struct perf_sample last; /* borrowed */
};
/* Walks everything and parses every sample. */
struct seen read_all(struct perfdata *pd);

/* A sample of `basic`. */
void basic_sample(struct build *b, uint64_t ip, uint32_t tid, uint64_t time);

#endif
