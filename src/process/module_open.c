/*
 * Finding, checking and opening a module's files.
 */
#include <gelf.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <zlib.h>

#include "base/alloc.h"
#include "process/elfcheck.h"
#include "process/gotab.h"
#include "process/local.h"
#include "process/minidebug.h"
#include "process/module_internal.h"

/* No binary is larger; a sparse file that claims to be is left alone. */
#define MAX_FILE ((size_t)16 << 30)

/* The largest page that programs are linked for (arm64). */
#define MAX_PAGE UINT64_C(65536)

struct attempt {
	struct modules *ms;
	struct module *m;
};

static Elf *open_elf(const struct file_map *map)
{
	Elf *elf = map->size ? elf_memory((char *)(uintptr_t)map->data, map->size) : NULL;

	if (elf && elf_kind(elf) != ELF_K_ELF) {
		elf_end(elf);
		return NULL;
	}
	return elf;
}

static void take_segments(struct module *m)
{
	size_t nr = elf_segments(m->elf);
	GElf_Ehdr eh;

	if (gelf_getehdr(m->elf, &eh))
		m->machine = eh.e_machine;
	m->segments = xcalloc(nr, sizeof(*m->segments));
	for (size_t i = 0; i < nr; i++) {
		GElf_Phdr ph;

		if (gelf_getphdr(m->elf, (int)i, &ph) && ph.p_type == PT_LOAD)
			m->segments[m->nr_segments++] =
				(struct module_segment){ph.p_offset, ph.p_vaddr, ph.p_filesz, ph.p_memsz, ph.p_flags};
	}
}

static uint64_t page_up(uint64_t v, uint64_t page)
{
	return v > UINT64_MAX - page ? UINT64_MAX : (v + page - 1) & ~(page - 1);
}

/* Whether a mapping that begins at file offset `at` begins with the page of `offset`. */
static bool same_page(uint64_t at, uint64_t offset)
{
	return at <= offset && at >= (offset & ~(MAX_PAGE - 1));
}

/*
 * Without a build-id, one thing can still be checked: the recorded mappings of
 * code are what a loader makes of the file's executable segments, to the page.
 * (The first segment of a shared object is mapped over the whole span of memory
 * at first: fs/binfmt_elf.c total_mapping_size, ld.so _dl_map_segments; with
 * READ_IMPLIES_EXEC everything is code.)
 */
static bool text_fits(const struct module *m)
{
	uint64_t start = UINT64_MAX, end = 0, first = UINT64_MAX, low = UINT64_MAX, high = 0;

	if (!m->text_end)
		return true;
	for (size_t i = 0; i < m->nr_segments; i++) {
		const struct module_segment *s = &m->segments[i];

		if (s->filesz > UINT64_MAX - s->offset || s->memsz > UINT64_MAX - s->vaddr)
			return false;
		first = s->offset < first ? s->offset : first;
		low = s->vaddr < low ? s->vaddr : low;
		high = s->vaddr + s->memsz > high ? s->vaddr + s->memsz : high;
		if (!(s->flags & PF_X))
			continue;
		start = s->offset < start ? s->offset : start;
		end = s->offset + s->filesz > end ? s->offset + s->filesz : end;
	}
	if (!end)
		return !m->nr_segments; /* relocatable: nothing to compare */
	return (same_page(m->text_start, start) || same_page(m->text_start, first)) && m->text_end >= end &&
	       (m->text_end <= page_up(end, MAX_PAGE) || m->text_end <= page_up(high - (low & ~(MAX_PAGE - 1)), MAX_PAGE));
}

static void close_binary(struct module *m)
{
	elf_end(m->elf);
	m->elf = NULL;
	free(m->segments);
	m->segments = NULL;
	m->nr_segments = 0;
	file_map_close(&m->map);
}

