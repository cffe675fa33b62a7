#include "cmd/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sched.h>
#include <seccomp.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/alloc.h"

void sandbox_allow(struct sandbox *s, const char *path, bool write)
{
	ALLOC_GROW(s->rules, s->nr + 1, s->alloc);
	s->rules[s->nr++] = (struct sandbox_rule){.path = xstrdup(path), .write = write};
}

void sandbox_release(struct sandbox *s)
{
	for (size_t i = 0; i < s->nr; i++)
		free(s->rules[i].path);
	free(s->rules);
	*s = (struct sandbox){0};
}

/* --- files ---------------------------------------------------------------------------- */

/*
 * include/uapi/linux/landlock.h of Linux 6.18; headers may be older. The first version knew the
 * rights up to MAKE_SYM, and every one since added the rows below.
 */
#define RIGHTS_OF_VERSION_1 ((UINT64_C(1) << 13) - 1)
#define RIGHT_REFER (UINT64_C(1) << 13)
#define RIGHT_TRUNCATE (UINT64_C(1) << 14)
#define RIGHT_IOCTL_DEV (UINT64_C(1) << 15)
#define RIGHTS_NETWORK UINT64_C(3) /* bind and connect, TCP */
#define SCOPES UINT64_C(3)	   /* abstract sockets and signals of others */

struct ruleset {
	uint64_t files, network, scoped;
};

/* What a kernel of this version can be told, and how many bytes of the struct it takes. */
static size_t handled(int version, struct ruleset *r)
{
	*r = (struct ruleset){.files = RIGHTS_OF_VERSION_1};
	r->files |= version >= 2 ? RIGHT_REFER : 0;
	r->files |= version >= 3 ? RIGHT_TRUNCATE : 0;
	r->files |= version >= 5 ? RIGHT_IOCTL_DEV : 0;
	r->network = version >= 4 ? RIGHTS_NETWORK : 0;
	r->scoped = version >= 6 ? SCOPES : 0;
	return version >= 6 ? 24 : version >= 4 ? 16 : 8;
}

static uint64_t rights(const struct sandbox_rule *rule, bool folder, uint64_t all)
{
	uint64_t want = folder ? LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR
			       : LANDLOCK_ACCESS_FS_READ_FILE;

	if (rule->write)
		want = LANDLOCK_ACCESS_FS_WRITE_FILE | RIGHT_TRUNCATE;
	if (rule->write && folder)
		want |= LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_REMOVE_FILE;
	return want & all;
}

/* A path that is not there needs no right; others fail no more than their opening would. */
static void add_rule(int set, const struct sandbox_rule *rule, uint64_t all)
{
	struct landlock_path_beneath_attr beneath = {.parent_fd = open(rule->path, O_PATH | O_CLOEXEC)};
	struct stat st;

	if (beneath.parent_fd < 0)
		return;
	if (fstat(beneath.parent_fd, &st) == 0) {
		beneath.allowed_access = rights(rule, S_ISDIR(st.st_mode), all);
		syscall(SYS_landlock_add_rule, set, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0);
	}
	close(beneath.parent_fd);
}

int sandbox_version(void)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	return version < 0 ? 0 : (int)version;
}

int sandbox_files(const struct sandbox *s)
{
	int version = sandbox_version(), set, error;
	struct ruleset r;
	size_t size;

	if (!version)
		return 0;
	size = handled(version, &r);
	set = (int)syscall(SYS_landlock_create_ruleset, &r, size, 0);
	if (set < 0)
		return 0;
	for (size_t i = 0; i < s->nr; i++)
		add_rule(set, &s->rules[i], r.files);
	error = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? errno : 0;
	if (!error && syscall(SYS_landlock_restrict_self, set, 0) < 0)
		error = errno;
	close(set);
	errno = error;
	return error ? 0 : version;
}

/* --- system calls ----------------------------------------------------------------------- */

