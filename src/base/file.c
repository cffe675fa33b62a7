#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define GUARD_SLOTS 8192

/* Read by the signal handler: begin is set last and cleared first. */
static struct guard {
	_Atomic(uintptr_t) begin;
	_Atomic(uintptr_t) end;
	_Atomic(bool) shrank;
} guards[GUARD_SLOTS];

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static uintptr_t page_size;

static void on_sigbus(int sig, siginfo_t *info, void *context)
{
	uintptr_t addr = (uintptr_t)info->si_addr;
	int saved = errno;

	(void)context;
	for (int i = 0; i < GUARD_SLOTS; i++) {
		uintptr_t begin = atomic_load(&guards[i].begin);
		uintptr_t end = atomic_load(&guards[i].end);

		if (begin && addr >= begin && addr < end) {
			addr &= ~(page_size - 1);
			if (mmap((void *)addr, page_size, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED) {
				atomic_store(&guards[i].shrank, true);
				errno = saved;
				return;
			}
		}
	}
	signal(sig, SIG_DFL);
	raise(sig);
}

static void install(void)
{
	struct sigaction sa = {.sa_sigaction = on_sigbus, .sa_flags = SA_SIGINFO | SA_NODEFER};

	page_size = (uintptr_t)sysconf(_SC_PAGESIZE);
	sigemptyset(&sa.sa_mask);
	sigaction(SIGBUS, &sa, NULL);
}

static const struct file_opener *opener;

void file_set_opener(const struct file_opener *o)
{
	opener = o;
}

int file_temporary(void)
{
	FILE *f;
	int fd;

	if (opener)
		return opener->temporary();
	f = tmpfile();
	fd = f ? fcntl(fileno(f), F_DUPFD_CLOEXEC, 3) : -1;
	if (f)
		fclose(f);
	return fd;
}

int file_open_regular(const char *path)
{
	struct stat st;
	int fd;

	/* opening some devices does something already: look first */
	if (stat(path, &st) < 0)
		return -1;
	if (!S_ISREG(st.st_mode)) {
		errno = EINVAL;
		return -1;
	}
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	if (fd < 0 && errno == EACCES && opener)
		fd = opener->open_regular(path);
	if (fd < 0)
		return -1;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		errno = EINVAL;
		return -1;
	}
	return fd;
}

/* What may be written to has a page of zeros behind it. */
static void *map_with_tail(struct file_map *m, int fd, int prot)
{
	void *whole, *p;

	if (!(prot & PROT_WRITE)) {
		m->span = m->size;
		return mmap(NULL, m->size, prot, MAP_PRIVATE, fd, 0);
	}
	m->span = (m->size + 2 * page_size - 1) & ~(page_size - 1);
	whole = mmap(NULL, m->span, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (whole == MAP_FAILED)
		return MAP_FAILED;
	p = mmap(whole, m->size, prot, MAP_PRIVATE | MAP_FIXED, fd, 0);
	if (p == MAP_FAILED)
		munmap(whole, m->span);
	return p;
}

static int map_fd(struct file_map *m, int fd, int prot, const char *path, struct error *e)
{
	struct stat st;
	void *p;

	*m = (struct file_map){.slot = -1};
	pthread_once(&once, install);
	if (fstat(fd, &st) < 0)
		return error_set(e, EXIT_CODE_INPUT, "%s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return error_set(e, EXIT_CODE_INPUT, "%s: not a regular file", path);
	if (!st.st_size)
		return 0;
	m->size = (size_t)st.st_size;
	p = map_with_tail(m, fd, prot);
	if (p == MAP_FAILED) {
		*m = (struct file_map){.slot = -1};
		return error_set(e, errno == ENOMEM ? EXIT_CODE_LIMIT : EXIT_CODE_INPUT, "%s: cannot map %llu bytes: %s",
				 path, (unsigned long long)st.st_size, strerror(errno));
	}
	m->data = p;
	pthread_mutex_lock(&lock);
	for (int i = 0; i < GUARD_SLOTS && m->slot < 0; i++) {
		if (!atomic_load(&guards[i].begin)) {
			atomic_store(&guards[i].shrank, false);
			atomic_store(&guards[i].end, (uintptr_t)p + m->size);
			atomic_store(&guards[i].begin, (uintptr_t)p);
			m->slot = i;
		}
	}
	pthread_mutex_unlock(&lock);
	if (m->slot < 0) {
		munmap(p, m->span);
		*m = (struct file_map){.slot = -1};
		return error_set(e, EXIT_CODE_LIMIT, "%s: more than %d files mapped at once", path,
				 GUARD_SLOTS);
	}
	return 0;
}

static int open_and_map(struct file_map *m, const char *path, int prot, struct error *e)
{
	int fd = file_open_regular(path);
	int r;

	*m = (struct file_map){.slot = -1};
	if (fd < 0)
		return error_set(e, EXIT_CODE_INPUT, "%s: %s", path,
				 errno == EINVAL ? "not a regular file" : strerror(errno));
	r = map_fd(m, fd, prot, path, e);
	close(fd);
	return r;
}

int file_map_descriptor(struct file_map *m, int fd, const char *path, struct error *e)
{
	return map_fd(m, fd, PROT_READ, path, e);
}

int file_map_open(struct file_map *m, const char *path, struct error *e)
{
	return open_and_map(m, path, PROT_READ, e);
}

int file_map_open_private(struct file_map *m, const char *path, struct error *e)
{
	return open_and_map(m, path, PROT_READ | PROT_WRITE, e);
}

bool file_map_shrank(const struct file_map *m)
{
	return m->slot >= 0 && atomic_load(&guards[m->slot].shrank);
}

void file_map_forget(const struct file_map *m, size_t part, size_t parts)
{
	size_t pages, from, to;

	if (!m->data) /* a stream: nothing was mapped, and page_size may not be known */
		return;
	pages = m->size / page_size;
	from = pages / parts * part;
	to = pages / parts * (part + 1);
	if (to > from)
		madvise((void *)((uintptr_t)m->data + from * page_size), (to - from) * page_size, MADV_DONTNEED);
}

void file_map_close(struct file_map *m)
{
	if (m->slot >= 0)
		atomic_store(&guards[m->slot].begin, 0);
	if (m->data)
		munmap((void *)(uintptr_t)m->data, m->span);
	*m = (struct file_map){.slot = -1};
}
