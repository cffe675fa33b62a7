#include "compare/resample.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "base/pool.h"
#include "compare/stats.h"

/* Groups whose expected counts differ by less than this are drawn with their mean. */
#define CLASS_WIDTH 0.01
/* Expected counts above this are drawn without a table: its size goes with the root. */
#define TABLE_MEAN 4096
/* So many replicates are one task of a worker. */
#define BATCH 10

struct resample_sums resample_sums(const struct resample_groups *g, const struct resample_sides *s)
{
	/* a/A and b/B in units of 1/(A B): products of two positive int64, and their sums stay below A B */
	__int128 both = 0, sum_a = 0, sum_b = 0;

	for (size_t i = 0; i < g->nr; i++) {
		__int128 x = (__int128)g->a[i] * s->b_weight, y = (__int128)g->b[i] * s->a_weight;

		both += x < y ? x : y;
		sum_a += g->a[i];
		sum_b += g->b[i];
	}
	return (struct resample_sums){
		(double)sum_a / (double)s->a_weight,
		(double)sum_b / (double)s->b_weight,
		(double)both / ((double)s->a_weight * (double)s->b_weight),
	};
}

/* --- tables of distributions ----------------------------------------------------------------- */

/*
 * A distribution over first, first + 1, ... as nr equal parts, each of which is
 * shared by two values (Walker 1977, built as by Vose 1991): drawn without a
 * branch that could be guessed wrong. Probabilities are exact to nr 2^-32.
 */
struct table {
	size_t at;
	uint32_t nr, first; /* nr 0: no table */
};

struct part {
	uint32_t keep;	/* of 2^32 the part's own value has so much */
	uint32_t other; /* who has the rest */
};

struct tables {
	struct part *parts;
	size_t nr, alloc;
	struct table *poisson;
	size_t nr_poisson, alloc_poisson;
	struct map64 index; /* of poisson, by mean and least */
};

/*
 * p(k + 1) / p(k) of the binomial of n and odds q / (1 - q); n infinite: of
 * Poisson, whose mean stands in for the odds.
 */
static double ratio(double n, double odds, double k)
{
	return isinf(n) ? odds / (k + 1) : (n - k) / (k + 1) * odds;
}

/* p[0 … nr - 1], whose sum is nr, into parts. `work` has room for nr. */
static void share_out(struct part *parts, double *p, uint32_t *work, uint32_t nr)
{
	uint32_t small = 0, large = 0; /* work: small ones from the front, large ones from the back */

	for (uint32_t k = 0; k < nr; k++)
		if (p[k] < 1)
			work[small++] = k;
		else
			work[nr - ++large] = k;
	while (small && large) {
		uint32_t s = work[--small], l = work[nr - large];

		parts[s] = (struct part){(uint32_t)(p[s] * 0x1p32), l};
		p[l] -= 1 - p[s];
		if (p[l] < 1) {
			large--;
			work[small++] = l;
		}
	}
	/* full parts, and those that rounding has left */
	for (; large; large--)
		parts[work[nr - large]] = (struct part){UINT32_MAX, work[nr - large]};
	for (; small; small--)
		parts[work[small - 1]] = (struct part){UINT32_MAX, work[small - 1]};
}

/* least: the distribution given that it is at least so much (0 or 1). */
static struct table make_table(struct tables *t, double n, double odds, uint32_t least)
{
	const double negligible = 1e-14;
	double mode = floor(isinf(n) ? odds : (n + 1) * odds / (1 + odds)), low, high, p, sum = 1;
	struct table made = {.at = t->nr};
	double *all;
	uint32_t *work;

	/* relative to the mode's probability; the sum makes it absolute */
	mode = mode > n ? n : mode < least ? least : mode;
	for (low = mode, p = 1; low > least && p > negligible; low--)
		sum += p /= ratio(n, odds, low - 1);
	for (high = mode, p = 1; high < n && p > negligible; high++)
		sum += p *= ratio(n, odds, high);
	made.nr = (uint32_t)(high - low) + 1;
	made.first = (uint32_t)low;
	all = xreallocarray(NULL, made.nr, sizeof(*all));
	work = xreallocarray(NULL, made.nr, sizeof(*work));
	all[(size_t)(mode - low)] = p = made.nr / sum;
	for (size_t k = (size_t)(mode - low); k > 0; k--)
		all[k - 1] = p /= ratio(n, odds, low + (double)k - 1);
	p = made.nr / sum;
	for (size_t k = (size_t)(mode - low); k + 1 < made.nr; k++)
		all[k + 1] = p *= ratio(n, odds, low + (double)k);
	t->nr += made.nr;
	ALLOC_GROW(t->parts, t->nr, t->alloc);
	share_out(t->parts + made.at, all, work, made.nr);
	free(all);
	free(work);
	return made;
}

