/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * truth: 1,000 messages are written to a UDP socket: in one writev they were one message.
 * says: | write -> sendmmsg | 1,000 | 8 units | 875 | ... | 875 |
 * auto says: about ... ns each, which a message took less in a batch than by itself here, on a
 *     local socket || write, gather-sends: what it is known to save is || a message took no less
 *     in a batch
 * never: write -> writev
 * never: gather writes into writev or one buffer
 * never: that moved few bytes took no longer
 */
#include <unistd.h>

#include "udp.h"

int main(void)
{
	struct udp u = udp_open();

	for (int i = 0; i < 1000; i++)
		CHECK(write(u.tx, "message", 7) == 7);
	return 0;
}
