/*
 * Options and writers of pictures, shared by flame, skew and diff.
 */
#ifndef CMD_PICTURE_H
#define CMD_PICTURE_H

#include <stdbool.h>
#include <stdio.h>

#include "cmd/options.h"
#include "render.h"

struct picture_options {
	const char *title, *subtitle, *colors, *search;
	const char *min_width; /* px, or a percentage of the whole */
	double width, height, scale;
	bool inverted, reverse, flamechart;
};
extern const struct opt picture_opts[];

struct picture_format {
	const char *name; /* also the suffix */
	/* NULL: the HTML report, which is more than a graph (cmd/document.h) */
	enum render_status (*write)(FILE *f, const struct render_graph *g, const struct render_options *o);
};
static inline bool picture_is_report(const struct picture_format *f)
{
	return f && !f->write;
}

/* By --format, else by the suffix of --output, else SVG. NULL with *e (exit 2); checks --colors too. */
const struct picture_format *picture_format(const struct common_options *common,
					    const struct picture_options *o, struct error *e);

/* Draws to --output; subtitle is used where the user gave none. Prints what fails; returns an exit code. */
int picture_write(const struct render_graph *g, const struct picture_options *o, const char *subtitle,
		  const struct picture_format *format, const struct common_options *common);
int picture_write_report(const struct render_report *r, const struct picture_options *o, const char *subtitle,
			 const struct common_options *common);

#endif
