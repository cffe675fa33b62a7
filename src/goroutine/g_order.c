#include "goroutine/g_order.h"

#include <string.h>

/* As sort_pairs (base/sort.h), but in 4 bytes of scratch a sight instead of 32: a window of them is held while a recording is read. */
void g_order_sort(const struct goroutine_sight *sights, uint32_t *slots, size_t nr, uint32_t *scratch)
{
	enum { BITS = 11, DIGITS = 1 << BITS };
	uint64_t min = UINT64_MAX, max = 0;
	uint32_t *from = slots, *to = scratch;

	for (size_t i = 0; i < nr; i++) {
		uint64_t time = sights[slots[i]].time;

		min = time < min ? time : min;
		max = time > max ? time : max;
	}
	for (unsigned shift = 0; nr && shift < 64 && (max - min) >> shift; shift += BITS) {
		uint32_t start[DIGITS] = {0}, sum = 0, *swap;

		for (size_t i = 0; i < nr; i++)
			start[(sights[from[i]].time - min) >> shift & (DIGITS - 1)]++;
		for (size_t i = 0; i < DIGITS; i++) {
			uint32_t count = start[i];

			start[i] = sum;
			sum += count;
		}
		for (size_t i = 0; i < nr; i++)
			to[start[(sights[from[i]].time - min) >> shift & (DIGITS - 1)]++] = from[i];
		swap = from;
		from = to;
		to = swap;
	}
	if (from != slots)
		memcpy(slots, from, nr * sizeof(*slots));
}

void g_order_merge(const struct goroutine_sight *sights, const uint32_t *a, size_t nr_a, const uint32_t *b,
		   size_t nr_b, uint32_t *to)
{
	while (nr_a && nr_b) {
		bool first = sights[*a].time <= sights[*b].time;

		*to++ = first ? *a : *b;
		a += first;
		nr_a -= first;
		b += !first;
		nr_b -= !first;
	}
	if (nr_a)
		memcpy(to, a, nr_a * sizeof(*a));
	if (nr_b)
		memcpy(to, b, nr_b * sizeof(*b));
}
