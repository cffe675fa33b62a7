/*
 * Stacks as text. They are put into a trie of texts, where those that read the same are one, and written in the order of a walk
 * through it: no line is made that is then compared with others, which took two thirds of the time.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "profile/folded.h"

struct buffer {
	char *s;
	size_t nr, alloc;
};

static void append(struct buffer *b, const char *s, size_t len)
{
	ALLOC_GROW(b->s, b->nr + len, b->alloc);
	if (len)
		memcpy(b->s + b->nr, s, len);
	b->nr += len;
}

/* How a frame reads: its name as it is, but for the separators of this form. */
static uint32_t text_of(struct strtab *texts, struct buffer *b, const struct profile *p, const struct profile_frame *f,
			bool annotate)
{
	b->nr = 0;
	append(b, profile_str(p, f->name), strtab_len(&p->strings, f->name));
	for (size_t i = 0; i < b->nr; i++)
		b->s[i] = (char)(b->s[i] == ';' ? ':' : b->s[i] == '\n' || b->s[i] == '\r' ? ' ' : b->s[i]);
	if (annotate && (f->kind == FRAME_KERNEL || f->inlined))
		append(b, f->kind == FRAME_KERNEL ? "_[k]" : "_[i]", 4);
	return strtab_add_len(texts, b->s, b->nr);
}

/* --- the trie ----------------------------------------------------------------------------- */

struct folded_node {
	uint32_t first_child, next; /* 0: none */
	int64_t value;
	bool has_value;
};

struct folder {
	struct strtab texts;
	struct profile trie; /* its nodes' frames are texts */
	struct folded_node *nodes;
	uint32_t *rank; /* per text two: its place where a stack ends with it, and where one goes on */
	struct buffer line;
};

static void make_trie(struct folder *w, const struct profile *p, const struct folded_write_options *o)
{
	uint32_t *text = xreallocarray(NULL, p->nr_frames, sizeof(*text)), *node = xcalloc(p->nr_nodes, sizeof(*node));
	uint32_t *depth = xcalloc(p->nr_nodes, sizeof(*depth));

	for (size_t i = 0; i < p->nr_frames; i++)
		text[i] = text_of(&w->texts, &w->line, p, &p->frames[i], o->annotate);
	for (size_t n = 1; n < p->nr_nodes; n++) {
		uint32_t parent = p->nodes[n].parent, of = text[p->nodes[n].frame];

		depth[n] = depth[parent] + 1;
		node[n] = node[parent];
		/* a line does not begin with a separator */
		if (depth[n] > (uint32_t)o->skip_root && (node[n] || of))
			node[n] = profile_add_node(&w->trie, node[n], of);
	}
	w->nodes = xcalloc(w->trie.nr_nodes, sizeof(*w->nodes));
	for (size_t n = 1; n < w->trie.nr_nodes; n++) {
		struct folded_node *parent = &w->nodes[w->trie.nodes[n].parent];

		w->nodes[n].next = parent->first_child;
		parent->first_child = (uint32_t)n;
	}
	for (size_t r = 0; r < p->nr_rows; r++) {
		int64_t value = p->series[o->series].values[r];
		struct folded_node *to = &w->nodes[node[p->rows[r].node]];

		if (!value || depth[p->rows[r].node] <= (uint32_t)o->skip_root)
			continue;
		to->value = profile_sum(to->value, value);
		to->has_value = true;
	}
	free(text);
	free(node);
	free(depth);
}

/* --- its order ------------------------------------------------------------------------------ */

/* A text and what stands behind it: nothing where the stack ends, a separator, which no text has, where it goes on. */
struct token {
	const char *s;
	size_t len;
	uint32_t text;
	bool inner;
};

static int token_byte(const struct token *t, size_t at)
{
	return at < t->len ? (unsigned char)t->s[at] : t->inner ? ';' : 0;
}

