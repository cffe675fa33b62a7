#include "process/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "process/history.h"
#include "process/queue.h"
#include "process/timeline.h"

/*
 * An image of a fork of a fork of … asks its parents one by one. Where they are
 * too many, the child gets copies of what they had mapped (as perf always does,
 * maps__clone), for so many mappings in all.
 */
#define MAX_ANCESTORS 32
#define MAX_COPIES ((size_t)1 << 20)

/* A place in the kernel that a KSYMBOL left: the kernel's again. */
#define NO_MODULE UINT32_MAX
/* timelines hold ids of names; from here on the name is not known */
#define COMM_UNSET (UINT32_MAX - 1)

struct process_image {
	struct image head;
	struct process_image *parent; /* whose mappings are seen as of parent_time, or NULL */
	uint64_t parent_time;
	unsigned ancestors;
	bool changed; /* since the last freeze */
	struct history history;
};

struct session {
	struct modules *modules;
	struct queue queue;
	struct strtab strings;
	struct timelines comms;	    /* tid → name */
	struct timelines processes; /* pid → image */
	struct process_image **images;
	size_t nr_images, alloc_images;
	struct process_image **changed;
	size_t nr_changed, alloc_changed;
	size_t copies; /* mappings copied from parents */
	struct process_image nobody; /* of pids that no record announced */
	struct history kernel;
	struct module *kernel_module; /* [kernel.kallsyms], NULL before its mapping */
	size_t seen_build_ids, seen_modules; /* by session_build_ids */
};

struct session *session_new(const struct session_options *opts)
{
	struct session *s = xcalloc(1, sizeof(*s));

	s->modules = modules_new(&opts->modules);
	strtab_init(&s->strings);
	s->nobody.head.index = UINT32_MAX;
	/* perf_session__register_idle_thread */
	timelines_add(&s->comms, 0, 0, strtab_add(&s->strings, "swapper"));
	return s;
}

void session_free(struct session *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->nr_images; i++) {
		history_release(&s->images[i]->history);
		free(s->images[i]);
	}
	free(s->images);
	free(s->changed);
	history_release(&s->kernel);
	queue_release(&s->queue);
	timelines_release(&s->comms);
	timelines_release(&s->processes);
	strtab_release(&s->strings);
	modules_free(s->modules);
	free(s);
}

/* --- names ------------------------------------------------------------------------- */

uint32_t session_comm(const struct session *s, uint32_t pid, uint32_t tid, uint64_t t)
{
	uint32_t comm = timelines_find(&s->comms, tid, t);

	(void)pid;
	return comm >= COMM_UNSET ? SESSION_COMM_UNKNOWN | (tid & ~SESSION_COMM_UNKNOWN) : comm;
}

const char *session_comm_text(const struct session *s, uint32_t comm, char *buf, size_t size)
{
	if (!(comm & SESSION_COMM_UNKNOWN))
		return strtab_get(&s->strings, comm);
	/* perf's name for a thread without one; the top bit of a tid is only set for -1 */
	comm &= ~SESSION_COMM_UNKNOWN;
	snprintf(buf, size, ":%d", comm == (UINT32_MAX & ~SESSION_COMM_UNKNOWN) ? -1 : (int)comm);
	return buf;
}

/* --- images ------------------------------------------------------------------------ */

static struct process_image *start_image(struct session *s, uint32_t pid, uint64_t time)
{
	struct process_image *im = xcalloc(1, sizeof(*im));

	im->head = (struct image){.index = (uint32_t)s->nr_images, .pid = pid};
	ALLOC_GROW(s->images, s->nr_images + 1, s->alloc_images);
	s->images[s->nr_images++] = im;
	timelines_add(&s->processes, pid, time, im->head.index);
	return im;
}

static struct process_image *find_image(const struct session *s, uint32_t pid, uint64_t t)
{
	uint32_t i = timelines_find(&s->processes, pid, t);

	/* before the first one: times of perf's own records are not exact, take it all the same */
	if (i == TIMELINE_NONE)
		i = timelines_first(&s->processes, pid);
	return i == TIMELINE_NONE ? NULL : s->images[i];
}

static void add_mapping(struct session *s, struct process_image *im, const struct mapping *m)
{
	history_add(&im->history, m);
	im->head.version++;
	if (im->changed)
		return;
	im->changed = true;
	ALLOC_GROW(s->changed, s->nr_changed + 1, s->alloc_changed);
	s->changed[s->nr_changed++] = im;
}

