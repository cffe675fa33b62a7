/*
 * profile.proto, bare and in gzip, written field by field.
 */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/alloc.h"
#include "hostile.h"

static void varint(struct build *b, uint64_t v)
{
	for (; v >= 128; v >>= 7)
		put8(b, (uint8_t)(v | 128));
	put8(b, (uint8_t)v);
}

static void number(struct build *b, unsigned field, uint64_t v)
{
	varint(b, field << 3);
	varint(b, v);
}

static void message(struct build *b, unsigned field, struct build *inner)
{
	varint(b, field << 3 | 2);
	varint(b, inner->nr);
	put_bytes(b, inner->data, inner->nr);
	inner->nr = 0;
}

/* As if put_bytes were given bytes of nothing: an empty message has none. */
static void text(struct build *b, unsigned field, const char *s)
{
	struct build t = {0};

	if (*s)
		put_bytes(&t, s, strlen(s));
	message(b, field, &t);
	build_free(&t);
}

enum { FUNCTIONS = 6, STACKS = 10 };
static const char *const strings[] = {
	"", "samples", "count", "cpu", "nanoseconds", "main.main", "main.work", "runtime.mallocgc", "runtime.futex",
	"net/http.(*conn).serve", "encoding/json.Marshal", "main.go", "/hostile/program", "thread", "worker", "bytes",
};
enum { NR_STRINGS = sizeof(strings) / sizeof(*strings), STRING_FUNCTION = 5, STRING_FILE = 11, STRING_BINARY, STRING_LABEL, STRING_VALUE };

static void sample(struct build *b, struct build *m, struct build *inner, unsigned i)
{
	for (unsigned k = 0; k <= i % 4; k++)
		varint(inner, 1 + (i + k) % FUNCTIONS);
	message(m, 1, inner);
	varint(inner, i + 1);
	varint(inner, (uint64_t)(i + 1) * 10000000);
	message(m, 2, inner);
	number(inner, 1, STRING_LABEL);
	number(inner, 2, STRING_VALUE);
	message(m, 3, inner);
	message(b, 2, m);
}

static void tables(struct build *b, struct build *m, struct build *inner)
{
	number(m, 1, 1);
	number(m, 2, 0x400000);
	number(m, 3, 0x800000);
	number(m, 5, STRING_BINARY);
	number(m, 7, 1);
	message(b, 3, m);
	for (unsigned i = 0; i < FUNCTIONS; i++) {
		number(m, 1, i + 1);
		number(m, 2, 1);
		number(m, 3, 0x401000 + 16 * i);
		number(inner, 1, i + 1);
		number(inner, 2, 10 + i);
		message(m, 4, inner);
		message(b, 4, m);
		number(m, 1, i + 1);
		number(m, 2, STRING_FUNCTION + i);
		number(m, 3, STRING_FUNCTION + i);
		number(m, 4, STRING_FILE);
		message(b, 5, m);
	}
}

static void make_bare(struct build *b)
{
	struct build m = {0}, inner = {0};

	*b = (struct build){0};
	for (unsigned i = 0; i < 2; i++) {
		number(&m, 1, 1 + 2 * i);
		number(&m, 2, 2 + 2 * i);
		message(b, 1, &m);
	}
	for (unsigned i = 0; i < STACKS; i++)
		sample(b, &m, &inner, i);
	tables(b, &m, &inner);
	for (unsigned i = 0; i < NR_STRINGS; i++)
		text(b, 6, strings[i]);
	number(b, 9, UINT64_C(1700000000000000000));
	number(b, 10, UINT64_C(10000000000));
	number(&m, 1, 3);
	number(&m, 2, 4);
	message(b, 11, &m);
	number(b, 12, 10000000);
	build_free(&m);
	build_free(&inner);
}

enum { TRAILER = 8, GZIP_HEADER = 10 };

