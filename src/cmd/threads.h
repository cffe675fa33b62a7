/*
 * The samples of a recording, thread by thread, for viewers with a time axis.
 */
#ifndef CMD_THREADS_H
#define CMD_THREADS_H

#include "cmd/input.h"
#include "profile/firefox.h"

struct threads {
	struct firefox_thread *threads; /* by process, then thread */
	size_t nr;
	struct firefox_sample *samples;
	char **names; /* of threads and processes, interned here */
	size_t nr_names, alloc_names;
};

/* Whether the sample is of the event that the series counts. */
bool threads_sample_counts(const struct input *in, const struct collect_sample *s, size_t series);

/*
 * Samples of the event that the series is of. Empty where the input has no samples
 * with times, or its stacks were changed since they were read.
 */
void threads_make(struct threads *t, const struct input *in, size_t series);
void threads_release(struct threads *t);

#endif
