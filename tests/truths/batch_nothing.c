/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * truth: every second of 100 receives finds nothing.
 * says: recvmmsg: 50 of 100 calls brought nothing (they returned 0 or EAGAIN).
 * never: No traced call failed.
 * never: sends what it received
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
	for (int i = 0; i < 50; i++) {
		for (int k = 0; k < 3; k++)
			CHECK(send(s[0], bytes[0], 8, 0) == 8);
		CHECK(recvmmsg(s[1], msgs, MANY, MSG_DONTWAIT, NULL) == 3);
		CHECK(recvmmsg(s[1], msgs, MANY, MSG_DONTWAIT, NULL) == -1);
	}
	return 0;
}
