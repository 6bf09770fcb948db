/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef MEM_MARKS_H
#define MEM_MARKS_H

#include <stdint.h>

#include "common/runner/drive.h"
#include "common/runner/program.h"

/*
 * The window in massif's own time: where the load begins and ends, massif is asked (by valgrind's
 * vgdb) for a snapshot beside its own, which it does not count among them. A target that waits in
 * the kernel is not disturbed: it answers when it goes on, and its instructions count no further
 * until then. The answer comes at most a scheduling quantum of valgrind (100,000 basic blocks)
 *late.
 *
 *	struct marks m;
 *	marks_init(&m, sc, signals, dir);
 *	drive_run(.. .mark = marks_mark, .ctx = &m ..);
 *	marks_end(&m);
 */
struct marks {
	const struct scenario *sc;
	const struct signals *signals;
	const char *dir;
	struct mark {
		char *file; /* what massif writes */
		struct program vgdb;
		uint64_t at_ns; /* CLOCK_MONOTONIC; 0: not reached */
	} begin, end;
};

void marks_init(
	struct marks *m, const struct scenario *sc, const struct signals *signals, const char *dir);
void marks_mark(void *ctx, enum drive_mark mark, int tool_pidfd);
/* Nothing is asked any more. */
void marks_end(struct marks *m);
void marks_release(struct marks *m);

#endif
