/*
 * Recordings with one lie each. What the format can show to be a lie has to be noticed.
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "perf_shape.h"

struct shape shape_of(const struct build *b, enum recording what)
{
	struct shape s = {.what = what, .pipe = get_number(b, 8, 8) == 16};
	size_t at;

	if (s.pipe) {
		s.data = 16;
		s.end = b->nr;
	} else {
		s.attr_size = (size_t)get_number(b, 16, 8);
		s.attrs = (size_t)get_number(b, 24, 8);
		s.nr_attrs = (size_t)get_number(b, 32, 8) / s.attr_size;
		s.data = (size_t)get_number(b, 40, 8);
		s.end = s.data + (size_t)get_number(b, 48, 8);
		s.features = s.end;
		for (size_t i = 0; i < 4; i++)
			s.nr_features += (size_t)__builtin_popcountll(get_number(b, 72 + 8 * i, 8));
	}
	for (at = s.data; at < s.end && s.nr < SHAPE_MAX; at += s.records[s.nr++].size) {
		s.records[s.nr].at = at;
		s.records[s.nr].size = (size_t)get_number(b, at + 6, 2);
		s.records[s.nr].type = (uint32_t)get_number(b, at, 4);
	}
	return s;
}

size_t shape_chain(enum recording what)
{
	return what == CALLCHAIN ? 40 : what == DUMPS ? 32 : 0;
}

/* Behind a chain of two and 20 registers. */
size_t shape_dump(enum recording what)
{
	return what == DUMPS ? 32 + 8 + 16 + 8 + 160 : 0;
}

/* The records moved by so many bytes: header and table follow. */
static void resized(struct build *b, const struct shape *s, size_t was)
{
	uint64_t by = b->nr - was;

	if (s->pipe)
		return;
	set_number(b, 48, 8, get_number(b, 48, 8) + by);
	for (size_t i = 0; i < s->nr_features; i++) {
		size_t at = s->features + (size_t)by + 16 * i;

		set_number(b, at, 8, get_number(b, at, 8) + by);
	}
}

static size_t pick(const struct shape *s, struct rng *r, uint32_t type)
{
	for (int i = 0; i < 1000; i++) {
		size_t n = rng_below(r, s->nr);

		if (!type || s->records[n].type == type)
			return n;
	}
	return 0;
}

static enum expect lie_size(struct build *b, const struct shape *s, struct rng *r, struct note *n)
{
	size_t i = pick(s, r, 0), at = s->records[i].at;
	static const uint16_t sizes[] = {0, 7, 65535, 1, 8, 12};
	uint16_t size = sizes[rng_below(r, 6)];

	say(n, "record %zu of type %u at %#zx: size %u", i, s->records[i].type, at, size);
	set_number(b, at + 6, 2, size);
	if (size < 8)
		return DETECTED;
	/* beyond the end; or a sample with nothing in it */
	return size > s->end - at || (size == 8 && s->records[i].type == PERF_RECORD_SAMPLE) ? DETECTED : ANY;
}

static enum expect lie_shorter(struct build *b, const struct shape *s, struct rng *r, struct note *n)
{
	size_t i = pick(s, r, PERF_RECORD_SAMPLE), at = s->records[i].at, less = 8 * (1 + rng_below(r, (s->records[i].size - 8) / 8));

	say(n, "sample at %#zx ends %zu bytes early", at, less);
	set_number(b, at + 6, 2, s->records[i].size - less);
	return DETECTED;
}

static enum expect lie_count(struct build *b, const struct shape *s, struct rng *r, struct note *n)
{
	size_t i = pick(s, r, PERF_RECORD_SAMPLE), chain = shape_chain(s->what), dump = shape_dump(s->what);
	size_t field = dump && rng_below(r, 2) ? dump : chain;
	uint64_t was, v;

	if (!field)
		return lie_shorter(b, s, r, n);
	field += s->records[i].at;
	was = get_number(b, field, 8);
	v = rng_below(r, 4) ? odd_number(r, 8) : was + 1 + rng_below(r, 16);
	say(n, "sample at %#zx: count at %#zx is %llu instead of %llu", s->records[i].at, field, (unsigned long long)v,
	    (unsigned long long)was);
	set_number(b, field, 8, v);
	return v > s->records[i].size ? DETECTED : v > was && field - s->records[i].at == chain && s->what == CALLCHAIN ? DETECTED : ANY;
}

/* More valid bytes than the dump has. */
static enum expect lie_valid(struct build *b, const struct shape *s, struct rng *r, struct note *n)
{
	size_t i = pick(s, r, PERF_RECORD_SAMPLE), at = s->records[i].at + s->records[i].size - 8;
	uint64_t v = get_number(b, at, 8) + 1 + odd_number(r, 4);

