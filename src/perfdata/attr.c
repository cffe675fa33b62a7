/*
 * struct perf_event_attr of any size, and the names of events.
 * Source: include/uapi/linux/perf_event.h; tools/perf/util/evsel.c (names).
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "perfdata/internal.h"

/* Largest attr the kernel accepts (PERF_ATTR_SIZE max is one page). */
#define ATTR_SIZE_MAX 4096

#define KNOWN_SAMPLE_BITS ((UINT64_C(1) << 25) - 1)
#define KNOWN_READ_BITS 31u
#define PERF_SAMPLE_BRANCH_HW_INDEX (UINT64_C(1) << 17)

/*
 * The flags are a bit field: on a foreign byte order each byte's bits are
 * reversed and the bytes are in file order (perf_event__attr_swap).
 */
static uint64_t load_flags(const uint8_t *p, bool swap)
{
	uint64_t v = 0;

	for (int i = 0; i < 8; i++) {
		uint8_t b = p[i];

		if (swap)
			b = (uint8_t)((b * UINT64_C(0x0202020202) & UINT64_C(0x010884422010)) % 1023);
		v |= (uint64_t)b << (8 * i);
	}
	return v;
}

static void decode(struct perf_attr *a, const uint8_t *raw, bool swap)
{
	uint64_t flags = load_flags(raw + 40, swap);

	a->type = load32(raw, swap);
	a->config = perfdata_load64(raw + 8, swap);
	a->sample_period_or_freq = perfdata_load64(raw + 16, swap);
	a->sample_type = perfdata_load64(raw + 24, swap);
	a->read_format = perfdata_load64(raw + 32, swap);
	a->disabled = flags & 1;
	a->inherit = flags >> 1 & 1;
	a->exclude_user = flags >> 4 & 1;
	a->exclude_kernel = flags >> 5 & 1;
	a->freq = flags >> 10 & 1;
	a->enable_on_exec = flags >> 12 & 1;
	a->sample_id_all = flags >> 18 & 1;
	a->comm_exec = flags >> 24 & 1;
	a->use_clockid = flags >> 25 & 1;
	a->context_switch = flags >> 26 & 1;
	a->branch_sample_type = perfdata_load64(raw + 72, swap);
	a->sample_regs_user = perfdata_load64(raw + 80, swap);
	a->sample_stack_user = load32(raw + 88, swap);
	a->clockid = (int32_t)load32(raw + 92, swap);
	a->bp_type = load32(raw + 52, swap);
	a->config1 = perfdata_load64(raw + 56, swap);
	a->sample_regs_intr = perfdata_load64(raw + 96, swap);
	a->branch_hw_idx = (a->branch_sample_type & PERF_SAMPLE_BRANCH_HW_INDEX) != 0;
}


struct perf_attr *attr_add(struct perfdata *pd, const uint8_t *data, size_t size, uint64_t offset,
			   struct error *e)
{
	uint8_t raw[136] = {0};
	struct perf_attr *a;
	uint64_t unknown;

	if (size > ATTR_SIZE_MAX) {
		error_set(e, EXIT_CODE_INPUT, "%s: event attribute of %zu bytes, at offset %#" PRIx64,
			  pd->path, size, offset);
		return NULL;
	}
	memcpy(raw, data, size < sizeof(raw) ? size : sizeof(raw));
	for (size_t i = sizeof(raw); i < size; i++) {
		if (data[i]) {
			/* a field newer than this reader: said, and read on without it */
			damage_add(&pd->damage, DAMAGE_ATTR, offset + i);
			break;
		}
	}
	a = arena_alloc(&pd->strings, sizeof(*a));
	*a = (struct perf_attr){0};
	decode(a, raw, pd->swap);
	unknown = a->sample_type & ~KNOWN_SAMPLE_BITS;
	if (unknown) {
		error_set(e, EXIT_CODE_INPUT,
			  "%s: event attribute at offset %#" PRIx64
			  ": unknown sample_type bit %d, samples cannot be parsed",
			  pd->path, offset, __builtin_ctzll(unknown));
		return NULL;
	}
	if (a->read_format & ~(uint64_t)KNOWN_READ_BITS) {
		error_set(e, EXIT_CODE_INPUT,
			  "%s: event attribute at offset %#" PRIx64 ": unknown read_format %#" PRIx64,
			  pd->path, offset, a->read_format);
		return NULL;
	}
	ALLOC_GROW(pd->attrs, pd->nr_attrs + 1, pd->alloc_attrs);
	pd->attrs[pd->nr_attrs++] = a;
	return a;
}

void attr_add_id(struct perfdata *pd, size_t index, uint64_t id)
{
	struct perf_attr *a = pd->attrs[index];

	ALLOC_GROW(a->ids, a->nr_ids + 1, a->alloc_ids);
	a->ids[a->nr_ids++] = id;
	map64_put(&pd->ids, id, (uint32_t)index);
}

