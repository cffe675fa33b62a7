/*
 * What the running kernel brings along: good for a recording of this machine's
 * present boot only, so each is checked by build-id. Private to process/.
 */
#ifndef PROCESS_LOCAL_H
#define PROCESS_LOCAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A copy of the vdso of this process, malloc'ed, or NULL; *size in bytes. */
void *local_vdso(size_t *size);
/* The build-id of the running kernel (/sys/kernel/notes); returns its size, 0 if it cannot be told. */
size_t local_kernel_build_id(uint8_t id[20]);

#endif
