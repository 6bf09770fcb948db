/* SPDX-License-Identifier: GPL-3.0-only */
/* An ordinary test of cmocka: what it sends is counted from outside, see assert-CMakeLists.txt. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/socket.h>
#include <unistd.h>

#define BATCH 8

/* Stands for the code under test. */
static int send_all(int fd, unsigned int messages)
{
	char byte = 'x';
	struct iovec iov = {&byte, 1};
	struct mmsghdr batch[BATCH] = {0};

	for (unsigned int i = 0; i < BATCH; i++)
		batch[i].msg_hdr = (struct msghdr){.msg_iov = &iov, .msg_iovlen = 1};
	for (unsigned int sent = 0; sent < messages; sent += BATCH)
		if (sendmmsg(fd, batch, BATCH, 0) != BATCH)
			return -1;
	return 0;
}

static void all_are_sent(void **state)
{
	int fd[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, fd), 0);
	assert_int_equal(send_all(fd[0], 8), 0);
	close(fd[0]);
	close(fd[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(all_are_sent)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
