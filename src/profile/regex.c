#include "profile/regex.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

/* The C library parses groups by recursion and copies what is repeated. */
#define LENGTH_MAX 16384
#define DEPTH_MAX 100
#define REPEATS_MAX 1000 /* RE2's own limit */
#define EXPANDED_MAX 200000
/*
 * Of ^, $, \b, \B elsewhere than at the ends of the alternatives that the whole expression has, in a repeated group as
 * often as that: glibc copies what lies behind one for every other that is reached with it (regcomp.c,
 * duplicate_node_closure); forty take seconds, more all memory.
 */
#define ANCHORS_MAX 12

struct translator {
	const char *at;
	char *out;
	size_t nr, alloc;
	int depth;
	long repeats;		     /* product of all counts */
	long anchors;		     /* so far, see above */
	long before[DEPTH_MAX];	     /* those before each group that is open */
	long grouped;		     /* those of the group that has just been closed */
	bool ignore_case, repeatable;
	const char *why;
};

static void put(struct translator *t, char c)
{
	ALLOC_GROW(t->out, t->nr + 1, t->alloc);
	t->out[t->nr++] = c;
}

static void put_text(struct translator *t, const char *s)
{
	while (*s)
		put(t, *s++);
}

static void put_literal(struct translator *t, char c)
{
	if (strchr(".[]()*+?{}|^$\\", c))
		put(t, '\\');
	put(t, c);
}

