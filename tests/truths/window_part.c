/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * truth: the window begins a hundredth of a second after the start, and the program runs for half
 *     a second.
 * options: --skip 0.01 -e all
 * says: Everything else here is of the window; start-up, such as the loader's openat and mmap, is
 *     only in this table.
 * says: Outside, not counted below: start-up
 * says: in the whole run
 * never: There was no window
 * never: never began
 * never: none: the whole run is counted
 * never: The window that was asked for never began: all figures are those of the whole run
 */
#include <time.h>

#include "t.h"

/* The clock of the window is the tracer's, which started before this. */
static void until_window(void)
{
	struct timespec now, start;

	clock_gettime(CLOCK_MONOTONIC, &start);
	do
		clock_gettime(CLOCK_MONOTONIC, &now);
	while ((now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / 1000000 < 500);
}

int main(void)
{
	int fd = t_null();

	for (int i = 0; i < 100; i++)
		CHECK(write(fd, "x", 1) == 1);
	until_window();
	for (int i = 0; i < 50; i++)
		CHECK(write(fd, "x", 1) == 1);
	return 0;
}
