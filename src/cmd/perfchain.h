/*
 * User call chains beside stack dumps, in the same samples. perf asks the kernel for one or the other: with
 * --call-graph=dwarf it sets exclude_callchain_user, and has no option against it (tools/perf/util/evsel.c,
 * __evsel__config_callchain), though perf_event_open(2) gives both. The bit is cleared in perf's own attribute while
 * perf opens its events, as a debugger would (ptrace), so that what perf writes of its attributes is true. Once perf
 * waits for samples it is let go.
 */
#ifndef CMD_PERFCHAIN_H
#define CMD_PERFCHAIN_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * Whether this perf may be followed: not one that would lose its rights by it (set-user-id, file capabilities).
 * What is not known is tried: perfchain_follow says what came of it.
 */
bool perfchain_allowed(void);

/*
 * In the child, before exec: lets the parent follow it, and tells so by a byte into fd, which is closed on exec.
 * Async-signal-safe.
 */
void perfchain_offer(int fd);

/*
 * Follows perf, whose offer comes by fd, until its events are open or it ends. *status is that of waitpid when it
 * has ended (then true). *changed: how many events (of each thread and CPU) got call chains; 0 where following is not
 * allowed (seccomp).
 */
bool perfchain_follow(pid_t perf, int fd, int *status, unsigned *changed);

#endif
