/*
 * Input files: mapped read-only when regular, and safe against a file that
 * shrinks while it is read.
 *
 * A mapping of a file that another process truncates raises SIGBUS. The guard
 * installed here replaces the missing pages by zeros and remembers the fact,
 * so that a reader sees zero bytes (record size 0: damage) instead of dying.
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct file_map {
	const uint8_t *data; /* NULL when size is 0 */
	size_t size;
	size_t span; /* bytes mapped in all */
	int slot;    /* of the SIGBUS guard */
};

/*
 * Maps a regular file. Opens with O_NONBLOCK and refuses anything that is not
 * a regular file (FIFO, device, directory), so a hostile path cannot block.
 * Returns 0, or -1 with *e of exit code 3.
 */
int file_map_open(struct file_map *m, const char *path, struct error *e);
/*
 * The same, but writes to the memory are allowed and stay private: libelf writes
 * into section headers of an image it was given (elf_memory, elf_compress). At least a
 * page of zeros follows the last byte: libdw takes strings in DIEs for ended.
 */
int file_map_open_private(struct file_map *m, const char *path, struct error *e);
/* Whether the file shrank under the mapping since it was opened. */
bool file_map_shrank(const struct file_map *m);
/*
 * Gives back the pages of one of so many equal parts; they may be read again. For threads to
 * share the work of unmapping a large file, which would hold up the end of a run.
 */
void file_map_forget(const struct file_map *m, size_t part, size_t parts);
void file_map_close(struct file_map *m);
/* Maps the regular file behind a descriptor, which may be closed afterwards; path is for messages. */
int file_map_descriptor(struct file_map *m, int fd, const char *path, struct error *e);

/* Opens a regular file read-only with O_NONBLOCK|O_CLOEXEC; -1 with errno (EINVAL: not a regular file). */
int file_open_regular(const char *path);
/* A temporary file without a name, to write and read; -1 with errno. */
int file_temporary(void);

/*
 * Who opens files where this process may not (EACCES): set before threads start, NULL for nobody.
 * Both answer with a descriptor, or -1 with errno.
 */
struct file_opener {
	int (*open_regular)(const char *path);
	int (*temporary)(void);
};
void file_set_opener(const struct file_opener *opener);

#endif
