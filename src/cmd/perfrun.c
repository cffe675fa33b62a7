#include "cmd/perfrun.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "cmd/perfchain.h"

extern char **environ;

#define PARANOID "/proc/sys/kernel/perf_event_paranoid"
/* Pages of the ring a CPU: 16 KB dumps fill perf's 512 KB in 30 samples. Needs CAP_IPC_LOCK. */
#define BIG_RING "2048"
/* perf reads the whole of /proc/PID/maps of all threads before it starts. */
#define START_TIMEOUT_MS 10000

/* --- what can be done here ----------------------------------------------------------- */

static int paranoid(void)
{
	char text[16] = "";
	int fd = open(PARANOID, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -2;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	return n > 0 ? (int)strtol(text, NULL, 10) : -2;
}

/* 0, or the errno of perf_event_open. */
static int try_open(uint32_t type, uint64_t config, pid_t pid, bool user_only)
{
	struct perf_event_attr attr = {
		.type = type, .size = sizeof(attr), .config = config, .disabled = 1,
		.exclude_kernel = user_only, .exclude_hv = 1, .sample_period = 100000,
	};
	long fd = syscall(SYS_perf_event_open, &attr, pid, -1, -1, PERF_FLAG_FD_CLOEXEC);

	if (fd < 0)
		return errno;
	close((int)fd);
	return 0;
}

static int refused(const struct perf_plan *p, int code, struct error *e)
{
	struct stat st;
	char path[64];
	int level = paranoid();

	snprintf(path, sizeof(path), "/proc/%d", (int)p->pid);
	if (p->pid && (code == ESRCH || stat(path, &st) < 0))
		return error_set(e, EXIT_CODE_INPUT, "no process %d", (int)p->pid);
	if (p->pid && geteuid() != 0 && st.st_uid != geteuid())
		return error_set(e, EXIT_CODE_INPUT,
				 "process %d belongs to another user: run perfskew record as that user or as root",
				 (int)p->pid);
	if (code == ENOSYS || level == -2)
		return error_set(e, EXIT_CODE_INPUT, "this kernel has no perf events (CONFIG_PERF_EVENTS)");
	if ((code == EACCES || code == EPERM) && level > 1)
		return error_set(e, EXIT_CODE_INPUT,
				 "not allowed to record (kernel.perf_event_paranoid is %d). Run: sudo sysctl kernel.perf_event_paranoid=1",
				 level);
	if (code == EACCES || code == EPERM)
		return error_set(e, EXIT_CODE_INPUT,
				 "not allowed to record although kernel.perf_event_paranoid is %d: a container needs CAP_PERFMON and a seccomp profile that allows perf_event_open (docker run --cap-add PERFMON --security-opt seccomp=unconfined)",
				 level);
	return error_set(e, EXIT_CODE_INPUT, "cannot open a perf event: %s", strerror(code));
}

static int choose_event(struct perf_plan *p, void (*note_fn)(void *, const char *), void *ctx,
			struct error *e)
{
	uint32_t type = PERF_TYPE_HARDWARE;
	uint64_t config = PERF_COUNT_HW_CPU_CYCLES;
	char text[256];
	int code;

	p->chosen = p->event ? p->event : "cycles";
	code = try_open(type, config, p->pid, true);
	if (p->event || code == ENOENT || code == EOPNOTSUPP || code == ENODEV || code == EINVAL) {
		if (!p->event) {
			p->chosen = "cpu-clock";
			note_fn(ctx, "no hardware cycle counter here (a virtual machine?): recording cpu-clock instead");
		}
		/* A named event is perf's to judge; the rights are the same for all. */
		type = PERF_TYPE_SOFTWARE;
		config = PERF_COUNT_SW_CPU_CLOCK;
		code = try_open(type, config, p->pid, true);
	}
	if (code)
		return refused(p, code, e);
	code = try_open(type, config, p->pid, false);
	if (code == EACCES || code == EPERM) {
		p->user_only = true;
		snprintf(text, sizeof(text),
			 "no right to record kernel code (kernel.perf_event_paranoid is %d): user code only. For both: sudo sysctl kernel.perf_event_paranoid=1",
			 paranoid());
		note_fn(ctx, text);
	} else if (code) {
		return refused(p, code, e);
	}
	return 0;
}

static void default_signals(posix_spawnattr_t *attr)
{
	sigset_t none, defaults;

	/* The caller blocks signals to read them from a descriptor, and ignores SIGPIPE and SIGXFSZ: not its children. */
	sigemptyset(&none);
	sigemptyset(&defaults);
	sigaddset(&defaults, SIGPIPE);
	sigaddset(&defaults, SIGXFSZ);
	posix_spawnattr_init(attr);
	posix_spawnattr_setsigmask(attr, &none);
	posix_spawnattr_setsigdefault(attr, &defaults);
	posix_spawnattr_setflags(attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
}

/* Whether the kernel puts build-ids into MMAP2 records (5.12); perf fails when asked for it in vain. */
static bool kernel_sends_build_ids(void)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE, .size = sizeof(attr), .config = PERF_COUNT_SW_DUMMY,
		.disabled = 1, .exclude_kernel = 1, .mmap = 1, .mmap2 = 1, .build_id = 1,
	};
	long fd = syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);

	if (fd >= 0)
		close((int)fd);
	return fd >= 0;
}

