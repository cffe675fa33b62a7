#include "process/module.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "process/gotab.h"
#include "process/module_internal.h"
#include "process/symbol.h"

enum { PROT_EXECUTE = 4 }; /* PROT_EXEC, whatever this machine calls it */

struct modules *modules_new(const struct module_options *opts)
{
	struct modules *ms = xcalloc(1, sizeof(*ms));

	elf_version(EV_CURRENT);
	ms->options = *opts;
	extra_files_scan(&ms->extra, opts->extra);
	ms->mask = 255;
	ms->slots = xcalloc(ms->mask + 1, sizeof(*ms->slots));
	pthread_mutex_init(&ms->arena_lock, NULL);
	return ms;
}

static void close_module(struct module *m)
{
	if (m->unwind_free)
		m->unwind_free(m->unwind);
	symbols_free(m->symbols);
	gotab_free(m->gotab);
	gotab_free(m->rejected_gotab);
	elf_end(m->elf);
	for (size_t i = 0; i < sizeof(m->rejected) / sizeof(*m->rejected); i++)
		elf_end(m->rejected[i]);
	elf_end(m->debug);
	elf_end(m->minidebug);
	free(m->mini_data);
	free(m->segments);
	file_map_close(&m->map);
	file_map_close(&m->debug_map);
	pthread_mutex_destroy(&m->lock);
	pthread_mutex_destroy(&m->unwind_lock);
}

void modules_free(struct modules *ms)
{
	for (size_t i = 0; i < ms->nr; i++)
		close_module(ms->list[i]);
	free(ms->list);
	free(ms->slots);
	extra_files_release(&ms->extra);
	arena_release(&ms->arena);
	pthread_mutex_destroy(&ms->arena_lock);
	free(ms);
}

size_t modules_nr(const struct modules *ms)
{
	return ms->nr;
}

struct module *modules_get(const struct modules *ms, uint32_t id)
{
	return ms->list[id];
}

const struct module_options *modules_options(const struct modules *ms)
{
	return &ms->options;
}

void modules_set_release(struct modules *ms, const char *release)
{
	if (!ms->os_release && release && *release)
		ms->os_release = module_keep(ms, release);
}

static bool of_kernel(enum module_kind kind)
{
	return kind == MODULE_KERNEL || kind == MODULE_KMOD || kind == MODULE_BPF;
}

static size_t slot_of(const struct modules *ms, const char *path, uint32_t pid, bool kernel)
{
	size_t i = hash_bytes(path, strlen(path)) + pid + kernel;

	for (;; i++) {
		uint32_t id = ms->slots[i & ms->mask];
		const struct module *m = id ? ms->list[id - 1] : NULL;

		if (!m || (m->pid == pid && of_kernel(m->kind) == kernel && !strcmp(m->path, path)))
			return i & ms->mask;
	}
}

static struct module *first_of(const struct modules *ms, const char *path, uint32_t pid, bool kernel)
{
	uint32_t id = ms->slots[slot_of(ms, path, pid, kernel)];

	return id ? ms->list[id - 1] : NULL;
}

struct module *modules_kernel(const struct modules *ms)
{
	return first_of(ms, "[kernel.kallsyms]", 0, true);
}

static void grow(struct modules *ms)
{
	uint32_t *old = ms->slots;
	size_t nr = ms->mask + 1;

	ms->mask = ms->mask * 2 + 1;
	ms->slots = xcalloc(ms->mask + 1, sizeof(*ms->slots));
	for (size_t i = 0; i < nr; i++) {
		const struct module *m = old[i] ? ms->list[old[i] - 1] : NULL;

		if (m)
			ms->slots[slot_of(ms, m->path, m->pid, of_kernel(m->kind))] = old[i];
	}
	free(old);
}

static const char *short_name(struct modules *ms, const char *path)
{
	const char *slash = strrchr(path, '/');
	size_t len;

	if (path[0] == '[' || !slash || !slash[1])
		return path[0] ? path : "anon";
	len = strlen(slash + 1);
	if (len > 10 && !strcmp(slash + 1 + len - 10, " (deleted)"))
		len -= 10;
	return arena_strndup(&ms->arena, slash + 1, len);
}

