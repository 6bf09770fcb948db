/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * truth: 100 batches are sent; that is not traced, what it would be received by is.
 * options: -e recvmmsg,recvfrom,write
 * says: none of the traced calls batches; sendmmsg was not traced, so nothing is known of it (see
 *     --trace)
 * never: sendmmsg was not called
 * never: sendmmsg and recvmmsg were traced and not called
 * never: sendmmsg and recvmmsg were not traced
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
	for (int i = 0; i < 100; i++) {
		CHECK(sendmmsg(s[0], msgs, 2, 0) == 2);
		CHECK(recv(s[1], bytes[0], 8, 0) == 8 && recv(s[1], bytes[0], 8, 0) == 8);
	}
	return 0;
}
