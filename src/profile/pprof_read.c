/*
 * Source: github.com/google/pprof profile/profile.go (CheckValid), encode.go
 * (postDecode), prune.go (drop and keep frames).
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "base/cursor.h"
#include "base/hash.h"
#include "base/gzip.h"
#include "profile/pprof.h"
#include "profile/profile.pb-c.h"
#include "profile/regex.h"

typedef Perftools__Profiles__Profile Msg;
typedef Perftools__Profiles__Location Loc;
typedef Perftools__Profiles__Function Fun;
typedef Perftools__Profiles__Sample Sam;

/* A message unpacked by protobuf-c takes several times its bytes. */
#define MESSAGE_MAX ((size_t)256 << 20)
#define DEPTH_MAX 16384
/* An empty message is 2 bytes in the file and about a hundred unpacked: what that may come to. */
#define UNPACKED_MAX ((size_t)2 << 30)
/* Beside its bytes, of each allocation: empty messages cost time as well. */
#define PIECE 16
/* Two locations of many lines in few bytes make as many nodes; a profile of a million stacks has fewer. */
#define NODES_MAX ((size_t)64 << 20)
/* No field of a later version has a higher number: protobuf's one-byte tags end at 15, sensible ones here. */
#define NEW_FIELDS 1000

struct reader {
	struct profile *p;
	const Msg *m;
	const char *path;
	struct map64 locations, functions, mappings; /* ids, which are any numbers */
	uint32_t *strings;			     /* table index → id + 1 */
	/* frames of each location, leaf first */
	struct {
		uint32_t first, nr;
		bool made;
	} *frames_of;
	uint32_t *frames;
	size_t nr_frames, alloc_frames;
	uint32_t *stack;
	size_t alloc_stack;
};

/* Wire type of each field of the message: 2 length-delimited, 0 varint. A later version may have more fields. */
static bool field_fits(uint64_t tag, int before)
{
	uint64_t field = tag >> 3, wire = tag & 7;

	if (field == 13) /* comment: packed or not */
		return wire == 0 || wire == 2;
	if (field > 15 && field < NEW_FIELDS && before > 0)
		return wire == 0 || wire == 2;
	return field >= 1 && field <= 15 && wire == (field <= 6 || field == 11 ? 2 : 0);
}

/* Fields walked before a file is taken for a profile. */
#define RECOGNISE_FIELDS 64

bool pprof_recognise(const void *bytes, size_t n)
{
	const uint8_t *b = bytes;
	struct cursor c = cursor_make(bytes, n, 0, false);
	int fields = 0;

	if (n >= 2 && b[0] == 0x1f && b[1] == 0x8b)
		return true;
	for (; cursor_left(&c) && fields < RECOGNISE_FIELDS; fields++) {
		uint64_t tag = cursor_uleb(&c), value = cursor_uleb(&c);

		if (c.failed || !field_fits(tag, fields))
			return false;
		if ((tag & 7) != 2)
			continue;
		if (value > cursor_left(&c))
			return false;
		cursor_take(&c, (size_t)value);
	}
	return fields > 0;
}

static const ProtobufCBinaryData *table_string(const struct reader *r, int64_t i)
{
	return i >= 0 && (uint64_t)i < r->m->n_string_table ? &r->m->string_table[i] : NULL;
}

/* An index outside the table is damage; the string is then empty. */
static uint32_t string(struct reader *r, int64_t i)
{
	const ProtobufCBinaryData *s = table_string(r, i);

	if (!s) {
		damage_add(&r->p->damage, DAMAGE_PROFILE_INDEX, 0);
		return 0;
	}
	if (!r->strings[i])
		r->strings[i] = strtab_add_len(&r->p->strings, s->data ? (const char *)s->data : "", s->len) + 1;
	return r->strings[i] - 1;
}

