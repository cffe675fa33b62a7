/*
 * Names for addresses: of this very program, of text files, of mangled names.
 */
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "process/dwarfinfo.h"
#include "process/symbol.h"
#include "process/symtab.h"
#include "suite.h"

/* --- code to look up ---------------------------------------------------------------------------- */

static void *here(void) __attribute__((noinline));
static void *here(void)
{
	return __builtin_return_address(0);
}

static inline __attribute__((always_inline)) char *test_inner(void)
{
	char *p = here(); /* line INNER_LINE */

	return p + 1;
}
enum { INNER_LINE = __LINE__ - 4 };

char *test_outer(int *line) __attribute__((noinline));
char *test_outer(int *line)
{
	char *p;

	*line = __LINE__ + 1;
	p = test_inner();
	return p + *line - *line;
}

/* Of these names for one function perf takes the one without underscores. */
int test_target(int x) __attribute__((noinline));
int test_target(int x)
{
	return x * 3;
}
int __test_target_a(int x) __attribute__((alias("test_target")));
int test_target_weak_but_longer(int x) __attribute__((weak, alias("test_target")));

struct program {
	struct modules *ms;
	struct module *m;
	struct strtab strings;
	struct symbol frames[16];
	size_t nr;
};

static int take_base(struct dl_phdr_info *info, size_t size, void *base)
{
	(void)size;
	*(uint64_t *)base = info->dlpi_addr;
	return 1; /* the first one is the program */
}

static void open_self(struct program *p)
{
	const struct module_options opts = {.debug_dir = "/nonexistent", .buildid_dir = "/nonexistent"};
	char path[4096];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

	CU_ASSERT_FATAL(n > 0);
	path[n] = '\0';
	p->ms = modules_new(&opts);
	p->m = modules_add(p->ms, path, 0, MODULE_FILE, NULL, 0);
	strtab_init(&p->strings);
}

static void close_self(struct program *p)
{
	modules_free(p->ms);
	strtab_release(&p->strings);
}

static void look_up(struct program *p, const void *addr, bool inlines)
{
	uint64_t base = 0;

	dl_iterate_phdr(take_base, &base);
	p->nr = symbolise(p->ms, p->m, (uint64_t)(uintptr_t)addr - base, SYMBOL_LINES | (inlines ? SYMBOL_INLINES : 0), NULL, &p->strings, p->frames, 16);
}

static const char *name(const struct program *p, size_t i)
{
	return i < p->nr ? strtab_get(&p->strings, p->frames[i].name) : "";
}

static bool ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n >= m && !strcmp(s + n - m, end);
}

static void inlined_calls_of_this_program(void)
{
	struct program p;
	int line = 0;
	char *pc = test_outer(&line) - 1; /* a return address: look up the byte before */

	open_self(&p);
	look_up(&p, pc - 1, true);
	if (p.nr && !p.frames[0].file) {
		test_skip("inlined_calls_of_this_program", "built without -g");
		close_self(&p);
		return;
	}
	CU_ASSERT_EQUAL_FATAL(p.nr, 2);
	CU_ASSERT_STRING_EQUAL(name(&p, 0), "test_inner");
	CU_ASSERT(p.frames[0].inlined && p.frames[0].line == INNER_LINE && p.frames[0].start_line == INNER_LINE - 2);
	CU_ASSERT(ends_with(strtab_get(&p.strings, p.frames[0].file), "test_symbol.c"));
	CU_ASSERT_STRING_EQUAL(name(&p, 1), "test_outer");
	CU_ASSERT(!p.frames[1].inlined && p.frames[1].line == line && p.frames[1].named && !p.frames[1].go);
	look_up(&p, pc - 1, false);
	CU_ASSERT_EQUAL(p.nr, 1);
	CU_ASSERT_STRING_EQUAL(name(&p, 0), "test_outer");
	CU_ASSERT_EQUAL(p.frames[0].line, line);
	close_self(&p);
}

static void best_of_several_names(void)
{
	struct program p;

	open_self(&p);
	look_up(&p, (const void *)(uintptr_t)test_target, false);
	CU_ASSERT_STRING_EQUAL(name(&p, 0), "test_target");
	close_self(&p);
	CU_ASSERT_EQUAL(__test_target_a(1) + test_target_weak_but_longer(1), 6);
}

