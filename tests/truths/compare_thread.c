/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * kind: compare
 * truth: a thread named "writer" makes 30 writes in the base and 60 in the new program; the main
 *     thread as many as before.
 * says: write, in threads named writer: 30 -> 60 calls
 * never: write, in threads named compare_thread
 * never: a new process
 */
#include <pthread.h>

#include "sides.h"

static int writes;

static void *writer(void *arg)
{
	int fd = t_null();

	CHECK(pthread_setname_np(pthread_self(), "writer") == 0);
	for (int i = 0; i < writes; i++)
		CHECK(write(fd, "x", 1) == 1);
	return arg;
}

int main(int argc, char **argv)
{
	int fd = t_null();
	pthread_t t;

	(void)argc;
	writes = is_new(argv) ? 60 : 30;
	CHECK(pthread_create(&t, NULL, writer, NULL) == 0 && pthread_join(t, NULL) == 0);
	for (int i = 0; i < 40; i++)
		CHECK(write(fd, "x", 1) == 1);
	return 0;
}
