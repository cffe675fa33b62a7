/*
 * perfskew record: perf record with the right options, and the pprof profile
 * and execution trace of the same seconds, in one folder.
 */
#include <elf.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/output.h"
#include "cmd/buildids.h"
#include "cmd/cmd.h"
#include "cmd/confine.h"
#include "cmd/fetch.h"
#include "cmd/folder.h"
#include "cmd/goprobe.h"
#include "cmd/message.h"
#include "cmd/perfrun.h"
#include "profile/pprof.h"
#include "trace/trace.h"

#define DEFAULT_HZ 499
#define DEFAULT_STACK 16384
#define STACK_MAX 65528 /* PERF_SAMPLE_STACK_USER counts in a u16 */
/* go tool pprof's own default */
#define DEFAULT_SECONDS 30
/* For a profile that was cut short, and for the last bytes of a whole one, to come in. */
#define GRACE_MS 10000
/* A slow poll: only ends and refused connections are waited for. */
#define POLL_MS 200

struct record {
	const char *output, *event, *pprof;
	size_t pid, hz, stack;
	double seconds;
	bool trace, chain, no_chain, off_cpu, goroutines;
	struct common_options common; /* quiet only */
};

#define ROW(name, letter, type, field, arg, help)                              \
	{name, letter, type, offsetof(struct record, field), arg, help, NULL}
static const struct opt record_opts[] = {
	ROW("output", 'o', OPT_STRING, output, "DIR", "the folder to leave (must not hold a recording yet)"),
	ROW("pid", 'p', OPT_SIZE, pid, "PID", "record a running process instead of a command"),
	ROW("duration", 'd', OPT_DOUBLE, seconds, "SECONDS", "how long (with a pprof URL 30; else until the end or Ctrl-C)"),
	ROW("frequency", 'F', OPT_SIZE, hz, "HZ", "samples a second and CPU (499)"),
	ROW("pprof", 0, OPT_STRING, pprof, "URL|FILE",
	    "fetch /debug/pprof/profile of the same seconds, or take the FILE the program writes"),
	ROW("trace", 0, OPT_FLAG, trace, NULL, "fetch /debug/pprof/trace of the same seconds as well"),
	ROW("event", 'e', OPT_STRING, event, "NAME", "what to count (cycles; cpu-clock where there are none)"),
	ROW("stack-size", 0, OPT_SIZE, stack, "BYTES", "stack dumped with each sample (16384)"),
	ROW("chain", 0, OPT_FLAG, chain, NULL, "a second event with frame-pointer call chains"),
	ROW("no-chain", 0, OPT_FLAG, no_chain, NULL, "no frame-pointer call chains beside the stack dumps"),
	ROW("off-cpu", 0, OPT_FLAG, off_cpu, NULL, "the scheduler's switches with their stacks as well"),
	ROW("goroutines", 0, OPT_FLAG, goroutines, NULL, "every switch to a goroutine as well, by a probe in the program (root)"),
	ROW("no-sandbox", 0, OPT_FLAG, common.no_sandbox, NULL, "keep all rights of the user when what was fetched is checked"),
	ROW("quiet", 'q', OPT_FLAG, common.quiet, NULL, "no notes"),
	{0},
};

static const struct opt_group groups[] = {
	{.title = "Recording", .opts = record_opts, .base = 0},
	{0},
};

/* What runs, and where it goes. */
struct session {
	const struct record *o;
	struct perf_plan plan;
	struct perf_run perf;
	struct goprobe probe;
	struct fetch_set *set;
	struct fetch *profile, *trace;
	char *perf_path, *profile_path, *trace_path;
	int signals; /* signalfd */
	size_t fetch_seconds;
	int64_t started, deadline; /* ms; deadline 0: none */
	bool interrupted, stopping, told;
	time_t wall_start;
};

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

/* --- options ----------------------------------------------------------------------------- */

