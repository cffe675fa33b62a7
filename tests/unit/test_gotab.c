/*
 * Go's tables: real programs against what they say of themselves, and small
 * tables built by hand, sound and lying.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "elffile.h"
#include "frames.h"
#include "process/goswitch.h"
#include "process/gotab_internal.h"
#include "suite.h"

/* --- a table built by hand, in the layout of 1.20 -------------------------------------------- */

/* Where the parts of the built table lie. */
enum {
	NAMES = 0x48,
	CUS = 0x80,
	FILES = 0x90,
	PCTAB = 0xb0,
	FUNCS = 0xe0,
	FIRST = FUNCS + 0x20,	/* _func records */
	SECOND = FIRST + 0x48,
	TREE = SECOND + 0x48,	/* the inline tree, as go:func.* */
	SIZE = TREE + 0x40,
};

#define TEXT UINT64_C(0x401000)

static void put32(uint8_t *p, uint32_t v)
{
	memcpy(p, &v, 4);
}

static void put64(uint8_t *p, uint64_t v)
{
	memcpy(p, &v, 8);
}

static void put_func(uint8_t *table, uint32_t at, uint32_t entry, uint32_t name, uint32_t pcln)
{
	uint8_t *p = table + at;

	put32(p, entry);
	put32(p + 4, name);
	put32(p + 16, 1);      /* pcsp */
	put32(p + 20, 10);     /* pcfile */
	put32(p + 24, pcln);
	put32(p + 28, 3);      /* npcdata */
	put32(p + 32, 0);      /* cu */
	put32(p + 36, 7);      /* startLine */
	p[40] = 0;	       /* funcID */
	p[41] = GOTAB_TOPFRAME;
	p[43] = 4;	       /* nfuncdata */
	put32(p + 44 + 8, 20); /* pcdata of the inline tree */
	for (int i = 0; i < 3; i++)
		put32(p + 56 + 4 * i, UINT32_MAX);
	put32(p + 56 + 12, 0); /* funcdata of the inline tree */
}

/* Two functions, main.f [0, 0x20) with an inlined call at [8, 16), and main.g [0x20, 0x30). */
static void build(uint8_t *t)
{
	static const char names[] = "\0main.f\0main.g\0main.inlined";
	static const uint8_t pctab[] = {
		0,			/* offset 0: none */
		2, 4, 32, 0x1c, 31, 16, 0, /* 1: SP delta 0 [0,4), 16 [4,0x20), 0 [0x20,0x30) */
		0, 0,
		2, 0x30, 0,		/* 10: file 0 */
		0, 0,
		22, 8, 60, 8, 59, 0x20, 0, /* 15: line 10 [0,8), 40 [8,16), 10 [16,0x30) */
	};
	/* 22: -1 [0,8), 0 [8,16), -1 [16,…): the first pair has a zero delta */
	static const uint8_t inl[] = {0, 8, 2, 8, 1, 0x20, 0};

	memset(t, 0, SIZE);
	put32(t, 0xfffffff1);
	t[6] = 1;
	t[7] = 8;
	put64(t + 8, 2);
	put64(t + 16, 1);
	put64(t + 24, TEXT);
	put64(t + 32, NAMES);
	put64(t + 40, CUS);
	put64(t + 48, FILES);
	put64(t + 56, PCTAB);
	put64(t + 64, FUNCS);
	memcpy(t + NAMES, names, sizeof(names));
	put32(t + CUS, 0);
	memcpy(t + FILES, "/src/main.go", 13);
	memcpy(t + PCTAB, pctab, sizeof(pctab));
	memcpy(t + PCTAB + 22, inl, sizeof(inl));
	put32(t + FUNCS, 0);
	put32(t + FUNCS + 4, FIRST - FUNCS);
	put32(t + FUNCS + 8, 0x20);
	put32(t + FUNCS + 12, SECOND - FUNCS);
	put32(t + FUNCS + 16, 0x30);
	put_func(t, FIRST, 0, 1, 15);
	put_func(t, SECOND, 0x20, 8, 0);
	put32(t + FIRST + 44 + 8, 22);
	put32(t + SECOND + 44 + 8, 0);
	put32(t + TREE + 4, 15);   /* nameOff */
	put32(t + TREE + 8, 4);	   /* parentPc: at line 10 */
	put32(t + TREE + 12, 39);  /* startLine */
}

