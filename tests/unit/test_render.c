/*
 * Boxes, SVG and PNG of small graphs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cairo.h>
#include <math.h>

#include "internal.h"
#include "suite.h"

/* all(100) = main(70: a(40), b(10) , self 20) + gc(30) */
static const struct render_node nodes[] = {
	{.name = "all", .kind = RENDER_ROOT, .value = 100},
	{.name = "github.com/x/y.(*T).Method", .kind = RENDER_APP, .value = 70, .self = 20, .detail = "y.go:7"},
	{.name = "a", .parent = 1, .kind = RENDER_STD, .value = 40, .self = 40},
	{.name = "b", .parent = 1, .kind = RENDER_ALLOC, .inlined = true, .value = 10, .self = 10},
	{.name = "gc", .kind = RENDER_GC, .value = 30, .self = 30},
};
static const struct render_graph graph = {.nodes = nodes, .nr_nodes = 5, .unit = "count"};

static char *to_text(enum render_status (*write)(FILE *, const struct render_graph *, const struct render_options *),
		     const struct render_graph *g, const struct render_options *o, size_t *size)
{
	char *text = NULL;
	FILE *f = open_memstream(&text, size);

	CU_ASSERT_EQUAL(write(f, g, o), RENDER_OK);
	fclose(f);
	return text;
}

static char *dump(const struct render_graph *g, const struct render_options *o)
{
	struct layout l;
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	CU_ASSERT_TRUE_FATAL(layout_make(&l, g, o));
	layout_dump(f, &l, g);
	layout_release(&l);
	fclose(f);
	return text;
}

static void layout_is_boxes(void)
{
	struct render_options o = {.min_width = -1};
	char *text = dump(&graph, &o);

	CU_ASSERT_STRING_EQUAL(text, "0 0 100 all\n1 0 70 github.com/x/y.(*T).Method\n2 0 40 a\n2 40 10 b\n1 70 30 gc\n0 hidden\n");
	free(text);
	/* 1180 px across: b is 118 px wide */
	o.min_width = 119;
	text = dump(&graph, &o);
	CU_ASSERT_STRING_EQUAL(text, "0 0 100 all\n1 0 70 github.com/x/y.(*T).Method\n2 0 40 a\n1 70 30 gc\n1 hidden\n");
	free(text);
}

/* What only the base side has keeps its width. */
static void differences_show_vanished_frames(void)
{
	static const struct render_node two[] = {
		{.name = "all", .kind = RENDER_ROOT, .value = 50, .base_value = 100},
		{.name = "new", .kind = RENDER_APP, .value = 25, .self = 25},
		{.name = "gone", .kind = RENDER_APP, .base_value = 50, .base_self = 50},
		{.name = "same", .kind = RENDER_APP, .value = 25, .self = 25, .base_value = 50, .base_self = 50},
	};
	struct render_graph g = {.nodes = two, .nr_nodes = 4, .unit = "count", .differential = true,
				 .side_a = "after", .side_b = "before", .base_total = 100};
	struct render_options o = {.min_width = -1};
	char *text = dump(&g, &o);
	bool new, gone;
	size_t size;

	CU_ASSERT_STRING_EQUAL(text, "0 0 75 all\n1 0 25 new\n1 25 25 gone\n1 50 25 same\n0 hidden\n");
	free(text);
	CU_ASSERT_EQUAL(palette_change(&g, &two[1], &new, &gone), 1);
	CU_ASSERT_TRUE(new && !gone);
	CU_ASSERT_EQUAL(palette_change(&g, &two[2], &new, &gone), -1);
	CU_ASSERT_TRUE(!new && gone);
	CU_ASSERT_EQUAL(palette_change(&g, &two[3], &new, &gone), 0);
	text = to_text(render_svg, &g, &o, &size);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "more in after"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "only in before"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "class=\"f m8 gone\""));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "class=\"f p8 new\""));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "class=\"f z\""));
	free(text);
}

