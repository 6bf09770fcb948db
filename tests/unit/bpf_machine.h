/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TESTS_BPF_MACHINE_H
#define TESTS_BPF_MACHINE_H

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/*
 * A seccomp program run on one call, as the kernel does it (net/core/filter.c): registers start at
 * 0, a division by a register that is 0 ends it with 0 (KILL), shifts take the low five bits. The
 * program must be one that the kernel would take.
 */
struct bpf_machine {
	uint32_t a, x, mem[BPF_MEMWORDS];
};

static inline uint32_t bpf_load(
	const struct bpf_machine *m, const struct sock_filter *f, const struct seccomp_data *data)
{
	uint32_t v = f->k;

	if (BPF_MODE(f->code) == BPF_MEM)
		return m->mem[f->k];
	if (BPF_MODE(f->code) == BPF_LEN)
		return sizeof(*data);
	if (BPF_MODE(f->code) == BPF_ABS)
		memcpy(&v, (const char *)data + f->k, sizeof(v));
	return v;
}

static inline uint32_t bpf_alu(uint32_t a, uint16_t op, uint32_t b)
{
	switch (op) {
	case BPF_ADD:
		return a + b;
	case BPF_SUB:
		return a - b;
	case BPF_MUL:
		return a * b;
	case BPF_DIV:
		return a / b;
	case BPF_AND:
		return a & b;
	case BPF_OR:
		return a | b;
	case BPF_XOR:
		return a ^ b;
	case BPF_LSH:
		return a << (b & 31);
	case BPF_RSH:
		return a >> (b & 31);
	default: /* BPF_NEG */
		return -a;
	}
}

static inline size_t bpf_jump(const struct sock_filter *f, uint32_t a, uint32_t b)
{
	switch (BPF_OP(f->code)) {
	case BPF_JA:
		return f->k;
	case BPF_JEQ:
		return a == b ? f->jt : f->jf;
	case BPF_JGT:
		return a > b ? f->jt : f->jf;
	case BPF_JGE:
		return a >= b ? f->jt : f->jf;
	default: /* BPF_JSET */
		return a & b ? f->jt : f->jf;
	}
}

static inline uint32_t bpf_run(const struct sock_filter *prog, const struct seccomp_data *data)
{
	struct bpf_machine m = {0};

	for (const struct sock_filter *f = prog;; f++) {
		uint32_t b = BPF_SRC(f->code) == BPF_X ? m.x : f->k;

		switch (BPF_CLASS(f->code)) {
		case BPF_LD:
			m.a = bpf_load(&m, f, data);
			break;
		case BPF_LDX:
			m.x = bpf_load(&m, f, data);
			break;
		case BPF_ST:
			m.mem[f->k] = m.a;
			break;
		case BPF_STX:
			m.mem[f->k] = m.x;
			break;
		case BPF_ALU:
			if (BPF_OP(f->code) == BPF_DIV && !b)
				return 0;
			m.a = bpf_alu(m.a, BPF_OP(f->code), b);
			break;
		case BPF_JMP:
			f += bpf_jump(f, m.a, b);
			break;
		case BPF_RET:
			return BPF_RVAL(f->code) == BPF_A ? m.a : f->k;
		default: /* BPF_MISC */
			if (BPF_MISCOP(f->code) == BPF_TAX)
				m.x = m.a;
			else
				m.a = m.x;
		}
	}
}

#endif
