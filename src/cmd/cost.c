#include "cmd/cost.h"

#include <sys/resource.h>

#include "base/clock.h"
#include "cmd/message.h"

static double started;
static double read_until; /* 0: nothing to report */

static const char *count(char buf[32], double n)
{
	return format_value(buf, 32, n, "count");
}

static double seconds(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

void cost_start(void)
{
	started = clock_seconds();
}

void cost_input(const struct input *in)
{
	const struct collect_cost *c = &in->collect.cost;
	const struct perfdata_stats *st = perfdata_stats(in->collect.perfdata);
	char bytes[32], samples[32], places[32], stacks[32], memory[32];

	read_until = clock_seconds();
	message("%s: %s, %s samples, %s distinct addresses, %s distinct stacks", in->path,
		format_value(bytes, sizeof(bytes), (double)(st->decompressed ? st->decompressed : st->bytes), "bytes"),
		count(samples, (double)in->collect.total_samples), count(places, (double)c->locations),
		count(stacks, (double)c->rows));
	message("%s: walk %.3f s, unwind %.3f s, merge %.3f s, load symbols %.3f s, symbolise %.3f s, profile %.3f s, "
		"anonymous memory %s", in->path, c->walk, c->unwind, c->merge, c->load, c->symbolise, c->build,
		format_value(memory, sizeof(memory), (double)c->anon, "bytes"));
}

void cost_total(void)
{
	struct rusage u;
	char memory[32];
	double now = clock_seconds();

	if (!read_until || getrusage(RUSAGE_SELF, &u) < 0)
		return;
	message("output %.3f s; in all %.3f s, %.3f s user, %.3f s system, peak memory %s with mapped files",
		now - read_until, now - started, seconds(u.ru_utime), seconds(u.ru_stime),
		format_value(memory, sizeof(memory), (double)u.ru_maxrss * 1024, "bytes"));
}
