/*
 * Where things stand in what perf_good.c made.
 */
#ifndef TESTS_HOSTILE_PERF_SHAPE_H
#define TESTS_HOSTILE_PERF_SHAPE_H

#include "hostile.h"
#include "perfdata/perfdata.h"

#define PLAIN_TYPE                                                             \
	(PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_ID | PERF_SAMPLE_PERIOD)
#define CALLCHAIN_TYPE (PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_PERIOD | PERF_SAMPLE_CALLCHAIN)
#define DUMPS_TYPE                                                             \
	(PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_CALLCHAIN | PERF_SAMPLE_REGS_USER | PERF_SAMPLE_STACK_USER)

enum { SHAPE_MAX = 128 };

struct shape {
	bool pipe;
	enum recording what;
	size_t attrs, attr_size, nr_attrs; /* file form: entries with their ids' section behind */
	size_t data, end;		   /* of the records */
	struct {
		size_t at, size;
		uint32_t type;
	} records[SHAPE_MAX];
	size_t nr;
	size_t features, nr_features; /* file form: the table */
};

/* Of a good recording. */
struct shape shape_of(const struct build *b, enum recording what);
/* Fields of a sample: the count of its call chain (0: none), of its dump, and what is valid of it. */
size_t shape_chain(enum recording what);
size_t shape_dump(enum recording what);

/* Lies about a recording in file or pipe form. */
enum expect perf_mutate(struct build *b, enum recording what, struct rng *r, struct note *n);

#endif
