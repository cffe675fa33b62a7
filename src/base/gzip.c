#include "base/gzip.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#ifdef HAVE_LIBDEFLATE
#include <libdeflate.h>
#endif

#include "base/alloc.h"

/* A profile of this size is none; the ratio is far above what profiles reach (about 20). */
#define UNPACKED_MAX ((size_t)512 << 20)
#define RATIO_MAX 200
#define RATIO_FREE ((size_t)16 << 20) /* no ratio is asked of small outputs */
#define WINDOW_GZIP (MAX_WBITS + 16)

static int unpack_member(z_stream *z, uint8_t **out, size_t *nr, size_t *alloc, size_t size,
			 const char *path, struct error *e)
{
	int r;

	do {
		size_t room;

		if (*nr > UNPACKED_MAX || (*nr > RATIO_FREE && *nr / RATIO_MAX > size))
			return error_set(e, EXIT_CODE_LIMIT, "%s: gzip: more than %zu MiB, or %d times its size, unpacked",
					 path, UNPACKED_MAX >> 20, RATIO_MAX);
		ALLOC_GROW(*out, *nr + 65536, *alloc);
		room = *alloc - *nr;
		z->next_out = *out + *nr;
		z->avail_out = room < UINT_MAX ? (uInt)room : UINT_MAX;
		room = z->avail_out;
		r = inflate(z, Z_NO_FLUSH);
		*nr += room - z->avail_out;
	} while (r == Z_OK);
	if (r != Z_STREAM_END)
		return error_set(e, EXIT_CODE_INPUT, "%s: gzip: %s, at offset %#lx", path,
				 r == Z_BUF_ERROR ? "cut short" : "does not unpack", z->total_in);
	return 0;
}

int gzip_unpack(const void *data, size_t size, const char *path, uint8_t **out, size_t *out_size,
		struct error *e)
{
	z_stream z = {0};
	size_t alloc = 0;
	int r = 0;

	*out = NULL;
	*out_size = 0;
	if (size > UINT_MAX)
		return error_set(e, EXIT_CODE_LIMIT, "%s: gzip: over 4 GiB", path);
	z.next_in = (Bytef *)(uintptr_t)data;
	z.avail_in = (uInt)size;
	/* members one after another are one file (gzip(1)); what follows them and is none is ignored there too */
	do {
		if (inflateInit2(&z, WINDOW_GZIP) != Z_OK) {
			r = error_set(e, EXIT_CODE_LIMIT, "%s: gzip: out of memory", path);
			break;
		}
		r = unpack_member(&z, out, out_size, &alloc, size, path, e);
		inflateEnd(&z);
	} while (!r && z.avail_in > 2 && z.next_in[0] == 0x1f && z.next_in[1] == 0x8b);
	if (r) {
		free(*out);
		*out = NULL;
	}
	return r;
}

/* By libdeflate where it is there, in a third of the time: it ends what it packs, so the last piece alone. */
static bool pack_last(struct gzip_piece *piece, const void *data, size_t size)
{
#ifdef HAVE_LIBDEFLATE
	struct libdeflate_compressor *c = libdeflate_alloc_compressor(1);
	size_t bound;

	if (!c)
		return false;
	bound = libdeflate_deflate_compress_bound(c, size);
	*piece = (struct gzip_piece){xmalloc(bound), 0, size, crc32_z(0, data, size)};
	piece->size = libdeflate_deflate_compress(c, data, size, piece->data, bound);
	libdeflate_free_compressor(c);
	if (!piece->size)
		free(piece->data);
	return piece->size > 0;
#else
	(void)piece;
	(void)data;
	(void)size;
	return false;
#endif
}

void gzip_pack(struct gzip_piece *piece, const void *data, size_t size, bool last)
{
	z_stream z = {0};
	uLong bound;

	if (last && pack_last(piece, data, size))
		return;

	/* as Go's own profiles (runtime/pprof/proto.go): half the time for an eighth more bytes */
	deflateInit2(&z, Z_BEST_SPEED, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
	bound = deflateBound(&z, size) + 16; /* and an empty block, that the next piece begins at a byte */
	*piece = (struct gzip_piece){xmalloc(bound), 0, size, crc32_z(0, data, size)};
	z.next_in = (Bytef *)(uintptr_t)data;
	z.avail_in = (uInt)size;
	z.next_out = piece->data;
	z.avail_out = (uInt)bound;
	deflate(&z, last ? Z_FINISH : Z_FULL_FLUSH);
	piece->size = z.total_out;
	deflateEnd(&z);
}

static void put32(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> 8 * i);
}

/* RFC 1952, section 2.3. */
void gzip_write(const struct gzip_piece *pieces, size_t nr, FILE *f)
{
	static const uint8_t head[10] = {0x1f, 0x8b, 8 /* deflate */, [8] = 4 /* fastest */, [9] = 3 /* Unix */};
	uLong crc = crc32_z(0, NULL, 0);
	size_t unpacked = 0;
	uint8_t tail[8];

	fwrite(head, 1, sizeof(head), f);
	for (size_t i = 0; i < nr; i++) {
		fwrite(pieces[i].data, 1, pieces[i].size, f);
		crc = crc32_combine(crc, pieces[i].crc, (z_off_t)pieces[i].unpacked);
		unpacked += pieces[i].unpacked;
	}
	put32(tail, (uint32_t)crc);
	put32(tail + 4, (uint32_t)unpacked);
	fwrite(tail, 1, sizeof(tail), f);
}
