/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Threads, processes and fds that come and go while their call sites are taken over. Each case ends
 * with a line "name=calls ..." on stdout, as in rec_signal.c.
 */
#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "t.h"

extern char **environ;
static atomic_long writes, reads;
static int null_fd;

static void report(void)
{
	char line[200];
	int n = snprintf(line, sizeof(line), "write=%ld read=%ld\n", atomic_load(&writes) + 1,
		atomic_load(&reads));

	CHECK(write(1, line, (size_t)n) == n);
}

static void write_n(long n)
{
	for (long i = 0; i < n; i++)
		CHECK(write(null_fd, "x", 1) == 1);
	atomic_fetch_add(&writes, n);
}

static void *write_some(void *arg)
{
	write_n((long)(intptr_t)arg);
	return NULL;
}

/* Threads begin and end without a pause; N of them, M writes each. */
static void threads(char **args)
{
	long n = t_num(args, 0, 200), each = t_num(args, 1, 50);

	null_fd = t_null();
	for (long i = 0; i < n; i += 4) {
		pthread_t t[4];

		for (int k = 0; k < 4; k++)
			CHECK(pthread_create(&t[k], NULL, write_some, (void *)(intptr_t)each) == 0);
		for (int k = 0; k < 4; k++)
			CHECK(pthread_join(t[k], NULL) == 0);
	}
	report();
}

static pthread_barrier_t barrier;

static void *write_together(void *arg)
{
	pthread_barrier_wait(&barrier);
	write_n(200);
	pthread_barrier_wait(&barrier);
	return arg;
}

/* N threads at once: all blocks, rings and the same sites. */
static void many(char **args)
{
	long n = t_num(args, 0, 200);
	pthread_t *t = calloc((size_t)n, sizeof(*t));
	pthread_attr_t small;

	null_fd = t_null();
	CHECK(t && pthread_barrier_init(&barrier, NULL, (unsigned int)n) == 0);
	CHECK(pthread_attr_init(&small) == 0 && pthread_attr_setstacksize(&small, 65536) == 0);
	for (long i = 0; i < n; i++)
		CHECK(pthread_create(&t[i], &small, write_together, NULL) == 0);
	for (long i = 0; i < n; i++)
		CHECK(pthread_join(t[i], NULL) == 0);
	report();
}

/* N threads that have made a few calls and wait: their memory is looked at from outside. */
static void *write_and_wait(void *arg)
{
	write_n(20);
	pthread_barrier_wait(&barrier);
	pause();
	return arg;
}

static void idle(char **args)
{
	long n = t_num(args, 0, 100);
	pthread_attr_t small;
	char line[32];

	null_fd = t_null();
	CHECK(pthread_barrier_init(&barrier, NULL, (unsigned int)n + 1) == 0);
	CHECK(pthread_attr_init(&small) == 0 && pthread_attr_setstacksize(&small, 65536) == 0);
	for (long i = 0; i < n; i++) {
		pthread_t t;

		CHECK(pthread_create(&t, &small, write_and_wait, NULL) == 0);
	}
	pthread_barrier_wait(&barrier);
	CHECK(write(1, line, (size_t)snprintf(line, sizeof(line), "%d\n", getpid())) > 0);
	CHECK(read(0, line, 1) >= 0);
	_exit(0);
}

/* N children that wait after 100 writes each; prints the pids of all. */
static void idle_children(char **args)
{
	long n = t_num(args, 0, 300);
	int up[2], down[2];
	char line[32], c;

	null_fd = t_null();
	CHECK(pipe(up) == 0 && pipe(down) == 0);
	CHECK(write(1, line, (size_t)snprintf(line, sizeof(line), "%d", getpid())) > 0);
	for (long i = 0; i < n; i++) {
		pid_t pid = fork();

		CHECK(pid >= 0);
		if (pid == 0) {
			close(down[1]);
			write_n(100);
			CHECK(write(up[1], "x", 1) == 1);
			_exit(read(down[0], &c, 1) != 0);
		}
		CHECK(write(1, line, (size_t)snprintf(line, sizeof(line), " %d", pid)) > 0);
		CHECK(read(up[0], &c, 1) == 1);
	}
	CHECK(write(1, "\n", 1) == 1);
	CHECK(read(0, &c, 1) >= 0);
	_exit(0);
}

