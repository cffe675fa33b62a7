/*
 * Samples charged to goroutines by an execution trace of the same run: thread
 * and time fall into exactly one span in which a goroutine had the thread. Of a
 * trace of switches alone a span says who had it last; whether a sample ran for
 * that one, or for the scheduler, or for a thread of C that came in, it says itself.
 * Private to collect/.
 */
#ifndef COLLECT_TRACED_H
#define COLLECT_TRACED_H

#include "collect/charge.h"

/*
 * Of decided evidence: goroutines are those of the trace where it speaks of them,
 * and stay what the samples say where it does not. Needs all sights (keep_all).
 * Nothing changes, and c->trace.unused says why, where recording and trace have
 * no clock, seconds or threads in common.
 */
void traced_apply(struct charge *ch, const struct trace *t);

#endif
