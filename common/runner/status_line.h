/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef RUNNER_STATUS_LINE_H
#define RUNNER_STATUS_LINE_H

#include <stddef.h>
#include <stdint.h>

/* The line that iotrace keeps with --status: SECONDS CALLS [NAME CALLS MESSAGES] (tracer/status.h).
 */
struct status_line {
	double seconds;
	uint64_t calls;
};

/*
 * Makes "29,700 calls/s  recvmmsg 2.0/call" of it, the rate since *last, which becomes this one. A
 * line that is not new, or of another form, leaves everything as it is.
 */
void status_figures(const char *line, struct status_line *last, char *figures, size_t size);

#endif