static int check_options(struct record *o, int argc, struct error *e)
{
	bool url = o->pprof && fetch_is_url(o->pprof);

	if (!o->output)
		return error_set(e, EXIT_CODE_USAGE, "needs -o DIR");
	if (!!o->pid + !!argc != 1)
		return error_set(e, EXIT_CODE_USAGE, "takes either -p PID or -- COMMAND");
	if (o->pid > INT32_MAX)
		return error_set(e, EXIT_CODE_USAGE, "--pid: %zu is no process", o->pid);
	if (o->seconds < 0 || o->seconds > 86400.0 * 30)
		return error_set(e, EXIT_CODE_USAGE, "--duration: %g seconds cannot be", o->seconds);
	if (o->trace && !url)
		return error_set(e, EXIT_CODE_USAGE, "--trace needs the URL of the program with --pprof");
	if (o->stack > STACK_MAX || o->stack % 8)
		return error_set(e, EXIT_CODE_USAGE, "--stack-size: a multiple of 8 up to %d", STACK_MAX);
	if (o->pprof && !url && o->pid)
		return error_set(e, EXIT_CODE_USAGE,
				 "--pprof: '%s' is no URL (http://HOST:PORT), and a file is for a COMMAND that writes it",
				 o->pprof);
	if (o->goroutines && o->event && strpbrk(o->event, "/:,{"))
		return error_set(e, EXIT_CODE_USAGE, "--goroutines: --event takes one name without modifiers then");
	if (!o->hz)
		o->hz = DEFAULT_HZ;
	if (!o->stack)
		o->stack = DEFAULT_STACK;
	if (url && !o->seconds)
		o->seconds = DEFAULT_SECONDS;
	return 0;
}

/* perf is not clear about a command that it cannot run. Its file, which the caller frees; NULL with *e. */
static char *find_command(const char *name, struct error *e)
{
	const char *path = getenv("PATH"), *end;

	if (strchr(name, '/') && access(name, X_OK) == 0)
		return xstrdup(name);
	for (path = strchr(name, '/') || !path ? NULL : path; path && *path; path = *end ? end + 1 : end) {
		char *file;

		end = strchrnul(path, ':');
		file = xasprintf("%.*s/%s", (int)(end - path), path, name);
		if (access(file, X_OK) == 0)
			return file;
		free(file);
	}
	error_set(e, EXIT_CODE_INPUT, "%s: %s", name, strerror(errno));
	return NULL;
}

static int make_folder(const char *dir, struct error *e)
{
	struct folder f;
	bool taken;

	if (mkdir(dir, 0777) == 0)
		return 0;
	if (errno != EEXIST)
		return error_set(e, EXIT_CODE_OUTPUT, "%s: %s", dir, strerror(errno));
	taken = folder_open(&f, dir);
	folder_release(&f);
	if (taken)
		return error_set(e, EXIT_CODE_OUTPUT, "%s: holds a recording already", dir);
	return 0;
}

/* --- the run ----------------------------------------------------------------------------- */

static int start_fetches(struct session *s, struct error *e)
{
	const struct record *o = s->o;
	/* A program that was just started needs a moment until it listens. */
	bool wait = !o->pid;

	if (!o->pprof || !fetch_is_url(o->pprof))
		return 0;
	/* Go takes whole seconds only. */
	s->fetch_seconds = (size_t)o->seconds + (o->seconds > (double)(size_t)o->seconds);
	if (o->trace) {
		s->trace = fetch_start(s->set, o->pprof, "trace", s->fetch_seconds, s->trace_path, wait, e);
		if (!s->trace)
			return -1;
	}
	s->profile = fetch_start(s->set, o->pprof, "profile", s->fetch_seconds, s->profile_path, wait, e);
	return s->profile ? 0 : -1;
}

static bool under_way(const struct fetch *f)
{
	return f && (fetch_state(f) == FETCH_WAITING || fetch_state(f) == FETCH_RUNNING);
}

static void stop_perf(struct session *s)
{
	s->stopping = true;
	perf_run_stop(&s->perf);
}

