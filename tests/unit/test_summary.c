/*
 * Summaries of a batch: which is worst, the squares, the size of a comment, the names of pictures.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "cmd/gallery.h"
#include "cmd/summary.h"
#include "suite.h"

static struct batch_item items[2000];

static struct summary *new(struct summaries *s, const char *name)
{
	struct batch_item *item = &items[s->nr];

	item->name = item->path = (char *)name;
	return summary_new(s, item);
}

static void skew(struct summary *s, double excess, double p, double coverage, double high)
{
	s->has_skew = true;
	s->metrics[SKEW_TOTAL_VARIATION_SELF].excess = excess;
	s->metrics[SKEW_TOTAL_VARIATION_SELF].p_value = p;
	s->coverage = coverage;
	s->coverage_low = 2 * coverage - high;
	s->coverage_high = high;
}

static void expect_worst(const struct summary *s, const char *what, double share)
{
	double got;
	const char *name = summary_worst_name(summary_worst(s, &got));

	CU_ASSERT_DOUBLE_EQUAL(got, share, 1e-12);
	CU_ASSERT_TRUE(what ? name && !strcmp(name, what) : !name);
}

static void what_is_worst(void)
{
	struct summaries all = {.nr = 0};
	struct summary *s = new(&all, "x");

	expect_worst(s, NULL, 0); /* nothing is known */
	s->lost = 0;
	s->cut = 0;
	expect_worst(s, NULL, 0);
	s->cut = 0.02;
	expect_worst(s, "cut", 0.02);
	s->lost = 0.03;
	expect_worst(s, "lost", 0.03);
	/* growth counts where the interval is over 0 */
	s->growth = 0.2;
	s->growth_low = -0.01;
	expect_worst(s, "lost", 0.03);
	s->growth_low = 0.01;
	expect_worst(s, "growth", 0.2);
	/* skew counts where noise would not show it, missing time where the interval is over 1 % */
	skew(s, 0.3, 0.02, 0.5, 0.995);
	expect_worst(s, "growth", 0.2);
	skew(s, 0.3, 0.001, 1, 1.1);
	expect_worst(s, "skew", 0.3);
	skew(s, 0.3, 0.001, 0.6, 0.65);
	expect_worst(s, "missing", 0.4);
	skew(s, 0.3, NAN, NAN, NAN);
	expect_worst(s, "growth", 0.2);
	summaries_release(&all);
}

static void order(void)
{
	static const char *const want[] = {"much skew", "cut", "some skew", "lost", "a", "b", "no skew"};
	struct summaries s = {.nr = 0};

	new(&s, "no skew");
	skew(&s.v[0], -0.2, 1, 1, 1.01);
	new(&s, "b");
	new(&s, "some skew");
	skew(&s.v[2], 0.05, 0.002, 1, 1.01);
	new(&s, "cut")->cut = 0.06;
	new(&s, "lost")->lost = 0.01;
	new(&s, "a");
	new(&s, "much skew");
	skew(&s.v[6], 0.4, 0.002, 1, 1.01);
	summaries_sort(&s);
	for (size_t i = 0; i < s.nr; i++)
		CU_ASSERT_STRING_EQUAL(s.v[i].item->name, want[i]);
	summaries_release(&s);
}

static void expect_cells(const double *shares, unsigned nr, const unsigned *want)
{
	double all[RENDER_KINDS] = {0};
	unsigned cells[RENDER_KINDS], sum = 0;

	memcpy(all, shares, 4 * sizeof(*all));
	summary_cells(all, nr, cells);
	for (int k = 0; k < RENDER_KINDS; k++)
		sum += cells[k];
	CU_ASSERT_EQUAL(sum, want[0] + want[1] + want[2] + want[3]);
	CU_ASSERT_EQUAL(memcmp(cells, want, 4 * sizeof(*want)), 0);
}
#define SHARES(...) ((const double[4]){__VA_ARGS__})
#define CELLS(...) ((const unsigned[4]){__VA_ARGS__})

