/*
 * The rights of this process, given up for good: files by Landlock
 * (landlock(7), Linux 5.13), system calls by seccomp (seccomp(2)). Where the kernel has
 * one of them not, the other still holds.
 */
#ifndef CMD_SANDBOX_H
#define CMD_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>

struct sandbox_rule {
	char *path;
	bool write; /* else read; of a folder all that is below it */
};

/* Paths that may be opened; those that are not there are left out. */
struct sandbox {
	struct sandbox_rule *rules;
	size_t nr, alloc;
};

/* path is copied. */
void sandbox_allow(struct sandbox *s, const char *path, bool write);
void sandbox_release(struct sandbox *s);

/* The kernel's version of Landlock, or 0 with errno when it has none. */
int sandbox_version(void);
/* From now on only these files, also for threads to come. Returns the version, or 0 with errno. */
int sandbox_files(const struct sandbox *s);
/*
 * No program is run, no process started or looked into, no socket opened, no mode or
 * owner of a file changed, and nothing of the system. 0, or -1 with errno.
 */
int sandbox_calls(void);

#endif
