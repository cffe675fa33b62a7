/*
 * Binaries that lie: ELF, debug information, Go's tables. The recording beside them is good.
 */
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "binary.h"

static Elf64_Ehdr *header(struct build *b)
{
	return (Elf64_Ehdr *)b->data;
}

static Elf64_Shdr *sections(struct build *b)
{
	return (Elf64_Shdr *)(b->data + header(b)->e_shoff);
}

/* Index of a section, 0: none. */
static size_t section(struct build *b, const char *name)
{
	const Elf64_Shdr *s = sections(b);
	const char *names = (const char *)b->data + s[header(b)->e_shstrndx].sh_offset;

	for (size_t i = 1; i < header(b)->e_shnum; i++)
		if (!strcmp(names + s[i].sh_name, name))
			return i;
	return 0;
}

static const char *section_name(struct build *b, size_t i)
{
	return (const char *)b->data + sections(b)[header(b)->e_shstrndx].sh_offset + sections(b)[i].sh_name;
}

/* --- headers ----------------------------------------------------------------------------------------- */

static const enum binary elf_sorts[] = {BINARY_STRIPPED, BINARY_SYMBOLS, BINARY_PACKED};

static bool make_elf(struct build *b, unsigned which)
{
	return binary_compile(b, elf_sorts[which]);
}

static bool record(struct build *b, struct build *prog, bool ok)
{
	ok = ok && binary_recording(b, prog, "/hostile/prog");
	build_free(prog);
	return ok;
}

static bool elf_recording(struct build *b, unsigned which)
{
	struct build prog = {0};

	return record(b, &prog, make_elf(&prog, which));
}

static enum expect lie_ehdr(struct build *b, struct rng *r, struct note *n)
{
	Elf64_Ehdr *eh = header(b);
	uint64_t v = odd_number(r, 8);

	switch (rng_below(r, 8)) {
	case 0:
		say(n, "ELF: section headers at %#llx", (unsigned long long)(b->nr + v % 4096));
		eh->e_shoff = b->nr + v % 4096;
		return DETECTED;
	case 1:
		say(n, "ELF: program headers at %#llx", (unsigned long long)(b->nr + v % 4096));
		eh->e_phoff = b->nr + v % 4096;
		return DETECTED;
	case 2:
		say(n, "ELF: more section headers than fit");
		eh->e_shnum = (uint16_t)(0xff00 - 1 - rng_below(r, 100));
		return DETECTED;
	case 3:
		say(n, "ELF: more program headers than fit");
		eh->e_phnum = (uint16_t)(PN_XNUM - rng_below(r, 100));
		/* this one says that section 0 has the number */
		if (eh->e_phnum == PN_XNUM || rng_below(r, 2)) {
			eh->e_phnum = PN_XNUM;
			sections(b)->sh_info = (Elf64_Word)(v | 1u << 20);
		}
		return DETECTED;
	case 4:
		say(n, "ELF: entry sizes");
		eh->e_shentsize = (uint16_t)odd_number(r, 2);
		eh->e_phentsize = (uint16_t)(rng_below(r, 2) ? eh->e_phentsize : odd_number(r, 2));
		return ANY;
	case 5:
		say(n, "ELF: names' section %#x", (unsigned)(uint16_t)v);
		eh->e_shstrndx = (uint16_t)v;
		return ANY;
	case 6:
		say(n, "ELF: machine, type, class");
		b->data[rng_below(r, 2) ? 4 + rng_below(r, 3) : 16 + rng_below(r, 4)] = (uint8_t)rng_next(r);
		return ANY;
	default:
		say(n, "ELF: no section headers");
		eh->e_shnum = 0;
		eh->e_shoff = rng_below(r, 2) ? 0 : eh->e_shoff;
		return ANY;
	}
}

static enum expect lie_shdr(struct build *b, struct rng *r, struct note *n)
{
	size_t i = 1 + rng_below(r, header(b)->e_shnum - 1u), k = 1 + rng_below(r, header(b)->e_shnum - 1u);
	Elf64_Shdr *s = &sections(b)[i], tmp;
	uint64_t v = odd_number(r, 8);

