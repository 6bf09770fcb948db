/* SPDX-License-Identifier: GPL-3.0-only */
/* Processes that are killed from outside at any moment. What they leave must not hang. */
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include "t.h"

static int null_fd;

static void *write_for_ever(void *arg)
{
	while (write(null_fd, "x", 1) == 1)
		;
	return arg;
}

static unsigned int random_us(unsigned int least, unsigned int span)
{
	static unsigned int state = 1;

	state = state * 1103515245U + 12345U;
	return least + (state >> 8) % span;
}

/* N processes of six busy threads, each killed within 6 ms. */
static void killed(char **args)
{
	null_fd = t_null();
	for (long i = t_num(args, 0, 20); i > 0; i--) {
		pid_t pid = fork();
		pthread_t thread;
		int status;

		CHECK(pid >= 0);
		if (pid == 0) {
			for (int k = 0; k < 5; k++)
				pthread_create(&thread, NULL, write_for_ever, NULL);
			write_for_ever(NULL);
			_exit(0);
		}
		usleep(random_us(500, 5000)); /* at any moment of theirs */
		CHECK(kill(pid, SIGKILL) == 0 && waitpid(pid, &status, 0) == pid);
	}
}

_Noreturn static void fork_for_ever(int fd)
{
	for (;;) {
		pid_t pid = fork();

		if (pid == 0) {
			CHECK(write(fd, "c", 1) == 1);
			_exit(0);
		}
	}
}

/* N times a process that forks without end is killed: each of its children still runs to its end,
 * which closes the pipe. */
static void orphans(char **args)
{
	CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
	for (long i = t_num(args, 0, 20); i > 0; i--) {
		int ends[2];
		char buf[4096];
		pid_t pid;
		ssize_t n;

		CHECK(pipe(ends) == 0);
		pid = fork();
		CHECK(pid >= 0);
		if (pid == 0) {
			close(ends[0]);
			fork_for_ever(ends[1]);
		}
		close(ends[1]);
		usleep(random_us(1000, 1000)); /* at any moment of its */
		kill(pid, SIGKILL);
		do {
			struct pollfd p = {ends[0], POLLIN, 0};

			CHECK(poll(&p, 1, 60000) == 1); /* not one is left stopped */
			n = read(ends[0], buf, sizeof(buf));
		} while (n > 0);
		close(ends[0]);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
	}
}

/* time() in the vsyscall page, which the kernel emulates: no system call. */
static void vsyscall(char **args)
{
#ifdef __x86_64__
	long (*legacy_time)(long *) = (long (*)(long *))0xffffffffff600400;

	(void)args;
	for (int i = 0; i < 5; i++)
		CHECK(legacy_time(NULL) > 1000);
#else
	(void)args;
	t_skip("the vsyscall page");
#endif
}

int main(int argc, char **argv)
{
	static const struct tcase cases[] = {
		{"killed", killed},
		{"orphans", orphans},
		{"vsyscall", vsyscall},
		{NULL, NULL},
	};

	return t_main(argc, argv, cases);
}
