#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

/* Length of the valid UTF-8 sequence at s (RFC 3629), 0 when there is none. */
static size_t sequence(const char *text, unsigned *code)
{
	const unsigned char *s = (const unsigned char *)text;
	unsigned c = s[0], low = 0x80, high = 0xbf;
	size_t n;

	if (c < 0x80) {
		*code = c;
		return 1;
	}
	if (c >= 0xc2 && c <= 0xdf) {
		n = 2;
		c &= 0x1f;
	} else if (c >= 0xe0 && c <= 0xef) {
		n = 3;
		low = c == 0xe0 ? 0xa0 : 0x80;
		high = c == 0xed ? 0x9f : 0xbf;
		c &= 0x0f;
	} else if (c >= 0xf0 && c <= 0xf4) {
		n = 4;
		low = c == 0xf0 ? 0x90 : 0x80;
		high = c == 0xf4 ? 0x8f : 0xbf;
		c &= 0x07;
	} else {
		return 0;
	}
	for (size_t i = 1; i < n; i++) {
		if (s[i] < low || s[i] > high)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
		low = 0x80;
		high = 0xbf;
	}
	*code = c;
	return n;
}

/* XML 1.0 section 2.2, without the line breaks that would tear a label; no bidirectional controls. */
static bool allowed(unsigned c)
{
	if (c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xfffe || c == 0xffff)
		return false;
	if ((c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069))
		return false;
	return (c & 0xfffe) != 0xfffe;
}

char *text_clean(const char *s)
{
	char *copy = malloc(strlen(s) * 3 + 1), *to = copy;

	while (copy && *s) {
		unsigned c;
		size_t n = sequence(s, &c);

		if (n && allowed(c)) {
			memcpy(to, s, n);
			to += n;
		} else {
			memcpy(to, "\xef\xbf\xbd", 3);
			to += 3;
		}
		s += n ? n : 1;
	}
	if (copy)
		*to = '\0';
	return copy;
}

/* Printable ASCII that XML takes as it is: nearly all of every name. */
static bool plain(char c)
{
	return c >= 0x20 && c < 0x7f && c != '&' && c != '<' && c != '>' && c != '"' && c != '\'';
}

void text_xml(FILE *f, const char *s)
{
	while (*s) {
		size_t run = 0, n;
		unsigned c;

		while (plain(s[run]))
			run++;
		fwrite(s, 1, run, f);
		s += run;
		if (!*s)
			break;
		n = sequence(s, &c);
		if (!n || !allowed(c))
			fputs("\xef\xbf\xbd", f);
		else if (c == '&')
			fputs("&amp;", f);
		else if (c == '<')
			fputs("&lt;", f);
		else if (c == '>')
			fputs("&gt;", f);
		else if (c == '"')
			fputs("&quot;", f);
		else if (c == '\'')
			fputs("&#39;", f);
		else
			fwrite(s, 1, n, f);
		s += n ? n : 1;
	}
}

/* Over text_clean's rules: what JSON escapes of the rest, and `<`, which may begin an end tag. */
void json_string(FILE *f, const char *s)
{
	fputc('"', f);
	while (*s) {
		size_t run = 0, n;
		unsigned c;

		while (plain(s[run]) && s[run] != '\\')
			run++;
		fwrite(s, 1, run, f);
		s += run;
		if (!*s)
			break;
		n = sequence(s, &c);
		if (!n || !allowed(c))
			fputs("\xef\xbf\xbd", f);
		else if (c == '"' || c == '\\')
			fprintf(f, "\\%c", (char)c);
		else if (c == '<')
			fputs("\\u003c", f);
		else
			fwrite(s, 1, n, f);
		s += n ? n : 1;
	}
	fputc('"', f);
}

