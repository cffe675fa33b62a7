/*
 * perfskew skew: how far pprof's profile is from perf's.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/output.h"
#include "base/pool.h"
#include "cmd/cmd.h"
#include "cmd/compared.h"
#include "cmd/confine.h"
#include "cmd/gallery.h"
#include "cmd/message.h"
#include "cmd/skew.h"
#include "cmd/summary.h"
#include "cmd/warn.h"
#include "process/gotab.h"
#include "profile/repair.h"

struct skew {
	struct common_options common;
	struct read_options read;
	struct picture_options picture;
	struct {
		size_t top;
	} table;
	struct batch_options batch;
};

static const struct opt table_opts[] = {
	{.name = "top", .letter = 'n', .type = OPT_SIZE, .offset = 0, .arg = "N", .help = "so many functions (20), or recordings (all)"},
	{0},
};

static const struct opt_group groups[] = {
	OPT_GROUP("Input and output", common_opts, struct skew, common),
	OPT_GROUP("Samples and stacks", read_opts, struct skew, read),
	OPT_GROUP("Picture", picture_opts, struct skew, picture),
	OPT_GROUP("Table", table_opts, struct skew, table),
	OPT_GROUP("Many recordings", batch_opts, struct skew, batch),
	{0},
};

void skew_note(struct skew_result *r, const char *fmt, ...)
{
	va_list ap;
	char text[512];

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (r->nr_notes < SKEW_NOTES)
		r->notes[r->nr_notes++] = xstrdup(text);
}

/* --- the process that pprof profiled -------------------------------------------------------- */

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static bool is_hex_id(const char *s)
{
	size_t n = strlen(s);

	return n >= 16 && n <= 40 && s[strspn(s, "0123456789abcdef")] == '\0';
}

/* Build-ids as hex compare equal when one is the other with zero padding. */
static bool same_id(const char *a, const char *b)
{
	size_t na = strlen(a), nb = strlen(b);

	while (na && a[na - 1] == '0')
		na--;
	while (nb && b[nb - 1] == '0')
		nb--;
	return na && na == nb && !strncmp(a, b, na);
}

/* The build-id that was recorded, else that of the file found in its place; "" where neither is known. */
static const char *module_id(const struct module *m, char hex[41])
{
	hex[0] = '\0';
	if (m->build_id_size)
		return build_id_hex(m->build_id, m->build_id_size, hex);
	return m->file_build_id_size ? build_id_hex(m->file_build_id, m->file_build_id_size, hex) : hex;
}

/*
 * Which binary of the recording is pprof's: by build-id, else by base name.
 * UINT32_MAX: none or not told. -1 with *e when the ids say it is another one.
 */
static int find_binary(struct skew_result *r, uint32_t *found, struct error *e)
{
	const struct profile *pp = &r->pprof.profile;
	struct modules *ms = session_modules(r->perf.collect.session);
	const char *id, *name;
	char hex[41];

	*found = UINT32_MAX;
	if (!pp->nr_mappings)
		return 0;
	id = profile_str(pp, pp->mappings[0].build_id);
	name = base_name(profile_str(pp, pp->mappings[0].file));
	for (uint32_t i = 0; i < modules_nr(ms); i++) {
		const struct module *m = modules_get(ms, i);

		if (m->kind != MODULE_FILE)
			continue;
		if (is_hex_id(id) && same_id(id, module_id(m, hex))) {
			*found = i;
			return 0;
		}
		if (*name && !strcmp(m->name, name))
			*found = i;
	}
	if (*found != UINT32_MAX && is_hex_id(id) && *module_id(modules_get(ms, *found), hex))
		return error_set(e, EXIT_CODE_USAGE, "%s is of another binary: its build-id is %s, that of %s %s %s is %s",
				 r->pprof.path, id, name, modules_get(ms, *found)->build_id_size ? "in" : "found for",
				 r->perf.path, hex);
	if (*found == UINT32_MAX && *name)
		skew_note(r, "the recording has no binary of the name %s: processes are told apart by their samples alone", name);
	return 0;
}

struct candidate {
	uint32_t root; /* node below the trie's root: "process N" */
	int64_t samples, hits;
	const char *name;
};

