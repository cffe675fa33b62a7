/*
 * The statistics, apart from what they are used for.
 */
#ifndef COMPARE_STATS_H
#define COMPARE_STATS_H

#include <stddef.h>
#include <stdint.h>

/* xoshiro256** (Blackman & Vigna 2018), seeded by splitmix64: the same numbers on any machine. */
struct rng {
	uint64_t s[4];
};
void rng_seed(struct rng *r, uint64_t seed);
/* 64 random bits. */
static inline uint64_t rng_next(struct rng *r)
{
	uint64_t *s = r->s, five = s[1] * 5, result = (five << 7 | five >> 57) * 9, t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = s[3] << 45 | s[3] >> 19;
	return result;
}
double rng_uniform(struct rng *r); /* [0, 1) */
/* Poisson of this mean: inversion below 10, else transformed rejection (Hoermann 1993, PTRS). */
double rng_poisson(struct rng *r, double mean);

/* Regularised incomplete beta function I_x(a, b) (Numerical Recipes 6.4, continued fraction). */
double stats_beta(double a, double b, double x);

/*
 * Two-sided exact test that x of n and y of m come from one proportion, given
 * x + y: binomial with probability n / (n + m), the condition of R's poisson.test
 * for two rates. Two-sided by doubling the smaller tail, at most 1.
 */
double stats_two_counts(double x, double n, double y, double m);

/* Ends of the standard normal distribution's middle 95 %. */
#define STATS_Z95 1.959963984540054
/* The standard normal distribution's quantile, 0 < p < 1. */
double stats_normal_quantile(double p);

/* Wilson's interval (1927) for x/n at 95 %; NaN without n. */
void stats_share_interval(double x, double n, double *low, double *high);

/* Newcombe's interval (1998, method 10) for y/m - x/n at 95 %. */
void stats_difference_interval(double x, double n, double y, double m, double *low, double *high);
/* The same, of as many differences at once (Bonferroni): all of them hold at 95 %. */
void stats_difference_intervals(double x, double n, double y, double m, size_t differences, double *low, double *high);

/* Benjamini & Hochberg (1995): p values to q values, in place order; NaN stays NaN. */
void stats_q_values(const double *p, double *q, size_t nr);

/* Quantile by linear interpolation (R type 7); sorts `v`. */
double stats_quantile(double *v, size_t nr, double q);

#endif
