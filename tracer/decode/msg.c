/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/decode/decode.h"

#include <errno.h>

#include "tracer/decode/read.h"
#include "tracer/recorder/layout.h"

/* sendmsg(2) and recvmsg(2): (fd, msg, flags). */

static int header_read(const struct decode_in *in, struct msg *ret)
{
	uint8_t raw[MSG_BYTES_MAX];
	int rc = read_exact(in->mem, in->ev->args[1], raw, msg_bytes(in->ev));

	if (rc == 0)
		msg_parse(in->ev, raw, ret);
	return rc;
}

/* The header and the bytes it asks for. */
static int header_asked(const struct decode_in *in, struct msg *msg, struct measure *m)
{
	uint64_t bytes;
	int rc = header_read(in, msg);

	if (rc == 0)
		rc = iov_sum(in, msg->iov, msg->iov_count, &bytes);
	if (rc == 0)
		m->bytes_asked = bytes;
	else if (rc == -EFAULT)
		m->unreadable = 1;
	return rc;
}

/* The datagrams of one message; NOT_MEASURED when they cannot be known. */
static uint64_t header_dgrams(const struct decode_in *in, const struct msg *msg, int sending,
	uint64_t len_bytes, struct measure *m)
{
	struct dgrams d;

	dgrams_init(&d, in, sending);
	dgrams_add(&d, msg, len_bytes);
	m->segmented |= d.segmented;
	m->unreadable |= d.unreadable;
	return d.unknown ? NOT_MEASURED : d.count;
}

static void msg_send_entry(const struct decode_in *in, struct measure *m)
{
	struct msg msg;

	if (header_asked(in, &msg, m) != 0)
		return;
	m->control = msg.control_bytes != 0;
	m->dgrams_asked = header_dgrams(in, &msg, 1, m->bytes_asked, m);
}

static void msg_send_exit(const struct decode_in *in, struct measure *m)
{
	struct msg msg;

	/* UDP sends all or nothing: the header is read again for a part of a message only. */
	if (m->dgrams_asked == NOT_MEASURED || m->bytes_moved == m->bytes_asked || !m->segmented)
		m->dgrams_moved = m->dgrams_asked;
	else if (header_read(in, &msg) == 0)
		m->dgrams_moved = header_dgrams(in, &msg, 1, m->bytes_moved, m);
	else
		m->unreadable = 1;
}

static void msg_recv_entry(const struct decode_in *in, struct measure *m)
{
	struct msg msg;

	/* No room for control data: the header has nothing more to say when the call is over. */
	if (header_asked(in, &msg, m) == 0 && !msg.control_bytes && !in->env->gro)
		m->dgrams_asked = 1;
}

static void msg_recv_exit(const struct decode_in *in, struct measure *m)
{
	struct msg msg;

	if (m->dgrams_asked == 1) {
		m->dgrams_moved = 1;
		return;
	}
	if (header_read(in, &msg) < 0) {
		m->unreadable = 1;
		return;
	}
	m->dgrams_moved = header_dgrams(in, &msg, 0, m->bytes_moved, m);
	m->dgrams_asked = m->dgrams_moved; /* how many to join was not for the caller to ask */
}

/* ---- as recorded inside the target ---- */

/* What the header asked for; 1 if it could be summed. */
static int asked_recorded(const struct recorded *r, struct measure *m)
{
	if (r->flags & MEASURED_NOT_ASKED)
		return 0;
	m->bytes_asked = r->bytes;
	return 1;
}

static void outcome_recorded(
	const struct decode_in *in, const struct recorded *r, struct measure *m)
{
	m->segmented |= (r->flags & MEASURED_SEGMENTED) != 0;
	if (sys_ok(in->ev)) /* what a failed call left unreadable is no figure that is missing */
		m->unreadable |= (r->flags & MEASURED_UNREADABLE) != 0;
}

static void msg_send_recorded(
	const struct decode_in *in, const struct recorded *r, struct measure *m)
{
	int asked = asked_recorded(r, m);
	uint32_t size = r->flags & MEASURED_SEGMENTED ? 0 : in->env->gso_size;

	outcome_recorded(in, r, m);
	m->control = (r->flags & MEASURED_CONTROL_ROOM) != 0;
	if (size) { /* the socket's, which the recorder does not know */
		m->segmented = 1;
		if (asked)
			m->dgrams_asked = dgrams_of(m->bytes_asked, size);
		if (sys_ok(in->ev))
			m->dgrams_moved = dgrams_of(m->bytes_moved, size);
		return;
	}
	if (asked && !(r->flags & MEASURED_DGRAMS_UNKNOWN))
		m->dgrams_asked = r->dgrams_asked;
	if (!sys_ok(in->ev))
		return;
	if (m->dgrams_asked == NOT_MEASURED || m->bytes_moved == m->bytes_asked || !m->segmented)
		m->dgrams_moved = m->dgrams_asked;
	else
		m->dgrams_moved = r->dgrams_moved;
}

static void msg_recv_recorded(
	const struct decode_in *in, const struct recorded *r, struct measure *m)
{
	int asked = asked_recorded(r, m), room = (r->flags & MEASURED_CONTROL_ROOM) != 0;
	int one = asked && !room && !in->env->gro;

	if (one)
		m->dgrams_asked = 1;
	if (!sys_ok(in->ev))
		return;
	if (one) {
		m->dgrams_moved = 1;
		return;
	}
	outcome_recorded(in, r, m);
	if (in->env->gro && (r->flags & MEASURED_CTRUNC))
		m->segmented = 1;
	else if (!(r->flags & MEASURED_DGRAMS_UNKNOWN))
		m->dgrams_moved = r->dgrams_moved;
	m->dgrams_asked = m->dgrams_moved;
}

const struct decoder decoder_msg_send = {.entry = msg_send_entry,
	.exit = msg_send_exit,
	.recorded = msg_send_recorded,
	.kind = KIND_MSG_SEND};
const struct decoder decoder_msg_recv = {.entry = msg_recv_entry,
	.exit = msg_recv_exit,
	.recorded = msg_recv_recorded,
	.kind = KIND_MSG_RECV};
