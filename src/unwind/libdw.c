/*
 * elfutils' own walk over one kept Dwfl per process image: the independent
 * reference the tables are checked against.
 * Source: elfutils libdwfl.h (dwfl_attach_state, dwfl_getthread_frames);
 * tools/perf/util/unwind-libdw.c for the callbacks.
 */
#include <elfutils/libdwfl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/hash.h"
#include "unwind/code.h"

struct libdw_image {
	Dwfl *dwfl;
	const struct image *image;
};

struct libdw {
	struct session *session;
	struct resolver *resolver;
	struct map64 index; /* image index → images */
	struct libdw_image *images;
	size_t nr, alloc;
	/* of the walk under way */
	const struct unwind_input *in;
	struct unwind_stack *out;
	size_t max;
	Dwfl *dwfl;
};

/* Every file is reported by us, with its debug file found by module.c: libdwfl looks for nothing. */
static int find_elf(Dwfl_Module *mod, void **user, const char *name, Dwarf_Addr base, char **file, Elf **elf)
{
	(void)mod, (void)user, (void)name, (void)base, (void)file, (void)elf;
	return -1;
}

static int find_debuginfo(Dwfl_Module *mod, void **user, const char *name, Dwarf_Addr base, const char *file,
			  const char *link, GElf_Word crc, char **debug)
{
	(void)mod, (void)user, (void)name, (void)base, (void)file, (void)link, (void)crc, (void)debug;
	return -1;
}

static const Dwfl_Callbacks callbacks = {.find_elf = find_elf, .find_debuginfo = find_debuginfo};

/*
 * What libdwfl reads the module from: its file, or for the vdso, which is in none, a copy of its image.
 * Never of a file's image: who reads symbols inflates sections in it. -1 when that is not to be had.
 */