static void pack(struct build *b)
{
	uLong room = compressBound(b->nr) + 64;
	uint8_t *z = xmalloc(room);
	z_stream s = {.next_in = b->data, .avail_in = (uInt)b->nr, .next_out = z, .avail_out = (uInt)room};

	if (deflateInit2(&s, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK || deflate(&s, Z_FINISH) != Z_STREAM_END)
		abort();
	b->nr = 0;
	put_bytes(b, z, s.total_out);
	deflateEnd(&s);
	free(z);
}

static bool make(struct build *b, unsigned which)
{
	make_bare(b);
	if (which)
		pack(b);
	return true;
}

/* --- structure ------------------------------------------------------------------------------------ */

struct field {
	size_t at;   /* of its tag */
	size_t value; /* of the number or the length */
	size_t begin, end; /* of its bytes; end: behind the field in any case */
	unsigned number, wire, parent;
};
enum { MAX_FIELDS = 512 };

static uint64_t read_varint(const struct build *b, size_t *at)
{
	uint64_t v = 0;

	for (unsigned shift = 0; *at < b->nr && shift < 64; shift += 7) {
		uint8_t c = b->data[(*at)++];

		v |= (uint64_t)(c & 127) << shift;
		if (c < 128)
			break;
	}
	return v;
}

static size_t walk(const struct build *b, size_t at, size_t end, unsigned parent, struct field *f, size_t nr)
{
	while (at < end && nr < MAX_FIELDS) {
		struct field *x = &f[nr++];
		uint64_t tag;

		*x = (struct field){.at = at, .parent = parent};
		tag = read_varint(b, &at);
		x->number = (unsigned)(tag >> 3);
		x->wire = tag & 7;
		x->value = at;
		x->begin = x->end = (read_varint(b, &at), at);
		if (x->wire == 2) {
			size_t v = x->value;

			x->end = at += (size_t)read_varint(b, &v);
			if (!parent && x->number <= 5)
				nr = walk(b, x->begin, x->end, x->number, f, nr);
		}
	}
	return nr;
}

static void replace_varint(struct build *b, size_t at, uint64_t v)
{
	size_t end = at;
	struct build new = {0};

	read_varint(b, &end);
	varint(&new, v);
	bytes_delete(b, at, end - at);
	bytes_insert(b, at, new.data, new.nr);
	build_free(&new);
}

/* An index or id that is in no table. The lengths around it stay right: it has as many bytes as before. */
static enum expect lie_index(struct build *b, const struct field *f, size_t nr, struct rng *r, struct note *n)
{
	static const struct {
		unsigned parent, number;
	} references[] = {{1, 1}, {1, 2}, {2, 1}, {4, 2}, {5, 2}, {5, 4}, {3, 5}};

	for (int i = 0; i < 1000; i++) {
		const struct field *x = &f[rng_below(r, nr)];

		for (size_t k = 0; k < sizeof(references) / sizeof(*references); k++) {
			if (x->parent != references[k].parent || x->number != references[k].number)
				continue;
			say(n, "field %u of message %u at %#zx: an index in no table", x->number, x->parent, x->at);
			set_number(b, x->wire == 2 ? x->begin : x->value, 1, 100 + rng_below(r, 28));
			return DETECTED;
		}
	}
	return ANY;
}

static enum expect lie_length(struct build *b, const struct field *f, size_t nr, struct rng *r, struct note *n)
{
	const struct field *x;

	do
		x = &f[rng_below(r, nr)];
	while (x->wire != 2 || x->parent);
	say(n, "field %u at %#zx: more bytes than there are", x->number, x->at);
	replace_varint(b, x->value, b->nr + odd_number(r, 4));
	return DETECTED;
}

static enum expect lie_varint(struct build *b, const struct field *f, size_t nr, struct rng *r, struct note *n)
{
	const struct field *x;
	static const uint8_t endless[12] = {255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255};

	do
		x = &f[rng_below(r, nr)];
	while (x->parent);
	say(n, "field %u at %#zx: a number without an end", x->number, x->at);
	bytes_insert(b, x->value, endless, sizeof(endless));
	return DETECTED;
}

static enum expect mutate_bare(struct build *b, struct rng *r, struct note *n)
{
	struct field f[MAX_FIELDS];
	size_t nr = walk(b, 0, b->nr, 0, f, 0);
	const struct field *x = &f[rng_below(r, nr)];
	size_t at;

	switch (rng_below(r, 10)) {
	case 0:
	case 1:
		return lie_index(b, f, nr, r, n);
	case 2:
		return lie_length(b, f, nr, r, n);
	case 3:
		return lie_varint(b, f, nr, r, n);
	case 4:
		at = rng_below(r, b->nr);
		say(n, "cut at %#zx of %#zx", at, b->nr);
		b->nr = at;
		for (size_t i = 0; i < nr; i++)
			if (!f[i].parent && f[i].at == at)
				return ANY; /* a field less at the end; its string may be missed or not */
		return DETECTED;
	case 5:
		say(n, "field %u at %#zx: wire type", x->number, x->at);
		b->data[x->at] = (uint8_t)((b->data[x->at] & 0xf8u) | (3 + rng_below(r, 5)));
		return ANY;
	case 6:
		say(n, "field %u of message %u at %#zx %s", x->number, x->parent, x->at, nr % 2 ? "left out" : "twice");
		if (rng_below(r, 2))
			bytes_delete(b, x->at, x->end - x->at);
		else
			bytes_insert(b, x->at, b->data + x->at, x->end - x->at);
		return ANY;
	case 7:
		say(n, "field %u of message %u at %#zx: odd number", x->number, x->parent, x->at);
		replace_varint(b, x->value, odd_number(r, 8));
		return ANY;
	case 8: {
		struct build new = {0};

		say(n, "a field nobody knows at the end");
		number(&new, 100, 7);
		put_bytes(b, new.data, new.nr);
		build_free(&new);
		return FINE;
	}
	default:
		return change_bytes(b, 0, b->nr, r, n);
	}
}

static void bomb(struct build *b)
{
	size_t size = (size_t)64 << 20;
	uint8_t *zeros = xcalloc(1, size);
	struct build big = {.data = zeros, .nr = size, .alloc = size};

	pack(&big);
	b->nr = 0;
	put_bytes(b, big.data, big.nr);
	build_free(&big);
}

static bool inflates_to(const struct build *packed, const struct build *want)
{
	uint8_t *to = xmalloc(want->nr + 1);
	z_stream s = {.next_in = packed->data, .avail_in = (uInt)packed->nr, .next_out = to, .avail_out = (uInt)want->nr + 1};
	bool same;

	if (inflateInit2(&s, 15 + 16) != Z_OK)
		abort();
	same = inflate(&s, Z_FINISH) == Z_STREAM_END && s.total_out == want->nr && !memcmp(to, want->data, want->nr);
	inflateEnd(&s);
	free(to);
	return same;
}

/* Bits that fill up the last byte of the deflate stream mean nothing. */
static bool is_damaged(const struct build *b)
{
	struct build bare;
	bool damaged;

	make_bare(&bare);
	damaged = !inflates_to(b, &bare);
	build_free(&bare);
	return damaged;
}

static enum expect mutate_packed(struct build *b, struct rng *r, struct note *n)
{
	size_t bit, at;

	if (rng_below(r, 500) == 0) {
		say(n, "gzip: 64 MB of zeros");
		bomb(b);
		return DETECTED;
	}
	switch (rng_below(r, 6)) {
	case 0:
		at = rng_below(r, b->nr);
		say(n, "gzip: cut at %#zx of %#zx", at, b->nr);
		b->nr = at;
		return DETECTED;
	case 1:
		bit = rng_below(r, (b->nr - GZIP_HEADER) * 8);
		say(n, "gzip: bit %zu flipped", bit);
		b->data[GZIP_HEADER + bit / 8] ^= (uint8_t)(1u << (bit & 7));
		return is_damaged(b) ? DETECTED : ANY;
	case 2:
		say(n, "gzip: size or checksum lies");
		set_number(b, b->nr - TRAILER + 4 * rng_below(r, 2), 4, rng_next(r));
		return DETECTED;
	case 3: {
		struct build nothing = {0};

		say(n, "gzip: an empty member behind");
		put_bytes(&nothing, NULL, 1);
		nothing.nr = 0;
		pack(&nothing);
		put_bytes(b, nothing.data, nothing.nr);
		build_free(&nothing);
		return FINE;
	}
	case 4:
		return change_bytes(b, 0, GZIP_HEADER, r, n);
	default: {
		enum expect expect;

		build_free(b);
		make_bare(b);
		expect = mutate_bare(b, r, n);
		pack(b);
		return expect;
	}
	}
}

static enum expect mutate(struct build *b, unsigned which, struct rng *r, struct note *n)
{
	return which ? mutate_packed(b, r, n) : mutate_bare(b, r, n);
}

const struct kind kind_pprof = {"pprof", AS_FILE, true, false, 2, make, NULL, mutate};
