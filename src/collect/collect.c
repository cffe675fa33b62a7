#include "collect/collect.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/pool.h"
#include "collect/finish.h"
#include "collect/worker.h"

/*
 * Owned blocks (decompressed or read from a pipe) are read ahead so far while
 * the workers are busy, and held back so far while their round is unfinished.
 */
#define READ_AHEAD_BYTES ((size_t)4 << 20)
#define HOLD_BYTES ((size_t)16 << 20)
/* Small ones come from pipes. */
#define READ_AHEAD_BLOCKS 64

struct held_block {
	struct perfdata_block block;
	uint64_t last; /* latest sample time in it */
};

struct driver {
	struct run run;
	struct pool *pool;
	struct worker *workers;
	/* blocks: [0, ready) are with the workers, [ready, walked) held, [walked, nr) only read */
	struct held_block *blocks;
	struct perfdata_block *ready_blocks;
	size_t nr, alloc, walked, ready, alloc_ready;
	size_t held_bytes; /* owned bytes of [ready, nr) */
	uint64_t last, round_last; /* latest time seen; the same at the last FINISHED_ROUND */
	uint64_t complete;	   /* every record up to this time has been seen */
	uint64_t first, late;
	bool finished;
	bool switches; /* an event of them is among the attributes */
	double walk_time; /* seconds of wall time, while nothing else was done */
	bool has_window; /* opts->window was asked */
	int64_t wall_from, wall_to;
	bool owned; /* blocks are memory: decompressed, or from a pipe */
};

static void work_block(void *ctx, int worker, size_t task)
{
	struct driver *d = ctx;

	worker_block(&d->workers[worker], &d->run.blocks[task], task);
}

/* Reads on until enough is there; d->finished at the end of the input. */
static int read_ahead(struct driver *d, struct error *e)
{
	size_t bytes = 0;

	for (int n = 0; n < READ_AHEAD_BLOCKS && bytes < READ_AHEAD_BYTES && (d->owned || !n); n++) {
		struct held_block h = {0};
		int r = perfdata_next_block(d->run.perfdata, &h.block, e);

		if (r < 0)
			return -1;
		if (!r) {
			d->finished = true;
			return 0;
		}
		if (h.block.owned) {
			bytes += h.block.size;
			d->owned = true;
		}
		ALLOC_GROW(d->blocks, d->nr + 1, d->alloc);
		d->blocks[d->nr++] = h;
	}
	d->held_bytes += bytes;
	return 0;
}

static void walk_sample(struct driver *d, struct held_block *h, const struct perfdata_record *rec)
{
	struct perf_sample_id id;

	if (perfdata_sample_ids(d->run.perfdata, rec, &id) || !id.time)
		return;
	if (id.time > h->last)
		h->last = id.time;
	if (id.time > d->last)
		d->last = id.time;
	if (id.time < d->first)
		d->first = id.time;
	if (id.time < d->complete)
		d->late++;
}

static void keep_deferred(struct driver *d, const struct perfdata_record *rec)
{
	struct deferred_chains *dc = &d->run.deferred;
	struct perf_callchain_deferred c;
	struct perf_sample_id id;

	if (perfdata_callchain_deferred(d->run.perfdata, rec, &c, &id))
		return;
	ALLOC_GROW(dc->chains, dc->nr + 1, dc->alloc);
	map64_put(&dc->index, deferred_key(id.tid, c.cookie), (uint32_t)dc->nr);
	dc->chains[dc->nr++] = c;
}

/* Any record but a sample; stable: its bytes stay. */
static void walk_record(struct driver *d, const struct perfdata_record *rec, bool stable)
{
	switch (rec->type) {
	case PERF_RECORD_FINISHED_ROUND:
		/* tools/perf/util/ordered-events.c: up to what the round before had reached */
		d->complete = d->round_last;
		d->round_last = d->last;
		break;
	case PERF_RECORD_CALLCHAIN_DEFERRED:
		keep_deferred(d, rec);
		break;
	default:
		session_apply(d->run.session, d->run.perfdata, rec, stable);
	}
}

