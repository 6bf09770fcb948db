/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/stops.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "common/base/clock.h"
#include "common/base/mem.h"

/* The kernel shows the first of those that wait, so those that stop all the time could be the only
 * ones that are seen: after so many looks at which somebody waited already, all stops are taken. */
#define IN_A_ROW_MAX 32
#define AT_ONCE_MAX  256
/* Before the next ones are taken it is looked, too: of a process whose thread has died. */
#define LOOKS_MORE 4

void stops_release(struct stops *q)
{
	struct map_iter it = {0};

	while (map_next(&q->held, &it))
		free(it.value);
	map_release(&q->held);
	map_release(&q->ending);
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

/* Who stands before death; an execve by another thread gives the number to that one. */
static void note_ending(struct stops *q, pid_t tid, int status)
{
	int event = status >> 16;

	if (WIFSTOPPED(status) && event == PTRACE_EVENT_EXIT)
		map_set(&q->ending, (uint64_t)tid, q);
	else if (q->ending.len && (!WIFSTOPPED(status) || event == PTRACE_EVENT_EXEC))
		map_del(&q->ending, (uint64_t)tid);
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
	note_ending(q, tid, status);
	*VEC_PUSH(q) = (struct stop){tid, status, clock_mono_ns(), UINT64_MAX};
	if (WIFSTOPPED(status))
		return;
	/* Late, but mostly its parent has not come to it yet. */
	q->at[q->len - 1].cpu_ns = clock_process_ns(tid);
	if (q->at[q->len - 1].cpu_ns == UINT64_MAX && q->wary < LOOKS_MORE)
		q->wary = LOOKS_MORE; /* a thread: its process may end with it */
}

/* A stop before a signal is delivered. */
static int is_of_signal(int status)
{
	return WIFSTOPPED(status) && status >> 16 == 0 && WSTOPSIG(status) != (SIGTRAP | 0x80);
}

/*
 * What there is, without taking it. 1, 0: nothing, or a negative errno. (waitid has in si_status
 * what wait4 has in the high bits.)
 */
static int peek(int flags, pid_t *ret_tid, int *ret_status)
{
	siginfo_t info = {0};

	if (waitid(P_ALL, 0, &info,
		    WNOWAIT | WEXITED | WSTOPPED | __WALL | __WNOTHREAD | (flags & WNOHANG)) < 0)
		return -errno;
	*ret_tid = info.si_pid;
	*ret_status = info.si_code == CLD_TRAPPED || info.si_code == CLD_STOPPED
			      ? info.si_status << 8 | 0x7f
			      : 0;
	return info.si_pid > 0;
}

static int take(struct stops *q, pid_t tid, int flags)
{
	int status;

	/* __WNOTHREAD: a command of -p, started by the other thread, is not ours to reap. */
	tid = wait4(tid, &status, __WALL | __WNOTHREAD | flags, NULL);
	if (tid > 0)
		stops_push(q, tid, status);
	return tid < 0 ? -errno : tid > 0;
}

/* That one, which was looked at: the dead have a clock until they are taken. */
static int take_seen(struct stops *q, pid_t tid, int status)
{
	uint64_t cpu_ns = WIFSTOPPED(status) ? UINT64_MAX : clock_process_ns(tid);
	int rc = take(q, tid, WNOHANG);

	if (rc > 0 && cpu_ns != UINT64_MAX)
		q->at[q->len - 1].cpu_ns = cpu_ns;
	return rc;
}

static int take_any(struct stops *q, int flags)
{
	int status = 0, rc;
	pid_t tid = 0;

	if (!q->ending.len && !q->wary)
		return take(q, -1, flags);
	if (q->wary)
		q->wary--;
	rc = peek(flags, &tid, &status);
	return rc > 0 ? take_seen(q, tid, status) : rc;
}

/* Somebody waits. 1, or a negative errno where not even one could be taken. */
static int take_all(struct stops *q)
{
	int rc = take_any(q, WNOHANG), n = rc > 0;

	q->in_a_row = 0;
	while (n && n < AT_ONCE_MAX && take_any(q, WNOHANG) > 0)
		n++;
	return rc;
}

int stops_wait(struct stops *q, int flags)
{
	int status = 0, rc;
	pid_t tid = 0;

	if (!q->careful)
		return take_any(q, flags);
	if (q->looked_at)
		return 0; /* it would be seen again */
	rc = peek(WNOHANG, &tid, &status);
	q->in_a_row = rc > 0 ? q->in_a_row + 1 : 0;
	if (rc == 0 && !(flags & WNOHANG))
		rc = peek(0, &tid, &status);
	if (rc <= 0)
		return rc;
	if (q->in_a_row > IN_A_ROW_MAX)
		return take_all(q);
	if (!is_of_signal(status))
		return take_seen(q, tid, status);
	stops_push(q, tid, status);
	q->looked_at = tid;
	return 1;
}

int stops_take(struct stops *q, struct stop *ret)
{
	while (q->head < q->len) {
		q->in_hand = *ret = q->at[q->head++];
		if (ret->tid == q->looked_at)
			q->looked_at = 0;
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

static int is_death_of(const struct stop *stop, pid_t pid)
{
	return stop->tid == pid && !WIFSTOPPED(stop->status);
}

uint64_t stops_death_ns(const struct stops *q, pid_t pid)
{
	for (size_t i = q->head; i < q->len; i++)
		if (is_death_of(&q->at[i], pid))
			return q->at[i].cpu_ns;
	return is_death_of(&q->in_hand, pid) ? q->in_hand.cpu_ns : UINT64_MAX;
}

void stops_hold(struct stops *q, const struct stop *stop)
{
	struct stop *copy = mem_calloc(1, sizeof(*copy));

	*copy = *stop;
	/* It was only looked at, and is not let go on before the next one is waited for. */
	if (q->careful && is_of_signal(stop->status))
		wait4(stop->tid, NULL, __WALL | WNOHANG, NULL);
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
