/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * truth: 100 writev of three buffers, whole; there are no messages.
 * says: no call moved several messages: sendmmsg and recvmmsg were traced and not called
 * says: writev: every iovec given was moved.
 * never: none of the traced calls batches
 * never: was not called.
 * never: no traced call moved several messages
 */
#include <sys/uio.h>

#include "t.h"

int main(void)
{
	struct iovec v[3] = {{"a", 1}, {"b", 1}, {"c", 1}};
	int fd = t_null();

	for (int i = 0; i < 100; i++)
		CHECK(writev(fd, v, 3) == 3);
	return 0;
}
