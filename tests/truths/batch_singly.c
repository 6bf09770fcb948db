/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * truth: 200 datagrams are sent, and 200 received, each by a call of its own.
 * says: none of the traced calls batches: sendmmsg and recvmmsg were traced and not called
 * says: sendto sent one message a call in 200 calls on datagram sockets; sendmmsg was not
 *     called.
 * says: recvfrom received one message a call in 200 calls on datagram sockets; recvmmsg was
 *     not called.
 * says: None of the traced calls batches.
 * never: no call moved several messages
 * never: was not traced
 * never: sendmmsg or recvmmsg was not traced, so nothing is known of it
 * never: were not traced, so nothing is known
 * never: no calls were seen, so none that batches
 */
#include <sys/socket.h>

#include "t.h"

int main(void)
{
	char byte = 0;
	int s[2];

	CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, s) == 0);
	for (int i = 0; i < 200; i++)
		CHECK(send(s[0], &byte, 1, 0) == 1 && recv(s[1], &byte, 1, 0) == 1);
	return 0;
}
