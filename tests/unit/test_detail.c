/* SPDX-License-Identifier: GPL-3.0-only */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "tracer/detail/detail.h"

#define NO NOT_MEASURED
#define NONE                                                                                       \
	{                                                                                          \
		NO, NO, NO, NO, NO, NO, 0, 0, 0                                                    \
	}
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* ---- names, arguments and results: the line from the name to the time ---- */

static const struct row {
	const char *name;
	uint64_t args[6];
	int64_t ret;
	struct measure m; /* bytes, batch: asked, moved */
	const char *line;
} rows[] = {
	/* vectors */
	{"sendmmsg", {5, 0x7f00, 64, MSG_DONTWAIT}, 64, {NO, 4096, 64, 64, NO, NO, 0, 0, 0},
		"sendmmsg(5, {64 msgs, 4096 bytes}, 64, MSG_DONTWAIT) = 64"},
	{"sendmmsg", {5, 0x7f00, 1500, 0}, 1024, {NO, 1024, 1500, 1024, NO, NO, 0, 0, 0},
		"sendmmsg(5, {1024 msgs, 1024 bytes}, 1500, 0) = 1024"},
	{"sendmmsg", {5, 0x7f00, 64, 0}, -EAGAIN, {NO, NO, 64, NO, NO, NO, 0, 0, 0},
		"sendmmsg(5, {64 msgs}, 64, 0) = -1 EAGAIN (Resource temporarily unavailable)"},
	{"sendmmsg", {5, 0x7f00, 64, 0}, 64, {NO, NO, 64, 64, NO, NO, 0, 0, 1},
		"sendmmsg(5, {64 msgs}, 64, 0) = 64"},
	{"recvmmsg", {5, 0x7f00, 10, MSG_WAITFORONE, 0}, 2, {NO, 72, 10, 2, NO, NO, 0, 0, 0},
		"recvmmsg(5, {2 msgs, 72 bytes}, 10, MSG_WAITFORONE, NULL) = 2"},
	{"recvmmsg", {5, 0x7f00, 10, MSG_DONTWAIT, 0}, -EAGAIN, {NO, NO, 10, NO, NO, NO, 0, 0, 0},
		"recvmmsg(5, 0x7f00, 10, MSG_DONTWAIT, NULL) = -1 EAGAIN (Resource temporarily "
		"unavailable)"},
	{"sendmsg", {5, 0x7f00, MSG_NOSIGNAL | MSG_MORE}, 80, {100, 80, NO, NO, NO, NO, 0, 0, 0},
		"sendmsg(5, {80 bytes}, MSG_NOSIGNAL|MSG_MORE) = 80"},
	{"sendmsg", {5, 0, 0x80000000}, -EFAULT, NONE,
		"sendmsg(5, NULL, 0x80000000) = -1 EFAULT (Bad address)"},
	{"recvmsg", {5, 0x7f00, 0}, 80, {100, 80, NO, NO, NO, NO, 0, 0, 0},
		"recvmsg(5, {80 bytes}, 0) = 80"},
	{"writev", {1, 0x7f00, 3}, 300, {300, 300, 3, 3, NO, NO, 0, 0, 0},
		"writev(1, {3 iovs, 300 bytes}, 3) = 300"},
	{"writev", {1, 0x7f00, UINT64_MAX}, -EINVAL, NONE,
		"writev(1, 0x7f00, 18446744073709551615) = -1 EINVAL (Invalid argument)"},
	{"pwritev2", {1, 0x7f00, 3, UINT64_MAX, 77, 8}, 300, {300, 300, 3, 3, NO, NO, 0, 0, 0},
		"pwritev2(1, {3 iovs, 300 bytes}, 3, -1, 0x8) = 300"},
	{"epoll_wait", {4, 0x7f00, 64, 0xffffffff}, 2, {NO, NO, 64, 2, NO, NO, 0, 0, 0},
		"epoll_wait(4, {2 events}, 64, -1) = 2"},
	{"epoll_wait", {4, 0x7f00, 64, 0}, -EINTR, {NO, NO, 64, NO, NO, NO, 0, 0, 0},
		"epoll_wait(4, 0x7f00, 64, 0) = -1 EINTR (Interrupted system call)"},
	{"io_submit", {0x7000, 4, 0x7f00}, 3, {NO, NO, 4, 3, NO, NO, 0, 0, 0},
		"io_submit(0x7000, 4, {3 submissions}) = 3"},
	{"io_uring_enter", {3, 8, 1, 1, 0, 8}, 8, {NO, NO, 8, 8, NO, NO, 0, 0, 0},
		"io_uring_enter(3, 8, 1, IORING_ENTER_GETEVENTS, NULL, 8) = 8"},
	/* numbers */
	{"write", {0xffffffff, 0x55aa, UINT64_MAX}, -EBADF, NONE,
		"write(-1, 0x55aa, 18446744073709551615) = -1 EBADF (Bad file descriptor)"},
	{"pread64", {3, 0, 10, (uint64_t)-2}, 0, NONE, "pread64(3, NULL, 10, -2) = 0"},
	{"sendto", {5, 0x7f00, 40, 0, 0, 0}, 40, NONE, "sendto(5, 0x7f00, 40, 0, NULL, 0) = 40"},
	{"getpid", {1, 2, 3}, 4242, NONE, "getpid() = 4242"},
	{"poll", {0x7f00, 0xffffffff00000003, 0xffffffff}, 1, NONE, "poll(0x7f00, 3, -1) = 1"},
	/* addresses */
	{"mmap", {0, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, UINT64_MAX, 0},
		0x7f12345000, NONE,
		"mmap(NULL, 8192, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = "
		"0x7f12345000"},
	{"mmap", {0x1000, 1, PROT_NONE, 0x80000003, 3, 0x26000}, -EPERM, NONE,
		"mmap(0x1000, 1, PROT_NONE, MAP_SHARED_VALIDATE|0x80000000, 3, 0x26000) = -1 EPERM "
		"(Operation not permitted)"},
	{"mprotect", {0x1000, 4096, 0x101}, 0, NONE, "mprotect(0x1000, 4096, PROT_READ|0x100) = 0"},
	{"mprotect", {0x1000, 4096, 0x100}, 0, NONE, "mprotect(0x1000, 4096, 0x100) = 0"},
	{"mremap", {0x1000, 4096, 8192, 1, 0xdead}, 0x2000, NONE,
		"mremap(0x1000, 4096, 8192, MREMAP_MAYMOVE) = 0x2000"},
	{"mremap", {0x1000, 4096, 8192, 3, 0x5000}, 0x5000, NONE,
		"mremap(0x1000, 4096, 8192, MREMAP_MAYMOVE|MREMAP_FIXED, 0x5000) = 0x5000"},
	{"brk", {0}, 0x55cbde9ed000, NONE, "brk(NULL) = 0x55cbde9ed000"},
	{"munmap", {0x7f12345000, 8192}, 0, NONE, "munmap(0x7f12345000, 8192) = 0"},
	{"madvise", {0x1000, 4096, MADV_DONTNEED}, 0, NONE,
		"madvise(0x1000, 4096, MADV_DONTNEED) = 0"},
	/* symbols */
	{"openat", {0xffffff9c, 0x7f00, O_RDONLY | O_CLOEXEC, 0777}, 3, NONE,
		"openat(AT_FDCWD, 0x7f00, O_RDONLY|O_CLOEXEC) = 3"},
	{"openat", {4, 0x7f00, O_WRONLY | O_CREAT | O_TRUNC, 0644}, 3, NONE,
		"openat(4, 0x7f00, O_WRONLY|O_CREAT|O_TRUNC, 0644) = 3"},
	{"open", {0x7f00, 020200002, 0600}, 3, NONE, "open(0x7f00, O_RDWR|O_TMPFILE, 0600) = 3"},
	{"open", {0x7f00, O_DIRECTORY | O_SYNC}, 3, NONE,
		"open(0x7f00, O_RDONLY|O_SYNC|O_DIRECTORY) = 3"},
	{"socket", {AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 17}, 5, NONE,
		"socket(AF_INET6, SOCK_DGRAM|SOCK_CLOEXEC, 17) = 5"},
	{"socket", {99, SOCK_STREAM, 0}, -EAFNOSUPPORT, NONE,
		"socket(0x63, SOCK_STREAM, 0) = -1 EAFNOSUPPORT (Address family not supported by "
		"protocol)"},
	{"setsockopt", {5, 1, 2, 0x7f00, 4}, 0, NONE,
		"setsockopt(5, SOL_SOCKET, 2, 0x7f00, 4) = 0"},
	{"lseek", {3, 10, SEEK_END}, 10, NONE, "lseek(3, 10, SEEK_END) = 10"},
	{"fcntl", {3, F_GETFL, 0xdead}, 2, NONE, "fcntl(3, F_GETFL) = 2"},
	{"fcntl", {3, F_SETFL, 0x800}, 0, NONE, "fcntl(3, F_SETFL, 0x800) = 0"},
	{"epoll_ctl", {4, 1, 5, 0x7f00}, 0, NONE, "epoll_ctl(4, EPOLL_CTL_ADD, 5, 0x7f00) = 0"},
	{"futex", {0x7f00, 128, 2}, 0, NONE, "futex(0x7f00, FUTEX_WAIT_PRIVATE, 2) = 0"},
	{"futex", {0x7f00, 9 | 128 | 256, 2}, 0, NONE,
		"futex(0x7f00, FUTEX_WAIT_BITSET_PRIVATE|FUTEX_CLOCK_REALTIME, 2) = 0"},
	{"kill", {7, 15}, 0, NONE, "kill(7, SIGTERM) = 0"},
	{"kill", {0xffffffff, 0}, 0, NONE, "kill(-1, 0) = 0"},
	{"tgkill", {7, 7, 32}, 0, NONE, "tgkill(7, 7, SIGRTMIN) = 0"},
	{"tgkill", {7, 7, 34}, 0, NONE, "tgkill(7, 7, SIGRT_2) = 0"},
	{"kill", {7, 65}, -EINVAL, NONE, "kill(7, 65) = -1 EINVAL (Invalid argument)"},
	{"splice", {3, 0, 4, 0, 4096, 3}, 10, NONE,
		"splice(3, NULL, 4, NULL, 4096, SPLICE_F_MOVE|SPLICE_F_NONBLOCK) = 10"},
	{"umask", {022}, 0, NONE, "umask(022) = 000"},
	{"mkdir", {0x7f00, 0755}, -EEXIST, NONE, "mkdir(0x7f00, 0755) = -1 EEXIST (File exists)"},
	/* results */
	{"read", {3, 0, 0}, -512, NONE,
		"read(3, NULL, 0) = ? ERESTARTSYS (To be restarted if SA_RESTART is set)"},
	{"read", {3, 0, 0}, -513, NONE, "read(3, NULL, 0) = ? ERESTARTNOINTR (To be restarted)"},
	{"pause", {0}, -514, NONE, "pause() = ? ERESTARTNOHAND (To be restarted if no handler)"},
	{"nanosleep", {1, 2}, -516, NONE,
		"nanosleep(0x1, 0x2) = ? ERESTART_RESTARTBLOCK (Interrupted by signal)"},
	{"read", {3, 0, 0}, -EOPNOTSUPP, NONE,
		"read(3, NULL, 0) = -1 EOPNOTSUPP (Operation not supported)"},
	{"read", {3, 0, 0}, -1000, NONE, "read(3, NULL, 0) = -1 (errno 1000)"},
	{"rt_sigreturn", {0}, -EINTR, NONE, "rt_sigreturn() = -4"},
	{"lseek", {3, 0, SEEK_SET}, -5000, NONE, "lseek(3, 0, SEEK_SET) = -5000"},
};

