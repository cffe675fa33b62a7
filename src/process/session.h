/*
 * Records to processes: who ran when, under which name, with what mapped where.
 *
 * Sources: tools/perf/util/machine.c, thread.c, maps.c (what perf does with the
 * same records); kernel events/core.c (which records fork, exec and mmap make).
 *
 * History is kept, not just the last state: every process image (a pid between
 * fork and exit, cut at each exec) has its mappings with the time they began;
 * where ranges overlap the latest mapping not younger than the question wins. A
 * forked child sees its parent's image as it was at the fork until it execs.
 * So samples can be looked up in any order, from any thread, once the records
 * up to their time have been applied.
 *
 * session_apply and session_freeze are for the serial walk; the lookups are
 * safe from many threads while nothing is frozen.
 */
#ifndef PROCESS_SESSION_H
#define PROCESS_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/strtab.h"
#include "perfdata/perfdata.h"
#include "process/module.h"

struct session;

struct session_options {
	struct module_options modules; /* where binaries and debug files are looked for */
};

/* opts is copied; strings inside stay the caller's and must outlive the session. */
struct session *session_new(const struct session_options *opts);
void session_free(struct session *s);

/*
 * Takes in MMAP, MMAP2, COMM, FORK, EXIT and KSYMBOL; everything else is
 * ignored. The record is queued, since what a fork inherits depends on all that
 * came before it in time, and files are not in that order. `stable` says that
 * the record's bytes stay where they are until the session's end; else they are
 * copied.
 */
void session_apply(struct session *s, struct perfdata *pd, const struct perfdata_record *rec,
		   bool stable);
/*
 * Makes what was queued up to time `upto` (ns) visible to lookups, in order of
 * time; cheap when nothing was. Damage found in the records is counted in pd.
 */
void session_freeze(struct session *s, struct perfdata *pd, uint64_t upto);
/* Build-ids of the recording's table, and its kernel's release; call again when more of them are known (pipe form). */
void session_build_ids(struct session *s, const struct perfdata *pd);

struct modules *session_modules(struct session *s);

/* --- lookups ------------------------------------------------------------------ */

/*
 * A process image: a pid's address space between exec and exec (or exit). Images
 * of a session are numbered from 0; one for pids that no record announced has
 * index UINT32_MAX. `version` changes when session_freeze gives the image another
 * mapping: answers of session_map that a caller kept are to be asked for again.
 */
struct image {
	uint32_t index, pid, version;
};

/* The image of pid at time t (ns), never NULL: an unknown pid gets the shared empty one. */
const struct image *session_image(const struct session *s, uint32_t pid, uint64_t t);

static inline uint32_t image_index(const struct image *im)
{
	return im->index;
}

static inline uint32_t image_pid(const struct image *im)
{
	return im->pid;
}

struct mapping {
	uint64_t start, end; /* [start, end) in the process */
	uint64_t pgoff;	     /* file offset of start, bytes */
	uint64_t time;	     /* ns it began */
	uint32_t module;     /* id in session_modules() */
	uint32_t prot;
};

/*
 * The mapping that covers addr in the image at time t, or NULL. For addresses
 * of the kernel (cpumode kernel) ask session_kernel_module.
 * valid_from and valid_to, if not NULL, receive the bounds of the times in which the same answer
 * holds for this address, so that a caller may cache it.
 */
const struct mapping *session_map(const struct session *s, const struct image *im, uint64_t addr,
				  uint64_t t, uint64_t *valid_from, uint64_t *valid_to);

/*
 * The module that holds a kernel address: a kernel module, a KSYMBOL, else the
 * kernel itself; NULL when the recording names none. *valid_from and *valid_to as of session_map, but
 * never NULL; what is cached is to be asked for again when session_kernel_version has changed.
 */
struct module *session_kernel_module(const struct session *s, uint64_t addr, uint64_t t, uint64_t *valid_from,
				     uint64_t *valid_to);
/* Another number once session_kernel_module may answer otherwise: more records were applied. */
uint64_t session_kernel_version(const struct session *s);

/*
 * The command name of a thread at a time: an id in session_strings(), or, for
 * a thread no record named, its tid with SESSION_COMM_UNKNOWN set.
 */
#define SESSION_COMM_UNKNOWN (UINT32_C(1) << 31)
uint32_t session_comm(const struct session *s, uint32_t pid, uint32_t tid, uint64_t t);
/* Its text: the name, or ":TID" as perf prints it, made in buf. */
const char *session_comm_text(const struct session *s, uint32_t comm, char *buf, size_t size);
const struct strtab *session_strings(const struct session *s);

#endif
