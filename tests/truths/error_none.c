/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * truth: 100 writes, of which none fails; nothing else is traced.
 * options: -e write
 * says: No traced call failed.
 * says: Not measured: mmap, munmap, mremap and brk were not all traced.
 * says: none of the traced calls batches; sendmmsg and recvmmsg were not traced, so nothing is
 *     known of them (see --trace)
 * says: None of the traced calls batches; sendmmsg or recvmmsg was not traced, so nothing is known
 * says: none found, but mmap was not traced: files can be written and read by memory
 * never: not now, try again
 * never: a search that tries one place after another
 * never: No error that the table of errors calls worth a look.
 * never: were traced and not called
 * never: Most that was mapped at one time
 */
#include "t.h"

int main(void)
{
	int fd = t_null();

	for (int i = 0; i < 100; i++)
		CHECK(write(fd, "x", 1) == 1);
	return 0;
}
