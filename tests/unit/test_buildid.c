/*
 * Build-ids: read from notes, compared, and what they make of paths.
 */
#include <stdio.h>
#include <string.h>

#include "process/buildid.h"
#include "process/module.h"
#include "suite.h"

static const uint8_t id_a[20] = {0xaa, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19};
static const uint8_t id_b[20] = {0xbb, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19};
#define HEX_A "aa0102030405060708090a0b0c0d0e0f10111213"

static struct modules *ms;

static struct module_options options(void)
{
	return (struct module_options){.debug_dir = "/nonexistent", .buildid_dir = "/nonexistent"};
}

/* A note: three words, then name and desc as given. */
struct note {
	uint32_t words[3];
	char name[4];
	uint8_t desc[8];
};

static size_t id_in(const void *notes, size_t size, size_t align)
{
	uint8_t id[20];

	return build_id_in_notes(notes, size, align, false, id);
}

static void notes_that_lead_nowhere(void)
{
	struct note n[2] = {
		{{4, 8, 1}, "GNU", {1}},
		{{4, 8, 3}, "GNU", {1, 2, 3}},
	};
	struct note zero[64] = {{{0}, "", {0}}};
	uint8_t id[20];

	CU_ASSERT_EQUAL(id_in(n, sizeof(n), 4), 8);
	CU_ASSERT_EQUAL(id_in(n, sizeof(n), 8), 8);
	CU_ASSERT_EQUAL(id_in(n, sizeof(n), 0), 8);
	for (size_t cut = 0; cut < sizeof(n); cut++)
		CU_ASSERT_EQUAL(id_in(n, cut, 4), 0);
	n[0].words[0] = UINT32_MAX; /* elfutils 4628b0ea: name size that wraps when padded */
	CU_ASSERT_EQUAL(id_in(n, sizeof(n), 4), 0);
	n[0].words[0] = 4;
	n[0].words[1] = UINT32_MAX;
	CU_ASSERT_EQUAL(id_in(n, sizeof(n), 4), 0);
	CU_ASSERT_EQUAL(id_in(zero, sizeof(zero), 4), 0); /* empty notes: each a step of 12 bytes */
	n[0] = (struct note){{__builtin_bswap32(4), __builtin_bswap32(8), __builtin_bswap32(3)}, "GNU", {7}};
	CU_ASSERT_EQUAL(build_id_in_notes(n, sizeof(n[0]), 4, true, id), 8);
	CU_ASSERT_EQUAL(id[0], 7);
}

static void build_ids_as_text(void)
{
	static const uint8_t padded[20] = {1, 2, 3};
	char buf[41];

	CU_ASSERT_STRING_EQUAL(build_id_hex(id_a, 20, buf), HEX_A);
	CU_ASSERT_STRING_EQUAL(build_id_hex(id_a, 0, buf), "");
	CU_ASSERT_STRING_EQUAL(build_id_hex(id_a, 1000, buf), HEX_A);
	CU_ASSERT_TRUE(build_id_equal(padded, 20, padded, 3));
	CU_ASSERT_FALSE(build_id_equal(padded, 20, padded, 2));
	CU_ASSERT_FALSE(build_id_equal(padded, 0, padded, 0));
}

static void set_id(const char *path, uint16_t misc, const uint8_t *id)
{
	struct perf_build_id b = {.misc = misc, .size = 20, .path = path};

	memcpy(b.id, id, 20);
	modules_set_build_id(ms, &b);
}

static void one_path_several_builds(void)
{
	struct module_options o = options();
	struct module *a, *b, *kernel, *mod;

	ms = modules_new(&o);
	a = modules_add(ms, "/app", 0, MODULE_FILE, id_a, 20);
	b = modules_add(ms, "/app", 0, MODULE_FILE, id_b, 20);
	CU_ASSERT(a != b);
	CU_ASSERT_PTR_EQUAL(modules_add(ms, "/app", 0, MODULE_FILE, id_a, 20), a);
	CU_ASSERT_PTR_EQUAL(modules_add(ms, "/app", 0, MODULE_FILE, id_b, 20), b);
	CU_ASSERT_PTR_EQUAL(modules_add(ms, "/app", 0, MODULE_FILE, NULL, 0), a);
	CU_ASSERT(modules_add(ms, "//anon", 1, MODULE_ANON, NULL, 0) !=
		  modules_add(ms, "//anon", 2, MODULE_ANON, NULL, 0));

	/* the table knows paths and sides; a kernel may go by its vmlinux */
	mod = modules_add(ms, "/lib", 0, MODULE_FILE, NULL, 0);
	kernel = modules_add(ms, "[kernel.kallsyms]", 0, MODULE_KERNEL, NULL, 0);
	set_id("/lib", PERF_CPUMODE_KERNEL, id_b);
	CU_ASSERT_EQUAL(mod->build_id_size, 0);
	set_id("/lib", PERF_CPUMODE_USER, id_a);
	CU_ASSERT(build_id_equal(mod->build_id, mod->build_id_size, id_a, 20));
	CU_ASSERT_FALSE(mod->mixed);
	set_id("/lib", PERF_CPUMODE_USER, id_b);
	CU_ASSERT(mod->mixed);
	set_id("[nf_tables]", PERF_CPUMODE_KERNEL, id_a);
	set_id("/lib/modules/6.1/net.ko.xz", PERF_CPUMODE_KERNEL, id_a);
	set_id("[guest.kernel.kallsyms]", PERF_CPUMODE_GUEST_KERNEL, id_a);
	CU_ASSERT(build_id_equal(kernel->build_id, kernel->build_id_size, id_b, 20));
	modules_free(ms);
}

static void many_modules(void)
{
	struct module_options o = options();
	char name[32];

	ms = modules_new(&o);
	for (uint32_t i = 0; i < 5000; i++) {
		snprintf(name, sizeof(name), "/lib/%u", i / 2);
		CU_ASSERT_EQUAL(modules_add(ms, name, 0, MODULE_FILE, i & 1 ? id_a : id_b, 20)->id, i);
	}
	CU_ASSERT_EQUAL(modules_nr(ms), 5000);
	CU_ASSERT_EQUAL(modules_add(ms, "/lib/1234", 0, MODULE_FILE, id_a, 20)->id, 2469);
	modules_free(ms);
}

static void two_files_of_one_path(void)
{
	struct perf_mmap map = {.len = 0x1000, .has_inode = true, .maj = 8, .ino = 5, .ino_generation = 9};
	struct module_options o = options();
	struct module *m;

	ms = modules_new(&o);
	m = modules_add(ms, "/app", 0, MODULE_FILE, NULL, 0);
	module_mapped(m, &map);
	module_mapped(m, &map);
	CU_ASSERT_FALSE(m->mixed);
	map.ino_generation = 0; /* perf's own record of the same file, by another inode */
	map.ino = 6;
	module_mapped(m, &map);
	CU_ASSERT_FALSE(m->mixed);
	map.ino = 7;
	module_mapped(m, &map);
	CU_ASSERT(m->mixed);
	modules_free(ms);
}

static const struct suite_test tests[] = {
	{"notes that lead nowhere", notes_that_lead_nowhere},
	{"build-ids as text", build_ids_as_text},
	{"one path, several builds", one_path_several_builds},
	{"many modules", many_modules},
	{"two files of one path", two_files_of_one_path},
	{NULL, NULL},
};
const struct suite suite_buildid = {"buildid", tests};
