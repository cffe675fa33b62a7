#include "cmd/folder.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"

static char *find(const char *dir, const char *name)
{
	char *path = xasprintf("%s/%s", dir, name);

	if (access(path, F_OK) == 0)
		return path;
	free(path);
	return NULL;
}

bool folder_open(struct folder *f, const char *path)
{
	*f = (struct folder){.perf = find(path, FOLDER_PERF)};
	if (!f->perf)
		return false;
	f->pprof = find(path, FOLDER_PPROF);
	f->trace = find(path, FOLDER_TRACE);
	if (!f->trace)
		f->trace = find(path, FOLDER_TRACE ".gz");
	f->kallsyms = find(path, FOLDER_KALLSYMS);
	f->bin = find(path, FOLDER_BIN);
	return true;
}

bool folder_beside(struct folder *f, const char *path)
{
	const char *slash = strrchr(path, '/');
	char *dir;
	bool found;

	if (strcmp(slash ? slash + 1 : path, FOLDER_PERF) != 0)
		return false;
	dir = slash ? xstrndup(path, (size_t)(slash - path) + 1) : xstrdup(".");
	found = folder_open(f, dir) && (f->bin || f->kallsyms);
	free(dir);
	return found;
}

void folder_release(struct folder *f)
{
	free(f->perf);
	free(f->pprof);
	free(f->trace);
	free(f->kallsyms);
	free(f->bin);
	*f = (struct folder){0};
}