/* One candidate for the binary: taken unless it can be seen to be another one. */
static bool try_binary(void *ctx, const char *path, const uint32_t *crc)
{
	struct attempt *a = ctx;
	struct module *m = a->m;
	struct error e;
	bool both;

	(void)crc;
	if (file_map_open_private(&m->map, path, &e) < 0) {
		module_set_why(a->ms, m, MODULE_MISSING, xstrdup(e.text));
		return false;
	}
	m->elf = m->map.size <= MAX_FILE ? open_elf(&m->map) : NULL;
	if (!m->elf) {
		module_set_why(a->ms, m, MODULE_MISSING, xasprintf("%s: not an ELF file", path));
		module_set_broken(a->ms, m, path, xstrdup("not an ELF file"));
		file_map_close(&m->map);
		return false;
	}
	m->file_build_id_size = (uint8_t)elf_build_id(m->elf, m->file_build_id);
	both = m->build_id_size && m->file_build_id_size;
	if (both && !build_id_equal(m->build_id, m->build_id_size, m->file_build_id, m->file_build_id_size)) {
		module_set_why(a->ms, m, MODULE_MISMATCH, module_mismatch(m, path));
		close_binary(m);
		return false;
	}
	module_set_broken(a->ms, m, path, elf_check(m->elf, m->map.size, false));
	take_segments(m);
	if (!both && m->kind != MODULE_KERNEL && m->kind != MODULE_KMOD && !text_fits(m)) {
		module_set_why(a->ms, m, MODULE_MISMATCH,
			xasprintf("%s is another build: its code is not what was mapped (file bytes %#" PRIx64
				  " to %#" PRIx64 ")", path, m->text_start, m->text_end));
		close_binary(m);
		return false;
	}
	m->file = module_keep(a->ms, path);
	m->why = NULL;
	m->status = both ? MODULE_VERIFIED : MODULE_UNVERIFIED;
	if (both && m->mixed && m->id_by_path)
		module_set_why(a->ms, m, MODULE_UNVERIFIED,
			xstrdup("several files were mapped under this path, the build-id is of one of them"));
	return true;
}

/* A debug file belongs to the binary when their build-ids agree, or where one has none, its checksum. */
static bool try_debug(void *ctx, const char *path, const uint32_t *crc)
{
	struct attempt *a = ctx;
	struct module *m = a->m;
	const uint8_t *want = m->file_build_id_size ? m->file_build_id : m->build_id;
	size_t want_size = m->file_build_id_size ? m->file_build_id_size : m->build_id_size, size;
	uint8_t id[20];
	struct error e;
	bool fits = false;

	if (file_map_open_private(&m->debug_map, path, &e) < 0)
		return false;
	m->debug = m->debug_map.size <= MAX_FILE ? open_elf(&m->debug_map) : NULL;
	size = m->debug ? elf_build_id(m->debug, id) : 0;
	if (m->debug && want_size && size)
		fits = build_id_equal(id, size, want, want_size);
	else if (m->debug && crc)
		fits = crc32_z(0, m->debug_map.data, m->debug_map.size) == *crc;
	if (fits) {
		module_set_broken(a->ms, m, path, elf_check(m->debug, m->debug_map.size, true));
		return true;
	}
	elf_end(m->debug);
	m->debug = NULL;
	file_map_close(&m->debug_map);
	return false;
}

/*
 * This machine's own vdso: the recorded one if the build-ids agree. perf records
 * none with -z or into a pipe; then the same release of the kernel and the same
 * size must do, as the recorded path does for a file.
 */
static bool is_own_vdso(const struct modules *ms, struct module *m, size_t size)
{
	struct utsname u;

	m->file_build_id_size = (uint8_t)elf_build_id(m->elf, m->file_build_id);
	if (m->build_id_size) {
		m->status = MODULE_VERIFIED;
		return build_id_equal(m->file_build_id, m->file_build_id_size, m->build_id, m->build_id_size);
	}
	m->status = MODULE_UNVERIFIED;
	return ms->os_release && uname(&u) == 0 && !strcmp(u.release, ms->os_release) &&
	       m->text_end - m->text_start == size;
}

static bool own_vdso(struct modules *ms, struct module *m)
{
	size_t size;

	m->mini_data = local_vdso(&size);
	m->elf = m->mini_data ? elf_memory(m->mini_data, size) : NULL;
	if (m->elf && is_own_vdso(ms, m, size)) {
		m->file = "[vdso of this machine]";
		m->why = NULL;
		take_segments(m);
		return true;
	}
	elf_end(m->elf);
	m->elf = NULL;
	free(m->mini_data);
	m->mini_data = NULL;
	m->file_build_id_size = 0;
	m->status = MODULE_MISSING;
	return false;
}

static bool own_kernel(const struct module *m)
{
	uint8_t id[20];
	size_t size = local_kernel_build_id(id);

	return build_id_equal(id, size, m->build_id, m->build_id_size);
}

