/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * modes: auto
 * truth: each of 3,000 messages is sent by a writev of eight pieces, which all go.
 * says: writev is limited by the batch that the caller makes
 * says: writev, batch-limit: what it is given are pieces of one message; more of them make it
 *     longer, and no call fewer.
 * never: (batch-limit)
 * never: of its time at twice the batch
 */
#include <sys/socket.h>
#include <sys/uio.h>

#include "udp.h"

int main(void)
{
	struct udp u = udp_open();
	struct iovec v[8];

	for (int i = 0; i < 8; i++)
		v[i] = (struct iovec){"x", 1};
	for (int i = 0; i < 3000; i++)
		CHECK(writev(u.tx, v, 8) == 8);
	return 0;
}