/* What a command prints, both streams, cut at 64 KiB. NULL when it cannot be run. */
static char *printed_by(const char *const *argv)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	char *text = NULL;
	size_t size = 0, max = 65536;
	int fds[2], result;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return NULL;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, fds[1], 1);
	posix_spawn_file_actions_adddup2(&actions, fds[1], 2);
	default_signals(&attr);
	result = posix_spawnp(&pid, argv[0], &actions, &attr, (char *const *)(uintptr_t)argv, environ);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&actions);
	close(fds[1]);
	if (!result) {
		char drop[4096] = "";
		ssize_t n;

		text = xcalloc(1, max + 1);
		while ((n = read(fds[0], size < max ? text + size : drop,
				 size < max ? max - size : sizeof(drop))) > 0)
			size += size < max ? (size_t)n : 0;
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			continue;
	}
	close(fds[0]);
	return text;
}

int perf_plan_check(struct perf_plan *p, void (*note_fn)(void *ctx, const char *text), void *ctx,
		    struct error *e)
{
	static const char *const version_argv[] = {"perf", "version", "--build-options", NULL};
	static const char *const help_argv[] = {"perf", "record", "-h", NULL};
	char *version = printed_by(version_argv), *help, *zstd;

	if (!version)
		return error_set(e, EXIT_CODE_INPUT,
				 "perf is not installed: apt install linux-perf | dnf install perf");
	/* " zstd: [ on  ]  # HAVE_ZSTD_SUPPORT", in every perf since 5.2 */
	zstd = strstr(version, "zstd: [");
	p->zstd = zstd && !strncmp(zstd + strlen("zstd: ["), " on", 3);
	free(version);
	help = printed_by(help_argv);
	p->buildid_mmap = help && strstr(help, "--buildid-mmap") && kernel_sends_build_ids();
	p->control = help && strstr(help, "--control");
	p->big_ring = geteuid() == 0 || paranoid() < 0;
	free(help);
	return choose_event(p, note_fn, ctx, e);
}

/* --- the command line ---------------------------------------------------------------- */

struct args {
	char **v;
	size_t nr, alloc;
};

static void add(struct args *a, char *text)
{
	ALLOC_GROW(a->v, a->nr + 2, a->alloc);
	a->v[a->nr++] = text;
	a->v[a->nr] = NULL;
}

static void add_str(struct args *a, const char *text)
{
	add(a, xstrdup(text));
}

static void args_release(struct args *a)
{
	for (size_t i = 0; i < a->nr; i++)
		free(a->v[i]);
	free(a->v);
}

/*
 * With a second event, terms inside the slashes instead of -F and --call-graph:
 * those would turn the scheduler's tracepoint into a sampled one and give every
 * event a dump. What the user wrote with terms or modifiers is left as it is.
 */
static void add_events(struct args *a, const struct perf_plan *p)
{
	const char *u = p->user_only ? "u" : "";

	add_str(a, "-e");
	if ((p->chain || p->off_cpu || p->probe) && !strpbrk(p->chosen, "/:,{")) {
		add(a, xasprintf("%s/name=%s,freq=%zu,call-graph=dwarf,stack-size=%zu/%s", p->chosen,
				 p->chosen, p->frequency, p->stack_size, u));
	} else {
		add(a, xasprintf("%s%s%s", p->chosen, *u && !strpbrk(p->chosen, "/:,{") ? ":" : "",
				 strpbrk(p->chosen, "/:,{") ? "" : u));
		add_str(a, "-F");
		add(a, xasprintf("%zu", p->frequency));
		add(a, xasprintf("--call-graph=dwarf,%zu", p->stack_size));
	}
	if (p->chain) {
		add_str(a, "-e");
		add(a, xasprintf("task-clock/name=task-clock,freq=%zu,call-graph=fp/%s", p->frequency, u));
	}
	if (p->probe) {
		add_str(a, "-e");
		add(a, xasprintf("%s/call-graph=no/", p->probe));
	}
	if (p->off_cpu) {
		add_str(a, "--switch-events");
		add_str(a, "-e");
		add(a, xasprintf("sched:sched_switch/call-graph=dwarf,stack-size=%zu/", p->stack_size));
	}
}

static struct args perf_args(const struct perf_plan *p, int ctl, int ack)
{
	struct args a = {0};

