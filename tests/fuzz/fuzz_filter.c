/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Seccomp programs of the target. Whatever the program: no memory error. And if it is said of one
 * that the kernel would take that it cannot hide a call, then it does not, whatever the arguments.
 */
#include <linux/audit.h>
#include <linux/seccomp.h>

#include "tests/fuzz/fuzz.h"
#include "tests/unit/bpf_machine.h"
#include "tracer/trap/filter.h"

enum { PROGRAM_MAX = 256 };

struct input {
	uint8_t abi, unused[7];
	struct seccomp_data data;
};

static int takes_load(const struct sock_filter *f)
{
	switch (f->code) {
	case BPF_LD | BPF_W | BPF_ABS:
		return f->k < sizeof(struct seccomp_data) && f->k % 4 == 0;
	case BPF_LD | BPF_IMM:
	case BPF_LDX | BPF_IMM:
	case BPF_LD | BPF_W | BPF_LEN:
	case BPF_LDX | BPF_W | BPF_LEN:
	case BPF_MISC | BPF_TAX:
	case BPF_MISC | BPF_TXA:
	case BPF_RET | BPF_K:
	case BPF_RET | BPF_A:
		return 1;
	case BPF_LD | BPF_MEM:
	case BPF_LDX | BPF_MEM:
	case BPF_ST:
	case BPF_STX:
		return f->k < BPF_MEMWORDS;
	default:
		return 0;
	}
}

static int takes_alu(const struct sock_filter *f)
{
	uint16_t op = BPF_OP(f->code);
	int constant = BPF_SRC(f->code) == BPF_K;

	if (f->code != (BPF_ALU | op | BPF_SRC(f->code)) || op > BPF_XOR || op == BPF_MOD)
		return 0;
	if (op == BPF_NEG)
		return constant;
	if (op == BPF_DIV)
		return !constant || f->k;
	return !constant || (op != BPF_LSH && op != BPF_RSH) || f->k < 32;
}

static int takes_jump(const struct sock_filter *f, size_t left)
{
	uint16_t op = BPF_OP(f->code);

	if (f->code != (BPF_JMP | op | BPF_SRC(f->code)) || op > BPF_JSET)
		return 0;
	if (op == BPF_JA)
		return BPF_SRC(f->code) == BPF_K && f->k < left;
	return f->jt < left && f->jf < left;
}

/* As the kernel checks a program (net/core/filter.c, kernel/seccomp.c), but for scratch memory that
 * is read before it is written, which is 0 in both machines here. */
static int kernel_takes(const struct sock_filter *prog, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		const struct sock_filter *f = &prog[i];
		int ok = BPF_CLASS(f->code) == BPF_ALU   ? takes_alu(f)
			 : BPF_CLASS(f->code) == BPF_JMP ? takes_jump(f, len - i - 1)
							 : takes_load(f);

		if (!ok)
			return 0;
	}
	return len && BPF_CLASS(prog[len - 1].code) == BPF_RET;
}

static void check(const struct sock_filter *prog, struct input *in, const struct control_map *map)
{
	struct seccomp_data *data = &in->data;

	data->arch = in->abi == ABI_I386 ? AUDIT_ARCH_I386 : AUDIT_ARCH_X86_64;
	for (uint32_t nr = 0; nr < SYS_NUMBERS_MAX; nr++) {
		const struct sys_def *def = sys_find(in->abi, nr);
		uint32_t action;

		if (!def || (!map->traced[def->index] && !map->kind[def->index]))
			continue;
		data->nr = (int)(nr | (in->abi == ABI_X32 ? 0x40000000 : 0));
		action = bpf_run(prog, data) & SECCOMP_RET_ACTION_FULL;
		FUZZ_CHECK(action == SECCOMP_RET_ALLOW || action == SECCOMP_RET_LOG);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct control_map map;
	static struct sock_filter prog[PROGRAM_MAX];
	size_t len;
	struct input in;
	int interferes;

	if (!map.len) {
		struct sys_set set = {0};

		FUZZ_CHECK(sys_set_parse(&set, "write", NULL) == 0);
		control_map_build(&map, &set, 0);
		memset(map.kind, CONTROL_NONE, map.len);
		sys_set_release(&set);
	}
	if (size < sizeof(in))
		return 0;
	memcpy(&in, data, sizeof(in));
	in.abi %= ABI_COUNT;
	len = (size - sizeof(in)) / sizeof(*prog);
	len = len < PROGRAM_MAX ? len : PROGRAM_MAX;
	memcpy(prog, data + sizeof(in), len * sizeof(*prog));
	interferes = filter_may_interfere(prog, len, in.abi, &map);
	if (!interferes && kernel_takes(prog, len))
		check(prog, &in, &map);
	return 0;
}
