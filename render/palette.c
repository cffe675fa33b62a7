/*
 * Sources: flamegraph.pl (sub color, namehash) and inferno's color/palettes.rs for
 * the palettes of their names; ColorBrewer's PuOr and RdBu for differences, which
 * stay apart for the common kinds of colour blindness.
 */
#include <math.h>
#include <string.h>

#include "internal.h"

/* Light and dark colour of each kind: text on them keeps a contrast of 4.5:1 (WCAG 2.2 AA). */
static const struct rgb kinds[RENDER_KINDS][2] = {
	[RENDER_ROOT] = {{0xd9, 0xd9, 0xd9}, {0x3c, 0x41, 0x48}},
	[RENDER_APP] = {{0x8f, 0xd1, 0x8c}, {0x1f, 0x6b, 0x2d}},
	[RENDER_STD] = {{0x9c, 0xc8, 0xf2}, {0x1c, 0x57, 0x8f}},
	[RENDER_GC] = {{0xf2, 0xa9, 0x7e}, {0x8f, 0x47, 0x14}},
	[RENDER_SCHED] = {{0xf5, 0xd1, 0x6b}, {0x6e, 0x58, 0x0b}},
	[RENDER_ALLOC] = {{0xf4, 0xb6, 0xc8}, {0x8a, 0x2f, 0x52}},
	[RENDER_RUNTIME] = {{0xd6, 0xc6, 0xee}, {0x5b, 0x47, 0x87}},
	[RENDER_NATIVE] = {{0xb5, 0xe0, 0xd8}, {0x14, 0x61, 0x5b}},
	[RENDER_KERNEL] = {{0xf0, 0x8d, 0x8d}, {0x8e, 0x2a, 0x2a}},
	[RENDER_LABEL] = {{0xe6, 0xe6, 0xe6}, {0x34, 0x38, 0x3f}},
	[RENDER_UNKNOWN] = {{0xc8, 0xc8, 0xc8}, {0x50, 0x54, 0x5a}},
	[RENDER_WAIT] = {{0xa9, 0xb6, 0xd0}, {0x3a, 0x4a, 0x6b}},
};

static const char *const kind_names[RENDER_KINDS] = {
#define X(id, key, text) [id] = key,
	FOREACH_RENDER_KIND(X)
#undef X
};
static const char *const kind_texts[RENDER_KINDS] = {
#define X(id, key, text) [id] = text,
	FOREACH_RENDER_KIND(X)
#undef X
};

const char *render_kind_name(enum render_kind kind)
{
	return kind_names[kind];
}

const char *render_kind_text(enum render_kind kind)
{
	return kind_texts[kind];
}

struct rgb palette_kind(enum render_kind kind, bool dark)
{
	return kinds[kind][dark];
}

/* By name: base + span × hash, per channel; `which` picks the hash (1 forward, 2 backward, as flamegraph.pl --hash). */
struct ramp {
	const char *name;
	struct {
		uint8_t base, span, which;
	} r, g, b;
};
static const struct ramp ramps[] = {
	{"hot", {205, 50, 2}, {0, 230, 1}, {0, 55, 2}},
	{"mem", {0, 0, 1}, {190, 50, 2}, {0, 210, 1}},
	{"io", {80, 60, 1}, {80, 60, 1}, {190, 55, 2}},
	{"red", {200, 55, 1}, {50, 80, 1}, {50, 80, 1}},
	{"green", {50, 60, 1}, {200, 55, 1}, {50, 60, 1}},
	{"blue", {80, 60, 1}, {80, 60, 1}, {205, 50, 1}},
	{"yellow", {175, 55, 1}, {175, 55, 1}, {50, 20, 1}},
	{"purple", {190, 65, 1}, {80, 60, 1}, {190, 65, 1}},
	{"aqua", {50, 60, 1}, {165, 55, 1}, {165, 55, 1}},
	{"orange", {190, 65, 1}, {90, 65, 1}, {0, 0, 1}},
};
#define NR_RAMPS (sizeof(ramps) / sizeof(*ramps))

