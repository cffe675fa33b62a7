/*
 * Reading perf.data: bytes to records. Knows the file format and nothing of
 * processes, binaries or stacks.
 *
 * Sources: Linux include/uapi/linux/perf_event.h (records, sample_type),
 * tools/perf/Documentation/perf.data-file-format.txt, tools/perf/util/header.c
 * (features), session.c (record walk, byte swap, rounds), event.h (user record
 * types 64–84).
 *
 * The flow: perfdata_open, then perfdata_next_block until it returns 0. A block
 * is a run of whole records; it is walked once in order by perfdata_walk_next,
 * which also takes in what the stream says about itself (attributes, features,
 * build-ids, counts). The samples of a block that was walked may then be parsed
 * by perfdata_sample from any thread.
 */
#ifndef PERFDATA_PERFDATA_H
#define PERFDATA_PERFDATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cursor.h"
#include "base/damage.h"
#include "base/error.h"

/* --- constants of the format ---------------------------------------------- */

/* Record types: 1–22 kernel, 64–84 perf. One list drives names and counts. */
#define FOREACH_PERF_RECORD(X)                                                 \
	X(1, MMAP) X(2, LOST) X(3, COMM) X(4, EXIT) X(5, THROTTLE)             \
	X(6, UNTHROTTLE) X(7, FORK) X(8, READ) X(9, SAMPLE) X(10, MMAP2)       \
	X(11, AUX) X(12, ITRACE_START) X(13, LOST_SAMPLES) X(14, SWITCH)       \
	X(15, SWITCH_CPU_WIDE) X(16, NAMESPACES) X(17, KSYMBOL)                \
	X(18, BPF_EVENT) X(19, CGROUP) X(20, TEXT_POKE)                        \
	X(21, AUX_OUTPUT_HW_ID) X(22, CALLCHAIN_DEFERRED)                      \
	X(64, HEADER_ATTR) X(65, HEADER_EVENT_TYPE) X(66, HEADER_TRACING_DATA) \
	X(67, HEADER_BUILD_ID) X(68, FINISHED_ROUND) X(69, ID_INDEX)           \
	X(70, AUXTRACE_INFO) X(71, AUXTRACE) X(72, AUXTRACE_ERROR)             \
	X(73, THREAD_MAP) X(74, CPU_MAP) X(75, STAT_CONFIG) X(76, STAT)        \
	X(77, STAT_ROUND) X(78, EVENT_UPDATE) X(79, TIME_CONV)                 \
	X(80, HEADER_FEATURE) X(81, COMPRESSED) X(82, FINISHED_INIT)           \
	X(83, COMPRESSED2) X(84, BPF_METADATA)

enum perf_record_type {
#define X(number, name) PERF_RECORD_##name = number,
	FOREACH_PERF_RECORD(X)
#undef X
};

/* "MMAP2", or NULL for a type this version does not know. */
const char *perf_record_name(uint32_t type);

#define FOREACH_PERF_SAMPLE_BIT(X)                                             \
	X(0, IP) X(1, TID) X(2, TIME) X(3, ADDR) X(4, READ) X(5, CALLCHAIN)    \
	X(6, ID) X(7, CPU) X(8, PERIOD) X(9, STREAM_ID) X(10, RAW)             \
	X(11, BRANCH_STACK) X(12, REGS_USER) X(13, STACK_USER) X(14, WEIGHT)   \
	X(15, DATA_SRC) X(16, IDENTIFIER) X(17, TRANSACTION) X(18, REGS_INTR)  \
	X(19, PHYS_ADDR) X(20, AUX) X(21, CGROUP) X(22, DATA_PAGE_SIZE)        \
	X(23, CODE_PAGE_SIZE) X(24, WEIGHT_STRUCT)

#define X(bit, name) PERF_SAMPLE_##name = UINT64_C(1) << bit,
enum perf_sample_bit { FOREACH_PERF_SAMPLE_BIT(X) };
#undef X

enum perf_read_format {
	PERF_FORMAT_TOTAL_TIME_ENABLED = 1,
	PERF_FORMAT_TOTAL_TIME_RUNNING = 2,
	PERF_FORMAT_ID = 4,
	PERF_FORMAT_GROUP = 8,
	PERF_FORMAT_LOST = 16,
};

