// SPDX-License-Identifier: GPL-3.0-only
/* The calls that move bytes through one fd or between two: write, read, their vectors and offsets.
 */
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "t.h"

static char buf[65536];
static struct iovec iov[4] = {{buf, 1}, {buf, 20}, {buf, 300}, {buf, 0}};

static int pipe_of(int fds[2], int size, int flags)
{
	return pipe2(fds, flags) == 0 && fcntl(fds[1], F_SETPIPE_SZ, size) == size;
}

/* write: 100 + 0 + 4096 of 5000 + EAGAIN + EBADF + EFAULT; read: 4096 + EAGAIN + EBADF. */
static void plain(char **args)
{
	int p[2], null = t_null();

	(void)args;
	CHECK(pipe_of(p, 4096, O_NONBLOCK));
	CHECK(write(null, buf, 100) == 100);
	CHECK(write(null, buf, 0) == 0);
	CHECK(write(p[1], buf, 5000) == 4096);
	CHECK(write(p[1], buf, 1) == -1 && errno == EAGAIN);
	CHECK(write(-1, buf, 7) == -1 && errno == EBADF);
	CHECK(read(p[0], buf, 5000) == 4096);
	CHECK(read(p[0], buf, 5) == -1 && errno == EAGAIN);
	CHECK(read(-1, buf, 5) == -1 && errno == EBADF);
	CHECK(syscall(SYS_write, p[1], (void *)8, 9) == -1 && errno == EFAULT);
}

/* writev: 321 of 4 vectors, 0 of 0 vectors, EINVAL for 1025; readv: 321 of 4 vectors. */
static void vectors(char **args)
{
	int p[2];

	(void)args;
	CHECK(pipe_of(p, 65536, O_NONBLOCK));
	CHECK(syscall(SYS_writev, p[1], iov, 4) == 321);
	CHECK(syscall(SYS_writev, p[1], iov, 0) == 0);
	CHECK(syscall(SYS_writev, p[1], iov, 1025) == -1 && errno == EINVAL);
	CHECK(syscall(SYS_writev, p[1], (void *)8, 2) == -1 && errno == EFAULT);
	CHECK(syscall(SYS_readv, p[0], iov, 4) == 321);
}

static void offsets(char **args)
{
	int f = t_file(0);

	(void)args;
	CHECK(pwrite(f, buf, 1000, 24) == 1000);
	CHECK(pwrite(f, buf, 1, 5000) == 1);
	CHECK(pread(f, buf, 2000, 0) == 2000);
	CHECK(pread(f, buf, 2000, 5000) == 1);
	CHECK(pread(f, buf, 2000, 6000) == 0);
	CHECK(syscall(SYS_pwritev, f, iov, 3, 0L, 0L) == 321);
	CHECK(syscall(SYS_preadv, f, iov, 2, 0L, 0L) == 21);
	CHECK(syscall(SYS_preadv, -1, iov, 2, 0L, 0L) == -1 && errno == EBADF);
	CHECK(syscall(SYS_pwritev2, f, iov, 2, 0L, 0L, 0) == 21);
	CHECK(syscall(SYS_preadv2, f, iov, 3, 0L, 0L, 0) == 321);
}

/* Between fds: sendfile 3000 + 0 at the end, splice 500, tee 100, vmsplice 321, copy_file_range
 * 2000. */
static void copies(char **args)
{
	int p[2], q[2], in = t_file(5000), out = t_file(0);
	loff_t from = 0;
	off_t at = 2000;

	(void)args;
	CHECK(pipe_of(p, 65536, O_NONBLOCK) && pipe_of(q, 65536, O_NONBLOCK));
	CHECK(sendfile(out, in, &at, 4000) == 3000);
	CHECK(sendfile(out, in, &at, 4000) == 0);
	CHECK(syscall(SYS_splice, in, &from, p[1], NULL, 500, 0) == 500);
	CHECK(syscall(SYS_tee, p[0], q[1], 100, 0) == 100);
	CHECK(syscall(SYS_vmsplice, p[1], iov, 3, 0) == 321);
	from = 0;
	CHECK(syscall(SYS_copy_file_range, in, &from, out, NULL, 2000, 0) == 2000);
	from = 9000;
	CHECK(syscall(SYS_copy_file_range, in, &from, out, NULL, 2000, 0) == 0);
	CHECK(syscall(SYS_splice, p[0], NULL, -1, NULL, 10, 0) == -1 && errno == EBADF);
}

/* N writes of 1 byte to /dev/null. */
static void loop(char **args)
{
	int null = t_null();

	for (long i = t_num(args, 0, 1000); i > 0; i--)
		CHECK(write(null, "x", 1) == 1);
}

/* N calls that nobody traces, a write for each EVERY (1000) of them. */
static void rare(char **args)
{
	int null = t_null();
	long every = t_num(args, 1, 1000);

	for (long i = 0, n = t_num(args, 0, 100000); i < n; i++) {
		syscall(SYS_getppid);
		if (i % every == 0)
			CHECK(write(null, "x", 1) == 1);
	}
}

int main(int argc, char **argv)
{
	static const struct tcase cases[] = {
		{"plain", plain},
		{"vectors", vectors},
		{"offsets", offsets},
		{"copies", copies},
		{"loop", loop},
		{"rare", rare},
		{NULL, NULL},
	};

	return t_main(argc, argv, cases);
}
