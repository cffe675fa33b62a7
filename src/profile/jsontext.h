/*
 * JSON written as it comes, for forms too large for a document in memory.
 */
#ifndef PROFILE_JSONTEXT_H
#define PROFILE_JSONTEXT_H

#include <stdio.h>

/* A string with its quotes (RFC 8259); bytes that are not UTF-8 become U+FFFD. */
void jsontext_string(FILE *f, const char *s);

#endif
