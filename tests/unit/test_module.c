/*
 * Modules: which file on this machine is taken for the recorded one, and why not.
 */
#include <elf.h>
#include <ftw.h>
#include <lzma.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/alloc.h"
#include "base/pool.h"
#include "elffile.h"
#include "process/local.h"
#include "process/module.h"
#include "process/symbol.h"
#include "suite.h"

static const uint8_t id_a[20] = {0xaa, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19};
static const uint8_t id_b[20] = {0xbb, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19};
#define HEX_A "aa0102030405060708090a0b0c0d0e0f10111213"
#define HEX_B "bb0102030405060708090a0b0c0d0e0f10111213"
/* perf's cache: two digits, a slash, the rest */
#define CACHE_A ".build-id/aa/0102030405060708090a0b0c0d0e0f10111213"

static char dir[64];

static void begin(void)
{
	snprintf(dir, sizeof(dir), "/tmp/perfskew-test-XXXXXX");
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static void end(void)
{
	nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static char *in_dir(const char *name)
{
	return xasprintf("%s/%s", dir, name);
}

static void write_elf(const char *name, const uint8_t *id)
{
	const struct elf_wish wish = {.build_id = id, .build_id_size = 20, .text_offset = 0x1000, .text_size = 0x1800};
	size_t size;
	uint8_t *bytes = elf_make(&wish, &size);

	CU_ASSERT_PTR_NOT_NULL_FATAL(elf_write(dir, name, bytes, size));
	free(bytes);
}

/* Nothing of this machine is found by chance. */
static struct module_options options(void)
{
	return (struct module_options){.debug_dir = "/nonexistent", .buildid_dir = "/nonexistent"};
}

static struct modules *ms;

static struct module *open_path(const struct module_options *o, const char *path, const uint8_t *id)
{
	struct module *m;

	ms = modules_new(o);
	m = modules_add(ms, path, 0, MODULE_FILE, id, id ? 20 : 0);
	module_open(ms, m);
	return m;
}

/* The same below the test's folder. */
static struct module *open_name(const struct module_options *o, const char *name, const uint8_t *id)
{
	char *path = in_dir(name);
	struct module *m = open_path(o, path, id);

	free(path);
	return m;
}

static bool why_has(const struct module *m, const char *text)
{
	return m->why && strstr(m->why, text);
}

static void build_ids_decide(void)
{
	struct module_options o = options();
	struct module *m;

	begin();
	write_elf("prog", id_a);
	m = open_name(&o, "prog", id_a);
	CU_ASSERT_EQUAL(m->status, MODULE_VERIFIED);
	CU_ASSERT_PTR_NOT_NULL(m->elf);
	CU_ASSERT_EQUAL(m->nr_segments, 1);
	CU_ASSERT_PTR_NULL(m->why);
	modules_free(ms);
	m = open_name(&o, "prog", NULL);
	CU_ASSERT_EQUAL(m->status, MODULE_UNVERIFIED);
	CU_ASSERT_PTR_NOT_NULL(m->elf);
	modules_free(ms);
	m = open_name(&o, "prog", id_b);
	CU_ASSERT_EQUAL(m->status, MODULE_MISMATCH);
	CU_ASSERT_PTR_NULL(m->elf);
	CU_ASSERT(why_has(m, HEX_A) && why_has(m, HEX_B));
	modules_free(ms);
	write_elf("plain", NULL);
	m = open_name(&o, "plain", id_b);
	CU_ASSERT_EQUAL(m->status, MODULE_UNVERIFIED);
	modules_free(ms);
	end();
}

static void no_regular_file_no_module(void)
{
	static const char *const names[] = {"folder", "fifo", "empty", "text", "none"};
	struct module_options o = options();
	char *path;

	begin();
	path = in_dir("folder");
	CU_ASSERT_EQUAL(mkdir(path, 0777), 0);
	free(path);
	path = in_dir("fifo");
	CU_ASSERT_EQUAL(mkfifo(path, 0666), 0);
	free(path);
	elf_write(dir, "empty", "", 0);
	elf_write(dir, "text", "#!/bin/sh\n", 10);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		const struct module *m = open_name(&o, names[i], NULL);

		CU_ASSERT_EQUAL(m->status, MODULE_MISSING);
		CU_ASSERT_PTR_NULL(m->elf);
		CU_ASSERT_PTR_NOT_NULL(m->why);
		modules_free(ms);
	}
	CU_ASSERT(why_has(open_path(&o, "/dev/zero", NULL), "not a regular file"));
	modules_free(ms);
	CU_ASSERT(why_has(open_path(&o, "/gone (deleted)", NULL), "deleted"));
	modules_free(ms);
	end();
}

static struct module *open_mapped(const char *name, uint64_t pgoff, uint64_t len)
{
	const struct perf_mmap map = {.pgoff = pgoff, .len = len, .prot = 5};
	struct module_options o = options();
	char *path = in_dir(name);
	struct module *m;

	ms = modules_new(&o);
	m = modules_add(ms, path, 0, MODULE_FILE, NULL, 0);
	module_mapped(m, &map);
	module_open(ms, m);
	free(path);
	return m;
}

/* Without a build-id the mapped code must be what the file's segment makes. */
static void code_ranges_decide_without_build_ids(void)
{
	static const struct {
		uint64_t pgoff, len;
		bool fits;
	} cases[] = {
		{0x1000, 0x2000, true},
		{0, 0x10000, true},	  /* 64 KB pages */
		{0x1000, 0x1000, false},  /* the recorded code was shorter */
		{0x1000, 0x40000, false}, /* … longer */
		{0x20000, 0x2000, false}, /* … elsewhere */
		{0x1000, UINT64_MAX, false},
	};

	begin();
	write_elf("prog", NULL);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct module *m = open_mapped("prog", cases[i].pgoff, cases[i].len);

		CU_ASSERT_EQUAL(m->status, cases[i].fits ? MODULE_UNVERIFIED : MODULE_MISMATCH);
		CU_ASSERT_EQUAL(m->elf != NULL, cases[i].fits);
		CU_ASSERT_EQUAL(why_has(m, "another build"), !cases[i].fits);
		modules_free(ms);
	}
	end();
}

