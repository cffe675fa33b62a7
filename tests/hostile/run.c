/*
 * Children that run a batch of mutants each inside the driver: loading a program with its libraries
 * takes longer than most runs. A child that dies, hangs or grows is known by the number it was at.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "hostile.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/lsan_interface.h>
#define LEAKED() (__lsan_do_recoverable_leak_check() != 0)
#define SANITIZED 1
#else
#define LEAKED() false
#define SANITIZED 0
#endif

/* main() of the program. */
int perfskew_main(int argc, char **argv);

enum {
	BATCH = 100,
	MAX_SECONDS = 10,	/* of CPU for one run */
	MAX_WALL = 120,		/* for a run that waits for something: machines may be busy */
	MAX_MB = 1024,		/* resident */
	ADDRESS_SPACE_MB = 4096, /* without sanitizers */
	MAX_ERR = 64 << 10,
};

/* Shared with the children. */
struct slot {
	_Atomic uint64_t at;	  /* number of the mutant under way */
	_Atomic uint64_t started; /* CPU time used by then, ns */
	_Atomic int expect;
	struct note note;
	uint64_t done, detected, fine, failures, codes[8], max_kb;
};

struct worker {
	const struct kind *k;
	const struct run_options *o;
	struct build *good, *companion; /* of each input */
	bool *have;
	struct slot *slot;
	char dir[64];
	int out, err; /* what the program prints */
};

static uint64_t cpu_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static uint64_t resident_kb(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (uint64_t)u.ru_maxrss;
}

static void write_file(const char *path, const struct build *b)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	for (size_t at = 0; fd >= 0 && at < b->nr;) {
		ssize_t n = write(fd, b->data + at, b->nr - at);

		if (n < 0)
			break;
		at += (size_t)n;
	}
	if (fd < 0 || close(fd) < 0)
		abort();
}

static void copy_build(struct build *to, const struct build *from)
{
	*to = (struct build){.swap = from->swap};
	put_bytes(to, from->data, from->nr);
}

/* Number i: which input, what is done to it, how it is run. */
static enum expect make_mutant(const struct worker *w, uint64_t i, struct build *b, unsigned *which, struct rng *r,
			       struct note *note)
{
	uint64_t name = 0;

	for (const char *c = w->k->name; *c; c++)
		name = name * 131 + (uint8_t)*c;
	r->state = w->o->seed * UINT64_C(0x2545f4914f6cdd1d) + name * UINT64_C(0x9e3779b97f4a7c15) + i;
	rng_next(r);
	do
		*which = (unsigned)rng_below(r, w->k->nr_inputs);
	while (!w->have[*which]);
	copy_build(b, &w->good[*which]);
	note->text[0] = '\0';
	/* the originals come first: nothing good is refused */
	if (i < 4 * (uint64_t)w->k->nr_inputs && w->have[i % w->k->nr_inputs]) {
		*which = (unsigned)(i % w->k->nr_inputs);
		build_free(b);
		copy_build(b, &w->good[*which]);
		say(note, "unchanged");
		return FINE;
	}
	return w->k->mutate(b, *which, r, note);
}

#define MAX_ARGS 16

static int command_line(const struct worker *w, struct rng *r, char **argv, const char *main_path, const char *other)
{
	static const char *const perf[][5] = {
		{"report", "--format", "json"}, {"info", "--format", "json"}, {"info"}, {"report"},
		{"convert", "-f", "folded"}, {"convert", "-f", "pprof", "-o"}, {"flame", "-o"}, {"report", "--by", "goroutine"},
	};
	static const char *const profile[][5] = {
		{"report", "--format", "json"}, {"report"}, {"convert", "-f", "folded"}, {"convert", "-f", "pprof", "-o"},
		{"flame", "-o"}, {"convert", "-f", "speedscope"},
	};
	static const char *const config[][5] = {{"check", "-c"}};
	static const char *const named[][5] = {
		{"report", "--format", "json"}, {"report"}, {"convert", "-f", "folded"}, {"convert", "-f", "pprof", "-o"},
		{"flame", "-o"}, {"report", "--by", "goroutine"},
	};
	bool is_config = w->k->feed == AS_CONFIG;
	const char *const *row = is_config	    ? config[0]
				 : w->k->by_name    ? named[rng_below(r, sizeof(named) / sizeof(*named))]
				 : w->k->is_profile ? profile[rng_below(r, sizeof(profile) / sizeof(*profile))]
						    : perf[rng_below(r, sizeof(perf) / sizeof(*perf))];
	static char output[96];
	int n = 0;

	argv[n++] = (char *)"perfskew";
	for (int i = 0; i < 5 && row[i]; i++)
		argv[n++] = (char *)row[i];
	if (!strcmp(argv[n - 1], "-o")) {
		snprintf(output, sizeof(output), "%s/out.%s", w->dir, row[1][1] == 'f' ? "pb.gz" : "svg");
		argv[n++] = output;
	}
	if (is_config) {
		argv[n++] = (char *)main_path;
		argv[n++] = (char *)"--baseline";
		argv[n++] = (char *)other;
	}
	if (!is_config) {
		argv[n++] = (char *)"--debug-dir";
		argv[n++] = (char *)"/nonexistent";
		argv[n++] = (char *)"-j";
		argv[n++] = (char *)(rng_below(r, 8) ? "1" : "2");
	}
	if (w->k->feed == AS_BINARY || (w->k->feed == AS_FILE && w->k->companion)) {
		argv[n++] = (char *)"--binary";
		argv[n++] = (char *)(w->k->feed == AS_BINARY ? main_path : other);
	}
	argv[n++] = (char *)(w->k->feed == AS_STDIN ? "-" : w->k->feed == AS_FILE ? main_path : other);
	argv[n++] = (char *)"--no-sandbox"; /* this process goes on to the next mutant */
	argv[n] = NULL;
	return n;
}

