/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/decode/decode.h"

#include "common/base/units.h"
#include "tracer/decode/read.h"
#include "tracer/recorder/layout.h"

/*
 * sendmmsg(2) and recvmmsg(2): (fd, msgvec, vlen, flags). What was moved is read when the call is
 * over, from the first `ret` messages, in as few reads as possible. What was asked is messages, not
 * bytes: their iovecs are not worth a read each.
 */

#define CHUNK_MESSAGES 1024 /* recvmmsg has no limit, so no buffer is large enough for all */

struct walk {
	uint64_t bytes;
	struct dgrams d;
	uint8_t raw[CHUNK_MESSAGES * MSG_BYTES_MAX];
};

static void walk_init(struct walk *w, const struct decode_in *in, int sending)
{
	w->bytes = 0;
	dgrams_init(&w->d, in, sending);
}

static int chunk_read(struct walk *w, uint64_t first, size_t n)
{
	const struct sys_event *ev = w->d.in->ev;
	size_t stride = mmsg_stride(ev);

	return read_exact(w->d.in->mem, ev->args[1] + first * stride, w->raw, n * stride);
}

static struct msg chunk_at(const struct walk *w, size_t i)
{
	const struct sys_event *ev = w->d.in->ev;
	struct msg msg;

	mmsg_parse(ev, w->raw + i * mmsg_stride(ev), &msg);
	return msg;
}

/* Control data mostly lies side by side: one read for all of it. */
static void chunk_preload(struct walk *w, size_t n)
{
	uint64_t from = UINT64_MAX, until = 0;

	for (size_t i = 0; i < n; i++) {
		struct msg msg = chunk_at(w, i);
		uint64_t end;

		if (!msg.control_bytes ||
			__builtin_add_overflow(msg.control, msg.control_bytes, &end))
			continue;
		from = msg.control < from ? msg.control : from;
		until = end > until ? end : until;
	}
	dgrams_preload(&w->d, from, until);
}

/* Adds messages [0, count). */
static int walk_moved(struct walk *w, uint64_t count)
{
	for (uint64_t first = 0; first < count; first += CHUNK_MESSAGES) {
		size_t n =
			count - first < CHUNK_MESSAGES ? (size_t)(count - first) : CHUNK_MESSAGES;
		int rc = chunk_read(w, first, n);

		if (rc < 0)
			return rc;
		chunk_preload(w, n);
		for (size_t i = 0; i < n; i++) {
			struct msg msg = chunk_at(w, i);

			w->bytes = sat_add(w->bytes, msg.len_bytes);
			dgrams_add(&w->d, &msg, msg.len_bytes);
		}
	}
	return 0;
}

/* Adds the datagrams of the messages [first, count) that were not sent; they fit into one chunk. */
static int walk_unsent(struct walk *w, uint64_t first, uint64_t count)
{
	size_t n = (size_t)(count - first);
	int rc = chunk_read(w, first, n);

	for (size_t i = 0; rc == 0 && i < n; i++) {
		struct msg msg = chunk_at(w, i);
		uint64_t bytes;

		rc = iov_sum(w->d.in, msg.iov, msg.iov_count, &bytes);
		if (rc == 0)
			dgrams_add(&w->d, &msg, bytes);
	}
	return rc;
}

static int moved(struct walk *w, struct measure *m)
{
	int rc = walk_moved(w, m->batch_moved);

	if (rc < 0) {
		m->unreadable = 1;
		return rc;
	}
	m->bytes_moved = w->bytes;
	m->segmented = w->d.segmented;
	m->unreadable |= w->d.unreadable;
	if (!w->d.unknown)
		m->dgrams_moved = w->d.count;
	return 0;
}

/* Datagrams asked of a sendmmsg: every message is one, but where some are cut, all must be known.
 */
static uint64_t dgrams_asked(struct walk *w, const struct measure *m)
{
	if (m->dgrams_moved == NOT_MEASURED || m->batch_moved >= m->batch_asked)
		return m->dgrams_moved;
	if (!m->segmented && !w->d.in->env->gso_size)
		return m->batch_asked;
	if (m->batch_asked > CHUNK_MESSAGES || walk_unsent(w, m->batch_moved, m->batch_asked) < 0 ||
		w->d.unknown)
		return NOT_MEASURED;
	return w->d.count;
}

static void mmsg_send_exit(const struct decode_in *in, struct measure *m)
{
	struct walk w;

	walk_init(&w, in, 1);
	if (moved(&w, m) == 0)
		m->dgrams_asked = dgrams_asked(&w, m);
}

static void mmsg_recv_exit(const struct decode_in *in, struct measure *m)
{
	struct walk w;

	walk_init(&w, in, 0);
	if (moved(&w, m) < 0)
		return;
	/* How many to join was not for the caller to ask. */
	if (m->segmented || m->dgrams_moved == NOT_MEASURED)
		m->dgrams_asked = m->dgrams_moved;
	else
		m->dgrams_asked = m->batch_asked;
}

/* ---- as recorded inside the target ---- */

/* 1 if the call moved something that could be read. */
static int moved_recorded(const struct decode_in *in, const struct recorded *r, struct measure *m)
{
	int unknown = (r->flags & MEASURED_DGRAMS_UNKNOWN) ||
		      ((r->flags & MEASURED_CTRUNC) && in->env->gro);

	if (!sys_ok(in->ev))
		return 0;
	m->unreadable = (r->flags & MEASURED_UNREADABLE) != 0;
	if (m->unreadable && !(r->flags & MEASURED_DGRAMS_UNKNOWN))
		return 0; /* it faulted before the sums were whole */
	m->bytes_moved = r->bytes;
	m->segmented =
		(r->flags & MEASURED_SEGMENTED) || ((r->flags & MEASURED_CTRUNC) && in->env->gro);
	if (!unknown)
		m->dgrams_moved = r->dgrams_moved;
	return 1;
}

static void mmsg_send_recorded(
	const struct decode_in *in, const struct recorded *r, struct measure *m)
{
	if (!moved_recorded(in, r, m))
		return;
	if (in->env->gso_size && !m->segmented) { /* the socket's: the recorder does not know it */
		m->segmented = 1;
		m->dgrams_moved = NOT_MEASURED;
	}
	if (m->dgrams_moved == NOT_MEASURED || m->batch_moved >= m->batch_asked)
		m->dgrams_asked = m->dgrams_moved;
	else
		m->dgrams_asked = m->segmented ? r->dgrams_asked : m->batch_asked;
}

static void mmsg_recv_recorded(
	const struct decode_in *in, const struct recorded *r, struct measure *m)
{
	if (!moved_recorded(in, r, m))
		return;
	if (m->segmented || m->dgrams_moved == NOT_MEASURED)
		m->dgrams_asked = m->dgrams_moved;
	else
		m->dgrams_asked = m->batch_asked;
}

const struct decoder decoder_mmsg_send = {
	.exit = mmsg_send_exit, .recorded = mmsg_send_recorded, .kind = KIND_MMSG_SEND};
const struct decoder decoder_mmsg_recv = {
	.exit = mmsg_recv_exit, .recorded = mmsg_recv_recorded, .kind = KIND_MMSG_RECV};
