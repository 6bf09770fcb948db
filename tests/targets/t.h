/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TARGETS_T_H
#define TARGETS_T_H

/*
 * What the target programs share. A target is one program per theme; argv[1] chooses the case, what
 * follows are its numbers. A case makes a known number of system calls and checks their results
 * itself: status 0 is success, 77 is "not possible on this machine" (a skip), 1 a failed check.
 * The case "none" does nothing: its calls (loader, libc) are what the tests subtract.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

struct tcase {
	const char *name;
	void (*run)(char **args); /* what follows the case's name, NULL at the end */
};

#define CHECK(cond)                                                                                \
	do {                                                                                       \
		if (!(cond))                                                                       \
			t_fail(__FILE__, __LINE__, #cond);                                         \
	} while (0)

_Noreturn static inline void t_fail(const char *file, int line, const char *what)
{
	dprintf(2, "%s:%d: not true: %s (errno %d, %s)\n", file, line, what, errno,
		strerror(errno));
	_exit(1);
}

_Noreturn static inline void t_skip(const char *why)
{
	dprintf(2, "%s: %s\n", why, strerror(errno));
	_exit(77);
}

/* The i-th number of args, or otherwise. */
static inline long t_num(char **args, int i, long otherwise)
{
	for (int k = 0; k < i; k++)
		if (!args[k])
			return otherwise;
	return args[i] ? atol(args[i]) : otherwise;
}

static inline int t_null(void)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	CHECK(fd >= 0);
	return fd;
}

/* A file in memory of size zero bytes. */
static inline int t_file(off_t size)
{
	int fd = (int)syscall(SYS_memfd_create, "target", 0);

	CHECK(fd >= 0 && ftruncate(fd, size) == 0);
	return fd;
}

static inline void t_sleep_ms(long ms)
{
	usleep((useconds_t)ms * 1000);
}

/* The state of a thread in /proc: 'R' runs, 'S' sleeps in a call, 't' is in a tracer's stop, 'Z'
 * has ended; 0: there is none. */
static inline char t_state(pid_t pid, pid_t tid)
{
	char path[64], text[256], *end;
	ssize_t n = 0;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", (int)pid, (int)tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	end = strrchr(text, ')');
	return end && end[1] == ' ' ? end[2] : 0;
}

/* Until the thread is in that state. With 'S' after it has announced that it will block next: it is
 * inside that call. */
static inline void t_await_state(pid_t pid, pid_t tid, char state)
{
	for (char now; (now = t_state(pid, tid)) != state; sched_yield())
		CHECK(now);
}

static inline int t_main(int argc, char **argv, const struct tcase *cases)
{
	if (argc > 1 && strcmp(argv[1], "none") == 0)
		return 0;
	for (const struct tcase *c = cases; argc > 1 && c->name; c++) {
		if (strcmp(c->name, argv[1]) == 0) {
			c->run(argv + 2);
			return 0;
		}
	}
	dprintf(2, "usage: %s CASE [NUMBER...]; cases: none", argv[0]);
	for (const struct tcase *c = cases; c->name; c++)
		dprintf(2, " %s", c->name);
	dprintf(2, "\n");
	return 2;
}

#endif
