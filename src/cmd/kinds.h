/*
 * Frames to the kinds that pictures colour by: application, standard library,
 * the runtime's parts, native code, kernel. One row per kind of runtime work.
 */
#ifndef CMD_KINDS_H
#define CMD_KINDS_H

#include <stdint.h>

#include "profile/profile.h"
#include "render.h"

/* enum render_kind per frame of the profile; the caller frees the array. */
uint8_t *kinds_of_frames(const struct profile *p);

#endif
