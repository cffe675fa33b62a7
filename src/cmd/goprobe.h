/*
 * The probe of `record --goroutines`: an event each time a Go program switches to a goroutine, with its g and goid.
 * A dynamic event of the kernel (uprobe), made in tracefs; perf record -e switches it on for what it records only.
 *
 * Source: kernel Documentation/trace/uprobetracer.rst.
 */
#ifndef CMD_GOPROBE_H
#define CMD_GOPROBE_H

#include "base/error.h"

struct goprobe {
	char *event; /* "perfskew:gogo_PID", PID being this process's; NULL: there is none */
	int fd;	     /* of the program, by which the kernel knows it */
};

/*
 * Makes the event for a Go program of this machine's architecture. Events that a killed run left behind are
 * removed. Returns 0, or -1 with *e of exit code 3: no Go program, no rights, no tracefs (and how to mount it).
 */
int goprobe_place(struct goprobe *p, const char *path, struct error *e);
/* Once perf has ended. Returns 0 also where there is none, or -1 with *e, which says why it is still there. */
int goprobe_remove(struct goprobe *p, struct error *e);

#endif
