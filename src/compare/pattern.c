#include "compare/pattern.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

static bool is_repeat(char c)
{
	return c == '?' || c == '*' || c == '+';
}

/* What a character stands for in `text` at `at`: how many bytes that takes; 0: it is not to be had. */
static size_t atom_width(const char *text, size_t at)
{
	const char *close;

	switch (text[at]) {
	case '\\':
		return text[at + 1] ? 2 : 0;
	case '[':
		if (!text[at + 1] || strchr("^]", text[at + 1]))
			return 0;
		close = strchr(text + at, ']');
		return close && close - text - (ptrdiff_t)at < UINT8_MAX ? (size_t)(close - text) - at + 1 : 0;
	case '{':
	case '}':
	case '^':
	case '*':
	case '+':
	case '?':
		return 0;
	default:
		return 1;
	}
}

/* The one byte that what begins with this atom begins with, or 0. */
static uint8_t first_byte(const char *atom, size_t width)
{
	if (*atom == '.' || *atom == '[' || atom[width] == '?' || atom[width] == '*')
		return 0;
	return (uint8_t)atom[width - 1];
}

/* Which bytes what comes behind the prefix may begin with; all where that is not one group that must be there. */
static void find_followers(struct pattern *p)
{
	size_t end = p->steps[p->rest].end;
	bool any = p->text[p->rest] != '(' || p->text[end + 1] == '?';

	for (size_t branch = p->rest; !any && branch != end; branch = p->steps[branch].next) {
		any = !p->steps[branch].first;
		p->follows[p->steps[branch].first] = true;
	}
	if (any)
		memset(p->follows, true, sizeof(p->follows));
}

/* Most names fail here. */
static void find_prefix(struct pattern *p)
{
	size_t at = 1, width;

	if (*p->text != '^')
		return;
	p->prefix = xcalloc(strlen(p->text), 1);
	while ((width = p->steps[at].width) && !strchr(".[", p->text[at]) && !is_repeat(p->text[at + width])) {
		p->prefix[p->prefix_size++] = p->text[at + width - 1];
		at += width;
	}
	p->rest = at;
	find_followers(p);
}

bool pattern_make(struct pattern *p, const char *text)
{
	enum { DEEPEST = 16 };
	size_t open[DEEPEST], last[DEEPEST], depth = 0, width;

	*p = (struct pattern){.text = text};
	if (strlen(text) >= PATTERN_MAX)
		return false;
	p->steps = xcalloc(strlen(text) + 1, sizeof(*p->steps));
	for (size_t at = *text == '^'; text[at]; at += width) {
		width = 1;
		if (text[at] == '(') {
			if (depth == DEEPEST)
				return false;
			open[depth] = last[depth] = at;
			depth++;
		} else if (text[at] == '|' || text[at] == ')') {
			if (!depth)
				return false;
			p->steps[last[depth - 1]].next = (uint16_t)at;
			last[depth - 1] = at;
			if (text[at] == '|')
				continue;
			p->steps[open[--depth]].end = (uint16_t)at;
			if (is_repeat(text[at + 1])) {
				if (text[at + 1] != '?')
					return false;
				width = 2;
			}
		} else if (text[at] == '$') {
			if (text[at + 1] && text[at + 1] != '|' && text[at + 1] != ')')
				return false;
		} else {
			width = atom_width(text, at);
			if (!width)
				return false;
			p->steps[at].width = (uint8_t)width;
			if (at && strchr("(|", text[at - 1]))
				p->steps[at - 1].first = first_byte(text + at, width);
			width += is_repeat(text[at + width]);
		}
	}
	if (depth)
		return false;
	find_prefix(p);
	return true;
}

void pattern_release(struct pattern *p)
{
	free(p->steps);
	free(p->prefix);
}

/* Whether the atom of `width` bytes at `atom` stands for c, which is not the end of the name. */
static bool stands_for(const char *atom, size_t width, char c)
{
	if (*atom == '[') {
		for (const char *a = atom + 1; a < atom + width - 1; a++) {
			if (a[1] == '-' && a + 2 < atom + width - 1) {
				if ((unsigned char)c >= (unsigned char)a[0] && (unsigned char)c <= (unsigned char)a[2])
					return true;
				a += 2;
			} else if (*a == c) {
				return true;
			}
		}
		return false;
	}
	return width == 2 ? atom[1] == c : *atom == '.' || *atom == c;
}

/* Where to go on once the group around has matched. */
struct outer {
	size_t group; /* its '(' */
	const struct outer *outer;
};

/* As deep as the pattern is long, whatever the name. */
static bool matches(const struct pattern *p, size_t at, const char *name, const struct outer *outer)
{
	for (;;) {
		const char *atom = p->text + at;
		size_t width, least, most = 0;

		if (outer && (*atom == '|' || *atom == ')')) { /* pattern_make has seen to it that there are none outside */
			at = p->steps[outer->group].end + 1u;
			at += p->text[at] == '?';
			outer = outer->outer;
			continue;
		}
		if (!*atom)
			return true;
		if (*atom == '$') {
			if (*name)
				return false;
			at++;
			continue;
		}
		if (*atom == '(') {
			struct outer in = {at, outer};
			size_t end = p->steps[at].end;

			for (size_t branch = at; branch != end; branch = p->steps[branch].next)
				if ((!p->steps[branch].first || p->steps[branch].first == (uint8_t)*name) &&
				    matches(p, branch + 1, name, &in))
					return true;
			if (p->text[end + 1] != '?')
				return false;
			at = end + 2;
			continue;
		}
		width = p->steps[at].width;
		if (!is_repeat(atom[width])) {
			if (!*name || !stands_for(atom, width, *name))
				return false;
			name++;
			at += width;
			continue;
		}
		while (name[most] && stands_for(atom, width, name[most]) && (atom[width] != '?' || !most))
			most++;
		at += width + 1;
		least = atom[width] == '+';
		for (; most > least; most--)
			if (matches(p, at, name + most, outer))
				return true;
		if (most < least)
			return false;
		name += most;
	}
}

bool pattern_matches(const struct pattern *p, const char *name)
{
	if (p->prefix)
		return !strncmp(name, p->prefix, p->prefix_size) && p->follows[(uint8_t)name[p->prefix_size]] &&
		       matches(p, p->rest, name + p->prefix_size, NULL);
	for (;; name++) {
		if (matches(p, 0, name, NULL))
			return true;
		if (!*name)
			return false;
	}
}