static int module_fd(const struct module *m)
{
	size_t size;
	const char *raw;
	int fd;

	if (m->kind != MODULE_VDSO)
		return file_open_regular(m->file);
	raw = elf_rawfile(m->elf, &size);
	fd = raw ? memfd_create("vdso", MFD_CLOEXEC) : -1;

	if (fd >= 0 && write(fd, raw, size) != (ssize_t)size) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Reports the module that covers pc, if it is not known yet. */
static void report(struct libdw *l, uint64_t pc)
{
	const struct resolved *at = resolve(l->resolver, l->in->image, pc, l->in->time);
	uint64_t first;
	int fd;

	if (!at->module || !at->module->elf || !at->module->nr_segments || !at->module->file ||
	    dwfl_addrmodule(l->dwfl, pc))
		return;
	fd = module_fd(at->module);
	if (fd < 0)
		return;
	first = at->module->segments[0].vaddr & ~UINT64_C(4095);
	dwfl_report_begin_add(l->dwfl);
	dwfl_report_elf(l->dwfl, at->module->name, at->module->file, fd, pc - at->vaddr + first, false);
	dwfl_report_end(l->dwfl, NULL, NULL);
}

static pid_t next_thread(Dwfl *dwfl, void *arg, void **thread_arg)
{
	(void)dwfl;
	if (*thread_arg)
		return 0;
	*thread_arg = arg;
	return 1;
}

static bool get_thread(Dwfl *dwfl, pid_t tid, void *arg, void **thread_arg)
{
	(void)dwfl, (void)tid;
	*thread_arg = arg;
	return true;
}

static bool memory_read(Dwfl *dwfl, Dwarf_Addr addr, Dwarf_Word *value, void *arg)
{
	struct libdw *l = arg;

	(void)dwfl;
	return unwind_read_stack(l->in, addr, value);
}

static bool set_registers(Dwfl_Thread *thread, void *arg)
{
	static const uint8_t x86[17] = {
		PERF_X86_AX, PERF_X86_DX, PERF_X86_CX, PERF_X86_BX, PERF_X86_SI, PERF_X86_DI,
		PERF_X86_BP, PERF_X86_SP, PERF_X86_R8, PERF_X86_R9, PERF_X86_R10, PERF_X86_R11,
		PERF_X86_R12, PERF_X86_R13, PERF_X86_R14, PERF_X86_R15, PERF_X86_IP,
	};
	struct libdw *l = arg;
	Dwarf_Word regs[32];

	if (l->in->arch == PERF_ARCH_ARM64) {
		for (int i = 0; i < 32; i++)
			regs[i] = l->in->regs[i];
		dwfl_thread_state_register_pc(thread, l->in->regs[PERF_ARM64_PC]);
		return dwfl_thread_state_registers(thread, 0, 32, regs);
	}
	for (int i = 0; i < 17; i++)
		regs[i] = l->in->regs[x86[i]];
	return dwfl_thread_state_registers(thread, 0, 17, regs);
}

static const Dwfl_Thread_Callbacks thread_callbacks = {
	.next_thread = next_thread,
	.get_thread = get_thread,
	.memory_read = memory_read,
	.set_initial_registers = set_registers,
};

/*
 * Past goexit and the like, and past the switch to the system stack, there is nothing: Go's CFI does not
 * say so on amd64. Nor does it know whether a call of the vdso has switched.
 */
static bool is_end(enum go_role role, bool exact, enum unwind_end *end)
{
	if (role == GO_TOP || role == GO_SIGTRAMP) {
		*end = UNWIND_ROOT;
		return true;
	}
	if ((role == GO_BOUNDARY || role == GO_VDSO_CALL) && !exact) {
		*end = UNWIND_G0_BOUNDARY;
		return true;
	}
	return false;
}

static int on_frame(Dwfl_Frame *state, void *arg)
{
	struct libdw *l = arg;
	Dwarf_Addr pc;
	bool exact;
	struct resolved *at;
	enum unwind_pc_kind kind;

	if (!dwfl_frame_pc(state, &pc, &exact))
		return DWARF_CB_ABORT;
	kind = exact ? UNWIND_PC_EXACT : UNWIND_PC_RETURN;
	if (l->out->nr >= l->max) {
		l->out->end = UNWIND_MAX_DEPTH;
		return DWARF_CB_ABORT;
	}
	l->out->end_pc = pc;
	at = resolve(l->resolver, l->in->image, exact ? pc : pc - 1, l->in->time);
	resolve_code(l->resolver, at);
	if (!at->module && !exact) {
		l->out->end = UNWIND_NO_MAP;
		return DWARF_CB_ABORT;
	}
	report(l, exact ? pc : pc - 1);
	frame_set(&l->out->frames[l->out->nr++], at, pc, kind, 0);
	if (at->code->kind == CODE_GO && is_end(at->code->role, exact, &l->out->end))
		return DWARF_CB_ABORT;
	return DWARF_CB_OK;
}

static Dwfl *dwfl_of(struct libdw *l, const struct image *im)
{
	uint32_t i = map64_get(&l->index, image_index(im));

	if (i == MAP64_NONE) {
		ALLOC_GROW(l->images, l->nr + 1, l->alloc);
		i = (uint32_t)l->nr++;
		l->images[i] = (struct libdw_image){dwfl_begin(&callbacks), im};
		map64_put(&l->index, image_index(im), i);
	}
	return l->images[i].dwfl;
}

static void unwind(void *state, const struct unwind_input *in, struct unwind_stack *out, size_t max)
{
	struct libdw *l = state;
	unsigned pc_reg = in->arch == PERF_ARCH_ARM64 ? PERF_ARM64_PC : PERF_X86_IP;
	size_t before = out->nr;

	l->in = in;
	l->out = out;
	l->max = max;
	l->dwfl = dwfl_of(l, in->image);
	out->end = UNWIND_BAD_MEMORY;
	report(l, in->regs[pc_reg]);
	if (dwfl_pid(l->dwfl) < 0) /* not attached yet */
		dwfl_attach_state(l->dwfl, NULL, (pid_t)image_pid(in->image), &thread_callbacks, l);
	if (dwfl_getthread_frames(l->dwfl, 1, on_frame, l) == 0 && out->end == UNWIND_BAD_MEMORY)
		out->end = UNWIND_ROOT;
	if (out->nr == before) { /* the leaf is known in any case */
		struct resolved *at = resolve(l->resolver, in->image, in->regs[pc_reg], in->time);

		resolve_code(l->resolver, at);
		frame_set(&out->frames[out->nr++], at, in->regs[pc_reg], UNWIND_PC_EXACT, in->stack_base);
		out->end = at->module ? UNWIND_NO_CFI : UNWIND_NO_MAP;
	}
}

static void *create(struct session *s)
{
	struct libdw *l = xcalloc(1, sizeof(*l));

	l->session = s;
	l->resolver = resolver_new(s, false);
	return l;
}

static void destroy(void *state)
{
	struct libdw *l = state;

	for (size_t i = 0; i < l->nr; i++)
		dwfl_end(l->images[i].dwfl);
	map64_release(&l->index);
	free(l->images);
	resolver_free(l->resolver);
	free(l);
}

const struct unwinder unwinder_libdw = {
	.name = "libdw",
	.help = "elfutils' own walk, the slow reference",
	.create = create,
	.destroy = destroy,
	.unwind = unwind,
};