	say(n, "ELF: section %zu (%s): ", i, section_name(b, i));
	switch (rng_below(r, 6)) {
	case 0:
		strcat(n->text, "begins beyond the file");
		s->sh_offset = b->nr + 1 + v % 4096;
		return s->sh_type == SHT_NOBITS ? ANY : DETECTED;
	case 1:
		strcat(n->text, "ends beyond the file");
		s->sh_size = b->nr + 1 + v % (UINT64_C(1) << 62);
		return s->sh_type == SHT_NOBITS ? ANY : DETECTED;
	case 2:
		strcat(n->text, "size of entries");
		s->sh_entsize = v;
		return ANY;
	case 3:
		strcat(n->text, "link, info, type");
		s->sh_link = (uint32_t)odd_number(r, 4);
		s->sh_info = (uint32_t)odd_number(r, 4);
		s->sh_type = rng_below(r, 2) ? s->sh_type : (uint32_t)rng_below(r, 20);
		return ANY;
	case 4:
		strcat(n->text, "changes places with another");
		tmp = *s;
		*s = sections(b)[k];
		sections(b)[k] = tmp;
		return ANY;
	default:
		strcat(n->text, "flags: compressed");
		s->sh_flags ^= SHF_COMPRESSED;
		return ANY;
	}
}

static enum expect lie_phdr(struct build *b, struct rng *r, struct note *n)
{
	Elf64_Phdr *ph = (Elf64_Phdr *)(b->data + header(b)->e_phoff) + rng_below(r, header(b)->e_phnum);
	uint64_t v = odd_number(r, 8);

	switch (rng_below(r, 4)) {
	case 0:
		say(n, "ELF: segment of type %#x begins beyond the file", ph->p_type);
		ph->p_offset = b->nr + 1 + v % 4096;
		return ph->p_type == PT_LOAD && ph->p_filesz ? DETECTED : ANY;
	case 1:
		say(n, "ELF: segment of type %#x ends beyond the file", ph->p_type);
		ph->p_filesz = b->nr + 1 + v % (UINT64_C(1) << 62);
		return ph->p_type == PT_LOAD ? DETECTED : ANY;
	case 2:
		say(n, "ELF: segment of type %#x is one of notes", ph->p_type);
		ph->p_type = PT_NOTE;
		ph->p_align = odd_number(r, 8);
		return ANY;
	default:
		say(n, "ELF: segment of type %#x: addresses", ph->p_type);
		ph->p_vaddr = v;
		ph->p_memsz = odd_number(r, 8);
		return ANY;
	}
}

/* Compressed debug information whose header lies. */
static enum expect lie_chdr(struct build *b, struct rng *r, struct note *n)
{
	for (int i = 0; i < 100; i++) {
		size_t s = 1 + rng_below(r, header(b)->e_shnum - 1u);
		Elf64_Chdr *ch = (Elf64_Chdr *)(b->data + sections(b)[s].sh_offset);
		size_t nr = sections(b)[s].sh_size;

		if (!(sections(b)[s].sh_flags & SHF_COMPRESSED))
			continue;
		switch (rng_below(r, 4)) {
		case 0:
			say(n, "ELF: %s: unpacked size lies", section_name(b, s));
			ch->ch_size = odd_number(r, 8);
			return ANY;
		case 1:
			say(n, "ELF: %s: way of compression", section_name(b, s));
			ch->ch_type = (uint32_t)(3 + rng_below(r, 100));
			return ANY;
		case 2:
			say(n, "ELF: %s: shorter than its header", section_name(b, s));
			sections(b)[s].sh_size = rng_below(r, 24);
			return ANY;
		default:
			return change_bytes(b, sections(b)[s].sh_offset + 24, sections(b)[s].sh_offset + nr, r, n);
		}
	}
	return lie_shdr(b, r, n);
}

static enum expect mutate_elf(struct build *b, unsigned which, struct rng *r, struct note *n)
{
	size_t at;

