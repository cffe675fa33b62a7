#include "dump.h"

#include <dwarf.h>
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "base/alloc.h"
#include "suite.h"

/* --- a binary of one code segment and one section of call frame information -------------------- */

static void put_section(struct build *b, const struct binary *bin)
{
	uLongf n = compressBound(bin->size);
	uint8_t *z;

	if (!bin->compressed) {
		put_bytes(b, bin->frames, bin->size);
		return;
	}
	put32(b, ELFCOMPRESS_ZLIB);
	put32(b, 0);
	put64(b, bin->size);
	put64(b, 8);
	z = xmalloc(n);
	CU_ASSERT_EQUAL_FATAL(compress(z, &n, bin->frames, bin->size), Z_OK);
	put_bytes(b, z, n);
	free(z);
}

static void put_aligned(struct build *b)
{
	while (b->nr % 8)
		put8(b, 0);
}

static void make_binary(struct build *b, const struct binary *bin)
{
	Elf64_Ehdr eh = {
		.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
		.e_type = ET_EXEC, .e_machine = bin->machine, .e_version = EV_CURRENT, .e_phoff = sizeof(eh),
		.e_ehsize = sizeof(eh), .e_phentsize = sizeof(Elf64_Phdr), .e_phnum = 1,
		.e_shentsize = sizeof(Elf64_Shdr), .e_shnum = 3, .e_shstrndx = 1,
	};
	const Elf64_Phdr ph = {.p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_offset = 0x1000, .p_vaddr = TEXT,
			       .p_filesz = TEXT_SIZE, .p_memsz = TEXT_SIZE, .p_align = 4096};
	Elf64_Shdr sh[3] = {{0}};
	size_t names;

	put_bytes(b, &eh, sizeof(eh));
	put_bytes(b, &ph, sizeof(ph));
	put_bytes(b, NULL, 0x2000 - b->nr);
	names = b->nr;
	put8(b, 0);
	put_str(b, bin->section, strlen(bin->section) + 1);
	put_aligned(b);
	sh[1] = (Elf64_Shdr){.sh_type = SHT_STRTAB, .sh_offset = names, .sh_size = b->nr - names};
	sh[2] = (Elf64_Shdr){.sh_name = 1, .sh_type = SHT_PROGBITS, .sh_offset = b->nr,
			     .sh_addr = ELF_BASE + 0x2000, .sh_addralign = 8,
			     .sh_flags = bin->compressed ? SHF_COMPRESSED : strcmp(bin->section, ".eh_frame") ? 0 : SHF_ALLOC};
	put_section(b, bin);
	sh[2].sh_size = b->nr - sh[2].sh_offset;
	put_aligned(b);
	eh.e_shoff = b->nr;
	put_bytes(b, sh, sizeof(sh));
	memcpy(b->data, &eh, sizeof(eh));
}

/* --- entries of .eh_frame and .debug_frame (DWARF 5 section 6.4.1, LSB 10.6) --------------------- */

static void patch_length(struct build *b, size_t at)
{
	uint32_t n;

	while ((b->nr - at) % 8 != 4)
		put8(b, DW_CFA_nop);
	n = (uint32_t)(b->nr - at - 4);
	memcpy(b->data + at, &n, 4);
}

/* x86-64: return address in column 16, CFA = rsp + 8, RA at CFA - 8. arm64: column 30, CFA = sp. */
void put_cie(struct entries *e, bool arm, bool signal)
{
	static const uint8_t x86[] = {DW_CFA_def_cfa, RSP, 8, DW_CFA_offset | RIP, 1};
	static const uint8_t arm64[] = {DW_CFA_def_cfa, 31, 0};
	struct build *b = &e->b;
	size_t at = b->nr;

	e->cie = (uint32_t)at;
	put32(b, 0);
	put32(b, e->debug ? UINT32_MAX : 0);
	put8(b, e->debug ? 4 : 1);
	put_str(b, signal ? "zRS" : "", signal ? 4 : 1);
	if (e->debug) { /* address and segment selector size */
		put8(b, 8);
		put8(b, 0);
	}
	put8(b, 1);
	put8(b, 0x78); /* -8 */
	put8(b, arm ? 30 : RIP);
	if (signal) {
		put8(b, 1);
		put8(b, DW_EH_PE_absptr);
	}
	put_bytes(b, arm ? arm64 : x86, arm ? sizeof(arm64) : sizeof(x86));
	patch_length(b, at);
}