/* Ctrl-C or kill: what was recorded is kept; the second time nothing is waited for. */
static void on_signal(struct session *s)
{
	struct signalfd_siginfo si;

	while (read(s->signals, &si, sizeof(si)) == (ssize_t)sizeof(si)) {
		if (si.ssi_signo == SIGCHLD)
			continue;
		if (s->interrupted) {
			if (s->profile)
				fetch_give_up(s->profile, "interrupted");
			if (s->trace)
				fetch_give_up(s->trace, "interrupted");
		}
		s->interrupted = true;
		s->deadline = now_ms() + GRACE_MS;
		if (s->profile)
			fetch_cut_short(s->profile);
		if (s->trace)
			fetch_cut_short(s->trace);
		/* A terminal sends Ctrl-C to perf as well; twice would cut its file off. */
		s->stopping = s->stopping || si.ssi_code == SI_KERNEL;
	}
}

/* No profile will come: the recording alone still takes its seconds. */
static void without_profile(struct session *s)
{
	message("%s", fetch_error(s->profile)->text);
	s->told = true;
	if (!s->deadline)
		s->deadline = s->started + (int64_t)(s->o->seconds * 1000);
}

/* Until perf has ended and all has been fetched, or will not be. */
static void watch(struct session *s)
{
	while (!perf_run_ended(&s->perf) || under_way(s->profile) || under_way(s->trace)) {
		int64_t left = s->deadline ? s->deadline - now_ms() : POLL_MS;

		fetch_poll(s->set, s->signals, left < 0 ? 0 : left < POLL_MS ? (int)left : POLL_MS);
		on_signal(s);
		if (!s->perf.pid) {
			/* The program is gone, and its endpoint with it, when perf ran it. */
			int64_t limit = now_ms() + (s->o->pid ? GRACE_MS : 1000);

			if (!s->deadline || s->deadline > limit)
				s->deadline = limit;
		}
		if (s->profile && fetch_state(s->profile) == FETCH_FAILED && !s->told)
			without_profile(s);
		if (!s->stopping && !under_way(s->profile) && !under_way(s->trace) &&
		    (s->interrupted || (s->profile && !s->deadline)))
			stop_perf(s);
		if (s->deadline && now_ms() >= s->deadline) {
			const char *why = s->perf.pid ? "did not come in" : "the program ended before it came in";

			if (s->profile)
				fetch_give_up(s->profile, why);
			if (s->trace)
				fetch_give_up(s->trace, why);
			if (!s->stopping)
				stop_perf(s);
			s->deadline = 0;
		}
	}
}

/* --- afterwards ---------------------------------------------------------------------------- */

/* --pprof FILE: the profile that the command wrote while it ran. */
static int take_profile(const struct session *s, struct error *e)
{
	struct file_map m;
	struct output out;
	struct stat st;
	int result;

	if (stat(s->o->pprof, &st) == 0 && st.st_mtime < s->wall_start)
		return error_set(e, EXIT_CODE_DAMAGED, "%s: the command did not write it (it is older)",
				 s->o->pprof);
	if (file_map_open(&m, s->o->pprof, e) < 0)
		return -1;
	result = output_open(&out, s->profile_path, e);
	if (!result) {
		fwrite(m.data, 1, m.size, out.f);
		result = output_commit(&out, e);
	}
	file_map_close(&m);
	return result;
}

/*
 * The vdso is in no file. This process has the same one as the recorded: clocks
 * are read there, which Go does often.
 */
static void save_vdso(const struct session *s)
{
	const Elf64_Ehdr *vdso = (const Elf64_Ehdr *)getauxval(AT_SYSINFO_EHDR);
	char *path = xasprintf("%s/" FOLDER_BIN, s->o->output), *file;
	struct output out;
	struct error e;

	mkdir(path, 0777);
	file = xasprintf("%s/[vdso]", path);
	/* Its section headers come last. */
	if (vdso && !memcmp(vdso->e_ident, ELFMAG, SELFMAG) && vdso->e_ident[EI_CLASS] == ELFCLASS64 &&
	    output_open(&out, file, &e) == 0) {
		fwrite(vdso, 1, vdso->e_shoff + (size_t)vdso->e_shnum * vdso->e_shentsize, out.f);
		if (output_commit(&out, &e) < 0)
			message("%s", e.text);
	}
	rmdir(path);
	free(file);
	free(path);
}

