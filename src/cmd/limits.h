/*
 * The thresholds of `perfskew check`: from options and from a file that reads
 * as INI and, quoted names included, as TOML:
 *
 *     max-truncated = 5%
 *     max-skew = 10%                      # total_variation_self
 *     [skew]
 *     preemption_capture_excess = 2%
 *     [growth]
 *     "encoding/json.*" = 1%
 *
 * Values are shares: 5% and 0.05 are the same. Prints nothing.
 */
#ifndef CMD_LIMITS_H
#define CMD_LIMITS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "compare/compare.h"

/*
 * One row a kind: enum, its name (as an option --max-NAME, as a key max-NAME),
 * whether it is about something that is named, and whether a value above 1 can be.
 */
#define FOREACH_LIMIT(X)                                                       \
	X(LIMIT_SKEW, "skew", true, true)                                      \
	X(LIMIT_GROWTH, "growth", true, false)                                 \
	X(LIMIT_GROWTH_CUM, "growth-cum", true, false)                         \
	X(LIMIT_RUNTIME_SHARE, "runtime-share", false, false)                  \
	X(LIMIT_TRUNCATED, "truncated", false, false)                          \
	X(LIMIT_LOST, "lost", false, false)
enum limit_kind {
#define X(id, name, named, above_one) id,
	FOREACH_LIMIT(X)
#undef X
	LIMIT_KINDS
};
const char *limit_kind_name(enum limit_kind k);

struct limit {
	enum limit_kind kind;
	enum skew_metric metric; /* LIMIT_SKEW */
	char *pattern;		 /* LIMIT_GROWTH*: a function's name, '*' standing for anything; else NULL */
	double max;		 /* a share */
	unsigned line;		 /* of the file, 0: an option */
};

struct limits {
	struct limit *v;
	size_t nr, alloc;
};

/*
 * "VALUE" or, where the kind is named, "NAME=VALUE": of an option. Replaces what
 * a file said of the same. -1 with *e (exit 2).
 */
int limits_set(struct limits *l, enum limit_kind kind, const char *text, struct error *e);

/* A whole file; *e names path and line (exit 2). */
int limits_parse(struct limits *l, const char *path, const char *data, size_t size, struct error *e);

bool limits_have(const struct limits *l, enum limit_kind kind);
void limits_release(struct limits *l);

/* "max-growth encoding/json.*" into buf. */
const char *limit_text(char *buf, size_t size, const struct limit *l);

/* Whether the pattern is all of the name; '*' stands for any run of characters. */
bool limit_matches(const char *pattern, const char *name);

#endif
