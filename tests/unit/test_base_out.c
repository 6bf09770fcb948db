/* SPDX-License-Identifier: GPL-3.0-only */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/base/mem.h"
#include "common/base/out.h"

static void number_forms(void **state)
{
	struct out o;

	(void)state;
	out_init_mem(&o);
	out_u64(&o, 0);
	out_char(&o, ' ');
	out_u64(&o, UINT64_MAX);
	out_char(&o, ' ');
	out_i64(&o, INT64_MIN);
	out_char(&o, ' ');
	out_i64(&o, -1);
	out_char(&o, ' ');
	out_hex(&o, 0);
	out_char(&o, ' ');
	out_hex(&o, 0x10);
	out_char(&o, ' ');
	out_hex(&o, UINT64_MAX);
	out_char(&o, ' ');
	out_pad_u64(&o, 42, 6);
	out_char(&o, ' ');
	out_pad_u64(&o, 1234567, 6);
	out_printf(&o, " %s|%d", "x", 7);
	assert_string_equal(out_text(&o), "0 18446744073709551615 -9223372036854775808 -1 0 0x10 "
					  "0xffffffffffffffff 000042 1234567 x|7");
	assert_int_equal(o.total_bytes, strlen(out_text(&o)));
	assert_int_equal(out_flush(&o), 0);
	assert_int_equal(o.len, o.total_bytes);
	out_release(&o);
}

static void empty_text(void **state)
{
	struct out o;

	(void)state;
	out_init_mem(&o);
	out_bytes(&o, "", 0);
	assert_string_equal(out_text(&o), "");
	out_release(&o);
}

static void long_printf(void **state)
{
	struct out o;

	(void)state;
	out_init_mem(&o);
	for (int width = 250; width < 260; width++) {
		uint64_t before = o.total_bytes;

		out_printf(&o, "%*d", width, 1);
		assert_int_equal(o.total_bytes - before, width);
	}
	out_release(&o);
}

/* A file gets exactly what was written, whatever the sizes of the pieces. */
static void file_gets_everything(void **state)
{
	char name[] = "/tmp/test_out.XXXXXX";
	int fd = mkstemp(name);
	struct out o, expected;
	char *piece = mem_calloc(200000, 1), *back;

	(void)state;
	assert_true(fd >= 0);
	unlink(name);
	for (size_t i = 0; i < 200000; i++)
		piece[i] = (char)('a' + i % 26);
	out_init(&o, fd);
	out_init_mem(&expected);
	for (size_t n = 1; n <= 200000; n = n * 3 + 1) {
		out_bytes(&o, piece, n);
		out_bytes(&expected, piece, n);
		out_char(&o, '\n');
		out_char(&expected, '\n');
	}
	assert_int_equal(out_flush(&o), 0);
	assert_int_equal(o.total_bytes, expected.len);
	back = mem_calloc(expected.len + 1, 1);
	assert_int_equal(pread(fd, back, expected.len + 1, 0), expected.len);
	assert_memory_equal(back, expected.buf, expected.len);
	out_release(&o);
	out_release(&expected);
	free(back);
	free(piece);
	close(fd);
}

static void full_disk_sticks(void **state)
{
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	struct out o;

	(void)state;
	assert_true(fd >= 0);
	out_init(&o, fd);
	out_str(&o, "x");
	assert_int_equal(o.error, 0);
	assert_int_equal(out_flush(&o), -ENOSPC);
	/* Not to be forgotten, though the descriptor would work again. */
	dup2(STDERR_FILENO, fd);
	out_str(&o, "more");
	out_printf(&o, "and more");
	assert_int_equal(out_flush(&o), -ENOSPC);
	assert_int_equal(o.total_bytes, 1);
	out_release(&o);
	close(fd);
}

static void bad_descriptor(void **state)
{
	struct out o;

	(void)state;
	out_init(&o, 999);
	out_printf(&o, "%70000d", 1);
	assert_int_equal(o.error, -EBADF);
	assert_int_equal(out_flush(&o), -EBADF);
	out_release(&o);
}

/* A slow reader on a non-blocking pipe: short writes and EAGAIN lose nothing. */
static void non_blocking_pipe(void **state)
{
	enum { TOTAL = 600000 };
	int pipe_fd[2], status;
	struct out o;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(pipe_fd), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		static char buf[5000];
		size_t total = 0;
		ssize_t n;

		close(pipe_fd[1]);
		while ((n = read(pipe_fd[0], buf, sizeof(buf))) > 0) {
			total += (size_t)n;
			usleep(100); /* slower than the writer, who must wait */
		}
		_exit(total == TOTAL ? 0 : 1);
	}
	close(pipe_fd[0]);
	assert_int_equal(fcntl(pipe_fd[1], F_SETFL, O_NONBLOCK), 0);
	out_init(&o, pipe_fd[1]);
	for (int i = 0; i < TOTAL / 10; i++)
		out_str(&o, "0123456789");
	assert_int_equal(out_flush(&o), 0);
	out_release(&o);
	close(pipe_fd[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(number_forms),
		cmocka_unit_test(empty_text),
		cmocka_unit_test(long_printf),
		cmocka_unit_test(file_gets_everything),
		cmocka_unit_test(full_disk_sticks),
		cmocka_unit_test(bad_descriptor),
		cmocka_unit_test(non_blocking_pipe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