/* Segments that say they reach round to where they began fit nothing. */
static void segments_beyond_all_memory(void)
{
	const struct elf_wish wish = {.text_offset = 0x1000, .text_size = 0x1800};

	begin();
	for (int huge = 0; huge < 2; huge++) {
		size_t size;
		uint8_t *bytes = elf_make(&wish, &size);
		const struct module *m;

		if (huge)
			((Elf64_Phdr *)(bytes + sizeof(Elf64_Ehdr)))->p_memsz = UINT64_MAX - 0x1000;
		CU_ASSERT_PTR_NOT_NULL_FATAL(elf_write(dir, "prog", bytes, size));
		free(bytes);
		m = open_mapped("prog", 0x1000, 0x2000);
		CU_ASSERT_EQUAL(m->status, huge ? MODULE_MISMATCH : MODULE_UNVERIFIED);
		modules_free(ms);
	}
	end();
}

/* Build-ids longer than there is room for, or of no byte, are none. */
static void build_ids_of_odd_sizes(void)
{
	struct module_options o = options();
	struct perf_build_id *id = calloc(1, sizeof(*id));

	id->misc = PERF_CPUMODE_USER;
	id->path = "/prog";
	for (unsigned size = 0; size < 256; size += size < 22 ? 1 : 100) {
		struct module *m;

		ms = modules_new(&o);
		m = modules_add(ms, "/prog", 0, MODULE_FILE, NULL, 0);
		id->size = (uint8_t)size;
		modules_set_build_id(ms, id);
		CU_ASSERT_EQUAL(m->build_id_size, size > 20 ? 0 : size);
		modules_free(ms);
	}
	free(id);
}

static void expect_file(const struct module_options *o, const char *path, const uint8_t *id, const char *want)
{
	const struct module *m = open_path(o, path, id);
	char *file = in_dir(want);

	CU_ASSERT_EQUAL(m->status, id ? MODULE_VERIFIED : MODULE_UNVERIFIED);
	CU_ASSERT_PTR_NOT_NULL(m->file);
	if (m->file)
		CU_ASSERT_STRING_EQUAL(m->file, file);
	free(file);
	modules_free(ms);
}

