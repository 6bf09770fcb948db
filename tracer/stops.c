/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/stops.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "common/base/clock.h"
#include "common/base/mem.h"

void stops_release(struct stops *q)
{
	struct map_iter it = {0};

	while (map_next(&q->held, &it))
		free(it.value);
	map_release(&q->held);
	free(q->at);
}

/* That of the thread which is queued and not over, or NULL. */
static struct stop *queued(struct stops *q, pid_t tid)
{
	for (size_t i = q->head; i < q->len; i++)
		if (q->at[i].tid == tid)
			return &q->at[i];
	return NULL;
}

/*
 * A thread that is reported again without having been let go on was killed in the first stop, by
 * SIGKILL or by another thread's execve: that stop is over, and whoever has the number now is in
 * the later one.
 */
void stops_push(struct stops *q, pid_t tid, int status)
{
	struct stop *earlier = queued(q, tid);

	if (earlier)
		earlier->tid = 0;
	*VEC_PUSH(q) = (struct stop){tid, status, clock_mono_ns()};
}

int stops_wait(struct stops *q, int flags)
{
	int status;
	/* __WNOTHREAD: a command of -p, started by the other thread, is not ours to reap. */
	pid_t tid = wait4(-1, &status, __WALL | __WNOTHREAD | flags, NULL);

	if (tid > 0)
		stops_push(q, tid, status);
	return tid < 0 ? -errno : tid > 0;
}

int stops_take(struct stops *q, struct stop *ret)
{
	while (q->head < q->len) {
		*ret = q->at[q->head++];
		if (q->head == q->len)
			q->head = q->len = 0;
		if (ret->tid)
			return 1;
	}
	return 0;
}

size_t stops_count(const struct stops *q)
{
	return q->len - q->head;
}

void stops_hold(struct stops *q, const struct stop *stop)
{
	struct stop *copy = mem_calloc(1, sizeof(*copy));

	*copy = *stop;
	stops_forget(q, stop->tid);
	map_set(&q->held, (uint64_t)stop->tid, copy);
}

int stops_is_held(const struct stops *q, pid_t tid)
{
	return map_get(&q->held, (uint64_t)tid) != NULL;
}

static void push_front(struct stops *q, const struct stop *stop)
{
	if (!q->head) {
		(void)VEC_PUSH(q);
		memmove(q->at + 1, q->at, (q->len - 1) * sizeof(*q->at));
		q->head = 1;
	}
	q->at[--q->head] = *stop;
}

void stops_unhold(struct stops *q, pid_t tid)
{
	struct stop *stop = map_del(&q->held, (uint64_t)tid);

	if (stop && !queued(q, tid))
		push_front(q, stop);
	free(stop);
}

void stops_forget(struct stops *q, pid_t tid)
{
	free(map_del(&q->held, (uint64_t)tid));
}
