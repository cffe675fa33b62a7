/*
 * Goroutines of long recordings: what waits and what is known is bounded, and neither the size of the
 * pieces nor the order in which workers are done with them shows.
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/pool.h"
#include "collect/evidence.h"
#include "goroutine/goroutine.h"
#include "suite.h"

#define WINDOW GOROUTINE_WINDOW
#define PLACES 50 /* g structs and stacks in use */

static const struct goroutine_entry entries[] = {
	{.vaddr = 0x1000, .named = true, .name = "main.a"},
	{.vaddr = 0x2000, .named = true, .name = "main.b"},
	{.vaddr = 0x3000, .named = true, .system = true, .name = "runtime.bgsweep"},
	{.vaddr = 0x1000, .name = "main.main.gowrap1"}, /* main.a's wrapper */
};
enum { A, B, SWEEP, WRAPPER };

struct seen {
	struct goroutine_sight *list; /* in the order in which they were decided */
	size_t nr, alloc;
};

static void see(void *ctx, const struct goroutine_sight *s)
{
	struct seen *seen = ctx;

	ALLOC_GROW(seen->list, seen->nr + 1, seen->alloc);
	seen->list[seen->nr++] = *s;
}

static uint64_t next_random(uint64_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	return *x ^= *x << 17;
}

/*
 * PLACES goroutines, each of which lives for a hundred of its samples; every fourth sample is on the system
 * stack and knows nothing but an address on its goroutine's stack. Times are out of order by a few places.
 */
static struct goroutine_sight *make_sights(size_t nr)
{
	struct goroutine_sight *s = xcalloc(nr, sizeof(*s));
	uint64_t x = 88172645463325252;

	for (size_t i = 0; i < nr; i++) {
		uint64_t who = next_random(&x) % PLACES, stack = 0xc000010000 + who * 0x10000;
		size_t life = i / (100 * PLACES);

		s[i] = (struct goroutine_sight){
			.time = 1000 + 10 * i + next_random(&x) % 300, .space = 1, .tid = 7, .id = GOROUTINE_NO_ID,
			.tag = (uint32_t)i, .kind = GOROUTINE_USER, .source = GOROUTINE_UNKNOWN, .stack = stack - 800,
			.entry = GOROUTINE_NO_ENTRY,
		};
		if (i % 4 == 3) {
			s[i].flags = GOROUTINE_ON_SYSTEM_STACK;
			continue;
		}
		s[i].g = 0xc000000000 + who * 0x100;
		s[i].source = GOROUTINE_BY_REGISTER;
		s[i].stack_hi = stack;
		s[i].entry = (who + life) % 2 ? (i % 8 ? A : WRAPPER) : B;
	}
	return s;
}

static struct seen resolve(const struct goroutine_sight *s, size_t nr, size_t step, bool keep, struct goroutines *out)
{
	struct seen seen = {0};
	struct goroutine_resolver *r = goroutine_resolver_new(keep, see, &seen);

	goroutine_resolver_entries(r, entries, sizeof(entries) / sizeof(*entries));
	for (size_t i = 0; i < nr; i += step)
		goroutine_resolver_take(r, s + i, nr - i < step ? nr - i : step);
	goroutine_resolver_finish(r, out);
	goroutine_resolver_free(r);
	return seen;
}

static bool in_order(const struct seen *seen)
{
	for (size_t i = 1; i < seen->nr; i++)
		if (seen->list[i].time < seen->list[i - 1].time)
			return false;
	return true;
}

static bool each_once(const struct seen *seen)
{
	uint8_t *once = xcalloc(seen->nr + 1, 1);
	bool good = true;

	for (size_t i = 0; i < seen->nr; i++)
		good = good && seen->list[i].tag < seen->nr && !once[seen->list[i].tag]++;
	free(once);
	return good;
}

/* The goroutine a system stack works for is the one that ran on its stack then; at the turn of a life nobody says whose it is. */
static size_t wrong_entries(const struct seen *seen, size_t *spliced, size_t *unknown)
{
	size_t wrong = 0;

	*spliced = *unknown = 0;
	for (size_t i = 0; i < seen->nr; i++) {
		const struct goroutine_sight *s = &seen->list[i];
		uint64_t who = (s->stack + 800 - 0xc000010000) / 0x10000;
		size_t life = s->tag / (100 * PLACES);
		bool a = (who + life) % 2;

		if (!(s->flags & GOROUTINE_ON_SYSTEM_STACK))
			continue;
		(*spliced)++;
		if (s->entry == GOROUTINE_NO_ENTRY) {
			(*unknown)++;
			continue;
		}
		wrong += s->source != GOROUTINE_BY_STACK || (a ? s->entry != A && s->entry != WRAPPER : s->entry != B);
	}
	return wrong;
}

