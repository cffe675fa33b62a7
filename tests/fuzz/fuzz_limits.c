/*
 * The thresholds' file of `perfskew check`.
 */
#include <string.h>

#include "cmd/limits.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct limits l = {0};
	struct error e = {.text = ""};
	char text[64];

	if (limits_parse(&l, "limits", (const char *)data, size, &e) < 0 && !strchr(e.text, ':'))
		__builtin_trap(); /* every error says where */
	for (size_t i = 0; i < l.nr; i++) {
		if (!(l.v[i].max >= 0) || !l.v[i].line)
			__builtin_trap();
		limit_text(text, sizeof(text), &l.v[i]);
		if (l.v[i].pattern)
			limit_matches(l.v[i].pattern, "main.main");
	}
	limits_release(&l);
	return 0;
}
