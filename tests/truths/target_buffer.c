/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * modes: auto
 * truth: a batch of eight is tried again until there is room for it, twenty times each.
 * says: sendmmsg: no model: its time may be waiting for the buffer
 * says: each such call takes another, at least ... ns, what a call that does nothing took here
 * says: First target: sendmmsg, a larger send buffer (SO_SNDBUF), or wait until it has room
 * never: calls more than needed, but what one costs is not known
 * never: gathered for up to 1 ms
 * never: is of a queue behind the socket's buffer, as the device's
 */
#include <sys/socket.h>

#include "t.h"

int main(void)
{
	struct iovec v = {"x", 1};
	struct mmsghdr m[8];
	char byte;
	int s[2];

	for (int i = 0; i < 8; i++)
		m[i] = (struct mmsghdr){.msg_hdr = {.msg_iov = &v, .msg_iovlen = 1}};
	CHECK(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, s) == 0);
	while (send(s[0], "x", 1, 0) == 1)
		;
	for (int i = 0; i < 2000; i++) {
		for (int k = 0; k < 20; k++)
			CHECK(sendmmsg(s[0], m, 8, 0) == -1 && errno == EAGAIN);
		for (int k = 0; k < 8; k++)
			CHECK(read(s[1], &byte, 1) == 1);
		CHECK(sendmmsg(s[0], m, 8, 0) == 8);
	}
	return 0;
}