static int hex_value(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* What a backslash sequence stands for: one ASCII character, a class letter, or -1. */
static int escape(struct translator *t, bool *class)
{
	static const char letters[] = "tnrfva", codes[] = "\t\n\r\f\v\a";
	char c = *t->at;
	const char *known;
	int value = 0, digits = 0;
	bool braces;

	*class = false;
	if (!c)
		return -1;
	t->at++;
	if (strchr("dDwWsS", c)) {
		*class = true;
		return c;
	}
	if (c == 'x') {
		braces = *t->at == '{';
		t->at += braces;
		for (; hex_value(*t->at) >= 0 && digits < (braces ? 8 : 2); digits++, t->at++)
			value = value > 127 ? value : value * 16 + hex_value(*t->at);
		if (!digits || (braces && *t->at != '}') || value < 1 || value > 127)
			return -1;
		t->at += braces;
		return value;
	}
	known = strchr(letters, c);
	if (known)
		return codes[known - letters];
	return ispunct((unsigned char)c) ? c : -1;
}

/* --- bracket expressions ------------------------------------------------------------------ */

struct set {
	bool in[128], negated;
};

static void add_class(struct set *s, int letter)
{
	for (int c = 1; c < 128; c++) {
		bool digit = c >= '0' && c <= '9';
		bool is = letter == 'd' || letter == 'D' ? digit
			  : letter == 'w' || letter == 'W'
				  ? digit || c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
				  : c == '\t' || c == '\n' || c == '\f' || c == '\r' || c == ' ';

		s->in[c] |= is != (isupper(letter) != 0);
	}
}

/* "[:alpha:]" at t->at, behind its '['. */
static bool add_named(struct translator *t, struct set *s)
{
	static const struct {
		const char *name;
		int (*is)(int c);
	} names[] = {
		{":alpha:]", isalpha}, {":digit:]", isdigit}, {":alnum:]", isalnum}, {":upper:]", isupper},
		{":lower:]", islower}, {":space:]", isspace}, {":punct:]", ispunct}, {":xdigit:]", isxdigit},
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		size_t n = strlen(names[i].name);

		if (strncmp(t->at, names[i].name, n) != 0)
			continue;
		for (int c = 1; c < 128; c++)
			s->in[c] |= names[i].is(c) != 0;
		t->at += n;
		return true;
	}
	return false;
}

/* One end of a range; -1: a class was added, or it cannot be said (t->why). */
static int set_member(struct translator *t, struct set *s)
{
	char c = *t->at++;
	bool class;
	int v;

	if (c == '[' && *t->at == ':' && add_named(t, s))
		return -1;
	if (c == '\\') {
		v = escape(t, &class);
		if (class)
			add_class(s, v);
		else if (v < 0)
			t->why = "an escape that is not understood";
		return class ? -1 : v;
	}
	if ((unsigned char)c >= 128) {
		t->why = "characters outside ASCII in brackets";
		return -1;
	}
	return c;
}

static void put_set(struct translator *t, const struct set *s)
{
	int nr = 0, only = 0;

	for (int c = 1; c < 128; c++)
		if (s->in[c]) {
			nr++;
			only = c;
		}
	if (!nr) {
		t->why = "an empty class";
		return;
	}
	if (nr == 1 && !s->negated) {
		put_literal(t, (char)only);
		return;
	}
	/* ']' first, '[', '^' and '-' last: they are themselves there */
	put_text(t, s->negated ? "[^" : "[");
	if (s->in[']'])
		put(t, ']');
	for (int c = 1; c < 128; c++)
		if (s->in[c] && !strchr("][^-", c))
			put(t, (char)c);
	for (const char *c = "[^-"; *c; c++)
		if (s->in[(int)*c])
			put(t, *c);
	put(t, ']');
}

static void bracket(struct translator *t)
{
	struct set s = {.negated = *t->at == '^'};
	bool first = true;

	t->at += s.negated;
	for (; !t->why && *t->at && (*t->at != ']' || first); first = false) {
		int low = set_member(t, &s), high = low;

		if (low < 0)
			continue;
		if (t->at[0] == '-' && t->at[1] && t->at[1] != ']') {
			t->at++;
			high = set_member(t, &s);
			if (high < low && !t->why)
				t->why = "a range from high to low";
		}
		for (int c = low; c <= high; c++)
			s.in[c] = true;
	}
	if (t->why)
		return;
	if (*t->at == ']') {
		t->at++;
		put_set(t, &s);
	} else {
		t->why = "a bracket that is not closed";
	}
}

/* --- everything else ---------------------------------------------------------------------- */

static void put_anchor(struct translator *t, const char *text, bool inside)
{
	put_text(t, text);
	t->repeatable = false;
	if ((t->anchors += inside) > ANCHORS_MAX)
		t->why = "more anchors than can be run";
}

static void open_group(struct translator *t)
{
	put(t, '(');
	if (t->depth == DEPTH_MAX)
		t->why = "groups nested too deep";
	else
		t->before[t->depth++] = t->anchors;
}

static void close_group(struct translator *t)
{
	put(t, ')');
	if (t->depth == 0)
		t->why = "a group's end without its start";
	else
		t->grouped = t->anchors - t->before[--t->depth];
}

/* Behind "(": "?:", "?P<name>", or flags, of which those at the very start can be kept. */
static void group(struct translator *t, bool at_start)
{
	const char *p = t->at + 1;

	if (*t->at != '?') {
		open_group(t);
		return;
	}
	if (*p == ':') {
		t->at += 2;
		open_group(t);
		return;
	}
	if ((p[0] == 'P' && p[1] == '<') || p[0] == '<') {
		const char *end = strchr(p, '>');

		t->at = end ? end + 1 : t->at;
		t->why = end ? NULL : "a group's name that does not end";
		open_group(t);
		return;
	}
	for (; *p && strchr("imsU", *p); p++)
		t->ignore_case |= *p == 'i';
	if (*p == ')' && at_start)
		t->at = p + 1;
	else
		t->why = "flags other than at the start";
	t->repeatable = false;
}

/* "{2}", "{2,}", "{2,5}" at t->at, behind its '{'; false: the brace is itself. */
static bool counted(struct translator *t)
{
	const char *p = t->at;
	long low, high;
	char *end;

	if (*p < '0' || *p > '9')
		return false;
	low = high = strtol(p, &end, 10);
	if (*end == ',' && end[1] >= '0' && end[1] <= '9')
		high = strtol(end + 1, &end, 10);
	else if (*end == ',')
		end++;
	if (*end != '}')
		return false;
	high = high > low ? high : low;
	if (high > REPEATS_MAX || (high > 1 && (t->repeats *= high) > REPEATS_MAX))
		t->why = "more repeats than can be run";
	else if (high > 1 && (t->anchors += (high - 1) * t->grouped) > ANCHORS_MAX)
		t->why = "more anchors than can be run";
	put(t, '{');
	while (t->at <= end)
		put(t, *t->at++);
	return true;
}

static void backslash(struct translator *t)
{
	bool class;
	int c = *t->at;

	if (c == 'Q') {
		for (t->at++; *t->at && strncmp(t->at, "\\E", 2) != 0; t->at++)
			put_literal(t, *t->at);
		t->at += *t->at ? 2 : 0;
		return;
	}
	if (c == 'b' || c == 'B') { /* the C library has them, too */
		t->at++;
		put_anchor(t, c == 'b' ? "\\b" : "\\B", true);
		return;
	}
	if (c == 'A' || c == 'z') {
		t->at++;
		put_anchor(t, c == 'A' ? "^" : "$", true);
		return;
	}
	c = escape(t, &class);
	if (c < 0) {
		t->why = "an escape that is not understood";
	} else if (class) {
		struct set s = {.negated = isupper(c)};

		add_class(&s, tolower(c));
		put_set(t, &s);
	} else {
		put_literal(t, (char)c);
	}
}

/* '*', '+', '?', '{': a '?' behind makes it lazy, which changes nothing for a yes or no. */
static void repeat(struct translator *t, char c)
{
	if (!t->repeatable) {
		t->why = "a repeat of nothing";
		return;
	}
	if (c != '{')
		put(t, c);
	if (*t->at == '?')
		t->at++;
	t->repeatable = false;
}

char *regex_to_posix(const char *re2, bool *ignore_case, const char **why)
{
	struct translator t = {.at = re2, .repeats = 1};

	if (strlen(re2) > LENGTH_MAX)
		t.why = "too long";
	while (!t.why && *t.at) {
		char c = *t.at++;
		bool at_start = t.at == re2 + 1;

		if (c == '*' || c == '+' || c == '?' || (c == '{' && t.repeatable && counted(&t))) {
			repeat(&t, c);
			continue;
		}
		t.repeatable = c != '|' && c != '(';
		t.grouped = 0;
		if (c == '\\')
			backslash(&t);
		else if (c == '[')
			bracket(&t);
		else if (c == '(')
			group(&t, at_start);
		else if (c == ')')
			close_group(&t);
		else if (c == '^')
			put_anchor(&t, "^", t.depth || (!at_start && t.at[-2] != '|'));
		else if (c == '$')
			put_anchor(&t, "$", t.depth || (*t.at && *t.at != '|'));
		else if (c == '{')
			put_text(&t, "\\{");
		else
			put(&t, c);
	}
	if (!t.why && (long)t.nr > EXPANDED_MAX / t.repeats)
		t.why = "more repeats than can be run";
	put(&t, '\0');
	*ignore_case = t.ignore_case;
	*why = t.why;
	if (!t.why)
		return t.out;
	free(t.out);
	return NULL;
}

const char *regex_compile(regex_t *re, const char *re2, bool whole, char why[128])
{
	const char *problem;
	bool ignore_case;
	char *posix = regex_to_posix(re2, &ignore_case, &problem), *text;
	int r;

	if (!posix)
		return problem;
	text = whole ? xasprintf("^(%s)$", posix) : xstrdup(posix);
	r = regcomp(re, text, REG_EXTENDED | REG_NOSUB | (ignore_case ? REG_ICASE : 0));
	if (r)
		regerror(r, re, why, 128);
	free(text);
	free(posix);
	return r ? why : NULL;
}
