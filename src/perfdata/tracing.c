/*
 * The tracing data blob and the text of event formats in it.
 * Sources: see tracing.h.
 */
#include "perfdata/tracing.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "perfdata/internal.h"

/* Fields of one event; syscalls and the largest tracepoints have a few dozen. */
#define MAX_FIELDS 1024

/* A stretch of the format's text. */
struct span {
	const char *p;
	size_t n;
};

static struct span trimmed(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	while (end > p && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	return (struct span){p, (size_t)(end - p)};
}

static bool starts_with(struct span s, const char *text)
{
	size_t n = strlen(text);

	return s.n >= n && !memcmp(s.p, text, n);
}

/* Takes the text up to the next `stop`, which is passed over; false without one. */
static bool take_until(struct span *s, char stop, struct span *out)
{
	const char *at = s->n ? memchr(s->p, stop, s->n) : NULL;

	if (!at)
		return false;
	*out = trimmed(s->p, at);
	s->n -= (size_t)(at + 1 - s->p);
	s->p = at + 1;
	return true;
}

/* "offset:8": the number after the key. */
static bool take_number(struct span *line, const char *key, uint32_t *value)
{
	struct span part;
	uint64_t v = 0;
	size_t i = strlen(key);

	if (!take_until(line, ';', &part) || !starts_with(part, key) || i == part.n)
		return false;
	for (; i < part.n; i++) {
		if (part.p[i] < '0' || part.p[i] > '9')
			return false;
		v = v * 10 + (uint64_t)(part.p[i] - '0');
		if (v > UINT32_MAX)
			return false;
	}
	*value = (uint32_t)v;
	return true;
}

static bool is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* "char prev_comm[16]", "__data_loc char[] name", "unsigned long args[6]": type and name. */
static bool take_declaration(struct perfdata *pd, struct span d, struct tracepoint_field *f)
{
	static const char data_loc[] = "__data_loc ", rel_loc[] = "__rel_loc ";
	const char *end = d.p + d.n, *name;
	const char *bracket = d.n ? memchr(d.p, '[', d.n) : NULL;
	struct span type;

	f->array = bracket != NULL;
	if (starts_with(d, data_loc) || starts_with(d, rel_loc)) {
		f->data_loc = true;
		f->relative = starts_with(d, rel_loc);
		d.p += f->relative ? sizeof(rel_loc) - 1 : sizeof(data_loc) - 1;
	} else if (bracket) {
		/* the brackets stand behind the name */
		end = bracket;
		while (end > d.p && end[-1] == ' ')
			end--;
	}
	for (name = end; name > d.p && is_name_char(name[-1]);)
		name--;
	type = trimmed(d.p, name);
	if (name == end || !type.n)
		return false;
	if (f->data_loc && (bracket = memchr(type.p, '[', type.n)))
		type = trimmed(type.p, bracket);
	f->name = arena_strndup(&pd->strings, name, (size_t)(end - name));
	f->type = arena_strndup(&pd->strings, type.p, type.n);
	return true;
}

/* "field:pid_t prev_pid;\toffset:24;\tsize:4;\tsigned:1;" after the "field:". */
static bool take_field(struct perfdata *pd, struct span line, struct tracepoint_field *f)
{
	struct span declaration;
	uint32_t is_signed = 0;

	*f = (struct tracepoint_field){0};
	if (!take_until(&line, ';', &declaration) || !take_number(&line, "offset:", &f->offset) ||
	    !take_number(&line, "size:", &f->size))
		return false;
	/* kernels before 2.6.33 do not say it */
	take_number(&line, "signed:", &is_signed);
	f->is_signed = is_signed != 0;
	return take_declaration(pd, declaration, f);
}

static bool take_id(struct span line, uint32_t *id)
{
	uint64_t v = 0;

	line = trimmed(line.p + strlen("ID:"), line.p + line.n);
	if (!line.n || line.n > 10)
		return false;
	for (size_t i = 0; i < line.n; i++) {
		if (line.p[i] < '0' || line.p[i] > '9')
			return false;
		v = v * 10 + (uint64_t)(line.p[i] - '0');
	}
	*id = (uint32_t)v;
	return v <= UINT32_MAX;
}

static void add_tracepoint(struct perfdata *pd, const struct tracepoint *t)
{
	uint32_t i = map64_get(&pd->tracepoint_ids, t->id);

	if (i != MAP64_NONE) {
		pd->tracepoints[i] = *t;
		return;
	}
	map64_put(&pd->tracepoint_ids, t->id, (uint32_t)pd->nr_tracepoints);
	ALLOC_GROW(pd->tracepoints, pd->nr_tracepoints + 1, pd->alloc_tracepoints);
	pd->tracepoints[pd->nr_tracepoints++] = *t;
}

/* The text of one events/SYSTEM/NAME/format. False when it is none. */
static bool take_format(struct perfdata *pd, const char *system, struct span text)
{
	struct tracepoint t = {.system = system};
	struct tracepoint_field *fields = NULL;
	size_t alloc = 0;
	struct span line;
	bool has_id = false, ok = true;

	while (text.n && ok) {
		if (!take_until(&text, '\n', &line)) {
			line = trimmed(text.p, text.p + text.n);
			text.n = 0;
		}
		if (starts_with(line, "name:")) {
			struct span name = trimmed(line.p + strlen("name:"), line.p + line.n);

			t.name = arena_strndup(&pd->strings, name.p, name.n);
		} else if (starts_with(line, "ID:")) {
			has_id = ok = take_id(line, &t.id);
		} else if (starts_with(line, "print fmt:")) {
			break;
		} else if (starts_with(line, "field")) {
			/* "field special:" was written by old kernels for ftrace's own */
			struct span head;

			ok = take_until(&line, ':', &head) && t.nr_fields < MAX_FIELDS;
			if (ok) {
				ALLOC_GROW(fields, t.nr_fields + 1, alloc);
				ok = take_field(pd, line, &fields[t.nr_fields]);
				t.nr_fields += ok;
			}
		}
	}
	ok = ok && has_id && t.name && *t.name;
	if (ok && t.nr_fields)
		t.fields = arena_memdup(&pd->strings, fields, t.nr_fields * sizeof(*fields));
	if (ok)
		add_tracepoint(pd, &t);
	free(fields);
	return ok;
}

/* A length of eight bytes and so many bytes; NULL when they are not there. */
static const char *take_file(struct cursor *c, size_t *n)
{
	uint64_t size = cursor_u64(c);

	*n = 0;
	if (c->failed || size > cursor_left(c)) {
		c->failed = true;
		return NULL;
	}
	*n = (size_t)size;
	return cursor_take(c, *n);
}

static void take_header_file(struct cursor *c, const char *name)
{
	const char *found = cursor_cstr(c, NULL);
	size_t n;

	if (!found || strcmp(found, name) != 0)
		c->failed = true;
	take_file(c, &n);
}

static void take_systems(struct perfdata *pd, struct cursor *c)
{
	uint32_t systems = cursor_u32(c);

	for (uint32_t i = 0; i < systems && !c->failed; i++) {
		size_t len;
		const char *text = cursor_cstr(c, &len);
		const char *system = text ? arena_strndup(&pd->strings, text, len) : "";
		uint32_t events = cursor_u32(c);

		for (uint32_t k = 0; k < events && !c->failed; k++) {
			size_t n;
			uint64_t offset = cursor_offset(c);
			const char *format = take_file(c, &n);

			if (format && !take_format(pd, system, (struct span){format, n}))
				damage_add(&pd->damage, DAMAGE_TRACING, offset);
		}
	}
}

/* What names the attributes that came without a name of their own. */
static void name_attrs(struct perfdata *pd)
{
	for (size_t i = 0; i < pd->nr_named; i++) {
		struct perf_attr *a = pd->attrs[i];

		if (a->name_made)
			a->name = attr_made_name(pd, a);
	}
}

void tracing_read(struct perfdata *pd, const uint8_t *data, size_t size, uint64_t offset)
{
	static const uint8_t magic[] = {23, 8, 68, 't', 'r', 'a', 'c', 'i', 'n', 'g'};
	struct cursor c = cursor_make(data, size, offset, false);
	const uint8_t *head = cursor_take(&c, sizeof(magic));
	const char *version;
	uint8_t big_endian, long_size;

	if (!head || memcmp(head, magic, sizeof(magic)) != 0) {
		damage_add(&pd->damage, DAMAGE_TRACING, offset);
		return;
	}
	version = cursor_cstr(&c, NULL); /* "0.5", "0.6": they differ after what is read here */
	big_endian = cursor_u8(&c);
	long_size = cursor_u8(&c);
	c.swap = (big_endian != 0) != (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__);
	cursor_u32(&c); /* page size */
	if (!version || big_endian > 1 || (long_size != 4 && long_size != 8))
		c.failed = true;
	take_header_file(&c, "header_page");
	take_header_file(&c, "header_event");
	for (uint32_t i = cursor_u32(&c); i && !c.failed; i--) {
		size_t n; /* ftrace's own events: no samples are made of them */

		take_file(&c, &n);
	}
	take_systems(pd, &c);
	/* kallsyms, printk formats and saved command lines follow: of no use here */
	if (c.failed)
		damage_add(&pd->damage, DAMAGE_TRACING, cursor_offset(&c));
	name_attrs(pd);
}

const struct tracepoint *perfdata_tracepoint(const struct perfdata *pd, uint64_t id)
{
	uint32_t i = map64_get(&pd->tracepoint_ids, id);

	return i == MAP64_NONE ? NULL : &pd->tracepoints[i];
}

const struct tracepoint_field *tracepoint_field(const struct tracepoint *t, const char *name)
{
	for (size_t i = 0; t && i < t->nr_fields; i++)
		if (!strcmp(t->fields[i].name, name))
			return &t->fields[i];
	return NULL;
}

/* The bytes of the field itself. */
static const uint8_t *field_bytes(const struct tracepoint_field *f, const struct perf_sample *s)
{
	if (f->offset > s->raw_size || f->size > s->raw_size - f->offset)
		return NULL;
	return s->raw + f->offset;
}

bool tracepoint_number(const struct tracepoint_field *f, const struct perf_sample *s, bool swap,
		       uint64_t *value)
{
	const uint8_t *p = f && !f->array && !f->data_loc ? field_bytes(f, s) : NULL;
	uint64_t sign;

	if (!p || (f->size != 1 && f->size != 2 && f->size != 4 && f->size != 8))
		return false;
	*value = f->size == 1	? p[0]
		 : f->size == 2 ? load16(p, swap)
		 : f->size == 4 ? load32(p, swap)
				: perfdata_load64(p, swap);
	if (f->is_signed) {
		sign = UINT64_C(1) << (8 * f->size - 1);
		*value = (*value ^ sign) - sign;
	}
	return true;
}

const uint8_t *tracepoint_bytes(const struct tracepoint_field *f, const struct perf_sample *s, bool swap,
				size_t *size)
{
	const uint8_t *p = f ? field_bytes(f, s) : NULL;
	uint32_t where, offset;

	*size = 0;
	if (!p)
		return NULL;
	if (!f->data_loc) {
		*size = f->size;
		return p;
	}
	if (f->size != 4)
		return NULL;
	/* low half: where it begins; high half: its length */
	where = load32(p, swap);
	offset = where & 0xffff;
	if (f->relative)
		offset += f->offset + f->size;
	if (offset > s->raw_size || where >> 16 > s->raw_size - offset)
		return NULL;
	*size = where >> 16;
	return s->raw + offset;
}