static void searched_in_all_places(void)
{
	struct module_options o = options();
	char *root, *flat, *alone, *other, *bin;
	const char *extra[4] = {NULL};

	begin();
	root = in_dir("root");
	flat = in_dir("flat,flat");
	alone = in_dir("flat");
	other = in_dir("other");
	bin = in_dir("bin");
	write_elf("root/usr/bin/prog", id_a);
	o.symfs = root;
	expect_file(&o, "/usr/bin/prog", id_a, "root//usr/bin/prog");
	expect_file(&o, "/usr/bin/prog (deleted)", NULL, "root//usr/bin/prog");
	write_elf("flat/prog", id_a);
	o.symfs = flat;
	expect_file(&o, "/usr/bin/prog", id_a, "flat/prog");
	o.symfs = alone; /* no such hierarchy: the binaries may lie in the folder itself */
	expect_file(&o, "/usr/bin/prog", id_a, "flat/prog");

	/* --binary: by build-id whatever the name, by name without */
	o = options();
	write_elf("other", id_a);
	extra[0] = other;
	o.extra = extra;
	expect_file(&o, "/usr/bin/prog", id_a, "other");
	expect_file(&o, "/opt/other", NULL, "other");
	CU_ASSERT_EQUAL(open_path(&o, "/opt/third", NULL)->status, MODULE_MISSING);
	modules_free(ms);
	CU_ASSERT_EQUAL(open_path(&o, "/opt/third", id_b)->status, MODULE_MISSING);
	modules_free(ms);
	CU_ASSERT_EQUAL(open_path(&o, "/opt/other", id_b)->status, MODULE_MISMATCH);
	modules_free(ms);
	write_elf("bin/prog", id_a);
	extra[0] = bin;
	expect_file(&o, "/usr/bin/prog", id_a, "bin/prog");

	o = options();
	o.buildid_dir = dir;
	write_elf(CACHE_A "/elf", id_a);
	expect_file(&o, "/usr/bin/prog", id_a, CACHE_A "/elf");
	free(root);
	free(flat);
	free(alone);
	free(other);
	free(bin);
	end();
	begin();
	o.buildid_dir = dir;
	write_elf(CACHE_A, id_a); /* perf before 4.12 */
	expect_file(&o, "/usr/bin/prog", id_a, CACHE_A);
	end();
}

static bool has_debug(const struct module_options *o, const char *name)
{
	bool found = open_name(o, name, NULL)->debug != NULL;

	modules_free(ms);
	return found;
}

/* A server of debuginfod's layout, by its library; one that does not answer is not asked again in this run. */
static void asked_of_servers(void)
{
#ifdef HAVE_DEBUGINFOD
	struct module_options o = options();
	char *cache, *url;
	struct module *m;

	begin();
	cache = in_dir("cache");
	url = xasprintf("file://%s/server", dir);
	setenv("DEBUGINFOD_CACHE_PATH", cache, 1);
	setenv("DEBUGINFOD_URLS", url, 1);
	write_elf("server/buildid/" HEX_A "/executable", id_a);
	m = open_path(&o, "/usr/bin/prog", id_a);
	CU_ASSERT_EQUAL(m->status, MODULE_MISSING);
	modules_free(ms);
	o.fetch = module_debuginfod;
	expect_file(&o, "/usr/bin/prog", id_a, "cache/" HEX_A "/executable");
	m = open_path(&o, "/usr/bin/other", id_b);
	CU_ASSERT_EQUAL(m->status, MODULE_MISSING);
	CU_ASSERT_FALSE(why_has(m, "do not answer"));
	modules_free(ms);
	end();
	begin(); /* the cache remembers what was not there */
	free(cache);
	cache = in_dir("cache");
	setenv("DEBUGINFOD_CACHE_PATH", cache, 1);
	setenv("DEBUGINFOD_URLS", "http://127.0.0.1:1", 1);
	m = open_path(&o, "/usr/bin/other", id_b);
	CU_ASSERT_EQUAL(m->status, MODULE_MISSING);
	CU_ASSERT_TRUE(why_has(m, "do not answer"));
	modules_free(ms);
	unsetenv("DEBUGINFOD_URLS");
	unsetenv("DEBUGINFOD_CACHE_PATH");
	free(cache);
	free(url);
	end();
#endif
}

