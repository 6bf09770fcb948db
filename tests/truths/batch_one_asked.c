/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * truth: 200 calls that could send many messages are given one each.
 * says: sendmmsg: not used as a batching call: all of 200 calls asked for one.
 * says: sendmmsg is given one message a call: it does not batch.
 * says: | asks for one a call |
 * says: No call batches, or too few were made to say how.
 * never: is limited by
 * never: too few calls to judge
 * never: (batch-limit)
 */
#include <sys/socket.h>

#include "udp.h"

int main(void)
{
	struct udp u = udp_open();
	struct iovec v = {"x", 1};
	struct mmsghdr m = {.msg_hdr = {.msg_iov = &v, .msg_iovlen = 1}};

	for (int i = 0; i < 200; i++)
		CHECK(sendmmsg(u.tx, &m, 1, 0) == 1);
	return 0;
}
