/*
 * The skew metrics of a comparison. Private to compare/.
 */
#ifndef COMPARE_METRICS_H
#define COMPARE_METRICS_H

#include "compare/classes.h"
#include "compare/compare.h"

/* Fills c->metrics from c->joint, c->class_of and weights; na, nb: samples of equal weight that say as much. */
void metrics_fill(struct comparison *c, const struct classes *classes, double na, double nb,
		  const struct compare_options *o);

#endif
