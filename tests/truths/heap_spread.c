/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * kind: memory
 * truth: twenty functions hold a twentieth of the heap each.
 * says: No place holds 10% of it or more.
 * never: most is held by
 * never: the largest part is held by
 * never: no snapshot says who held the memory
 */
#include "t.h"

/* The compiler must not make one of these of them. */
#define PLACE(name, size)                                                                          \
	__attribute__((noinline)) static void *name(void)                                          \
	{                                                                                          \
		char *volatile p = malloc(size);                                                   \
		CHECK(p);                                                                          \
		return p;                                                                          \
	}
PLACE(p00, 50000)
PLACE(p01, 50001)
PLACE(p02, 50002)
PLACE(p03, 50003)
PLACE(p04, 50004)
PLACE(p05, 50005)
PLACE(p06, 50006)
PLACE(p07, 50007)
PLACE(p08, 50008)
PLACE(p09, 50009)
PLACE(p10, 50010)
PLACE(p11, 50011)
PLACE(p12, 50012)
PLACE(p13, 50013)
PLACE(p14, 50014)
PLACE(p15, 50015)
PLACE(p16, 50016)
PLACE(p17, 50017)
PLACE(p18, 50018)
PLACE(p19, 50019)

int main(void)
{
	void *(*const places[])(void) = {p00, p01, p02, p03, p04, p05, p06, p07, p08, p09, p10, p11,
		p12, p13, p14, p15, p16, p17, p18, p19};

	for (int i = 0; i < 20; i++) {
		CHECK(places[i]());
		for (volatile int k = 0; k < 100000; k++)
			;
	}
	return 0;
}
