/*
 * Sections that lie: of debug information, packed or not, and what is checked before libdw sees it.
 */
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "base/alloc.h"
#include "elffile.h"
#include "process/dwarfopen.h"
#include "process/elfcheck.h"
#include "process/goelf.h"
#include "process/module.h"
#include "process/symtab.h"
#include "suite.h"

#ifndef ELFCOMPRESS_ZSTD
#define ELFCOMPRESS_ZSTD 2
#endif

struct file {
	uint8_t *bytes;
	size_t size;
	Elf *elf;
};

static void open_file(struct file *f, const struct elf_section *sections, size_t nr)
{
	f->bytes = elf_of_sections(sections, nr, &f->size);
	elf_version(EV_CURRENT);
	f->elf = elf_memory((char *)f->bytes, f->size);
	CU_ASSERT_PTR_NOT_NULL_FATAL(f->elf);
}

static void close_file(struct file *f)
{
	elf_end(f->elf);
	free(f->bytes);
}

/* --- packed sections ---------------------------------------------------------------------------- */

struct packed {
	uint8_t bytes[4096];
	size_t size;
};

static const char text[] = "names, names and names, names and names again";

static void pack_zlib(struct packed *p, size_t head, const void *data, size_t size)
{
	uLongf room = sizeof(p->bytes) - head;

	CU_ASSERT_EQUAL_FATAL(compress(p->bytes + head, &room, data, size), Z_OK);
	p->size = head + room;
}

static void set_chdr(struct packed *p, uint32_t type, uint64_t unpacked)
{
	Elf64_Chdr ch = {.ch_type = type, .ch_size = unpacked, .ch_addralign = 1};

	memcpy(p->bytes, &ch, sizeof(ch));
}

static struct packed by_zlib(void)
{
	struct packed p = {0};

	pack_zlib(&p, sizeof(Elf64_Chdr), text, sizeof(text));
	set_chdr(&p, ELFCOMPRESS_ZLIB, sizeof(text));
	return p;
}

static struct packed by_zstd(const void *data, size_t size)
{
	struct packed p = {0};

	p.size = sizeof(Elf64_Chdr) + ZSTD_compress(p.bytes + sizeof(Elf64_Chdr), sizeof(p.bytes) - sizeof(Elf64_Chdr), data, size, 1);
	set_chdr(&p, ELFCOMPRESS_ZSTD, size);
	return p;
}

static struct packed by_gnu(void)
{
	struct packed p = {0};

	pack_zlib(&p, 12, text, sizeof(text));
	memcpy(p.bytes, "ZLIB", 4);
	p.bytes[11] = sizeof(text);
	return p;
}

/* The contents of .debug_str in the image that is made of a file; false: none is made. */
static bool image_has_text(const struct elf_section *sections, size_t nr)
{
	struct file f;
	void *bytes;
	Elf *image;
	Elf_Scn *scn = NULL;
	size_t names;
	bool found = false;

	open_file(&f, sections, nr);
	image = dwarf_image(f.elf, &bytes);
	CU_ASSERT_EQUAL(image != NULL, bytes != NULL);
	if (image && elf_getshdrstrndx(image, &names) == 0)
		while ((scn = elf_nextscn(image, scn))) {
			GElf_Shdr sh;
			const char *name = gelf_getshdr(scn, &sh) ? elf_strptr(image, names, sh.sh_name) : "";
			const Elf_Data *data = elf_rawdata(scn, NULL);

			found |= name && !strcmp(name, ".debug_str") && data && data->d_size >= sizeof(text) &&
				 !memcmp(data->d_buf, text, sizeof(text));
		}
	elf_end(image);
	free(bytes);
	close_file(&f);
	return found;
}

static bool packed_is_read(const char *name, uint64_t flags, const struct packed *p)
{
	const struct elf_section section = {.name = name, .flags = flags, .data = p->bytes, .size = p->size};

	return image_has_text(&section, 1);
}