/* What nothing here needs, by groups; a name that the processor's list has not is passed over. */
static const int refused[] = {
	/* programs and processes; clone is below */
	SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(fork), SCMP_SYS(vfork),
	SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev), SCMP_SYS(process_madvise), SCMP_SYS(kcmp),
	SCMP_SYS(pidfd_open), SCMP_SYS(pidfd_getfd), SCMP_SYS(pidfd_send_signal), SCMP_SYS(rt_sigqueueinfo),
	SCMP_SYS(rt_tgsigqueueinfo), SCMP_SYS(perf_event_open), SCMP_SYS(bpf), SCMP_SYS(userfaultfd),
	SCMP_SYS(setrlimit), SCMP_SYS(personality),
	/* network, and what could open a way around these rules */
	SCMP_SYS(socket), SCMP_SYS(socketpair), SCMP_SYS(connect), SCMP_SYS(bind), SCMP_SYS(listen),
	SCMP_SYS(accept), SCMP_SYS(accept4), SCMP_SYS(sendto), SCMP_SYS(sendmmsg), SCMP_SYS(socketcall),
	SCMP_SYS(io_uring_setup), SCMP_SYS(io_uring_enter), SCMP_SYS(io_uring_register),
	SCMP_SYS(open_by_handle_at), SCMP_SYS(name_to_handle_at), SCMP_SYS(io_setup), SCMP_SYS(io_submit),
	/* modes, owners, times and attributes of files, which Landlock leaves alone */
	SCMP_SYS(chmod), SCMP_SYS(fchmodat), SCMP_SYS(chown), SCMP_SYS(lchown), SCMP_SYS(fchown),
	SCMP_SYS(fchownat), SCMP_SYS(setxattr), SCMP_SYS(lsetxattr), SCMP_SYS(fsetxattr),
	SCMP_SYS(removexattr), SCMP_SYS(lremovexattr), SCMP_SYS(fremovexattr), SCMP_SYS(utime),
	SCMP_SYS(utimes), SCMP_SYS(futimesat), SCMP_SYS(utimensat), SCMP_SYS(mknod), SCMP_SYS(mknodat),
	/* users, mounts, keys and the system */
	SCMP_SYS(setuid), SCMP_SYS(setgid), SCMP_SYS(setreuid), SCMP_SYS(setregid), SCMP_SYS(setresuid),
	SCMP_SYS(setresgid), SCMP_SYS(setgroups), SCMP_SYS(setfsuid), SCMP_SYS(setfsgid), SCMP_SYS(capset),
	SCMP_SYS(mount), SCMP_SYS(umount), SCMP_SYS(umount2), SCMP_SYS(pivot_root), SCMP_SYS(chroot),
	SCMP_SYS(unshare), SCMP_SYS(setns), SCMP_SYS(open_tree), SCMP_SYS(move_mount), SCMP_SYS(fsopen),
	SCMP_SYS(fsconfig), SCMP_SYS(fsmount), SCMP_SYS(fspick), SCMP_SYS(mount_setattr),
	SCMP_SYS(add_key), SCMP_SYS(request_key), SCMP_SYS(keyctl), SCMP_SYS(init_module),
	SCMP_SYS(finit_module), SCMP_SYS(delete_module), SCMP_SYS(kexec_load), SCMP_SYS(kexec_file_load),
	SCMP_SYS(reboot), SCMP_SYS(swapon), SCMP_SYS(swapoff), SCMP_SYS(syslog), SCMP_SYS(acct),
	SCMP_SYS(quotactl), SCMP_SYS(sethostname), SCMP_SYS(setdomainname), SCMP_SYS(settimeofday),
	SCMP_SYS(clock_settime), SCMP_SYS(adjtimex), SCMP_SYS(clock_adjtime), SCMP_SYS(iopl),
	SCMP_SYS(ioperm), SCMP_SYS(modify_ldt), SCMP_SYS(vhangup),
};

/* clone(2): the order of its arguments */
#ifdef __s390x__
#define CLONE_FLAGS SCMP_A1
#else
#define CLONE_FLAGS SCMP_A0
#endif

static int add_calls(scmp_filter_ctx filter)
{
	uint32_t no = SCMP_ACT_ERRNO(EPERM);
	int r = 0;

	for (size_t i = 0; i < sizeof(refused) / sizeof(*refused) && !r; i++) {
		r = seccomp_rule_add(filter, no, refused[i], 0);
		if (r == -EDOM || r == -EINVAL) /* not of this processor, or of this library */
			r = 0;
	}
#ifndef __SANITIZE_ADDRESS__ /* which looks for leaks by a process that stops this one */
	r = r ? r : seccomp_rule_add(filter, no, SCMP_SYS(ptrace), 0);
	/* threads are clones with this flag; of clone3 no filter sees the flags, and libc then takes clone */
	r = r ? r : seccomp_rule_add(filter, no, SCMP_SYS(clone), 1, CLONE_FLAGS(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0));
	r = r ? r : seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
#endif
	/* limits may be asked for */
	r = r ? r : seccomp_rule_add(filter, no, SCMP_SYS(prlimit64), 1, SCMP_A2(SCMP_CMP_NE, 0));
	/* signals to nobody else; input typed into nobody's terminal */
	r = r ? r : seccomp_rule_add(filter, no, SCMP_SYS(kill), 1, SCMP_A0(SCMP_CMP_NE, (scmp_datum_t)getpid()));
	return r ? r : seccomp_rule_add(filter, no, SCMP_SYS(ioctl), 1, SCMP_A1(SCMP_CMP_MASKED_EQ, UINT32_MAX, TIOCSTI));
}

int sandbox_calls(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int r;

	if (!filter) {
		errno = ENOMEM;
		return -1;
	}
	r = add_calls(filter);
	r = r ? r : seccomp_load(filter); /* sets no_new_privs first */
	seccomp_release(filter);
	if (r) {
		errno = -r;
		return -1;
	}
	return 0;
}
