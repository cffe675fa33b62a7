#include "profile/jsontext.h"

#include "base/utf8.h"

void jsontext_string(FILE *f, const char *s)
{
	fputc('"', f);
	while (*s) {
		unsigned c = 0;
		size_t n = utf8_sequence(s, &c);

		if (!n)
			fputs("\xef\xbf\xbd", f);
		else if (c == '"' || c == '\\')
			fprintf(f, "\\%c", (int)c);
		else if (c < 0x20 || c == 0x7f || c == '<' || c == 0x2028 || c == 0x2029)
			fprintf(f, "\\u%04x", c); /* '<' and the line separators: safe inside a script, too */
		else
			fwrite(s, 1, n, f);
		s += n ? n : 1;
	}
	fputc('"', f);
}
