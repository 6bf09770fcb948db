/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/recorder/tsc.h"

#include "common/base/clock.h"
#include "tracer/arch/arch.h"

#define FIRST_RATE_NS 1000000
#define TRIES         3

uint64_t tsc_now(void)
{
	return arch_ticks();
}

/* The pair that was read with least time between. */
static void read_pair(uint64_t *ret_ticks, uint64_t *ret_ns)
{
	uint64_t best = UINT64_MAX;

	for (int i = 0; i < TRIES; i++) {
		uint64_t before = arch_ticks(), ns = clock_mono_ns(), after = arch_ticks();

		if (after - before >= best)
			continue;
		best = after - before;
		*ret_ticks = before + (after - before) / 2;
		*ret_ns = ns;
	}
}

void tsc_init(struct tsc *t)
{
	*t = (struct tsc){0};
	read_pair(&t->first_ticks, &t->first_ns);
}

void tsc_sync(struct tsc *t)
{
	do
		read_pair(&t->ticks, &t->ns);
	while (t->ns - t->first_ns < FIRST_RATE_NS);
	t->ns_per_tick = (double)(t->ns - t->first_ns) / (double)(t->ticks - t->first_ticks);
}

uint64_t tsc_to_ns(const struct tsc *t, uint64_t ticks)
{
	return t->ns + (uint64_t)(int64_t)((double)(int64_t)(ticks - t->ticks) * t->ns_per_tick);
}
