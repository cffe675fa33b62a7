/*
 * Sources: System V ABI gABI (symbol table); tools/perf/util/symbol.c
 * (symbols__fixup_duplicate, symbols__fixup_end), symbol-elf.c (PLT);
 * Documentation/jit-interface.txt of perf.
 */
#include "process/symtab.h"

#include <endian.h>
#include <errno.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"

/* A symbol without a size or a near successor is taken to be no longer than this (as perf does). */
#define OPEN_END 4096
#define NEAR (1 << 20)
/* Longer lines of a text file are skipped. */
#define MAX_LINE 65536
/* What a text file is read into at first, and at most: kallsyms has 5 to 20 MB. */
#define TEXT_STEP ((size_t)1 << 20)
#define MAX_TEXT ((size_t)1 << 30)
#define LINE_GUESS 42
#define MAX_SYMBOLS ((size_t)1 << 26)

static struct symtab_entry *add(struct symtab *t, uint64_t start, uint64_t size, const char *name, uint8_t rank)
{
	static struct symtab_entry none;

	if (t->nr >= MAX_SYMBOLS || size > UINT64_MAX - start)
		return &none;
	ALLOC_GROW(t->entries, t->nr + 1, t->alloc);
	t->entries[t->nr] = (struct symtab_entry){
		.start = start, .end = size ? start + size : 0, .name = name, .rank = rank, .sized = size};
	return &t->entries[t->nr++];
}

/*
 * perf's choose_best_symbol: sized before unsized, functions before labels, not
 * weak before weak, global before local, few leading underscores before many
 * (then the longer name, by_start).
 */
static uint8_t elf_rank(const GElf_Sym *sym, const char *name)
{
	size_t underscores = strspn(name, "_");
	uint8_t rank = (uint8_t)(3 - (underscores < 3 ? underscores : 3));

	rank = (uint8_t)(rank + (GELF_ST_BIND(sym->st_info) == STB_GLOBAL ? 4 : 0));
	rank = (uint8_t)(rank + (GELF_ST_BIND(sym->st_info) != STB_WEAK ? 8 : 0));
	rank = (uint8_t)(rank + (GELF_ST_TYPE(sym->st_info) != STT_NOTYPE ? 16 : 0));
	return (uint8_t)(rank + (sym->st_size ? 32 : 0));
}

/*
 * Labels count where there is code only. A kernel module (ET_REL) is loaded with
 * .text first, so that an address in the module is one in .text; where its other
 * sections went is told nowhere.
 */
static bool in_code(Elf *elf, const GElf_Ehdr *eh, const GElf_Sym *sym, unsigned type)
{
	Elf_Scn *scn;
	GElf_Shdr sh;
	const char *name;

	if (type != STT_NOTYPE && eh->e_type != ET_REL)
		return true;
	scn = elf_getscn(elf, sym->st_shndx);
	if (!scn || !gelf_getshdr(scn, &sh) || !(sh.sh_flags & SHF_EXECINSTR))
		return false;
	name = elf_strptr(elf, eh->e_shstrndx, sh.sh_name);
	return eh->e_type != ET_REL || (name && !strcmp(name, ".text"));
}

static void add_table(struct symtab *t, Elf *elf, Elf_Scn *scn, const GElf_Shdr *sh)
{
	Elf_Data *data = elf_getdata(scn, NULL);
	GElf_Ehdr eh;

	if (!data || !sh->sh_entsize || !gelf_getehdr(elf, &eh))
		return;
	for (size_t i = 0; i < sh->sh_size / sh->sh_entsize && i < MAX_SYMBOLS; i++) {
		GElf_Sym sym;
		const char *name;
		unsigned type;

		if (!gelf_getsym(data, (int)i, &sym) || sym.st_shndx == SHN_UNDEF)
			continue;
		type = GELF_ST_TYPE(sym.st_info);
		if (type != STT_FUNC && type != STT_GNU_IFUNC && type != STT_NOTYPE)
			continue;
		name = elf_strptr(elf, sh->sh_link, sym.st_name);
		/* mapping symbols of arm: $x, $d */
		if (!name || !*name || (type == STT_NOTYPE && (name[0] == '$' || !sym.st_value)))
			continue;
		if (!in_code(elf, &eh, &sym, type))
			continue;
		add(t, sym.st_value, sym.st_size, name, elf_rank(&sym, name))->label = type == STT_NOTYPE;
	}
}

