/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_RECORDER_RING_H
#define TRACER_RECORDER_RING_H

#include "tracer/arch/arch.h"
#include "tracer/recorder/region.h"

/* What the filter lets the stub record, by number: the kind, and what its result can be. */
struct ring_call {
	uint8_t kind;
	uint8_t most; /* enum ring_most */
	uint8_t arg;  /* MOST_ARG: from 0 */
	uint8_t wide; /* it has 64 bits */
};
enum ring_most {
	MOST_ANY,   /* an address, an error of any size */
	MOST_ARG,   /* no more than the argument `arg` says */
	MOST_BYTES, /* no more than was measured at the entry, if it was */
};

/*
 * What one thread of a target writes for the tracer: its block and its records. It is the target's
 * memory, so nothing in it is believed: the tracer has its own ring, mask and tail, reads what it
 * needs once, checks the copy, and uses that. What cannot be makes the ring corrupt.
 */
struct ring {
	struct block *block; /* the tracer's addresses */
	struct record *at;
	uint64_t block_addr, at_addr; /* the target's */
	uint64_t records;             /* there is room for; a power of two */
	uint64_t tail;                /* records taken out, ever */
	uint64_t ended;               /* when the last of them did: ticks */
	uint64_t tallied;             /* block's when it was read last */
	uint32_t tallies[BLOCK_KINDS_LEN];
};

/* A block of the region with its small ring; -ENOMEM: no room. */
int ring_init(struct ring *r, struct region *region);
/* The empty ring is exchanged for a large one; -ENOMEM: no room. The thread stands still. */
int ring_enlarge(struct ring *r, struct region *region);
/* Gives it back; without a region: that is gone. */
void ring_release(struct ring *r, struct region *region);

/* Records committed, ever; -EBADMSG: that cannot be. */
int ring_head(const struct ring *r, uint64_t *ret_head);
/* A copy of the record at that position; of one not committed, or not there, whatever it holds. */
void ring_copy(const struct ring *r, uint64_t position, struct record *ret);
/* What the call in rec, at that position, said: rec->units bytes, at most SAID_BYTES_MAX. */
void ring_said(const struct ring *r, uint64_t position, const struct record *rec, void *ret);
/* 1 if a call is under way, or has returned and is not committed: its record so far. */
int ring_in_flight(const struct ring *r, struct record *ret);
/* The thread stands still, in the stub. */
void ring_state(const struct ring *r, struct stub_state *ret);
/* The call in flight is not the recorder's any more; the thread stands still. */
void ring_cancel(struct ring *r);

/* Calls made in the stub until now, recorded or counted. */
uint64_t ring_made(const struct ring *r, uint64_t head);
/* How many calls of KIND_TALLY there were since it was asked last; where there are any ret has them
 * by number. */
uint64_t ring_tallies(struct ring *r, const struct ring_call *calls, uint32_t ret[BLOCK_KINDS_LEN]);

/* The records before that position are taken out: their room is free. */
void ring_taken(struct ring *r, uint64_t position);
/* The thread's calls stop from now on, unless it changes its block itself. */
void ring_off(struct ring *r);

/*
 * 1 if that can be the record of a call in calls (BLOCK_KINDS_LEN of them) that ended between
 * r->ended and now: its number and kind, result, measures, times, and room for what it said.
 * slack: ticks by which the clocks of two CPUs may differ.
 */
int ring_is_possible(const struct ring *r, const struct record *rec, const struct ring_call *calls,
	uint64_t now, uint64_t slack);

#endif
