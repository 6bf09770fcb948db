/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef AGG_READS_H
#define AGG_READS_H

#include "tracer/agg/rows.h"
#include "tracer/event.h"

/*
 * What larger reads of files would save. A call goes on where the one before it on the descriptor
 * had ended if both read, by the same call, the former filled its buffer, and nothing else was
 * called on the descriptor between; by place (pread64) only if it begins there. A buffer of
 * READS_BYTES would have brought it along, but for one call in so many bytes. Files are what has a
 * path: a FIFO or a device that has one cannot be told from them. Zeroed storage has seen nothing.
 */
#define READS_BYTES 65536

struct reads {
	struct {
		const struct sys_def *def; /* of the last call, if it read; else NULL */
		uint64_t end;              /* of it in the file, where the call says a place */
		uint64_t bytes;            /* read in a row */
		uint8_t full;              /* it filled its buffer, which was a smaller one */
	} fds[AGG_ROWS_MAX + 1];           /* by fd_id */
};

/* In the order of the calls' ends. 1 if it is a read of a file that succeeded; *ret_saved: 1 if it
 * would not have been made. */
int reads_add(struct reads *r, const struct sys_event *ev, uint64_t *ret_saved);

#endif
