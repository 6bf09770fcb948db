/* SPDX-License-Identifier: GPL-3.0-only */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "common/base/mem.h"

static char dir[] = "/tmp/test_file.XXXXXX"; /* the working directory of every test */

static int enter_dir(void **state)
{
	(void)state;
	return mkdtemp(dir) && chdir(dir) == 0 ? 0 : -1;
}

static int remove_dir(void **state)
{
	char command[100];

	(void)state;
	snprintf(command, sizeof(command), "chmod -R u+w %s; rm -rf %s", dir, dir);
	return system(command); /* NOLINT(cert-env33-c): a fixed command on a name of our own */
}

/* How many entries the directory has whose name starts with a dot: left-over temporary files. */
static int hidden_entries(const char *path)
{
	struct dirent *e;
	DIR *d = opendir(path);
	int n = 0;

	assert_non_null(d);
	while ((e = readdir(d)))
		n += e->d_name[0] == '.' && strcmp(e->d_name, ".") != 0 &&
		     strcmp(e->d_name, "..") != 0;
	closedir(d);
	return n;
}

static void expect_text(const char *path, const char *text)
{
	cleanup_free char *back = NULL;
	struct err err = {0};
	size_t len;

	assert_int_equal(file_read(path, 1000, &back, &len, &err), 0);
	assert_string_equal(back, text);
	assert_int_equal(len, strlen(text));
}