static void names_are_shortened_the_go_way(void)
{
	static const struct {
		const char *name;
		size_t max;
		const char *want;
	} cases[] = {
		{"github.com/x/y.(*T).Method", 40, "github.com/x/y.(*T).Method"},
		{"github.com/x/y.(*T).Method", 20, "y.(*T).Method"},
		{"github.com/x/y.(*T).Method", 9, "y..Method"},
		{"github.com/x/y.(*T).Method", 8, "Method"},
		{"github.com/x/y.(*T).Method", 5, "Met.."},
		{"runtime.gosched_m", 17, "runtime.gosched_m"},
		{"runtime.gosched_m", 16, "gosched_m"},
		{"runtime.gcenable.gowrap1", 20, "gcenable.gowrap1"},
		{"main.main.func1.2", 12, "main.func1.2"},
		{"main.(*Cache[go.shape.string]).Get", 12, "main..Get"},
		{"std::vector<int>::push_back(int&&)", 20, "push_back(int&&)"},
		{"asm_exc_page_fault", 10, "asm_exc_.."},
		{"[libc.so.6]+0x1234", 10, "[libc.so.."},
		{"\xe6\xbc\xa2\xe5\xad\x97\xe6\xbc\xa2\xe5\xad\x97", 7, "\xe6\xbc\xa2\xe5\xad\x97.."}, /* two cells each */
		{"slices.SortFunc[go.shape.struct { a int }]", 22, "slices.SortFunc[...]"},
		{"a/b.F[c/d.T]", 11, "b.F[c/d.T]"},
		{"main", 2, ""},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char *s = text_shorten(cases[i].name, cases[i].max);

		CU_ASSERT_STRING_EQUAL(s, cases[i].want);
		free(s);
	}
}

/* Well-formed as far as a test without a parser can say: markup balanced, nothing forbidden. */
static void check_xml(const char *text)
{
	const char *script = strstr(text, "<![CDATA["), *style = strstr(text, "<style>");
	int depth = 0, bad = 0;

	CU_ASSERT_PTR_NOT_NULL_FATAL(script);
	for (const char *s = text; *s && s < script; s++) {
		unsigned char c = (unsigned char)*s;

		if (s == style)
			s = strstr(s, "</style>");
		bad += c < 0x20 && c != '\n';
		if (c == '<')
			depth++;
		if (c == '>')
			depth--;
		bad += depth != 0 && depth != 1;
		bad += c == '&' && strncmp(s, "&lt;", 4) != 0 && strncmp(s, "&gt;", 4) != 0 &&
		       strncmp(s, "&amp;", 5) != 0 && strncmp(s, "&quot;", 6) != 0 && strncmp(s, "&#39;", 5) != 0;
	}
	CU_ASSERT_EQUAL(bad, 0);
}

static void hostile_names(void)
{
	char *huge = malloc(1000001);
	const char *const names[] = {
		"<script>alert(1)</script>", "]]>", "\"'&", "\033[31m", "\xef\xbf\xbe", "\xff\xfe\xc0\x80 cut \xe2\x82",
		"\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d", "\xe2\x80\xae" "evil", "", huge,
	};

	memset(huge, 'x', 1000000);
	huge[1000000] = '\0';
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		struct render_node n[2] = {nodes[0], nodes[4]};
		struct render_graph g = {.nodes = n, .nr_nodes = 2, .unit = names[i]};
		struct render_options o = {.min_width = -1, .title = names[i], .subtitle = names[i], .search = names[i]};
		size_t size;
		char *text;

		n[1].name = n[1].detail = names[i];
		text = to_text(render_svg, &g, &o, &size);
		check_xml(text);
		CU_ASSERT_PTR_NULL(strstr(text, "<script>alert"));
		CU_ASSERT_PTR_NULL(strstr(text, "\xe2\x80\xae"));
		free(text);
	}
	free(huge);
}

static unsigned png_word(const char *png, size_t at)
{
	const unsigned char *p = (const unsigned char *)png + at;

	return (unsigned)p[0] << 24 | (unsigned)p[1] << 16 | (unsigned)p[2] << 8 | p[3];
}

