/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/colocate.h"

#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/file.h"

/* With the tracer alone the target waits a fifth of the time at most, with one other program half.
 */
#define WAIT_SHARE_MAX 0.4

/* 1 if no target can become somebody whose mask we may not set: as ours they stay who we are,
 * unless we have capabilities. */
static int may_set_all(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct caps[2] = {0};

	if (syscall(SYS_capget, &header, caps) < 0)
		return 0;
	return (!caps[0].effective && !caps[1].effective) ||
	       (caps[0].effective >> CAP_SYS_NICE & 1);
}

void colocate_begin(struct colocate *c)
{
	int cpu = sched_getcpu();

	c->able = c->active = 0;
	if (cpu < 0 || cpu >= CPU_SETSIZE ||
		sched_getaffinity(0, sizeof(c->original), &c->original) < 0 ||
		CPU_COUNT(&c->original) < 2 || !may_set_all())
		return;
	CPU_ZERO(&c->one);
	CPU_SET((size_t)cpu, &c->one);
	c->able = c->active = sched_setaffinity(0, sizeof(c->one), &c->one) == 0;
}

void colocate_release(struct serial *n)
{
	if (n->has_timer)
		timer_delete(n->timer);
	n->has_timer = n->timer_runs = 0;
}

void colocate_apart(struct colocate *c)
{
	c->active = 0;
	sched_setaffinity(0, sizeof(c->original), &c->original);
}

void colocate_again(struct colocate *c)
{
	c->active = sched_setaffinity(0, sizeof(c->one), &c->one) == 0;
}

static void change(pid_t target, const cpu_set_t *from, const cpu_set_t *to)
{
	cpu_set_t now;

	if (sched_getaffinity(target, sizeof(now), &now) == 0 && CPU_EQUAL(&now, from))
		sched_setaffinity(target, sizeof(*to), to);
}

void colocate_take(const struct colocate *c, pid_t target)
{
	change(target, &c->original, &c->one);
}

void colocate_give_back(const struct colocate *c, pid_t target)
{
	change(target, &c->one, &c->original);
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

int colocate_waits(struct colocate *c, pid_t target, uint64_t now_ns)
{
	uint64_t wall = now_ns - c->checked_ns, waited = waited_ns(target);
	int waits = c->checked == target && waited > c->waited_ns &&
		    (double)(waited - c->waited_ns) > WAIT_SHARE_MAX * (double)wall;

	c->checked = target;
	c->checked_ns = now_ns;
	c->waited_ns = waited;
	return waits;
}
