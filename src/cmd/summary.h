/*
 * A line of figures and a small picture for each recording of a batch, worst
 * first. Nothing of a recording stays in memory but its summary: some KB.
 */
#ifndef CMD_SUMMARY_H
#define CMD_SUMMARY_H

#include <stdio.h>

#include "base/damage.h"
#include "cmd/batch.h"
#include "cmd/options.h"
#include "compare/compare.h"
#include "render.h"

/*
 * What can be wrong with a recording, all as shares of its time, events or
 * stacks; one row: enum, word in tables and JSON, what it is. Each counts only
 * beyond its noise, see summary_worst().
 */
#define FOREACH_SUMMARY_WORST(X)                                               \
	X(SUMMARY_SKEW, "skew", "time that pprof charges to another function, beyond noise") \
	X(SUMMARY_MISSING, "missing", "CPU time that pprof misses")            \
	X(SUMMARY_GROWTH, "growth", "what grew since the baseline")               \
	X(SUMMARY_LOST, "lost", "events that perf lost")                       \
	X(SUMMARY_CUT, "cut", "stacks that were cut")
enum summary_worst {
#define X(id, name, help) id,
	FOREACH_SUMMARY_WORST(X)
#undef X
	SUMMARY_WORSTS /* nothing is wrong */
};
const char *summary_worst_name(enum summary_worst w);

/* Shares are 0..1, NaN where they cannot be told. */
struct summary {
	const struct batch_item *item;
	char *event, *unit;	    /* what was counted */
	double total, samples;	    /* in that unit; how many samples */
	double kinds[RENDER_KINDS]; /* share of the total by what is at the leaf */
	char *top;		    /* the function with the largest own share, or NULL */
	double top_share;
	double lost, cut; /* of the events; of the stacks with user code */
	struct damage damage;

	/* with the pprof profile of the same run */
	bool has_skew;
	struct compare_metric metrics[SKEW_METRICS];
	double coverage, coverage_low, coverage_high; /* pprof's CPU time / perf's */
	char *finding, *cause;			      /* the first one, or NULL */
	size_t findings;

	/* with --baseline: what grew, by how much, 95 %; NaN: the baseline has nothing of this name */
	char *grown; /* the function; NULL: the skew itself */
	double growth, growth_low, growth_high;

	char *picture; /* as render_strip wrote it, or NULL */
};

/* What could not be read or compared; the others are still done. */
struct summary_error {
	const struct batch_item *item;
	char *text;
};

struct summaries {
	struct summary *v;
	size_t nr, alloc;
	struct summary_error *errors;
	size_t nr_errors, alloc_errors;
	int code; /* exit code of the first error, 0 */
	bool damaged;
	/* what was asked for */
	bool skew;     /* the comparison with pprof is the subject (skew), not the recording (report) */
	bool baseline; /* there is one */
};

struct summary_options {
	const struct read_options *read;
	const struct common_options *common;
	enum weight weight;
	bool pictures; /* make them, too */
};

/*
 * Reads one recording and adds its summary; base: what it is compared with, or
 * NULL. What fails is printed and kept as an error. (summary_make.c)
 */
void summary_add(struct summaries *s, const struct batch_item *item, const struct batch_item *base,
		 const struct summary_options *o);

/* A new summary of which nothing is known yet; valid until the next one. */
struct summary *summary_new(struct summaries *s, const struct batch_item *item);
void summary_error(struct summaries *s, const struct batch_item *item, const struct error *e);
void summaries_release(struct summaries *s);

/*
 * One kind of what is wrong, as a share; NaN unknown, 0 or less where noise may have made it. Skew counts
 * when noise alone would show it in less than one of a hundred runs, missing time when the whole 95 %
 * interval is over 1 %, growth when the interval is over 0.
 */
double summary_badness(const struct summary *s, enum summary_worst w);
/* The largest of them, and which one it is; SUMMARY_WORSTS and 0 where nothing is wrong. */
enum summary_worst summary_worst(const struct summary *s, double *share);
/* Worst first; equal ones by name. */
void summaries_sort(struct summaries *s);

/* Shares as so many cells by largest remainder, into cells[RENDER_KINDS]; all 0 without shares. */
void summary_cells(const double shares[RENDER_KINDS], unsigned nr, unsigned cells[RENDER_KINDS]);

/* All of a batch as text, markdown, html or json: writes to --output, returns an exit code. top: rows, 0 all. */
int summaries_write(const struct summaries *s, const char *format, size_t top, const struct common_options *o);
/* Whether there is such a format; and the one that is wanted: named, or HTML by the suffix of --output, else text. */
bool summaries_format(const char *format);
const char *summaries_wanted(const struct common_options *o);
/* The markdown form, under 64 KB whatever the batch; what is left out is counted in a last line. */
void summaries_markdown(FILE *f, const struct summaries *s, size_t top);

/*
 * The whole command over a batch: reads, writes, and says how it went. Returns an
 * exit code: 0; 4 when something could not be read; that of the first error when nothing could.
 */
int summaries_run(struct summaries *s, const struct batch *b, const struct batch *bases, const struct summary_options *o,
		  const char *format, size_t top);

#endif
