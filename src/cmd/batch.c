#include "cmd/batch.h"

#include <dirent.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "cmd/folder.h"
#include "perfdata/perfdata.h"
#include "profile/pprof.h"

const struct opt batch_opts[] = {
	{.name = "baseline", .type = OPT_STRING, .offset = offsetof(struct batch_options, baseline), .arg = "DIR|FILE",
	 .help = "compare each recording with its namesake there"},
	{0},
};

/* What files of a kind are called; tried in this order. */
static const char *const recording_suffixes[] = {".data", NULL};
static const char *const pprof_suffixes[] = {".pb.gz", ".pprof", ".pb", NULL};
static const char *const text_suffixes[] = {".folded", ".collapsed", NULL};

static const char *suffix_of(const char *path, const char *const *suffixes)
{
	size_t n = strlen(path);

	for (; *suffixes; suffixes++) {
		size_t k = strlen(*suffixes);

		if (n > k && !strcmp(path + n - k, *suffixes) && path[n - k - 1] != '/')
			return path + n - k;
	}
	return NULL;
}

static const char *known_suffix(const char *path)
{
	const char *s = suffix_of(path, recording_suffixes);

	s = s ? s : suffix_of(path, pprof_suffixes);
	return s ? s : suffix_of(path, text_suffixes);
}

static bool is_directory(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* The directory of perf record --threads holds "header" beside its data files. */
static bool is_perf_directory(const char *path)
{
	char *header = xasprintf("%s/header", path);
	bool found = access(header, F_OK) == 0;

	free(header);
	return found;
}

/* --- names --------------------------------------------------------------------------------- */

/* The part of a path after its last slash, trailing ones left out. */
static char *last_part(const char *path, size_t len)
{
	const char *end, *start;

	while (len > 1 && path[len - 1] == '/')
		len--;
	end = start = path + len;
	while (start > path && start[-1] != '/')
		start--;
	return xstrndup(start, (size_t)(end - start));
}

/* A folder's own name, also of "." and "..". */
static char *folder_name(const char *path, size_t len)
{
	char *given = xstrndup(path, len), *name = last_part(path, len), *real;

	if (!*name || !strcmp(name, ".") || !strcmp(name, "..") || !strcmp(name, "/")) {
		real = realpath(*given ? given : ".", NULL);
		if (real) {
			free(name);
			name = last_part(real, strlen(real));
			free(real);
		}
	}
	free(given);
	return name;
}

/* perf.data says nothing: such a file is called by its folder. */
static char *name_of(const char *path)
{
	const char *suffix = known_suffix(path);
	char *name = suffix ? last_part(path, (size_t)(suffix - path)) : last_part(path, strlen(path));
	size_t dir = strlen(path);

	if (is_directory(path) && !suffix) {
		free(name);
		return folder_name(path, strlen(path));
	}
	if (strcmp(name, "perf") || !strchr(path, '/'))
		return name;
	while (dir && path[dir - 1] != '/')
		dir--;
	free(name);
	return folder_name(path, dir);
}

static int by_name(const void *a, const void *b)
{
	const struct batch_item *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

/* Where several would have one name, each is called by its path, and by its place if that is the same, too. */
static void make_unique(struct batch *b)
{
	struct batch_item **sorted = xreallocarray(NULL, b->nr, sizeof(struct batch_item *));
	size_t end;

	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < b->nr; i++)
			sorted[i] = &b->items[i];
		if (b->nr)
			qsort(sorted, b->nr, sizeof(*sorted), by_name);
		for (size_t i = 0; i < b->nr; i = end) {
			for (end = i + 1; end < b->nr && !strcmp(sorted[end]->name, sorted[i]->name);)
				end++;
			for (size_t k = i; end - i > 1 && k < end; k++) {
				struct batch_item *item = sorted[k];
				char *name = round ? xasprintf("%s#%zu", item->path, (size_t)(item - b->items) + 1)
						   : xstrdup(item->path);

				/* item->name of the others is still compared with: replace after the run is known */
				free(item->name);
				item->name = name;
			}
		}
	}
	free(sorted);
}