static void packed_sections(void)
{
	struct packed zlib = by_zlib(), zstd = by_zstd(text, sizeof(text)), gnu = by_gnu();

	CU_ASSERT(packed_is_read(".debug_str", SHF_COMPRESSED, &zlib));
	CU_ASSERT(packed_is_read(".debug_str", SHF_COMPRESSED, &zstd));
	CU_ASSERT(packed_is_read(".zdebug_str", 0, &gnu));
	CU_ASSERT_FALSE(packed_is_read(".debug_str", 0, &zlib));		  /* nothing to unpack */
	CU_ASSERT_FALSE(packed_is_read(".debug_loclists", SHF_COMPRESSED, &zlib)); /* not asked for */
	/* heads that are not there, in a section that ends the file */
	for (size_t cut = 0; cut < sizeof(Elf64_Chdr); cut++) {
		struct packed p = zlib;

		p.size = cut;
		CU_ASSERT_FALSE(packed_is_read(".debug_str", SHF_COMPRESSED, &p));
	}
	for (size_t cut = 0; cut < 12; cut++) {
		struct packed p = gnu;

		p.size = cut;
		CU_ASSERT_FALSE(packed_is_read(".zdebug_str", 0, &p));
	}
	/* neither way of packing; a stream that breaks off; sizes that are not what comes out */
	set_chdr(&zlib, 77, sizeof(text));
	CU_ASSERT_FALSE(packed_is_read(".debug_str", SHF_COMPRESSED, &zlib));
	set_chdr(&zlib, ELFCOMPRESS_ZLIB, sizeof(text) - 1);
	CU_ASSERT_FALSE(packed_is_read(".debug_str", SHF_COMPRESSED, &zlib));
	set_chdr(&zstd, ELFCOMPRESS_ZSTD, sizeof(text) + 1);
	CU_ASSERT_FALSE(packed_is_read(".debug_str", SHF_COMPRESSED, &zstd));
	gnu.bytes[0] = 'z';
	CU_ASSERT_FALSE(packed_is_read(".zdebug_str", 0, &gnu));
	gnu = by_gnu();
	gnu.bytes[4] = 1; /* 72 PB */
	CU_ASSERT_FALSE(packed_is_read(".zdebug_str", 0, &gnu));
	gnu = by_gnu();
	gnu.size -= 4;
	CU_ASSERT_FALSE(packed_is_read(".zdebug_str", 0, &gnu));
}

/* What unpacks to more than a thousandfold is not believed, though it be true. */
static void packed_beyond_belief(void)
{
	size_t size = (size_t)4 << 20;
	char *zeros = xcalloc(1, size);
	struct packed p;

	memcpy(zeros, text, sizeof(text));
	p = by_zstd(zeros, size);
	CU_ASSERT(p.size < size / 1100);
	CU_ASSERT_FALSE(packed_is_read(".debug_str", SHF_COMPRESSED, &p));
	p = by_zstd(zeros, size / 128);
	CU_ASSERT(packed_is_read(".debug_str", SHF_COMPRESSED, &p));
	free(zeros);
}

/* Other sections of the same file are copied: from within it only. */
static void sections_outside_of_the_file(void)
{
	struct packed p = by_zlib();
	struct elf_section s[] = {
		{.name = ".debug_abbrev", .flags = SHF_COMPRESSED, .data = p.bytes, .size = p.size},
		{.name = ".debug_str", .data = text, .size = sizeof(text)},
	};

	CU_ASSERT(image_has_text(s, 2));
	s[1].says_size = sizeof(text) + 1;
	CU_ASSERT_FALSE(image_has_text(s, 2));
	s[1].says_size = UINT64_MAX - 8;
	CU_ASSERT_FALSE(image_has_text(s, 2));
	s[1] = (struct elf_section){.name = ".debug_line", .says_offset = UINT64_MAX - 4};
	s[0].name = ".debug_str";
	CU_ASSERT_FALSE(image_has_text(s, 2));
	s[1].says_offset = 0;
	CU_ASSERT(image_has_text(s, 2));
}

/* More sections than debug information has. */
static void too_many_sections(void)
{
	enum { MOST = 64 };
	struct packed p = by_zlib();
	struct elf_section s[MOST + 1];

	for (size_t i = 0; i <= MOST; i++)
		s[i] = (struct elf_section){.name = ".debug_str", .flags = SHF_COMPRESSED, .data = p.bytes, .size = p.size};
	CU_ASSERT(image_has_text(s, MOST));
	CU_ASSERT_FALSE(image_has_text(s, MOST + 1));
}

