/*
 * Opening: the forms of the file and its header.
 * Source: tools/perf/util/header.h (struct perf_file_header, perf_pipe_file_header).
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "perfdata/internal.h"

#define MAGIC UINT64_C(0x32454c4946524550) /* "PERFILE2" */
#define MAGIC_SIZE 8
#define PIPE_HEADER_SIZE 16
#define FILE_HEADER_SIZE 104
#define NR_FEATURES 256

bool perfdata_recognise(const void *bytes, size_t n)
{
	uint64_t magic;

	if (n < MAGIC_SIZE)
		return false;
	magic = perfdata_load64(bytes, false);
	return magic == MAGIC || magic == __builtin_bswap64(MAGIC);
}

static int read_attrs(struct perfdata *pd, uint64_t entry, uint64_t offset, uint64_t size,
		      struct error *e)
{
	uint64_t nr, total = 0;

	if (offset > pd->mem_size || size > pd->mem_size - offset)
		return error_set(e, EXIT_CODE_INPUT, "%s: attribute section (offset %#" PRIx64 ", %" PRIu64
				 " bytes) lies outside the file", pd->path, offset, size);
	if (entry < 64 + 16)
		return error_set(e, EXIT_CODE_INPUT, "%s: header: attribute size %" PRIu64, pd->path, entry);
	nr = size / entry;
	if (nr > MAX_ATTRS)
		return error_set(e, EXIT_CODE_LIMIT, "%s: %" PRIu64 " events, more than %d", pd->path, nr, MAX_ATTRS);
	for (uint64_t i = 0; i < nr; i++) {
		const uint8_t *p = pd->mem + offset + i * entry;
		uint64_t ids = perfdata_load64(p + entry - 16, pd->swap);
		uint64_t ids_size = perfdata_load64(p + entry - 8, pd->swap);

		if (!attr_add(pd, p, (size_t)entry - 16, offset + i * entry, e))
			return -1;
		/* its own size field: 0 is the first version's, entries are as large as the largest */
		if (load32(p + 4, pd->swap) && (load32(p + 4, pd->swap) < 64 || load32(p + 4, pd->swap) > entry - 16))
			damage_add(&pd->damage, DAMAGE_ATTR, offset + i * entry + 4);
		/* sections that overlap could ask for far more ids than the file has bytes */
		if (ids > pd->mem_size || ids_size > pd->mem_size - ids || ids_size > pd->mem_size - total) {
			damage_add(&pd->damage, DAMAGE_ATTR, offset + i * entry);
			continue;
		}
		total += ids_size;
		for (uint64_t k = 0; k + 8 <= ids_size; k += 8)
			attr_add_id(pd, (size_t)i, perfdata_load64(pd->mem + ids + k, pd->swap));
	}
	return 0;
}

/* Sections in order of their bits, right after the data. */
static void read_features(struct perfdata *pd, const uint8_t *bits, uint64_t table)
{
	uint64_t words[NR_FEATURES / 64];
	size_t n = 0;

	for (size_t i = 0; i < NR_FEATURES / 64; i++)
		words[i] = perfdata_load64(bits + i * 8, pd->swap);
	/* a 32-bit writer of the other byte order: words of 32 bits (perf_file_header__read) */
	if (pd->swap && !(words[0] & 1u << 3))
		for (size_t i = 0; i < NR_FEATURES / 64; i++)
			words[i] = words[i] >> 32 | words[i] << 32;
	for (unsigned id = 0; id < NR_FEATURES; id++) {
		uint64_t at = table + n * 16, offset, size;

		if (!(words[id / 64] >> (id % 64) & 1))
			continue;
		n++;
		if (at > pd->mem_size || pd->mem_size - at < 16) {
			damage_add(&pd->damage, DAMAGE_FEATURE, at);
			return;
		}
		offset = perfdata_load64(pd->mem + at, pd->swap);
		size = perfdata_load64(pd->mem + at + 8, pd->swap);
		if (offset > pd->mem_size || size > pd->mem_size - offset)
			damage_add(&pd->damage, DAMAGE_FEATURE, at);
		else
			feature_read(pd, id, pd->mem + offset, (size_t)size, offset);
	}
}

