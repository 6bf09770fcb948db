/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * truth: madvise, msync and mprotect of 100 pages that nobody has mapped. There is memory enough.
 * says: no memory, or a range that is not mapped
 * says: madvise failed with ENOMEM in 100 calls: part of the range is not mapped
 * says: msync failed with ENOMEM in 100 calls: part of the range is not mapped
 * never: no memory.
 * never: out of memory
 */
#include <sys/mman.h>

#include "t.h"

int main(void)
{
	char *page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(page != MAP_FAILED && munmap(page, 4096) == 0);
	for (int i = 0; i < 100; i++) {
		CHECK(madvise(page, 4096, MADV_DONTNEED) == -1 && errno == ENOMEM);
		CHECK(msync(page, 4096, MS_ASYNC) == -1 && errno == ENOMEM);
		CHECK(mprotect(page, 4096, PROT_READ) == -1 && errno == ENOMEM);
	}
	return 0;
}