static void squares(void)
{
	expect_cells(SHARES(0, 0, 0, 0), 10, CELLS(0, 0, 0, 0));
	expect_cells(SHARES(1, 0, 0, 0), 10, CELLS(10, 0, 0, 0));
	expect_cells(SHARES(0.5, 0.5, 0, 0), 10, CELLS(5, 5, 0, 0));
	/* 4.7, 2.6, 2.6, 0.1: the largest remainders have what is left */
	expect_cells(SHARES(0.47, 0.26, 0.26, 0.01), 10, CELLS(5, 3, 2, 0));
	/* shares of a part of the whole fill all cells, too */
	expect_cells(SHARES(0.1, 0.1, 0, 0), 10, CELLS(5, 5, 0, 0));
	expect_cells(SHARES(1, 1, 1, 0), 1, CELLS(1, 0, 0, 0));
}

/* The markdown of so many recordings whose names and texts are as long as can be. */
static char *markdown(size_t nr, size_t errors, bool of_skew, size_t top)
{
	struct summaries s = {.skew = of_skew, .baseline = true};
	struct error e;
	char *text = NULL, *name = xcalloc(4 * 400 + 1, 1);
	size_t size;
	FILE *f;

	for (size_t i = 0; i < 400; i++)
		memcpy(name + 4 * i, "\xf0\x9f\x94\xa5", 4);
	for (size_t i = 0; i < nr; i++) {
		struct summary *one = new(&s, name);

		one->unit = xstrdup("nanoseconds");
		one->total = 1e18;
		one->top = xstrdup(name);
		one->grown = xstrdup(name);
		one->finding = xstrdup("|||| less <b> than ||||");
		one->kinds[RENDER_APP] = 1;
		skew(one, 0.3, 0, 0.5, 0.6);
		one->findings = 1;
		one->growth = one->growth_low = one->growth_high = 0.01;
	}
	error_set(&e, EXIT_CODE_INPUT, "%s", name);
	for (size_t i = 0; i < errors; i++)
		summary_error(&s, &items[0], &e);
	f = open_memstream(&text, &size);
	summaries_markdown(f, &s, top);
	fclose(f);
	CU_ASSERT_TRUE(size < 65536);
	CU_ASSERT_EQUAL(strlen(text), size);
	summaries_release(&s);
	free(name);
	return text;
}

static size_t count(const char *text, const char *what)
{
	size_t n = 0;

	for (; (text = strstr(text, what)); text += strlen(what))
		n++;
	return n;
}

static void comment_size(void)
{
	char *text, *more;
	unsigned long left;

	for (int of_skew = 0; of_skew < 2; of_skew++) {
		/* all rows are there, or counted in the last line */
		text = markdown(2000, 100, of_skew, 0);
		more = strrchr(text, '\n') - 1;
		while (more > text && more[-1] != '\n')
			more--;
		CU_ASSERT_TRUE(sscanf(more, "%lu more recordings follow", &left) == 1);
		CU_ASSERT_PTR_NOT_NULL(strstr(more, "a comment holds no more"));
		CU_ASSERT_EQUAL(count(text, "\n| `") + left, 2000);
		CU_ASSERT_TRUE(count(text, "\n| `") > 20);
		CU_ASSERT_PTR_NOT_NULL(strstr(text, "- and 80 more"));
		free(text);
		text = markdown(5, 0, of_skew, 0);
		CU_ASSERT_EQUAL(count(text, "\n| `"), 5);
		CU_ASSERT_PTR_NULL(strstr(text, " more "));
		free(text);
		text = markdown(5, 0, of_skew, 4);
		CU_ASSERT_EQUAL(count(text, "\n| `"), 4);
		CU_ASSERT_PTR_NOT_NULL(strstr(text, "\n1 more recording follows in that order and is not shown.\n"));
		free(text);
	}
}

static void picture_names(void)
{
	static const char *const given[] = {"a", "../a.data", "x/y", "x_y", ".hidden", "x_y"};
	static const char *const want[] = {"a", "_._a.data", "x_y", "x_y#2", "_hidden", "x_y#3"};
	struct batch b = {.items = items, .nr = 6};
	char **names;

	for (size_t i = 0; i < b.nr; i++)
		items[i].name = (char *)given[i];
	names = gallery_names(&b);
	for (size_t i = 0; i < b.nr; i++) {
		CU_ASSERT_STRING_EQUAL(names[i], want[i]);
		free(names[i]);
	}
	free(names);
}

static const struct suite_test tests[] = {
	{"what is worst", what_is_worst},
	{"order", order},
	{"squares", squares},
	{"comment size", comment_size},
	{"picture names", picture_names},
	{NULL, NULL},
};
const struct suite suite_summary = {"summary", tests};
