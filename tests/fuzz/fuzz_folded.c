/*
 * Folded text: read, written, tabulated.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "profile/folded.h"

static char *written(const struct profile *p, size_t *size)
{
	struct folded_write_options o = {.series = 0, .annotate = true};
	struct error e;
	char *text = NULL;
	FILE *f = open_memstream(&text, size);

	if (!f || folded_write(p, f, &o, &e) < 0 || fclose(f) != 0)
		abort();
	return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct profile p;
	struct error e;
	size_t nr;

	folded_recognise(data, size);
	profile_init(&p);
	if (folded_read(&p, data, size, "input", &e) == 0) {
		char *text = written(&p, &nr);

		free(profile_functions(&p, 0, &nr));
		free(text);
	}
	profile_release(&p);
	return 0;
}
