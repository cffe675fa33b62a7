/*
 * A process of its own that opens files for this one, which the sandbox lets read
 * little: where binaries lie is known from the recording only, when it is too late to
 * be let in there. The broker reads nothing of the recording. It opens regular files
 * that begin like an ELF file or a list of symbols, and asks debuginfod servers, so
 * that the process that parses needs no network.
 */
#ifndef CMD_BROKER_H
#define CMD_BROKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* As module_options.fetch. */
typedef int broker_fetch_fn(const uint8_t *id, size_t size, bool debug, char **path);

/*
 * Starts it, before any thread, and makes it base/file's opener. fetch: NULL where nothing is
 * to be asked for. `confine` is called in it first. 0, or -1 with errno.
 */
int broker_start(broker_fetch_fn *fetch, void (*confine)(void));
/* Through the broker; from any thread. */
int broker_fetch(const uint8_t *id, size_t size, bool debug, char **path);
/* Ends it and waits for that; harmless where none was started. */
void broker_stop(void);

#endif
