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

/* Calls fn for each line from `line` on, ended by a NUL instead of its newline. */
static void each_line(struct symtab *t, char *line, char *text_end, void (*fn)(void *ctx, char *line, char *end),
		      void *ctx)
{
	size_t size = (size_t)(text_end - line);

	if (!t->entries && size > TEXT_STEP) { /* lines of kallsyms have 43 bytes on average */
		t->alloc = size / LINE_GUESS;
		t->entries = xlarge(t->alloc * sizeof(*t->entries));
	}
	while (line < text_end) {
		char *end = memchr(line, '\n', (size_t)(text_end - line));

		if (!end)
			end = text_end;
		*end = '\0';
		if (end - line < MAX_LINE)
			fn(ctx, line, end);
		line = end + 1;
	}
}

static void release_text(struct symtab *t)
{
	if (t->map.data)
		file_map_close(&t->map);
	else
		free(t->text);
	t->text = NULL;
}

/* The text stays with the table. Returns its size. */
static size_t take_text(struct symtab *t, const char *path)
{
	size_t size;

	release_text(t);
	t->text = read_text(path, &size);
	return size;
}

/* The same of a file that has a size, as those in /proc have none. Another may write to it or cut it short meanwhile. */
static size_t take_mapped(struct symtab *t, const char *path)
{
	struct error e;

	release_text(t);
	if (file_map_open_private(&t->map, path, &e) < 0 || !t->map.size || t->map.size >= MAX_TEXT) {
		file_map_close(&t->map);
		return take_text(t, path);
	}
	t->text = (char *)(uintptr_t)t->map.data;
	return t->map.size;
}

#define ONES UINT64_C(0x0101010101010101)

/* Eight characters as a number that is in order as they are. */
static uint64_t eight(const char *p)
{
	uint64_t c;

	memcpy(&c, p, 8);
	return be64toh(c);
}

/* Whether they are hexadecimal digits as kallsyms writes them; *letter has bit 7 of each that is one of a to f. */
static bool are_digits(uint64_t c, uint64_t *letter)
{
	/* per byte: bit 7 where it is no less; bytes are below 0x80, so nothing is carried over */
	uint64_t digit = (c + (0x80 - '0') * ONES) & ~(c + (0x80 - '9' - 1) * ONES);

	*letter = (c + (0x80 - 'a') * ONES) & ~(c + (0x80 - 'f' - 1) * ONES) & ONES << 7;
	return !(c & ONES << 7) && ((digit | *letter) & ONES << 7) == ONES << 7;
}

