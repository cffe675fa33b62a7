/*
 * Drawing: boxes, labels, values and kinds to SVG, PNG, PDF and HTML. Knows
 * nothing of perf, profiles or files; includes cairo and libc only.
 *
 * A graph is a tree in preorder. Names may hold any bytes: writers escape what
 * their format forbids and replace invalid UTF-8 by U+FFFD. The same graph and
 * options give the same bytes on any machine (SVG, HTML).
 */
#ifndef RENDER_H
#define RENDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* What a box stands for; palette `go` colours by it. One list: enum, CSS class, legend. */
#define FOREACH_RENDER_KIND(X)                                                 \
	X(RENDER_ROOT, "root", "all")                                          \
	X(RENDER_APP, "app", "application")                                    \
	X(RENDER_STD, "std", "standard library")                               \
	X(RENDER_GC, "gc", "runtime: garbage collection")                      \
	X(RENDER_SCHED, "sched", "runtime: scheduler")                         \
	X(RENDER_ALLOC, "alloc", "runtime: allocation")                        \
	X(RENDER_RUNTIME, "runtime", "runtime: other")                         \
	X(RENDER_NATIVE, "native", "C, C++, Rust and other native code")       \
	X(RENDER_KERNEL, "kernel", "kernel")                                   \
	X(RENDER_LABEL, "label", "process, thread, event")                     \
	X(RENDER_UNKNOWN, "unknown", "unresolved or truncated")                \
	X(RENDER_WAIT, "wait", "waits, off the CPU")
enum render_kind {
#define X(id, key, text) id,
	FOREACH_RENDER_KIND(X)
#undef X
	RENDER_KINDS
};

struct render_node {
	const char *name;   /* full name; shortened only for display */
	const char *detail; /* "file.go:12" or binary, or NULL */
	uint32_t parent;    /* index, smaller than its own; node 0 is the root */
	uint8_t kind;	    /* enum render_kind */
	bool inlined;	    /* drawn lighter */
	bool found;	    /* matches the search: drawn in the colour of matches */
	double value;	    /* width: self + children, in `unit` */
	double gap;	    /* flame charts: of the parent's self, what comes between this and what is before it */
	double self;
	double base_value, base_self; /* differential graphs: the other side, same unit or share */
};

struct render_graph {
	const struct render_node *nodes; /* preorder: a node's subtree follows it; siblings in drawing order */
	size_t nr_nodes;
	const char *unit;	/* "samples", "nanoseconds", "bytes", … : decides how values are printed */
	bool differential;	/* base_value/base_self count; colour is the difference */
	const char *side_a, *side_b; /* differential: names of value's and base's side, for the legend */
	double base_total;	/* differential: the base side's total; its nodes compare as shares */
};

struct render_options {
	const char *title, *subtitle; /* NULL: default / none */
	double width;		/* px; 0: fluid SVG (drawn for 1200) */
	double height;		/* row height in px; 0: 16 */
	double min_width;	/* px below which boxes are left out at the drawn width; <0: 0.1 */
	double min_share;	/* 0 … 1: boxes below this part of the whole are left out, too */
	const char *colors;	/* palette name; NULL: "go" (differential: "diff") */
	const char *search;	/* regular expression of the nodes marked `found`, or NULL */
	bool inverted;		/* root on top (icicle) */
	bool flamechart;	/* keep the order of siblings: x is time */
	double scale;		/* PNG: device pixels per px; 0: 1 */
};

/* Palette names, NULL-terminated, for --help and for checking --colors. */
const char *const *render_palettes(void);
/* Whether a palette shows the difference of two sides, and so wants a differential graph. */
bool render_palette_differential(const char *name);

/* Results of the writers. */
enum render_status {
	RENDER_OK,
	RENDER_WRITE,	  /* the stream reported an error (errno) */
	RENDER_TOO_LARGE, /* over cairo's 32,767 px */
	RENDER_CAIRO,	  /* cairo failed */
	RENDER_MEMORY,	  /* not enough of it */
};
/* A printable sentence; for TOO_LARGE it names the limit. */
const char *render_status_text(enum render_status st);

