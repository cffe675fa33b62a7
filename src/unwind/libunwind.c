/*
 * libunwind over the dump, for code with .eh_frame_hdr of this machine's own
 * architecture. Debian's libunwind searches no .debug_frame, so Go code that is
 * not linked with C objects ends the stack.
 * Source: libunwind(3), unw_create_addr_space(3);
 * tools/perf/util/unwind-libunwind-local.c (remote tables).
 */
#include <gelf.h>
#include <libunwind.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cursor.h"
#include "process/elfcheck.h"
#include "unwind/code.h"

/* Exported by libunwind for remote unwinding, declared in none of its headers. */
#define dwarf_search_unwind_table UNW_OBJ(dwarf_search_unwind_table)
extern int dwarf_search_unwind_table(unw_addr_space_t as, unw_word_t ip, unw_dyn_info_t *di,
				     unw_proc_info_t *pi, int need_unwind_info, void *arg);

struct libunwind {
	unw_addr_space_t space;
	struct resolver *resolver;
	const struct unwind_input *in; /* of the walk under way */
};

/*
 * .eh_frame_hdr: version 1, then three encodings, the .eh_frame pointer, the
 * count, and the table of (location, FDE) pairs (LSB Core 10.6.2).
 */
struct frame_header {
	uint64_t vaddr, table, count;
};

static bool find_header(struct module *m, struct frame_header *h)
{
	enum { DW_EH_PE_udata4 = 3, DW_EH_PE_datarel_sdata4 = 0x3b };
	size_t nr, size;
	const char *raw = m->elf ? elf_rawfile(m->elf, &size) : NULL;

	if (!raw)
		return false;
	nr = elf_segments(m->elf);
	for (size_t i = 0; i < nr; i++) {
		GElf_Phdr ph;
		struct cursor c;
		const uint8_t *head;

		if (!gelf_getphdr(m->elf, (int)i, &ph) || ph.p_type != PT_GNU_EH_FRAME ||
		    ph.p_offset > size || ph.p_filesz > size - ph.p_offset)
			continue;
		c = cursor_make(raw + ph.p_offset, ph.p_filesz, ph.p_offset, false);
		head = cursor_take(&c, 4);
		cursor_u32(&c); /* the .eh_frame pointer, 4 bytes in every linker's output */
		h->count = cursor_u32(&c);
		h->vaddr = ph.p_vaddr;
		h->table = ph.p_vaddr + 12;
		return head && !c.failed && head[0] == 1 && head[2] == DW_EH_PE_udata4 &&
		       head[3] == DW_EH_PE_datarel_sdata4;
	}
	return false;
}

static int find_proc_info(unw_addr_space_t as, unw_word_t ip, unw_proc_info_t *pi, int need, void *arg)
{
	struct libunwind *l = arg;
	const struct resolved *at = resolve(l->resolver, l->in->image, ip, l->in->time);
	struct frame_header h;
	unw_dyn_info_t di = {0};
	uint64_t bias;

	if (!at->module || !module_open(session_modules(l->resolver->session), at->module) ||
	    !find_header(at->module, &h))
		return -UNW_ENOINFO;
	bias = ip - at->vaddr;
	di.format = UNW_INFO_FORMAT_REMOTE_TABLE;
	di.start_ip = 0;
	di.end_ip = UINT64_MAX;
	di.u.rti.segbase = h.vaddr + bias;
	di.u.rti.table_data = h.table + bias;
	di.u.rti.table_len = h.count * 8 / sizeof(unw_word_t);
	return dwarf_search_unwind_table(as, ip, &di, pi, need, arg);
}

/* Words of the dump, else of the binaries' read-only segments. */
static int access_mem(unw_addr_space_t as, unw_word_t addr, unw_word_t *value, int write, void *arg)
{
	struct libunwind *l = arg;
	const struct resolved *at;
	const char *raw;
	size_t size;

	(void)as;
	if (write)
		return -UNW_EINVAL;
	if (unwind_read_stack(l->in, addr, value))
		return 0;
	at = resolve(l->resolver, l->in->image, addr, l->in->time);
	raw = at->module && at->module->elf ? elf_rawfile(at->module->elf, &size) : NULL;
	for (size_t i = 0; raw && i < at->module->nr_segments; i++) {
		const struct module_segment *s = &at->module->segments[i];

		/* tables lie outside executable mappings: reach them by the module's bias */
		if (at->vaddr >= s->vaddr && at->vaddr - s->vaddr < s->filesz && s->offset <= size &&
		    at->vaddr - s->vaddr + 8 <= size - s->offset) {
			memcpy(value, raw + s->offset + (at->vaddr - s->vaddr), 8);
			return 0;
		}
	}
	return -UNW_EINVAL;
}

static int access_reg(unw_addr_space_t as, unw_regnum_t reg, unw_word_t *value, int write, void *arg)
{
	static const uint8_t x86[17] = {
		PERF_X86_AX, PERF_X86_DX, PERF_X86_CX, PERF_X86_BX, PERF_X86_SI, PERF_X86_DI,
		PERF_X86_BP, PERF_X86_SP, PERF_X86_R8, PERF_X86_R9, PERF_X86_R10, PERF_X86_R11,
		PERF_X86_R12, PERF_X86_R13, PERF_X86_R14, PERF_X86_R15, PERF_X86_IP,
	};
	struct libunwind *l = arg;
	bool arm = l->in->arch == PERF_ARCH_ARM64;

	(void)as;
	if (write || reg < 0 || reg > (arm ? 32 : 16))
		return -UNW_EBADREG;
	*value = l->in->regs[arm ? reg : x86[reg]];
	return 0;
}