/* -1 when they are others. */
static int64_t eight_digits(const char *p)
{
	const uint64_t ones = ONES;
	uint64_t c = eight(p), letter, value;

	if (!are_digits(c, &letter))
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

/* "ffffffff81000000 T _text", "… t name	[module]": the name, NULL where the line is none of these. */
static const char *split_line(const char *line, const char *end, uint64_t *addr, char *type, const char **name_end)
{
	const char *p = take_address(line, end, addr), *module;

	if (!p || end - p < 3 || *p != ' ' || p[2] != ' ')
		return NULL;
	*type = p[1];
	module = end[-1] == ']' ? memchr(p + 3, '\t', (size_t)(end - p - 3)) : NULL;
	*name_end = module ? module : end;
	return p + 3;
}

static bool is_code(char type)
{
	return (type | 32) == 't' || (type | 32) == 'w';
}

struct kallsyms {
	struct symtab *t;
	const char *ref;
	size_t ref_len;
	uint64_t ref_addr;
};

static bool is_ref(const struct kallsyms *k, const char *name, const char *end)
{
	return k->ref_len && (size_t)(end - name) == k->ref_len && !memcmp(name, k->ref, k->ref_len);
}

static void kallsyms_line(void *ctx, char *line, char *end)
{
	struct kallsyms *k = ctx;
	uint64_t addr;
	const char *name_end, *name;
	char type;

	name = split_line(line, end, &addr, &type, &name_end);
	if (!name)
		return;
	if (is_ref(k, name, end))
		k->ref_addr = addr;
	line[name_end - line] = '\0';
	if (is_code(type) && addr && *name)
		add(k->t, addr, 0, name, type == 'T');
}

/*
 * How many bytes of the text are whole lines of sixteen digits, a type and a name, in order of address: all of
 * the kernel itself, 100,000 lines and more. They are not made entries; find_line() goes to the
 * few that are asked for.
 */
static size_t sorted_lines(struct kallsyms *k, size_t size)
{
	const char *text = k->t->text, *line = text, *end;
	uint64_t high = 0, low = 0, letters;

	while ((end = memchr(line, '\n', (size_t)(text + size - line))) && end - line >= 19 && end - line < MAX_LINE) {
		uint64_t h = eight(line), l = eight(line + 8);

		if (h < high || (h == high && l < low) || line[16] != ' ' || line[18] != ' ' ||
		    !are_digits(h, &letters) || !are_digits(l, &letters))
			break;
		if (is_ref(k, line + 19, end))
			take_address(line, end, &k->ref_addr);
		high = h;
		low = l;
		line = end + 1;
	}
	return (size_t)(line - text);
}

uint64_t symtab_add_kallsyms(struct symtab *t, const char *path, const char *ref)
{
	struct kallsyms k = {t, ref, ref ? strlen(ref) : 0, 0};
	size_t size = take_mapped(t, path);

	if (!size)
		return 0;
	t->sorted = sorted_lines(&k, size);
	each_line(t, t->text + t->sorted, t->text + size, kallsyms_line, &k);
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
	size_t size = take_text(t, path);

	if (size)
		each_line(t, t->text, t->text + size, jitmap_line, t);
}

/* --- the table ----------------------------------------------------------------------------------- */

void symtab_shift(struct symtab *t, uint64_t delta)
{
	t->shift += delta;
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

/* Where a symbol without a size ends, when the next one begins at `next`. */
static uint64_t open_end(uint64_t start, uint64_t next)
{
	if (next - start <= NEAR)
		return next;
	return start <= UINT64_MAX - OPEN_END ? start + OPEN_END : UINT64_MAX;
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
			s->end = open_end(s->start, next);
	}
}

/* The line in the sorted text that ends before `at`, a line's start that is not the first. */
static const char *line_before(const struct symtab *t, const char *at)
{
	const char *newline = memrchr(t->text, '\n', (size_t)(at - 1 - t->text));

	return newline ? newline + 1 : t->text;
}

/* One line of the sorted text: its address always, its name where it is code; the next line. */
static const char *read_line(const struct symtab *t, const char *line, struct symtab_entry *s, size_t *len)
{
	const char *end = memchr(line, '\n', (size_t)(t->text + t->sorted - line)), *name, *name_end;
	uint64_t addr = 0;
	char type = 0;

	if (!end) /* it was there when the lines were counted */
		end = t->text + t->sorted - 1;
	name = split_line(line, end, &addr, &type, &name_end);
	*s = (struct symtab_entry){.start = addr + t->shift, .rank = type == 'T'};
	*len = name ? (size_t)(name_end - name) : 0;
	if (*len && is_code(type) && addr)
		s->name = name;
	return end + 1;
}

/* The best symbol at the last address that is not above addr, name NULL where none is near; *next: the first above. */
static struct symtab_entry find_line(struct symtab *t, uint64_t addr, uint64_t *next)
{
	const char *lo = t->text, *hi = t->text + t->sorted, *end = hi, *after;
	struct symtab_entry best = {0}, s;
	size_t len;

	while (lo < hi) {
		const char *mid = line_before(t, lo + (hi - lo) / 2 + 1);

		after = read_line(t, mid, &s, &len);
		if (s.start > addr)
			hi = mid;
		else
			lo = after > lo ? after : hi;
	}
	for (const char *line = lo; line > t->text;) {
		line = line_before(t, line);
		read_line(t, line, &s, &len);
		if (best.name ? s.start != best.start : addr - s.start > NEAR)
			break;
		if (!s.name)
			continue;
		s.name = arena_strndup(&t->strings, s.name, len);
		if (!best.name || by_start(&s, &best) < 0)
			best = s;
	}
	*next = UINT64_MAX;
	for (; lo < end; lo = after) {
		after = read_line(t, lo, &s, &len);
		if (s.name || s.start - addr > NEAR) {
			*next = s.start;
			break;
		}
	}
	return best;
}

/* Among entries and sorted lines. Answers come in order of address: the last is kept, also that there is none. */
static const struct symtab_entry *find_both(struct symtab *t, size_t above, uint64_t addr)
{
	struct symtab_entry best;
	uint64_t next;

	if (addr < t->found.start || addr >= t->found.end) {
		best = find_line(t, addr, &next);
		if (above && (!best.name || t->entries[above - 1].start > best.start ||
			      (t->entries[above - 1].start == best.start && by_start(&t->entries[above - 1], &best) < 0)))
			best = t->entries[above - 1];
		if (above < t->nr && t->entries[above].start < next)
			next = t->entries[above].start;
		best.end = best.name ? open_end(best.start, next) : addr;
		if (addr >= best.end)
			best = (struct symtab_entry){.start = best.end, .end = next};
		t->found = best;
	}
	return t->found.name ? &t->found : NULL;
}

bool symtab_cut(const struct symtab *t)
{
	return t->map.data && file_map_shrank(&t->map);
}

const struct symtab_entry *symtab_find(struct symtab *t, uint64_t addr)
{
	size_t lo = 0, hi = t->nr;
	const struct symtab_entry *found;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (t->entries[mid].start <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (t->sorted) {
		found = find_both(t, lo, addr);
		return symtab_cut(t) ? NULL : found;
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
	release_text(t);
	arena_release(&t->strings);
	*t = (struct symtab){0};
}
