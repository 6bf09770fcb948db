/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/runner/status_line.h"

#include <inttypes.h>
#include <stdio.h>

#include "common/base/units.h"

void status_figures(const char *line, struct status_line *last, char *figures, size_t size)
{
	struct status_line now = {0};
	uint64_t calls = 0, messages = 0;
	char name[32] = "", rate[UNITS_BUF];
	/* Our own iotrace wrote it; what is no number is left out. NOLINTNEXTLINE(cert-err34-c) */
	int n = sscanf(line, "%lf %" SCNu64 " %31s %" SCNu64 " %" SCNu64, &now.seconds, &now.calls,
		name, &calls, &messages);
	int len;

	if (n < 2 || !(now.seconds > last->seconds))
		return;
	/* A window that begins counts from 0 again. */
	if (now.calls >= last->calls) {
		double per_s = (double)(now.calls - last->calls) / (now.seconds - last->seconds);

		len = snprintf(figures, size, "%s calls/s", units_thousands(rate, sat_u64(per_s)));
		if (n == 5 && calls && len > 0 && (size_t)len < size)
			snprintf(figures + len, size - (size_t)len, "  %s %.1f/call", name,
				(double)messages / (double)calls);
	}
	*last = now;
}