static void png_has_its_size(void)
{
	struct render_options o = {.min_width = -1, .width = 600, .scale = 2};
	size_t size;
	char *png = to_text(render_png, &graph, &o, &size);
	struct layout l;

	CU_ASSERT_TRUE_FATAL(layout_make(&l, &graph, &o));
	CU_ASSERT_EQUAL(memcmp(png, "\x89PNG", 4), 0);
	CU_ASSERT_EQUAL(png_word(png, 16), 1200);
	CU_ASSERT_EQUAL(png_word(png, 20), (unsigned)(l.height * 2));
	layout_release(&l);
	free(png);
	o.width = 20000;
	CU_ASSERT_EQUAL(render_png(stdout, &graph, &o), RENDER_TOO_LARGE);
	CU_ASSERT_PTR_NOT_NULL(strstr(render_status_text(RENDER_TOO_LARGE), "32,767"));
}

static void the_same_bytes_every_time(void)
{
	struct render_options o = {.min_width = -1};
	size_t a, b;

	for (int i = 0; i < 2; i++) {
		char *x = to_text(i ? render_pdf : render_svg, &graph, &o, &a);
		char *y = to_text(i ? render_pdf : render_svg, &graph, &o, &b);

		CU_ASSERT_EQUAL(a, b);
		CU_ASSERT_EQUAL(memcmp(x, y, a), 0);
		free(x);
		free(y);
	}
}

/* WCAG 2.2: relative luminance, and the contrast of two colours. */
static double channel(unsigned v)
{
	double c = v / 255.0;

	return c <= 0.04045 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4);
}

static double luminance(struct rgb c)
{
	return 0.2126 * channel(c.r) + 0.7152 * channel(c.g) + 0.0722 * channel(c.b);
}

static double contrast(struct rgb a, struct rgb b)
{
	double x = luminance(a), y = luminance(b);

	return x > y ? (x + 0.05) / (y + 0.05) : (y + 0.05) / (x + 0.05);
}

/* What is seen of a colour that is drawn with an opacity in percent. */
static struct rgb over(struct rgb ground, struct rgb c, int percent)
{
	return (struct rgb){(uint8_t)((c.r * percent + ground.r * (100 - percent)) / 100),
			    (uint8_t)((c.g * percent + ground.g * (100 - percent)) / 100),
			    (uint8_t)((c.b * percent + ground.b * (100 - percent)) / 100)};
}

/* Level AA, 4.5:1: names on boxes that are plain, inlined, faded; in both modes. As svg.c's style has them. */
static void text_can_be_read(void)
{
	static const struct rgb text[2] = {{0x11, 0x11, 0x11}, {0xe8, 0xea, 0xed}},
				ground[2] = {{0xff, 0xff, 0xff}, {0x15, 0x18, 0x1d}};
	static const int opacity[] = {100, 60, 35};

	for (int dark = 0; dark < 2; dark++) {
		for (int o = 0; o < 3; o++) {
			for (int k = 0; k < RENDER_KINDS; k++) {
				struct rgb c = palette_kind((enum render_kind)k, dark);

				CU_ASSERT_TRUE(contrast(text[dark], over(ground[dark], c, opacity[o])) >= 4.5);
			}
			for (int step = -PALETTE_STEPS; step <= PALETTE_STEPS; step++) {
				struct rgb a = palette_step("diff", step, dark), b = palette_step("redblue", step, dark);

				CU_ASSERT_TRUE(contrast(text[dark], over(ground[dark], a, opacity[o])) >= 4.5);
				CU_ASSERT_TRUE(contrast(text[dark], over(ground[dark], b, opacity[o])) >= 4.5);
			}
		}
	}
	CU_ASSERT_TRUE(contrast((struct rgb){0, 0, 0}, (struct rgb){0xe6, 0x00, 0xe6}) >= 4.5); /* matches */
	CU_ASSERT_TRUE(contrast((struct rgb){0x44, 0x44, 0x44}, ground[0]) >= 4.5);
	CU_ASSERT_TRUE(contrast((struct rgb){0xb4, 0xba, 0xc2}, ground[1]) >= 4.5);
	CU_ASSERT_TRUE(contrast((struct rgb){0x05, 0x50, 0xae}, ground[0]) >= 4.5);
	CU_ASSERT_TRUE(contrast((struct rgb){0x79, 0xb8, 0xff}, ground[1]) >= 4.5);
}

