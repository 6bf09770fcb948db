/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef AGG_READS_H
#define AGG_READS_H

#include "tracer/agg/rows.h"
#include "tracer/event.h"

/*
 * What larger reads of files would save. A call goes on where the one before it on the descriptor
 * had ended if both read, by the same call and thread, the former filled its buffer, nothing else
 * was called on the descriptor between, and its thread neither received nor waited for anything
 * else: a file may have grown meanwhile. By place (pread64) only if it begins there. A buffer of
 * READS_BYTES would have brought it along, but for one call in so many bytes. Files are what has a
 * path: a FIFO or a device that has one cannot be told from them. Zeroed storage has seen nothing.
 */
#define READS_BYTES 65536

struct reads {
	struct {
		const struct sys_def *def; /* of the last call, if it read; else NULL */
		uint64_t end;              /* of it in the file, where the call says a place */
		uint64_t bytes;            /* read in a row */
		uint64_t news;             /* of its thread, then */
		uint32_t thread;
		uint8_t full;    /* it filled its buffer, which was a smaller one */
	} fds[AGG_ROWS_MAX + 1]; /* by fd_id */
	/* By thread_id: calls that may have brought news. */
	uint64_t news[AGG_ROWS_MAX + 1];
};

/* Every call, in the order of their ends. 1 if it is a read of a file that succeeded; *ret_saved: 1
 * if it would not have been made. */
int reads_add(struct reads *r, const struct sys_event *ev, uint64_t *ret_saved);

#endif