static void where_nothing_is_known(void)
{
	struct program p;
	char want[5000];

	open_self(&p);
	p.nr = symbolise(p.ms, p.m, UINT64_C(0x7ffff0000123), SYMBOL_INLINES | SYMBOL_LINES, NULL, &p.strings, p.frames, 16);
	snprintf(want, sizeof(want), "[%s]+0x7ffff0000123", p.m->name);
	CU_ASSERT_EQUAL(p.nr, 1);
	CU_ASSERT_STRING_EQUAL(name(&p, 0), want);
	CU_ASSERT(!p.frames[0].named && !p.frames[0].file && !p.frames[0].line);
	p.m = modules_add(p.ms, "/no/such/libfoo.so", 0, MODULE_FILE, NULL, 0);
	p.nr = symbolise(p.ms, p.m, 0x10, SYMBOL_INLINES | SYMBOL_LINES, NULL, &p.strings, p.frames, 16);
	CU_ASSERT_STRING_EQUAL(name(&p, 0), "[libfoo.so]+0x10");
	close_self(&p);
}

/* --- text files ---------------------------------------------------------------------------------- */

static char *write_file(const char *text)
{
	static char path[64];
	int fd;

	snprintf(path, sizeof(path), "/tmp/perfskew-symbols-XXXXXX");
	fd = mkstemp(path);
	CU_ASSERT_FATAL(fd >= 0);
	CU_ASSERT_EQUAL(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	return path;
}

static const char *at(struct symtab *t, uint64_t addr)
{
	const struct symtab_entry *e = symtab_find(t, addr);

	return e ? e->name : "";
}

static void jit_maps(void)
{
	struct symtab t = {0};
	char *path = write_file("1000 20 first\n"
				"0x2000 0x10 with prefix and spaces\n"
				"1000 20 2nd\n"	 /* compiled again: the last one counts, not the longest name */
				"3000 nothing\n"
				"zzz 10 bad\n"
				"4000 0 empty\n"
				"5000 10 \n"
				"ffffffffffffff00 200 past the end\n"
				"6000 10 no newline");

	symtab_add_jitmap(&t, path);
	unlink(path);
	symtab_finish(&t);
	CU_ASSERT_EQUAL(t.nr, 3);
	CU_ASSERT_STRING_EQUAL(at(&t, 0x1000), "2nd");
	CU_ASSERT_STRING_EQUAL(at(&t, 0x101f), "2nd");
	CU_ASSERT_STRING_EQUAL(at(&t, 0x1020), "");
	CU_ASSERT_STRING_EQUAL(at(&t, 0xfff), "");
	CU_ASSERT_STRING_EQUAL(at(&t, 0x200f), "with prefix and spaces");
	CU_ASSERT_STRING_EQUAL(at(&t, 0x600f), "no newline");
	symtab_release(&t);
}

static void kernel_symbols(void)
{
	struct symtab t = {0};
	char *path = write_file("ffffffff81000000 T _text\n"
				"ffffffff81000100 t helper\n"
				"ffffffff81000100 T function\n"
				"ffffffff81000200 D data\n"
				"ffffffff81000300 W weak\n"
				"ffffffffc0000000 t in_module\t[mod]\n"
				"broken line\n"
				"0000000000000000 T hidden\n"
				"ffffffffc0000010 t more\t[mod]\n");
	uint64_t ref = symtab_add_kallsyms(&t, path, "_text");

	unlink(path);
	CU_ASSERT_EQUAL(ref, UINT64_C(0xffffffff81000000));
	symtab_finish(&t);
	CU_ASSERT_STRING_EQUAL(at(&t, UINT64_C(0xffffffff81000000)), "_text");
	CU_ASSERT_STRING_EQUAL(at(&t, UINT64_C(0xffffffff81000150)), "function");
	CU_ASSERT_STRING_EQUAL(at(&t, UINT64_C(0xffffffff81000300)), "weak");
	/* the gap up to the modules is nobody's */
	CU_ASSERT_STRING_EQUAL(at(&t, UINT64_C(0xffffffff90000000)), "");
	CU_ASSERT_STRING_EQUAL(at(&t, UINT64_C(0xffffffffc000000f)), "in_module");
	CU_ASSERT_STRING_EQUAL(at(&t, UINT64_C(0xffffffffc0000010)), "more");
	CU_ASSERT_STRING_EQUAL(at(&t, 0), "");
	symtab_shift(&t, 0x1000);
	CU_ASSERT_STRING_EQUAL(at(&t, UINT64_C(0xffffffff81001150)), "function");
	symtab_release(&t);
}

/* Lines in order are looked through in the text; behind a line out of order all become entries. */
static void kernel_symbols_in_order(void)
{
	static const char types[] = "tTtTwWdr";
	static char text[1 << 17];
	struct symtab in_text = {0}, parsed = {0};
	uint64_t addr = UINT64_C(0xffffffff80ffff00), first = addr;
	size_t n = (size_t)snprintf(text, sizeof(text), "fffffffffffffff0 r last\n"), tail;
	size_t from = n;
	unsigned seed = 7, wrong = 0, hits = 0;

	for (int i = 0; i < 2000; i++) {
		seed = seed * 1103515245 + 12345;
		if (i == 1900) /* modules: from here on out of order */
			addr -= 5000;
		addr += (seed >> 16) % 4 == 0 ? 0 : (seed >> 18) % 40;
		if (i == 500 || i == 1000)
			addr += i == 500 ? 3 << 19 : 1 << 19;
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%016llx %c f%u%s\n", (unsigned long long)addr,
				      types[(seed >> 20) % 8], (seed >> 24) % 100, i > 1900 ? "\t[mod]" : "");
	}
	for (size_t t = 0; t < 2; t++) {
		char *path = write_file(text + (t ? 0 : from));

		symtab_add_kallsyms(t ? &parsed : &in_text, path, NULL);
		unlink(path);
		symtab_shift(t ? &parsed : &in_text, 0x10);
		symtab_finish(t ? &parsed : &in_text);
	}
	tail = in_text.nr;
	CU_ASSERT(in_text.sorted > 40000 && tail && tail < 100);
	CU_ASSERT(parsed.nr > 1000);
	for (uint64_t a = first - 100; a < addr + 10000; a += a % 3 + 1) {
		hits += at(&in_text, a)[0] != '\0';
		wrong += strcmp(at(&in_text, a), at(&parsed, a)) != 0;
	}
	for (uint64_t a = addr + 10000; a > first - 100; a -= 6007)
		wrong += strcmp(at(&in_text, a), at(&parsed, a)) != 0;
	CU_ASSERT_EQUAL(wrong, 0);
	CU_ASSERT(hits > 10000);
	symtab_release(&in_text);
	symtab_release(&parsed);
}

