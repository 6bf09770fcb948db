/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/recorder/ring.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#define UNITS_MAX 0x7fffffffULL /* messages, bytes of one call: an int */
#define SUM_MAX   INT64_MAX
#define ERRNO_MAX 4095
#define FLAGS_ALL                                                                                  \
	(MEASURED_UNREADABLE | MEASURED_SEGMENTED | MEASURED_DGRAMS_UNKNOWN | MEASURED_CTRUNC |    \
		MEASURED_NOT_ASKED | MEASURED_CONTROL_ROOM | MEASURED_RIGHTS)

int ring_init(struct ring *r, struct region *region)
{
	struct block *b = region_block(region);

	if (!b)
		return -ENOMEM;
	*r = (struct ring){.block = b,
		.block_addr = region_addr(region, b),
		.at = (struct record *)((char *)b + BLOCK_RING),
		.records = SMALL_RING_RECORDS};
	r->at_addr = r->block_addr + BLOCK_RING;
	b->tallied = 0;
	for (size_t i = 0; i < BLOCK_KINDS_LEN; i++)
		b->tallies[i] = 0;
	return 0;
}

int ring_enlarge(struct ring *r, struct region *region)
{
	struct record *large = region_units(region, LARGE_RING_UNITS);

	if (!large)
		return -ENOMEM;
	r->at = large;
	r->at_addr = region_addr(region, large);
	r->records = LARGE_RING_RECORDS;
	r->block->base = r->at_addr;
	r->block->mask = LARGE_RING_RECORDS - 1;
	r->block->limit = LARGE_RING_RECORDS;
	return 0;
}

void ring_release(struct ring *r, struct region *region)
{
	if (region && region->at) {
		if (r->records == LARGE_RING_RECORDS)
			region_give_back(region, r->at, LARGE_RING_UNITS);
		region_give_back(region, r->block, 1);
	}
	*r = (struct ring){0};
}

/* ---- reading ---- */

static const struct record *place(const struct ring *r, uint64_t position)
{
	return &r->at[position & (r->records - 1)];
}

int ring_head(const struct ring *r, uint64_t *ret_head)
{
	uint64_t head = __atomic_load_n(&r->block->head, __ATOMIC_ACQUIRE);

	if (head - r->tail > r->records ||
		__atomic_load_n(&r->block->magic, __ATOMIC_RELAXED) != BLOCK_MAGIC_VALUE)
		return -EBADMSG;
	*ret_head = head;
	return 0;
}

/* The compiler must not read the target's memory a second time where it seems to need it. */
static void copy_once(void *to, const void *from, size_t len)
{
	memcpy(to, from, len);
	__asm__ volatile("" : : "r"(to) : "memory");
}

void ring_copy(const struct ring *r, uint64_t position, struct record *ret)
{
	copy_once(ret, place(r, position), sizeof(*ret));
}

void ring_said(const struct ring *r, uint64_t position, const struct record *rec, void *ret)
{
	uint64_t len = rec->units < SAID_BYTES_MAX ? rec->units : SAID_BYTES_MAX;

	for (uint64_t done = 0; done < len; done += RECORD_BYTES) {
		uint64_t n = len - done < RECORD_BYTES ? len - done : RECORD_BYTES;

		copy_once((char *)ret + done, place(r, position + 1 + done / RECORD_BYTES), n);
	}
}

int ring_in_flight(const struct ring *r, struct record *ret)
{
	uint64_t head;

	if (ring_head(r, &head) < 0 ||
		__atomic_load_n(&r->block->inflight, __ATOMIC_RELAXED) != head + 1)
		return 0;
	ring_copy(r, head, ret);
	return 1;
}

void ring_state(const struct ring *r, struct stub_state *ret)
{
	uint64_t offset;

	*ret = (struct stub_state){0};
	copy_once(&ret->block, r->block, BLOCK_STATE);
	offset = ret->block.record - r->at_addr;
	if (offset < r->records * RECORD_BYTES)
		ring_copy(r, offset / RECORD_BYTES, &ret->record);
}

void ring_cancel(struct ring *r)
{
	r->block->inflight = r->block->head;
}

void ring_taken(struct ring *r, uint64_t position)
{
	r->tail = position;
	__atomic_store_n(&r->block->tail, position, __ATOMIC_RELEASE);
}

void ring_off(struct ring *r)
{
	memset(r->block->kinds, KIND_PASS, sizeof(r->block->kinds));
	r->block->limit = 0;
}

uint64_t ring_made(const struct ring *r, uint64_t head)
{
	return head + __atomic_load_n(&r->block->tallied, __ATOMIC_RELAXED);
}

uint64_t ring_tallies(struct ring *r, const struct ring_call *calls, uint32_t ret[BLOCK_KINDS_LEN])
{
	uint64_t tallied = __atomic_load_n(&r->block->tallied, __ATOMIC_ACQUIRE), sum = 0;

	if (tallied == r->tallied)
		return 0;
	r->tallied = tallied;
	for (uint32_t nr = 0; nr < BLOCK_KINDS_LEN; nr++) {
		uint32_t now = calls[nr].kind == KIND_TALLY
				       ? __atomic_load_n(&r->block->tallies[nr], __ATOMIC_RELAXED)
				       : r->tallies[nr];

		ret[nr] = now - r->tallies[nr];
		r->tallies[nr] = now;
		sum += ret[nr];
	}
	return sum;
}

/* ---- what can be ---- */

static int result_is_possible(const struct record *rec, const struct ring_call *call)
{
	uint64_t ret = (uint64_t)rec->ret;

	if (rec->ret < 0 && rec->ret >= -ERRNO_MAX)
		return 1;
	switch ((enum ring_most)call->most) {
	case MOST_ANY:
		return 1;
	case MOST_ARG:
		return ret <= (call->wide ? rec->args[call->arg] : (uint32_t)rec->args[call->arg]);
	case MOST_BYTES:
		return rec->flags & MEASURED_NOT_ASKED ? ret <= UNITS_MAX : ret <= rec->bytes;
	}
	return 0;
}

static int measures_are_possible(const struct record *rec)
{
	if (rec->kind >= KIND_FIRST_SAID || rec->kind < KIND_FIRST_MEASURED)
		return 1;
	return !(rec->flags & ~(uint32_t)FLAGS_ALL) && rec->bytes <= SUM_MAX &&
	       rec->units <= UNITS_MAX && rec->dgrams <= SUM_MAX &&
	       (rec->dgrams_asked <= SUM_MAX || rec->dgrams_asked == UINT64_MAX);
}

static int said_is_possible(const struct record *rec)
{
	if (rec->kind < KIND_FIRST_SAID)
		return rec->extra == 0;
	return rec->extra == 0 ||
	       (rec->units <= SAID_BYTES_MAX &&
		       rec->extra == (rec->units + RECORD_BYTES - 1) / RECORD_BYTES);
}

int ring_is_possible(const struct ring *r, const struct record *rec, const struct ring_call *calls,
	uint64_t now, uint64_t slack)
{
	const struct ring_call *call;

	if (rec->nr >= BLOCK_KINDS_LEN)
		return 0;
	call = &calls[rec->nr];
	return call->kind != KIND_PASS && rec->kind == call->kind && rec->t0 + slack >= r->ended &&
	       rec->t1 + slack >= rec->t0 && rec->t1 <= now + slack && said_is_possible(rec) &&
	       measures_are_possible(rec) && result_is_possible(rec, call);
}
