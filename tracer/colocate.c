/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/colocate.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/file.h"

#define CHECK_EVERY_NS (50 * NS_PER_MS)
/* With the tracer alone the target waits a fifth of the time at most, with one other program half.
 */
#define WAIT_SHARE_MAX 0.4

void colocate_begin(struct colocate *c)
{
	int cpu = sched_getcpu();

	c->active = 0;
	if (cpu < 0 || cpu >= CPU_SETSIZE ||
		sched_getaffinity(0, sizeof(c->original), &c->original) < 0 ||
		CPU_COUNT(&c->original) < 2)
		return;
	CPU_ZERO(&c->one);
	CPU_SET((size_t)cpu, &c->one);
	c->active = sched_setaffinity(0, sizeof(c->one), &c->one) == 0;
}

void colocate_end(struct colocate *c, pid_t target)
{
	cpu_set_t now;

	if (!c->active)
		return;
	c->active = 0;
	sched_setaffinity(0, sizeof(c->original), &c->original);
	if (sched_getaffinity(target, sizeof(now), &now) == 0 && CPU_EQUAL(&now, &c->one))
		sched_setaffinity(target, sizeof(c->original), &c->original);
}

void colocate_leave(const struct colocate *c)
{
	if (c->active)
		sched_setaffinity(0, sizeof(c->original), &c->original);
}

void colocate_return(const struct colocate *c)
{
	if (c->active)
		sched_setaffinity(0, sizeof(c->one), &c->one);
}

/* Time that the thread was runnable and did not run; 0 where the kernel does not tell. */
static uint64_t waited_ns(pid_t tid)
{
	char path[64];
	cleanup_free char *text = NULL;
	char *end;

	snprintf(path, sizeof(path), "/proc/%d/schedstat", tid);
	if (file_read(path, 4096, &text, NULL, NULL) < 0)
		return 0;
	strtoull(text, &end, 10);
	return strtoull(end, NULL, 10);
}

void colocate_check(struct colocate *c, pid_t target, uint64_t now_ns)
{
	uint64_t waited, wall = now_ns - c->checked_ns;

	if (!c->active || wall < CHECK_EVERY_NS)
		return;
	waited = waited_ns(target);
	if (c->checked_ns && waited > c->waited_ns &&
		(double)(waited - c->waited_ns) > WAIT_SHARE_MAX * (double)wall)
		colocate_end(c, target);
	c->checked_ns = now_ns;
	c->waited_ns = waited;
}
