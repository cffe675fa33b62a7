/*
 * The stacks of a profile as other tools' forms want them: frames that differ
 * by address or line alone are one function, stacks of the same functions one
 * stack. Numbered by first use in profile_row_order, so that the same contents
 * give the same numbers.
 */
#ifndef PROFILE_TREE_H
#define PROFILE_TREE_H

#include "profile/profile.h"

#define TREE_NONE UINT32_MAX

struct tree_stack {
	uint32_t parent; /* the caller's stack, smaller than its own, or TREE_NONE */
	uint32_t function;
};

struct tree {
	uint32_t *functions; /* of each function, a frame of the profile that stands for it */
	size_t nr_functions, alloc_functions;
	struct tree_stack *stacks;
	size_t nr_stacks, alloc_stacks;
	uint32_t *order;    /* profile_row_order */
	uint32_t *of_row;   /* per row its stack, TREE_NONE for the empty one */
	uint32_t *of_node;  /* per node of the profile that a row has or is a caller in; else TREE_NONE */
};

void tree_make(struct tree *t, const struct profile *p);
void tree_release(struct tree *t);
/* Sums of a series per stack; negative ones count as 0. Caller frees. */
int64_t *tree_values(const struct tree *t, const struct profile *p, size_t series);

#endif
