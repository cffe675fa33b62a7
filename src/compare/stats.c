#include "compare/stats.h"

#include <math.h>
#include <stdlib.h>

#include "base/alloc.h"

void rng_seed(struct rng *r, uint64_t seed)
{
	for (int i = 0; i < 4; i++) {
		uint64_t z = seed += UINT64_C(0x9e3779b97f4a7c15);

		z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
		z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
		r->s[i] = z ^ z >> 31;
	}
}

double rng_uniform(struct rng *r)
{
	return (double)(rng_next(r) >> 11) * 0x1.0p-53;
}

/* Inversion: walks the distribution from 0. */
static double poisson_small(struct rng *r, double mean)
{
	double f = exp(-mean), u = rng_uniform(r), k = 0;

	/* beyond 150 nothing is left but rounding, for a mean below 10 */
	while (u >= f && k < 150) {
		u -= f;
		f *= mean / ++k;
	}
	return k;
}

/*
 * W. Hoermann, "The transformed rejection method for generating Poisson random
 * variables", Insurance: Mathematics and Economics 12 (1993): algorithm PTRS.
 */
static double poisson_large(struct rng *r, double mean)
{
	double b = 0.931 + 2.53 * sqrt(mean), a = -0.059 + 0.02483 * b;
	double scale = 1.1239 + 1.1328 / (b - 3.4), vr = 0.9277 - 3.6224 / (b - 2), log_mean = log(mean);

	for (;;) {
		double u = rng_uniform(r) - 0.5, v = rng_uniform(r), us = 0.5 - fabs(u);
		double k = floor((2 * a / us + b) * u + mean + 0.43);
		int sign;

		if (us >= 0.07 && v <= vr)
			return k;
		if (k < 0 || (us < 0.013 && v > us))
			continue;
		if (log(v * scale / (a / (us * us) + b)) <= k * log_mean - mean - lgamma_r(k + 1, &sign))
			return k;
	}
}

double rng_poisson(struct rng *r, double mean)
{
	if (!(mean > 0))
		return 0;
	return mean < 10 ? poisson_small(r, mean) : poisson_large(r, mean);
}

/* Continued fraction of the incomplete beta function, modified Lentz. */
static double beta_fraction(double a, double b, double x)
{
	const double tiny = 1e-300;
	double c = 1, d = 1 - (a + b) * x / (a + 1), h;

	d = 1 / (fabs(d) < tiny ? tiny : d);
	h = d;
	for (int m = 1; m <= 10000; m++) {
		double m2 = 2.0 * m, aa = m * (b - m) * x / ((a - 1 + m2) * (a + m2)), delta;

		d = 1 + aa * d;
		d = 1 / (fabs(d) < tiny ? tiny : d);
		c = 1 + aa / c;
		c = fabs(c) < tiny ? tiny : c;
		h *= d * c;
		aa = -(a + m) * (a + b + m) * x / ((a + m2) * (a + 1 + m2));
		d = 1 + aa * d;
		d = 1 / (fabs(d) < tiny ? tiny : d);
		c = 1 + aa / c;
		c = fabs(c) < tiny ? tiny : c;
		delta = d * c;
		h *= delta;
		if (fabs(delta - 1) < 1e-14)
			break;
	}
	return h;
}

double stats_beta(double a, double b, double x)
{
	double front;
	int sign; /* lgamma leaves it in a global */

	if (x <= 0)
		return 0;
	if (x >= 1)
		return 1;
	front = exp(lgamma_r(a + b, &sign) - lgamma_r(a, &sign) - lgamma_r(b, &sign) + a * log(x) + b * log1p(-x));
	if (x < (a + 1) / (a + b + 2))
		return front * beta_fraction(a, b, x) / a;
	return 1 - front * beta_fraction(b, a, 1 - x) / b;
}

/* P(X <= k) for X binomial(n, p). */
static double binomial_cdf(double k, double n, double p)
{
	return k < 0 ? 0 : k >= n ? 1 : stats_beta(n - k, k + 1, 1 - p);
}