static int read_types(struct reader *r, struct error *e)
{
	struct profile *p = r->p;

	if (!r->m->n_sample_type)
		return error_set(e, EXIT_CODE_INPUT, "%s: profile without a sample type", r->path);
	for (size_t i = 0; i < r->m->n_sample_type; i++) {
		uint32_t type = string(r, r->m->sample_type[i]->type), unit = string(r, r->m->sample_type[i]->unit);

		profile_add_series(p, "", "");
		p->series[i].type = type;
		p->series[i].unit = unit;
	}
	/* the last one, unless the profile names another (pprof's default) */
	p->default_series = p->nr_series - 1;
	if (r->m->default_sample_type) {
		uint32_t want = string(r, r->m->default_sample_type);

		for (size_t i = 0; want && i < p->nr_series; i++)
			if (p->series[i].type == want)
				p->default_series = i;
	}
	return 0;
}

static int index_ids(struct reader *r, struct error *e)
{
	const Msg *m = r->m;

	for (size_t i = 0; i < m->n_function; i++) {
		if (!m->function[i]->id || map64_get(&r->functions, m->function[i]->id) != MAP64_NONE)
			return error_set(e, EXIT_CODE_INPUT, "%s: function %zu: id %llu is 0 or taken", r->path, i,
					 (unsigned long long)m->function[i]->id);
		map64_put(&r->functions, m->function[i]->id, (uint32_t)i);
	}
	for (size_t i = 0; i < m->n_location; i++) {
		if (!m->location[i]->id || map64_get(&r->locations, m->location[i]->id) != MAP64_NONE)
			return error_set(e, EXIT_CODE_INPUT, "%s: location %zu: id %llu is 0 or taken", r->path, i,
					 (unsigned long long)m->location[i]->id);
		map64_put(&r->locations, m->location[i]->id, (uint32_t)i);
	}
	for (size_t i = 0; i < m->n_mapping; i++) {
		if (!m->mapping[i]->id || map64_get(&r->mappings, m->mapping[i]->id) != MAP64_NONE)
			return error_set(e, EXIT_CODE_INPUT, "%s: mapping %zu: id %llu is 0 or taken", r->path, i,
					 (unsigned long long)m->mapping[i]->id);
		map64_put(&r->mappings, m->mapping[i]->id, (uint32_t)i);
	}
	return 0;
}

static void read_mappings(struct reader *r)
{
	struct profile *p = r->p;

	for (size_t i = 0; i < r->m->n_mapping; i++) {
		const Perftools__Profiles__Mapping *m = r->m->mapping[i];

		ALLOC_GROW(p->mappings, p->nr_mappings + 1, p->alloc_mappings);
		p->mappings[p->nr_mappings++] = (struct profile_mapping){
			.start = m->memory_start, .limit = m->memory_limit, .offset = m->file_offset,
			.file = string(r, m->filename), .build_id = string(r, m->build_id),
			.has_functions = m->has_functions, .has_filenames = m->has_filenames,
			.has_lines = m->has_line_numbers, .has_inlines = m->has_inline_frames,
		};
	}
}

static int32_t narrow(int64_t v)
{
	return v < 0 || v > INT32_MAX ? 0 : (int32_t)v;
}

static void push_frame(struct reader *r, const struct profile_frame *f)
{
	ALLOC_GROW(r->frames, r->nr_frames + 1, r->alloc_frames);
	r->frames[r->nr_frames++] = profile_add_frame(r->p, f);
}

/* perf's converters, this one among them, tell kernel code by its mapping's name. */
static uint8_t kind_of(const struct reader *r, uint32_t dso)
{
	const char *name = profile_str(r->p, dso), *ko = strstr(name, ".ko");

	if (!strncmp(name, "[kernel", 7) || !strncmp(name, "[guest.kernel", 13) || !strncmp(name, "bpf_prog_", 9))
		return FRAME_KERNEL;
	return ko && (!ko[3] || ko[3] == '.') ? FRAME_KERNEL : FRAME_USER;
}

