/*
 * Unwinding by call frame information, and what ends a stack.
 */
#include <dwarf.h>
#include <elf.h>
#include <string.h>

#include "dump.h"
#include "suite.h"
#include "unwind/expr.h"

/* --- call frame information ------------------------------------------------------------------------ */

/*
 * 0: a leaf without a frame. 1: saves rbx and pushes 16 bytes after 4 of its own.
 * 2: addresses its frame by rbx. 3: the root, whose return address is undefined.
 */
static void put_four_functions(struct entries *e)
{
	put_cie(e, false, false);
	put_fde(e, 0, false, NULL, 0);
	put_fde(e, 1, false, PROGRAM(DW_CFA_advance_loc | 4, DW_CFA_def_cfa_offset, 32, DW_CFA_offset | RBX, 2));
	put_fde(e, 2, false, PROGRAM(DW_CFA_def_cfa, RBX, 16));
	put_fde(e, 3, false, PROGRAM(DW_CFA_undefined, RIP));
}

static void lay_four_frames(struct world *w)
{
	dump_leaf(w, FUNC(0) + 1);
	dump_set(w, PERF_X86_BX, 0xdead);
	dump_set(w, PERF_X86_BP, 0);
	w->words[0] = FUNC(1) + 0x10; /* return address of 0; SP of 1 is SP + 8, its CFA SP + 40 */
	w->words[3] = SP + 80;	      /* rbx saved at CFA - 16 */
	w->words[4] = FUNC(2) + 0x20;
	w->words[11] = FUNC(3) + 0x30; /* CFA of 2 is rbx + 16 = SP + 96 */
}

static void registers_are_restored(void)
{
	struct entries e = {0};
	struct world w;

	put_four_functions(&e);
	dump_begin_eh(&w, &e, EM_X86_64);
	lay_four_frames(&w);
	dump_walk(&w);
	CHECK_PCS(&w, FUNC(0) + 1, FUNC(1) + 0x10, FUNC(2) + 0x20, FUNC(3) + 0x30);
	CU_ASSERT_EQUAL(w.out.end, UNWIND_ROOT);
	CU_ASSERT_EQUAL(w.frames[0].sp, SP);
	CU_ASSERT_EQUAL(w.frames[1].sp, SP + 8);
	CU_ASSERT_EQUAL(w.frames[2].sp, SP + 40);
	CU_ASSERT_EQUAL(w.frames[3].sp, SP + 96);
	CU_ASSERT_EQUAL(w.frames[0].lookup, FUNC(0) + 1);
	CU_ASSERT_EQUAL(w.frames[0].kind, UNWIND_PC_EXACT);
	CU_ASSERT_EQUAL(w.frames[1].lookup, FUNC(1) + 0xf);
	CU_ASSERT_EQUAL(w.frames[1].kind, UNWIND_PC_RETURN);
	dump_walk_by(&w, &unwinder_libdw, UNWIND_MAX_FRAMES);
	CHECK_PCS(&w, FUNC(0) + 1, FUNC(1) + 0x10, FUNC(2) + 0x20, FUNC(3) + 0x30);
	dump_walk_by(&w, &unwinder_auto, 2);
	CU_ASSERT_EQUAL(w.out.nr, 2);
	CU_ASSERT_EQUAL(w.out.end, UNWIND_MAX_DEPTH);
	/* Go's tables alone know nothing of this code */
	dump_walk_by(&w, &unwinder_go, UNWIND_MAX_FRAMES);
	CHECK_PCS(&w, FUNC(0) + 1);
	CU_ASSERT_EQUAL(w.out.end, UNWIND_NO_CFI);
	dump_end(&w);
}

