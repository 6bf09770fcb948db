/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_RECORDER_LAYOUT_H
#define TRACER_RECORDER_LAYOUT_H

/*
 * What the recorder has in a target, at one fixed address in every one of them, so that the filter
 * can name the stub's call before the process exists. It is below the lowest page of any position
 * independent program, and where the sanitizers leave the address space to the program. Each mm has
 * its own; nothing here is shared by two of them. Read by C and by the stub.
 *
 * - code: the stub, r-x; the process's own.
 * - alive: a word that is not 0 where the arena is there. The page is private and emptied by a fork
 *   (MADV_WIPEONFORK), the arena is not inherited (MADV_DONTFORK): a fork's child, which has its
 *   maker's block, finds 0 and leaves it alone.
 * - arena: the memory that the mm shares with the tracer, a memfd of its own: units of one size, of
 *   which a block takes one and a large ring many. It grows upwards.
 *
 * The target can write anything into the arena. region.h has the tracer's side of it.
 */
#define REGION_ADDR       0x551000000000
#define REGION_SHIFT      28
#define REGION_BYTES      0x10000000 /* nothing of ours lies beyond */
#define REGION_CODE_BYTES 0x4000
#define ACTION_OFFSET     (REGION_CODE_BYTES - 64) /* behind the stub: for rt_sigaction to read */
#define ALIVE_OFFSET      REGION_CODE_BYTES
#define ALIVE_BYTES       0x1000
#define ARENA_OFFSET      0x10000
#define ARENA_BYTES_MAX   (REGION_BYTES - ARENA_OFFSET)

#define ARENA_UNIT_BYTES   0x4000
#define ARENA_FIRST_UNITS  4 /* mapped at once: threads, mostly */
#define ARENA_FIRST_BYTES  (ARENA_FIRST_UNITS * ARENA_UNIT_BYTES)
#define BLOCK_BYTES        ARENA_UNIT_BYTES
#define LARGE_RING_RECORDS 16384
#define LARGE_RING_BYTES   (LARGE_RING_RECORDS * RECORD_BYTES)
#define LARGE_RING_UNITS   (LARGE_RING_BYTES / ARENA_UNIT_BYTES)

/* ---- a block: written by the thread ---- */
#define BLOCK_HEAD     0  /* records committed, ever */
#define BLOCK_INFLIGHT 8  /* head + 1: the record at head is of a call under way */
#define BLOCK_NRFLAGS  16 /* number in the low half, flags in the high half */
#define BLOCK_DESC     24 /* descriptor of the site */
#define BLOCK_RECORD   32 /* the record in use */
#define BLOCK_KIND     40 /* KIND_.. of the call */
#define BLOCK_SAVED    48 /* registers that the measuring code uses, while it runs */
/* With --stacks: until a call asks for its stack to be taken, drawn by the tracer. */
#define BLOCK_SAMPLE  104 /* calls */
#define BLOCK_STATE   112 /* so much of it is the thread's state */
#define BLOCK_WAIT    112 /* ticks in them */
#define BLOCK_TALLIED 120 /* calls of KIND_TALLY, ever */
/* ---- written by the tracer ---- */
#define BLOCK_TAIL   128 /* records taken out, ever */
#define BLOCK_BASE   136 /* address of the ring */
#define BLOCK_MASK   144 /* its records - 1 */
#define BLOCK_LIMIT  152 /* records in it; 0: take nothing */
#define BLOCK_GUARDS 160 /* two ranges (from, until) that hold all trampolines */
#define BLOCK_MAGIC  192 /* BLOCK_MAGIC_VALUE: not there, the memory was emptied */
#define BLOCK_MEASURED                                                                             \
	200 /* kinds from this one on are measured after the call; 0: stacks are taken */
#define BLOCK_COARSE       208 /* address of the mm's coarse clock: coarse.h */
#define BLOCK_KINDS        512 /* a byte a call number: KIND_.. */
#define BLOCK_KINDS_LEN    512
#define BLOCK_TALLIES      1024 /* written by the thread: 4 bytes a call number, which wrap */
#define BLOCK_CLOCKS       3072 /* a byte a call number: CLOCK_* */
#define BLOCK_RING         4096
#define BLOCK_STACK_END    0x4000
#define SMALL_RING_RECORDS 64
#define BLOCK_MAGIC_VALUE  0x696f7472616365ULL

/* ---- a record ---- */
#define RECORD_BYTES        128
#define RECORD_SHIFT        7
#define RECORD_T0           0 /* 0: it is not stamped yet, and the call not made */
#define RECORD_T1           8 /* 0: the call has not returned */
#define RECORD_DESC         16
#define RECORD_NR           24
#define RECORD_EXTRA        28 /* places behind it that hold what the call said */
#define RECORD_ARGS         32
#define RECORD_RET          80
#define RECORD_BYTES_SUM    88
#define RECORD_UNITS        96
#define RECORD_DGRAMS       104
#define RECORD_DGRAMS_ASKED 112
#define RECORD_FLAGS        120
#define RECORD_KIND         124

/* ---- a trampoline ---- */
#define TRAMP_BYTES 64
#define TRAMP_DESC  32 /* the descriptor in it */
#define DESC_RETURN 0  /* address after the site */
#define DESC_STUB   8
#define DESC_PASS   16 /* a call instruction that stops, and a jump to DESC_RETURN */

