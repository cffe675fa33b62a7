#include "cmd/broker.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"

/* The descriptor of the broker's end, in the broker. */
#define BROKER_FD 3

enum request_kind { REQUEST_OPEN, REQUEST_TEMPORARY, REQUEST_BINARY, REQUEST_DEBUG };

/* One packet each way; the answer may carry a descriptor. */
struct request {
	int kind; /* enum request_kind */
	int id_size;
	uint8_t id[20];
	char path[PATH_MAX];
};

struct answer {
	int error; /* errno, 0 for success */
	char path[PATH_MAX];
};

static int channel = -1;
static pid_t broker;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* --- in the broker ------------------------------------------------------------------ */

/* "7f00 40 name" of perf-PID.map, "ffffffff81000000 T _text" of kallsyms. */
static bool begins_with_number(const char *s, size_t n)
{
	size_t i = n > 1 && s[0] == '0' && (s[1] == 'x' || s[1] == 'X') ? 2 : 0, start = i;

	while (i < n && strchr("0123456789abcdefABCDEF", s[i]))
		i++;
	return i > start && i - start <= 16 && i < n && (s[i] == ' ' || s[i] == '\t');
}

/* What is neither an ELF file nor a list of symbols is nothing that symbols are looked for in. */
static bool holds_symbols(int fd)
{
	char head[32] = "";
	ssize_t n = pread(fd, head, sizeof(head), 0);

	return n == 0 || (n >= 4 && !memcmp(head, "\177ELF", 4)) ||
	       (n > 0 && begins_with_number(head, (size_t)n));
}

static int open_for(const char *path)
{
	int fd = file_open_regular(path);

	if (fd >= 0 && !holds_symbols(fd)) {
		close(fd);
		errno = EACCES;
		fd = -1;
	}
	return fd;
}

static void fetch_for(const struct request *r, broker_fetch_fn *fetch, struct answer *a)
{
	char *path = NULL;

	a->error = ENOENT;
	if (fetch && r->id_size > 0 && r->id_size <= (int)sizeof(r->id))
		a->error = fetch(r->id, (size_t)r->id_size, r->kind == REQUEST_DEBUG, &path);
	if (a->error)
		return;
	if (strlen(path) < sizeof(a->path))
		memcpy(a->path, path, strlen(path) + 1);
	else
		a->error = ENOENT;
	free(path);
}

/* A descriptor travels as SCM_RIGHTS, see unix(7). */
union control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(int))];
};

static bool send_answer(const struct answer *a, int fd)
{
	union control control = {.bytes = ""};
	struct iovec iov = {.iov_base = (void *)(uintptr_t)a, .iov_len = sizeof(*a)};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
	struct cmsghdr *c;

	if (fd >= 0) {
		m.msg_control = control.bytes;
		m.msg_controllen = sizeof(control.bytes);
		c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof(int));
	}
	return sendmsg(BROKER_FD, &m, MSG_NOSIGNAL) == (ssize_t)sizeof(*a);
}

static void serve(broker_fetch_fn *fetch)
{
	static struct request r;
	static struct answer a;

	while (read(BROKER_FD, &r, sizeof(r)) == (ssize_t)sizeof(r)) {
		int fd = -1;
		bool sent;

		memset(&a, 0, sizeof(a));
		r.path[sizeof(r.path) - 1] = '\0';
		if (r.kind == REQUEST_OPEN || r.kind == REQUEST_TEMPORARY) {
			fd = r.kind == REQUEST_OPEN ? open_for(r.path) : file_temporary();
			a.error = fd < 0 ? errno : 0;
		} else {
			fetch_for(&r, fetch, &a);
		}
		sent = send_answer(&a, fd);
		if (fd >= 0)
			close(fd);
		if (!sent)
			break;
	}
}

static void out_of_memory(size_t bytes)
{
	(void)bytes;
	_exit(1);
}

static void run(int end, broker_fetch_fn *fetch, void (*confine)(void))
{
	struct sigaction ignore = {.sa_handler = SIG_IGN};
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};

	/* it ends with the other side; what that leaves behind is not the broker's to remove */
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		sigaction(signals[i], &ignore, NULL);
	prctl(PR_SET_NAME, "perfskew-open");
	alloc_set_handler(out_of_memory);
	file_set_opener(NULL);
	if (end != BROKER_FD && dup2(end, BROKER_FD) < 0)
		_exit(1);
	/* a reader of our output waits until nobody holds it */
	close(STDIN_FILENO);
	close(STDOUT_FILENO);
	if (!fetch)
		close(STDERR_FILENO);
#ifdef SYS_close_range
	syscall(SYS_close_range, BROKER_FD + 1, ~0U, 0);
#endif
	confine();
	serve(fetch);
	_exit(0);
}

/* --- in the process that asks ------------------------------------------------------- */

static int ask(const struct request *r, struct answer *a)
{
	union control control;
	struct iovec iov = {.iov_base = a, .iov_len = sizeof(*a)};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes,
			   .msg_controllen = sizeof(control.bytes)};
	struct iovec out = {.iov_base = (void *)(uintptr_t)r, .iov_len = sizeof(*r)};
	struct msghdr question = {.msg_iov = &out, .msg_iovlen = 1};
	struct cmsghdr *c;
	int fd = -1;
	ssize_t n = -1;

	pthread_mutex_lock(&lock);
	if (sendmsg(channel, &question, MSG_NOSIGNAL) == (ssize_t)sizeof(*r)) {
		do
			n = recvmsg(channel, &m, MSG_CMSG_CLOEXEC);
		while (n < 0 && errno == EINTR);
	}
	pthread_mutex_unlock(&lock);
	if (n != (ssize_t)sizeof(*a)) /* it is gone: nothing but a want of memory ends it */
		alloc_failed(sizeof(*a));
	a->path[sizeof(a->path) - 1] = '\0';
	c = CMSG_FIRSTHDR(&m);
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
		memcpy(&fd, CMSG_DATA(c), sizeof(int));
	errno = a->error;
	return fd;
}

static int ask_open(const char *path)
{
	struct request r = {.kind = REQUEST_OPEN};
	struct answer a;

	if (strlen(path) >= sizeof(r.path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(r.path, path, strlen(path) + 1);
	return ask(&r, &a);
}

static int ask_temporary(void)
{
	struct request r = {.kind = REQUEST_TEMPORARY};
	struct answer a;

	return ask(&r, &a);
}

int broker_fetch(const uint8_t *id, size_t size, bool debug, char **path)
{
	struct request r = {.kind = debug ? REQUEST_DEBUG : REQUEST_BINARY, .id_size = (int)size};
	struct answer a;

	if (size > sizeof(r.id))
		return ENOENT;
	memcpy(r.id, id, size);
	if (ask(&r, &a) < 0 && a.error)
		return a.error;
	*path = xstrdup(a.path);
	return 0;
}

int broker_start(broker_fetch_fn *fetch, void (*confine)(void))
{
	static const struct file_opener opener = {ask_open, ask_temporary};
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return -1;
	broker = fork();
	if (!broker) {
		close(ends[0]);
		run(ends[1], fetch, confine);
	}
	close(ends[1]);
	if (broker < 0) {
		close(ends[0]);
		return -1;
	}
	channel = ends[0];
	file_set_opener(&opener);
	return 0;
}

void broker_stop(void)
{
	if (channel < 0)
		return;
	file_set_opener(NULL);
	close(channel);
	channel = -1;
	while (waitpid(broker, NULL, 0) < 0 && errno == EINTR)
		continue;
}