static void dumps_cut_anywhere(void)
{
	struct entries e = {0};
	struct world w;
	size_t last = 0;

	put_four_functions(&e);
	dump_begin_eh(&w, &e, EM_X86_64);
	lay_four_frames(&w);
	for (size_t size = 0; size <= 13 * 8; size++) {
		w.in.stack_size = size;
		w.in.dump_full = true;
		dump_walk(&w);
		CU_ASSERT_EQUAL(w.out.end, size < 12 * 8 ? UNWIND_TRUNCATED : UNWIND_ROOT);
		CU_ASSERT_TRUE(w.out.nr >= last && w.out.nr >= 1);
		last = w.out.nr;
		w.in.dump_full = false; /* the mapping ended there: such a word cannot be */
		dump_walk(&w);
		CU_ASSERT_EQUAL(w.out.nr, last);
		CU_ASSERT_EQUAL(w.out.end, size < 12 * 8 ? UNWIND_BAD_MEMORY : UNWIND_ROOT);
	}
	CU_ASSERT_EQUAL(last, 4);
	dump_end(&w);
}

static void debug_frame_also_compressed(void)
{
	for (int compressed = 0; compressed < 2; compressed++) {
		struct entries e = {.debug = true};
		struct world w;

		put_four_functions(&e);
		dump_begin(&w, &(struct binary){.machine = EM_X86_64, .section = ".debug_frame", .compressed = compressed,
					   .frames = e.b.data, .size = e.b.nr});
		build_free(&e.b);
		lay_four_frames(&w);
		dump_walk(&w);
		CHECK_PCS(&w, FUNC(0) + 1, FUNC(1) + 0x10, FUNC(2) + 0x20, FUNC(3) + 0x30);
		CU_ASSERT_EQUAL(w.out.end, UNWIND_ROOT);
		dump_end(&w);
	}
}

static void rows_within_a_function(void)
{
	struct entries e = {0};
	struct world w;

	put_cie(&e, false, false);
	/* a frame of 24 until its epilogue at 8, which an early return leaves before 12 */
	put_fde(&e, 0, false, PROGRAM(DW_CFA_advance_loc | 4, DW_CFA_def_cfa_offset, 32, DW_CFA_GNU_args_size, 16,
				      DW_CFA_advance_loc | 4, DW_CFA_remember_state, DW_CFA_def_cfa_offset, 8,
				      DW_CFA_advance_loc | 4, DW_CFA_restore_state));
	put_fde(&e, 1, false, PROGRAM(DW_CFA_undefined, RIP));
	dump_begin_eh(&w, &e, EM_X86_64);
	for (unsigned i = 0; i < 8; i++)
		w.words[i] = FUNC(1) + 0x10 + i;
	dump_leaf(&w, FUNC(0) + 3);
	dump_walk(&w);
	CHECK_PCS(&w, FUNC(0) + 3, FUNC(1) + 0x10);
	dump_leaf(&w, FUNC(0) + 4);
	dump_walk(&w);
	CHECK_PCS(&w, FUNC(0) + 4, FUNC(1) + 0x13);
	dump_leaf(&w, FUNC(0) + 8);
	dump_walk(&w);
	CHECK_PCS(&w, FUNC(0) + 8, FUNC(1) + 0x10);
	dump_leaf(&w, FUNC(0) + 12);
	dump_walk(&w);
	CHECK_PCS(&w, FUNC(0) + 12, FUNC(1) + 0x13);
	dump_end(&w);
}

