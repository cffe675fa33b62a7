/*
 * Plants a known skew in a pprof profile, so that what `perfskew skew` finds can be
 * compared with what was put there.
 *
 *   plant IN OUT drop REGEX SHARE           takes samples away whose function is one of these
 *   plant IN OUT preempt REGEX SHARE        gives them a leaf in the preemption path, as pprof does
 *   plant IN OUT caller REGEX SHARE FROM TO they are called by TO instead of FROM
 *   plant IN OUT set WHAT [VALUE]           build-id HEX, shift SECONDS, empty, heap, uncounted,
 *                                           uncountable
 *
 * REGEX (POSIX extended) is searched in the name of the leaf, kernel frames aside. Of
 * every stack whole samples are taken, so that of all together it is the SHARE.
 * Prints for every function "NAME SHARE-OF-ALL-TIME", what was taken from it.
 */
#include <regex.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "profile/pprof.h"

enum { COUNT, TIME };

struct plan {
	regex_t re;
	double share, carry;
	const char *how;
	uint32_t from, to, preempt; /* frames, 0: none */
	double *taken; /* per frame of the profile as it was, time */
};

/* The node of the innermost frame that is not the kernel's. */
static uint32_t user_leaf(const struct profile *p, uint32_t node)
{
	while (node && p->frames[p->nodes[node].frame].kind == FRAME_KERNEL)
		node = p->nodes[node].parent;
	return node;
}

static uint32_t frame_named(struct profile *p, const char *name)
{
	struct profile_frame f = {.name = strtab_add(&p->strings, name), .kind = FRAME_USER};

	for (uint32_t i = 1; i < p->nr_frames; i++)
		if (!strcmp(profile_str(p, p->frames[i].name), name))
			return i;
	return profile_add_frame(p, &f);
}

static bool has_frame(const struct profile *p, uint32_t node, const char *name)
{
	for (; node; node = p->nodes[node].parent)
		if (!strcmp(profile_str(p, p->frames[p->nodes[node].frame].name), name))
			return true;
	return false;
}

/* The stack with all frames of the name replaced. */
static uint32_t replaced(struct profile *p, uint32_t node, const char *name, uint32_t to)
{
	uint32_t path[1024];
	size_t depth = profile_path(p, node, path, 1024);

	node = 0;
	for (size_t i = 0; i < depth; i++)
		node = profile_add_node(p, node, strcmp(profile_str(p, p->frames[path[i]].name), name) ? path[i] : to);
	return node;
}

static void plant_row(struct profile *p, struct plan *plan, size_t row, const char *from)
{
	uint32_t node = p->rows[row].node, leaf = user_leaf(p, node), to = 0;
	int64_t n = p->series[COUNT].values[row], take, time;

	if (!leaf || regexec(&plan->re, profile_str(p, p->frames[p->nodes[leaf].frame].name), 0, NULL, 0) != 0 ||
	    (from && !has_frame(p, leaf, from)))
		return;
	plan->carry += (double)n * plan->share;
	take = (int64_t)(plan->carry + 1e-9);
	plan->carry -= (double)take;
	if (!take)
		return;
	time = p->series[TIME].values[row] / n * take;
	plan->taken[p->nodes[leaf].frame] += (double)time;
	if (!strcmp(plan->how, "preempt"))
		to = profile_add_node(p, leaf, plan->preempt);
	else if (from)
		to = replaced(p, node, from, plan->to);
	profile_add_value(p, row, COUNT, -take);
	profile_add_value(p, row, TIME, -time);
	if (to) {
		size_t r = profile_add_row(p, to, p->rows[row].labels);

		profile_add_value(p, r, COUNT, take);
		profile_add_value(p, r, TIME, time);
	}
}

/* uncounted: the series of sample counts has another name, the period stays. */
static bool set(struct profile *p, const char *what, const char *value)
{
	if (!strcmp(what, "build-id") && p->nr_mappings) {
		p->mappings[0].build_id = strtab_add(&p->strings, value);
	} else if (!strcmp(what, "shift")) {
		p->time_ns += strtoll(value, NULL, 10) * 1000000000;
	} else if (!strcmp(what, "empty")) {
		p->nr_rows = 0;
	} else if (!strcmp(what, "heap")) {
		p->series[COUNT].type = strtab_add(&p->strings, "inuse_objects");
		p->series[TIME].type = strtab_add(&p->strings, "inuse_space");
		p->series[TIME].unit = strtab_add(&p->strings, "bytes");
	} else if (!strcmp(what, "uncounted")) {
		p->series[COUNT].type = strtab_add(&p->strings, "other");
	} else if (!strcmp(what, "uncountable")) {
		p->series[COUNT].type = strtab_add(&p->strings, "other");
		p->period = 0;
	} else {
		return false;
	}
	return true;
}

static int write_out(const struct profile *p, const char *path)
{
	struct pprof_write_options opts = {.gzip = true};
	struct error e;
	FILE *f = fopen(path, "wb");
	int bad;

	if (!f)
		return 1;
	bad = pprof_write(p, f, &opts, &e) < 0;
	return (fclose(f) != 0) | bad;
}

int main(int argc, char **argv)
{
	struct plan plan = {0};
	struct file_map m;
	struct profile p;
	struct error e;
	size_t rows, frames;
	double total;

	if (argc < 5 || argc > 8 || regcomp(&plan.re, argv[4], REG_EXTENDED | REG_NOSUB) != 0) {
		fprintf(stderr, "usage: plant IN OUT drop|preempt|caller REGEX SHARE [FROM TO] | set WHAT [VALUE]\n");
		return 2;
	}
	profile_init(&p);
	if (file_map_open(&m, argv[1], &e) < 0 || pprof_read(&p, m.data, m.size, argv[1], &e) < 0 || p.nr_series < 2) {
		fprintf(stderr, "plant: %s: no profile of samples and time\n", argv[1]);
		return 1;
	}
	plan.how = argv[3];
	if (!strcmp(plan.how, "set")) {
		if (!set(&p, argv[4], argc > 5 ? argv[5] : "")) {
			fprintf(stderr, "plant: cannot set %s\n", argv[4]);
			return 2;
		}
	}
	plan.share = argc > 5 && strcmp(plan.how, "set") ? strtod(argv[5], NULL) : 0;
	rows = p.nr_rows;
	frames = p.nr_frames;
	total = (double)p.series[TIME].total;
	plan.preempt = frame_named(&p, "runtime.asyncPreempt");
	plan.to = argc == 8 ? frame_named(&p, argv[7]) : 0;
	plan.taken = xcalloc(p.nr_frames, sizeof(*plan.taken));
	for (size_t r = 0; r < rows; r++)
		plant_row(&p, &plan, r, argc == 8 ? argv[6] : NULL);
	for (size_t i = 1; i < frames; i++)
		if (plan.taken[i] > 0)
			printf("%.12f %s\n", plan.taken[i] / total, profile_str(&p, p.frames[i].name));
	if (write_out(&p, argv[2])) {
		fprintf(stderr, "plant: %s: cannot write\n", argv[2]);
		return 1;
	}
	free(plan.taken);
	regfree(&plan.re);
	profile_release(&p);
	file_map_close(&m);
	return 0;
}
