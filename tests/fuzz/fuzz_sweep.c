/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * The recorder's memory, which the target can write: a thread's block and its ring are the input,
 * and so is the coarse clock of runs without times, swept again and again. What makes no sense
 * costs that thread its calls, nothing else.
 */
#include <sys/mman.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "tests/fuzz/fuzz.h"
#include "tracer/decode/decode.h"
#include "tracer/recorder/coarse.h"
#include "tracer/recorder/recorder.h"
#include "tracer/tracee.h"

#define TRAMP 0x10000
/* A clock; and a block anywhere leaves room for a ring. */
#define UNITS (2 + 2 * LARGE_RING_UNITS)
#define TALLY 39 /* getpid: only counted, as by dispatch */

struct input {
	uint64_t head, tail, mask, base_change;
	uint8_t large, stopped, sweeps, mended, in_flight, coarse, tallies, unused;
};

static struct recorder f;
static struct process process = {.pid = 1};
static struct mm mm = {.id = 1, .refs = 1};
static struct tracee t = {.tid = 1, .process = &process, .mm = &mm, .thread_id = 1};
static unsigned char sum; /* of all that was said, so that it is read */

/* What the sink may believe of a call. */
static void recorded(void *ctx, struct tracee *by, struct sys_event *ev,
	const struct recorded *measured, const struct said *said)
{
	(void)ctx;
	FUZZ_CHECK(by == &t && measured);
	FUZZ_CHECK(ev->def && ev->nr < BLOCK_KINDS_LEN && f.calls[ev->nr].kind != KIND_PASS);
	FUZZ_CHECK(ev->outcome == SYS_RETURNED && ev->seen != SEEN_STOPPED);
	FUZZ_CHECK(ev->entry_ns + 1000000 >= f.tsc.first.ns && ev->entry_ns <= ev->exit_ns);
	FUZZ_CHECK(ev->exit_ns <= f.tsc.now.ns + 1000000);
	if (!said)
		return;
	FUZZ_CHECK(said->len <= SAID_BYTES_MAX);
	for (size_t i = 0; i < said->len; i++)
		sum += ((const unsigned char *)said->bytes)[i];
}

static void tallied(void *ctx, const struct sys_def *def, uint64_t n)
{
	(void)ctx;
	FUZZ_CHECK(def && n);
}

static void left(void *ctx, const struct tracee *by, const struct sys_event *ev)
{
	(void)ctx;
	FUZZ_CHECK(by == &t && (!ev || ev->def));
}

static void swept(void *ctx)
{
	(void)ctx;
	recorder_unbooked(&f, &(struct recorder_visit){NULL, left});
}

static void start(void)
{
	static const struct recorder_sink sink = {
		.recorded = recorded, .tallied = tallied, .swept = swept};
	struct control_map map;
	struct sys_set set = {0};
	struct filter_pass pass;
	int memory = memfd_create("fuzz", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	FUZZ_CHECK(sys_set_parse(&set, "all", NULL) == 0);
	control_map_build(&map, &set, 1);
	sys_set_release(&set);
	recorder_init(&f, &map, 0, &sink, &pass);
	control_map_release(&map);
	f.on = 1;
	mm.recorder = recorder_mm_new(NULL);
	FUZZ_CHECK(region_take(&mm.recorder->region, memory, UNITS, &(struct err){0}) == 0);
	close(memory);
	f.timeless = 1;
	FUZZ_CHECK(!coarse_begin(&f, mm.recorder));
	f.calls[TALLY].kind = KIND_TALLY;
	sites_set_tramp(&mm.recorder->sites, sites_get(&mm.recorder->sites, 0x5000), TRAMP);
}

static void fill(struct block *b, const struct input *in)
{
	b->head = in->head;
	b->inflight = in->in_flight & 1 ? in->head + 1 : in->head;
	b->tail = in->tail;
	b->mask = in->mask;
	b->base += in->base_change;
	b->tallied = in->tallies;
	b->tallies[TALLY] = (uint32_t)in->tallies << (in->in_flight & 2 ? 24 : 0);
	b->tallies[TALLY + 1] = in->tallies;
}

/* The target may set it to anything, which then is what its calls are stamped with. */
static uint64_t coarse_time(const struct input *in)
{
	const struct recorder_mm *rm = mm.recorder;
	uint64_t *clock = (uint64_t *)(rm->region.at + (rm->coarse - REGION_ADDR - ARENA_OFFSET));

	if (!f.timeless)
		return tsc_now();
	*clock = in->coarse & 2 ? in->mask : tsc_now() - (uint64_t)in->coarse * 1000;
	return *clock;
}

/* Some of the records are of calls that there are, at a site that there is: else none comes far. */
static void mend(struct ring *ring, uint8_t how, uint64_t now)
{
	for (size_t i = 0; how && i < SMALL_RING_RECORDS; i++) {
		struct record *r = &ring->at[i];

		r->desc = TRAMP + TRAMP_DESC;
		r->nr %= BLOCK_KINDS_LEN;
		r->kind = f.calls[r->nr].kind;
		r->t0 = r->t1 = now;
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
	if (!mm.recorder)
		start();
	memcpy(&in, data, sizeof(in));
	data += sizeof(in);
	size -= sizeof(in);
	rt.tracee = &t;
	f.timeless = in.coarse & 1;
	FUZZ_CHECK(ring_init(&rt.ring, &mm.recorder->region) == 0);
	rt.ring.ended = recorder_earliest(&f);
	if (in.large & 1)
		FUZZ_CHECK(ring_enlarge(&rt.ring, &mm.recorder->region) == 0);
	memset(rt.ring.at, 0, SMALL_RING_RECORDS * RECORD_BYTES);
	memset(rt.stopped, in.stopped, sizeof(rt.stopped));
	memcpy(rt.ring.at, data,
		size < SMALL_RING_RECORDS * RECORD_BYTES ? size
							 : SMALL_RING_RECORDS * RECORD_BYTES);
	mend(&rt.ring, in.mended, coarse_time(&in));
	rt.ring.tail = in.tail;
	fill(rt.ring.block, &in);
	*VEC_PUSH(&f.threads) = &rt;
	for (int i = 0; i <= in.sweeps % 3; i++) {
		recorder_sweep(&f);
		FUZZ_CHECK(rt.corrupt || rt.ring.block->head - rt.ring.tail <= LARGE_RING_RECORDS);
		rt.ring.block->head += in.sweeps;
	}
	f.threads.len = 0;
	free(rt.stacks.at);
	ring_release(&rt.ring, &mm.recorder->region);
	return 0;
}
