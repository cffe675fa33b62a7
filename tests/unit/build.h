/*
 * Builds perf.data files in memory, byte by byte, for tests.
 */
#ifndef TESTS_UNIT_BUILD_H
#define TESTS_UNIT_BUILD_H

#include <stddef.h>
#include <stdint.h>

struct build {
	uint8_t *data;
	size_t nr, alloc;
	size_t record; /* where the record under way began */
	int swap;      /* write the other byte order */
};

void put8(struct build *b, uint8_t v);
void put16(struct build *b, uint16_t v);
void put32(struct build *b, uint32_t v);
void put64(struct build *b, uint64_t v);
void put_bytes(struct build *b, const void *p, size_t n);
void put_str(struct build *b, const char *s, size_t padded); /* NUL-padded to so many bytes */

/* What the attribute says; the rest is 0. */
struct build_attr {
	uint32_t type;
	uint64_t config, period, sample_type, read_format, flags, branch_type, regs_user, regs_intr;
	uint32_t stack_user, clockid, size; /* size 0: 136 */
	const uint64_t *ids;
	size_t nr_ids;
};
#define FLAG_FREQ (UINT64_C(1) << 10)
#define FLAG_CLOCKID (UINT64_C(1) << 25)
#define FLAG_ID_ALL (UINT64_C(1) << 18)

/* Header and attributes; records follow with record_begin … record_end; then file_end. */
void file_begin(struct build *b, const struct build_attr *attrs, size_t nr);
void pipe_begin(struct build *b, const struct build_attr *attrs, size_t nr);
void record_begin(struct build *b, uint32_t type, uint16_t misc);
void record_end(struct build *b);
/* Fills in the data size; features: bits and sections (id, bytes, size) in order of id. */
struct build_feature {
	unsigned id;
	const void *data;
	size_t size;
};
void file_end(struct build *b, const struct build_feature *f, size_t nr);
void build_free(struct build *b);

/* MMAP2, COMM, FORK with a sample_id of TID, TIME (attr with FLAG_ID_ALL and TID|TIME). */
void put_mmap2(struct build *b, uint32_t pid, uint64_t addr, uint64_t len, uint64_t pgoff, const char *name, uint64_t time);
void put_comm(struct build *b, uint32_t pid, uint32_t tid, const char *comm, uint16_t misc, uint64_t time);
void put_fork(struct build *b, uint32_t pid, uint32_t ppid, uint32_t tid, uint32_t ptid, uint64_t time);
void put_exit(struct build *b, uint32_t pid, uint32_t tid, uint64_t time);

/* The tracing data of a file (feature 1), with so many formats of system "sched". */
void put_tracing_data(struct build *b, const char *const *formats, uint32_t nr);

#endif