/* Samples per process, and those with a frame in the binary. */
static struct candidate *count_processes(const struct profile *p, size_t series, const char *dso, size_t *nr)
{
	uint32_t *root = xcalloc(p->nr_nodes, sizeof(*root)), binary = dso ? strtab_find(&p->strings, dso) : UINT32_MAX;
	bool *hit = xcalloc(p->nr_nodes, sizeof(*hit));
	struct candidate *list = NULL;
	size_t alloc = 0;

	*nr = 0;
	for (uint32_t n = 1; n < p->nr_nodes; n++) { /* callers come first */
		const struct profile_node *node = &p->nodes[n];

		root[n] = node->parent ? root[node->parent] : n;
		hit[n] = hit[node->parent] || p->frames[node->frame].dso == binary;
	}
	for (size_t row = 0; row < p->nr_rows; row++) {
		int64_t n = p->series[series].values[row];
		uint32_t node = p->rows[row].node;
		size_t i = 0;

		while (i < *nr && list[i].root != root[node])
			i++;
		if (i == *nr) {
			ALLOC_GROW(list, *nr + 1, alloc);
			list[(*nr)++] = (struct candidate){.root = root[node],
							   .name = profile_str(p, p->frames[p->nodes[root[node]].frame].name)};
		}
		list[i].samples += n;
		list[i].hits += hit[node] ? n : 0;
	}
	free(root);
	free(hit);
	return list;
}

static int by_samples(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	return x->samples != y->samples ? x->samples < y->samples ? 1 : -1 : x->root < y->root ? -1 : x->root > y->root;
}

/* Keeps the profiled process alone; -1 with *e (exit 2) naming the candidates when it cannot be told. */
static int choose_process(struct skew_result *r, size_t series, struct error *e)
{
	struct modules *ms = session_modules(r->perf.collect.session);
	struct profile *p = &r->perf.profile, kept;
	struct profile_filter f = {0};
	struct candidate *list;
	enum { MOST_NAMES = 8 };
	size_t nr, likely = 0, n = 0;
	char names[512] = "", pattern[64];

	if (find_binary(r, &r->binary, e) < 0)
		return -1;
	list = count_processes(p, series, r->binary == UINT32_MAX ? NULL : modules_get(ms, r->binary)->path, &nr);
	if (nr)
		qsort(list, nr, sizeof(*list), by_samples);
	for (size_t i = 0; i < nr; i++) {
		if (r->binary != UINT32_MAX && !list[i].hits)
			continue;
		likely = i;
		if (n++ >= MOST_NAMES)
			continue;
		snprintf(names + strlen(names), sizeof(names) - strlen(names), "%s%s (%lld samples)", n > 1 ? ", " : "",
			 list[i].name, (long long)list[i].samples);
	}
	if (n != 1) {
		error_set(e, EXIT_CODE_USAGE,
			  n ? "%s: %zu processes may be the one that %s profiled: choose with --pid: %s%s"
			    : "%s: none of its %zu processes is the one that %s profiled%s%s",
			  r->perf.path, n ? n : nr, r->pprof.path, names, n > MOST_NAMES ? " and others" : "");
		free(list);
		return -1;
	}
	if (nr == 1) {
		free(list);
		return 0;
	}
	snprintf(pattern, sizeof(pattern), "^%s$", list[likely].name);
	f.focus = pattern;
	free(list);
	profile_init(&kept);
	if (profile_filter(&kept, p, &f, NULL, e) < 0) {
		profile_release(&kept);
		return -1;
	}
	profile_release(p);
	*p = kept;
	return 0;
}

/* The threads that have samples, of the process that was chosen: it is the root. */
static size_t count_threads(const struct skew_result *r)
{
	const struct profile *p = &r->perf.profile;
	uint32_t nr = MAP64_NONE;
	unsigned int pid;

	if (p->nr_nodes > 1 && sscanf(profile_str(p, p->frames[p->nodes[1].frame].name), "process %u", &pid) == 1)
		nr = map64_get(&r->perf.collect.threads, pid);
	return nr == MAP64_NONE ? 0 : nr;
}

/*
 * Go before 1.26 slept up to 0.1 s before it wrote down when its profile ended
 * (runtime/pprof/pprof.go, profileWriter): what perf saw meanwhile has no samples.
 */
#define LATE_END 0.1