/* Classes differ in x or in y: few means are their own. Those that differ in their last bits are one. */
static struct table poisson_table(struct tables *t, double mean, uint32_t least)
{
	uint64_t key;
	uint32_t known;

	memcpy(&key, &mean, sizeof(key));
	key = key >> 12 << 1 | least;
	known = map64_get(&t->index, key);
	if (known == MAP64_NONE) {
		known = (uint32_t)t->nr_poisson;
		map64_put(&t->index, key, known);
		ALLOC_GROW(t->poisson, t->nr_poisson + 1, t->alloc_poisson);
		t->poisson[t->nr_poisson++] = make_table(t, INFINITY, mean, least);
	}
	return t->poisson[known];
}

/* bits: random. Their product with nr has the part above its point, and below it what decides between its two. */
static inline uint32_t table_value(const struct tables *t, struct table from, uint32_t bits)
{
	uint64_t at = (uint64_t)bits * from.nr;
	uint32_t k = (uint32_t)(at >> 32);
	struct part part = t->parts[from.at + k];

	return from.first + ((uint32_t)at < part.keep ? k : part.other);
}

static inline uint32_t table_draw(const struct tables *t, struct table from, struct rng *rng)
{
	return table_value(t, from, (uint32_t)(rng_next(rng) >> 32));
}

/* --- classes of groups that are drawn alike ----------------------------------------------------- */

/*
 * Of a group that nothing was drawn for on the one side, the other side's count
 * only goes into the total. So the side with fewer samples, y, comes first, and
 * x is drawn group by group only where y is not 0.
 */
struct class {
	uint32_t nr;		   /* groups */
	double x, y;		   /* expected counts of one */
	struct table hit, draw_x, draw_y; /* how many have y > 0, or none; x; y, of those where there is hit */
	uint64_t key;
};

/* One set of groups, either null or self. */
struct plan {
	const struct resample_groups *groups;
	const struct resample_sides *sides;
	bool pooled, swapped; /* swapped: y is side a */
	struct class *classes;
	size_t nr;
	double only_x, only_y; /* expected counts of groups of one side alone */
	double rest_x, rest_y; /* and outside all groups */
	struct tables tables;
	struct resample_sums *out;
};

static int by_key(const void *a, const void *b)
{
	const struct class *x = a, *y = b;

	return x->key < y->key ? -1 : x->key > y->key;
}

/* Which class a group of these expected counts falls into: exact where they are small numbers of equal samples. */
static uint64_t class_key(double x, double y)
{
	int64_t kx = (int64_t)floor(log(x) / CLASS_WIDTH + 0.5), ky = (int64_t)floor(log(y) / CLASS_WIDTH + 0.5);

	return (uint64_t)(kx + (1 << 24)) << 32 | (uint64_t)(ky + (1 << 24));
}

/* Sums of weights as integers: the same in whatever order groups come. */
struct gathered {
	__int128 a, b;
	uint64_t key;
	uint32_t nr;
};

static void expected(const struct plan *p, double a, double b, double *x, double *y)
{
	const struct resample_sides *s = p->sides;
	double ca = a / (double)s->a_weight * s->a_samples, cb = b / (double)s->b_weight * s->b_samples;

	if (p->pooled) {
		double share = (ca + cb) / (s->a_samples + s->b_samples);

		ca = share * s->a_samples;
		cb = share * s->b_samples;
	}
	*x = p->swapped ? cb : ca;
	*y = p->swapped ? ca : cb;
}

static struct gathered *gather(struct plan *p, size_t *nr)
{
	const struct resample_groups *g = p->groups;
	struct map64 index = MAP64_INIT;
	struct gathered *list = NULL;
	size_t alloc = 0;

	*nr = 0;
	for (size_t i = 0; i < g->nr; i++) {
		int64_t a = g->a[i] > 0 ? g->a[i] : 0, b = g->b[i] > 0 ? g->b[i] : 0;
		double x, y;
		uint64_t key;
		uint32_t at;

		expected(p, (double)a, (double)b, &x, &y);
		key = x > 0 && y > 0 ? class_key(x, y) : x > 0 ? 1 : y > 0 ? 2 : 3;
		at = map64_get(&index, key);
		if (at == MAP64_NONE) {
			ALLOC_GROW(list, *nr + 1, alloc);
			at = (uint32_t)(*nr)++;
			map64_put(&index, key, at);
			list[at] = (struct gathered){.key = key};
		}
		list[at].a += a;
		list[at].b += b;
		list[at].nr++;
	}
	map64_release(&index);
	return list;
}

