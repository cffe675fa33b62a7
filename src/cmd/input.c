#include "cmd/input.h"

#include <errno.h>
#include <inttypes.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/gzip.h"
#include "cmd/confine.h"
#include "cmd/cost.h"
#include "cmd/message.h"
#include "cmd/progress.h"
#include "cmd/symbolise.h"
#include "cmd/tracewaits.h"
#include "cmd/warn.h"
#include "profile/folded.h"
#include "profile/pprof.h"

/* Enough to tell the formats apart. */
#define PREFIX_SIZE 4096
/* Largest pprof or folded text taken from a pipe (a file is mapped, whatever its size). */
#define STREAM_MAX ((size_t)1 << 30)

static const char *const by_names[] = {"thread", "process", "cpu", "event", "goroutine", "goroutine=id", NULL};
static const enum collect_by by_values[] = {COLLECT_BY_THREAD, COLLECT_BY_PROCESS, COLLECT_BY_CPU,
					    COLLECT_BY_EVENT, COLLECT_BY_GOROUTINE, COLLECT_BY_GOROUTINE_ID};

static int parse_by(const char *text, enum collect_by *by, struct error *e)
{
	*by = COLLECT_BY_NONE;
	if (!text)
		return 0;
	for (int i = 0; by_names[i]; i++) {
		if (!strcmp(text, by_names[i])) {
			*by = by_values[i];
			return 0;
		}
	}
	return error_set(e, EXIT_CODE_USAGE, "--by: '%s' is none of thread, process, cpu, event, goroutine, goroutine=id", text);
}

static struct module_options module_options(const struct read_options *r)
{
	return (struct module_options){
		.symfs = r->symfs, .debug_dir = r->debug_dir, .kallsyms = r->kallsyms,
		.vmlinux = r->vmlinux, .extra = r->binary.items, .fetch = confine_fetch(r),
		.no_demangle = r->no_demangle,
	};
}

static int collect_options(struct collect_options *c, const struct read_options *r,
			   const struct input_wants *wants, struct error *e)
{
	*c = (struct collect_options){
		.event = r->event, .comm = r->comm, .pid = r->pid, .tid = r->tid, .cpu = r->cpu,
		.goroutine = r->goroutine, .goroutines = wants->goroutines, .no_splice = r->no_splice,
		.time = r->time, .max_stack = r->max_stack, .no_inline = r->no_inline,
		.jobs = (int)r->jobs, .lines = wants->lines, .keep_samples = wants->keep_samples,
		.stacks_only = wants->stacks_only, .no_comm = wants->no_comm, .threads = wants->by_process,
		.session.modules = module_options(r),
	};
	if (r->off_cpu && r->wall)
		return error_set(e, EXIT_CODE_USAGE, "--off-cpu and --wall: one of both");
	if ((r->off_cpu || r->wall) && r->event)
		return error_set(e, EXIT_CODE_USAGE, "--event does not go with --off-cpu and --wall, which choose theirs");
	c->time_of = r->off_cpu ? COLLECT_OFF_CPU : r->wall ? COLLECT_WALL : COLLECT_ON_CPU;
	if (r->jobs > 1024)
		return error_set(e, EXIT_CODE_USAGE, "--jobs: %zu threads are too many", r->jobs);
	if (r->unwinder) {
		c->unwinder = unwinder_find(r->unwinder);
		if (!c->unwinder)
			return error_set(e, EXIT_CODE_USAGE,
					 "--unwinder: '%s' is none of auto, go, libdw, libunwind, fp",
					 r->unwinder);
	}
	c->window = wants->window;
	c->window_ctx = wants->window_ctx;
	if (parse_by(r->by, &c->by, e) < 0)
		return -1;
	if (wants->by_process)
		c->by = COLLECT_BY_PROCESS;
	return 0;
}

/* What the input's binaries or perf itself left out, which is no damage of the input. */
static void say_losses(const struct input *in, const struct common_options *o)
{
	const struct modules *ms = session_modules(in->collect.session);

	for (size_t i = 0; i < modules_nr(ms); i++) {
		const struct module *m = modules_get(ms, (uint32_t)i);

		if (m->samples && m->broken)
			note(o, "damaged binary, names and callers may be missing: %s", m->broken);
	}
	if (perfdata_stats(in->collect.perfdata)->unflushed)
		note(o, "%s: perf ended before its last record was compressed whole: that one is lost", in->path);
}