static double late_share(const struct skew_result *r, double window)
{
	struct modules *ms = session_modules(r->perf.collect.session);
	const struct module *m = r->binary == UINT32_MAX ? NULL : modules_get(ms, r->binary);
	const char *version = m && m->gotab ? gotab_go_version(m->gotab) : NULL;

	if (!(window > 0) || (version && !strncmp(version, "go1.", 4) && strtol(version + 4, NULL, 10) >= 26))
		return 0;
	return window > 2 * LATE_END ? LATE_END / window : 0.5;
}

/* Whether perf's timers were those of the CPUs, by perf record's command line. */
static bool is_cpu_wide(const struct collect *c)
{
	static const char *const options[] = {" -a ", " --all-cpus ", " -C", " --cpu", NULL};
	const char *line = perfdata_features(c->perfdata)->cmdline;

	for (size_t i = 0; line && options[i]; i++)
		if (strstr(line, options[i]))
			return true;
	return false;
}

/* --- loading ------------------------------------------------------------------------------------ */

/* A profile of time alone has a sample every period; SIZE_MAX where it does not tell that either. */
static size_t counted_by_period(struct profile *p, size_t time)
{
	size_t count;

	if (p->period <= 0 || strcmp(profile_str(p, p->period_unit), "nanoseconds") != 0)
		return SIZE_MAX;
	count = profile_add_series(p, "samples", "count");
	for (size_t r = 0; r < p->nr_rows; r++)
		profile_add_value(p, r, count, llround((double)p->series[time].values[r] / (double)p->period));
	return count;
}

/* The CPU series of a pprof profile; a heap profile is refused by its types. */
static int cpu_series(struct input *in, struct compare_side *s, struct error *e)
{
	struct profile *p = &in->profile;
	char list[256] = "";

	s->profile = p;
	s->weight = s->count = SIZE_MAX;
	for (size_t i = 0; i < p->nr_series; i++) {
		const char *type = profile_str(p, p->series[i].type), *unit = profile_str(p, p->series[i].unit);

		snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s%s/%s", i ? ", " : "", type, unit);
		if (!strcmp(unit, "nanoseconds") && (!strcmp(type, "cpu") || !strcmp(type, "wall") || !strcmp(type, "time")))
			s->weight = i;
		if (!strcmp(type, "samples") && !strcmp(unit, "count"))
			s->count = i;
	}
	if (s->weight == SIZE_MAX)
		return error_set(e, EXIT_CODE_USAGE, "%s: is no CPU profile; its sample types are %s", in->path, list);
	if (!p->nr_rows || p->series[s->weight].total <= 0)
		return error_set(e, EXIT_CODE_INPUT, "%s: the profile has no samples", in->path);
	if (s->count == SIZE_MAX)
		s->count = counted_by_period(p, s->weight);
	return 0;
}

static void note_window(struct skew_result *r)
{
	int64_t offset;

	if (!r->pprof.profile.time_ns || r->pprof.profile.duration_ns <= 0)
		skew_note(r, "the profile does not say when it was taken: the whole recording is compared");
	else if (!perfdata_wall_offset(r->perf.collect.perfdata, &offset))
		skew_note(r, "the recording does not tie its clock to the wall clock (perf record -k mono does): the whole of it is compared");
}

/* pprof's profile with the artifacts taken out; false where there are none. */
static bool make_repaired(struct skew_result *r, struct profile *out)
{
	struct profile copy;
	struct repair_report report;

	profile_init(&copy);
	profile_merge(&copy, r->b.profile);
	profile_repair(out, &copy, &report);
	profile_release(&copy);
	if (!report.moved || !report.total)
		return false;
	r->moved = (double)report.moved / (double)report.total;
	return true;
}

struct comparing {
	struct skew_result *r;
	struct compare_options opts;
};

static void compare_repaired(struct skew_result *r, struct compare_options opts)
{
	struct compare_side side = r->b;
	struct profile repaired;

	profile_init(&repaired);
	side.profile = &repaired;
	r->has_repaired = make_repaired(r, &repaired);
	if (r->has_repaired)
		comparison_make(&r->repaired, &r->a, &side, &opts);
	profile_release(&repaired);
}

