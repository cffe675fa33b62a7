/*
 * Build-ids for a recording that perf made without them.
 *
 * perf record takes the build-ids from the events when it is done, but perf up
 * to 6.x cannot read back what it has compressed (-z) and then writes none. The
 * kernel's own (--buildid-mmap) are of the first note segment only, and Go's
 * linker keeps its GNU note outside of that. Without build-ids nobody notices
 * that a program was built anew since.
 */
#ifndef CMD_BUILDIDS_H
#define CMD_BUILDIDS_H

#include <stddef.h>

#include "base/error.h"

/*
 * Adds the BUILD_ID feature to the perf.data at path (file form, this machine's
 * byte order, as perf just wrote it) for every executable mapping whose file,
 * below root ("" or /proc/PID/root), has one. Leaves a recording that has the
 * feature as it is. *added: how many. Returns 0 or -1 with *e.
 */
int buildids_add(const char *path, const char *root, size_t *added, struct error *e);

#endif
