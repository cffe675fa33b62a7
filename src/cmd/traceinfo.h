/*
 * What `info` says of Go's execution traces.
 */
#ifndef CMD_TRACEINFO_H
#define CMD_TRACEINFO_H

#include <stdio.h>

#include "collect/collect.h"
#include "cmd/json.h"
#include "trace/trace.h"

/* The trace itself: version, events, goroutines, threads, pauses. */
void traceinfo_text(FILE *f, const struct trace *t);
void traceinfo_json(struct json_object *doc, const struct trace *t);
/* What it was good for beside a recording. */
void traceinfo_used_text(FILE *f, const struct collect *c);
void traceinfo_used_json(struct json_object *doc, const struct collect *c);

/*
 * Writes "created by main.main in goroutine 1" where that is known; returns whether anything was written.
 */
bool traceinfo_created_by(FILE *f, const struct trace *t, const struct trace_goroutine *g);
/* A goroutine's own keys: goid, state, parent, created_by, label, created, ended, times in its states. */
void traceinfo_goroutine_json(struct json_object *row, const struct trace *t, const struct trace_goroutine *g);

#endif