	if (!shape_dump(s->what))
		return lie_size(b, s, r, n);
	say(n, "sample at %#zx: %llu bytes of its dump valid", s->records[i].at, (unsigned long long)v);
	set_number(b, at, 8, v);
	return DETECTED;
}

static enum expect lie_string(struct build *b, const struct shape *s, struct rng *r, struct note *n)
{
	static const uint32_t types[] = {PERF_RECORD_MMAP2, PERF_RECORD_COMM, PERF_RECORD_KSYMBOL};
	static const size_t from[] = {72, 16, 24};
	size_t t = rng_below(r, 3), i = pick(s, r, types[t]), at = s->records[i].at;
	size_t id = s->what == PLAIN ? 24 : 16;

	say(n, "record of type %u at %#zx: string without an end", types[t], at);
	if (s->records[i].type != types[t])
		return ANY;
	memset(b->data + at + from[t], 'A', s->records[i].size - from[t] - id);
	return DETECTED;
}

static enum expect lie_id(struct build *b, const struct shape *s, struct rng *r, struct note *n)
{
	size_t i = pick(s, r, PERF_RECORD_SAMPLE), at = s->records[i].at + 32;

	if (s->what != PLAIN)
		return lie_shorter(b, s, r, n);
	say(n, "sample at %#zx of an unknown event", s->records[i].at);
	set_number(b, at, 8, UINT64_C(0xdeadbeef) + rng_below(r, 100));
	return DETECTED;
}

static enum expect lie_cut(struct build *b, const struct shape *s, struct rng *r, struct note *n)
{
	size_t at = rng_below(r, b->nr), i = pick(s, r, 0);
	enum expect expect = DETECTED;

	if (rng_below(r, 2)) /* at a boundary, or one byte beside it */
		at = s->records[i].at + rng_below(r, 3) - 1;
	/* a stream may end behind any record, once it told its events */
	for (i = 0; s->pipe && i < s->nr; i++)
		if (at == s->records[i].at && i > 0)
			expect = ANY;
	say(n, "cut at %#zx of %#zx", at, b->nr);
	b->nr = at;
	return expect;
}

static enum expect lie_header(struct build *b, const struct shape *s, struct rng *r, struct note *n)
{
	static const struct {
		const char *what;
		size_t at;
	} fields[] = {{"header size", 8}, {"entry size", 16}, {"attributes' offset", 24}, {"attributes' size", 32},
		      {"data offset", 40}, {"data size", 48}};
	size_t f = rng_below(r, 6);
	uint64_t v = odd_number(r, 8), was = get_number(b, fields[f].at, 8);

	if (s->pipe)
		return lie_size(b, s, r, n);
	if (rng_below(r, 4) == 0)
		v = b->nr + rng_below(r, 3) - 1;
	say(n, "header: %s %#llx instead of %#llx", fields[f].what, (unsigned long long)v, (unsigned long long)was);
	set_number(b, fields[f].at, 8, v);
	if (v == was || (f == 0 && (v == 16 || v > was)))
		return ANY;
	if (f == 5) /* no data at all may be so, but for what follows it */
		return v > b->nr || v == 0 ? DETECTED : ANY;
	return f == 0 || f == 1 || v > b->nr ? DETECTED : ANY;
}

static enum expect lie_attr(struct build *b, const struct shape *s, struct rng *r, struct note *n)
{
	size_t at = s->attrs + s->attr_size * rng_below(r, s->nr_attrs ? s->nr_attrs : 1);

	if (s->pipe)
		at = s->data + 8;
	switch (rng_below(r, s->pipe ? 2 : 4)) {
	case 0:
		say(n, "attribute at %#zx: a bit of sample_type nobody knows", at);
		set_number(b, at + 24, 8, get_number(b, at + 24, 8) | UINT64_C(1) << (32 + rng_below(r, 32)));
		return DETECTED;
	case 1: {
		static const uint32_t sizes[] = {1, 7, 63, 65535, 0xffffffff};
		uint32_t v = sizes[rng_below(r, 5)];

		say(n, "attribute at %#zx: size %u", at, v);
		set_number(b, at + 4, 4, v);
		return DETECTED;
	}
	case 2:
		say(n, "attribute at %#zx: ids beyond the file", at);
		set_number(b, at + s->attr_size - 16, 8, b->nr + 1 + odd_number(r, 4));
		return DETECTED;
	default:
		say(n, "attribute at %#zx: more ids than bytes", at);
		set_number(b, at + s->attr_size - 8, 8, b->nr + odd_number(r, 4));
		return DETECTED;
	}
}

static enum expect lie_feature(struct build *b, const struct shape *s, struct rng *r, struct note *n)
{
	size_t f = rng_below(r, s->nr_features ? s->nr_features : 1), entry = s->features + 16 * f, at;