static void make_tables(struct plan *p, struct class *c)
{
	/* a draw of how many are hit is worth it where many are not: no branch then depends on each one's luck */
	bool some_missed = c->nr > 1 && c->y < 3;

	if (some_missed)
		c->hit = make_table(&p->tables, c->nr, expm1(c->y), 0);
	if (c->x <= TABLE_MEAN)
		c->draw_x = poisson_table(&p->tables, c->x, 0);
	if (c->y <= TABLE_MEAN)
		c->draw_y = poisson_table(&p->tables, c->y, some_missed);
}

static void plan_make(struct plan *p)
{
	__int128 rest_a = p->sides->a_weight, rest_b = p->sides->b_weight;
	size_t nr;
	struct gathered *list = gather(p, &nr);

	p->classes = xcalloc(nr ? nr : 1, sizeof(*p->classes));
	for (size_t i = 0; i < nr; i++) {
		struct class c = {.nr = list[i].nr, .key = list[i].key};

		rest_a -= list[i].a;
		rest_b -= list[i].b;
		expected(p, (double)list[i].a, (double)list[i].b, &c.x, &c.y);
		if (c.key > 3) {
			c.x /= c.nr;
			c.y /= c.nr;
			p->classes[p->nr++] = c;
		} else {
			p->only_x += c.x;
			p->only_y += c.y;
		}
	}
	expected(p, rest_a > 0 ? (double)rest_a : 0, rest_b > 0 ? (double)rest_b : 0, &p->rest_x, &p->rest_y);
	if (p->nr)
		qsort(p->classes, p->nr, sizeof(*p->classes), by_key);
	for (size_t i = 0; i < p->nr; i++)
		make_tables(p, &p->classes[i]);
	free(list);
}

static void plan_release(struct plan *p)
{
	free(p->classes);
	free(p->tables.parts);
	free(p->tables.poisson);
	map64_release(&p->tables.index);
}

/* --- drawing ------------------------------------------------------------------------------------- */

/* A group that both sides have, in one replicate of a batch. Counts as floats: for comparing, they are exact enough. */
struct hit {
	float x, y;
	uint32_t replicate;
};

/* Replicates drawn together, class by class, so that a table is read while it is in the cache. */
struct batch {
	struct hit *hits;
	size_t nr, alloc;
	struct {
		double x, y;	  /* counts in groups, then 1 / counts of all */
		double untouched; /* expected count of x in groups where y is 0 */
		struct resample_sums sums;
	} of[BATCH];
};

static inline double draw_count(const struct tables *t, struct table from, double mean, struct rng *rng)
{
	return from.nr ? table_draw(t, from, rng) : rng_poisson(rng, mean);
}

/* Groups of which one has too many samples for a table. */
static void draw_many(struct batch *b, const struct plan *p, const struct class *c, uint32_t groups, uint32_t replicate,
		      struct rng *rng)
{
	for (uint32_t k = 0; k < groups; k++) {
		double y = draw_count(&p->tables, c->draw_y, c->y, rng), x;

		if (!(y > 0)) {
			b->of[replicate].untouched += c->x;
			continue;
		}
		x = draw_count(&p->tables, c->draw_x, c->x, rng);
		b->of[replicate].x += x;
		b->of[replicate].y += y;
		b->hits[b->nr] = (struct hit){(float)x, (float)y, replicate};
		b->nr += x > 0;
	}
}

/* The same by tables alone: one random number for two, and no branch. */
static void draw_few(struct batch *b, const struct plan *p, const struct class *c, uint32_t groups, uint32_t replicate,
		     struct rng *rng)
{
	const struct table of_x = c->draw_x, of_y = c->draw_y;
	struct rng local = *rng; /* in registers */
	struct hit *hit = b->hits + b->nr;
	uint64_t sum_x = 0, sum_y = 0;
	uint32_t none = 0;

	for (uint32_t k = 0; k < groups; k++) {
		uint64_t bits = rng_next(&local);
		uint32_t y = table_value(&p->tables, of_y, (uint32_t)(bits >> 32)), x = table_value(&p->tables, of_x, (uint32_t)bits);

		x &= -(uint32_t)(y > 0); /* then x is drawn with all that are untouched */
		none += y == 0;
		sum_x += x;
		sum_y += y;
		*hit = (struct hit){(float)x, (float)y, replicate};
		hit += x > 0;
	}
	b->nr = (size_t)(hit - b->hits);
	b->of[replicate].x += (double)sum_x;
	b->of[replicate].y += (double)sum_y;
	b->of[replicate].untouched += c->x * none;
	*rng = local;
}

