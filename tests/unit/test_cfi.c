/*
 * Call frame information by itself: every instruction and encoding, and sections and segments that lie.
 */
#include <dwarf.h>
#include <elf.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/alloc.h"
#include "build.h"
#include "elffile.h"
#include "suite.h"
#include "unwind/cfi.h"

#define TEXT UINT64_C(0x401000)
#define FRAMES UINT64_C(0x500000) /* address of the section */
enum { RBX = 3, R8 = 8, R12 = 12, R13 = 13, R14 = 14, R15 = 15, RSP = 7, RA = 16 };

/* --- sections written byte by byte ------------------------------------------------------------------ */

/* What a CIE says; what is 0 is as usual. */
struct cie_wish {
	uint8_t version; /* 1 */
	const char *augmentation; /* "" */
	const uint8_t *data; /* of the augmentation, and its size */
	size_t data_size;
	uint64_t says_size; /* a lie, when not 0 */
	uint8_t address_size, segment_size; /* of version 4 */
	uint8_t ra;
	const uint8_t *program; /* CFA = rsp + 8, RA at CFA - 8 */
	size_t program_size;
	bool wide;
};

static void put_uleb(struct build *b, uint64_t v)
{
	do {
		put8(b, (uint8_t)((v & 0x7f) | (v > 0x7f ? 0x80 : 0)));
		v >>= 7;
	} while (v);
}

/* Begins an entry; returns where its length stands. */
static size_t entry_begin(struct build *b, bool wide)
{
	size_t at = b->nr;

	put32(b, wide ? UINT32_MAX : 0);
	if (wide)
		put64(b, 0);
	return at;
}

static void entry_end(struct build *b, size_t at, bool wide)
{
	uint64_t length;

	while (b->nr % 4)
		put8(b, DW_CFA_nop);
	length = b->nr - at - (wide ? 12 : 4);
	memcpy(b->data + at + (wide ? 4 : 0), &length, wide ? 8 : 4);
}

static void put_cie(struct build *b, enum cfi_kind kind, const struct cie_wish *w)
{
	static const uint8_t usual[] = {DW_CFA_def_cfa, RSP, 8, DW_CFA_offset | RA, 1};
	const char *aug = w->augmentation ? w->augmentation : "";
	uint8_t version = w->version ? w->version : 1;
	size_t at = entry_begin(b, w->wide);

	if (kind == CFI_EH_FRAME)
		put32(b, 0);
	else if (w->wide)
		put64(b, UINT64_MAX);
	else
		put32(b, UINT32_MAX);
	put8(b, version);
	put_bytes(b, aug, strlen(aug) + 1);
	if (version == 4) {
		put8(b, w->address_size ? w->address_size : 8);
		put8(b, w->segment_size);
	}
	put_uleb(b, 1);
	put8(b, 0x78); /* -8 */
	put8(b, w->ra ? w->ra : RA);
	if (*aug == 'z') {
		put_uleb(b, w->says_size ? w->says_size : w->data_size);
		put_bytes(b, w->data, w->data_size);
	}
	put_bytes(b, w->program ? w->program : usual, w->program ? w->program_size : sizeof(usual));
	entry_end(b, at, w->wide);
}

/* The head of an FDE of the CIE at 0, up to its addresses. */
static size_t fde_begin(struct build *b, enum cfi_kind kind, bool wide)
{
	size_t at = entry_begin(b, wide);

	if (kind == CFI_EH_FRAME)
		put32(b, (uint32_t)b->nr);
	else if (wide)
		put64(b, 0);
	else
		put32(b, 0);
	return at;
}

/* With plain addresses of 8 bytes. */
static void put_fde(struct build *b, enum cfi_kind kind, uint64_t start, uint64_t size, const uint8_t *program, size_t n, bool wide)
{
	size_t at = fde_begin(b, kind, wide);

	put64(b, start);
	put64(b, size);
	put_bytes(b, program, n);
	entry_end(b, at, wide);
}

struct file {
	uint8_t *bytes;
	size_t size;
	Elf *elf;
	struct cfi *cfi;
};