static void long_recording(void)
{
	size_t nr = 7 * WINDOW + 12345, spliced, unknown;
	struct goroutine_sight *s = make_sights(nr);
	struct goroutines all, few;
	struct seen kept = resolve(s, nr, 1000, true, &all), forgot = resolve(s, nr, 77, false, &few);
	size_t differ = 0;

	CU_ASSERT_EQUAL(kept.nr, nr);
	CU_ASSERT(each_once(&kept) && in_order(&kept));
	CU_ASSERT(wrong_entries(&kept, &spliced, &unknown) < spliced / 100);
	CU_ASSERT(unknown < spliced / 10);
	CU_ASSERT(spliced > nr / 5);
	for (size_t i = 0; i < nr && i < forgot.nr; i++)
		differ += kept.list[i].tag != forgot.list[i].tag || kept.list[i].entry != forgot.list[i].entry ||
			  kept.list[i].source != forgot.list[i].source || kept.list[i].kind != forgot.list[i].kind;
	CU_ASSERT_EQUAL(forgot.nr, nr);
	CU_ASSERT_EQUAL(differ, 0);
	CU_ASSERT_EQUAL(all.distinct, few.distinct);
	CU_ASSERT_EQUAL(all.nr, all.distinct);
	CU_ASSERT(all.nr >= PLACES * (nr / (100 * PLACES)));
	goroutines_release(&all);
	goroutines_release(&few);
	free(kept.list);
	free(forgot.list);
	free(s);
}

/* What is remembered does not grow with the recording. */
static void list_stays_short(void)
{
	size_t nr = 20 * WINDOW;
	struct goroutine_sight *s = make_sights(nr);
	struct goroutines few;
	struct seen seen;

	for (size_t i = 0; i < nr; i++) /* each goroutine has two samples */
		s[i].entry = s[i].entry == GOROUTINE_NO_ENTRY ? s[i].entry : i / (2 * PLACES) % 2 ? A : B;
	seen = resolve(s, nr, nr, false, &few);
	CU_ASSERT(few.distinct > nr / 8);
	CU_ASSERT(few.nr < 4 * WINDOW);
	goroutines_release(&few);
	free(seen.list);
	free(s);
}

/* A sight of a g that is named only so much later. */
static bool decided_by(size_t later)
{
	size_t nr = later + 3 * WINDOW + 2;
	struct goroutine_sight *s = xcalloc(nr, sizeof(*s));
	struct goroutines out;
	struct seen seen;
	bool known;

	for (size_t i = 0; i < nr; i++) {
		bool special = i == 0 || i == later;

		s[i] = (struct goroutine_sight){
			.time = 1000 + i, .g = special ? 0xc000000100 : 0xc000000200, .id = GOROUTINE_NO_ID,
			.kind = GOROUTINE_USER, .source = GOROUTINE_BY_REGISTER, .entry = special ? A : B,
		};
	}
	s[0].flags = GOROUTINE_DOUBTFUL;
	s[0].entry = GOROUTINE_NO_ENTRY;
	seen = resolve(s, nr, nr, true, &out);
	known = seen.list[0].entry == A;
	CU_ASSERT(known || (seen.list[0].entry == GOROUTINE_NO_ENTRY && seen.list[0].source == GOROUTINE_UNKNOWN));
	goroutines_release(&out);
	free(seen.list);
	free(s);
	return known;
}

static void what_comes_later(void)
{
	CU_ASSERT(decided_by(1));
	CU_ASSERT(decided_by(WINDOW));
	CU_ASSERT(!decided_by(3 * WINDOW));
}

/* Three windows are decided as a whole: the last sight tells the first its goroutine. */
static void short_recording(void)
{
	size_t nr = 3 * WINDOW - 1;
	struct goroutine_sight *s = xcalloc(nr, sizeof(*s));
	struct goroutines out;
	struct seen seen;

	for (size_t i = 0; i < nr; i++)
		s[i] = (struct goroutine_sight){.time = i, .stack = 0xc000008000 - 16, .id = GOROUTINE_NO_ID,
						.kind = GOROUTINE_USER, .source = GOROUTINE_UNKNOWN,
						.entry = GOROUTINE_NO_ENTRY};
	s[nr - 1].g = 0xc000000100;
	s[nr - 1].source = GOROUTINE_BY_REGISTER;
	s[nr - 1].stack_hi = 0xc000008000;
	s[nr - 1].entry = SWEEP;
	seen = resolve(s, nr, 5, false, &out);
	CU_ASSERT_EQUAL(seen.nr, nr);
	CU_ASSERT_EQUAL(seen.list[0].entry, SWEEP);
	CU_ASSERT_EQUAL(seen.list[0].kind, GOROUTINE_SYSTEM);
	CU_ASSERT_EQUAL(out.distinct, 1);
	goroutines_release(&out);
	free(seen.list);
	free(s);
}