/* Palettes that tell kinds of code apart by their names: what each ramp stands for, for the legend. */
static const struct {
	const char *name;
	struct meaning {
		const char *ramp, *text;
	} meanings[6];
} mixed[] = {
	{"java", {{"green", "Java"}, {"aqua", "inlined"}, {"yellow", "C++"}, {"orange", "kernel"}, {"red", "other"}}},
	{"js", {{"green", "JavaScript"}, {"aqua", "built-in"}, {"purple", "node_modules"}, {"yellow", "C++"},
		{"orange", "kernel"}, {"red", "other"}}},
	{"perl", {{"green", "Perl"}, {"yellow", "C++"}, {"orange", "kernel"}, {"red", "other"}}},
	{"python", {{"aqua", "site-packages"}, {"yellow", "standard library"}, {"red", "other"}}},
	{"rust", {{"orange", "Rust's core, alloc, std"}, {"aqua", "Rust"}, {"yellow", "other"}}},
	{"wakeup", {{"aqua", "all frames"}}},
	{"chain", {{"aqua", "waker"}, {"blue", "other"}}},
};
#define NR_MIXED (sizeof(mixed) / sizeof(*mixed))

static const char *const names[] = {
	"go", "diff", "redblue", "hot", "mem", "io", "red", "green", "blue", "yellow", "purple", "aqua", "orange",
	"wakeup", "java", "js", "perl", "chain", "python", "rust", NULL,
};

const char *const *render_palettes(void)
{
	return names;
}

bool render_palette_differential(const char *name)
{
	return !strcmp(name, "diff") || !strcmp(name, "redblue");
}

bool palette_by_kind(const char *palette, const struct render_graph *g)
{
	return palette ? !strcmp(palette, "go") : !g->differential;
}

bool palette_by_change(const char *palette, const struct render_graph *g)
{
	return g->differential && (!palette || render_palette_differential(palette));
}

static const struct ramp *find_ramp(const char *name)
{
	for (size_t i = 0; i < NR_RAMPS; i++)
		if (!strcmp(ramps[i].name, name))
			return &ramps[i];
	return &ramps[0];
}

/* flamegraph.pl's namehash: the first letters weigh most. */
static double name_hash(const char *name, size_t len, bool reverse)
{
	double vector = 0, weight = 1, max = 1;
	unsigned mod = 10;

	for (size_t i = 0; i < len && mod <= 12; i++) {
		unsigned c = (unsigned char)name[reverse ? len - 1 - i : i] % mod;

		vector += c / (double)(mod++ - 1) * weight;
		max += weight;
		weight *= 0.70;
	}
	return 1 - vector / max;
}

static bool starts(const char *s, const char *prefix)
{
	return !strncmp(s, prefix, strlen(prefix));
}

/* The suffixes _[k] and _[i] of folded text are kinds here; _[j] and _[w] remain in names. */
static bool ends(const char *s, const char *suffix)
{
	size_t a = strlen(s), b = strlen(suffix);

	return a >= b && !strcmp(s + a - b, suffix);
}

static const char *java(const struct render_node *n)
{
	const char *s = n->name[0] == 'L' ? n->name + 1 : n->name;

	if (n->kind == RENDER_KERNEL)
		return "orange";
	if (n->inlined)
		return "aqua";
	if (ends(n->name, "_[j]"))
		return "green";
	if (strstr(n->name, "::") || starts(n->name, "-[") || starts(n->name, "+["))
		return "yellow";
	return strchr(s, '/') || (strchr(s, '.') && *s != '[') || (*s >= 'A' && *s <= 'Z') ? "green" : "red";
}