/* misc field of a record header */
#define PERF_MISC_CPUMODE_MASK 7u
enum perf_cpumode {
	PERF_CPUMODE_UNKNOWN = 0,
	PERF_CPUMODE_KERNEL = 1,
	PERF_CPUMODE_USER = 2,
	PERF_CPUMODE_HYPERVISOR = 3,
	PERF_CPUMODE_GUEST_KERNEL = 4,
	PERF_CPUMODE_GUEST_USER = 5,
};
#define PERF_MISC_COMM_EXEC (1u << 13)
#define PERF_MISC_FORK_EXEC (1u << 13)
#define PERF_MISC_SWITCH_OUT (1u << 13)
#define PERF_MISC_SWITCH_OUT_PREEMPT (1u << 14)
#define PERF_MISC_MMAP_BUILD_ID (1u << 14)
#define PERF_MISC_MMAP_DATA (1u << 13)

/* Context markers inside a call chain (values above this are no addresses). */
#define PERF_CONTEXT_MAX ((uint64_t)-4095)
#define PERF_CONTEXT_KERNEL ((uint64_t)-128)
#define PERF_CONTEXT_USER ((uint64_t)-512)
#define PERF_CONTEXT_USER_DEFERRED ((uint64_t)-640)

/* --- the input as a whole -------------------------------------------------- */

enum perfdata_form { PERFDATA_FILE, PERFDATA_PIPE, PERFDATA_DIR };

enum perf_arch { PERF_ARCH_UNKNOWN, PERF_ARCH_X86_64, PERF_ARCH_ARM64, PERF_ARCH_X86_32, PERF_ARCH_ARM32, PERF_ARCH_OTHER };

struct perf_attr {
	uint32_t type;
	uint64_t config, config1;
	uint32_t bp_type; /* of a breakpoint, whose address is config1 */
	uint64_t sample_period_or_freq;
	bool freq; /* the field above is Hz */
	uint64_t sample_type, read_format, branch_sample_type;
	uint64_t sample_regs_user, sample_regs_intr;
	uint32_t sample_stack_user; /* bytes asked for per dump */
	bool sample_id_all, exclude_kernel, exclude_user, comm_exec, use_clockid, context_switch,
		inherit, disabled, enable_on_exec, precise_mask;
	int32_t clockid;
	uint32_t branch_hw_idx; /* branch stack carries hw_idx */
	const char *name;	/* as recorded (EVENT_DESC, EVENT_UPDATE), else from type and config */
	bool name_made;		/* from type and config: a tracepoint's name may come later */
	const char *unit;	/* EVENT_UPDATE, or NULL */
	uint64_t *ids;
	size_t nr_ids, alloc_ids;
};

/* A build-id of the recording's table or of a HEADER_BUILD_ID record. */
struct perf_build_id {
	int32_t pid;
	uint16_t misc; /* cpumode */
	uint8_t size;  /* bytes of id that count, trailing zero padding taken off */
	uint8_t id[20];
	const char *path;
};

/* What HEADER_* features say; strings are "" and numbers 0 where absent. */
struct perf_features {
	const char *hostname, *osrelease, *version, *arch, *cpudesc, *cpuid, *cmdline /* joined by spaces */;
	uint32_t cpus_online, cpus_available;
	uint64_t total_mem_kb;
	uint64_t sample_time_first, sample_time_last; /* ns */
	bool has_clock_data;
	uint32_t clock_id;	  /* CLOCK_DATA: of the recording */
	uint64_t wall_ns, clock_ns; /* CLOCK_DATA: one moment on both clocks (CLOCK_REALTIME, recording's) */
	uint64_t clockid_res_ns;  /* CLOCKID */
	uint32_t comp_type, comp_level, comp_ratio;
	uint64_t dir_version;
	const char **text;	  /* every feature as one printable line "name: value", for `info -v` */
	size_t nr_text, alloc_text;
};

struct perf_record_count {
	uint32_t type;
	uint64_t count;
};

