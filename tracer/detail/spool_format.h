/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_DETAIL_SPOOL_FORMAT_H
#define TRACER_DETAIL_SPOOL_FORMAT_H

#include <stdint.h>

/* The spool's file, version 2. docs/SPOOL.md says it in words; both change together. */

#define SPOOL_MAGIC      "iotspool" /* 8 bytes, without the NUL */
#define SPOOL_VERSION    2
#define SPOOL_BYTE_ORDER 0x01020304
#define SPOOL_BLOCK_MARK 0x4b4c4253 /* SBLK */
#define SPOOL_END_MARK   0x444e4553 /* SEND */

#define SPOOL_BLOCK_CALLS 2048
#define SPOOL_NAME_MAX    63
#define SPOOL_SLOTS       256

struct spool_file_header {
	char magic[8];
	uint32_t version, byte_order;
	uint32_t record_bytes; /* SPOOL_RECORD_MAX */
	uint32_t block_calls;  /* SPOOL_BLOCK_CALLS */
};

struct spool_block_header {
	uint32_t mark;
	uint32_t calls;
	uint32_t raw_bytes, packed_bytes; /* of the records, before and after zstd */
	uint64_t calls_before;            /* in earlier blocks */
};

/* What a record holds beside name, thread and times, each as 64 bits: what a line of the detail can
 * show. Arguments that the row has no letter for are 0; measures are there only for a vector. */
enum spool_word {
	WORD_OUTCOME,
	WORD_ARGS,
	WORD_RET = WORD_ARGS + 6,
	WORD_BYTES_ASKED,
	WORD_BYTES_MOVED,
	WORD_BATCH_ASKED,
	WORD_BATCH_MOVED,
	WORD_COUNT
};

#define SPOOL_VARINT_MAX 10
/* Mask, name, thread, entry, duration, words: no record is longer. */
#define SPOOL_RECORD_MAX                                                                           \
	(2 + SPOOL_VARINT_MAX + 1 + SPOOL_NAME_MAX + (3 + WORD_COUNT) * SPOOL_VARINT_MAX)
#define SPOOL_RAW_MAX ((size_t)SPOOL_BLOCK_CALLS * SPOOL_RECORD_MAX)

/* The earlier call that a call is written as the difference to, by name and thread. */
struct spool_slot {
	uint64_t word[WORD_COUNT];
};

static inline uint32_t spool_slot_of(uint32_t name, uint32_t tid)
{
	return (name + tid * 37) % SPOOL_SLOTS;
}

#endif