/* --- expansion ------------------------------------------------------------------------------- */

static void add(struct batch *b, const char *path, const char *pprof)
{
	ALLOC_GROW(b->items, b->nr + 1, b->alloc);
	b->items[b->nr++] = (struct batch_item){
		.path = xstrdup(path), .pprof = pprof ? xstrdup(pprof) : NULL,
		.name = strcmp(path, "-") ? name_of(path) : xstrdup("standard input"),
	};
}

/* The profile beside NAME.data, or NULL; the caller frees it. */
static char *beside(const char *path)
{
	const char *suffix = suffix_of(path, recording_suffixes);

	for (const char *const *s = pprof_suffixes; suffix && *s; s++) {
		char *other = xasprintf("%.*s%s", (int)(suffix - path), path, *s);

		if (access(other, F_OK) == 0)
			return other;
		free(other);
	}
	return NULL;
}

static void add_recording(struct batch *b, const char *path)
{
	struct folder f = {0};
	char *pprof;

	if (is_directory(path) && !is_perf_directory(path) && folder_open(&f, path)) {
		add(b, path, f.pprof);
	} else {
		pprof = beside(path);
		add(b, path, pprof);
		free(pprof);
	}
	folder_release(&f);
}

/* A folder that is one recording. */
static bool is_recording_folder(const char *path)
{
	struct folder f;
	bool is = is_perf_directory(path) || folder_open(&f, path);

	if (is && !is_perf_directory(path))
		folder_release(&f);
	return is;
}