double stats_two_counts(double x, double n, double y, double m)
{
	double total = x + y, p, low, high, tail;

	if (!(n > 0) || !(m > 0))
		return NAN;
	if (total <= 0)
		return 1;
	p = n / (n + m);
	low = binomial_cdf(x, total, p);
	high = x > 0 ? stats_beta(x, total - x + 1, p) : 1; /* 1 - P(X < x) would lose small ones */
	tail = 2 * (low < high ? low : high);
	return tail < 1 ? tail : 1;
}

/* Of the normal distribution: 95 % lie within. */

double stats_normal_quantile(double p)
{
	double low = -40, high = 40;

	if (!(p > 0) || !(p < 1))
		return NAN;
	/* bisection: erfc is exact where approximations of the inverse are not, in the tails */
	for (int i = 0; i < 200 && low < high; i++) {
		double mid = low + (high - low) / 2;

		if (erfc(-mid / M_SQRT2) / 2 < p)
			low = mid;
		else
			high = mid;
	}
	return low + (high - low) / 2;
}

static void wilson(double x, double n, double z, double *low, double *high)
{
	double z2 = z * z;
	double p = x / n, centre = p + z2 / (2 * n), half = z * sqrt(p * (1 - p) / n + z2 / (4 * n * n));

	*low = (centre - half) / (1 + z2 / n);
	*high = (centre + half) / (1 + z2 / n);
}

void stats_share_interval(double x, double n, double *low, double *high)
{
	*low = *high = NAN;
	if (n > 0)
		wilson(x, n, STATS_Z95, low, high);
}

static void newcombe(double x, double n, double y, double m, double z, double *low, double *high)
{
	double l1, u1, l2, u2, p1, p2;

	if (!(n > 0) || !(m > 0)) {
		*low = *high = NAN;
		return;
	}
	p1 = y / m;
	p2 = x / n;
	wilson(y, m, z, &l1, &u1);
	wilson(x, n, z, &l2, &u2);
	*low = p1 - p2 - sqrt((p1 - l1) * (p1 - l1) + (u2 - p2) * (u2 - p2));
	*high = p1 - p2 + sqrt((u1 - p1) * (u1 - p1) + (p2 - l2) * (p2 - l2));
}

void stats_difference_interval(double x, double n, double y, double m, double *low, double *high)
{
	newcombe(x, n, y, m, STATS_Z95, low, high);
}

void stats_difference_intervals(double x, double n, double y, double m, size_t differences, double *low, double *high)
{
	double z = differences > 1 ? stats_normal_quantile(1 - 0.025 / (double)differences) : STATS_Z95;

	newcombe(x, n, y, m, z, low, high);
}

struct ranked {
	double p;
	size_t index;
};

static int by_p_descending(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	if (x->p != y->p)
		return x->p > y->p ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

void stats_q_values(const double *p, double *q, size_t nr)
{
	struct ranked *r = xreallocarray(NULL, nr, sizeof(*r));
	double least = 1;
	size_t n = 0;

	for (size_t i = 0; i < nr; i++) {
		q[i] = NAN;
		if (!isnan(p[i]))
			r[n++] = (struct ranked){p[i], i};
	}
	if (n)
		qsort(r, n, sizeof(*r), by_p_descending);
	for (size_t i = 0; i < n; i++) {
		double v = r[i].p * (double)n / (double)(n - i);

		least = v < least ? v : least;
		q[r[i].index] = least;
	}
	free(r);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

double stats_quantile(double *v, size_t nr, double q)
{
	double at;
	size_t i;

	if (!nr)
		return NAN;
	qsort(v, nr, sizeof(*v), by_value);
	at = q * (double)(nr - 1);
	i = (size_t)at;
	return i + 1 < nr ? v[i] + (at - (double)i) * (v[i + 1] - v[i]) : v[nr - 1];
}
