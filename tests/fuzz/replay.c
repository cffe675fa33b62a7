/*
 * Runs a harness over files and folders of files:
 *     replay_NAME [FILE|FOLDER]...
 * without arguments over $srcdir/tests/fuzz/seeds/NAME, as `make check` does.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/file.h"
#include "fuzz.h"

static size_t files;

static int replay_file(const char *path)
{
	struct file_map m;
	struct error e;
	uint8_t *copy;

	if (file_map_open(&m, path, &e) < 0) {
		fprintf(stderr, "%s\n", e.text);
		return -1;
	}
	/* its own allocation, so that a sanitizer sees a read past the end */
	copy = m.size ? xmemdup(m.data, m.size) : xmalloc(1);
	/* said first: a harness that aborts has named its input */
	printf("%s\n", path);
	fflush(stdout);
	LLVMFuzzerTestOneInput(copy, m.size);
	files++;
	free(copy);
	file_map_close(&m);
	return 0;
}

static int is_visible(const struct dirent *d)
{
	return d->d_name[0] != '.';
}

static int replay(const char *path)
{
	struct dirent **list;
	struct stat st;
	int n, r = 0;

	if (stat(path, &st) < 0 || !S_ISDIR(st.st_mode))
		return replay_file(path);
	n = scandir(path, &list, is_visible, alphasort);
	if (n < 0) {
		perror(path);
		return -1;
	}
	for (int i = 0; i < n; i++) {
		char *name = xasprintf("%s/%s", path, list[i]->d_name);

		r |= replay_file(name);
		free(name);
		free(list[i]);
	}
	free(list);
	return r;
}

int main(int argc, char **argv)
{
	int r = 0;

	if (argc > 1) {
		for (int i = 1; i < argc; i++)
			r |= replay(argv[i]);
	} else {
		const char *srcdir = getenv("srcdir"), *name = strstr(argv[0], "replay_");
		char *path = xasprintf("%s/tests/fuzz/seeds/%s", srcdir ? srcdir : ".", name ? name + strlen("replay_") : "");

		r = replay(path);
		free(path);
	}
	printf("%zu inputs\n", files);
	return r || !files;
}