static void open_bytes(struct file *f, enum cfi_kind kind)
{
	elf_version(EV_CURRENT);
	f->elf = elf_memory((char *)f->bytes, f->size);
	CU_ASSERT_PTR_NOT_NULL_FATAL(f->elf);
	f->cfi = cfi_open(f->elf, kind);
}

static void open_section(struct file *f, const char *name, uint64_t flags, const void *data, size_t size, enum cfi_kind kind)
{
	const struct elf_section s = {.name = name, .flags = flags, .addr = FRAMES, .data = data, .size = size};

	f->bytes = elf_of_sections(&s, 1, &f->size);
	open_bytes(f, kind);
}

static void close_file(struct file *f)
{
	cfi_close(f->cfi);
	elf_end(f->elf);
	free(f->bytes);
}

struct row {
	struct code code;
	struct code_saved saved[CODE_MAX_REGS];
	bool found;
};

static void find_row(const struct cfi *c, uint64_t vaddr, struct row *r)
{
	memset(r, 0, sizeof(*r));
	r->found = c && cfi_row(c, vaddr, &r->code, r->saved);
}

static const struct code_saved *saved(const struct row *r, unsigned reg)
{
	for (size_t i = 0; i < r->code.nr_saved; i++)
		if (r->saved[i].reg == reg)
			return &r->saved[i];
	return NULL;
}

/* Row at vaddr of the usual CIE and one function of 0x100 bytes with this program. */
static void row_of_program(const uint8_t *program, size_t n, uint64_t vaddr, struct row *r)
{
	struct build b = {0};
	struct file f;

	put_cie(&b, CFI_EH_FRAME, &(struct cie_wish){0});
	put_fde(&b, CFI_EH_FRAME, TEXT, 0x100, program, n, false);
	open_section(&f, ".eh_frame", 0, b.data, b.nr, CFI_EH_FRAME);
	find_row(f.cfi, vaddr, r);
	close_file(&f);
	build_free(&b);
}
#define ROW(r, at, ...) row_of_program((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}), TEXT + (at), (r))

/* --- instructions -------------------------------------------------------------------------------------- */

static void check_saved(const struct row *r, unsigned reg, enum saved_kind kind, int32_t value)
{
	const struct code_saved *s = saved(r, reg);

	CU_ASSERT_TRUE(r->found);
	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	CU_ASSERT_EQUAL(s->kind, kind);
	CU_ASSERT_EQUAL(s->value, value);
}

static void check_cfa(const struct row *r, unsigned reg, int32_t offset)
{
	CU_ASSERT_TRUE(r->found);
	CU_ASSERT_EQUAL(r->code.cfa_reg, reg);
	CU_ASSERT_EQUAL(r->code.cfa_offset, offset);
}

