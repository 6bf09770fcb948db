/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * truth: 50 messages of eight datagrams each: the kernel cuts them up.
 * says: one message can carry several datagrams here: the kernel cuts it up on sending (GSO)
 * says: sendto sent 8.0 datagrams a call, as one message (GSO).
 * never: sendto sent one message a call
 * never: every message given was sent by the calls that succeeded
 */
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include "t.h"

int main(void)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof(to);
	int at = socket(AF_INET, SOCK_DGRAM, 0), from = socket(AF_INET, SOCK_DGRAM, 0);
	int segment = 100;
	char data[800];

	CHECK(bind(at, (void *)&to, len) == 0 && getsockname(at, (void *)&to, &len) == 0);
	CHECK(connect(from, (void *)&to, len) == 0);
	if (setsockopt(from, IPPROTO_UDP, UDP_SEGMENT, &segment, sizeof(segment)) < 0)
		t_skip("UDP_SEGMENT");
	memset(data, 0, sizeof(data));
	for (int i = 0; i < 50; i++) {
		CHECK(send(from, data, sizeof(data), 0) == sizeof(data));
		for (int k = 0; k < 8; k++)
			CHECK(recv(at, data, sizeof(data), 0) == 100);
	}
	return 0;
}
