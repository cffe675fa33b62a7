/*
 * Libraries that few runs need, opened when they are first called: the loader needs 7 ms for libcurl and the
 * thirty libraries behind it, as long as a small recording takes. Types come from the library's header.
 */
#ifndef BASE_LIBRARY_H
#define BASE_LIBRARY_H

#include <stdbool.h>
#include <stddef.h>

struct library_call {
	const char *name;
	void *at; /* of a pointer to a function, which is filled */
};

/*
 * Opens it for good and finds the calls. NULL, or why that cannot be (the loader's text, valid until its
 * next error).
 */
const char *library_open(const char *soname, const struct library_call *calls, size_t nr);

/* For a list of calls, X(curl_easy_init) …: pointers of these names in a struct. */
#define LIBRARY_POINTER(name) __typeof__(&name) name;

#endif