static void compare_one(void *ctx, int worker, size_t task)
{
	const struct comparing *c = ctx;
	struct compare_options opts = c->opts;

	(void)worker;
	if (!task) {
		comparison_make(&c->r->c, &c->r->a, &c->r->b, &opts);
		return;
	}
	opts.jobs = (opts.jobs + 1) / 2; /* less is to be done here: the other takes what is left of the processors */
	opts.metrics_only = true;
	opts.no_intervals = !c->r->wants_repaired_noise;
	opts.drawn = c->r->wants_repaired_noise ? 0 : 1 << SKEW_TOTAL_VARIATION_SELF;
	compare_repaired(c->r, opts);
}

/* With what pprof has, and where it is asked for with what is left of that after repair, side by side. */
static void compare(struct skew_result *r, int jobs)
{
	struct pool *pool = pool_new(jobs);
	struct comparing c = {.r = r, .opts = {.rules = NORMALISE_GO, .jobs = pool_jobs(pool)}};

	pool_run(pool, r->wants_repaired ? 2 : 1, compare_one, &c);
	r->compared = true;
	pool_free(pool);
}

/* pprof's profile is read while the recording is walked: its window is needed no earlier than the samples are. */
struct pprof_load {
	struct skew_result *r;
	const char *path;
	struct read_options read;
	const struct common_options *common;
	struct pool *pool;
	bool failed;
	struct error e;
};

static void load_pprof(void *ctx, int worker, size_t task)
{
	struct pprof_load *l = ctx;
	struct skew_result *r = l->r;

	(void)worker, (void)task;
	l->failed = input_load(&r->pprof, l->path, &l->read, l->common, NULL, &l->e) < 0;
	if (l->failed)
		return;
	r->has_pprof = true;
	if (r->pprof.kind != INPUT_PPROF)
		error_set(&l->e, EXIT_CODE_USAGE, "%s: is not a pprof profile", l->path);
	l->failed = r->pprof.kind != INPUT_PPROF || cpu_series(&r->pprof, &r->b, &l->e) < 0;
}

static int pprof_wait(struct pprof_load *l, struct error *e)
{
	pool_wait(l->pool);
	if (l->failed)
		*e = l->e;
	return l->failed ? -1 : 0;
}

static int pprof_window(void *ctx, int64_t *from, int64_t *to, struct error *e)
{
	struct pprof_load *l = ctx;
	const struct profile *p = &l->r->pprof.profile;

	if (pprof_wait(l, e) < 0)
		return -1;
	*from = p->time_ns;
	*to = p->time_ns ? p->time_ns + p->duration_ns : 0;
	return 0;
}

/* Both files; of two errors pprof's is told. */
static int load_both(struct skew_result *r, const char *perf, const char *pprof, const struct read_options *read,
		     const struct common_options *common, struct error *e)
{
	struct pprof_load l = {
		.r = r, .path = pprof, .common = common,
		/* filters are for the recording; where binaries are is for both */
		.read = {.symfs = read->symfs, .debug_dir = read->debug_dir, .binary = read->binary,
			 .no_debuginfod = read->no_debuginfod, .no_demangle = read->no_demangle},
	};
	struct input_wants wants = {.no_comm = true, .by_process = true, .own_warnings = true, .keep_with_trace = true,
				    .window = pprof_window, .window_ctx = &l};
	bool loaded;

	if (!strcmp(perf, "-") && !strcmp(pprof, "-"))
		return error_set(e, EXIT_CODE_USAGE, "PERF and PPROF: only one of them can be standard input");
	l.pool = pool_new(read->jobs == 1 ? 1 : 2);
	pool_start(l.pool, 1, load_pprof, &l);
	r->has_perf = input_load(&r->perf, perf, read, common, &wants, e) == 0;
	loaded = pprof_wait(&l, e) == 0 && r->has_perf;
	pool_free(l.pool);
	if (!loaded)
		return -1;
	if (r->perf.kind != INPUT_PERF)
		return error_set(e, EXIT_CODE_USAGE, "%s: is not a perf recording", perf);
	return 0;
}

