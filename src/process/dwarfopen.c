#include "process/dwarfopen.h"

#include <gelf.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

struct hidden {
	Elf_Scn *scn;
	GElf_Word type;
};

static bool starts(const char *s, const char *prefix)
{
	return !strncmp(s, prefix, strlen(prefix));
}

bool dwarf_section_wanted(const char *name)
{
	/* .debug_info, .zdebug_info */
	const char *kind = starts(name, ".debug_") ? name + 7 : starts(name, ".zdebug_") ? name + 8 : NULL;

	if (!kind)
		return true;
	return !starts(kind, "loc") && !starts(kind, "mac") && !starts(kind, "pub") && strcmp(kind, "frame") != 0;
}

/*
 * Debug information that dwarf_image() left compressed: of another class or byte order, or not to be believed.
 * libelf would inflate it into memory that ends with it, and libdw takes a string at its end for ended.
 */
static bool left_compressed(const char *name, const GElf_Shdr *sh)
{
	return starts(name, ".zdebug_") || (starts(name, ".debug_") && sh->sh_flags & SHF_COMPRESSED);
}

/* Sections without bytes are passed over by libdw. */
static size_t hide(Elf *elf, struct hidden **list)
{
	size_t names, nr = 0, alloc = 0;
	Elf_Scn *scn = NULL;
	GElf_Shdr sh;

	*list = NULL;
	if (elf_getshdrstrndx(elf, &names) < 0)
		return 0;
	while ((scn = elf_nextscn(elf, scn))) {
		const char *name = gelf_getshdr(scn, &sh) ? elf_strptr(elf, names, sh.sh_name) : NULL;

		if (!name || sh.sh_type == SHT_NOBITS || (dwarf_section_wanted(name) && !left_compressed(name, &sh)))
			continue;
		ALLOC_GROW(*list, nr + 1, alloc);
		(*list)[nr++] = (struct hidden){scn, sh.sh_type};
		sh.sh_type = SHT_NOBITS;
		gelf_update_shdr(scn, &sh);
	}
	return nr;
}

Dwarf *dwarf_open_names(Elf *elf)
{
	struct hidden *list;
	size_t nr = hide(elf, &list);
	Dwarf *dw = dwarf_begin_elf(elf, DWARF_C_READ, NULL);
	GElf_Shdr sh;

	for (size_t i = 0; i < nr; i++) {
		if (!gelf_getshdr(list[i].scn, &sh))
			continue;
		sh.sh_type = list[i].type;
		gelf_update_shdr(list[i].scn, &sh);
	}
	free(list);
	return dw;
}
