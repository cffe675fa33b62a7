/*
 * What skew and diff share: the two sides, tables, JSON and pictures of a
 * comparison.
 */
#ifndef CMD_COMPARED_H
#define CMD_COMPARED_H

#include "cmd/input.h"
#include "cmd/json.h"
#include "cmd/picture.h"
#include "compare/compare.h"

/* Series of counts and weights of an input, as comparison_make wants them. -1 with *e. */
int compared_side(struct compare_side *s, const struct input *in, const struct read_options *r,
		  const struct common_options *o, struct error *e);

/* "metrics": {NAME: {…}} with the sides' shares under the given keys. */
void compared_json_metrics(struct json_object *doc, const struct comparison *c, const char *a_key,
			   const char *b_key, bool all);
/* "functions": […], with keys A_self, B_self, … for the prefixes "perf"/"pprof" or "before"/"after". */
void compared_json_functions(struct json_object *doc, const struct comparison *c, const char *a, const char *b);
/* "classes" or "goroutines": rows of shares under the name `key`. */
void compared_json_rows(struct json_object *doc, const char *list, const char *key, const struct compare_row *rows,
			size_t nr, const char *a, const char *b);
/* Adds to "notes" why metrics, intervals and tests are null, where they are; all as compared_json_metrics has it. */
void compared_json_null_notes(struct json_object *notes, const struct comparison *c, const char *a, const char *b,
			      bool all);

/* One side of a picture: its series of the joint profile, and its name in the legend. */
struct compared_drawn {
	size_t series;
	const char *name;
};
/* The differential flame graph: width `wide`, colour the difference to `other`. Returns an exit code. */
int compared_picture(const struct comparison *c, const struct picture_options *o,
		     const struct picture_format *format, const struct common_options *common,
		     struct compared_drawn wide, struct compared_drawn other, const char *subtitle);

/* Options of pictures that have no meaning for two profiles: -1 with *e (exit 2). */
int compared_check_picture(const struct picture_options *o, struct error *e);

/* "12.3 %" and "+1.2" into buf; "–" for NaN. */
const char *percent_text(char *buf, size_t size, double share);
const char *points_text(char *buf, size_t size, double difference);

/* The table of functions that differ, most first; markdown or plain. */
void compared_table(FILE *f, const struct comparison *c, size_t top, bool markdown, const char *a, const char *b);

#endif
