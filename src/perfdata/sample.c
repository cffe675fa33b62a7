/*
 * SAMPLE records: every field in the kernel's order, without copying.
 * Source: kernel/events/core.c, perf_output_sample(); uapi perf_event.h.
 */
#include "perfdata/internal.h"

#define BRANCH_COUNTERS (UINT64_C(1) << 19) /* PERF_SAMPLE_BRANCH_COUNTERS */

static int find_attr(const struct perfdata *pd, const struct perfdata_record *rec, uint32_t *index)
{
	uint32_t i;

	*index = 0;
	if (pd->nr_attrs == 1)
		return 0;
	if (!pd->nr_attrs)
		return DAMAGE_SAMPLE_ID;
	if (pd->id_offset < 0)
		return 0; /* no ids at all: perf takes the first event */
	if (rec->size - RECORD_HEADER_SIZE < (size_t)pd->id_offset + 8)
		return DAMAGE_SAMPLE_CUT;
	i = map64_get(&pd->ids, perfdata_load64(rec->data + RECORD_HEADER_SIZE + pd->id_offset, pd->swap));
	if (i == MAP64_NONE)
		return DAMAGE_SAMPLE_ID;
	*index = i;
	return 0;
}

int perfdata_sample_ids(const struct perfdata *pd, const struct perfdata_record *rec,
			struct perf_sample_id *out)
{
	const struct perf_attr *a;
	struct cursor c = record_body(pd, rec);
	uint32_t index;
	int r = find_attr(pd, rec, &index);

	*out = (struct perf_sample_id){0};
	if (r)
		return r;
	out->attr = a = pd->attrs[index];
	if (a->sample_type & PERF_SAMPLE_IDENTIFIER)
		cursor_u64(&c);
	if (a->sample_type & PERF_SAMPLE_IP)
		cursor_u64(&c);
	if (a->sample_type & PERF_SAMPLE_TID) {
		out->pid = cursor_u32(&c);
		out->tid = cursor_u32(&c);
	}
	if (a->sample_type & PERF_SAMPLE_TIME)
		out->time = cursor_u64(&c);
	return c.failed ? DAMAGE_SAMPLE_CUT : 0;
}

/* An array of nr u64 that must fit into what is left. */
static const uint8_t *take_u64s(struct cursor *c, uint64_t nr)
{
	if (nr > cursor_left(c) / 8) {
		c->failed = true;
		return NULL;
	}
	return cursor_take(c, (size_t)nr * 8);
}

/* struct read_format; the value of the sample's own event is kept. */
static bool take_read(struct cursor *c, const struct perf_attr *a, struct perf_sample *s)
{
	uint64_t rf = a->read_format, nr, entry;

	if (!(rf & PERF_FORMAT_GROUP)) {
		s->read_value = cursor_u64(c);
		take_u64s(c, (uint64_t)__builtin_popcountll(rf & (PERF_FORMAT_TOTAL_TIME_ENABLED |
								  PERF_FORMAT_TOTAL_TIME_RUNNING |
								  PERF_FORMAT_ID | PERF_FORMAT_LOST)));
		return !c->failed;
	}
	nr = cursor_u64(c);
	take_u64s(c, (uint64_t)__builtin_popcountll(
			     rf & (PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING)));
	entry = 1 + (uint64_t)__builtin_popcountll(rf & (PERF_FORMAT_ID | PERF_FORMAT_LOST));
	if (c->failed || nr > cursor_left(c) / 8 / entry)
		return false;
	for (uint64_t i = 0; i < nr; i++) {
		uint64_t value = cursor_u64(c), id = rf & PERF_FORMAT_ID ? cursor_u64(c) : 0;

		if (rf & PERF_FORMAT_LOST)
			cursor_u64(c);
		if (!i || id == s->id)
			s->read_value = value;
	}
	return true;
}

static bool take_branches(struct cursor *c, const struct perf_attr *a, struct perf_sample *s)
{
	s->branches_nr = cursor_u64(c);
	if (a->branch_hw_idx)
		cursor_u64(c);
	if (c->failed || s->branches_nr > cursor_left(c) / 24)
		return false;
	s->branches = cursor_take(c, (size_t)s->branches_nr * 24);
	if (a->branch_sample_type & BRANCH_COUNTERS)
		take_u64s(c, s->branches_nr);
	return !c->failed;
}

static bool take_regs(struct cursor *c, uint64_t mask, uint64_t *abi, uint64_t *out_mask,
		      const uint8_t **regs)
{
	*abi = cursor_u64(c);
	if (*abi) {
		*out_mask = mask;
		*regs = take_u64s(c, (uint64_t)__builtin_popcountll(mask));
	}
	return !c->failed;
}

