/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Runs a seccomp program of the target on what we know: the number and the architecture. Classic
 * BPF only jumps forward, so one pass is enough: each instruction gets the union of the states that
 * reach it, where a register is either one known value or unknown.
 */
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>

#include "common/base/mem.h"
#include "tracer/arch/abi.h"
#include "tracer/trap/filter.h"

#define I386_SOCKETCALL 102

struct value {
	uint8_t known;
	uint32_t v;
};

struct state {
	uint8_t reached;
	struct value a, x, mem[BPF_MEMWORDS];
};

struct run {
	const struct sock_filter *prog;
	size_t len;
	struct state *at; /* len states */
	uint32_t nr, arch;
	int interferes;
};

static struct value known(uint32_t v)
{
	return (struct value){1, v};
}

static void merge_value(struct value *into, struct value from)
{
	if (!into->known || !from.known || into->v != from.v)
		*into = (struct value){0};
}

static void reach(struct run *r, size_t target, const struct state *st)
{
	struct state *to;

	if (target >= r->len) {
		r->interferes = 1; /* the kernel refuses such programs */
		return;
	}
	to = &r->at[target];
	if (!to->reached) {
		*to = *st;
		return;
	}
	merge_value(&to->a, st->a);
	merge_value(&to->x, st->x);
	for (size_t i = 0; i < BPF_MEMWORDS; i++)
		merge_value(&to->mem[i], st->mem[i]);
}

static struct value load(const struct run *r, const struct state *st, const struct sock_filter *f)
{
	switch (BPF_MODE(f->code)) {
	case BPF_IMM:
		return known(f->k);
	case BPF_MEM:
		return f->k < BPF_MEMWORDS ? st->mem[f->k] : (struct value){0};
	case BPF_LEN:
		return known(sizeof(struct seccomp_data));
	case BPF_ABS:
		if (f->k == offsetof(struct seccomp_data, nr))
			return known(r->nr);
		if (f->k == offsetof(struct seccomp_data, arch))
			return known(r->arch);
		return (struct value){0};
	default:
		return (struct value){0};
	}
}

static struct value alu(struct value a, uint16_t op, struct value b)
{
	if (op == BPF_NEG)
		return a.known ? known(-a.v) : a;
	if (!a.known || !b.known)
		return (struct value){0};
	switch (op) {
	case BPF_ADD:
		return known(a.v + b.v);
	case BPF_SUB:
		return known(a.v - b.v);
	case BPF_MUL:
		return known(a.v * b.v);
	case BPF_DIV:
		return b.v ? known(a.v / b.v) : (struct value){0};
	case BPF_AND:
		return known(a.v & b.v);
	case BPF_OR:
		return known(a.v | b.v);
	case BPF_XOR:
		return known(a.v ^ b.v);
	case BPF_LSH:
		return known(a.v << (b.v & 31));
	case BPF_RSH:
		return known(a.v >> (b.v & 31));
	default:
		return (struct value){0};
	}
}

static int compare(uint16_t op, uint32_t a, uint32_t b)
{
	switch (op) {
	case BPF_JEQ:
		return a == b;
	case BPF_JGT:
		return a > b;
	case BPF_JGE:
		return a >= b;
	default: /* BPF_JSET */
		return (a & b) != 0;
	}
}

static void jump(struct run *r, size_t i, const struct state *st)
{
	const struct sock_filter *f = &r->prog[i];
	struct value b = BPF_SRC(f->code) == BPF_X ? st->x : known(f->k);

	if (BPF_OP(f->code) == BPF_JA) {
		reach(r, i + 1 + f->k, st);
	} else if (st->a.known && b.known) {
		reach(r, i + 1 + (compare(BPF_OP(f->code), st->a.v, b.v) ? f->jt : f->jf), st);
	} else {
		reach(r, i + 1 + f->jt, st);
		reach(r, i + 1 + f->jf, st);
	}
}

static void verdict(struct run *r, struct value action)
{
	uint32_t a = action.v & SECCOMP_RET_ACTION_FULL;

	if (!action.known || (a != SECCOMP_RET_ALLOW && a != SECCOMP_RET_LOG))
		r->interferes = 1;
}

static void step(struct run *r, size_t i)
{
	const struct sock_filter *f = &r->prog[i];
	struct state st = r->at[i];
	struct value operand;

	switch (BPF_CLASS(f->code)) {
	case BPF_LD:
		st.a = load(r, &st, f);
		break;
	case BPF_LDX:
		st.x = load(r, &st, f);
		break;
	case BPF_ST:
	case BPF_STX:
		if (f->k < BPF_MEMWORDS)
			st.mem[f->k] = BPF_CLASS(f->code) == BPF_ST ? st.a : st.x;
		break;
	case BPF_ALU:
		operand = BPF_SRC(f->code) == BPF_X ? st.x : known(f->k);
		if (BPF_OP(f->code) == BPF_DIV && (!operand.known || !operand.v))
			r->interferes = 1; /* a division by 0 ends the program with KILL */
		st.a = alu(st.a, BPF_OP(f->code), operand);
		break;
	case BPF_JMP:
		jump(r, i, &st);
		return;
	case BPF_RET:
		verdict(r, BPF_RVAL(f->code) == BPF_A ? st.a : known(f->k));
		return;
	default: /* BPF_MISC */
		if (BPF_MISCOP(f->code) == BPF_TAX)
			st.x = st.a;
		else
			st.a = st.x;
	}
	reach(r, i + 1, &st);
}

static int interferes_with(const struct sock_filter *prog, size_t len, uint32_t arch, uint32_t nr)
{
	struct run r = {.prog = prog, .len = len, .nr = nr, .arch = arch};

	r.at = mem_calloc(len, sizeof(*r.at));
	r.at[0].reached = 1;
	for (size_t i = 0; i < len && !r.interferes; i++)
		if (r.at[i].reached)
			step(&r, i);
	free(r.at);
	return r.interferes;
}

static int matters(const struct control_map *map, const struct sys_def *def)
{
	return (map->traced[def->index] || map->kind[def->index]) &&
	       !control_only_follows(map, def);
}

/* Could a call that we watch come through socketcall(2)? Which one it is, is in its argument. */
static int any_socketcall(const struct control_map *map)
{
	for (size_t i = 0; i < map->len; i++)
		if (matters(map, sys_by_index(i)) && sys_by_index(i)->class == CLASS_NETWORK)
			return 1;
	return 0;
}

int filter_may_interfere(
	const struct sock_filter *prog, size_t len, int abi, const struct control_map *map)
{
	uint32_t arch = abi_audit_arch(abi);

	if (!len)
		return 1;
	for (uint32_t nr = 0; nr < SYS_NUMBERS_MAX; nr++) {
		const struct sys_def *def = sys_find(abi, nr);

		if (def && def->index < map->len && matters(map, def) &&
			interferes_with(prog, len, arch, nr | (abi == ABI_X32 ? X32_BIT : 0)))
			return 1;
	}
	return abi == ABI_I386 && any_socketcall(map) &&
	       interferes_with(prog, len, arch, I386_SOCKETCALL);
}
