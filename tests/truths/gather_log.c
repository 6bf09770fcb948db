/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * truth: 500 lines of a log, and before each an answer is waited for, on a pipe; of a second file,
 *     500 lines as well, it is said to be on disk at the end.
 * says: a buffer that is written after 1 ms would save ... of 500 calls to files that are not
 *     synced (...); what is in it is lost if the program is killed, and others read it later.
 * says: write, gathering: ... of 1,000 calls to others could be saved only by holding them back
 *     over calls that can wait, tell others something or see what was written, which an answer
 *     or their order may depend on; none safely.
 * modes: auto
 * never: of 1,000 calls to files that are not synced
 */
#include <stdlib.h>
#include <unistd.h>

#include "t.h"

#define LINES 500

static int file(void)
{
	char path[] = "/tmp/truth-XXXXXX";
	int fd = mkstemp(path);

	CHECK(fd >= 0 && unlink(path) == 0);
	return fd;
}

int main(void)
{
	int log = file(), synced = file(), s[2];
	char byte = 0;

	CHECK(pipe(s) == 0);
	for (int i = 0; i < LINES; i++) {
		CHECK(write(s[1], &byte, 1) == 1);
		CHECK(read(s[0], &byte, 1) == 1);
		CHECK(write(log, "a line\n", 7) == 7);
		CHECK(read(synced, &byte, 0) == 0);
		CHECK(write(synced, "a line\n", 7) == 7);
	}
	CHECK(fsync(synced) == 0);
	return 0;
}