static void expressions_give_places_and_values(void)
{
	struct entries e = {0};
	struct world w;

	put_cie(&e, false, false);
	/* CFA = *(rsp + 8); rbx = *(CFA - 32); rbp = CFA - 8 */
	put_fde(&e, 0, false, PROGRAM(DW_CFA_def_cfa_expression, 3, DW_OP_breg7, 8, DW_OP_deref,
				      DW_CFA_expression, RBX, 4, DW_OP_lit16, DW_OP_lit16, DW_OP_plus, DW_OP_minus,
				      DW_CFA_val_offset, RBP, 1));
	/* CFA = rbx + 8; return address where rbp points to */
	put_fde(&e, 1, false, PROGRAM(DW_CFA_def_cfa, RBX, 8, DW_CFA_expression, RIP, 2, DW_OP_breg6, 0));
	/* return address in a register, as a value */
	put_fde(&e, 2, false, PROGRAM(DW_CFA_def_cfa_offset, 24, DW_CFA_val_expression, RIP, 3, DW_OP_breg3, 0x80, 1));
	put_fde(&e, 3, false, PROGRAM(DW_CFA_undefined, RIP));
	dump_begin_eh(&w, &e, EM_X86_64);
	dump_leaf(&w, FUNC(0));
	w.words[1] = SP + 64;	      /* CFA of 0 */
	w.words[7] = FUNC(1) + 5;     /* its return address at CFA - 8, where rbp points to as well */
	w.words[4] = SP + 120;	      /* rbx, at CFA - 32 */
	dump_walk(&w);
	/* 1: CFA = SP + 128, return address at rbp = SP + 56 again: itself, at a greater CFA */
	CU_ASSERT_EQUAL(w.frames[1].pc, FUNC(1) + 5);
	CU_ASSERT_EQUAL(w.frames[1].sp, SP + 64);
	CU_ASSERT_EQUAL(w.frames[2].pc, FUNC(1) + 5);
	CU_ASSERT_EQUAL(w.frames[2].sp, SP + 128);
	/* there it stands still */
	CU_ASSERT_EQUAL(w.out.nr, 3);
	CU_ASSERT_EQUAL(w.out.end, UNWIND_BAD_MEMORY);
	dump_leaf(&w, FUNC(2));
	dump_set(&w, PERF_X86_BX, FUNC(3) - 0x80 + 9);
	dump_walk(&w);
	CHECK_PCS(&w, FUNC(2), FUNC(3) + 9);
	CU_ASSERT_EQUAL(w.frames[1].sp, SP + 24);
	dump_end(&w);
}

static void interrupted_code_is_where_it_was(void)
{
	struct entries e = {0};
	struct world w;

	put_cie(&e, false, false);
	put_fde(&e, 0, false, NULL, 0);
	put_fde(&e, 3, false, PROGRAM(DW_CFA_undefined, RIP));
	put_cie(&e, false, true);
	/* the trampoline: CFA from the saved rsp, rip beside it */
	put_fde(&e, 2, true, PROGRAM(DW_CFA_def_cfa_expression, 3, DW_OP_breg7, 16, DW_OP_deref,
				     DW_CFA_expression, RIP, 2, DW_OP_breg7, 24));
	dump_begin_eh(&w, &e, EM_X86_64);
	dump_leaf(&w, FUNC(0) + 1);
	w.words[0] = FUNC(2) + 1; /* into the trampoline: SP + 8 */
	w.words[3] = SP + 256;	  /* the interrupted rsp */
	w.words[4] = FUNC(3);	  /* the interrupted rip: a function's first byte */
	dump_walk(&w);
	CHECK_PCS(&w, FUNC(0) + 1, FUNC(2) + 1, FUNC(3));
	CU_ASSERT_EQUAL(w.frames[2].kind, UNWIND_PC_EXACT);
	CU_ASSERT_EQUAL(w.frames[2].lookup, FUNC(3));
	CU_ASSERT_EQUAL(w.frames[2].sp, SP + 256);
	CU_ASSERT_EQUAL(w.out.end, UNWIND_ROOT);
	/* on another stack: seen, and the end says so */
	w.words[3] = SP - 0x10000;
	w.words[4] = FUNC(0) + 2;
	dump_walk(&w);
	CHECK_PCS(&w, FUNC(0) + 1, FUNC(2) + 1, FUNC(0) + 2);
	CU_ASSERT_EQUAL(w.out.end, UNWIND_SIGNAL);
	dump_end(&w);
}