struct perfdata_stats {
	struct perf_record_count *records; /* sorted by type; unknown types included */
	size_t nr_records, alloc_records;
	uint64_t lost;	       /* LOST records' events + LOST_SAMPLES' samples */
	uint64_t unflushed;    /* bytes of a last record that perf -z left in its compressor, 1 where none came out; in lost, too */
	uint64_t throttled;    /* THROTTLE records */
	uint64_t bytes;	       /* read from the input */
	uint64_t decompressed; /* bytes out of COMPRESSED records */
	uint64_t rounds;
};

struct perfdata;

/* Whether these first bytes are a perf.data in file or pipe form (either byte order). */
bool perfdata_recognise(const void *bytes, size_t n);

/*
 * path: a file, "-" for standard input, or a directory of `perf record
 * --threads` (data, data.0 …). Pipe form is read as a stream from standard input
 * and other unseekable inputs; file form, whose tables stand at the end, is kept
 * in an unnamed temporary file meanwhile. *prefix, if not NULL, are bytes already read from `fd`
 * (for input recognised by its content); fd -1 opens path.
 * Returns NULL with *e when nothing can be read (exit 3); damage that can be
 * survived is counted in perfdata_damage().
 */
struct perfdata *perfdata_open(const char *path, int fd, const void *prefix, size_t prefix_size,
			       struct error *e);
/* The same for bytes in memory, which stay the caller's and must outlive it. */
struct perfdata *perfdata_open_memory(const char *name, const void *data, size_t size, struct error *e);
void perfdata_close(struct perfdata *pd);
/*
 * Times of the first and the last sample (ns; 0, 0 without any), by a pass of its own over the input,
 * before anything else is read of it. What comes through a pipe is kept in an unnamed temporary file
 * for that. 0, or -1 with *e.
 */
int perfdata_time_range(struct perfdata *pd, uint64_t *first, uint64_t *last, struct error *e);
/* Gives back pages of the recording's mapping, one of so many parts of them; for many threads. */
void perfdata_forget(const struct perfdata *pd, size_t part, size_t parts);

enum perfdata_form perfdata_form(const struct perfdata *pd);
bool perfdata_compressed(const struct perfdata *pd); /* known once a COMPRESSED record was seen */
bool perfdata_swapped(const struct perfdata *pd);
enum perf_arch perfdata_arch(const struct perfdata *pd);
uint64_t perfdata_size(const struct perfdata *pd); /* bytes, 0 if unknown (pipe) */
const char *perfdata_path(const struct perfdata *pd);

/* Attributes known so far; index is stable. In pipe form they come with the records. */
size_t perfdata_nr_attrs(const struct perfdata *pd);
const struct perf_attr *perfdata_attr(const struct perfdata *pd, size_t index);
const struct perf_features *perfdata_features(const struct perfdata *pd);
size_t perfdata_nr_build_ids(const struct perfdata *pd);
const struct perf_build_id *perfdata_build_id(const struct perfdata *pd, size_t index);
const struct perfdata_stats *perfdata_stats(const struct perfdata *pd);
struct damage *perfdata_damage(struct perfdata *pd);

/*
 * Clock of the sample times, as far as the recording says: CLOCK_MONOTONIC (1)
 * for -k mono, -1 for perf's own clock. With CLOCK_DATA, *wall_offset_ns is
 * what to add to a sample time to get wall-clock ns since 1970; returns
 * whether it is known.
 */
bool perfdata_wall_offset(const struct perfdata *pd, int64_t *wall_offset_ns);
int perfdata_clockid(const struct perfdata *pd);

/* --- blocks and records ----------------------------------------------------- */

/*
 * A run of whole records. In file form without compression `data` points into
 * the mapping and the block may be kept, at no cost, until perfdata_close();
 * otherwise it is owned memory until perfdata_block_release().
 */
struct perfdata_block {
	const uint8_t *data;
	size_t size;	 /* bytes of whole records; set back by the walk where a record is broken */
	uint64_t offset; /* in the file, of the first record (of its COMPRESSED record where compressed) */
	uint8_t *owned;
	size_t room; /* bytes of `owned`, where it is decompressed */
	bool compressed;
	uint64_t last; /* latest time of a sample in it, where perfdata_skim made it */
};

/*
 * 1 with a block, 0 at the end of the input, -1 with *e: I/O errors, limits, and in pipe form an
 * event whose samples cannot be parsed.
 */
