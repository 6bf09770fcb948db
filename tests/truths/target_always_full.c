/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * modes: auto
 * truth: of each of 300 vectors of 8 a pipe takes 4, and is full then: with room for all, 150 calls
 *     would be left of 600.
 * says: writev, socket-buffer: up to 450 of 600 calls more than needed, but what one costs is not
 *     known: too few of its kind moved few bytes
 * never: up to 600 of 600 calls
 * never: each such call takes another
 */
#include <sys/uio.h>

#include "t.h"

#define ROUNDS 300
#define PAGE   4096

int main(void)
{
	static char bytes[PAGE];
	struct iovec v[8];
	int s[2];

	for (int i = 0; i < 8; i++)
		v[i] = (struct iovec){bytes, PAGE};
	CHECK(pipe2(s, O_NONBLOCK) == 0 && fcntl(s[1], F_SETPIPE_SZ, 4 * PAGE) == 4 * PAGE);
	for (int i = 0; i < ROUNDS; i++) {
		CHECK(writev(s[1], v, 8) == (ssize_t)4 * PAGE);
		CHECK(writev(s[1], v, 8) == -1 && errno == EAGAIN);
		for (int k = 0; k < 4; k++)
			CHECK(read(s[0], bytes, PAGE) == PAGE);
	}
	return 0;
}
