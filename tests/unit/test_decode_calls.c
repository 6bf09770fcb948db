/* SPDX-License-Identifier: GPL-3.0-only */
#include "fake_target.h"

/* What the columns of a row measure, vectors of buffers, mappings. */

#define NO   NOT_MEASURED
#define IOVS MEM_BASE

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* ---- columns ---- */

static const struct column_row {
	const char *name;
	uint64_t args[6];
	int64_t ret;
	uint64_t batch_asked, batch_moved, bytes_asked, bytes_moved;
} column_rows[] = {
	{"write", {3, 0, 100}, 60, NO, NO, 100, 60},
	{"write", {3, 0, 0}, 0, NO, NO, 0, 0},
	{"write", {3, 0, UINT64_MAX}, -EFAULT, NO, NO, INT64_MAX, NO},
	{"read", {3, 0, 100}, -512, NO, NO, 100, NO},
	{"read", {3, 0, 100}, -516, NO, NO, 100, NO},
	{"pread64", {3, 0, 4096, 77}, 4095, NO, NO, 4096, 4095},
	{"sendfile", {3, 4, 0, 1 << 20}, 65536, NO, NO, 1 << 20, 65536},
	{"splice", {3, 0, 4, 0, 5000, 1}, 4096, NO, NO, 5000, 4096},
	{"tee", {3, 4, 5000, 0}, 4096, NO, NO, 5000, 4096},
	{"copy_file_range", {3, 0, 4, 0, 5000, 0}, 5000, NO, NO, 5000, 5000},
	{"epoll_wait", {3, 0, 64, 0}, 3, 64, 3, NO, NO},
	{"epoll_wait", {3, 0, 0xffffffff00000040, 0}, 0, 64, 0, NO, NO},
	{"epoll_pwait2", {3, 0, 0xffffffff, 0}, -EINVAL, NO, NO, NO, NO},
	{"epoll_pwait", {3, 0, INT32_MAX, 0}, -EINTR, INT32_MAX, NO, NO, NO},
	{"io_uring_enter", {3, 0xabcd00000008, 1}, 8, 8, 8, NO, NO},
	{"io_uring_enter", {3, 0, 1}, 0, 0, 0, NO, NO},
	{"io_submit", {0, 4, 0}, 2, 4, 2, NO, NO},
	{"io_submit", {0, UINT64_MAX, 0}, -EINVAL, NO, NO, NO, NO},
	{"io_getevents", {0, 1, 16, 0, 0}, 5, 16, 5, NO, NO},
	{"io_pgetevents", {0, 1, 16, 0, 0, 0}, 0, 16, 0, NO, NO},
	{"poll", {0, 7, 0}, 1, NO, NO, NO, NO},
	{"getpid", {0}, 1234, NO, NO, NO, NO},
	{"mmap", {0, 8192, 3, 0x22, UINT64_MAX, 0}, 0x7f0000000000, NO, NO, 8192, 8192},
	{"mmap", {0, UINT64_MAX}, -ENOMEM, NO, NO, INT64_MAX, NO},
	{"munmap", {0x7f0000000000, 8192}, 0, NO, NO, 8192, 8192},
	{"madvise", {0x7f0000000000, 4096, 4}, 0, NO, NO, 4096, 4096},
	{"mremap", {0x7f0000000000, 4096, 12288, 1}, 0x7f0000001000, NO, NO, 12288, 12288},
};

static void columns(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(column_rows); i++) {
		const struct column_row *row = &column_rows[i];
		struct target *t = target_new(row->name, ABI_NATIVE);

		print_message("# %s, row %zu\n", row->name, i);
		memcpy(t->ev.args, row->args, sizeof(row->args));
		target_entry(t);
		assert_int_equal(t->m.batch_asked, row->batch_asked);
		assert_int_equal(t->m.bytes_asked, row->bytes_asked);
		assert_int_equal(t->m.batch_moved, NO);
		assert_int_equal(t->m.bytes_moved, NO);
		target_exit(t, row->ret);
		assert_int_equal(t->m.batch_asked, row->batch_asked);
		assert_int_equal(t->m.batch_moved, row->batch_moved);
		assert_int_equal(t->m.bytes_asked, row->bytes_asked);
		assert_int_equal(t->m.bytes_moved, row->bytes_moved);
		assert_int_equal(t->m.unreadable, 0);
		assert_int_equal(t->reads, 0);
		free(t);
	}
}

