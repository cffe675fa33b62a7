/*
 * The comparison of a recording with the pprof profile of the same run, for the
 * commands that print or judge it.
 */
#ifndef CMD_SKEW_H
#define CMD_SKEW_H

#include <stdarg.h>
#include <stdio.h>

#include "cmd/input.h"
#include "cmd/paired.h"
#include "cmd/picture.h"
#include "compare/compare.h"

#define SKEW_NOTES 32

struct skew_result {
	struct input perf, pprof;
	bool has_perf, has_pprof, compared;
	struct compare_side a, b;
	struct comparison c;
	/* the same with pprof's profile repaired, where it was wanted and there was something to repair */
	struct comparison repaired;
	bool wants_repaired, has_repaired;
	bool wants_repaired_noise; /* of all its metrics, not of total_variation_self alone */
	double moved; /* share of pprof's time that the repair moved */
	/* sample by sample, where an execution trace holds pprof's */
	struct paired paired;
	bool has_paired;
	uint32_t binary; /* pprof's, a module of the recording; UINT32_MAX unknown */
	bool timed; /* perf's weights are nanoseconds */
	double coverage, coverage_low, coverage_high; /* pprof's CPU time / perf's; NaN unknown */
	char *notes[SKEW_NOTES];
	size_t nr_notes;
};

/* Loads and compares; *r must be zeroed but for what is wanted. 0, or -1 with *e; skew_release either way. */
int skew_load(struct skew_result *r, const char *perf, const char *pprof, const struct read_options *read,
	      const struct common_options *common, struct error *e);
void skew_release(struct skew_result *r);
void skew_note(struct skew_result *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* What is wrong, how sure that is, and why: largest share of the time first. */
struct skew_finding {
	double size; /* share of the time it is about */
	char text[256], cause[400]; /* sentences; cause "" where it is not known */
};
struct skew_findings {
	struct skew_finding list[SKEW_METRICS + COMPARE_CLASSES + 2];
	size_t nr;
};
void skew_find(const struct skew_result *r, struct skew_findings *f);

/* The HTML report, to --output. Returns an exit code. */
int skew_html(const struct skew_result *r, const struct picture_options *o, const struct common_options *common);

/* The document perfskew.skew.v1, to --output. Returns an exit code. */
int skew_json(const struct skew_result *r, const struct common_options *common);

/* The finding in words and tables, most important first. */
void skew_text(FILE *f, const struct skew_result *r, size_t top, bool markdown);

#endif
