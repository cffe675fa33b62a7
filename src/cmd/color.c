#include "cmd/color.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool color_wanted(const struct common_options *o, FILE *f)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	if (o->color != WHEN_AUTO)
		return o->color == WHEN_ALWAYS;
	return !(no && *no) && isatty(fileno(f)) && term && strcmp(term, "dumb") != 0;
}

const char *color_start(bool wanted, enum color c)
{
	static const char *const codes[] = {
		[COLOR_PLAIN] = "\033[0m", [COLOR_HEAD] = "\033[1m", [COLOR_GOOD] = "\033[32m", [COLOR_BAD] = "\033[31m",
	};

	return wanted ? codes[c] : "";
}

enum color color_of_percent(double percent)
{
	return percent >= 5 ? COLOR_BAD : percent >= 0.5 ? COLOR_GOOD : COLOR_PLAIN;
}