/* Processes by every call that makes them, each of which becomes /bin/true; writes in between. */
static void children(char **args)
{
	char *argv[] = {(char *)"true", NULL};

	null_fd = t_null();
	for (long i = t_num(args, 0, 30); i > 0; i--) {
		int status;
		pid_t pid;

		write_n(20);
		switch (i % 3) {
		case 0:
			pid = vfork();
			if (pid == 0) {
				execv("/bin/true", argv);
				_exit(1);
			}
			break;
		case 1:
			CHECK(posix_spawn(&pid, "/bin/true", NULL, NULL, argv, environ) == 0);
			break;
		default:
			pid = fork();
			if (pid == 0) {
				for (int k = 0; k < 20; k++)
					CHECK(write(null_fd, "x", 1) == 1);
				_exit(0);
			}
			atomic_fetch_add(&writes, 20);
		}
		CHECK(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0);
	}
	report();
}

static atomic_int over;
static atomic_long background;

static void *write_on(void *arg)
{
	long n = 0;

	while (!atomic_load(&over)) {
		CHECK(write(null_fd, "x", 1) == 1);
		n++;
	}
	atomic_fetch_add(&background, n);
	return arg;
}

/* A process of busy threads forks: the child has one of them. */
static void fork_busy(char **args)
{
	pthread_t t[3];

	null_fd = t_null();
	for (int k = 0; k < 3; k++)
		CHECK(pthread_create(&t[k], NULL, write_on, NULL) == 0);
	for (long i = t_num(args, 0, 50); i > 0; i--) {
		int status;
		pid_t pid = fork();

		if (pid == 0) {
			for (int k = 0; k < 30; k++)
				if (write(null_fd, "x", 1) != 1)
					_exit(1);
			_exit(0);
		}
		CHECK(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0);
		atomic_fetch_add(&writes, 30);
	}
	atomic_store(&over, 1);
	for (int k = 0; k < 3; k++)
		CHECK(pthread_join(t[k], NULL) == 0);
	atomic_fetch_add(&writes, atomic_load(&background));
	report();
}

/* A thread that is not the leader becomes another program, while others write. */
static void *become(void *arg)
{
	char *argv[] = {(char *)"true", NULL};

	usleep(2000); /* anywhere among the writes of the others */
	execv("/bin/true", argv);
	return arg;
}

static void exec_thread(char **args)
{
	null_fd = t_null();
	for (long i = t_num(args, 0, 20); i > 0; i--) {
		int status;
		pid_t pid = fork();

		if (pid == 0) {
			pthread_t t;
			int rc;

			CHECK(pthread_create(&t, NULL, become, NULL) == 0);
			/* The kernel refuses a thread to a process that is in exec (CLONE_FS). */
			rc = pthread_create(&t, NULL, write_on, NULL);
			CHECK(rc == 0 || rc == EAGAIN);
			for (;;)
				CHECK(write(null_fd, "x", 1) == 1);
		}
		CHECK(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0);
	}
	report();
}

/* ---- every way in which a process of threads comes to its end ---- */

static void *write_for_ever(void *arg)
{
	(void)arg;
	for (;;)
		CHECK(write(null_fd, "x", 1) == 1);
	return NULL;
}

static void *vfork_for_ever(void *arg)
{
	char *argv[] = {(char *)"true", NULL};

	for (;;) {
		pid_t pid = vfork();

		if (pid == 0) {
			execv("/bin/true", argv);
			_exit(1);
		}
		if (pid > 0)
			waitpid(pid, NULL, 0);
	}
	return arg;
}

static void *fork_for_ever(void *arg)
{
	for (;;) {
		pid_t pid = fork();

		if (pid == 0) {
			for (int k = 0; k < 3; k++)
				CHECK(write(null_fd, "x", 1) == 1);
			_exit(0);
		}
		if (pid > 0)
			waitpid(pid, NULL, 0);
	}
	return arg;
}

static void *start_for_ever(void *arg)
{
	pthread_t t;

	for (;;)
		if (pthread_create(&t, NULL, write_some, (void *)3) == 0)
			CHECK(pthread_join(t, NULL) == 0);
	return arg;
}

