/*
 * Recordings judged by thresholds. A threshold is kept or exceeded only where
 * noise cannot have made it so: skew counts as excess over its noise floor, and
 * the whole 95 % interval must lie on one side. In between it is undecided, and
 * more samples would tell. Losses and truncated stacks are counted, not sampled:
 * they have no interval. Prints notes and damage only.
 */
#ifndef CMD_JUDGE_H
#define CMD_JUDGE_H

#include "cmd/batch.h"
#include "cmd/limits.h"
#include "cmd/options.h"

/* One row: enum, word in JSON and text. Worst first. */
#define FOREACH_VERDICT(X)                                                     \
	X(VERDICT_EXCEEDED, "exceeded")                                        \
	X(VERDICT_UNDECIDED, "undecided")                                      \
	X(VERDICT_NOT_JUDGED, "not judged")                                    \
	X(VERDICT_KEPT, "kept")
enum verdict_status {
#define X(id, text) id,
	FOREACH_VERDICT(X)
#undef X
	VERDICT_STATES
};
const char *verdict_status_text(enum verdict_status s);

struct verdict {
	enum verdict_status status;
	const struct batch_item *item;
	const struct limit *limit;
	char *subject;		 /* LIMIT_GROWTH*: the function; else NULL */
	double value, low, high; /* shares; NaN: unknown, or no interval */
	double noise_floor;	 /* LIMIT_SKEW: taken off the value; else NaN */
	double before, after;	 /* LIMIT_GROWTH*: shares; else NaN */
	char *why;		 /* of undecided and not judged */
};

/* What could not be read. */
struct judge_error {
	const struct batch_item *item;
	char *text;
};

struct verdicts {
	struct verdict *v;
	size_t nr, alloc;
	struct judge_error *errors;
	size_t nr_errors, alloc_errors;
	size_t judged;	     /* recordings read */
	size_t of[VERDICT_STATES];
	bool damaged;
};

struct judge_options {
	const struct read_options *read;
	const struct common_options *common;
};

/*
 * Judges one recording by all limits; base: what it is compared with, or NULL.
 * Errors are printed and kept in *vs.
 */
void judge(struct verdicts *vs, const struct batch_item *item, const struct batch_item *base,
	   const struct limits *l, const struct judge_options *o);
/* Worst first; within a state by how far the value is over the limit. */
void verdicts_sort(struct verdicts *vs);
void verdicts_release(struct verdicts *vs);

/* An error of an item that is not judge's own. */
void verdicts_error(struct verdicts *vs, const struct batch_item *item, const char *text);

#endif