static void add_source(struct perfdata *pd, struct source s)
{
	pd->sources = xreallocarray(pd->sources, pd->nr_sources + 1, sizeof(s));
	pd->sources[pd->nr_sources++] = s;
}

int header_read_file(struct perfdata *pd, struct error *e)
{
	const uint8_t *h = pd->mem;
	uint64_t header_size, data, size;

	if (pd->mem_size < PIPE_HEADER_SIZE)
		return error_set(e, EXIT_CODE_INPUT, "%s: header cut short at offset %#zx", pd->path, pd->mem_size);
	pd->swap = perfdata_load64(h, false) != MAGIC;
	header_size = perfdata_load64(h + 8, pd->swap);
	if (header_size == PIPE_HEADER_SIZE) {
		pd->form = PERFDATA_PIPE;
		add_source(pd, (struct source){.data = h + PIPE_HEADER_SIZE, .size = pd->mem_size - PIPE_HEADER_SIZE,
					       .offset = PIPE_HEADER_SIZE, .map.slot = -1});
		return 0;
	}
	if (header_size < FILE_HEADER_SIZE)
		return error_set(e, EXIT_CODE_INPUT, "%s: header of %" PRIu64 " bytes, at offset 0x8", pd->path, header_size);
	if (pd->mem_size < FILE_HEADER_SIZE)
		return error_set(e, EXIT_CODE_INPUT, "%s: header cut short at offset %#zx", pd->path, pd->mem_size);
	if (read_attrs(pd, perfdata_load64(h + 16, pd->swap), perfdata_load64(h + 24, pd->swap),
		       perfdata_load64(h + 32, pd->swap), e) < 0)
		return -1;
	data = perfdata_load64(h + 40, pd->swap);
	size = perfdata_load64(h + 48, pd->swap);
	if (data > pd->mem_size)
		return error_set(e, EXIT_CODE_INPUT, "%s: data section at %#" PRIx64 " lies outside the file", pd->path, data);
	if (!size && data < pd->mem_size) {
		/* perf writes the size when it ends: its recorder was killed */
		damage_add(&pd->damage, DAMAGE_RECORDER_KILLED, 48);
		size = pd->mem_size - data;
	} else if (size > pd->mem_size - data) {
		damage_add(&pd->damage, DAMAGE_FILE_CUT, pd->mem_size);
		size = pd->mem_size - data;
	} else {
		read_features(pd, h + 72, data + size);
	}
	if (pd->nr_attrs)
		attr_finish(pd);
	else
		return error_set(e, EXIT_CODE_INPUT, "%s: no events in the attribute section", pd->path);
	add_source(pd, (struct source){.data = pd->mem + data, .size = (size_t)size, .offset = data, .map.slot = -1});
	return 0;
}

static bool write_all(int fd, const uint8_t *data, size_t n)
{
	while (n) {
		ssize_t r = write(fd, data, n);

		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			return false;
		data += r;
		n -= (size_t)r;
	}
	return true;
}

/* The rest of a stream into a temporary file, after the `n` bytes already taken. */
static int spool(struct perfdata *pd, const uint8_t *head, size_t n, int fd, struct error *e)
{
	size_t size = (size_t)1 << 20;
	uint8_t *buf = xmalloc(size);
	bool ok = write_all(fd, head, n) && write_all(fd, pd->prefix, pd->prefix_left);
	ssize_t r = 1;

	while (ok && r) {
		r = read(pd->fd, buf, size);
		if (r < 0 && errno != EINTR)
			break;
		ok = r <= 0 || write_all(fd, buf, (size_t)r);
		r = r < 0 ? 1 : r;
	}
	free(buf);
	if (r < 0)
		return error_set(e, EXIT_CODE_INPUT, "%s: %s", pd->path, strerror(errno));
	if (!ok)
		return error_set(e, EXIT_CODE_LIMIT, "%s: no room in " P_tmpdir " to keep it: %s", pd->path,
				 strerror(errno));
	return 0;
}

