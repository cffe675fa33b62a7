/*
 * Markdown that fits into a comment on GitHub (65,536 characters): rows go in
 * while there is room.
 */
#ifndef CMD_COMMENT_H
#define CMD_COMMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Bytes of rows. What follows them, and what else is in the comment, is the caller's. */
#define COMMENT_MAX 60000
/* Characters of a name from a file; longer ones lose their middle. */
#define COMMENT_NAME 100

struct comment {
	FILE *f;   /* the output; borrowed */
	FILE *row; /* where the next row is written */
	char *text;
	size_t size, used;
};

/* False without memory. */
bool comment_start(struct comment *c, FILE *f);
/* Writes the row out and begins the next one; false, with the row dropped, where it does not fit. */
bool comment_take(struct comment *c);
void comment_end(struct comment *c);

#endif
