/*
 * Regular expressions of the command line and of `check`'s file: what is taken is run, too.
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "fuzz.h"
#include "profile/regex.h"

enum { MOST = 256 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = {"", "main.main", "runtime.(*mheap).alloc", "a;b\n(c)[d]{e}"};
	char *text, why[128];
	regex_t re;

	if (size < 1 || size > MOST)
		return 0;
	text = xmalloc(size);
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	if (!regex_compile(&re, text, data[0] & 1, why)) {
		for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
			regexec(&re, names[i], 0, NULL, 0);
		regfree(&re);
	}
	free(text);
	return 0;
}
