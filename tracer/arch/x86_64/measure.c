/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * What the decoders read out of the target's memory, read by the target's own thread inside the
 * stub: the same rules as tracer/decode, which says why they are so. Part of the stub's code: no
 * calls to outside, no data, no vector registers, little stack. Memory that another
 * thread has just unmapped faults; the tracer sees that (leave.c) and the target does not.
 */
#include <errno.h>
#include <stddef.h>

#include "tracer/arch/x86_64/measure.h"

#define STUB static __attribute__((section("stub_code"), always_inline)) inline

struct iov {
	uint64_t base, len;
};

struct header { /* struct msghdr */
	uint64_t name, name_len;
	const struct iov *iov;
	uint64_t iov_len;
	const uint8_t *control;
	uint64_t control_len;
	uint32_t flags, pad;
};

struct message { /* struct mmsghdr */
	struct header header;
	uint32_t len, pad;
};

struct control { /* struct cmsghdr */
	uint64_t len;
	uint32_t level, type;
};

enum { IOVS_MAX = 1024, LEVEL_UDP = 17, UDP_SEGMENT = 103, UDP_GRO = 104, CTRUNC = 8 };
enum { TRUNC = 0x20, IOV_SUM_BITS = 58 /* of 1024 lengths within addresses of 48 bits */ };
enum { LEVEL_SOCKET = 1, RIGHTS = 1 };

STUB uint64_t add_sat(uint64_t a, uint64_t b)
{
	uint64_t sum = a + b;

	return sum < a || sum > INT64_MAX ? INT64_MAX : sum;
}

/* *bases: all their addresses, or'ed. */
STUB uint64_t iov_total(const volatile struct iov *iov, uint64_t n, uint64_t *bases)
{
	uint64_t sum = 0;

	*bases = 0;
	for (uint64_t i = 0; i < n; i++) {
		*bases |= iov[i].base;
		sum = add_sat(sum, iov[i].len);
	}
	return sum;
}

/* How many iovecs, from the first, the bytes moved reach into. */
STUB uint64_t iov_reached(const volatile struct iov *iov, uint64_t n, uint64_t bytes)
{
	uint64_t i;

	for (i = 0; i < n && bytes; i++)
		bytes -= iov[i].len < bytes ? iov[i].len : bytes;
	return i;
}

/* The segment size in control data, or -1. */
STUB int64_t segment_size(struct record *r, const volatile struct header *h, int sending)
{
	uint64_t len = h->control_len, at = 0;
	const uint8_t *p = h->control;

	while (len - at >= sizeof(struct control)) {
		const volatile struct control *c = (const volatile struct control *)(p + at);
		uint64_t c_len = c->len, rest = len - at;

		if (c_len < sizeof(*c) || c_len > rest)
			return -1;
		if (!sending && c->level == LEVEL_SOCKET && c->type == RIGHTS)
			r->flags |= MEASURED_RIGHTS;
		if (c->level == LEVEL_UDP && c->type == (sending ? UDP_SEGMENT : UDP_GRO) &&
			c_len - sizeof(*c) >= (sending ? 2 : 4))
			return sending ? *(const volatile uint16_t *)(c + 1)
				       : *(const volatile uint32_t *)(c + 1);
		c_len = (c_len + 7) & ~7ULL;
		if (c_len > rest)
			return -1;
		at += c_len;
	}
	return -1;
}

STUB uint64_t datagrams(
	struct record *r, const volatile struct header *h, int sending, uint64_t len)
{
	int64_t size = h->control_len ? segment_size(r, h, sending) : -1;

	if (size < 0 && !sending && (h->flags & CTRUNC))
		r->flags |= MEASURED_CTRUNC;
	if (size <= 0)
		return 1;
	r->flags |= MEASURED_SEGMENTED;
	return len ? (len - 1) / (uint32_t)size + 1 : 1;
}

/* Control data larger than what the decoder reads. */
STUB int control_is_large(const volatile struct header *h)
{
	return h->control_len > 64 * 1024;
}

/*
 * The bytes that the vector asks for, unless it cannot be the one that the kernel took so much
 * through: it may be written over before we read it, by another thread while the call waits, or by
 * the call itself (a readv into its own vector). No address is of the kernel's half, and several
 * lengths together are not beyond memory.
 */
