#include "process/local.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "process/buildid.h"

/* Two to four pages in every kernel so far. */
#define VDSO_MAX ((size_t)1 << 20)

/* proc(5): "7ffd1c5f0000-7ffd1c5f2000 r-xp 00000000 00:00 0   [vdso]" */
void *local_vdso(size_t *size)
{
	FILE *f = fopen("/proc/self/maps", "re");
	char line[512];
	void *copy = NULL;

	while (f && !copy && fgets(line, sizeof(line), f)) {
		uintptr_t start, end;

		if (!strstr(line, " [vdso]") ||
		    sscanf(line, "%" SCNxPTR "-%" SCNxPTR, &start, &end) != 2 || end <= start ||
		    end - start > VDSO_MAX)
			continue;
		*size = end - start;
		copy = xmemdup((const void *)start, *size);
	}
	if (f)
		fclose(f);
	return copy;
}

size_t local_kernel_build_id(uint8_t id[20])
{
	uint8_t notes[4096];
	int fd = open("/sys/kernel/notes", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, notes, sizeof(notes));

	if (fd >= 0)
		close(fd);
	return n > 0 ? build_id_in_notes(notes, (size_t)n, 4, false, id) : 0;
}