static void write_linked(const char *name, uint32_t crc)
{
	const struct elf_wish wish = {.text_offset = 0x1000, .text_size = 16, .debuglink = "prog.debug", .debuglink_crc = crc};
	size_t size;
	uint8_t *bytes = elf_make(&wish, &size);

	elf_write(dir, name, bytes, size);
	free(bytes);
}

static void debug_files_are_checked(void)
{
	const struct elf_wish plain = {.text_offset = 0x1000, .text_size = 16};
	struct module_options o = options();
	size_t size;
	uint8_t *bytes = elf_make(&plain, &size);
	uint32_t crc = (uint32_t)crc32(0, bytes, (unsigned)size);

	begin();
	write_linked("prog", crc);
	CU_ASSERT_FALSE(has_debug(&o, "prog"));
	elf_write(dir, ".debug/prog.debug", bytes, size);
	CU_ASSERT_TRUE(has_debug(&o, "prog"));
	write_linked("prog", crc + 1);
	CU_ASSERT_FALSE(has_debug(&o, "prog")); /* neither has a build-id: the checksum tells */
	end();

	begin();
	o.debug_dir = dir;
	write_elf("prog", id_a);
	CU_ASSERT_FALSE(has_debug(&o, "prog"));
	write_elf(CACHE_A ".debug", id_b);
	CU_ASSERT_FALSE(has_debug(&o, "prog"));
	write_elf(CACHE_A ".debug", id_a);
	CU_ASSERT_TRUE(has_debug(&o, "prog"));
	end();
	free(bytes);
}

/* Whether a file with these packed bytes as .gnu_debugdata has an ELF file in them. */
static bool has_minidebug(const void *plain, size_t plain_size, size_t cut)
{
	struct module_options o = options();
	struct elf_wish wish = {.text_offset = 0x1000, .text_size = 16};
	size_t room = lzma_stream_buffer_bound(plain_size), packed_size = 0, size;
	uint8_t *packed = xmalloc(room), *bytes;
	bool found;

	CU_ASSERT_EQUAL(lzma_easy_buffer_encode(6, LZMA_CHECK_CRC32, NULL, plain, plain_size, packed, &packed_size, room), LZMA_OK);
	wish.debugdata = packed;
	wish.debugdata_size = packed_size - cut;
	bytes = elf_make(&wish, &size);
	elf_write(dir, "mini", bytes, size);
	found = open_name(&o, "mini", NULL)->minidebug != NULL;
	modules_free(ms);
	free(bytes);
	free(packed);
	return found;
}

static void packed_symbols(void)
{
	const struct elf_wish inner = {.build_id = id_a, .build_id_size = 20, .text_offset = 0x1000, .text_size = 16};
	size_t size, bomb_size = (size_t)16 << 20;
	uint8_t *bytes = elf_make(&inner, &size), *bomb = xcalloc(1, bomb_size);

	begin();
	memset(bytes + 0x1000, 1, 16);
	CU_ASSERT_TRUE(has_minidebug(bytes, size, 0));
	CU_ASSERT_FALSE(has_minidebug(bytes, size, 20)); /* cut short */
	CU_ASSERT_FALSE(has_minidebug("no ELF file", 11, 0));
	memcpy(bomb, bytes, size);
	CU_ASSERT_FALSE(has_minidebug(bomb, bomb_size, 0)); /* a thousand times its size */
	free(bomb);
	free(bytes);
	end();
}

/* Pipe form: the table of build-ids comes when the file has long been in use. */
static void late_build_ids_are_heeded(void)
{
	struct perf_build_id late = {.misc = PERF_CPUMODE_USER, .size = 20};
	struct module_options o = options();
	struct module *m;
	char *path;

	begin();
	write_elf("prog", id_a);
	path = in_dir("prog");
	late.path = path;
	for (int same = 0; same < 2; same++) {
		m = open_path(&o, path, NULL);
		CU_ASSERT_EQUAL(m->status, MODULE_UNVERIFIED);
		memcpy(late.id, same ? id_a : id_b, 20);
		modules_set_build_id(ms, &late);
		CU_ASSERT_EQUAL(m->status, same ? MODULE_VERIFIED : MODULE_MISMATCH);
		CU_ASSERT_EQUAL(m->elf != NULL, same);
		CU_ASSERT_EQUAL(why_has(m, HEX_B), !same);
		modules_free(ms);
	}
	free(path);
	end();
}