/* --- heads of units ------------------------------------------------------------------------------ */

static bool units_are(const void *data, size_t size, const char *wrong)
{
	const struct elf_section s = {.name = ".debug_info", .data = data, .size = size};
	struct file f;
	char *got;
	bool as_wanted;

	open_file(&f, &s, 1);
	got = dwarf_check(f.elf);
	as_wanted = wrong ? got && strstr(got, wrong) : !got;
	if (!as_wanted)
		printf("\ngot %s, not %s\n", got ? got : "nothing", wrong ? wrong : "nothing");
	free(got);
	close_file(&f);
	return as_wanted;
}

static void heads_of_units(void)
{
	static const uint8_t good[] = {4, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0 /* padding */, 2, 0, 0, 0, 2, 0};
	static const uint8_t wide[] = {0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 0, 0, 0, 4, 0};
	static const uint8_t reserved[] = {0xf0, 0xff, 0xff, 0xff, 5, 0};
	static const uint8_t one_byte[] = {1, 0, 0, 0, 5, 0, 0, 0};
	static const uint8_t long_one[] = {5, 0, 0, 0, 5, 0, 0, 0};
	static const uint8_t old[] = {2, 0, 0, 0, 1, 0}, none[] = {2, 0, 0, 0, 0, 0}, new[] = {2, 0, 0, 0, 6, 0};

	CU_ASSERT(units_are(good, sizeof(good), NULL));
	CU_ASSERT(units_are(wide, sizeof(wide), NULL));
	CU_ASSERT(units_are(wide, sizeof(wide) - 1, "ends outside"));
	CU_ASSERT(units_are(wide, 10, "ends outside"));
	CU_ASSERT(units_are(reserved, sizeof(reserved), "reserved length at 0"));
	CU_ASSERT(units_are(one_byte, sizeof(one_byte), "at 0 of .debug_info ends outside"));
	CU_ASSERT(units_are(long_one, sizeof(long_one), "ends outside"));
	CU_ASSERT(units_are(old, sizeof(old), "version 1"));
	CU_ASSERT(units_are(none, sizeof(none), "version 0"));
	CU_ASSERT(units_are(new, sizeof(new), "version 6"));
}

/* --- segments --------------------------------------------------------------------------------------- */

/* Bytes of a binary by address: those that its segments and the file both have. */
static void bytes_by_address(void)
{
	enum { SIZE = 64 };
	uint8_t *data = xcalloc(1, SIZE);
	struct module_segment s = {.offset = 16, .vaddr = 0x1000, .filesz = 32, .memsz = 32};
	struct module m = {.segments = &s, .nr_segments = 1, .map = {.data = data, .size = SIZE}};

	CU_ASSERT_PTR_EQUAL(module_bytes(&m, 0x1000, 32), data + 16);
	CU_ASSERT_PTR_EQUAL(module_bytes(&m, 0x101f, 1), data + 47);
	CU_ASSERT_PTR_NULL(module_bytes(&m, 0xfff, 1));
	CU_ASSERT_PTR_NULL(module_bytes(&m, 0x1020, 0));
	CU_ASSERT_PTR_NULL(module_bytes(&m, 0x1024, 4)); /* in the file, not in the segment */
	CU_ASSERT_PTR_NULL(module_bytes(&m, 0x101d, 4));
	s.filesz = 64; /* more than the file has */
	CU_ASSERT_PTR_EQUAL(module_bytes(&m, 0x1000, 48), data + 16);
	CU_ASSERT_PTR_NULL(module_bytes(&m, 0x1000, 49));
	CU_ASSERT_PTR_NULL(module_bytes(&m, 0x1038, 4));
	s.offset = SIZE + 1; /* begins behind it */
	CU_ASSERT_PTR_NULL(module_bytes(&m, 0x1000, 4));
	s.offset = UINT64_MAX - 7;
	CU_ASSERT_PTR_NULL(module_bytes(&m, 0x1008, 4));
	s.filesz = UINT64_MAX;
	s.offset = 16;
	CU_ASSERT_PTR_NULL(module_bytes(&m, 0xff8, 4));
	free(data);
}