/* The mutant through a real pipe; larger ones than it holds are fed by a child. */
static void feed_stdin(const struct build *b)
{
	int p[2];

	if (pipe2(p, O_CLOEXEC) < 0)
		abort();
	fcntl(p[1], F_SETPIPE_SZ, 1 << 20);
	if (fcntl(p[1], F_GETPIPE_SZ) < (int)b->nr || write(p[1], b->data, b->nr) != (ssize_t)b->nr)
		abort();
	close(p[1]);
	dup2(p[0], STDIN_FILENO);
	close(p[0]);
}

static void empty(int fd)
{
	if (ftruncate(fd, 0) < 0 || lseek(fd, 0, SEEK_SET) < 0)
		abort();
}

static size_t contents(int fd, char *buf, size_t size)
{
	ssize_t n = pread(fd, buf, size - 1, 0);

	n = n < 0 ? 0 : n;
	buf[n] = '\0';
	return (size_t)n;
}

/* Control bytes in text that a terminal may get. */
static const char *control_byte(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (((uint8_t)s[i] < 0x20 && s[i] != '\n' && s[i] != '\t') || s[i] == 0x7f)
			return &s[i];
	return NULL;
}

static void keep_mutant(const struct worker *w, uint64_t i, const struct build *b)
{
	char *name;

	if (!w->o->keep)
		return;
	mkdir(w->o->keep, 0700);
	name = xasprintf("%s/%s-%llu-%llu", w->o->keep, w->k->name, (unsigned long long)w->o->seed, (unsigned long long)i);
	write_file(name, b);
	free(name);
}

static void failure(const struct worker *w, uint64_t i, const char *what, const struct build *b)
{
	static char err[MAX_ERR];
	size_t n = contents(w->err, err, sizeof(err));

	w->slot->failures++;
	printf("FAIL %s %llu: %s\n  %s\n  %.*s%s", w->k->name, (unsigned long long)i, what, w->slot->note.text,
	       w->o->verbose ? MAX_ERR : 900, err, n ? "" : "\n");
	fflush(stdout);
	keep_mutant(w, i, b);
}

/* Takes lines off that good inputs have, too. Returns how much is left. */
static size_t without_usual(char *err)
{
	static const char *const usual[] = {
		"events have samples; showing", "; thresholds: ", "% of the samples are in ", "% of the stacks do not reach",
		"have no stack: ", ": perf lost ",
	};
	char *to = err;

	for (char *line = err, *end; *line; line = end) {
		bool drop = false;

		end = strchr(line, '\n');
		end = end ? end + 1 : line + strlen(line);
		for (size_t i = 0; i < sizeof(usual) / sizeof(*usual); i++) {
			const char *found = strstr(line, usual[i]);

			drop |= found && found < end;
		}
		if (!drop) {
			memmove(to, line, (size_t)(end - line));
			to += end - line;
		}
	}
	*to = '\0';
	return (size_t)(to - err);
}

/* What is wrong with a run that came to an end, or NULL. */
static const char *judge(int code, enum expect expect, const char *out, size_t out_nr, const char *err, size_t err_nr, bool text)
{
	if (code != 0 && code != 1 && code != 2 && code != 3 && code != 4 && code != 6)
		return "an exit code that is not in the contract for inputs";
	if (code > 1 && !err_nr) /* 1: check, which prints its verdict */
		return "failed without a word";
	if (code >= 1 && code <= 2 && expect == FINE)
		return "a good input refused";
	if (expect == FINE && err_nr)
		return "complains of a good input";
	if (expect == FINE && (code || !out_nr))
		return code ? "a good input refused" : "nothing printed for a good input";
	if (expect == DETECTED && !code && !err_nr)
		return "damage taken in silence";
	if (control_byte(err, err_nr) || (text && control_byte(out, out_nr)))
		return "control bytes printed";
	return NULL;
}

