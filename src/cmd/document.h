/*
 * The HTML report of a profile or of a comparison: gathers what render_html shows.
 */
#ifndef CMD_DOCUMENT_H
#define CMD_DOCUMENT_H

#include <stdarg.h>

#include "base/arena.h"
#include "cmd/compared.h"
#include "cmd/input.h"
#include "cmd/picture.h"
#include "render.h"

/* Lists of a report while they grow; everything in them lives as long as the document. */
struct document {
	struct render_report report;
	struct render_field *summary;
	struct render_finding *findings;
	struct render_table *tables;
	const char **notes;
	size_t alloc_summary, alloc_findings, alloc_tables, alloc_notes;
	struct arena strings;
};

const char *document_text(struct document *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void document_field(struct document *d, const char *name, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void document_note(struct document *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Both are copied; cause may be "" */
void document_finding(struct document *d, const char *text, const char *cause);
/* A table of so many rows, its cells to be filled. heads must outlive the document. */
const char **document_table(struct document *d, const char *title, const char *help, const char *const *heads,
			    size_t nr_heads, size_t nr_rows, const char ***row_help);
/* A value as running text has it: "1.23 s", "4.50 MiB", "1,234". */
const char *document_value(struct document *d, double value, const char *unit);
void document_release(struct document *d);

/* What is wrong with an input, as notes: damage, losses, stacks that were cut. */
void document_input(struct document *d, const struct input *in);

/*
 * The report of one profile, written to --output; the input must have been read with keep_samples.
 * table_first: the table of functions above the graph. Returns an exit code.
 */
int document_profile(const struct input *in, const struct read_options *r, enum weight weight,
		     const struct picture_options *o, const struct common_options *common, bool table_first);

/* A table of the metrics; not all: those that mean something for any two profiles. */
void compared_document_metrics(struct document *d, const struct comparison *c, const char *a, const char *b, bool all);
/* A table of shares of classes or goroutines. */
void compared_document_rows(struct document *d, const char *title, const char *help, const char *head,
			    const struct compare_row *rows, size_t nr, const char *a, const char *b);

/* The report of a comparison: d has summary, findings and notes already. Returns an exit code. */
int document_comparison(struct document *d, const struct comparison *c, const struct picture_options *o,
			const struct common_options *common, struct compared_drawn wide, struct compared_drawn other,
			const char *subtitle);

#endif
