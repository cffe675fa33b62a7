#include "cmd/buildids.h"

#include <errno.h>
#include <fcntl.h>
#include <libelf.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/strtab.h"
#include "perfdata/perfdata.h"
#include "process/module.h"

/* tools/perf/util/header.h: struct perf_file_header and the number of the feature */
#define HEADER_SIZE 104
#define HEADER_DATA 40	   /* u64 offset, u64 size */
#define HEADER_FEATURES 72 /* 256 bits */
#define FEATURE_BUILD_ID 2
#define SECTION_SIZE 16	   /* u64 offset, u64 size */
/* The feature sections of a recording are some 100 KiB; build-id entries add little. */
#define TAIL_MAX ((uint64_t)64 << 20)

#define MISC_USER 2
#define MISC_BUILD_ID_SIZE (1u << 15)

struct bytes {
	uint8_t *data;
	size_t size, alloc;
};

static void append(struct bytes *b, const void *data, size_t n)
{
	ALLOC_GROW(b->data, b->size + n, b->alloc);
	memcpy(b->data + b->size, data, n);
	b->size += n;
}

/* struct perf_record_header_build_id, then the name, padded to 64 bytes as perf does (NAME_ALIGN). */
static void append_entry(struct bytes *b, const char *name, const uint8_t *id, size_t id_size)
{
	static const uint8_t zeros[64];
	size_t len = strlen(name) + 1, padded = (len + 63) / 64 * 64;
	struct {
		uint32_t type;
		uint16_t misc, size;
		int32_t pid;
		uint8_t id[20], id_size, reserved[3];
	} entry = {
		.misc = MISC_USER | MISC_BUILD_ID_SIZE, .size = (uint16_t)(sizeof(entry) + padded),
		.pid = -1, .id_size = (uint8_t)id_size,
	};

	memcpy(entry.id, id, id_size);
	append(b, &entry, sizeof(entry));
	append(b, name, len);
	append(b, zeros, padded - len);
}

static size_t id_of_file(const char *root, const char *name, uint8_t id[20])
{
	char *path = xasprintf("%s%s", root, name);
	int fd = file_open_regular(path);
	size_t size = 0;
	Elf *elf;

	free(path);
	if (fd < 0)
		return 0;
	elf = elf_begin(fd, ELF_C_READ, NULL);
	if (elf && elf_kind(elf) == ELF_K_ELF)
		size = elf_build_id(elf, id);
	elf_end(elf);
	close(fd);
	return size;
}

/* The entries for all files that executable mappings name and whose build-id is not in them. */
static int collect(const char *path, const char *root, struct bytes *entries, size_t *nr, struct error *e)
{
	struct perfdata *pd = perfdata_open(path, -1, NULL, 0, e);
	struct perfdata_block block;
	struct strtab seen;
	int r = 0;

	if (!pd)
		return -1;
	strtab_init(&seen);
	elf_version(EV_CURRENT);
	while (!perfdata_nr_build_ids(pd) && (r = perfdata_next_block(pd, &block, e)) > 0) {
		struct perfdata_walk walk = perfdata_walk_start(pd, &block);
		struct perfdata_record rec;

		while (perfdata_walk_next(&walk, &rec)) {
			struct perf_sample_id at;
			struct perf_mmap m;
			uint8_t id[20];
			size_t size;

			if ((rec.type != PERF_RECORD_MMAP && rec.type != PERF_RECORD_MMAP2) ||
			    (rec.misc & PERF_MISC_CPUMODE_MASK) != PERF_CPUMODE_USER ||
			    perfdata_mmap(pd, &rec, &m, &at) || !(m.prot & PROT_EXEC) ||
			    m.build_id_size || m.filename[0] != '/' || !strncmp(m.filename, "//", 2) ||
			    strlen(m.filename) > PATH_MAX || strtab_find(&seen, m.filename) != UINT32_MAX)
				continue;
			strtab_add(&seen, m.filename);
			size = id_of_file(root, m.filename, id);
			if (size) {
				append_entry(entries, m.filename, id, size);
				++*nr;
			}
		}
		perfdata_block_release(&block);
	}
	strtab_release(&seen);
	perfdata_close(pd);
	return r;
}