static void own_vdso_by_build_id(void)
{
	struct module_options o = options();
	struct module *m;
	uint8_t id[20];
	size_t size, id_size;
	void *bytes = local_vdso(&size);
	Elf *elf = bytes ? elf_memory(bytes, size) : NULL;

	if (!elf) {
		test_skip("own vdso", "this kernel maps none");
		return;
	}
	id_size = elf_build_id(elf, id);
	elf_end(elf);
	free(bytes);
	for (int wrong = 0; wrong < 2; wrong++) {
		id[0] = (uint8_t)(id[0] ^ wrong);
		ms = modules_new(&o);
		m = modules_add(ms, "[vdso]", 0, MODULE_VDSO, id, id_size);
		CU_ASSERT_EQUAL(module_open(ms, m), !wrong);
		CU_ASSERT_EQUAL(m->status, wrong ? MODULE_MISSING : MODULE_VERIFIED);
		modules_free(ms);
	}
}

static void kernel_by_build_id(void)
{
	struct module_options o = options();
	struct module *m;
	uint8_t id[20];
	size_t size = local_kernel_build_id(id);

	begin();
	if (size) {
		ms = modules_new(&o);
		m = modules_add(ms, "[kernel.kallsyms]", 0, MODULE_KERNEL, id, size);
		module_open(ms, m);
		CU_ASSERT_STRING_EQUAL(m->symbol_file, "/proc/kallsyms");
		modules_free(ms);
	} else {
		test_skip("own kernel", "it does not tell its build-id");
	}
	ms = modules_new(&o);
	m = modules_add(ms, "[kernel.kallsyms]", 0, MODULE_KERNEL, id_a, 20);
	module_open(ms, m);
	CU_ASSERT_PTR_NULL(m->symbol_file);
	CU_ASSERT_EQUAL(m->status, MODULE_MISSING);
	CU_ASSERT(why_has(m, "another kernel"));
	modules_free(ms);
	elf_write(dir, CACHE_A "/kallsyms", "ffffffff81000000 T _text\n", 25);
	o.buildid_dir = dir;
	ms = modules_new(&o);
	m = modules_add(ms, "[kernel.kallsyms]", 0, MODULE_KERNEL, id_a, 20);
	module_open(ms, m);
	CU_ASSERT_EQUAL(m->status, MODULE_VERIFIED);
	CU_ASSERT_PTR_NOT_NULL(m->symbol_file);
	modules_free(ms);
	end();
}

static void expect_name(struct module *m, uint64_t addr, const char *want)
{
	struct strtab strings;
	struct symbol symbol;

	strtab_init(&strings);
	CU_ASSERT_EQUAL(symbolise(ms, m, addr, SYMBOL_INLINES | SYMBOL_LINES, NULL, &strings, &symbol, 1), 1);
	CU_ASSERT_STRING_EQUAL(strtab_get(&strings, symbol.name), want);
	strtab_release(&strings);
}

static void kernel_modules_by_kallsyms(void)
{
	static const char text[] = "ffffffff81000000 T _text\nffffffff81000100 t start_here\n"
				   "ffffffff81000200 T _etext\nffffffffc0001000 t net_rx\t[net]\n";
	const uint64_t base = UINT64_C(0xffffffff81000000), at = UINT64_C(0xffffffffc0000000);
	struct module_options o = options();
	struct module *kernel, *net;
	char *path;

	begin();
	elf_write(dir, "kallsyms", text, sizeof(text) - 1);
	path = in_dir("kallsyms");
	o.kallsyms = path;
	for (int moved = 0; moved < 2; moved++) {
		ms = modules_new(&o);
		kernel = modules_add(ms, "[kernel.kallsyms]", 0, MODULE_KERNEL, NULL, 0);
		kernel->kernel_start = base + (moved ? 0x1000000 : 0);
		kernel->kernel_ref = "_text";
		net = modules_add(ms, "/lib/modules/net.ko", 0, MODULE_KMOD, NULL, 0);
		net->kernel_start = at;
		expect_name(kernel, kernel->kernel_start + 0x110, "start_here");
		/* where modules lay on another boot is not told */
		expect_name(net, 0x1010, moved ? "[net.ko]+0x1010" : "net_rx");
		modules_free(ms);
	}
	free(path);
	end();
}