/* A call that never came back moved nothing that is known. */
static void no_return(void **state)
{
	struct target *t = target_new("write", ABI_NATIVE);
	struct decode_in in = {&t->ev, &t->mem, &t->env};

	(void)state;
	t->ev.args[2] = 10;
	target_entry(t);
	t->ev.outcome = SYS_NO_RETURN;
	decode_exit(&in, &t->m);
	assert_int_equal(t->m.bytes_asked, 10);
	assert_int_equal(t->m.bytes_moved, NO);
	free(t);
}

/* rt_sigreturn's result is a register of the program, whatever it looks like. */
static void always_ok(void **state)
{
	struct sys_event ev = {.def = sys_by_name("rt_sigreturn"), .ret = -EINTR};

	(void)state;
	assert_true(sys_ok(&ev));
	ev.def = sys_by_name("read");
	assert_false(sys_ok(&ev));
}

/* ---- vectors of buffers ---- */

static const struct iov_row {
	const char *what, *name;
	uint64_t lens[4], count;
	int64_t ret;
	unsigned int fail_at;
	uint64_t batch_asked, batch_moved, bytes_asked, bytes_moved;
	int unreadable;
	unsigned int reads;
} iov_rows[] = {
	{"full", "writev", {10, 20, 30}, 3, 60, 0, 3, 3, 60, 60, 0, 1},
	{"first and a part", "writev", {10, 20, 30}, 3, 11, 0, 3, 2, 60, 11, 0, 2},
	{"up to a border", "pwritev", {10, 20, 30}, 3, 30, 0, 3, 2, 60, 30, 0, 2},
	{"nothing", "readv", {10, 20}, 2, 0, 0, 2, 0, 30, 0, 0, 1},
	{"no iovecs", "writev", {0}, 0, 0, 0, 0, 0, 0, 0, 0, 0},
	{"empty ones", "writev", {0, 0}, 2, 0, 0, 2, 2, 0, 0, 0, 1},
	{"empty in between", "preadv2", {5, 0, 5, 5}, 4, 6, 0, 4, 3, 15, 6, 0, 2},
	{"more than asked", "readv", {5, 5}, 2, 99, 0, 2, 2, 10, 99, 0, 1},
	{"error", "pwritev2", {10, 20}, 2, -EBADF, 0, 2, NO, 30, NO, 0, 1},
	{"interrupted", "readv", {10, 20}, 2, -512, 0, 2, NO, 30, NO, 0, 1},
	{"vmsplice", "vmsplice", {10, 20}, 2, 30, 0, 2, 2, 30, 30, 0, 1},
	{"too many", "writev", {10}, 1025, -EINVAL, 0, 1025, NO, NO, NO, 0, 0},
	{"far too many", "writev", {10}, UINT64_MAX, -EINVAL, 0, INT64_MAX, NO, NO, NO, 0, 0},
	{"unreadable", "writev", {10, 20}, 2, 30, 1, 2, NO, NO, 30, 1, 1},
	{"unreadable, nothing moved", "writev", {10, 20}, 2, 0, 1, 2, 0, NO, 0, 1, 1},
	{"unreadable afterwards", "writev", {10, 20}, 2, 15, 2, 2, NO, 30, 15, 1, 2},
};