	add_str(&a, "perf");
	add_str(&a, "record");
	if (p->quiet) /* hides perf's errors as well */
		add_str(&a, "-q");
	/* Go's clock, and that of its execution traces */
	add_str(&a, "-k");
	add_str(&a, "mono");
	/* Copies of big binaries in ~/.debug are not asked for. */
	add_str(&a, "-N");
	if (p->buildid_mmap)
		add_str(&a, "--buildid-mmap");
	if (p->zstd)
		add_str(&a, "-z");
	if (p->big_ring) {
		add_str(&a, "-m");
		add_str(&a, BIG_RING);
	}
	add_events(&a, p);
	if (ctl >= 0) {
		add_str(&a, "-D");
		add_str(&a, "-1");
		add(&a, xasprintf("--control=fd:%d,%d", ctl, ack));
	}
	add_str(&a, "-o");
	add_str(&a, p->output);
	if (p->pid) {
		add_str(&a, "-p");
		add(&a, xasprintf("%d", (int)p->pid));
	} else {
		add_str(&a, "--");
		for (char **c = p->command; *c; c++)
			add_str(&a, *c);
	}
	return a;
}

char *perf_plan_text(const struct perf_plan *p)
{
	struct args a = perf_args(p, -1, -1);
	char *text = xstrdup("");

	for (size_t i = 0; i < a.nr; i++) {
		char *more = xasprintf("%s%s%s", text, i ? " " : "", a.v[i]);

		free(text);
		text = more;
	}
	args_release(&a);
	return text;
}

/* --- running it ---------------------------------------------------------------------- */

/* "enable" on the control pipe, and the answer. An old or dying perf does not hold us up. */
static int enable(struct perf_run *r, struct error *e)
{
	struct pollfd pfd = {.fd = r->ack, .events = POLLIN};
	char answer[16];

	if (write(r->ctl, "enable\n", 7) == 7 && poll(&pfd, 1, START_TIMEOUT_MS) > 0 &&
	    read(r->ack, answer, sizeof(answer)) > 0)
		return 0;
	perf_run_stop(r);
	perf_run_wait(r);
	return error_set(e, EXIT_CODE_INPUT, "perf record did not start%s", r->quiet ? ": run without --quiet to see why" : " (its message is above)");
}

/* As posix_spawnp would, but followed until its events are open. Returns 0 or an errno. */
static int start_followed(struct perf_run *r, char **argv)
{
	sigset_t none;
	unsigned changed = 0;
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return errno;
	r->pid = fork();
	if (r->pid < 0) {
		int code = errno;

		close(fds[0]);
		close(fds[1]);
		return code;
	}
	if (!r->pid) {
		signal(SIGPIPE, SIG_DFL);
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		perfchain_offer(fds[1]);
		execvp("perf", argv);
		_exit(127);
	}
	close(fds[1]);
	if (perfchain_follow(r->pid, fds[0], &r->status, &changed))
		r->pid = 0;
	close(fds[0]);
	r->chains = changed > 0;
	return 0;
}

int perf_run_start(struct perf_run *r, const struct perf_plan *p, struct error *e)
{
	int ctl[2] = {-1, -1}, ack[2] = {-1, -1}, result;
	posix_spawnattr_t attr;
	struct args args;
	bool control = p->control && p->pid;

	*r = (struct perf_run){.ctl = -1, .ack = -1, .quiet = p->quiet};
	if (control && (pipe2(ctl, O_CLOEXEC) < 0 || pipe2(ack, O_CLOEXEC) < 0))
		return error_set(e, EXIT_CODE_LIMIT, "pipe: %s", strerror(errno));
	if (control) {
		fcntl(ctl[0], F_SETFD, 0);
		fcntl(ack[1], F_SETFD, 0);
	}
	args = perf_args(p, ctl[0], ack[1]);
	if (p->user_chain && perfchain_allowed()) {
		result = start_followed(r, args.v);
	} else {
		default_signals(&attr);
		result = posix_spawnp(&r->pid, "perf", NULL, &attr, args.v, environ);
		posix_spawnattr_destroy(&attr);
	}
	args_release(&args);
	if (control) {
		close(ctl[0]);
		close(ack[1]);
		r->ctl = ctl[1];
		r->ack = ack[0];
	}
	if (result) {
		r->pid = 0;
		return error_set(e, EXIT_CODE_INPUT, "cannot run perf: %s", strerror(result));
	}
	return control ? enable(r, e) : 0;
}

static void ended(struct perf_run *r)
{
	r->pid = 0;
}

bool perf_run_ended(struct perf_run *r)
{
	if (r->pid && waitpid(r->pid, &r->status, WNOHANG) == r->pid)
		ended(r);
	return !r->pid;
}

void perf_run_stop(const struct perf_run *r)
{
	if (r->pid)
		kill(r->pid, SIGINT);
}

void perf_run_wait(struct perf_run *r)
{
	while (r->pid) {
		if (waitpid(r->pid, &r->status, 0) == r->pid || errno != EINTR)
			ended(r);
	}
}

void perf_run_release(struct perf_run *r)
{
	if (r->ctl >= 0)
		close(r->ctl);
	if (r->ack >= 0)
		close(r->ack);
	r->ctl = r->ack = -1;
}
