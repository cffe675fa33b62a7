/*
 * Source: github.com/google/pprof proto/profile.proto; Go cmd/internal/pgo
 * (wants samples/count or cpu/nanoseconds, and Function.start_line).
 *
 * Inlined calls become lines of one location again; rows are written sorted by
 * their stacks' text, so that the bytes depend on the contents alone. While they are
 * sorted another thread finds the locations. These get their numbers in the rows' order;
 * meanwhile several threads pack pieces of the message, of which protobuf says that
 * concatenated they are the whole.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "base/gzip.h"
#include "base/pool.h"
#include "profile/pprof.h"
#include "profile/profile.pb-c.h"

typedef Perftools__Profiles__Profile Msg;
typedef Perftools__Profiles__Location Loc;
typedef Perftools__Profiles__Line Lin;
typedef Perftools__Profiles__Function Fun;
typedef Perftools__Profiles__Sample Sam;
typedef Perftools__Profiles__Mapping Map;
typedef Perftools__Profiles__ValueType Typ;
typedef Perftools__Profiles__Label Lab;

struct writer {
	const struct profile *p;
	Msg m; /* all but the samples */
	size_t alloc_strings, alloc_locations, alloc_functions;
	uint32_t *string_of; /* profile string id → index + 1 */
	struct finder *found;
	uint32_t *number_of_node; /* its location's, 0: not yet */
	const size_t *columns;
	size_t nr_columns;
	uint32_t *rows; /* that become samples, in order */
	size_t nr_rows;
	bool gzip;
	struct gzip_piece *pieces; /* not packed without gzip */
	size_t nr_pieces;
	struct pool_mark numbered; /* rows */
	struct arena arena;
};

/* Locations and functions as they are found, before they have numbers. */
struct finder {
	const struct profile *p;
	struct arena arena;
	Fun **functions; /* their strings are the profile's ids until they have numbers */
	size_t nr_functions, alloc_functions;
	struct map64 function_index; /* frame without line and address → function */
	struct found_location {
		Loc message;	     /* its lines' functions are indexes until it has a number */
		uint32_t *frames;    /* innermost first, */
		size_t nr;	     /* the last one not inlined */
		uint32_t next;	     /* with the same hash, + 1 */
	} **locations;
	size_t nr_locations, alloc_locations;
	uint32_t *of_frame;	     /* location of this frame alone, + 1 */
	struct map64 location_index; /* hash of its frames, of several → first of a chain */
	struct found_node {
		uint32_t location; /* + 1; 0: not known yet */
		uint32_t caller;   /* the node of it */
	} *of_node;
	uint32_t *path; /* of one location */
	size_t alloc_path;
};

/* Rows of a piece, from 100 KB to 1 MB: enough for deflate, and for as many pieces as there are processors. */
#define PIECE_ROWS 4096

static int64_t string(struct writer *w, uint32_t id)
{
	if (!w->string_of[id]) {
		const char *s = profile_str(w->p, id);

		ALLOC_GROW(w->m.string_table, w->m.n_string_table + 1, w->alloc_strings);
		w->m.string_table[w->m.n_string_table++] =
			(ProtobufCBinaryData){strtab_len(&w->p->strings, id), (uint8_t *)(uintptr_t)s};
		w->string_of[id] = (uint32_t)w->m.n_string_table;
	}
	return w->string_of[id] - 1;
}

static int64_t extra_string(struct writer *w, const char *s)
{
	uint32_t known = strtab_find(&w->p->strings, s);

	if (known != UINT32_MAX)
		return string(w, known);
	ALLOC_GROW(w->m.string_table, w->m.n_string_table + 1, w->alloc_strings);
	w->m.string_table[w->m.n_string_table++] = (ProtobufCBinaryData){strlen(s), (uint8_t *)(uintptr_t)s};
	return (int64_t)w->m.n_string_table - 1;
}

/* --- locations and functions --------------------------------------------------------------- */

