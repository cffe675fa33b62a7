/*
 * Text files of symbols: an even first byte makes the rest a kallsyms, an odd one a perf-PID.map.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "process/symtab.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct symtab t = {0};
	size_t sum = 0;
	char path[32];
	int fd;

	if (size < 1)
		return 0;
	fd = memfd_create("fuzz", MFD_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (fd < 0 || write(fd, data + 1, size - 1) != (ssize_t)(size - 1))
		abort();
	if (data[0] & 1) {
		symtab_add_jitmap(&t, path);
	} else {
		uint64_t ref = symtab_add_kallsyms(&t, path, "_text");

		if (ref && data[0] & 2)
			symtab_shift(&t, UINT64_C(0xffffffff81000000) - ref);
	}
	symtab_finish(&t);
	for (size_t i = 0; i < t.nr; i++) {
		const struct symtab_entry *e = &t.entries[i], *found = symtab_find(&t, e->start);

		if (i && e[-1].start >= e->start)
			abort();
		if (e->end > e->start && (!found || found->start > e->start))
			abort();
		sum += strlen(e->name);
	}
	if (sum > size) /* names are borrowed from the text, each once */
		abort();
	symtab_find(&t, 0);
	symtab_find(&t, UINT64_MAX);
	symtab_release(&t);
	close(fd);
	return 0;
}