/* An address that no function names: "[binary]+0xADDRESS" as for perf's own. */
static void push_nameless(struct reader *r, const Loc *l, uint32_t dso)
{
	const char *path = profile_str(r->p, dso), *slash = strrchr(path, '/');
	char *text = xasprintf("[%s]+%#llx", *path ? (slash ? slash + 1 : path) : "unknown",
			       (unsigned long long)l->address);
	struct profile_frame f = {.dso = dso, .kind = kind_of(r, dso), .address = l->address,
				  .nameless = true};

	f.name = strtab_add(&r->p->strings, text);
	free(text);
	push_frame(r, &f);
}

/* line[0] is the innermost inlined call, the last one the function itself. */
static void make_location(struct reader *r, uint32_t index)
{
	const Loc *l = r->m->location[index];
	uint32_t mapping = l->mapping_id ? map64_get(&r->mappings, l->mapping_id) : MAP64_NONE;
	uint32_t dso = mapping == MAP64_NONE ? 0 : r->p->mappings[mapping].file;
	size_t first = r->nr_frames;

	if (l->mapping_id && mapping == MAP64_NONE)
		damage_add(&r->p->damage, DAMAGE_PROFILE_INDEX, 0);
	for (size_t i = 0; i < l->n_line && i < DEPTH_MAX; i++) {
		uint32_t fn = map64_get(&r->functions, l->line[i]->function_id);
		const Fun *f = fn == MAP64_NONE ? NULL : r->m->function[fn];
		struct profile_frame frame = {.dso = dso, .kind = kind_of(r, dso), .address = l->address,
					      .inlined = i + 1 < l->n_line};

		if (!f) {
			if (l->line[i]->function_id)
				damage_add(&r->p->damage, DAMAGE_PROFILE_INDEX, 0);
			continue;
		}
		frame.name = string(r, f->name);
		if (f->system_name && f->system_name != f->name)
			frame.linkage = string(r, f->system_name);
		frame.file = f->filename ? string(r, f->filename) : 0;
		frame.line = narrow(l->line[i]->line);
		frame.start_line = narrow(f->start_line);
		push_frame(r, &frame);
	}
	if (r->nr_frames == first)
		push_nameless(r, l, dso);
	r->frames_of[index].first = (uint32_t)first;
	r->frames_of[index].nr = (uint32_t)(r->nr_frames - first);
	r->frames_of[index].made = true;
}

/* --- drop_frames, keep_frames --------------------------------------------------------------- */

/* Whether a frame is dropped, asked once a frame. */
struct prune {
	regex_t drop, keep;
	bool has_drop, has_keep;
	uint8_t *known; /* per frame: 0 not asked, 1 stays, 2 dropped */
	size_t nr_known;
};

/* False with p->unread_frames set where the expression is not within the C library's. */
static bool compile(struct reader *r, regex_t *re, uint32_t pattern)
{
	const char *text = profile_str(r->p, pattern), *problem;
	char why[128];

	if (!*text)
		return false;
	problem = regex_compile(re, text, true, why);
	if (problem)
		r->p->unread_frames = problem == why ? "it does not compile" : problem;
	return !problem;
}

static void prune_init(struct prune *pr, struct reader *r)
{
	*pr = (struct prune){.has_drop = false};
	pr->has_drop = compile(r, &pr->drop, r->p->drop_frames);
	pr->has_keep = compile(r, &pr->keep, r->p->keep_frames);
	/* what keep_frames would have kept must not go */
	if (r->p->unread_frames && pr->has_drop) {
		regfree(&pr->drop);
		pr->has_drop = false;
	}
}

static void prune_release(struct prune *pr)
{
	if (pr->has_drop)
		regfree(&pr->drop);
	if (pr->has_keep)
		regfree(&pr->keep);
	free(pr->known);
}

/* prune.go, simplifyFunc: without PPC's leading dot and without C++ arguments. */
static char *simplified(const char *name)
{
	static const char *const reserved[] = {"(anonymous namespace)", "operator()"};
	char *s = xstrdup(*name == '.' ? name + 1 : name);

	for (char *p = s; (p = strchr(p, '(')); p++) {
		if (!strncmp(p, reserved[0], strlen(reserved[0])) ||
		    (p - s >= 8 && !strncmp(p - 8, reserved[1], strlen(reserved[1]))))
			continue;
		*p = '\0';
		break;
	}
	return s;
}