static int read_trace(struct input *in, const char *path, const struct file_map *m, struct error *e)
{
	uint8_t *unpacked = NULL;
	size_t size = m->size;
	int result;

	/* traces are kept packed, as they get large */
	if (size > 2 && m->data[0] == 0x1f && m->data[1] == 0x8b && gzip_unpack(m->data, size, path, &unpacked, &size, e) < 0)
		return -1;
	result = trace_read(&in->trace, unpacked ? unpacked : m->data, size, path, e);
	if (result < 0)
		trace_release(&in->trace);
	free(unpacked);
	return result;
}

/* --trace, or the trace.out of a folder, which may be anything: that one is only noted when it cannot be used. */
static int load_trace(struct input *in, const struct read_options *r, const struct common_options *o, struct error *e)
{
	struct file_map m;
	int result;

	if (!r->trace)
		return 0;
	if (file_map_open(&m, r->trace, e) < 0)
		return -1;
	result = read_trace(in, r->trace, &m, e);
	file_map_close(&m);
	if (!result) {
		in->has_trace = true;
		if (in->trace.broken.text[0])
			note(o, "%s", in->trace.broken.text);
		return 0;
	}
	if (r->trace != in->folder.trace)
		return -1;
	note(o, "%s; goes unused", e->text);
	return 0;
}

/* Whether switches of threads were recorded, and what is not known of them. */
static int check_waits(const struct input *in, const struct read_options *r, const struct common_options *o, struct error *e)
{
	const struct wait_counts *w = &in->collect.waits;
	const struct collect *c = &in->collect;

	if (!w->starts)
		return error_set(e, EXIT_CODE_INPUT,
				 "%s: no switches of threads are recorded: perfskew record --off-cpu does, or perf record -e sched:sched_switch --switch-events",
				 in->path);
	if (!w->ended)
		return error_set(e, EXIT_CODE_INPUT, "%s: threads leave their CPUs and are not seen to come back: record with --switch-events",
				 in->path);
	if (r->wall && strcmp(c->events[c->main_event].unit, "nanoseconds"))
		return error_set(e, EXIT_CODE_INPUT, "%s: --wall needs an event that counts time: cpu-clock or task-clock", in->path);
	if (w->lost)
		note(o, "%s: %" PRIu64 " of %" PRIu64 " waits have no end, as events are lost: they count no time", in->path, w->lost, w->starts);
	return 0;
}

static int load_perf(struct input *in, int fd, const void *prefix, size_t prefix_size,
		     const struct read_options *r, const struct common_options *o,
		     const struct input_wants *wants, struct error *e)
{
	struct collect_options opts;
	struct progress progress;
	struct warnings warnings;
	int result;

	if (collect_options(&opts, r, wants, e) < 0)
		return -1;
	if (load_trace(in, r, o, e) < 0)
		return -1;
	opts.trace = in->has_trace ? &in->trace : NULL;
	opts.keep_samples = opts.keep_samples || (in->has_trace && wants->keep_with_trace);
	progress_init(&progress, o, in->path);
	opts.measure = o->verbose;
	opts.progress = progress_update;
	opts.progress_ctx = &progress;
	result = collect_run(&in->collect, in->path, fd, prefix, prefix_size, &opts, e);
	progress_end(&progress);
	if (result < 0)
		return -1;
	if (opts.time_of != COLLECT_ON_CPU && check_waits(in, r, o, e) < 0)
		return -1;
	in->kind = INPUT_PERF;
	profile_release(&in->profile);
	in->profile = in->collect.profile;
	in->collect.profile = (struct profile){0};
	in->damage = in->collect.damage;
	say_losses(in, o);
	if (in->collect.trace.unused)
		note(o, "%s goes unused: %s",
		     in->collect.trace.switches ? "what a probe says of goroutines" : r->trace, in->collect.trace.unused);
	if (in->has_trace)
		damage_merge(&in->damage, &in->trace.damage);
	if (o->verbose)
		cost_input(in);
	/* what is wrong with a damaged recording is said by its damage */
	if (!wants->own_warnings && !damage_total(&in->damage)) {
		warnings_make(&warnings, &in->collect);
		for (size_t i = 0; i < warnings.nr; i++)
			note(o, "%s: %s", in->path, warnings.text[i]);
	}
	return 0;
}