static void put_unwind_info(unw_addr_space_t as, unw_proc_info_t *pi, void *arg)
{
	(void)as, (void)pi, (void)arg;
}

static int get_dyn_info(unw_addr_space_t as, unw_word_t *addr, void *arg)
{
	(void)as, (void)addr, (void)arg;
	return -UNW_ENOINFO;
}

static int access_fpreg(unw_addr_space_t as, unw_regnum_t reg, unw_fpreg_t *value, int write, void *arg)
{
	(void)as, (void)reg, (void)value, (void)write, (void)arg;
	return -UNW_EINVAL;
}

static int resume(unw_addr_space_t as, unw_cursor_t *cursor, void *arg)
{
	(void)as, (void)cursor, (void)arg;
	return -UNW_EINVAL;
}

static int get_proc_name(unw_addr_space_t as, unw_word_t addr, char *buf, size_t size, unw_word_t *off, void *arg)
{
	(void)as, (void)addr, (void)buf, (void)size, (void)off, (void)arg;
	return -UNW_EINVAL;
}

static unw_accessors_t accessors = {
	.find_proc_info = find_proc_info,
	.put_unwind_info = put_unwind_info,
	.get_dyn_info_list_addr = get_dyn_info,
	.access_mem = access_mem,
	.access_reg = access_reg,
	.access_fpreg = access_fpreg,
	.resume = resume,
	.get_proc_name = get_proc_name,
};

static bool native(enum perf_arch arch)
{
#if defined(__x86_64__)
	return arch == PERF_ARCH_X86_64;
#elif defined(__aarch64__)
	return arch == PERF_ARCH_ARM64;
#else
	(void)arch;
	return false;
#endif
}

static void unwind(void *state, const struct unwind_input *in, struct unwind_stack *out, size_t max)
{
	struct libunwind *l = state;
	unsigned pc_reg = in->arch == PERF_ARCH_ARM64 ? PERF_ARM64_PC : PERF_X86_IP;
	uint64_t pc = in->regs[pc_reg], sp = in->stack_base, last = 0;
	enum unwind_pc_kind kind = UNWIND_PC_EXACT;
	unw_cursor_t cursor;
	bool started;

	l->in = in;
	started = native(in->arch) && unw_init_remote(&cursor, l->space, l) == 0;
	out->end = started ? UNWIND_NO_CFI : UNWIND_NO_DATA;
	for (;;) {
		struct resolved *at;
		const struct code *c;
		int r;

		if (out->nr >= max) {
			out->end = UNWIND_MAX_DEPTH;
			return;
		}
		at = resolve(l->resolver, in->image, kind == UNWIND_PC_RETURN ? pc - 1 : pc, in->time);
		c = resolve_code(l->resolver, at);
		out->end_pc = pc;
		if (!at->module && kind == UNWIND_PC_RETURN) {
			out->end = UNWIND_NO_MAP;
			return;
		}
		frame_set(&out->frames[out->nr++], at, pc, kind, sp);
		if (!started)
			return;
		if (c->kind == CODE_GO && (c->role == GO_TOP || (c->role == GO_BOUNDARY && kind == UNWIND_PC_RETURN))) {
			out->end = c->role == GO_TOP ? UNWIND_ROOT : UNWIND_G0_BOUNDARY;
			return;
		}
		last = sp;
		r = unw_step(&cursor);
		if (r == 0 || (r > 0 && (unw_get_reg(&cursor, UNW_REG_IP, &pc) < 0 || !pc))) {
			/* where it knows nothing it follows frame pointers, and calls the last one the root */
			out->end = c->kind == CODE_GO ? UNWIND_NO_CFI : UNWIND_ROOT;
			return;
		}
		if (r < 0 || unw_get_reg(&cursor, UNW_REG_SP, &sp) < 0)
			return;
		kind = unw_is_signal_frame(&cursor) > 0 ? UNWIND_PC_EXACT : UNWIND_PC_RETURN;
		if (sp <= last) {
			out->end = UNWIND_BAD_MEMORY;
			return;
		}
	}
}

static void *create(struct session *s)
{
	struct libunwind *l = xcalloc(1, sizeof(*l));

	l->space = unw_create_addr_space(&accessors, 0);
	unw_set_caching_policy(l->space, UNW_CACHE_GLOBAL);
	l->resolver = resolver_new(s, false);
	return l;
}

static void destroy(void *state)
{
	struct libunwind *l = state;

	unw_destroy_addr_space(l->space);
	resolver_free(l->resolver);
	free(l);
}

const struct unwinder unwinder_libunwind = {
	.name = "libunwind",
	.help = "libunwind: code with .eh_frame_hdr, this machine's architecture",
	.create = create,
	.destroy = destroy,
	.unwind = unwind,
};
