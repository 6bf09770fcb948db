/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * kind: memory
 * truth: eight functions hold an eighth of the heap each: none holds most of it.
 * says: the largest part is held by
 * never: most is held by
 * never: No place holds 10% of it or more
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
PLACE(first, 100000)
PLACE(second, 100001)
PLACE(third, 100002)
PLACE(fourth, 100003)
PLACE(fifth, 100004)
PLACE(sixth, 100005)
PLACE(seventh, 100006)
PLACE(eighth, 100007)

int main(void)
{
	void *(*const places[])(void) = {
		first, second, third, fourth, fifth, sixth, seventh, eighth};

	for (int i = 0; i < 8; i++) {
		CHECK(places[i]());
		for (volatile int k = 0; k < 300000; k++)
			;
	}
	return 0;
}