/* What is left of a stream, after the `n` bytes of head, kept in an unnamed temporary file and mapped. */
static int keep(struct perfdata *pd, const uint8_t *head, size_t n, struct error *e)
{
	int fd = file_temporary(), r;

	if (fd < 0)
		return error_set(e, EXIT_CODE_LIMIT, "%s: no temporary file to keep it: %s", pd->path,
				 strerror(errno));
	r = spool(pd, head, n, fd, e);
	if (!r)
		r = file_map_descriptor(&pd->map, fd, pd->path, e);
	close(fd);
	return r;
}

static void use_map(struct perfdata *pd)
{
	pd->fd = -1;
	pd->prefix_left = 0;
	pd->mem = pd->map.data;
	pd->mem_size = pd->map.size;
}

int header_keep_stream(struct perfdata *pd, struct error *e)
{
	uint64_t head[2] = {MAGIC, PIPE_HEADER_SIZE};

	if (pd->swap)
		for (int i = 0; i < 2; i++)
			head[i] = __builtin_bswap64(head[i]);
	if (keep(pd, (const uint8_t *)head, sizeof(head), e) < 0)
		return -1;
	use_map(pd);
	pd->nr_sources = 0;
	return header_read_file(pd, e);
}

/*
 * File form from a descriptor: its tables stand behind the data. A regular file
 * is mapped; what comes through a pipe is kept in an unnamed temporary file.
 */
static int open_file_form(struct perfdata *pd, const uint8_t *head, size_t n, off_t taken, struct error *e)
{
	int r = lseek(pd->fd, 0, SEEK_CUR) == taken ? file_map_descriptor(&pd->map, pd->fd, pd->path, e)
						    : keep(pd, head, n, e);

	use_map(pd);
	return r < 0 ? r : header_read_file(pd, e);
}

static int read_stream_header(struct perfdata *pd, struct error *e)
{
	uint8_t head[PIPE_HEADER_SIZE];
	size_t n = 0, prefix = pd->prefix_left;

	while (n < sizeof(head)) {
		ssize_t r;

		if (pd->prefix_left) {
			head[n++] = *pd->prefix++;
			pd->prefix_left--;
			continue;
		}
		r = read(pd->fd, head + n, sizeof(head) - n);
		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			break;
		n += (size_t)r;
	}
	if (n < sizeof(head) || !perfdata_recognise(head, n))
		return error_set(e, EXIT_CODE_INPUT, "%s: %s", pd->path,
				 n ? "not a perf.data" : "empty input");
	pd->swap = perfdata_load64(head, false) != MAGIC;
	if (perfdata_load64(head + 8, pd->swap) != PIPE_HEADER_SIZE)
		return open_file_form(pd, head, n, (off_t)(prefix > n ? prefix : n), e);
	pd->form = PERFDATA_PIPE;
	pd->stream_offset = sizeof(head);
	add_source(pd, (struct source){.map.slot = -1});
	return 0;
}

/* --- directories of perf record --threads ----------------------------------------- */

static int is_data_file(const struct dirent *d)
{
	return !strncmp(d->d_name, "data.", 5);
}

