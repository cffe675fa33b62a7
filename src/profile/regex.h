/*
 * Regular expressions as pprof's users write them: RE2 syntax, run by the C
 * library. Source: github.com/google/re2 doc/syntax.txt.
 */
#ifndef PROFILE_REGEX_H
#define PROFILE_REGEX_H

#include <regex.h>
#include <stdbool.h>

/*
 * Compiles an RE2 expression for regexec (REG_NOSUB); `whole`: it must match a
 * whole name. What POSIX cannot say (Unicode classes, flags in the middle), and
 * what would take too much memory (repeats of repeats, many anchors), is refused. Returns
 * NULL, or why not: a static string or one in `why`.
 */
const char *regex_compile(regex_t *re, const char *re2, bool whole, char why[128]);

/* The same expression in POSIX extended syntax, malloc'ed, or NULL with *why. */
char *regex_to_posix(const char *re2, bool *ignore_case, const char **why);

#endif
