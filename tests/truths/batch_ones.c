/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * truth: 200 calls send one message each, back to back, and 50 send two.
 * says: sendmmsg: 200 of 250 calls moved one message only: 2... of 250 calls could have gone with
 *     the one before.
 * says: limited by what the caller has: it gave 1 to 2 a call
 * never: gains nothing
 * never: whether they could have gone together is not known
 * never: is given ... messages in every call
 */
#include "udp.h"

int main(void)
{
	struct udp u = udp_open();
	char byte = 0;
	struct iovec iov = {&byte, 1};
	struct mmsghdr m[2] = {{.msg_hdr = {.msg_iov = &iov, .msg_iovlen = 1}},
		{.msg_hdr = {.msg_iov = &iov, .msg_iovlen = 1}}};

	for (int i = 0; i < 250; i++)
		CHECK(syscall(SYS_sendmmsg, u.tx, m, i < 200 ? 1 : 2, 0) == (i < 200 ? 1 : 2));
	return 0;
}
