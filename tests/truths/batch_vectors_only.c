/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * truth: 100 writev of three buffers; calls that move messages are not traced.
 * options: -e writev
 * says: no traced call moved several messages; sendmmsg and recvmmsg were not traced, so nothing
 *     is known of them
 * never: no call moved several messages
 * never: was not called
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