static void say_size(const struct session *s, const char *path)
{
	struct stat st;
	char size[64];

	if (stat(path, &st) == 0)
		note(&s->o->common, "%s: %s", path, format_value(size, sizeof(size), (double)st.st_size, "bytes"));
}

/* What came, or was written, may be anything: a page of another server, say. */
static int check_profile(const char *path)
{
	struct profile p;
	struct file_map m;
	struct error e;
	int result;

	if (file_map_open(&m, path, &e) < 0)
		return fail(&e);
	profile_init(&p);
	result = pprof_read(&p, m.data, m.size, path, &e);
	profile_release(&p);
	file_map_close(&m);
	if (!result)
		return EXIT_CODE_OK;
	message("what came is no profile: %s", e.text);
	return EXIT_CODE_DAMAGED;
}

static int check_trace(const char *path)
{
	struct trace t;
	struct file_map m;
	struct error e;
	int result;

	if (file_map_open(&m, path, &e) < 0)
		return fail(&e);
	result = trace_read(&t, m.data, m.size, path, &e);
	if (result < 0)
		message("what came is no execution trace that can be used: %s", e.text);
	else if (t.broken.text[0])
		message("%s", t.broken.text);
	result = result < 0 || t.broken.text[0] ? EXIT_CODE_DAMAGED : EXIT_CODE_OK;
	trace_release(&t);
	file_map_close(&m);
	return result;
}

static int fetched(const struct session *s, const struct fetch *f, const char *path)
{
	if (!f)
		return EXIT_CODE_OK;
	if (fetch_state(f) == FETCH_DONE) {
		say_size(s, path);
		return f == s->profile ? check_profile(path) : check_trace(path);
	}
	if (f != s->profile || !s->told)
		message("%s", fetch_error(f)->text);
	return fetch_error(f)->code == EXIT_CODE_OUTPUT ? EXIT_CODE_OUTPUT : EXIT_CODE_DAMAGED;
}

/* What came from elsewhere is looked at with the rights that reading it takes. */
static void confine_checks(const struct session *s)
{
	struct common_options common = {.no_sandbox = s->o->common.no_sandbox};
	struct read_options none = {0};
	struct error e;

	confine_input(s->o->output);
	confine_input(s->o->pprof);
	confine_output(s->profile_path);
	confine(&common, &none, &e);
}

static int finish(struct session *s)
{
	struct stat st;
	struct error e;
	int code, other;
	size_t added;
	char *root;

	if (stat(s->perf_path, &st) < 0 || !st.st_size) {
		message("perf record left no recording%s",
			s->o->common.quiet ? ": run without --quiet to see why" : " (its message is above)");
		return EXIT_CODE_INPUT;
	}
	/* While the files are those that ran. In a container they are below its own root. */
	root = s->o->pid ? xasprintf("/proc/%zu/root", s->o->pid) : xstrdup("");
	if (buildids_add(s->perf_path, root, &added, &e) < 0)
		message("%s", e.text);
	free(root);
	save_vdso(s);
	confine_checks(s);
	code = fetched(s, s->profile, s->profile_path);
	other = fetched(s, s->trace, s->trace_path);
	code = other > code ? other : code;
	if (s->o->pprof && !s->profile) {
		if (take_profile(s, &e) < 0) {
			message("%s", e.text);
			code = e.code == EXIT_CODE_OUTPUT ? EXIT_CODE_OUTPUT : EXIT_CODE_DAMAGED;
		} else {
			say_size(s, s->profile_path);
			code = check_profile(s->profile_path);
		}
	}
	return code;
}

static void plan_note(void *ctx, const char *text)
{
	const struct record *o = ctx;

	note(&o->common, "%s", text);
}

