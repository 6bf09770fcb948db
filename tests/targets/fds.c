// SPDX-License-Identifier: GPL-3.0-only
/*
 * The same number for different files: every case uses FD for several, with another number of
 * 1-byte pwrite64 calls on each, so that mixing them up shows.
 */
#include <sys/socket.h>
#include <sys/wait.h>

#include "udp.h"

#ifndef SYS_close_range
#define SYS_close_range 436
#endif

#define FD 100

static void put(long calls)
{
	while (calls-- > 0)
		CHECK(pwrite(FD, "x", 1, 0) == 1);
}

/* A new file at FD, in place of what is there. */
static void at_fd(int flags)
{
	int fd = t_file(1);

	CHECK(dup3(fd, FD, flags) == FD);
	close(fd);
}

/* Closed and used again: 3, 5, 2. */
static void reuse(char **args)
{
	(void)args;
	at_fd(0);
	put(3);
	close(FD);
	at_fd(0);
	put(5);
	close(FD);
	at_fd(0);
	put(2);
}

/* dup2 over what is open: 2, 4. */
static void over(char **args)
{
	(void)args;
	at_fd(0);
	put(2);
	at_fd(0);
	put(4);
}

/* close_range takes it: 2, 1. */
static void range(char **args)
{
	(void)args;
	at_fd(0);
	put(2);
	if (syscall(SYS_close_range, FD - 10, ~0U, 0))
		t_skip("close_range");
	at_fd(0);
	put(1);
}

/* A child has a table of its own: parent 2 before and 3 after, child 7 on its own file there. */
static void forked(char **args)
{
	int st;
	pid_t pid;

	(void)args;
	at_fd(0);
	put(2);
	pid = fork();
	if (pid == 0) {
		at_fd(0);
		put(7);
		_exit(0);
	}
	CHECK(waitpid(pid, &st, 0) == pid && st == 0);
	put(3);
}

/* exec closes it: 2, then 3 in the new program. With "keep" it stays open: 2 and 3 on one file. */
static void exec_closes(char **args)
{
	char *argv[] = {"fds", "after", NULL};

	at_fd(args[0] ? 0 : O_CLOEXEC);
	put(2);
	if (args[0])
		argv[1] = "kept";
	execv("/proc/self/exe", argv);
	CHECK(0 && "execv returned");
}

static void after(char **args)
{
	(void)args;
	at_fd(0);
	put(3);
}

static void kept(char **args)
{
	(void)args;
	put(3);
}

/* A UDP socket with both addresses: prints its port; 4 sendto of 10 bytes. */
static void socket_target(char **args)
{
	struct udp u = udp_open();

	(void)args;
	CHECK(dup2(u.tx, FD) == FD);
	printf("%u\n", u.port);
	for (int i = 0; i < 4; i++)
		CHECK(sendto(FD, "0123456789", 10, 0, NULL, 0) == 10);
}

/* Passed from another process: 6 calls on what came. */
static void passed(char **args)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {.bytes = ""};
	char c = 'x';
	struct iovec iov = {&c, 1};
	struct msghdr h = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes)};
	struct cmsghdr *cm = CMSG_FIRSTHDR(&h);
	int s[2], fd = t_file(1);

	(void)args;
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
	cm->cmsg_level = SOL_SOCKET;
	cm->cmsg_type = SCM_RIGHTS;
	cm->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(cm), &fd, sizeof(fd));
	CHECK(sendmsg(s[0], &h, 0) == 1);
	CHECK(recvmsg(s[1], &h, 0) == 1);
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&h)), sizeof(fd));
	for (int i = 0; i < 6; i++)
		CHECK(pwrite(fd, "x", 1, 0) == 1);
}

int main(int argc, char **argv)
{
	static const struct tcase cases[] = {
		{"reuse", reuse},
		{"over", over},
		{"range", range},
		{"forked", forked},
		{"exec", exec_closes},
		{"after", after},
		{"kept", kept},
		{"socket", socket_target},
		{"passed", passed},
		{NULL, NULL},
	};

	return t_main(argc, argv, cases);
}
