#include "unwind/expr.h"

#include <dwarf.h>

#include "base/cursor.h"

#define STACK_MAX 64
/* Backward branches make loops: so many steps and no more. */
#define STEPS_MAX 1000

struct machine {
	const struct expr_context *c;
	struct cursor cur;
	uint64_t stack[STACK_MAX];
	size_t nr;
};

static bool push(struct machine *m, uint64_t v)
{
	if (m->nr == STACK_MAX)
		return false;
	m->stack[m->nr++] = v;
	return true;
}

static bool push_reg(struct machine *m, uint64_t reg, uint64_t offset)
{
	return reg < 64 && m->c->valid >> reg & 1 && push(m, m->c->regs[reg] + offset);
}

static bool deref(struct machine *m, uint64_t size)
{
	uint64_t v;

	if (!m->nr || size == 0 || size > 8 || !unwind_read_stack(m->c->in, m->stack[m->nr - 1], &v))
		return false;
	m->stack[m->nr - 1] = size == 8 ? v : v & ((UINT64_C(1) << size * 8) - 1);
	return true;
}

static bool binary(struct machine *m, uint8_t op)
{
	uint64_t a, b, r;

	if (m->nr < 2)
		return false;
	b = m->stack[--m->nr];
	a = m->stack[m->nr - 1];
	switch (op) {
	case DW_OP_and:
		r = a & b;
		break;
	case DW_OP_div:
		if (!b || (b == UINT64_MAX && a == UINT64_C(1) << 63))
			return false;
		r = (uint64_t)((int64_t)a / (int64_t)b);
		break;
	case DW_OP_minus:
		r = a - b;
		break;
	case DW_OP_mod:
		if (!b)
			return false;
		r = a % b;
		break;
	case DW_OP_mul:
		r = a * b;
		break;
	case DW_OP_or:
		r = a | b;
		break;
	case DW_OP_plus:
		r = a + b;
		break;
	case DW_OP_shl:
		r = b < 64 ? a << b : 0;
		break;
	case DW_OP_shr:
		r = b < 64 ? a >> b : 0;
		break;
	case DW_OP_shra:
		r = (uint64_t)((int64_t)a >> (b < 63 ? b : 63));
		break;
	case DW_OP_xor:
		r = a ^ b;
		break;
	case DW_OP_eq:
		r = a == b;
		break;
	case DW_OP_ge:
		r = (int64_t)a >= (int64_t)b;
		break;
	case DW_OP_gt:
		r = (int64_t)a > (int64_t)b;
		break;
	case DW_OP_le:
		r = (int64_t)a <= (int64_t)b;
		break;
	case DW_OP_lt:
		r = (int64_t)a < (int64_t)b;
		break;
	case DW_OP_ne:
		r = a != b;
		break;
	default:
		return false;
	}
	m->stack[m->nr - 1] = r;
	return true;
}

static bool stack_op(struct machine *m, uint8_t op)
{
	uint64_t v;
	uint8_t n;

	if (!m->nr)
		return false;
	switch (op) {
	case DW_OP_dup:
		return push(m, m->stack[m->nr - 1]);
	case DW_OP_drop:
		m->nr--;
		return true;
	case DW_OP_over:
		return m->nr >= 2 && push(m, m->stack[m->nr - 2]);
	case DW_OP_pick:
		n = cursor_u8(&m->cur);
		return n < m->nr && push(m, m->stack[m->nr - 1 - n]);
	case DW_OP_swap:
		if (m->nr < 2)
			return false;
		v = m->stack[m->nr - 1];
		m->stack[m->nr - 1] = m->stack[m->nr - 2];
		m->stack[m->nr - 2] = v;
		return true;
	case DW_OP_rot:
		if (m->nr < 3)
			return false;
		v = m->stack[m->nr - 1];
		m->stack[m->nr - 1] = m->stack[m->nr - 2];
		m->stack[m->nr - 2] = m->stack[m->nr - 3];
		m->stack[m->nr - 3] = v;
		return true;
	case DW_OP_abs:
		if ((int64_t)m->stack[m->nr - 1] < 0)
			m->stack[m->nr - 1] = -m->stack[m->nr - 1];
		return true;
	case DW_OP_neg:
		m->stack[m->nr - 1] = -m->stack[m->nr - 1];
		return true;
	case DW_OP_not:
		m->stack[m->nr - 1] = ~m->stack[m->nr - 1];
		return true;
	case DW_OP_plus_uconst:
		m->stack[m->nr - 1] += cursor_uleb(&m->cur);
		return true;
	case DW_OP_deref:
		return deref(m, 8);
	case DW_OP_deref_size:
		return deref(m, cursor_u8(&m->cur));
	}
	return binary(m, op);
}

/* Offsets count from the byte behind the operand. */
static bool branch(struct machine *m, bool taken)
{
	int64_t offset = (int16_t)cursor_u16(&m->cur);

	if (!taken || m->cur.failed)
		return true;
	if (offset < m->cur.begin - m->cur.p || offset > m->cur.end - m->cur.p)
		return false;
	m->cur.p += offset;
	return true;
}

static bool step(struct machine *m)
{
	struct cursor *c = &m->cur;
	uint8_t op = cursor_u8(c);
	uint64_t reg;

	if (op >= DW_OP_lit0 && op <= DW_OP_lit31)
		return push(m, op - DW_OP_lit0);
	if (op >= DW_OP_breg0 && op <= DW_OP_breg31)
		return push_reg(m, op - DW_OP_breg0, (uint64_t)cursor_sleb(c));
	switch (op) {
	case DW_OP_bregx:
		reg = cursor_uleb(c);
		return push_reg(m, reg, (uint64_t)cursor_sleb(c));
	case DW_OP_const1u:
		return push(m, cursor_u8(c));
	case DW_OP_const1s:
		return push(m, (uint64_t)(int64_t)(int8_t)cursor_u8(c));
	case DW_OP_const2u:
		return push(m, cursor_u16(c));
	case DW_OP_const2s:
		return push(m, (uint64_t)(int64_t)(int16_t)cursor_u16(c));
	case DW_OP_const4u:
		return push(m, cursor_u32(c));
	case DW_OP_const4s:
		return push(m, (uint64_t)(int64_t)(int32_t)cursor_u32(c));
	case DW_OP_addr:
	case DW_OP_const8u:
	case DW_OP_const8s:
		return push(m, cursor_u64(c));
	case DW_OP_constu:
		return push(m, cursor_uleb(c));
	case DW_OP_consts:
		return push(m, (uint64_t)cursor_sleb(c));
	case DW_OP_call_frame_cfa:
		return push(m, m->c->cfa);
	case DW_OP_nop:
		return true;
	case DW_OP_skip:
		return branch(m, true);
	case DW_OP_bra:
		return m->nr && branch(m, m->stack[--m->nr] != 0);
	}
	return stack_op(m, op);
}

bool expr_evaluate(const struct code_expr *e, const struct expr_context *c, uint64_t *result)
{
	struct machine m = {.c = c, .cur = cursor_make(e->data, e->size, 0, false)};

	if (c->starts_with_cfa)
		push(&m, c->cfa);
	for (int steps = 0; cursor_left(&m.cur); steps++)
		if (steps == STEPS_MAX || !step(&m) || m.cur.failed)
			return false;
	if (!m.nr)
		return false;
	*result = m.stack[m.nr - 1];
	return true;
}
