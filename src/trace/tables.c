/*
 * A generation's strings, stacks, CPU samples and clocks (Go src/internal/trace/generation.go).
 */
#include <inttypes.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "trace/internal.h"

/* Each entry begins with its type. */
static bool next_entry(struct reader *r, struct cursor *c, uint8_t type)
{
	uint8_t found = cursor_u8(c);

	if (!c->failed && found == type) {
		r->t->events[type]++;
		return true;
	}
	reader_fail(r, cursor_offset(c) - 1, "%s batch with an entry of type %u", event_specs[type].name, found);
	return false;
}

static int cut(struct reader *r, const struct cursor *c, const char *what)
{
	return reader_fail(r, cursor_offset(c), "%s that is cut short", what);
}

static int add_strings(struct reader *r, struct cursor *c)
{
	struct tables *tab = &r->tables;

	while (cursor_left(c)) {
		uint64_t id, len, offset = cursor_offset(c);
		const char *text;

		if (!next_entry(r, c, EV_STRING))
			return -1;
		id = cursor_uleb(c);
		len = cursor_uleb(c);
		if (len > MAX_STRING)
			return reader_fail(r, offset, "invalid string size %" PRIu64 ", maximum is %d", len, MAX_STRING);
		text = cursor_take(c, (size_t)len);
		if (c->failed)
			return cut(r, c, "string");
		if (tables_have_string(tab, id))
			return reader_fail(r, offset, "multiple strings with the same ID %" PRIu64, id);
		ALLOC_GROW(tab->strings, tab->nr_strings + 1, tab->alloc_strings);
		tab->strings[tab->nr_strings] = (struct table_string){text, (uint32_t)len, UINT32_MAX};
		map64_put(&tab->string_index, id, (uint32_t)tab->nr_strings++);
	}
	return 0;
}

/* Go keeps one frame a pc: the first. */
static void add_frame(struct tables *tab, const struct table_frame *f)
{
	uint32_t i = map64_get(&tab->pc_index, f->pc);

	if (i == MAP64_NONE) {
		ALLOC_GROW(tab->frames, tab->nr_frames + 1, tab->alloc_frames);
		i = (uint32_t)tab->nr_frames++;
		tab->frames[i] = *f;
		map64_put(&tab->pc_index, f->pc, i);
	}
	ALLOC_GROW(tab->stack_frames, tab->nr_stack_frames + 1, tab->alloc_stack_frames);
	tab->stack_frames[tab->nr_stack_frames++] = i;
}

static int add_stacks(struct reader *r, struct cursor *c)
{
	struct tables *tab = &r->tables;

	while (cursor_left(c)) {
		struct table_stack s = {.id = UINT32_MAX, .offset = cursor_offset(c)};
		uint64_t id, nr;

		if (!next_entry(r, c, EV_STACK))
			return -1;
		id = cursor_uleb(c);
		nr = cursor_uleb(c);
		if (nr > MAX_FRAMES)
			return reader_fail(r, s.offset, "invalid stack size %" PRIu64 ", maximum is %d", nr, MAX_FRAMES);
		s.first = (uint32_t)tab->nr_stack_frames;
		s.nr = (uint32_t)nr;
		for (uint64_t i = 0; i < nr; i++) {
			struct table_frame f;

			f.pc = cursor_uleb(c);
			f.func = cursor_uleb(c);
			f.file = cursor_uleb(c);
			f.line = cursor_uleb(c);
			if (c->failed)
				break;
			add_frame(tab, &f);
		}
		if (c->failed)
			return cut(r, c, "stack");
		if (tables_have_stack(tab, id))
			return reader_fail(r, s.offset, "multiple stacks with the same ID %" PRIu64, id);
		ALLOC_GROW(tab->stacks, tab->nr_stacks + 1, tab->alloc_stacks);
		tab->stacks[tab->nr_stacks] = s;
		map64_put(&tab->stack_index, id, (uint32_t)tab->nr_stacks++);
	}
	return 0;
}

static int add_samples(struct reader *r, struct cursor *c)
{
	struct tables *tab = &r->tables;

	while (cursor_left(c)) {
		struct trace_cpu_sample s = {0};
		uint64_t stack;

		if (!next_entry(r, c, EV_CPU_SAMPLE))
			return -1;
		s.time = cursor_uleb(c); /* units, until the generation tells how long these are */
		s.tid = cursor_uleb(c);
		cursor_uleb(c); /* processor */
		s.goid = cursor_uleb(c);
		stack = cursor_uleb(c);
		if (c->failed)
			return cut(r, c, "CPU sample");
		if (!s.goid)
			s.goid = TRACE_NO_GOROUTINE;
		ALLOC_GROW(tab->samples, tab->nr_samples + 1, tab->alloc_samples);
		ALLOC_GROW(tab->sample_stacks, tab->nr_samples + 1, tab->alloc_sample_stacks);
		tab->samples[tab->nr_samples] = s;
		tab->sample_stacks[tab->nr_samples++] = stack;
	}
	return 0;
}

static int set_frequency(struct reader *r, struct cursor *c)
{
	struct tables *tab = &r->tables;
	uint64_t offset = cursor_offset(c) - 1;

	r->t->events[EV_FREQUENCY]++;
	if (tab->units)
		return reader_fail(r, offset, "found multiple frequency events");
	tab->units = cursor_uleb(c);
	if (c->failed)
		return cut(r, c, "frequency");
	if (!tab->units)
		return reader_fail(r, offset, "frequency of 0");
	return 0;
}

