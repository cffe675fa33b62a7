/*
 * The profile: what every input becomes and every output is made of. Knows no
 * file format (formats are pprof.h, folded.h).
 *
 * A profile is one string table, one frame table, one trie of call stacks, one
 * table of label sets, and rows: (stack, labels) with one value per series. A
 * perf event is a series, a pprof sample type is a series, two inputs to be
 * compared are two series of one profile: comparing is reading two columns.
 * Everything is named by index; index 0 of frames, nodes and label sets means
 * none / the root / no labels.
 */
#ifndef PROFILE_PROFILE_H
#define PROFILE_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/damage.h"
#include "base/error.h"
#include "base/strtab.h"

/* What kind of code a frame is; decides colours and suffixes. */
enum frame_kind {
	FRAME_USER,   /* code of a binary */
	FRAME_KERNEL, /* suffix _[k] */
	FRAME_WAIT,   /* what a thread waits for, below the stack it waits on: "[system call]" */
	FRAME_LABEL,  /* not code: comm, thread, cpu, event, [truncated], [systemstack] */
};

struct profile_frame {
	uint32_t name;	  /* string ids; names as they are, not escaped or shortened */
	uint32_t linkage; /* undemangled name, 0: same */
	uint32_t dso;	  /* path of the binary, 0 unknown */
	uint32_t file;
	int32_t line, start_line; /* 0 unknown */
	uint8_t kind;	  /* enum frame_kind */
	bool inlined;	  /* inlined into its caller: suffix _[i] */
	bool go;
	bool wrapper;	  /* Go's compiler-made wrapper */
	bool nameless;	  /* an address that pprof's profile gave no name to */
	uint64_t address; /* of the instruction in the dso (pprof's Location.address), 0 unknown */
};

struct profile_node {
	uint32_t parent; /* index of the caller's node; always smaller than its own */
	uint32_t frame;
};

/* Labels of a row: sorted by key. A number label has num_unit or is a plain number. */
struct profile_label {
	uint32_t key, str; /* string ids; str 0: numeric */
	int64_t num;
	uint32_t unit;
};
struct profile_labels {
	uint32_t first, nr; /* into profile.labels */
};

struct profile_row {
	uint32_t node, labels;
};

struct profile_series {
	uint32_t type, unit; /* string ids: "cpu"/"nanoseconds", "cpu-clock"/"nanoseconds", "samples"/"count" */
	int64_t *values;     /* one per row */
	int64_t total;
};

/* A binary, as pprof's Mapping has it. */
struct profile_mapping {
	uint64_t start, limit, offset;
	uint32_t file, build_id; /* string ids */
	bool has_functions, has_filenames, has_lines, has_inlines;
};

struct profile {
	struct strtab strings;
	struct profile_frame *frames;
	size_t nr_frames, alloc_frames;
	struct profile_node *nodes;
	size_t nr_nodes, alloc_nodes;
	struct profile_label *labels;
	size_t nr_labels, alloc_labels;
	struct profile_labels *label_sets;
	size_t nr_label_sets, alloc_label_sets;
	struct profile_row *rows;
	size_t nr_rows, alloc_rows;
	struct profile_series *series;
	size_t nr_series;
	struct profile_mapping *mappings;
	size_t nr_mappings, alloc_mappings;

	size_t default_series;
	int64_t time_ns;     /* wall clock start, ns since 1970, 0 unknown */
	int64_t duration_ns; /* 0 unknown */
	uint32_t period_type, period_unit;
	int64_t period;
	uint32_t drop_frames, keep_frames; /* pprof's regular expressions, string ids */
	const char *unread_frames; /* why these were not applied (static), or NULL */
	uint32_t *comments;
	size_t nr_comments, alloc_comments;
	struct damage damage;

	/* open-addressing indexes, index + 1, 0 free */
	uint32_t *frame_slots, *node_slots, *label_slots, *row_slots;
	size_t frame_mask, node_mask, label_mask, row_mask;
};

void profile_init(struct profile *p);
void profile_release(struct profile *p);

/* Adds a series before the first row of it; returns its index. */
size_t profile_add_series(struct profile *p, const char *type, const char *unit);

