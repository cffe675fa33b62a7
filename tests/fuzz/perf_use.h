/*
 * All of a perf.data input looked at: shared by the harnesses that come to one by different ways.
 */
#ifndef TESTS_FUZZ_PERF_USE_H
#define TESTS_FUZZ_PERF_USE_H

#include <stddef.h>
#include <stdint.h>

/*
 * Reads an input from memory: walked, every record decoded, every sample parsed, every byte these
 * point to read. What is in pipe form is read as a stream as well, and must come to the same counts
 * (aborts otherwise).
 */
void perf_use(const uint8_t *data, size_t size);

#endif
