/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * truth: 6,000 readv get 1 to 60 of 61 to 160 buffers: more pairs of sizes than are kept apart,
 *     but 60 sizes that were got.
 * says: different batch sizes, or pairs of sizes asked and moved: some calls (readv 1904) are in
 *     the sums but not in all the histograms
 * says: iovecs per readv
 * says: iovecs had nothing to hold (... partial)
 * never: by the call that was given them
 * never: of other sizes are not shown
 */
#include <sys/uio.h>

#include "t.h"

int main(void)
{
	static char bytes[160];
	struct iovec v[160];
	int ends[2];

	CHECK(pipe(ends) == 0);
	for (int i = 0; i < 160; i++)
		v[i] = (struct iovec){&bytes[i], 1};
	for (int i = 0; i < 6000; i++) {
		CHECK(write(ends[1], bytes, (size_t)i % 60 + 1) == i % 60 + 1);
		CHECK(readv(ends[0], v, 61 + i / 60) == i % 60 + 1);
	}
	return 0;
}
