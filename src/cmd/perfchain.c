#include "cmd/perfchain.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/alloc.h"

/* So many other system calls after an event was opened, and perf opens no more. */
#define OTHERS 256

bool perfchain_allowed(void)
{
	const char *path = getenv("PATH"), *end;

	if (geteuid() == 0)
		return true;
	for (; path && *path; path = *end ? end + 1 : end) {
		struct stat st;
		char *file;
		bool found, special;

		end = strchrnul(path, ':');
		file = xasprintf("%.*s/perf", (int)(end - path), path);
		found = access(file, X_OK) == 0 && stat(file, &st) == 0;
		special = found && (st.st_mode & (S_ISUID | S_ISGID) ||
				    getxattr(file, "security.capability", NULL, 0) > 0);
		free(file);
		if (found)
			return !special;
	}
	return true;
}

void perfchain_offer(int fd)
{
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0 && write(fd, "", 1) == 1)
		raise(SIGSTOP);
}

/* perf_event_open with a stack dump and without user call chain: with both. */
static bool change_attribute(pid_t perf, uint64_t address)
{
	struct perf_event_attr attr;
	struct iovec here = {&attr, PERF_ATTR_SIZE_VER5}, there = {(void *)(uintptr_t)address, PERF_ATTR_SIZE_VER5};

	if (process_vm_readv(perf, &here, 1, &there, 1, 0) != (ssize_t)PERF_ATTR_SIZE_VER5)
		return false;
	if (!attr.exclude_callchain_user || !(attr.sample_type & PERF_SAMPLE_STACK_USER) ||
	    !(attr.sample_type & PERF_SAMPLE_CALLCHAIN))
		return false;
	attr.exclude_callchain_user = 0;
	return process_vm_writev(perf, &here, 1, &there, 1, 0) == (ssize_t)PERF_ATTR_SIZE_VER5;
}

struct follow {
	unsigned changed, others; /* others: system calls since the last event */
};

/* At a system call's start: true once all events are open. */
static bool look(pid_t perf, struct follow *f)
{
	struct __ptrace_syscall_info info;

	memset(&info, 0, sizeof(info));
	if (ptrace(PTRACE_GET_SYSCALL_INFO, perf, (void *)sizeof(info), &info) <= 0 ||
	    info.op != PTRACE_SYSCALL_INFO_ENTRY)
		return false;
	if (info.entry.nr == SYS_perf_event_open) {
		f->changed += change_attribute(perf, info.entry.args[0]);
		f->others = 0;
		return false;
	}
	return f->changed && ++f->others > OTHERS;
}

/* What to do at a stop; false: let go. *deliver: the signal that it is for perf. */
static bool go_on(pid_t perf, int signal, bool first, struct follow *f, int *deliver)
{
	*deliver = 0;
	if (first) /* the stop of perfchain_offer */
		return ptrace(PTRACE_SETOPTIONS, perf, NULL, (void *)PTRACE_O_TRACESYSGOOD) == 0;
	if (signal == (SIGTRAP | 0x80))
		return !look(perf, f);
	if (signal != SIGTRAP) /* which exec sends */
		*deliver = signal;
	return true;
}

bool perfchain_follow(pid_t perf, int fd, int *status, unsigned *changed)
{
	struct follow f = {0};
	int deliver = 0;
	char byte;
	ssize_t n;

	while ((n = read(fd, &byte, 1)) < 0 && errno == EINTR)
		continue;
	*changed = 0;
	for (bool first = true; n == 1; first = false) {
		pid_t pid;

		while ((pid = waitpid(perf, status, WUNTRACED)) < 0 && errno == EINTR)
			continue;
		*changed = f.changed;
		if (pid != perf)
			return false;
		if (!WIFSTOPPED(*status))
			return true;
		if (!go_on(perf, WSTOPSIG(*status), first, &f, &deliver))
			break;
		if (ptrace(PTRACE_SYSCALL, perf, NULL, (void *)(intptr_t)deliver) < 0 && errno != ESRCH)
			break;
	}
	if (n == 1)
		ptrace(PTRACE_DETACH, perf, NULL, NULL);
	*changed = f.changed;
	return false;
}
