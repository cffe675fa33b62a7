/*
 * The reader on any bytes.
 */
#include "fuzz.h"
#include "perf_use.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	perf_use(data, size);
	return 0;
}