static void stacks_that_lie(void)
{
	struct entries e = {0};
	struct world w;

	put_cie(&e, false, false);
	put_fde(&e, 0, false, NULL, 0);
	put_fde(&e, 1, false, PROGRAM(DW_CFA_def_cfa_offset, 0)); /* CFA = SP: never on */
	put_fde(&e, 2, false, PROGRAM(DW_CFA_def_cfa, RBX, 0));
	dump_begin_eh(&w, &e, EM_X86_64);
	/* every word returns into 0: as many frames as words */
	for (unsigned i = 0; i < WORDS; i++)
		w.words[i] = FUNC(0) + 5;
	dump_leaf(&w, FUNC(0));
	dump_walk(&w);
	CU_ASSERT_EQUAL(w.out.nr, WORDS + 1);
	CU_ASSERT_EQUAL(w.out.end, UNWIND_TRUNCATED);
	dump_leaf(&w, FUNC(2)); /* CFA below SP */
	dump_set(&w, PERF_X86_BX, SP - 8);
	dump_walk(&w);
	CHECK_PCS(&w, FUNC(2));
	CU_ASSERT_EQUAL(w.out.end, UNWIND_BAD_MEMORY);
	w.in.regs_mask &= ~(UINT64_C(1) << PERF_X86_BX); /* a register that was not recorded */
	dump_walk(&w);
	CHECK_PCS(&w, FUNC(2));
	CU_ASSERT_EQUAL(w.out.end, UNWIND_BAD_MEMORY);
	dump_leaf(&w, 0x1234); /* no code there, and no reason to guess */
	dump_walk(&w);
	CHECK_PCS(&w, 0x1234);
	CU_ASSERT_EQUAL(w.out.end, UNWIND_NO_MAP);
	CU_ASSERT_EQUAL(w.frames[0].module, UINT32_MAX);
	dump_leaf(&w, FUNC(0));
	w.words[0] = 0x5555; /* a return address where nothing is mapped is none */
	dump_walk(&w);
	CHECK_PCS(&w, FUNC(0));
	CU_ASSERT_EQUAL(w.out.end, UNWIND_NO_MAP);
	w.words[0] = FUNC(5); /* no entry for it */
	dump_walk(&w);
	CHECK_PCS(&w, FUNC(0), FUNC(5));
	CU_ASSERT_EQUAL(w.out.end, UNWIND_NO_CFI);
	w.words[0] = 0;
	dump_walk(&w);
	CHECK_PCS(&w, FUNC(0));
	CU_ASSERT_EQUAL(w.out.end, UNWIND_ROOT);
	dump_end(&w);
}

static void any_byte_of_the_tables(void)
{
	struct entries e = {0};
	static const uint8_t values[] = {0, 1, 0x0f, 0x3f, 0x7f, 0x80, 0xff};

	put_four_functions(&e);
	put32(&e.b, 0);
	for (size_t at = 0; at < e.b.nr; at += 3) {
		uint8_t old = e.b.data[at];
		struct world w;

		e.b.data[at] = values[at / 3 % sizeof(values)];
		dump_begin(&w, &(struct binary){.machine = EM_X86_64, .section = ".eh_frame", .frames = e.b.data, .size = e.b.nr});
		lay_four_frames(&w);
		dump_walk(&w);
		CU_ASSERT_TRUE(w.out.nr >= 1 && w.out.end < UNWIND_ENDS);
		CU_ASSERT_EQUAL(w.frames[0].pc, FUNC(0) + 1);
		dump_end(&w);
		e.b.data[at] = old;
	}
	build_free(&e.b);
}

/* --- expressions ---------------------------------------------------------------------------------------- */

static bool evaluate(const uint8_t *bytes, size_t nr, uint64_t *v)
{
	static const uint64_t stack[2] = {42, 0x1122334455667788};
	const struct unwind_input in = {.stack = (const uint8_t *)stack, .stack_base = 0x1000, .stack_size = 16};
	const uint64_t regs[64] = {[RSP] = 0x1000};
	const struct expr_context c = {&in, regs, UINT64_C(1) << RSP, 0x2000, false};
	const struct code_expr e = {bytes, nr};

	return expr_evaluate(&e, &c, v);
}
#define EVALUATE(v, ...) evaluate((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}), v)

