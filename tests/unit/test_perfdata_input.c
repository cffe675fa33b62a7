/*
 * Where the reader's bytes may come from: pipes, descriptors, folders.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "reading.h"
#include "suite.h"

static uint64_t count_of(const struct perfdata *pd, uint32_t type)
{
	const struct perfdata_stats *st = perfdata_stats(pd);

	for (size_t i = 0; i < st->nr_records; i++)
		if (st->records[i].type == type)
			return st->records[i].count;
	return 0;
}

/* The same bytes through a real pipe, in small pieces. */
static void streams(void)
{
	struct build b = {0};
	struct perfdata *pd;
	struct error e;
	int fds[2];

	pipe_begin(&b, &basic, 1);
	for (int i = 0; i < 300; i++)
		basic_sample(&b, (uint64_t)i, 2, 3);
	record_begin(&b, PERF_RECORD_HEADER_TRACING_DATA, 0);
	put32(&b, 13), put32(&b, 0);
	record_end(&b);
	put_bytes(&b, "thirteenbytes\0\0\0", 16);
	basic_sample(&b, 300, 2, 3);
	CU_ASSERT_EQUAL_FATAL(pipe(fds), 0);
	CU_ASSERT_EQUAL(write(fds[1], b.data + 20, b.nr - 20), (ssize_t)(b.nr - 20));
	close(fds[1]);
	pd = perfdata_open("stream", fds[0], b.data, 20, &e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(pd);
	CU_ASSERT_EQUAL(perfdata_form(pd), PERFDATA_PIPE);
	CU_ASSERT_EQUAL(read_all(pd).samples, 301);
	CU_ASSERT_EQUAL(perfdata_stats(pd)->bytes + 16, b.nr);
	CU_ASSERT_EQUAL(damage_total(perfdata_damage(pd)), 1); /* these are no tracing data */
	CU_ASSERT_EQUAL(perfdata_damage(pd)->kind[DAMAGE_TRACING].count, 1);
	perfdata_close(pd);
	close(fds[0]);
	build_free(&b);
}

/* Streams that end within their header: none of it is taken for what does not follow. */
static void short_streams(void)
{
	struct build b = {0};

	pipe_begin(&b, &basic, 1);
	for (size_t size = 0; size <= 16; size++) {
		struct perfdata *pd;
		struct error e;
		int fds[2];

		CU_ASSERT_EQUAL_FATAL(pipe(fds), 0);
		CU_ASSERT_EQUAL(write(fds[1], b.data, size), (ssize_t)size);
		close(fds[1]);
		pd = perfdata_open("stream", fds[0], NULL, 0, &e);
		CU_ASSERT_EQUAL(pd != NULL, size == 16);
		if (pd) {
			perfdata_close(pd);
		} else {
			CU_ASSERT_EQUAL(e.code, EXIT_CODE_INPUT);
			CU_ASSERT_STRING_EQUAL(e.text, size ? "stream: not a perf.data" : "stream: empty input");
		}
		close(fds[0]);
	}
	build_free(&b);
}

/* What "2>&1" leaves behind the records of a pipe is no damage; anything else there is. */
static void messages_behind_the_records(void)
{
	static const char talk[] = "[ perf record: Woken up 1 times to write data ]\n[ perf record: Captured and wrote 0.001 MB - ]\n";

	for (int other = 0; other < 2; other++) {
		for (int stream = 0; stream < 2; stream++) {
			struct build b = {0};
			struct perfdata *pd;
			struct error e;
			int fds[2];

			pipe_begin(&b, &basic, 1);
			basic_sample(&b, 1, 2, 3);
			put_bytes(&b, talk + other, sizeof(talk) - 1 - (size_t)other);
			if (stream) {
				CU_ASSERT_EQUAL_FATAL(pipe(fds), 0);
				CU_ASSERT_EQUAL(write(fds[1], b.data, b.nr), (ssize_t)b.nr);
				close(fds[1]);
				pd = perfdata_open("stream", fds[0], NULL, 0, &e);
			} else {
				pd = open_built(&b);
			}
			CU_ASSERT_PTR_NOT_NULL_FATAL(pd);
			CU_ASSERT_EQUAL(read_all(pd).samples, 1);
			CU_ASSERT_EQUAL(damage_total(perfdata_damage(pd)), (uint64_t)other);
			perfdata_close(pd);
			if (stream)
				close(fds[0]);
			build_free(&b);
		}
	}
}

/* The span of a stream is known before it is read, and it is read whole all the same. */
static void time_range(void)
{
	for (int swap = 0; swap < 2; swap++) {
		struct build b = {.swap = swap};
		struct perfdata *pd;
		struct error e;
		uint64_t first, last;
		int fds[2];

		pipe_begin(&b, &basic, 1);
		for (uint64_t i = 0; i < 100; i++)
			basic_sample(&b, 1, 2, 1000 + (i * 37 + 50) % 100);
		CU_ASSERT_EQUAL_FATAL(pipe(fds), 0);
		CU_ASSERT_EQUAL(write(fds[1], b.data + 24, b.nr - 24), (ssize_t)(b.nr - 24));
		close(fds[1]);
		pd = perfdata_open("stream", fds[0], b.data, 24, &e);
		CU_ASSERT_PTR_NOT_NULL_FATAL(pd);
		CU_ASSERT_EQUAL(perfdata_time_range(pd, &first, &last, &e), 0);
		CU_ASSERT_EQUAL(first, 1000);
		CU_ASSERT_EQUAL(last, 1099);
		CU_ASSERT_EQUAL(perfdata_form(pd), PERFDATA_PIPE);
		CU_ASSERT_EQUAL(read_all(pd).samples, 100);
		perfdata_close(pd);
		close(fds[0]);
		build_free(&b);
	}
}

/* File form from a descriptor: a regular file and a pipe, with some of it read already. */
static void file_form_from_descriptors(void)
{
	for (int is_pipe = 0; is_pipe < 2; is_pipe++) {
		for (size_t prefix = 0; prefix <= 40; prefix += 10) {
			FILE *f = tmpfile();
			struct build b = {0};
			struct perfdata *pd;
			struct error e;
			int fds[2] = {-1, -1}, fd = fileno(f);

			file_begin(&b, &basic, 1);
			basic_sample(&b, 5, 2, 3);
			file_end(&b, NULL, 0);
			if (is_pipe) {
				CU_ASSERT_EQUAL_FATAL(pipe(fds), 0);
				CU_ASSERT_EQUAL(write(fds[1], b.data + prefix, b.nr - prefix),
						(ssize_t)(b.nr - prefix));
				close(fds[1]);
				fd = fds[0];
			} else {
				CU_ASSERT_EQUAL(write(fd, b.data, b.nr), (ssize_t)b.nr);
				CU_ASSERT_EQUAL(lseek(fd, (off_t)prefix, SEEK_SET), (off_t)prefix);
			}
			pd = perfdata_open("descriptor", fd, b.data, prefix, &e);
			CU_ASSERT_PTR_NOT_NULL_FATAL(pd);
			CU_ASSERT_EQUAL(perfdata_form(pd), PERFDATA_FILE);
			CU_ASSERT_EQUAL(perfdata_size(pd), b.nr);
			CU_ASSERT_EQUAL(read_all(pd).samples, 1);
			CU_ASSERT_EQUAL(damage_total(perfdata_damage(pd)), 0);
			perfdata_close(pd);
			close(fds[0]);
			fclose(f);
			build_free(&b);
		}
	}
}

/* A stream whose blocks are all read before the first is walked, as collect does; and one of its header alone. */
static void stream_read_ahead(void)
{
	for (int records = 0; records < 2; records++) {
		struct perfdata_block blocks[8];
		struct build b = {0};
		struct perfdata *pd;
		struct error e;
		int fds[2], nr = 0, r;

		pipe_begin(&b, &basic, 1);
		basic_sample(&b, 1, 2, 3);
		CU_ASSERT_EQUAL_FATAL(pipe(fds), 0);
		CU_ASSERT_EQUAL(write(fds[1], b.data, records ? b.nr : 16), (ssize_t)(records ? b.nr : 16));
		close(fds[1]);
		pd = perfdata_open("stream", fds[0], NULL, 0, &e);
		CU_ASSERT_PTR_NOT_NULL_FATAL(pd);
		while (nr < 8 && (r = perfdata_next_block(pd, &blocks[nr], &e)) > 0)
			nr++;
		CU_ASSERT_EQUAL(r, records ? 0 : -1);
		CU_ASSERT_EQUAL(nr, records);
		if (r < 0)
			CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "no events before its end, at offset 0x10"));
		for (int i = 0; i < nr; i++) {
			struct perfdata_walk w = perfdata_walk_start(pd, &blocks[i]);
			struct perfdata_record rec;

			while (perfdata_walk_next(&w, &rec))
				;
			perfdata_block_release(&blocks[i]);
		}
		CU_ASSERT_EQUAL(perfdata_nr_attrs(pd), (size_t)records);
		perfdata_close(pd);
		close(fds[0]);
		build_free(&b);
	}
}

