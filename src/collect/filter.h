/*
 * Which samples count: --event, --comm, --pid, --tid, --cpu, --time.
 */
#ifndef COLLECT_FILTER_H
#define COLLECT_FILTER_H

#include <sys/types.h>
#include <regex.h>
#include <stdbool.h>
#include <stdint.h>

#include "collect/collect.h"

struct filter_ranges {
	struct filter_range {
		uint64_t from, to; /* inclusive */
	} *r;
	size_t nr, alloc;
};

struct filter {
	const char *event;
	char **comms; /* NULL-terminated, or NULL */
	char *comm_text;
	struct filter_ranges pid, tid, cpu;
	bool has_time, time_percent;
	bool has_goroutine;
	regex_t goroutine; /* over goroutines' names, at the end of the run */
	double percent_from, percent_to;
	uint64_t time_from, time_to; /* ns, inclusive */
};

/* Parses the texts of the options; -1 with *e (exit 2) names the bad one. */
int filter_init(struct filter *f, const struct collect_options *opts, struct error *e);
void filter_release(struct filter *f);
/* Turns percentages into times once the recording's range is known. */
void filter_set_range(struct filter *f, uint64_t first, uint64_t last);

/* Whether an event of that name is chosen: equal as recorded, or without modifiers ("cycles:u" by "cycles"). */
bool filter_event(const struct filter *f, const char *name);
bool filter_comm(const struct filter *f, const char *comm);
bool filter_ranges_hold(const struct filter_ranges *r, uint64_t value);

#endif