/* As the lines that they are in compare by strcmp, from there on. */
static int by_bytes(const void *a, const void *b)
{
	const struct token *x = a, *y = b;
	size_t least = x->len < y->len ? x->len : y->len;
	int c = memcmp(x->s, y->s, least);

	return c ? c : token_byte(x, least) - token_byte(y, least);
}

static void rank_texts(struct folder *w)
{
	size_t nr = w->texts.nr;
	struct token *tokens = xreallocarray(NULL, 2 * nr, sizeof(*tokens));

	for (uint32_t i = 0; i < 2 * nr; i++)
		tokens[i] = (struct token){strtab_get(&w->texts, i / 2), strtab_len(&w->texts, i / 2), i / 2, i % 2};
	qsort(tokens, 2 * nr, sizeof(*tokens), by_bytes);
	w->rank = xreallocarray(NULL, 2 * nr, sizeof(*w->rank));
	for (uint32_t i = 0; i < 2 * nr; i++)
		w->rank[2 * tokens[i].text + tokens[i].inner] = i;
	free(tokens);
}

/* --- the walk -------------------------------------------------------------------------------- */

/* A line, or all that begin so and go on. */
struct step {
	uint32_t rank, node;
	bool inner;
	size_t before; /* bytes of the line in front of it */
};

struct steps {
	struct step *list;
	size_t nr, alloc;
};

/* Last first: they are taken from the end. */
static int by_rank(const void *a, const void *b)
{
	const struct step *x = a, *y = b;

	return (x->rank < y->rank) - (x->rank > y->rank);
}

static void add_children(const struct folder *w, struct steps *s, uint32_t node)
{
	size_t first = s->nr;

	for (uint32_t c = w->nodes[node].first_child; c; c = w->nodes[c].next) {
		const struct folded_node *n = &w->nodes[c];
		const uint32_t *rank = &w->rank[2 * w->trie.nodes[c].frame];

		ALLOC_GROW(s->list, s->nr + 2, s->alloc);
		if (n->has_value)
			s->list[s->nr++] = (struct step){rank[0], c, false, w->line.nr};
		if (n->first_child)
			s->list[s->nr++] = (struct step){rank[1], c, true, w->line.nr};
	}
	if (s->nr - first > 1)
		qsort(s->list + first, s->nr - first, sizeof(*s->list), by_rank);
}

static void write_line(const struct folder *w, FILE *f, int64_t value)
{
	fwrite(w->line.s, 1, w->line.nr, f);
	fprintf(f, " %lld\n", (long long)value);
}

static void write_lines(struct folder *w, FILE *f)
{
	struct steps s = {.nr = 0};

	w->line.nr = 0;
	if (w->nodes[0].has_value)
		write_line(w, f, w->nodes[0].value);
	add_children(w, &s, 0);
	while (s.nr) {
		struct step at = s.list[--s.nr];
		uint32_t text = w->trie.nodes[at.node].frame;

		w->line.nr = at.before;
		if (at.before)
			append(&w->line, ";", 1);
		append(&w->line, strtab_get(&w->texts, text), strtab_len(&w->texts, text));
		if (at.inner)
			add_children(w, &s, at.node);
		else
			write_line(w, f, w->nodes[at.node].value);
	}
	free(s.list);
}

int folded_write(const struct profile *p, FILE *f, const struct folded_write_options *opts, struct error *e)
{
	struct folder w = {.line = {.s = xmalloc(256), .alloc = 256}};

	strtab_init(&w.texts);
	profile_init(&w.trie);
	make_trie(&w, p, opts);
	rank_texts(&w);
	write_lines(&w, f);
	strtab_release(&w.texts);
	profile_release(&w.trie);
	free(w.nodes);
	free(w.rank);
	free(w.line.s);
	return ferror(f) ? error_set(e, EXIT_CODE_OUTPUT, "cannot write: %s", strerror(errno)) : 0;
}
