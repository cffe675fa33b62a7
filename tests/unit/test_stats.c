/*
 * The statistics against published values, and the resampling against exact
 * expectations. References: R 4 (p.adjust, pbeta, pbinom, quantile, qnorm), scipy
 * 1.17 and statsmodels 0.14, which agree where both have the function.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "compare/resample.h"
#include "compare/stats.h"
#include "suite.h"

#define NEAR(a, b, tolerance) CU_ASSERT_TRUE(fabs((a) - (b)) <= (tolerance))
/* To so many parts of b. */
#define CLOSE(a, b, parts) NEAR(a, b, fabs(b) * (parts))

static void benjamini_hochberg(void)
{
	/* Benjamini & Hochberg 1995, section 3.2; p.adjust(p, "BH"), scipy.stats.false_discovery_control */
	static const double p[] = {0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344,
				   0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.000};
	static const double want[] = {0.0015, 0.003, 0.0095, 0.035625, 0.0603, 0.0638571428571, 0.0638571428571, 0.0645,
				      0.0765, 0.486, 0.581181818182, 0.714875, 0.753230769231, 0.813214285714, 1};
	static const double ties[] = {0.04, 0.01, NAN, 0.02, 0.04, 0.9}, want_ties[] = {0.05, 0.05, NAN, 0.05, 0.05, 0.9};
	double q[15];

	stats_q_values(p, q, 15);
	for (size_t i = 0; i < 15; i++)
		NEAR(q[i], want[i], 1e-11);
	stats_q_values(ties, q, 6);
	for (size_t i = 0; i < 6; i++)
		CU_ASSERT_TRUE(isnan(want_ties[i]) ? isnan(q[i]) : fabs(q[i] - want_ties[i]) < 1e-12);
}

static void incomplete_beta(void)
{
	/* pbeta, scipy.special.betainc */
	static const double want[][4] = {
		{2, 5, 0.3, 0.579825}, {0.5, 0.5, 0.99, 0.9362314391414803}, {30, 700, 0.05, 0.8836131858279007},
		{1000, 2000, 0.34, 0.7812150911606441}, {3, 1e5, 3e-5, 0.5768267220608587}, {10, 10, 0.5, 0.5},
	};

	for (size_t i = 0; i < sizeof(want) / sizeof(*want); i++)
		CLOSE(stats_beta(want[i][0], want[i][1], want[i][2]), want[i][3], 1e-10);
	CU_ASSERT_EQUAL(stats_beta(2, 3, 0), 0);
	CU_ASSERT_EQUAL(stats_beta(2, 3, 1), 1);
}

static void two_counts(void)
{
	/* x of n, y of m: 2 min(pbinom(x, x + y, n / (n + m)), pbinom(x - 1, …, lower = FALSE)), scipy.stats.binom */
	static const double want[][5] = {
		{2, 100, 8, 100, 0.109375}, {12, 10000, 9, 1000, 9.000892150095835e-05},
		{0, 1000, 7, 100, 1.0263162364614159e-07}, {120, 1272, 5, 815, 7.140122767965314e-20},
		{500, 80000, 60, 3800, 2.3693259058650986e-09}, {3, 10, 4, 10, 1}, {0, 100, 0, 100, 1},
	};

	for (size_t i = 0; i < sizeof(want) / sizeof(*want); i++) {
		CLOSE(stats_two_counts(want[i][0], want[i][1], want[i][2], want[i][3]), want[i][4], 1e-9);
		CLOSE(stats_two_counts(want[i][2], want[i][3], want[i][0], want[i][1]), want[i][4], 1e-9);
	}
	CU_ASSERT_TRUE(isnan(stats_two_counts(1, 0, 1, 10)));
}

static void intervals(void)
{
	/* Newcombe 1998, table II, method 10, examples (a), (b), (d: 5/56 - 0/29), and statsmodels' of others */
	static const double difference[][6] = {
		{48, 80, 56, 70, 0.0524, 0.3339}, {3, 10, 9, 10, 0.1705, 0.8090}, {0, 29, 5, 56, -0.0381, 0.1926},
		{4, 84, 6, 87, -0.05651, 0.10028}, {28, 29, 10, 10, -0.24450, 0.17176},
	};
	/* Wilson 1927; statsmodels' proportion_confint */
	static const double share[][4] = {{48, 80, 0.49045465, 0.70038172}, {0, 20, 0, 0.16112516}, {5, 815, 0.00262326, 0.01428046}};
	double low, high;

	for (size_t i = 0; i < sizeof(difference) / sizeof(*difference); i++) {
		const double *d = difference[i];

		stats_difference_interval(d[0], d[1], d[2], d[3], &low, &high);
		NEAR(low, d[4], 5.1e-5);
		NEAR(high, d[5], 5.1e-5);
	}
	for (size_t i = 0; i < sizeof(share) / sizeof(*share); i++) {
		stats_share_interval(share[i][0], share[i][1], &low, &high);
		NEAR(low, share[i][2], 1e-8);
		NEAR(high, share[i][3], 1e-8);
	}
}

