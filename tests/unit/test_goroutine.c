/*
 * Evidence to goroutines, by hand-made evidence with known owners.
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "goroutine/goroutine.h"
#include "suite.h"

enum { HANDLER, WORKER, SWEEPER, NR_ENTRIES };
static const struct goroutine_entry entries[NR_ENTRIES] = {
	[HANDLER] = {.vaddr = 0x1000, .name = "main.handler", .named = true},
	[WORKER] = {.vaddr = 0x2000, .name = "main.worker", .named = true},
	[SWEEPER] = {.vaddr = 0x3000, .name = "runtime.bgsweep", .named = true, .system = true},
};

#define G(n) (UINT64_C(0xc000100000) + (uint64_t)(n) * 512)
#define STACK(n) (UINT64_C(0xc001000000) + (uint64_t)(n) * 8192) /* upper ends */

struct evidence {
	struct goroutine_sight *list;
	size_t nr, alloc;
	struct goroutines found;
};

static struct goroutine_sight *add(struct evidence *ev)
{
	ALLOC_GROW(ev->list, ev->nr + 1, ev->alloc);
	ev->list[ev->nr] = (struct goroutine_sight){
		.time = (ev->nr + 1) * 1000, .tid = 1, .kind = GOROUTINE_USER, .source = GOROUTINE_UNKNOWN,
		.entry = GOROUTINE_NO_ENTRY, .id = GOROUTINE_NO_ID,
	};
	return &ev->list[ev->nr++];
}

/* Compiled Go code on the goroutine's own stack. */
static struct goroutine_sight *own(struct evidence *ev, uint64_t g, uint64_t stack_hi, uint32_t entry)
{
	struct goroutine_sight *s = add(ev);

	s->g = g;
	s->stack = stack_hi - 512;
	s->stack_hi = stack_hi;
	s->entry = entry;
	s->source = GOROUTINE_BY_REGISTER;
	return s;
}

/* On the system stack, with a frame pointer into the goroutine's. */
static struct goroutine_sight *on_system_stack(struct evidence *ev, uint64_t fp)
{
	struct goroutine_sight *s = add(ev);

	s->stack = fp;
	s->flags = GOROUTINE_ON_SYSTEM_STACK;
	return s;
}

static void decided(void *ctx, const struct goroutine_sight *s)
{
	struct evidence *ev = ctx;

	ev->list[s->tag] = *s;
}

static void resolve(struct evidence *ev)
{
	struct goroutine_resolver *r = goroutine_resolver_new(true, decided, ev);

	for (size_t i = 0; i < ev->nr; i++)
		ev->list[i].tag = (uint32_t)i;
	goroutine_resolver_entries(r, entries, NR_ENTRIES);
	goroutine_resolver_take(r, ev->list, ev->nr);
	goroutine_resolver_finish(r, &ev->found);
	goroutine_resolver_free(r);
}

static void end(struct evidence *ev)
{
	goroutines_release(&ev->found);
	free(ev->list);
}

/* Two goroutines of one function; one works three times what the other does. */
static void twins_are_told_apart(void)
{
	struct evidence ev = {0};
	size_t of[2] = {0};

	for (int i = 0; i < 400; i++)
		own(&ev, G(i % 4 != 0), STACK(i % 4 != 0), WORKER);
	resolve(&ev);
	CU_ASSERT_EQUAL_FATAL(ev.found.nr, 2);
	for (size_t i = 0; i < ev.nr; i++) {
		CU_ASSERT_EQUAL(ev.found.list[ev.list[i].id].g, ev.list[i].g);
		of[ev.list[i].id]++;
	}
	CU_ASSERT_EQUAL(of[0], 100);
	CU_ASSERT_EQUAL(of[1], 300);
	end(&ev);
}

/*
 * 10,000 goroutines, three samples each, on 16 g structs and their stacks: a g is used again by another
 * function's, or after an end that was seen.
 */