static bool add_tables(struct symtab *t, Elf *elf, unsigned type)
{
	Elf_Scn *scn = NULL;
	size_t before = t->nr;

	while ((scn = elf_nextscn(elf, scn))) {
		GElf_Shdr sh;

		if (gelf_getshdr(scn, &sh) && sh.sh_type == type)
			add_table(t, elf, scn, &sh);
	}
	return t->nr > before;
}

void symtab_add_elf(struct symtab *t, Elf *elf)
{
	if (!add_tables(t, elf, SHT_SYMTAB))
		add_tables(t, elf, SHT_DYNSYM);
}

static bool find_section(Elf *elf, const char *want, GElf_Shdr *sh, Elf_Scn **out)
{
	size_t names;
	Elf_Scn *scn = NULL;

	if (elf_getshdrstrndx(elf, &names) < 0)
		return false;
	while ((scn = elf_nextscn(elf, scn))) {
		const char *name;

		if (gelf_getshdr(scn, sh) && (name = elf_strptr(elf, names, sh->sh_name)) &&
		    !strcmp(name, want)) {
			*out = scn;
			return true;
		}
	}
	return false;
}

bool symtab_has_section(Elf *elf, const char *name)
{
	GElf_Shdr sh;
	Elf_Scn *scn;

	return find_section(elf, name, &sh, &scn);
}

static void add_stubs(struct symtab *t, Elf *elf, const GElf_Shdr *plt, uint64_t header, uint64_t stub)
{
	GElf_Shdr rel, dyn;
	Elf_Scn *scn, *symbols;
	Elf_Data *data, *syms;

	if (!find_section(elf, ".rela.plt", &rel, &scn) || !rel.sh_entsize ||
	    !(data = elf_getdata(scn, NULL)) || !(symbols = elf_getscn(elf, rel.sh_link)) ||
	    !gelf_getshdr(symbols, &dyn) || !(syms = elf_getdata(symbols, NULL)))
		return;
	for (size_t i = 0; i < rel.sh_size / rel.sh_entsize; i++) {
		GElf_Rela r;
		GElf_Sym sym;
		const char *name;
		size_t len;
		char *text;

		if (header + (i + 1) * stub > plt->sh_size || !gelf_getrela(data, (int)i, &r) ||
		    !gelf_getsym(syms, (int)GELF_R_SYM(r.r_info), &sym) ||
		    !(name = elf_strptr(elf, dyn.sh_link, sym.st_name)) || !*name)
			continue;
		len = strlen(name);
		text = arena_alloc(&t->strings, len + 5);
		memcpy(text, name, len);
		memcpy(text + len, "@plt", 5);
		add(t, plt->sh_addr + header + i * stub, stub, text, 0);
	}
}

void symtab_add_plt(struct symtab *t, Elf *elf)
{
	GElf_Shdr sh;
	GElf_Ehdr eh;
	Elf_Scn *scn;

	if (!gelf_getehdr(elf, &eh) || (eh.e_machine != EM_X86_64 && eh.e_machine != EM_AARCH64))
		return;
	if (find_section(elf, ".plt.sec", &sh, &scn))
		add_stubs(t, elf, &sh, 0, 16);
	else if (find_section(elf, ".plt", &sh, &scn))
		add_stubs(t, elf, &sh, eh.e_machine == EM_X86_64 ? 16 : 32, 16);
}

/* --- text files ------------------------------------------------------------------------------ */

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 32;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool parse_hex(const char **p, uint64_t *v)
{
	const char *s = *p;
	int d;

	if (s[0] == '0' && (s[1] | 32) == 'x') {
		s += 2;
		*p = s;
	}
	for (*v = 0; (d = hex_digit(*s)) >= 0; s++) {
		if (*v >> 60)
			return false;
		*v = *v << 4 | (unsigned)d;
	}
	if (s == *p)
		return false;
	*p = s;
	return true;
}

