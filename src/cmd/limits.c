#include "cmd/limits.h"

#include <errno.h>
#include <ini.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

static const struct {
	const char *name;
	bool named, above_one;
} kinds[LIMIT_KINDS] = {
#define X(id, name, named, above_one) [id] = {name, named, above_one},
	FOREACH_LIMIT(X)
#undef X
};

/* Above what any share or relative error means: a slip of the pen. */
#define LARGEST 1000.0

const char *limit_kind_name(enum limit_kind k)
{
	return kinds[k].name;
}

/* --- values and names ------------------------------------------------------------------------ */

static const char *skip_blanks(const char *s)
{
	return s + strspn(s, " \t");
}

/* "5%", "5 %", "0.05"; TOML's quotes and comment are taken off by the caller. */
static int parse_share(enum limit_kind kind, const char *text, double *share, struct error *e)
{
	char *end;
	double v;
	bool percent;

	/* strtod takes hexadecimal, "inf" and "nan", too */
	if (text[strspn(text, "0123456789.eE+-")] != '\0' && text[strspn(text, "0123456789.eE+-")] != '%' &&
	    text[strspn(text, "0123456789.eE+-")] != ' ')
		return error_set(e, EXIT_CODE_USAGE, "'%s' is not a share such as 5%% or 0.05", text);
	errno = 0;
	v = strtod(text, &end);
	percent = *skip_blanks(end) == '%';
	if (end == text || errno || !isfinite(v) || *skip_blanks(percent ? skip_blanks(end) + 1 : end))
		return error_set(e, EXIT_CODE_USAGE, "'%s' is not a share such as 5%% or 0.05", text);
	if (percent)
		v /= 100;
	if (v < 0)
		return error_set(e, EXIT_CODE_USAGE, "'%s' is below 0", text);
	if (v > (kinds[kind].above_one ? LARGEST : 1))
		return error_set(e, EXIT_CODE_USAGE, "'%s' is above %s", text,
				 kinds[kind].above_one ? "any that can be" : "100 %: write 5% or 0.05 for five percent");
	*share = v;
	return 0;
}

static int find_metric(const char *name, enum skew_metric *metric, struct error *e)
{
	char list[512] = "";

	for (int i = 0; i < SKEW_METRICS; i++) {
		const char *known = skew_metric_name((enum skew_metric)i);

		if (!strcmp(known, name)) {
			*metric = (enum skew_metric)i;
			return 0;
		}
		snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s%s", i ? ", " : "", known);
	}
	return error_set(e, EXIT_CODE_USAGE, "no metric '%s'; there are %s", name, list);
}

bool limit_matches(const char *pattern, const char *name)
{
	const char *star = NULL, *retry = NULL;

	while (*name) {
		if (*pattern == '*') {
			star = ++pattern;
			retry = name;
		} else if (*pattern == *name) {
			pattern++;
			name++;
		} else if (star) {
			pattern = star;
			name = ++retry;
		} else {
			return false;
		}
	}
	return pattern[strspn(pattern, "*")] == '\0';
}

/* --- the list ---------------------------------------------------------------------------------- */

static bool same_subject(const struct limit *a, const struct limit *b)
{
	if (a->kind != b->kind || (a->kind == LIMIT_SKEW && a->metric != b->metric))
		return false;
	return a->pattern ? !strcmp(a->pattern, b->pattern) : true;
}

static struct limit *find(struct limits *l, const struct limit *like)
{
	for (size_t i = 0; i < l->nr; i++)
		if (same_subject(&l->v[i], like))
			return &l->v[i];
	return NULL;
}

/* name NULL: every function, or the metric that says how much in all. */
static int add(struct limits *l, enum limit_kind kind, const char *name, const char *value, unsigned line, struct error *e)
{
	struct limit new = {.kind = kind, .metric = SKEW_TOTAL_VARIATION_SELF, .line = line}, *old;

	if (parse_share(kind, value, &new.max, e) < 0)
		return -1;
	if (name && !kinds[kind].named)
		return error_set(e, EXIT_CODE_USAGE, "max-%s takes a value alone", kinds[kind].name);
	if (kind == LIMIT_SKEW && name && find_metric(name, &new.metric, e) < 0)
		return -1;
	if (kind == LIMIT_GROWTH || kind == LIMIT_GROWTH_CUM)
		new.pattern = xstrdup(name ? name : "*");
	old = find(l, &new);
	if (old && old->line && line) {
		free(new.pattern);
		return error_set(e, EXIT_CODE_USAGE, "given before, on line %u", old->line);
	}
	if (old) {
		free(old->pattern);
		*old = new;
		return 0;
	}
	ALLOC_GROW(l->v, l->nr + 1, l->alloc);
	l->v[l->nr++] = new;
	return 0;
}

int limits_set(struct limits *l, enum limit_kind kind, const char *text, struct error *e)
{
	/* the last '=': a name may hold one, a value does not */
	const char *equals = strrchr(text, '=');
	char *name = equals ? xstrndup(text, (size_t)(equals - text)) : NULL;
	struct error why;
	int r;

	if (name && !*name)
		r = error_set(&why, EXIT_CODE_USAGE, "no name before '='");
	else
		r = add(l, kind, name, equals ? equals + 1 : text, 0, &why);
	free(name);
	return r ? error_set(e, EXIT_CODE_USAGE, "--max-%s: %s", kinds[kind].name, why.text) : 0;
}

bool limits_have(const struct limits *l, enum limit_kind kind)
{
	for (size_t i = 0; i < l->nr; i++)
		if (l->v[i].kind == kind)
			return true;
	return false;
}