static struct gotab *from_bytes(const uint8_t *data, size_t size, struct error *e)
{
	struct gotab *t;

	e->text[0] = '\0';
	t = gotab_from_memory(data, size, 0, e);
	if (t && size >= SIZE)
		t->gofunc = (struct gotab_part){data + TREE, SIZE - TREE};
	return t;
}

/* What was walked before does not change what is found. */
static void check_walks(const struct gotab *t, uint64_t pc, struct gotab_walks *walks)
{
	struct gotab_inline plain[8], walked[8];
	struct gotab_func f;
	size_t n = gotab_inline(t, pc, plain, 8);

	if (!n || !gotab_find(t, pc, &f))
		return;
	CU_ASSERT_EQUAL_FATAL(gotab_frames(t, &f, pc, GOTAB_FILES | GOTAB_LINES, walks, walked, 8), n);
	for (size_t i = 0; i < n; i++)
		CU_ASSERT(walked[i].name == plain[i].name && !strcmp(walked[i].file, plain[i].file) &&
			  walked[i].line == plain[i].line && walked[i].inlined == plain[i].inlined);
}

/* Asks everything of a table that may lie. */
static void ask_all(const struct gotab *t)
{
	struct gotab_walks *walks = gotab_walks_new();
	struct gotab_inline in[8];
	struct gotab_func f;
	uint64_t start, end;
	int32_t delta;

	gotab_text(t, &start, &end);
	for (uint64_t pc = TEXT - 8; pc < TEXT + 0x40; pc += 4) {
		size_t n = gotab_inline(t, pc, in, 8);

		for (size_t i = 0; i < n; i++)
			CU_ASSERT(strlen(in[i].name) < SIZE && strlen(in[i].file) < SIZE);
		if (gotab_find(t, pc, &f))
			gotab_sp_delta(t, &f, pc, &delta);
	}
	for (uint64_t pc = TEXT; pc < TEXT + 0x40; pc++)
		check_walks(t, pc, walks);
	for (uint64_t pc = TEXT + 0x40; pc-- > TEXT;)
		check_walks(t, pc, walks);
	gotab_walks_free(walks);
	for (uint32_t i = 0; i < 4; i++)
		gotab_func_at(t, i, &f);
	gotab_func_by_name(t, "nobody", &f);
}

