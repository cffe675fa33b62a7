/*
 * profile.proto, bare or gzip: what is read can be written, and that is read again.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "profile/folded.h"
#include "profile/pprof.h"

static char *written(const struct profile *p, size_t *size)
{
	struct pprof_write_options o = {.gzip = false};
	struct error e;
	char *bytes = NULL;
	FILE *f = open_memstream(&bytes, size);

	if (!f || pprof_write(p, f, &o, &e) < 0 || fclose(f) != 0)
		abort();
	return bytes;
}

static void use(const struct profile *p)
{
	struct folded_write_options o = {.series = p->default_series, .annotate = true};
	struct error e;
	FILE *f = fopen("/dev/null", "w");
	size_t nr;

	if (!f || folded_write(p, f, &o, &e) < 0)
		abort();
	fclose(f);
	free(profile_functions(p, p->default_series, &nr));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct profile p, q;
	struct error e;

	pprof_recognise(data, size);
	profile_init(&p);
	if (pprof_read(&p, data, size, "input", &e) == 0) {
		size_t nr;
		char *bytes = written(&p, &nr);

		use(&p);
		profile_init(&q);
		if (pprof_read(&q, bytes, nr, "written", &e) < 0 || q.nr_series != p.nr_series)
			abort();
		profile_release(&q);
		free(bytes);
	}
	profile_release(&p);
	return 0;
}