/* --- words of a Go program ---------------------------------------------------------------------------- */

#define DATA UINT64_C(0x600000)

static void open_words(struct file *f, struct goelf *g, const struct elf_section *sections, size_t nr)
{
	open_file(f, sections, nr);
	CU_ASSERT_TRUE_FATAL(goelf_open(g, f->elf));
}

static void close_words(struct file *f, struct goelf *g)
{
	goelf_release(g);
	close_file(f);
}

/* As the loader leaves them: from relocations where the file has zeros. */
static void words_by_address(void)
{
	static const uint64_t words[] = {7, 0, 7, 0, 8};
	static const Elf64_Rela relas[] = {
		{DATA + 8, ELF64_R_INFO(0, R_X86_64_RELATIVE), 7},
		{DATA + 16, ELF64_R_INFO(0, R_X86_64_RELATIVE), 9}, /* where the file has one, that counts */
		{DATA + 40, ELF64_R_INFO(0, R_X86_64_RELATIVE), 7},
	};
	/* the last section ends the file with four bytes of a word */
	const struct elf_section sections[] = {
		{.name = ".rela.dyn", .type = SHT_RELA, .flags = SHF_ALLOC, .addr = 0x1000, .data = relas, .size = sizeof(relas)},
		{.name = ".data", .flags = SHF_ALLOC | SHF_WRITE, .addr = DATA, .data = words, .size = sizeof(words) - 4},
	};
	uint64_t value, addr, found[8];
	size_t at = 0, nr = 0;
	struct goelf g;
	struct file f;

	open_words(&f, &g, sections, 2);
	CU_ASSERT(goelf_word(&g, DATA, &value) && value == 7);
	CU_ASSERT(goelf_word(&g, DATA + 8, &value) && value == 7);
	CU_ASSERT(goelf_word(&g, DATA + 16, &value) && value == 7);
	CU_ASSERT(goelf_word(&g, DATA + 24, &value) && value == 0);
	CU_ASSERT_FALSE(goelf_word(&g, DATA + 32, &value)); /* half of it is there */
	CU_ASSERT_FALSE(goelf_word(&g, DATA + 36, &value));
	CU_ASSERT_FALSE(goelf_word(&g, DATA - 8, &value));
	while (nr < 8 && goelf_find_word(&g, 7, &at, &addr))
		found[nr++] = addr;
	CU_ASSERT_EQUAL(nr, 4);
	CU_ASSERT(found[0] == DATA && found[1] == DATA + 16 && found[2] == DATA + 8 && found[3] == DATA + 40);
	close_words(&f, &g);
}

/* Symbols by name; sections that have no bytes in the file, or claim more than it has. */
static void sections_and_symbols(void)
{
	static const char names[] = "\0none\0here";
	static const Elf64_Sym symbols[] = {
		{0}, {.st_name = 1, .st_value = 0}, {.st_name = 6, .st_value = DATA}, {.st_name = 100, .st_value = 5},
	};
	const struct elf_section sections[] = {
		{.name = ".strtab", .type = SHT_STRTAB, .data = names, .size = sizeof(names)},
		{.name = ".symtab", .type = SHT_SYMTAB, .data = symbols, .size = sizeof(symbols), .link = 1, .entsize = sizeof(*symbols)},
		{.name = ".long", .data = names, .size = sizeof(names), .says_size = 1 << 20},
		{.name = ".far", .data = names, .size = sizeof(names), .says_offset = 1 << 20},
		{.name = ".empty", .type = SHT_NOBITS, .data = names, .size = sizeof(names)},
		{.name = ".packed", .flags = SHF_COMPRESSED, .data = names, .size = sizeof(names)},
		{.name = ".plain", .data = names, .size = sizeof(names)},
	};
	uint64_t value = 0;
	struct goelf g;
	struct file f;

	open_words(&f, &g, sections, 7);
	CU_ASSERT(goelf_symbol(&g, "here", &value) && value == DATA);
	CU_ASSERT_FALSE(goelf_symbol(&g, "none", &value)); /* of no address */
	CU_ASSERT_FALSE(goelf_symbol(&g, "nowhere", &value));
	for (size_t i = 2; i < 6; i++)
		CU_ASSERT_PTR_NULL(goelf_section(&g, sections[i].name));
	CU_ASSERT_PTR_NOT_NULL(goelf_section(&g, ".plain"));
	CU_ASSERT_PTR_NULL(goelf_section(&g, ".absent"));
	close_words(&f, &g);
}

