/*
 * One harness a parser: fuzz_NAME.c with this function. Linked with replay.c it
 * is a test that runs the seeds of seeds/NAME/; with --enable-fuzzers (clang) it
 * is a libFuzzer program, to be run as
 *     tests/fuzz/fuzz_NAME -dict=NAME.dict FINDINGS seeds/NAME
 * What it finds becomes a seed.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* Aborts, or is stopped by a sanitizer, when the parser is wrong; returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
