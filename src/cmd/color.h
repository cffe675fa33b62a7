/*
 * Colour of tables on a terminal. --color beats NO_COLOR (no-color.org) beats what the output is.
 */
#ifndef CMD_COLOR_H
#define CMD_COLOR_H

#include <stdbool.h>
#include <stdio.h>

#include "cmd/options.h"

enum color { COLOR_PLAIN, COLOR_HEAD, COLOR_GOOD, COLOR_BAD };

bool color_wanted(const struct common_options *o, FILE *f);
/* The sequence that starts a colour, "" where none is wanted; COLOR_PLAIN ends it. */
const char *color_start(bool wanted, enum color c);
/* perf report's own: red from 5 % on, green from 0.5 % on. */
enum color color_of_percent(double percent);

#endif
