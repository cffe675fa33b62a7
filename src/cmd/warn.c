#include "cmd/warn.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Shares of all samples from which on a thing is worth a line. */
#define MISSING_SHARE 0.05
#define CUT_SHARE 0.10

static void add(struct warnings *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void add(struct warnings *w, const char *fmt, ...)
{
	va_list ap;

	if (w->nr == WARN_MAX)
		return;
	va_start(ap, fmt);
	vsnprintf(w->text[w->nr++], WARN_TEXT, fmt, ap);
	va_end(ap);
}

static const char *what_helps(const struct module *m)
{
	if (m->kind == MODULE_KERNEL || m->kind == MODULE_KMOD)
		return ""; /* the reason names the options */
	return m->kind == MODULE_FILE ? "; give it by --binary or --symfs" : "";
}

/* A file of another build is always worth saying; one that is not there when many samples hit it. */
static void add_binary(struct warnings *w, const struct module *m, double all)
{
	double share = (double)m->samples / all;

	if (!m->samples || !m->why || (m->kind != MODULE_FILE && m->kind != MODULE_KERNEL && m->kind != MODULE_KMOD))
		return;
	if (m->status == MODULE_MISMATCH)
		add(w, "not used for %.1f %% of the samples: %s%s", 100 * share, m->why, what_helps(m));
	else if (m->status == MODULE_MISSING && share >= MISSING_SHARE)
		add(w, "%.1f %% of the samples are in %s: %s%s", 100 * share, m->path, m->why, what_helps(m));
}

/* Why most of the cut stacks were cut. */
static void add_cut(struct warnings *w, const struct collect *c, double all)
{
	enum unwind_end most = UNWIND_ENDS;
	uint64_t cut = 0;

	for (int i = 0; i < UNWIND_ENDS; i++) {
		enum unwind_end end = (enum unwind_end)i;

		if (unwind_end_complete(end) || end == UNWIND_KERNEL_ONLY || end == UNWIND_CHAIN || end == UNWIND_MAX_DEPTH ||
		    end == UNWIND_NO_DATA)
			continue;
		cut += c->ends[i];
		if (most == UNWIND_ENDS || c->ends[i] > c->ends[most])
			most = end;
	}
	if (c->user_stacks && (double)cut >= CUT_SHARE * (double)c->user_stacks)
		add(w, "%.1f %% of the stacks do not reach their root, most of them because %s%s",
		    100 * (double)cut / (double)c->user_stacks, unwind_end_text(most),
		    most == UNWIND_TRUNCATED ? " (perf record --call-graph=dwarf,65528 dumps more)" : "");
	if (all > 0 && (double)c->ends[UNWIND_NO_DATA] >= 0.5 * all)
		add(w, "%.1f %% of the samples have no stack: record with perf record -g --call-graph=dwarf,16384",
		    100 * (double)c->ends[UNWIND_NO_DATA] / all);
}

/* The record that perf -z left in its compressor is spoken of on its own. */
static void add_losses(struct warnings *w, const struct collect *c)
{
	const struct perfdata_stats *st = perfdata_stats(c->perfdata);
	uint64_t lost = st->lost - (st->unflushed && st->lost);

	if (lost)
		add(w, "perf lost %" PRIu64 " event%s, %.2f %% of all", lost, lost == 1 ? "" : "s",
		    100 * (double)lost / ((double)lost + (double)c->total_samples));
}

void warnings_make(struct warnings *w, const struct collect *c)
{
	struct modules *ms = session_modules(c->session);
	double all = (double)collect_counted(c);

	w->nr = 0;
	add_losses(w, c);
	for (uint32_t i = 0; all > 0 && i < modules_nr(ms); i++)
		add_binary(w, modules_get(ms, i), all);
	add_cut(w, c, all);
}
