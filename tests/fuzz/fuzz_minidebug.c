/*
 * .gnu_debugdata: an odd first byte makes the rest the section as it stands, an even one packs it
 * first, so that the inner ELF file varies as well.
 */
#include <lzma.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "fuzz.h"
#include "process/minidebug.h"
#include "process/symtab.h"
#include "../unit/elffile.h"

enum { MOST = 1 << 18 };

static void use(Elf *inner)
{
	struct symtab t = {0};

	symtab_add_elf(&t, inner);
	symtab_finish(&t);
	symtab_find(&t, 0x401000);
	symtab_release(&t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct elf_wish wish = {.text_offset = 0x1000, .text_size = 16, .debugdata = data + 1, .debugdata_size = size - 1};
	uint8_t *packed = NULL, *bytes;
	void *inner_data;
	Elf *elf, *inner;
	size_t n = 0;

	if (size < 1 || size > MOST)
		return 0;
	if (!(data[0] & 1)) {
		size_t room = lzma_stream_buffer_bound(size - 1);

		packed = xmalloc(room);
		if (lzma_easy_buffer_encode(0, LZMA_CHECK_CRC32, NULL, data + 1, size - 1, packed, &n, room) != LZMA_OK)
			abort();
		wish.debugdata = packed;
		wish.debugdata_size = n;
	}
	bytes = elf_make(&wish, &n);
	elf_version(EV_CURRENT);
	elf = elf_memory((char *)bytes, n);
	if (!elf)
		abort();
	inner = minidebug_open(elf, &inner_data);
	if (inner)
		use(inner);
	elf_end(inner);
	free(inner_data);
	elf_end(elf);
	free(bytes);
	free(packed);
	return 0;
}