/* Held for less than it takes to go to sleep and be woken: who waits tries again for a while first, where the C library can. */
static void init_short_lock(pthread_mutex_t *lock)
{
	pthread_mutexattr_t attr;

	pthread_mutexattr_init(&attr);
#ifdef __GLIBC__
	pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_ADAPTIVE_NP);
#endif
	pthread_mutex_init(lock, &attr);
	pthread_mutexattr_destroy(&attr);
}

static struct module *new_module(struct modules *ms, const char *path, uint32_t pid, enum module_kind kind)
{
	struct module *m = arena_alloc(&ms->arena, sizeof(*m));

	*m = (struct module){.id = (uint32_t)ms->nr, .kind = kind, .pid = pid, .map.slot = -1,
			     .debug_map.slot = -1, .status = MODULE_MISSING};
	m->path = arena_strndup(&ms->arena, path, strlen(path));
	m->name = short_name(ms, m->path);
	pthread_mutex_init(&m->lock, NULL);
	init_short_lock(&m->unwind_lock);
	ALLOC_GROW(ms->list, ms->nr + 1, ms->alloc);
	ms->list[ms->nr++] = m;
	return m;
}

static void take_build_id(struct modules *ms, struct module *m, const uint8_t *id, size_t size);

/* Of the modules of one path: that of the build-id, else one whose build-id is not known for sure. */
static struct module *same_build(struct module *first, const uint8_t *id, size_t size)
{
	if (!size)
		return first;
	for (struct module *m = first; m; m = m->next_same)
		if (build_id_equal(m->build_id, m->build_id_size, id, size))
			return m;
	for (struct module *m = first; m; m = m->next_same)
		if (!m->build_id_size)
			return m;
	return NULL;
}

struct module *modules_add(struct modules *ms, const char *path, uint32_t pid, enum module_kind kind,
			   const uint8_t *build_id, size_t build_id_size)
{
	size_t slot = slot_of(ms, path, pid, of_kernel(kind));
	struct module *first = ms->slots[slot] ? ms->list[ms->slots[slot] - 1] : NULL, *m;

	if (build_id_size > sizeof(m->build_id))
		build_id_size = 0;
	m = first ? same_build(first, build_id, build_id_size) : NULL;
	if (!m) {
		m = new_module(ms, path, pid, kind);
		if (first) {
			m->next_same = first->next_same;
			first->next_same = m;
		} else {
			ms->slots[slot] = m->id + 1;
			if (ms->nr > ms->mask / 2)
				grow(ms);
		}
	}
	if (build_id_size) {
		if (!m->build_id_size)
			take_build_id(ms, m, build_id, build_id_size);
		m->id_by_path = false;
	}
	return m;
}

void module_mapped(struct module *m, const struct perf_mmap *map)
{
	uint64_t end = map->len > UINT64_MAX - map->pgoff ? UINT64_MAX : map->pgoff + map->len;

	if (map->prot & PROT_EXECUTE) {
		if (!m->text_end || map->pgoff < m->text_start)
			m->text_start = map->pgoff;
		if (end > m->text_end)
			m->text_end = end;
	}
	if (!map->has_inode || !map->ino)
		return;
	/*
	 * perf's own records, made from /proc, lack the generation and may name
	 * another inode of a stacked file system: not to be compared with the kernel's
	 */
	if (m->has_inode && !m->ino_generation == !map->ino_generation &&
	    (m->ino != map->ino || m->maj != map->maj || m->min != map->min ||
	     m->ino_generation != map->ino_generation))
		m->mixed = true;
	m->has_inode = true;
	m->maj = map->maj;
	m->min = map->min;
	m->ino = map->ino;
	m->ino_generation = map->ino_generation;
}

const char *module_keep(struct modules *ms, const char *s)
{
	const char *copy;

	pthread_mutex_lock(&ms->arena_lock);
	copy = arena_strndup(&ms->arena, s, strlen(s));
	pthread_mutex_unlock(&ms->arena_lock);
	return copy;
}

char *module_mismatch(const struct module *m, const char *path)
{
	char want[41], have[41];

	build_id_hex(m->build_id, m->build_id_size, want);
	build_id_hex(m->file_build_id, m->file_build_id_size, have);
	return xasprintf("%s has build-id %s, recorded was %s", path, have, want);
}

