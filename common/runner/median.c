/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/runner/median.h"

#include <stdlib.h>

#include "common/base/mem.h"

static int by_window(const void *a, const void *b)
{
	const struct median_time *x = *(const struct median_time *const *)a;
	const struct median_time *y = *(const struct median_time *const *)b;

	if (x->incomplete != y->incomplete)
		return x->incomplete - y->incomplete;
	if (x->window_ns != y->window_ns)
		return x->window_ns < y->window_ns ? -1 : 1;
	return x < y ? -1 : 1;
}

size_t median_run(const struct median_time *times, size_t len)
{
	const struct median_time **order = mem_calloc(len, sizeof(struct median_time *));
	size_t complete = 0;

	for (size_t i = 0; i < len; i++) {
		order[i] = &times[i];
		complete += !times[i].incomplete;
	}
	/* Complete runs come first, so the median of them is that of a prefix. */
	qsort(order, len, sizeof(*order), by_window);
	size_t median = (size_t)(order[((complete ? complete : len) - 1) / 2] - times);
	free(order);
	return median;
}