	if (s->pipe)
		return lie_size(b, s, r, n);
	at = (size_t)get_number(b, entry, 8);
	switch (rng_below(r, 6)) {
	case 0:
		say(n, "feature %zu: offset beyond the file", f);
		set_number(b, entry, 8, b->nr + 1 + odd_number(r, 4));
		return DETECTED;
	case 1:
		say(n, "feature %zu: size beyond the file", f);
		set_number(b, entry + 8, 8, b->nr + odd_number(r, 4));
		return DETECTED;
	case 2: /* its first number: of a record, a string, a list */
		say(n, "feature %zu: first number is odd", f);
		set_number(b, at + (f == 0 ? 6 : 0), f == 0 ? 2 : 4, f == 0 ? rng_below(r, 8) : 0xfffffff0 + rng_below(r, 16));
		return f == 0 || f == 1 || f == 2 || f == 3 || f == 5 ? DETECTED : ANY;
	case 3:
		say(n, "all bits of features set");
		memset(b->data + 72, 0xff, 32);
		return DETECTED;
	case 4:
		say(n, "feature %zu: one byte short", f);
		set_number(b, entry + 8, 8, get_number(b, entry + 8, 8) - 1 - rng_below(r, 3));
		return DETECTED;
	default: {
		size_t g = s->features + 16 * rng_below(r, s->nr_features);
		uint8_t tmp[16];

		say(n, "features at %#zx and %#zx change places", entry, g);
		memcpy(tmp, b->data + entry, 16);
		memcpy(b->data + entry, b->data + g, 16);
		memcpy(b->data + g, tmp, 16);
		return ANY;
	}
	}
}

/* What is no damage: a record less, one more, one of a type from tomorrow. */
static enum expect harmless(struct build *b, const struct shape *s, struct rng *r, struct note *n)
{
	size_t i = pick(s, r, PERF_RECORD_SAMPLE), at = s->records[i].at, size = s->records[i].size, was = b->nr;
	struct build new = {.swap = b->swap};

	switch (rng_below(r, 3)) {
	case 0:
		say(n, "sample at %#zx left out", at);
		bytes_delete(b, at, size);
		break;
	case 1:
		say(n, "sample at %#zx twice", at);
		bytes_insert(b, at, b->data + at, size);
		break;
	default:
		say(n, "record of an unknown type before %#zx", at);
		record_begin(&new, rng_below(r, 2) ? 47 : 4095, 0);
		put_bytes(&new, NULL, 8 * rng_below(r, 9));
		record_end(&new);
		bytes_insert(b, at, new.data, new.nr);
		build_free(&new);
	}
	resized(b, s, was);
	return FINE;
}

static enum expect reorder(struct build *b, const struct shape *s, struct rng *r, struct note *n)
{
	size_t i = pick(s, r, 0), k = pick(s, r, 0), was = b->nr;

	if (rng_below(r, 2)) {
		say(n, "record %zu left out", i);
		bytes_delete(b, s->records[i].at, s->records[i].size);
	} else {
		say(n, "record %zu again before record %zu", i, k);
		bytes_insert(b, s->records[k].at, b->data + s->records[i].at, s->records[i].size);
	}
	resized(b, s, was);
	return ANY;
}

static enum expect odd_field(struct build *b, const struct shape *s, struct rng *r, struct note *n)
{
	size_t i = pick(s, r, 0), words = s->records[i].size / 4, nr = 1 + rng_below(r, 3);

	say(n, "%zu words of record %zu of type %u at %#zx are odd", nr, i, s->records[i].type, s->records[i].at);
	while (nr--) {
		size_t at = s->records[i].at + 4 * rng_below(r, words);

		if (rng_below(r, 2) && at + 8 <= s->end)
			set_number(b, at, 8, odd_number(r, 8));
		else
			set_number(b, at, 4, odd_number(r, 4));
	}
	return ANY;
}

enum expect perf_mutate(struct build *b, enum recording what, struct rng *r, struct note *n)
{
	static enum expect (*const lies[])(struct build *, const struct shape *, struct rng *, struct note *) = {
		lie_size, lie_shorter, lie_count, lie_valid, lie_string, lie_id, lie_cut, lie_cut,
		lie_header, lie_attr, lie_feature, harmless, reorder, odd_field, odd_field,
	};
	const struct shape s = shape_of(b, what);
	size_t which = rng_below(r, sizeof(lies) / sizeof(*lies) + 4);

	if (which < sizeof(lies) / sizeof(*lies))
		return lies[which](b, &s, r, n);
	switch (rng_below(r, 4)) {
	case 0:
		return change_bytes(b, 0, s.data, r, n);
	case 1:
		return change_bytes(b, s.end < b->nr ? s.end : s.data, b->nr, r, n);
	default:
		return change_bytes(b, s.data, s.end, r, n);
	}
}