/* More sections than any Go program has, and 32-bit files, are left alone. */
static void not_for_go(void)
{
	const struct elf_section none[1] = {{.name = ".text"}};
	size_t nr = 70000;
	uint8_t *many;
	struct goelf g;
	struct file f;

	open_file(&f, none, 1);
	CU_ASSERT_TRUE(goelf_open(&g, f.elf));
	goelf_release(&g);
	elf_end(f.elf);
	/* the number of sections stands in the first one when it is large */
	many = xcalloc(1, f.size + nr * sizeof(Elf64_Shdr));
	memcpy(many, f.bytes, f.size);
	((Elf64_Ehdr *)many)->e_shnum = 0;
	((Elf64_Shdr *)(many + ((Elf64_Ehdr *)many)->e_shoff))->sh_size = nr;
	f.elf = elf_memory((char *)many, f.size + nr * sizeof(Elf64_Shdr));
	CU_ASSERT_PTR_NOT_NULL_FATAL(f.elf);
	CU_ASSERT_FALSE(goelf_open(&g, f.elf));
	goelf_release(&g);
	elf_end(f.elf);
	free(many);
	f.bytes[EI_CLASS] = ELFCLASS32;
	f.elf = elf_memory((char *)f.bytes, f.size);
	CU_ASSERT_FALSE(goelf_open(&g, f.elf));
	goelf_release(&g);
	close_file(&f);
}

/* --- symbols ------------------------------------------------------------------------------------------ */

#define TEXT UINT64_C(0x401000)

static const char *symbol_at(struct symtab *t, uint64_t addr)
{
	const struct symtab_entry *s = symtab_find(t, addr);

	return s ? s->name : "";
}

/* Labels inside of a function with a size are none of their own; elsewhere they are. */
static void labels_inside_of_functions(void)
{
	static const char names[] = "\0func\0inside\0behind\0data\0$x";
	static const Elf64_Sym symbols[] = {
		{0},
		{.st_name = 1, .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC), .st_shndx = 2, .st_value = TEXT, .st_size = 0x40},
		{.st_name = 6, .st_info = ELF64_ST_INFO(STB_LOCAL, STT_NOTYPE), .st_shndx = 2, .st_value = TEXT + 0x10},
		{.st_name = 13, .st_info = ELF64_ST_INFO(STB_LOCAL, STT_NOTYPE), .st_shndx = 2, .st_value = TEXT + 0x40},
		{.st_name = 20, .st_info = ELF64_ST_INFO(STB_LOCAL, STT_NOTYPE), .st_shndx = 1, .st_value = TEXT + 0x50},
		{.st_name = 25, .st_info = ELF64_ST_INFO(STB_LOCAL, STT_NOTYPE), .st_shndx = 2, .st_value = TEXT + 0x60},
		{.st_name = 1, .st_info = ELF64_ST_INFO(STB_LOCAL, STT_FUNC), .st_shndx = SHN_UNDEF, .st_value = TEXT + 0x70},
		{.st_name = 1, .st_info = ELF64_ST_INFO(STB_LOCAL, STT_OBJECT), .st_shndx = 2, .st_value = TEXT + 0x70},
		{.st_name = 1, .st_info = ELF64_ST_INFO(STB_LOCAL, STT_FUNC), .st_shndx = 2, .st_value = UINT64_MAX - 8, .st_size = 16},
	};
	static const uint8_t code[0x80];
	const struct elf_section sections[] = {
		{.name = ".text", .flags = SHF_ALLOC | SHF_EXECINSTR, .addr = TEXT, .data = code, .size = sizeof(code)},
		{.name = ".strtab", .type = SHT_STRTAB, .data = names, .size = sizeof(names)},
		{.name = ".symtab", .type = SHT_SYMTAB, .data = symbols, .size = sizeof(symbols), .link = 2, .entsize = sizeof(*symbols)},
	};
	struct symtab t = {0};
	struct file f;

	open_file(&f, sections, 3);
	symtab_add_elf(&t, f.elf);
	symtab_finish(&t);
	CU_ASSERT_STRING_EQUAL(symbol_at(&t, TEXT + 0x3f), "func");
	CU_ASSERT_STRING_EQUAL(symbol_at(&t, TEXT + 0x10), "func");
	CU_ASSERT_STRING_EQUAL(symbol_at(&t, TEXT + 0x70), "behind");
	CU_ASSERT_STRING_EQUAL(symbol_at(&t, TEXT - 1), "");
	CU_ASSERT_STRING_EQUAL(symbol_at(&t, UINT64_MAX - 8), "");
	symtab_release(&t);
	close_file(&f);
}

