/*
 * The system's fonts for text of any script: a name is drawn in runs, each in
 * the first face that has its characters. No shaping: characters of scripts
 * that are written from right to left are put in the order they are seen in.
 */
#include <stdlib.h>
#include <string.h>

#include <cairo-ft.h>

#include "fonts.h"

#define FACES_MAX 16 /* fallbacks kept; names in more scripts than that go without */

struct face {
	cairo_font_face_t *face;
	FcCharSet *chars; /* NULL: unknown, takes all */
};

struct fonts {
	struct face faces[FACES_MAX];
	size_t nr;
	const char *family;
};

/* The system's font for a family that also has this character (0: any). */
static struct face match(const char *family, unsigned character)
{
	FcPattern *want = FcPatternCreate(), *have;
	struct face f = {0};
	FcResult result;
	FcCharSet *chars;

	FcPatternAddString(want, FC_FAMILY, (const FcChar8 *)family);
	if (character) {
		FcCharSet *set = FcCharSetCreate();

		FcCharSetAddChar(set, character);
		FcPatternAddCharSet(want, FC_CHARSET, set);
		FcCharSetDestroy(set);
	}
	FcConfigSubstitute(NULL, want, FcMatchPattern);
	FcDefaultSubstitute(want);
	have = FcFontMatch(NULL, want, &result);
	if (have) {
		f.face = cairo_ft_font_face_create_for_pattern(have);
		if (FcPatternGetCharSet(have, FC_CHARSET, 0, &chars) == FcResultMatch)
			f.chars = FcCharSetCopy(chars);
		FcPatternDestroy(have);
	} else {
		f.face = cairo_toy_font_face_create(family, CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_NORMAL);
	}
	FcPatternDestroy(want);
	return f;
}

struct fonts *fonts_new(const char *family)
{
	struct fonts *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->family = family;
	f->faces[f->nr++] = match(family, 0);
	return f;
}

void fonts_free(struct fonts *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < f->nr; i++) {
		cairo_font_face_destroy(f->faces[i].face);
		if (f->faces[i].chars)
			FcCharSetDestroy(f->faces[i].chars);
	}
	free(f);
}

static bool has(const struct face *f, unsigned c)
{
	return !f->chars || FcCharSetHasChar(f->chars, c);
}

/* Index of the face for a character: the family's own wherever it can be. */
static size_t face_of(struct fonts *f, unsigned c)
{
	for (size_t i = 0; i < f->nr; i++)
		if (has(&f->faces[i], c))
			return i;
	if (f->nr < FACES_MAX) {
		f->faces[f->nr] = match(f->family, c);
		f->nr++;
		return has(&f->faces[f->nr - 1], c) ? f->nr - 1 : 0;
	}
	return 0;
}

/* Valid UTF-8 only (text_clean): the code point, and *len its bytes. */
static unsigned decode(const char *s, size_t *len)
{
	unsigned char c = (unsigned char)*s;
	unsigned code = c < 0x80 ? c : c < 0xe0 ? c & 0x1f : c < 0xf0 ? c & 0x0f : c & 0x07;

	*len = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
	for (size_t i = 1; i < *len; i++)
		code = code << 6 | ((unsigned char)s[i] & 0x3f);
	return code;
}

static bool right_to_left(unsigned c)
{
	return (c >= 0x0590 && c <= 0x08ff) || (c >= 0xfb1d && c <= 0xfdff) || (c >= 0xfe70 && c <= 0xfeff) ||
	       (c >= 0x10800 && c <= 0x10fff) || (c >= 0x1e800 && c <= 0x1efff);
}

/* Copies n bytes of characters in the opposite order. */
static void reverse(char *to, const char *from, size_t n)
{
	for (size_t at = 0, len; at < n; at += len) {
		decode(from + at, &len);
		memcpy(to + n - at - len, from + at, len);
	}
}

/* Bytes of s in one face and one direction. */
static size_t run(struct fonts *f, const char *s, size_t *face, bool *rtl)
{
	size_t at = 0, len;

	for (; s[at]; at += len) {
		unsigned c = decode(s + at, &len);
		size_t i = face_of(f, c);

		if (!at) {
			*face = i;
			*rtl = right_to_left(c);
		} else if (i != *face || right_to_left(c) != *rtl) {
			break;
		}
	}
	return at;
}

/* Walks the runs of s; draws them from the current point unless `measure`. Returns the advance. */
static double walk(cairo_t *cr, struct fonts *f, double size, const char *s, bool measure)
{
	double advance = 0;
	size_t n, face = 0;
	bool rtl = false;

	cairo_set_font_size(cr, size);
	for (; *s; s += n) {
		cairo_text_extents_t ext;
		char *part;

		n = run(f, s, &face, &rtl);
		part = malloc(n + 1);
		if (!part)
			break;
		if (rtl)
			reverse(part, s, n);
		else
			memcpy(part, s, n);
		part[n] = '\0';
		cairo_set_font_face(cr, f->faces[face].face);
		if (measure) {
			cairo_text_extents(cr, part, &ext);
			advance += ext.x_advance;
		} else {
			cairo_show_text(cr, part);
		}
		free(part);
	}
	return advance;
}

double fonts_measure(cairo_t *cr, struct fonts *f, double size, const char *s)
{
	return walk(cr, f, size, s, true);
}

void fonts_show(cairo_t *cr, struct fonts *f, double size, double x, double y, const char *s)
{
	cairo_move_to(cr, x, y);
	walk(cr, f, size, s, false);
}
