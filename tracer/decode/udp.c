/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/decode/decode.h"

#include <string.h>

#include "tracer/decode/read.h"

/* linux/udp.h; older C libraries have some of them only. */
enum { LEVEL_UDP = 17, OPTION_UDP_SEGMENT = 103, OPTION_UDP_GRO = 104 };
enum { FLAG_CTRUNC = 0x8 }; /* MSG_CTRUNC */

/* ---- control data ---- */

void dgrams_init(struct dgrams *d, const struct decode_in *in, int sending)
{
	d->in = in;
	d->sending = sending;
	d->count = 0;
	d->segmented = d->unknown = d->unreadable = 0;
	d->from = d->until = 0; /* bytes[] is large: left as it is */
}

static int load(struct dgrams *d, uint64_t from, uint64_t len_bytes)
{
	const struct mem_reader *mem = d->in->mem;
	ssize_t got;

	if (len_bytes > CONTROL_MAX || from > UINT64_MAX - len_bytes)
		return -1;
	got = mem->read(mem->ctx, from, d->bytes, (size_t)len_bytes);
	d->from = from;
	d->until = from + (got > 0 ? (uint64_t)got : 0);
	return d->until - from == len_bytes ? 0 : -1;
}

void dgrams_preload(struct dgrams *d, uint64_t from, uint64_t until)
{
	/* What could not be read stays out of [from, until) and is tried again alone. */
	if (from < until && until - from <= CONTROL_MAX)
		load(d, from, until - from);
}

/* The control data of a message, or NULL: unreadable. */
static const uint8_t *control_of(struct dgrams *d, const struct msg *msg)
{
	uint64_t addr = msg->control, len = msg->control_bytes;

	if (addr < d->from || addr > d->until || len > d->until - addr)
		if (load(d, addr, len) < 0)
			return NULL;
	return d->bytes + (addr - d->from);
}

/* The value of the one option in control data, as an unsigned int of `bytes` bytes; -1 if it isn't
 * there. */
static int64_t control_value(const uint8_t *p, size_t len, int compat, uint32_t type, size_t bytes)
{
	struct control c = {.next = p, .left = len};
	uint32_t value = 0;

	while (control_next(&c, compat)) {
		if (c.level != LEVEL_UDP || c.type != type || c.len < bytes)
			continue;
		memcpy(&value, c.data, bytes);
		return value;
	}
	return -1;
}

/* Of a message sent the size that it is cut into, of one received that it was joined from. 0: none;
 * -1: cannot be known. */
static int64_t segment_size(struct dgrams *d, const struct msg *msg)
{
	int64_t socket_wide = d->sending ? d->in->env->gso_size : 0, size = -1;
	const uint8_t *p;

	if (msg->control_bytes) {
		p = control_of(d, msg);
		if (!p) {
			d->unreadable = 1;
			return -1;
		}
		size = control_value(p, (size_t)msg->control_bytes, is_compat(d->in->ev),
			d->sending ? OPTION_UDP_SEGMENT : OPTION_UDP_GRO,
			d->sending ? sizeof(uint16_t) : sizeof(uint32_t));
	}
	if (size >= 0)
		return size;
	/* The kernel says the size only when it joined, and sets CTRUNC where there is no room. */
	if (!d->sending && d->in->env->gro && (msg->flags & FLAG_CTRUNC)) {
		d->segmented = 1;
		return -1;
	}
	return socket_wide;
}

void dgrams_add(struct dgrams *d, const struct msg *msg, uint64_t len_bytes)
{
	int64_t size = segment_size(d, msg);

	if (size < 0) {
		d->unknown = 1;
	} else if (size == 0) {
		d->count++;
	} else {
		d->segmented = 1;
		d->count += dgrams_of(len_bytes, (uint32_t)size);
	}
}

/* ---- calls without control data ---- */

/* A read or write that is no network call is of no datagram, unless GSO or GRO says otherwise. */
static int one_datagram(const struct decode_in *in)
{
	return in->ev->def->class == CLASS_NETWORK;
}

static void send_flat_exit(const struct decode_in *in, struct measure *m)
{
	uint32_t size = in->env->gso_size;

	if (size) {
		m->segmented = 1;
		m->dgrams_moved = dgrams_of(m->bytes_moved, size);
		if (m->bytes_asked != NOT_MEASURED)
			m->dgrams_asked = dgrams_of(m->bytes_asked, size);
	} else if (one_datagram(in)) {
		m->dgrams_asked = m->dgrams_moved = 1;
	}
}

static void recv_flat_exit(const struct decode_in *in, struct measure *m)
{
	if (in->env->gro)
		m->segmented = 1; /* of how many, only control data could say */
	else if (one_datagram(in))
		m->dgrams_asked = m->dgrams_moved = 1;
}

const struct decoder decoder_send_flat = {.no_memory = 1, .exit = send_flat_exit};
const struct decoder decoder_recv_flat = {.no_memory = 1, .exit = recv_flat_exit};

/* ---- setsockopt ---- */

int decode_udp_option(const struct decode_in *in, uint32_t *ret_gso_size, int *ret_gro)
{
	const struct sys_event *ev = in->ev;
	uint32_t option = (uint32_t)ev->args[2];
	int32_t value;

	if (!sys_ok(ev) || (uint32_t)ev->args[1] != LEVEL_UDP || (int32_t)ev->args[4] < 4 ||
		(option != OPTION_UDP_SEGMENT && option != OPTION_UDP_GRO) ||
		read_exact(in->mem, ev->args[3], &value, sizeof(value)) < 0)
		return 0;
	if (option == OPTION_UDP_SEGMENT)
		*ret_gso_size = (uint32_t)value;
	else
		*ret_gro = value != 0;
	return 1;
}
