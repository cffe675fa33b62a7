/*
 * Stacks made comparable: the same frames on both sides, whatever made them.
 */
#ifndef COMPARE_NORMALISE_H
#define COMPARE_NORMALISE_H

#include "profile/profile.h"

/* The leaf-most frames that pprof's CPU profiles keep (maxCPUProfStack). */
#define NORMALISE_DEPTH 64

enum normalise_rules {
	NORMALISE_NAMES, /* plain profiles: labels off, names in one form */
	NORMALISE_GO,	 /* perf against pprof: kernel, vdso, cgo, wrappers, system stack, depth */
};

/* A side: its series, and where they go in the joint profile. */
struct normalise_side {
	const struct profile *in;
	size_t in_count, in_weight; /* in_count SIZE_MAX: no series of counts */
	size_t count, weight;	    /* series of the joint profile */
	bool capped;		    /* no stack has more than NORMALISE_DEPTH frames: those were cut */
};

/*
 * Adds every row of both sides to `out` as a normalised stack whose frames are
 * names alone.
 *
 * With NORMALISE_GO a stack that one side has not seen to its root (perf's dump
 * was too small, pprof keeps 64 frames, or a signal came while the stack was
 * switched) is compared as far as it goes: where a tenth or more of the stacks
 * with these leaf-most frames end there, all of them on both sides do.
 */
void normalise_pair(struct profile *out, const struct normalise_side sides[2], enum normalise_rules rules);

/* Every row's own stack, cut in depth alone: nodes[row] in `out`. */
void normalise_each(struct profile *out, const struct profile *in, uint32_t *nodes);

/* pprof's form of a function's name: no .abi0, generics as [...], type:.eq. … malloc'ed. */
char *normalise_name(const char *name);

/* The root of a stack whose goroutine is not known: work on the system stack. */
#define NORMALISE_SYSTEM_STACK "(system stack)"

/* The root of a stack whose callers one side does not have. */
#define NORMALISE_TRUNCATED "(truncated)"

/* One leaf for all ways of reading the clock, which the two sides name differently. */
#define NORMALISE_CLOCK "(clock)"

#endif
