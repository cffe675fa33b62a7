/*
 * hostile [-n COUNT] [-s SEED] [-f FIRST] [-k FOLDER] [-v] [KIND]...
 * Runs COUNT mutants of each kind (all of them without names). -f and -n 1 repeat one; -k keeps
 * those that failed.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hostile.h"

static const struct kind *const kinds[] = {
	&kind_perf, &kind_pipe, &kind_zstd, &kind_callchain, &kind_dwarf, &kind_pprof,
	&kind_folded, &kind_config, &kind_elf, &kind_debuginfo, &kind_gotab,
};

#if defined(__SANITIZE_ADDRESS__)
/* Absurd sizes fail, as malloc would, and freed memory is not held for long. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "allocator_may_return_null=1:max_allocation_size_mb=1024:quarantine_size_mb=32:detect_leaks=1";
}
#endif

static bool wanted(const char *name, char **names, int nr)
{
	for (int i = 0; i < nr; i++)
		if (!strcmp(names[i], name))
			return true;
	return !nr;
}

static void print(const struct kind *k, const struct run_result *r)
{
	printf("%-10s %7" PRIu64 " mutants, %" PRIu64 " to be noticed, %" PRIu64 " good; exits 0:%" PRIu64 " 1:%" PRIu64
	       " 2:%" PRIu64 " 3:%" PRIu64 " 4:%" PRIu64 " 6:%" PRIu64 "; %" PRIu64 " MB at most, %.1f s; %" PRIu64 " failures\n",
	       k->name, r->run, r->detected, r->fine, r->codes[0], r->codes[1], r->codes[2], r->codes[3], r->codes[4], r->codes[6],
	       r->max_kb >> 10, r->cpu, r->failures);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	struct run_options o = {.seed = 1, .count = 300};
	uint64_t failures = 0;
	int c, nr = 0;

	while ((c = getopt(argc, argv, "n:s:f:k:v")) != -1) {
		switch (c) {
		case 'n':
			o.count = strtoull(optarg, NULL, 10);
			break;
		case 's':
			o.seed = strtoull(optarg, NULL, 10);
			break;
		case 'f':
			o.first = strtoull(optarg, NULL, 10);
			break;
		case 'k':
			o.keep = optarg;
			break;
		case 'v':
			o.verbose = true;
			break;
		default:
			return 99;
		}
	}
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		struct run_result r;

		if (!wanted(kinds[i]->name, argv + optind, argc - optind))
			continue;
		nr++;
		if (!run_kind(kinds[i], &o, &r)) {
			printf("%-10s skipped: its good inputs cannot be made here\n", kinds[i]->name);
			continue;
		}
		print(kinds[i], &r);
		failures += r.failures;
	}
	return !nr || failures;
}
