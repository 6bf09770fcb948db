/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/recorder/tsc.h"

#include <string.h>

#include "common/base/clock.h"
#include "tracer/arch/arch.h"

#define FIRST_RATE_NS 1000000
#define TRIES         3
#define JUMP_MIN_NS   1000000 /* less is not worth telling from what the kernel does to its clock */
#define SLEWED_MAX    0.002   /* and this for as long as it is at it (NTP: 0.0005) */

uint64_t tsc_now(void)
{
	return arch_ticks();
}

/* The pair that was read with least time between. */
static struct tsc_point read_point(void)
{
	struct tsc_point p = {.width = UINT64_MAX};

	for (int i = 0; i < TRIES; i++) {
		uint64_t before = arch_ticks(), ns = clock_mono_ns(), after = arch_ticks();

		if (after - before < p.width)
			p = (struct tsc_point){before + (after - before) / 2, ns, after - before};
	}
	return p;
}

void tsc_init(struct tsc *t)
{
	*t = (struct tsc){.first = read_point()};
}

void tsc_sync(struct tsc *t)
{
	struct tsc_point p;

	do
		p = read_point();
	while (p.ns - t->first.ns < FIRST_RATE_NS);
	tsc_take(t, &p);
}

/* Ticks from one to the other, negative if they went back. */
static double ticks_between(const struct tsc_point *from, const struct tsc_point *to)
{
	return (double)(int64_t)(to->ticks - from->ticks);
}

/* By how much the counter has gone on more than the clock says, if that cannot be for what is not
 * known of the two; else 0. */
static double jumped(const struct tsc *t, const struct tsc_point *p)
{
	double expected = (double)(p->ns - t->now.ns) / t->ns_per_tick;
	double off = ticks_between(&t->now, p) - expected;
	double doubt = (double)(t->now.width + p->width) + JUMP_MIN_NS / t->ns_per_tick;

	doubt += expected * SLEWED_MAX;
	doubt += expected * (double)(t->first.width + t->now.width) /
		 ticks_between(&t->first, &t->now);
	return off > doubt || off < -doubt ? off : 0;
}

void tsc_take(struct tsc *t, const struct tsc_point *p)
{
	double off = t->ns_per_tick > 0 ? jumped(t, p) : 0;

	if (off > 0 || off < 0) {
		memmove(t->jumps + 1, t->jumps, (TSC_JUMPS_MAX - 1) * sizeof(*t->jumps));
		t->jumps[0] = (struct tsc_jump){t->now, *p};
		t->jumps_len += t->jumps_len < TSC_JUMPS_MAX;
		t->first.ticks += (uint64_t)(int64_t)off;
	}
	t->now = *p;
	t->ns_per_tick = (double)(p->ns - t->first.ns) / ticks_between(&t->first, p);
}

static uint64_t from_point(const struct tsc *t, const struct tsc_point *p, uint64_t ticks)
{
	return p->ns + (uint64_t)(int64_t)((double)(int64_t)(ticks - p->ticks) * t->ns_per_tick);
}

uint64_t tsc_to_ns(const struct tsc *t, uint64_t ticks)
{
	const struct tsc_point *last = &t->now, *until = &t->now;
	uint64_t ns = from_point(t, last, ticks);

	if (!t->jumps_len)
		return ns;
	/* The stretches between jumps, the latest first: where is it a time of that stretch? */
	for (unsigned int i = 0; i <= t->jumps_len; i++) {
		const struct tsc_jump *jump = i < t->jumps_len ? &t->jumps[i] : NULL;
		uint64_t from_ns = jump ? jump->from.ns : t->first.ns;
		uint64_t here = from_point(t, last, ticks);

		if (here >= from_ns && here <= until->ns)
			return here;
		if (jump) {
			last = &jump->from;
			until = &jump->to;
		}
	}
	/* Since the last point. */
	return (int64_t)(ns - t->now.ns) >= 0 ? ns : t->jumps[0].from.ns;
}