static bool is_dropped(struct prune *pr, const struct profile *p, uint32_t frame)
{
	if (frame >= pr->nr_known) {
		size_t old = pr->nr_known;

		ALLOC_GROW(pr->known, p->nr_frames, pr->nr_known);
		memset(pr->known + old, 0, pr->nr_known - old);
	}
	if (!pr->known[frame]) {
		char *name = simplified(profile_str(p, p->frames[frame].name));
		bool drop = *name && !p->frames[frame].nameless && regexec(&pr->drop, name, 0, NULL, 0) == 0 &&
			    !(pr->has_keep && regexec(&pr->keep, name, 0, NULL, 0) == 0);

		pr->known[frame] = drop ? 2 : 1;
		free(name);
	}
	return pr->known[frame] == 2;
}

/*
 * Where the stack (leaf first) begins: a dropped function goes with all it calls.
 * Those before the first frame that stays, from the root, are left (prune.go).
 */
static size_t pruned_leaf(struct reader *r, struct prune *pr, size_t depth)
{
	bool found_user = false;

	for (size_t k = depth; pr->has_drop && k-- > 0;) {
		if (!is_dropped(pr, r->p, r->stack[k]))
			found_user = true;
		else if (found_user)
			return k + 1;
	}
	return 0;
}

/* --- samples ------------------------------------------------------------------------------------ */

static uint32_t sample_labels(struct reader *r, const Sam *s)
{
	struct profile_label *labels;
	uint32_t id;

	if (!s->n_label)
		return 0;
	labels = xcalloc(s->n_label, sizeof(*labels));
	for (size_t i = 0; i < s->n_label; i++)
		labels[i] = (struct profile_label){
			.key = string(r, s->label[i]->key),
			.str = s->label[i]->str ? string(r, s->label[i]->str) : 0,
			.num = s->label[i]->num,
			.unit = s->label[i]->num_unit ? string(r, s->label[i]->num_unit) : 0,
		};
	id = profile_add_labels(r->p, labels, s->n_label);
	free(labels);
	return id;
}

/* The stack, leaf first; 0 frames and false when a location is unknown. */
static bool sample_stack(struct reader *r, const Sam *s, size_t *depth)
{
	*depth = 0;
	for (size_t i = 0; i < s->n_location_id; i++) {
		uint32_t l = map64_get(&r->locations, s->location_id[i]);

		if (l == MAP64_NONE || *depth > DEPTH_MAX)
			return false;
		if (!r->frames_of[l].made)
			make_location(r, l);
		ALLOC_GROW(r->stack, *depth + r->frames_of[l].nr, r->alloc_stack);
		for (uint32_t k = 0; k < r->frames_of[l].nr; k++)
			r->stack[(*depth)++] = r->frames[r->frames_of[l].first + k];
	}
	return true;
}

static int read_samples(struct reader *r, struct prune *pr, struct error *e)
{
	struct profile *p = r->p;

	for (size_t i = 0; i < r->m->n_sample; i++) {
		const Sam *s = r->m->sample[i];
		size_t depth, leaf, row;
		uint32_t node = 0;

		if (s->n_value != p->nr_series || !sample_stack(r, s, &depth)) {
			damage_add(&p->damage, s->n_value != p->nr_series ? DAMAGE_PROFILE_FIELD : DAMAGE_PROFILE_INDEX, 0);
			continue;
		}
		leaf = pruned_leaf(r, pr, depth);
		for (size_t k = depth; k-- > leaf;)
			node = profile_add_node(p, node, r->stack[k]);
		row = profile_add_row(p, node, sample_labels(r, s));
		for (size_t k = 0; k < p->nr_series; k++)
			profile_add_value(p, row, k, s->value[k]);
		if (p->nr_nodes > NODES_MAX)
			return error_set(e, EXIT_CODE_LIMIT, "%s: sample %zu: more than %zu million distinct calls",
					 r->path, i, NODES_MAX >> 20);
	}
	return 0;
}

