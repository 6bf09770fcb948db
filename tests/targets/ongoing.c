/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * A program that goes on for as long as FILE is there: a thread that sends batches of 8 and
 * receives them with room for 32, one that fails, and a child that writes; a millisecond between
 * any two rounds. The child's thread is called "writer". `burst FILE WORD N`: N writes,
 * when WORD's byte is b as many again, which becomes e then without a call; nothing after them.
 */
#include <pthread.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "t.h"
#include "udp.h"

#define SENT 8
#define ROOM 32

static const char *file;

static int goes_on(void)
{
	return usleep(1000) == 0 && access(file, F_OK) == 0;
}

static void *send_batches(void *arg)
{
	static char bytes[ROOM][64];
	static struct iovec iov[ROOM];
	static struct mmsghdr msgs[ROOM];
	struct udp u = udp_open();

	for (int i = 0; i < ROOM; i++) {
		iov[i] = (struct iovec){bytes[i], 64};
		msgs[i].msg_hdr = (struct msghdr){.msg_iov = &iov[i], .msg_iovlen = 1};
	}
	while (goes_on()) {
		CHECK(sendmmsg(u.tx, msgs, SENT, 0) == SENT);
		for (int got = 0; got < SENT;) {
			int n = recvmmsg(u.rx, msgs, ROOM, MSG_DONTWAIT, NULL);

			CHECK(n > 0);
			got += n;
		}
	}
	return arg;
}

static void *fail(void *arg)
{
	char c;

	while (goes_on())
		CHECK(read(-1, &c, 1) < 0);
	return arg;
}

static void write_on(void)
{
	int fd = t_null();

	prctl(PR_SET_NAME, "writer");
	while (goes_on())
		CHECK(write(fd, "0123456789", 10) == 10);
	_exit(0);
}

static void all(char **args)
{
	pthread_t threads[2];
	pid_t pid;
	int status;

	CHECK(args[0]);
	file = args[0];
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0)
		write_on();
	CHECK(pthread_create(&threads[0], NULL, send_batches, NULL) == 0);
	CHECK(pthread_create(&threads[1], NULL, fail, NULL) == 0);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void write_n(int fd, long n)
{
	for (long i = 0; i < n; i++)
		CHECK(write(fd, "0123456789", 10) == 10);
}

static void burst(char **args)
{
	long n = t_num(args, 2, 300);
	int fd = t_null(), word = open(args[1], O_RDWR);
	volatile char *byte = mmap(NULL, 1, PROT_READ | PROT_WRITE, MAP_SHARED, word, 0);

	CHECK(byte != MAP_FAILED);
	file = args[0];
	write_n(fd, n);
	while (*byte != 'b' && goes_on())
		;
	write_n(fd, n);
	*byte = 'e';
	while (goes_on())
		;
}

int main(int argc, char **argv)
{
	static const struct tcase cases[] = {{"all", all}, {"burst", burst}, {NULL, NULL}};

	return t_main(argc, argv, cases);
}
