/*
 * Errors that a caller must handle, and the exit codes of the command line.
 *
 * A function that can fail takes a `struct error *` as its last argument and
 * returns -1 (or NULL) after filling it. Only cmd/ prints.
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

/* Exit codes: part of the command line's contract, see man/perfskew.1. */
enum exit_code {
	EXIT_CODE_OK = 0,
	EXIT_CODE_THRESHOLD = 1, /* check: a threshold was exceeded */
	EXIT_CODE_USAGE = 2,
	EXIT_CODE_INPUT = 3,	 /* input unusable: nothing written */
	EXIT_CODE_DAMAGED = 4,	 /* input damaged: what could be read was written */
	EXIT_CODE_OUTPUT = 5,	 /* output could not be written */
	EXIT_CODE_LIMIT = 6,	 /* a limit was hit (memory, size) */
};

struct error {
	enum exit_code code;
	char text[1024]; /* "FILE: what, where", no newline; may hold file names */
};

/* Fills *e (text cut to fit, never overrun) and returns -1. */
int error_set(struct error *e, enum exit_code code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