int skew_load(struct skew_result *r, const char *perf, const char *pprof, const struct read_options *read,
	      const struct common_options *common, struct error *e)
{
	const struct collect *c = &r->perf.collect;
	struct compare_timers timers = {0};
	struct warnings warnings;

	if (load_both(r, perf, pprof, read, common, e) < 0)
		return -1;
	note_window(r);
	warnings_make(&warnings, c);
	for (size_t i = 0; i < warnings.nr; i++)
		skew_note(r, "%s: %s", perf, warnings.text[i]);
	if (!r->perf.profile.nr_series)
		return error_set(e, EXIT_CODE_INPUT, "%s: no sample %s", perf,
				 c->filtered ? "lies in the seconds that the profile covers" : "at all");
	/* before stacks of other processes are left out: kept samples know the whole profile's */
	if (r->perf.has_trace && !r->perf.filtered)
		r->has_paired = paired_make(&r->paired, c, &r->perf.profile, &r->perf.trace,
					    (double)r->pprof.profile.period);
	if (compared_side(&r->a, &r->perf, read, common, e) < 0 || choose_process(r, r->a.count, e) < 0)
		return -1;
	r->a.profile = &r->perf.profile;
	r->timed = !strcmp(profile_str(r->a.profile, r->a.profile->series[r->a.weight].unit), "nanoseconds");
	compare(r, (int)read->jobs);
	r->coverage = r->coverage_low = r->coverage_high = NAN;
	timers.threads = count_threads(r);
	timers.cpu_wide = is_cpu_wide(c);
	timers.late = late_share(r, r->pprof.profile.time_ns ? (double)r->pprof.profile.duration_ns / 1e9 : 0);
	if (r->timed)
		compare_coverage(r->c.a_weight, r->c.a_samples, r->c.b_weight, r->c.b_samples, &timers,
				 &r->coverage, &r->coverage_low, &r->coverage_high);
	else
		skew_note(r, "the event %s does not count time: coverage cannot be told, shares can",
			  input_event_name(&r->perf, r->a.weight));
	return 0;
}

void skew_release(struct skew_result *r)
{
	if (r->has_repaired)
		comparison_release(&r->repaired);
	if (r->compared)
		comparison_release(&r->c);
	paired_release(&r->paired);
	if (r->has_perf)
		input_release(&r->perf);
	if (r->has_pprof)
		input_release(&r->pprof);
	for (size_t i = 0; i < r->nr_notes; i++)
		free(r->notes[i]);
}

/* --- output --------------------------------------------------------------------------------------- */

static int write_text(const struct skew *o, const struct skew_result *r, bool markdown)
{
	struct output out;
	struct error e;

	if (output_open(&out, o->common.output, &e) < 0)
		return fail(&e);
	skew_text(out.f, r, o->table.top ? o->table.top : 20, markdown);
	return output_commit(&out, &e) < 0 ? fail(&e) : EXIT_CODE_OK;
}

static int show(const struct skew *o, const struct skew_result *r, const struct picture_format *picture,
		const struct common_options *common)
{
	char subtitle[256];

	if (picture_is_report(picture))
		return skew_html(r, &o->picture, common);
	if (picture) {
		snprintf(subtitle, sizeof(subtitle), "perf %.0f samples, pprof %.0f samples; %.2f %% of the time charged to another function, %.2f %% is noise",
			 r->c.a_samples, r->c.b_samples, 100 * r->c.metrics[SKEW_TOTAL_VARIATION_SELF].value,
			 100 * r->c.metrics[SKEW_TOTAL_VARIATION_SELF].noise_floor);
		return compared_picture(&r->c, &o->picture, picture, common,
					(struct compared_drawn){COMPARE_A_WEIGHT, "perf"},
					(struct compared_drawn){COMPARE_B_WEIGHT, "pprof"}, subtitle);
	}
	if (common->format && !strcmp(common->format, "json"))
		return skew_json(r, common);
	return write_text(o, r, common->format && !strcmp(common->format, "markdown"));
}

/* Text formats by name, or the summary of many; everything else is a picture. -1 with *e. */
static int find_format(const struct skew *o, bool many, const struct picture_format **picture, struct error *e)
{
	const char *format = o->common.format, *dot = o->common.output ? strrchr(o->common.output, '.') : NULL;

	if (many && (format ? summaries_format(format) : strcmp(summaries_wanted(&o->common), "text") != 0))
		return 0;
	for (size_t i = 0; i < 3; i++)
		if (format && !strcmp(format, ((const char *const[]){"text", "json", "markdown"})[i]))
			return 0;
	if (!format && (!dot || (strcmp(dot, ".svg") && strcmp(dot, ".png") && strcmp(dot, ".pdf") && strcmp(dot, ".html"))))
		return 0;
	*picture = many ? gallery_open(&o->common, &o->picture, e) : picture_format(&o->common, &o->picture, e);
	return *picture ? 0 : -1;
}

