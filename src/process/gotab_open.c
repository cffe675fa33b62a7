/*
 * Finding and checking the pclntab of an ELF file.
 * Sources: Go cmd/link/internal/ld/pcln.go (generatePCHeader), data.go (section
 * names), runtime/symtab.go (pcHeader, moduledata), debug/buildinfo.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/cursor.h"
#include "process/goelf.h"
#include "process/gotab_internal.h"

/* struct moduledata, offsets stable since 1.16 */
#define MODULEDATA_TEXT 176
#define MODULEDATA_ETEXT 184

static uint32_t load_magic(const uint8_t *p, bool swap)
{
	uint32_t v;

	memcpy(&v, p, 4);
	return swap ? __builtin_bswap32(v) : v;
}

static bool known_magic(uint32_t magic, enum gotab_layout *layout)
{
	switch (magic) {
	case 0xfffffffb:
		*layout = GOTAB_V12;
		return true;
	case 0xfffffffa:
		*layout = GOTAB_V116;
		return true;
	case 0xfffffff0:
		*layout = GOTAB_V118;
		return true;
	case 0xfffffff1:
		*layout = GOTAB_V120;
		return true;
	}
	return false;
}

static bool looks_like_table(const uint8_t *p, size_t left, bool swap)
{
	enum gotab_layout layout;

	return left >= 16 && known_magic(load_magic(p, swap), &layout) && !p[4] && !p[5] &&
	       (p[6] == 1 || p[6] == 2 || p[6] == 4) && (p[7] == 4 || p[7] == 8);
}

static struct gotab_part part(const struct gotab *t, uint64_t at)
{
	if (at >= t->all.size)
		return (struct gotab_part){0};
	return (struct gotab_part){t->all.p + at, t->all.size - (size_t)at};
}

/* The header's words after the first 8 bytes; word(n) is the nth. */
static uint64_t word(const struct gotab *t, unsigned n)
{
	return part_u64(t, t->all, 8 + 8 * (uint64_t)n);
}

