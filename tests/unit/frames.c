#include "frames.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "process/gotab.h"

#define MAX_FRAMES 64
#define MAX_FIELDS (2 + 3 * MAX_FRAMES)

/* runtime.funcNameForPrint (1.21): type arguments become "[...]". */
static void name_for_print(const struct gotab *t, const char *name, char *out, size_t size)
{
	const char *open = strchr(name, '['), *close = strrchr(name, ']');

	if (gotab_go_minor(t) >= 21 && open && close && close > open)
		snprintf(out, size, "%.*s[...]%s", (int)(open - name), name, close + 1);
	else
		snprintf(out, size, "%s", name);
}

/*
 * What runtime_expandFinalInlineFrame leaves out: wrappers, unless a panic goes
 * on in them (elideWrapperCalling); up to 1.20 never the function itself.
 */
static bool hidden(const struct gotab *t, const struct gotab_inline *frames, size_t i, size_t n)
{
	const char *callee = i ? frames[i - 1].name : "";

	if (n == 1 || !frames[i].wrapper || (i == n - 1 && gotab_go_minor(t) <= 20))
		return false;
	return strcmp(callee, "runtime.gopanic") != 0 && strcmp(callee, "runtime.sigpanic") != 0 &&
	       strcmp(callee, "runtime.panicwrap") != 0;
}

/*
 * The runtime has no name for the function whose name comes first in the table
 * (offset 0), and says "?" for the file of the padding after a function.
 */
static bool same_frame(const struct gotab *t, const struct gotab_inline *f, char *const *field)
{
	char name[4096];

	name_for_print(t, f->name, name, sizeof(name));
	return (!strcmp(name, field[0]) || !*field[0]) && !strcmp(f->file[0] ? f->file : "?", field[1]) &&
	       f->line == strtol(field[2], NULL, 10);
}

static bool same_frames(const struct gotab *t, struct gotab_walks *walks, uint64_t pc, uint64_t entry, char *const *field,
			size_t nr, struct frames_result *r)
{
	struct gotab_inline frames[MAX_FRAMES];
	struct gotab_func f;
	size_t n = 0, at = 0;

	if (gotab_find(t, pc, &f) && f.entry == entry)
		n = gotab_frames(t, &f, pc, GOTAB_FILES | GOTAB_LINES, walks, frames, MAX_FRAMES);
	if (!n)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (hidden(t, frames, i, n))
			continue;
		if (at + 3 > nr || !same_frame(t, &frames[i], field + at))
			return false;
		at += 3;
		r->frames++;
		r->inlined += frames[i].inlined;
	}
	return at == nr;
}

static size_t split(char *line, char **field)
{
	size_t n = 0;

	line[strcspn(line, "\n")] = '\0';
	while (n < MAX_FIELDS) {
		field[n++] = line;
		line = strchr(line, '\t');
		if (!line)
			break;
		*line++ = '\0';
	}
	return n;
}

static void compare(const struct gotab *t, FILE *in, struct frames_result *r)
{
	struct gotab_walks *walks = gotab_walks_new();
	char *line = NULL, *copy, *field[MAX_FIELDS];
	uint64_t last = UINT64_MAX;
	size_t size = 0;

	while (getline(&line, &size, in) > 0) {
		uint64_t pc, entry;
		size_t n;

		copy = strdup(line);
		n = split(line, field);
		pc = strtoull(field[0], NULL, 16);
		entry = n > 1 ? strtoull(field[1], NULL, 16) : 0;
		r->addresses++;
		r->functions += entry != last;
		last = entry;
		if (!same_frames(t, walks, pc, entry, field + 2, n > 2 ? n - 2 : 0, r) && !r->wrong++) {
			struct gotab_inline frames[MAX_FRAMES];
			size_t at = (size_t)snprintf(r->first, sizeof(r->first), "%.512s  read:", copy);

			n = gotab_inline(t, pc, frames, MAX_FRAMES);
			for (size_t i = 0; i < n && at < sizeof(r->first); i++)
				at += (size_t)snprintf(r->first + at, sizeof(r->first) - at, "\t%s\t%s\t%d",
						       frames[i].name, frames[i].file, frames[i].line);
		}
		free(copy);
	}
	gotab_walks_free(walks);
	free(line);
}

bool frames_compare(const char *binary, unsigned step, struct frames_result *r)
{
	int fd = open(binary, O_RDONLY | O_CLOEXEC);
	Elf *elf = fd < 0 || elf_version(EV_CURRENT) == EV_NONE ? NULL : elf_begin(fd, ELF_C_READ_MMAP, NULL);
	struct error e = {0};
	struct gotab *t = elf ? gotab_open(elf, &e) : NULL;
	struct gotab_func f;
	char command[4200];
	uint64_t start, end;
	FILE *in;
	bool ok = false;

	*r = (struct frames_result){0};
	snprintf(r->first, sizeof(r->first), "%.256s: no table: %.256s", binary, e.text);
	if (t && gotab_func_by_name(t, "main.main", &f)) {
		gotab_text(t, &start, &end);
		snprintf(command, sizeof(command), "%s %" PRIx64 " %" PRIx64 " %" PRIx64 " %u", binary, f.entry, start,
			 end, step);
		in = popen(command, "r");
		if (in) {
			compare(t, in, r);
			ok = pclose(in) == 0 && r->addresses;
		}
	}
	gotab_free(t);
	elf_end(elf);
	if (fd >= 0)
		close(fd);
	return ok;
}