static void expressions(void)
{
	uint64_t v = 0;

	CU_ASSERT_TRUE(EVALUATE(&v, DW_OP_breg7, 8, DW_OP_deref));
	CU_ASSERT_EQUAL(v, UINT64_C(0x1122334455667788));
	CU_ASSERT_TRUE(EVALUATE(&v, DW_OP_bregx, 7, 8, DW_OP_deref_size, 2));
	CU_ASSERT_EQUAL(v, 0x7788);
	CU_ASSERT_TRUE(EVALUATE(&v, DW_OP_lit5, DW_OP_lit9, DW_OP_over, DW_OP_rot, DW_OP_mul, DW_OP_plus));
	CU_ASSERT_EQUAL(v, 5 * 9 + 5);
	CU_ASSERT_TRUE(EVALUATE(&v, DW_OP_lit5, DW_OP_lit9, DW_OP_pick, 1, DW_OP_minus));
	CU_ASSERT_EQUAL(v, 9 - 5);
	CU_ASSERT_TRUE(EVALUATE(&v, DW_OP_call_frame_cfa, DW_OP_plus_uconst, 0x83, 1));
	CU_ASSERT_EQUAL(v, 0x2083);
	/* the PLT's rule: rsp + 8 + ((rip & 15) >= 11) * 8 */
	CU_ASSERT_TRUE(EVALUATE(&v, DW_OP_lit12, DW_OP_lit11, DW_OP_ge, DW_OP_lit3, DW_OP_shl));
	CU_ASSERT_EQUAL(v, 8);
	CU_ASSERT_TRUE(EVALUATE(&v, DW_OP_const1s, 0xf9, DW_OP_lit2, DW_OP_shra));
	CU_ASSERT_EQUAL(v, (uint64_t)-2);
	CU_ASSERT_TRUE(EVALUATE(&v, DW_OP_const2u, 0xfe, 0xff, DW_OP_const2s, 0xfe, 0xff, DW_OP_plus));
	CU_ASSERT_EQUAL(v, 0xfffc);
	CU_ASSERT_TRUE(EVALUATE(&v, DW_OP_const4u, 0xfe, 0xff, 0xff, 0xff, DW_OP_const4s, 0xfe, 0xff, 0xff, 0xff, DW_OP_plus));
	CU_ASSERT_EQUAL(v, 0xfffffffc);
	CU_ASSERT_TRUE(EVALUATE(&v, DW_OP_constu, 0x80, 1, DW_OP_consts, 0x7f, DW_OP_plus));
	CU_ASSERT_EQUAL(v, 127);
	/* skips the lit1 */
	CU_ASSERT_TRUE(EVALUATE(&v, DW_OP_skip, 1, 0, DW_OP_lit1, DW_OP_lit2));
	CU_ASSERT_EQUAL(v, 2);
	/* counts down from 3, then 7: a branch back */
	CU_ASSERT_TRUE(EVALUATE(&v, DW_OP_lit3, DW_OP_lit1, DW_OP_minus, DW_OP_dup, DW_OP_bra, 0xfa, 0xff, DW_OP_lit7, DW_OP_plus));
	CU_ASSERT_EQUAL(v, 7);
}

static void expressions_that_fail(void)
{
	uint8_t many[100];
	uint64_t v;

	CU_ASSERT_FALSE(EVALUATE(&v, DW_OP_lit1, DW_OP_lit0, DW_OP_div));
	CU_ASSERT_FALSE(EVALUATE(&v, DW_OP_lit1, DW_OP_lit0, DW_OP_mod));
	CU_ASSERT_FALSE(EVALUATE(&v, DW_OP_const8u, 0, 0, 0, 0, 0, 0, 0, 0x80, DW_OP_const1s, 0xff, DW_OP_div));
	CU_ASSERT_FALSE(EVALUATE(&v, DW_OP_plus));
	CU_ASSERT_FALSE(EVALUATE(&v, DW_OP_drop));
	CU_ASSERT_FALSE(EVALUATE(&v, DW_OP_lit1, DW_OP_drop));
	CU_ASSERT_FALSE(EVALUATE(&v, DW_OP_lit1, DW_OP_pick, 1));
	CU_ASSERT_FALSE(EVALUATE(&v, DW_OP_breg3, 0)); /* not recorded */
	CU_ASSERT_FALSE(EVALUATE(&v, DW_OP_bregx, 0xe8, 7, 0));
	CU_ASSERT_FALSE(EVALUATE(&v, DW_OP_lit1, DW_OP_deref));
	CU_ASSERT_FALSE(EVALUATE(&v, DW_OP_breg7, 0, DW_OP_deref_size, 9));
	CU_ASSERT_FALSE(EVALUATE(&v, DW_OP_breg7, 0, DW_OP_deref_size, 0));
	CU_ASSERT_FALSE(EVALUATE(&v, DW_OP_lit1, DW_OP_swap));
	CU_ASSERT_FALSE(EVALUATE(&v, DW_OP_lit1, DW_OP_rot));
	CU_ASSERT_FALSE(EVALUATE(&v, DW_OP_lit1, DW_OP_lit2, DW_OP_rot));
	CU_ASSERT_FALSE(EVALUATE(&v, DW_OP_breg7, 9, DW_OP_deref));
	CU_ASSERT_FALSE(EVALUATE(&v, DW_OP_lit1, 0xe0));
	/* operands that are not there */
	CU_ASSERT_FALSE(EVALUATE(&v, DW_OP_lit1, DW_OP_const8u, 1, 2, 3));
	CU_ASSERT_FALSE(EVALUATE(&v, DW_OP_lit1, DW_OP_plus_uconst, 0x80));
	CU_ASSERT_FALSE(EVALUATE(&v, DW_OP_lit1, DW_OP_skip, 0));
	/* a loop without end, and branches out of the program */
	CU_ASSERT_FALSE(EVALUATE(&v, DW_OP_lit1, DW_OP_skip, 0xfd, 0xff));
	CU_ASSERT_FALSE(EVALUATE(&v, DW_OP_lit1, DW_OP_skip, 0xf7, 0xff));
	CU_ASSERT_FALSE(EVALUATE(&v, DW_OP_lit1, DW_OP_skip, 1, 0));
	memset(many, DW_OP_lit1, sizeof(many));
	CU_ASSERT_FALSE(evaluate(many, 100, &v));
	CU_ASSERT_TRUE(evaluate(many, 64, &v));
	CU_ASSERT_FALSE(evaluate(many, 0, &v));
}