/* A part that begins outside of the table is empty, and said. */
static void check_parts(const struct gotab *t, unsigned first, struct error *e)
{
	static const char *const parts[] = {"names", "compilation units", "files", "pc tables"};

	for (unsigned i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		if (word(t, first + i) > t->all.size)
			error_set(e, EXIT_CODE_INPUT, "pclntab: its %s lie outside of it, at offset %#llx", parts[i],
				  (unsigned long long)word(t, first + i));
}

static int read_header(struct gotab *t, uint64_t *text, struct error *e)
{
	uint64_t nfunc;
	unsigned first; /* word of funcname offset */

	if (!looks_like_table(t->all.p, t->all.size, t->swap) ||
	    !known_magic(load_magic(t->all.p, t->swap), &t->layout))
		return error_set(e, EXIT_CODE_INPUT, "pclntab: unknown header");
	if (t->all.p[7] != 8)
		return error_set(e, EXIT_CODE_INPUT, "pclntab: of a 32-bit program");
	t->quantum = t->all.p[6];
	nfunc = word(t, 0);
	if (t->layout == GOTAB_V12) {
		t->names = t->files = t->pctab = t->all;
		t->funcs = part(t, 16);
	} else {
		first = t->layout == GOTAB_V116 ? 2 : 3;
		check_parts(t, first, e);
		*text = first == 3 ? word(t, 2) : 0;
		t->names = part(t, word(t, first));
		t->cus = part(t, word(t, first + 1));
		t->files = part(t, word(t, first + 2));
		t->pctab = part(t, word(t, first + 3));
		t->funcs = part(t, word(t, first + 4));
	}
	if (!nfunc || nfunc > t->funcs.size / 8)
		return error_set(e, EXIT_CODE_INPUT, "pclntab: %llu functions do not fit",
				 (unsigned long long)nfunc);
	t->nfunc = (uint32_t)nfunc;
	return 0;
}

static void set_text_end(struct gotab *t)
{
	uint64_t last;

	if (t->layout <= GOTAB_V116)
		t->text = 0; /* functab holds addresses */
	gotab_range(t, t->nfunc - 1, &last, &t->text_end);
	if (t->layout <= GOTAB_V116) {
		uint64_t end;

		gotab_range(t, 0, &t->text, &end);
	}
}

struct gotab *gotab_from_memory(const void *data, size_t size, uint64_t text, struct error *e)
{
	struct gotab *t = xcalloc(1, sizeof(*t));
	uint64_t in_header = 0;

	t->all = (struct gotab_part){data, size};
	if (size < 16 || read_header(t, &in_header, e) < 0) {
		if (size < 16)
			error_set(e, EXIT_CODE_INPUT, "pclntab: cut short");
		free(t);
		return NULL;
	}
	t->text = text ? text : in_header;
	set_text_end(t);
	return t;
}

/* --- finding it -------------------------------------------------------------------------- */

static const uint8_t *scan_for_table(const struct goelf *g, uint64_t *addr, size_t *left)
{
	for (size_t i = 0; i < g->nr; i++) {
		const struct goelf_section *s = &g->sections[i];

		if (!s->data || strncmp(s->name, ".data.rel.ro", 12) != 0)
			continue;
		for (uint64_t at = 0; at + 64 <= s->size; at += 8) {
			if (!looks_like_table(s->data + at, 64, g->swap))
				continue;
			*addr = s->addr + at;
			*left = (size_t)(s->size - at);
			return s->data + at;
		}
	}
	return NULL;
}

static const uint8_t *find_table(const struct goelf *g, uint64_t *addr, size_t *left)
{
	static const char *const names[] = {".gopclntab", ".data.rel.ro.gopclntab"};
	uint64_t symbol;
	const uint8_t *p;

	for (size_t i = 0; i < 2; i++) {
		const struct goelf_section *s = goelf_section(g, names[i]);

		if (s) {
			*addr = s->addr;
			*left = (size_t)s->size;
			return s->data;
		}
	}
	/* external linking before 1.26: inside .data.rel.ro; only worth a look in a Go program */
	if (!goelf_section(g, ".go.buildinfo") && !goelf_section(g, ".note.go.buildid"))
		return NULL;
	if (goelf_symbol(g, "runtime.pclntab", &symbol) && (p = goelf_at(g, symbol, left))) {
		*addr = symbol;
		return p;
	}
	return scan_for_table(g, addr, left);
}

/* A moduledata begins with the address of its pcHeader and holds a plausible text range. */
static bool find_moduledata(const struct goelf *g, uint64_t table, uint64_t *addr)
{
	const struct goelf_section *s = goelf_section(g, ".go.module");
	uint64_t first, text, etext;
	size_t at = 0;

	if (s && goelf_word(g, s->addr, &first) && first == table) {
		*addr = s->addr;
		return true;
	}
	while (goelf_find_word(g, table, &at, addr))
		if (goelf_word(g, *addr + MODULEDATA_TEXT, &text) &&
		    goelf_word(g, *addr + MODULEDATA_ETEXT, &etext) && text && etext > text)
			return true;
	return false;
}

/* debug/buildinfo: 32 bytes of header, then (flag 2) a varint length and the version. */
static void read_version(struct gotab *t, const struct goelf *g)
{
	const struct goelf_section *s = goelf_section(g, ".go.buildinfo");
	const char *text = NULL, *go;
	size_t len = 0, left;
	uint64_t header, pointer, n;

	if (!s || s->size < 32 || memcmp(s->data, "\xff Go buildinf:", 14) != 0)
		return;
	if (s->data[15] & 2) {
		struct cursor c = cursor_make(s->data + 32, (size_t)s->size - 32, 0, false);

		len = (size_t)cursor_uleb(&c);
		text = cursor_take(&c, len);
	} else if (goelf_word(g, s->addr + 16, &header) && goelf_word(g, header, &pointer) &&
		   goelf_word(g, header + 8, &n)) {
		text = (const char *)goelf_at(g, pointer, &left);
		len = (size_t)n;
		if (text && len > left)
			text = NULL;
	}
	if (!text || !len)
		return;
	snprintf(t->version, sizeof(t->version), "%.*s", len < 60 ? (int)len : 60, text);
	go = strstr(t->version, "go1.");
	if (go)
		t->minor = (int)strtol(go + 4, NULL, 10);
}

static uint64_t find_text(const struct goelf *g, uint64_t table, uint64_t in_header, bool has_module,
			  uint64_t module)
{
	const struct goelf_section *s = goelf_section(g, ".text");
	uint64_t text;

	if (in_header)
		return in_header;
	/* the header's own relocation (external PIE up to 1.25) */
	if (goelf_word(g, table + 24, &text) && text)
		return text;
	if (has_module && goelf_word(g, module + MODULEDATA_TEXT, &text) && text)
		return text;
	if (goelf_symbol(g, "runtime.text", &text))
		return text;
	return s ? s->addr : 0;
}

/*
 * go:func.*, what funcdata offsets count from: moduledata.gofunc. Since 1.26 the
 * trees lie at the end of .gopclntab and gofunc is followed by epclntab, its
 * end: the only two neighbouring words there that point into the table. (.go.func
 * of 1.27 is something else: go:funcdesc.)
 */
static bool gofunc_of_module(const struct gotab *t, const struct goelf *g, uint64_t table, uint64_t module,
			     uint64_t *addr)
{
	const struct goelf_section *s = goelf_section(g, ".go.module");
	uint64_t before = 0, word = 0;

	if (!s || s->addr != module)
		return goelf_word(g, module + (t->layout == GOTAB_V118 ? 304 : 320), addr) && *addr;
	for (uint64_t at = MODULEDATA_ETEXT + 8; at + 8 <= s->size && goelf_word(g, module + at, &word); at += 8) {
		if (before > table && word > before && word - table <= t->all.size) {
			*addr = before;
			return true;
		}
		before = word;
	}
	return false;
}

static void find_gofunc(struct gotab *t, const struct goelf *g, uint64_t table, bool has_module, uint64_t module)
{
	uint64_t addr = 0;
	size_t left;

	if (!has_module || !gofunc_of_module(t, g, table, module, &addr))
		if (!goelf_symbol(g, "go:func.*", &addr) && !goelf_symbol(g, "go.func.*", &addr))
			return;
	t->gofunc.p = goelf_at(g, addr, &left);
	t->gofunc.size = t->gofunc.p ? left : 0;
}

struct gotab *gotab_open(Elf *elf, struct error *e)
{
	struct goelf *g = xcalloc(1, sizeof(*g));
	uint64_t addr = 0, in_header = 0, module = 0;
	const uint8_t *p = NULL;
	struct gotab *t;
	bool has_module;
	size_t left = 0;

	e->text[0] = '\0';
	if (goelf_open(g, elf))
		p = find_table(g, &addr, &left);
	t = xcalloc(1, sizeof(*t));
	t->elf = g;
	t->swap = g->swap;
	t->all = (struct gotab_part){p, left};
	if (!p || read_header(t, &in_header, e) < 0) {
		gotab_free(t);
		return NULL;
	}
	read_version(t, g);
	has_module = find_moduledata(g, addr, &module);
	if (t->layout >= GOTAB_V118) {
		t->text = find_text(g, addr, in_header, has_module, module);
		find_gofunc(t, g, addr, has_module, module);
	}
	set_text_end(t);
	if (t->text_end <= t->text) {
		error_set(e, EXIT_CODE_INPUT, "pclntab: its addresses are not in the file");
		gotab_free(t);
		return NULL;
	}
	return t;
}

void gotab_free(struct gotab *t)
{
	if (!t)
		return;
	if (t->elf)
		goelf_release(t->elf);
	free(t->elf);
	free(t);
}
