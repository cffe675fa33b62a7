/*
 * Categories of runtime work by function name. Private to compare/.
 */
#ifndef COMPARE_CATEGORIES_H
#define COMPARE_CATEGORIES_H

/* The category of a function, a static string, or NULL. Any thread may ask. */
const char *categories_find(const char *name);

#endif