/* One recording and its profile; picture NULL: text. */
static int skew_one(void *ctx, const struct batch_item *item, const struct batch_item *base,
		    const struct picture_format *picture, const struct common_options *common)
{
	const struct skew *o = ctx;
	struct skew_result r = {.wants_repaired = !picture || picture_is_report(picture),
				.wants_repaired_noise = common->format && !strcmp(common->format, "json")};
	struct error e;
	int code, damaged;

	(void)base;
	if (!item->pprof) {
		message("%s: no pprof profile of the same run is beside it", item->path);
		return EXIT_CODE_USAGE;
	}
	if (skew_load(&r, item->path, item->pprof, &o->read, common, &e) < 0) {
		code = fail(&e);
	} else {
		damaged = report_damage(r.perf.path, &r.perf.damage);
		damaged = report_damage(r.pprof.path, &r.pprof.damage) ? EXIT_CODE_DAMAGED : damaged;
		code = damaged && common->strict ? damaged : show(o, &r, picture, common);
		code = code ? code : damaged;
	}
	skew_release(&r);
	return code;
}

/* A line each, or with a picture's format a picture each. */
static int skew_many(struct skew *o, const struct batch *b, const struct batch *bases, const struct picture_format *picture)
{
	const char *format = summaries_wanted(&o->common);
	struct summary_options opts = {.read = &o->read, .common = &o->common, .pictures = !strcmp(format, "html")};
	struct summaries s = {.skew = true};
	int code;

	if (picture)
		return gallery_draw(b, bases, picture, &o->common, skew_one, o);
	code = summaries_run(&s, b, bases, &opts, format, o->table.top);
	summaries_release(&s);
	return code;
}

static int run(void *options, int argc, char **argv)
{
	struct skew *o = options;
	const struct picture_format *picture = NULL;
	struct batch b = {.nr = 0}, bases = {.nr = 0};
	const char *paths[2];
	struct error e;
	bool many;
	int code;

	batch_operands(&b, &o->common, argc, argv, NULL);
	if (input_operands(&o->common, argc, argv, paths, 2) == 2)
		batch_named_pair(&b, paths[0], paths[1]);
	if (o->batch.baseline)
		batch_expand(&bases, 1, &o->batch.baseline);
	many = b.opened || b.nr > 1 || bases.nr;
	e.code = EXIT_CODE_OK;
	if (!b.nr)
		error_set(&e, EXIT_CODE_USAGE, "takes PERF and PPROF, or folders with both");
	else if (!many && !b.items[0].pprof)
		error_set(&e, EXIT_CODE_USAGE, "%s: no folder with a recording and its pprof profile; name PERF and PPROF", b.items[0].path);
	else if (compared_check_picture(&o->picture, &e) == 0)
		find_format(o, many, &picture, &e);
	confine_batch(&b);
	confine_batch(&bases);
	if (e.code) {
		message("skew: %s", e.text);
		code = (int)e.code;
	} else if (confine(&o->common, &o->read, &e) < 0) {
		code = fail(&e);
	} else {
		code = many ? skew_many(o, &b, &bases, picture) : skew_one(o, &b.items[0], NULL, picture, &o->common);
	}
	batch_release(&b);
	batch_release(&bases);
	return code;
}

const struct cmd cmd_skew = {
	.name = "skew",
	.args = "PERF PPROF | [FILE|FOLDER|PATTERN]…",
	.summary = "how far pprof's profile is from perf's (the comparison mode); of many recordings a finding each",
	.help = "A recording with its profile is a folder of perfskew record or NAME.data beside NAME.pb.gz. Of many,\n"
		"or with --baseline: worst first, as text, markdown (under 64 KB), json or html; with --format svg, png\n"
		"or pdf a picture each in the folder that --output names.",
	.groups = groups,
	.size = sizeof(struct skew),
	.run = run,
};
