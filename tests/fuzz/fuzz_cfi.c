/*
 * Call frame information to our rows, and their expressions on a dump. The first
 * byte chooses the machine (1), .debug_frame (2) and how the bytes are split: so
 * many sixteenths are the section, the rest is the dump.
 */
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "fuzz.h"
#include "unwind/code.h"
#include "unwind/expr.h"

#define TEXT UINT64_C(0x1000)
#define TEXT_SIZE UINT64_C(0x1000)
#define STACK UINT64_C(0x7ff000000000)

/* An ELF file of two sections, without code: nothing here reads it. */
static uint8_t *make_elf(const uint8_t *frames, size_t n, bool arm, bool debug, size_t *size)
{
	static const char names[] = "\0.eh_frame\0.debug_frame";
	size_t strings = sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr), section = strings + 32, shdrs = (section + n + 7) / 8 * 8;
	uint8_t *p;

	*size = shdrs + 3 * sizeof(Elf64_Shdr);
	p = xcalloc(1, *size);
	*(Elf64_Ehdr *)p = (Elf64_Ehdr){
		.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
		.e_type = ET_EXEC, .e_machine = arm ? EM_AARCH64 : EM_X86_64, .e_version = EV_CURRENT,
		.e_phoff = sizeof(Elf64_Ehdr), .e_shoff = shdrs, .e_ehsize = sizeof(Elf64_Ehdr),
		.e_phentsize = sizeof(Elf64_Phdr), .e_phnum = 1, .e_shentsize = sizeof(Elf64_Shdr), .e_shnum = 3,
		.e_shstrndx = 1,
	};
	*(Elf64_Phdr *)(p + sizeof(Elf64_Ehdr)) = (Elf64_Phdr){
		.p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_vaddr = TEXT, .p_memsz = TEXT_SIZE};
	memcpy(p + strings, names, sizeof(names));
	memcpy(p + section, frames, n);
	((Elf64_Shdr *)(p + shdrs))[1] =
		(Elf64_Shdr){.sh_type = SHT_STRTAB, .sh_offset = strings, .sh_size = sizeof(names)};
	((Elf64_Shdr *)(p + shdrs))[2] =
		(Elf64_Shdr){.sh_name = debug ? 11 : 1, .sh_type = SHT_PROGBITS, .sh_offset = section, .sh_size = n,
			     .sh_addr = 0x2000, .sh_flags = debug ? 0 : SHF_ALLOC};
	return p;
}

/* Every expression of a row, on the dump. */
static uint64_t evaluate(const struct code *c, const struct unwind_input *in, const uint64_t *regs)
{
	const struct expr_context ctx = {in, regs, UINT64_MAX, STACK + 64, true};
	uint64_t sum = 0, v;

	if (c->kind != CODE_CFI)
		return 0;
	if (c->cfa_reg == CODE_CFA_EXPR)
		sum += expr_evaluate(&c->cfa_expr, &ctx, &v) ? v : 1;
	else if (c->cfa_reg >= CODE_MAX_REGS)
		abort();
	if (c->nr_saved > CODE_MAX_REGS || c->ra_reg >= CODE_MAX_REGS)
		abort();
	for (unsigned i = 0; i < c->nr_saved; i++) {
		const struct code_saved *s = &c->saved[i];

		if (s->reg >= CODE_MAX_REGS || (s->kind == SAVED_REG && (unsigned)s->value >= CODE_MAX_REGS))
			abort();
		if (s->kind == SAVED_EXPR || s->kind == SAVED_AT_EXPR)
			sum += expr_evaluate(&s->expr, &ctx, &v) ? v : 1;
	}
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct module m = {.opened = true, .lock = PTHREAD_MUTEX_INITIALIZER};
	struct unwind_input in = {.stack_base = STACK, .dump_full = true};
	uint64_t regs[64], sum = 0;
	size_t nr, elf_size;
	uint8_t *elf;
	bool arm;

	if (size < 1)
		return 0;
	arm = data[0] & 1;
	nr = (size - 1) * (size_t)(data[0] >> 4) / 16;
	elf = make_elf(data + 1, nr, arm, data[0] & 2, &elf_size);
	elf_version(EV_CURRENT);
	m.elf = elf_memory((char *)elf, elf_size);
	m.machine = arm ? EM_AARCH64 : EM_X86_64;
	in.stack = data + 1 + nr;
	in.stack_size = size - 1 - nr;
	for (unsigned i = 0; i < 64; i++)
		regs[i] = STACK + i * 8;
	for (uint64_t pc = TEXT; pc < TEXT + TEXT_SIZE && m.elf; pc += 0x33)
		sum += evaluate(code_at(NULL, &m, pc, false), &in, regs);
	if (m.unwind_free)
		m.unwind_free(m.unwind);
	elf_end(m.elf);
	free(elf);
	(void)sum;
	return 0;
}
