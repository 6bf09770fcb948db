/* SPDX-License-Identifier: GPL-3.0-only */
#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/base/mem.h"

static void strings(void **state)
{
	char *s;

	(void)state;
	assert_null(mem_strdup(NULL));
	s = mem_strdup("abc");
	assert_string_equal(s, "abc");
	free(s);
	s = mem_strndup("abc", 2);
	assert_string_equal(s, "ab");
	free(s);
	s = mem_strndup("abc", 9);
	assert_string_equal(s, "abc");
	free(s);
	s = mem_printf("%d-%s", 7, "x");
	assert_string_equal(s, "7-x");
	free(s);
}

static void nothing_is_not_null(void **state)
{
	void *p = mem_calloc(0, 8);

	(void)state;
	assert_non_null(p);
	p = mem_realloc(p, 0, 8);
	assert_non_null(p);
	free(p);
}

static void vector_grows(void **state)
{
	struct {
		uint64_t *at;
		size_t len, cap;
	} v = {0};

	(void)state;
	for (uint64_t i = 0; i < 10000; i++)
		*VEC_PUSH(&v) = i * i;
	assert_int_equal(v.len, 10000);
	assert_true(v.cap >= v.len && v.cap < 2 * v.len);
	for (uint64_t i = 0; i < 10000; i++)
		assert_true(v.at[i] == i * i);
	free(v.at);
}

static int is_zero(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (p[i])
			return 0;
	}
	return 1;
}

/* Sizes from nothing to far above a block, each zeroed, aligned and apart from the others. */
static void arena_pieces_are_apart(void **state)
{
	static const size_t sizes[] = {0, 1, 15, 16, 17, 1000, 16384, 65535, 65536, 65537, 1 << 20};
	enum { N = sizeof(sizes) / sizeof(sizes[0]), ROUNDS = 20 };
	struct arena a = {0};
	char *at[N * ROUNDS];

	(void)state;
	for (size_t i = 0; i < (size_t)N * ROUNDS; i++) {
		at[i] = arena_alloc(&a, sizes[i % N], 1);
		assert_int_equal((uintptr_t)at[i] % alignof(max_align_t), 0);
		assert_true(is_zero(at[i], sizes[i % N]));
		memset(at[i], (int)(i + 1), sizes[i % N]);
	}
	for (size_t i = 0; i < (size_t)N * ROUNDS; i++) {
		for (size_t k = 0; k < sizes[i % N]; k++) {
			if ((unsigned char)at[i][k] != (unsigned char)(i + 1))
				fail_msg("piece %zu was written over", i);
		}
	}
	arena_release(&a);
	assert_null(a.blocks);
	assert_int_equal(a.used_bytes, 0);
	arena_release(&a);
}

static void arena_strings(void **state)
{
	struct arena a = {0};

	(void)state;
	assert_null(arena_strdup(&a, NULL));
	assert_string_equal(arena_strdup(&a, "x"), "x");
	assert_string_equal(arena_printf(&a, "%s/%d", "dir", 4), "dir/4");
	arena_release(&a);
}

/* Runs fn in a child with its stderr in text; returns its wait status. */
static int in_child(void (*fn)(void), char *text, size_t size)
{
	int pipe_fd[2], status;
	size_t len = 0;
	ssize_t n;
	pid_t pid;

	assert_int_equal(pipe(pipe_fd), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		dup2(pipe_fd[1], STDERR_FILENO);
		fn();
		_exit(0);
	}
	close(pipe_fd[1]);
	while ((n = read(pipe_fd[0], text + len, size - 1 - len)) > 0)
		len += (size_t)n;
	text[len] = '\0';
	close(pipe_fd[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void ask_too_much(void)
{
	volatile size_t n = SIZE_MAX / 2;

	free(mem_realloc(NULL, n, 16));
}

static void ask_arena_too_much(void)
{
	volatile size_t n = SIZE_MAX;
	struct arena a = {0};

	arena_alloc(&a, n, 1);
}

static void out_of_memory_is_125(void **state)
{
	void (*const cases[])(void) = {ask_too_much, ask_arena_too_much};
	char text[200];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int status = in_child(cases[i], text, sizeof(text));

		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 125);
		assert_non_null(strstr(text, ": out of memory\n"));
		assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strings),
		cmocka_unit_test(nothing_is_not_null),
		cmocka_unit_test(vector_grows),
		cmocka_unit_test(arena_pieces_are_apart),
		cmocka_unit_test(arena_strings),
		cmocka_unit_test(out_of_memory_is_125),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