static int set_snapshot(struct reader *r, struct cursor *c, uint64_t *time)
{
	struct tables *tab = &r->tables;
	uint64_t offset = cursor_offset(c) - 1;

	r->t->events[EV_CLOCK_SNAPSHOT]++;
	if (tab->has_snapshot)
		return reader_fail(r, offset, "found multiple clock snapshot events");
	tab->has_snapshot = true;
	*time += cursor_uleb(c);
	tab->snapshot_time = *time;
	tab->snapshot_mono = cursor_uleb(c);
	tab->snapshot_sec = cursor_uleb(c);
	tab->snapshot_nsec = cursor_uleb(c);
	return c->failed ? cut(r, c, "clock snapshot") : 0;
}

static int set_clocks(struct reader *r, struct cursor *c, uint64_t time)
{
	while (cursor_left(c)) {
		uint8_t type = cursor_u8(c);
		int result;

		if (type == EV_FREQUENCY)
			result = set_frequency(r, c);
		else if (type == EV_CLOCK_SNAPSHOT && r->t->version >= 25)
			result = set_snapshot(r, c, &time);
		else
			result = reader_fail(r, cursor_offset(c) - 1,
					     "expected frequency or clock snapshot event, got %u", type);
		if (result < 0)
			return -1;
	}
	return 0;
}

int tables_take(struct reader *r, const struct batch *b)
{
	struct cursor c = cursor_make(b->data, b->size, b->offset, false);
	bool sync = r->t->version >= 25;
	uint8_t type;
	int result;

	if (!b->size)
		return 0;
	type = *c.p;
	if (type == EV_STRINGS || type == EV_STACKS || type == EV_CPU_SAMPLES || (type == EV_SYNC && sync)) {
		r->t->events[type]++;
		cursor_u8(&c);
	}
	if (type == EV_STRINGS)
		result = add_strings(r, &c);
	else if (type == EV_STACKS)
		result = add_stacks(r, &c);
	else if (type == EV_CPU_SAMPLES)
		result = add_samples(r, &c);
	else if (type == (sync ? EV_SYNC : EV_FREQUENCY))
		result = set_clocks(r, &c, b->time);
	else
		return 0;
	return result < 0 ? -1 : 1;
}

int tables_check(struct reader *r)
{
	const struct tables *tab = &r->tables;

	for (size_t i = 0; i < tab->nr_stacks; i++) {
		const struct table_stack *s = &tab->stacks[i];

		for (uint32_t k = 0; k < s->nr; k++) {
			const struct table_frame *f = &tab->frames[tab->stack_frames[s->first + k]];

			if (!tables_have_string(tab, f->func))
				return reader_fail(r, s->offset, "found invalid func string ID %" PRIu64 " for a stack", f->func);
			if (!tables_have_string(tab, f->file))
				return reader_fail(r, s->offset, "found invalid file string ID %" PRIu64 " for a stack", f->file);
		}
	}
	return 0;
}

void tables_clear(struct tables *tab)
{
	map64_release(&tab->string_index);
	map64_release(&tab->stack_index);
	map64_release(&tab->pc_index);
	free(tab->strings);
	free(tab->frames);
	free(tab->stack_frames);
	free(tab->stacks);
	free(tab->samples);
	free(tab->sample_stacks);
	*tab = (struct tables){0};
}

bool tables_have_string(const struct tables *tab, uint64_t id)
{
	return !id || map64_get(&tab->string_index, id) != MAP64_NONE;
}

bool tables_have_stack(const struct tables *tab, uint64_t id)
{
	return !id || map64_get(&tab->stack_index, id) != MAP64_NONE;
}

uint32_t tables_string(struct reader *r, uint64_t id)
{
	uint32_t i = id ? map64_get(&r->tables.string_index, id) : MAP64_NONE;
	struct table_string *s;

	if (i == MAP64_NONE)
		return 0;
	s = &r->tables.strings[i];
	if (s->id == UINT32_MAX)
		s->id = strtab_add_len(&r->t->strings, s->text, s->len);
	return s->id;
}

uint32_t tables_stack(struct reader *r, uint64_t id)
{
	struct tables *tab = &r->tables;
	struct trace *t = r->t;
	uint32_t i = id ? map64_get(&tab->stack_index, id) : MAP64_NONE;
	struct table_stack *s;

	if (i == MAP64_NONE)
		return 0;
	s = &tab->stacks[i];
	if (s->id != UINT32_MAX)
		return s->id;
	ALLOC_GROW(t->stacks, t->nr_stacks + 1, t->alloc_stacks);
	t->stacks[t->nr_stacks] = (struct trace_stack){(uint32_t)t->nr_frames, s->nr};
	s->id = (uint32_t)t->nr_stacks++;
	for (uint32_t k = 0; k < s->nr; k++) {
		const struct table_frame *f = &tab->frames[tab->stack_frames[s->first + k]];

		ALLOC_GROW(t->frames, t->nr_frames + 1, t->alloc_frames);
		t->frames[t->nr_frames++] = (struct trace_frame){
			.pc = f->pc, .func = tables_string(r, f->func), .file = tables_string(r, f->file),
			.line = (uint32_t)f->line,
		};
	}
	return s->id;
}
