/*
 * Source: github.com/google/pprof proto/profile.proto; Go cmd/internal/pgo
 * (wants samples/count or cpu/nanoseconds, and Function.start_line).
 *
 * Inlined calls become lines of one location again; rows are written sorted by
 * their stacks' text, so that the bytes depend on the contents alone. Numbers are given
 * in that order; meanwhile several threads pack pieces of the message, of which
 * protobuf says that concatenated they are the whole.
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
	struct arena arena;
	Msg m; /* all but the samples */
	size_t alloc_strings, alloc_locations, alloc_functions;
	uint32_t *string_of;  /* profile string id → index + 1 */
	struct map64 functions;	  /* frame without line and address → id */
	uint32_t *of_frame;	  /* location of this frame alone → index + 1 */
	struct map64 locations;	  /* hash of its frames, of several, → first of a chain */
	uint32_t *chain;	  /* location index → next with that hash + 1 */
	size_t alloc_chain;
	struct location_key {
		uint32_t *frames;
		size_t nr;
	} *keys;
	size_t alloc_keys;
	struct node_location {
		uint64_t id; /* 0: not known yet */
		uint32_t caller;
	} *of_node;
	uint32_t *path; /* of one location */
	size_t alloc_path;
	const size_t *columns;
	size_t nr_columns;
	uint32_t *rows; /* that become samples, in order */
	size_t nr_rows;
	bool gzip;
	struct gzip_piece *pieces; /* not packed without gzip */
	size_t nr_pieces;
	struct pool_mark numbered; /* rows */
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

static uint64_t function_id(struct writer *w, uint32_t frame)
{
	const struct profile_frame *f = &w->p->frames[frame];
	/* frames are few enough that these fields' mix does not collide in practice; checked below */
	uint64_t key = hash_u64(hash_u64((uint64_t)f->name << 32 | f->linkage) ^
				((uint64_t)f->file << 32 | (uint32_t)f->start_line));
	uint32_t known;
	Fun *fn;

	for (; (known = map64_get(&w->functions, key)) != MAP64_NONE; key++) {
		const Fun *k = w->m.function[known];

		if (k->name == string(w, f->name) && k->filename == string(w, f->file) &&
		    k->start_line == f->start_line &&
		    k->system_name == string(w, f->linkage ? f->linkage : f->name))
			return k->id;
	}
	fn = arena_alloc(&w->arena, sizeof(*fn));
	perftools__profiles__function__init(fn);
	fn->name = string(w, f->name);
	fn->system_name = string(w, f->linkage ? f->linkage : f->name);
	fn->filename = string(w, f->file);
	fn->start_line = f->start_line;
	ALLOC_GROW(w->m.function, w->m.n_function + 1, w->alloc_functions);
	map64_put(&w->functions, key, (uint32_t)w->m.n_function);
	w->m.function[w->m.n_function++] = fn;
	fn->id = w->m.n_function;
	return fn->id;
}

