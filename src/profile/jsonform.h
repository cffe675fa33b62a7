/*
 * The profile as one JSON document (convert -f json), for scripts: functions once, stacks as lists of
 * indexes into them. Schema "perfskew.profile.v1":
 *   {"schema", "tool", "name",
 *    "types": [{"type", "unit", "total"}], "default": index of the type shown where one is,
 *    "frames": [{"name", "dso", "file", "line", "kind": "user|kernel|label", "inlined": bool}],
 *    "stacks": [{"frames": [index, root first], "values": [one per type], "labels": {key: [value]}}],
 *    "damage": [{"what", "offset", "count"}]}
 * "line" is where the function starts; unknown values are null; "labels" only where there are any.
 */
#ifndef PROFILE_JSONFORM_H
#define PROFILE_JSONFORM_H

#include <stdio.h>

#include "profile/profile.h"

struct jsonform_write_options {
	const char *tool, *name; /* program and version; the input's name */
	size_t series;		 /* "default" */
	const struct damage *damage;
};
/* Same contents, same bytes. 0 or -1 with *e (exit 5). */
int jsonform_write(const struct profile *p, FILE *f, const struct jsonform_write_options *opts, struct error *e);

#endif
