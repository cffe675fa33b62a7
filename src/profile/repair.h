/*
 * A CPU profile with what is known to be wrong in it put right.
 */
#ifndef PROFILE_REPAIR_H
#define PROFILE_REPAIR_H

#include "profile/profile.h"

struct repair_report {
	size_t series;	/* of which the numbers are: the default one */
	int64_t total;	/* all of it */
	int64_t moved;	/* from runtime.asyncPreempt to the function it interrupted */
	size_t dropped; /* frames of wrappers, of the vdso and of goroutine ends that were left out */
	size_t renamed; /* functions whose names were put in pprof's form */
};

/*
 * Fills `out` (initialised by profile_init) from `in`, whose names and frames are
 * changed on the way: leaves in the scheduler's preemption path are taken off, so that their
 * time is the interrupted function's (the profiling signal and the preemption
 * signal arrive together: runtime/signal_unix.go, doSigPreempt, rewrites the pc
 * before sigprof runs); the clock's inside and compiler-made wrappers are left out
 * and names written as pprof writes them. A comment in `out` says so; totals are
 * as they were.
 */
void profile_repair(struct profile *out, struct profile *in, struct repair_report *report);

#endif
