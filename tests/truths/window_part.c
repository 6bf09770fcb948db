/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * truth: the window begins a second after the start, and the program runs for three
 *     seconds.
 * options: --skip 1 -e all
 * says: Everything else here is of the window; start-up, such as the loader's openat and mmap, is
 *     only in this table.
 * says: Outside, not counted below: start-up
 * says: in the whole run
 * never: There was no window
 * never: never began
 * never: none: the whole run is counted
 * never: The window that was asked for never began: all figures are those of the whole run
 */
#include "t.h"

int main(void)
{
	int fd = t_null();

	for (int i = 0; i < 100; i++)
		CHECK(write(fd, "x", 1) == 1);
	sleep(3); /* either of the two may be late */
	for (int i = 0; i < 50; i++)
		CHECK(write(fd, "x", 1) == 1);
	return 0;
}