/* A wrapper alone is no other function; the goroutine gets the name. */
static void wrapper_then_name(void)
{
	struct goroutine_sight s[3] = {{0}};
	struct goroutines out;
	struct seen seen;

	for (size_t i = 0; i < 3; i++)
		s[i] = (struct goroutine_sight){.time = i, .g = 0xc000000100, .id = GOROUTINE_NO_ID,
						.kind = GOROUTINE_USER, .source = GOROUTINE_BY_REGISTER};
	s[0].entry = WRAPPER;
	s[1].entry = A;
	s[2].entry = B;
	seen = resolve(s, 3, 3, true, &out);
	CU_ASSERT_EQUAL(out.nr, 2);
	CU_ASSERT_EQUAL(out.list[0].entry, A);
	CU_ASSERT_EQUAL(seen.list[0].id, seen.list[1].id);
	CU_ASSERT_EQUAL(out.list[1].generation, 1);
	goroutines_release(&out);
	free(seen.list);
}

/* --- workers ------------------------------------------------------------------------------ */

#define BLOCK 250

struct giving {
	struct evidence ev;
	struct goroutine_worker **workers;
	const struct goroutine_sight *sights;
	size_t nr;
};

static void give_block(void *ctx, int worker, size_t block)
{
	struct giving *g = ctx;
	struct parcel *p = evidence_parcel(&g->ev);

	for (size_t i = block * BLOCK; i < (block + 1) * BLOCK && i < g->nr; i++) {
		struct goroutine_sight s = g->sights[i];
		struct evidence_note n = {.weight = i, .node = (uint32_t)(i % 30), .worker = (uint16_t)worker};

		s.entry = GOROUTINE_NO_ENTRY; /* those of these workers are none */
		evidence_add(p, &s, s.flags & GOROUTINE_ON_SYSTEM_STACK ? &n : NULL);
	}
	evidence_give(&g->ev, block, worker, g->workers[worker], p);
}

/* Sums of what is in the rows, of all workers. */
static void give_all(const struct goroutine_sight *sights, size_t nr, int jobs, uint64_t sums[4])
{
	struct giving g = {.sights = sights, .nr = nr};
	struct session_options options = {0};
	struct session *session = session_new(&options);
	struct pool *pool = pool_new(jobs);
	size_t blocks = (nr + BLOCK - 1) / BLOCK, rows;

	g.workers = xcalloc((size_t)jobs, sizeof(struct goroutine_worker *));
	for (int i = 0; i < jobs; i++)
		g.workers[i] = goroutine_worker_new(session);
	evidence_init(&g.ev, false, jobs);
	evidence_expect(&g.ev, blocks);
	pool_run(pool, blocks, give_block, &g);
	evidence_finish(&g.ev);
	memset(sums, 0, 4 * sizeof(*sums));
	for (size_t i = 0; i < g.ev.nr_rows; i++) {
		sums[0] += g.ev.rows[i].samples;
		sums[1] += g.ev.rows[i].weight;
	}
	rows = g.ev.nr_rows;
	sums[2] = g.ev.sources[GOROUTINE_BY_STACK];
	sums[3] = g.ev.found.distinct;
	CU_ASSERT(rows <= 30 * (size_t)jobs);
	CU_ASSERT(g.ev.nr_notes < 3 * WINDOW);
	evidence_release(&g.ev);
	for (int i = 0; i < jobs; i++)
		goroutine_worker_free(g.workers[i]);
	free(g.workers);
	pool_free(pool);
	session_free(session);
}

static void any_number_of_workers(void)
{
	size_t nr = 5 * WINDOW;
	struct goroutine_sight *s = make_sights(nr);
	uint64_t one[4], many[4];

	give_all(s, nr, 1, one);
	CU_ASSERT_EQUAL(one[0], nr / 4);
	CU_ASSERT(one[2] > 0 && one[3] > 0);
	give_all(s, nr, 4, many);
	CU_ASSERT(!memcmp(one, many, sizeof(one)));
	free(s);
}

static const struct suite_test tests[] = {
	{"a recording longer than what is kept", long_recording},
	{"goroutines that are over are forgotten", list_stays_short},
	{"how far a later sample decides", what_comes_later},
	{"a short recording is decided as a whole", short_recording},
	{"a wrapper, then its function's name", wrapper_then_name},
	{"any number of workers", any_number_of_workers},
	{NULL, NULL},
};

const struct suite suite_resolve = {"resolve", tests};
