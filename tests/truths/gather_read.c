/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * truth: 300 writes to a file that is read after each, 300 that lie over each other, 300 of a file
 *     that another descriptor says is on disk: no buffer takes the place of any.
 * says: write, gathering: ... of 900 calls could be saved only by holding them back over calls
 *     that can wait, tell others something or see what was written, which an answer or
 *     their order may depend on; none safely.
 * modes: auto
 * never: a buffer that is written after 1 ms
 * never: calls would not be made
 */
#include <stdlib.h>
#include <unistd.h>

#include "t.h"

static int file(void)
{
	char path[] = "/dev/shm/truth-XXXXXX";
	int fd = mkstemp(path);

	if (fd < 0)
		t_skip("/dev/shm");
	CHECK(unlink(path) == 0);
	return fd;
}

int main(void)
{
	int seen = file(), again = file(), kept = file(), other = dup(kept);
	char byte;

	for (int i = 0; i < 300; i++) {
		CHECK(write(seen, "a line\n", 7) == 7);
		CHECK(pread(seen, &byte, 1, 0) == 1);
		CHECK(write(again, "a line\n", 7) == 7);
		CHECK(lseek(again, 0, SEEK_SET) == 0);
		CHECK(write(kept, "a line\n", 7) == 7);
		CHECK(fsync(other) == 0);
	}
	return 0;
}
