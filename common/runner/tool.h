/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef RUNNER_TOOL_H
#define RUNNER_TOOL_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"
#include "common/runner/signals.h"

/*
 * A program that turns something into something else (ms_print, a flame graph renderer): run to its
 * end, its output read piece by piece.
 *
 *	struct tool t = {.argv = argv, .stdin_fd = -1, .take = tool_to_out, .ctx = &out};
 *	rc = tool_run(&t, err);
 */
struct tool {
	const char *const *argv; /* NULL-terminated; argv[0] is looked up in PATH */
	int stdin_fd;            /* -1: /dev/null */
	void (*take)(void *ctx, const char *p, size_t n); /* gets what it writes to stdout */
	void *ctx;
	const struct signals *signals; /* one that comes ends the tool; may be NULL */
	uint64_t limit_ns;             /* without output; 0: two minutes */
};

/* -ENOENT, -EACCES: it cannot be executed; -ETIMEDOUT: killed, it gave nothing for so long; -EINTR:
 * killed because a signal came, which stays to be read; -EIO: another status than 0, with the last
 * line of its stderr. */
int tool_run(const struct tool *t, struct err *err);

/* For take: all of it to ctx, a struct out. */
void tool_to_out(void *ctx, const char *p, size_t n);

#endif