static void lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct sys_event ev = {
			.def = sys_by_name(rows[i].name), .ret = rows[i].ret, .m = rows[i].m};
		char expect[512];
		struct out o;

		memcpy(ev.args, rows[i].args, sizeof(ev.args));
		if (ev.ret <= -512 && ev.ret >= -516)
			ev.outcome = SYS_INTERRUPTED;
		snprintf(expect, sizeof(expect), "0 0.000000 %s <0.000000>\n", rows[i].line);
		out_init_mem(&o);
		detail_line(&o, &ev, 0);
		assert_string_equal(out_text(&o), expect);
		out_release(&o);
	}
}

/* ---- times ---- */

static void times(void **state)
{
	static const struct {
		uint64_t entry_ns, exit_ns;
		int64_t offset_ns;
		enum outcome outcome;
		const char *line;
	} times[] = {
		{1999999999, 2000041999, 1700000000000000000, SYS_RETURNED,
			"77 1700000001.999999 exit(1) = 0 <0.000042>\n"},
		{5000001000, 8500001000, -4000000000, SYS_RETURNED,
			"77 1.000001 exit(1) = 0 <3.500000>\n"},
		{5, 4, 0, SYS_RETURNED, "77 0.000000 exit(1) = 0 <0.000000>\n"},
		{5000, 0, 0, SYS_NO_RETURN, "77 0.000005 exit(1) = ?\n"},
		{5000, 9000, DETAIL_NO_TIMES, SYS_RETURNED, "77 exit(1) = 0\n"},
		{5000, 0, DETAIL_NO_TIMES, SYS_NO_RETURN, "77 exit(1) = ?\n"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(times); i++) {
		struct sys_event ev = {.def = sys_by_name("exit"),
			.args = {1},
			.tid = 77,
			.entry_ns = times[i].entry_ns,
			.exit_ns = times[i].exit_ns,
			.outcome = times[i].outcome,
			.m = NONE};
		struct out o;

		out_init_mem(&o);
		detail_line(&o, &ev, times[i].offset_ns);
		assert_string_equal(out_text(&o), times[i].line);
		out_release(&o);
	}
}

/* Every row, with the smallest and the largest of everything: one line each. */
static void extremes(void **state)
{
	static const uint64_t values[] = {0, 1, INT32_MAX, UINT32_MAX, 1ULL << 63, UINT64_MAX};
	struct out o;
	size_t count = 0;

	(void)state;
	out_init_mem(&o);
	for (size_t i = 0; i < sys_count(); i++) {
		for (size_t k = 0; k < COUNT(values); k++, count++) {
			uint64_t v = values[k];
			struct sys_event ev = {.def = sys_by_index(i),
				.args = {v, v, v, v, v, v},
				.ret = (int64_t)v,
				.tid = (int32_t)v,
				.exit_ns = v,
				.m = {v, v, v, v, v, v, 1, 0, 1}};

			detail_line(&o, &ev, INT64_MAX);
		}
	}
	for (const char *p = out_text(&o); (p = strchr(p, '\n')) != NULL; p++)
		count--;
	assert_int_equal(count, 0);
	out_release(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines),
		cmocka_unit_test(times),
		cmocka_unit_test(extremes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