static void *fail_and_end(void *arg)
{
	char *argv[] = {(char *)"none", NULL};

	for (int i = 0; i < 20; i++)
		CHECK(execv("/dev/null/none", argv) < 0 && errno == ENOTDIR);
	_exit(0);
	return arg;
}

static void *end_all(void *arg)
{
	usleep(2000); /* anywhere among what the others do */
	_exit(0);
	return arg;
}

static void *kill_all(void *arg)
{
	usleep(2000); /* likewise */
	CHECK(kill(getpid(), SIGKILL) == 0);
	return arg;
}

static void *(*const enders[])(void *) = {become, become, end_all, fail_and_end, kill_all, become};
static void *(*const others[])(void *) = {
	write_for_ever, vfork_for_ever, fork_for_ever, start_for_ever};

/* Two threads of a kind beside the one that ends all; the first thread writes, or is that one. */
static void one_end(long i)
{
	void *(*const ender)(void *) = enders[i % 6];
	pthread_t t;

	for (int k = 0; k < 2; k++)
		CHECK(pthread_create(&t, NULL, others[i / 6 % 4], NULL) == 0);
	if (i % 6 == 5)
		ender(NULL);
	if (i % 6 == 1) /* two that would become another program */
		CHECK(pthread_create(&t, NULL, ender, NULL) == 0);
	/* The kernel refuses a thread to a process that is in exec (CLONE_FS). */
	while (pthread_create(&t, NULL, ender, NULL))
		CHECK(write(null_fd, "x", 1) == 1);
	write_for_ever(NULL);
}

static void ends(char **args)
{
	null_fd = t_null();
	write_n(20);
	for (long n = t_num(args, 0, 48), i = 0; i < n; i++) {
		int status;
		pid_t pid = fork();

		if (pid == 0)
			one_end(i);
		CHECK(pid > 0 && waitpid(pid, &status, 0) == pid);
		CHECK(status == (i % 6 == 4 ? SIGKILL : 0));
	}
	report();
}

static atomic_long *beginnings_seen;

static void seen(int sig)
{
	(void)sig;
	atomic_fetch_add(beginnings_seen, 1);
}

/* A child at its first calls: each is put under the recorder. */
static pid_t beginning(void)
{
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid > 0)
		return pid;
	for (int k = 0; k < 20; k++)
		CHECK(write(null_fd, "x", 1) == 1);
	_exit(0);
}

/* Children that are stopped, continued and sent a signal again and again: each of these has its
 * effect, and the calls are made. */
static void beginnings(char **args)
{
	struct sigaction sa = {.sa_handler = seen, .sa_flags = SA_RESTART};
	long n = t_num(args, 0, 100);

	null_fd = t_null();
	beginnings_seen =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(beginnings_seen != MAP_FAILED && sigaction(SIGUSR1, &sa, NULL) == 0);
	write_n(20);
	for (long i = 0; i < n; i++) {
		int status = 0;
		pid_t pid = beginning();

		for (int k = 0; k < 8; k++) {
			CHECK(kill(pid, SIGSTOP) == 0 && kill(pid, SIGCONT) == 0);
			CHECK(kill(pid, SIGUSR1) == 0);
			usleep((useconds_t)(i % 8) * 10); /* the moments vary, nothing else */
		}
		CHECK(waitpid(pid, &status, 0) == pid);
		CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
		atomic_fetch_add(&writes, 20);
	}
	CHECK(n == 0 || atomic_load(beginnings_seen) > 0);
	report();
}

/* Children that are killed there. */
static void cut_short(char **args)
{
	null_fd = t_null();
	write_n(20);
	for (long i = t_num(args, 0, 100); i > 0; i--) {
		int status;
		pid_t pid = beginning();

		for (long k = 0; k < i % 10; k++)
			usleep(30); /* the moment varies, nothing else */
		CHECK(kill(pid, SIGKILL) == 0 && waitpid(pid, &status, 0) == pid);
	}
	report();
}

/* ---- fds ---- */