/* A pprof profile: names where it has none, and what was not done. */
static int load_pprof(struct input *in, const void *data, size_t size, const struct read_options *r,
		      const struct common_options *o, struct error *e)
{
	struct module_options modules = module_options(r);

	in->kind = INPUT_PPROF;
	if (pprof_read(&in->profile, data, size, in->path, e) < 0)
		return -1;
	if (in->profile.unread_frames)
		note(o, "%s: its drop_frames and keep_frames are not applied: %s", in->path, in->profile.unread_frames);
	profile_symbolise(&in->profile, in->path, &modules, !r->no_inline, o);
	return 0;
}

/* An execution trace as the FILE itself. */
static int load_trace_file(struct input *in, const void *data, size_t size, const struct read_options *r,
			   const struct common_options *o, const struct input_wants *wants, struct error *e)
{
	enum collect_by by;

	if (!wants->traces && !r->off_cpu)
		return error_set(e, EXIT_CODE_INPUT, "%s: is a Go execution trace: name it with --trace beside its recording, or see info and --off-cpu",
				 in->path);
	in->kind = INPUT_TRACE;
	in->has_trace = true;
	if (trace_read(&in->trace, data, size, in->path, e) < 0)
		return -1;
	if (in->trace.broken.text[0])
		note(o, "%s", in->trace.broken.text);
	in->damage = in->trace.damage;
	if (!r->off_cpu)
		return 0;
	if (parse_by(r->by, &by, e) < 0)
		return -1;
	if (by != COLLECT_BY_NONE && by != COLLECT_BY_GOROUTINE && by != COLLECT_BY_GOROUTINE_ID)
		return error_set(e, EXIT_CODE_USAGE, "%s: --by goes by goroutine or goroutine=id in an execution trace", in->path);
	tracewaits_profile(&in->profile, &in->trace, by);
	if (!in->trace.nr_waits)
		return error_set(e, EXIT_CODE_INPUT, "%s: no goroutine waited in it", in->path);
	return 0;
}

static int load_folded(struct input *in, const void *data, size_t size, struct error *e)
{
	struct folded_order order = {0};
	struct collect *c = &in->collect;
	int r = folded_read_ordered(&in->profile, data, size, in->path, in->keep_order ? &order : NULL, e);

	c->samples = order.nr ? xcalloc(order.nr, sizeof(*c->samples)) : NULL;
	c->nr_samples = order.nr;
	for (size_t i = 0; i < order.nr; i++)
		c->samples[i] = (struct collect_sample){
			.time = i, .node = order.lines[i].node,
			.weight = order.lines[i].value > 0 ? (uint64_t)order.lines[i].value : 0,
		};
	free(order.lines);
	return r;
}

static int load_bytes(struct input *in, const void *data, size_t size, const struct read_options *opts,
		      const struct common_options *o, const struct input_wants *wants, struct error *e)
{
	const char *old = pprof_old_form(data, size);
	int r;

	if (trace_recognise(data, size) && !opts->wall)
		return load_trace_file(in, data, size, opts, o, wants, e);
	if (opts->off_cpu || opts->wall)
		return error_set(e, EXIT_CODE_INPUT, "%s: is no perf recording: %s has nothing to go by", in->path,
				 opts->wall ? "--wall" : "--off-cpu");
	if (old)
		return error_set(e, EXIT_CODE_INPUT, "%s: %s, which is not read (`go tool pprof -proto` converts most old forms)", in->path, old);
	if (pprof_recognise(data, size)) {
		r = load_pprof(in, data, size, opts, o, e);
	} else if (folded_recognise(data, size)) {
		in->kind = INPUT_FOLDED;
		r = load_folded(in, data, size, e);
	} else {
		return error_set(e, EXIT_CODE_INPUT, "%s: %s", in->path,
				 size ? "neither perf.data nor a pprof profile nor folded text"
				      : "empty file");
	}
	in->damage = in->profile.damage;
	return r;
}