STUB void take_asked(struct record *r, const volatile struct iov *iov, uint64_t n, int64_t moved)
{
	uint64_t bases, sum = iov_total(iov, n, &bases);

	if (bases >> 63 || (n > 1 && sum >> IOV_SUM_BITS) || (moved > 0 && (uint64_t)moved > sum))
		r->flags |= MEASURED_NOT_ASKED | MEASURED_UNREADABLE;
	else
		r->bytes = sum;
}

STUB void asked_iov(struct record *r)
{
	if (r->args[2] > IOVS_MAX)
		r->flags |= MEASURED_NOT_ASKED;
	else
		take_asked(r, (const volatile struct iov *)r->args[1], r->args[2], r->ret);
}

STUB void asked_msg(struct record *r, int sending)
{
	const volatile struct header *h = (const volatile struct header *)r->args[1];
	uint64_t n = h->iov_len;
	/* With MSG_TRUNC the result is the message's length, whatever there was room for. */
	int64_t moved = !sending && (r->args[2] & TRUNC) ? 0 : r->ret;

	if (h->control_len)
		r->flags |= MEASURED_CONTROL_ROOM;
	if (n > IOVS_MAX) /* which the kernel refuses: it was another one */
		r->flags |= MEASURED_NOT_ASKED | MEASURED_UNREADABLE;
	else
		take_asked(r, h->iov, n, moved);
	if (!sending || (r->flags & MEASURED_NOT_ASKED))
		return;
	if (control_is_large(h))
		r->flags |= MEASURED_UNREADABLE | MEASURED_DGRAMS_UNKNOWN;
	else
		r->dgrams_asked = datagrams(r, h, 1, r->bytes);
}

void measure_before(struct record *r, const struct block *b)
{
	(void)b; /* KIND_PEER: the kernel overwrites how much room there is */
	r->bytes = r->args[1] && r->args[2] ? *(const volatile uint32_t *)r->args[2] : 0;
}

/* The kernel says so of a vector or header that it has read. */
STUB int was_read(int64_t ret)
{
	return ret >= 0 || ret == -EAGAIN || ret == -EINTR || ret == -EPIPE || ret == -ECONNRESET ||
	       ret == -ECONNREFUSED;
}

STUB void after_iov(struct record *r)
{
	uint64_t moved = (uint64_t)r->ret;

	if (!(r->flags & MEASURED_NOT_ASKED) && moved < r->bytes && moved)
		r->units = iov_reached((const volatile struct iov *)r->args[1], r->args[2], moved);
}

STUB void after_msg(struct record *r, int sending)
{
	const volatile struct header *h = (const volatile struct header *)r->args[1];
	uint64_t moved = (uint64_t)r->ret;

	if (sending && (r->flags & MEASURED_SEGMENTED) && moved != r->bytes)
		r->dgrams = datagrams(r, h, 1, moved);
	else if (!sending && control_is_large(h))
		r->flags |= MEASURED_UNREADABLE | MEASURED_DGRAMS_UNKNOWN;
	else if (!sending)
		r->dgrams = datagrams(r, h, 0, moved);
}

STUB void after_mmsg(struct record *r, int sending)
{
	const volatile struct message *m = (const volatile struct message *)r->args[1];
	uint64_t vlen = (uint32_t)r->args[2], n = (uint64_t)r->ret, dgrams = 0, bytes = 0, i;

	for (i = 0; i < n; i++) {
		bytes = add_sat(bytes, m[i].len);
		if (control_is_large(&m[i].header))
			r->flags |= MEASURED_UNREADABLE | MEASURED_DGRAMS_UNKNOWN;
		else
			dgrams += datagrams(r, &m[i].header, sending, m[i].len);
	}
	r->bytes = bytes;
	r->dgrams = r->dgrams_asked = dgrams;
	if (!sending || !(r->flags & MEASURED_SEGMENTED) || n >= vlen)
		return;
	for (; i < vlen && vlen <= IOVS_MAX; i++) {
		uint64_t bases;

		if (m[i].header.iov_len > IOVS_MAX || control_is_large(&m[i].header))
			break;
		dgrams += datagrams(r, &m[i].header, 1,
			iov_total(m[i].header.iov, m[i].header.iov_len, &bases));
	}
	r->dgrams_asked = i < vlen ? UINT64_MAX : dgrams;
}

