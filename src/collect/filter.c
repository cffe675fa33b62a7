#include "collect/filter.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "profile/regex.h"

/* "0-2,5": inclusive ranges of whole numbers. */
static int parse_ranges(struct filter_ranges *out, const char *text, const char *option,
			struct error *e)
{
	const char *p = text;

	while (p && *p) {
		struct filter_range r;
		char *end;

		errno = 0;
		if (*p < '0' || *p > '9')
			goto bad;
		r.from = r.to = strtoull(p, &end, 10);
		if (*end == '-') {
			p = end + 1;
			if (*p < '0' || *p > '9')
				goto bad;
			r.to = strtoull(p, &end, 10);
		}
		if (errno || r.to < r.from || (*end && *end != ','))
			goto bad;
		ALLOC_GROW(out->r, out->nr + 1, out->alloc);
		out->r[out->nr++] = r;
		p = *end ? end + 1 : end;
		if (*end && !*p)
			goto bad;
	}
	if (text && !out->nr)
		goto bad;
	return 0;
bad:
	return error_set(e, EXIT_CODE_USAGE, "%s: '%s' is not a list of numbers", option, text);
}


/* Decimal seconds to ns without the rounding of a double: perf prints 9 digits. */
static bool parse_seconds(const char *p, const char *end, uint64_t *ns)
{
	uint64_t whole = 0, part = 0, unit = 1000000000;
	bool digits = false;

	for (; p < end && *p >= '0' && *p <= '9'; p++, digits = true) {
		if (whole > UINT64_MAX / 20000000000)
			return false;
		whole = whole * 10 + (uint64_t)(*p - '0');
	}
	if (p < end && *p == '.')
		for (p++; p < end && *p >= '0' && *p <= '9'; p++, digits = true)
			if (unit > 1) {
				unit /= 10;
				part += (uint64_t)(*p - '0') * unit;
			}
	*ns = whole * 1000000000 + part;
	return digits && p == end;
}

static bool parse_percent(const char *p, const char *end, double *value)
{
	char *stop;

	if (p == end || (*p < '0' || *p > '9'))
		return false;
	*value = strtod(p, &stop);
	if (stop < end && *stop == '%')
		stop++;
	return stop == end && *value <= 100;
}

/* perf's forms: START,STOP (either may be empty), A%-B%, P%/N (the Nth part of P percent). */
static int parse_time(struct filter *f, const char *text, struct error *e)
{
	const char *end = text + strlen(text), *sep;

	f->has_time = true;
	f->time_to = UINT64_MAX;
	if (strchr(text, '%')) {
		f->time_percent = true;
		sep = strchr(text, '/');
		if (sep) {
			double n;

			if (!parse_percent(text, sep, &f->percent_to) ||
			    !parse_percent(sep + 1, end, &n) || n < 1)
				goto bad;
			f->percent_from = f->percent_to * (n - 1);
			f->percent_to *= n;
			if (f->percent_from >= 100)
				goto bad;
			return 0;
		}
		sep = strpbrk(text, "-,");
		if (!sep) {
			f->percent_from = 0;
			if (!parse_percent(text, end, &f->percent_to))
				goto bad;
			return 0;
		}
		if (!parse_percent(text, sep, &f->percent_from) ||
		    !parse_percent(sep + 1, end, &f->percent_to) ||
		    f->percent_to < f->percent_from)
			goto bad;
		return 0;
	}
	sep = strchr(text, ',');
	if (sep ? (sep > text && !parse_seconds(text, sep, &f->time_from)) ||
			  (sep + 1 < end && !parse_seconds(sep + 1, end, &f->time_to))
		: !parse_seconds(text, end, &f->time_from))
		goto bad;
	if (f->time_to < f->time_from)
		goto bad;
	return 0;
bad:
	return error_set(e, EXIT_CODE_USAGE,
			 "--time: '%s' is not START,STOP in seconds nor A%%-B%%", text);
}

static int compile_goroutine(struct filter *f, const char *pattern, struct error *e)
{
	const char *problem;
	char why[128];

	if (!pattern)
		return 0;
	problem = regex_compile(&f->goroutine, pattern, false, why);
	if (problem)
		return error_set(e, EXIT_CODE_USAGE, "--goroutine: '%s': %s", pattern, problem);
	f->has_goroutine = true;
	return 0;
}

int filter_init(struct filter *f, const struct collect_options *opts, struct error *e)
{
	size_t nr = 0;

	*f = (struct filter){.event = opts->event};
	if (opts->comm) {
		f->comm_text = xstrdup(opts->comm);
		f->comms = xcalloc(strlen(opts->comm) + 2, sizeof(*f->comms));
		for (char *save, *s = strtok_r(f->comm_text, ",", &save); s;
		     s = strtok_r(NULL, ",", &save))
			f->comms[nr++] = s;
	}
	if (parse_ranges(&f->pid, opts->pid, "--pid", e) < 0 ||
	    parse_ranges(&f->tid, opts->tid, "--tid", e) < 0 ||
	    parse_ranges(&f->cpu, opts->cpu, "--cpu", e) < 0 ||
	    compile_goroutine(f, opts->goroutine, e) < 0 ||
	    (opts->time && parse_time(f, opts->time, e) < 0)) {
		filter_release(f);
		return -1;
	}
	return 0;
}

void filter_release(struct filter *f)
{
	if (f->has_goroutine)
		regfree(&f->goroutine);
	free(f->comms);
	free(f->comm_text);
	free(f->pid.r);
	free(f->tid.r);
	free(f->cpu.r);
	*f = (struct filter){0};
}

void filter_set_range(struct filter *f, uint64_t first, uint64_t last)
{
	double span = (double)(last - first);

	if (!f->time_percent)
		return;
	f->time_from = first + (uint64_t)(span * f->percent_from / 100);
	f->time_to = first + (uint64_t)(span * f->percent_to / 100);
	/* Half open, so that 0%-50% and 50%-100% share no sample; the last one counts. */
	if (f->percent_to < 100 && f->time_to)
		f->time_to--;
}

bool filter_event(const struct filter *f, const char *name)
{
	size_t len;

	if (!f->event)
		return true;
	if (!strcmp(f->event, name))
		return true;
	len = strlen(f->event);
	if (strncmp(f->event, name, len) != 0)
		return false;
	/* "cycles" chooses "cycles:u"; "pmu/cycles" chooses "pmu/cycles/Pu". */
	return name[len] == '/' || (name[len] == ':' && strspn(name + len + 1, "ukhGHIpPSDWeb") ==
								strlen(name + len + 1));
}

bool filter_comm(const struct filter *f, const char *comm)
{
	if (!f->comms)
		return true;
	for (char **c = f->comms; *c; c++)
		if (!strcmp(*c, comm))
			return true;
	return false;
}

bool filter_ranges_hold(const struct filter_ranges *r, uint64_t value)
{
	if (!r->nr)
		return true;
	for (size_t i = 0; i < r->nr; i++)
		if (value >= r->r[i].from && value <= r->r[i].to)
			return true;
	return false;
}
