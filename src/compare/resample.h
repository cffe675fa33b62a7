/*
 * Resampling: what chance alone makes of sums over groups of stacks. Both
 * sides are drawn again and again and the sums taken anew.
 *
 * Groups are drawn one by one as Poisson counts, and shares are of the drawn
 * total: a multinomial of as many samples as came out, which on average are as
 * many as the side has (Hanley & MacGibbon 2006, "Creating non-parametric
 * bootstrap samples using Poisson frequencies"). Groups are independent then,
 * so that those of equal size, the great mass of rare stacks, can be drawn
 * together.
 */
#ifndef COMPARE_RESAMPLE_H
#define COMPARE_RESAMPLE_H

#include <stddef.h>
#include <stdint.h>

/* Weights of groups on both sides; what is in no group is the rest of the totals. */
struct resample_groups {
	size_t nr, replicates;
	const int64_t *a, *b;
};

/* Shares of the side's total, summed over groups: of a, of b, and the smaller of the two. */
struct resample_sums {
	double a, b, both;
};

struct resample_options {
	size_t most; /* replicates of a set, at most */
	uint64_t seed;
	int jobs; /* threads, 0: one per CPU; does not show in the result */
};

struct resample_sides {
	int64_t a_weight, b_weight;  /* totals, > 0 */
	double a_samples, b_samples; /* of equal weight that say as much, > 0 */
};

/* The sums as they are: exact, in whatever order the groups come. */
struct resample_sums resample_sums(const struct resample_groups *g, const struct resample_sides *s);

/*
 * Per set of groups and replicate, at [set * most + replicate]: null, both
 * sides drawn from what they are when pooled; self, each from itself (NULL: not wanted). Negative
 * weights count as none. The same numbers for the same contents, in whatever
 * order the groups come.
 */
void resample(const struct resample_groups *sets, size_t nr, const struct resample_sides *s,
	      const struct resample_options *o, struct resample_sums *null, struct resample_sums *self);

#endif
