#include <CUnit/Basic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "suite.h"

/* One line a suite. */
#define FOREACH_SUITE(X)                                                       \
	X(base)                                                                \
	X(buildid)                                                             \
	X(forms)                                                               \
	X(goroutine)                                                           \
	X(gotab)                                                               \
	X(perfdata)                                                            \
	X(module)                                                              \
	X(sections)                                                            \
	X(perfdata_hostile)                                                    \
	X(perfdata_input)                                                      \
	X(skim)                                                                \
	X(tracing)                                                             \
	X(cfi)                                                                 \
	X(unwind)                                                              \
	X(unwind_go)                                                           \
	X(session)                                                             \
	X(symbol)                                                              \
	X(batch)                                                               \
	X(limits)                                                              \
	X(merge)                                                               \
	X(profile)                                                             \
	X(render)                                                              \
	X(report)                                                              \
	X(resolve)                                                             \
	X(pprof)                                                               \
	X(trace)                                                               \
	X(traced)                                                              \
	X(waits)                                                               \
	X(compare)                                                             \
	X(stats)                                                               \
	X(find)                                                                \
	X(summary)                                                             \
	X(corpus)

#define X(name) extern const struct suite suite_##name;
FOREACH_SUITE(X)
#undef X

static const struct suite *const suites[] = {
#define X(name) &suite_##name,
	FOREACH_SUITE(X)
#undef X
};

static int skipped;

const char *test_srcdir(void)
{
	const char *dir = getenv("srcdir");

	return dir ? dir : ".";
}

const char *test_corpus(void)
{
	static char path[4096];
	const char *dir = getenv("CORPUS");

	if (dir)
		snprintf(path, sizeof(path), "%s", dir);
	else
		snprintf(path, sizeof(path), "%s/../shared/corpus", test_srcdir());
	return access(path, R_OK) == 0 ? path : NULL;
}

void test_skip(const char *name, const char *why)
{
	printf("skipped: %s: %s\n", name, why);
	skipped++;
}

/* Usage: run [SUITE]: all suites, or the one of that name. */
int main(int argc, char **argv)
{
	unsigned failed;

	if (CU_initialize_registry() != CUE_SUCCESS)
		return 99;
	for (size_t i = 0; i < sizeof(suites) / sizeof(*suites); i++) {
		CU_pSuite s;

		if (argc > 1 && strcmp(argv[1], suites[i]->name) != 0)
			continue;
		s = CU_add_suite(suites[i]->name, NULL, NULL);
		for (const struct suite_test *t = suites[i]->tests; t->name; t++)
			CU_add_test(s, t->name, t->fn);
	}
	CU_basic_set_mode(CU_BRM_NORMAL);
	CU_basic_run_tests();
	failed = CU_get_number_of_tests_failed();
	if (skipped)
		printf("%d skipped\n", skipped);
	CU_cleanup_registry();
	return failed ? 1 : 0;
}