	switch (rng_below(r, 8)) {
	case 0:
	case 1:
		return lie_ehdr(b, r, n);
	case 2:
	case 3:
		return which == 2 && rng_below(r, 2) ? lie_chdr(b, r, n) : lie_shdr(b, r, n);
	case 4:
		return lie_phdr(b, r, n);
	case 5:
		at = rng_below(r, b->nr);
		say(n, "ELF: cut at %#zx of %#zx", at, b->nr);
		b->nr = at;
		return DETECTED; /* section headers stand at the end */
	case 6: {
		size_t i = 1 + rng_below(r, header(b)->e_shnum - 1u);
		const Elf64_Shdr *s = &sections(b)[i];

		if (s->sh_type != SHT_NOBITS && s->sh_size)
			return change_bytes(b, s->sh_offset, s->sh_offset + s->sh_size, r, n);
	}
	/* fall through */
	default:
		return change_bytes(b, 0, b->nr, r, n);
	}
}

const struct kind kind_elf = {"elf", AS_BINARY, false, false, 3, make_elf, elf_recording, mutate_elf};

/* --- debug information --------------------------------------------------------------------------------- */

static bool make_debuginfo(struct build *b, unsigned which)
{
	return binary_compile(b, which ? BINARY_DWARF5 : BINARY_DWARF4);
}

static bool debuginfo_recording(struct build *b, unsigned which)
{
	struct build prog = {0};

	return record(b, &prog, make_debuginfo(&prog, which));
}

/* References between entries: DW_FORM_ref4 is four bytes of an offset in the unit. */
static enum expect lie_reference(struct build *b, struct rng *r, struct note *n, const Elf64_Shdr *info)
{
	for (int i = 0; i < 200; i++) {
		size_t at = info->sh_offset + 12 + rng_below(r, info->sh_size - 16);
		uint64_t v = get_number(b, at, 4);

		/* what looks like one becomes another: a cycle, itself, the unit, the end */
		if (v < 12 || v >= info->sh_size)
			continue;
		say(n, "DWARF: what may be a reference at %#zx", at);
		switch (rng_below(r, 4)) {
		case 0:
			v = at - info->sh_offset - rng_below(r, 16);
			break;
		case 1:
			v = 11 + rng_below(r, 2);
			break;
		case 2:
			v = info->sh_size - rng_below(r, 8);
			break;
		default:
			v = rng_below(r, info->sh_size);
		}
		set_number(b, at, 4, v);
		return ANY;
	}
	return ANY;
}

static enum expect mutate_debuginfo(struct build *b, unsigned which, struct rng *r, struct note *n)
{
	static const char *const names[] = {".debug_info", ".debug_abbrev", ".debug_line", ".debug_str", ".debug_line_str",
					    ".debug_ranges", ".debug_rnglists", ".debug_aranges", ".eh_frame", ".symtab", ".strtab"};
	size_t i = section(b, names[rng_below(r, sizeof(names) / sizeof(*names))]), info = section(b, ".debug_info");
	const Elf64_Shdr *s = &sections(b)[i ? i : info];
	uint64_t was;

	(void)which;
	switch (rng_below(r, 7)) {
	case 0:
		return lie_reference(b, r, n, &sections(b)[info]);
	case 1: /* lengths of units and tables stand first */
		was = get_number(b, s->sh_offset, 4);
		set_number(b, s->sh_offset, 4, odd_number(r, 4));
		say(n, "DWARF: %s begins with %#llx, not %#llx", section_name(b, (size_t)(s - sections(b))),
		    (unsigned long long)get_number(b, s->sh_offset, 4), (unsigned long long)was);
		return s == &sections(b)[info] && get_number(b, s->sh_offset, 4) > s->sh_size ? DETECTED : ANY;
	case 2:
		if (s != &sections(b)[info])
			return change_bytes(b, s->sh_offset, s->sh_offset + (s->sh_size < 48 ? s->sh_size : 48), r, n);
		say(n, "DWARF: version %u", (unsigned)(6 + rng_below(r, 1000)));
		set_number(b, s->sh_offset + 4, 2, 6 + rng_below(r, 1000));
		return DETECTED;
	case 3:
		say(n, "DWARF: %s ends %s", section_name(b, (size_t)(s - sections(b))), "early");
		sections(b)[s - sections(b)].sh_size -= 1 + rng_below(r, s->sh_size);
		return ANY;
	case 4: /* lengths of 64 bits, which are escaped */
		set_number(b, s->sh_offset, 4, UINT32_MAX);
		sections(b)[s - sections(b)].sh_size = 4 + rng_below(r, 16);
		say(n, "DWARF: %s has %u bytes and begins with a length of 64 bits", section_name(b, (size_t)(s - sections(b))),
		    (unsigned)s->sh_size);
		return s == &sections(b)[info] && s->sh_size < 12 ? DETECTED : ANY;
	default:
		return change_bytes(b, s->sh_offset, s->sh_offset + s->sh_size, r, n);
	}
}

