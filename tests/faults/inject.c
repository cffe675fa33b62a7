/*
 * Runs a command whose Nth call of a kind that concerns a named file fails.
 * Usage: inject write|fsync|rename|create N ERRNO|sSIGNAL COMMAND [ARGUMENT]...
 * With sSIGNAL the call is made, and the command has got the signal by then. With N 0 nothing happens. The last line on standard error says how many there were. The exit code is the
 * command's, 128 and its signal, or 77 where the kernel does not tell of system calls
 * (seccomp_unotify(2), Linux 5.5).
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define KINDS_MAX 3

static const struct {
	const char *name;
	long calls[KINDS_MAX];
} kinds[] = {
	{"write", {SYS_write, SYS_writev, -1}},
	{"fsync", {SYS_fsync, SYS_fdatasync, -1}},
#ifdef SYS_rename
	{"rename", {SYS_rename, SYS_renameat, SYS_renameat2}},
#else
	{"rename", {SYS_renameat, SYS_renameat2, -1}},
#endif
	{"create", {SYS_openat, -1, -1}},
};

static int listen_to(const long *calls)
{
	struct sock_filter f[KINDS_MAX + 3];
	struct sock_fprog prog = {.filter = f};

	f[prog.len++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	for (int i = 0; i < KINDS_MAX; i++) /* behind the last comparison: allow, then tell */
		f[prog.len++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)calls[i],
							      (uint8_t)(KINDS_MAX - i), 0);
	f[prog.len++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	f[prog.len++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -1;
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &prog);
}

union control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(int))];
};

/* The child's listener is sent before the program runs. */
static int pass(int socket, int fd, int receive)
{
	union control control = {.bytes = ""};
	char byte = 0;
	struct iovec iov = {&byte, 1};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof(control.bytes)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	if (receive) {
		if (recvmsg(socket, &m, 0) != 1 || !CMSG_FIRSTHDR(&m))
			return -1;
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(int));
		return fd;
	}
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(int));
	return (int)sendmsg(socket, &m, 0);
}

/* Descriptors of sockets and pipes do not count, nor standard output and error. */
static int counts(const struct seccomp_notif *n, const char *kind)
{
	char link[64], to[PATH_MAX];
	ssize_t len;

	if (!strcmp(kind, "rename"))
		return 1;
	if (!strcmp(kind, "create"))
		return (n->data.args[2] & O_CREAT) != 0;
	if (n->data.args[0] <= 2)
		return 0;
	snprintf(link, sizeof(link), "/proc/%u/fd/%d", n->pid, (int)n->data.args[0]);
	len = readlink(link, to, sizeof(to));
	return len > 0 && to[0] == '/' && strncmp(to, "/dev/", 5) != 0;
}

static long serve(int listener, const char *kind, long at, int error, int sig, pid_t child)
{
	long seen = 0;

	for (;;) {
		struct seccomp_notif n = {0};
		struct seccomp_notif_resp r = {0};
		struct pollfd p = {.fd = listener, .events = POLLIN};

		if (poll(&p, 1, -1) < 0 && errno == EINTR)
			continue;
		if (!(p.revents & POLLIN))
			return seen;
		if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &n) < 0)
			continue;
		r.id = n.id;
		r.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
		if (counts(&n, kind) && ++seen >= at && at) {
			if (sig && seen == at)
				kill(child, sig);
			if (!sig)
				r = (struct seccomp_notif_resp){.id = n.id, .error = -error};
		}
		ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &r);
	}
}

int main(int argc, char **argv)
{
	int pair[2], listener, status, kind = -1;
	pid_t child;

	for (int i = 0; argc > 4 && i < (int)(sizeof(kinds) / sizeof(*kinds)); i++)
		if (!strcmp(kinds[i].name, argv[1]))
			kind = i;
	if (kind < 0) {
		fputs("usage: inject write|fsync|rename|create N ERRNO COMMAND [ARGUMENT]...\n", stderr);
		return 99;
	}
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return 99;
	child = fork();
	if (!child) {
		listener = listen_to(kinds[kind].calls);
		if (listener < 0 || pass(pair[1], listener, 0) < 0)
			_exit(77);
		fcntl(listener, F_SETFD, FD_CLOEXEC);
		execvp(argv[4], argv + 4);
		_exit(99);
	}
	close(pair[1]);
	listener = pass(pair[0], -1, 1);
	if (listener >= 0) {
		int sig = argv[3][0] == 's' ? (int)strtol(argv[3] + 1, NULL, 10) : 0;
		long seen = serve(listener, argv[1], strtol(argv[2], NULL, 10), (int)strtol(argv[3], NULL, 10), sig, child);

		fprintf(stderr, "%ld\n", seen);
	}
	if (waitpid(child, &status, 0) != child)
		return 99;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
