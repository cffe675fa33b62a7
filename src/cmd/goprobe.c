#include "cmd/goprobe.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "process/goswitch.h"

#define GROUP "perfskew"
#define PREFIX "gogo_"

#if defined(__aarch64__)
#define MACHINE EM_AARCH64
#else
#define MACHINE EM_X86_64
#endif

/* Where the kernel keeps its dynamic events; of tracefs, and of debugfs, where it used to be. */
static const char *const files[] = {"/sys/kernel/tracing/uprobe_events", "/sys/kernel/debug/tracing/uprobe_events"};

static int open_events(int flags)
{
	int fd = open(files[0], flags | O_CLOEXEC), code = errno;

	if (fd < 0 && code == ENOENT) {
		fd = open(files[1], flags | O_CLOEXEC);
		code = fd < 0 && errno == EACCES ? EACCES : code;
	}
	errno = code;
	return fd;
}

/* One command, which takes effect with the write. Returns 0 or an errno. */
static int command(const char *text)
{
	int fd = open_events(O_WRONLY | O_APPEND), code = 0;

	if (fd < 0)
		return errno;
	if (write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		code = errno ? errno : EIO;
	close(fd);
	return code;
}

static int remove_event(long pid)
{
	char *text = xasprintf("-:" GROUP "/" PREFIX "%ld\n", pid);
	int code = command(text);

	free(text);
	return code;
}

/* Those of processes that are no more: nothing uses them. */
static void remove_left_behind(void)
{
	static const char begin[] = "p:" GROUP "/" PREFIX;
	int fd = open_events(O_RDONLY);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "r");
	char *line = NULL;
	size_t alloc = 0;

	if (!f) {
		if (fd >= 0)
			close(fd);
		return;
	}
	while (getline(&line, &alloc, f) > 0) {
		long pid = strncmp(line, begin, sizeof(begin) - 1) ? 0 : strtol(line + sizeof(begin) - 1, NULL, 10);

		if (pid > 0 && kill((pid_t)pid, 0) < 0 && errno == ESRCH)
			remove_event(pid);
	}
	free(line);
	fclose(f);
}

static int find_place(struct goswitch *at, int fd, const char *path, struct error *e)
{
	Elf *elf = elf_begin(fd, ELF_C_READ, NULL);
	GElf_Ehdr ehdr;
	int result;

	if (!elf || elf_kind(elf) != ELF_K_ELF || !gelf_getehdr(elf, &ehdr))
		result = error_set(e, EXIT_CODE_INPUT, "%s: is no Go program", path);
	else if (ehdr.e_machine != MACHINE)
		result = error_set(e, EXIT_CODE_INPUT, "%s: is for another architecture than this machine's", path);
	else
		result = goswitch_find(at, elf, path, e);
	elf_end(elf);
	return result;
}

static int refused(int code, const char *path, struct error *e)
{
	if (code == ENOENT)
		return error_set(e, EXIT_CODE_INPUT, "%s is not there. Run: mount -t tracefs none /sys/kernel/tracing", files[0]);
	if (code == EACCES || code == EPERM)
		return error_set(e, EXIT_CODE_INPUT, "--goroutines needs root: %s: %s", files[0], strerror(code));
	return error_set(e, EXIT_CODE_INPUT, "%s: the kernel takes no probe: %s", path, strerror(code));
}

int goprobe_place(struct goprobe *p, const char *path, struct error *e)
{
	struct goswitch at;
	char *text;
	int code;

	*p = (struct goprobe){.fd = file_open_regular(path)};
	if (p->fd < 0)
		return error_set(e, EXIT_CODE_INPUT, "%s: %s", path, strerror(errno));
	elf_version(EV_CURRENT);
	if (find_place(&at, p->fd, path, e) < 0) {
		close(p->fd);
		return -1;
	}
	remove_left_behind();
	/* by descriptor: names may hold blanks, and be those of a container */
	text = xasprintf("p:" GROUP "/" PREFIX "%ld /proc/self/fd/%d:0x%" PRIx64 " gp=%%%s:x64 goid=+%u(%%%s):u64\n",
			 (long)getpid(), p->fd, at.offset, at.g_register, at.goid, at.g_register);
	code = command(text);
	free(text);
	if (code) {
		close(p->fd);
		return refused(code, path, e);
	}
	p->event = xasprintf(GROUP ":" PREFIX "%ld", (long)getpid());
	return 0;
}

int goprobe_remove(struct goprobe *p, struct error *e)
{
	int code = p->event ? remove_event((long)getpid()) : 0;

	if (p->event)
		close(p->fd);
	free(p->event);
	p->event = NULL;
	if (!code)
		return 0;
	return error_set(e, EXIT_CODE_OUTPUT, "%s: the probe could not be removed: %s", files[0], strerror(code));
}
