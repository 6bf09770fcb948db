/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_DETAIL_SPOOL_H
#define TRACER_DETAIL_SPOOL_H

#include <stdint.h>

#include "common/base/err.h"
#include "tracer/event.h"

/*
 * Finished calls in a nameless temporary file, in the order in which they were added, so that the
 * thread that traces does not make text. Adding is a copy; a thread of the spool's own encodes,
 * compresses and writes. docs/SPOOL.md has the format. Memory is flat: 3 MB at most.
 *
 *	rc = spool_new(&s, "/tmp", UINT64_MAX, err);
 *	spool_add(s, &ev);		...
 *	rc = spool_finish(s, err);
 *	r = spool_reader_new(spool_fd(s));
 *	while ((rc = spool_read(r, &ev, err)) > 0)
 *		...
 *	spool_reader_free(r);
 *	spool_free(s);
 */
struct spool;

/* In the directory dir, for at most max_calls. Fails if no file can be made there. */
int spool_new(struct spool **ret, const char *dir, uint64_t max_calls, struct err *err);
void spool_free(struct spool *s); /* NULL is fine; what was added is lost */

/* For one thread. 1: taken; 0: not, after max_calls or a failed write, and from then on. Waits for
 * the writer when that is behind. A failed write also loses the blocks that were not yet written.
 */
int spool_add(struct spool *s, const struct sys_event *ev);

/* Writes what is left and ends the writer; nothing can be added any more. 0 or the error of the
 * write that failed: what was written before it can still be read. */
int spool_finish(struct spool *s, struct err *err);
int spool_fd(const struct spool *s); /* stays the spool's */

/* Reads a spool's file from its start. fd stays the caller's; its offset is not used. */
struct spool_reader;
struct spool_reader *spool_reader_new(int fd);
void spool_reader_free(struct spool_reader *r); /* NULL is fine */
/* What was read leaves the disk from now on, where the file system can do that: for what is made of
 * it. The file cannot be read again. */
void spool_reader_consume(struct spool_reader *r);
/*
 * The next call, with what its line shows (def, tid, times, outcome, result, arguments with a
 * letter, measures of a vector) and nothing else: 1, or 0 after the last. -EBADMSG if the file is
 * damaged or cut short: all calls before that were given. -ENOTSUP: another version's or another
 * machine's. An error stays.
 */
int spool_read(struct spool_reader *r, struct sys_event *ret_ev, struct err *err);

#endif
