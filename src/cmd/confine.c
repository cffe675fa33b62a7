#include "cmd/confine.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "cmd/broker.h"
#include "cmd/folder.h"
#include "cmd/message.h"
#include "cmd/sandbox.h"
#include "process/module.h"

static const char *memory_limit;
static size_t cpu_limit;
static bool brokered;
static struct sandbox rules;

/* --- limits ------------------------------------------------------------------------- */

/* "512M": bytes, with K, M, G or T for powers of 1024. */
static bool parse_size(const char *text, unsigned long long *bytes)
{
	static const char units[] = "KMGT";
	const char *unit;
	char *end;

	errno = 0;
	*bytes = strtoull(text, &end, 10);
	if (errno || end == text || text[0] < '0' || text[0] > '9')
		return false;
	if (*end) {
		int shift;

		unit = strchr(units, *end & ~0x20);
		if (!unit || !*unit || end[1])
			return false;
		shift = 10 * (int)(unit - units + 1);
		if (*bytes > ULLONG_MAX >> shift)
			return false;
		*bytes <<= shift;
	}
	return *bytes > 0;
}

static void lower(int what, rlim_t to)
{
	struct rlimit l;

	if (getrlimit((unsigned)what, &l) < 0)
		return;
	l.rlim_cur = to < l.rlim_max ? to : l.rlim_max;
	setrlimit((unsigned)what, &l);
}

static int set_limits(const struct common_options *o, struct error *e)
{
	unsigned long long bytes;

	if (o->max_memory) {
		if (!parse_size(o->max_memory, &bytes))
			return error_set(e, EXIT_CODE_USAGE, "--max-memory: '%s' is no size (512M, 4G)", o->max_memory);
		memory_limit = o->max_memory;
		/* private memory that can be written: mapped recordings do not count, they are the kernel's cache */
		lower(RLIMIT_DATA, (rlim_t)bytes);
	}
	cpu_limit = o->max_cpu;
	if (o->max_cpu)
		lower(RLIMIT_CPU, (rlim_t)o->max_cpu);
	return 0;
}

const char *confine_memory_limit(void)
{
	return memory_limit;
}

size_t confine_cpu_limit(void)
{
	return cpu_limit;
}

/* --- files ------------------------------------------------------------------------------ */

/* Libraries load parts of themselves and their data from here; nobody's secrets lie there. */
static const char *const system_places[] = {
	"/usr", "/lib", "/lib64", "/etc/fonts", "/etc/ld.so.cache", "/etc/localtime", "/var/cache/fontconfig",
	"/proc/self/", "/proc/kallsyms", "/proc/cpuinfo", "/proc/meminfo", "/proc/sys/vm", "/sys/kernel/notes",
	"/sys/devices/system/cpu", "/dev/null", "/dev/urandom",
};

static void allow_below(struct sandbox *s, const char *folder, const char *name, bool write)
{
	char *path = folder && *folder ? xasprintf("%s/%s", folder, name) : NULL;

	if (path)
		sandbox_allow(s, path, write);
	free(path);
}

/* The user's own fonts: fonts.conf(5). */
static void allow_fonts(struct sandbox *s)
{
	static const struct {
		const char *variable, *below;
	} places[] = {
		{"HOME", ".fonts"}, {"HOME", ".local/share/fonts"}, {"HOME", ".config/fontconfig"},
		{"HOME", ".fonts.conf"}, {"HOME", ".cache/fontconfig"}, {"XDG_DATA_HOME", "fonts"},
		{"XDG_CONFIG_HOME", "fontconfig"}, {"XDG_CACHE_HOME", "fontconfig"},
		{"FONTCONFIG_PATH", "."}, {"FONTCONFIG_SYSROOT", "."},
	};
	const char *file = getenv("FONTCONFIG_FILE");

	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++)
		allow_below(s, getenv(places[i].variable), places[i].below, false);
	if (file)
		sandbox_allow(s, file, false);
}

/* --symfs DIR[,flat|,hierarchy] */
static void allow_symfs(struct sandbox *s, const char *symfs)
{
	const char *comma = strrchr(symfs, ',');
	char *dir = comma ? xstrndup(symfs, (size_t)(comma - symfs)) : NULL;

	sandbox_allow(s, symfs, false);
	if (dir)
		sandbox_allow(s, dir, false);
	free(dir);
}

static void allow_named(struct sandbox *s, const struct read_options *r)
{
	const char *const files[] = {r->debug_dir, r->kallsyms, r->vmlinux, r->trace};

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		if (files[i])
			sandbox_allow(s, files[i], false);
	for (size_t i = 0; i < r->binary.nr; i++)
		sandbox_allow(s, r->binary.items[i], false);
	if (r->symfs)
		allow_symfs(s, r->symfs);
}

