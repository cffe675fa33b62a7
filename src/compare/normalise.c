/*
 * Sources: Go runtime/traceback.go (elideWrapperCalling), runtime/pprof/proto.go
 * and runtime/proc.go (sigprof: what a CPU profile's stacks leave out),
 * cmd/internal/objabi/path.go (names).
 */
#include "compare/normalise.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "profile/goname.h"

/* "pkg.F[go.shape.int]" and "pkg.F[...]" are one function: outermost brackets are emptied. */
static void empty_brackets(char *s)
{
	char *to = s;
	int depth = 0;

	for (; *s; s++) {
		if (*s == ']' && depth && !--depth) {
			memcpy(to, "...", 3);
			to += 3;
		}
		if (!depth)
			*to++ = *s;
		if (*s == '[' && !depth++ && strchr(s, ']') && strchr(s, ']') - s < 4 && strncmp(s, "[...]", 5) != 0) {
			/* too short to hold "...": an index or the like, left as it is */
			depth = 0;
		}
	}
	*to = '\0';
}

char *normalise_name(const char *name)
{
	char *s = xstrndup(name, (size_t)goname_length(name));

	if (!strncmp(s, "type..", 6) || !strncmp(s, "go.shape.", 9) || !strncmp(s, "go.itab.", 8))
		s[strcspn(s, ".")] = ':';
	if (!strcmp(s, "gogo"))
		memcpy(s = xrealloc(s, 13), "runtime.gogo", 13);
	if (s[0] != '[' && strchr(s, '['))
		empty_brackets(s); /* "[vdso]" and "[binary]+0x10" are no generics */
	return s;
}

/* What a frame is to the rules; decided once per frame. */
enum frame_role {
	ROLE_KEEP,
	ROLE_DROP,    /* labels, kernel, goexit, deferreturn */
	ROLE_CLOCK,   /* reading the clock: the vdso runs on the system stack, its callers are lost to perf */
	ROLE_WRAPPER, /* dropped unless it calls a panic */
	ROLE_SWITCH,  /* callers beyond are on another stack */
	ROLE_CGO,     /* what it calls is C */
	ROLE_CUT,     /* callers beyond are not known */
};

struct normaliser {
	struct profile *out;
	const struct profile *in;
	enum normalise_rules rules;
	uint32_t *frames; /* per frame of in: its frame in out */
	uint8_t *roles;
	bool *panics;	  /* gopanic, sigpanic, panicwrap */
	bool *native;	  /* C and the like: no package in the name */
	uint32_t cgocall, clock, system_stack, truncated;
	uint32_t *path; /* of a row: frames of in, then of out, leaf first */
	size_t alloc;
	bool capped, cut; /* the row's root was not seen */
	struct stack_end {
		uint32_t frame, node; /* of out */
	} *last; /* the row before, root first, */
	uint32_t last_root; /* below this node */
	size_t last_depth, alloc_last;
};

/* Sorted by name. */
static const struct named_role {
	const char *name;
	enum frame_role role;
} named_roles[] = {
	/* what pprof puts where it cannot walk the stack (runtime/proc.go, sigprof) */
	{"runtime._GC", ROLE_CUT},	     {"runtime._System", ROLE_CUT},
	{"runtime._VDSO", ROLE_CLOCK},	     {"runtime.asmcgocall", ROLE_CGO},
	{"runtime.cgocall", ROLE_CGO},	     {"runtime.deferreturn", ROLE_DROP},
	{"runtime.goexit", ROLE_DROP},	     {"runtime.mcall", ROLE_SWITCH},
	{"runtime.morestack", ROLE_SWITCH},  {"runtime.nanotime", ROLE_CLOCK},
	{"runtime.nanotime1", ROLE_CLOCK},   {"runtime.systemstack", ROLE_SWITCH},
	{"runtime.walltime", ROLE_CLOCK},    {"runtime.walltime1", ROLE_CLOCK},
	{"time.Now", ROLE_CLOCK},	     {"time.now", ROLE_CLOCK},
	{"time.runtimeNano", ROLE_CLOCK},    {"time.runtimeNow", ROLE_CLOCK},
};

