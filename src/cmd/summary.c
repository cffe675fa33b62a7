#include "cmd/summary.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

/* As skew's findings have it (skew_text.c). */
#define SURE 0.01
#define MISSING 0.01

const char *summary_worst_name(enum summary_worst w)
{
	static const char *const names[SUMMARY_WORSTS + 1] = {
#define X(id, name, help) [id] = name,
		FOREACH_SUMMARY_WORST(X)
#undef X
		[SUMMARY_WORSTS] = NULL,
	};

	return names[w];
}

struct summary *summary_new(struct summaries *s, const struct batch_item *item)
{
	struct summary *new;

	ALLOC_GROW(s->v, s->nr + 1, s->alloc);
	new = &s->v[s->nr++];
	*new = (struct summary){.item = item, .total = NAN, .samples = NAN, .top_share = NAN, .lost = NAN, .cut = NAN,
				.coverage = NAN, .coverage_low = NAN, .coverage_high = NAN, .growth = NAN,
				.growth_low = NAN, .growth_high = NAN};
	return new;
}

void summary_error(struct summaries *s, const struct batch_item *item, const struct error *e)
{
	ALLOC_GROW(s->errors, s->nr_errors + 1, s->alloc_errors);
	s->errors[s->nr_errors++] = (struct summary_error){item, xstrdup(e->text)};
	s->code = s->code ? s->code : (int)e->code;
}

void summaries_release(struct summaries *s)
{
	for (size_t i = 0; i < s->nr; i++) {
		free(s->v[i].event);
		free(s->v[i].unit);
		free(s->v[i].top);
		free(s->v[i].finding);
		free(s->v[i].cause);
		free(s->v[i].grown);
		free(s->v[i].picture);
	}
	for (size_t i = 0; i < s->nr_errors; i++)
		free(s->errors[i].text);
	free(s->v);
	free(s->errors);
	*s = (struct summaries){0};
}

/* --- which is worst --------------------------------------------------------------------------- */

double summary_badness(const struct summary *s, enum summary_worst w)
{
	const struct compare_metric *tv = &s->metrics[SKEW_TOTAL_VARIATION_SELF];

	switch (w) {
	case SUMMARY_SKEW:
		return s->has_skew && tv->p_value < SURE ? tv->excess : 0;
	case SUMMARY_MISSING:
		return s->coverage_high < 1 - MISSING ? 1 - s->coverage : 0;
	case SUMMARY_GROWTH:
		return s->growth_low > 0 ? s->growth : 0;
	case SUMMARY_LOST:
		return s->lost;
	case SUMMARY_CUT:
		return s->cut;
	default:
		return 0;
	}
}

enum summary_worst summary_worst(const struct summary *s, double *share)
{
	enum summary_worst worst = SUMMARY_WORSTS;

	*share = 0;
	for (int w = 0; w < SUMMARY_WORSTS; w++) {
		double b = summary_badness(s, (enum summary_worst)w);

		if (b > *share) { /* never of NaN */
			*share = b;
			worst = (enum summary_worst)w;
		}
	}
	return worst;
}

static int by_worst(const void *a, const void *b)
{
	const struct summary *x = a, *y = b;
	double of_x, of_y;

	summary_worst(x, &of_x);
	summary_worst(y, &of_y);
	if (of_x != of_y)
		return of_x > of_y ? -1 : 1;
	return strcmp(x->item->name, y->item->name);
}

void summaries_sort(struct summaries *s)
{
	if (s->nr)
		qsort(s->v, s->nr, sizeof(*s->v), by_worst);
}

/* --- cells ---------------------------------------------------------------------------------------- */

void summary_cells(const double shares[RENDER_KINDS], unsigned nr, unsigned cells[RENDER_KINDS])
{
	double sum = 0, rest[RENDER_KINDS];
	unsigned given = 0;

	for (int k = 0; k < RENDER_KINDS; k++)
		sum += shares[k];
	for (int k = 0; k < RENDER_KINDS; k++) {
		double exact = sum > 0 ? shares[k] / sum * nr : 0;

		cells[k] = (unsigned)exact;
		rest[k] = exact - cells[k];
		given += cells[k];
	}
	while (sum > 0 && given < nr) {
		int largest = 0;

		for (int k = 1; k < RENDER_KINDS; k++)
			largest = rest[k] > rest[largest] ? k : largest;
		cells[largest]++;
		rest[largest] = -1;
		given++;
	}
}