/* One number for one file after the other: A is written 3 bytes at a time, B 5. */
static void reuse(char **args)
{
	long n = t_num(args, 0, 300);
	char a[] = "/tmp/rec-aXXXXXX", b[] = "/tmp/rec-bXXXXXX";
	int fd;

	fd = mkstemp(a);
	CHECK(fd >= 0 && close(fd) == 0);
	fd = mkstemp(b);
	CHECK(fd >= 0 && close(fd) == 0);
	for (long i = 0; i < n; i++) {
		fd = open(i % 2 ? b : a, O_WRONLY);
		CHECK(fd >= 0);
		for (int k = 0; k < 4; k++)
			CHECK(write(fd, "12345", i % 2 ? 5 : 3) == (i % 2 ? 5 : 3));
		atomic_fetch_add(&writes, 4);
		CHECK(close(fd) == 0);
	}
	CHECK(unlink(a) == 0 && unlink(b) == 0);
	report();
}

static int shared_fd;

static void *close_and_open(void *arg)
{
	while (!atomic_load(&over)) {
		CHECK(dup2(null_fd, shared_fd) == shared_fd);
		CHECK(close(shared_fd) == 0);
	}
	return arg;
}

/* A number is closed and made while another thread writes to it. */
static void race(char **args)
{
	pthread_t t;

	null_fd = t_null();
	shared_fd = 100;
	CHECK(pthread_create(&t, NULL, close_and_open, NULL) == 0);
	for (long i = t_num(args, 0, 5000); i > 0; i--) {
		ssize_t n = write(shared_fd, "x", 1);

		CHECK(n == 1 || (n < 0 && errno == EBADF));
		atomic_fetch_add(&writes, 1);
	}
	atomic_store(&over, 1);
	CHECK(pthread_join(t, NULL) == 0);
	report();
}

static void *close_shared(void *arg)
{
	CHECK(close(shared_fd) == 0);
	atomic_store(&over, 1);
	return arg;
}

/* A thread closes shared_fd, a socket with more data than fits: the number is free, and the close
 * waits for it to be received. Returns the socket that can. */
static int begin_close(pthread_t *ret)
{
	static char data[65536];
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	struct linger linger = {1, 30};
	socklen_t len = sizeof(at);
	int listener = socket(AF_INET, SOCK_STREAM, 0), out = socket(AF_INET, SOCK_STREAM, 0), in;

	shared_fd = 100;
	CHECK(bind(listener, (struct sockaddr *)&at, len) == 0 && listen(listener, 1) == 0);
	CHECK(getsockname(listener, (struct sockaddr *)&at, &len) == 0);
	CHECK(connect(out, (struct sockaddr *)&at, len) == 0);
	in = accept(listener, NULL, NULL);
	CHECK(in >= 0 && dup2(out, shared_fd) == shared_fd && close(out) == 0);
	CHECK(setsockopt(shared_fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)) == 0);
	while (send(shared_fd, data, sizeof(data), MSG_DONTWAIT) > 0)
		;
	CHECK(pthread_create(ret, NULL, close_shared, NULL) == 0);
	while (fcntl(shared_fd, F_GETFD) >= 0)
		sched_yield();
	return in;
}

/* During that close the number has another file. 5 pwrites on that during the close, 3 after it. */
static void lingering(char **args)
{
	pthread_t t;
	int in;

	(void)args;
	null_fd = t_null();
	in = begin_close(&t);
	/* By a call that closes nothing itself. */
	CHECK(fcntl(null_fd, F_DUPFD, shared_fd) == shared_fd);
	for (int i = 0; i < 5; i++)
		CHECK(pwrite(shared_fd, "x", 1, 0) == 1);
	CHECK(!atomic_load(&over));
	CHECK(close(in) == 0);
	CHECK(pthread_join(t, NULL) == 0);
	for (int i = 0; i < 3; i++)
		CHECK(pwrite(shared_fd, "x", 1, 0) == 1);
	report();
}

/* N getppids during that close, and as many after it. */
static void while_closing(char **args)
{
	long n = t_num(args, 0, 200);
	pthread_t t;
	int in = begin_close(&t);

	for (long i = 0; i < n; i++)
		syscall(SYS_getppid);
	CHECK(!atomic_load(&over));
	CHECK(close(in) == 0);
	CHECK(pthread_join(t, NULL) == 0);
	for (long i = 0; i < n; i++)
		syscall(SYS_getppid);
}

