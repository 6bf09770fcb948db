/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef ANALYZE_WHATIF_H
#define ANALYZE_WHATIF_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"

/*
 * Replay of a detail file: how many calls would be saved if what one thread
 * sends on one fd by one kind of call were gathered, and how long it would wait
 * for that. Read once, as a stream; memory depends on the number of (thread,
 * fd, call), at most WHATIF_PLACES_MAX of them.
 *
 * A group is sent when it has `units`, or `delay_us` after its first call.
 * Delays are of calls: from its own time to that of the call that completes the
 * group, or to the end of the delay. With the second way of counting nothing is
 * held back while the thread receives on the same fd, syncs or closes it: what
 * it receives may be the answer to what it sent.
 */
#define WHATIF_PLACES_MAX 65536
#define WHATIF_UNITS_MAX  1024 /* UIO_MAXIOV: no call takes more */

struct whatif_policy {
	const char *name;
	uint64_t units;    /* sent when so many are there */
	uint64_t delay_us; /* or after that; UINT64_MAX: never */
};
enum { WHATIF_POLICIES = 4 };
extern const struct whatif_policy whatif_policies[WHATIF_POLICIES];

/* What came of one policy in one place. */
struct whatif_outcome {
	uint64_t calls;      /* that would be made */
	uint64_t delay_us;   /* sum over the calls gathered */
	uint64_t held_calls; /* as calls, where nothing is held back over a receive */
	uint64_t held_delay_us;
};

enum whatif_call {
#define GATHERED(name, unit, into) WHATIF_##name,
#include "common/analyze/gathered.def"
#undef GATHERED
	WHATIF_CALLS
};

struct whatif_place {
	uint64_t tid, fd;
	enum whatif_call call;
	uint64_t calls, units; /* ok calls as they were */
	uint64_t partial;      /* moved less than they were given */
	uint64_t after_partial_again, after_partial_eagain, after_partial_other;
	struct whatif_outcome outcome[WHATIF_POLICIES];
};

struct whatif {
	struct whatif_place *at; /* by calls, most first */
	size_t len;
	uint64_t lines;
	uint64_t left_out; /* calls in places beyond WHATIF_PLACES_MAX */
};

const char *whatif_call_name(enum whatif_call call);
const char *whatif_call_unit(enum whatif_call call);
const char *whatif_call_into(enum whatif_call call); /* what the gathered ones would be */

/* Reads a detail file. -EINVAL with file and line where a line is none of
 * iotrace's. The result is the caller's: whatif_release(). */
int whatif_read(const char *path, struct whatif *ret, struct err *err);
void whatif_release(struct whatif *w);

#endif
