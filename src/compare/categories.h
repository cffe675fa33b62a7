/*
 * Categories of runtime work by function name. Private to compare/.
 */
#ifndef COMPARE_CATEGORIES_H
#define COMPARE_CATEGORIES_H

#include <stddef.h>

/* The category of a function, a static string, or NULL. Any thread may ask. */
const char *categories_find(const char *name);

/* Row i of the table, for tests: its expression and category, static strings; NULL after the last. */
const char *categories_row(size_t i, const char **category);

#endif
