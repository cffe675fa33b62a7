/*
 * Sights by time. Private to goroutine/.
 */
#ifndef GOROUTINE_G_ORDER_H
#define GOROUTINE_G_ORDER_H

#include "goroutine/goroutine.h"

/* Sorts the slots by the time of their sights, those of one time as they stood; `scratch` has room for nr. */
void g_order_sort(const struct goroutine_sight *sights, uint32_t *slots, size_t nr, uint32_t *scratch);
/* Two sorted runs to one; of one time those of `a` come first. `to` has room for both. */
void g_order_merge(const struct goroutine_sight *sights, const uint32_t *a, size_t nr_a, const uint32_t *b,
		   size_t nr_b, uint32_t *to);

#endif