/* Reads a stream to its end; -1 with *e over STREAM_MAX or on a read error. */
static int slurp(const char *path, int fd, char **data, size_t *size, struct error *e)
{
	size_t alloc = *size;

	for (;;) {
		ssize_t n;

		if (*size >= STREAM_MAX)
			return error_set(e, EXIT_CODE_LIMIT, "%s: over %zu MiB from a pipe", path,
					 STREAM_MAX >> 20);
		ALLOC_GROW(*data, *size + 65536, alloc);
		n = read(fd, *data + *size, alloc - *size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_set(e, EXIT_CODE_INPUT, "%s: %s", path, strerror(errno));
		if (!n)
			return 0;
		*size += (size_t)n;
	}
}

static int load_stream(struct input *in, int fd, const struct read_options *r,
		       const struct common_options *o, const struct input_wants *wants, struct error *e)
{
	char *data = xmalloc(PREFIX_SIZE);
	size_t size = 0;
	int result;

	while (size < PREFIX_SIZE) {
		ssize_t n = read(fd, data + size, PREFIX_SIZE - size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			error_set(e, EXIT_CODE_INPUT, "%s: %s", in->path, strerror(errno));
			free(data);
			return -1;
		}
		if (!n)
			break;
		size += (size_t)n;
	}
	if (perfdata_recognise(data, size)) {
		result = load_perf(in, fd, data, size, r, o, wants, e);
	} else {
		result = slurp(in->path, fd, &data, &size, e);
		if (!result)
			result = load_bytes(in, data, size, r, o, wants, e);
	}
	free(data);
	return result;
}

static int load_file(struct input *in, const struct read_options *r, const struct common_options *o,
		     const struct input_wants *wants, struct error *e)
{
	struct file_map m;
	int result;

	if (file_map_open(&m, in->path, e) < 0)
		return -1;
	if (perfdata_recognise(m.data, m.size)) {
		file_map_close(&m);
		return load_perf(in, -1, NULL, 0, r, o, wants, e);
	}
	result = load_bytes(in, m.data, m.size, r, o, wants, e);
	file_map_close(&m);
	return result;
}

/* The recording of a folder, with its binaries and kernel symbols where none were named. */
static int load_folder(struct input *in, const char *path, const struct read_options *r,
		       const struct common_options *o, const struct input_wants *wants, struct error *e)
{
	struct read_options with = *r;
	struct stat st;
	size_t n = 0;

	in->binaries = xcalloc(r->binary.nr + 2, sizeof(*in->binaries));
	for (; n < r->binary.nr; n++)
		in->binaries[n] = r->binary.items[n];
	if (in->folder.bin)
		in->binaries[n++] = in->folder.bin;
	with.binary = (struct opt_list){.items = in->binaries, .nr = n};
	if (!r->kallsyms && !r->vmlinux)
		with.kallsyms = in->folder.kallsyms;
	if (!r->trace)
		with.trace = in->folder.trace;
	in->path = path;
	if (stat(in->path, &st) == 0 && S_ISDIR(st.st_mode))
		return load_perf(in, -1, NULL, 0, &with, o, wants, e);
	return load_file(in, &with, o, wants, e);
}

/* Files that an option names are there: kernel symbols that stay away in silence are looked for elsewhere. */
static int check_named_files(const struct read_options *r, struct error *e)
{
	const struct {
		const char *option, *path;
	} named[] = {{"--kallsyms", r->kallsyms}, {"--vmlinux", r->vmlinux}};

	for (size_t i = 0; i < sizeof(named) / sizeof(*named); i++)
		if (named[i].path && access(named[i].path, R_OK) < 0)
			return error_set(e, EXIT_CODE_INPUT, "%s: %s: %s", named[i].option, named[i].path, strerror(errno));
	for (size_t i = 0; i < r->binary.nr; i++)
		if (access(r->binary.items[i], R_OK) < 0)
			return error_set(e, EXIT_CODE_INPUT, "--binary: %s: %s", r->binary.items[i], strerror(errno));
	return 0;
}

/* Options that choose by what this kind of input does not tell. */
static void note_unused(const struct input *in, const struct read_options *r, const struct common_options *o)
{
	const struct {
		const char *option;
		bool given, perf; /* meant for recordings */
	} options[] = {
		{"--event", r->event, true}, {"--comm", r->comm, true},	     {"--pid", r->pid, true},
		{"--tid", r->tid, true},     {"--cpu", r->cpu, true},	     {"--time", r->time, true},
		{"--by", in->kind != INPUT_TRACE && r->by, true}, {"--goroutine", r->goroutine, true}, {"--max-stack", r->max_stack, true},
		{"--type", r->type, false},
	};

	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++)
		if (options[i].given && options[i].perf != (in->kind == INPUT_PERF))
			note(o, "%s: %s has no effect on a %s", in->path, options[i].option,
			     in->kind == INPUT_PERF    ? "perf recording: choose by --event"
			     : in->kind == INPUT_PPROF ? "pprof profile"
						       : "folded text");
}

