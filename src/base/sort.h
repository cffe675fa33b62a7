/*
 * Sorting by numbers: by digits (Knuth 1973, 5.2.5), which takes a fraction of qsort's time where there are thousands.
 */
#ifndef BASE_SORT_H
#define BASE_SORT_H

#include <stddef.h>
#include <stdint.h>

struct sort_pair {
	uint64_t key;
	uint32_t value;
};

/* By key, smallest first; equal keys stay in their order. scratch: room for nr more. */
void sort_pairs(struct sort_pair *pairs, struct sort_pair *scratch, size_t nr);

#endif
