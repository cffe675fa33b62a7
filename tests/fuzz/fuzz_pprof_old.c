/*
 * What is no profile.proto: the names of old forms, and reading all the same.
 */
#include "fuzz.h"
#include "profile/folded.h"
#include "profile/pprof.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *what = pprof_old_form(data, size);

	if (what && !*what)
		__builtin_trap();
	pprof_recognise(data, size);
	folded_recognise(data, size);
	return 0;
}