static void read_head(struct reader *r)
{
	struct profile *p = r->p;
	const Msg *m = r->m;

	p->time_ns = m->time_nanos;
	p->duration_ns = m->duration_nanos;
	p->period = m->period;
	if (m->period_type) {
		p->period_type = string(r, m->period_type->type);
		p->period_unit = string(r, m->period_type->unit);
	}
	p->drop_frames = m->drop_frames ? string(r, m->drop_frames) : 0;
	p->keep_frames = m->keep_frames ? string(r, m->keep_frames) : 0;
	for (size_t i = 0; i < m->n_comment; i++) {
		ALLOC_GROW(p->comments, p->nr_comments + 1, p->alloc_comments);
		p->comments[p->nr_comments++] = string(r, m->comment[i]);
	}
}

static int read_message(struct reader *r, struct error *e)
{
	const ProtobufCBinaryData *empty = table_string(r, 0);
	struct prune pr;
	int result;

	if (!empty || empty->len)
		return error_set(e, EXIT_CODE_INPUT, "%s: profile without a string table that begins with \"\"", r->path);
	r->strings = xcalloc(r->m->n_string_table, sizeof(*r->strings));
	r->frames_of = xcalloc(r->m->n_location, sizeof(*r->frames_of));
	if (read_types(r, e) < 0 || index_ids(r, e) < 0)
		return -1;
	read_head(r);
	read_mappings(r);
	prune_init(&pr, r);
	result = read_samples(r, &pr, e);
	prune_release(&pr);
	return result;
}

/* Protobuf-c's allocations: refused beyond a budget, freed all at once. */
struct budget {
	struct arena arena;
	size_t left;
	bool spent;
};

static void *budget_alloc(void *data, size_t size)
{
	struct budget *b = data;

	if (b->spent || size > b->left || b->left - size < PIECE) {
		b->spent = true;
		return NULL;
	}
	b->left -= size + PIECE;
	return arena_alloc(&b->arena, size);
}

static void budget_free(void *data, void *piece)
{
	(void)data;
	(void)piece;
}

int pprof_read(struct profile *p, const void *data, size_t size, const char *path, struct error *e)
{
	struct reader r = {.p = p, .path = path};
	struct budget budget = {.left = UNPACKED_MAX};
	ProtobufCAllocator allocator = {budget_alloc, budget_free, &budget};
	const uint8_t *bytes = data;
	uint8_t *unpacked = NULL;
	Msg *m;
	int result;

	if (size >= 2 && bytes[0] == 0x1f && bytes[1] == 0x8b) {
		if (gzip_unpack(data, size, path, &unpacked, &size, e) < 0)
			return -1;
		bytes = unpacked;
	}
	if (size > MESSAGE_MAX) {
		free(unpacked);
		return error_set(e, EXIT_CODE_LIMIT, "%s: profile of %zu MiB, more than %zu", path, size >> 20,
				 MESSAGE_MAX >> 20);
	}
	m = size ? perftools__profiles__profile__unpack(&allocator, size, bytes) : NULL;
	if (!m) {
		const char *old = pprof_old_form(bytes, size);

		free(unpacked);
		arena_release(&budget.arena);
		if (budget.spent)
			return error_set(e, EXIT_CODE_LIMIT, "%s: profile takes more than %zu MiB", path,
					 UNPACKED_MAX >> 20);
		return error_set(e, EXIT_CODE_INPUT, old ? "%s: %s, which is not read (`go tool pprof -proto` converts most old forms)" : "%s: not a profile.proto%s",
				 path, old ? old : "");
	}
	r.m = m;
	result = read_message(&r, e);
	arena_release(&budget.arena);
	map64_release(&r.locations);
	map64_release(&r.functions);
	map64_release(&r.mappings);
	free(r.strings);
	free(r.frames_of);
	free(r.frames);
	free(r.stack);
	free(unpacked);
	return result;
}
