/*
 * The Firefox Profiler's processed profile, version 60 (later ones are
 * upgraded from it when loaded). With samples: the threads as they ran. Without:
 * one "thread" per series, stacks side by side as if one had run after the other.
 * Source: github.com/firefox-devtools/profiler, src/types/profile.ts,
 * src/profile-logic/processed-profile-versioning.ts.
 */
#ifndef PROFILE_FIREFOX_H
#define PROFILE_FIREFOX_H

#include <stdio.h>

#include "profile/profile.h"

struct firefox_category {
	const char *name, *color; /* of the Firefox Profiler's colours: "grey", "green", … */
};

struct firefox_sample {
	uint64_t time;	 /* ns since the first sample of all */
	uint64_t weight; /* in the series' unit */
	uint32_t node;	 /* of the profile */
};

struct firefox_thread {
	const char *name, *process;
	uint32_t pid, tid;
	size_t first, nr; /* its samples, in order of time */
};

struct firefox_write_options {
	const char *name; /* of the profile: the input's */
	size_t series;	  /* shown first */
	const struct firefox_category *categories; /* the first is shown in grey: none of the others */
	size_t nr_categories;
	const uint8_t *category; /* per frame of the profile: index into categories */
	const struct firefox_thread *threads; /* none: the series alone */
	size_t nr_threads;
	const struct firefox_sample *samples; /* thread by thread */
};
/* Series without a value are left out. 0 or -1 with *e (exit 5). */
int firefox_write(const struct profile *p, FILE *f, const struct firefox_write_options *opts, struct error *e);

#endif
