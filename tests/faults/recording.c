/*
 * Small recordings, sound and with faults, for the tests of this folder. Usage: recording KIND OUT [NAME]
 * NAME is the path of the only binary (and of the command, up to the kernel's 15 bytes).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/build.h"
#include "perfdata/perfdata.h"

#define BASE UINT64_C(0x400000)
#define PID 1000

static const struct build_attr attr = {.type = 1, .period = 1000000, .flags = FLAG_ID_ALL,
				       .sample_type = PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_TIME};

static void sample(struct build *b, uint64_t time)
{
	record_begin(b, PERF_RECORD_SAMPLE, PERF_CPUMODE_USER);
	put64(b, BASE + 0x1000 + time % 7 * 16);
	put32(b, PID);
	put32(b, PID);
	put64(b, time);
	record_end(b);
}

static void samples(struct build *b, uint64_t from, int64_t step, int nr)
{
	for (int i = 0; i < nr; i++)
		sample(b, (uint64_t)((int64_t)from + i * step));
}

static void round_end(struct build *b)
{
	record_begin(b, PERF_RECORD_FINISHED_ROUND, 0);
	record_end(b);
}

static void lost(struct build *b, uint64_t nr, uint64_t time)
{
	record_begin(b, PERF_RECORD_LOST, 0);
	put64(b, 0);
	put64(b, nr);
	put32(b, PID);
	put32(b, PID);
	put64(b, time);
	record_end(b);
}

int main(int argc, char **argv)
{
	const char *kind = argc > 2 ? argv[1] : "", *name = argc > 3 ? argv[3] : "/nonexistent/program", *base = strrchr(name, '/');
	struct build b = {0};
	char comm[16];
	FILE *f;

	if (argc < 3) {
		fputs("usage: recording plain|pipe|size0|lost|disorder|backwards|none|one OUT [NAME]\n", stderr);
		return 2;
	}
	snprintf(comm, sizeof(comm), "%.15s", base ? base + 1 : name);
	if (!strcmp(kind, "pipe"))
		pipe_begin(&b, &attr, 1);
	else
		file_begin(&b, &attr, 1);
	put_comm(&b, PID, PID, comm, 0, 1000);
	put_mmap2(&b, PID, BASE, 0x100000, 0, name, 1000);
	if (!strcmp(kind, "none")) {
		round_end(&b);
	} else if (!strcmp(kind, "one")) {
		sample(&b, 2000);
	} else if (!strcmp(kind, "lost")) {
		samples(&b, 2000, 1000, 10);
		lost(&b, 5, 20000);
		lost(&b, UINT64_MAX, 21000); /* the sum must not turn over */
	} else if (!strcmp(kind, "disorder")) {
		samples(&b, 100000, 1000, 10);
		round_end(&b);
		samples(&b, 200000, 1000, 10);
		round_end(&b);
		samples(&b, 300000, 1000, 10);
		round_end(&b);
		samples(&b, 150000, 1000, 3); /* two rounds late */
	} else if (!strcmp(kind, "backwards")) {
		samples(&b, 900000, -1000, 30);
		round_end(&b);
	} else {
		samples(&b, 2000, 1000, 40);
		round_end(&b);
		samples(&b, 50000, 1000, 40);
	}
	if (strcmp(kind, "pipe") != 0)
		file_end(&b, NULL, 0);
	if (!strcmp(kind, "size0")) /* perf writes the size when it ends: a killed one has not */
		memset(b.data + 48, 0, 8);
	f = fopen(argv[2], "w");
	if (!f || fwrite(b.data, 1, b.nr, f) != b.nr || fclose(f) != 0) {
		perror(argv[2]);
		return 1;
	}
	build_free(&b);
	return 0;
}
