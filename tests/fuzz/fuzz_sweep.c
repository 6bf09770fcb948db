/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * The recorder's memory, which the target can write: a thread's block and its ring are the input,
 * swept again and again. What makes no sense costs that thread its calls, nothing else.
 */
#include <sys/mman.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "tests/fuzz/fuzz.h"
#include "tracer/session.h"

/* A process that is not there: its memory cannot be read. */
#define NOBODY 0x7ffffff0

#define TRAMP 0x10000
#define UNITS (1 + 2 * LARGE_RING_UNITS) /* a block anywhere leaves room for a ring */

struct input {
	uint64_t head, tail, mask, base_change;
	uint8_t large, stopped, sweeps, unused[5];
};

static struct session s;
static struct tracee *t;

static void no_sink(void *ctx, const struct sys_event *ev)
{
	FUZZ_CHECK(ev->def);
	book_call(ctx, ev);
}

static void start(void)
{
	static struct options options;
	struct sys_set *set = &options.trace;
	struct filter_pass pass;
	struct mm *mm;
	int memory = memfd_create("fuzz", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	FUZZ_CHECK(sys_set_parse(set, "all", NULL) == 0);
	s.opt = &options;
	control_map_build(&s.map, set, 1);
	recorder_init(&s.recorder, &s.map, 0, &pass);
	s.recorder.on = 1;
	s.recorder.sink = (struct recorder_sink){no_sink, &s.book};
	tracees_init(&s.tracees, AGG_ROWS_MAX);
	s.identity = identity_new(AGG_ROWS_MAX);
	mm = mm_new(&s.tracees);
	mm->recorder = recorder_mm_new();
	FUZZ_CHECK(region_take(&mm->recorder->region, memory, UNITS, &(struct err){0}) == 0);
	close(memory);
	sites_set_tramp(&mm->recorder->sites, sites_get(&mm->recorder->sites, 0x5000), TRAMP);
	t = tracees_add(&s.tracees, NOBODY, NOBODY, files_new(identity_registry(s.identity)), mm);
	files_state(t->files)->recorded = 1;
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

static void fill(struct block *b, const struct input *in)
{
	b->head = in->head;
	b->inflight = in->unused[1] & 1 ? in->head + 1 : in->head;
	b->tail = in->tail;
	b->mask = in->mask;
	b->base += in->base_change;
}

/* Some of the records are of calls that there are, at a site that there is: else none comes far. */
static void mend(struct ring *ring, uint8_t how)
{
	for (size_t i = 0; how && i < SMALL_RING_RECORDS; i++) {
		struct record *r = &ring->at[i];

		r->desc = TRAMP + TRAMP_DESC;
		r->nr %= BLOCK_KINDS_LEN;
		r->kind = s.recorder.calls[r->nr].kind;
		r->t0 = r->t1 = tsc_now();
		if (how & 2)
			r->ret = r->ret & 0xff;
		if (how & 4)
			r->extra = 0;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct recorder_thread rt = {0};
	struct input in;

	if (size < sizeof(in))
		return 0;
	if (!t)
		start();
	memcpy(&in, data, sizeof(in));
	data += sizeof(in);
	size -= sizeof(in);
	rt.tracee = t;
	FUZZ_CHECK(ring_init(&rt.ring, &t->mm->recorder->region) == 0);
	if (in.large & 1)
		FUZZ_CHECK(ring_enlarge(&rt.ring, &t->mm->recorder->region) == 0);
	memset(rt.ring.at, 0, SMALL_RING_RECORDS * RECORD_BYTES);
	memset(rt.stopped, in.stopped, sizeof(rt.stopped));
	memcpy(rt.ring.at, data,
		size < SMALL_RING_RECORDS * RECORD_BYTES ? size
							 : SMALL_RING_RECORDS * RECORD_BYTES);
	mend(&rt.ring, in.unused[0]);
	rt.ring.tail = in.tail;
	fill(rt.ring.block, &in);
	s.memory = (struct mem_reader){no_memory, NULL};
	book_init(&s.book, 1000, 0);
	*VEC_PUSH(&s.recorder.threads) = &rt;
	for (int i = 0; i <= in.sweeps % 3; i++) {
		recorder_sweep(&s);
		FUZZ_CHECK(rt.corrupt || rt.ring.block->head - rt.ring.tail <= LARGE_RING_RECORDS);
		rt.ring.block->head += in.sweeps;
	}
	s.recorder.threads.len = 0;
	free(rt.stacks.at);
	ring_release(&rt.ring, &t->mm->recorder->region);
	book_close(&s.book, 1000000);
	book_release(&s.book);
	return 0;
}
