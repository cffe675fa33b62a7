/*
 * The parts of module.c and module_open.c. Private to process/.
 */
#ifndef PROCESS_MODULE_INTERNAL_H
#define PROCESS_MODULE_INTERNAL_H

#include "base/arena.h"
#include "process/findfile.h"
#include "process/module.h"

struct modules {
	struct module_options options;
	struct extra_files extra;
	const char *os_release; /* of the recording, or NULL */
	struct arena arena;
	struct module **list;
	size_t nr, alloc;
	uint32_t *slots; /* by (path, pid, side), id + 1 of the first of its next_same list */
	size_t mask;
	pthread_mutex_t arena_lock; /* module_open runs in many threads */
};

/* A copy of s that lives as long as the modules; from any thread. */
const char *module_keep(struct modules *ms, const char *s);
/* "PATH has build-id X, recorded was Y", malloc'ed. */
char *module_mismatch(const struct module *m, const char *path);
/* Sets status and reason, and frees why; only a mismatch replaces an earlier reason. */
void module_set_why(struct modules *ms, struct module *m, enum module_status status, char *why);
/* Notes the first damage of a file that was found: "PATH: WHAT"; frees what, which may be NULL. Under the module's lock. */
void module_set_broken(struct modules *ms, struct module *m, const char *path, char *what);
/* Whether a recorded path ends so. */
bool module_path_ends(const char *path, const char *suffix);

#endif