/* All of a file, which may be in /proc and so tell no size, with a NUL behind it; NULL when there is none. */
static char *read_text(const char *path, size_t *size)
{
	int fd = file_open_regular(path);
	size_t alloc = TEXT_STEP;
	struct stat st;
	char *text;

	*size = 0;
	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) == 0 && st.st_size > 0 && (size_t)st.st_size < MAX_TEXT)
		alloc += (size_t)st.st_size;
	text = xlarge(alloc);
	for (;;) {
		ssize_t n = read(fd, text + *size, alloc - *size - 1);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		*size += (size_t)n;
		if (alloc - *size - 1 < TEXT_STEP / 2 && alloc < MAX_TEXT) {
			alloc *= 2;
			text = xrealloc(text, alloc);
		}
	}
	close(fd);
	text[*size] = '\0';
	return text;
}

/* Calls fn for each line, ended by a NUL instead of its newline. The text stays with the table. */
static void each_line(struct symtab *t, const char *path, void (*fn)(void *ctx, char *line, char *end),
		      void *ctx)
{
	size_t size;
	char *text = read_text(path, &size), *line = text;

	free(t->text);
	t->text = text;
	if (!t->entries && size > TEXT_STEP) { /* lines of kallsyms have 43 bytes on average */
		t->alloc = size / LINE_GUESS;
		t->entries = xlarge(t->alloc * sizeof(*t->entries));
	}
	while (line && line < text + size) {
		char *end = memchr(line, '\n', (size_t)(text + size - line));

		if (!end)
			end = text + size;
		*end = '\0';
		if (end - line < MAX_LINE)
			fn(ctx, line, end);
		line = end + 1;
	}
}

/* Eight hexadecimal digits, as kallsyms writes them; -1 when they are others. */
static int64_t eight_digits(const char *p)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);
	uint64_t c, digit, letter, value;

	memcpy(&c, p, 8);
	c = be64toh(c);
	/* per byte: bit 7 where it is no less; bytes are below 0x80, so nothing is carried over */
	if (c & ones << 7)
		return -1;
	digit = (c + (0x80 - '0') * ones) & ~(c + (0x80 - '9' - 1) * ones) & ones << 7;
	letter = (c + (0x80 - 'a') * ones) & ~(c + (0x80 - 'f' - 1) * ones) & ones << 7;
	if ((digit | letter) != ones << 7)
		return -1;
	value = (c & 0x0f * ones) + 9 * (letter >> 7);
	value = (value | value >> 4) & UINT64_C(0x00ff00ff00ff00ff);
	value = (value | value >> 8) & UINT64_C(0x0000ffff0000ffff);
	return (int64_t)((value | value >> 16) & UINT32_MAX);
}

/* The address a line begins with, and where it ends. */
static const char *take_address(const char *line, const char *end, uint64_t *addr)
{
	int64_t high, low;

	if (end - line > 16 && (high = eight_digits(line)) >= 0 && (low = eight_digits(line + 8)) >= 0 && line[16] == ' ') {
		*addr = (uint64_t)high << 32 | (uint64_t)low;
		return line + 16;
	}
	return parse_hex(&line, addr) ? line : NULL;
}

struct kallsyms {
	struct symtab *t;
	const char *ref;
	size_t ref_len;
	uint64_t ref_addr;
};

/* "ffffffff81000000 T _text", "… t name	[module]". There are 150,000 of them and more. */
static void kallsyms_line(void *ctx, char *line, char *end)
{
	struct kallsyms *k = ctx;
	uint64_t addr;
	const char *p = take_address(line, end, &addr);
	char type, *name, *module;

	if (!p || *p != ' ' || !p[1] || p[2] != ' ')
		return;
	type = p[1];
	name = line + (p - line) + 3;
	if (k->ref_len && (size_t)(end - name) == k->ref_len && !memcmp(name, k->ref, k->ref_len))
		k->ref_addr = addr;
	if (((type | 32) != 't' && (type | 32) != 'w') || !addr)
		return;
	module = end[-1] == ']' ? memchr(name, '\t', (size_t)(end - name)) : NULL;
	if (module)
		*module = '\0';
	if (*name)
		add(k->t, addr, 0, name, type == 'T');
}

