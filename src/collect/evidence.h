/*
 * What samples tell of goroutines, on its way from the workers to the resolver: workers are done
 * with blocks in any order, the resolver wants them in the recording's. Private to collect/.
 */
#ifndef COLLECT_EVIDENCE_H
#define COLLECT_EVIDENCE_H

#include <pthread.h>

#include "base/hash.h"
#include "goroutine/goroutine.h"

/* What counting a sample needs once its goroutine is known. */
struct evidence_note {
	uint64_t weight, period;
	uint32_t node, event, comm; /* the node is the worker's */
	uint32_t sample;	    /* the worker's number of it, with keep_samples */
	uint32_t wait;		    /* the worker's number of the wait whose length is its weight, or UINT32_MAX */
	uint16_t worker;
	uint8_t end;
	bool user;     /* has user frames */
	bool deferred; /* not yet in the worker's values */
};

/* Of one block. Filled by a worker with evidence_add(). */
struct parcel {
	struct goroutine_sight *sights; /* tag: index of its note, or UINT32_MAX */
	struct evidence_note *notes;
	size_t nr_sights, alloc_sights, nr_notes, alloc_notes;
	struct parcel *next; /* of those that are free */
};

/* Samples that were deferred, counted once their goroutine was known: one row for all that are alike. */
struct evidence_row {
	uint64_t samples, weight;
	uint32_t node, event; /* the node is the worker's */
	uint32_t entry;	      /* of the goroutine that the system stack works for, or GOROUTINE_NO_ENTRY */
	uint16_t worker;
};

struct evidence {
	bool keep_all; /* every sample's is kept, with its goroutine */
	struct goroutine_resolver *resolver;

	pthread_mutex_t lock;
	pthread_cond_t moved;
	struct parcel **blocks; /* of the round: those that wait for one before them */
	size_t nr_blocks, next, waiting; /* sights that wait */
	bool taking;		/* a worker hands parcels to the resolver */
	struct parcel *spare;
	struct goroutine_entry *entries; /* of all workers */
	size_t nr_entries, alloc_entries;
	struct map64 entry_index;
	struct evidence_worker {
		uint32_t *entries; /* the worker's entry → the run's */
		size_t nr, alloc;
	} *workers;
	int nr_workers;

	struct evidence_note *notes; /* of sights that the resolver has, or of all */
	size_t nr_notes, alloc_notes;
	uint32_t *free_notes;
	size_t nr_free, alloc_free;

	/* results; entries are the run's */
	struct goroutine_sight *sights; /* keep_all: in order of time, tag: its note */
	size_t nr_sights, alloc_sights;
	struct evidence_row *rows; /* else */
	size_t nr_rows, alloc_rows;
	struct map64 row_index, variants;
	uint64_t kinds[GOROUTINE_KINDS]; /* of samples without an entry or a kind that it decides */
	uint64_t *by_entry;		 /* of the others */
	size_t alloc_by_entry;
	uint64_t sources[GOROUTINE_SOURCES];
	struct goroutines found; /* a list with keep_all only */
};

void evidence_init(struct evidence *ev, bool keep_all, int nr_workers);
void evidence_release(struct evidence *ev);
/* So many blocks will come; those of the round before have. */
void evidence_expect(struct evidence *ev, size_t nr_blocks);
/* An empty parcel. */
struct parcel *evidence_parcel(struct evidence *ev);
/* Adds a sight, with a note where its sample is counted later. */
void evidence_add(struct parcel *p, const struct goroutine_sight *s, const struct evidence_note *note);
/*
 * Block number `block` of the round, whose entries are `w`'s; the parcel is no longer the caller's. Waits where
 * too much waits for blocks before it.
 */
void evidence_give(struct evidence *ev, size_t block, int worker, const struct goroutine_worker *w,
		   struct parcel *p);
/* After the last block: fills the results. */
void evidence_finish(struct evidence *ev);

#endif
