/*
 * A fixed set of worker threads that run numbered tasks.
 */
#ifndef BASE_POOL_H
#define BASE_POOL_H

#include <stddef.h>

struct pool;

/* worker: 0 … jobs-1, names the thread's private state; task: 0 … tasks-1. */
typedef void pool_fn(void *ctx, int worker, size_t task);

/* jobs 0 means one per online CPU. jobs - 1 threads are started; the caller is worker 0. */
struct pool *pool_new(int jobs);
void pool_free(struct pool *p);
int pool_jobs(const struct pool *p);

/* Runs fn for every task, the caller helping; returns when all are done. */
void pool_run(struct pool *p, size_t tasks, pool_fn *fn, void *ctx);

/*
 * The same in two steps: start lets the threads begin while the caller goes on
 * with its own work (with jobs 1 nothing happens yet); wait joins in and
 * returns when all tasks are done. One run at a time.
 */
void pool_start(struct pool *p, size_t tasks, pool_fn *fn, void *ctx);
void pool_wait(struct pool *p);

#endif