/* A path of a folder or pattern that is a recording or profile by its name. */
static bool looks_readable(const char *path)
{
	return is_directory(path) ? is_recording_folder(path) : known_suffix(path) != NULL;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Names in a directory, sorted; the caller frees them. */
static char **list_directory(const char *path, size_t *nr)
{
	char **names = NULL;
	size_t alloc = 0;
	DIR *d = opendir(path);
	struct dirent *entry;

	*nr = 0;
	while (d && (entry = readdir(d))) {
		if (entry->d_name[0] == '.')
			continue;
		ALLOC_GROW(names, *nr + 1, alloc);
		names[(*nr)++] = xstrdup(entry->d_name);
	}
	if (d)
		closedir(d);
	if (*nr)
		qsort(names, *nr, sizeof(*names), by_text);
	return names;
}

/* What a folder holds, one level deep; an empty one is kept, for its error to be told. */
static void add_folder(struct batch *b, const char *path)
{
	size_t nr, before = b->nr;
	char **names = list_directory(path, &nr);

	for (size_t i = 0; i < nr; i++) {
		char *full = xasprintf("%s/%s", path, names[i]);

		if (looks_readable(full))
			add_recording(b, full);
		free(full);
		free(names[i]);
	}
	free(names);
	b->many = b->opened = true;
	if (b->nr == before)
		add(b, path, NULL);
}

static void add_path(struct batch *b, const char *path)
{
	if (strcmp(path, "-") && is_directory(path) && !is_recording_folder(path))
		add_folder(b, path);
	else
		add_recording(b, path);
}

/* What a pattern found: what looks readable, or everything where nothing does. */
static void add_found(struct batch *b, char *const *paths, size_t nr)
{
	size_t known = 0;

	for (size_t i = 0; i < nr; i++)
		known += looks_readable(paths[i]);
	for (size_t i = 0; i < nr; i++)
		if (!known || looks_readable(paths[i]))
			add_recording(b, paths[i]);
	b->many = b->opened = true;
}

static void add_operand(struct batch *b, const char *operand)
{
	size_t len = strlen(operand);
	glob_t found;
	char *path;

	/* a pattern that the shell left alone: quoted, or there was no match */
	if (strcmp(operand, "-") && access(operand, F_OK) < 0 && strpbrk(operand, "*?[") &&
	    glob(operand, 0, NULL, &found) == 0) {
		add_found(b, found.gl_pathv, found.gl_pathc);
		globfree(&found);
		return;
	}
	while (len > 1 && operand[len - 1] == '/')
		len--;
	path = xstrndup(operand, len);
	add_path(b, path);
	free(path);
}

static int by_pointer_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* A profile that was taken as the other half of a recording is no item of its own. */
static void drop_halves(struct batch *b)
{
	const char **halves = xreallocarray(NULL, b->nr, sizeof(*halves));
	size_t nr = 0, kept = 0;

	for (size_t i = 0; i < b->nr; i++)
		if (b->items[i].pprof)
			halves[nr++] = b->items[i].pprof;
	if (nr)
		qsort(halves, nr, sizeof(*halves), by_pointer_text);
	for (size_t i = 0; i < b->nr; i++) {
		struct batch_item *item = &b->items[i];

		if (nr && bsearch(&item->path, halves, nr, sizeof(*halves), by_pointer_text)) {
			free(item->name);
			free(item->path);
			free(item->pprof);
		} else {
			b->items[kept++] = *item;
		}
	}
	b->nr = kept;
	free(halves);
}

void batch_expand(struct batch *b, size_t nr, const char *const *operands)
{
	*b = (struct batch){.many = nr > 1};
	for (size_t i = 0; i < nr; i++)
		add_operand(b, operands[i]);
	drop_halves(b);
	make_unique(b);
}

void batch_operands(struct batch *b, const struct common_options *o, int argc, char *const *argv, const char *none)
{
	size_t nr = o->input.nr + (size_t)argc, n = 0;
	const char **all = xreallocarray(NULL, nr + 1, sizeof(*all));

	for (size_t i = 0; i < o->input.nr; i++)
		all[n++] = o->input.items[i];
	for (int i = 0; i < argc; i++)
		all[n++] = argv[i];
	if (!n && none)
		all[n++] = none;
	batch_expand(b, n, all);
	free(all);
}

void batch_release(struct batch *b)
{
	for (size_t i = 0; i < b->nr; i++) {
		free(b->items[i].name);
		free(b->items[i].path);
		free(b->items[i].pprof);
	}
	free(b->items);
	*b = (struct batch){0};
}

/* The first bytes of a regular file; 0 when there are none. */
static size_t first_bytes(const char *path, void *buf, size_t size)
{
	int fd = file_open_regular(path);
	ssize_t n = fd < 0 ? 0 : read(fd, buf, size);

	if (fd >= 0)
		close(fd);
	return n > 0 ? (size_t)n : 0;
}

void batch_pair_up(struct batch *b)
{
	uint8_t perf[4096], pprof[4096];
	size_t n, k;

	if (b->nr != 2 || b->items[0].pprof || b->items[1].pprof)
		return;
	n = first_bytes(b->items[0].path, perf, sizeof(perf));
	k = first_bytes(b->items[1].path, pprof, sizeof(pprof));
	if (!perfdata_recognise(perf, n) || perfdata_recognise(pprof, k) || !pprof_recognise(pprof, k))
		return;
	b->items[0].pprof = b->items[1].path;
	free(b->items[1].name);
	b->nr = 1;
	b->many = false;
}

void batch_named_pair(struct batch *b, const char *perf, const char *pprof)
{
	uint8_t bytes[4096];
	bool has = false;

	for (size_t i = 0; i < b->nr; i++)
		has |= b->items[i].pprof != NULL;
	if (b->opened || is_directory(pprof) || (has && perfdata_recognise(bytes, first_bytes(pprof, bytes, sizeof(bytes)))))
		return;
	batch_release(b);
	add(b, perf, pprof);
}

const struct batch_item *batch_find(const struct batch *b, const char *name)
{
	for (size_t i = 0; i < b->nr; i++)
		if (!strcmp(b->items[i].name, name))
			return &b->items[i];
	return NULL;
}

const struct batch_item *batch_base(const struct batch *bases, const struct batch_item *item)
{
	if (!bases->nr)
		return NULL;
	return bases->many ? batch_find(bases, item->name) : &bases->items[0];
}
