/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * truth: 1,000 messages, each of two parts: the first says that more comes. One sendmmsg has the
 *     same flags for all that it sends.
 * says: | sendto -> sendmmsg | 2,000 | 32 units | 0 | ... | 0 |
 * never: calls would not be made
 * never: could be saved
 */
#include "udp.h"

int main(void)
{
	struct udp u = udp_open();

	for (int i = 0; i < 1000; i++) {
		CHECK(send(u.tx, "one", 3, MSG_MORE) == 3);
		CHECK(send(u.tx, "other", 5, 0) == 5);
	}
	return 0;
}
