/* SPDX-License-Identifier: GPL-3.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/base/mem.h"
#include "common/runner/layout.h"
#include "common/runner/program.h"
#include "common/runner/tree.h"

static struct program start(const char *script, int own_group)
{
	const char *argv[] = {"sh", "-c", script, NULL};
	struct program p = PROGRAM_NONE;
	struct err err = {0};

	if (program_start(&(struct program_spec){argv, .streams = PROGRAM_INHERIT,
				  .own_group = own_group},
		    &p, &err) < 0)
		fail_msg("%s", err.text);
	return p;
}

static void test_status(void **state)
{
	static const struct {
		const char *script;
		int status;
	} rows[] = {
		{"exit 0", 0},
		{"exit 42", 42},
		{"kill -9 $$", 137},
		{"kill -TERM $$", 143},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct program p = start(rows[i].script, 0);
		struct pollfd fd = {p.pidfd, POLLIN, 0};

		assert_int_equal(poll(&fd, 1, -1), 1);
		assert_int_equal(program_reap(&p), 1);
		assert_int_equal(program_reap(&p), 1);
		assert_false(program_running(&p));
		assert_int_equal(program_status(&p), rows[i].status);
		assert_true(p.end_ns > p.start_ns);
		program_release(&p);
	}
}

static void test_environment_directory_and_output(void **state)
{
	const char *argv[] = {"sh", "-c", "echo $A ${HOME-unset} $(pwd)", NULL};
	const char *env[] = {"A=1 2", "HOME", NULL};
	struct program p = PROGRAM_NONE;
	char got[64] = "";
	int ends[2];

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(program_start(&(struct program_spec){.argv = argv,
					       .env = env,
					       .cwd = "/",
					       .streams = {PROGRAM_OURS, ends[1], PROGRAM_OURS}},
				 &p, NULL),
		0);
	close(ends[1]);
	assert_true(read(ends[0], got, sizeof(got) - 1) > 0);
	close(ends[0]);
	program_wait(&p);
	program_release(&p);
	assert_string_equal(got, "1 2 unset /\n");
}

static void test_what_cannot_be_started(void **state)
{
	static const struct {
		const char *program, *cwd;
		int code;
		const char *says;
	} rows[] = {
		{"no-such-program-here", NULL, -ENOENT, "cannot execute no-such-program-here"},
		{"/etc/passwd", NULL, -EACCES, "cannot execute /etc/passwd"},
		{"true", "/nowhere", -ENOENT, "cannot change to directory /nowhere"},
	};

	(void)state;
	/* A folder of PATH that may not be searched would make it "Permission denied". */
	assert_int_equal(setenv("PATH", "/usr/bin:/bin", 1), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *argv[] = {rows[i].program, NULL};
		struct program p = PROGRAM_NONE;
		struct err err = {0};

		assert_int_equal(
			program_start(&(struct program_spec){argv, .streams = PROGRAM_INHERIT,
					      .cwd = rows[i].cwd},
				&p, &err),
			rows[i].code);
		assert_non_null(strstr(err.text, rows[i].says));
		assert_int_equal(p.pid, 0);
	}
}

static void test_the_kept_descriptor(void **state)
{
	const char *argv[] = {"sh", "-c", "echo x >&9", NULL};
	struct program p = PROGRAM_NONE;
	char got[8] = "";
	int ends[2];

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(dup3(ends[1], 9, O_CLOEXEC), 9); /* dash knows one digit only */
	for (int keep = 0; keep <= 1; keep++) {
		assert_int_equal(
			program_start(&(struct program_spec){.argv = argv,
					      .streams = {PROGRAM_OURS, PROGRAM_OURS, ends[1]},
					      .keep_fd = keep ? 9 : -1},
				&p, NULL),
			0);
		program_wait(&p);
		assert_int_equal(program_status(&p) == 0, keep);
		program_release(&p);
	}
	assert_int_not_equal(fcntl(9, F_GETFD) & FD_CLOEXEC, 0);
	close(9);
	close(ends[1]);
	while (read(ends[0], got, 1) == 1 && got[0] != '\n')
		; /* what the first shell complained */
	assert_int_equal(read(ends[0], got, 2), 2);
	assert_string_equal(got, "x\n");
	close(ends[0]);
}

/* An orphan is reaped by process 1, if that does so: else it stays, as a zombie. */
static int runs(pid_t pid)
{
	char path[64], state;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "re");
	if (!f)
		return 0;
	if (fscanf(f, "%*d (%*[^)]) %c", &state) != 1)
		state = 'Z'; /* gone since */
	fclose(f);
	return state != 'Z';
}