static uint32_t find_function(struct finder *d, uint32_t frame)
{
	const struct profile_frame *f = &d->p->frames[frame];
	uint32_t linkage = f->linkage ? f->linkage : f->name, known;
	/* frames are few enough that these fields' mix does not collide in practice; checked below */
	uint64_t key = hash_u64(hash_u64((uint64_t)f->name << 32 | f->linkage) ^
				((uint64_t)f->file << 32 | (uint32_t)f->start_line));
	Fun *fn;

	for (; (known = map64_get(&d->function_index, key)) != MAP64_NONE; key++) {
		const Fun *k = d->functions[known];

		if (k->name == f->name && k->filename == f->file && k->start_line == f->start_line && k->system_name == linkage)
			return known;
	}
	fn = arena_alloc(&d->arena, sizeof(*fn));
	perftools__profiles__function__init(fn);
	fn->name = f->name;
	fn->system_name = linkage;
	fn->filename = f->file;
	fn->start_line = f->start_line;
	ALLOC_GROW(d->functions, d->nr_functions + 1, d->alloc_functions);
	map64_put(&d->function_index, key, (uint32_t)d->nr_functions);
	d->functions[d->nr_functions] = fn;
	return (uint32_t)d->nr_functions++;
}

/* The mapping whose file is the frame's binary: by address range first, then by name alone. */
static uint64_t mapping_id(const struct profile *p, const struct profile_frame *f)
{
	uint64_t by_file = 0;

	for (size_t i = 0; i < p->nr_mappings; i++) {
		const struct profile_mapping *m = &p->mappings[i];

		if (m->file != f->dso)
			continue;
		if (m->limit > m->start && f->address >= m->start && f->address < m->limit)
			return i + 1;
		if (!by_file)
			by_file = i + 1;
	}
	return by_file;
}

static struct found_location *make_location(struct finder *d, const uint32_t *frames, size_t nr)
{
	const struct profile_frame *outer = &d->p->frames[frames[nr - 1]];
	struct found_location *found = arena_alloc(&d->arena, sizeof(*found));
	Loc *l = &found->message;

	*found = (struct found_location){.frames = arena_memdup(&d->arena, frames, nr * sizeof(*frames)), .nr = nr};
	perftools__profiles__location__init(l);
	l->mapping_id = mapping_id(d->p, outer);
	l->address = outer->address;
	if (nr == 1 && outer->nameless)
		return found;
	l->n_line = nr;
	l->line = arena_alloc(&d->arena, nr * sizeof(Lin *));
	for (size_t i = 0; i < nr; i++) {
		Lin *line = arena_alloc(&d->arena, sizeof(*line));

		perftools__profiles__line__init(line);
		line->function_id = find_function(d, frames[i]);
		line->line = d->p->frames[frames[i]].line;
		l->line[i] = line;
	}
	return found;
}

/* The location of these frames, innermost first, the last one not inlined; + 1. */
static uint32_t find_location(struct finder *d, const uint32_t *frames, size_t nr)
{
	uint64_t key = nr > 1 ? hash_bytes(frames, nr * sizeof(*frames)) : 0;
	uint32_t i = nr > 1 ? map64_get(&d->location_index, key) : MAP64_NONE, head = i;
	struct found_location *l;

	if (nr == 1 && d->of_frame[*frames])
		return d->of_frame[*frames];
	for (; i != MAP64_NONE; i = l->next ? l->next - 1 : MAP64_NONE) {
		l = d->locations[i];
		if (l->nr == nr && !memcmp(l->frames, frames, nr * sizeof(*frames)))
			return i + 1;
	}
	l = make_location(d, frames, nr);
	l->next = head == MAP64_NONE ? 0 : head + 1;
	i = (uint32_t)d->nr_locations;
	ALLOC_GROW(d->locations, d->nr_locations + 1, d->alloc_locations);
	d->locations[d->nr_locations++] = l;
	if (nr > 1)
		map64_put(&d->location_index, key, i);
	else
		d->of_frame[*frames] = i + 1;
	return i + 1;
}

/* The location that a node's frame is the innermost of; returns the node of its caller. */
static uint32_t find_node(struct finder *d, uint32_t node)
{
	const struct profile *p = d->p;
	size_t nr = 0;
	uint32_t at = node;

	do {
		ALLOC_GROW(d->path, nr + 1, d->alloc_path);
		d->path[nr++] = p->nodes[at].frame;
		at = p->nodes[at].parent;
	} while (at && p->frames[d->path[nr - 1]].inlined);
	d->of_node[node] = (struct found_node){find_location(d, d->path, nr), at};
	return at;
}

static void find_all(void *ctx, int worker, size_t task)
{
	struct finder *d = ctx;
	const struct profile *p = d->p;

	(void)worker, (void)task;
	d->of_frame = xcalloc(p->nr_frames ? p->nr_frames : 1, sizeof(*d->of_frame));
	d->of_node = xcalloc(p->nr_nodes ? p->nr_nodes : 1, sizeof(*d->of_node));
	for (size_t r = 0; r < p->nr_rows; r++) /* who is known has callers that are */
		for (uint32_t node = p->rows[r].node; node && !d->of_node[node].location;)
			node = find_node(d, node);
}