struct perf_attr *attr_by_id(struct perfdata *pd, uint64_t id)
{
	uint32_t i = map64_get(&pd->ids, id);

	return i == MAP64_NONE ? NULL : pd->attrs[i];
}

/* --- names --------------------------------------------------------------------- */

enum { TYPE_HARDWARE, TYPE_SOFTWARE, TYPE_TRACEPOINT, TYPE_HW_CACHE, TYPE_RAW, TYPE_BREAKPOINT };

static const char *const hardware[] = {
	"cycles", "instructions", "cache-references", "cache-misses", "branches", "branch-misses",
	"bus-cycles", "stalled-cycles-frontend", "stalled-cycles-backend", "ref-cycles",
};
static const char *const software[] = {
	"cpu-clock", "task-clock", "page-faults", "context-switches", "cpu-migrations",
	"minor-faults", "major-faults", "alignment-faults", "emulation-faults", "dummy",
	"bpf-output", "cgroup-switches",
};

static const char *cache_name(struct perfdata *pd, uint64_t config)
{
	static const char *const cache[] = {"L1-dcache", "L1-icache", "LLC", "dTLB", "iTLB", "branch", "node"};
	static const char *const op[] = {"load", "store", "prefetch"};
	uint64_t c = config & 0xff, o = config >> 8 & 0xff, result = config >> 16 & 0xff;
	char text[64];

	if (c >= 7 || o >= 3 || result > 1)
		return "invalid-cache";
	if (result)
		snprintf(text, sizeof(text), "%s-%s-misses", cache[c], op[o]);
	else
		snprintf(text, sizeof(text), "%s-%ss", cache[c],
			 o == 2 ? "prefetche" : op[o]);
	return arena_strndup(&pd->strings, text, strlen(text));
}

const char *attr_made_name(struct perfdata *pd, const struct perf_attr *a)
{
	const struct tracepoint *t;
	char text[256];

	switch (a->type) {
	case TYPE_HARDWARE:
		if ((a->config & 0xffffffff) < sizeof(hardware) / sizeof(*hardware))
			return hardware[a->config & 0xffffffff];
		return "unknown-hardware";
	case TYPE_SOFTWARE:
		if (a->config < sizeof(software) / sizeof(*software))
			return software[a->config];
		return "unknown-software";
	case TYPE_TRACEPOINT:
		t = perfdata_tracepoint(pd, a->config);
		if (t)
			snprintf(text, sizeof(text), "%s:%s", t->system, t->name);
		else
			snprintf(text, sizeof(text), "tracepoint-%" PRIu64, a->config);
		break;
	case TYPE_HW_CACHE:
		return cache_name(pd, a->config);
	case TYPE_RAW:
		snprintf(text, sizeof(text), "raw %#" PRIx64, a->config);
		break;
	case TYPE_BREAKPOINT: /* HW_BREAKPOINT_R 1, _W 2, _X 4 */
		snprintf(text, sizeof(text), "mem:%#" PRIx64 ":%s%s%s", a->config1,
			 a->bp_type & 1 ? "r" : "", a->bp_type & 2 ? "w" : "", a->bp_type & 4 ? "x" : "");
		break;
	default:
		snprintf(text, sizeof(text), "pmu-%" PRIu32 "/config=%#" PRIx64 "/", a->type, a->config);
	}
	return arena_strndup(&pd->strings, text, strlen(text));
}

/*
 * Where the id stands. With several events all share the layout up to it
 * (tools/perf/util/evsel.c, __perf_evsel__calc_id_pos and _is_pos).
 */
static void find_id_positions(struct perfdata *pd)
{
	uint64_t st = pd->attrs[0]->sample_type;

	pd->id_offset = -1;
	pd->id_from_end = 0;
	if (st & PERF_SAMPLE_IDENTIFIER) {
		pd->id_offset = 0;
		pd->id_from_end = 8;
	} else if (st & PERF_SAMPLE_ID) {
		pd->id_offset = 8 * __builtin_popcountll(st & (PERF_SAMPLE_IP | PERF_SAMPLE_TID |
							       PERF_SAMPLE_TIME | PERF_SAMPLE_ADDR));
		pd->id_from_end = 8 + 8 * __builtin_popcountll(st & (PERF_SAMPLE_CPU | PERF_SAMPLE_STREAM_ID));
	}
}

void attr_finish(struct perfdata *pd)
{
	if (!pd->nr_attrs)
		return;
	find_id_positions(pd);
	for (; pd->nr_named < pd->nr_attrs; pd->nr_named++) {
		struct perf_attr *a = pd->attrs[pd->nr_named];

		if (!a->name || !*a->name) {
			a->name = attr_made_name(pd, a);
			a->name_made = true;
		}
	}
}