/* Palettes by name: black or white, whichever is chosen, over 400 names each. */
static void names_on_any_palette_can_be_read(void)
{
	static const struct rgb black = {0, 0, 0}, white = {0xff, 0xff, 0xff};
	struct render_node n = nodes[2];
	char name[32];

	n.name = name;
	for (const char *const *p = render_palettes(); *p; p++) {
		for (int i = 0; i < 400; i++) {
			struct rgb c;

			snprintf(name, sizeof(name), "%s%d::f%d", i % 3 ? "net/http.F" : "core::", i * 7919, i);
			c = palette_color(*p, &graph, &n);
			CU_ASSERT_TRUE(contrast(c, palette_wants_light_text(c) ? white : black) >= 4.5);
		}
	}
}

/*
 * The two ends of a difference for eyes without one kind of cones (Viénot, Brettel and Mollon 1999, linear
 * RGB): apart in what is left, as much as in lightness or hue.
 */
static void differences_without_red_or_green(void)
{
	static const double deuteranope[3][3] = {{0.29275, 0.70725, 0}, {0.29275, 0.70725, 0}, {-0.02234, 0.02234, 1}};
	static const double protanope[3][3] = {{0.11238, 0.88762, 0}, {0.11238, 0.88762, 0}, {0.00401, -0.00401, 1}};
	static const char *const palettes[] = {"diff", "redblue"};

	for (size_t p = 0; p < 2; p++) {
		for (int dark = 0; dark < 2; dark++) {
			struct rgb a = palette_step(palettes[p], PALETTE_STEPS, dark);
			struct rgb b = palette_step(palettes[p], -PALETTE_STEPS, dark);
			double x[3] = {channel(a.r), channel(a.g), channel(a.b)};
			double y[3] = {channel(b.r), channel(b.g), channel(b.b)};

			for (int kind = 0; kind < 2; kind++) {
				double apart = 0;

				for (int row = 0; row < 3; row++) {
					const double *m = kind ? protanope[row] : deuteranope[row];
					double d = m[0] * (x[0] - y[0]) + m[1] * (x[1] - y[1]) + m[2] * (x[2] - y[2]);

					apart += d * d;
				}
				CU_ASSERT_TRUE(sqrt(apart) > 0.2);
			}
		}
	}
}

static void same_color(const char *palette, const struct render_node *n, unsigned want)
{
	struct rgb c = palette_color(palette, &graph, n);

	CU_ASSERT_EQUAL((unsigned)c.r << 16 | (unsigned)c.g << 8 | c.b, want);
}