static void finder_release(struct finder *d)
{
	free(d->functions);
	free(d->locations);
	free(d->of_frame);
	free(d->of_node);
	free(d->path);
	map64_release(&d->function_index);
	map64_release(&d->location_index);
	arena_release(&d->arena);
}

static bool has_values(const struct writer *w, uint32_t row)
{
	for (size_t c = 0; c < w->nr_columns; c++)
		if (w->p->series[w->columns[c]].values[row])
			return true;
	return false;
}

static void choose_rows(struct writer *w)
{
	w->rows = profile_row_order(w->p);
	for (size_t i = 0; i < w->p->nr_rows; i++)
		if (has_values(w, w->rows[i]))
			w->rows[w->nr_rows++] = w->rows[i];
}

/* --- numbers -------------------------------------------------------------------------------------- */

static uint64_t number_function(struct writer *w, Fun *fn)
{
	if (fn->id)
		return fn->id;
	fn->name = string(w, (uint32_t)fn->name);
	fn->system_name = string(w, (uint32_t)fn->system_name);
	fn->filename = string(w, (uint32_t)fn->filename);
	ALLOC_GROW(w->m.function, w->m.n_function + 1, w->alloc_functions);
	w->m.function[w->m.n_function++] = fn;
	fn->id = w->m.n_function;
	return fn->id;
}

static uint32_t number_location(struct writer *w, Loc *l)
{
	if (l->id)
		return (uint32_t)l->id;
	for (size_t i = 0; i < l->n_line; i++)
		l->line[i]->function_id = number_function(w, w->found->functions[l->line[i]->function_id]);
	ALLOC_GROW(w->m.location, w->m.n_location + 1, w->alloc_locations);
	w->m.location[w->m.n_location++] = l;
	l->id = w->m.n_location;
	return (uint32_t)l->id;
}

/* All that the samples need gets its number; threads that wait for samples of a piece go on. */
static void number_samples(struct writer *w)
{
	const struct profile *p = w->p;
	const struct finder *d = w->found;

	for (size_t i = 0; i < w->nr_rows; i++) {
		const struct profile_row *row = &p->rows[w->rows[i]];
		const struct profile_labels *set = &p->label_sets[row->labels];

		/* who has one has callers that have */
		for (uint32_t node = row->node; node && !w->number_of_node[node]; node = d->of_node[node].caller)
			w->number_of_node[node] = number_location(w, &d->locations[d->of_node[node].location - 1]->message);
		for (uint32_t l = set->first; l < set->first + set->nr; l++) {
			string(w, p->labels[l].key);
			string(w, p->labels[l].str);
			string(w, p->labels[l].unit);
		}
		if ((i + 1) % PIECE_ROWS == 0 || i + 1 == w->nr_rows)
			pool_mark_reach(&w->numbered, i + 1);
	}
}

/* --- samples, by several threads: of the writer only what is numbered is read ------------------------------------------- */

/* What one thread makes samples of. */
struct maker {
	struct arena arena;
	uint64_t *path;
	size_t alloc;
};

static void set_locations(const struct writer *w, Sam *s, uint32_t node, struct maker *m)
{
	size_t nr = 0;

	for (; node; node = w->found->of_node[node].caller) {
		ALLOC_GROW(m->path, nr + 1, m->alloc);
		m->path[nr++] = w->number_of_node[node];
	}
	s->n_location_id = nr;
	s->location_id = arena_memdup(&m->arena, m->path, nr * sizeof(*m->path));
}

static int64_t known_string(const struct writer *w, uint32_t id)
{
	return id ? w->string_of[id] - 1 : 0;
}

static void set_labels(const struct writer *w, Sam *s, uint32_t set, struct maker *m)
{
	const struct profile_labels *l = &w->p->label_sets[set];

	s->n_label = l->nr;
	s->label = arena_alloc(&m->arena, (l->nr + 1) * sizeof(Lab *));
	for (uint32_t i = 0; i < l->nr; i++) {
		const struct profile_label *from = &w->p->labels[l->first + i];
		Lab *to = arena_alloc(&m->arena, sizeof(*to));

		perftools__profiles__label__init(to);
		to->key = known_string(w, from->key);
		to->str = known_string(w, from->str);
		to->num = from->num;
		to->num_unit = known_string(w, from->unit);
		s->label[i] = to;
	}
}