/* One class in one replicate. */
static void draw_class(struct batch *b, const struct plan *p, const struct class *c, uint32_t replicate, struct rng *rng)
{
	uint32_t touched = c->hit.nr ? table_draw(&p->tables, c->hit, rng) : c->nr;

	ALLOC_GROW(b->hits, b->nr + touched + 1, b->alloc); /* one more is written than counts */
	b->of[replicate].untouched += c->x * (c->nr - touched);
	if (c->draw_x.nr && c->draw_y.nr)
		draw_few(b, p, c, touched, replicate, rng);
	else
		draw_many(b, p, c, touched, replicate, rng);
}

/* Fills b->of[first … end - 1]. */
static void draw_batch(struct batch *b, const struct plan *p, uint32_t first, uint32_t end, struct rng *rng)
{
	b->nr = 0;
	for (uint32_t r = first; r < end; r++) {
		b->of[r].x = b->of[r].y = 0;
		b->of[r].untouched = p->only_x;
	}
	for (size_t i = 0; i < p->nr; i++)
		for (uint32_t r = first; r < end; r++)
			draw_class(b, p, &p->classes[i], r, rng);
	for (uint32_t r = first; r < end; r++) {
		double x = b->of[r].x + rng_poisson(rng, b->of[r].untouched), y = b->of[r].y + rng_poisson(rng, p->only_y);

		b->of[r].x = 1 / (x + rng_poisson(rng, p->rest_x));
		b->of[r].y = 1 / (y + rng_poisson(rng, p->rest_y));
		b->of[r].sums = (struct resample_sums){x * b->of[r].x, y * b->of[r].y, 0};
	}
	/* neighbours are mostly of one replicate: a sum of its own does not wait for memory */
	for (size_t i = 0; i < b->nr;) {
		uint32_t of = b->hits[i].replicate;
		double both = 0;

		for (; i < b->nr && b->hits[i].replicate == of; i++) {
			double x = b->hits[i].x * b->of[of].x, y = b->hits[i].y * b->of[of].y;

			both += x < y ? x : y;
		}
		b->of[of].sums.both += both;
	}
}

struct run {
	struct plan *plans;
	const struct resample_options *o;
	size_t tasks; /* of one plan */
};

static void make_plan(void *ctx, int worker, size_t task)
{
	struct run *r = ctx;

	(void)worker;
	if (r->plans[task].groups->replicates)
		plan_make(&r->plans[task]);
}

static void draw_some(void *ctx, int worker, size_t task)
{
	struct run *r = ctx;
	const struct plan *p = &r->plans[task / r->tasks];
	size_t first = task % r->tasks * BATCH, end = first + BATCH, all = p->groups->replicates;
	uint32_t nr = all < first ? 0 : (uint32_t)((end < all ? end : all) - first);
	struct batch b = {.nr = 0};
	struct rng rng;

	(void)worker;
	if (!nr)
		return;
	/* its own stream, so that it does not matter which worker draws it */
	rng_seed(&rng, r->o->seed + task);
	draw_batch(&b, p, 0, nr, &rng);
	for (uint32_t i = 0; i < nr; i++) {
		struct resample_sums *s = &b.of[i].sums;

		/* no sample at all is no draw */
		while (isinf(b.of[i].x) || isinf(b.of[i].y))
			draw_batch(&b, p, i, i + 1, &rng);
		p->out[first + i] = p->swapped ? (struct resample_sums){s->b, s->a, s->both} : *s;
	}
	free(b.hits);
}

void resample(const struct resample_groups *sets, size_t nr, const struct resample_sides *s,
	      const struct resample_options *o, struct resample_sums *null, struct resample_sums *self)
{
	static const struct resample_groups none = {.replicates = 0};
	struct run r = {.plans = xcalloc(2 * nr, sizeof(*r.plans)), .o = o, .tasks = (o->most + BATCH - 1) / BATCH};
	struct pool *pool = pool_new(o->jobs);

	for (size_t i = 0; i < 2 * nr; i++) {
		struct resample_sums *out = i % 2 ? self : null;

		r.plans[i] = (struct plan){
			.groups = out ? &sets[i / 2] : &none,
			.sides = s,
			.pooled = i % 2 == 0,
			.swapped = s->a_samples < s->b_samples,
			.out = out ? out + i / 2 * o->most : NULL,
		};
	}
	pool_run(pool, 2 * nr, make_plan, &r);
	pool_run(pool, 2 * nr * r.tasks, draw_some, &r);
	pool_free(pool);
	for (size_t i = 0; i < 2 * nr; i++)
		plan_release(&r.plans[i]);
	free(r.plans);
}
