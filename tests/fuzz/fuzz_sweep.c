/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * The recorder's memory, which the target can write: a thread's block and its ring are the input,
 * swept again and again. What makes no sense costs that thread its calls, nothing else.
 */
#include "common/base/mem.h"
#include "tests/fuzz/fuzz.h"
#include "tracer/session.h"

/* A process that is not there: its memory cannot be read. */
#define NOBODY 0x7ffffff0

struct input {
	uint64_t head, tail, mask, base_change;
	uint8_t large, stopped, sweeps, unused[5];
};

static struct session s;
static struct tracee *t;

static void start(void)
{
	static struct options options;
	struct sys_set *set = &options.trace;

	FUZZ_CHECK(sys_set_parse(set, "all", NULL) == 0);
	s.opt = &options;
	control_map_build(&s.map, set);
	s.fast.on = 1;
	tsc_init(&s.fast.tsc);
	tracees_init(&s.tracees, AGG_ROWS_MAX);
	s.fds = fd_registry_new(AGG_ROWS_MAX);
	s.memory.read = NULL;
	t = tracees_add(&s.tracees, NOBODY, NOBODY, files_new(s.fds), space_new(&s.tracees));
}

/* The target's memory is not there. */
static ssize_t no_memory(void *ctx, uint64_t addr, void *buf, size_t len)
{
	(void)ctx;
	(void)addr;
	(void)buf;
	(void)len;
	return -1;
}

static void fill(struct fast_block *b, const struct input *in, struct fast_record *ring)
{
	uint64_t records = in->large ? LARGE_RING_RECORDS : SMALL_RING_RECORDS;

	b->head = in->head;
	b->tail = in->tail;
	b->mask = in->mask ? in->mask : records - 1;
	b->base = (uint64_t)(uintptr_t)ring + in->base_change;
	b->limit = records;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fast_record small[SMALL_RING_RECORDS], large[LARGE_RING_RECORDS];
	static struct fast_block block;
	struct fast_thread ft = {.block = &block};
	struct input in;

	if (size < sizeof(in))
		return 0;
	if (!t)
		start();
	memcpy(&in, data, sizeof(in));
	data += sizeof(in);
	size -= sizeof(in);
	ft.tracee = t;
	ft.large = in.large &= 1;
	ft.ring = ft.large ? large : small;
	memset(ft.ring, 0, ft.large ? sizeof(large) : sizeof(small));
	memset(ft.stopped, in.stopped, sizeof(ft.stopped));
	memcpy(ft.ring, data, size < sizeof(small) ? size : sizeof(small));
	fill(&block, &in, ft.ring);
	s.memory = (struct mem_reader){no_memory, NULL};
	book_init(&s.book, 1000, 0);
	*VEC_PUSH(&s.fast.threads) = &ft;
	for (int i = 0; i <= in.sweeps % 3; i++) {
		fast_sweep(&s);
		FUZZ_CHECK(ft.spoiled || block.head - block.tail <= LARGE_RING_RECORDS);
		block.head += in.sweeps;
	}
	s.fast.threads.len = 0;
	book_close(&s.book, 1000000);
	book_release(&s.book);
	return 0;
}
