/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/colocate.h"

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
