/*
 * The labels of goroutines (runtime/pprof.Do) in Go's CPU profile of the same run, by entry function: that is what
 * both the profile and a recording have of a goroutine. Source: Go src/runtime/cpuprof.go (maxCPUProfStack: stacks
 * longer than that have no root, and tell no entry function).
 */
#ifndef CMD_GOLABELS_H
#define CMD_GOLABELS_H

#include <stdio.h>

#include "cmd/json.h"
#include "profile/profile.h"

struct golabel {
	const char *entry; /* the profile's */
	uint32_t set;	   /* of the profile's label_sets; 0: samples without labels */
	int64_t samples;
};

struct golabels {
	const struct profile *profile;
	struct golabel *list; /* by entry, then most samples first; no entry whose samples all have none */
	size_t nr, alloc;
};

/* The profile must outlive it. Its first series counts samples, as Go's profiles have it. */
void golabels_make(struct golabels *l, const struct profile *p);
void golabels_release(struct golabels *l);

/* Those of an entry function; NULL: none. total: all its samples. */
const struct golabel *golabels_of(const struct golabels *l, const char *entry, size_t *nr, int64_t *total);

/* "route=/zip 62 %, route=/json 30 %, none 8 %" for people, with lead before it; nothing where there are none. */
void golabels_text(FILE *f, const char *lead, const struct golabels *l, const char *entry);
/* "labels": [{"labels": [{"key", "value"}], "samples", "share"}]. */
void golabels_json(struct json_object *row, const struct golabels *l, const char *entry);

#endif
