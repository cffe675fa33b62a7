/*
 * Running `perf record`: what this machine allows, the right options, start
 * and stop.
 */
#ifndef CMD_PERFRUN_H
#define CMD_PERFRUN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"

struct perf_plan {
	const char *output;  /* the perf.data to write */
	const char *event;   /* as perf names it; NULL: cycles, or cpu-clock where there are none */
	size_t frequency;    /* samples a second and CPU */
	size_t stack_size;   /* bytes of stack in each sample, a multiple of 8 below 64 KiB */
	pid_t pid;	     /* a running process, or 0 and… */
	char **command;	     /* …a command with its arguments, NULL-terminated */
	bool chain;	     /* a second event whose call chains follow frame pointers */
	bool quiet;	     /* perf without messages, errors included */
	bool user_chain;     /* user call chains in the samples that have stack dumps, see perfchain.h */
	const char *probe;   /* another event, by its name: see goprobe.h; NULL: none */
	bool off_cpu;	     /* sched:sched_switch with its stacks: what waits, and where */

	/* filled by perf_plan_check() */
	const char *chosen;
	bool user_only;	     /* no rights on kernel code */
	bool zstd, buildid_mmap, control;
	bool big_ring;
};

/*
 * The caller ignores SIGPIPE and may block signals: perf gets neither.
 *
 * Finds out what the machine and its perf can do and may do for this plan.
 * *e names what is missing and how to get it: the package of perf, the sysctl,
 * the capability. note_fn hears of every fallback. Returns 0 or -1.
 */
int perf_plan_check(struct perf_plan *p, void (*note_fn)(void *ctx, const char *text), void *ctx,
		    struct error *e);

struct perf_run {
	pid_t pid;    /* of perf; 0 when it has ended */
	int status;   /* of waitpid */
	int ctl, ack; /* perf's --control, or -1 */
	bool chains;  /* user_chain was done */
	bool quiet;
};

/* Starts perf. With --control and a pid it returns once perf is recording. */
int perf_run_start(struct perf_run *r, const struct perf_plan *p, struct error *e);
/* Whether it has ended; never blocks. */
bool perf_run_ended(struct perf_run *r);
/* Asks it to stop recording and write the file; the caller waits. */
void perf_run_stop(const struct perf_run *r);
void perf_run_wait(struct perf_run *r);
void perf_run_release(struct perf_run *r);

/* The command line of the plan, for people. Caller frees. */
char *perf_plan_text(const struct perf_plan *p);

#endif
