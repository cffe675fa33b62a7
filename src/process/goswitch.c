#include "process/goswitch.h"

#include <gelf.h>
#include <string.h>

#include "process/elfcheck.h"
#include "process/goelf.h"
#include "process/gotab.h"

/* runtime2.go: g.goid of Go 1.minor, or 0 where it is not known. */
static unsigned goid_offset(int minor)
{
	if (minor == 23 || minor == 24) /* syscallbp came before it, and left again */
		return 160;
	return minor >= 17 && minor <= 27 ? 152 : 0;
}

static int32_t signed32(const uint8_t *p)
{
	return (int32_t)((uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24);
}

/* MOVQ 0(DX), CX (g must not be nil), then JMP gogo<>. Returns the jump's address and where it goes, or 0. */
static uint64_t jump_amd64(const uint8_t *code, size_t size, uint64_t address, uint64_t *to)
{
	static const uint8_t load[] = {0x48, 0x8b, 0x0a};
	const uint8_t *at = memmem(code, size, load, sizeof(load));
	size_t i = at ? (size_t)(at - code) + sizeof(load) : size;

	if (size - i >= 5 && code[i] == 0xe9)
		*to = address + i + 5 + (uint64_t)(int64_t)signed32(code + i + 1);
	else if (size - i >= 2 && code[i] == 0xeb)
		*to = address + i + 2 + (uint64_t)(int64_t)(int8_t)code[i + 1];
	else
		return 0;
	return address + i;
}

/* MOVD 0(R6), R4 (g must not be nil), then B gogo<>. */
static uint64_t jump_arm64(const uint8_t *code, size_t size, uint64_t address, uint64_t *to)
{
	for (size_t i = 0; i + 8 <= size; i += 4) {
		uint32_t branch = (uint32_t)signed32(code + i + 4);

		if ((uint32_t)signed32(code + i) != 0xf94000c4 || branch >> 26 != 5)
			continue;
		/* 26 bits, signed, in words */
		*to = address + i + 4 + (uint64_t)(((int64_t)((uint64_t)branch << 38)) >> 36);
		return address + i + 4;
	}
	return 0;
}

static bool file_offset(Elf *elf, uint64_t address, uint64_t *offset)
{
	size_t nr = elf_segments(elf);
	GElf_Phdr ph;

	for (size_t i = 0; i < nr; i++) {
		if (!gelf_getphdr(elf, (int)i, &ph) || ph.p_type != PT_LOAD ||
		    address - ph.p_vaddr >= ph.p_filesz) /* wraps where it lies before */
			continue;
		*offset = address - ph.p_vaddr + ph.p_offset;
		return true;
	}
	return false;
}

static int find(struct goswitch *s, Elf *elf, const struct gotab *t, const char *path, struct error *e)
{
	GElf_Ehdr ehdr;
	struct gotab_func gogo, target;
	struct goelf g;
	const uint8_t *code = NULL;
	uint64_t jump = 0, to = 0;
	size_t left = 0;
	bool arm;

	if (!gelf_getehdr(elf, &ehdr) || (ehdr.e_machine != EM_X86_64 && ehdr.e_machine != EM_AARCH64))
		return error_set(e, EXIT_CODE_INPUT, "%s: goroutines can be followed on x86-64 and arm64 only", path);
	arm = ehdr.e_machine == EM_AARCH64;
	s->g_register = arm ? "x6" : "dx";
	s->goid = goid_offset(gotab_go_minor(t));
	if (!s->goid)
		return error_set(e, EXIT_CODE_INPUT, "%s: where goroutines of %s have their number is not known (Go 1.17 to 1.27 are)",
				 path, gotab_go_version(t) ? gotab_go_version(t) : "an unknown version of Go");
	if (!goelf_open(&g, elf))
		return error_set(e, EXIT_CODE_INPUT, "%s: is no 64-bit ELF file", path);
	if (gotab_func_by_name(t, "runtime.gogo", &gogo))
		code = goelf_at(&g, gogo.entry, &left);
	if (left > gogo.end - gogo.entry)
		left = (size_t)(gogo.end - gogo.entry);
	if (code)
		jump = arm ? jump_arm64(code, left, gogo.entry, &to) : jump_amd64(code, left, gogo.entry, &to);
	goelf_release(&g);
	if (!jump || !gotab_find(t, to, &target) || target.entry != to || strcmp(target.name, "gogo") ||
	    !file_offset(elf, jump, &s->offset))
		return error_set(e, EXIT_CODE_INPUT, "%s: runtime.gogo is not as Go's sources have it", path);
	return 0;
}

int goswitch_find(struct goswitch *s, Elf *elf, const char *path, struct error *e)
{
	struct error why = {0};
	struct gotab *t = gotab_open(elf, &why);
	int result;

	if (!t)
		return error_set(e, EXIT_CODE_INPUT, "%s: is no Go program%s%s", path, why.text[0] ? ": " : "", why.text);
	result = find(s, elf, t, path, e);
	gotab_free(t);
	return result;
}