static void quantiles(void)
{
	double v[] = {4, 1, 3, 2}, w[] = {20, 1.5, 11.25, 2.5, 10};

	/* quantile(…, type = 7), numpy.quantile */
	NEAR(stats_quantile(v, 4, 0.25), 1.75, 1e-12);
	NEAR(stats_quantile(v, 4, 0.9), 3.7, 1e-12);
	NEAR(stats_quantile(w, 5, 0.025), 1.6, 1e-12);
	NEAR(stats_quantile(w, 5, 0.975), 19.125, 1e-12);
	/* qnorm */
	NEAR(stats_normal_quantile(0.975), 1.959963984540054, 1e-12);
	NEAR(stats_normal_quantile(1e-6), -4.753424308822899, 1e-11);
	NEAR(stats_normal_quantile(0.999975), 4.0556269811219074, 1e-10);
}

static void random_numbers(void)
{
	/* splitmix64 from 1234567 as its author's program prints it, then the first number of xoshiro256** from that */
	static const uint64_t seeded[] = {UINT64_C(6457827717110365317), UINT64_C(3203168211198807973),
					  UINT64_C(9817491932198370423), UINT64_C(4593380528125082431)};
	uint64_t five = seeded[1] * 5;
	struct rng rng;

	rng_seed(&rng, 1234567);
	for (int i = 0; i < 4; i++)
		CU_ASSERT_EQUAL(rng.s[i], seeded[i]);
	CU_ASSERT_EQUAL(rng_next(&rng), (five << 7 | five >> 57) * 9);
	/* mean and variance of Poisson are the same, by inversion and by rejection */
	for (int k = 0; k < 4; k++) {
		static const double means[] = {0.3, 4, 12, 3000};
		double mean = means[k], sum = 0, square = 0;

		rng_seed(&rng, 1);
		for (int i = 0; i < 50000; i++) {
			double d = rng_poisson(&rng, mean) - mean;

			sum += d;
			square += d * d;
		}
		NEAR(sum / 50000, 0, 4 * sqrt(mean / 50000));
		CLOSE(square / 50000, mean, 0.03 + 4 / sqrt(50000 * mean));
	}
}

/* --- resampling ---------------------------------------------------------------------------------- */

#define REPLICATES 2000
#define MOST 801

struct drawn {
	struct resample_sums null[REPLICATES], self[REPLICATES];
};

static struct drawn *draw(const int64_t *a, const int64_t *b, size_t nr, double na, double nb, int jobs)
{
	struct resample_groups g = {nr, REPLICATES, a, b};
	struct resample_sides s = {0, 0, na, nb};
	struct resample_options o = {REPLICATES, 42, jobs};
	struct drawn *d = xcalloc(1, sizeof(*d));

	for (size_t i = 0; i < nr; i++) {
		s.a_weight += a[i];
		s.b_weight += b[i];
	}
	resample(&g, 1, &s, &o, d->null, d->self);
	return d;
}

/* Mean over replicates of the sum of the smaller shares, within four standard errors of `want`. */
static void check_mean(const struct resample_sums *sums, double want)
{
	double mean = 0, square = 0;

	for (size_t i = 0; i < REPLICATES; i++) {
		mean += sums[i].both / REPLICATES;
		square += sums[i].both * sums[i].both / REPLICATES;
	}
	NEAR(mean, want, 4 * sqrt((square - mean * mean) / REPLICATES) + 1e-9);
}

/*
 * Exact: 1 - E TV = sum of E min(X / na, Y / nb) over groups, X and Y binomial,
 * summed over both with scipy.stats.binom.pmf.
 */