/* "a" has one hash forwards and backwards: 1 - (97 % 10 / 9) / 2 = 0.6111, as flamegraph.pl --hash has it. */
static void palettes_are_those_of_their_names(void)
{
	struct render_node n = nodes[2];

	same_color("hot", &n, (205 + 30) << 16 | 140 << 8 | 33);
	same_color("mem", &n, (190 + 30) << 8 | 128);
	same_color("io", &n, (80 + 36) << 16 | (80 + 36) << 8 | (190 + 33));
	same_color("red", &n, (200 + 33) << 16 | (50 + 48) << 8 | (50 + 48));
	same_color("green", &n, (50 + 36) << 16 | (200 + 33) << 8 | (50 + 36));
	same_color("blue", &n, (80 + 36) << 16 | (80 + 36) << 8 | (205 + 30));
	same_color("yellow", &n, (175 + 33) << 16 | (175 + 33) << 8 | (50 + 12));
	same_color("purple", &n, (190 + 39) << 16 | (80 + 36) << 8 | (190 + 39));
	same_color("aqua", &n, (50 + 36) << 16 | (165 + 33) << 8 | (165 + 33));
	same_color("orange", &n, (190 + 39) << 16 | (90 + 39) << 8);
	same_color("wakeup", &n, (50 + 36) << 16 | (165 + 33) << 8 | (165 + 33));
	/* by what the name says, inferno's rules */
	same_color("java", &n, (200 + 33) << 16 | (50 + 48) << 8 | (50 + 48));
	n.kind = RENDER_KERNEL;
	same_color("java", &n, (190 + 39) << 16 | (90 + 39) << 8);
	same_color("perl", &n, (190 + 39) << 16 | (90 + 39) << 8);
	n.kind = RENDER_STD;
	n.inlined = true;
	same_color("java", &n, (50 + 36) << 16 | (165 + 33) << 8 | (165 + 33));
	n.inlined = false;
	n.name = "core::a";
	CU_ASSERT_EQUAL(palette_color("rust", &graph, &n).b, 0);   /* orange */
	n.name = "x::a";
	CU_ASSERT_TRUE(palette_color("rust", &graph, &n).b >= 165); /* aqua */
	n.name = "/usr/lib/python3.11/x.py";
	CU_ASSERT_TRUE(palette_color("python", &graph, &n).b < 71); /* yellow: the standard library */
	n.name = "/x/site-packages/y.py";
	CU_ASSERT_TRUE(palette_color("python", &graph, &n).b >= 165);
	n.name = "/a/node_modules/x.js:1";
	CU_ASSERT_TRUE(palette_color("js", &graph, &n).b >= 165);
	n.name = "module`a";
	same_color("red", &n, (200 + 33) << 16 | (50 + 48) << 8 | (50 + 48));
}

/* Nested matches count once. */
static void matches_are_counted_without_overlap(void)
{
	struct render_node n[5];
	struct render_graph g = {.nodes = n, .nr_nodes = 5, .unit = "count"};
	struct render_options o = {.min_width = -1, .search = "x"};
	struct layout l;
	size_t size;
	char *text;

	memcpy(n, nodes, sizeof(n));
	n[1].found = n[2].found = n[4].found = true;
	CU_ASSERT_TRUE_FATAL(layout_make(&l, &g, &o));
	CU_ASSERT_EQUAL(l.found, 100);
	layout_release(&l);
	n[1].found = n[4].found = false;
	n[3].found = true;
	text = to_text(render_svg, &g, &o, &size);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, ">Matched: 50.0 %<"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "class=\"f std hit\""));
	free(text);
}

static void narrow_boxes_by_their_share(void)
{
	struct render_options o = {.min_width = 0, .min_share = 0.2};
	char *text = dump(&graph, &o);

	CU_ASSERT_PTR_NOT_NULL(strstr(text, "2 0 40 a\n1 70 30 gc\n1 hidden\n"));
	free(text);
}

/* Without a width of the user's, a picture of very many boxes keeps the widest. */
static void very_many_boxes(void)
{
	enum { NR = 20000 };
	struct render_node *n = calloc(NR + 1, sizeof(*n));
	struct render_graph g = {.nodes = n, .nr_nodes = NR + 1, .unit = "count"};
	struct render_options o = {.min_width = -1};
	struct layout l;

	n[0] = (struct render_node){.name = "all", .kind = RENDER_ROOT};
	for (size_t i = 1; i <= NR; i++) {
		n[i] = (struct render_node){.name = "github.com/x/y.(*T).Method", .kind = RENDER_APP,
					    .value = i % 2 ? 100 : 400, .self = 1};
		n[0].value += n[i].value;
	}
	o.min_width = 0;
	CU_ASSERT_TRUE_FATAL(layout_make(&l, &g, &o));
	CU_ASSERT_EQUAL(l.nr, NR + 1);
	layout_release(&l);
	o.min_width = -1;
	o.width = 1e6; /* so that 0.1 px hides none */
	CU_ASSERT_TRUE_FATAL(layout_make(&l, &g, &o));
	CU_ASSERT_TRUE(l.nr > 5000 && l.nr < 10000 && l.nr + l.hidden == NR + 1);
	for (size_t i = 1; i < l.nr; i++)
		CU_ASSERT_EQUAL(l.boxes[i].w, 400);
	CU_ASSERT_PTR_NOT_NULL(strstr(l.legend.entries[l.legend.nr - 1].text, " narrow frames left out"));
	layout_release(&l);
	free(n);
}