static void short_lived_goroutines(void)
{
	enum { COUNT = 10000, GS = 16 };

	for (int ends = 0; ends < 2; ends++) {
		struct evidence ev = {0};
		uint8_t *seen;

		for (int i = 0; i < COUNT; i += GS) {
			for (int sample = 0; sample < 3; sample++) {
				for (int k = i; k < i + GS && k < COUNT; k++) {
					struct goroutine_sight *s =
						own(&ev, G(k % GS), STACK(k % GS), ends || k / GS % 2 ? HANDLER : WORKER);

					if (ends && sample == 2)
						s->ended = s->g;
				}
			}
		}
		resolve(&ev);
		CU_ASSERT_EQUAL_FATAL(ev.found.nr, COUNT);
		seen = xcalloc(COUNT, 1);
		for (size_t i = 0; i < ev.nr; i++)
			seen[ev.list[i].id]++;
		for (int i = 0; i < COUNT; i++)
			CU_ASSERT_EQUAL(seen[i], 3);
		free(seen);
		end(&ev);
	}
}

/* The end may be seen from the scheduler that goes on after it, which already runs the next goroutine. */
static void an_end_makes_a_new_goroutine(void)
{
	struct evidence ev = {0};
	struct goroutine_sight *s;

	own(&ev, G(1), STACK(1), WORKER);
	own(&ev, G(2), STACK(2), WORKER);
	s = add(&ev);
	s->kind = GOROUTINE_SCHEDULER;
	s->ended = G(1);
	s->g = G(2);
	s->source = GOROUTINE_BY_ARGUMENT;
	own(&ev, G(1), STACK(1), WORKER);
	resolve(&ev);
	CU_ASSERT_EQUAL_FATAL(ev.found.nr, 3);
	CU_ASSERT_EQUAL(ev.list[2].id, ev.list[1].id);
	CU_ASSERT_NOT_EQUAL(ev.list[3].id, ev.list[0].id);
	CU_ASSERT_EQUAL(ev.found.list[ev.list[3].id].generation, 1);
	end(&ev);
}

/* The system stack's frame pointer: the owner of the stack at that time, or of 2 KB that nobody else is seen on. */
static void frame_pointers_name_the_stack(void)
{
	struct evidence ev = {0};

	own(&ev, G(1), STACK(1), WORKER);
	on_system_stack(&ev, STACK(1) - 700);
	own(&ev, G(1), STACK(1), WORKER);
	own(&ev, G(2), STACK(1), HANDLER); /* the stack is another's from now on */
	on_system_stack(&ev, STACK(1) - 700);
	own(&ev, G(2), STACK(1), HANDLER);
	on_system_stack(&ev, STACK(50) + 100);
	on_system_stack(&ev, STACK(50) + 2000);
	on_system_stack(&ev, STACK(50) + 2100);
	resolve(&ev);
	CU_ASSERT_EQUAL(ev.list[1].id, ev.list[0].id);
	CU_ASSERT_EQUAL(ev.list[1].source, GOROUTINE_BY_STACK);
	CU_ASSERT_EQUAL(ev.list[1].entry, WORKER);
	CU_ASSERT_EQUAL(ev.list[4].id, ev.list[3].id);
	CU_ASSERT_NOT_EQUAL(ev.list[6].id, GOROUTINE_NO_ID);
	CU_ASSERT_EQUAL(ev.list[7].id, ev.list[6].id);
	CU_ASSERT_NOT_EQUAL(ev.list[8].id, ev.list[6].id);
	end(&ev);
}