static void rules_of_registers(void)
{
	struct row r;

	ROW(&r, 0, DW_CFA_nop);
	check_cfa(&r, RSP, 8);
	check_saved(&r, RA, SAVED_AT_CFA, -8);
	check_saved(&r, RSP, SAVED_CFA, 0);
	check_saved(&r, R8, SAVED_NONE, 0); /* as the ABI has it */
	CU_ASSERT_PTR_NULL(saved(&r, RBX)); /* kept */
	ROW(&r, 0, DW_CFA_offset | RBX, 2);
	check_saved(&r, RBX, SAVED_AT_CFA, -16);
	ROW(&r, 0, DW_CFA_offset_extended, RBX, 3);
	check_saved(&r, RBX, SAVED_AT_CFA, -24);
	ROW(&r, 0, DW_CFA_offset_extended_sf, RBX, 0x7f);
	check_saved(&r, RBX, SAVED_AT_CFA, 8);
	ROW(&r, 0, DW_CFA_GNU_negative_offset_extended, RBX, 2);
	check_saved(&r, RBX, SAVED_AT_CFA, 16);
	ROW(&r, 0, DW_CFA_val_offset, RBX, 2);
	check_saved(&r, RBX, SAVED_CFA, -16);
	ROW(&r, 0, DW_CFA_val_offset_sf, RBX, 0x7e);
	check_saved(&r, RBX, SAVED_CFA, 16);
	ROW(&r, 0, DW_CFA_register, RBX, R12);
	check_saved(&r, RBX, SAVED_REG, R12);
	ROW(&r, 0, DW_CFA_register, RBX, 0x80, 1); /* a register that is not followed */
	CU_ASSERT_EQUAL(saved(&r, RBX) ? saved(&r, RBX)->kind : 99, SAVED_NONE);
	ROW(&r, 0, DW_CFA_undefined, RBX);
	check_saved(&r, RBX, SAVED_NONE, 0);
	ROW(&r, 0, DW_CFA_offset | R8, 2, DW_CFA_same_value, R8);
	CU_ASSERT_TRUE(r.found && !saved(&r, R8));
	ROW(&r, 0, DW_CFA_offset | RA, 5, DW_CFA_restore | RA);
	check_saved(&r, RA, SAVED_AT_CFA, -8);
	ROW(&r, 0, DW_CFA_offset | RA, 5, DW_CFA_restore_extended, RA);
	check_saved(&r, RA, SAVED_AT_CFA, -8);
	/* registers that are not followed may have any rule; distances of more than 2 GB are none */
	ROW(&r, 0, DW_CFA_offset_extended, 0xc8, 1, 2, DW_CFA_restore_extended, 0xc8, 1, DW_CFA_expression, 0xc8, 1, 1, DW_OP_lit0);
	CU_ASSERT_TRUE(r.found);
	ROW(&r, 0, DW_CFA_offset_extended, RBX, 0x80, 0x80, 0x80, 0x80, 0x20);
	CU_ASSERT_EQUAL(saved(&r, RBX) ? saved(&r, RBX)->kind : 99, SAVED_NONE);
}

static void rules_of_the_cfa(void)
{
	struct row r;

	ROW(&r, 0, DW_CFA_def_cfa, RBX, 24);
	check_cfa(&r, RBX, 24);
	ROW(&r, 0, DW_CFA_def_cfa_sf, RBX, 0x7d);
	check_cfa(&r, RBX, 24);
	ROW(&r, 0, DW_CFA_def_cfa_register, R12);
	check_cfa(&r, R12, 8);
	ROW(&r, 0, DW_CFA_def_cfa_offset, 40);
	check_cfa(&r, RSP, 40);
	ROW(&r, 0, DW_CFA_def_cfa_offset_sf, 0x7e);
	check_cfa(&r, RSP, 16);
	ROW(&r, 0, DW_CFA_def_cfa_expression, 2, DW_OP_breg7, 8);
	CU_ASSERT_TRUE(r.found && r.code.cfa_reg == CODE_CFA_EXPR && r.code.cfa_expr.size == 2);
	ROW(&r, 0, DW_CFA_def_cfa_expression, 2, DW_OP_breg7, 8, DW_CFA_def_cfa, RBX, 16);
	check_cfa(&r, RBX, 16);
	ROW(&r, 0, DW_CFA_expression, RBX, 2, DW_OP_breg7, 8, DW_CFA_val_expression, R12, 1, DW_OP_lit5);
	CU_ASSERT_TRUE(r.found && saved(&r, RBX) && saved(&r, RBX)->kind == SAVED_AT_EXPR && saved(&r, RBX)->expr.size == 2);
	CU_ASSERT_TRUE(r.found && saved(&r, R12) && saved(&r, R12)->kind == SAVED_EXPR && saved(&r, R12)->expr.size == 1);
	ROW(&r, 0, DW_CFA_def_cfa, 0x80, 1, 8); /* a register that is not followed */
	CU_ASSERT_FALSE(r.found);
	ROW(&r, 0, DW_CFA_def_cfa_offset, 0x80, 0x80, 0x80, 0x80, 0x10);
	CU_ASSERT_FALSE(r.found);
}