static void legends_take_the_rows_they_need(void)
{
	struct render_options o = {.min_width = -1};
	bool used[RENDER_KINDS];
	struct legend l;
	size_t rows;

	memset(used, true, sizeof(used));
	legend_make(&l, &graph, &o, used, true);
	CU_ASSERT_EQUAL(l.nr, RENDER_KINDS); /* all but the root's, and the paler one */
	rows = legend_place(&l, 580);
	CU_ASSERT_TRUE(rows >= 3);
	for (size_t i = 0; i < l.nr; i++)
		CU_ASSERT_TRUE(l.entries[i].x + l.entries[i].width <= 580 + 14);
	CU_ASSERT_TRUE(legend_place(&l, 5000) == 1);
	o.colors = "hot";
	legend_make(&l, &graph, &o, used, true);
	CU_ASSERT_EQUAL(legend_place(&l, 580), 0);
	o.colors = "rust";
	legend_make(&l, &graph, &o, used, true);
	CU_ASSERT_EQUAL(l.nr, 3);
}

static cairo_status_t read_bytes(void *closure, unsigned char *data, unsigned int length)
{
	const char **at = closure;

	memcpy(data, *at, length);
	*at += length;
	return CAIRO_STATUS_SUCCESS;
}

/* The middle of every box without a name has its colour; above the boxes it is white. */
static void png_has_its_colors(void)
{
	struct render_options o = {.min_width = -1, .width = 600, .scale = 2};
	size_t size;
	char *png = to_text(render_png, &graph, &o, &size);
	const char *at = png;
	cairo_surface_t *s = cairo_image_surface_create_from_png_stream(read_bytes, &at);
	const unsigned char *data = cairo_image_surface_get_data(s);
	int stride = cairo_image_surface_get_stride(s);
	struct layout l;

	CU_ASSERT_EQUAL_FATAL(cairo_surface_status(s), CAIRO_STATUS_SUCCESS);
	CU_ASSERT_TRUE_FATAL(layout_make(&l, &graph, &o));
	for (size_t i = 0; i < l.nr; i++) {
		/* right of the names, two px below the upper edge */
		double x = SIDE + (l.boxes[i].x + l.boxes[i].w) * 580 / 100 - 3, y = layout_y(&l, &l.boxes[i], false) + 2;
		const unsigned char *p = data + (int)(y * 2) * stride + (int)(x * 2) * 4;
		struct rgb c = palette_color(NULL, &graph, &nodes[l.boxes[i].node]);

		CU_ASSERT_TRUE(p[0] == c.b && p[1] == c.g && p[2] == c.r);
	}
	CU_ASSERT_TRUE(data[0] == 255 && data[1] == 255 && data[2] == 255);
	layout_release(&l);
	cairo_surface_destroy(s);
	free(png);
}

