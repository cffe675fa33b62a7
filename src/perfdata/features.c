/*
 * The features of the header: sections after the data in file form, records in
 * pipe form, the same bytes in both.
 * Source: tools/perf/util/header.c (process_*), perf.data-file-format.txt.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "perfdata/internal.h"

/* Lines kept for `info -v`: topologies of the largest machines take a few thousand. */
#define MAX_TEXT 65536

#define BUILD_ID_MISC_SIZE (1u << 15) /* PERF_RECORD_MISC_BUILD_ID_SIZE */

#define FOREACH_FEATURE(X)                                                     \
	X(1, TRACING_DATA) X(2, BUILD_ID) X(3, HOSTNAME) X(4, OSRELEASE)       \
	X(5, VERSION) X(6, ARCH) X(7, NRCPUS) X(8, CPUDESC) X(9, CPUID)        \
	X(10, TOTAL_MEM) X(11, CMDLINE) X(12, EVENT_DESC) X(13, CPU_TOPOLOGY)  \
	X(14, NUMA_TOPOLOGY) X(15, BRANCH_STACK) X(16, PMU_MAPPINGS)           \
	X(17, GROUP_DESC) X(18, AUXTRACE) X(19, STAT) X(20, CACHE)             \
	X(21, SAMPLE_TIME) X(22, MEM_TOPOLOGY) X(23, CLOCKID) X(24, DIR_FORMAT) \
	X(25, BPF_PROG_INFO) X(26, BPF_BTF) X(27, COMPRESSED)                  \
	X(28, CPU_PMU_CAPS) X(29, CLOCK_DATA) X(30, HYBRID_TOPOLOGY)           \
	X(31, PMU_CAPS)

enum feature {
#define X(number, name) FEATURE_##name = number,
	FOREACH_FEATURE(X)
#undef X
};

