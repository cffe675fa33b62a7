#include "process/goelf.h"

#include <gelf.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "perfdata/perfdata.h"

#define MAX_SECTIONS 65536

bool goelf_open(struct goelf *g, Elf *elf)
{
	size_t names, raw_size;
	const char *raw = elf_rawfile(elf, &raw_size), *ident = elf_getident(elf, NULL);
	Elf_Scn *scn = NULL;

	*g = (struct goelf){.elf = elf};
	if (!raw || !ident || ident[EI_CLASS] != ELFCLASS64 || elf_getshdrstrndx(elf, &names) < 0)
		return false;
	g->swap = (ident[EI_DATA] == ELFDATA2MSB) != (__BYTE_ORDER == __BIG_ENDIAN);
	elf_getshdrnum(elf, &g->nr);
	if (g->nr > MAX_SECTIONS)
		return false;
	g->sections = xcalloc(g->nr, sizeof(*g->sections));
	g->nr = 0;
	while ((scn = elf_nextscn(elf, scn))) {
		GElf_Shdr sh;
		struct goelf_section *s;

		if (!gelf_getshdr(scn, &sh))
			continue;
		s = &g->sections[g->nr++];
		*s = (struct goelf_section){elf_strptr(elf, names, sh.sh_name), sh.sh_addr, sh.sh_size, NULL,
					    sh.sh_type, sh.sh_flags};
		if (!s->name)
			s->name = "";
		if (sh.sh_type != SHT_NOBITS && !(sh.sh_flags & SHF_COMPRESSED) && sh.sh_offset <= raw_size &&
		    sh.sh_size <= raw_size - sh.sh_offset)
			s->data = (const uint8_t *)raw + sh.sh_offset;
	}
	return true;
}

void goelf_release(struct goelf *g)
{
	free(g->sections);
	*g = (struct goelf){0};
}

const struct goelf_section *goelf_section(const struct goelf *g, const char *name)
{
	for (size_t i = 0; i < g->nr; i++)
		if (g->sections[i].data && !strcmp(g->sections[i].name, name))
			return &g->sections[i];
	return NULL;
}

const uint8_t *goelf_at(const struct goelf *g, uint64_t addr, size_t *left)
{
	for (size_t i = 0; i < g->nr; i++) {
		const struct goelf_section *s = &g->sections[i];

		if (s->data && s->flags & SHF_ALLOC && addr >= s->addr && addr - s->addr < s->size) {
			*left = (size_t)(s->size - (addr - s->addr));
			return s->data + (addr - s->addr);
		}
	}
	*left = 0;
	return NULL;
}

/* Elf64_Rela: offset, info, addend; calls fn until it returns true. */
static bool each_rela(const struct goelf *g, bool (*fn)(void *ctx, uint64_t offset, uint64_t addend), void *ctx)
{
	for (size_t i = 0; i < g->nr; i++) {
		const struct goelf_section *s = &g->sections[i];

		if (s->type != SHT_RELA || !s->data || !(s->flags & SHF_ALLOC))
			continue;
		for (uint64_t at = 0; at + 24 <= s->size; at += 24)
			if (fn(ctx, perfdata_load64(s->data + at, g->swap),
			       perfdata_load64(s->data + at + 16, g->swap)))
				return true;
	}
	return false;
}

struct wanted {
	uint64_t offset, addend;
	size_t skip;
};

static bool same_offset(void *ctx, uint64_t offset, uint64_t addend)
{
	struct wanted *w = ctx;

	w->addend = addend;
	return offset == w->offset;
}

static bool same_addend(void *ctx, uint64_t offset, uint64_t addend)
{
	struct wanted *w = ctx;

	w->offset = offset;
	return addend == w->addend && !w->skip--;
}

bool goelf_word(const struct goelf *g, uint64_t addr, uint64_t *value)
{
	size_t left;
	const uint8_t *p = goelf_at(g, addr, &left);
	struct wanted w = {.offset = addr};

	*value = 0;
	if (!p || left < 8)
		return false;
	*value = perfdata_load64(p, g->swap);
	if (!*value && each_rela(g, same_offset, &w))
		*value = w.addend;
	return true;
}

bool goelf_symbol(const struct goelf *g, const char *name, uint64_t *value)
{
	Elf_Scn *scn = NULL;

	while ((scn = elf_nextscn(g->elf, scn))) {
		GElf_Shdr sh;
		Elf_Data *data;

		if (!gelf_getshdr(scn, &sh) || sh.sh_type != SHT_SYMTAB || !sh.sh_entsize ||
		    !(data = elf_getdata(scn, NULL)))
			continue;
		for (int i = 0; i < (int)(sh.sh_size / sh.sh_entsize); i++) {
			GElf_Sym sym;
			const char *s;

			if (gelf_getsym(data, i, &sym) && sym.st_value &&
			    (s = elf_strptr(g->elf, sh.sh_link, sym.st_name)) && !strcmp(s, name)) {
				*value = sym.st_value;
				return true;
			}
		}
	}
	return false;
}

/* First the data as it stands in the file (executables), then the relocations (PIE). */
bool goelf_find_word(const struct goelf *g, uint64_t value, size_t *at, uint64_t *addr)
{
	static const size_t rela_base = (size_t)1 << 62;
	struct wanted w = {.addend = value};
	size_t seen = 0;

	for (size_t i = 0; i < g->nr && *at < rela_base; i++) {
		const struct goelf_section *s = &g->sections[i];

		if (!s->data || !(s->flags & SHF_WRITE) || s->type != SHT_PROGBITS)
			continue;
		for (uint64_t k = 0; k + 8 <= s->size; k += 8, seen++) {
			if (seen < *at || perfdata_load64(s->data + k, g->swap) != value)
				continue;
			*at = seen + 1;
			*addr = s->addr + k;
			return true;
		}
	}
	if (*at < rela_base)
		*at = rela_base;
	w.skip = *at - rela_base;
	if (!each_rela(g, same_addend, &w))
		return false;
	++*at;
	*addr = w.offset;
	return true;
}
