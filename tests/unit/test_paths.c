/* SPDX-License-Identifier: GPL-3.0-only */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tracer/paths.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* The calls of this test are about its own memory and descriptors. */
static ssize_t read_own(void *ctx, uint64_t addr, void *buf, size_t len)
{
	size_t n;

	(void)ctx;
	if (!addr)
		return -EFAULT;
	n = strnlen((const char *)(uintptr_t)addr, len - 1) + 1;
	memcpy(buf, (const void *)(uintptr_t)addr, n);
	return (ssize_t)n;
}

static ssize_t read_all(void *ctx, uint64_t addr, void *buf, size_t len)
{
	(void)ctx;
	if (!addr)
		return -EFAULT;
	memcpy(buf, (const void *)(uintptr_t)addr, len);
	return (ssize_t)len;
}

static int about(const struct paths *p, const char *name, const uint64_t *args, int whole)
{
	struct mem_reader mem = {whole ? read_all : read_own, NULL};
	struct sys_event ev = {.def = sys_by_name(name)};

	memcpy(ev.args, args, sizeof(ev.args));
	return paths_match(p, getpid(), &ev, &mem);
}

/* P: the path, O: another one, F: its descriptor, G: that of another file, 0: 0, -: -1 */
static const struct {
	const char *name, *args;
	int about;
} rows[] = {
	{"openat", "-P", 1},
	{"openat", "-O", 0},
	{"openat", "FO", 1},
	{"open", "P", 1},
	{"open", "0", 0},
	{"read", "F", 1},
	{"read", "G", 0},
	{"read", "-", 0},
	{"read", "0P", 0}, /* what a buffer holds is no path */
	{"mmap", "0000F0", 1},
	{"mmap", "0000-0", 0},
	{"rename", "OP", 1},
	{"rename", "PO", 1},
	{"renameat", "-O-P", 1},
	{"renameat", "-OFO", 1},
	{"link", "OP", 1},
	{"symlink", "PO", 0},
	{"symlink", "OP", 1},
	{"symlinkat", "P-O", 0},
	{"symlinkat", "O-P", 1},
	{"getcwd", "P", 0},
	{"sendfile", "GF", 1},
	{"splice", "G0F", 1},
	{"splice", "GF", 0},
	{"dup2", "GF", 1},
	{"epoll_ctl", "G0F", 1},
	{"inotify_add_watch", "GP", 1},
	{"quotactl", "0P", 1},
	{"getpid", "F", 0},
	{"kill", "F", 0},
	{"execve", "P", 1},
	{"mkdirat", "GP", 1},
	{"statx", "FO", 1},
};

static char path[] = "/tmp/iotrace-paths-XXXXXX";

static void calls(void **state)
{
	struct paths p = {0};
	int other = open("/dev/null", O_RDWR | O_CLOEXEC), fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0 && other >= 0);
	paths_add(&p, path);
	for (size_t i = 0; i < COUNT(rows); i++) {
		uint64_t args[6] = {0};

		print_message("# %s(%s)\n", rows[i].name, rows[i].args);
		for (size_t k = 0; rows[i].args[k]; k++)
			switch (rows[i].args[k]) {
			case 'P':
				args[k] = (uintptr_t)path;
				break;
			case 'O':
				args[k] = (uintptr_t) "/tmp/iotrace-paths";
				break;
			case 'F':
				args[k] = (uint64_t)fd;
				break;
			case 'G':
				args[k] = (uint64_t)other;
				break;
			case '-':
				args[k] = UINT64_MAX;
				break;
			}
		assert_int_equal(about(&p, rows[i].name, args, 0), rows[i].about);
	}
	unlink(path);
	assert_int_equal(about(&p, "read", (uint64_t[6]){(uint64_t)fd}, 0), 1); /* "(deleted)" */
	close(fd);
	assert_int_equal(about(&p, "read", (uint64_t[6]){(uint64_t)fd}, 0), 0);
	close(other);
	paths_release(&p);
}

static void many_descriptors(void **state)
{
	struct paths p = {0};
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct pollfd fds[3] = {{.fd = -1}, {.fd = 9999}, {.fd = fd}};
	uint64_t poll_[6] = {(uintptr_t)fds, 3}, bits[64] = {0};
	uint64_t select_[6] = {(uint64_t)fd + 1, 0, (uintptr_t)bits};

	(void)state;
	assert_true(fd >= 0 && fd < 64);
	paths_add(&p, "/dev/null");
	assert_int_equal(about(&p, "poll", poll_, 1), 1);
	poll_[1] = 2;
	assert_int_equal(about(&p, "poll", poll_, 1), 0);
	assert_int_equal(about(&p, "pselect6", select_, 1), 0);
	bits[0] = 1ULL << fd;
	assert_int_equal(about(&p, "pselect6", select_, 1), 1);
	select_[0] = (uint64_t)fd;
	assert_int_equal(about(&p, "select", select_, 1), 0);
	poll_[0] = 0;
	poll_[1] = UINT64_MAX;
	assert_int_equal(about(&p, "poll", poll_, 1), 0);
	select_[0] = INT32_MAX;
	assert_int_equal(about(&p, "select", select_, 1), 1);
	close(fd);
	paths_release(&p);
}

static void without_links(void **state)
{
	struct paths p = {0};

	(void)state;
	paths_add(&p, "/proc/self/cwd/../nothing-there");
	assert_int_equal(p.len, 1);
	paths_add(&p, "/dev/../dev/null");
	assert_int_equal(p.len, 3);
	assert_string_equal(p.at[2], "/dev/null");
	paths_add(&p, "/dev/null");
	assert_int_equal(p.len, 4);
	paths_release(&p);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(calls),
		cmocka_unit_test(many_descriptors),
		cmocka_unit_test(without_links),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
