/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * truth: 20 mappings that are larger than the address space.
 * says: mmap failed with ENOMEM in 20 calls: no memory
 * never: part of the range is not mapped
 */
#include <sys/mman.h>

#include "t.h"

int main(void)
{
	for (int i = 0; i < 20; i++)
		CHECK(mmap(NULL, (size_t)1 << 62, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
			MAP_FAILED);
	return 0;
}
