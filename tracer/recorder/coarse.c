/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/recorder/coarse.h"

#include "tracer/recorder/recorder.h"
#include "tracer/tracee.h"

/* More than the clocks of two CPUs, and two readings of them, may differ by. */
#define BEHIND_NS 500

/* The tracer's address of it; NULL: there is none. */
static uint64_t *clock_of(const struct recorder_mm *rm)
{
	if (!rm || !rm->coarse || !rm->region.at)
		return NULL;
	return (uint64_t *)(rm->region.at + (rm->coarse - REGION_ADDR - ARENA_OFFSET));
}

static void tell(const struct recorder_mm *rm, uint64_t ticks)
{
	uint64_t *clock = clock_of(rm), was;

	if (!clock)
		return;
	was = __atomic_load_n(clock, __ATOMIC_RELAXED);
	while (was < ticks && !__atomic_compare_exchange_n(
				      clock, &was, ticks, 1, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
		;
}

const char *coarse_begin(const struct recorder *f, struct recorder_mm *rm)
{
	void *unit;

	rm->coarse = 0;
	if (!f->timeless)
		return NULL;
	unit = region_units(&rm->region, 1);
	if (!unit)
		return "the shared memory has no room";
	rm->coarse = region_addr(&rm->region, unit);
	tell(rm, tsc_now());
	return NULL;
}

void coarse_tell_all(const struct recorder *f, uint64_t ticks)
{
	for (size_t i = 0; f->timeless && i < f->threads.len; i++)
		tell(f->threads.at[i]->tracee->mm->recorder, ticks);
}

void recorder_tell(const struct recorder *f, const struct mm *mm)
{
	if (f->timeless)
		tell(mm->recorder, tsc_now() + CLOCK_STEP);
}

uint64_t recorder_turn(struct recorder *f, uint64_t at_ns)
{
	recorder_sweep(f);
	if (!f->on || !f->timeless)
		return at_ns;
	coarse_tell_all(f, f->tsc.now.ticks + (uint64_t)(BEHIND_NS / f->tsc.ns_per_tick));
	return f->tsc.now.ns;
}