/* The mapping whose file is the frame's binary: by address range first, then by name alone. */
static uint64_t mapping_id(const struct writer *w, const struct profile_frame *f)
{
	const struct profile *p = w->p;
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

static Loc *make_location(struct writer *w, const uint32_t *frames, size_t nr)
{
	const struct profile_frame *outer = &w->p->frames[frames[nr - 1]];
	Loc *l = arena_alloc(&w->arena, sizeof(*l));

	perftools__profiles__location__init(l);
	l->mapping_id = mapping_id(w, outer);
	l->address = outer->address;
	if (nr == 1 && outer->nameless)
		return l;
	l->n_line = nr;
	l->line = arena_alloc(&w->arena, nr * sizeof(Lin *));
	for (size_t i = 0; i < nr; i++) {
		Lin *line = arena_alloc(&w->arena, sizeof(*line));

		perftools__profiles__line__init(line);
		line->function_id = function_id(w, frames[i]);
		line->line = w->p->frames[frames[i]].line;
		l->line[i] = line;
	}
	return l;
}

/* The location of these frames, innermost first, the last one not inlined. */
static uint64_t location_id(struct writer *w, const uint32_t *frames, size_t nr)
{
	uint64_t key = nr > 1 ? hash_bytes(frames, nr * sizeof(*frames)) : 0;
	uint32_t i = nr > 1 ? map64_get(&w->locations, key) : MAP64_NONE, head = i;
	Loc *l;

	if (nr == 1 && w->of_frame[*frames])
		return w->m.location[w->of_frame[*frames] - 1]->id;
	for (; i != MAP64_NONE; i = w->chain[i] ? w->chain[i] - 1 : MAP64_NONE)
		if (w->keys[i].nr == nr && !memcmp(w->keys[i].frames, frames, nr * sizeof(*frames)))
			return w->m.location[i]->id;
	l = make_location(w, frames, nr);
	i = (uint32_t)w->m.n_location;
	ALLOC_GROW(w->m.location, w->m.n_location + 1, w->alloc_locations);
	ALLOC_GROW(w->chain, w->m.n_location + 1, w->alloc_chain);
	ALLOC_GROW(w->keys, w->m.n_location + 1, w->alloc_keys);
	w->keys[i] = (struct location_key){arena_memdup(&w->arena, frames, nr * sizeof(*frames)), nr};
	w->chain[i] = head == MAP64_NONE ? 0 : head + 1;
	if (nr > 1)
		map64_put(&w->locations, key, i);
	else
		w->of_frame[*frames] = i + 1;
	w->m.location[w->m.n_location++] = l;
	l->id = w->m.n_location;
	return l->id;
}

/* The location that a node's frame is the innermost of, and the node of its caller. Known once a node has been seen. */
static struct node_location location_of_node(struct writer *w, uint32_t node)
{
	const struct profile *p = w->p;
	struct node_location *known = &w->of_node[node];
	size_t nr = 0;
	uint32_t at = node;

	if (known->id)
		return *known;
	do {
		ALLOC_GROW(w->path, nr + 1, w->alloc_path);
		w->path[nr++] = p->nodes[at].frame;
		at = p->nodes[at].parent;
	} while (at && p->frames[w->path[nr - 1]].inlined);
	known->caller = at;
	known->id = location_id(w, w->path, nr);
	return *known;
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

/* All that the samples need gets its number; threads that wait for samples of a piece go on. */
static void number_samples(struct writer *w)
{
	const struct profile *p = w->p;

	for (size_t i = 0; i < w->nr_rows; i++) {
		const struct profile_row *row = &p->rows[w->rows[i]];
		const struct profile_labels *set = &p->label_sets[row->labels];

		/* who is known has callers that are */
		for (uint32_t node = row->node; node && !w->of_node[node].id;)
			node = location_of_node(w, node).caller;
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

static void set_locations(const struct writer *w, Sam *s, uint32_t node, struct arena *arena)
{
	size_t nr = 0;

	for (uint32_t n = node; n; n = w->of_node[n].caller)
		nr++;
	s->n_location_id = nr;
	s->location_id = arena_alloc(arena, (nr + 1) * sizeof(*s->location_id));
	for (uint64_t *id = s->location_id; node; node = w->of_node[node].caller)
		*id++ = w->of_node[node].id;
}

static int64_t known_string(const struct writer *w, uint32_t id)
{
	return id ? w->string_of[id] - 1 : 0;
}

static void set_labels(const struct writer *w, Sam *s, uint32_t set, struct arena *arena)
{
	const struct profile_labels *l = &w->p->label_sets[set];

	s->n_label = l->nr;
	s->label = arena_alloc(arena, (l->nr + 1) * sizeof(Lab *));
	for (uint32_t i = 0; i < l->nr; i++) {
		const struct profile_label *from = &w->p->labels[l->first + i];
		Lab *to = arena_alloc(arena, sizeof(*to));

		perftools__profiles__label__init(to);
		to->key = known_string(w, from->key);
		to->str = known_string(w, from->str);
		to->num = from->num;
		to->num_unit = known_string(w, from->unit);
		s->label[i] = to;
	}
}

static Sam *make_sample(const struct writer *w, uint32_t row, struct arena *arena)
{
	Sam *s = arena_alloc(arena, sizeof(*s));

	perftools__profiles__sample__init(s);
	set_locations(w, s, w->p->rows[row].node, arena);
	set_labels(w, s, w->p->rows[row].labels, arena);
	s->n_value = w->nr_columns;
	s->value = arena_alloc(arena, w->nr_columns * sizeof(*s->value));
	for (size_t c = 0; c < w->nr_columns; c++)
		s->value[c] = w->p->series[w->columns[c]].values[row];
	return s;
}

static void pack(const struct writer *w, size_t piece, const Msg *m)
{
	size_t size = perftools__profiles__profile__get_packed_size(m);
	uint8_t *bytes = xmalloc(size ? size : 1);

	perftools__profiles__profile__pack(m, bytes);
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
	struct arena arena = {0};
	Msg m;

	(void)worker;
	pool_mark_wait(&w->numbered, from + nr);
	perftools__profiles__profile__init(&m);
	if (task == 0) {
		m.n_sample_type = w->m.n_sample_type;
		m.sample_type = w->m.sample_type;
	}
	m.n_sample = nr;
	m.sample = arena_alloc(&arena, (nr + 1) * sizeof(Sam *));
	for (size_t i = 0; i < nr; i++)
		m.sample[i] = make_sample(w, w->rows[from + i], &arena);
	pack(w, task, &m);
	arena_release(&arena);
}

/* All but the samples and their types. */
static void make_last_piece(const struct writer *w)
{
	Msg m = w->m;

	m.n_sample_type = 0;
	pack(w, w->nr_pieces - 1, &m);
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
static void write_pieces(struct writer *w, FILE *f, bool go_cpu, int jobs)
{
	struct pool *pool;

	w->nr_pieces = (w->nr_rows ? (w->nr_rows + PIECE_ROWS - 1) / PIECE_ROWS : 1) + 1;
	w->pieces = xcalloc(w->nr_pieces, sizeof(*w->pieces));
	pool = pool_new(w->nr_pieces > 2 ? jobs : 1);
	pool_start(pool, w->nr_pieces - 1, make_piece, w);
	number_samples(w);
	add_head(w, go_cpu);
	make_last_piece(w);
	pool_wait(pool);
	pool_free(pool);
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
	struct writer w = {.p = p, .gzip = opts->gzip, .columns = columns, .numbered = POOL_MARK_INIT};

	/* Go PGO and `go tool pprof` expect samples/count, cpu/nanoseconds: of one event */
	for (size_t i = 0; i < p->nr_series; i++)
		if (!opts->go_cpu || i == p->default_series || i == p->default_series + 1)
			columns[w.nr_columns++] = i;
	perftools__profiles__profile__init(&w.m);
	w.string_of = xcalloc(p->strings.nr, sizeof(*w.string_of));
	w.of_frame = xcalloc(p->nr_frames ? p->nr_frames : 1, sizeof(*w.of_frame));
	w.of_node = xcalloc(p->nr_nodes ? p->nr_nodes : 1, sizeof(*w.of_node));
	string(&w, 0); /* the table begins with "" */
	add_types(&w, opts->go_cpu);
	add_mappings(&w);
	choose_rows(&w);
	write_pieces(&w, f, opts->go_cpu, opts->jobs);
	free(columns);
	free(w.m.string_table);
	free(w.m.location);
	free(w.m.function);
	free(w.string_of);
	free(w.chain);
	free(w.keys);
	free(w.of_frame);
	free(w.of_node);
	free(w.path);
	free(w.rows);
	map64_release(&w.functions);
	map64_release(&w.locations);
	arena_release(&w.arena);
	return ferror(f) ? error_set(e, EXIT_CODE_OUTPUT, "cannot write: %s", strerror(errno)) : 0;
}
