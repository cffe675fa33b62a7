/*
 * A fixed set of worker threads that run numbered tasks.
 */
#ifndef BASE_POOL_H
#define BASE_POOL_H

#include <pthread.h>
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

/*
 * How far something has come, for tasks that need it so far. Who brings it on must be at work already: tasks begin in
 * their order, so an earlier task or the caller of pool_start may be it.
 */
struct pool_mark {
	pthread_mutex_t lock;
	pthread_cond_t moved;
	size_t at;
};
#define POOL_MARK_INIT {.lock = PTHREAD_MUTEX_INITIALIZER, .moved = PTHREAD_COND_INITIALIZER}

void pool_mark_reach(struct pool_mark *m, size_t at);
void pool_mark_wait(struct pool_mark *m, size_t at);

#endif
