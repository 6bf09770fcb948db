/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/probe.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
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

/* ---- what a batch saves ---- */

#define SENDS       8 /* the queue of a local socket may hold no more than ten */
#define SEND_ROUNDS 30

struct sends {
	int fds[2];
	struct iovec bytes[SENDS];
	struct mmsghdr at[SENDS];
};

enum send_way { SEND_FLAT, SEND_HEADER, SEND_BATCH };

/* 0, or -1: one was refused. */
static int send_all(struct sends *s, enum send_way way)
{
	if (way == SEND_BATCH)
		return sendmmsg(s->fds[0], s->at, SENDS, 0) == SENDS ? 0 : -1;
	for (int i = 0; i < SENDS; i++) {
		ssize_t n = way == SEND_FLAT ? send(s->fds[0], s->bytes[i].iov_base, 1, 0)
					     : sendmsg(s->fds[0], &s->at[i].msg_hdr, 0);

		if (n != 1)
			return -1;
	}
	return 0;
}

/* Best becomes the least of its rounds, in picoseconds a message. */
static int time_sends(struct sends *s, enum send_way way, uint64_t *best_ps)
{
	uint64_t begin = clock_mono_ns(), ps;

	if (send_all(s, way) < 0)
		return -1;
	ps = (clock_mono_ns() - begin) * 1000 / SENDS;
	if (!*best_ps || ps < *best_ps)
		*best_ps = ps;
	return recvmmsg(s->fds[1], s->at, SENDS, 0, NULL) == SENDS ? 0 : -1;
}

static uint64_t less_ns(uint64_t alone_ps, uint64_t gathered_ps)
{
	return alone_ps > gathered_ps ? (alone_ps - gathered_ps) / 1000 : 0;
}

/* What a batch of messages saves does not depend on what is behind the socket: it is the same
 * entering, and the same reading of headers. */
void probe_gathered(uint64_t *ret_sendto, uint64_t *ret_sendmsg)
{
	uint64_t flat = 0, header = 0, batch = 0;
	struct sends s = {0};
	char byte = 0;
	int bad = 0;

	*ret_sendto = *ret_sendmsg = UINT64_MAX;
	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, s.fds) < 0)
		return;
	for (int i = 0; i < SENDS; i++) {
		s.bytes[i] = (struct iovec){&byte, 1};
		s.at[i].msg_hdr = (struct msghdr){.msg_iov = &s.bytes[i], .msg_iovlen = 1};
	}
	for (int i = 0; i < SEND_ROUNDS && !bad; i++)
		bad = time_sends(&s, SEND_FLAT, &flat) || time_sends(&s, SEND_HEADER, &header) ||
		      time_sends(&s, SEND_BATCH, &batch);
	close(s.fds[0]);
	close(s.fds[1]);
	if (bad)
		return;
	*ret_sendto = less_ns(flat, batch);
	*ret_sendmsg = less_ns(header, batch);
}