/* base/output.c makes a file beside it and renames; a device is written in place. */
static void allow_output(struct sandbox *s, const char *path)
{
	char *real = realpath(path, NULL), *slash;
	struct stat st;

	if (!real)
		real = xstrdup(path);
	if (stat(real, &st) < 0 || S_ISREG(st.st_mode)) {
		slash = strrchr(real, '/');
		if (slash)
			slash[slash == real] = '\0';
		sandbox_allow(s, slash ? real : ".", true);
	} else {
		sandbox_allow(s, real, true);
	}
	free(real);
}

/* What runs in the test suite's special builds writes beside itself. */
static void allow_build(struct sandbox *s)
{
#ifdef COVERAGE_FOLDER
	sandbox_allow(s, COVERAGE_FOLDER, true);
	sandbox_allow(s, COVERAGE_FOLDER, false);
#endif
#ifdef __SANITIZE_ADDRESS__
	/* read at the very end, when leaks are looked for */
	const char *options = getenv("LSAN_OPTIONS"), *file = options ? strstr(options, "suppressions=/") : NULL;
	char *path = file ? xstrndup(file + strlen("suppressions="), strcspn(file + strlen("suppressions="), ":")) : NULL;

	sandbox_allow(s, "/proc/self/exe", false);
	if (path)
		sandbox_allow(s, path, false);
	free(path);
#endif
	(void)s;
}

/* --- all of it ---------------------------------------------------------------------------- */

void confine_input(const char *path)
{
	struct folder f = {0};

	if (!path || !strcmp(path, "-"))
		return;
	sandbox_allow(&rules, path, false);
	/* a folder of recordings may hold links to where they are */
	if (folder_open(&f, path) || folder_beside(&f, path)) {
		const char *const parts[] = {f.perf, f.pprof, f.trace, f.kallsyms, f.bin};

		for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
			if (parts[i])
				sandbox_allow(&rules, parts[i], false);
	}
	folder_release(&f);
}

void confine_batch(const struct batch *b)
{
	for (size_t i = 0; i < b->nr; i++) {
		confine_input(b->items[i].path);
		confine_input(b->items[i].pprof);
	}
}

void confine_output(const char *path)
{
	if (path && strcmp(path, "-") != 0)
		allow_output(&rules, path);
}

/* Whether servers are to be asked: where their addresses are set and nobody forbids it. */
static bool asks_servers(const struct read_options *r)
{
	const char *urls = getenv("DEBUGINFOD_URLS");

	return !r->no_debuginfod && urls && *urls;
}

confine_fetch_fn *confine_fetch(const struct read_options *r)
{
	return !asks_servers(r) ? NULL : brokered ? broker_fetch : module_debuginfod;
}

/* The broker reads, and makes temporary files, unless it has to ask servers and keep what they send. */
static void confine_broker(void)
{
	struct sandbox s = {0};

	sandbox_allow(&s, "/", false);
	sandbox_allow(&s, P_tmpdir, true);
	sandbox_files(&s);
	sandbox_release(&s);
}

static void keep_rights(void)
{
}

static void allow_all(const struct common_options *o, const struct read_options *r)
{
	for (size_t i = 0; i < sizeof(system_places) / sizeof(*system_places); i++)
		sandbox_allow(&rules, system_places[i], false);
	allow_fonts(&rules);
	allow_named(&rules, r);
	confine_output(o->output);
	allow_build(&rules);
}

static void say(int version, const char *why_not, int calls_error)
{
	char files[256], calls[128];

	if (version)
		snprintf(files, sizeof(files),
			 "Landlock %d: reads inputs, system files and, through a process that opens them, binaries and "
			 "symbols; writes the output's folder", version);
	else
		snprintf(files, sizeof(files), "no Landlock (%s): files by the user's rights", why_not);
	if (calls_error)
		snprintf(calls, sizeof(calls), "no seccomp (%s)", strerror(calls_error));
	else
		snprintf(calls, sizeof(calls), "seccomp: no programs, no processes, no network");
	message("sandbox: %s; %s", files, calls);
}

int confine(const struct common_options *o, const struct read_options *r, struct error *e)
{
	int version = sandbox_version(), calls_error;
	const char *why_not = version ? NULL : strerror(errno);

	if (set_limits(o, e) < 0)
		return -1;
	if (o->no_sandbox) {
		if (o->verbose)
			message("sandbox: none (--no-sandbox)");
		sandbox_release(&rules);
		return 0;
	}
	if (version || asks_servers(r)) {
		brokered = broker_start(asks_servers(r) ? module_debuginfod : NULL,
					asks_servers(r) ? keep_rights : confine_broker) == 0;
		if (!brokered) {
			why_not = strerror(errno);
			version = 0;
		}
	}
	if (version) {
		allow_all(o, r);
		version = sandbox_files(&rules);
		why_not = version ? NULL : strerror(errno);
	}
	calls_error = sandbox_calls() < 0 ? errno : 0;
	if (o->verbose)
		say(version, why_not, calls_error);
	sandbox_release(&rules);
	return 0;
}

void confine_end(void)
{
	broker_stop();
}
