/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * truth: 60 calls send one message each, with a sleep before each, and 20 send two.
 * says: sendmmsg: 60 of 80 calls moved one message only: hardly any could have gone together, so
 *     there batching gains nothing.
 * never: of 80 calls could have gone with the one before
 */
#include "udp.h"

int main(void)
{
	struct udp u = udp_open();
	char byte = 0;
	struct iovec iov = {&byte, 1};
	struct mmsghdr m[2] = {{.msg_hdr = {.msg_iov = &iov, .msg_iovlen = 1}},
		{.msg_hdr = {.msg_iov = &iov, .msg_iovlen = 1}}};

	for (int i = 0; i < 80; i++) {
		usleep(100);
		CHECK(syscall(SYS_sendmmsg, u.tx, m, i < 60 ? 1 : 2, 0) == (i < 60 ? 1 : 2));
	}
	return 0;
}
