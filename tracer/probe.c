/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/probe.h"

#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "tracer/colocate.h"

void probe_prepare(struct probe *p, const struct recorder *f)
{
	*p = (struct probe){.cost = {.nr = -1}};
	recorder_cost_prepare(&p->cost, f);
}

/* ---- in the child ---- */

/* A call that always stops and always fails: execve of nothing. */
static void measure_stops(uint64_t *ret_ns, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t t = clock_mono_ns();

		syscall(SYS_execve, NULL, NULL, NULL);
		ret_ns[i] = clock_mono_ns() - t;
	}
}

void probe_before(struct probe *p)
{
	recorder_cost_before(&p->cost);
}

void probe_after(struct probe *p, struct colocate *c)
{
	p->record_ns = recorder_cost_after(&p->cost);
	colocate_leave(c);
	measure_stops(p->far_ns, PROBE_FAR);
	colocate_return(c);
	measure_stops(p->near_ns, PROBE_NEAR);
}

/* ---- what came of it ---- */

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Half of the median: each call has two stops. */
static uint64_t stop_ns(const uint64_t *ns, size_t n)
{
	uint64_t sorted[PROBE_NEAR > PROBE_FAR ? PROBE_NEAR : PROBE_FAR];

	memcpy(sorted, ns, n * sizeof(*ns));
	qsort(sorted, n, sizeof(*sorted), by_value);
	return sorted[n / 2] / 2;
}

uint64_t probe_record_ns(const struct probe *p)
{
	return p->record_ns;
}

uint64_t probe_plain_ns(const struct probe *p)
{
	return p->cost.plain_ns;
}

uint64_t probe_near_stop_ns(const struct probe *p)
{
	return stop_ns(p->near_ns, PROBE_NEAR);
}

uint64_t probe_far_stop_ns(const struct probe *p)
{
	return stop_ns(p->far_ns, PROBE_FAR);
}