static int open_directory(struct perfdata *pd, struct error *e)
{
	char *name = xasprintf("%s/data", pd->path);
	struct dirent **list = NULL;
	int n, r;

	r = file_map_open(&pd->map, name, e);
	free(name);
	if (r < 0)
		return -1;
	pd->mem = pd->map.data;
	pd->mem_size = pd->map.size;
	if (!perfdata_recognise(pd->mem, pd->mem_size))
		return error_set(e, EXIT_CODE_INPUT, "%s/data: not a perf.data", pd->path);
	if (header_read_file(pd, e) < 0)
		return -1;
	pd->form = PERFDATA_DIR;
	n = scandir(pd->path, &list, is_data_file, versionsort);
	if (n < 0)
		return error_set(e, EXIT_CODE_INPUT, "%s: %s", pd->path, strerror(errno));
	for (int i = 0; i < n; i++) {
		struct source s = {0};

		name = xasprintf("%s/%s", pd->path, list[i]->d_name);
		r = r < 0 ? r : file_map_open(&s.map, name, e);
		free(name);
		free(list[i]);
		if (r < 0)
			continue;
		s.data = s.map.data;
		s.size = s.map.size;
		add_source(pd, s);
	}
	free(list);
	return r;
}

/* --- open and close ---------------------------------------------------------------- */

static struct perfdata *new_perfdata(const char *path)
{
	struct perfdata *pd = xcalloc(1, sizeof(*pd));

	pd->path = xstrdup(path);
	pd->fd = -1;
	pd->map.slot = -1;
	pd->id_offset = -1;
	pd->features.hostname = pd->features.osrelease = pd->features.version = pd->features.arch = "";
	pd->features.cpudesc = pd->features.cpuid = pd->features.cmdline = "";
	return pd;
}

static int open_path(struct perfdata *pd, struct error *e)
{
	struct stat st;

	if (stat(pd->path, &st) == 0 && S_ISDIR(st.st_mode))
		return open_directory(pd, e);
	if (file_map_open(&pd->map, pd->path, e) < 0)
		return -1;
	pd->mem = pd->map.data;
	pd->mem_size = pd->map.size;
	if (!pd->mem_size)
		return error_set(e, EXIT_CODE_INPUT, "%s: empty file", pd->path);
	if (!perfdata_recognise(pd->mem, pd->mem_size))
		return error_set(e, EXIT_CODE_INPUT, "%s: not a perf.data", pd->path);
	return header_read_file(pd, e);
}

struct perfdata *perfdata_open(const char *path, int fd, const void *prefix, size_t prefix_size,
			       struct error *e)
{
	struct perfdata *pd = new_perfdata(path);
	int r;

	if (fd < 0 && strcmp(path, "-") != 0) {
		r = open_path(pd, e);
	} else {
		pd->fd = fd < 0 ? STDIN_FILENO : fd;
		pd->prefix = prefix;
		pd->prefix_left = prefix_size;
		r = read_stream_header(pd, e);
	}
	if (r == 0)
		return pd;
	perfdata_close(pd);
	return NULL;
}

struct perfdata *perfdata_open_memory(const char *name, const void *data, size_t size, struct error *e)
{
	struct perfdata *pd = new_perfdata(name);

	pd->mem = data;
	pd->mem_size = size;
	if (!perfdata_recognise(data, size))
		error_set(e, EXIT_CODE_INPUT, "%s: not a perf.data", name);
	else if (header_read_file(pd, e) == 0)
		return pd;
	perfdata_close(pd);
	return NULL;
}

void perfdata_close(struct perfdata *pd)
{
	for (size_t i = 0; i < pd->nr_attrs; i++)
		free(pd->attrs[i]->ids);
	for (size_t i = 0; i < pd->nr_sources; i++)
		file_map_close(&pd->sources[i].map);
	free(pd->sources);
	while (pd->nr_spares)
		free(pd->spares[--pd->nr_spares].data);
	file_map_close(&pd->map);
	free(pd->attrs);
	map64_release(&pd->ids);
	map64_release(&pd->tracepoint_ids);
	free(pd->tracepoints);
	free(pd->tracing.data);
	free(pd->carry);
	free(pd->raw.data);
	free(pd->build_ids);
	free(pd->features.text);
	free(pd->stats.records);
	ZSTD_freeDStream(pd->zstd);
	arena_release(&pd->strings);
	free(pd->path);
	free(pd);
}