static Sam *make_sample(const struct writer *w, uint32_t row, struct maker *m)
{
	Sam *s = arena_alloc(&m->arena, sizeof(*s));

	perftools__profiles__sample__init(s);
	set_locations(w, s, w->p->rows[row].node, m);
	set_labels(w, s, w->p->rows[row].labels, m);
	s->n_value = w->nr_columns;
	s->value = arena_alloc(&m->arena, w->nr_columns * sizeof(*s->value));
	for (size_t c = 0; c < w->nr_columns; c++)
		s->value[c] = w->p->series[w->columns[c]].values[row];
	return s;
}

/*
 * No sample takes more bytes: the numbers of its fields one each, a length or a location's number, of 32 bits, five, and
 * other numbers ten. To count them exactly takes protobuf-c as long as to write them.
 */
static size_t most_packed(const Sam *s)
{
	enum { FIELD = 1, LENGTH = 5, NUMBER = 10, LABEL_FIELDS = 4 };

	return FIELD + LENGTH + FIELD + LENGTH + LENGTH * s->n_location_id + FIELD + LENGTH + NUMBER * s->n_value +
	       (FIELD + LENGTH + LABEL_FIELDS * (FIELD + NUMBER)) * s->n_label;
}

/* room: the message takes no more bytes. */
static void pack(const struct writer *w, size_t piece, const Msg *m, size_t room)
{
	uint8_t *bytes = xmalloc(room ? room : 1);
	size_t size = perftools__profiles__profile__pack(m, bytes);

	if (w->gzip) {
		gzip_pack(&w->pieces[piece], bytes, size, piece + 1 == w->nr_pieces);
		free(bytes);
	} else {
		w->pieces[piece] = (struct gzip_piece){.data = bytes, .size = size};
	}
}

/* A piece of the samples; the first has their types as well. Fields stand in the order of their numbers. */
static void make_piece(void *ctx, int worker, size_t task)
{
	struct writer *w = ctx;
	size_t from = task * PIECE_ROWS, left = w->nr_rows - from, nr = left < PIECE_ROWS ? left : PIECE_ROWS;
	struct maker maker = {.alloc = 0};
	size_t room = 0;
	Msg m;

	(void)worker;
	pool_mark_wait(&w->numbered, from + nr);
	perftools__profiles__profile__init(&m);
	if (task == 0) {
		m.n_sample_type = w->m.n_sample_type;
		m.sample_type = w->m.sample_type;
		room = perftools__profiles__profile__get_packed_size(&m);
	}
	m.n_sample = nr;
	m.sample = arena_alloc(&maker.arena, (nr + 1) * sizeof(Sam *));
	for (size_t i = 0; i < nr; i++) {
		m.sample[i] = make_sample(w, w->rows[from + i], &maker);
		room += most_packed(m.sample[i]);
	}
	pack(w, task, &m, room);
	arena_release(&maker.arena);
	free(maker.path);
}

/* All but the samples and their types. */
static void make_last_piece(const struct writer *w)
{
	Msg m = w->m;

	m.n_sample_type = 0;
	pack(w, w->nr_pieces - 1, &m, perftools__profiles__profile__get_packed_size(&m));
}

/* --- the rest of the message -------------------------------------------------------------------- */

static Typ *value_type(struct writer *w, int64_t type, int64_t unit)
{
	Typ *t = arena_alloc(&w->arena, sizeof(*t));

	perftools__profiles__value_type__init(t);
	t->type = type;
	t->unit = unit;
	return t;
}

static bool is_clock(const struct profile *p, size_t series)
{
	return !strcmp(profile_str(p, p->series[series].unit), "nanoseconds");
}

static void add_types(struct writer *w, bool go_cpu)
{
	const struct profile *p = w->p;

	w->m.sample_type = arena_alloc(&w->arena, w->nr_columns * sizeof(Typ *));
	w->m.n_sample_type = w->nr_columns;
	for (size_t i = 0; i < w->nr_columns; i++) {
		const struct profile_series *s = &p->series[w->columns[i]];
		int64_t type = go_cpu && is_clock(p, w->columns[i]) ? extra_string(w, "cpu") : string(w, s->type);

		w->m.sample_type[i] = value_type(w, type, string(w, s->unit));
		if (w->columns[i] == p->default_series && !go_cpu)
			w->m.default_sample_type = type;
	}
}

