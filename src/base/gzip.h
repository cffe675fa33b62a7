/*
 * gzip in memory, bounded.
 */
#ifndef BASE_GZIP_H
#define BASE_GZIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"

/*
 * Unpacks all members of a gzip file into malloc'ed *out. Over the absolute
 * bound or the ratio: -1 with exit 6; broken: exit 3.
 */
int gzip_unpack(const void *data, size_t size, const char *path, uint8_t **out, size_t *out_size,
		struct error *e);
/* A piece of what becomes one member, so that several threads can pack it. */
struct gzip_piece {
	uint8_t *data; /* malloc'ed */
	size_t size, unpacked;
	unsigned long crc;
};
/* Packs a piece, of less than 4 GB; `last`: the member ends with it. Same input, same bytes, of one build. */
void gzip_pack(struct gzip_piece *piece, const void *data, size_t size, bool last);
/* Writes pieces, in their order, as one member, no name and no time in it. Whether that worked f tells. */
void gzip_write(const struct gzip_piece *pieces, size_t nr, FILE *f);

#endif
