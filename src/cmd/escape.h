/*
 * Names from files inside other languages: whatever bytes they hold, they end
 * neither a cell nor an element. Control bytes, invalid UTF-8 and characters
 * that turn the direction of text are replaced or spelled out.
 */
#ifndef CMD_ESCAPE_H
#define CMD_ESCAPE_H

#include <stddef.h>
#include <stdio.h>

/*
 * A Markdown code span that may stand in a table of GitHub's or GitLab's: no
 * markup, mentions or links come to be in it. '|', which ends a cell even there
 * (GFM 0.29, tables), is written as U+2502. At most max characters, the middle
 * left out; 0: all.
 */
void put_markdown_code(FILE *f, const char *s, size_t max);

/* Text of XML 1.0 and HTML, also between double quotes of an attribute. At most max characters; 0: all. */
void put_xml(FILE *f, const char *s, size_t max);

#endif