static bool take_stack(struct cursor *c, struct perf_sample *s)
{
	s->stack_requested = cursor_u64(c);
	if (c->failed || !s->stack_requested)
		return !c->failed;
	if (s->stack_requested > cursor_left(c))
		return false;
	s->stack = cursor_take(c, (size_t)s->stack_requested);
	s->stack_size = cursor_u64(c);
	return !c->failed && s->stack_size <= s->stack_requested;
}

/* What comes after the fixed-size fields and may carry counts that lie. */
static bool take_variable(struct cursor *c, const struct perf_attr *a, struct perf_sample *s)
{
	uint64_t st = a->sample_type;

	if (st & PERF_SAMPLE_READ && !take_read(c, a, s))
		return false;
	if (st & PERF_SAMPLE_CALLCHAIN) {
		s->callchain_nr = cursor_u64(c);
		s->callchain = take_u64s(c, s->callchain_nr);
	}
	if (st & PERF_SAMPLE_RAW) {
		s->raw_size = cursor_u32(c);
		s->raw = cursor_take(c, s->raw_size);
	}
	if (st & PERF_SAMPLE_BRANCH_STACK && !take_branches(c, a, s))
		return false;
	if (st & PERF_SAMPLE_REGS_USER &&
	    !take_regs(c, a->sample_regs_user, &s->regs_abi, &s->regs_mask, &s->regs))
		return false;
	return !c->failed && (!(st & PERF_SAMPLE_STACK_USER) || take_stack(c, s));
}

static void take_rest(struct cursor *c, const struct perf_attr *a, struct perf_sample *s)
{
	uint64_t st = a->sample_type;

	if (st & (PERF_SAMPLE_WEIGHT | PERF_SAMPLE_WEIGHT_STRUCT))
		s->weight = cursor_u64(c);
	if (st & PERF_SAMPLE_DATA_SRC)
		s->data_src = cursor_u64(c);
	if (st & PERF_SAMPLE_TRANSACTION)
		s->transaction = cursor_u64(c);
	if (st & PERF_SAMPLE_REGS_INTR)
		take_regs(c, a->sample_regs_intr, &s->regs_intr_abi, &s->regs_intr_mask, &s->regs_intr);
	if (st & PERF_SAMPLE_PHYS_ADDR)
		s->phys_addr = cursor_u64(c);
	if (st & PERF_SAMPLE_CGROUP)
		s->cgroup = cursor_u64(c);
	if (st & PERF_SAMPLE_DATA_PAGE_SIZE)
		s->data_page_size = cursor_u64(c);
	if (st & PERF_SAMPLE_CODE_PAGE_SIZE)
		s->code_page_size = cursor_u64(c);
	if (st & PERF_SAMPLE_AUX) {
		s->aux_size = cursor_u64(c);
		if (s->aux_size > cursor_left(c))
			c->failed = true;
	}
}

int perfdata_sample(const struct perfdata *pd, const struct perfdata_record *rec, struct perf_sample *s)
{
	struct cursor c = record_body(pd, rec);
	const struct perf_attr *a;
	uint64_t st;
	uint32_t index;
	int r = find_attr(pd, rec, &index);

	if (r)
		return r;
	a = pd->attrs[index];
	st = a->sample_type;
	*s = (struct perf_sample){.attr = a, .attr_index = index, .sample_type = st,
				  .pid = UINT32_MAX, .tid = UINT32_MAX, /* perf's -1 */
				  .cpumode = rec->misc & PERF_MISC_CPUMODE_MASK};
	if (st & PERF_SAMPLE_IDENTIFIER)
		s->id = cursor_u64(&c);
	if (st & PERF_SAMPLE_IP)
		s->ip = cursor_u64(&c);
	if (st & PERF_SAMPLE_TID) {
		s->pid = cursor_u32(&c);
		s->tid = cursor_u32(&c);
	}
	if (st & PERF_SAMPLE_TIME)
		s->time = cursor_u64(&c);
	if (st & PERF_SAMPLE_ADDR)
		s->addr = cursor_u64(&c);
	if (st & PERF_SAMPLE_ID)
		s->id = cursor_u64(&c);
	if (st & PERF_SAMPLE_STREAM_ID)
		s->stream_id = cursor_u64(&c);
	if (st & PERF_SAMPLE_CPU) {
		s->cpu = cursor_u32(&c);
		cursor_u32(&c);
	}
	if (st & PERF_SAMPLE_PERIOD)
		s->period = cursor_u64(&c);
	s->weight_period = st & PERF_SAMPLE_PERIOD ? s->period
			   : a->freq || !a->sample_period_or_freq ? 1
								  : a->sample_period_or_freq;
	if (c.failed)
		return DAMAGE_SAMPLE_CUT;
	if (!take_variable(&c, a, s))
		return DAMAGE_SAMPLE_COUNT;
	take_rest(&c, a, s);
	return c.failed ? DAMAGE_SAMPLE_CUT : 0;
}