void limits_release(struct limits *l)
{
	for (size_t i = 0; i < l->nr; i++)
		free(l->v[i].pattern);
	free(l->v);
	*l = (struct limits){0};
}

const char *limit_text(char *buf, size_t size, const struct limit *l)
{
	const char *what = l->kind == LIMIT_SKEW ? skew_metric_name(l->metric) : l->pattern;

	snprintf(buf, size, "max-%s%s%s", kinds[l->kind].name, what ? " " : "", what ? what : "");
	return buf;
}

/* --- the file ------------------------------------------------------------------------------------ */

struct file {
	struct limits *limits;
	const char *at, *end;
	unsigned line; /* last handed out, from 1 */
	struct error why;
	unsigned failed; /* its line, 0: none */
};

static void refuse(struct file *f, unsigned line)
{
	if (!f->failed)
		f->failed = line;
}

/*
 * inih's fgets. Blanks before a name are left out, since inih would take such a
 * line for the last one's continuation, which TOML does not know.
 */
static char *read_line(char *buf, int size, void *stream)
{
	struct file *f = stream;
	const char *nl, *stop;
	size_t n;

	if (f->failed || f->at >= f->end)
		return NULL;
	nl = memchr(f->at, '\n', (size_t)(f->end - f->at));
	stop = nl ? nl : f->end;
	f->line++;
	while (f->at < stop && (*f->at == ' ' || *f->at == '\t'))
		f->at++;
	n = (size_t)(stop - f->at);
	if (memchr(f->at, 0, n))
		error_set(&f->why, EXIT_CODE_USAGE, "holds a NUL byte");
	else if (size < 2 || n >= (size_t)size - 1)
		error_set(&f->why, EXIT_CODE_USAGE, "is longer than %d bytes", size - 2);
	else
		goto take;
	refuse(f, f->line);
	return NULL;
take:
	memcpy(buf, f->at, n);
	buf[n] = '\n';
	buf[n + 1] = '\0';
	f->at = nl ? nl + 1 : f->end;
	return buf;
}

/* TOML's quotes off; NULL with *e when there is but one of them. */
static char *unquoted(const char *s, struct error *e)
{
	size_t n = strlen(s);

	if (*s != '"' && *s != '\'')
		return xstrdup(s);
	if (n >= 2 && s[n - 1] == *s)
		return xstrndup(s + 1, n - 2);
	error_set(e, EXIT_CODE_USAGE, "a quote without its other: a name with '=' or ':' is written with '*' in their place");
	return NULL;
}

/* "5%  # why": the comment off, in place. */
static void cut_comment(char *value)
{
	char *hash = strstr(value, " #");
	size_t n;

	if (hash)
		*hash = '\0';
	n = strlen(value);
	while (n && (value[n - 1] == ' ' || value[n - 1] == '\t'))
		value[--n] = '\0';
}

/* max_truncated is TOML's habit, max-truncated the options'. */
static bool same_key(const char *key, const char *name)
{
	for (; *key && *name; key++, name++)
		if ((*key == '_' ? '-' : *key) != *name)
			return false;
	return !*key && !*name;
}

static int kind_of_key(const char *key, struct error *e)
{
	char known[64];

	for (int i = 0; i < LIMIT_KINDS; i++) {
		snprintf(known, sizeof(known), "max-%s", kinds[i].name);
		if (same_key(key, known))
			return i;
	}
	return error_set(e, EXIT_CODE_USAGE, "no threshold '%s'", key);
}

static int kind_of_section(const char *section, struct error *e)
{
	for (int i = 0; i < LIMIT_KINDS; i++)
		if (kinds[i].named && same_key(section, kinds[i].name))
			return i;
	return error_set(e, EXIT_CODE_USAGE, "no section [%s]; there are [check], [skew], [growth], [growth-cum]", section);
}

static int take(struct file *f, const char *section, const char *name, const char *value, struct error *e)
{
	bool top = !*section || !strcmp(section, "check");
	int kind = top ? kind_of_key(name, e) : kind_of_section(section, e);

	if (kind >= 0 && !top && !*name)
		return error_set(e, EXIT_CODE_USAGE, "no name before '='");
	return kind < 0 ? -1 : add(f->limits, (enum limit_kind)kind, top ? NULL : name, value, f->line, e);
}

/* inih's handler: 0 is an error. */
static int on_value(void *user, const char *section, const char *name, const char *value)
{
	struct file *f = user;
	char *plain = xstrdup(value), *key, *text = NULL;
	int r = -1;

	if (f->failed) {
		free(plain);
		return 0;
	}
	cut_comment(plain);
	key = unquoted(name, &f->why);
	if (key)
		text = unquoted(plain, &f->why);
	if (text)
		r = take(f, section, key, text, &f->why);
	free(plain);
	free(key);
	free(text);
	if (r < 0)
		refuse(f, f->line);
	return r == 0;
}

int limits_parse(struct limits *l, const char *path, const char *data, size_t size, struct error *e)
{
	struct file f = {.limits = l, .at = data, .end = data + size};
	int line = ini_parse_stream(read_line, &f, on_value, &f);

	if (line < 0)
		return error_set(e, EXIT_CODE_LIMIT, "%s: out of memory", path);
	if (!line && !f.failed)
		return 0;
	if (f.failed && (!line || f.failed <= (unsigned)line))
		return error_set(e, EXIT_CODE_USAGE, "%s:%u: %s", path, f.failed, f.why.text);
	return error_set(e, EXIT_CODE_USAGE, "%s:%d: neither a [section] nor NAME = VALUE", path, line);
}
