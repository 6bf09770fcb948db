/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_DECODE_READ_H
#define TRACER_DECODE_READ_H

#include <stddef.h>
#include <stdint.h>

#include "tracer/decode/decode.h"

/*
 * How a target's structures lie in its memory, for the decoders. The 32-bit ABIs (i386, x32) share
 * the kernel's compat layouts.
 */

#define IOV_MAX_KERNEL 1024 /* UIO_MAXIOV: more iovecs make a call fail, sendmmsg stops there */

static inline int is_compat(const struct sys_event *ev)
{
	return ev->abi != ABI_NATIVE;
}

/* 0, or -EFAULT if not all of it could be read. */
int read_exact(const struct mem_reader *mem, uint64_t addr, void *buf, size_t len);

/* A struct msghdr, and what struct mmsghdr adds. */
struct msg {
	uint64_t iov, iov_count;
	uint64_t control, control_bytes;
	uint32_t flags;
	uint32_t len_bytes; /* only of a struct mmsghdr */
};

#define MSG_BYTES_MAX 64 /* the largest stride */

size_t msg_bytes(const struct sys_event *ev);   /* sizeof(struct msghdr) there */
size_t mmsg_stride(const struct sys_event *ev); /* sizeof(struct mmsghdr) there */
/* p has mmsg_stride() bytes (msg_bytes(): then len_bytes is not set). */
void msg_parse(const struct sys_event *ev, const uint8_t *p, struct msg *ret);
void mmsg_parse(const struct sys_event *ev, const uint8_t *p, struct msg *ret);

/* The lengths of an array of iovecs, read at once. */
struct iov_lengths {
	uint64_t at[IOV_MAX_KERNEL];
	size_t len;
};

/* 0; -EINVAL: more than IOV_MAX_KERNEL, nothing was read; -EFAULT. */
int iov_read(const struct decode_in *in, uint64_t addr, uint64_t count, struct iov_lengths *ret);
/* Their sum, at most INT64_MAX. Errors as iov_read. */
int iov_sum(const struct decode_in *in, uint64_t addr, uint64_t count, uint64_t *ret_bytes);

/* Control data that we read at a time, and of one message. */
#define CONTROL_MAX ((size_t)64 * 1024)

/* A walk through control data: the caller sets next and left. */
struct control {
	uint32_t level, type;
	const uint8_t *data;
	size_t len;
	const uint8_t *next;
	size_t left;
};

/* 1: there is another one. Every length is the target's: what leads out ends the walk, as in the
 * kernel. */
int control_next(struct control *c, int narrow);

/*
 * Datagrams of messages. GSO (UDP_SEGMENT) cuts one message that is sent into datagrams of gso_size
 * bytes, GRO joins received datagrams into one message; without them a message is a datagram.
 */
struct dgrams {
	const struct decode_in *in;
	int sending;
	uint64_t count;
	uint8_t segmented;
	uint8_t unknown;      /* count is of no use */
	uint8_t unreadable;   /* because the target's memory could not be read */
	uint64_t from, until; /* addresses that are in bytes[] */
	uint8_t bytes[CONTROL_MAX];
};

void dgrams_init(struct dgrams *d, const struct decode_in *in, int sending);
/* Reads the control data of all these addresses at once, where they lie close together. */
void dgrams_preload(struct dgrams *d, uint64_t from, uint64_t until);
/* Adds one message of len bytes. */
void dgrams_add(struct dgrams *d, const struct msg *msg, uint64_t len_bytes);

/* ceil(len / size), at least 1: an empty datagram is one too. */
static inline uint64_t dgrams_of(uint64_t len_bytes, uint32_t size_bytes)
{
	return len_bytes ? (len_bytes - 1) / size_bytes + 1 : 1;
}

#endif