uint64_t symtab_add_kallsyms(struct symtab *t, const char *path, const char *ref)
{
	struct kallsyms k = {t, ref, ref ? strlen(ref) : 0, 0};

	each_line(t, path, kallsyms_line, &k);
	return k.ref_addr;
}

static void jitmap_line(void *ctx, char *line, char *end)
{
	struct symtab *t = ctx;
	const char *p = line;
	uint64_t start, size;

	(void)end;
	if (!parse_hex(&p, &start) || *p++ != ' ' || !parse_hex(&p, &size) || *p++ != ' ' || !*p || !size)
		return;
	/* code may be compiled again at the same place: the last line wins */
	add(t, start, size, p, 0)->order = (uint32_t)t->nr;
}

void symtab_add_jitmap(struct symtab *t, const char *path)
{
	each_line(t, path, jitmap_line, t);
}

/* --- the table ----------------------------------------------------------------------------------- */

void symtab_shift(struct symtab *t, uint64_t delta)
{
	for (size_t i = 0; i < t->nr; i++) {
		t->entries[i].start += delta;
		if (t->entries[i].end)
			t->entries[i].end += delta;
	}
}

static int by_start(const void *a, const void *b)
{
	const struct symtab_entry *x = a, *y = b;
	size_t a_len, b_len;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	if (x->rank != y->rank)
		return x->rank > y->rank ? -1 : 1;
	if (x->order != y->order)
		return x->order > y->order ? -1 : 1;
	a_len = strlen(x->name);
	b_len = strlen(y->name);
	if (a_len != b_len)
		return a_len > b_len ? -1 : 1;
	return strcmp(x->name, y->name);
}

/* kallsyms is sorted but for symbols of one address. */
static void sort_entries(struct symtab_entry *e, size_t nr)
{
	size_t sorted = 1;

	while (sorted < nr && e[sorted - 1].start <= e[sorted].start)
		sorted++;
	if (sorted < nr) {
		qsort(e, nr, sizeof(*e), by_start);
		return;
	}
	for (size_t i = 0, n; i < nr; i += n) {
		for (n = 1; i + n < nr && e[i + n].start == e[i].start; n++)
			;
		if (n > 1)
			qsort(e + i, n, sizeof(*e), by_start);
	}
}

void symtab_finish(struct symtab *t)
{
	uint64_t inside = 0; /* end of the last function with a size */
	size_t kept = 0;

	if (!t->nr)
		return;
	sort_entries(t->entries, t->nr);
	for (size_t i = 0; i < t->nr; i++) {
		const struct symtab_entry *s = &t->entries[i];

		if ((kept && s->start == t->entries[kept - 1].start) || (s->label && !s->sized && s->start < inside))
			continue;
		if (s->sized && s->end > inside)
			inside = s->end;
		t->entries[kept++] = *s;
	}
	t->nr = kept;
	for (size_t i = 0; i < t->nr; i++) {
		struct symtab_entry *s = &t->entries[i];
		uint64_t next = i + 1 < t->nr ? t->entries[i + 1].start : UINT64_MAX;

		if (!s->end)
			s->end = next - s->start <= NEAR	       ? next
				 : s->start <= UINT64_MAX - OPEN_END ? s->start + OPEN_END
								       : UINT64_MAX;
	}
}

const struct symtab_entry *symtab_find(const struct symtab *t, uint64_t addr)
{
	size_t lo = 0, hi = t->nr;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (t->entries[mid].start <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	/* a short symbol inside a long one: look a little further back */
	for (size_t i = lo; i > 0 && lo - i < 8; i--)
		if (addr < t->entries[i - 1].end)
			return &t->entries[i - 1];
	return NULL;
}

void symtab_release(struct symtab *t)
{
	free(t->entries);
	free(t->text);
	arena_release(&t->strings);
	*t = (struct symtab){0};
}
