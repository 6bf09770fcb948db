/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * truth: five batches go, and 30 are made on a number that is not open: too few to say anything
 *     of them.
 * says: sendmmsg: too few calls succeeded to judge (5, at least ... are needed).
 * says: recvmmsg: too few calls to judge (5, at least ... are needed).
 * says: No call batches, or too few were made to say how.
 * says: no call batches, or too few were made to say how
 * never: sendmmsg is
 * never: every message given
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
	for (int i = 0; i < 5; i++) {
		CHECK(sendmmsg(s[0], msgs, 4, 0) == 4);
		CHECK(recvmmsg(s[1], msgs, MANY, MSG_DONTWAIT, NULL) == 4);
	}
	for (int i = 0; i < 30; i++)
		CHECK(sendmmsg(-1, msgs, 4, MSG_DONTWAIT) == -1);
	return 0;
}