/* The child's own copies of all its ancestors had, so that it needs them no more. */
static bool copy_ancestors(struct session *s, struct process_image *im)
{
	const struct process_image *chain[MAX_ANCESTORS + 1];
	uint64_t upto[MAX_ANCESTORS + 1];
	size_t n = 0;

	for (const struct process_image *at = im; at->parent && n <= MAX_ANCESTORS; at = at->parent) {
		upto[n] = at->parent_time;
		chain[n++] = at->parent;
	}
	im->parent = NULL;
	im->ancestors = 0;
	while (n-- > 0 && s->copies < MAX_COPIES)
		s->copies += history_copy(&im->history, &chain[n]->history, upto[n]);
	history_index(&im->history);
	return s->copies < MAX_COPIES;
}

/* Returns false when the ancestors are too many to be kept in mind. */
static bool inherit(struct session *s, struct process_image *im, struct process_image *parent, uint64_t time)
{
	/* of a parent without mappings of its own the grandparent does */
	while (parent && !parent->history.nr && parent->parent) {
		time = parent->parent_time;
		parent = parent->parent;
	}
	if (!parent)
		return true;
	/* parents were there before: no cycles */
	im->parent = parent;
	im->parent_time = time;
	im->ancestors = parent->ancestors + 1;
	return im->ancestors <= MAX_ANCESTORS || copy_ancestors(s, im);
}

/* --- records -------------------------------------------------------------------------- */

/*
 * Whether records of this input carry a time at all. Where they do not, FORK and
 * EXIT must not use the one in their body: it would come after every COMM.
 */
static bool timed(const struct perfdata *pd)
{
	const struct perf_attr *a = perfdata_nr_attrs(pd) ? perfdata_attr(pd, 0) : NULL;

	return a && a->sample_id_all && a->sample_type & PERF_SAMPLE_TIME;
}

static bool starts(const char *s, const char *prefix)
{
	return !strncmp(s, prefix, strlen(prefix));
}

static bool is_kernel(const struct perf_mmap *m, const struct perfdata_record *rec)
{
	unsigned mode = rec->misc & PERF_MISC_CPUMODE_MASK;

	return m->pid == UINT32_MAX || mode == PERF_CPUMODE_KERNEL;
}

/* Of virtual machines run on the recorded one (perf kvm): other address spaces, not looked into. */
static bool is_guest(const struct perf_mmap *m, const struct perfdata_record *rec)
{
	unsigned mode = rec->misc & PERF_MISC_CPUMODE_MASK;

	return mode == PERF_CPUMODE_GUEST_KERNEL || mode == PERF_CPUMODE_GUEST_USER ||
	       starts(m->filename, "[guest.kernel");
}

/*
 * [kernel.kallsyms]_text: pgoff is the run-time address of that symbol
 * (machine__process_kernel_mmap_event).
 */
static void apply_kernel_mmap(struct session *s, const struct perf_mmap *m, uint64_t time)
{
	struct mapping map = {m->addr, m->addr + m->len, m->pgoff, time, 0, m->prot};
	struct module *mod;

	if (starts(m->filename, "[kernel.kallsyms]") || starts(m->filename, "[kernel.vmlinux]")) {
		mod = modules_add(s->modules, "[kernel.kallsyms]", 0, MODULE_KERNEL, m->build_id, m->build_id_size);
		mod->kernel_start = m->pgoff;
		mod->kernel_ref = starts(m->filename, "[kernel.kallsyms]_stext") ? "_stext" : "_text";
		s->kernel_module = mod;
		return; /* it covers what no module covers */
	}
	mod = modules_add(s->modules, m->filename, 0, MODULE_KMOD, m->build_id, m->build_id_size);
	mod->kernel_start = m->addr;
	map.module = mod->id;
	map.pgoff = 0;
	if (map.end >= map.start)
		history_add(&s->kernel, &map);
}

static enum module_kind kind_of(const char *name)
{
	if (!strcmp(name, "[vdso]") || !strcmp(name, "[vdso32]") || !strcmp(name, "[vdsox32]"))
		return MODULE_VDSO;
	if (!strcmp(name, "[vsyscall]"))
		return MODULE_VSYSCALL;
	if (name[0] == '[' || !name[0] || starts(name, "//anon") || starts(name, "/dev/zero") ||
	    starts(name, "/anon_hugepage") || starts(name, "/memfd:") || starts(name, "anon_inode:") ||
	    starts(name, "/SYSV"))
		return MODULE_ANON;
	return MODULE_FILE;
}