/* A thread puts a file at every free low number, and takes it away again. */
static void *take_numbers(void *arg)
{
	const struct stat *file = arg;
	struct stat st;

	while (!atomic_load(&over))
		for (int fd = shared_fd + 1; fd < shared_fd + 5; fd++) {
			CHECK(syscall(SYS_dup3, shared_fd, fd, 0) == fd);
			CHECK(fstat(fd, &st) == 0 && st.st_ino == file->st_ino);
			CHECK(close(fd) == 0);
		}
	return arg;
}

/* Children that have such a thread at their first calls; the file is as it was in the end. */
static void numbers(char **args)
{
	char path[] = "/tmp/rec-nXXXXXX", c = 0;
	struct stat st;

	null_fd = t_null();
	shared_fd = mkstemp(path);
	CHECK(shared_fd >= 0 && unlink(path) == 0 && write(shared_fd, "x", 1) == 1);
	CHECK(fstat(shared_fd, &st) == 0);
	for (long i = t_num(args, 0, 50); i > 0; i--) {
		int status;
		pid_t pid = fork();

		if (pid == 0) {
			pthread_t t;

			CHECK(pthread_create(&t, NULL, take_numbers, &st) == 0);
			for (int k = 0; k < 60; k++)
				CHECK(write(null_fd, "x", 1) == 1);
			atomic_store(&over, 1);
			CHECK(pthread_join(t, NULL) == 0);
			_exit(0);
		}
		CHECK(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0);
		atomic_fetch_add(&writes, 60);
	}
	CHECK(fstat(shared_fd, &st) == 0 && st.st_size == 1);
	CHECK(pread(shared_fd, &c, 1, 0) == 1 && c == 'x');
	atomic_fetch_add(&writes, 1);
	report();
}

/* All fds are closed, and the same numbers made again. */
static void close_all(char **args)
{
	(void)args;
	null_fd = t_null();
	write_n(50);
#ifdef SYS_close_range
	if (syscall(SYS_close_range, 3U, ~0U, 0U) < 0 && errno == ENOSYS)
		t_skip("close_range");
#endif
	CHECK(write(null_fd, "x", 1) < 0 && errno == EBADF);
	atomic_fetch_add(&writes, 1);
	CHECK(t_null() == null_fd);
	write_n(50);
	for (int fd = 3; fd < 200; fd++)
		CHECK(fd == null_fd || dup2(null_fd, fd) == fd);
	for (int fd = 3; fd < 200; fd++)
		CHECK(write(fd, "x", 1) == 1);
	atomic_fetch_add(&writes, 197);
	report();
}

/* A thread with a files table of its own. */
static void *unshared(void *arg)
{
	CHECK(unshare(CLONE_FILES) == 0);
	CHECK(close(shared_fd) == 0);
	CHECK(write(shared_fd, "x", 1) < 0 && errno == EBADF);
	atomic_fetch_add(&writes, 1);
	return arg;
}

static void own_table(char **args)
{
	null_fd = t_null();
	shared_fd = dup(null_fd);
	for (long i = t_num(args, 0, 50); i > 0; i--) {
		pthread_t t;

		write_n(3);
		CHECK(pthread_create(&t, NULL, unshared, NULL) == 0 && pthread_join(t, NULL) == 0);
		CHECK(write(shared_fd, "x", 1) == 1);
		atomic_fetch_add(&writes, 1);
	}
	report();
}

/* ---- deaths ---- */

/* Killed in a call that blocks, and in busy ones. */
static void killed(char **args)
{
	int ends[2], ready[2];

	null_fd = t_null();
	CHECK(pipe(ends) == 0 && pipe(ready) == 0);
	for (long i = t_num(args, 0, 20); i > 0; i--) {
		int status;
		pid_t pid = fork();
		char c;

		if (pid == 0) {
			for (int k = 0; k < 30; k++)
				CHECK(write(null_fd, "x", 1) == 1);
			CHECK(write(ready[1], "r", 1) == 1);
			if (i % 2)
				CHECK(read(ends[0], &c, 1) == 1);
			for (;;)
				CHECK(write(null_fd, "x", 1) == 1);
		}
		CHECK(pid > 0 && read(ready[0], &c, 1) == 1);
		if (i % 2)
			t_await_state(pid, pid, 'S'); /* in its read */
		else
			usleep(1000); /* anywhere among its writes */
		CHECK(kill(pid, SIGKILL) == 0 && waitpid(pid, &status, 0) == pid);
		CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	}
	report();
}

