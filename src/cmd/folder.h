/*
 * The folder that `perfskew record` leaves: a recording and what belongs to
 * it. samples/recording/ is one.
 */
#ifndef CMD_FOLDER_H
#define CMD_FOLDER_H

#include <stdbool.h>

#define FOLDER_PERF "perf.data"	   /* a file, or the directory of perf record --threads */
#define FOLDER_PPROF "cpu.pb.gz"   /* Go's CPU profile of the same seconds */
#define FOLDER_TRACE "trace.out"   /* Go's execution trace of the same seconds, or with .gz */
#define FOLDER_KALLSYMS "kallsyms" /* the recording kernel's symbols, as /proc/kallsyms prints them */
#define FOLDER_BIN "bin"	   /* binaries, by base name */

/* Paths of what is there, NULL for what is not. */
struct folder {
	char *perf, *pprof, *trace, *kallsyms, *bin;
};

/* Whether path is such a folder, that is, a directory with a perf.data in it; *f is filled either way. */
bool folder_open(struct folder *f, const char *path);
/*
 * A recording named by its own path, with what `perfskew record` leaves beside it; a perf.data that lies
 * alone is no folder.
 */
bool folder_beside(struct folder *f, const char *path);
void folder_release(struct folder *f);

#endif