static void rows_by_address(void)
{
	static const uint8_t steps[] = {
		DW_CFA_advance_loc | 4, DW_CFA_def_cfa_offset, 16, DW_CFA_advance_loc1, 4, DW_CFA_def_cfa_offset, 24,
		DW_CFA_advance_loc2, 4, 0, DW_CFA_def_cfa_offset, 32, DW_CFA_advance_loc4, 4, 0, 0, 0, DW_CFA_def_cfa_offset, 40,
		DW_CFA_remember_state, DW_CFA_def_cfa_offset, 48, DW_CFA_advance_loc | 4, DW_CFA_restore_state,
		DW_CFA_GNU_args_size, 8, DW_CFA_set_loc, 0x20, 0x10, 0x40, 0, 0, 0, 0, 0, DW_CFA_def_cfa_offset, 56,
	};
	static const struct {
		uint64_t at;
		int32_t cfa;
	} cases[] = {{0, 8}, {3, 8}, {4, 16}, {7, 16}, {8, 24}, {11, 24}, {12, 32}, {15, 32}, {16, 48}, {19, 48}, {20, 40}, {31, 40}, {32, 56}, {0xff, 56}};
	struct row r;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		row_of_program(steps, sizeof(steps), TEXT + cases[i].at, &r);
		check_cfa(&r, RSP, cases[i].cfa);
	}
	row_of_program(steps, sizeof(steps), TEXT + 0x100, &r);
	CU_ASSERT_FALSE(r.found);
	row_of_program(steps, sizeof(steps), TEXT - 1, &r);
	CU_ASSERT_FALSE(r.found);
}

static void programs_that_fail(void)
{
	uint8_t nested[16];
	struct row r;

	ROW(&r, 0, 0x3f); /* no instruction */
	CU_ASSERT_FALSE(r.found);
	ROW(&r, 0, DW_CFA_restore_state);
	CU_ASSERT_FALSE(r.found);
	memset(nested, DW_CFA_remember_state, sizeof(nested));
	row_of_program(nested, 8, TEXT, &r);
	CU_ASSERT_TRUE(r.found);
	row_of_program(nested, 9, TEXT, &r);
	CU_ASSERT_FALSE(r.found);
	ROW(&r, 0, DW_CFA_def_cfa_expression, 100);
	CU_ASSERT_FALSE(r.found);
	ROW(&r, 0, DW_CFA_nop, DW_CFA_nop, DW_CFA_nop, DW_CFA_offset_extended);
	CU_ASSERT_FALSE(r.found);
}

/* --- CIEs ------------------------------------------------------------------------------------------------ */

/* The row of a function whose CIE is so; bytes behind its addresses are its augmentation's. */
static void row_of_cie(const struct cie_wish *w, enum cfi_kind kind, const uint8_t *fde, size_t n, struct row *r)
{
	struct build b = {0};
	struct file f;
	size_t at;

	put_cie(&b, kind, w);
	at = fde_begin(&b, kind, w->wide);
	put_bytes(&b, fde, n);
	entry_end(&b, at, w->wide);
	open_section(&f, kind == CFI_EH_FRAME ? ".eh_frame" : ".debug_frame", 0, b.data, b.nr, kind);
	find_row(f.cfi, TEXT + 0x10, r);
	close_file(&f);
	build_free(&b);
}

#define WIDE_ADDRESSES 0, 0x10, 0x40, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0

