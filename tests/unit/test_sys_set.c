/* SPDX-License-Identifier: GPL-3.0-only */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tracer/sys_set.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static int has(const struct sys_set *set, const char *name)
{
	return sys_set_has(set, sys_by_name(name));
}

static void sets(void **state)
{
	static const struct {
		const char *spec, *in, *out;
		int all;
	} rows[] = {
		{"sendmmsg,write", "sendmmsg write", "read recvmmsg", 0},
		{"trace=sendmmsg", "sendmmsg", "write", 0},
		{"%io", "sendmmsg write mmap brk poll epoll_wait io_submit", "openat socket futex",
			0},
		{"%io,!poll", "write ppoll", "poll", 0},
		{"%io,!%memory", "write", "mmap brk", 0},
		{"!poll,%io,poll", "openat", "poll write", 1},
		{"!!write", "write", "read", 0},
		{"none", "", "write mmap", 0},
		{"!none", "write mmap", "", 1},
		{"t=write", "write", "read", 0},
		{"trace=all", "write", "", 1},
		{"write,", "write", "read", 0},
		{"write,,read", "write read", "mmap", 0},
		{"?nosuch", "", "write", 0},
		{"?nosuch,write", "write", "read", 0},
		{"!?nosuch", "write", "", 1},
		{"?%nosuch,?/nosuch,read", "read", "write", 0},
		{"??read", "read", "write", 0},
		{"/^epoll", "epoll_wait epoll_ctl", "poll", 0},
		{"/epoll,read", "epoll_wait read", "poll", 0},
		{"/^(read|write)v?$", "read readv write writev", "pwritev pread64", 0},
		{"!/mmsg", "read", "sendmmsg recvmmsg", 1},
		{"all,!/mmsg", "read", "sendmmsg recvmmsg", 1},
		{"file", "openat", "write", 0},
		{"network,process", "socket clone", "read", 0},
		{"signal", "kill rt_sigaction", "write", 0},
		{"ipc", "semop shmat msgsnd", "write", 0},
		{"%clock", "clock_gettime", "nanosleep", 0},
		{"%creds", "getuid", "getpid", 0},
		{"%pure", "getpid", "setuid", 0},
		{"%stat", "stat", "lstat fstat", 0},
		{"%%stat", "stat lstat fstat newfstatat statx", "statfs", 0},
		{"%%statfs", "statfs fstatfs", "stat", 0},
		{"1", "write", "read", 0},
		{"%io,!write,write", "write", "openat", 0},
		{"%network", "socket sendto recvmmsg", "read openat", 0},
		{"%net", "socket", "read", 0},
		{"%file,%desc", "openat stat read mmap", "getpid socket", 0},
		{"%memory,%process,%signal", "mmap clone kill", "read", 0},
		{"all", "write getpid socketcall", "", 1},
		{"all,!mmap", "write", "mmap", 1},
		{"!mmap", "write", "mmap", 1},
		{"!mmap,write", "read", "mmap write", 1},
		{"!mmap,!write", "read", "mmap write", 1},
		{"trace=!%io", "openat", "write poll", 1},
		{"!all", "", "write mmap", 0},
		{"mmap2,fstat64,recvmmsg_time64,pread", "mmap fstat recvmmsg pread64", "stat", 0},
		{"syscall_1", "write", "read", 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct sys_set set;
		char names[128], *save = NULL;

		print_message("# %s\n", rows[i].spec);
		assert_int_equal(sys_set_parse(&set, rows[i].spec, NULL), 0);
		assert_int_equal(set.all, rows[i].all);
		snprintf(names, sizeof(names), "%s", rows[i].in);
		for (char *n = strtok_r(names, " ", &save); n; n = strtok_r(NULL, " ", &save))
			assert_true(has(&set, n));
		snprintf(names, sizeof(names), "%s", rows[i].out);
		for (char *n = strtok_r(names, " ", &save); n; n = strtok_r(NULL, " ", &save))
			assert_false(has(&set, n));
		sys_set_release(&set);
		assert_null(set.has);
	}
}

static void wrong_sets(void **state)
{
	static const struct {
		const char *spec, *word, *nearest;
	} rows[] = {
		{"write,sendmmgs", "'sendmmgs'", "'sendmmsg'"},
		{"epol_wait", "'epol_wait'", "'epoll_wait'"},
		{"%nework", "'%nework'", "'%network'"},
		{"!wirtev", "'wirtev'", "'writev'"},
		{"write,!foobarbazqux", "'foobarbazqux'", NULL},
		{"", "''", NULL},
		{",", "''", NULL},
		{"!", "''", NULL},
		{"%", "'%'", NULL},
		{"syscall_x", "'syscall_x'", NULL},
		{"!read,all", "'all' in a list after !", NULL},
		{"!read,none", "'none' in a list after !", NULL},
		{"read,none", "'none' in a list", NULL},
		{"read,!read", "leaves no call", NULL},
		{"all,!all", "leaves no call", NULL},
		{"write@64", "'@64'", NULL},
		{"/nosuch", "matches '/nosuch'", NULL},
		{"/(", "'/(' is no regular expression", NULL},
		{"netwrk", "'netwrk'", "'network'"},
		{"%iop", "'%iop'", "'%io'"},
		{"syscall_99999999999", "'syscall_99999999999'", NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct sys_set set = {.len = 77};
		struct err err = {0};

		print_message("# %s\n", rows[i].spec);
		assert_int_equal(sys_set_parse(&set, rows[i].spec, &err), -EINVAL);
		assert_int_equal(set.len, 77); /* untouched */
		assert_non_null(strstr(err.text, rows[i].word));
		if (rows[i].nearest)
			assert_non_null(strstr(err.text, rows[i].nearest));
		else
			assert_null(strstr(err.text, "mean"));
	}
}

/* A word longer than any name is measured against all of them. */
static void long_word(void **state)
{
	struct sys_set set;
	struct err err = {0};
	char word[5000];

	(void)state;
	memset(word, 'a', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	assert_int_equal(sys_set_parse(&set, word, &err), -EINVAL);
}

static void sets_that_meet(void **state)
{
	static const struct {
		const char *a, *b;
		int meet;
	} rows[] = {
		{"write,read", "read", 1},
		{"write", "read", 0},
		{"none", "all", 0},
		{"!write", "write", 0},
		{"all", "%io", 1},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct sys_set a, b;

		print_message("# %s, %s\n", rows[i].a, rows[i].b);
		assert_int_equal(sys_set_parse(&a, rows[i].a, NULL), 0);
		assert_int_equal(sys_set_parse(&b, rows[i].b, NULL), 0);
		assert_int_equal(sys_set_meets(&a, &b), rows[i].meet);
		assert_int_equal(sys_set_is_empty(&a), !strcmp(rows[i].a, "none"));
		sys_set_release(&a);
		sys_set_release(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sets),
		cmocka_unit_test(wrong_sets),
		cmocka_unit_test(long_word),
		cmocka_unit_test(sets_that_meet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