/* Every cut of a file, and every byte of its headers changed: an answer each time. */
static void broken_files(void)
{
	const struct elf_wish wish = {.build_id = id_a, .build_id_size = 20, .text_offset = 0x200, .text_size = 64,
				      .debuglink = "x.debug"};
	struct module_options o = options();
	size_t size;
	uint8_t *bytes = elf_make(&wish, &size);
	static const uint8_t values[] = {0, 1, 0x7f, 0xff};

	begin();
	for (size_t cut = 0; cut < size; cut += cut < 256 ? 1 : 13) {
		elf_write(dir, "prog", bytes, cut);
		CU_ASSERT_NOT_EQUAL(open_name(&o, "prog", NULL)->status, MODULE_VERIFIED);
		modules_free(ms);
	}
	for (size_t i = 0; i < size; i += i < 0x100 || i > 0x23f ? 1 : 16) {
		for (size_t v = 0; v < sizeof(values); v++) {
			uint8_t was = bytes[i];

			bytes[i] = values[v];
			elf_write(dir, "prog", bytes, size);
			open_name(&o, "prog", id_a);
			modules_free(ms);
			bytes[i] = was;
		}
	}
	free(bytes);
	end();
}

static void offsets_to_addresses(void)
{
	struct module_options o = options();
	struct module *m;
	uint64_t v;

	begin();
	write_elf("prog", id_a);
	m = open_name(&o, "prog", id_a);
	CU_ASSERT_TRUE(module_vaddr(m, 0x1010, &v));
	CU_ASSERT_EQUAL(v, ELF_BASE + 0x1010);
	CU_ASSERT_TRUE(module_vaddr(m, 0x2fff, &v)); /* the rest of the last page */
	CU_ASSERT_FALSE(module_vaddr(m, 0x3000, &v));
	CU_ASSERT_EQUAL(v, 0x3000);
	CU_ASSERT_FALSE(module_vaddr(m, UINT64_MAX, &v));
	modules_free(ms);
	end();
}

static void open_one(void *ctx, int worker, size_t task)
{
	bool *opened = ctx;
	struct module *m = modules_get(ms, (uint32_t)(task % modules_nr(ms)));

	(void)worker;
	opened[task] = module_open(ms, m);
}

static void opened_once_by_many_threads(void)
{
	struct module_options o = options();
	struct pool *pool = pool_new(8);
	bool opened[800] = {false};
	char name[16];
	size_t wrong = 0;

	begin();
	ms = modules_new(&o);
	for (int i = 0; i < 8; i++) {
		char *path;

		snprintf(name, sizeof(name), "prog%d", i);
		write_elf(name, id_a);
		path = in_dir(name);
		modules_add(ms, path, 0, MODULE_FILE, id_a, 20);
		free(path);
	}
	pool_run(pool, 800, open_one, opened);
	for (size_t i = 0; i < 800; i++)
		wrong += !opened[i];
	CU_ASSERT_EQUAL(wrong, 0);
	modules_free(ms);
	pool_free(pool);
	end();
}

static const struct suite_test tests[] = {
	{"build-ids decide", build_ids_decide},
	{"no regular file, no module", no_regular_file_no_module},
	{"code ranges decide without build-ids", code_ranges_decide_without_build_ids},
	{"segments beyond all memory", segments_beyond_all_memory},
	{"build-ids of odd sizes", build_ids_of_odd_sizes},
	{"searched in all places", searched_in_all_places},
	{"asked of servers", asked_of_servers},
	{"debug files are checked", debug_files_are_checked},
	{"packed symbols", packed_symbols},
	{"late build-ids are heeded", late_build_ids_are_heeded},
	{"own vdso by build-id", own_vdso_by_build_id},
	{"kernel by build-id", kernel_by_build_id},
	{"kernel modules by kallsyms", kernel_modules_by_kallsyms},
	{"broken files", broken_files},
	{"offsets to addresses", offsets_to_addresses},
	{"opened once by many threads", opened_once_by_many_threads},
	{NULL, NULL},
};
const struct suite suite_module = {"module", tests};