static void forms_of_cies(void)
{
	static const uint8_t plain[] = {WIDE_ADDRESSES}, sized[] = {WIDE_ADDRESSES, 1, 0xee, DW_CFA_def_cfa_offset, 24};
	static const uint8_t small[] = {0, 0x10, 0x40, 0, 0, 1, 0, 0};
	static const uint8_t all[] = {DW_EH_PE_udata4, 1, 2, 3, 4, DW_EH_PE_absptr, DW_EH_PE_absptr};
	static const uint8_t undefined_ra[] = {DW_CFA_def_cfa, RSP, 8, DW_CFA_undefined, RA};
	struct row r;

	for (int kind = 0; kind < 2; kind++)
		for (int wide = 0; wide < 2; wide++) {
			row_of_cie(&(struct cie_wish){.wide = wide}, (enum cfi_kind)kind, plain, sizeof(plain), &r);
			check_cfa(&r, RSP, 8);
		}
	for (uint8_t version = 1; version < 7; version++) {
		row_of_cie(&(struct cie_wish){.version = version}, CFI_DEBUG_FRAME, plain, sizeof(plain), &r);
		CU_ASSERT_EQUAL(r.found, version == 1 || version == 3 || version == 4);
	}
	row_of_cie(&(struct cie_wish){.version = 4, .address_size = 4}, CFI_DEBUG_FRAME, small, sizeof(small), &r);
	check_cfa(&r, RSP, 8);
	row_of_cie(&(struct cie_wish){.version = 4, .address_size = 2}, CFI_DEBUG_FRAME, small, sizeof(small), &r);
	CU_ASSERT_FALSE(r.found);
	row_of_cie(&(struct cie_wish){.version = 4, .segment_size = 2}, CFI_DEBUG_FRAME, plain, sizeof(plain), &r);
	CU_ASSERT_FALSE(r.found);
	row_of_cie(&(struct cie_wish){.ra = 77}, CFI_EH_FRAME, plain, sizeof(plain), &r);
	CU_ASSERT_FALSE(r.found);
	row_of_cie(&(struct cie_wish){.program = undefined_ra, .program_size = sizeof(undefined_ra)}, CFI_EH_FRAME, plain, sizeof(plain), &r);
	check_saved(&r, RA, SAVED_NONE, 0);
	/* augmentations: sized ones are passed over by their size, others cannot be */
	row_of_cie(&(struct cie_wish){.augmentation = "eh"}, CFI_EH_FRAME, plain, sizeof(plain), &r);
	CU_ASSERT_FALSE(r.found);
	row_of_cie(&(struct cie_wish){.augmentation = "z"}, CFI_EH_FRAME, sized, sizeof(sized), &r);
	check_cfa(&r, RSP, 24);
	row_of_cie(&(struct cie_wish){.augmentation = "zXS", .data = all, .data_size = 1}, CFI_EH_FRAME, sized, sizeof(sized), &r);
	check_cfa(&r, RSP, 24);
	CU_ASSERT_FALSE(r.code.signal); /* what follows an unknown letter is not read */
	row_of_cie(&(struct cie_wish){.augmentation = "zBS"}, CFI_EH_FRAME, sized, sizeof(sized), &r);
	CU_ASSERT_TRUE(r.found && r.code.signal);
	row_of_cie(&(struct cie_wish){.augmentation = "zPLR", .data = all, .data_size = sizeof(all)}, CFI_EH_FRAME, sized, sizeof(sized), &r);
	check_cfa(&r, RSP, 24);
	row_of_cie(&(struct cie_wish){.augmentation = "zR", .data = all, .data_size = 1, .says_size = 1000}, CFI_EH_FRAME, sized, sizeof(sized), &r);
	CU_ASSERT_FALSE(r.found);
	/* letters that ask for more than the file has */
	row_of_cie(&(struct cie_wish){.augmentation = "zPPPPPPPPPPPPPPPP", .says_size = 1000}, CFI_EH_FRAME, sized, sizeof(sized), &r);
	CU_ASSERT_FALSE(r.found);
	row_of_cie(&(struct cie_wish){.augmentation = "zR", .data = all, .data_size = 1, .says_size = UINT64_MAX}, CFI_EH_FRAME, sized,
		   sizeof(sized), &r);
	CU_ASSERT_FALSE(r.found);
}

