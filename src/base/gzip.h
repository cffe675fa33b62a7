/*
 * gzip in memory, bounded.
 */
#ifndef BASE_GZIP_H
#define BASE_GZIP_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/*
 * Unpacks all members of a gzip file into malloc'ed *out. Over the absolute
 * bound or the ratio: -1 with exit 6; broken: exit 3.
 */
int gzip_unpack(const void *data, size_t size, const char *path, uint8_t **out, size_t *out_size,
		struct error *e);
/* One member, no name and no time in it (same input, same bytes); malloc'ed. */
uint8_t *gzip_pack(const void *data, size_t size, size_t *out_size);

#endif