static void walk_block(struct driver *d, struct held_block *h)
{
	struct perfdata_walk w = perfdata_walk_start(d->run.perfdata, &h->block);
	struct perfdata_record rec;

	while (perfdata_walk_next(&w, &rec)) {
		if (rec.type == PERF_RECORD_SAMPLE)
			walk_sample(d, h, &rec);
		else
			walk_record(d, &rec, !h->block.owned);
	}
}

/* Samples between two FINISHED_ROUND; one by one where some of them come too late. */
static void take_round(struct driver *d, const struct perfdata_skim *k, const struct perfdata_round *r)
{
	struct held_block h = {.block = {.data = k->source + r->from, .size = r->to - r->from,
					 .offset = k->offset + r->from}};
	struct perfdata_record rec;
	size_t at = 0;

	if (r->first < d->complete) {
		while (perfdata_block_next(d->run.perfdata, &h.block, &at, &rec))
			if (rec.type == PERF_RECORD_SAMPLE)
				walk_sample(d, &h, &rec);
		return;
	}
	if (r->first < d->first)
		d->first = r->first;
	if (r->last > d->last)
		d->last = r->last;
}

/* Walks mapped records with all workers; false when there are none at hand. */
static bool skim(struct driver *d)
{
	struct perfdata *pd = d->run.perfdata;
	struct perfdata_skim k;
	double start = clock_seconds();
	size_t round = 0;

	if (!perfdata_skim(pd, d->pool, &k))
		return false;
	take_round(d, &k, &k.rounds[round]);
	for (size_t i = 0; i < k.nr_records; i++) {
		struct perfdata_record rec;

		perfdata_skim_record(pd, &k, i, &rec);
		perfdata_take(pd, &rec);
		walk_record(d, &rec, true);
		if (rec.type == PERF_RECORD_FINISHED_ROUND)
			take_round(d, &k, &k.rounds[++round]);
	}
	for (size_t i = 0; i < k.nr_blocks; i++) {
		ALLOC_GROW(d->blocks, d->nr + 1, d->alloc);
		d->blocks[d->nr++] = (struct held_block){k.blocks[i], k.blocks[i].last};
	}
	d->walked = d->nr;
	perfdata_skim_release(&k);
	d->walk_time += clock_seconds() - start;
	return true;
}

/* Which attributes --event chooses, as far as they are known by now. */
static void choose_events(struct driver *d)
{
	struct run *run = &d->run;
	size_t nr = perfdata_nr_attrs(run->perfdata);

	run->event_chosen = xreallocarray(run->event_chosen, nr, sizeof(*run->event_chosen));
	if (run->opts->time_of != COLLECT_ON_CPU)
		run->wait_events = xreallocarray(run->wait_events, nr, sizeof(*run->wait_events));
	run->switch_events = xreallocarray(run->switch_events, nr, sizeof(*run->switch_events));
	for (size_t i = 0; i < nr; i++) {
		const struct perf_attr *a = perfdata_attr(run->perfdata, i);

		run->event_chosen[i] = filter_event(&run->filter, a->name);
		run->switch_events[i] = switches_event(run->perfdata, a);
		d->switches = d->switches || run_switches(run, i);
		if (run->wait_events)
			run->wait_events[i] = waits_event(run->perfdata, a);
	}
	run->nr_events = nr;
}

/* Held blocks go to the workers once every record up to their time was seen, or all when room is short. */
static void freeze(struct driver *d, size_t ready)
{
	uint64_t upto = d->finished ? UINT64_MAX : d->complete;
	choose_events(d);
	for (size_t i = 0; i < ready; i++)
		upto = d->blocks[i].last > upto ? d->blocks[i].last : upto;
	session_freeze(d->run.session, d->run.perfdata, upto);
	/* after the mappings that name the binaries */
	session_build_ids(d->run.session, d->run.perfdata);
}