/* Addresses in every form that .eh_frame may have them in. */
static void encodings_of_addresses(void)
{
	/* where the start stands: behind the CIE of 20 bytes, a length and an id */
	static const struct {
		uint8_t encoding, size;
		bool works;
		uint8_t bytes[20];
	} cases[] = {
		{DW_EH_PE_absptr, 16, true, {WIDE_ADDRESSES}},
		{DW_EH_PE_udata8, 16, true, {WIDE_ADDRESSES}},
		{DW_EH_PE_sdata8, 16, true, {WIDE_ADDRESSES}},
		{DW_EH_PE_udata4, 8, true, {0, 0x10, 0x40, 0, 0, 1, 0, 0}},
		{DW_EH_PE_sdata4, 8, true, {0, 0x10, 0x40, 0, 0, 1, 0, 0}},
		{DW_EH_PE_uleb128, 6, true, {0x80, 0xa0, 0x80, 0x02, 0x80, 0x02}},
		{DW_EH_PE_sleb128, 6, true, {0x80, 0xa0, 0x80, 0x02, 0x80, 0x02}},
		{DW_EH_PE_udata2, 4, false, {0, 0x10, 0, 1}},
		{DW_EH_PE_pcrel | DW_EH_PE_sdata4, 8, true, {0xe0, 0x0f, 0xf0, 0xff, 0, 1, 0, 0}},
		{DW_EH_PE_pcrel | DW_EH_PE_sdata2, 4, false, {0, 0x80, 0, 1}},
		{DW_EH_PE_datarel | DW_EH_PE_sdata4, 8, false, {0, 0x10, 0x40, 0, 0, 1, 0, 0}},
		{DW_EH_PE_textrel | DW_EH_PE_sdata4, 8, false, {0, 0x10, 0x40, 0, 0, 1, 0, 0}},
		{DW_EH_PE_indirect | DW_EH_PE_sdata4, 8, false, {0, 0x10, 0x40, 0, 0, 1, 0, 0}},
		{0x05, 16, false, {WIDE_ADDRESSES}},
		{DW_EH_PE_omit, 16, false, {WIDE_ADDRESSES}},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct cie_wish w = {.augmentation = "zR", .data = &cases[i].encoding, .data_size = 1};
		uint8_t fde[21] = {0};
		struct row r;

		memcpy(fde, cases[i].bytes, cases[i].size); /* and no bytes of augmentation */
		row_of_cie(&w, CFI_EH_FRAME, fde, cases[i].size + 1u, &r);
		if (r.found != cases[i].works)
			printf("\nencoding %#x: %sfound\n", cases[i].encoding, r.found ? "" : "not ");
		CU_ASSERT_EQUAL(r.found, cases[i].works);
	}
}

/* --- entries ------------------------------------------------------------------------------------------- */

static const uint8_t deeper[] = {DW_CFA_def_cfa_offset, 24};

/* A second entry behind that of [TEXT, TEXT + 0x100); whether the first is still found at TEXT + 0x20. */
static bool first_is_found(const struct build *second, enum cfi_kind kind)
{
	struct build b = {0};
	struct file f;
	struct row r;

	put_cie(&b, kind, &(struct cie_wish){0});
	put_fde(&b, kind, TEXT, 0x100, deeper, sizeof(deeper), false);
	put_bytes(&b, second->data, second->nr);
	open_section(&f, kind == CFI_EH_FRAME ? ".eh_frame" : ".debug_frame", 0, b.data, b.nr, kind);
	find_row(f.cfi, TEXT + 0x20, &r);
	close_file(&f);
	build_free(&b);
	return r.found && r.code.cfa_offset == 24;
}

/* Of no byte, or with an end before their start: they hide nobody. What does not parse ends the section. */
static void entries_beside_a_good_one(void)
{
	static const uint64_t sizes[] = {0, UINT64_MAX, UINT64_MAX - TEXT};

	for (size_t i = 0; i < 3; i++) {
		struct build b = {0};

		put_fde(&b, CFI_DEBUG_FRAME, TEXT + 0x18, sizes[i], NULL, 0, false);
		CU_ASSERT_TRUE(first_is_found(&b, CFI_DEBUG_FRAME));
		build_free(&b);
	}
	for (int kind = 0; kind < 2; kind++) {
		/* a length beyond the section; of 64 bits, cut; none; a CIE outside of it, or that is none */
		static const uint8_t bad[][16] = {
			{0xf0, 0xff, 0xff, 0x7f, 0}, {0xff, 0xff, 0xff, 0xff, 8}, {0}, {12, 0, 0, 0, 0xf0, 0xff, 0xff, 0x7f},
			{12, 0, 0, 0, 20, 0, 0, 0}, {2, 0, 0, 0, 1, 1},
		};

		for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
			struct build b = {0};

			put_bytes(&b, bad[i], i == 1 ? 8 : i == 5 ? 6 : 16);
			CU_ASSERT_TRUE(first_is_found(&b, (enum cfi_kind)kind));
			build_free(&b);
		}
	}
}