enum render_status render_svg(FILE *f, const struct render_graph *g, const struct render_options *o);
enum render_status render_png(FILE *f, const struct render_graph *g, const struct render_options *o);
enum render_status render_pdf(FILE *f, const struct render_graph *g, const struct render_options *o);

/* --- the one-file HTML report ---------------------------------------------------- */

struct render_field {
	const char *name, *value;
};

/* One kind of value of every node: an event, a sample type, a side of a comparison. */
struct render_column {
	const char *name, *unit; /* unit: as render_graph's */
	const double *self;	 /* per node of the graph, without its children; whole numbers are stored smallest */
};

/* A way to tell samples apart: by thread, by goroutine. */
struct render_dimension {
	const char *name; /* "Thread" */
	const char *const *values;
	size_t nr;
};
#define RENDER_DIMENSIONS 2

/*
 * Samples of one node in one slot of time, of one value in each dimension. In
 * order of slot, then node, so that the same cells are the same bytes.
 */
struct render_cell {
	uint32_t slot, node, column;
	uint32_t of[RENDER_DIMENSIONS]; /* index into the dimension's values */
	double value;			/* in the column's unit */
};

/* The time axis: slots of so many seconds, a column of the heat map has `rows` of them. */
struct render_time {
	double slot;
	uint32_t rows, slots;
};

/* A table as it is printed: the first column is the row's head, text; the others are numbers. */
struct render_table {
	const char *title, *help; /* help: a sentence, or NULL */
	const char *const *heads;
	size_t nr_heads;
	const char *const *cells; /* nr_rows * nr_heads */
	size_t nr_rows;
	const char *const *row_help; /* per row, shown when pointed at; or NULL */
	/* per row what render_strip wrote (its element may be NULL), and what render_strip_legend did; or NULL */
	const char *const *pictures;
	const char *legend;
};

/* What is to be read first: a sentence, and why it is so. */
struct render_finding {
	const char *text, *cause; /* cause NULL: not known */
};

/* Comparisons: how sure a function's difference is. NaN where it was not tested. */
struct render_test {
	const char *name; /* of the function */
	double q, ci_low, ci_high;
};

struct render_report {
	const struct render_graph *graph; /* NULL: a page of text and tables alone, without a script */
	/* differential: the two sides, earlier or truer first; tables say how much more the second has */
	const struct render_column *columns;
	size_t nr_columns, column; /* column: the one shown first; differential: the graph's value side */
	const struct render_field *summary;
	size_t nr_summary;
	const struct render_finding *findings;
	size_t nr_findings;
	const struct render_table *tables;
	size_t nr_tables;
	const char *const *notes; /* losses, what was not done */
	size_t nr_notes;
	const struct render_test *tests;
	size_t nr_tests;
	struct render_time time; /* slots 0: no times */
	const struct render_dimension *dimensions;
	size_t nr_dimensions; /* at most RENDER_DIMENSIONS */
	const struct render_cell *cells; /* all samples again, or none */
	size_t nr_cells;
	bool table_first; /* the table of functions above the graph */
	bool reversed;	  /* opens with the leaves as roots */
};
/*
 * One file that needs no other and no network, with a policy that lets nothing else run. Options of
 * pictures count as far as they have a meaning there: title, subtitle, colors, search, inverted.
 */
enum render_status render_html(FILE *f, const struct render_report *r, const struct render_options *o);

/*
 * A graph as a picture in a table's cell: an SVG element of 300 by 48 px without names, for a page of
 * render_html; some KB, 30 at most. Differential graphs are coloured by the difference.
 */
enum render_status render_strip(FILE *f, const struct render_graph *g);
/* What its colours mean, as a list: the kinds that are true; used NULL: of the difference between two sides. */
void render_strip_legend(FILE *f, const bool used[RENDER_KINDS], const char *side_a, const char *side_b);

#endif
