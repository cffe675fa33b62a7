#include "cmd/escape.h"

#include <stdbool.h>
#include <string.h>

#include "base/utf8.h"

/* Embeddings, overrides, isolates and marks of direction (Unicode 9, UAX #9), and the byte order mark. */
static bool turns_text(unsigned c)
{
	return (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0x200e || c == 0x200f ||
	       c == 0x061c || c == 0xfeff;
}

/* Line and paragraph separators end a line for some readers. */
static bool is_control(unsigned c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029;
}

static size_t characters(const char *s)
{
	size_t n = 0;

	for (size_t k; *s; s += k ? k : 1, n++)
		k = utf8_sequence(s, NULL);
	return n;
}

/* One character that may be shown as it is, *n bytes long, goes to `put`; the others are spelled out here. */
typedef void put_fn(FILE *f, const char *s, size_t n);

static void walk(FILE *f, const char *s, size_t max, put_fn *put)
{
	size_t total = max ? characters(s) : 0, i = 0, head = max - max / 3, tail = max / 3;

	for (size_t n; *s; s += n, i++) {
		unsigned code = 0;

		n = utf8_sequence(s, &code);
		if (max && total > max && i >= head && i < total - tail) {
			if (i == head)
				fputs("…", f);
			n = n ? n : 1;
			continue;
		}
		if (!n || (code & 0xfffe) == 0xfffe) {
			fputs("\xef\xbf\xbd", f); /* U+FFFD */
			n = n ? n : 1;
		} else if (is_control(code)) {
			fprintf(f, code < 0x100 ? "\\x%02x" : "\\u%04x", code);
		} else if (turns_text(code)) {
			fprintf(f, "\\u%04x", code);
		} else {
			put(f, s, n);
		}
	}
}

static void put_cell(FILE *f, const char *s, size_t n)
{
	if (*s == '|')
		fputs("│", f);
	else
		fwrite(s, 1, n, f);
}

void put_markdown_code(FILE *f, const char *s, size_t max)
{
	size_t longest = 0, run = 0, n = strlen(s);
	bool pad = n && (s[0] == '`' || s[n - 1] == '`' || (s[0] == ' ' && s[n - 1] == ' '));

	/* the fence is longer than any run of backticks within (CommonMark 6.1) */
	for (const char *c = s; *c; c++) {
		run = *c == '`' ? run + 1 : 0;
		longest = run > longest ? run : longest;
	}
	if (!n) {
		fputs("` `", f);
		return;
	}
	for (size_t i = 0; i <= longest; i++)
		fputc('`', f);
	fputs(pad ? " " : "", f);
	walk(f, s, max, put_cell);
	fputs(pad ? " " : "", f);
	for (size_t i = 0; i <= longest; i++)
		fputc('`', f);
}

static void put_entity(FILE *f, const char *s, size_t n)
{
	switch (*s) {
	case '&':
		fputs("&amp;", f);
		break;
	case '<':
		fputs("&lt;", f);
		break;
	case '>':
		fputs("&gt;", f);
		break;
	case '"':
		fputs("&quot;", f);
		break;
	case '\'':
		fputs("&#39;", f);
		break;
	default:
		fwrite(s, 1, n, f);
	}
}

void put_xml(FILE *f, const char *s, size_t max)
{
	walk(f, s, max, put_entity);
}
