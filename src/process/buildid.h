/*
 * Build-ids in ELF notes. Private to process/; what others use is in module.h.
 */
#ifndef PROCESS_BUILDID_H
#define PROCESS_BUILDID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The GNU build-id among notes (gABI: namesz, descsz, type, then name and desc
 * padded to `align`) into id; returns its size in bytes, 0 without one. swap: the
 * notes are of the other byte order.
 */
size_t build_id_in_notes(const void *notes, size_t size, size_t align, bool swap, uint8_t id[20]);

#endif
