/*
 * A binary: build-id, segments, debug link, Go tables, symbols, DWARF and call
 * frame information.
 */
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "process/symbol.h"
#include "unwind/code.h"

static void ask(struct modules *ms, struct module *m, struct strtab *strings, uint64_t vaddr)
{
	struct symbol symbols[32];

	symbolise(ms, m, vaddr, SYMBOL_INLINES | SYMBOL_LINES, NULL, strings, symbols, 32);
	code_at(ms, m, vaddr, false);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct module_options o = {.debug_dir = "/nonexistent", .buildid_dir = "/nonexistent"};
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	struct modules *ms = modules_new(&o);
	struct strtab strings;
	struct module *m;
	char path[32];

	strtab_init(&strings);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (fd >= 0 && write(fd, data, size) == (ssize_t)size) {
		m = modules_add(ms, path, 0, MODULE_FILE, NULL, 0);
		module_open(ms, m);
		for (size_t i = 0; i < m->nr_segments && i < 8; i++)
			for (uint64_t at = 0; at < 4; at++)
				ask(ms, m, &strings, m->segments[i].vaddr + at * (m->segments[i].memsz / 4));
		ask(ms, m, &strings, UINT64_MAX);
	}
	modules_free(ms);
	strtab_release(&strings);
	if (fd >= 0)
		close(fd);
	return 0;
}