/* How many held blocks may go to the workers now. */
static size_t count_ready(struct driver *d)
{
	size_t n = 0, bytes = d->held_bytes;

	if (d->finished)
		return d->walked;
	/* a file that is only mapped costs nothing to hold: its samples wait for the whole history */
	while (d->owned && n < d->walked && (d->blocks[n].last <= d->complete || bytes > HOLD_BYTES)) {
		bytes -= d->blocks[n].block.owned ? d->blocks[n].block.size : 0;
		n++;
	}
	d->held_bytes = bytes;
	return n;
}

/* Narrows the window of time to a span of the wall clock, once it is known how the two clocks are joined. */
static int set_wall_window(struct driver *d, struct error *e)
{
	const struct collect_options *o = d->run.opts;
	struct filter *f = &d->run.filter;
	int64_t offset;

	if (o->window && !d->has_window && o->window(o->window_ctx, &d->wall_from, &d->wall_to, e) < 0)
		return -1;
	d->has_window = true;
	if (d->wall_to <= d->wall_from || !perfdata_wall_offset(d->run.perfdata, &offset))
		return 0;
	if (!f->has_time) {
		f->has_time = true;
		f->time_from = 0;
		f->time_to = UINT64_MAX;
	}
	if (d->wall_from - offset > 0 && (uint64_t)(d->wall_from - offset) > f->time_from)
		f->time_from = (uint64_t)(d->wall_from - offset);
	if (d->wall_to - offset > 0 && (uint64_t)(d->wall_to - offset) < f->time_to)
		f->time_to = (uint64_t)(d->wall_to - offset);
	return 0;
}

static int start_ready(struct driver *d, struct error *e)
{
	size_t n = count_ready(d);

	if (!n)
		return 0;
	/* in pipe form the records have told the clocks' offset by now */
	if (set_wall_window(d, e) < 0)
		return -1;
	freeze(d, n);
	ALLOC_GROW(d->ready_blocks, n, d->alloc_ready);
	for (size_t i = 0; i < n; i++)
		d->ready_blocks[i] = d->blocks[i].block;
	d->run.blocks = d->ready_blocks;
	/*
	 * Of a stream the build-ids, which tell whether a file is the right one, come at the end. Where
	 * little is left to unwind, the end loads all at once.
	 */
	d->run.load_ahead = !d->run.opts->stacks_only && pool_jobs(d->pool) > 1 &&
			    (d->finished ? n > 4 * (size_t)pool_jobs(d->pool)
					 : perfdata_form(d->run.perfdata) != PERFDATA_PIPE);
	d->ready = n;
	if (d->run.evidence)
		evidence_expect(d->run.evidence, n);
	pool_start(d->pool, n, work_block, d);
	return 0;
}

static void finish_ready(struct driver *d)
{
	if (!d->ready)
		return;
	pool_wait(d->pool);
	for (size_t i = 0; i < d->ready; i++)
		perfdata_block_recycle(d->run.perfdata, &d->blocks[i].block);
	memmove(d->blocks, d->blocks + d->ready, (d->nr - d->ready) * sizeof(*d->blocks));
	d->nr -= d->ready;
	d->walked -= d->ready;
	d->ready = 0;
}

static void report_progress(struct driver *d)
{
	const struct collect_options *o = d->run.opts;

	if (o->progress)
		o->progress(o->progress_ctx, perfdata_stats(d->run.perfdata)->bytes,
			    perfdata_size(d->run.perfdata));
}