const struct kind kind_debuginfo = {"debuginfo", AS_BINARY, false, true, 2, make_debuginfo, debuginfo_recording, mutate_debuginfo};

/* --- Go's tables ------------------------------------------------------------------------------------------ */

/* The bundled recording's server. */
static bool make_gotab(struct build *b, unsigned which)
{
	const char *dir = getenv("srcdir");
	char *path = xasprintf("%s/samples/recording/bin/server", dir ? dir : ".");
	struct file_map m;
	struct error e;
	bool ok = file_map_open(&m, path, &e) == 0;

	(void)which;
	*b = (struct build){0};
	if (ok) {
		put_bytes(b, m.data, m.size);
		file_map_close(&m);
	}
	free(path);
	return ok && section(b, ".gopclntab");
}

static bool gotab_recording(struct build *b, unsigned which)
{
	struct build prog = {0};

	return record(b, &prog, make_gotab(&prog, which));
}

static enum expect mutate_gotab(struct build *b, unsigned which, struct rng *r, struct note *n)
{
	enum { HEADER = 72, WORD = 8, FIRST_WORD = 8, WORDS = 8 };
	const Elf64_Shdr *s = &sections(b)[section(b, ".gopclntab")];
	size_t at = s->sh_offset, word = FIRST_WORD + WORD * rng_below(r, WORDS);
	uint64_t functab = get_number(b, at + 64, 8), nfunc = get_number(b, at + 8, 8), v;

	(void)which;
	switch (rng_below(r, 7)) {
	case 0: /* counts and offsets of the header: nfunc, nfiles, textStart, names, cus, files, pctab, functab */
		v = odd_number(r, 8);
		say(n, "gopclntab: word at %zu is %#llx", word, (unsigned long long)v);
		set_number(b, at + word, 8, v);
		return (word == 8 || word >= 32) && v > s->sh_size ? DETECTED : ANY;
	case 1:
		say(n, "gopclntab: magic, quantum, pointer size");
		b->data[at + rng_below(r, 8)] = (uint8_t)rng_next(r);
		return ANY;
	case 2: { /* entries of functab: pc and offset, u32 each */
		size_t e = at + functab + 8 * rng_below(r, nfunc) + 4 * rng_below(r, 2);

		say(n, "gopclntab: functab at %#zx", e);
		set_number(b, e, 4, odd_number(r, 4));
		return ANY;
	}
	case 3: { /* a _func record */
		size_t f = at + functab + get_number(b, at + functab + 8 * rng_below(r, nfunc) + 4, 4);

		say(n, "gopclntab: _func at %#zx", f);
		set_number(b, f + 4 * rng_below(r, 11), 4, odd_number(r, 4));
		return ANY;
	}
	case 4: {
		size_t from = at + get_number(b, at + 56, 8);

		return change_bytes(b, from, at + functab, r, n);
	}
	case 5:
		say(n, "gopclntab: section ends early");
		sections(b)[section(b, ".gopclntab")].sh_size = rng_below(r, s->sh_size);
		return ANY;
	default:
		return change_bytes(b, at, at + (rng_below(r, 2) ? HEADER : s->sh_size), r, n);
	}
}

const struct kind kind_gotab = {"gotab", AS_BINARY, false, false, 1, make_gotab, gotab_recording, mutate_gotab};