int perfdata_next_block(struct perfdata *pd, struct perfdata_block *b, struct error *e);
void perfdata_block_release(struct perfdata_block *b);
/* The same from the thread that asks for blocks: the memory is kept for the next one. */
void perfdata_block_recycle(struct perfdata *pd, struct perfdata_block *b);

/* A record, borrowed from its block. */
struct perfdata_record {
	uint32_t type;
	uint16_t misc;
	size_t size;	       /* bytes of the whole record */
	const uint8_t *data;   /* the header's first byte */
	uint64_t offset;       /* in the file, for messages */
};

/*
 * The serial walk: every record of the block in order, once, from one thread.
 * Counts them, takes in HEADER_* records, LOST and the like; a record of
 * impossible size ends the block (damage counted, b->size set back).
 * Returns false at the end of the block.
 */
struct perfdata_walk {
	struct perfdata *pd;
	struct perfdata_block *block;
	size_t at;
};
struct perfdata_walk perfdata_walk_start(struct perfdata *pd, struct perfdata_block *b);
bool perfdata_walk_next(struct perfdata_walk *w, struct perfdata_record *rec);

/*
 * The serial walk of mapped data, made by all threads of a pool at once. Passes over records and
 * counts them as blocks and walk would do, up to what needs these (a compressed
 * record, attributes, a payload, damage). false: nothing was passed, the next is
 * perfdata_next_block's.
 */
struct perfdata_round {
	size_t from, to;      /* of the source: between two FINISHED_ROUND records */
	uint64_t first, last; /* times of samples in it; UINT64_MAX, 0: none */
};
struct perfdata_skim {
	const uint8_t *source;
	uint64_t offset; /* in the file, of the source */
	/* what the walk acts on, samples not among it; each is to be given to perfdata_take, in order */
	size_t *records;
	size_t nr_records, alloc_records;
	struct perfdata_round *rounds; /* one more than there are FINISHED_ROUND among the records */
	size_t nr_rounds, alloc_rounds;
	struct perfdata_block *blocks; /* all that was passed */
	size_t nr_blocks, alloc_blocks;
};
struct pool;
bool perfdata_skim(struct perfdata *pd, struct pool *pool, struct perfdata_skim *out);
void perfdata_skim_record(const struct perfdata *pd, const struct perfdata_skim *k, size_t i,
			  struct perfdata_record *rec);
void perfdata_skim_release(struct perfdata_skim *k);
/* Takes in what a record says about the stream; perfdata_walk_next does so itself. */
void perfdata_take(struct perfdata *pd, const struct perfdata_record *rec);

/* The same steps without counting anything: for workers, from any thread, after the walk. */
bool perfdata_block_next(const struct perfdata *pd, const struct perfdata_block *b, size_t *at,
			 struct perfdata_record *rec);

/* --- records decoded --------------------------------------------------------- */

/* The fields that sample_id_all appends to every record (0 where not recorded). */
struct perf_sample_id {
	uint32_t pid, tid;
	uint64_t time; /* ns; 0 when the record has none (perf's synthesised ones) */
	uint64_t id;
	uint32_t cpu;
	const struct perf_attr *attr; /* NULL when it cannot be told */
};

/* MMAP, MMAP2 */
struct perf_mmap {
	uint32_t pid, tid;
	uint64_t addr, len, pgoff;
	uint32_t prot;	 /* PROT_EXEC assumed for MMAP */
	bool has_inode;
	uint32_t maj, min;
	uint64_t ino, ino_generation;
	uint8_t build_id_size; /* 0: none */
	uint8_t build_id[20];
	const char *filename; /* borrowed from the record, NUL-terminated */
};
/* COMM */
struct perf_comm {
	uint32_t pid, tid;
	bool exec;
	const char *comm;
};
/* FORK, EXIT */
struct perf_task {
	uint32_t pid, ppid, tid, ptid;
	uint64_t time;
};
/* KSYMBOL */
struct perf_ksymbol {
	uint64_t addr;
	uint32_t len;
	uint16_t type, flags; /* flags 1: unregister */
	const char *name;
};
/* SWITCH, SWITCH_CPU_WIDE */
struct perf_switch {
	bool out, preempt;
	uint32_t next_prev_pid, next_prev_tid; /* CPU_WIDE only, else 0 */
};
/* NAMESPACES, CGROUP, AUX … are counted; add a struct here when something needs them. */