static void run_one(struct worker *w, uint64_t i, FILE *report)
{
	static char out[MAX_ERR], err[MAX_ERR];
	struct build b = {0};
	char *argv[MAX_ARGS], main_path[96], other[96];
	size_t out_nr, err_nr;
	const char *wrong;
	unsigned which;
	struct rng r;
	enum expect expect;
	bool to_file;
	int argc, code;

	expect = make_mutant(w, i, &b, &which, &r, &w->slot->note);
	w->slot->expect = expect;
	snprintf(main_path, sizeof(main_path), "%s/prog", w->dir);
	snprintf(other, sizeof(other), "%s/other%u", w->dir, which);
	if (w->k->feed == AS_STDIN)
		feed_stdin(&b);
	else
		write_file(main_path, &b);
	argc = command_line(w, &r, argv, main_path, other);
	to_file = !strcmp(argv[1], "flame") || (!strcmp(argv[1], "convert") && !strcmp(argv[3], "pprof"));
	empty(w->out);
	empty(w->err);
	w->slot->started = cpu_ns(CLOCK_PROCESS_CPUTIME_ID);
	w->slot->at = i;
	code = perfskew_main(argc, argv);
	fflush(stdout);
	fflush(stderr);
	out_nr = contents(w->out, out, sizeof(out));
	contents(w->err, err, sizeof(err));
	err_nr = without_usual(err);
	wrong = judge(code, expect, out, to_file || w->k->feed == AS_CONFIG ? 1 : out_nr, err, err_nr,
		      !strcmp(argv[1], "report") || !strcmp(argv[1], "info"));
	if (resident_kb() > (uint64_t)MAX_MB << 10 && w->slot->max_kb <= (uint64_t)MAX_MB << 10)
		wrong = "more than 1 GB of memory";
	if (resident_kb() > w->slot->max_kb)
		w->slot->max_kb = resident_kb();
	if (code >= 0 && code < 8)
		w->slot->codes[code]++;
	w->slot->detected += expect == DETECTED;
	w->slot->fine += expect == FINE;
	w->slot->done++;
	if (wrong) {
		w->slot->failures++;
		fprintf(report, "FAIL %s %llu: %s (exit %d, %s)\n  %s\n  %.600s%s", w->k->name, (unsigned long long)i, wrong, code,
			argv[1], w->slot->note.text, err, err_nr ? "" : "\n");
		fflush(report);
		keep_mutant(w, i, &b);
	}
	build_free(&b);
}

static void child(struct worker *w, uint64_t first, uint64_t end)
{
	FILE *report = fdopen(fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3), "w");
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (!report || dup2(null, 0) < 0 || dup2(w->out, 1) < 0 || dup2(w->err, 2) < 0)
		abort();
	if (!SANITIZED) {
		const struct rlimit as = {(rlim_t)ADDRESS_SPACE_MB << 20, (rlim_t)ADDRESS_SPACE_MB << 20};

		setrlimit(RLIMIT_AS, &as);
	}
	for (uint64_t i = first; i < end; i++)
		run_one(w, i, report);
	w->slot->at = end;
	fclose(report);
	_exit(LEAKED() ? 99 : 0);
}