static const char *js(const struct render_node *n)
{
	const char *slash = strchr(n->name, '/');

	if (n->kind == RENDER_KERNEL)
		return "orange";
	if (ends(n->name, "_[j]"))
		return slash ? "green" : "aqua";
	if (strstr(n->name, "::"))
		return "yellow";
	if (strchr(n->name, ':'))
		return "aqua";
	if (slash && strstr(slash, "node_modules/"))
		return "purple";
	return slash && strstr(slash, ".js") ? "green" : "red";
}

static const char *perl(const struct render_node *n)
{
	if (n->kind == RENDER_KERNEL)
		return "orange";
	if (strstr(n->name, "Perl") || strstr(n->name, ".pl"))
		return "green";
	return strstr(n->name, "::") ? "yellow" : "red";
}

/* A part of a path that is "python3.11" or the like. */
static bool python_library(const char *part, size_t len)
{
	if (len < 6 || (strncmp(part, "python", 6) != 0 && strncmp(part, "Python", 6) != 0))
		return false;
	return strspn(part + 6, "0123456789.") >= len - 6;
}

static const char *python(const struct render_node *n)
{
	bool library = starts(n->name, "<built-in") || starts(n->name, "<method") || starts(n->name, "<frozen");

	for (const char *s = n->name; *s;) {
		size_t len = strcspn(s, "/\\");

		if (len == 13 && starts(s, "site-packages"))
			return "aqua";
		library |= python_library(s, len);
		s += len + (s[len] != '\0');
	}
	return library ? "yellow" : "red";
}

static const char *rust(const struct render_node *n)
{
	const char *tick = strchr(n->name, '`'), *s = tick ? tick + 1 : n->name;

	if (starts(s, "core::") || starts(s, "std::") || starts(s, "alloc::") || starts(s, "<std::") ||
	    starts(s, "<alloc::") ||
	    (starts(s, "<core::") && !starts(s, "<core::future::from_generator::GenFuture<T>")))
		return "orange";
	return strstr(s, "::") ? "aqua" : "yellow";
}

static const char *ramp_name(const char *palette, const struct render_node *n)
{
	if (!strcmp(palette, "java"))
		return java(n);
	if (!strcmp(palette, "js"))
		return js(n);
	if (!strcmp(palette, "perl"))
		return perl(n);
	if (!strcmp(palette, "python"))
		return python(n);
	if (!strcmp(palette, "rust"))
		return rust(n);
	if (!strcmp(palette, "wakeup"))
		return "aqua";
	if (!strcmp(palette, "chain"))
		return ends(n->name, "_[w]") ? "aqua" : "blue";
	return palette;
}

static struct rgb ramp_color(const struct ramp *r, const char *name)
{
	const char *tick = strchr(name, '`'); /* a module's name in front counts as its first letter */
	size_t len;
	double v1, v2;
	struct rgb c;

	if (tick && tick > name)
		name = tick + 1;
	len = strlen(name);
	v1 = name_hash(name, len, false);
	v2 = name_hash(name, len, true);
	c.r = (uint8_t)(r->r.base + (int)(r->r.span * (r->r.which == 1 ? v1 : v2)));
	c.g = (uint8_t)(r->g.base + (int)(r->g.span * (r->g.which == 1 ? v1 : v2)));
	c.b = (uint8_t)(r->b.base + (int)(r->b.span * (r->b.which == 1 ? v1 : v2)));
	return c;
}

double palette_change(const struct render_graph *g, const struct render_node *n, bool *new, bool *vanished)
{
	double total = g->nodes[0].value, base_total = g->base_total;
	double share = total > 0 ? n->value / total : 0;
	double base = base_total > 0 ? n->base_value / base_total : 0;
	double larger = share > base ? share : base;

	*new = n->value > 0 && n->base_value <= 0;
	*vanished = n->value <= 0 && n->base_value > 0;
	return larger > 0 ? (share - base) / larger : 0;
}

