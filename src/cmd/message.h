/*
 * What the program says: errors and notes on stderr, text on terminals. Nothing
 * from a file reaches a terminal with its control bytes.
 */
#ifndef CMD_MESSAGE_H
#define CMD_MESSAGE_H

#include <stdio.h>

#include "base/damage.h"
#include "base/error.h"
#include "cmd/options.h"

/* "perfskew: TEXT" on stderr, control bytes and invalid UTF-8 escaped as \xNN. */
void message(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* The same, not with --quiet. */
void note(const struct common_options *o, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* Prints the error and returns its exit code. */
int fail(const struct error *e);

/* One line per kind of damage; returns the exit code (0 or 4). */
int report_damage(const char *path, const struct damage *d);

/* Writes s with control bytes and invalid UTF-8 as \xNN; returns the columns used. */
size_t put_safe(FILE *f, const char *s);

/* Words up to the 100th column, from this column on; further lines indented. Ends the line. */
void put_wrapped(FILE *f, int column, int indent, const char *text);

/* The text as it is, but line by line through put_safe() where f is a terminal. */
void put_text(FILE *f, const char *text, size_t size);

/*
 * A quantity for people, into buf: nanoseconds as s/ms/µs, bytes as KiB …,
 * counts with separators. Returns buf.
 */
const char *format_value(char *buf, size_t size, double value, const char *unit);

#endif
