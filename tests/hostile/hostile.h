/*
 * Mutants of good inputs, and the program run on each of them.
 *
 * A kind makes good inputs by our own code and knows their structure well enough to lie about it.
 * What a mutant must come to is told by the mutation that made it (enum expect). Everything follows
 * from the seed: the same seed and number give the same mutant.
 */
#ifndef TESTS_HOSTILE_HOSTILE_H
#define TESTS_HOSTILE_HOSTILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../unit/build.h"

/* splitmix64 (public domain, S. Vigna). */
struct rng {
	uint64_t state;
};

static inline uint64_t rng_next(struct rng *r)
{
	uint64_t z = r->state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

/* 0 … n-1; n > 0. */
static inline size_t rng_below(struct rng *r, size_t n)
{
	return (size_t)(rng_next(r) % n);
}

enum expect {
	ANY,	  /* no crash, no hang, no leak, an exit code of the contract */
	DETECTED, /* besides: not exit 0 with nothing on standard error */
	FINE,	  /* as good as the original: exit 0 */
};

/* What was done, for the report. */
struct note {
	char text[160];
};
void say(struct note *n, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

enum feed {
	AS_FILE,   /* the mutant is the input */
	AS_STDIN,  /* the mutant comes through a pipe */
	AS_BINARY, /* the mutant is the binary of a good recording: kind->companion() */
	AS_CONFIG, /* the mutant is the file of `check -c`, over a good profile */
};

struct kind {
	const char *name;
	enum feed feed;
	bool is_profile; /* no recording: not for `info` */
	bool by_name;	 /* what is damaged is read when names are looked up */
	unsigned nr_inputs;
	/* Good input `which`; false where this machine cannot make it. The result is kept by the caller. */
	bool (*make)(struct build *out, unsigned which);
	/* The other file that a run needs, or NULL. */
	bool (*companion)(struct build *out, unsigned which);
	/* Changes a copy of good input `which`. */
	enum expect (*mutate)(struct build *b, unsigned which, struct rng *r, struct note *n);
};

extern const struct kind kind_perf, kind_pipe, kind_zstd, kind_callchain, kind_dwarf, kind_pprof, kind_folded, kind_config,
	kind_elf, kind_debuginfo, kind_gotab;

/* --- changes.c: changes that know nothing of what they change ------------------------------------ */

/* Bits, bytes and words of a range, insertions, deletions, copies, cuts. Always ANY. */
enum expect change_bytes(struct build *b, size_t from, size_t to, struct rng *r, struct note *n);
void bytes_delete(struct build *b, size_t at, size_t nr);
void bytes_insert(struct build *b, size_t at, const void *p, size_t nr);
/* A number that programs stumble over, of so many bytes. */
uint64_t odd_number(struct rng *r, unsigned width);
void set_number(struct build *b, size_t at, unsigned width, uint64_t v);
uint64_t get_number(const struct build *b, size_t at, unsigned width);

/* --- perf_good.c: recordings ----------------------------------------------------------------------- */

enum recording { PLAIN, CALLCHAIN, DUMPS };
void recording_make(struct build *b, enum recording what, bool pipe, bool swap);
/* A recording of a program mapped from `path`: samples with a dump at these addresses of its text. */
void recording_of(struct build *b, const char *path, uint64_t offset, uint64_t size, const uint64_t *offsets, size_t nr);

/* --- run.c ------------------------------------------------------------------------------------------ */

struct run_options {
	uint64_t seed;
	uint64_t first, count; /* numbers of mutants of each kind */
	unsigned jobs;
	const char *keep; /* folder for mutants that failed, or NULL */
	bool verbose;
};
struct run_result {
	uint64_t run, detected, fine, failures;
	uint64_t codes[8]; /* by exit code */
	uint64_t max_kb;   /* resident memory, the most of any run */
	double cpu;	   /* seconds */
};
/* Runs mutants of a kind; false when its inputs cannot be made here. Failures are printed. */
bool run_kind(const struct kind *k, const struct run_options *o, struct run_result *res);

#endif
