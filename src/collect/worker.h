/*
 * A worker: samples of a block to counted stacks. Private to collect/.
 */
#ifndef COLLECT_WORKER_H
#define COLLECT_WORKER_H

#include "base/damage.h"
#include "base/hash.h"
#include "collect/collect.h"
#include "collect/evidence.h"
#include "collect/filter.h"
#include "collect/stacks.h"
#include "collect/switches.h"

/* A deferred user call chain found in the walk (CALLCHAIN_DEFERRED). */
struct deferred_chains {
	struct map64 index; /* (tid, cookie) → chains */
	struct perf_callchain_deferred *chains;
	size_t nr, alloc;
};
/* Key of deferred_chains.index. */
uint64_t deferred_key(uint32_t tid, uint64_t cookie);

/* What all workers read while blocks are processed; written only between. */
struct run {
	struct perfdata *perfdata;
	struct session *session;
	const struct collect_options *opts;
	struct filter filter;
	struct evidence *evidence; /* of goroutines; NULL: none is gathered */
	bool load_ahead;    /* symbols are read by whoever sees first that they will be needed */
	bool by_goroutine;  /* where a sample's stack begins, or whether it counts, is known at the end */
	bool *event_chosen; /* per attribute: counts by --event */
	struct switch_event *switch_events; /* per attribute */
	struct wait_event *wait_events;	    /* per attribute; NULL where waits are not asked for */
	size_t nr_events;
	struct deferred_chains deferred;
	const struct perfdata_block *blocks; /* of the current round of work */
};

static inline bool run_waits(const struct run *run, size_t attr)
{
	return run->wait_events && run->wait_events[attr].state;
}

static inline bool run_switches(const struct run *run, size_t attr)
{
	return run->switch_events[attr].goid;
}

struct worker_comm { /* (event, comm) */
	uint64_t samples, period, first, last;
	uint32_t event, comm;
};

struct worker {
	struct run *run;
	int number;
	struct stacks stacks;
	struct unwind_worker *unwind;
	struct map64 comm_index; /* event << 32 | comm → comms */
	size_t looked_at; /* locations whose modules' symbols were thought of */
	bool *symbols_seen; /* per module */
	size_t alloc_symbols_seen;
	struct map64 threads;	    /* process << 32 | thread → 0, where they are to be counted */
	struct worker_comm *comms;
	size_t nr_comms, alloc_comms;
	struct collect_sample *samples; /* keep_samples; node is this worker's */
	size_t nr_samples, alloc_samples;
	struct goroutine_worker *goroutines; /* NULL: nobody asks */
	struct parcel *parcel; /* evidence of the block at hand */
	struct switches switches;
	struct waits waits;
	uint64_t kinds[GOROUTINE_KINDS]; /* samples that are of no goroutine and tell of none */
	uint64_t total, filtered, switched, dropped;
	uint64_t ends[UNWIND_ENDS], user_stacks, rooted;
	uint64_t first, last;
	struct damage damage;
	uint8_t *chain; /* scratch for a call chain joined from two records */
	uint32_t *path; /* a stack's locations */
	size_t alloc_path;
	size_t alloc_chain;
};

void worker_init(struct worker *w, struct run *run, int number);
void worker_release(struct worker *w);
/* Every sample of the block, which is the round's block number `block`. */
void worker_block(struct worker *w, const struct perfdata_block *b, size_t block);

#endif