static void functions_and_lines(void)
{
	uint8_t data[SIZE];
	struct gotab_inline in[4];
	struct gotab_func f;
	struct error e;
	struct gotab *t;
	int32_t delta;

	build(data);
	t = from_bytes(data, SIZE, &e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(t);
	CU_ASSERT_EQUAL(gotab_nr_funcs(t), 2);
	CU_ASSERT(gotab_find(t, TEXT, &f) && !strcmp(f.name, "main.f"));
	CU_ASSERT(f.entry == TEXT && f.end == TEXT + 0x20 && f.flags == GOTAB_TOPFRAME && f.start_line == 7);
	CU_ASSERT(!f.external);
	CU_ASSERT(gotab_find(t, TEXT + 0x1f, &f) && f.index == 0);
	CU_ASSERT(gotab_find(t, TEXT + 0x20, &f) && !strcmp(f.name, "main.g"));
	CU_ASSERT_FALSE(gotab_find(t, TEXT + 0x30, &f));
	CU_ASSERT_FALSE(gotab_find(t, TEXT - 1, &f));
	CU_ASSERT(gotab_func_by_name(t, "main.g", &f) && f.index == 1);
	CU_ASSERT_FALSE(gotab_func_by_name(t, "main", &f));
	CU_ASSERT(gotab_find(t, TEXT, &f));
	CU_ASSERT(gotab_sp_delta(t, &f, TEXT + 3, &delta) && delta == 0);
	CU_ASSERT(gotab_sp_delta(t, &f, TEXT + 4, &delta) && delta == 16);

	CU_ASSERT_EQUAL(gotab_inline(t, TEXT + 7, in, 4), 1);
	CU_ASSERT(!strcmp(in[0].name, "main.f") && in[0].line == 10 && !strcmp(in[0].file, "/src/main.go"));
	CU_ASSERT_FALSE(in[0].inlined);
	CU_ASSERT_EQUAL(gotab_inline(t, TEXT + 8, in, 4), 2);
	CU_ASSERT(!strcmp(in[0].name, "main.inlined") && in[0].inlined && in[0].line == 40 && in[0].start_line == 39);
	CU_ASSERT(!strcmp(in[1].name, "main.f") && !in[1].inlined && in[1].line == 10);
	/* no room for the inlined one: the function itself is never lost */
	CU_ASSERT(gotab_inline(t, TEXT + 8, in, 1) == 1 && !strcmp(in[0].name, "main.f"));
	CU_ASSERT_EQUAL(gotab_inline(t, TEXT + 8, in, 0), 0);
	CU_ASSERT_EQUAL(gotab_inline(t, TEXT + 0x10, in, 4), 1);
	ask_all(t);
	gotab_free(t);
}

static void c_code_among_the_functions(void)
{
	uint8_t data[SIZE];
	struct gotab_func f;
	struct error e;
	struct gotab *t;
	int32_t delta;

	build(data);
	put32(data + SECOND + 16, 0); /* no pcsp */
	t = from_bytes(data, SIZE, &e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(t);
	CU_ASSERT(gotab_find(t, TEXT + 0x20, &f) && f.external);
	CU_ASSERT_FALSE(gotab_sp_delta(t, &f, TEXT + 0x20, &delta));
	gotab_free(t);
}

static bool has_inlined(const uint8_t *data, size_t *frames)
{
	struct gotab_inline in[8];
	struct error e;
	struct gotab *t = from_bytes(data, SIZE, &e);

	CU_ASSERT_PTR_NOT_NULL_FATAL(t);
	*frames = gotab_inline(t, TEXT + 8, in, 8);
	gotab_free(t);
	return *frames == 2;
}

/* Records that have fewer tables than asked for: what stands behind is not taken for one. */
static void fewer_tables_than_asked_for(void)
{
	uint8_t data[SIZE];
	size_t frames;

	build(data);
	CU_ASSERT(has_inlined(data, &frames));
	data[FIRST + 43] = 3; /* nfuncdata: none of the inline tree */
	CU_ASSERT_FALSE(has_inlined(data, &frames));
	CU_ASSERT_EQUAL(frames, 1);
	build(data);
	put32(data + FIRST + 28, 2); /* npcdata; its third is the first funcdata now, and the tree's place the third */
	put32(data + FIRST + 56 + 8, 0);
	CU_ASSERT_FALSE(has_inlined(data, &frames));
	CU_ASSERT_EQUAL(frames, 1);
}

static void functions_beyond_the_last(void)
{
	uint8_t data[SIZE];
	struct gotab_func f;
	struct error e;
	struct gotab *t;
	int32_t delta;

	build(data);
	/* a distance in a table of 2^40: behind it another value */
	memcpy(data + PCTAB + 1, "\x02\x80\x80\x80\x80\x80\x20\x04\x04", 8);
	t = from_bytes(data, SIZE, &e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(t);
	CU_ASSERT_TRUE(gotab_func_at(t, 1, &f));
	CU_ASSERT_FALSE(gotab_func_at(t, 2, &f));
	CU_ASSERT_FALSE(gotab_find(t, TEXT - 1, &f));
	CU_ASSERT_TRUE(gotab_find(t, TEXT + 0x2f, &f));
	CU_ASSERT_FALSE(gotab_find(t, TEXT + 0x30, &f));
	CU_ASSERT_FALSE(gotab_find(t, 0, &f));
	CU_ASSERT_FALSE(gotab_find(t, UINT64_MAX, &f));
	CU_ASSERT_TRUE(gotab_func_at(t, 0, &f));
	CU_ASSERT_FALSE(gotab_sp_delta(t, &f, TEXT, &delta));
	gotab_free(t);
}

/*
 * A layout with entries of eight bytes, of 1.2 or of 1.16: one function whose record is `room` bytes before the end, or
 * where `at` says.
 */
static bool wide_record_is_read(bool v116, size_t room, uint64_t at)
{
	enum { FUNCTAB = 16 + 8 };
	size_t head = v116 ? 64 : 16, record = head + FUNCTAB;
	uint8_t *t = calloc(1, record + room);
	struct gotab_func f;
	struct error e;
	struct gotab *tab;
	bool read;

	put32(t, v116 ? 0xfffffffa : 0xfffffffb);
	t[6] = 1;
	t[7] = 8;
	put64(t + 8, 1);
	for (size_t i = 24; i < head; i += 8) /* where names, units, files, pctab and functions begin */
		put64(t + i, head);
	put64(t + head, TEXT);
	put64(t + head + 8, at ? at : v116 ? FUNCTAB : record);
	put64(t + head + 16, TEXT + 0x10);
	tab = gotab_from_memory(t, record + room, 0, &e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(tab);
	CU_ASSERT_STRING_EQUAL(gotab_layout(tab), v116 ? "1.16-1.17" : "1.2-1.15");
	read = gotab_find(tab, TEXT + 4, &f);
	CU_ASSERT(!read || (f.entry == TEXT && f.end == TEXT + 0x10));
	gotab_free(tab);
	free(t);
	return read;
}

static void old_records_outside_of_the_table(void)
{
	CU_ASSERT_TRUE(wide_record_is_read(false, 40, 0));
	CU_ASSERT_FALSE(wide_record_is_read(false, 39, 0));
	CU_ASSERT_FALSE(wide_record_is_read(false, 36, 0));
	CU_ASSERT_FALSE(wide_record_is_read(false, 40, 8)); /* in the header */
	CU_ASSERT_FALSE(wide_record_is_read(false, 40, 41));
	CU_ASSERT_FALSE(wide_record_is_read(false, 40, UINT64_C(1) << 40));
	CU_ASSERT_FALSE(wide_record_is_read(false, 40, UINT64_MAX));
}

/* A table with another magic number of which `room` bytes of the second record are left: is its function found? */
static bool last_record_is_read(uint32_t magic, size_t room)
{
	size_t size = SECOND + room;
	uint8_t whole[SIZE], *t = malloc(size);
	struct gotab_func f;
	struct error e;
	struct gotab *tab;
	bool read;

	build(whole);
	put32(whole, magic);
	memcpy(t, whole, size);
	tab = from_bytes(t, size, &e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(tab);
	CU_ASSERT_TRUE(gotab_find(tab, TEXT + 4, &f));
	read = gotab_find(tab, TEXT + 0x24, &f);
	CU_ASSERT(!read || !strcmp(f.name, "main.g"));
	gotab_free(tab);
	free(t);
	return read;
}

/* Records of 1.2 and 1.18 are 40 bytes before their arrays; those of 1.16 and 1.20 are 44. */
static void last_record_ends_the_table(void)
{
	CU_ASSERT_TRUE(last_record_is_read(0xfffffff0, 40));
	CU_ASSERT_FALSE(last_record_is_read(0xfffffff0, 39));
	CU_ASSERT_TRUE(last_record_is_read(0xfffffff1, 44));
	CU_ASSERT_FALSE(last_record_is_read(0xfffffff1, 43));
	CU_ASSERT_FALSE(last_record_is_read(0xfffffff1, 40));
	CU_ASSERT_TRUE(wide_record_is_read(true, 44, 0));
	CU_ASSERT_FALSE(wide_record_is_read(true, 43, 0));
	CU_ASSERT_FALSE(wide_record_is_read(true, 40, 0));
}

/* --- the same in an ELF file -------------------------------------------------------------------- */

/* A moduledata as 1.20 to 1.25 have it, without a section or symbol that names it. */
enum { MODULEDATA_SIZE = 400 };
#define TABLE UINT64_C(0x500000)
#define DATA UINT64_C(0x600000)

struct go_file {
	uint8_t table[SIZE], moduledata[MODULEDATA_SIZE], info[64];
	struct elf_section sections[4];
};

static void make_go_file(struct go_file *g)
{
	static const uint8_t code[0x30];

	memset(g, 0, sizeof(*g));
	build(g->table);
	put64(g->table + 24, 0); /* where the text is is told by the moduledata alone */
	put64(g->moduledata, 0x1234);
	put64(g->moduledata + 8, TABLE); /* another word that is the table's address */
	put64(g->moduledata + 16, TABLE);
	put64(g->moduledata + 16 + 176, TEXT);
	put64(g->moduledata + 16 + 184, TEXT + 0x30);
	put64(g->moduledata + 16 + 320, TABLE + TREE);
	memcpy(g->info, "\xff Go buildinf:\x08\x02", 16);
	memcpy(g->info + 32, "\x08go1.22.3", 9);
	g->sections[0] = (struct elf_section){.name = ".text", .flags = SHF_ALLOC | SHF_EXECINSTR, .addr = TEXT, .data = code, .size = 0x30};
	g->sections[1] = (struct elf_section){.name = ".gopclntab", .flags = SHF_ALLOC, .addr = TABLE, .data = g->table, .size = SIZE};
	g->sections[2] = (struct elf_section){.name = ".data", .flags = SHF_ALLOC | SHF_WRITE, .addr = DATA, .data = g->moduledata,
					      .size = MODULEDATA_SIZE};
	g->sections[3] = (struct elf_section){.name = ".go.buildinfo", .flags = SHF_ALLOC | SHF_WRITE, .addr = DATA + 0x1000, .data = g->info,
					      .size = 41};
}

/* Opens the table of such a file; *bytes is to be freed behind it. */
static struct gotab *open_go_file(const struct go_file *g, Elf **elf, uint8_t **bytes, struct error *e)
{
	size_t size;

	*bytes = elf_of_sections(g->sections, 4, &size);
	elf_version(EV_CURRENT);
	*elf = elf_memory((char *)*bytes, size);
	return gotab_open(*elf, e);
}

static void check_go_file(const struct go_file *g, const char *version, const char *why, size_t frames)
{
	struct gotab_inline in[8];
	struct error e;
	uint8_t *bytes;
	Elf *elf;
	struct gotab *t = open_go_file(g, &elf, &bytes, &e);

	CU_ASSERT_EQUAL(t != NULL, !why);
	if (t) {
		CU_ASSERT_EQUAL(gotab_inline(t, TEXT + 8, in, 8), frames);
		if (version)
			CU_ASSERT_STRING_EQUAL(gotab_go_version(t), version);
		CU_ASSERT_EQUAL(gotab_go_version(t) != NULL, version != NULL);
	} else if (why) {
		CU_ASSERT_PTR_NOT_NULL(strstr(e.text, why));
	}
	gotab_free(t);
	elf_end(elf);
	free(bytes);
}

static void tables_in_files(void)
{
	struct go_file g;

	make_go_file(&g);
	check_go_file(&g, "go1.22.3", NULL, 2);
	/* a header that says where the text is */
	put64(g.table + 24, TEXT);
	check_go_file(&g, "go1.22.3", NULL, 2);
	/* build information that is cut short, in a section that ends the file; of another form; of no length */
	make_go_file(&g);
	g.sections[3].size = 31;
	check_go_file(&g, NULL, NULL, 2);
	g.sections[3].size = 36;
	check_go_file(&g, NULL, NULL, 2);
	make_go_file(&g);
	g.info[0] = 0;
	check_go_file(&g, NULL, NULL, 2);
	make_go_file(&g);
	g.info[32] = 0;
	check_go_file(&g, NULL, NULL, 2);
	/* pointers instead, of before 1.18: to a string's head, to its bytes */
	make_go_file(&g);
	g.info[15] = 0;
	put64(g.info + 16, DATA + 0x100);
	put64(g.moduledata + 0x100, DATA + 0x110);
	put64(g.moduledata + 0x108, 8);
	memcpy(g.moduledata + 0x110, "go1.17.2", 8);
	check_go_file(&g, "go1.17.2", NULL, 2);
	put64(g.moduledata + 0x108, MODULEDATA_SIZE);
	check_go_file(&g, NULL, NULL, 2);
	/* a moduledata whose text ends before it begins is none: no trees, and the section's address is the text's */
	make_go_file(&g);
	put64(g.moduledata + 16 + 184, TEXT - 1);
	check_go_file(&g, "go1.22.3", NULL, 1);
	/* no function has a byte */
	make_go_file(&g);
	put32(g.table + FUNCS + 16, 0);
	check_go_file(&g, "go1.22.3", "not in the file", 0);
	make_go_file(&g);
	g.table[7] = 4;
	check_go_file(&g, NULL, "32-bit", 0);
	g.sections[1].name = ".other";
	check_go_file(&g, NULL, "", 0);
}

/* Linkers that leave no section for the table: it is in .data.rel.ro, named by a symbol or by its first bytes alone. */
static void tables_without_a_section(void)
{
	enum { BEFORE = 24 };
	uint8_t data[BEFORE + SIZE] = {0xf1, 0xff, 0xff, 0xff, 1}; /* nearly one, to begin with */
	struct go_file g;

	make_go_file(&g);
	memcpy(data + BEFORE, g.table, SIZE);
	g.sections[1] = (struct elf_section){.name = ".data.rel.ro", .flags = SHF_ALLOC, .addr = TABLE - BEFORE, .data = data,
					     .size = sizeof(data)};
	check_go_file(&g, "go1.22.3", NULL, 2);
	g.sections[3].name = ".no.buildinfo"; /* not a Go program */
	check_go_file(&g, NULL, "", 0);
	make_go_file(&g);
	g.sections[1].name = ".data.rel.ro.gopclntab";
	check_go_file(&g, "go1.22.3", NULL, 2);
}

static void refused(const uint8_t *data, size_t size, const char *why)
{
	struct error e = {0};
	struct gotab *t = gotab_from_memory(data, size, 0, &e);

	CU_ASSERT_PTR_NULL(t);
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, why));
	gotab_free(t);
}

static void headers_refused_by_name(void)
{
	uint8_t data[SIZE];

	build(data);
	refused(data, 15, "cut short");
	data[0] = 0xf2;
	refused(data, SIZE, "unknown header");
	build(data);
	data[7] = 4;
	refused(data, SIZE, "32-bit");
	build(data);
	data[7] = 5;
	refused(data, SIZE, "unknown header");
	build(data);
	put64(data + 8, UINT64_MAX);
	refused(data, SIZE, "do not fit");
	put64(data + 8, 0);
	refused(data, SIZE, "do not fit");
	build(data);
	put64(data + 64, UINT64_MAX - 4);
	refused(data, SIZE, "do not fit");
}

static void any_cut_and_any_byte(void)
{
	uint8_t data[SIZE], *copy;
	struct error e;
	struct gotab *t;

	build(data);
	for (size_t size = 0; size <= SIZE; size++) {
		/* of its own memory, so that a sanitizer sees a read past the end */
		copy = malloc(size ? size : 1);
		memcpy(copy, data, size);
		t = from_bytes(copy, size, &e);
		if (t)
			ask_all(t);
		gotab_free(t);
		free(copy);
	}
	for (size_t at = 0; at < SIZE; at++) {
		static const uint8_t values[] = {0, 1, 0x7f, 0x80, 0xff};

		for (size_t i = 0; i < sizeof(values); i++) {
			build(data);
			data[at] = values[i];
			t = from_bytes(data, SIZE, &e);
			if (t)
				ask_all(t);
			gotab_free(t);
		}
	}
}

static void cycles_in_the_inline_tree(void)
{
	uint8_t data[SIZE];
	struct gotab_inline in[64];
	struct error e;
	struct gotab *t;

	build(data);
	put32(data + TREE + 8, 8); /* called from its own instruction */
	t = from_bytes(data, SIZE, &e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(t);
	CU_ASSERT_EQUAL(gotab_inline(t, TEXT + 8, in, 64), 2);
	gotab_free(t);
}

/* --- real programs ---------------------------------------------------------------------------- */

static char *build_dir;

static bool run(const char *command)
{
	return system(command) == 0;
}

/* Go 1.23 asks for -checklinkname=0 where a program uses the runtime's inside; older ones do not know it. */
static bool go_build(const char *name, const char *flags, const char *ldflags)
{
	char command[4096];

	for (int old = 0; old < 2; old++) {
		snprintf(command, sizeof(command),
			 "cd '%s/tests/go/frames' && GOFLAGS=%s GOTOOLCHAIN=local go build -o '%s/%s' %s "
			 "-ldflags='%s %s' . >'%s/log' 2>&1",
			 test_srcdir(), old ? "" : "-buildvcs=false", build_dir, name, flags,
			 old ? "" : "-checklinkname=0", ldflags, build_dir);
		if (run(command))
			return true;
	}
	return false;
}

static void compare(const char *name, const char *flags, const char *ldflags)
{
	struct frames_result r;
	char path[4096];

	if (!go_build(name, flags, ldflags)) {
		test_skip(name, "this Go cannot build it so");
		return;
	}
	snprintf(path, sizeof(path), "%s/%s", build_dir, name);
	CU_ASSERT(frames_compare(path, 7, &r));
	CU_ASSERT_EQUAL(r.wrong, 0);
	CU_ASSERT(r.addresses > 50000 && r.functions > 1000);
	CU_ASSERT(r.inlined > 10000);
	if (r.wrong || !r.addresses)
		printf("%s: %zu of %zu wrong: %s\n", name, r.wrong, r.addresses, r.first);
}

/* The first word that the file has where a probe would be. */
static bool switch_place(const char *path, struct goswitch *at, uint32_t *word)
{
	struct file_map m;
	struct error e;
	Elf *elf;
	bool found;

	elf_version(EV_CURRENT);
	CU_ASSERT_EQUAL_FATAL(file_map_open_private(&m, path, &e), 0);
	elf = elf_memory((char *)(uintptr_t)m.data, m.size);
	found = goswitch_find(at, elf, path, &e) == 0 && at->offset + 4 <= m.size;
	if (found)
		memcpy(word, m.data + at->offset, 4);
	elf_end(elf);
	file_map_close(&m);
	return found;
}

static void expect_no_switch(const char *path, size_t at, const char *bytes, const char *words)
{
	struct goswitch s;
	struct file_map m;
	struct error e;
	Elf *elf;

	CU_ASSERT_EQUAL_FATAL(file_map_open_private(&m, path, &e), 0);
	memcpy((uint8_t *)(uintptr_t)m.data + at, bytes, strlen(bytes));
	elf = elf_memory((char *)(uintptr_t)m.data, m.size);
	CU_ASSERT_EQUAL(goswitch_find(&s, elf, path, &e), -1);
	CU_ASSERT_EQUAL(e.code, EXIT_CODE_INPUT);
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, words));
	elf_end(elf);
	file_map_close(&m);
}

/* The segment that holds the code, wherever it stands among the others. */
static void expect_switch_in_any_order(const char *path, uint64_t offset)
{
	struct goswitch s;
	struct file_map m;
	struct error e;
	Elf64_Ehdr *eh;
	Elf64_Phdr *ph;
	Elf *elf;

	CU_ASSERT_EQUAL_FATAL(file_map_open_private(&m, path, &e), 0);
	eh = (Elf64_Ehdr *)(uintptr_t)m.data;
	ph = (Elf64_Phdr *)((uintptr_t)m.data + eh->e_phoff);
	for (size_t i = 0, k = eh->e_phnum - 1u; i < k; i++, k--) {
		Elf64_Phdr swapped = ph[i];

		ph[i] = ph[k];
		ph[k] = swapped;
	}
	for (size_t i = 0; i < eh->e_phnum; i++)
		if (ph[i].p_type == PT_LOAD && !(ph[i].p_flags & PF_X))
			ph[i].p_offset = 0; /* or the distance is the same in all of them */
	elf = elf_memory((char *)(uintptr_t)m.data, m.size);
	CU_ASSERT_EQUAL(goswitch_find(&s, elf, path, &e), 0);
	CU_ASSERT_EQUAL(s.offset, offset);
	elf_end(elf);
	file_map_close(&m);
}

/* runtime.gogo's last instruction, in a stripped Go 1.26; a changed one is not taken for it. */
static void place_of_switches(void)
{
	struct goswitch s;
	char path[4096];
	uint32_t word;

	snprintf(path, sizeof(path), "%s/samples/recording/bin/server", test_srcdir());
	CU_ASSERT_TRUE_FATAL(switch_place(path, &s, &word));
	CU_ASSERT_EQUAL(word & 0xff, 0xe9); /* jmp */
	CU_ASSERT_STRING_EQUAL(s.g_register, "dx");
	CU_ASSERT_EQUAL(s.goid, 152);
	expect_switch_in_any_order(path, s.offset);
	expect_no_switch(path, s.offset, "\xe8", "not as Go's sources");	 /* a call */
	expect_no_switch(path, s.offset + 1, "\x10", "not as Go's sources"); /* to elsewhere */
	expect_no_switch(path, 18, "\x03", "x86-64 and arm64 only");	 /* e_machine */
}

/* B, of which there is one kind only. */
static void place_on_arm64(void)
{
	struct goswitch s;
	char path[4096];
	uint32_t word = 0;

	setenv("GOARCH", "arm64", 1);
	setenv("CGO_ENABLED", "0", 1);
	snprintf(path, sizeof(path), "%s/arm64", build_dir);
	if (!go_build("arm64", "", "-s -w")) {
		test_skip("place_on_arm64", "this Go does not build for arm64");
	} else {
		CU_ASSERT_TRUE(switch_place(path, &s, &word));
		CU_ASSERT_EQUAL(word >> 26, 5);
		CU_ASSERT_STRING_EQUAL(s.g_register, "x6");
	}
	unsetenv("GOARCH");
	unsetenv("CGO_ENABLED");
}

static void programs_know_themselves(void)
{
	char dir[] = "/tmp/perfskew-go-XXXXXX", command[128];

	if (!run("go version >/dev/null 2>&1")) {
		test_skip("programs_know_themselves", "no Go on this machine");
		return;
	}
	build_dir = mkdtemp(dir);
	CU_ASSERT_PTR_NOT_NULL_FATAL(build_dir);
	compare("plain", "", "");
	compare("stripped", "", "-s -w");
	compare("unoptimised", "-gcflags='-l -N'", "");
	compare("pie", "-buildmode=pie", "");
	compare("pie-external", "-buildmode=pie", "-s -w -linkmode=external");
	place_on_arm64();
	snprintf(command, sizeof(command), "rm -rf '%s'", build_dir);
	run(command);
}

static const struct suite_test tests[] = {
	{"functions and lines", functions_and_lines},
	{"fewer tables than asked for", fewer_tables_than_asked_for},
	{"functions beyond the last", functions_beyond_the_last},
	{"old records outside of the table", old_records_outside_of_the_table},
	{"a last record ends the table", last_record_ends_the_table},
	{"tables in files", tables_in_files},
	{"tables without a section", tables_without_a_section},
	{"C code among the functions", c_code_among_the_functions},
	{"headers refused by name", headers_refused_by_name},
	{"any cut and any byte", any_cut_and_any_byte},
	{"cycles in the inline tree", cycles_in_the_inline_tree},
	{"place of switches", place_of_switches},
	{"programs know themselves", programs_know_themselves},
	{NULL, NULL},
};

const struct suite suite_gotab = {"gotab", tests};