/* --- arm64 ------------------------------------------------------------------------------------------------ */

static void arm64_link_register(void)
{
	struct entries e = {0};
	struct world w;

	put_cie(&e, true, false);
	put_fde(&e, 0, false, NULL, 0); /* frameless: LR */
	/* stp x29, x30, [sp, #-32]!, with a signed return address */
	put_fde(&e, 1, false, PROGRAM(DW_CFA_AARCH64_negate_ra_state, DW_CFA_def_cfa_offset, 32, DW_CFA_offset | 29, 4,
				      DW_CFA_offset | 30, 3));
	put_fde(&e, 2, false, PROGRAM(DW_CFA_undefined, 30));
	dump_begin_eh(&w, &e, EM_AARCH64);
	dump_leaf(&w, FUNC(0) + 4);
	dump_set(&w, PERF_ARM64_LR, FUNC(1) + 0x10);
	dump_set(&w, PERF_ARM64_X29, SP);
	w.words[0] = SP + 64;
	w.words[1] = (FUNC(2) + 0x20) | UINT64_C(0x0061) << 48; /* its authentication code */
	dump_walk(&w);
	CHECK_PCS(&w, FUNC(0) + 4, FUNC(1) + 0x10, FUNC(2) + 0x20);
	CU_ASSERT_EQUAL(w.out.end, UNWIND_ROOT);
	CU_ASSERT_EQUAL(w.frames[1].sp, SP);
	CU_ASSERT_EQUAL(w.frames[2].sp, SP + 32);
	CU_ASSERT_EQUAL(w.frames[1].lookup, FUNC(1) + 0xf);
	w.in.stack_size = 8;
	dump_walk(&w);
	CHECK_PCS(&w, FUNC(0) + 4, FUNC(1) + 0x10);
	CU_ASSERT_EQUAL(w.out.end, UNWIND_TRUNCATED);
	dump_end(&w);
}

static const struct suite_test tests[] = {
	{"registers_are_restored", registers_are_restored},
	{"dumps_cut_anywhere", dumps_cut_anywhere},
	{"debug_frame_also_compressed", debug_frame_also_compressed},
	{"rows_within_a_function", rows_within_a_function},
	{"expressions_give_places_and_values", expressions_give_places_and_values},
	{"interrupted_code_is_where_it_was", interrupted_code_is_where_it_was},
	{"stacks_that_lie", stacks_that_lie},
	{"any_byte_of_the_tables", any_byte_of_the_tables},
	{"expressions", expressions},
	{"expressions_that_fail", expressions_that_fail},
	{"arm64_link_register", arm64_link_register},
	{NULL, NULL},
};
const struct suite suite_unwind = {"unwind", tests};