void module_set_why(struct modules *ms, struct module *m, enum module_status status, char *why)
{
	/* a mismatch says more than "not there" */
	if (!m->why || status == MODULE_MISMATCH) {
		m->status = status;
		m->why = module_keep(ms, why);
	}
	free(why);
}

void module_set_broken(struct modules *ms, struct module *m, const char *path, char *what)
{
	char *text = what && !m->broken ? xasprintf("%s: %s", path, what) : NULL;

	if (text)
		m->broken = module_keep(ms, text);
	free(text);
	free(what);
}

bool module_path_ends(const char *path, const char *suffix)
{
	size_t a = strlen(path), b = strlen(suffix);

	return a >= b && !strcmp(path + a - b, suffix);
}

/* --- the recording's build-id table ---------------------------------------------------- */

/*
 * A build-id that comes after the module was opened without one (pipe form has
 * its table at the end).
 */
static void check_again(struct modules *ms, struct module *m)
{
	if (m->kind == MODULE_KERNEL && !m->elf && !m->symbols) {
		m->why = NULL;
		m->opened = false;
		return;
	}
	if (!m->file_build_id_size)
		return;
	if (build_id_equal(m->build_id, m->build_id_size, m->file_build_id, m->file_build_id_size)) {
		m->status = MODULE_VERIFIED;
		return;
	}
	module_set_why(ms, m, MODULE_MISMATCH, module_mismatch(m, m->file));
	/* what was unwound with it cannot be taken back, and its tables may be in use; names are not given */
	m->rejected[0] = m->elf;
	m->rejected[1] = m->debug;
	m->rejected[2] = m->minidebug;
	m->rejected_gotab = m->gotab;
	m->elf = m->debug = m->minidebug = NULL;
	m->gotab = NULL;
	m->is_go = false;
	m->file = NULL;
}

static void take_build_id(struct modules *ms, struct module *m, const uint8_t *id, size_t size)
{
	memcpy(m->build_id, id, size);
	m->build_id_size = (uint8_t)size;
	if (m->opened)
		check_again(ms, m);
}

/* tools/perf/util/dso.c, __kmod_path__parse: "[name]" or "….ko", maybe compressed. */
static bool names_kernel_module(const char *path)
{
	if (path[0] == '[')
		return strncmp(path, "[kernel.", 8) != 0;
	return module_path_ends(path, ".ko") || module_path_ends(path, ".ko.gz") ||
	       module_path_ends(path, ".ko.xz") || module_path_ends(path, ".ko.zst");
}

static void set_by_path(struct modules *ms, struct module *first, const struct perf_build_id *id)
{
	for (struct module *m = first; m; m = m->next_same) {
		if (!m->build_id_size) {
			m->id_by_path = true;
			take_build_id(ms, m, id->id, id->size);
		} else if (m->id_by_path &&
			   !build_id_equal(m->build_id, m->build_id_size, id->id, id->size)) {
			m->mixed = true; /* two of this name in the table: which is which is not told */
		}
	}
}

void modules_set_build_id(struct modules *ms, const struct perf_build_id *id)
{
	unsigned mode = id->misc & PERF_MISC_CPUMODE_MASK;

	if (!id->size || id->size > 20)
		return;
	/* perf before 2.6.37 wrote no mode */
	if (mode == PERF_CPUMODE_USER || mode == PERF_CPUMODE_UNKNOWN)
		set_by_path(ms, first_of(ms, id->path, 0, false), id);
	if (mode == PERF_CPUMODE_KERNEL || mode == PERF_CPUMODE_UNKNOWN)
		set_by_path(ms, first_of(ms, id->path, 0, true), id);
	/* the table may call the kernel by its vmlinux (machine__process_kernel_mmap_event) */
	if (mode == PERF_CPUMODE_KERNEL && !names_kernel_module(id->path))
		set_by_path(ms, modules_kernel(ms), id);
}

void module_lock(struct module *m)
{
	pthread_mutex_lock(&m->lock);
}

void module_unlock(struct module *m)
{
	pthread_mutex_unlock(&m->lock);
}