static void add_mappings(struct writer *w)
{
	const struct profile *p = w->p;

	w->m.n_mapping = p->nr_mappings;
	w->m.mapping = arena_alloc(&w->arena, (p->nr_mappings + 1) * sizeof(Map *));
	for (size_t i = 0; i < p->nr_mappings; i++) {
		const struct profile_mapping *from = &p->mappings[i];
		Map *to = arena_alloc(&w->arena, sizeof(*to));

		perftools__profiles__mapping__init(to);
		to->id = i + 1;
		to->memory_start = from->start;
		to->memory_limit = from->limit;
		to->file_offset = from->offset;
		to->filename = string(w, from->file);
		to->build_id = string(w, from->build_id);
		to->has_functions = from->has_functions;
		to->has_filenames = from->has_filenames;
		to->has_line_numbers = from->has_lines;
		to->has_inline_frames = from->has_inlines;
		w->m.mapping[i] = to;
	}
}

static void add_head(struct writer *w, bool go_cpu)
{
	const struct profile *p = w->p;

	w->m.time_nanos = p->time_ns;
	w->m.duration_nanos = p->duration_ns;
	w->m.period = p->period;
	if (p->period_type || p->period_unit)
		w->m.period_type = value_type(w, string(w, p->period_type), string(w, p->period_unit));
	else if (go_cpu)
		w->m.period_type = value_type(w, extra_string(w, "cpu"), extra_string(w, "nanoseconds"));
	w->m.drop_frames = string(w, p->drop_frames);
	w->m.keep_frames = string(w, p->keep_frames);
	w->m.n_comment = p->nr_comments;
	w->m.comment = arena_alloc(&w->arena, (p->nr_comments + 1) * sizeof(int64_t));
	for (size_t i = 0; i < p->nr_comments; i++)
		w->m.comment[i] = string(w, p->comments[i]);
}

/* While this thread numbers, the others pack what has its numbers. */
static void write_pieces(struct writer *w, FILE *f, bool go_cpu, struct pool *pool)
{
	w->nr_pieces = (w->nr_rows ? (w->nr_rows + PIECE_ROWS - 1) / PIECE_ROWS : 1) + 1;
	w->pieces = xcalloc(w->nr_pieces, sizeof(*w->pieces));
	pool_start(pool, w->nr_pieces - 1, make_piece, w);
	number_samples(w);
	add_head(w, go_cpu);
	make_last_piece(w);
	pool_wait(pool);
	if (w->gzip)
		gzip_write(w->pieces, w->nr_pieces, f);
	for (size_t i = 0; i < w->nr_pieces; i++) {
		if (!w->gzip)
			fwrite(w->pieces[i].data, 1, w->pieces[i].size, f);
		free(w->pieces[i].data);
	}
	free(w->pieces);
}

int pprof_write(const struct profile *p, FILE *f, const struct pprof_write_options *opts, struct error *e)
{
	size_t *columns = xreallocarray(NULL, p->nr_series, sizeof(*columns));
	struct finder found = {.p = p};
	struct writer w = {.p = p, .found = &found, .gzip = opts->gzip, .columns = columns, .numbered = POOL_MARK_INIT};
	struct pool *pool = pool_new(p->nr_rows > PIECE_ROWS ? opts->jobs : 1);

	/* Go PGO and `go tool pprof` expect samples/count, cpu/nanoseconds: of one event */
	for (size_t i = 0; i < p->nr_series; i++)
		if (!opts->go_cpu || i == p->default_series || i == p->default_series + 1)
			columns[w.nr_columns++] = i;
	perftools__profiles__profile__init(&w.m);
	w.string_of = xcalloc(p->strings.nr, sizeof(*w.string_of));
	w.number_of_node = xcalloc(p->nr_nodes ? p->nr_nodes : 1, sizeof(*w.number_of_node));
	pool_start(pool, 1, find_all, &found);
	string(&w, 0); /* the table begins with "" */
	add_types(&w, opts->go_cpu);
	add_mappings(&w);
	choose_rows(&w);
	pool_wait(pool);
	write_pieces(&w, f, opts->go_cpu, pool);
	pool_free(pool);
	free(columns);
	free(w.m.string_table);
	free(w.m.location);
	free(w.m.function);
	free(w.string_of);
	free(w.number_of_node);
	free(w.rows);
	finder_release(&found);
	arena_release(&w.arena);
	return ferror(f) ? error_set(e, EXIT_CODE_OUTPUT, "cannot write: %s", strerror(errno)) : 0;
}