static int place_probe(struct session *s, const char *program, struct error *e)
{
	const struct record *o = s->o;
	char *path = o->pid ? xasprintf("/proc/%zu/exe", o->pid) : xstrdup(program);
	int result = goprobe_place(&s->probe, path, e);

	free(path);
	if (result < 0)
		return -1;
	s->plan.probe = s->probe.event;
	note(&o->common, "each switch to a goroutine will cost the program one to two microseconds, and the recording some 100 bytes");
	return 0;
}

/* perf has ended, and this process can still write there. */
static void remove_probe(struct session *s)
{
	struct error e;

	if (goprobe_remove(&s->probe, &e) < 0)
		message("%s", e.text);
}

static int run_session(struct session *s, const char *program)
{
	const struct record *o = s->o;
	struct error e;
	char *text;

	if (perf_plan_check(&s->plan, plan_note, (void *)(uintptr_t)o, &e) < 0 ||
	    (o->goroutines && place_probe(s, program, &e) < 0))
		return fail(&e);
	text = perf_plan_text(&s->plan);
	note(&o->common, "%s", text);
	free(text);
	s->wall_start = time(NULL);
	if (perf_run_start(&s->perf, &s->plan, &e) < 0)
		return fail(&e);
	if (s->plan.user_chain && !s->perf.chains)
		note(&o->common, "no call chains beside the stack dumps: perf may not be followed here (ptrace)");
	s->started = now_ms();
	if (start_fetches(s, &e) < 0) {
		stop_perf(s);
		perf_run_wait(&s->perf);
		return fail(&e);
	}
	/* The profile's own seconds end the recording; without one, ours do. */
	if (!s->profile && o->seconds > 0)
		s->deadline = s->started + (int64_t)(o->seconds * 1000);
	watch(s);
	remove_probe(s);
	return finish(s);
}

static int run(void *options, int argc, char **argv)
{
	struct record *o = options;
	struct session s = {.o = o, .perf = {.ctl = -1, .ack = -1}};
	struct sigaction ignore = {.sa_handler = SIG_IGN}, old_pipe;
	sigset_t set, old;
	struct error e;
	char *program = NULL;
	int code;

	if (check_options(o, argc, &e) < 0 || (argc && !(program = find_command(argv[0], &e))) ||
	    make_folder(o->output, &e) < 0) {
		free(program);
		return fail(&e);
	}
	s.perf_path = xasprintf("%s/" FOLDER_PERF, o->output);
	s.profile_path = xasprintf("%s/" FOLDER_PPROF, o->output);
	s.trace_path = xasprintf("%s/" FOLDER_TRACE, o->output);
	argv[argc] = NULL;
	s.plan = (struct perf_plan){
		.output = s.perf_path, .event = o->event, .frequency = o->hz, .stack_size = o->stack,
		.pid = (pid_t)o->pid, .command = argv, .chain = o->chain, .user_chain = !o->no_chain, .off_cpu = o->off_cpu,
		.quiet = o->common.quiet,
	};
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, &old);
	sigaction(SIGPIPE, &ignore, &old_pipe);
	s.signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	s.set = fetch_set_new();

	code = run_session(&s, program);

	remove_probe(&s);
	fetch_set_free(s.set);
	perf_run_release(&s.perf);
	close(s.signals);
	sigaction(SIGPIPE, &old_pipe, NULL);
	sigprocmask(SIG_SETMASK, &old, NULL);
	rmdir(o->output); /* when nothing came of it */
	free(program);
	free(s.perf_path);
	free(s.profile_path);
	free(s.trace_path);
	return code;
}

const struct cmd cmd_record = {
	.name = "record",
	.args = "-o DIR (-p PID | -- COMMAND [ARGUMENT]...)",
	.summary = "run perf with the right options and fetch the pprof profile of the same seconds",
	.help = "Leaves a folder with perf.data, cpu.pb.gz (--pprof) and trace.out (--trace) that 'perfskew skew DIR',\n"
		"'perfskew flame DIR' and 'perfskew report DIR' take. A COMMAND is ended when the seconds are over.\n"
		"Ctrl-C ends the recording and keeps what there is.",
	.groups = groups,
	.size = sizeof(struct record),
	.run = run,
};