static void test_own_group_ends_with_its_children(void **state)
{
	struct program p = start("sleep 60 & wait", 1);
	struct tree t = {0};

	(void)state;
	while (t.len == 0) {
		nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
		tree_find(&t, p.pid);
	}
	assert_int_equal(t.len, 1);
	assert_true(tree_has(&t, t.at[0]));
	assert_false(tree_has(&t, p.pid));
	pid_t child = t.at[0];
	program_signal(&p, SIGTERM);
	program_wait(&p);
	assert_int_equal(program_status(&p), 143);
	/* An orphan is reaped by someone else, or by nobody: it goes, or is a zombie. */
	while (runs(child))
		nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
	tree_release(&t);
	program_release(&p);
}

static void test_find(void **state)
{
	char *sh = program_find("sh");

	(void)state;
	assert_non_null(sh);
	assert_int_equal(sh[0], '/');
	free(sh);
	assert_null(program_find("no-such-program-here"));
	assert_int_equal(errno, ENOENT);
	assert_null(program_find("/etc/passwd"));
	assert_int_equal(errno, EACCES);
	assert_null(program_find("/etc"));
	assert_int_equal(errno, EACCES);
	assert_null(program_find(""));
}

static void test_names(void **state)
{
	static const struct {
		const char *name;
		int ok;
	} rows[] = {
		{"knotd-15k", 1},
		{"A.b_c-9", 1},
		{"-a", 1},
		{"a..b", 1},
		{"", 0},
		{".", 0},
		{"..", 0},
		{".a", 0},
		{"a/b", 0},
		{"a b", 0},
		{"a\n", 0},
		{"\xc3\xa4", 0},
	};
	char long_name[202];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(layout_name_ok(rows[i].name), rows[i].ok);
	memset(long_name, 'a', sizeof(long_name));
	long_name[201] = '\0';
	assert_false(layout_name_ok(long_name));
	long_name[200] = '\0';
	assert_true(layout_name_ok(long_name));
}

static void test_paths(void **state)
{
	char *paths[] = {
		layout_file("out", "iotrace", "n", "-iotrace.json"),
		layout_run_json("out", "iotrace", "n", 3),
		layout_log("out", "n", "3", "load"),
		layout_log("out", "n", "w1", "target"),
	};
	static const char *const want[] = {"out/iotrace/n-iotrace.json",
		"out/iotrace/n.runs/3.json", "out/logs/n-3-load.log", "out/logs/n-w1-target.log"};

	(void)state;
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		assert_string_equal(paths[i], want[i]);
		free(paths[i]);
	}
}

static void test_directories(void **state)
{
	char out[] = "/tmp/test-layout-XXXXXX";
	struct err err = {0};
	char *dir = NULL;

	(void)state;
	assert_non_null(mkdtemp(out));
	assert_int_equal(layout_work_dir(out, "io", "n", &dir, &err), 0);
	char *file = mem_printf("%s/x", dir);
	assert_int_equal(file_write(file, "x", 1, &err), 0);
	layout_remove_dir(dir);
	assert_int_equal(access(dir, F_OK), -1);
	layout_remove_dir(NULL);
	free(file);
	free(dir);

	char *runs = layout_runs_dir(out, "io", "n");
	char *one = layout_run_json(out, "io", "n", 1);
	char *other = mem_printf("%s/notes.txt", runs);
	assert_int_equal(mkdir(runs, 0777), 0);
	assert_int_equal(file_write(one, "x", 1, &err), 0);
	assert_int_equal(file_write(other, "x", 1, &err), 0);
	layout_clear_runs(out, "io", "n");
	assert_int_equal(access(one, F_OK), -1);
	assert_int_equal(access(other, F_OK), 0); /* not ours */
	unlink(other);
	layout_clear_runs(out, "io", "n");
	assert_int_equal(access(runs, F_OK), -1);
	layout_clear_runs(out, "io", "n");
	free(runs);
	free(one);
	free(other);
	char *folder = mem_printf("%s/io", out);
	rmdir(folder);
	free(folder);
	assert_int_equal(rmdir(out), 0);
	assert_true(layout_work_dir("/proc/nowhere", "io", "n", &dir, &err) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_environment_directory_and_output),
		cmocka_unit_test(test_what_cannot_be_started),
		cmocka_unit_test(test_the_kept_descriptor),
		cmocka_unit_test(test_own_group_ends_with_its_children),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_directories),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
