/*
 * Mangled names.
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "fuzz.h"
#include "process/symbol.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *name = xmalloc(size + 1), *plain;

	memcpy(name, data, size);
	name[size] = '\0';
	plain = demangle(name);
	free(plain);
	free(name);
	return 0;
}
