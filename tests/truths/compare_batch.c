/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * kind: compare
 * truth: 96 messages go in batches of eight in the base, of four in the new program.
 * says: sendmmsg asked for 4 in 100% of calls (base: 8 in 100%)
 * says: sendmmsg moved 4 in 100% of calls (base: 8 in 100%)
 * never: the base never calls it
 * never: not called any more
 * never: the target's output
 */
#include <sys/socket.h>

#include "sides.h"

int main(int argc, char **argv)
{
	struct iovec v = {(char[]){"x"}, 1};
	struct mmsghdr m[8] = {0};
	unsigned int size = is_new(argv) ? 4 : 8;
	char byte;
	int s[2];

	(void)argc;
	CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, s) == 0);
	for (int i = 0; i < 8; i++)
		m[i].msg_hdr = (struct msghdr){.msg_iov = &v, .msg_iovlen = 1};
	for (unsigned int i = 0; i < 96; i += size) {
		CHECK(sendmmsg(s[0], m, size, 0) == (int)size);
		for (unsigned int k = 0; k < size; k++)
			CHECK(read(s[1], &byte, 1) == 1);
	}
	return 0;
}