static int by_name(const void *name, const void *role)
{
	return strcmp(name, ((const struct named_role *)role)->name);
}

static enum frame_role role_of(const struct normaliser *n, const struct profile_frame *f, const char *name)
{
	const struct named_role *named;

	/* labels, also those that went through another format */
	if (n->rules == NORMALISE_GO && !strcmp(name, "[truncated]"))
		return ROLE_CUT;
	if (f->kind == FRAME_LABEL || (n->rules == NORMALISE_GO && !strcmp(name, "[unknown]")))
		return ROLE_DROP;
	if (n->rules == NORMALISE_NAMES)
		return ROLE_KEEP;
	if (f->kind == FRAME_KERNEL)
		return ROLE_DROP;
	if (!strcmp(profile_str(n->in, f->dso), "[vdso]") || !strncmp(name, "[vdso]", 6))
		return ROLE_CLOCK;
	named = bsearch(name, named_roles, sizeof(named_roles) / sizeof(*named_roles), sizeof(*named_roles), by_name);
	if (named)
		return named->role;
	/* by the file as well: a profile that went through pprof's form does not say which functions are wrappers */
	return f->wrapper || goname_is_made_wrapper(name, profile_str(n->in, f->file)) ? ROLE_WRAPPER : ROLE_KEEP;
}

static uint32_t name_frame(struct profile *out, const char *name)
{
	struct profile_frame f = {.name = strtab_add(&out->strings, name), .kind = FRAME_USER};

	return profile_add_frame(out, &f);
}

static void prepare(struct normaliser *n)
{
	n->frames = xcalloc(n->in->nr_frames, sizeof(*n->frames));
	n->roles = xcalloc(n->in->nr_frames, 1);
	n->panics = xcalloc(n->in->nr_frames, sizeof(*n->panics));
	n->native = xcalloc(n->in->nr_frames, sizeof(*n->native));
	for (size_t i = 1; i < n->in->nr_frames; i++) {
		char *name = normalise_name(profile_str(n->in, n->in->frames[i].name));

		n->roles[i] = (uint8_t)role_of(n, &n->in->frames[i], name);
		n->panics[i] = goname_is_panic(name);
		n->native[i] = !n->in->frames[i].go && (!strchr(name, '.') || name[0] == '[');
		if (n->in->frames[i].kind == FRAME_KERNEL && n->rules == NORMALISE_NAMES) {
			char *marked = xasprintf("%s [k]", name);

			free(name);
			name = marked;
		}
		n->frames[i] = name_frame(n->out, name);
		free(name);
	}
	n->cgocall = name_frame(n->out, "runtime.cgocall");
	n->clock = name_frame(n->out, NORMALISE_CLOCK);
	n->system_stack = name_frame(n->out, NORMALISE_SYSTEM_STACK);
	n->truncated = name_frame(n->out, NORMALISE_TRUNCATED);
}

/*
 * The stack leaf first, as frames of `out`. perf sees the system stack alone
 * where pprof goes on to the goroutine's: both end at the switch.
 */
static size_t comparable(struct normaliser *n, size_t depth)
{
	size_t kept = 0;
	uint32_t callee = 0; /* the frame of `in` kept last */
	bool on_system_stack = false;

	n->cut = n->rules == NORMALISE_GO && n->capped && depth >= NORMALISE_DEPTH;
	for (size_t i = 0; i < depth && !on_system_stack; i++) {
		uint32_t f = n->path[i], frame = n->frames[f];

		switch ((enum frame_role)n->roles[f]) {
		case ROLE_DROP:
			continue;
		case ROLE_CUT:
			n->cut = true;
			continue;
		case ROLE_CLOCK:
			if (kept)
				break;
			frame = n->clock;
			on_system_stack = true;
			break;
		case ROLE_WRAPPER:
			if (!callee || !n->panics[callee])
				continue;
			break;
		case ROLE_CGO:
			frame = n->cgocall;
			if (kept && n->path[kept - 1] == frame)
				continue;
			if (kept && !n->native[callee])
				break; /* Go code called back from C */
			/*
			 * C code rests on the call into it, as pprof has it. It runs on the
			 * system stack: perf's dump does not hold the goroutine's frames.
			 */
			kept = 0;
			on_system_stack = true;
			break;
		case ROLE_SWITCH:
			on_system_stack = true;
			break;
		case ROLE_KEEP:
			break;
		}
		callee = f;
		n->path[kept++] = frame;
	}
	if (on_system_stack) {
		n->cut = false;
		n->path[kept++] = n->system_stack;
	}
	if (n->rules == NORMALISE_GO && kept > NORMALISE_DEPTH) {
		n->cut = true;
		kept = NORMALISE_DEPTH;
	}
	return kept;
}

