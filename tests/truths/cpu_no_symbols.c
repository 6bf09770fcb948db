/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * kind: cpu
 * options: --sampling-rate 999
 * truth: nearly all time is spent in code that the program wrote into memory itself.
 * says: of the frames have no symbol: build with symbols and frame pointers before believing
 * says: of the frames have no symbol: install debug symbols, build with -g
 * never: No samples were taken
 * never: Too few samples
 */
#include <sys/mman.h>

#include "t.h"

/* A loop to itself, so often as the first argument says. */
static const unsigned char code[] = {
#ifdef __x86_64__
	0x48, 0xff, 0xcf, 0x75, 0xfb, 0xc3 /* dec %rdi; jnz; ret */
#else
	0x00, 0x04, 0x00, 0xf1, 0xe1, 0xff, 0xff, 0x54, 0xc0, 0x03, 0x5f, 0xd6 /* subs; b.ne; ret */
#endif
};

int main(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(p != MAP_FAILED);
	memcpy(p, code, sizeof(code));
	CHECK(mprotect(p, 4096, PROT_READ | PROT_EXEC) == 0);
	__builtin___clear_cache((char *)p, (char *)p + sizeof(code));
	((void (*)(unsigned long))p)(2000000000);
	return 0;
}