void put_fde(struct entries *e, int func, bool augmented, const uint8_t *program, size_t n)
{
	struct build *b = &e->b;
	size_t at = b->nr;

	put32(b, 0);
	put32(b, e->debug ? e->cie : (uint32_t)(at + 4 - e->cie));
	put64(b, FUNC(func));
	put64(b, 0x100);
	if (augmented)
		put8(b, 0);
	put_bytes(b, program, n);
	patch_length(b, at);
}

/* --- the process ------------------------------------------------------------------------------- */

void dump_open(struct world *w, const char *path, uint64_t addr, uint64_t len, uint64_t pgoff,
			 const char *arch)
{
	const struct build_attr attr = {.type = 1, .flags = FLAG_ID_ALL,
					.sample_type = PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_TIME};
	const struct session_options opts = {.modules = {.debug_dir = "/nonexistent", .buildid_dir = "/nonexistent"}};
	struct build text = {0};
	struct build_feature feature;
	struct perfdata_block blk;
	struct perfdata_record rec;
	struct error e;

	put32(&text, 16);
	put_str(&text, arch, 16);
	feature = (struct build_feature){6 /* HEADER_ARCH */, text.data, text.nr};
	file_begin(&w->b, &attr, 1);
	put_mmap2(&w->b, PID, addr, len, pgoff, path, 1);
	file_end(&w->b, &feature, 1);
	w->pd = perfdata_open_memory("built", w->b.data, w->b.nr, &e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(w->pd);
	w->s = session_new(&opts);
	while (perfdata_next_block(w->pd, &blk, &e) > 0) {
		struct perfdata_walk walk = perfdata_walk_start(w->pd, &blk);

		while (perfdata_walk_next(&walk, &rec))
			session_apply(w->s, w->pd, &rec, true);
	}
	session_freeze(w->s, w->pd, UINT64_MAX);
	build_free(&text);
	w->in = (struct unwind_input){
		.arch = perfdata_arch(w->pd), .stack = (const uint8_t *)w->words, .stack_base = SP,
		.stack_size = sizeof(w->words), .dump_full = true, .image = session_image(w->s, PID, 2), .time = 2,
	};
	w->out.frames = w->frames;
}

void dump_begin(struct world *w, const struct binary *bin)
{
	struct build file = {0};

	memset(w, 0, sizeof(*w));
	make_binary(&file, bin);
	snprintf(w->dir, sizeof(w->dir), "/tmp/perfskew-test-XXXXXX");
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(w->dir));
	dump_open(w, elf_write(w->dir, "program", file.data, file.nr), TEXT, TEXT_SIZE, 0x1000,
		     bin->machine == EM_AARCH64 ? "aarch64" : "x86_64");
	build_free(&file);
}

void dump_begin_eh(struct world *w, struct entries *e, uint16_t machine)
{
	put32(&e->b, 0); /* terminator */
	dump_begin(w, &(struct binary){.machine = machine, .section = ".eh_frame", .frames = e->b.data, .size = e->b.nr});
	build_free(&e->b);
}

void dump_end(struct world *w)
{
	char path[64];

	session_free(w->s);
	perfdata_close(w->pd);
	build_free(&w->b);
	if (w->dir[0]) {
		snprintf(path, sizeof(path), "%s/program", w->dir);
		unlink(path);
		rmdir(w->dir);
	}
}

void dump_set(struct world *w, unsigned perf_reg, uint64_t v)
{
	w->in.regs[perf_reg] = v;
	w->in.regs_mask |= UINT64_C(1) << perf_reg;
}

void dump_leaf(struct world *w, uint64_t pc)
{
	bool arm = w->in.arch == PERF_ARCH_ARM64;

	dump_set(w, arm ? PERF_ARM64_PC : PERF_X86_IP, pc);
	dump_set(w, arm ? PERF_ARM64_SP : PERF_X86_SP, SP);
}

void dump_walk_by(struct world *w, const struct unwinder *u, size_t max)
{
	void *state = u->create(w->s);

	w->out.nr = w->out.nr_kernel = 0;
	w->out.end = UNWIND_ENDS;
	u->unwind(state, &w->in, &w->out, max);
	u->destroy(state);
}

void dump_walk(struct world *w)
{
	dump_walk_by(w, &unwinder_auto, UNWIND_MAX_FRAMES);
}

void dump_check(const struct world *w, const uint64_t *pcs, size_t n)
{
	CU_ASSERT_EQUAL(w->out.nr, n);
	for (size_t i = 0; i < n && i < w->out.nr; i++)
		CU_ASSERT_EQUAL(w->out.frames[i].pc, pcs[i]);
}
