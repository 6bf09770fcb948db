/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Decoders on targets that lie. The input is a call and the target's whole memory.
 *
 *	clang -g -fsanitize=fuzzer,address,undefined -D_GNU_SOURCE -I. tests/fuzz/fuzz_decode.c \
 *		tracer/syscalls.c tracer/detail.c tracer/symbols.c tracer/decode/[a-z]*.c \
 *		common/base/[a-z]*.c -lseccomp -o fuzz_decode
 *
 * With -DSTANDALONE it needs no libFuzzer: fuzz_decode [COUNT [SEED]] tries COUNT pseudo-random
 * inputs.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tracer/decode/decode.h"
#include "tracer/detail.h"

#define MEM_BASE 0x1000
/* A result that is larger than the memory can hold only makes more reads that fail. */
#define RET_MAX 5000

struct memory {
	const uint8_t *bytes;
	size_t len;
	uint64_t reads;
};

static ssize_t memory_read(void *ctx, uint64_t addr, void *buf, size_t len)
{
	struct memory *mem = ctx;
	uint64_t at = addr - MEM_BASE;

	mem->reads++;
	if (addr < MEM_BASE || at >= mem->len)
		return -EFAULT;
	if (len > mem->len - at)
		len = (size_t)(mem->len - at);
	memcpy(buf, mem->bytes + at, len);
	return (ssize_t)len;
}

/* The head of the input. Addresses are small, so that they often lie in the memory. */
struct call {
	uint8_t abi, outcome, gro, unused;
	uint16_t nr, gso_size;
	uint16_t args[6];
	int32_t ret;
	uint32_t high; /* upper halves of the arguments, by bit */
};

static void set_event(struct sys_event *ev, const struct call *call)
{
	*ev = (struct sys_event){
		.abi = call->abi % ABI_COUNT,
		.nr = call->nr % 600,
		.ret = call->ret > RET_MAX ? call->ret % RET_MAX : call->ret,
		.outcome = call->outcome % 3,
	};
	ev->def = sys_by_number(ev->abi, ev->nr);
	for (size_t i = 0; i < 6; i++)
		ev->args[i] = call->args[i] |
			      (call->high >> i & 1 && ev->abi != ABI_I386 ? 0xffffffff00000000 : 0);
}

static void check(const struct sys_event *ev, const struct memory *mem)
{
	const struct measure *m = &ev->m;
	int moved = m->bytes_moved != NOT_MEASURED || m->batch_moved != NOT_MEASURED ||
		    m->dgrams_moved != NOT_MEASURED;

	assert(sys_ok(ev) || !moved);
	/* At most a read for each message and each of its parts. */
	assert(mem->reads <= 16 + 4 * (uint64_t)RET_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct call call;
	struct memory memory = {0};
	struct mem_reader reader = {memory_read, &memory};
	struct sys_event ev;
	struct decode_env env;
	struct decode_in in = {&ev, &reader, &env};
	uint32_t gso_size;
	int gro;
	struct out o;

	if (size < sizeof(call))
		return 0;
	memcpy(&call, data, sizeof(call));
	memory.bytes = data + sizeof(call);
	memory.len = size - sizeof(call);
	env = (struct decode_env){.gso_size = call.gso_size, .gro = call.gro & 1};
	set_event(&ev, &call);
	decode_normalize(&ev, &reader);
	decode_entry(&in, &ev.m);
	decode_exit(&in, &ev.m);
	decode_udp_option(&in, &gso_size, &gro);
	check(&ev, &memory);
	out_init_mem(&o);
	detail_line(&o, &ev, 0);
	out_release(&o);
	return 0;
}

#ifdef STANDALONE

static uint64_t next(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* Bytes as they are found in structures: mostly small numbers and addresses. */
static void fill(uint8_t *p, size_t len, uint64_t *state)
{
	for (size_t i = 0; i + 4 <= len; i += 4) {
		uint64_t r = next(state);
		uint32_t v = (uint32_t)(r >> 32);

		if (r % 8 < 3)
			v = 0;
		else if (r % 8 < 5)
			v %= 64;
		else if (r % 8 < 7)
			v = MEM_BASE + v % 4096;
		memcpy(p + i, &v, sizeof(v));
	}
}

int main(int argc, char **argv)
{
	static const char *const names[] = {"sendmmsg", "recvmmsg", "sendmsg", "recvmsg", "writev",
		"readv", "vmsplice", "setsockopt", "sendto", "io_submit"};
	uint64_t count = argc > 1 ? strtoull(argv[1], NULL, 10) : 100000;
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1, state = seed * 2 + 1;
	static uint8_t data[sizeof(struct call) + 8192];

	for (uint64_t i = 0; i < count; i++) {
		size_t size = sizeof(struct call) + next(&state) % 8192;
		struct call call;

		fill(data, size, &state);
		memcpy(&call, data, sizeof(call));
		call.abi = (uint8_t)(next(&state) % ABI_COUNT);
		call.outcome = next(&state) % 4 ? SYS_RETURNED : (uint8_t)(next(&state) % 3);
		if (next(&state) % 8)
			call.nr = (uint16_t)sys_number(call.abi,
				sys_by_name(
					names[next(&state) % (sizeof(names) / sizeof(*names))]));
		call.args[1] = (uint16_t)(MEM_BASE + next(&state) % 512);
		call.args[2] = (uint16_t)(next(&state) % 40);
		call.ret = (int32_t)(next(&state) % 40);
		memcpy(data, &call, sizeof(call));
		LLVMFuzzerTestOneInput(data, size);
	}
	printf("fuzz_decode: %llu inputs, seed %llu: ok\n", (unsigned long long)count,
		(unsigned long long)seed);
	return 0;
}

#endif