/* Waits for the child. Returns its status, or -1 when it was killed for hanging. */
static int wait_for(const struct worker *w, pid_t pid, struct rusage *used)
{
	uint64_t seen = UINT64_MAX, since = 0;
	clockid_t clock;
	bool has_clock = clock_getcpuclockid(pid, &clock) == 0;
	int status;

	for (;;) {
		uint64_t now = cpu_ns(CLOCK_MONOTONIC), at = w->slot->at;
		struct timespec t = {0}, pause = {0, 2000000};

		if (wait4(pid, &status, WNOHANG, used) == pid)
			return status;
		if (at != seen) {
			seen = at;
			since = now;
		}
		if (has_clock && clock_gettime(clock, &t) == 0 && now - since > (uint64_t)MAX_SECONDS * 1000000000 / 2 &&
		    ((uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec > w->slot->started + (uint64_t)MAX_SECONDS * 1000000000 ||
		     now - since > (uint64_t)MAX_WALL * 1000000000)) {
			kill(pid, SIGKILL);
			wait4(pid, &status, 0, used);
			return -1;
		}
		nanosleep(&pause, NULL);
	}
}

/* Runs [first, end), going on behind what a child died of. Returns CPU seconds. */
static double batch(struct worker *w, uint64_t first, uint64_t end)
{
	double cpu = 0;

	while (first < end) {
		const struct slot before = *w->slot;
		struct rusage used = {0};
		pid_t pid;
		int status;

		w->slot->at = first;
		fflush(stdout);
		pid = fork();
		if (pid < 0)
			abort();
		if (!pid)
			child(w, first, end);
		status = wait_for(w, pid, &used);
		cpu += (double)used.ru_utime.tv_sec + (double)used.ru_stime.tv_sec +
		       (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
		if (status >= 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0)
			return cpu;
		if (w->slot->at == end) { /* a leak: whose, is told by running them one at a time */
			if (end - first == 1) {
				struct build none = {0};

				failure(w, first, "leak", &none);
				return cpu;
			}
			*w->slot = before;
			for (uint64_t i = first; i < end; i++)
				cpu += batch(w, i, i + 1);
			return cpu;
		}
		if (status >= 0 && WIFEXITED(status) && WEXITSTATUS(status) == 6) { /* out of memory, said and ended */
			w->slot->done++;
			w->slot->codes[6]++;
		} else {
			struct build b = {0};
			struct note ignored;
			unsigned which;
			struct rng r;
			char text[64];

			if (status < 0)
				snprintf(text, sizeof(text), "hangs");
			else
				snprintf(text, sizeof(text), "dies, status %#x", (unsigned)status);
			make_mutant(w, w->slot->at, &b, &which, &r, &ignored);
			failure(w, w->slot->at, text, &b);
			build_free(&b);
		}
		first = w->slot->at + 1;
	}
	return cpu;
}

static bool make_inputs(struct worker *w)
{
	const struct kind *k = w->k;
	bool any = false;

	w->good = xcalloc(k->nr_inputs, sizeof(*w->good));
	w->companion = xcalloc(k->nr_inputs, sizeof(*w->companion));
	w->have = xcalloc(k->nr_inputs, sizeof(*w->have));
	for (unsigned i = 0; i < k->nr_inputs; i++) {
		w->have[i] = k->make(&w->good[i], i) && (!k->companion || k->companion(&w->companion[i], i));
		any |= w->have[i];
	}
	return any;
}

static void make_dir(struct worker *w)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(w->dir, sizeof(w->dir), "%.40s/hostileXXXXXX", tmp ? tmp : access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	if (!mkdtemp(w->dir))
		abort();
	for (unsigned i = 0; w->k->companion && i < w->k->nr_inputs; i++) {
		char *path = xasprintf("%s/other%u", w->dir, i);

		write_file(path, &w->companion[i]);
		free(path);
	}
}

static void remove_dir(const struct worker *w)
{
	static const char *const names[] = {"prog", "out.svg", "out.pb.gz"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		char *path = xasprintf("%s/%s", w->dir, names[i]);

		unlink(path);
		free(path);
	}
	for (unsigned i = 0; w->k->companion && i < w->k->nr_inputs; i++) {
		char *path = xasprintf("%s/other%u", w->dir, i);

		unlink(path);
		free(path);
	}
	rmdir(w->dir);
}

bool run_kind(const struct kind *k, const struct run_options *o, struct run_result *res)
{
	struct worker w = {.k = k, .o = o};
	uint64_t end = o->first + o->count;

	*res = (struct run_result){0};
	if (!make_inputs(&w))
		return false;
	w.slot = mmap(NULL, sizeof(*w.slot), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	w.out = memfd_create("out", MFD_CLOEXEC);
	w.err = memfd_create("err", MFD_CLOEXEC);
	if (w.slot == MAP_FAILED || w.out < 0 || w.err < 0)
		abort();
	/* one file position for all who write to it */
	fcntl(w.out, F_SETFL, O_APPEND);
	fcntl(w.err, F_SETFL, O_APPEND);
	make_dir(&w);
	for (uint64_t i = o->first; i < end; i += BATCH)
		res->cpu += batch(&w, i, end - i < BATCH ? end : i + BATCH);
	res->run = w.slot->done;
	res->detected = w.slot->detected;
	res->fine = w.slot->fine;
	res->failures = w.slot->failures;
	memcpy(res->codes, w.slot->codes, sizeof(res->codes));
	res->max_kb = w.slot->max_kb;
	remove_dir(&w);
	munmap(w.slot, sizeof(*w.slot));
	close(w.out);
	close(w.err);
	for (unsigned i = 0; i < k->nr_inputs; i++) {
		build_free(&w.good[i]);
		build_free(&w.companion[i]);
	}
	free(w.good);
	free(w.companion);
	free(w.have);
	return true;
}
