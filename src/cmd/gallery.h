/*
 * One picture a recording of a batch, in the folder that --output names:
 * NAME.svg, or what --format says.
 */
#ifndef CMD_GALLERY_H
#define CMD_GALLERY_H

#include "cmd/batch.h"
#include "cmd/picture.h"

/*
 * The format, and the folder, made where it is not there. Called before confine().
 * NULL with *e (exit 2, or 5 where the folder cannot be made).
 */
const struct picture_format *gallery_open(const struct common_options *o, const struct picture_options *p, struct error *e);

/* Draws one recording to one->output; base: its namesake, or NULL. Prints what fails; returns an exit code. */
typedef int gallery_draw_fn(void *ctx, const struct batch_item *item, const struct batch_item *base,
			    const struct picture_format *format, const struct common_options *one);

/* Draws all. 0; 5 when a picture could not be written; 4 when something could not be read; that of the first failure when nothing was drawn. */
int gallery_draw(const struct batch *b, const struct batch *bases, const struct picture_format *format,
		 const struct common_options *o, gallery_draw_fn *draw, void *ctx);

/* The names of the files without their suffix: no path, none hidden, no two the same. The caller frees both. */
char **gallery_names(const struct batch *b);

#endif
