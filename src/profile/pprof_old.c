/*
 * Source: github.com/google/pprof profile/legacy_profile.go (headers of the old
 * forms); Go src/runtime/pprof/pprof.go (debug=1 and debug=2).
 */
#include <stdint.h>
#include <string.h>

#include "profile/pprof.h"

static bool starts(const char *s, size_t n, const char *prefix)
{
	size_t k = strlen(prefix);

	return n >= k && !memcmp(s, prefix, k);
}

/* "NAME profile: total N": goroutine, threadcreate, and what programs define. */
static bool counts_something(const char *line, size_t n)
{
	const char *space = memchr(line, ' ', n);

	return space && space > line && starts(space, n - (size_t)(space - line), " profile: total ");
}

/* gperftools' CPU profile: words 0, 3, 0, period, 0; of 4 or 8 bytes, either byte order. */
static bool is_binary_cpu(const uint8_t *b, size_t n)
{
	for (size_t word = 4; word <= 8; word += 4) {
		size_t set = 0, three = 0;

		if (n < 5 * word)
			continue;
		for (size_t i = 0; i < 3 * word; i++)
			set += b[i] != 0;
		three = b[word] == 3 || b[2 * word - 1] == 3;
		for (size_t i = 4 * word; i < 5 * word; i++)
			set += b[i] != 0;
		if (three && set == 1)
			return true;
	}
	return false;
}

const char *pprof_old_form(const void *bytes, size_t n)
{
	static const struct {
		const char *prefix, *what;
	} rows[] = {
		{"heap profile:", "a heap profile in pprof's old text form"},
		{"goroutine profile:", "a goroutine profile in pprof's old text form"},
		{"threadcreate profile:", "a threadcreate profile in pprof's old text form"},
		{"--- contention", "a contention (block) profile in pprof's old text form"},
		{"--- mutex", "a mutex profile in pprof's old text form"},
		{"--- threadz", "a thread dump (threadz)"},
		{"--- Thread ", "a thread dump (threadz)"},
		{"--- heapz", "a heap profile in pprof's old text form"},
		{"--- growth", "a growth profile in pprof's old text form"},
		{"--- symbol", "a profile with symbols in pprof's old raw form"},
		{"goroutine ", "a dump of goroutines (debug=2)"},
	};
	const char *s = bytes, *end;

	if (!n)
		return NULL;
	while (n && (*s == '\n' || *s == '\r' || *s == ' ')) {
		s++;
		n--;
	}
	end = memchr(s, '\n', n);
	if (end && counts_something(s, (size_t)(end - s)) && !starts(s, n, "goroutine ") && !starts(s, n, "threadcreate "))
		return "a profile of counts in pprof's old text form";
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (starts(s, n, rows[i].prefix) &&
		    (strcmp(rows[i].prefix, "goroutine ") || (end && end > s && memchr(s, '[', (size_t)(end - s)) && end[-1] == ':')))
			return rows[i].what;
	return is_binary_cpu(bytes, n) ? "a CPU profile in gperftools' old binary form" : NULL;
}