/* Interns: equal arguments give the same index. */
uint32_t profile_add_frame(struct profile *p, const struct profile_frame *f);
uint32_t profile_add_node(struct profile *p, uint32_t parent, uint32_t frame);
/* The node that was added so, or 0. */
uint32_t profile_find_node(const struct profile *p, uint32_t parent, uint32_t frame);
/* labels are sorted in place by key, then value. */
uint32_t profile_add_labels(struct profile *p, struct profile_label *labels, size_t nr);
/* The row of (node, labels), made with zeros when new. */
size_t profile_add_row(struct profile *p, uint32_t node, uint32_t labels);
/* Room for so many nodes and rows in their indexes, which else grow by doubling. */
void profile_reserve(struct profile *p, size_t nodes, size_t rows);
/* a + b, INT64_MAX or INT64_MIN where that does not fit. */
static inline int64_t profile_sum(int64_t a, int64_t b)
{
	int64_t sum;

	if (__builtin_add_overflow(a, b, &sum))
		return b > 0 ? INT64_MAX : INT64_MIN;
	return sum;
}

/* Adds to a row's value in a series and to the series' total; saturates at INT64_MAX/MIN. */
void profile_add_value(struct profile *p, size_t row, size_t series, int64_t value);

/* Per node, the sum of its own rows (self) and with all below it (cum). Arrays of nr_nodes, caller frees. */
int64_t *profile_self(const struct profile *p, size_t series);
int64_t *profile_cum(const struct profile *p, size_t series);

/* Depth of a node (root 0), and its frames root first into out (at most max; returns the depth). */
size_t profile_path(const struct profile *p, uint32_t node, uint32_t *frames, size_t max);

static inline const char *profile_str(const struct profile *p, uint32_t id)
{
	return strtab_get(&p->strings, id);
}

/* The rows' indexes sorted by stack (from the leaf), then labels: the same for the same contents. Caller frees. */
uint32_t *profile_row_order(const struct profile *p);

/* --- functions: one row per function, for tables ------------------------------ */

struct profile_function {
	uint32_t name, dso, file;
	int32_t line; /* start line where known */
	uint8_t kind;
	int64_t self, cum; /* cum counts a recursive function once per row */
};
/* Sorted by self, then cum, descending, then name. Caller frees the array. */
struct profile_function *profile_functions(const struct profile *p, size_t series, size_t *nr);

/* --- changes: each makes a new profile from an old one ------------------------- */

struct profile_filter {
	const char *focus, *ignore, *hide; /* RE2 expressions (profile/regex.h), or NULL */
	bool no_inline;	   /* drop inlined frames */
	bool reverse;	   /* leaf becomes root */
	bool merge_recursion; /* collapse runs of one function calling itself */
	size_t max_depth;  /* keep so many frames nearest the root, 0: all */
};
/*
 * 0, or -1 with *e (exit 2) for a bad expression. `out` must be initialised by profile_init; for `nodes`
 * see profile_map.
 */
int profile_filter(struct profile *out, const struct profile *in, const struct profile_filter *f, uint32_t *nodes,
		   struct error *e);

/* Whether both have the same types and units of series, in the same order. */
bool profile_same_types(const struct profile *a, const struct profile *b);

/*
 * The stack of one row as it shall be: `path` (root first, of `in`) may be changed in place, or *frames
 * be set to others of `in`. Returns how many frames, or -1 to leave the row out.
 */
typedef ptrdiff_t profile_map_fn(void *ctx, uint32_t *path, size_t depth, const uint32_t **frames);
#define PROFILE_NO_NODE UINT32_MAX
/*
 * A copy of `in` with other stacks; `out` must be initialised by profile_init. nodes, if not NULL, is told where
 * the stack of every node of `in` that a row has went: a node of `out`, or PROFILE_NO_NODE.
 */
void profile_map(struct profile *out, const struct profile *in, profile_map_fn *map, void *ctx, uint32_t *nodes);

/*
 * Adds `in` to `into`: same-named series are summed, new ones added. Associative
 * and commutative for profiles of the same types: any order and grouping of
 * inputs gives the same bytes when written, also when what was merged is
 * written and read again in between. Addresses in binaries that are loaded
 * anywhere become offsets in the file. `into` needs to be no more than
 * initialised; drop_frames and keep_frames are not kept.
 */
void profile_merge(struct profile *into, const struct profile *in);

#endif