static unsigned bits_below(const uint64_t *bits, unsigned limit)
{
	unsigned n = 0;

	for (unsigned i = 0; i < limit; i++)
		n += (unsigned)(bits[i / 64] >> (i % 64) & 1);
	return n;
}

/* Reads or writes all of it. */
static bool whole(ssize_t (*io)(int, void *, size_t, off_t), int fd, void *data, size_t n, uint64_t at)
{
	for (size_t done = 0; done < n;) {
		ssize_t r = io(fd, (uint8_t *)data + done, n - done, (off_t)(at + done));

		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			return false;
		done += (size_t)r;
	}
	return true;
}

static ssize_t write_at(int fd, void *data, size_t n, off_t at)
{
	return pwrite(fd, data, n, at);
}

/*
 * Behind the data stand the table of feature sections, in the order of their
 * bits, and the sections. One more makes the table longer, so all move on.
 */
static int insert(int fd, const struct bytes *entries, bool *done)
{
	uint8_t header[HEADER_SIZE], *tail;
	uint64_t data[2], bits[4], end;
	unsigned nr, index;
	struct stat st;
	struct bytes out = {0};
	bool ok;

	if (fstat(fd, &st) < 0 || !whole(pread, fd, header, sizeof(header), 0))
		return -1;
	memcpy(data, header + HEADER_DATA, sizeof(data));
	memcpy(bits, header + HEADER_FEATURES, sizeof(bits));
	nr = bits_below(bits, 256);
	index = bits_below(bits, FEATURE_BUILD_ID);
	*done = memcmp(header, "PERFILE2", 8) || bits[0] >> FEATURE_BUILD_ID & 1 ||
		data[0] > (uint64_t)st.st_size || data[1] > (uint64_t)st.st_size - data[0];
	if (*done)
		return 0;
	end = data[0] + data[1];
	*done = (uint64_t)st.st_size - end > TAIL_MAX || (uint64_t)st.st_size - end < nr * SECTION_SIZE;
	if (*done)
		return 0;
	tail = xmalloc((size_t)((uint64_t)st.st_size - end) + 1);
	ok = whole(pread, fd, tail, (size_t)((uint64_t)st.st_size - end), end);
	for (unsigned i = 0; ok && i <= nr; i++) {
		uint64_t section[2] = {(uint64_t)st.st_size + SECTION_SIZE, entries->size};

		if (i != index) {
			memcpy(section, tail + (i - (i > index)) * SECTION_SIZE, sizeof(section));
			section[0] += SECTION_SIZE;
		}
		append(&out, section, sizeof(section));
	}
	append(&out, tail + nr * SECTION_SIZE, (size_t)((uint64_t)st.st_size - end) - nr * SECTION_SIZE);
	append(&out, entries->data, entries->size);
	bits[0] |= UINT64_C(1) << FEATURE_BUILD_ID;
	ok = ok && whole(write_at, fd, out.data, out.size, end) &&
	     whole(write_at, fd, bits, sizeof(bits), HEADER_FEATURES);
	free(out.data);
	free(tail);
	return ok ? 0 : -1;
}

int buildids_add(const char *path, const char *root, size_t *added, struct error *e)
{
	struct bytes entries = {0};
	bool unchanged = false;
	int fd, result = 0;

	*added = 0;
	if (collect(path, root, &entries, added, e) < 0) {
		free(entries.data);
		return -1;
	}
	if (*added) {
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd < 0 || insert(fd, &entries, &unchanged) < 0)
			result = error_set(e, EXIT_CODE_OUTPUT, "%s: cannot add build-ids: %s", path,
					   strerror(errno));
		if (fd >= 0)
			close(fd);
		if (unchanged)
			*added = 0;
	}
	free(entries.data);
	return result;
}
