/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TESTS_FAKE_TARGET_H
#define TESTS_FAKE_TARGET_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tracer/decode/decode.h"

/*
 * A target for decoders: one stretch of memory, readable up to its end, in which the n-th read can
 * be made to fail, and a call. Structures are written in the layout of the call's ABI.
 */
#define MEM_BASE  0x10000ULL
#define MEM_BYTES 0x100000ULL

struct target {
	uint8_t bytes[MEM_BYTES];
	unsigned int reads, fail_at; /* fail_at: 1 = the first read; 0 = none */
	struct mem_reader mem;
	struct decode_env env;
	struct sys_event ev;
	struct measure m;
};

static ssize_t target_read(void *ctx, uint64_t addr, void *buf, size_t len)
{
	struct target *t = ctx;

	assert_int_not_equal(len, 0);
	if (++t->reads == t->fail_at || addr < MEM_BASE || addr >= MEM_BASE + MEM_BYTES)
		return -EFAULT;
	if (len > MEM_BASE + MEM_BYTES - addr)
		len = (size_t)(MEM_BASE + MEM_BYTES - addr);
	memcpy(buf, t->bytes + (addr - MEM_BASE), len);
	return (ssize_t)len;
}

static inline struct target *target_new(const char *name, enum abi abi)
{
	struct target *t = calloc(1, sizeof(*t));

	assert_non_null(t);
	t->mem = (struct mem_reader){target_read, t};
	t->ev = (struct sys_event){.def = sys_by_name(name), .abi = abi};
	assert_non_null(t->ev.def);
	return t;
}

static inline void target_put(struct target *t, uint64_t addr, const void *p, size_t len)
{
	if (addr < MEM_BASE || addr + len > MEM_BASE + MEM_BYTES) {
		fail_msg("the test writes outside its memory");
		return; /* never: but cmocka does not say so to the compiler */
	}
	memcpy(t->bytes + (addr - MEM_BASE), p, len);
}

/* A pointer or a size, as wide as in the ABI; returns the address after it. */
static inline uint64_t target_put_word(struct target *t, uint64_t addr, uint64_t v)
{
	size_t len = t->ev.abi == ABI_NATIVE ? 8 : 4;

	target_put(t, addr, &v, len);
	return addr + len;
}

static inline uint64_t target_put_u32(struct target *t, uint64_t addr, uint32_t v)
{
	target_put(t, addr, &v, sizeof(v));
	return addr + sizeof(v);
}

/* One iovec that has `len` bytes; returns the address after it. */
static inline uint64_t target_put_iov(struct target *t, uint64_t addr, uint64_t len)
{
	return target_put_word(t, target_put_word(t, addr, 0xdead0000), len);
}

static inline void target_entry(struct target *t)
{
	struct decode_in in = {&t->ev, &t->mem, &t->env};

	decode_entry(&in, &t->m);
}

static inline void target_exit(struct target *t, int64_t ret)
{
	struct decode_in in = {&t->ev, &t->mem, &t->env};

	t->ev.ret = ret;
	t->ev.outcome = ret <= -512 && ret >= -516 ? SYS_INTERRUPTED : SYS_RETURNED;
	decode_exit(&in, &t->m);
}

#endif
