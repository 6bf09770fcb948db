/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * truth: of each of 300 batches of eight the fourth message is too large: a larger batch would end
 *     there, too. Of 300 writes of 6,000 bytes a pipe takes 4,096 each.
 * says: | sendmmsg -> larger sendmmsg | 300 | 32 units | 0 | ... | 0 |
 * says: | write -> writev | 300 | 32 units | 0 | ... | 0 |
 * never: calls would not be made
 * never: could be saved
 */
#include <fcntl.h>
#include <unistd.h>

#include "msgs.h"
#include "udp.h"

static char bytes[70000];

int main(void)
{
	static struct messages m;
	struct udp u = udp_open();
	int s[2];

	msgs_fill(&m);
	m.iov[3] = (struct iovec){bytes, sizeof(bytes)};
	for (int i = 0; i < 300; i++)
		CHECK(sendmmsg(u.tx, m.at, 8, 0) == 3);
	CHECK(pipe2(s, O_NONBLOCK) == 0 && fcntl(s[1], F_SETPIPE_SZ, 4096) == 4096);
	for (int i = 0; i < 300; i++) {
		CHECK(write(s[1], bytes, 6000) == 4096);
		CHECK(read(s[0], bytes, 4096) == 4096);
	}
	return 0;
}