static void apply_mmap(struct session *s, struct perfdata *pd, const struct queued *q)
{
	struct perf_mmap m;
	struct perf_sample_id id;
	int damage = perfdata_mmap(pd, &q->rec, &m, &id);
	struct process_image *im;
	struct mapping map;
	enum module_kind kind;
	struct module *mod;

	if (!damage && m.len > UINT64_MAX - m.addr)
		damage = DAMAGE_RECORD_FIELD;
	if (damage) {
		damage_add(perfdata_damage(pd), (enum damage_kind)damage, q->rec.offset);
		return;
	}
	if (is_guest(&m, &q->rec))
		return;
	if (is_kernel(&m, &q->rec)) {
		apply_kernel_mmap(s, &m, q->time);
		return;
	}
	kind = kind_of(m.filename);
	map = (struct mapping){m.addr, m.addr + m.len, m.pgoff, q->time, 0, m.prot};
	mod = modules_add(s->modules, m.filename, kind == MODULE_ANON ? m.pid : 0, kind, m.build_id,
			  m.build_id_size);
	if (kind != MODULE_ANON)
		module_mapped(mod, &m);
	map.module = mod->id;
	im = find_image(s, m.pid, q->time);
	add_mapping(s, im ? im : start_image(s, m.pid, 0), &map);
}

static void apply_comm(struct session *s, struct perfdata *pd, const struct queued *q)
{
	struct perf_comm c;
	struct perf_sample_id id;
	int damage = perfdata_comm(pd, &q->rec, &c, &id);

	if (damage) {
		damage_add(perfdata_damage(pd), (enum damage_kind)damage, q->rec.offset);
		return;
	}
	timelines_add(&s->comms, c.tid, q->time, strtab_add(&s->strings, c.comm));
	if (c.exec)
		start_image(s, c.pid, q->time);
}

static void apply_fork(struct session *s, struct perfdata *pd, const struct queued *q)
{
	struct perf_task t;
	struct perf_sample_id id;
	int damage = perfdata_task(pd, &q->rec, &t, &id);
	struct process_image *parent;
	uint32_t comm;

	if (damage) {
		damage_add(perfdata_damage(pd), (enum damage_kind)damage, q->rec.offset);
		return;
	}
	if (t.tid != t.ptid) {
		comm = timelines_find(&s->comms, t.ptid, q->time);
		timelines_add(&s->comms, t.tid, q->time, comm == TIMELINE_NONE ? COMM_UNSET : comm);
	}
	if (t.pid == t.ppid)
		return; /* a thread: same image */
	parent = q->rec.misc & PERF_MISC_FORK_EXEC ? NULL : find_image(s, t.ppid, q->time);
	if (!inherit(s, start_image(s, t.pid, q->time), parent, q->time))
		damage_add(perfdata_damage(pd), DAMAGE_FORK_CHAIN, q->rec.offset);
}

/*
 * An exiting task still runs, and is sampled, under no name: perf forgets the
 * thread at its EXIT (machine__process_exit_event), and so do we.
 */
static void apply_exit(struct session *s, struct perfdata *pd, const struct queued *q)
{
	struct perf_task t;
	struct perf_sample_id id;
	int damage = perfdata_task(pd, &q->rec, &t, &id);

	if (damage)
		damage_add(perfdata_damage(pd), (enum damage_kind)damage, q->rec.offset);
	else if (timed(pd))
		timelines_add(&s->comms, t.tid, q->time, COMM_UNSET);
}

/* bpf programs, ftrace and kprobe pages: kernel code that is in no file. */
static void apply_ksymbol(struct session *s, struct perfdata *pd, const struct queued *q)
{
	enum { UNREGISTER = 1 }; /* PERF_RECORD_KSYMBOL_FLAGS_UNREGISTER */
	struct perf_ksymbol k;
	struct perf_sample_id id;
	int damage = perfdata_ksymbol(pd, &q->rec, &k, &id);
	struct mapping map;

	if (!damage && k.len > UINT64_MAX - k.addr)
		damage = DAMAGE_RECORD_FIELD;
	if (damage) {
		damage_add(perfdata_damage(pd), (enum damage_kind)damage, q->rec.offset);
		return;
	}
	map = (struct mapping){k.addr, k.addr + k.len, 0, q->time, NO_MODULE, 5};
	if (!(k.flags & UNREGISTER))
		map.module = modules_add(s->modules, k.name, 0, MODULE_BPF, NULL, 0)->id;
	history_add(&s->kernel, &map);
}