/* Another process may cut the file short while its lines are looked through: that ends the names. */
static void kernel_symbols_cut_short(void)
{
	static const off_t sizes[] = {50000, 100, 0};
	static char text[1 << 17];
	const uint64_t first = UINT64_C(0xffffffff81000000);
	struct symtab t = {0};
	size_t n = 0, known = 0;
	char *path;

	for (unsigned i = 0; i < 4096; i++) /* 32 bytes each: whole pages, whose last line has no newline */
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%016llx t function%04u\n", (unsigned long long)(first + 16 * i), i);
	text[n - 1] = '\0';
	path = write_file(text);
	symtab_add_kallsyms(&t, path, NULL);
	symtab_finish(&t);
	for (uint64_t a = first; a < first + 16 * 4096; a += 16)
		known += at(&t, a)[0] == 'f';
	CU_ASSERT_EQUAL(known, 4096);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		CU_ASSERT_EQUAL(truncate(path, sizes[i]), 0);
		known = 0;
		for (uint64_t a = first; a < first + 16 * 4096; a += 16)
			known += at(&t, a)[0] == 'f';
		CU_ASSERT(known < 20); /* those in reach before it was noticed */
		CU_ASSERT(symtab_cut(&t));
	}
	unlink(path);
	symtab_release(&t);
}

/* Out of order in the upper half of the address alone. */
static void kernel_symbols_far_apart(void)
{
	struct symtab t = {0};
	char *path = write_file("ffffffff81000000 T high\n"
				"00000000ffff0000 T low\n"
				"ffffffff81001000 T higher\n");

	symtab_add_kallsyms(&t, path, NULL);
	unlink(path);
	symtab_finish(&t);
	CU_ASSERT_STRING_EQUAL(at(&t, UINT64_C(0xffffffff81000010)), "high");
	CU_ASSERT_STRING_EQUAL(at(&t, UINT64_C(0xffff0010)), "low");
	CU_ASSERT_STRING_EQUAL(at(&t, UINT64_C(0xffffffff81001010)), "higher");
	symtab_release(&t);
}

static void files_that_are_not_there(void)
{
	struct symtab t = {0};

	symtab_add_jitmap(&t, "/nonexistent/perf-1.map");
	symtab_add_jitmap(&t, "/dev/zero"); /* a device: refused, or it would never end */
	CU_ASSERT_EQUAL(symtab_add_kallsyms(&t, "/tmp", NULL), 0);
	symtab_finish(&t);
	CU_ASSERT_PTR_NULL(symtab_find(&t, 0));
	symtab_release(&t);
}