static void iovecs(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(iov_rows); i++) {
		const struct iov_row *row = &iov_rows[i];

		for (enum abi abi = 0; abi < ABI_COUNT; abi++) {
			struct target *t = target_new(row->name, abi);
			uint64_t at = IOVS;

			print_message("# %s, abi %d\n", row->what, (int)abi);
			for (size_t k = 0; k < COUNT(row->lens); k++)
				at = target_put_iov(t, at, row->lens[k]);
			t->ev.args[1] = IOVS;
			t->ev.args[2] = row->count;
			t->fail_at = row->fail_at;
			target_entry(t);
			target_exit(t, row->ret);
			assert_int_equal(t->m.batch_asked, row->batch_asked);
			assert_int_equal(t->m.batch_moved, row->batch_moved);
			assert_int_equal(t->m.bytes_asked, row->bytes_asked);
			assert_int_equal(t->m.bytes_moved, row->bytes_moved);
			assert_int_equal(t->m.unreadable, row->unreadable);
			assert_int_equal(t->reads, row->reads);
			free(t);
		}
	}
}

/* The most iovecs, the largest lengths, an array that memory cuts off. */
static void iovecs_extreme(void **state)
{
	struct target *t = target_new("writev", ABI_NATIVE);

	(void)state;
	t->ev.args[1] = IOVS;
	t->ev.args[2] = 1024;
	for (uint64_t i = 0; i < 1024; i++)
		target_put_iov(t, IOVS + i * 16, 1);
	target_entry(t);
	assert_int_equal(t->m.bytes_asked, 1024);
	target_exit(t, 1023);
	assert_int_equal(t->m.batch_moved, 1023);

	target_put_iov(t, IOVS, UINT64_MAX);
	target_put_iov(t, IOVS + 16, UINT64_MAX);
	target_entry(t);
	assert_int_equal(t->m.bytes_asked, INT64_MAX);
	target_exit(t, 5);
	assert_int_equal(t->m.batch_moved, 1);

	t->ev.args[1] = MEM_BASE + MEM_BYTES - 1000;
	target_entry(t);
	assert_int_equal(t->m.bytes_asked, NO);
	assert_int_equal(t->m.unreadable, 1);
	free(t);
}

static void iovecs_of_datagrams(void **state)
{
	struct target *t = target_new("writev", ABI_NATIVE);

	(void)state;
	target_put_iov(t, target_put_iov(t, IOVS, 1500), 1001);
	t->ev.args[1] = IOVS;
	t->ev.args[2] = 2;
	t->env.gso_size = 500;
	target_entry(t);
	target_exit(t, 2501);
	assert_int_equal(t->m.dgrams_asked, 6);
	assert_int_equal(t->m.dgrams_moved, 6);
	assert_int_equal(t->m.segmented, 1);
	free(t);
}

/* ---- brk ---- */

static void brk_growth(void **state)
{
	static const struct {
		uint64_t prev, wanted;
		int64_t ret;
		uint64_t asked, moved;
	} rows[] = {
		{0x1000, 0, 0x1000, 0, 0},
		{0, 0, 0x1000, 0, 0},
		{0, 0x3000, 0x3000, NO, NO},
		{0x1000, 0x3000, 0x3000, 0x2000, 0x2000},
		{0x1000, 0x3000, 0x1000, 0x2000, 0},
		{0x3000, 0x1000, 0x1000, 0, 0},
		{0x3000, 0x3000, 0x3000, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct target *t = target_new("brk", ABI_NATIVE);

		t->env.prev_brk = rows[i].prev;
		t->ev.args[0] = rows[i].wanted;
		target_entry(t);
		assert_int_equal(t->m.bytes_asked, rows[i].asked);
		target_exit(t, rows[i].ret);
		assert_int_equal(t->m.bytes_asked, rows[i].asked);
		assert_int_equal(t->m.bytes_moved, rows[i].moved);
		free(t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns),
		cmocka_unit_test(no_return),
		cmocka_unit_test(always_ok),
		cmocka_unit_test(iovecs),
		cmocka_unit_test(iovecs_extreme),
		cmocka_unit_test(iovecs_of_datagrams),
		cmocka_unit_test(brk_growth),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