static int drive(struct driver *d, struct error *e)
{
	struct perfdata_block end;

	while (!d->finished) {
		int r;

		/* nothing is under way then: see count_ready */
		if (!d->owned && skim(d)) {
			report_progress(d);
			continue;
		}
		r = read_ahead(d, e);

		finish_ready(d);
		if (r < 0)
			return -1;
		for (; d->walked < d->nr; d->walked++)
			walk_block(d, &d->blocks[d->walked]);
		report_progress(d);
		if (start_ready(d, e) < 0)
			return -1;
	}
	finish_ready(d);
	/* the end once more: an event refused in the last walk is said now */
	return perfdata_next_block(d->run.perfdata, &end, e);
}

/* A percentage needs the range before the first sample is counted. */
static int set_percent_range(struct driver *d, struct error *e)
{
	const struct perf_features *f = perfdata_features(d->run.perfdata);
	uint64_t first = f->sample_time_first, last = f->sample_time_last;

	if (!d->run.filter.time_percent)
		return 0;
	if (!last && perfdata_time_range(d->run.perfdata, &first, &last, e) < 0)
		return -1;
	filter_set_range(&d->run.filter, first, last);
	return 0;
}

int collect_run(struct collect *c, const char *path, int fd, const void *prefix, size_t prefix_size,
		const struct collect_options *opts, struct error *e)
{
	struct driver d = {.run.opts = opts, .first = UINT64_MAX};
	struct run *run = &d.run;
	struct evidence evidence;
	double start = clock_seconds();
	int jobs, r = -1;

	*c = (struct collect){0};
	profile_init(&c->profile);
	if (filter_init(&run->filter, opts, e) < 0)
		return -1;
	c->perfdata = run->perfdata = perfdata_open(path, fd, prefix, prefix_size, e);
	if (!c->perfdata)
		goto out;
	c->session = run->session = session_new(&opts->session);
	if (set_percent_range(&d, e) < 0)
		goto out;
	run->by_goroutine = opts->goroutine || opts->by == COLLECT_BY_GOROUTINE || opts->by == COLLECT_BY_GOROUTINE_ID;
	choose_events(&d);
	c->pool = d.pool = pool_new(opts->jobs);
	jobs = pool_jobs(d.pool);
	if (run->by_goroutine || opts->goroutines || opts->trace || !opts->no_splice) {
		evidence_init(&evidence, run->by_goroutine || opts->keep_samples || opts->trace || d.switches, jobs);
		run->evidence = &evidence;
	}
	d.workers = xcalloc((size_t)jobs, sizeof(*d.workers));
	for (int i = 0; i < jobs; i++)
		worker_init(&d.workers[i], run, i);
	r = drive(&d, e);
	if (!r) {
		c->cost.walk = d.walk_time;
		c->cost.unwind = clock_seconds() - start - d.walk_time;
		if (opts->measure)
			cost_memory(c);
		c->late = d.late;
		session_build_ids(run->session, run->perfdata);
		r = finish(c, run, d.pool, d.workers, jobs, e);
	}
	if (opts->measure)
		cost_memory(c);
	for (int i = 0; i < jobs; i++)
		worker_release(&d.workers[i]);
	free(d.workers);
	if (run->evidence)
		evidence_release(run->evidence);
out:
	for (size_t i = 0; i < d.nr; i++)
		perfdata_block_release(&d.blocks[i].block);
	free(d.blocks);
	free(d.ready_blocks);
	free(run->event_chosen);
	free(run->switch_events);
	free(run->wait_events);
	map64_release(&run->deferred.index);
	free(run->deferred.chains);
	filter_release(&run->filter);
	return r;
}

void collect_release(struct collect *c)
{
	if (c->pool)
		pool_wait(c->pool);
	pool_free(c->pool);
	profile_release(&c->profile);
	session_free(c->session);
	if (c->perfdata)
		perfdata_close(c->perfdata);
	free(c->events);
	free(c->comms);
	free(c->samples);
	map64_release(&c->threads);
	for (size_t i = 0; i < c->nr_sample_goroutines; i++)
		free(c->sample_goroutines[i]);
	free(c->sample_goroutines);
	free(c->goroutines);
	*c = (struct collect){0};
}