static void lines_too_long(void)
{
	struct symtab t = {0};
	size_t n = 200000;
	char *text = malloc(n + 64), *path;

	memset(text, 'x', n);
	memcpy(text, "1000 10 ", 8);
	snprintf(text + n, 64, "\n2000 10 short\n");
	path = write_file(text);
	symtab_add_jitmap(&t, path);
	unlink(path);
	free(text);
	symtab_finish(&t);
	CU_ASSERT_EQUAL(t.nr, 1);
	CU_ASSERT_STRING_EQUAL(at(&t, 0x2000), "short");
	symtab_release(&t);
}

/* --- names --------------------------------------------------------------------------------------- */

static void demangled_names(void)
{
	static const struct {
		const char *mangled, *plain; /* NULL: left alone */
	} cases[] = {
		{"_ZN1a1b1c4workERKSt6vectorIiSaIiEE", "a::b::c::work(std::vector<int, std::allocator<int> > const&)"},
		{"_ZN12_GLOBAL__N_14anonEi", "(anonymous namespace)::anon(int)"},
		{"_ZN3foo3barEv.cold", "foo::bar() [clone .cold]"},
		{"_ZN4core3fmt5Write9write_fmt17h0123456789abcdefE", "core::fmt::Write::write_fmt"},
		{"_ZN60_$LT$alloc..string..String$u20$as$u20$core..fmt..Display$GT$3fmt17h0123456789abcdefE",
		 "<alloc::string::String as core::fmt::Display>::fmt"},
		{"_ZN1r4main28_$u7b$$u7b$closure$u7d$$u7d$17h0123456789abcdefE", "r::main::{{closure}}"},
		{"_RNvCs1234_7mycrate3foo", NULL}, /* Rust v0: stays */
		{"main", NULL},
		{"_Z", NULL},
		{"_ZN", NULL},
		{"_ZZZZZZZZ", NULL},
		{"", NULL},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char *got = demangle(cases[i].mangled);

		if (cases[i].plain) {
			CU_ASSERT_PTR_NOT_NULL_FATAL(got);
			CU_ASSERT_STRING_EQUAL(got, cases[i].plain);
		} else {
			CU_ASSERT_PTR_NULL(got);
		}
		free(got);
	}
}

/* Names that make demanglers recurse or explode: an answer, or none, but soon. */
static void hostile_names(void)
{
	char *text = malloc(100002), *plain;
	size_t at;

	for (size_t n = 16; n <= 100000; n *= 5) {
		memset(text, 'P', n); /* pointer to pointer to … */
		memcpy(text, "_Z1f", 4);
		text[n] = '\0';
		free(demangle(text));
		text[n - 1] = 'i';
		free(demangle(text));
		memset(text + 2, 'N', n - 2);
		free(demangle(text));
	}
	/* each pair is twice the one before: 8 TB in the end */
	at = (size_t)snprintf(text, 100002, "_Z1fSt4pairIiiES_IS0_S0_E");
	for (int i = 1; i < 30; i++)
		at += (size_t)snprintf(text + at, 100002 - at, "S_IS%c_S%c_E", i < 10 ? '0' + i : 'A' + i - 10,
				       i < 10 ? '0' + i : 'A' + i - 10);
	CU_ASSERT_PTR_NULL(demangle(text));
	text[at = strlen("_Z1fSt4pairIiiES_IS0_S0_ES_IS1_S1_E")] = '\0';
	plain = demangle(text);
	CU_ASSERT_PTR_NOT_NULL(plain);
	free(plain);
	free(text);
}

/* --- which unit has an address ---------------------------------------------------------------------- */

struct image {
	uint8_t *bytes;
	size_t size;
	Elf *elf;
	Elf64_Shdr *aranges;
	Elf64_Addr text, text_end;
};

