/* SPDX-License-Identifier: GPL-3.0-only */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tracer/trap/control.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct control_map build(const char *spec, int recorded)
{
	struct sys_set set = {0};
	struct control_map m;

	print_message("# %s\n", spec);
	assert_int_equal(sys_set_parse(&set, spec, NULL), 0);
	control_map_build(&m, &set, recorded);
	sys_set_release(&set);
	return m;
}

static const struct {
	const char *set, *call;
	enum control kind;
	int traced, recorded;
} rows[] = {
	/* Always, whatever is traced. */
	{"getppid", "clone", CONTROL_CLONE, 0, 0},
	{"getppid", "clone3", CONTROL_CLONE, 0, 0},
	{"getppid", "fork", CONTROL_CLONE, 0, 0},
	{"getppid", "vfork", CONTROL_CLONE, 0, 0},
	{"getppid", "execve", CONTROL_EXEC, 0, 0},
	{"getppid", "execveat", CONTROL_EXEC, 0, 0},
	{"getppid", "seccomp", CONTROL_SECCOMP, 0, 0},
	{"getppid", "prctl", CONTROL_SECCOMP, 0, 0},
	{"getppid", "umount2", CONTROL_UNMOUNT, 0, 0},
	{"getppid", "sched_setaffinity", CONTROL_AFFINITY, 0, 0},
	{"getppid", "sched_getaffinity", CONTROL_AFFINITY, 0, 0},
	{"getppid", "getppid", CONTROL_NONE, 1, 0},
	/* Only where fds are reported. */
	{"getppid", "close", CONTROL_NONE, 0, 0},
	{"getppid", "dup2", CONTROL_NONE, 0, 0},
	{"getppid", "unshare", CONTROL_NONE, 0, 0},
	{"write", "close", CONTROL_FD, 0, 0},
	{"write", "close_range", CONTROL_CLOSE_RANGE, 0, 0},
	{"write", "dup2", CONTROL_FD, 0, 0},
	{"write", "dup3", CONTROL_FD, 0, 0},
	{"write", "unshare", CONTROL_UNSHARE, 0, 0},
	{"write", "setsockopt", CONTROL_SETSOCKOPT, 0, 0},
	{"write", "socket", CONTROL_SOCKET, 0, 0},
	{"write", "io_uring_setup", CONTROL_IO_URING, 0, 0},
	{"write", "write", CONTROL_NONE, 1, 0},
	{"write", "connect", CONTROL_FD, 0, 0},
	{"write", "openat", CONTROL_NONE, 0, 0},
	{"write", "fcntl", CONTROL_NONE, 0, 0},
	{"write", "chdir", CONTROL_NONE, 0, 0},
	/* What makes an fd or says its name, only where calls are not stopped for that. */
	{"write", "close", CONTROL_FD, 0, 1},
	{"write", "openat", CONTROL_FD, 0, 1},
	{"write", "accept4", CONTROL_FD, 0, 1},
	{"write", "socket", CONTROL_SOCKET, 0, 1},
	{"write", "fcntl", CONTROL_FD, 0, 1},
	{"write", "chdir", CONTROL_FOLDER, 0, 1},
	{"write", "eventfd2", CONTROL_FD, 0, 1},
	{"getppid", "openat", CONTROL_NONE, 0, 1},
	/* What closes a number, where it could be the recorder's. */
	{"getppid", "close", CONTROL_CLOSING, 0, 1},
	{"getppid", "dup3", CONTROL_CLOSING, 0, 1},
	{"getppid", "close_range", CONTROL_CLOSING, 0, 1},
	{"getppid", "connect", CONTROL_NONE, 0, 1},
	/* Both. */
	{"all", "close", CONTROL_FD, 1, 0},
	{"all", "execve", CONTROL_EXEC, 1, 0},
	{"%io,!write", "write", CONTROL_NONE, 0, 0},
	{"%io,!write", "sendmmsg", CONTROL_NONE, 1, 0},
};

static void rows_have_their_kind(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct control_map m = build(rows[i].set, rows[i].recorded);
		const struct sys_def *def = sys_by_name(rows[i].call);

		print_message("# %s\n", rows[i].call);
		assert_non_null(def);
		assert_int_equal(m.kind[def->index], rows[i].kind);
		assert_int_equal(m.traced[def->index], rows[i].traced);
		control_map_release(&m);
	}
}

static void fds_are_followed_where_a_call_has_one(void **state)
{
	static const struct {
		const char *set;
		int fds;
	} sets[] = {{"getppid", 0}, {"poll", 0}, {"write", 1}, {"mmap", 1}, {"all", 1}, {"%io", 1},
		{"!write", 1}};

	(void)state;
	for (size_t i = 0; i < COUNT(sets); i++) {
		struct control_map m = build(sets[i].set, 0);

		assert_int_equal(m.fds, sets[i].fds);
		assert_int_equal(m.len, sys_count());
		control_map_release(&m);
	}
}

/* What could reach into the recorder's memory is seen where there is a recorder only. */
static void mappings_are_seen_with_the_recorder(void **state)
{
	static const char *const names[] = {"mmap", "munmap", "mremap", "mprotect", "shmat",
		"process_madvise", "ioctl", "arch_prctl"};

	(void)state;
	for (int recorded = 0; recorded < 2; recorded++) {
		struct control_map m = build("write", recorded);

		for (size_t i = 0; i < COUNT(names); i++) {
			const struct sys_def *def = sys_by_name(names[i]);

			assert_int_equal(
				m.kind[def->index], recorded ? CONTROL_MAPPINGS : CONTROL_NONE);
			assert_int_equal(control_only_follows(&m, def), recorded);
			assert_int_equal(control_only_recorder(&m, def), recorded);
		}
		assert_false(control_only_recorder(&m, sys_by_name("close")));
		control_map_release(&m);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_have_their_kind),
		cmocka_unit_test(fds_are_followed_where_a_call_has_one),
		cmocka_unit_test(mappings_are_seen_with_the_recorder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
