/*
 * Fetching Go's profile and execution trace of the next seconds from a
 * program's /debug/pprof endpoints (net/http/pprof). Several at a time, in the
 * caller's own loop; nothing here blocks.
 */
#ifndef CMD_FETCH_H
#define CMD_FETCH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

enum fetch_state {
	FETCH_WAITING, /* not connected: nothing listens yet */
	FETCH_RUNNING,
	FETCH_DONE,    /* the file is there */
	FETCH_FAILED,  /* error says why */
};

struct fetch;
struct fetch_set; /* those under way at the same time */

struct fetch_set *fetch_set_new(void);
void fetch_set_free(struct fetch_set *s); /* and all its fetches */

/*
 * Whether text is a URL and not a file name.
 */
bool fetch_is_url(const char *text);

/*
 * Begins to fetch BASE/debug/pprof/WHAT?seconds=SECONDS into the file path,
 * which comes into being whole or not at all. base: http or https, with or
 * without the /debug/pprof. With `wait` a refused connection is tried again
 * until fetch_give_up(). The fetch belongs to the set. NULL with *e.
 */
struct fetch *fetch_start(struct fetch_set *s, const char *base, const char *what, size_t seconds,
			  const char *path, bool wait, struct error *e);

enum fetch_state fetch_state(const struct fetch *f);
const struct error *fetch_error(const struct fetch *f);

/* Moves all on; waits at most `milliseconds` for something to happen, there or on fd. */
void fetch_poll(struct fetch_set *s, int fd, int milliseconds);

/*
 * Ends the seconds early: closes our half of the connection. Go's server takes
 * that for the end of the request, stops the profile and still sends what it
 * has (net/http connReader.backgroundRead; net/http/pprof sleep).
 */
void fetch_cut_short(struct fetch *f);
/* Fails what has not connected, or has not come in, saying why. */
void fetch_give_up(struct fetch *f, const char *why);

#endif