static rlim_t mapped_bytes(void)
{
	char text[32] = {0};
	int fd = open("/proc/self/statm", O_RDONLY);

	CHECK(fd >= 0 && read(fd, text, sizeof(text) - 1) > 0 && close(fd) == 0);
	return strtoul(text, NULL, 10) * 4096;
}

/* A small address space is left as it is. args[1]: it becomes small when calls are recorded
 * already, and leaves no room for a large ring. */
static void limited(char **args)
{
	struct rlimit limit = {1 << 28, 1 << 28};

	null_fd = t_null();
	if (t_num(args, 1, 0)) {
		write_n(50);
		limit.rlim_cur = limit.rlim_max = mapped_bytes() + (1 << 20);
	}
	CHECK(setrlimit(RLIMIT_AS, &limit) == 0);
	write_n(t_num(args, 0, 100));
	report();
}

/* ---- memory ---- */

static void *map_on(void *arg)
{
	for (int i = 0; i < 300; i++) {
		size_t bytes = (size_t)(1 + i % 7) * 4096;
		char *p = mmap(
			NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		CHECK(p != MAP_FAILED);
		memset(p, 1, bytes);
		CHECK(mprotect(p, bytes, PROT_READ) == 0);
		if (i % 5 == 0) {
			char *moved = mremap(p, bytes, bytes * 2, MREMAP_MAYMOVE);

			CHECK(moved != MAP_FAILED && moved[0] == 1);
			p = moved;
			bytes *= 2;
		}
		CHECK(munmap(p, bytes) == 0);
	}
	return arg;
}

/* Threads that map and unmap: the same addresses go from one to the other. */
static void mappings(char **args)
{
	long n = t_num(args, 0, 4);

	null_fd = t_null();
	for (long i = 0; i < n; i++) {
		pthread_t t[4];

		for (int k = 0; k < 4; k++)
			CHECK(pthread_create(&t[k], NULL, map_on, NULL) == 0);
		for (int k = 0; k < 4; k++)
			CHECK(pthread_join(t[k], NULL) == 0);
	}
	report();
}

/* Eight threads are there when a filter for all of them ends who makes call NR, which the program
 * never does. Before it M writes, by which a recorder is there or not. */
static void filtered_all(char **args)
{
	const struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)t_num(args, 0, 0), 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
	struct sock_fprog prog = {4, (struct sock_filter *)(uintptr_t)filter};
	pthread_t t[8];

	null_fd = t_null();
	write_n(t_num(args, 1, 0));
	CHECK(pthread_barrier_init(&barrier, NULL, 9) == 0);
	for (int i = 0; i < 8; i++)
		CHECK(pthread_create(&t[i], NULL, write_together, NULL) == 0);
	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	CHECK(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &prog) == 0);
	pthread_barrier_wait(&barrier);
	pthread_barrier_wait(&barrier);
	for (int i = 0; i < 8; i++)
		CHECK(pthread_join(t[i], NULL) == 0);
	report();
}

static const struct tcase cases[] = {{"threads", threads}, {"many", many}, {"idle", idle},
	{"idle_children", idle_children}, {"children", children}, {"fork_busy", fork_busy},
	{"exec_thread", exec_thread}, {"ends", ends}, {"reuse", reuse}, {"race", race},
	{"lingering", lingering}, {"while_closing", while_closing}, {"numbers", numbers},
	{"close_all", close_all}, {"beginnings", beginnings}, {"cut_short", cut_short},
	{"own_table", own_table}, {"killed", killed}, {"limited", limited}, {"mappings", mappings},
	{"filtered_all", filtered_all}, {NULL, NULL}};

int main(int argc, char **argv)
{
	return t_main(argc, argv, cases);
}