/* Samples with their times, to where their stacks went. */
static void move_samples(struct collect *c, const uint32_t *nodes)
{
	size_t kept = 0;

	for (size_t i = 0; i < c->nr_samples; i++) {
		if (nodes[c->samples[i].node] == PROFILE_NO_NODE)
			continue;
		c->samples[kept] = c->samples[i];
		c->samples[kept].node = nodes[c->samples[i].node];
		kept++;
	}
	c->nr_samples = kept;
}

/* focus, ignore, hide and the like, which need names. */
static int apply_filter(struct input *in, const struct read_options *r, struct error *e)
{
	struct profile_filter f = {
		.focus = r->focus, .ignore = r->ignore, .hide = r->hide,
		.merge_recursion = r->merge_recursion,
		.no_inline = r->no_inline && in->kind != INPUT_PERF,
	};
	struct collect *c = &in->collect;
	struct profile out;
	uint32_t *nodes;

	if (!f.focus && !f.ignore && !f.hide && !f.merge_recursion && !f.no_inline)
		return 0;
	profile_init(&out);
	nodes = c->nr_samples ? xcalloc(in->profile.nr_nodes, sizeof(*nodes)) : NULL;
	if (profile_filter(&out, &in->profile, &f, nodes, e) < 0) {
		profile_release(&out);
		free(nodes);
		return -1;
	}
	move_samples(c, nodes);
	free(nodes);
	profile_release(&in->profile);
	in->profile = out;
	in->filtered = true;
	return 0;
}

/* Whether a folder is what perf record --threads leaves. */
static bool holds_data(const char *path)
{
	char *data = xasprintf("%s/data", path);
	bool found = access(data, F_OK) == 0;

	free(data);
	return found;
}

int input_load(struct input *in, const char *path, const struct read_options *r,
	       const struct common_options *o, const struct input_wants *wants, struct error *e)
{
	static const struct input_wants nothing;
	struct stat st;
	int result;

	*in = (struct input){.path = path, .keep_order = wants && wants->keep_samples};
	profile_init(&in->profile);
	if (!wants)
		wants = &nothing;
	if (check_named_files(r, e) < 0) {
		result = -1;
	} else if (!strcmp(path, "-")) {
		in->path = "standard input";
		result = load_stream(in, STDIN_FILENO, r, o, wants, e);
	} else if (stat(path, &st) < 0) {
		result = error_set(e, EXIT_CODE_INPUT, "%s: %s", path, strerror(errno));
	} else if (S_ISDIR(st.st_mode) && folder_open(&in->folder, path)) {
		result = load_folder(in, in->folder.perf, r, o, wants, e);
	} else if (folder_beside(&in->folder, path)) {
		result = load_folder(in, path, r, o, wants, e);
	} else if (S_ISDIR(st.st_mode) && !holds_data(path)) {
		result = error_set(e, EXIT_CODE_INPUT, "%s: a folder without a recording: neither perf.data nor perf's own data is in it", path);
	} else if (S_ISDIR(st.st_mode)) {
		result = load_perf(in, -1, NULL, 0, r, o, wants, e);
	} else if (S_ISREG(st.st_mode)) {
		result = load_file(in, r, o, wants, e);
	} else {
		/* A FIFO or device that the user names is read like standard input. */
		int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

		if (fd < 0) {
			result = error_set(e, EXIT_CODE_INPUT, "%s: %s", path, strerror(errno));
		} else {
			result = load_stream(in, fd, r, o, wants, e);
			close(fd);
		}
	}
	if (!result)
		result = apply_filter(in, r, e);
	if (result)
		input_release(in);
	else
		note_unused(in, r, o);
	return result;
}