/* In whatever order they stand. */
static void entries_out_of_order(void)
{
	struct build b = {0};
	struct file f;
	struct row r;

	put_cie(&b, CFI_DEBUG_FRAME, &(struct cie_wish){0});
	for (uint64_t i = 0; i < 8; i++) {
		uint8_t program[] = {DW_CFA_def_cfa_offset, (uint8_t)(16 + (i * 5 % 8) * 8)};

		put_fde(&b, CFI_DEBUG_FRAME, TEXT + (i * 5 % 8) * 0x100, 0x80, program, 2, false);
	}
	open_section(&f, ".debug_frame", 0, b.data, b.nr, CFI_DEBUG_FRAME);
	for (uint64_t i = 0; i < 8; i++) {
		find_row(f.cfi, TEXT + i * 0x100 + 0x7f, &r);
		check_cfa(&r, RSP, (int32_t)(16 + i * 8));
		find_row(f.cfi, TEXT + i * 0x100 + 0x80, &r);
		CU_ASSERT_FALSE(r.found);
	}
	close_file(&f);
	build_free(&b);
}

/* --- packed sections, and segments alone ----------------------------------------------------------------- */

static bool packed_is_found(const char *name, uint64_t flags, const uint8_t *data, size_t size)
{
	struct file f;
	struct row r;

	open_section(&f, name, flags, data, size, CFI_DEBUG_FRAME);
	find_row(f.cfi, TEXT + 0x20, &r);
	close_file(&f);
	return r.found;
}

static void packed_frames(void)
{
	struct build b = {0};
	uint8_t gnu[256] = "ZLIB", chdr[256] = {0};
	uLongf size = sizeof(gnu) - 12, size2 = sizeof(chdr) - sizeof(Elf64_Chdr);
	Elf64_Chdr ch = {.ch_type = ELFCOMPRESS_ZLIB, .ch_addralign = 1};

	put_cie(&b, CFI_DEBUG_FRAME, &(struct cie_wish){0});
	put_fde(&b, CFI_DEBUG_FRAME, TEXT, 0x100, deeper, sizeof(deeper), false);
	CU_ASSERT_EQUAL_FATAL(compress(gnu + 12, &size, b.data, b.nr), Z_OK);
	CU_ASSERT_EQUAL_FATAL(compress(chdr + sizeof(ch), &size2, b.data, b.nr), Z_OK);
	gnu[11] = (uint8_t)b.nr;
	ch.ch_size = b.nr;
	memcpy(chdr, &ch, sizeof(ch));
	CU_ASSERT_TRUE(packed_is_found(".debug_frame", 0, b.data, b.nr));
	CU_ASSERT_TRUE(packed_is_found(".zdebug_frame", 0, gnu, 12 + size));
	CU_ASSERT_TRUE(packed_is_found(".debug_frame", SHF_COMPRESSED, chdr, sizeof(ch) + size2));
	CU_ASSERT_FALSE(packed_is_found(".debug_line", 0, b.data, b.nr));
	for (size_t cut = 1; cut < 12; cut++)
		CU_ASSERT_FALSE(packed_is_found(".zdebug_frame", 0, gnu, cut));
	for (size_t cut = 1; cut < sizeof(ch); cut++)
		CU_ASSERT_FALSE(packed_is_found(".debug_frame", SHF_COMPRESSED, chdr, cut));
	gnu[4] = 0x7f; /* more than there is memory */
	CU_ASSERT_FALSE(packed_is_found(".zdebug_frame", 0, gnu, 12 + size));
	gnu[4] = 0;
	gnu[0] = 'z';
	CU_ASSERT_FALSE(packed_is_found(".zdebug_frame", 0, gnu, 12 + size));
	ch.ch_size = UINT64_C(1) << 40;
	memcpy(chdr, &ch, sizeof(ch));
	CU_ASSERT_FALSE(packed_is_found(".debug_frame", SHF_COMPRESSED, chdr, sizeof(ch) + size2));
	build_free(&b);
}

/* A file without section headers: .eh_frame_hdr's segment, and those of memory. */
struct bare {
	Elf64_Ehdr eh;
	Elf64_Phdr hdr, other, load;
	uint8_t head[12];
	uint8_t frames[]; /* to the end of the file */
};