/* Characters that take two cells (Unicode TR 11, wide and full width), by their blocks. */
static bool wide(unsigned c)
{
	return c >= 0x1100 && (c <= 0x115f || (c >= 0x2e80 && c <= 0xa4cf) || (c >= 0xac00 && c <= 0xd7a3) ||
			       (c >= 0xf900 && c <= 0xfaff) || (c >= 0xfe30 && c <= 0xfe6f) ||
			       (c >= 0xff00 && c <= 0xff60) || (c >= 0xffe0 && c <= 0xffe6) ||
			       (c >= 0x1f300 && c <= 0x1faff) || (c >= 0x20000 && c <= 0x3fffd));
}

/* Cells of the first len bytes of clean text. */
static size_t cells(const char *s, size_t len)
{
	size_t n = 0;

	for (const char *end = s + len; s < end;) {
		unsigned c = 0;
		size_t bytes = sequence(s, &c);

		n += wide(c) ? 2 : 1;
		s += bytes ? bytes : 1;
	}
	return n;
}

size_t text_cells(const char *s)
{
	return cells(s, strlen(s));
}

/* As much of s as fits with "..", "" when that is nothing. */
static char *cut(const char *s, size_t max)
{
	size_t bytes = 0, n = 0;
	char *out;

	if (max < 3)
		return strdup("");
	while (s[bytes]) {
		unsigned c = 0;
		size_t step = sequence(s + bytes, &c), w = wide(c) ? 2 : 1;

		if (n + w > max - 2)
			break;
		n += w;
		bytes += step ? step : 1;
	}
	if (!bytes)
		return strdup("");
	out = malloc(bytes + 3);
	if (out) {
		memcpy(out, s, bytes);
		memcpy(out + bytes, "..", 3);
	}
	return out;
}

/* "func1", "gowrap2", "1": parts of a closure's name that say nothing alone. */
static bool is_closure(const char *s, size_t len)
{
	static const char *const prefixes[] = {"func", "gowrap", "deferwrap"};

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++) {
		size_t n = strlen(prefixes[i]);

		if (n < len && !strncmp(s, prefixes[i], n)) {
			s += n;
			len -= n;
			break;
		}
	}
	return len && strspn(s, "0123456789") >= len;
}

/* Where the function's name begins in pkg.(*T[...]).Name[...], and where the package ends (0: there is none). */
static size_t function_start(const char *s, size_t *package)
{
	size_t start = 0, next = strlen(s);
	int depth = 0;

	*package = 0;
	for (size_t i = 0; s[i]; i++) {
		if (strchr("([{", s[i])) {
			depth++;
		} else if (strchr(")]}", s[i])) {
			depth--;
		} else if (!depth && s[i] == '.' && i && s[i + 1]) {
			next = i + 1 + strcspn(s + i + 1, ".");
			if (!*package)
				*package = i + 1;
			if (!is_closure(s + i + 1, next - i - 1))
				start = i + 1;
		} else if (!depth && s[i] == ':' && s[i + 1] == ':' && s[i + 2]) {
			start = i + 2;
		}
	}
	return start;
}

/* [go.shape.int,...] to [...], in place. */
static void drop_type_arguments(char *s)
{
	char *open = strchr(s, '['), *close = open ? strrchr(open, ']') : NULL;

	if (open && open > s && close && close - open > 4) {
		memcpy(open + 1, "...", 3);
		memmove(open + 4, close, strlen(close) + 1);
	}
}

char *text_shorten(const char *name, size_t max)
{
	char *clean = text_clean(name), *out;
	char *s = clean;
	size_t start, package;

	if (!clean || text_cells(s) <= max)
		return clean;
	/* a slash before any bracket or space belongs to an import path or a file name */
	for (size_t i = strcspn(s, "[( "); i-- > 0;) {
		if (s[i] == '/') {
			s += i + 1;
			break;
		}
	}
	if (text_cells(s) > max)
		drop_type_arguments(s);
	start = function_start(s, &package);
	if (text_cells(s) > max && package && start > package &&
	    cells(s, package) + text_cells(s + start) + 1 <= max) { /* "json.(*Decoder).Decode": "json..Decode" */
		s[package] = '.';
		memmove(s + package + 1, s + start, strlen(s + start) + 1);
	} else if (text_cells(s) > max) {
		s += start;
	}
	out = text_cells(s) <= max ? strdup(s) : cut(s, max);
	free(clean);
	return out;
}