void input_release(struct input *in)
{
	profile_release(&in->profile);
	collect_release(&in->collect);
	if (in->has_trace)
		trace_release(&in->trace);
	folder_release(&in->folder);
	free(in->binaries);
}

const char *input_default(void)
{
	return isatty(STDIN_FILENO) || access("perf.data", R_OK) == 0 ? "perf.data" : "-";
}

const char *input_single(const struct common_options *o, int argc, char **argv, struct error *e)
{
	if ((size_t)argc + o->input.nr > 1) {
		error_set(e, EXIT_CODE_USAGE, "takes one FILE");
		return NULL;
	}
	if (argc)
		return argv[0];
	if (o->input.nr)
		return o->input.items[0];
	return input_default();
}

size_t input_operands(const struct common_options *o, int argc, char **argv, const char **paths, size_t max)
{
	size_t nr = 0;

	for (size_t i = 0; i < o->input.nr; i++, nr++)
		if (nr < max)
			paths[nr] = o->input.items[i];
	for (int i = 0; i < argc; i++, nr++)
		if (nr < max)
			paths[nr] = argv[i];
	return nr;
}

/* --- which series --------------------------------------------------------------- */

static int series_by_type(const struct profile *p, const char *type, size_t *series, struct error *e)
{
	char list[512] = "";
	size_t at = 0;

	for (size_t i = 0; i < p->nr_series; i++) {
		const char *name = profile_str(p, p->series[i].type);

		if (!strcmp(name, type)) {
			*series = i;
			return 0;
		}
		at += (size_t)snprintf(list + at, sizeof(list) - at, "%s%s", i ? ", " : "", name);
		if (at >= sizeof(list))
			at = sizeof(list) - 1;
	}
	return error_set(e, EXIT_CODE_USAGE, "--type: no sample type '%s'; the profile has %s", type, list);
}

int input_series(const struct input *in, const struct read_options *r, enum weight weight,
		 const struct common_options *o, size_t *series, struct error *e)
{
	const struct profile *p = &in->profile;
	const struct collect *c = &in->collect;
	size_t nr = 0;

	if (!p->nr_series)
		return error_set(e, EXIT_CODE_INPUT, "%s: no samples%s", in->path,
				 in->kind == INPUT_PERF && c->filtered ? " left by the filters" : "");
	if (in->kind != INPUT_PERF) {
		*series = p->default_series;
		return r->type ? series_by_type(p, r->type, series, e) : 0;
	}
	for (size_t i = 0; i < c->nr_events; i++)
		nr += c->events[i].samples && !c->events[i].switches;
	if (nr > 1 && !r->event && !r->off_cpu && !r->wall)
		note(o, "%s: %zu events have samples; showing %s (choose with --event)", in->path, nr,
		     c->events[c->main_event].name);
	*series = p->default_series;
	if (weight == WEIGHT_PERIOD ||
	    (weight == WEIGHT_AUTO && strcmp(c->events[c->main_event].unit, "nanoseconds") == 0))
		++*series;
	return 0;
}

const char *input_event_name(const struct input *in, size_t series)
{
	const struct collect *c = &in->collect;

	if (in->kind == INPUT_PERF && c->nr_events)
		return c->events[c->main_event].name;
	return profile_str(&in->profile, in->profile.series[series].type);
}
