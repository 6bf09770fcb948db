/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * modes: auto
 * truth: messages of one part mostly, a few of two and of eight: three times the mean was measured.
 * says: writev: 1 of 1 run can be used. Runs differ by more than the calls of one do
 * says: What larger batches would save:
 * never: larger than any size measured
 * never: Build with another batch
 * never: (batch-limit)
 */
#include <sys/socket.h>
#include <sys/uio.h>

#include "udp.h"

int main(void)
{
	struct udp u = udp_open();
	struct iovec v[8];

	for (int i = 0; i < 8; i++)
		v[i] = (struct iovec){"x", 1};
	for (int i = 0; i < 3000; i++) {
		int size = i % 20 == 0 ? 8 : i % 20 == 1 ? 2 : 1;

		CHECK(writev(u.tx, v, size) == size);
	}
	return 0;
}
