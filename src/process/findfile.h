/*
 * Where binaries and their debug files may lie on this machine. Private to
 * process/.
 */
#ifndef PROCESS_FINDFILE_H
#define PROCESS_FINDFILE_H

#include "process/module.h"

/* The files and folders the user named (--binary), with the build-ids of the files. */
struct extra_file {
	const char *path;
	bool folder;
	uint8_t build_id[20];
	uint8_t build_id_size;
};
struct extra_files {
	struct extra_file *list;
	size_t nr;
};
/* paths ends in NULL, or is NULL; the strings stay the caller's. */
void extra_files_scan(struct extra_files *x, const char *const *paths);
void extra_files_release(struct extra_files *x);

/*
 * Asks about one place. crc, if not NULL, is what .gnu_debuglink says of the file
 * (CRC-32 as in zlib). Returns whether the file is taken.
 */
typedef bool findfile_try(void *ctx, const char *path, const uint32_t *crc);

/* Whether a debuginfod server was asked and did not answer; none is asked again in this run. */
bool findfile_servers_gone(void);

/*
 * Calls try for each place the module's binary may be, best first, until it
 * returns true. Returns whether one did.
 */
bool findfile_binary(const struct module *m, const struct module_options *o,
		     const struct extra_files *extra, findfile_try *try, void *ctx);

/* The same for its separate debug file (the binary is open). */
bool findfile_debug(const struct module *m, const struct module_options *o, findfile_try *try, void *ctx);

/* The kallsyms that perf kept with the recorded kernel's build-id, malloc'ed, or NULL. */
char *findfile_kallsyms(const struct module *m, const struct module_options *o);

#endif
