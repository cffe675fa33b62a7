/*
 * Names for the addresses of a pprof profile that has none: what perf's and C's
 * profilers write, which know mappings only.
 */
#ifndef CMD_SYMBOLISE_H
#define CMD_SYMBOLISE_H

#include "cmd/options.h"
#include "process/module.h"
#include "profile/profile.h"

/*
 * Replaces nameless frames by the functions that the binaries name, inlined
 * calls included; a binary whose build-id is another one is not used. Says on
 * stderr which stay without. Nothing happens to a profile with names.
 */
void profile_symbolise(struct profile *p, const char *path, const struct module_options *modules,
		       bool inlines, const struct common_options *o);

#endif
