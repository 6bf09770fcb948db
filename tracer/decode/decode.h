/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_DECODE_H
#define TRACER_DECODE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "tracer/decode/decoders.h"
#include "tracer/event.h"

/*
 * Decoders: pure functions from a raw call and a memory reader to a measure. No printing, no
 * ptrace. Inputs are read at entry, outputs only after success.
 */

/* Reads the target's memory. Returns the bytes read from the start (fewer than len where memory
 * ends), or a negative errno when none could be read. Never reads more than len. */
struct mem_reader {
	ssize_t (*read)(void *ctx, uint64_t addr, void *buf, size_t len);
	void *ctx;
};

/* What the tracer knows of the call's surroundings. */
struct decode_env {
	uint32_t gso_size; /* UDP_SEGMENT set on the socket by setsockopt, 0 = none */
	uint8_t gro;       /* UDP_GRO set on the socket by setsockopt */
	uint64_t prev_brk; /* the address space's last known break, 0 = unknown */
};

struct decode_in {
	const struct sys_event *ev; /* def, abi, args; at exit also ret and outcome */
	const struct mem_reader *mem;
	const struct decode_env *env;
};

/* What the recorder inside the target read of a call's memory, at entry and after success; the
 * numbers mean what they mean in struct measure. */
struct recorded {
	uint32_t flags; /* MEASURED_* of tracer/recorder/layout.h */
	uint64_t bytes; /* asked; of sendmmsg and recvmmsg moved */
	uint64_t units; /* iovecs reached, where less was moved than asked */
	uint64_t dgrams_asked, dgrams_moved;
};

/* What a call said beside its numbers, as it or the tracer read it after success. */
struct said {
	const void *bytes; /* a path without its 0, or an address */
	size_t len;
	int32_t pair[2]; /* fds that the kernel wrote */
};

struct decoder {
	/* Either may be NULL. They fill what the row's columns cannot say. */
	void (*entry)(const struct decode_in *in, struct measure *m);
	void (*exit)(const struct decode_in *in, struct measure *m);
	uint8_t no_memory; /* they read none of the target's memory */
	/* For one that does: the same from what was recorded. NULL: its calls are stopped. */
	void (*recorded)(const struct decode_in *in, const struct recorded *r, struct measure *m);
	uint8_t kind; /* KIND_* of tracer/recorder/layout.h that records so; 0 where recorded is
			 NULL */
};

/*
 * The caller gives args as the registers hold them: a decoder cuts an int or an unsigned int to its
 * 32 bits, as the kernel does, and a negative count is NOT_MEASURED (the call fails). ret is as
 * PTRACE_GET_SYSCALL_INFO gives it: the kernel has sign-extended the errors of 32-bit calls.
 */

/* Fills *m (cleared first) with what is known when the call is entered. */
void decode_entry(const struct decode_in *in, struct measure *m);
/* Completes *m when the call is over. Called for every outcome; only success moves anything. */
void decode_exit(const struct decode_in *in, struct measure *m);

/* Both at once, for a call that was recorded inside the target. */
void decode_recorded(const struct decode_in *in, const struct recorded *r, struct measure *m);

/*
 * What a setsockopt changed of decode_env: 1 if the call succeeded and set UDP_SEGMENT
 * (*ret_gso_size, 0 = off) or UDP_GRO (*ret_gro, 0 or 1), else 0. Only the one that was set is
 * written. Called when the call is over; reads 4 bytes.
 */
int decode_udp_option(const struct decode_in *in, uint32_t *ret_gso_size, int *ret_gro);

/* Calls found() with each fd that a recvmsg or recvmmsg which is over has received; with none of
 * other calls. */
void decode_rights(const struct decode_in *in, void (*found)(void *ctx, int32_t fd), void *ctx);

/* For 32-bit calls: brings the arguments into the 64-bit call's order: socketcall -> the call it
 * carries, old mmap's argument block, mmap2's page offset, offsets in two halves, the sign of a
 * long. May change ev->def. To be called once, before anything else looks at the event; what cannot
 * be read stays as it is (socketcall under its own name). */
void decode_normalize(struct sys_event *ev, const struct mem_reader *mem);

#endif