/* Stubs of imported functions: as many as their section has room for, whatever the relocations say. */
static void stubs_of_the_plt(void)
{
	static const char names[] = "\0one\0two\0three";
	static const Elf64_Sym symbols[] = {{0}, {.st_name = 1}, {.st_name = 5}, {.st_name = 9}, {.st_name = 0}, {.st_name = 1000}};
	static const uint8_t code[16 * 4];
	Elf64_Rela relas[] = {
		{0, ELF64_R_INFO(1, R_X86_64_JUMP_SLOT), 0}, {0, ELF64_R_INFO(4, R_X86_64_JUMP_SLOT), 0},
		{0, ELF64_R_INFO(2, R_X86_64_JUMP_SLOT), 0}, {0, ELF64_R_INFO(3, R_X86_64_JUMP_SLOT), 0},
	};
	struct elf_section sections[] = {
		{.name = ".dynstr", .type = SHT_STRTAB, .data = names, .size = sizeof(names)},
		{.name = ".dynsym", .type = SHT_DYNSYM, .data = symbols, .size = sizeof(symbols), .link = 1, .entsize = sizeof(*symbols)},
		{.name = ".rela.plt", .type = SHT_RELA, .data = relas, .size = sizeof(relas), .link = 2, .entsize = sizeof(*relas)},
		{.name = ".plt", .addr = TEXT, .data = code, .size = sizeof(code)},
	};

	for (int broken = 0; broken < 4; broken++) {
		struct symtab t = {0};
		struct file f;

		relas[0].r_info = ELF64_R_INFO(broken == 1 ? 5u : broken == 2 ? 999u : 1u, R_X86_64_JUMP_SLOT);
		sections[2].link = broken == 3 ? 77 : 2;
		open_file(&f, sections, 4);
		symtab_add_plt(&t, f.elf);
		symtab_finish(&t);
		CU_ASSERT_EQUAL(t.nr, broken == 3 ? 0 : broken ? 1 : 2);
		CU_ASSERT_STRING_EQUAL(symbol_at(&t, TEXT + 16), broken ? "" : "one@plt"); /* behind the first stub, which binds */
		CU_ASSERT_STRING_EQUAL(symbol_at(&t, TEXT + 32), ""); /* without a name */
		CU_ASSERT_STRING_EQUAL(symbol_at(&t, TEXT + 63), broken == 3 ? "" : "two@plt");
		CU_ASSERT_STRING_EQUAL(symbol_at(&t, TEXT + 64), ""); /* three would lie outside */
		symtab_release(&t);
		close_file(&f);
	}
}

static const struct suite_test tests[] = {
	{"packed sections", packed_sections},
	{"packed beyond belief", packed_beyond_belief},
	{"sections outside of the file", sections_outside_of_the_file},
	{"too many sections", too_many_sections},
	{"heads of units", heads_of_units},
	{"bytes by address", bytes_by_address},
	{"words by address", words_by_address},
	{"sections and symbols", sections_and_symbols},
	{"not for Go", not_for_go},
	{"labels inside of functions", labels_inside_of_functions},
	{"stubs of the PLT", stubs_of_the_plt},
	{NULL, NULL},
};
const struct suite suite_sections = {"sections", tests};
