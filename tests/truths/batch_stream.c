/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * truth: 200 parts of a stream are sent, and 200 received: there is nothing to batch by messages.
 * says: sendmmsg and recvmmsg were traced and not called
 * never: one message a call
 * never: sendmmsg was not called
 * never: recvmmsg was not called
 */
#include <sys/socket.h>

#include "t.h"

int main(void)
{
	char byte = 0;
	int s[2];

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
	for (int i = 0; i < 200; i++)
		CHECK(send(s[0], &byte, 1, 0) == 1 && recv(s[1], &byte, 1, 0) == 1);
	return 0;
}
