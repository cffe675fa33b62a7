/*
 * Off-CPU time of an execution trace: what goroutines waited for, where and how long.
 */
#ifndef CMD_TRACEWAITS_H
#define CMD_TRACEWAITS_H

#include "collect/collect.h"
#include "profile/profile.h"
#include "trace/trace.h"

/*
 * Fills an empty profile: a row per stack that goroutines stopped with and what for ("[chan receive]",
 * "[system call]", "[runnable]"), in series "waits" (count) and "off-cpu" (nanoseconds). `by`: goroutines as the
 * first frame, or not.
 */
void tracewaits_profile(struct profile *p, const struct trace *t, enum collect_by by);

#endif