/* The row's stack into n->path, leaf first. */
static size_t row_path(struct normaliser *n, size_t row)
{
	size_t depth = 0;

	for (uint32_t at = n->in->rows[row].node; at; at = n->in->nodes[at].parent) {
		ALLOC_GROW(n->path, depth + 2, n->alloc); /* and one that stands for the system stack */
		n->path[depth++] = n->in->nodes[at].frame;
	}
	n->cut = false;
	return depth ? comparable(n, depth) : 0;
}

/* The stacks of a side as frames of `out`, leaf first, one after the other: they are gone through three times. */
struct stacks {
	uint32_t *frames;
	size_t nr, alloc;
	size_t *ends;
	bool *cut;
};

static const uint32_t *stack_at(const struct stacks *s, size_t row, size_t *depth)
{
	size_t from = row ? s->ends[row - 1] : 0;

	*depth = s->ends[row] - from;
	return s->frames + from;
}

static void collect_stacks(struct normaliser *n, struct stacks *s)
{
	size_t rows = n->in->nr_rows;

	s->ends = xcalloc(rows ? rows : 1, sizeof(*s->ends));
	s->cut = xcalloc(rows ? rows : 1, sizeof(*s->cut));
	for (size_t r = 0; r < rows; r++) {
		size_t depth = row_path(n, r);

		ALLOC_GROW(s->frames, s->nr + depth, s->alloc);
		if (depth)
			memcpy(s->frames + s->nr, n->path, depth * sizeof(*s->frames));
		s->nr += depth;
		s->ends[r] = s->nr;
		s->cut[r] = n->cut;
	}
}

static void stacks_release(struct stacks *s)
{
	free(s->frames);
	free(s->ends);
	free(s->cut);
}

/* --- stacks whose roots were not seen ----------------------------------------------------------- */

/*
 * The stacks of one side from the leaf, as far as such lead that end without a
 * root: how much ends so at a node, and how much of all comes by.
 */
struct tails {
	struct profile trie;
	double *all, *cut;
};

static void add_cut(struct tails *t, const struct stacks *s, const struct normalise_side *side)
{
	size_t alloc = 0;

	for (size_t r = 0; r < side->in->nr_rows; r++) {
		size_t depth, had = t->trie.nr_nodes;
		const uint32_t *path = stack_at(s, r, &depth);
		uint32_t node = 0;

		if (!s->cut[r])
			continue;
		for (size_t i = 0; i < depth; i++)
			node = profile_add_node(&t->trie, node, path[i]);
		ALLOC_GROW(t->cut, t->trie.nr_nodes, alloc);
		for (size_t i = had; i < t->trie.nr_nodes; i++)
			t->cut[i] = 0;
		if (node)
			t->cut[node] += (double)side->in->series[side->in_weight].values[r];
	}
}

static void add_all(struct tails *t, const struct stacks *s, const struct normalise_side *side)
{
	t->all = xcalloc(t->trie.nr_nodes, sizeof(*t->all));
	for (size_t r = 0; r < side->in->nr_rows && t->trie.nr_nodes > 1; r++) {
		size_t depth;
		const uint32_t *path = stack_at(s, r, &depth);
		uint32_t node = 0;

		for (size_t i = 0; i < depth; i++) {
			node = profile_find_node(&t->trie, node, path[i]);
			if (!node)
				break;
			t->all[node] += (double)side->in->series[side->in_weight].values[r];
		}
	}
}

static void collect_tails(struct tails *t, const struct stacks *s, const struct normalise_side *side)
{
	profile_init(&t->trie);
	add_cut(t, s, side);
	add_all(t, s, side);
}

