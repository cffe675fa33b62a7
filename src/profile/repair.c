#include "profile/repair.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "profile/goname.h"

enum part {
	PART_KEEP,
	PART_PREEMPT, /* as a leaf: taken off */
	PART_CLOCK,   /* as a leaf: inside of the clock, its caller is what pprof shows */
	PART_WRAPPER,
	PART_DROP,
};

struct repairer {
	struct profile *in;
	struct repair_report *report;
	uint8_t *parts;	  /* per frame */
	uint32_t *plain;  /* per inlined frame: the same frame not inlined */
	size_t nr;	  /* of these */
	size_t row;
};

static bool is_one_of(const char *name, const char *const *list)
{
	for (; *list; list++)
		if (!strcmp(name, *list))
			return true;
	return false;
}

static enum part part_of(const struct profile *p, const struct profile_frame *f)
{
	static const char *const clocks[] = {"runtime.nanotime1", "runtime.walltime1", "time.now", "runtime.walltime", NULL};
	static const char *const dropped[] = {"runtime.goexit", "runtime.deferreturn", NULL};
	const char *name = profile_str(p, f->name), *dso = profile_str(p, f->dso);

	if (f->kind != FRAME_USER)
		return PART_KEEP;
	if (!strcmp(name, "runtime.asyncPreempt"))
		return PART_PREEMPT;
	if (!strcmp(dso, "[vdso]") || !strncmp(name, "[vdso]", 6) || is_one_of(name, clocks))
		return PART_CLOCK;
	if (is_one_of(name, dropped))
		return PART_DROP;
	return f->wrapper || goname_is_wrapper(name) ? PART_WRAPPER : PART_KEEP;
}

/* Names in place, parts, and the frames that may be needed when what they were inlined into goes. */
static void prepare(struct repairer *r)
{
	struct profile *p = r->in;
	size_t nr = p->nr_frames;

	r->nr = nr;
	r->parts = xcalloc(nr, 1);
	r->plain = xcalloc(nr, sizeof(*r->plain));
	for (size_t i = 1; i < nr; i++) {
		const char *name = profile_str(p, p->frames[i].name);
		int length = goname_length(name);

		if (length < (int)strlen(name)) {
			char *shorter = xstrndup(name, (size_t)length);

			p->frames[i].name = strtab_add(&p->strings, shorter);
			r->report->renamed++;
			free(shorter);
		}
		r->parts[i] = (uint8_t)part_of(p, &p->frames[i]);
	}
	for (size_t i = 1; i < nr; i++) {
		struct profile_frame f = p->frames[i];

		if (!f.inlined)
			continue;
		f.inlined = false;
		r->plain[i] = profile_add_frame(p, &f);
	}
}

static bool stays(const struct repairer *r, uint32_t frame, uint32_t callee, bool is_leaf)
{
	switch ((enum part)r->parts[frame]) {
	case PART_KEEP:
		return true;
	case PART_PREEMPT:
	case PART_CLOCK:
		return !is_leaf;
	case PART_WRAPPER:
		return callee && goname_is_panic(profile_str(r->in, r->in->frames[callee].name));
	default:
		return false;
	}
}

static ptrdiff_t path(void *ctx, uint32_t *path, size_t depth, const uint32_t **frames)
{
	struct repairer *r = ctx;
	size_t at = depth;    /* kept frames are gathered at the end */
	uint32_t callee = 0;  /* the one kept last, as it was */
	bool preempted = false;

	for (size_t i = depth; i-- > 0;) {
		uint32_t f = path[i];

		/* nothing is taken off that leaves no stack */
		if (!stays(r, f, callee, at == depth) && !(i == 0 && at == depth)) {
			preempted |= r->parts[f] == PART_PREEMPT;
			r->report->dropped += r->parts[f] != PART_PREEMPT;
			/* what was inlined into it is now a function of its own */
			if (at < depth && !r->in->frames[f].inlined && path[at] < r->nr && r->plain[path[at]])
				path[at] = r->plain[path[at]];
			continue;
		}
		path[--at] = f;
		callee = f;
	}
	if (preempted && r->in->nr_series)
		r->report->moved += r->in->series[r->report->series].values[r->row];
	r->row++;
	*frames = path + at;
	return (ptrdiff_t)(depth - at);
}

static void add_comment(struct profile *p, const struct repair_report *r)
{
	const char *unit = p->nr_series ? profile_str(p, p->series[r->series].unit) : "";
	char *text = xasprintf("perfskew repair: %" PRId64 " of %" PRId64 " %s moved from runtime.asyncPreempt to the functions it "
			       "interrupted; %zu frames of wrappers, vdso and goroutine ends left out; %zu names put in pprof's form",
			       r->moved, r->total, unit, r->dropped, r->renamed);

	ALLOC_GROW(p->comments, p->nr_comments + 1, p->alloc_comments);
	p->comments[p->nr_comments++] = strtab_add(&p->strings, text);
	free(text);
}

void profile_repair(struct profile *out, struct profile *in, struct repair_report *report)
{
	struct repairer r = {.in = in, .report = report};

	*report = (struct repair_report){.series = in->default_series};
	if (in->nr_series)
		report->total = in->series[in->default_series].total;
	prepare(&r);
	profile_map(out, in, path, &r, NULL);
	add_comment(out, report);
	free(r.parts);
	free(r.plain);
}
