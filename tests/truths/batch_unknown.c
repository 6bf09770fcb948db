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
#include "msgs.h"

static struct messages m;

int main(void)
{
	int s[2];

	msgs_fill(&m);
	CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, s) == 0);
	for (int i = 0; i < 100; i++) {
		CHECK(sendmmsg(s[0], m.at, 2, 0) == 2);
		CHECK(recv(s[1], m.bytes[0], 8, 0) == 8 && recv(s[1], m.bytes[0], 8, 0) == 8);
	}
	return 0;
}
