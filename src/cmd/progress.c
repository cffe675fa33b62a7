#include "cmd/progress.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "cmd/message.h"

void progress_init(struct progress *p, const struct common_options *o, const char *name)
{
	*p = (struct progress){.name = name, .start = clock_seconds()};
	p->on = o->progress == WHEN_ALWAYS ||
		(o->progress == WHEN_AUTO && !o->quiet && isatty(STDERR_FILENO));
	if (o->progress == WHEN_ALWAYS)
		p->start -= 1;
}

void progress_update(void *ctx, uint64_t done, uint64_t total)
{
	struct progress *p = ctx;
	double t = clock_seconds();
	char size[32];

	if (!p->on || t - p->start < 1 || t - p->last < 0.1)
		return;
	p->last = t;
	p->shown = true;
	fputs("\r\033[K", stderr);
	put_safe(stderr, p->name);
	if (total) {
		int filled = (int)((double)done / (double)total * 30);

		filled = filled > 30 ? 30 : filled;
		fprintf(stderr, " [%.*s%.*s] %3d %%", filled, "##############################", 30 - filled,
			"..............................", (int)((double)done / (double)total * 100));
	} else {
		fprintf(stderr, " %s read", format_value(size, sizeof(size), (double)done, "bytes"));
	}
	fflush(stderr);
}

void progress_end(struct progress *p)
{
	if (p->shown)
		fputs("\r\033[K", stderr);
	p->shown = false;
}
