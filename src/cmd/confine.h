/*
 * What a command may do while it reads files that others wrote: limits of memory and
 * time, and the sandbox. The files are named first; confine() is called once, before the first
 * is read and before there are threads.
 */
#ifndef CMD_CONFINE_H
#define CMD_CONFINE_H

#include <stdint.h>

#include "cmd/batch.h"
#include "cmd/options.h"

/* A file or folder that will be read; NULL and "-" are passed over. */
void confine_input(const char *path);
void confine_batch(const struct batch *b);
/* A file that will be written, besides common_options.output. */
void confine_output(const char *path);

/*
 * Where the kernel has no means, the run goes on without them and --verbose says so.
 * Returns 0, or -1 with *e (exit 2, a limit that cannot be).
 */
int confine(const struct common_options *o, const struct read_options *r, struct error *e);

/* How binaries are fetched by their build-id (module_options.fetch): by the broker where it runs. */
typedef int confine_fetch_fn(const uint8_t *id, size_t size, bool debug, char **path);
confine_fetch_fn *confine_fetch(const struct read_options *r);

/* What --max-memory said, or NULL. */
const char *confine_memory_limit(void);
/* What --max-cpu said, in seconds, or 0; for signal handlers too. */
size_t confine_cpu_limit(void);
/* Ends what confine() started. */
void confine_end(void);

#endif