/* ---- what a call said ---- */

/* Copies into the places behind the record, to the first 0 if it is text. What comes after the most
 * that there may be is left out, which cannot be: the kernel takes no longer path. */
STUB void copy_said(struct record *r, const struct block *b, const volatile uint8_t *from,
	uint64_t max, int text)
{
	uint64_t n = 0;

	max = max < SAID_BYTES_MAX ? max : SAID_BYTES_MAX;
	for (; n < max; n++) {
		uint64_t place = (b->head + 1 + n / RECORD_BYTES) & b->mask;
		uint8_t byte = from[n];

		if (text && !byte)
			break;
		*(volatile uint8_t *)(b->base + place * RECORD_BYTES + n % RECORD_BYTES) = byte;
	}
	r->units = n;
	r->extra = (uint32_t)((n + RECORD_BYTES - 1) / RECORD_BYTES);
}

/* Of an address that was cut off, as there was no room for it, nothing is told. */
STUB uint64_t address_len(uint64_t len, uint64_t room)
{
	return len > room ? 0 : len < 128 ? len : 128;
}

STUB void after_said(struct record *r, const struct block *b)
{
	const volatile uint8_t *from = (const volatile uint8_t *)r->args[1];

	if (r->kind == KIND_PATH_1)
		copy_said(r, b, (const volatile uint8_t *)r->args[0], SAID_BYTES_MAX, 1);
	else if (r->kind == KIND_PATH_2)
		copy_said(r, b, from, SAID_BYTES_MAX, 1);
	else if (r->kind == KIND_ADDRESS)
		copy_said(r, b, from, address_len((uint32_t)r->args[2], UINT32_MAX), 0);
	else if (r->bytes) /* KIND_PEER: so much was there room for */
		copy_said(r, b, from, address_len(*(const volatile uint32_t *)r->args[2], r->bytes),
			0);
}

/* A connect that goes on in the background has said its address too. */
#define IN_PROGRESS (-115)

STUB int has_one_vector(const struct record *r)
{
	return r->kind == KIND_IOV || r->kind == KIND_MSG_SEND || r->kind == KIND_MSG_RECV;
}

/* 1: only a stop can tell. */
STUB int measure(struct record *r, const struct block *b)
{
	if (r->kind < KIND_FIRST_SAID) {
		r->flags = 0;
		r->bytes = r->units = r->dgrams = r->dgrams_asked = 0;
	}
	if (has_one_vector(r)) {
		if (!was_read(r->ret))
			return 1;
		if (r->kind == KIND_IOV)
			asked_iov(r);
		else
			asked_msg(r, r->kind == KIND_MSG_SEND);
	}
	if (r->ret < 0 && !(r->kind == KIND_ADDRESS && r->ret == IN_PROGRESS))
		return 0;
	if (r->kind == KIND_IOV)
		after_iov(r);
	else if (r->kind == KIND_MSG_SEND || r->kind == KIND_MSG_RECV)
		after_msg(r, r->kind == KIND_MSG_SEND);
	else if (r->kind == KIND_MMSG_SEND || r->kind == KIND_MMSG_RECV)
		after_mmsg(r, r->kind == KIND_MMSG_SEND);
	else if (r->kind == KIND_PAIR_1)
		r->units = *(const volatile uint64_t *)r->args[0];
	else if (r->kind == KIND_PAIR_4)
		r->units = *(const volatile uint64_t *)r->args[3];
	else
		after_said(r, b);
	return r->kind < KIND_FIRST_SAID && (r->flags & MEASURED_RIGHTS);
}

/* The turn of a stack comes with the calls and with the time in them: the tracer draws when. */
STUB int wants_stack(const struct record *r, struct block *b)
{
	uint64_t ticks = r->t1 - r->t0;

	if (b->measured)
		return 0;
	b->sample -= b->sample > 0;
	b->wait -= ticks < b->wait ? ticks : b->wait;
	return !b->sample || !b->wait;
}

int measure_after(struct record *r, struct block *b)
{
	if (r->kind >= KIND_FIRST_MEASURED && measure(r, b))
		return ASK_TAKE_OVER;
	return wants_stack(r, b) ? ASK_STACK : 0;
}