static void appears_whole(void **state)
{
	struct err err = {0};
	struct new_file f;
	struct stat st;
	mode_t mask = umask(027);

	(void)state;
	assert_int_equal(file_begin(&f, "whole", &err), 0);
	assert_int_equal(write(f.fd, "ab", 2), 2);
	assert_int_equal(access("whole", F_OK), -1);
	/* Killed now, we leave nothing: the file has no name. */
	assert_int_equal(hidden_entries("."), 0);
	assert_int_equal(file_commit(&f, &err), 0);
	assert_int_equal(hidden_entries("."), 0);
	expect_text("whole", "ab");
	assert_int_equal(stat("whole", &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	umask(mask);
	file_abort(&f); /* after a commit there is nothing to do */
}

static void abort_leaves_the_old(void **state)
{
	struct err err = {0};
	struct new_file f;

	(void)state;
	assert_int_equal(file_write("old", "1", 1, &err), 0);
	assert_int_equal(file_begin(&f, "old", &err), 0);
	assert_int_equal(write(f.fd, "22", 2), 2);
	file_abort(&f);
	file_abort(&f);
	expect_text("old", "1");
	assert_int_equal(hidden_entries("."), 0);
	file_abort(&(struct new_file){0}); /* must not close descriptor 0 */
	assert_true(fcntl(0, F_GETFD) >= 0 || errno != EBADF);
}

static void replaces_through_a_link(void **state)
{
	struct err err = {0};
	struct stat st;

	(void)state;
	assert_int_equal(mkdir("elsewhere", 0777), 0);
	assert_int_equal(file_write("elsewhere/real", "1", 1, &err), 0);
	assert_int_equal(symlink("elsewhere/real", "link"), 0);
	assert_int_equal(file_write("link", "2", 1, &err), 0);
	expect_text("elsewhere/real", "2");
	assert_int_equal(lstat("link", &st), 0);
	assert_true(S_ISLNK(st.st_mode));
}

/* A device must never be replaced by a file, even by root. */
static void devices_are_written_to(void **state)
{
	struct err err = {0};
	struct stat st;

	(void)state;
	assert_int_equal(file_write("/dev/null", "x", 1, &err), 0);
	assert_int_equal(stat("/dev/null", &st), 0);
	assert_true(S_ISCHR(st.st_mode));
	assert_int_equal(file_write("/dev/full", "x", 1, &err), -ENOSPC);
	assert_string_equal(err.text, "cannot write /dev/full: No space left on device; "
				      "free some space or name another place");
}

static void dash_is_stdout(void **state)
{
	int saved = dup(STDOUT_FILENO), fd = open("stdout", O_CREAT | O_WRONLY, 0666), rc;
	struct err err = {0};

	(void)state;
	dup2(fd, STDOUT_FILENO);
	rc = file_write("-", "text", 4, &err);
	dup2(saved, STDOUT_FILENO);
	close(fd);
	close(saved);
	assert_int_equal(rc, 0);
	expect_text("stdout", "text");
	assert_int_equal(access("-", F_OK), -1);
}

static void long_names(void **state)
{
	struct err err = {0};
	char name[NAME_MAX + 2];

	(void)state;
	memset(name, 'n', sizeof(name));
	name[NAME_MAX] = '\0';
	assert_int_equal(file_write(name, "x", 1, &err), 0);
	expect_text(name, "x");
}

static void begin_errors_say_what_to_do(void **state)
{
	static const struct {
		const char *path, *text;
		int code;
	} cases[] = {
		{"none/f",
			"cannot create none/f: No such file or directory; "
			"create the directory first or name another one",
			-ENOENT},
		{"plain/f",
			"cannot create plain/f: Not a directory; "
			"create the directory first or name another one",
			-ENOTDIR},
		{"sub", "cannot write sub: it is a directory; name a file", -EISDIR},
		{"sub/", "cannot write 'sub/': it has no file name", -EISDIR},
		{"", "cannot write '': it has no file name", -EISDIR},
	};
	struct err ignored = {0};

	(void)state;
	assert_int_equal(file_write("plain", "", 0, &ignored), 0);
	assert_int_equal(mkdir("sub", 0777), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err err = {0};
		struct new_file f;

		assert_int_equal(file_begin(&f, cases[i].path, &err), cases[i].code);
		assert_int_equal(err.code, cases[i].code);
		assert_string_equal(err.text, cases[i].text);
		assert_int_equal(f.fd, -1);
		file_abort(&f);
	}
}

/* As another user, for root may write everywhere. */
static void no_permission(void **state)
{
	struct err err = {0};
	int status;
	pid_t pid;

	(void)state;
	assert_int_equal(mkdir("locked", 0777), 0);
	assert_int_equal(file_write("locked/f", "1", 1, &err), 0);
	assert_int_equal(chmod("locked/f", 0444), 0);
	assert_int_equal(chmod("locked", 0555), 0);
	assert_int_equal(chmod(".", 0755), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct err e1 = {0}, e2 = {0}, e3 = {0};
		struct new_file f;
		int ok = getuid() || setuid(65534) == 0;

		ok = ok && file_begin(&f, "locked/new", &e1) == -EACCES &&
		     !strcmp(e1.text, "cannot create locked/new: Permission denied; "
				      "name a place that you can write to");
		ok = ok && file_begin(&f, "locked/f", &e2) == -EACCES &&
		     !strcmp(e2.text, "cannot replace locked/f: Permission denied; "
				      "name a place that you can write to");
		ok = ok && file_mkdirs("locked/a/b", &e3) == -EACCES &&
		     !strcmp(e3.text, "cannot create directory locked/a: Permission denied; "
				      "name a place that you can write to");
		_exit(ok ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(chmod("locked", 0755), 0);
}

static void failed_rename_leaves_nothing(void **state)
{
	struct err err = {0};
	struct new_file f;

	(void)state;
	assert_int_equal(file_begin(&f, "becomes-dir", &err), 0);
	assert_int_equal(mkdir("becomes-dir", 0777), 0);
	assert_int_equal(file_commit(&f, &err), -EISDIR);
	assert_int_equal(hidden_entries("."), 0);
	assert_int_equal(f.fd, -1);
}

static void replaces_a_dangling_link(void **state)
{
	struct err err = {0};

	(void)state;
	assert_int_equal(symlink("nowhere/at/all", "dangling"), 0);
	assert_int_equal(file_write("dangling", "1", 1, &err), 0);
	expect_text("dangling", "1");
	assert_int_equal(hidden_entries("."), 0);
}

/* Said before a run, not by a rename after it. */
static void a_file_of_others_in_a_sticky_directory(void **state)
{
	struct err err = {0};
	int status;
	pid_t pid;

	(void)state;
	if (getuid())
		skip();
	assert_int_equal(mkdir("sticky", 0777), 0);
	assert_int_equal(file_write("sticky/f", "1", 1, &err), 0);
	assert_int_equal(chmod("sticky/f", 0666), 0);
	assert_int_equal(chmod("sticky", 01777), 0);
	assert_int_equal(chmod(".", 0755), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct err e = {0};
		struct new_file f;

		_exit(setuid(65534) == 0 && file_begin(&f, "sticky/f", &e) == -EPERM &&
					!strcmp(e.text,
						"cannot replace sticky/f: Operation not permitted; "
						"name a place that you can write to")
				? 0
				: 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void mkdirs(void **state)
{
	struct err err = {0};
	struct stat st;

	(void)state;
	assert_int_equal(file_mkdirs("a//b/c/", &err), 0);
	assert_int_equal(file_mkdirs("a/b/c", &err), 0);
	assert_int_equal(stat("a/b/c", &st), 0);
	assert_true(S_ISDIR(st.st_mode));
	assert_int_equal(file_mkdirs("/", &err), 0);
	assert_int_equal(file_mkdirs("/proc/self", &err), 0);
	assert_int_equal(file_write("a/file", "", 0, &err), 0);
	assert_int_equal(file_mkdirs("a/file", &err), -ENOTDIR);
	assert_string_equal(
		err.text, "cannot create directory a/file: a file of that name is in the way");
	err = (struct err){0};
	assert_int_equal(file_mkdirs("a/file/x", &err), -ENOTDIR);
}

static void reading(void **state)
{
	struct err err = {0};
	char *text = NULL, *big = mem_calloc(100001, 1);
	size_t len;

	(void)state;
	memset(big, 'b', 100000);
	big[50000] = '\0';
	assert_int_equal(file_write("big", big, 100000, &err), 0);
	assert_int_equal(file_read("big", 100000, &text, &len, &err), 0);
	assert_int_equal(len, 100000);
	assert_memory_equal(text, big, 100001);
	free(text);
	text = NULL;
	assert_int_equal(file_read("big", 99999, &text, NULL, &err), -EFBIG);
	assert_null(text);
	assert_string_equal(err.text, "big is larger than 99999 bytes");

	err = (struct err){0};
	assert_int_equal(file_read("none", 10, &text, NULL, &err), -ENOENT);
	assert_string_equal(err.text, "cannot open none: No such file or directory");
	err = (struct err){0};
	assert_int_equal(file_read(".", 10, &text, NULL, &err), -EISDIR);

	/* Files of /proc have a size of 0. */
	assert_int_equal(file_read("/proc/self/stat", 10000, &text, &len, NULL), 0);
	assert_true(len > 10 && strlen(text) == len);
	free(text);
	free(big);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(appears_whole),
		cmocka_unit_test(abort_leaves_the_old),
		cmocka_unit_test(replaces_through_a_link),
		cmocka_unit_test(devices_are_written_to),
		cmocka_unit_test(dash_is_stdout),
		cmocka_unit_test(long_names),
		cmocka_unit_test(begin_errors_say_what_to_do),
		cmocka_unit_test(no_permission),
		cmocka_unit_test(failed_rename_leaves_nothing),
		cmocka_unit_test(replaces_a_dangling_link),
		cmocka_unit_test(a_file_of_others_in_a_sticky_directory),
		cmocka_unit_test(mkdirs),
		cmocka_unit_test(reading),
	};

	return cmocka_run_group_tests(tests, enter_dir, remove_dir);
}
