/*
 * Builds Go execution traces in memory for tests.
 */
#ifndef TESTS_UNIT_TRACEFILE_H
#define TESTS_UNIT_TRACEFILE_H

#include "build.h"

void put_uleb(struct build *b, uint64_t v);
/* "go 1.N trace" and its NULs. */
void trace_begin(struct build *b, unsigned version);
/* A batch; events or tables follow, then batch_end. Batches are below 128 bytes. time: units of 64 ns. */
void batch_begin(struct build *b, uint64_t generation, uint64_t thread, uint64_t time);
void batch_end(struct build *b);
/* An event of that type with so many arguments, the first being the time since the one before. */
void put_event(struct build *b, unsigned type, int nr, ...);
/* A batch of one string, of one stack with one frame (function and file are string ids). */
void put_string(struct build *b, uint64_t generation, uint64_t id, const char *text);
void put_stack(struct build *b, uint64_t generation, uint64_t id, uint64_t pc, uint64_t func, uint64_t file);
/* What ends a generation's tables: frequency, and the clocks where the version has them; before its events. */
void put_clocks(struct build *b, unsigned version, uint64_t generation, uint64_t time);
/* The mark after the last batch, where the version has one. */
void put_generation_end(struct build *b, unsigned version);

/*
 * A whole trace: on thread 7, goroutine 1 (main.main) creates 2 (main.worker), blocks; 2 makes a
 * system call on thread 7 and ends. Thread 8 unblocks and starts 1, by a clock that is late. A CPU
 * sample of 2; the world is stopped once. Units: 1000 is when it begins.
 */
void sample_trace(struct build *b, unsigned version);

#endif
