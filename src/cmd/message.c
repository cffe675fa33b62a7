#include "cmd/message.h"

#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/utf8.h"

size_t put_safe(FILE *f, const char *s)
{
	size_t columns = 0;

	while (*s) {
		unsigned code = 0;
		size_t n = utf8_sequence(s, &code);

		/* C0, DEL, and C1, which terminals obey too */
		if (!n || code < 0x20 || (code >= 0x7f && code < 0xa0)) {
			n = n ? n : 1;
			for (size_t i = 0; i < n; i++)
				columns += (size_t)fprintf(f, "\\x%02x", (unsigned char)s[i]);
		} else {
			fwrite(s, 1, n, f);
			columns++;
		}
		s += n;
	}
	return columns;
}

void put_wrapped(FILE *f, int column, int indent, const char *text)
{
	while (*text) {
		size_t n = strcspn(text, " ");

		if (column > indent && column + 1 + (int)n > 100) {
			fprintf(f, "\n%*s", indent, "");
			column = indent;
		} else if (column > indent) {
			fputc(' ', f);
			column++;
		}
		fprintf(f, "%.*s", (int)n, text);
		column += (int)n;
		text += n + strspn(text + n, " ");
	}
	fputc('\n', f);
}

void put_text(FILE *f, const char *text, size_t size)
{
	const char *end = text + size, *line_end;
	char *line;

	if (!isatty(fileno(f))) {
		fwrite(text, 1, size, f);
		return;
	}
	for (; text < end; text = line_end + (line_end < end)) {
		line_end = memchr(text, '\n', (size_t)(end - text));
		line_end = line_end ? line_end : end;
		line = xstrndup(text, (size_t)(line_end - text));
		put_safe(f, line);
		free(line);
		if (line_end < end)
			fputc('\n', f);
	}
}

static void vmessage(const char *fmt, va_list ap)
{
	char text[2048];

	vsnprintf(text, sizeof(text), fmt, ap);
	fflush(stdout);
	fputs("perfskew: ", stderr);
	put_safe(stderr, text);
	fputc('\n', stderr);
}

void message(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vmessage(fmt, ap);
	va_end(ap);
}

void note(const struct common_options *o, const char *fmt, ...)
{
	va_list ap;

	if (o->quiet)
		return;
	va_start(ap, fmt);
	vmessage(fmt, ap);
	va_end(ap);
}

int fail(const struct error *e)
{
	message("%s", e->text);
	return e->code;
}

int report_damage(const char *path, const struct damage *d)
{
	for (int i = 0; i < DAMAGE_KINDS; i++) {
		if (!d->kind[i].count)
			continue;
		if (d->kind[i].count == 1)
			message("%s: %s, at offset %#llx", path, damage_text((enum damage_kind)i),
				(unsigned long long)d->kind[i].offset);
		else
			message("%s: %s: %llu times, first at offset %#llx", path,
				damage_text((enum damage_kind)i), (unsigned long long)d->kind[i].count,
				(unsigned long long)d->kind[i].offset);
	}
	return damage_total(d) ? EXIT_CODE_DAMAGED : EXIT_CODE_OK;
}

static const char *with_separators(char *buf, size_t size, double value)
{
	char digits[64];
	size_t n, at = 0;

	snprintf(digits, sizeof(digits), "%.0f", value);
	n = strlen(digits);
	for (size_t i = 0; i < n && at + 2 < size; i++) {
		buf[at++] = digits[i];
		if (digits[i] != '-' && (n - 1 - i) % 3 == 0 && i + 1 < n)
			buf[at++] = ',';
	}
	buf[at] = '\0';
	return buf;
}

const char *format_value(char *buf, size_t size, double value, const char *unit)
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

	for (size_t i = 0; i < sizeof(scales) / sizeof(*scales); i++) {
		if (strcmp(scales[i].unit, unit) != 0)
			continue;
		if (fabs(value) >= scales[i].factor || scales[i].factor == 1) {
			snprintf(buf, size, "%.*f%s", scales[i].factor == 1 ? 0 : 2,
				 value / scales[i].factor, scales[i].name);
			return buf;
		}
	}
	return with_separators(buf, size, value);
}
