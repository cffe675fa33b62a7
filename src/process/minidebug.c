#include "process/minidebug.h"

#include <gelf.h>
#include <lzma.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

/* A symbol table alone: far below this in practice. */
#define INNER_MAX ((size_t)256 << 20)
/* Symbol tables shrink to a fifth; what shrinks to less than this is a bomb. */
#define RATIO_MAX 100
#define DECODER_MEMORY ((uint64_t)128 << 20)

static Elf_Data *find_section(Elf *elf)
{
	size_t names;
	Elf_Scn *scn = NULL;

	if (elf_getshdrstrndx(elf, &names) < 0)
		return NULL;
	while ((scn = elf_nextscn(elf, scn))) {
		GElf_Shdr sh;
		const char *name;

		if (gelf_getshdr(scn, &sh) && sh.sh_type == SHT_PROGBITS &&
		    (name = elf_strptr(elf, names, sh.sh_name)) && !strcmp(name, ".gnu_debugdata"))
			return elf_rawdata(scn, NULL);
	}
	return NULL;
}

static void *unpack(const Elf_Data *in, size_t *size)
{
	lzma_stream s = LZMA_STREAM_INIT;
	uint8_t *out = NULL;
	size_t alloc = 0, max = in->d_size < INNER_MAX / RATIO_MAX ? in->d_size * RATIO_MAX : INNER_MAX;
	lzma_ret r = lzma_stream_decoder(&s, DECODER_MEMORY, 0);

	s.next_in = in->d_buf;
	s.avail_in = in->d_size;
	while (r == LZMA_OK && s.total_out < max) {
		ALLOC_GROW(out, s.total_out + 65536, alloc);
		s.next_out = out + s.total_out;
		s.avail_out = alloc - s.total_out;
		r = lzma_code(&s, LZMA_FINISH);
	}
	*size = s.total_out;
	lzma_end(&s);
	if (r == LZMA_STREAM_END)
		return out;
	free(out);
	return NULL;
}

Elf *minidebug_open(Elf *elf, void **data)
{
	Elf_Data *section = find_section(elf);
	Elf *inner;
	size_t size;

	*data = NULL;
	if (!section || !section->d_buf)
		return NULL;
	*data = unpack(section, &size);
	inner = *data ? elf_memory(*data, size) : NULL;
	if (inner && elf_kind(inner) == ELF_K_ELF)
		return inner;
	elf_end(inner);
	free(*data);
	*data = NULL;
	return NULL;
}