/*
 * Each returns 0, or a damage kind that the caller (or the walk) has counted:
 * a decoded record never points outside its bytes.
 */
int perfdata_mmap(const struct perfdata *pd, const struct perfdata_record *rec,
		  struct perf_mmap *out, struct perf_sample_id *id);
int perfdata_comm(const struct perfdata *pd, const struct perfdata_record *rec,
		  struct perf_comm *out, struct perf_sample_id *id);
int perfdata_task(const struct perfdata *pd, const struct perfdata_record *rec,
		  struct perf_task *out, struct perf_sample_id *id);
int perfdata_ksymbol(const struct perfdata *pd, const struct perfdata_record *rec,
		     struct perf_ksymbol *out, struct perf_sample_id *id);
int perfdata_switch(const struct perfdata *pd, const struct perfdata_record *rec,
		    struct perf_switch *out, struct perf_sample_id *id);

/* The time of any record but SAMPLE (ns, 0 where it has none). */
uint64_t perfdata_record_time(const struct perfdata *pd, const struct perfdata_record *rec);

/* --- samples ----------------------------------------------------------------- */

#define PERF_MAX_REGS 64

struct perf_branch {
	uint64_t from, to, flags;
};

struct perf_sample {
	const struct perf_attr *attr;
	uint32_t attr_index;
	uint64_t sample_type; /* which fields below are recorded */
	uint64_t ip, time, addr, id, stream_id;
	uint64_t period; /* as recorded, 0 where the sample carries none (perf sums these) */
	uint64_t weight_period; /* the same, else the attr's fixed period, else 1: what a sample counts for */
	uint32_t pid, tid, cpu;
	uint8_t cpumode;
	/* Borrowed and possibly unaligned: read with perfdata_load64(). */
	const uint8_t *callchain; /* callchain_nr u64: addresses and PERF_CONTEXT_* */
	uint64_t callchain_nr;
	const uint8_t *raw;
	uint32_t raw_size;
	const uint8_t *branches; /* branches_nr × 24 bytes {from, to, flags} */
	uint64_t branches_nr;
	uint64_t regs_abi;	 /* PERF_SAMPLE_REGS_ABI_*: 0 none, 1 32-bit, 2 64-bit */
	uint64_t regs_mask;
	const uint8_t *regs;	 /* one u64 per bit of the mask, in bit order */
	uint64_t regs_intr_abi, regs_intr_mask;
	const uint8_t *regs_intr;
	const uint8_t *stack;	 /* the dump, lowest address (SP) first */
	uint64_t stack_size;	 /* bytes of it that are valid (dyn_size) */
	uint64_t stack_requested; /* bytes the recorder reserved */
	uint64_t weight, data_src, transaction, phys_addr, cgroup, data_page_size, code_page_size;
	uint64_t aux_size;
	uint64_t read_value; /* READ: the value of the sample's own event */
};

static inline uint64_t perfdata_load64(const uint8_t *p, bool swap)
{
	uint64_t v;

	memcpy(&v, p, 8);
	return swap ? __builtin_bswap64(v) : v;
}

/*
 * Parses a SAMPLE record without copying or allocating. Thread-safe.
 * Returns 0, or a damage kind (DAMAGE_SAMPLE_*) for a sample that must be
 * dropped; the caller counts it in its own struct damage.
 */
int perfdata_sample(const struct perfdata *pd, const struct perfdata_record *rec,
		    struct perf_sample *out);

/* Only pid, tid, time and attr of a SAMPLE: cheap, for the serial walk. */
int perfdata_sample_ids(const struct perfdata *pd, const struct perfdata_record *rec,
			struct perf_sample_id *out);

/*
 * CALLCHAIN_DEFERRED (perf 7): the user call chain that belongs to earlier
 * samples of this thread whose chain ends in PERF_CONTEXT_USER_DEFERRED, cookie.
 */
struct perf_callchain_deferred {
	uint64_t cookie;
	const uint8_t *callchain;
	uint64_t callchain_nr;
};
int perfdata_callchain_deferred(const struct perfdata *pd, const struct perfdata_record *rec,
				struct perf_callchain_deferred *out, struct perf_sample_id *id);

#endif