static void tails_release(struct tails *t)
{
	profile_release(&t->trie);
	free(t->all);
	free(t->cut);
}

/* So many frames of the path are comparable; *cut: they end before the root. */
static size_t common_depth(struct tails tails[2], const uint32_t *path, size_t depth, bool *cut)
{
	uint32_t node[2] = {0, 0};
	bool on[2] = {true, true};

	for (size_t i = 0; i < depth && (on[0] || on[1]); i++) {
		for (int s = 0; s < 2; s++) {
			uint32_t next;

			if (!on[s])
				continue;
			next = profile_find_node(&tails[s].trie, node[s], path[i]);
			on[s] = next != 0;
			node[s] = next;
			if (next && tails[s].cut[next] * 10 >= tails[s].all[next] && tails[s].cut[next] > 0) {
				*cut = true;
				return i + 1;
			}
		}
	}
	return depth;
}

/* The row's stack in `out`. Neighbouring rows share most of their callers: only what differs is looked up. */
static uint32_t add_stack(struct normaliser *n, uint32_t root, const uint32_t *path, size_t depth)
{
	uint32_t node = root;
	bool same = root == n->last_root;

	ALLOC_GROW(n->last, depth, n->alloc_last);
	for (size_t i = 0; i < depth; i++) {
		uint32_t frame = path[depth - 1 - i];

		same = same && i < n->last_depth && n->last[i].frame == frame;
		if (!same)
			n->last[i] = (struct stack_end){frame, profile_add_node(n->out, node, frame)};
		node = n->last[i].node;
	}
	n->last_depth = depth;
	n->last_root = root;
	return node;
}

static void add_rows(struct normaliser *n, struct tails tails[2], const struct stacks *s, const struct normalise_side *side)
{
	const struct profile *in = side->in;

	for (size_t r = 0; r < in->nr_rows; r++) {
		int64_t w = in->series[side->in_weight].values[r];
		int64_t c = side->in_count == SIZE_MAX ? 0 : in->series[side->in_count].values[r];
		size_t depth, row;
		const uint32_t *path = stack_at(s, r, &depth);
		bool cut = s->cut[r];
		uint32_t root = 0;

		if (!w && !c)
			continue;
		if (n->rules == NORMALISE_GO)
			depth = common_depth(tails, path, depth, &cut);
		if (cut)
			root = profile_add_node(n->out, 0, n->truncated);
		row = profile_add_row(n->out, add_stack(n, root, path, depth), 0);
		if (c)
			profile_add_value(n->out, row, side->count, c);
		profile_add_value(n->out, row, side->weight, w);
	}
}

static void release(struct normaliser *n)
{
	free(n->frames);
	free(n->roles);
	free(n->panics);
	free(n->native);
	free(n->path);
	free(n->last);
}

void normalise_each(struct profile *out, const struct profile *in, uint32_t *nodes)
{
	struct normaliser n = {.out = out, .in = in, .rules = NORMALISE_GO};

	prepare(&n);
	for (size_t r = 0; r < in->nr_rows; r++) {
		size_t depth = row_path(&n, r);

		nodes[r] = add_stack(&n, 0, n.path, depth);
	}
	release(&n);
}

void normalise_pair(struct profile *out, const struct normalise_side sides[2], enum normalise_rules rules)
{
	struct normaliser n[2] = {{0}, {0}};
	struct tails tails[2] = {{.all = NULL}, {.all = NULL}};
	struct stacks stacks[2] = {{.nr = 0}, {.nr = 0}};

	for (int s = 0; s < 2; s++) {
		n[s] = (struct normaliser){.out = out, .in = sides[s].in, .rules = rules, .capped = sides[s].capped};
		prepare(&n[s]);
		collect_stacks(&n[s], &stacks[s]);
		if (rules == NORMALISE_GO)
			collect_tails(&tails[s], &stacks[s], &sides[s]);
	}
	for (int s = 0; s < 2; s++)
		add_rows(&n[s], tails, &stacks[s], &sides[s]);
	for (int s = 0; s < 2; s++) {
		if (rules == NORMALISE_GO)
			tails_release(&tails[s]);
		stacks_release(&stacks[s]);
		release(&n[s]);
	}
}
