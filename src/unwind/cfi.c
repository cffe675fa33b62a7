#include "unwind/cfi.h"

#include <dwarf.h>

#include "unwind/cfi_entries.h"

#define REMEMBER_MAX 8 /* DW_CFA_remember_state, nested; compilers use one */

struct rule {
	uint8_t kind; /* enum saved_kind, or SAVED_SAME */
	int32_t value;
	struct code_expr expr;
};
#define SAVED_SAME 255

struct state {
	struct rule reg[CODE_MAX_REGS];
	uint64_t cfa_reg;
	int64_t cfa_offset;
	struct code_expr cfa_expr; /* data NULL: register and offset */
};

struct program {
	const struct cfi *cfi;
	const struct cie *cie;
	struct state now;
	const struct state *initial; /* after the CIE's own instructions; NULL while they run */
	struct state remembered[REMEMBER_MAX];
	size_t nr_remembered;
	uint64_t loc, target;
};

/* What holds where the program says nothing: System V ABI x86-64 3.2.1, AAPCS64 6.1.1. */
static void abi_rules(uint16_t machine, struct state *s)
{
	static const uint8_t x86[] = {3, 6, 12, 13, 14, 15};
	enum { X86_SP = 7, ARM_CALLEE = 19, ARM_LR = 30, ARM_SP = 31 };

	for (unsigned i = 0; i < CODE_MAX_REGS; i++)
		s->reg[i].kind = SAVED_NONE;
	if (machine == EM_AARCH64) {
		for (unsigned i = ARM_CALLEE; i <= ARM_LR; i++)
			s->reg[i].kind = SAVED_SAME;
		s->reg[ARM_SP].kind = SAVED_CFA;
	} else {
		for (unsigned i = 0; i < sizeof(x86); i++)
			s->reg[x86[i]].kind = SAVED_SAME;
		s->reg[X86_SP].kind = SAVED_CFA;
	}
}

/* A register we do not follow (vectors, flags) may have any rule. */
static void set_rule(struct program *p, uint64_t reg, enum saved_kind kind, int64_t value)
{
	if (reg >= CODE_MAX_REGS)
		return;
	p->now.reg[reg] = (struct rule){.kind = (uint8_t)kind, .value = (int32_t)value};
	if (value != (int32_t)value)
		p->now.reg[reg].kind = SAVED_NONE;
}

static int64_t scaled(const struct program *p, uint64_t n)
{
	return (int64_t)(n * (uint64_t)p->cie->data_align);
}

static struct code_expr read_block(struct cursor *cur)
{
	uint64_t n = cursor_uleb(cur);

	return (struct code_expr){cursor_take(cur, n), n};
}

static void set_expr(struct program *p, struct cursor *cur, enum saved_kind kind)
{
	uint64_t reg = cursor_uleb(cur);
	struct code_expr e = read_block(cur);

	if (reg < CODE_MAX_REGS)
		p->now.reg[reg] = (struct rule){.kind = (uint8_t)kind, .expr = e};
}

static void restore(struct program *p, uint64_t reg)
{
	if (reg < CODE_MAX_REGS && p->initial)
		p->now.reg[reg] = p->initial->reg[reg];
}

static void set_cfa(struct program *p, uint64_t reg, int64_t offset)
{
	p->now.cfa_reg = reg;
	p->now.cfa_offset = offset;
	p->now.cfa_expr.data = NULL;
}

/* True when the row that was built is the one for target. */
static bool advance(struct program *p, uint64_t delta)
{
	p->loc += delta * p->cie->code_align;
	return p->loc > p->target;
}

