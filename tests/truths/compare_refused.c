/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * kind: compare
 * truth: batches are as large as before, but of the new program half of them find no room.
 * says: FAIL writev.errors
 * never: writev asked for
 * never: writev moved 4 in
 */
#include <sys/uio.h>

#include "sides.h"

int main(int argc, char **argv)
{
	static char bytes[4000];
	struct iovec v[4];
	int s[2], new = is_new(argv);

	(void)argc;
	for (int i = 0; i < 4; i++)
		v[i] = (struct iovec){bytes, 1000};
	CHECK(pipe2(s, O_NONBLOCK) == 0 && fcntl(s[1], F_SETPIPE_SZ, 4096) == 4096);
	for (int i = 0; i < 100; i++) {
		CHECK(writev(s[1], v, 4) == (new &&i % 2 ? -1 : 4000));
		if (!new || i % 2)
			CHECK(read(s[0], bytes, 4000) == 4000);
	}
	return 0;
}
