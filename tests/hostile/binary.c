#include "binary.h"

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"

/* Functions, inlined calls, a struct, a loop: something for each section of debug information. */
static const char source[] =
	"struct point { int x, y; };\n"
	"static inline __attribute__((always_inline)) int twice(int v) { return v * 2 + (v >> 3); }\n"
	"static inline __attribute__((always_inline)) int deep(int v) { int s = 0; for (int i = 0; i < v; i++) s += twice(i); return s; }\n"
	"__attribute__((noinline)) int leaf(struct point *p) { return deep(p->x) + twice(p->y); }\n"
	"__attribute__((noinline)) static int middle(int v) { struct point p = {v, v + 1}; volatile char room[64]; room[v & 63] = 1; return leaf(&p) + room[0]; }\n"
	"__attribute__((noinline, cold)) int rare(int v) { return middle(v) - 1; }\n"
	"void _start(void) { volatile int r = 0; for (;;) r += middle(r) + rare(3); }\n";

bool binary_compile(struct build *b, enum binary what)
{
	static const char *const flags[] = {"-s", "", "-gdwarf-4", "-gdwarf-5", "-gdwarf-4 -gz"};
	const char *cc = getenv("CC");
	char dir[] = "/tmp/hostileXXXXXX", *command, *path;
	struct file_map m;
	struct error e;
	bool ok;

	*b = (struct build){0};
	if (!mkdtemp(dir))
		return false;
	path = xasprintf("%s/a.out", dir);
	command = xasprintf("%s -x c -O2 -nostdlib -static -ffreestanding -fno-stack-protector -fasynchronous-unwind-tables "
			    "-fno-pie -no-pie -Wl,--build-id=none -Wl,-z,max-page-size=4096 %s -o %s - 2>/dev/null",
			    cc && *cc ? cc : "cc", flags[what], path);
	{
		FILE *f = popen(command, "w");

		ok = f && fputs(source, f) >= 0;
		ok = f && pclose(f) == 0 && ok;
	}
	if (ok && file_map_open(&m, path, &e) == 0) {
		put_bytes(b, m.data, m.size);
		file_map_close(&m);
	} else {
		ok = false;
	}
	unlink(path);
	rmdir(dir);
	free(command);
	free(path);
	return ok;
}

bool binary_recording(struct build *b, const struct build *elf, const char *path)
{
	const Elf64_Ehdr *eh = (const void *)elf->data;

	for (unsigned i = 0; i < eh->e_phnum; i++) {
		const Elf64_Phdr *ph = (const void *)(elf->data + eh->e_phoff + i * sizeof(*ph));
		uint64_t offsets[48], start = ph->p_offset & ~UINT64_C(4095);
		size_t nr = sizeof(offsets) / sizeof(*offsets);

		if (ph->p_type != PT_LOAD || !(ph->p_flags & PF_X))
			continue;
		for (size_t k = 0; k < nr; k++)
			offsets[k] = ph->p_offset - start + k * ph->p_filesz / nr + k % 5;
		recording_of(b, path, start, (ph->p_offset - start + ph->p_filesz + 4095) & ~UINT64_C(4095), offsets, nr);
		return true;
	}
	return false;
}