static void text(struct perfdata *pd, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void text(struct perfdata *pd, const char *fmt, ...)
{
	struct perf_features *f = &pd->features;
	char line[512];
	va_list ap;

	if (f->nr_text == MAX_TEXT)
		return;
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	ALLOC_GROW(f->text, f->nr_text + 1, f->alloc_text);
	f->text[f->nr_text++] = arena_strndup(&pd->strings, line, strlen(line));
}

/* do_read_string: a length, then so many bytes, NUL-padded. */
static const char *string(struct perfdata *pd, struct cursor *c)
{
	uint32_t len = cursor_u32(c);
	const char *s = cursor_take(c, len);

	return s ? arena_strndup(&pd->strings, s, strnlen(s, len)) : "";
}

static void read_string(struct perfdata *pd, struct cursor *c, const char *name, const char **to)
{
	*to = string(pd, c);
	text(pd, "%s: %s", name, *to);
}

static void read_cmdline(struct perfdata *pd, struct cursor *c)
{
	uint32_t nr = cursor_u32(c);
	size_t alloc = cursor_left(c) + 1, at = 0;
	char *line = xmalloc(alloc);

	line[0] = '\0';
	for (uint32_t i = 0; i < nr && !c->failed; i++) {
		int n = snprintf(line + at, alloc - at, "%s%s", i ? " " : "", string(pd, c));

		if (n < 0 || (size_t)n >= alloc - at)
			break;
		at += (size_t)n;
	}
	pd->features.cmdline = arena_strndup(&pd->strings, line, at);
	text(pd, "cmdline: %s", pd->features.cmdline);
	free(line);
}

/* The attr that an EVENT_DESC entry speaks of: by its ids, else the nth. */
static struct perf_attr *described(struct perfdata *pd, struct cursor *c, uint32_t nr_ids, uint32_t n)
{
	struct perf_attr *a = NULL;

	for (uint32_t i = 0; i < nr_ids && !c->failed; i++) {
		struct perf_attr *b = attr_by_id(pd, cursor_u64(c));

		if (b)
			a = b;
	}
	if (!a && n < pd->nr_attrs)
		a = pd->attrs[n];
	return a;
}

static void read_event_desc(struct perfdata *pd, struct cursor *c)
{
	uint32_t nr = cursor_u32(c), size = cursor_u32(c);

	for (uint32_t i = 0; i < nr && !c->failed; i++) {
		uint32_t nr_ids;
		const char *name;
		struct perf_attr *a;

		cursor_take(c, size);
		nr_ids = cursor_u32(c);
		name = string(pd, c);
		a = described(pd, c, nr_ids, i);
		if (a && *name && !c->failed) {
			a->name = name;
			a->name_made = false;
		}
		text(pd, "event: %s, %" PRIu32 " ids", name, nr_ids);
	}
}

static void read_string_list(struct perfdata *pd, struct cursor *c, const char *name)
{
	uint32_t nr = cursor_u32(c);

	for (uint32_t i = 0; i < nr && !c->failed; i++)
		text(pd, "%s: %s", name, string(pd, c));
}

static void read_numa(struct perfdata *pd, struct cursor *c)
{
	uint32_t nr = cursor_u32(c);

	for (uint32_t i = 0; i < nr && !c->failed; i++) {
		uint32_t node = cursor_u32(c);
		uint64_t total = cursor_u64(c), left = cursor_u64(c);
		const char *cpus = string(pd, c);

		text(pd, "NUMA node %" PRIu32 ": cpus %s, %" PRIu64 " KiB, %" PRIu64 " KiB free", node,
		     cpus, total, left);
	}
}

static void read_pmu_mappings(struct perfdata *pd, struct cursor *c)
{
	uint32_t nr = cursor_u32(c);

	for (uint32_t i = 0; i < nr && !c->failed; i++) {
		uint32_t type = cursor_u32(c);

		text(pd, "pmu %" PRIu32 ": %s", type, string(pd, c));
	}
}

static void read_groups(struct perfdata *pd, struct cursor *c)
{
	uint32_t nr = cursor_u32(c);

	for (uint32_t i = 0; i < nr && !c->failed; i++) {
		const char *name = string(pd, c);
		uint32_t leader = cursor_u32(c), members = cursor_u32(c);

		text(pd, "group %s: leader %" PRIu32 ", %" PRIu32 " members", name, leader, members);
	}
}

static void read_clock_data(struct perfdata *pd, struct cursor *c)
{
	struct perf_features *f = &pd->features;

	cursor_u32(c); /* version, 1 so far */
	f->clock_id = cursor_u32(c);
	f->wall_ns = cursor_u64(c);
	f->clock_ns = cursor_u64(c);
	f->has_clock_data = !c->failed;
	text(pd, "clock data: clock %" PRIu32 ", wall %" PRIu64 " ns at %" PRIu64 " ns", f->clock_id,
	     f->wall_ns, f->clock_ns);
}

static void read_compressed(struct perfdata *pd, struct cursor *c)
{
	struct perf_features *f = &pd->features;

	cursor_u32(c); /* version */
	f->comp_type = cursor_u32(c);
	f->comp_level = cursor_u32(c);
	f->comp_ratio = cursor_u32(c);
	cursor_u32(c); /* mmap_len */
	text(pd, "compressed: %s level %" PRIu32 ", ratio %" PRIu32,
	     f->comp_type == 1 ? "zstd" : "unknown", f->comp_level, f->comp_ratio);
}

static void read_sample_time(struct perfdata *pd, struct cursor *c)
{
	pd->features.sample_time_first = cursor_u64(c);
	pd->features.sample_time_last = cursor_u64(c);
	text(pd, "sample time: %" PRIu64 " to %" PRIu64 " ns", pd->features.sample_time_first,
	     pd->features.sample_time_last);
}

/* --- build-ids ------------------------------------------------------------------- */

static uint8_t without_padding(const uint8_t *id, uint8_t size)
{
	while (size && !id[size - 1])
		size--;
	return size;
}

static void add_build_id(struct perfdata *pd, int32_t pid, uint16_t misc, const uint8_t *id,
			 uint8_t size, const char *path, size_t len)
{
	struct perf_build_id *b;

	ALLOC_GROW(pd->build_ids, pd->nr_build_ids + 1, pd->alloc_build_ids);
	b = &pd->build_ids[pd->nr_build_ids++];
	*b = (struct perf_build_id){.pid = pid, .misc = misc, .size = without_padding(id, size)};
	memcpy(b->id, id, sizeof(b->id));
	b->path = arena_strndup(&pd->strings, path, len);
}

/* quirk: files of perf before 3.0 have no pid (perf_header__read_build_ids_abi_quirk) */
static bool build_id_entry(struct perfdata *pd, struct cursor *c, uint16_t misc, bool quirk)
{
	int32_t pid = quirk ? -1 : (int32_t)cursor_u32(c);
	const uint8_t *id = cursor_take(c, 24);
	size_t left = cursor_left(c);
	const char *path = cursor_take(c, left);
	uint8_t size = 20;

	if (!id || !path)
		return false;
	if (misc & BUILD_ID_MISC_SIZE && id[20] <= 20)
		size = id[20];
	add_build_id(pd, pid, misc, id, size, path, strnlen(path, left));
	return true;
}

static bool has_quirk(struct perfdata *pd, struct cursor c)
{
	while (cursor_left(&c) >= RECORD_HEADER_SIZE + 28) {
		const uint8_t *head = cursor_take(&c, RECORD_HEADER_SIZE);
		uint16_t size = load16(head + 6, pd->swap);
		struct cursor body;

		if (size < RECORD_HEADER_SIZE + 28)
			return false;
		body = c;
		if (!cursor_take(&c, size - RECORD_HEADER_SIZE))
			return false;
		body.end = body.p + (size - RECORD_HEADER_SIZE);
		if (cursor_left(&body) >= 28 + 14 && !memcmp(body.p + 28, "nel.kallsyms]", 14))
			return true;
	}
	return false;
}

static void read_build_ids(struct perfdata *pd, struct cursor *c)
{
	bool quirk = has_quirk(pd, *c);

	while (cursor_left(c) > 0 && !c->failed) {
		const uint8_t *head = cursor_take(c, RECORD_HEADER_SIZE);
		uint16_t misc, size;
		struct cursor body;

		if (!head)
			return;
		misc = load16(head + 4, pd->swap);
		size = load16(head + 6, pd->swap);
		body = *c;
		if (size < RECORD_HEADER_SIZE || !cursor_take(c, size - RECORD_HEADER_SIZE)) {
			c->failed = true;
			return;
		}
		body.end = body.p + (size - RECORD_HEADER_SIZE);
		if (!build_id_entry(pd, &body, misc, quirk))
			c->failed = true;
	}
}

void build_id_record(struct perfdata *pd, const uint8_t *data, size_t size, uint64_t offset)
{
	struct cursor c = cursor_make(data + RECORD_HEADER_SIZE, size - RECORD_HEADER_SIZE,
				      offset + RECORD_HEADER_SIZE, pd->swap);

	if (!build_id_entry(pd, &c, load16(data + 4, pd->swap), false))
		damage_add(&pd->damage, DAMAGE_RECORD_CUT, offset);
}

/* --- all of them ------------------------------------------------------------------- */

static const char *feature_name(unsigned id)
{
	switch (id) {
#define X(number, name)                                                        \
	case number:                                                           \
		return #name;
		FOREACH_FEATURE(X)
#undef X
	}
	return NULL;
}

void feature_read(struct perfdata *pd, unsigned id, const uint8_t *data, size_t size, uint64_t offset)
{
	struct cursor c = cursor_make(data, size, offset, pd->swap);
	struct perf_features *f = &pd->features;
	const char *name = feature_name(id);

	switch (id) {
	case FEATURE_TRACING_DATA:
		tracing_read(pd, data, size, offset);
		text(pd, "tracing data: %zu bytes, %zu tracepoints", size, pd->nr_tracepoints);
		break;
	case FEATURE_BUILD_ID:
		read_build_ids(pd, &c);
		break;
	case FEATURE_HOSTNAME:
		read_string(pd, &c, "hostname", &f->hostname);
		break;
	case FEATURE_OSRELEASE:
		read_string(pd, &c, "os release", &f->osrelease);
		break;
	case FEATURE_VERSION:
		read_string(pd, &c, "perf version", &f->version);
		break;
	case FEATURE_ARCH:
		read_string(pd, &c, "arch", &f->arch);
		break;
	case FEATURE_NRCPUS:
		f->cpus_available = cursor_u32(&c);
		f->cpus_online = cursor_u32(&c);
		text(pd, "cpus: %" PRIu32 " online of %" PRIu32, f->cpus_online, f->cpus_available);
		break;
	case FEATURE_CPUDESC:
		read_string(pd, &c, "cpu", &f->cpudesc);
		break;
	case FEATURE_CPUID:
		read_string(pd, &c, "cpuid", &f->cpuid);
		break;
	case FEATURE_TOTAL_MEM:
		f->total_mem_kb = cursor_u64(&c);
		text(pd, "memory: %" PRIu64 " KiB", f->total_mem_kb);
		break;
	case FEATURE_CMDLINE:
		read_cmdline(pd, &c);
		break;
	case FEATURE_EVENT_DESC:
		read_event_desc(pd, &c);
		break;
	case FEATURE_CPU_TOPOLOGY:
		read_string_list(pd, &c, "sibling cores");
		if (!c.failed)
			read_string_list(pd, &c, "sibling threads");
		break; /* what follows differs between versions and is not needed */
	case FEATURE_NUMA_TOPOLOGY:
		read_numa(pd, &c);
		break;
	case FEATURE_PMU_MAPPINGS:
		read_pmu_mappings(pd, &c);
		break;
	case FEATURE_GROUP_DESC:
		read_groups(pd, &c);
		break;
	case FEATURE_SAMPLE_TIME:
		read_sample_time(pd, &c);
		break;
	case FEATURE_CLOCKID:
		f->clockid_res_ns = cursor_u64(&c);
		text(pd, "clock resolution: %" PRIu64 " ns", f->clockid_res_ns);
		break;
	case FEATURE_DIR_FORMAT:
		f->dir_version = cursor_u64(&c);
		text(pd, "directory format: %" PRIu64, f->dir_version);
		break;
	case FEATURE_COMPRESSED:
		read_compressed(pd, &c);
		break;
	case FEATURE_CLOCK_DATA:
		read_clock_data(pd, &c);
		break;
	default:
		if (name)
			text(pd, "%s: %zu bytes", name, size);
		else
			text(pd, "unknown feature %u: %zu bytes", id, size);
	}
	if (c.failed)
		damage_add(&pd->damage, DAMAGE_FEATURE, cursor_offset(&c));
}
