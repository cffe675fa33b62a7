/*
 * Recordings of any size, for measuring how cost grows. Usage:
 *
 *   grow repeat COPIES IN OUT     the samples of IN so many times, one after the other in time
 *   grow stacks N BINARY OUT      N samples, no two stacks alike, all addresses in BINARY's code
 *   grow maps N BINARY OUT        N mappings of BINARY in one process, a sample in each
 *   grow threads N BINARY OUT     N threads of one process with a name each, a sample of each
 *   grow inflate TIMES IN OUT     what COMPRESSED records of IN hold, and nothing else done with it
 *
 * IN of `repeat` is a plain file of one event. The others have recorded call chains.
 */
#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "../unit/build.h"
#include "perfdata/perfdata.h"

enum { HEADER_DATA_SIZE = 48, HEADER_FEATURES = 72, NR_FEATURES = 256 };

static _Noreturn void fail(const char *what)
{
	perror(what);
	exit(1);
}

static uint8_t *map_file(const char *path, size_t *size)
{
	int fd = open(path, O_RDONLY);
	struct stat st;
	uint8_t *p;

	if (fd < 0 || fstat(fd, &st) < 0)
		fail(path);
	*size = (size_t)st.st_size;
	p = mmap(NULL, *size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		fail(path);
	close(fd);
	return p;
}

static uint64_t get(const uint8_t *p)
{
	return perfdata_load64(p, false);
}

static void set(uint8_t *p, uint64_t v)
{
	memcpy(p, &v, 8);
}

/* --- repeat ---------------------------------------------------------------------------- */

/* Where a sample's time is, in bytes from the record's begin. */
static size_t time_offset(uint64_t sample_type)
{
	return 8 + 8 * (size_t)__builtin_popcountll(sample_type & (PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_IP |
								   PERF_SAMPLE_TID));
}

/* Where its time is in the sample_id at the end of other records, in bytes from the end; 0: not there. */
static size_t id_time_offset(uint64_t sample_type)
{
	return 8 * (size_t)__builtin_popcountll(sample_type & (PERF_SAMPLE_TIME | PERF_SAMPLE_ID | PERF_SAMPLE_STREAM_ID |
							       PERF_SAMPLE_CPU | PERF_SAMPLE_IDENTIFIER));
}

static void shift_time(uint8_t *p, uint64_t shift)
{
	set(p, get(p) + shift);
}

/* Threads live until the last copy: a thread that has ended has no name. */
static void put_off_exits(uint8_t *data, size_t size, uint64_t sample_type, uint64_t shift)
{
	enum { EXIT_TIME = 24, EXIT_SIZE = 32 };
	size_t id_time = id_time_offset(sample_type);
	uint32_t type;
	uint16_t n;

	for (size_t at = 0; at + 8 <= size; at += n) {
		memcpy(&type, data + at, 4);
		memcpy(&n, data + at + 6, 2);
		if (n < 8 || n > size - at)
			break;
		if (type != PERF_RECORD_EXIT || n < EXIT_SIZE + id_time)
			continue;
		shift_time(data + at + EXIT_TIME, shift);
		shift_time(data + at + n - id_time, shift);
	}
}

static uint64_t write_samples(FILE *f, const uint8_t *data, size_t size, size_t time_at, uint64_t shift)
{
	static uint8_t record[65536];
	uint64_t written = 0;
	uint32_t type;
	uint16_t n;

	for (size_t at = 0; at + 8 <= size; at += n) {
		memcpy(&type, data + at, 4);
		memcpy(&n, data + at + 6, 2);
		if (n < 8 || n > size - at)
			break;
		if (type != PERF_RECORD_SAMPLE && type != PERF_RECORD_FINISHED_ROUND)
			continue;
		memcpy(record, data + at, n);
		if (type == PERF_RECORD_SAMPLE)
			shift_time(record + time_at, shift);
		written += n;
		if (fwrite(record, 1, n, f) != n)
			fail("write");
	}
	return written;
}

static void repeat(unsigned copies, const char *in, FILE *f)
{
	size_t size;
	uint8_t *p = map_file(in, &size), *table;
	uint64_t attr_size = get(p + 16), attrs = get(p + 24), data = get(p + 40), data_size = get(p + HEADER_DATA_SIZE);
	uint64_t sample_type, added = 0, span;
	struct perfdata *pd;
	struct error e;

	if (size < 104 || data > size || data_size > size - data || get(p + 32) != attr_size) {
		fprintf(stderr, "%s: not a plain recording of one event\n", in);
		exit(1);
	}
	sample_type = get(p + attrs + 24);
	pd = perfdata_open(in, -1, NULL, 0, &e);
	if (!pd)
		fail(in);
	span = perfdata_features(pd)->sample_time_last - perfdata_features(pd)->sample_time_first + 1000000;
	perfdata_close(pd);
	put_off_exits(p + data, data_size, sample_type, span * (copies - 1));
	if (fwrite(p, 1, data + data_size, f) != data + data_size)
		fail("write");
	for (unsigned i = 1; i < copies; i++)
		added += write_samples(f, p + data, data_size, time_offset(sample_type), span * i);
	table = p + data + data_size;
	for (unsigned i = 0; i < NR_FEATURES; i++) {
		if (p[HEADER_FEATURES + i / 8] >> i % 8 & 1) {
			set(table, get(table) + added);
			table += 16;
		}
	}
	if (fwrite(p + data + data_size, 1, size - data - data_size, f) != size - data - data_size)
		fail("write");
	set(p + HEADER_DATA_SIZE, data_size + added);
	if (fseek(f, 0, SEEK_SET) != 0 || fwrite(p, 1, 104, f) != 104)
		fail("write");
}

/* --- inflate ------------------------------------------------------------------------------ */

static void inflate_once(const uint8_t *p, size_t size, FILE *f)
{
	static uint8_t out[1 << 17];
	ZSTD_DStream *z = ZSTD_createDStream();
	size_t end = get(p + 40) + get(p + HEADER_DATA_SIZE);
	uint32_t type;
	uint16_t n;

	for (size_t at = get(p + 40); at + 8 <= end && end <= size; at += n) {
		memcpy(&type, p + at, 4);
		memcpy(&n, p + at + 6, 2);
		if (n < 8)
			break;
		for (ZSTD_inBuffer in = {p + at + 8, n - 8u, 0}; type == PERF_RECORD_COMPRESSED && in.pos < in.size;) {
			ZSTD_outBuffer o = {out, sizeof(out), 0};

			if (ZSTD_isError(ZSTD_decompressStream(z, &o, &in)) || fwrite(out, 1, o.pos, f) != o.pos)
				fail("inflate");
		}
	}
	ZSTD_freeDStream(z);
}

static void inflate_all(unsigned times, const char *in, FILE *f)
{
	size_t size;
	const uint8_t *p = map_file(in, &size);

	while (times--)
		inflate_once(p, size, f);
}

/* --- made up --------------------------------------------------------------------------------- */

#define CHAIN 16
static const struct build_attr chain_attr = {
	.type = 1, .period = 1000000, .flags = FLAG_ID_ALL,
	.sample_type = PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_CALLCHAIN};

struct code {
	uint64_t offset, size; /* the executable segment in the file */
};

static struct code code_of(const char *binary)
{
	size_t size;
	const uint8_t *p = map_file(binary, &size);
	const Elf64_Ehdr *eh = (const Elf64_Ehdr *)p;
	const Elf64_Phdr *ph = (const Elf64_Phdr *)(p + eh->e_phoff);

	for (int i = 0; i < eh->e_phnum; i++)
		if (ph[i].p_type == PT_LOAD && ph[i].p_flags & PF_X)
			return (struct code){ph[i].p_offset, ph[i].p_filesz};
	fprintf(stderr, "%s: no code\n", binary);
	exit(1);
}

static uint64_t next_random(void)
{
	static uint64_t x = 88172645463325252;

	x ^= x << 13;
	x ^= x >> 7;
	return x ^= x << 17;
}

static void put_chain(struct build *b, uint32_t tid, uint64_t time, const uint64_t *chain)
{
	record_begin(b, PERF_RECORD_SAMPLE, PERF_CPUMODE_USER);
	put64(b, chain[0]);
	put32(b, 1000);
	put32(b, tid);
	put64(b, time);
	put64(b, CHAIN + 1);
	put64(b, PERF_CONTEXT_USER);
	for (int i = 0; i < CHAIN; i++)
		put64(b, chain[i]);
	record_end(b);
}

/* 10,000 addresses, as a real program's samples have, in chains that differ. */
static void random_chain(uint64_t chain[CHAIN], uint64_t base, uint64_t size)
{
	for (int i = 0; i < CHAIN; i++)
		chain[i] = base + next_random() % 10000 * (size / 10000);
}

static void made_up(const char *what, unsigned nr, const char *binary, FILE *f)
{
	const uint64_t base = UINT64_C(0x10000000), distance = UINT64_C(0x4000000);
	struct code code = code_of(binary);
	struct build b = {0};
	uint64_t chain[CHAIN], time = 1000;
	bool maps = !strcmp(what, "maps"), threads = !strcmp(what, "threads");

	file_begin(&b, &chain_attr, 1);
	put_comm(&b, 1000, 1000, "grown", 0, time);
	put_mmap2(&b, 1000, base, code.size, code.offset, binary, time);
	for (unsigned i = 0; i < nr; i++) {
		uint64_t at = maps ? base + (i + 1) * distance : base;
		uint32_t tid = threads ? 1000 + i : 1000;
		char name[16];

		time += 1000;
		if (maps)
			put_mmap2(&b, 1000, at, code.size, code.offset, binary, time);
		if (threads) {
			put_fork(&b, 1000, 1000, tid, 1000, time);
			snprintf(name, sizeof(name), "w%u", i);
			put_comm(&b, 1000, tid, name, 0, time + 1);
		}
		random_chain(chain, at, code.size);
		put_chain(&b, tid, time + 2, chain);
	}
	file_end(&b, NULL, 0);
	if (fwrite(b.data, 1, b.nr, f) != b.nr)
		fail("write");
	build_free(&b);
}

int main(int argc, char **argv)
{
	unsigned nr = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 0;
	FILE *f;

	if (argc != 5 || !nr) {
		fputs("usage: grow repeat COPIES IN OUT | grow inflate TIMES IN OUT | grow stacks|maps|threads N BINARY OUT\n", stderr);
		return 2;
	}
	f = fopen(argv[4], "w");
	if (!f)
		fail(argv[4]);
	if (!strcmp(argv[1], "repeat"))
		repeat(nr, argv[3], f);
	else if (!strcmp(argv[1], "inflate"))
		inflate_all(nr, argv[3], f);
	else
		made_up(argv[1], nr, argv[3], f);
	if (fclose(f) != 0)
		fail(argv[4]);
	return 0;
}
