/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * truth: 40 writes each to 40 files, each in a thread of its own: more rows than are shown.
 * says: the JSON has all of them.
 * says: times include tracing
 * never: all calls were made by one thread
 * never: threads were traced: the later ones
 * never: descriptors were used: the later ones
 */
#include <pthread.h>

#include "t.h"

static void *writes(void *arg)
{
	int fd = t_null();

	for (int i = 0; i < 40; i++)
		CHECK(write(fd, "x", 1) == 1);
	return arg;
}

int main(void)
{
	pthread_t t[40];

	for (int i = 0; i < 40; i++)
		CHECK(pthread_create(&t[i], NULL, writes, NULL) == 0);
	for (int i = 0; i < 40; i++)
		CHECK(pthread_join(t[i], NULL) == 0);
	return 0;
}