/* A folder as perf record --threads writes it. */
static void directories(void)
{
	char dir[] = "/tmp/perfskew-test-XXXXXX";
	struct build b = {0}, part = {0};
	struct perfdata *pd;
	struct error e;
	char name[64];

	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
	file_begin(&b, &basic, 1);
	basic_sample(&b, 1, 2, 3);
	file_end(&b, NULL, 0);
	for (int i = -1; i < 11; i++) {
		FILE *f;

		if (i < 0)
			snprintf(name, sizeof(name), "%s/data", dir);
		else
			snprintf(name, sizeof(name), "%s/data.%d", dir, i);
		if (i > 0)
			basic_sample(&part, (uint64_t)i, 2, 3); /* data.0 is empty */
		f = fopen(name, "w");
		CU_ASSERT_PTR_NOT_NULL_FATAL(f);
		if (i < 0)
			fwrite(b.data, 1, b.nr, f);
		else if (i > 0)
			fwrite(part.data, 1, part.nr, f);
		fclose(f);
		part.nr = 0;
	}
	pd = perfdata_open(dir, -1, NULL, 0, &e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(pd);
	CU_ASSERT_EQUAL(perfdata_form(pd), PERFDATA_DIR);
	{
		struct seen s = read_all(pd);

		CU_ASSERT_EQUAL(s.samples, 11);
	}
	CU_ASSERT_EQUAL(damage_total(perfdata_damage(pd)), 0);
	perfdata_close(pd);
	for (int i = -1; i < 11; i++) {
		if (i < 0)
			snprintf(name, sizeof(name), "%s/data", dir);
		else
			snprintf(name, sizeof(name), "%s/data.%d", dir, i);
		CU_ASSERT_EQUAL(unlink(name), 0);
	}
	CU_ASSERT_PTR_NULL(perfdata_open(dir, -1, NULL, 0, &e));
	CU_ASSERT_EQUAL(e.code, EXIT_CODE_INPUT);
	rmdir(dir);
	build_free(&b);
	build_free(&part);
}

/* Many records through a pipe, plain and compressed in turn, longer than a buffer. */
static void long_streams(void)
{
	struct build raw = {0}, b = {0};
	uint8_t packed[8192];
	size_t n;
	FILE *f = tmpfile();
	struct perfdata *pd;
	struct error e;
	struct seen s;

	for (int i = 0; i < 100; i++)
		basic_sample(&raw, 5, 2, 3);
	n = ZSTD_compress(packed, sizeof(packed), raw.data, raw.nr, 1);
	pipe_begin(&b, &basic, 1);
	for (int i = 0; i < 20000; i++) {
		record_begin(&b, PERF_RECORD_COMPRESSED2, 0);
		put64(&b, n);
		put_bytes(&b, packed, n);
		put_bytes(&b, NULL, (8 - n % 8) % 8);
		record_end(&b);
		record_begin(&b, PERF_RECORD_FINISHED_ROUND, 0);
		record_end(&b);
		basic_sample(&b, 6, 2, 3);
		record_begin(&b, 90, 0);
		put_bytes(&b, NULL, 160);
		record_end(&b);
	}
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	CU_ASSERT_EQUAL(fwrite(b.data, 1, b.nr, f), b.nr);
	rewind(f);
	pd = perfdata_open("stream", fileno(f), NULL, 0, &e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(pd);
	s = read_all(pd);
	CU_ASSERT_EQUAL(s.samples, 20000 * 101);
	CU_ASSERT_EQUAL(s.records, 20000 * 103 + 1);
	CU_ASSERT_EQUAL(count_of(pd, PERF_RECORD_COMPRESSED2), 20000);
	CU_ASSERT_EQUAL(perfdata_stats(pd)->rounds, 20000);
	CU_ASSERT_EQUAL(damage_total(perfdata_damage(pd)), 0);
	perfdata_close(pd);
	fclose(f);
	build_free(&raw);
	build_free(&b);
}

static const struct suite_test tests[] = {
	{"stream read ahead", stream_read_ahead},
	{"streams", streams},
	{"short streams", short_streams},
	{"messages behind the records", messages_behind_the_records},
	{"time range", time_range},
	{"file form from descriptors", file_form_from_descriptors},
	{"directories", directories},
	{"long streams", long_streams},
	{NULL, NULL},
};
const struct suite suite_perfdata_input = {"perfdata_input", tests};
