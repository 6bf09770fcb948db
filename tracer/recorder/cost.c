/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/recorder/cost.h"

#include <linux/prctl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "common/base/clock.h"
#include "tracer/arch/arch.h"
#include "tracer/event.h"
#include "tracer/recorder/recorder.h"

#define ROUNDS      8
#define ROUND_CALLS 50 /* fewer than a small ring holds */
#define CODE        (REGION_ADDR + REGION_CODE_BYTES - 4096)
#define TRAMP       (CODE + TRAMP_BYTES)

void recorder_cost_prepare(struct recorder_cost *c, const struct recorder *f)
{
	*c = (struct recorder_cost){.nr = -1};
	if (!f->on)
		return;
	c->dispatch = f->dispatch;
	c->clock = f->timeless ? CLOCK_TAKE : CLOCK_READ;
	/* A call that the filter stops, and lets the stub make, whose first argument is an fd: none
	 * is -1. */
	for (uint32_t nr = 0; nr < BLOCK_KINDS_LEN && c->nr < 0; nr++) {
		const struct sys_def *def = sys_find(ABI_NATIVE, nr);

		if (def && def->fd == 1 && f->kinds[nr] != KIND_PASS)
			c->nr = nr;
	}
}

static uint64_t round_ns(const struct recorder_cost *c, uint64_t code)
{
	uint64_t begin = clock_mono_ns();

	c->block->tail = c->block->head;
	for (int i = 0; i < ROUND_CALLS; i++)
		arch_call(code, c->nr);
	return clock_mono_ns() - begin;
}

/* Of one call, in the quickest round. */
static uint64_t call_ns(const struct recorder_cost *c, uint64_t code)
{
	uint64_t best = UINT64_MAX;

	for (int i = 0; i < ROUNDS; i++) {
		uint64_t ns = round_ns(c, code);

		best = ns < best ? ns : best;
	}
	return best / ROUND_CALLS;
}

/* The child has all that a target has, but for a tracer that takes the records. */
static int map_all(struct recorder_cost *c)
{
	uint8_t tramp[TRAMP_BYTES];
	size_t bytes, call_bytes;
	const void *stub = arch_stub(&bytes), *call = arch_call_code(&call_bytes);
	uint8_t *at = mmap((void *)REGION_ADDR, ARENA_OFFSET + BLOCK_BYTES, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	if (at != (uint8_t *)REGION_ADDR || bytes > REGION_CODE_BYTES - 4096)
		return -1;
	memcpy(at, stub, bytes);
	arch_tramp(tramp, TRAMP, CODE, NULL, 0);
	memcpy((void *)CODE, call, call_bytes);
	memcpy((void *)TRAMP, tramp, sizeof(tramp));
	at[ALIVE_OFFSET] = 1;
	c->block = (struct block *)(at + ARENA_OFFSET);
	c->block->base = (uint64_t)(uintptr_t)c->block + BLOCK_RING;
	c->block->mask = SMALL_RING_RECORDS - 1;
	c->block->limit = SMALL_RING_RECORDS;
	c->block->kinds[c->nr] = KIND_PLAIN;
	c->block->clocks[c->nr] = c->clock;
	c->block->coarse = (uint64_t)(uintptr_t)&c->block->wait;
	c->block->measured = KIND_FIRST_MEASURED;
	return mprotect(at, REGION_CODE_BYTES, PROT_READ | PROT_EXEC);
}

/* That the selector lets everything pass makes no difference to the stub's calls, for which it is
 * not read; 0: the kernel has no dispatch. */
static uint64_t dispatched_ns(const struct recorder_cost *c)
{
	uint64_t from, len, ns;
	char selector = SYSCALL_DISPATCH_FILTER_ALLOW;

	arch_stub_range(&from, &len);
	if (prctl(PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_ON, from, len, &selector) < 0)
		return 0;
	ns = call_ns(c, TRAMP);
	prctl(PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_OFF, 0, 0, 0);
	return ns;
}

void recorder_cost_before(struct recorder_cost *c)
{
	if (c->nr < 0)
		return;
	if (map_all(c) < 0 || arch_use_block(c->block) < 0) {
		c->block = NULL;
		return;
	}
	c->plain_ns = call_ns(c, CODE);
	if (c->dispatch)
		c->dispatched_ns = dispatched_ns(c);
}

uint64_t recorder_cost_after(const struct recorder_cost *c)
{
	uint64_t ns;

	if (!c->block)
		return 0;
	ns = c->dispatch ? c->dispatched_ns : call_ns(c, TRAMP);
	if (!ns)
		return 0;
	return ns > c->plain_ns ? ns - c->plain_ns : 1;
}