static void resampling_has_the_exact_mean(void)
{
	static const int64_t a[] = {500, 300, 200}, b[] = {200, 120, 80};
	static const int64_t one[] = {600, 400, 0}, other[] = {300, 500, 200};
	int64_t many[MOST], some[MOST];
	struct drawn *d = draw(a, b, 3, 1000, 400, 1);

	check_mean(d->null, 1 - 0.03205905826512353);
	for (size_t i = 0; i < REPLICATES; i++) {
		NEAR(d->null[i].a, 1, 1e-12);
		NEAR(d->null[i].b, 1, 1e-12);
	}
	free(d);
	d = draw(one, other, 3, 1000, 400, 1);
	check_mean(d->self, 0.6999974581972823);
	free(d);
	/* eight hundred rare groups are one class; either side may be the one with fewer samples */
	for (size_t i = 0; i < MOST; i++)
		many[i] = some[i] = i ? 1000 : 200000;
	d = draw(many, some, MOST, 3000, 300, 1);
	check_mean(d->null, 1 - 0.6022528280093541);
	check_mean(d->self, 1 - 0.6022528280093541);
	free(d);
	d = draw(many, some, MOST, 300, 3000, 1);
	check_mean(d->null, 1 - 0.6022528280093541);
	free(d);
	/* counts too large for tables */
	d = draw(one, other, 2, 20000, 15000, 1);
	for (size_t i = 0; i < REPLICATES; i++)
		NEAR(d->null[i].a, 1, 1e-12);
	free(d);
}

/* A part of the whole is binomial: variance p (1 - p) / n. */
static void resampling_has_the_exact_spread(void)
{
	static const int64_t a[] = {3, 7, 1}, b[] = {30, 70, 5};
	struct resample_groups g = {1, REPLICATES, a, b};
	struct resample_sides s = {10, 100, 20000, 300};
	struct resample_options o = {REPLICATES, 1, 1};
	struct drawn *d = xcalloc(1, sizeof(*d));
	double x = 0, y = 0, xx = 0, yy = 0;

	resample(&g, 1, &s, &o, d->null, d->self);
	for (size_t i = 0; i < REPLICATES; i++) {
		double u = d->self[i].a - 0.3, v = d->self[i].b - 0.3;

		x += u / REPLICATES;
		y += v / REPLICATES;
		xx += u * u / REPLICATES;
		yy += v * v / REPLICATES;
	}
	NEAR(x, 0, 4 * sqrt(0.21 / 20000 / REPLICATES));
	NEAR(y, 0, 4 * sqrt(0.21 / 300 / REPLICATES));
	/* a variance from so many has a relative error of sqrt(2 / REPLICATES) = 3.2 % */
	CLOSE(xx, 0.21 / 20000, 0.13);
	CLOSE(yy, 0.21 / 300, 0.13);
	free(d);
}

static void resampling_does_not_hang_on_order_or_workers(void)
{
	int64_t a[200], b[200], ra[200], rb[200];
	struct drawn *d[3];

	for (size_t i = 0; i < 200; i++) {
		a[i] = ra[199 - i] = (int64_t)(100000 / (i + 1));
		b[i] = rb[199 - i] = (int64_t)(i % 3 * 5000);
	}
	d[0] = draw(a, b, 200, 5000, 700, 1);
	d[1] = draw(ra, rb, 200, 5000, 700, 1);
	d[2] = draw(a, b, 200, 5000, 700, 5);
	CU_ASSERT_EQUAL(memcmp(d[0], d[1], sizeof(*d[0])), 0);
	CU_ASSERT_EQUAL(memcmp(d[0], d[2], sizeof(*d[0])), 0);
	for (int i = 0; i < 3; i++)
		free(d[i]);
}

static void sums_are_exact(void)
{
	static const int64_t a[] = {INT64_MAX / 2, INT64_MAX / 4, 1}, b[] = {INT64_MAX / 4, INT64_MAX / 2, 1};
	struct resample_groups g = {2, 0, a, b};
	struct resample_sides s = {INT64_MAX, INT64_MAX, 10, 10};
	struct resample_sums sums = resample_sums(&g, &s);

	NEAR(sums.a, 0.75, 1e-15);
	NEAR(sums.b, 0.75, 1e-15);
	NEAR(sums.both, 0.5, 1e-15);
}

static const struct suite_test tests[] = {
	{"Benjamini and Hochberg", benjamini_hochberg},
	{"incomplete beta", incomplete_beta},
	{"two counts", two_counts},
	{"intervals", intervals},
	{"quantiles", quantiles},
	{"random numbers", random_numbers},
	{"resampling has the exact mean", resampling_has_the_exact_mean},
	{"resampling has the exact spread", resampling_has_the_exact_spread},
	{"resampling does not hang on order or workers", resampling_does_not_hang_on_order_or_workers},
	{"sums are exact", sums_are_exact},
	{NULL, NULL},
};
const struct suite suite_stats = {"stats", tests};