/* What the stub does with a call. */
#define KIND_PASS           0 /* leaves it to the stop */
#define KIND_TALLY          1 /* counts it: no record stays of it, and no time */
#define KIND_PLAIN          2
#define KIND_MMAP           3 /* not over what is ours */
#define KIND_RANGE          4 /* arguments 1 and 2 are a range that is not ours */
#define KIND_MREMAP         5 /* the same, and argument 4 asks for no fixed address */
#define KIND_IOCTL          6 /* argument 2 is not IOCTL_REGISTER */
#define KIND_FIRST_MEASURED 7 /* from here on measured in the target's memory */
#define KIND_IOV            7
#define KIND_MSG_SEND       8
#define KIND_MSG_RECV       9
#define KIND_MMSG_SEND      10
#define KIND_MMSG_RECV      11
#define KIND_FIRST_SAID     12 /* from here on what the call said is copied behind the record */
#define KIND_PEER           12 /* argument 2 gets an address, argument 3 points to its length */
#define KIND_PAIR_1         13 /* argument 1 gets two fds: RECORD_UNITS */
#define KIND_PAIR_4         14
#define KIND_PATH_1         15 /* argument 1 is a path */
#define KIND_PATH_2         16
#define KIND_ADDRESS        17 /* arguments 2 and 3 are an address and its length */

#define IOCTL_REGISTER 0xc020aa00 /* UFFDIO_REGISTER: a range of memory, which may be ours */

/* What the stub stamps a call with. */
#define CLOCK_READ  0 /* ticks, read before and after */
#define CLOCK_TELL  1 /* the same, and the mm's coarse clock goes on to behind it */
#define CLOCK_TAKE  2 /* what the coarse clock says */
#define CLOCK_COUNT 3 /* nothing: KIND_TALLY */
/* Ticks between what tells and what is before and behind it: more than a ns, by which calls are put
 * in order, and less than it takes to pass the clock's cache line on, or it would run ahead. */
#define CLOCK_STEP 8

/* RECORD_UNITS bytes in RECORD_EXTRA places of a record's size. */
#define SAID_BYTES_MAX   4096
#define SAID_RECORDS_MAX (SAID_BYTES_MAX / RECORD_BYTES)

/* What the stub asks the tracer for: the first argument of its call, which is on no file. */
#define ASK_TAKE_OVER 1 /* -1: only a stop can tell what the call moved */
#define ASK_STACK     2 /* -2 */

/* RECORD_FLAGS */
#define MEASURED_UNREADABLE     1
#define MEASURED_SEGMENTED      2
#define MEASURED_DGRAMS_UNKNOWN 4
#define MEASURED_CTRUNC         8  /* control data was cut: MSG_CTRUNC */
#define MEASURED_NOT_ASKED      16 /* bytes asked could not be summed: too many iovecs */
#define MEASURED_CONTROL_ROOM   32 /* there was room for control data */
#define MEASURED_RIGHTS         64 /* fds came: the tracer is asked, and reads which */

#ifndef __ASSEMBLER__
#include <stdint.h>

struct record {
	uint64_t t0, t1; /* ticks: arch_ticks() */
	uint64_t desc;
	uint32_t nr, extra;
	uint64_t args[6];
	int64_t ret;
	uint64_t bytes, units;
	uint64_t dgrams, dgrams_asked;
	uint32_t flags, kind;
};

struct block {
	volatile uint64_t head, inflight;
	uint64_t nrflags, desc, record, kind;
	uint64_t saved[7];
	uint64_t sample;
	uint64_t wait;
	volatile uint64_t tallied;
	volatile uint64_t tail;
	uint64_t base, mask, limit;
	uint64_t guards[2][2];
	uint64_t magic;
	uint64_t measured;
	uint64_t coarse;
	uint64_t unused2[37];
	uint8_t kinds[BLOCK_KINDS_LEN];
	volatile uint32_t tallies[BLOCK_KINDS_LEN];
	uint8_t clocks[BLOCK_KINDS_LEN];
};

_Static_assert(sizeof(struct record) == RECORD_BYTES, "record");
_Static_assert(1 << RECORD_SHIFT == RECORD_BYTES, "record");
_Static_assert(__builtin_offsetof(struct record, kind) == RECORD_KIND, "record");
_Static_assert(__builtin_offsetof(struct record, args) == RECORD_ARGS, "record");
_Static_assert(__builtin_offsetof(struct record, extra) == RECORD_EXTRA, "record");
_Static_assert(__builtin_offsetof(struct record, units) == RECORD_UNITS, "record");
_Static_assert(__builtin_offsetof(struct block, saved) == BLOCK_SAVED, "block");
_Static_assert(__builtin_offsetof(struct block, sample) == BLOCK_SAMPLE, "block");
_Static_assert(__builtin_offsetof(struct block, wait) == BLOCK_STATE, "block");
_Static_assert(__builtin_offsetof(struct block, wait) == BLOCK_WAIT, "block");
_Static_assert(__builtin_offsetof(struct block, tail) == BLOCK_TAIL, "block");
_Static_assert(__builtin_offsetof(struct block, guards) == BLOCK_GUARDS, "block");
_Static_assert(__builtin_offsetof(struct block, magic) == BLOCK_MAGIC, "block");
_Static_assert(__builtin_offsetof(struct block, measured) == BLOCK_MEASURED, "block");
_Static_assert(__builtin_offsetof(struct block, kinds) == BLOCK_KINDS, "block");
_Static_assert(__builtin_offsetof(struct block, tallied) == BLOCK_TALLIED, "block");
_Static_assert(__builtin_offsetof(struct block, tallies) == BLOCK_TALLIES, "block");
_Static_assert(__builtin_offsetof(struct block, coarse) == BLOCK_COARSE, "block");
_Static_assert(__builtin_offsetof(struct block, clocks) == BLOCK_CLOCKS, "block");
_Static_assert(sizeof(struct block) <= BLOCK_RING, "block");
#endif

#endif
