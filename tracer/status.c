/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/status.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "common/base/clock.h"

void status_write(int fd, const struct book *b, uint64_t now_ns)
{
	const struct agg *a = b->agg[b->window_begin_ns <= now_ns ? PHASE_WINDOW : PHASE_STARTUP];
	uint64_t ms = (now_ns - b->start_ns) / NS_PER_MS, calls = 0, messages = 0;
	const char *name = agg_busiest(a, &calls, &messages);
	char line[160];
	int n = snprintf(line, sizeof(line), "%" PRIu64 ".%03" PRIu64 " %" PRIu64, ms / 1000,
		ms % 1000, agg_calls(a));

	if (name)
		n += snprintf(line + n, sizeof(line) - (size_t)n, " %s %" PRIu64 " %" PRIu64, name,
			calls, messages);
	line[n++] = '\n';
	/* Only for the eye: a line that cannot be written is not worth a word. */
	if (pwrite(fd, line, (size_t)n, 0) == n && ftruncate(fd, n) < 0)
		return;
}
