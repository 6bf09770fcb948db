/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TARGETS_UDP_H
#define TARGETS_UDP_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "t.h"

/* A bound receiver on 127.0.0.1 and a sender connected to it. */
struct udp {
	int rx, tx;
	uint16_t port;
};

static inline struct udp udp_open(void)
{
	struct udp u = {.rx = socket(AF_INET, SOCK_DGRAM, 0), .tx = socket(AF_INET, SOCK_DGRAM, 0)};
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof(a);

	CHECK(u.rx >= 0 && u.tx >= 0);
	if (bind(u.rx, (struct sockaddr *)&a, len))
		t_skip("bind to 127.0.0.1");
	CHECK(getsockname(u.rx, (struct sockaddr *)&a, &len) == 0);
	if (connect(u.tx, (struct sockaddr *)&a, len))
		t_skip("connect to 127.0.0.1");
	u.port = ntohs(a.sin_port);
	return u;
}

#endif
