/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/decode/decode.h"

#include <errno.h>

#include "tracer/decode/read.h"
#include "tracer/recorder/layout.h"

/* readv(2), writev(2) and their kin: (fd, iov, iovcnt, ...). */

static void iov_entry(const struct decode_in *in, struct measure *m)
{
	uint64_t bytes;
	int rc = iov_sum(in, in->ev->args[1], m->batch_asked, &bytes);

	if (rc == 0)
		m->bytes_asked = bytes;
	else if (rc == -EFAULT)
		m->unreadable = 1;
}

/* How many iovecs, from the first, the bytes moved reach into. */
static uint64_t iovs_reached(const struct iov_lengths *iov, uint64_t bytes)
{
	size_t i;

	for (i = 0; i < iov->len && bytes; i++)
		bytes -= iov->at[i] < bytes ? iov->at[i] : bytes;
	return i;
}

static void iov_exit(const struct decode_in *in, struct measure *m)
{
	struct iov_lengths iov;

	if (!m->bytes_moved && m->bytes_asked) {
		m->batch_moved = 0;
	} else if (m->bytes_asked == NOT_MEASURED) {
		m->batch_moved = NOT_MEASURED;
	} else if (m->bytes_moved >= m->bytes_asked) {
		m->batch_moved = m->batch_asked;
	} else if (iov_read(in, in->ev->args[1], m->batch_asked, &iov) == 0) {
		m->batch_moved = iovs_reached(&iov, m->bytes_moved);
	} else {
		m->batch_moved = NOT_MEASURED;
		m->unreadable = 1;
	}
}

static void iov_write_exit(const struct decode_in *in, struct measure *m)
{
	iov_exit(in, m);
	decoder_send_flat.exit(in, m);
}

static void iov_read_exit(const struct decode_in *in, struct measure *m)
{
	iov_exit(in, m);
	decoder_recv_flat.exit(in, m);
}

static void iov_recorded(const struct decode_in *in, const struct recorded *r, struct measure *m)
{
	if (!(r->flags & MEASURED_NOT_ASKED))
		m->bytes_asked = r->bytes;
	if (!sys_ok(in->ev))
		return;
	m->unreadable |= (r->flags & MEASURED_UNREADABLE) != 0;
	if (!m->bytes_moved && m->bytes_asked)
		m->batch_moved = 0;
	else if (m->bytes_asked == NOT_MEASURED)
		m->batch_moved = NOT_MEASURED;
	else if (m->bytes_moved >= m->bytes_asked)
		m->batch_moved = m->batch_asked;
	else
		m->batch_moved = r->units;
}

static void iov_write_recorded(
	const struct decode_in *in, const struct recorded *r, struct measure *m)
{
	iov_recorded(in, r, m);
	if (sys_ok(in->ev))
		decoder_send_flat.exit(in, m);
}

static void iov_read_recorded(
	const struct decode_in *in, const struct recorded *r, struct measure *m)
{
	iov_recorded(in, r, m);
	if (sys_ok(in->ev))
		decoder_recv_flat.exit(in, m);
}

const struct decoder decoder_iov_write = {.entry = iov_entry,
	.exit = iov_write_exit,
	.recorded = iov_write_recorded,
	.kind = KIND_IOV};
const struct decoder decoder_iov_read = {
	.entry = iov_entry, .exit = iov_read_exit, .recorded = iov_read_recorded, .kind = KIND_IOV};
