#include "base/pool.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"

struct pool {
	pthread_mutex_t lock;
	pthread_cond_t work, idle;
	pthread_t *threads;
	int jobs, started;
	int busy; /* threads inside the current run */
	unsigned long run;
	bool quit;

	pool_fn *fn;
	void *ctx;
	size_t tasks;
	atomic_size_t next;
};

struct start {
	struct pool *pool;
	int worker;
};

static void work(struct pool *p, int worker)
{
	size_t task;

	while ((task = atomic_fetch_add(&p->next, 1)) < p->tasks)
		p->fn(p->ctx, worker, task);
}

static void *thread_main(void *arg)
{
	struct start s = *(struct start *)arg;
	struct pool *p = s.pool;
	unsigned long seen = 0;

	free(arg);
	pthread_mutex_lock(&p->lock);
	for (;;) {
		while (p->run == seen && !p->quit)
			pthread_cond_wait(&p->work, &p->lock);
		if (p->quit)
			break;
		seen = p->run;
		if (!p->tasks) /* awake too late: the run is over, and the next one may begin at any time */
			continue;
		p->busy++;
		pthread_mutex_unlock(&p->lock);
		work(p, s.worker);
		pthread_mutex_lock(&p->lock);
		if (--p->busy == 0)
			pthread_cond_signal(&p->idle);
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

struct pool *pool_new(int jobs)
{
	struct pool *p = xcalloc(1, sizeof(*p));
	sigset_t all, old;

	if (jobs < 1)
		jobs = (int)sysconf(_SC_NPROCESSORS_ONLN);
	if (jobs < 1)
		jobs = 1;
	p->jobs = jobs;
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->work, NULL);
	pthread_cond_init(&p->idle, NULL);
	p->threads = xcalloc((size_t)jobs, sizeof(*p->threads));
	/* Signals stay with the main thread; SIGBUS is synchronous and must not be blocked. */
	sigfillset(&all);
	sigdelset(&all, SIGBUS);
	sigdelset(&all, SIGSEGV);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	for (int i = 1; i < jobs; i++) {
		struct start *s = xmalloc(sizeof(*s));

		*s = (struct start){p, i};
		if (pthread_create(&p->threads[p->started], NULL, thread_main, s) != 0) {
			free(s);
			break;
		}
		p->started++;
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return p;
}

void pool_free(struct pool *p)
{
	if (!p)
		return;
	pthread_mutex_lock(&p->lock);
	p->quit = true;
	pthread_cond_broadcast(&p->work);
	pthread_mutex_unlock(&p->lock);
	for (int i = 0; i < p->started; i++)
		pthread_join(p->threads[i], NULL);
	pthread_mutex_destroy(&p->lock);
	pthread_cond_destroy(&p->work);
	pthread_cond_destroy(&p->idle);
	free(p->threads);
	free(p);
}

int pool_jobs(const struct pool *p)
{
	return p->jobs;
}

void pool_start(struct pool *p, size_t tasks, pool_fn *fn, void *ctx)
{
	pthread_mutex_lock(&p->lock);
	p->fn = fn;
	p->ctx = ctx;
	p->tasks = tasks;
	atomic_store(&p->next, 0);
	p->run++;
	pthread_cond_broadcast(&p->work);
	pthread_mutex_unlock(&p->lock);
}

void pool_wait(struct pool *p)
{
	work(p, 0);
	pthread_mutex_lock(&p->lock);
	while (p->busy)
		pthread_cond_wait(&p->idle, &p->lock);
	/* A thread that wakes late must find nothing to do: see thread_main. */
	p->tasks = 0;
	pthread_mutex_unlock(&p->lock);
}

void pool_run(struct pool *p, size_t tasks, pool_fn *fn, void *ctx)
{
	pool_start(p, tasks, fn, ctx);
	pool_wait(p);
}

void pool_mark_reach(struct pool_mark *m, size_t at)
{
	pthread_mutex_lock(&m->lock);
	m->at = at;
	pthread_cond_broadcast(&m->moved);
	pthread_mutex_unlock(&m->lock);
}

void pool_mark_wait(struct pool_mark *m, size_t at)
{
	pthread_mutex_lock(&m->lock);
	while (m->at < at)
		pthread_cond_wait(&m->moved, &m->lock);
	pthread_mutex_unlock(&m->lock);
}