/* The instructions without a register in their own byte. False ends the program: failed, or the row is there. */
static bool step_extended(struct program *p, struct cursor *cur, uint8_t op)
{
	uint64_t reg;

	switch (op) {
	case DW_CFA_nop:
	case DW_CFA_AARCH64_negate_ra_state: /* what signs an address is cut off it anyway */
		return true;
	case DW_CFA_set_loc:
		p->loc = cfi_pointer(p->cfi, cur, p->cie->encoding, p->cie->address_size);
		return p->loc <= p->target;
	case DW_CFA_advance_loc1:
		return !advance(p, cursor_u8(cur));
	case DW_CFA_advance_loc2:
		return !advance(p, cursor_u16(cur));
	case DW_CFA_advance_loc4:
		return !advance(p, cursor_u32(cur));
	case DW_CFA_offset_extended:
		reg = cursor_uleb(cur);
		set_rule(p, reg, SAVED_AT_CFA, scaled(p, cursor_uleb(cur)));
		return true;
	case DW_CFA_offset_extended_sf:
		reg = cursor_uleb(cur);
		set_rule(p, reg, SAVED_AT_CFA, scaled(p, (uint64_t)cursor_sleb(cur)));
		return true;
	case DW_CFA_GNU_negative_offset_extended:
		reg = cursor_uleb(cur);
		set_rule(p, reg, SAVED_AT_CFA, scaled(p, -cursor_uleb(cur)));
		return true;
	case DW_CFA_val_offset:
		reg = cursor_uleb(cur);
		set_rule(p, reg, SAVED_CFA, scaled(p, cursor_uleb(cur)));
		return true;
	case DW_CFA_val_offset_sf:
		reg = cursor_uleb(cur);
		set_rule(p, reg, SAVED_CFA, scaled(p, (uint64_t)cursor_sleb(cur)));
		return true;
	case DW_CFA_restore_extended:
		restore(p, cursor_uleb(cur));
		return true;
	case DW_CFA_undefined:
		set_rule(p, cursor_uleb(cur), SAVED_NONE, 0);
		return true;
	case DW_CFA_same_value:
		set_rule(p, cursor_uleb(cur), (enum saved_kind)SAVED_SAME, 0);
		return true;
	case DW_CFA_register:
		reg = cursor_uleb(cur);
		{
			uint64_t from = cursor_uleb(cur);

			set_rule(p, reg, from < CODE_MAX_REGS ? SAVED_REG : SAVED_NONE, (int64_t)from);
		}
		return true;
	case DW_CFA_remember_state:
		if (p->nr_remembered == REMEMBER_MAX)
			return !(cur->failed = true);
		p->remembered[p->nr_remembered++] = p->now;
		return true;
	case DW_CFA_restore_state:
		if (!p->nr_remembered)
			return !(cur->failed = true);
		p->now = p->remembered[--p->nr_remembered];
		return true;
	case DW_CFA_def_cfa:
		reg = cursor_uleb(cur);
		set_cfa(p, reg, (int64_t)cursor_uleb(cur));
		return true;
	case DW_CFA_def_cfa_sf:
		reg = cursor_uleb(cur);
		set_cfa(p, reg, scaled(p, (uint64_t)cursor_sleb(cur)));
		return true;
	case DW_CFA_def_cfa_register:
		set_cfa(p, cursor_uleb(cur), p->now.cfa_offset);
		return true;
	case DW_CFA_def_cfa_offset:
		p->now.cfa_offset = (int64_t)cursor_uleb(cur);
		return true;
	case DW_CFA_def_cfa_offset_sf:
		p->now.cfa_offset = scaled(p, (uint64_t)cursor_sleb(cur));
		return true;
	case DW_CFA_def_cfa_expression:
		p->now.cfa_expr = read_block(cur);
		return true;
	case DW_CFA_expression:
		set_expr(p, cur, SAVED_AT_EXPR);
		return true;
	case DW_CFA_val_expression:
		set_expr(p, cur, SAVED_EXPR);
		return true;
	case DW_CFA_GNU_args_size:
		cursor_uleb(cur);
		return true;
	}
	return !(cur->failed = true);
}

/* Runs until the row of target is there. */
static bool run(struct program *p, size_t from, size_t to)
{
	struct cursor cur = cfi_cursor(p->cfi, from, to);
	bool on = true;

	while (on && !cur.failed && cursor_left(&cur)) {
		uint8_t op = cursor_u8(&cur), low = op & 0x3f;

		switch (op & 0xc0) {
		case DW_CFA_advance_loc:
			on = !advance(p, low);
			break;
		case DW_CFA_offset:
			set_rule(p, low, SAVED_AT_CFA, scaled(p, cursor_uleb(&cur)));
			break;
		case DW_CFA_restore:
			restore(p, low);
			break;
		default:
			on = step_extended(p, &cur, op);
		}
	}
	return !cur.failed;
}

static bool take_row(const struct program *p, struct code *code, struct code_saved *saved)
{
	const struct state *s = &p->now;
	unsigned nr = p->cfi->machine == EM_AARCH64 ? 32 : 17; /* x0–x30 and sp; rax–r15 and the return address */

	if (p->cie->ra >= CODE_MAX_REGS)
		return false;
	if (s->cfa_expr.data) {
		code->cfa_reg = CODE_CFA_EXPR;
		code->cfa_expr = s->cfa_expr;
	} else if (s->cfa_reg < CODE_MAX_REGS && s->cfa_offset == (int32_t)s->cfa_offset) {
		code->cfa_reg = (uint8_t)s->cfa_reg;
		code->cfa_offset = (int32_t)s->cfa_offset;
	} else {
		return false;
	}
	code->ra_reg = (uint8_t)p->cie->ra;
	code->signal = p->cie->signal;
	for (unsigned i = 0; i < nr; i++) {
		const struct rule *r = &s->reg[i];

		if (r->kind != SAVED_SAME)
			saved[code->nr_saved++] = (struct code_saved){(uint8_t)i, r->kind, r->value, r->expr};
	}
	return true;
}

bool cfi_row(const struct cfi *c, uint64_t vaddr, struct code *code, struct code_saved *saved)
{
	const struct cfi_entry *e = cfi_find(c, vaddr);
	struct program p = {.cfi = c};
	struct state initial;
	struct cie cie;

	if (!e || !cfi_read_cie(c, e->cie, &cie))
		return false;
	p.cie = &cie;
	p.now.cfa_reg = CODE_CFA_EXPR; /* none yet */
	abi_rules(c->machine, &p.now);
	p.loc = e->start;
	p.target = vaddr;
	if (!run(&p, cie.program, cie.program_end))
		return false;
	initial = p.now;
	p.initial = &initial;
	return run(&p, e->program, e->program_end) && take_row(&p, code, saved);
}
