/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * kind: memory
 * truth: the program maps 16 MiB itself and calls malloc for nothing.
 * says: Memory: there is no heap profile in the result.
 * says: massif does not see what the program allocates: it calls mmap and no malloc
 * never: beside the heap that massif sees
 * never: still held at the end
 * never: at the peak
 * never: Who held it, by the tree of
 */
#include <sys/mman.h>

#include "t.h"

int main(void)
{
	char *at = mmap(NULL, 16 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(at != MAP_FAILED);
	memset(at, 1, 16 << 20);
	return 0;
}