/* --- what it says about itself -------------------------------------------------------- */

enum perfdata_form perfdata_form(const struct perfdata *pd)
{
	return pd->form;
}

bool perfdata_compressed(const struct perfdata *pd)
{
	return pd->compressed || pd->features.comp_type;
}

bool perfdata_swapped(const struct perfdata *pd)
{
	return pd->swap;
}

uint64_t perfdata_size(const struct perfdata *pd)
{
	uint64_t size = pd->map.size;

	for (size_t i = 0; i < pd->nr_sources; i++)
		size += pd->sources[i].map.size;
	return size;
}

const char *perfdata_path(const struct perfdata *pd)
{
	return pd->path;
}

size_t perfdata_nr_attrs(const struct perfdata *pd)
{
	return pd->nr_attrs;
}

const struct perf_attr *perfdata_attr(const struct perfdata *pd, size_t index)
{
	return pd->attrs[index];
}

const struct perf_features *perfdata_features(const struct perfdata *pd)
{
	return &pd->features;
}

size_t perfdata_nr_build_ids(const struct perfdata *pd)
{
	return pd->nr_build_ids;
}

const struct perf_build_id *perfdata_build_id(const struct perfdata *pd, size_t index)
{
	return &pd->build_ids[index];
}

const struct perfdata_stats *perfdata_stats(const struct perfdata *pd)
{
	return &pd->stats;
}

void perfdata_forget(const struct perfdata *pd, size_t part, size_t parts)
{
	file_map_forget(&pd->map, part, parts);
	for (size_t i = 0; i < pd->nr_sources; i++)
		file_map_forget(&pd->sources[i].map, part, parts);
}

struct damage *perfdata_damage(struct perfdata *pd)
{
	bool shrank = file_map_shrank(&pd->map);

	for (size_t i = 0; i < pd->nr_sources; i++)
		shrank |= file_map_shrank(&pd->sources[i].map);
	if (shrank && !pd->damage.kind[DAMAGE_FILE_SHRANK].count)
		damage_add(&pd->damage, DAMAGE_FILE_SHRANK, 0);
	return &pd->damage;
}

/* The ARCH feature (uname -m), else what the dumped registers tell. */
enum perf_arch perfdata_arch(const struct perfdata *pd)
{
	static const struct {
		const char *name;
		enum perf_arch arch;
	} names[] = {
		{"x86_64", PERF_ARCH_X86_64}, {"aarch64", PERF_ARCH_ARM64}, {"i386", PERF_ARCH_X86_32},
		{"i486", PERF_ARCH_X86_32},   {"i586", PERF_ARCH_X86_32},   {"i686", PERF_ARCH_X86_32},
		{"armv7l", PERF_ARCH_ARM32},  {"armv8l", PERF_ARCH_ARM32},
	};
	const char *arch = pd->features.arch;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!strcmp(arch, names[i].name))
			return names[i].arch;
	if (*arch)
		return PERF_ARCH_OTHER;
	for (size_t i = 0; i < pd->nr_attrs; i++) {
		uint64_t regs = pd->attrs[i]->sample_regs_user;

		if (regs == 0xff0fff)
			return PERF_ARCH_X86_64;
		if ((regs & UINT64_C(0x1ffffffff)) == UINT64_C(0x1ffffffff))
			return PERF_ARCH_ARM64;
	}
	return PERF_ARCH_UNKNOWN;
}

bool perfdata_wall_offset(const struct perfdata *pd, int64_t *wall_offset_ns)
{
	if (!pd->features.has_clock_data)
		return false;
	*wall_offset_ns = (int64_t)(pd->features.wall_ns - pd->features.clock_ns);
	return true;
}

int perfdata_clockid(const struct perfdata *pd)
{
	for (size_t i = 0; i < pd->nr_attrs; i++)
		if (pd->attrs[i]->use_clockid)
			return pd->attrs[i]->clockid;
	return -1;
}
