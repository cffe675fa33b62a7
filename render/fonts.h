/*
 * Text in cairo pictures. Strings are what text_clean gives: valid UTF-8.
 */
#ifndef RENDER_FONTS_H
#define RENDER_FONTS_H

#include <cairo.h>
#include <stdbool.h>

/* Faces of one family ("sans-serif") and what other scripts need; made as names ask for them. */
struct fonts;
struct fonts *fonts_new(const char *family); /* NULL: no memory */
void fonts_free(struct fonts *f);
/* Width in px at the font size. */
double fonts_measure(cairo_t *cr, struct fonts *f, double size, const char *s);
/* Draws s with its baseline's left end at x, y. */
void fonts_show(cairo_t *cr, struct fonts *f, double size, double x, double y, const char *s);

#endif
