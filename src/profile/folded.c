#include "profile/folded.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

/* Longest line taken; longer ones are damage. */
#define MAX_LINE ((size_t)16 << 20)

/* The counts at the end of a line: one, or two for difffolded.pl's form. Returns how many, and where the stack ends. */
static int parse_counts(const char *line, const char *end, int64_t counts[2], const char **stack_end)
{
	const char *p = end;
	int nr = 0;

	while (nr < 2) {
		const char *last = p, *digits;
		int64_t v = 0;

		while (p > line && p[-1] >= '0' && p[-1] <= '9')
			p--;
		digits = p;
		if (digits == last)
			break;
		/* "12.5" as some tools write: the fraction is not counted */
		if (p > line && p[-1] == '.' && nr == 0) {
			const char *q = p - 1;

			while (q > line && q[-1] >= '0' && q[-1] <= '9')
				q--;
			if (q < p - 1) {
				last = p - 1;
				p = digits = q;
			}
		}
		if (p == line || (p[-1] != ' ' && p[-1] != '\t'))
			break;
		for (const char *d = digits; d < last; d++) {
			if (v > (INT64_MAX - (*d - '0')) / 10)
				return 0;
			v = v * 10 + (*d - '0');
		}
		counts[nr++] = v;
		while (p > line && (p[-1] == ' ' || p[-1] == '\t'))
			p--;
		*stack_end = p;
	}
	if (nr == 2) {
		int64_t t = counts[0];

		counts[0] = counts[1];
		counts[1] = t;
	}
	return nr;
}

/* FlameGraph's suffixes: kernel, inlined, JIT, waker. */
static uint32_t add_frame(struct profile *p, const char *name, size_t len)
{
	struct profile_frame f = {.kind = FRAME_USER};

	if (len > 4 && name[len - 4] == '_' && name[len - 3] == '[' && name[len - 1] == ']') {
		char c = name[len - 2];

		if (c == 'k' || c == 'i' || c == 'j' || c == 'w') {
			f.kind = c == 'k' ? FRAME_KERNEL : FRAME_USER;
			f.inlined = c == 'i';
			len -= 4;
		}
	}
	f.name = strtab_add_len(&p->strings, name, len);
	return profile_add_frame(p, &f);
}

static bool read_line(struct profile *p, const char *line, size_t len, struct folded_order *order)
{
	int64_t counts[2] = {0};
	const char *end, *at = line;
	int nr;
	uint32_t node = 0;
	size_t row;

	if (len > MAX_LINE || memchr(line, 0, len))
		return false;
	nr = parse_counts(line, line + len, counts, &end);
	if (!nr || end == line)
		return false;
	while (at < end) {
		const char *semi = memchr(at, ';', (size_t)(end - at));
		const char *stop = semi ? semi : end;

		if (stop > at)
			node = profile_add_node(p, node, add_frame(p, at, (size_t)(stop - at)));
		at = stop + 1;
	}
	while (p->nr_series < (size_t)nr)
		profile_add_series(p, "samples", "count");
	row = profile_add_row(p, node, 0);
	for (int i = 0; i < nr; i++)
		profile_add_value(p, row, (size_t)i, counts[i]);
	if (order) {
		ALLOC_GROW(order->lines, order->nr + 1, order->alloc);
		order->lines[order->nr++] = (struct folded_line){node, counts[0]};
	}
	return true;
}

static const char *next_line(const char *at, const char *end, size_t *len)
{
	const char *nl = memchr(at, '\n', (size_t)(end - at));
	const char *stop = nl ? nl : end;

	*len = (size_t)(stop - at);
	if (*len && at[*len - 1] == '\r')
		--*len;
	return nl ? nl + 1 : end;
}

bool folded_recognise(const void *bytes, size_t n)
{
	const char *at = bytes, *end = at + n;

	/* the first line that is no comment ends in a count */
	while (at < end) {
		int64_t counts[2];
		const char *line = at, *stop;
		size_t len;

		at = next_line(at, end, &len);
		if (!len || line[0] == '#')
			continue;
		return !memchr(line, 0, len) && parse_counts(line, line + len, counts, &stop) > 0 && stop > line;
	}
	return false;
}

int folded_read(struct profile *p, const void *data, size_t size, const char *path, struct error *e)
{
	return folded_read_ordered(p, data, size, path, NULL, e);
}

int folded_read_ordered(struct profile *p, const void *data, size_t size, const char *path, struct folded_order *order,
			struct error *e)
{
	const char *begin = data, *at = begin, *end = begin + size;

	while (at < end) {
		const char *line = at;
		size_t len;

		at = next_line(at, end, &len);
		if (len && line[0] != '#' && !read_line(p, line, len, order))
			damage_add(&p->damage, DAMAGE_FOLDED_LINE, (uint64_t)(line - begin));
	}
	if (!p->nr_series)
		return error_set(e, EXIT_CODE_INPUT, "%s: no folded stack with a count", path);
	return 0;
}