/* Assembly may keep anything where g is kept. */
static void doubtful_registers(void)
{
	struct evidence ev = {0};
	struct goroutine_sight *s;

	own(&ev, G(1), STACK(1), WORKER);
	own(&ev, G(2), STACK(2), WORKER);
	s = own(&ev, 0x4242424240, STACK(1), WORKER); /* garbage: the stack's goroutine */
	s->flags = GOROUTINE_DOUBTFUL;
	s = own(&ev, G(2), STACK(2), WORKER); /* as the stack says */
	s->flags = GOROUTINE_DOUBTFUL;
	s = own(&ev, G(2), STACK(1), HANDLER); /* that one enters elsewhere */
	s->flags = GOROUTINE_DOUBTFUL;
	own(&ev, G(1), STACK(1), WORKER);
	s = own(&ev, G(2), STACK(3), WORKER); /* a stack that nobody else was seen on: it has grown */
	s->flags = GOROUTINE_DOUBTFUL;
	s = add(&ev); /* C code */
	s->g = G(2);
	s->source = GOROUTINE_BY_REGISTER;
	s->flags = GOROUTINE_DOUBTFUL | GOROUTINE_IN_C;
	s = add(&ev);
	s->g = G(77);
	s->source = GOROUTINE_BY_REGISTER;
	s->flags = GOROUTINE_DOUBTFUL | GOROUTINE_IN_C;
	resolve(&ev);
	CU_ASSERT_EQUAL(ev.list[7].id, ev.list[1].id);
	CU_ASSERT_EQUAL(ev.list[8].id, GOROUTINE_NO_ID);
	CU_ASSERT_EQUAL(ev.list[8].kind, GOROUTINE_NONE);
	CU_ASSERT_EQUAL(ev.list[2].id, ev.list[0].id);
	CU_ASSERT_EQUAL(ev.list[2].source, GOROUTINE_BY_STACK);
	CU_ASSERT_EQUAL(ev.list[3].id, ev.list[1].id);
	CU_ASSERT_EQUAL(ev.list[3].source, GOROUTINE_BY_REGISTER);
	CU_ASSERT_NOT_EQUAL(ev.list[4].id, ev.list[1].id);
	CU_ASSERT_EQUAL(ev.list[6].id, ev.list[1].id);
	end(&ev);
}

/* Nothing is said of what says nothing. */
static void no_evidence(void)
{
	struct evidence ev = {0};

	own(&ev, G(1), STACK(1), SWEEPER);
	add(&ev);
	add(&ev)->entry = WORKER;
	add(&ev)->kind = GOROUTINE_SCHEDULER;
	add(&ev)->kind = GOROUTINE_NONE;
	resolve(&ev);
	CU_ASSERT_EQUAL(ev.list[0].kind, GOROUTINE_SYSTEM);
	for (size_t i = 1; i < ev.nr; i++)
		CU_ASSERT_EQUAL(ev.list[i].id, GOROUTINE_NO_ID);
	CU_ASSERT_EQUAL(ev.list[1].source, GOROUTINE_UNKNOWN);
	CU_ASSERT_EQUAL(ev.list[2].source, GOROUTINE_BY_ENTRY);
	CU_ASSERT_EQUAL(ev.found.nr, 1);
	end(&ev);
}

/* Addresses of one process say nothing of another's. */
static void processes_share_nothing(void)
{
	struct evidence ev = {0};

	own(&ev, G(1), STACK(1), WORKER);
	own(&ev, G(1), STACK(1), WORKER)->space = 1;
	on_system_stack(&ev, STACK(1) - 100)->space = 1;
	resolve(&ev);
	CU_ASSERT_EQUAL(ev.found.nr, 2);
	CU_ASSERT_EQUAL(ev.list[2].id, ev.list[1].id);
	end(&ev);
}

static const struct suite_test tests[] = {
	{"twins_are_told_apart", twins_are_told_apart},
	{"short_lived_goroutines", short_lived_goroutines},
	{"an_end_makes_a_new_goroutine", an_end_makes_a_new_goroutine},
	{"frame_pointers_name_the_stack", frame_pointers_name_the_stack},
	{"doubtful_registers", doubtful_registers},
	{"no_evidence", no_evidence},
	{"processes_share_nothing", processes_share_nothing},
	{0},
};
const struct suite suite_goroutine = {"goroutine", tests};
