/*
 * pprof's profile.proto, read and written through protobuf-c.
 * Source: github.com/google/pprof proto/profile.proto and profile/profile.go
 * (CheckValid, compatibility rules); Go src/runtime/pprof/proto.go.
 */
#ifndef PROFILE_PPROF_H
#define PROFILE_PPROF_H

#include <stdio.h>

#include "profile/profile.h"

/* Whether these first bytes are gzip or look like a bare profile.proto. */
bool pprof_recognise(const void *bytes, size_t n);

/*
 * What these bytes are, where they are a profile in a form from before
 * profile.proto (text, or gperftools' binary), which is not read; else NULL.
 */
const char *pprof_old_form(const void *bytes, size_t n);

/*
 * Parses a whole input (gzip or bare) into an initialised profile. Decompressed
 * size is bounded absolutely and by ratio. Returns 0, or -1 with *e: exit 3 not
 * a profile, 6 a limit. Survivable damage is counted in p->damage.
 */
int pprof_read(struct profile *p, const void *data, size_t size, const char *path, struct error *e);

struct pprof_write_options {
	bool gzip;	/* true for files */
	bool go_cpu;	/* write samples/count + cpu/nanoseconds as Go PGO wants */
	int jobs;	/* threads, 0: one per CPU; does not show in the bytes */
};
/* Deterministic: same profile, same bytes. 0 or -1 with *e (exit 5). */
int pprof_write(const struct profile *p, FILE *f, const struct pprof_write_options *opts, struct error *e);

#endif
