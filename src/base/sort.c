#include "base/sort.h"

#include <string.h>

/* The least significant digit first, and only digits in which keys differ. */
void sort_pairs(struct sort_pair *pairs, struct sort_pair *scratch, size_t nr)
{
	enum { BITS = 11, DIGITS = 1 << BITS };
	struct sort_pair *from = pairs, *to = scratch;
	uint64_t differ = 0;

	for (size_t i = 0; i < nr; i++)
		differ |= pairs[i].key ^ pairs[0].key;
	for (unsigned shift = 0; shift < 64; shift += BITS) {
		size_t start[DIGITS] = {0}, sum = 0;
		struct sort_pair *swap = from;

		if (!(differ >> shift & (DIGITS - 1)))
			continue;
		for (size_t i = 0; i < nr; i++)
			start[from[i].key >> shift & (DIGITS - 1)]++;
		for (size_t i = 0; i < DIGITS; i++) {
			size_t count = start[i];

			start[i] = sum;
			sum += count;
		}
		for (size_t i = 0; i < nr; i++)
			to[start[from[i].key >> shift & (DIGITS - 1)]++] = from[i];
		from = to;
		to = swap;
	}
	if (from != pairs)
		memcpy(pairs, from, nr * sizeof(*pairs));
}
