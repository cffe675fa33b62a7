/*
 * One CUnit suite per module: a file test_MODULE.c exports a `struct suite`,
 * main.c lists it.
 */
#ifndef TESTS_UNIT_SUITE_H
#define TESTS_UNIT_SUITE_H

#include <CUnit/CUnit.h>

struct suite_test {
	const char *name;
	void (*fn)(void);
};
struct suite {
	const char *name;
	const struct suite_test *tests; /* ends with {NULL, NULL} */
};

/* Folder with the test inputs of the repository, and the corpus or NULL (its test then skips, saying so). */
const char *test_srcdir(void);
const char *test_corpus(void);
/* Prints "skipped: NAME: WHY" once; the test returns after it. */
void test_skip(const char *name, const char *why);

#endif
