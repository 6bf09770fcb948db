/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_FAST_LAYOUT_H
#define TRACER_FAST_LAYOUT_H

/*
 * The memory that the recorder shares with its targets: one memfd, mapped at one fixed address in
 * every process, so that the filter can name the stub's call before the process exists and a
 * thread's block is known by its address alone. Read by C and by the stub.
 *
 *	code      the stub, r-x; mapped apart
 *	blocks    one a thread: its state, a small ring of records, a stack for the measuring code
 *	fd maps   one a files table: fd number -> fd id (positive); else the call must stop
 *	rings     large rings for threads that fill their small one
 */
#define REGION_ADDR       0x3f0000000000
#define REGION_SHIFT      28
#define REGION_BYTES      0x10000000
#define REGION_CODE_BYTES 0x4000

#define BLOCKS_OFFSET 0x100000
#define BLOCK_BYTES   0x4000
#define BLOCKS_MAX    4096

#define FDMAPS_OFFSET 0x4800000
#define FDMAP_FDS     16384
#define FDMAP_BYTES   (FDMAP_FDS * 4)
#define FDMAPS_MAX    1024
#define FDMAP_WATCHED 0x80000000 /* no id: calls stop, but a close clears it as ever */

#define RINGS_OFFSET       0x9000000
#define LARGE_RING_RECORDS 16384
#define LARGE_RING_BYTES   (LARGE_RING_RECORDS * RECORD_BYTES)
#define LARGE_RINGS_MAX    48

/* ---- a block: written by the thread ---- */
#define BLOCK_HEAD     0  /* records committed, ever */
#define BLOCK_INFLIGHT 8  /* head + 1: the record at head is of a call under way */
#define BLOCK_NRFLAGS  16 /* number in the low half, lahf/seto flags in the high half */
#define BLOCK_DESC     24 /* descriptor of the site */
#define BLOCK_RECORD   32 /* the record in use */
#define BLOCK_KIND     40 /* enum record_kind of the call */
#define BLOCK_FD       48 /* address of the fd's entry that a close clears, or 0 */
#define BLOCK_RSP      56 /* the registers that the measuring code uses, while it runs */
#define BLOCK_RBX      64
#define BLOCK_RBP      72
#define BLOCK_R12      80
#define BLOCK_R13      88
#define BLOCK_R14      96
#define BLOCK_R15      104
#define BLOCK_SAMPLE   112 /* calls until one is left to a stop, for its stack; 0: never */
/* ---- written by the tracer ---- */
#define BLOCK_TAIL         128 /* records taken out, ever */
#define BLOCK_BASE         136 /* address of the ring */
#define BLOCK_MASK         144 /* its records - 1 */
#define BLOCK_LIMIT        152 /* records in it; 0: take nothing */
#define BLOCK_FDMAP        160 /* address of the fd map */
#define BLOCK_GUARDS       168 /* two ranges (from, until) that hold all trampolines */
#define BLOCK_KINDS        512 /* a byte a call number: enum record_kind */
#define BLOCK_KINDS_LEN    512
#define BLOCK_RING         4096
#define BLOCK_STACK_END    0x4000
#define SMALL_RING_RECORDS 64

/* ---- a record ---- */
#define RECORD_BYTES        128
#define RECORD_SHIFT        7
#define RECORD_T0           0
#define RECORD_T1           8 /* 0: the call has not returned */
#define RECORD_DESC         16
#define RECORD_NR           24
#define RECORD_FD_ID        28
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
#define KIND_PLAIN          1
#define KIND_FD             2 /* argument 1 is an fd that must be known */
#define KIND_CLOSE          3 /* forgets the known fd in argument 1 */
#define KIND_CLOSE_ANY      4 /* the same, where closing an unknown fd is of no interest */
#define KIND_DUP            5 /* forgets the fd in argument 2, if it is known */
#define KIND_MMAP           6 /* not over what is ours; fd in argument 5 */
#define KIND_RANGE          7 /* arguments 1 and 2 are a range that is not ours */
#define KIND_MREMAP         8 /* the same, and argument 4 asks for no fixed address */
#define KIND_FIRST_MEASURED 9 /* from here on an fd, and measured in the target's memory */
#define KIND_IOV            9
#define KIND_MSG_SEND       10
#define KIND_MSG_RECV       11
#define KIND_MMSG_SEND      12
#define KIND_MMSG_RECV      13

/* RECORD_FLAGS */
#define MEASURED_UNREADABLE     1
#define MEASURED_SEGMENTED      2
#define MEASURED_DGRAMS_UNKNOWN 4
#define MEASURED_CTRUNC         8  /* control data was cut: MSG_CTRUNC */
#define MEASURED_NOT_ASKED      16 /* bytes asked could not be summed: too many iovecs */
#define MEASURED_CONTROL_ROOM   32 /* there was room for control data */

#ifndef __ASSEMBLER__
#include <stdint.h>

struct fast_record {
	uint64_t t0, t1; /* TSC */
	uint64_t desc;
	uint32_t nr, fd_id;
	uint64_t args[6];
	int64_t ret;
	uint64_t bytes, units;
	uint64_t dgrams, dgrams_asked;
	uint32_t flags, kind;
};

struct fast_block {
	volatile uint64_t head, inflight;
	uint64_t nrflags, desc, record, kind, fd_entry;
	uint64_t rsp, rbx, rbp, r12, r13, r14, r15;
	uint64_t sample;
	uint64_t unused;
	volatile uint64_t tail;
	uint64_t base, mask, limit, fdmap;
	uint64_t guards[2][2];
	uint64_t unused2[39];
	uint8_t kinds[BLOCK_KINDS_LEN];
};

_Static_assert(sizeof(struct fast_record) == RECORD_BYTES, "record");
_Static_assert(__builtin_offsetof(struct fast_record, kind) == RECORD_KIND, "record");
_Static_assert(__builtin_offsetof(struct fast_record, args) == RECORD_ARGS, "record");
_Static_assert(__builtin_offsetof(struct fast_block, r15) == BLOCK_R15, "block");
_Static_assert(__builtin_offsetof(struct fast_block, sample) == BLOCK_SAMPLE, "block");
_Static_assert(__builtin_offsetof(struct fast_block, tail) == BLOCK_TAIL, "block");
_Static_assert(__builtin_offsetof(struct fast_block, fdmap) == BLOCK_FDMAP, "block");
_Static_assert(__builtin_offsetof(struct fast_block, guards) == BLOCK_GUARDS, "block");
_Static_assert(__builtin_offsetof(struct fast_block, kinds) == BLOCK_KINDS, "block");
#endif

#endif
