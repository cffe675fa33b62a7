/*
 * What a run cost, for --verbose: on stderr, after what it is about.
 */
#ifndef CMD_COST_H
#define CMD_COST_H

#include "cmd/input.h"

/* The moment from which the total is counted. */
void cost_start(void);
/* Stages of reading a recording; also makes cost_total say something. */
void cost_input(const struct input *in);
/* Time, processor time and memory of the whole process. */
void cost_total(void);

#endif