/* This program's file in memory; without .debug_aranges: aranges NULL. */
static void read_self(struct image *im)
{
	FILE *f = fopen("/proc/self/exe", "re");
	const Elf64_Ehdr *eh;
	Elf64_Shdr *sh;
	const char *names;

	*im = (struct image){.bytes = NULL};
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	fseek(f, 0, SEEK_END);
	im->size = (size_t)ftell(f);
	im->bytes = malloc(im->size);
	CU_ASSERT_PTR_NOT_NULL_FATAL(im->bytes);
	rewind(f);
	CU_ASSERT_EQUAL_FATAL(fread(im->bytes, 1, im->size, f), im->size);
	fclose(f);
	eh = (const Elf64_Ehdr *)im->bytes;
	sh = (Elf64_Shdr *)(im->bytes + eh->e_shoff);
	names = (const char *)im->bytes + sh[eh->e_shstrndx].sh_offset;
	for (int i = 0; i < eh->e_shnum; i++) {
		if (!strcmp(names + sh[i].sh_name, ".debug_aranges"))
			im->aranges = &sh[i];
		if (!strcmp(names + sh[i].sh_name, ".text")) {
			im->text = sh[i].sh_addr;
			im->text_end = sh[i].sh_addr + sh[i].sh_size;
		}
	}
}

/* Every range a byte long: nearly all addresses are in none, but in their units. */
static void shorten_aranges(struct image *im)
{
	uint8_t *p = im->bytes + im->aranges->sh_offset, *end = p + im->aranges->sh_size;

	while (p + 16 <= end) {
		uint32_t length;

		memcpy(&length, p, sizeof(length));
		for (uint8_t *tuple = p + 16; tuple + 16 <= p + 4 + length; tuple += 16) {
			uint64_t size;

			memcpy(&size, tuple + 8, sizeof(size));
			size = size > 0;
			memcpy(tuple + 8, &size, sizeof(size));
		}
		p += 4 + length;
	}
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

/* .debug_aranges is a shorter way to the same frames, whether it is whole, wrong or not there. */
static void units_are_found_without_aranges(void)
{
	struct image im[3];
	struct dwarfinfo *d[3];
	size_t with_frames = 0;

	for (int i = 0; i < 3; i++)
		read_self(&im[i]);
	if (!im[0].aranges || im[0].aranges->sh_flags & SHF_COMPRESSED) {
		fprintf(stderr, "skipped: this program has no plain .debug_aranges\n");
		for (int i = 0; i < 3; i++)
			free(im[i].bytes);
		return;
	}
	shorten_aranges(&im[1]);
	im[2].aranges->sh_type = SHT_NOBITS;
	elf_version(EV_CURRENT);
	for (int i = 0; i < 3; i++) {
		im[i].elf = elf_memory((char *)im[i].bytes, im[i].size);
		d[i] = dwarfinfo_open(im[i].elf);
		CU_ASSERT_PTR_NOT_NULL_FATAL(d[i]);
	}
	CU_ASSERT_TRUE(d[0]->by_aranges);
	CU_ASSERT_TRUE(d[1]->by_aranges);
	CU_ASSERT_FALSE(d[2]->by_aranges);
	for (Elf64_Addr at = im[0].text; at < im[0].text_end; at += 509) {
		struct dwarf_frame frames[3][16];
		size_t nr[3];

		for (int i = 0; i < 3; i++)
			nr[i] = dwarfinfo_frames(d[i], at, frames[i], 16);
		with_frames += nr[0] > 0;
		for (int i = 1; i < 3; i++) {
			CU_ASSERT_EQUAL(nr[i], nr[0]);
			for (size_t k = 0; k < nr[0] && nr[i] == nr[0]; k++)
				CU_ASSERT_TRUE(same_text(frames[i][k].name, frames[0][k].name) &&
					       same_text(frames[i][k].file, frames[0][k].file) &&
					       frames[i][k].line == frames[0][k].line);
		}
	}
	CU_ASSERT_TRUE(with_frames > 100);
	CU_ASSERT_FALSE(d[1]->by_aranges); /* it had to look further */
	for (int i = 0; i < 3; i++) {
		dwarfinfo_close(d[i]);
		elf_end(im[i].elf);
		free(im[i].bytes);
	}
}

static const struct suite_test tests[] = {
	{"inlined calls of this program", inlined_calls_of_this_program},
	{"best of several names", best_of_several_names},
	{"where nothing is known", where_nothing_is_known},
	{"JIT maps", jit_maps},
	{"kernel symbols", kernel_symbols},
	{"kernel symbols in order of address", kernel_symbols_in_order},
	{"kernel symbols: file cut short", kernel_symbols_cut_short},
	{"kernel symbols far apart", kernel_symbols_far_apart},
	{"files that are not there", files_that_are_not_there},
	{"lines too long", lines_too_long},
	{"demangled names", demangled_names},
	{"hostile names", hostile_names},
	{"units are found without aranges", units_are_found_without_aranges},
	{NULL, NULL},
};

const struct suite suite_symbol = {"symbol", tests};
