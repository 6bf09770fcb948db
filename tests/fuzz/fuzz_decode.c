/* SPDX-License-Identifier: GPL-3.0-only */
/* Decoders on targets that lie. The input is a call and the target's whole memory. */
#include <errno.h>

#include "tests/fuzz/fuzz.h"
#include "tracer/decode/decode.h"
#include "tracer/detail/detail.h"
#include "tracer/trap/own_filter.h"

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

	FUZZ_CHECK(sys_ok(ev) || !moved);
	/* At most a read for each message and each of its parts. */
	FUZZ_CHECK(mem->reads <= 16 + 4 * (uint64_t)RET_MAX);
}

static void print(const struct sys_event *ev)
{
	struct out o;

	out_init_mem(&o);
	detail_line(&o, ev, 0);
	FUZZ_CHECK(o.len >= DETAIL_LINE_MIN && out_text(&o)[o.len - 1] == '\n');
	out_release(&o);
}

static void found(void *ctx, int32_t fd)
{
	((struct decode_env *)ctx)->gso_size ^= (uint32_t)fd;
}

/* The program of a filter that is about to be installed lies in the target's memory too. */
static void installs(const struct sys_event *ev, const struct mem_reader *reader)
{
	static struct control_map map;

	if (!map.len) {
		struct sys_set set = {0};

		FUZZ_CHECK(sys_set_parse(&set, "write", NULL) == 0);
		control_map_build(&map, &set, 0);
		sys_set_release(&set);
	}
	if (strcmp(ev->def->name, "prctl") == 0 || strcmp(ev->def->name, "seccomp") == 0)
		own_filter_entry(ev, reader, &map);
}

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
	print(&ev);
	decode_rights(&in, found, &env);
	installs(&ev, &reader);
	return 0;
}
