#include "base/output.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"

#define SLOTS 64
#define BUFFER_SIZE 65536 /* pictures are megabytes: stdio would write them by 4 KB */

/* Names of temporary files, fixed storage because a signal handler reads it. */
static struct {
	_Atomic(bool) used;
	char path[PATH_MAX];
} pending[SLOTS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

void output_abort_all(void)
{
	for (int i = 0; i < SLOTS; i++)
		if (atomic_load(&pending[i].used))
			unlink(pending[i].path);
}

static int reserve(const char *path)
{
	int slot = -1;

	pthread_mutex_lock(&lock);
	for (int i = 0; i < SLOTS && slot < 0; i++) {
		if (!atomic_load(&pending[i].used)) {
			memcpy(pending[i].path, path, strlen(path) + 1);
			atomic_store(&pending[i].used, true);
			slot = i;
		}
	}
	pthread_mutex_unlock(&lock);
	return slot;
}

static int fail(struct output *o, const char *what, struct error *e)
{
	int saved = errno;

	error_set(e, EXIT_CODE_OUTPUT, "%s: %s: %s", o->path ? o->path : "standard output", what,
		  strerror(saved));
	output_discard(o);
	return -1;
}

/* mkostemp(3), but for writing only: the sandbox lets nothing be read here. */
static int create_beside(char *template)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
	char *x = template + strlen(template) - 6;
	int fd = -1;

	for (int i = 0; i < 100 && fd < 0; i++) {
		uint64_t random;

		if (getrandom(&random, sizeof(random), GRND_NONBLOCK) != (ssize_t)sizeof(random))
			random = (uint64_t)getpid() * 0x9e3779b97f4a7c15U + (uint64_t)i;
		for (int k = 0; k < 6; k++, random >>= 6)
			x[k] = letters[random & 63];
		fd = open(template, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (fd < 0 && errno != EEXIST)
			break;
	}
	return fd;
}

int output_open(struct output *o, const char *path, struct error *e)
{
	struct stat st;
	mode_t mask, mode = 0666;
	int fd;

	*o = (struct output){.slot = -1};
	if (!path || !strcmp(path, "-")) {
		o->f = stdout;
		return 0;
	}
	o->path = xstrdup(path);
	if (stat(path, &st) == 0) {
		if (S_ISDIR(st.st_mode)) {
			errno = EISDIR;
			return fail(o, "cannot write", e);
		}
		mode = st.st_mode & 0777;
		if (!S_ISREG(st.st_mode)) {
			o->f = fopen(path, "we");
			return o->f ? 0 : fail(o, "cannot open", e);
		}
		if (access(path, W_OK) < 0)
			return fail(o, "cannot write", e);
		/* Through a symbolic link the file it names is replaced, not the link. */
		char *real = realpath(path, NULL);
		if (real) {
			free(o->path);
			o->path = real;
		}
	}
	o->tmp = xasprintf("%s.XXXXXX", o->path);
	if (strlen(o->tmp) >= PATH_MAX) {
		errno = ENAMETOOLONG;
		free(o->tmp);
		o->tmp = NULL;
		return fail(o, "cannot create", e);
	}
	fd = create_beside(o->tmp);
	if (fd < 0) {
		free(o->tmp);
		o->tmp = NULL;
		return fail(o, "cannot create a temporary file beside it", e);
	}
	o->slot = reserve(o->tmp);
	mask = umask(0);
	umask(mask);
	if (fchmod(fd, mode & ~mask) < 0) {
		close(fd);
		return fail(o, "cannot set its mode", e);
	}
	o->f = fdopen(fd, "w");
	if (!o->f) {
		close(fd);
		return fail(o, "cannot open", e);
	}
	o->buffer = xmalloc(BUFFER_SIZE);
	setvbuf(o->f, o->buffer, _IOFBF, BUFFER_SIZE);
	return 0;
}

int output_commit(struct output *o, struct error *e)
{
	FILE *f = o->f;

	if (fflush(f) != 0 || ferror(f))
		return fail(o, "cannot write", e);
	if (o->tmp && fsync(fileno(f)) < 0)
		return fail(o, "cannot sync", e);
	o->f = NULL;
	if (f != stdout && fclose(f) != 0)
		return fail(o, "cannot close", e);
	if (o->tmp && rename(o->tmp, o->path) < 0)
		return fail(o, "cannot rename into place", e);
	free(o->tmp);
	o->tmp = NULL;
	output_discard(o);
	return 0;
}

void output_failed(struct output *o, struct error *e)
{
	char what[sizeof(e->text)];

	memcpy(what, e->text, sizeof(what));
	error_set(e, e->code, "%s: %s", o->path ? o->path : "standard output", what);
	output_discard(o);
}

void output_discard(struct output *o)
{
	if (o->f && o->f != stdout)
		fclose(o->f);
	if (o->tmp)
		unlink(o->tmp);
	if (o->slot >= 0)
		atomic_store(&pending[o->slot].used, false);
	free(o->tmp);
	free(o->path);
	free(o->buffer);
	*o = (struct output){.slot = -1};
}
