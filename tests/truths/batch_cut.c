/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * truth: eight messages are given to each of 60 calls, where there is room for three: 300 are
 *     left.
 * says: sendmmsg: 300 of 480 messages were not sent by the call that was given them (60 calls
 *     partial).
 * says: sendmmsg: partial calls, asked->got: 8->3 (60).
 * never: every message given was sent
 */
#include <sys/socket.h>

#include "t.h"

#define MANY 64

static struct mmsghdr msgs[MANY];
static struct iovec iov[MANY];
static char bytes[MANY][8];

static void fill(void)
{
	for (int i = 0; i < MANY; i++) {
		iov[i] = (struct iovec){bytes[i], 8};
		msgs[i].msg_hdr = (struct msghdr){.msg_iov = &iov[i], .msg_iovlen = 1};
	}
}

int main(void)
{
	int s[2];

	fill();
	CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, s) == 0);
	while (send(s[0], bytes[0], 8, MSG_DONTWAIT) == 8)
		continue;
	for (int i = 0; i < 60; i++) {
		for (int k = 0; k < 3; k++)
			CHECK(read(s[1], bytes[0], 8) == 8);
		CHECK(sendmmsg(s[0], msgs, 8, MSG_DONTWAIT) == 3);
	}
	return 0;
}