/* The symbols: given ones, vmlinux, perf's copy of kallsyms, the running kernel's own. */
static void open_kernel(struct modules *ms, struct module *m)
{
	const struct module_options *o = &ms->options;
	struct attempt a = {ms, m};
	char *kept;

	if (o->kallsyms) {
		m->symbol_file = o->kallsyms;
		m->status = MODULE_UNVERIFIED;
		return;
	}
	if (findfile_binary(m, o, &ms->extra, try_binary, &a))
		return;
	kept = findfile_kallsyms(m, o);
	if (own_kernel(m)) {
		m->symbol_file = "/proc/kallsyms";
		m->kept_symbols = kept ? module_keep(ms, kept) : NULL;
	} else if (kept) {
		m->symbol_file = module_keep(ms, kept);
	}
	free(kept);
	if (m->symbol_file) {
		m->status = MODULE_VERIFIED;
		m->why = NULL;
	} else {
		module_set_why(ms, m, m->status,
			xstrdup(m->build_id_size ? "another kernel than the running one: give --kallsyms or --vmlinux"
						 : "no build-id recorded: give --kallsyms or --vmlinux"));
	}
}

static void open_anon(struct modules *ms, struct module *m)
{
	char *path = xasprintf("%s/tmp/perf-%u.map", ms->options.symfs ? ms->options.symfs : "", m->pid);

	if (access(path, R_OK) == 0) {
		m->symbol_file = module_keep(ms, path);
		m->status = MODULE_UNVERIFIED;
	} else {
		module_set_why(ms, m, MODULE_MISSING, xasprintf("no file (and no %s)", path));
	}
	free(path);
}

static void open_file(struct modules *ms, struct module *m)
{
	struct attempt a = {ms, m};
	struct error e = {0};

	if (!findfile_binary(m, &ms->options, &ms->extra, try_binary, &a)) {
		if (m->kind == MODULE_VDSO && !ms->options.symfs && own_vdso(ms, m))
			return;
		module_set_why(ms, m, MODULE_MISSING,
			xasprintf("%s%s", module_path_ends(m->path, " (deleted)") ? "deleted while it ran" : "not found",
				  findfile_servers_gone() ? " (the servers of $DEBUGINFOD_URLS do not answer)" : ""));
		return;
	}
	findfile_debug(m, &ms->options, try_debug, &a);
	if (!m->debug)
		m->minidebug = minidebug_open(m->elf, &m->mini_data);
	m->gotab = gotab_open(m->elf, &e);
	m->is_go = m->gotab != NULL;
	if (e.text[0]) {
		module_set_why(ms, m, m->status, xstrdup(e.text));
		module_set_broken(ms, m, m->file, xstrdup(e.text));
	}
}

bool module_open(struct modules *ms, struct module *m)
{
	if (__atomic_load_n(&m->opened, __ATOMIC_ACQUIRE))
		return m->elf != NULL;
	pthread_mutex_lock(&m->lock);
	if (!m->opened) {
		switch (m->kind) {
		case MODULE_KERNEL:
			open_kernel(ms, m);
			break;
		case MODULE_ANON:
			open_anon(ms, m);
			break;
		case MODULE_BPF:
		case MODULE_VSYSCALL:
			m->status = MODULE_UNVERIFIED;
			break;
		case MODULE_FILE:
		case MODULE_KMOD:
		case MODULE_VDSO:
			open_file(ms, m);
			break;
		}
		__atomic_store_n(&m->opened, true, __ATOMIC_RELEASE);
	}
	pthread_mutex_unlock(&m->lock);
	return m->elf != NULL;
}

bool module_vaddr(const struct module *m, uint64_t offset, uint64_t *vaddr)
{
	static const uint64_t page = 4096;
	const struct module_segment *best = NULL;

	for (size_t i = 0; i < m->nr_segments; i++) {
		const struct module_segment *s = &m->segments[i];
		uint64_t start = s->offset & ~(page - 1);

		/* mappings are whole pages: a segment's neighbours in its pages belong to it */
		if (offset >= start && s->filesz <= UINT64_MAX - s->offset &&
		    offset < page_up(s->offset + s->filesz, page) && (!best || s->flags & PF_X))
			best = s;
	}
	*vaddr = best ? offset - best->offset + best->vaddr : offset;
	return best != NULL;
}

const uint8_t *module_bytes(const struct module *m, uint64_t vaddr, size_t size)
{
	for (size_t i = 0; i < m->nr_segments; i++) {
		const struct module_segment *s = &m->segments[i];
		uint64_t at = vaddr - s->vaddr; /* below the segment more than any file has */

		if (at >= s->filesz || s->filesz - at < size || s->offset > m->map.size ||
		    m->map.size - s->offset < at || m->map.size - s->offset - at < size)
			continue;
		return (const uint8_t *)m->map.data + s->offset + at;
	}
	return NULL;
}