static void apply(struct session *s, struct perfdata *pd, const struct queued *q)
{
	switch (q->rec.type) {
	case PERF_RECORD_MMAP:
	case PERF_RECORD_MMAP2:
		apply_mmap(s, pd, q);
		break;
	case PERF_RECORD_COMM:
		apply_comm(s, pd, q);
		break;
	case PERF_RECORD_FORK:
		apply_fork(s, pd, q);
		break;
	case PERF_RECORD_EXIT:
		apply_exit(s, pd, q);
		break;
	case PERF_RECORD_KSYMBOL:
		apply_ksymbol(s, pd, q);
		break;
	}
}

void session_apply(struct session *s, struct perfdata *pd, const struct perfdata_record *rec, bool stable)
{
	switch (rec->type) {
	case PERF_RECORD_MMAP:
	case PERF_RECORD_MMAP2:
	case PERF_RECORD_COMM:
	case PERF_RECORD_FORK:
	case PERF_RECORD_EXIT:
	case PERF_RECORD_KSYMBOL:
		queue_push(&s->queue, timed(pd) ? perfdata_record_time(pd, rec) : 0, rec, stable);
		break;
	}
}

void session_freeze(struct session *s, struct perfdata *pd, uint64_t upto)
{
	size_t n;

	queue_sort(&s->queue);
	n = queue_due(&s->queue, upto);
	if (!n)
		return;
	for (size_t i = 0; i < n; i++)
		apply(s, pd, &s->queue.entries[i]);
	queue_drop(&s->queue, n);
	timelines_settle(&s->comms);
	timelines_settle(&s->processes);
	for (size_t i = 0; i < s->nr_changed; i++) {
		history_index(&s->changed[i]->history);
		s->changed[i]->changed = false;
	}
	s->nr_changed = 0;
	history_index(&s->kernel);
}

void session_build_ids(struct session *s, const struct perfdata *pd)
{
	size_t nr = perfdata_nr_build_ids(pd), nr_modules = modules_nr(s->modules);

	modules_set_release(s->modules, perfdata_features(pd)->osrelease);
	if (nr == s->seen_build_ids && nr_modules == s->seen_modules)
		return;
	for (size_t i = 0; i < nr; i++)
		modules_set_build_id(s->modules, perfdata_build_id(pd, i));
	s->seen_build_ids = nr;
	s->seen_modules = nr_modules;
}

/* --- lookups ----------------------------------------------------------------------- */

struct modules *session_modules(struct session *s)
{
	return s->modules;
}

const struct strtab *session_strings(const struct session *s)
{
	return &s->strings;
}

const struct image *session_image(const struct session *s, uint32_t pid, uint64_t t)
{
	const struct process_image *im = find_image(s, pid, t);

	return im ? &im->head : &s->nobody.head;
}

const struct mapping *session_map(const struct session *s, const struct image *head, uint64_t addr,
				  uint64_t t, uint64_t *valid_from, uint64_t *valid_to)
{
	const struct process_image *im = (const struct process_image *)head;
	uint64_t from = 0, to = UINT64_MAX, fixed_from = 0, fixed_to = UINT64_MAX;
	const struct mapping *m = history_find(&im->history, addr, t, &from, &to);

	(void)s;
	/* a parent as it was at the fork does not change any more */
	for (; !m && im->parent; im = im->parent)
		m = history_find(&im->parent->history, addr, im->parent_time, &fixed_from, &fixed_to);
	if (valid_from)
		*valid_from = from;
	if (valid_to)
		*valid_to = to;
	return m;
}

struct module *session_kernel_module(const struct session *s, uint64_t addr, uint64_t t, uint64_t *valid_from,
				     uint64_t *valid_to)
{
	const struct mapping *m;

	*valid_from = 0;
	*valid_to = UINT64_MAX;
	m = history_find(&s->kernel, addr, t, valid_from, valid_to);
	return m && m->module != NO_MODULE ? modules_get(s->modules, m->module) : s->kernel_module;
}

uint64_t session_kernel_version(const struct session *s)
{
	return (uint64_t)s->kernel.nr << 1 | (s->kernel_module != NULL);
}
