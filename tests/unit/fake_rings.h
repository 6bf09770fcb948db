/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TESTS_FAKE_RINGS_H
#define TESTS_FAKE_RINGS_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "tracer/recorder/recorder.h"
#include "tracer/tracee.h"

/*
 * Threads with rings in ordinary memory, without a process, and what the stub would write there.
 */
#define THREADS 3
#define TRAMP   0x10000

struct rings {
	struct recorder *f;
	struct control_map map;
	struct process process;
	struct mm mm;
	struct tracee tracees[THREADS];
	int memory;
};

static inline void rings_thread(struct rings *x, int i)
{
	struct recorder_thread *rt = mem_calloc(1, sizeof(*rt));

	assert_int_equal(ring_init(&rt->ring, &x->mm.recorder->region), 0);
	rt->tracee = &x->tracees[i];
	x->tracees[i] = (struct tracee){.tid = 100 + i,
		.process = &x->process,
		.mm = &x->mm,
		.thread_id = (uint32_t)i + 1,
		.recorder = rt};
	*VEC_PUSH(&x->f->threads) = rt;
}

/* x and f are zeroed. */
static inline void rings_begin(
	struct rings *x, struct recorder *f, const struct recorder_sink *sink)
{
	struct filter_pass pass;
	struct sys_set all = {0};
	struct err err = {0};

	x->f = f;
	assert_int_equal(sys_set_parse(&all, "%network,%io,%memory,close,dup2", &err), 0);
	control_map_build(&x->map, &all, 1);
	sys_set_release(&all);
	recorder_init(f, &x->map, 0, sink, &pass);
	f->on = 1; /* for what is tested the machine does not matter */
	x->process.pid = getpid();
	x->mm.refs = THREADS;
	x->mm.recorder = recorder_mm_new(NULL);
	x->memory = memfd_create("test", MFD_ALLOW_SEALING | MFD_CLOEXEC);
	assert_int_equal(region_take(&x->mm.recorder->region, x->memory, 4, &err), 0);
	sites_set_tramp(&x->mm.recorder->sites, sites_get(&x->mm.recorder->sites, 0x5000), TRAMP);
	for (int i = 0; i < THREADS; i++)
		rings_thread(x, i);
}

static inline void rings_end(struct rings *x)
{
	for (int i = 0; i < THREADS; i++) {
		if (x->tracees[i].recorder)
			free(x->tracees[i].recorder->stacks.at);
		free(x->tracees[i].recorder);
	}
	recorder_mm_free(x->f, x->mm.recorder);
	recorder_release(x->f);
	control_map_release(&x->map);
	close(x->memory);
}

static inline struct block *block_of(const struct rings *x, int thread)
{
	return x->tracees[thread].recorder->ring.block;
}

/* What the stub does: the record, and then the commit. The first argument is the call's name tag.
 */
static inline struct record *begin(struct rings *x, int thread, long nr, uint64_t tag)
{
	struct ring *ring = &x->tracees[thread].recorder->ring;
	struct record *r = &ring->at[ring->block->head & (ring->records - 1)];

	*r = (struct record){.t0 = tsc_now(),
		.nr = (uint32_t)nr,
		.desc = TRAMP + TRAMP_DESC,
		.args = {tag, 0, 1000},
		.bytes = 1000,
		.kind = x->f->kinds[nr]};
	ring->block->inflight = ring->block->head + 1;
	return r;
}

static inline struct record *record(struct rings *x, int thread, long nr, uint64_t tag)
{
	struct record *r = begin(x, thread, nr, tag);

	r->t1 = tsc_now();
	block_of(x, thread)->head++;
	return r;
}

/* Until both clocks are well past what was stamped last: by less than that they may disagree. */
static inline void time_passes(void)
{
	uint64_t from = clock_mono_ns();

	while (clock_mono_ns() - from < 200000)
		;
}

#endif