static void numbers_and_values(void)
{
	char buf[64];

	CU_ASSERT_STRING_EQUAL(text_number(buf, sizeof(buf), 12.5), "12.5");
	CU_ASSERT_STRING_EQUAL(text_number(buf, sizeof(buf), 100), "100");
	CU_ASSERT_STRING_EQUAL(text_number(buf, sizeof(buf), -0.00004), "0");
	/* as printf has them: where a product could round otherwise, at the ends of its range, and everywhere between */
	for (double v = 0; v < 120; v += 0.0371) {
		char expected[64];

		for (int k = 0; k < 3; k++) {
			double x = k == 0 ? v : k == 1 ? v * 1e7 : (double)(long)(v * 8) / 8 + 0.005;

			snprintf(expected, sizeof(expected), "%.2f", x);
			CU_ASSERT_STRING_EQUAL(text_hundredths(buf, sizeof(buf), x), expected);
		}
	}
	CU_ASSERT_STRING_EQUAL(text_hundredths(buf, sizeof(buf), 99.999), "100.00");
	CU_ASSERT_STRING_EQUAL(text_hundredths(buf, sizeof(buf), -1.5), "-1.50");
	CU_ASSERT_STRING_EQUAL(text_hundredths(buf, sizeof(buf), 1e12), "1000000000000.00");
	CU_ASSERT_STRING_EQUAL(text_hundredths(buf, 4, 1.5), "");
	CU_ASSERT_STRING_EQUAL(text_value(buf, sizeof(buf), 1234567, "count"), "1,234,567 samples");
	CU_ASSERT_STRING_EQUAL(text_value(buf, sizeof(buf), 1.5e9, "nanoseconds"), "1.50 s");
	CU_ASSERT_STRING_EQUAL(text_value(buf, sizeof(buf), 2048, "bytes"), "2.00 KiB");
}

static void strips(void)
{
	static const char want[] =
		"<svg class=\"strip\" role=\"img\" aria-label=\"Flame graph\" width=\"300\" height=\"48\">"
		"<path fill=\"#d9d9d9\" d=\"M0 42h299.6v5.6H0z\"/>"
		"<path fill=\"#8fd18c\" d=\"M0 36h209.6v5.6H0z\"/>"
		"<path fill=\"#9cc8f2\" d=\"M0 30h119.6v5.6H0z\"/>"
		"<path fill=\"#f8d3de\" d=\"M120 30h29.6v5.6H120z\"/>"
		"<path fill=\"#f2a97e\" d=\"M210 36h89.6v5.6H210z\"/></svg>";
	enum { DEEP = 60, WIDE = 300, ALL = 1 + DEEP * WIDE };
	struct render_node *many = calloc(ALL, sizeof(*many));
	struct render_graph large = {.nodes = many, .nr_nodes = ALL, .unit = "count"};
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	CU_ASSERT_EQUAL(render_strip(f, &graph), RENDER_OK);
	fclose(f);
	CU_ASSERT_STRING_EQUAL(text, want);
	free(text);
	/* any number of boxes in any number of colours: bounded */
	many[0] = (struct render_node){.name = "all", .value = WIDE * DEEP};
	for (uint32_t i = 1; i < ALL; i++) {
		uint32_t level = (i - 1) % DEEP;

		many[i] = (struct render_node){.name = "f", .parent = level ? i - 1 : 0, .self = 1, .value = DEEP - level,
					       .kind = (uint8_t)(1 + i % (RENDER_KINDS - 1)), .inlined = i % 2};
	}
	f = open_memstream(&text, &size);
	CU_ASSERT_EQUAL(render_strip(f, &large), RENDER_OK);
	fclose(f);
	CU_ASSERT_TRUE(size > 200 && size < 30000);
	free(text);
	free(many);
}

static const struct suite_test tests[] = {
	{"strips", strips},
	{"layout is boxes", layout_is_boxes},
	{"differences show vanished frames", differences_show_vanished_frames},
	{"names are shortened the Go way", names_are_shortened_the_go_way},
	{"hostile names", hostile_names},
	{"png has its size", png_has_its_size},
	{"the same bytes every time", the_same_bytes_every_time},
	{"text can be read", text_can_be_read},
	{"names on any palette can be read", names_on_any_palette_can_be_read},
	{"differences without red or green", differences_without_red_or_green},
	{"palettes are those of their names", palettes_are_those_of_their_names},
	{"matches are counted without overlap", matches_are_counted_without_overlap},
	{"narrow boxes by their share", narrow_boxes_by_their_share},
	{"very many boxes", very_many_boxes},
	{"legends take the rows they need", legends_take_the_rows_they_need},
	{"png has its colours", png_has_its_colors},
	{"numbers and values", numbers_and_values},
	{NULL, NULL},
};
const struct suite suite_render = {"render", tests};