static uint8_t mix(unsigned a, unsigned b, int part, int of)
{
	return (uint8_t)((a * (unsigned)(of - part) + b * (unsigned)part + (unsigned)of / 2) / (unsigned)of);
}

/*
 * Near grey: the same; towards orange or red: more on the value's side, purple or
 * blue: more on the base's. Steps, so that a picture has one style a step.
 */
struct rgb palette_step(const char *palette, int step, bool dark)
{
	static const struct rgb ends[2][2][3] = { /* palette, dark: none, more, less */
		{{{0xf0, 0xf0, 0xf0}, {0xf1, 0x91, 0x2b}, {0x8f, 0x80, 0xcc}},
		 {{0x3c, 0x41, 0x48}, {0x96, 0x4b, 0x05}, {0x5b, 0x4a, 0x9e}}},
		{{{0xf0, 0xf0, 0xf0}, {0xef, 0x8a, 0x62}, {0x67, 0xa9, 0xcf}},
		 {{0x3c, 0x41, 0x48}, {0x9c, 0x3b, 0x1e}, {0x1f, 0x5f, 0x8b}}},
	};
	const struct rgb *e = ends[palette && !strcmp(palette, "redblue")][dark];
	struct rgb from = e[0], to = e[step > 0 ? 1 : 2];
	int part = step < 0 ? -step : step;

	return (struct rgb){mix(from.r, to.r, part, PALETTE_STEPS), mix(from.g, to.g, part, PALETTE_STEPS),
			    mix(from.b, to.b, part, PALETTE_STEPS)};
}

const char *palette_step_class(int step)
{
	static const char *const classes[] = {"m8", "m7", "m6", "m5", "m4", "m3", "m2", "m1", "z",
					      "p1", "p2", "p3", "p4", "p5", "p6", "p7", "p8"};

	return classes[step + PALETTE_STEPS];
}

/* The square root shows small changes; whole steps are the same on any machine. */
int palette_step_of(const struct render_graph *g, const struct render_node *n)
{
	bool new, vanished;
	double change = palette_change(g, n, &new, &vanished);
	int step = (int)(sqrt(fabs(change)) * PALETTE_STEPS + 0.5);

	return change < 0 ? -step : step;
}

struct rgb palette_color(const char *palette, const struct render_graph *g, const struct render_node *n)
{
	struct rgb c;

	if (palette_by_change(palette, g))
		return palette_step(palette, palette_step_of(g, n), false);
	if (palette && !palette_by_kind(palette, g) && !render_palette_differential(palette))
		return ramp_color(find_ramp(ramp_name(palette, n)), n->name);
	c = kinds[n->kind][0];
	if (n->inlined)
		c = (struct rgb){mix(c.r, 255, 2, 5), mix(c.g, 255, 2, 5), mix(c.b, 255, 2, 5)};
	return c;
}

/* WCAG 2.2's relative luminance of a channel, times 10,000. */
static int channel(unsigned v)
{
	double c = v / 255.0;

	return (int)(10000 * (c <= 0.04045 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4)) + 0.5);
}

/* Black reaches 4.5:1 from a luminance of 0.175 up, white from 0.183 down. */
bool palette_wants_light_text(struct rgb c)
{
	return 2126 * channel(c.r) + 7152 * channel(c.g) + 722 * channel(c.b) < 17900000;
}

size_t palette_meanings(const char *palette, struct rgb *colors, const char **texts, size_t max)
{
	size_t nr = 0;

	for (size_t i = 0; palette && i < NR_MIXED; i++) {
		if (strcmp(mixed[i].name, palette) != 0)
			continue;
		for (; nr < 6 && nr < max && mixed[i].meanings[nr].ramp; nr++) {
			colors[nr] = ramp_color(find_ramp(mixed[i].meanings[nr].ramp), mixed[i].meanings[nr].text);
			texts[nr] = mixed[i].meanings[nr].text;
		}
	}
	return nr;
}
