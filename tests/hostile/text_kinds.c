/*
 * Folded stacks, and the file of thresholds for `check`.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "hostile.h"

enum { MAX_LINES = 64 };

struct lines {
	size_t at[MAX_LINES], nr;
};

static struct lines lines_of(const struct build *b)
{
	struct lines l = {0};

	for (size_t at = 0; at < b->nr && l.nr < MAX_LINES;) {
		const uint8_t *nl = memchr(b->data + at, '\n', b->nr - at);

		l.at[l.nr++] = at;
		at = nl ? (size_t)(nl - b->data) + 1 : b->nr;
	}
	return l;
}

static size_t line_end(const struct build *b, size_t at)
{
	const uint8_t *nl = memchr(b->data + at, '\n', b->nr - at);

	return nl ? (size_t)(nl - b->data) : b->nr;
}

static void insert_text(struct build *b, size_t at, const char *s)
{
	bytes_insert(b, at, s, strlen(s));
}

static void put_text(struct build *b, const char *s)
{
	put_bytes(b, s, strlen(s));
}

/* --- folded -------------------------------------------------------------------------------------------- */

static bool make_folded(struct build *b, unsigned which)
{
	static const char *const roots[] = {"main", "worker", "gc"};
	char line[128];

	*b = (struct build){0};
	for (unsigned i = 0; i < 24; i++) {
		snprintf(line, sizeof(line), "%s;main.main;pkg%u.f%u;runtime.g%u%s %u%s", roots[i % 3], i % 4, i % 5, i % 7,
			 i % 6 ? "" : ";do_syscall_64_[k]", i + 1, which ? "\r\n" : "\n");
		put_text(b, line);
	}
	return true;
}

static void replace_count(struct build *b, size_t line, const char *with)
{
	size_t end = line_end(b, line), at = end;

	while (at > line && b->data[at - 1] != ' ')
		at--;
	bytes_delete(b, at, end - at);
	insert_text(b, at, with);
}

static enum expect mutate_folded(struct build *b, unsigned which, struct rng *r, struct note *n)
{
	static const char *const bad[] = {"", "x", "-5", "99999999999999999999999", "0x10", "1e5", "18446744073709551616", "+"};
	static const char *const odd[] = {";", ";;;;", " ", "\t", "\x1b[31m", "\xff\xfe", "\xc3", "]]>", "</script>", "&nbsp;", "%s%n", "[", "_[k]"};
	const struct lines l = lines_of(b);
	size_t line = l.at[rng_below(r, l.nr)];

	(void)which;
	switch (rng_below(r, 8)) {
	case 0:
	case 1: {
		const char *s = bad[rng_below(r, sizeof(bad) / sizeof(*bad))];

		say(n, "folded: count '%s'", s);
		replace_count(b, line, s);
		return DETECTED;
	}
	case 2: {
		const char *s = odd[rng_below(r, sizeof(odd) / sizeof(*odd))];

		say(n, "folded: odd text in a line");
		insert_text(b, line + rng_below(r, 10), s);
		return ANY;
	}
	case 3: {
		size_t len = 1 + rng_below(r, 1 << 20);
		char *s = xmalloc(len);

		memset(s, rng_below(r, 2) ? 'a' : ';', len);
		say(n, "folded: %zu bytes more in a line", len);
		bytes_insert(b, line, s, len);
		free(s);
		return ANY;
	}
	case 4:
		say(n, "folded: a NUL in a line");
		b->data[line + rng_below(r, line_end(b, line) - line)] = 0;
		return DETECTED;
	case 5:
		say(n, "folded: no newline at the end");
		b->nr -= b->data[b->nr - 2] == '\r' ? 2 : 1;
		return FINE;
	case 6:
		say(n, "folded: a comment");
		insert_text(b, line, "# a comment\n");
		return FINE;
	default:
		return change_bytes(b, 0, b->nr, r, n);
	}
}

const struct kind kind_folded = {"folded", AS_FILE, true, false, 2, make_folded, NULL, mutate_folded};

/* --- thresholds ------------------------------------------------------------------------------------------- */

static bool make_config(struct build *b, unsigned which)
{
	static const char *const files[] = {
		"# what may grow\nmax-truncated = 100%\nmax_lost = 50 %\nmax-runtime-share = 0.99\n\n[growth]\n\"main.*\" = 99%\n",
		"[check]\nmax-truncated = 1.0\nmax-lost: 50%\n; old comment\nmax-runtime-share = 100%  # all\n[growth-cum]\nmain.main = '5e-1'\n",
	};

	*b = (struct build){0};
	put_text(b, files[which]);
	return true;
}

static bool make_profile(struct build *b, unsigned which)
{
	recording_make(b, CALLCHAIN, false, false);
	return which < 2;
}

/* Lines before the section in which every name is a function's. */
enum { TOP_LINES = 4 };

static enum expect mutate_config(struct build *b, unsigned which, struct rng *r, struct note *n)
{
	static const char *const bad[] = {
		"no-such-threshold = 5%\n", "max-lost\n", "[nowhere]\nmax-lost = 5%\n", "max-lost = five\n", "max-lost = -1\n",
		"max-lost = nan\n", "max-lost = inf\n", "max-lost = 0x10\n", "max-lost = 1e400\n", "max-lost = \n", "= 5%\n", "max-lost = 2000\n",
		"max-growth \"a = 5%\n", "max-truncated = 5% 6%\n", "[check\nmax-lost = 1%\n", "max-lost = 5%%\n", "max-runtime-share nowhere = 500%\n",
	};
	static const char *const good[] = {"\n", "# more\n", "; more\n", "   \n", "# \x1b[31m\n"};
	const struct lines l = lines_of(b);
	size_t line = l.at[rng_below(r, l.nr)];
	const char *s;

	(void)which;
	switch (rng_below(r, 5)) {
	case 0:
	case 1:
		s = bad[rng_below(r, sizeof(bad) / sizeof(*bad))];
		say(n, "config: %.40s", s);
		insert_text(b, l.at[rng_below(r, TOP_LINES)], s);
		return DETECTED;
	case 2:
		say(n, "config: a line without meaning");
		insert_text(b, line, good[rng_below(r, sizeof(good) / sizeof(*good))]);
		return FINE;
	case 3: {
		size_t len = 1 + rng_below(r, 100000);
		char *text = xmalloc(len);

		memset(text, "a=[\"#\n"[rng_below(r, 6)], len);
		say(n, "config: %zu bytes of %#x", len, (unsigned)text[0]);
		bytes_insert(b, line, text, len);
		free(text);
		return ANY;
	}
	default:
		return change_bytes(b, 0, b->nr, r, n);
	}
}

const struct kind kind_config = {"config", AS_CONFIG, false, false, 2, make_config, make_profile, mutate_config};