static bool bare_is_found(const struct bare *bare, const struct build *frames)
{
	struct file f = {.size = sizeof(*bare) + frames->nr};
	struct row r;

	f.bytes = xcalloc(1, f.size);
	memcpy(f.bytes, bare, sizeof(*bare));
	memcpy(f.bytes + sizeof(*bare), frames->data, frames->nr);
	open_bytes(&f, CFI_EH_FRAME);
	find_row(f.cfi, TEXT + 0x20, &r);
	close_file(&f);
	return r.found;
}

static void segments_alone(void)
{
	const uint64_t base = UINT64_C(0x400000), head = offsetof(struct bare, head), frames = sizeof(struct bare);
	struct build b = {0};
	struct bare good = {
		.eh = {.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT}, .e_type = ET_EXEC,
		       .e_machine = EM_X86_64, .e_version = EV_CURRENT, .e_phoff = sizeof(Elf64_Ehdr), .e_ehsize = sizeof(Elf64_Ehdr),
		       .e_phentsize = sizeof(Elf64_Phdr), .e_phnum = 3},
		.hdr = {.p_type = PT_GNU_EH_FRAME, .p_offset = head, .p_vaddr = base + head, .p_filesz = 12, .p_memsz = 12},
		/* another one of memory, which ends before the table */
		.other = {.p_type = PT_LOAD, .p_vaddr = base, .p_filesz = 16, .p_memsz = 16},
		.head = {1, DW_EH_PE_udata8, DW_EH_PE_omit, DW_EH_PE_omit},
	}, bad;
	uint64_t table = base + frames;

	memcpy(good.head + 4, &table, 8);
	put_cie(&b, CFI_EH_FRAME, &(struct cie_wish){0});
	put_fde(&b, CFI_EH_FRAME, TEXT, 0x100, deeper, sizeof(deeper), false);
	good.load = (Elf64_Phdr){.p_type = PT_LOAD, .p_offset = 0, .p_vaddr = base, .p_filesz = frames + b.nr, .p_memsz = frames + b.nr};
	CU_ASSERT_TRUE(bare_is_found(&good, &b));
	bad = good;
	bad.hdr.p_type = PT_NULL;
	CU_ASSERT_FALSE(bare_is_found(&bad, &b));
	bad = good;
	bad.head[0] = 2; /* another version */
	CU_ASSERT_FALSE(bare_is_found(&bad, &b));
	bad = good;
	bad.head[1] = DW_EH_PE_omit;
	CU_ASSERT_FALSE(bare_is_found(&bad, &b));
	/* segments that lie outside of the file, or reach beyond it */
	bad = good;
	bad.hdr.p_offset = UINT64_C(1) << 40;
	CU_ASSERT_FALSE(bare_is_found(&bad, &b));
	bad = good;
	bad.load.p_offset = UINT64_C(1) << 40;
	CU_ASSERT_FALSE(bare_is_found(&bad, &b));
	bad = good;
	bad.load.p_filesz++;
	CU_ASSERT_FALSE(bare_is_found(&bad, &b));
	bad = good;
	bad.load.p_vaddr = table + 1; /* begins behind it */
	CU_ASSERT_FALSE(bare_is_found(&bad, &b));
	bad = good;
	bad.load.p_type = PT_NOTE;
	CU_ASSERT_FALSE(bare_is_found(&bad, &b));
	/* .eh_frame_hdr itself, cut by the end of the file */
	put32(&b, 0);
	put_bytes(&b, good.head, 6);
	bad = good;
	bad.load.p_filesz = bad.load.p_memsz = frames + b.nr;
	CU_ASSERT_TRUE(bare_is_found(&bad, &b));
	bad.hdr.p_offset = frames + b.nr - 6;
	CU_ASSERT_FALSE(bare_is_found(&bad, &b));
	build_free(&b);
}

static const struct suite_test tests[] = {
	{"rules of registers", rules_of_registers},
	{"rules of the CFA", rules_of_the_cfa},
	{"rows by address", rows_by_address},
	{"programs that fail", programs_that_fail},
	{"forms of CIEs", forms_of_cies},
	{"encodings of addresses", encodings_of_addresses},
	{"entries beside a good one", entries_beside_a_good_one},
	{"entries out of order", entries_out_of_order},
	{"packed frames", packed_frames},
	{"segments alone", segments_alone},
	{NULL, NULL},
};
const struct suite suite_cfi = {"cfi", tests};
