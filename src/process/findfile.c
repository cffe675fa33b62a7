/*
 * Sources: GDB manual "Separate Debug Files" (.gnu_debuglink, build-id paths);
 * tools/perf/util/build-id.c (cache layout); debuginfod_find_debuginfo(3).
 */
#include "process/findfile.h"

#include <errno.h>
#include <gelf.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef HAVE_DEBUGINFOD
#include <elfutils/debuginfod.h>
#endif

#include "base/alloc.h"
#include "base/clock.h"
#include "base/cursor.h"
#include "base/library.h"

/* Tries the path made by xasprintf and frees it. */
static bool try_made(findfile_try *try, void *ctx, char *path, const uint32_t *crc)
{
	bool found = access(path, F_OK) == 0 && try(ctx, path, crc);

	free(path);
	return found;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* perf writes the path as the kernel gives it: a deleted file keeps its mark. */
static char *without_deleted(const char *path)
{
	size_t len = strlen(path), tail = strlen(" (deleted)");

	if (len > tail && !strcmp(path + len - tail, " (deleted)"))
		return xstrndup(path, len - tail);
	return xstrdup(path);
}

/* perf's --symfs DIR[,hierarchy|flat]: flat means by base name alone. */
static int symfs_length(const char *symfs, bool *flat)
{
	const char *comma = strrchr(symfs, ',');

	*flat = comma && !strcmp(comma, ",flat");
	if (*flat || (comma && !strcmp(comma, ",hierarchy")))
		return (int)(comma - symfs);
	return (int)strlen(symfs);
}

static bool try_symfs(const struct module *m, const char *symfs, findfile_try *try, void *ctx)
{
	bool flat, found;
	int len = symfs_length(symfs, &flat);
	char *path = without_deleted(m->path);

	found = try_made(try, ctx, xasprintf("%.*s/%s", len, symfs, flat ? m->name : path), NULL);
	/* a folder with the binaries alone is meant as often as a copy of the root */
	if (!found && !flat)
		found = try_made(try, ctx, xasprintf("%.*s/%s", len, symfs, m->name), NULL);
	free(path);
	return found;
}

/* --- files the user named ---------------------------------------------------------------- */

static void read_build_id(struct extra_file *x)
{
	struct file_map map;
	struct error e;
	Elf *elf;

	if (file_map_open_private(&map, x->path, &e) < 0)
		return;
	elf = map.size ? elf_memory((char *)(uintptr_t)map.data, map.size) : NULL;
	if (elf && elf_kind(elf) == ELF_K_ELF)
		x->build_id_size = (uint8_t)elf_build_id(elf, x->build_id);
	elf_end(elf);
	file_map_close(&map);
}

void extra_files_scan(struct extra_files *x, const char *const *paths)
{
	size_t nr = 0;

	while (paths && paths[nr])
		nr++;
	x->list = xcalloc(nr, sizeof(*x->list));
	x->nr = nr;
	for (size_t i = 0; i < nr; i++) {
		struct stat st;

		x->list[i].path = paths[i];
		x->list[i].folder = stat(paths[i], &st) == 0 && S_ISDIR(st.st_mode);
		if (!x->list[i].folder)
			read_build_id(&x->list[i]);
	}
}

void extra_files_release(struct extra_files *x)
{
	free(x->list);
	*x = (struct extra_files){0};
}

/* A named file is the module's if its build-id says so; else its name may. */
static bool try_extra(const struct module *m, const struct extra_file *x, bool by_id, findfile_try *try,
		      void *ctx)
{
	bool same = build_id_equal(x->build_id, x->build_id_size, m->build_id, m->build_id_size);

	if (by_id)
		return same && try(ctx, x->path, NULL);
	if (x->folder)
		return try_made(try, ctx, xasprintf("%s/%s", x->path, m->name), NULL);
	return !same && !strcmp(base_name(x->path), m->name) && try(ctx, x->path, NULL);
}

static bool try_extras(const struct module *m, const struct extra_files *extra, findfile_try *try, void *ctx)
{
	for (size_t i = 0; i < extra->nr; i++)
		if (try_extra(m, &extra->list[i], true, try, ctx))
			return true;
	for (size_t i = 0; i < extra->nr; i++)
		if (try_extra(m, &extra->list[i], false, try, ctx))
			return true;
	return false;
}

/* --- by build-id ----------------------------------------------------------------------------- */

static char *buildid_dir(const struct module_options *o)
{
	const char *home = getenv("HOME");

	if (o->buildid_dir)
		return xstrdup(o->buildid_dir);
	return home ? xasprintf("%s/.debug", home) : NULL;
}

/*
 * perf's cache: DIR/.build-id/xx/yyyy… is a link to a folder that holds elf, vdso,
 * debug or kallsyms; before perf 4.12 to the file itself.
 */
static char *cache_path(const struct module *m, const struct module_options *o, const char *leaf)
{
	char hex[41], *dir = buildid_dir(o), *path = NULL;

	if (dir && m->build_id_size >= 2) {
		build_id_hex(m->build_id, m->build_id_size, hex);
		path = xasprintf("%s/.build-id/%.2s/%s%s%s", dir, hex, hex + 2, *leaf ? "/" : "", leaf);
	}
	free(dir);
	return path;
}

static bool try_cache(const struct module *m, const struct module_options *o, const char *leaf,
		      findfile_try *try, void *ctx)
{
	char *path = cache_path(m, o, leaf);

	return path && try_made(try, ctx, path, NULL);
}

/* In the old layout the link may also lead to a folder: no candidate. */
static bool try_old_cache(const struct module *m, const struct module_options *o, findfile_try *try, void *ctx)
{
	char *path = cache_path(m, o, "");
	struct stat st;

	if (path && (stat(path, &st) < 0 || !S_ISREG(st.st_mode))) {
		free(path);
		return false;
	}
	return path && try_made(try, ctx, path, NULL);
}

char *findfile_kallsyms(const struct module *m, const struct module_options *o)
{
	static const char *const leaves[] = {"kallsyms", ""};

	for (size_t i = 0; i < 2; i++) {
		char *path = cache_path(m, o, leaves[i]);
		struct stat st;

		if (path && stat(path, &st) == 0 && S_ISREG(st.st_mode))
			return path;
		free(path);
	}
	return NULL;
}

#ifdef HAVE_DEBUGINFOD
#define DEBUGINFOD_SONAME "libdebuginfod.so.1"
#define FOREACH_DEBUGINFOD_CALL(X) \
	X(debuginfod_begin) X(debuginfod_end) X(debuginfod_find_debuginfo) X(debuginfod_find_executable) \
	X(debuginfod_get_user_data) X(debuginfod_set_progressfn) X(debuginfod_set_user_data)
static struct debuginfod_calls {
	FOREACH_DEBUGINFOD_CALL(LIBRARY_POINTER)
} debuginfod;
#define X(name) {#name, &debuginfod.name},
static const struct library_call debuginfod_calls[] = {FOREACH_DEBUGINFOD_CALL(X)};
#undef X

static pthread_once_t debuginfod_once = PTHREAD_ONCE_INIT;
static bool debuginfod_there;

static void open_debuginfod(void)
{
	debuginfod_there = !library_open(DEBUGINFOD_SONAME, debuginfod_calls,
					 sizeof(debuginfod_calls) / sizeof(*debuginfod_calls));
}

/* A server that sends nothing for so many seconds is not waited for, nor asked again in this run. */
#define SERVER_PATIENCE 5.0

static int is_too_long(debuginfod_client *client, long a, long b)
{
	const double *start = debuginfod.debuginfod_get_user_data(client);

	(void)a;
	return !b && clock_seconds() - *start > SERVER_PATIENCE;
}
#endif

int module_debuginfod(const uint8_t *id, size_t size, bool debug, char **path)
{
#ifdef HAVE_DEBUGINFOD
	debuginfod_client *client;
	double start = clock_seconds();
	int fd;

	pthread_once(&debuginfod_once, open_debuginfod);
	client = debuginfod_there ? debuginfod.debuginfod_begin() : NULL;
	if (!client)
		return ENOENT;
	debuginfod.debuginfod_set_user_data(client, &start);
	debuginfod.debuginfod_set_progressfn(client, is_too_long);
	*path = NULL;
	fd = debug ? debuginfod.debuginfod_find_debuginfo(client, id, (int)size, path)
		   : debuginfod.debuginfod_find_executable(client, id, (int)size, path);
	debuginfod.debuginfod_end(client);
	if (fd >= 0) {
		close(fd);
		return 0;
	}
	free(*path);
	return -fd;
#else
	(void)id, (void)size, (void)debug, (void)path;
	return ENOENT;
#endif
}

static bool servers_gone;

bool findfile_servers_gone(void)
{
	return __atomic_load_n(&servers_gone, __ATOMIC_RELAXED);
}

static bool try_fetch(const struct module *m, const struct module_options *o, bool debug, findfile_try *try,
		      void *ctx)
{
	char *path = NULL;
	bool found = false;
	int error;

	if (!o->fetch || !m->build_id_size || findfile_servers_gone())
		return false;
	error = o->fetch(m->build_id, m->build_id_size, debug, &path);
	if (!error) {
		found = try(ctx, path, NULL);
		free(path);
	} else if (error != ENOENT) {
		__atomic_store_n(&servers_gone, true, __ATOMIC_RELAXED);
	}
	return found;
}

bool findfile_binary(const struct module *m, const struct module_options *o,
		     const struct extra_files *extra, findfile_try *try, void *ctx)
{
	bool found;

	if (m->kind == MODULE_KERNEL)
		return (o->vmlinux && try(ctx, o->vmlinux, NULL)) || try_cache(m, o, "elf", try, ctx);
	found = try_extras(m, extra, try, ctx);
	if (!found && o->symfs)
		found = try_symfs(m, o->symfs, try, ctx);
	if (!found && !o->symfs && m->path[0] == '/')
		found = try_made(try, ctx, without_deleted(m->path), NULL);
	return found || try_cache(m, o, m->kind == MODULE_VDSO ? "vdso" : "elf", try, ctx) ||
	       try_old_cache(m, o, try, ctx) || try_fetch(m, o, false, try, ctx);
}

/* --- debug files ----------------------------------------------------------------------- */

/* .gnu_debuglink: a file name, NUL-padded to 4 bytes, then the file's CRC. */
static char *debuglink(Elf *elf, uint32_t *crc)
{
	size_t shstrndx;
	Elf_Scn *scn = NULL;

	if (elf_getshdrstrndx(elf, &shstrndx) < 0)
		return NULL;
	while ((scn = elf_nextscn(elf, scn))) {
		GElf_Shdr sh;
		Elf_Data *data;
		const char *name, *ident = elf_getident(elf, NULL);
		struct cursor c;
		size_t len;

		if (!gelf_getshdr(scn, &sh) || !(name = elf_strptr(elf, shstrndx, sh.sh_name)) ||
		    strcmp(name, ".gnu_debuglink") != 0)
			continue;
		data = elf_rawdata(scn, NULL);
		if (!data || !data->d_buf || !ident)
			return NULL;
		c = cursor_make(data->d_buf, data->d_size, 0,
				(ident[EI_DATA] == ELFDATA2MSB) != (__BYTE_ORDER == __BIG_ENDIAN));
		name = cursor_cstr(&c, &len);
		cursor_take(&c, (4 - (len + 1) % 4) % 4);
		*crc = cursor_u32(&c);
		return c.failed || !len || strchr(name, '/') ? NULL : xstrdup(name);
	}
	return NULL;
}

/* A debug file below root (a symfs, or nothing): GDB's places in its order. */
static bool try_debug_places(const struct module *m, const char *root, int root_len, const char *dir,
			     const char *link, const uint32_t *crc, findfile_try *try, void *ctx)
{
	const uint8_t *id = m->file_build_id_size ? m->file_build_id : m->build_id;
	size_t id_size = m->file_build_id_size ? m->file_build_id_size : m->build_id_size;
	int folder = (int)(base_name(m->path) - m->path);
	char hex[41];

	build_id_hex(id, id_size, hex);
	return (id_size >= 2 && try_made(try, ctx, xasprintf("%.*s%s/.build-id/%.2s/%s.debug", root_len, root,
							     dir, hex, hex + 2), NULL)) ||
	       (link && m->path[0] == '/' &&
		try_made(try, ctx, xasprintf("%.*s%s%.*s%s", root_len, root, dir, folder, m->path, link), crc));
}

bool findfile_debug(const struct module *m, const struct module_options *o, findfile_try *try, void *ctx)
{
	const char *dir = o->debug_dir ? o->debug_dir : "/usr/lib/debug", *symfs = o->symfs ? o->symfs : "";
	uint32_t crc = 0;
	char *link = m->elf ? debuglink(m->elf, &crc) : NULL;
	bool flat, found = false;

	if (link && m->file) {
		int folder = (int)(base_name(m->file) - m->file);

		found = try_made(try, ctx, xasprintf("%.*s%s", folder, m->file, link), &crc) ||
			try_made(try, ctx, xasprintf("%.*s.debug/%s", folder, m->file, link), &crc);
	}
	found = found || try_debug_places(m, "", 0, dir, link, &crc, try, ctx) ||
		(*symfs && try_debug_places(m, symfs, symfs_length(symfs, &flat), dir, link, &crc, try, ctx));
	free(link);
	return found || try_cache(m, o, "debug", try, ctx) || try_fetch(m, o, true, try, ctx);
}