/* Decimal digits of v, right-aligned before `end`; returns the first. */
static char *digits_of(char *end, unsigned long long v)
{
	do
		*--end = (char)('0' + v % 10);
	while (v /= 10);
	return end;
}

/* A number is not cut. */
static const char *whole_or_nothing(char *buf, size_t size, const char *number)
{
	size_t len = strlen(number);

	if (size > len)
		memcpy(buf, number, len + 1);
	else if (size)
		buf[0] = '\0';
	return buf;
}

static const char *separated(char *buf, size_t size, double value)
{
	char digits[512], *first = digits;
	size_t n, at = 0;

	if (value >= 0 && value < 1e15 && value == (double)(unsigned long long)value) {
		digits[sizeof(digits) - 1] = '\0';
		first = digits_of(digits + sizeof(digits) - 1, (unsigned long long)value);
	} else {
		snprintf(digits, sizeof(digits), "%.0f", value);
	}
	n = strlen(first);
	for (size_t i = 0; i < n && at + 2 < size; i++) {
		buf[at++] = first[i];
		if (first[i] != '-' && (n - 1 - i) % 3 == 0 && i + 1 < n)
			buf[at++] = ',';
	}
	buf[at] = '\0';
	return buf;
}

const char *text_hundredths(char *buf, size_t size, double value)
{
	double scaled = value * 100, whole = floor(scaled);
	char text[32], *end = text + sizeof(text) - 1;
	unsigned long long v;

	/* where the product's own rounding could show, printf decides */
	if (!(value >= 0 && value < 1e9) || fabs(scaled - whole - 0.5) < 1e-3) {
		snprintf(buf, size, "%.2f", value);
		return buf;
	}
	v = (unsigned long long)whole + (scaled - whole > 0.5);
	*end = '\0';
	*--end = (char)('0' + v % 10);
	*--end = (char)('0' + v / 10 % 10);
	*--end = '.';
	return whole_or_nothing(buf, size, digits_of(end, v / 100));
}

const char *text_value(char *buf, size_t size, double value, const char *unit)
{
	static const struct {
		const char *unit, *name;
		double factor;
	} scales[] = {
		{"nanoseconds", "s", 1e9},	{"nanoseconds", "ms", 1e6},
		{"nanoseconds", "µs", 1e3},	{"nanoseconds", "ns", 1},
		{"bytes", "GiB", 1073741824.0}, {"bytes", "MiB", 1048576.0},
		{"bytes", "KiB", 1024.0},	{"bytes", "B", 1},
	};
	char number[64];

	for (size_t i = 0; i < sizeof(scales) / sizeof(*scales); i++) {
		if (!strcmp(scales[i].unit, unit) && (fabs(value) >= scales[i].factor || scales[i].factor == 1)) {
			if (scales[i].factor == 1)
				snprintf(number, sizeof(number), "%.0f", value);
			else
				text_hundredths(number, sizeof(number), value / scales[i].factor);
			snprintf(buf, size, "%s %s", number, scales[i].name);
			return buf;
		}
	}
	snprintf(buf, size, "%s %s", separated(number, sizeof(number), value),
		 !strcmp(unit, "count") ? "samples" : unit);
	return buf;
}

const char *text_number(char *buf, size_t size, double value)
{
	/* integers of ten-thousandths: no locale, no rounding differences between libraries */
	long long v = llround(value * 10000);
	unsigned long long a = v < 0 ? 0ULL - (unsigned long long)v : (unsigned long long)v;
	unsigned long long fraction = a % 10000;
	char text[48], *end = text + sizeof(text) - 1, *first = end;

	*end = '\0';
	if (fraction) {
		for (int i = 0; i < 4; i++, fraction /= 10)
			*--first = (char)('0' + fraction % 10);
		*--first = '.';
		while (end[-1] == '0')
			*--end = '\0';
	}
	first = digits_of(first, a / 10000);
	if (v < 0)
		*--first = '-';
	return whole_or_nothing(buf, size, first);
}
