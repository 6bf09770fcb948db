/* SPDX-License-Identifier: GPL-3.0-only */
#include "fake_target.h"

/* i386 calls in the order and with the arguments of the 64-bit ones. */

#define BLOCK    MEM_BASE
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct target *i386_target(uint32_t nr, const uint64_t args[6])
{
	struct target *t = target_new("read", ABI_I386);

	t->ev.nr = nr;
	t->ev.def = sys_by_number(ABI_I386, nr);
	memcpy(t->ev.args, args, sizeof(t->ev.args));
	return t;
}

static void put_block(struct target *t)
{
	for (uint32_t i = 0; i < 6; i++)
		target_put_u32(t, BLOCK + 4 * i, 0xf0000000 + i);
}

static void assert_args(const struct target *t, const uint64_t expect[6])
{
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(t->ev.args[i], expect[i]);
}

static void arguments(void **state)
{
	static const struct {
		uint32_t nr;
		const char *name;
		uint64_t from[6], to[6];
	} rows[] = {
		{22, "umount2", {1, 99}, {1, 0}},
		{19, "lseek", {3, 0xfffffffe, 1}, {3, (uint64_t)-2, 1}},
		{120, "clone", {1, 2, 3, 4, 5, 6}, {1, 2, 3, 5, 4, 6}},
		{140, "lseek", {3, 1, 0x10, 0xbeef, 2}, {3, 0x100000010, 2, 0xbeef, 2}},
		{180, "pread64", {3, 1, 10, 0x10, 1, 9}, {3, 1, 10, 0x100000010, 9, 0}},
		{181, "pwrite64", {3, 1, 10, 0xffffffff, 0, 0}, {3, 1, 10, 0xffffffff, 0, 0}},
		{192, "mmap", {0, 8192, 3, 2, 3, 5}, {0, 8192, 3, 2, 3, 5 << 12}},
		{194, "ftruncate", {3, 0, 1}, {3, 1ULL << 32}},
		{250, "fadvise64", {3, 7, 1, 100, 4}, {3, 0x100000007, 100, 4}},
		{272, "fadvise64", {3, 7, 1, 8, 2, 4}, {3, 0x100000007, 0x200000008, 4}},
		{314, "sync_file_range", {3, 7, 1, 8, 2, 4}, {3, 0x100000007, 0x200000008, 4}},
		{324, "fallocate", {3, 0, 7, 1, 8, 2}, {3, 0, 0x100000007, 0x200000008}},
		{333, "preadv", {3, 1, 2, 7, 1}, {3, 1, 2, 0x100000007, 1}},
		{379, "pwritev2", {3, 1, 2, 7, 1, 4}, {3, 1, 2, 0x100000007, 1, 4}},
		{248, "io_submit", {1, 0xffffffff, 3}, {1, UINT64_MAX, 3}},
		{4, "write", {3, 0xffffffff, 0xffffffff}, {3, 0xffffffff, 0xffffffff}},
		{417, "recvmmsg", {3, 1, 2, 3, 4}, {3, 1, 2, 3, 4}},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct target *t = i386_target(rows[i].nr, rows[i].from);

		print_message("# %s\n", rows[i].name);
		decode_normalize(&t->ev, &t->mem);
		assert_string_equal(t->ev.def->name, rows[i].name);
		assert_args(t, rows[i].to);
		assert_int_equal(t->reads, 0);
		free(t);
	}
}

/* The calls whose arguments lie in memory; then with that memory unreadable. */
static void argument_blocks(void **state)
{
	static const struct {
		uint32_t nr;
		const char *name;
		uint64_t args;
	} rows[] = {{82, "select", 5}, {90, "mmap", 6}};
	const uint64_t pointer[6] = {BLOCK, 2, 3, 4, 5, 6}, nowhere[6] = {1, 2, 3, 4, 5, 6};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct target *t = i386_target(rows[i].nr, pointer);

		put_block(t);
		decode_normalize(&t->ev, &t->mem);
		assert_string_equal(t->ev.def->name, rows[i].name);
		for (size_t k = 0; k < 6; k++)
			assert_int_equal(t->ev.args[k], k < rows[i].args ? 0xf0000000 + k : 0);
		free(t);

		t = i386_target(rows[i].nr, nowhere);
		decode_normalize(&t->ev, &t->mem);
		assert_args(t, nowhere);
		free(t);
	}
}

static void socketcall(void **state)
{
	static const struct {
		const char *name;
		uint64_t args;
	} calls[] = {
		{"socketcall", 0},
		{"socket", 3},
		{"bind", 3},
		{"connect", 3},
		{"listen", 2},
		{"accept", 3},
		{"getsockname", 3},
		{"getpeername", 3},
		{"socketpair", 4},
		{"sendto", 4},
		{"recvfrom", 4},
		{"sendto", 6},
		{"recvfrom", 6},
		{"shutdown", 2},
		{"setsockopt", 5},
		{"getsockopt", 5},
		{"sendmsg", 3},
		{"recvmsg", 3},
		{"accept4", 4},
		{"recvmmsg", 5},
		{"sendmmsg", 4},
		{"socketcall", 0},
	};

	(void)state;
	for (uint64_t i = 0; i < COUNT(calls); i++) {
		struct target *t = i386_target(102, (const uint64_t[6]){i, BLOCK});

		put_block(t);
		decode_normalize(&t->ev, &t->mem);
		assert_string_equal(t->ev.def->name, calls[i].name);
		for (size_t k = 0; calls[i].args && k < 6; k++)
			assert_int_equal(t->ev.args[k], k < calls[i].args ? 0xf0000000 + k : 0);
		free(t);
	}
}

static void socketcall_unreadable(void **state)
{
	const uint64_t none[6] = {20, 16}, cut[6] = {20, MEM_BASE + MEM_BYTES - 12},
		       huge[6] = {0xffffffff, BLOCK};
	const uint64_t *const rows[] = {none, cut, huge};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct target *t = i386_target(102, rows[i]);

		decode_normalize(&t->ev, &t->mem);
		assert_string_equal(t->ev.def->name, "socketcall");
		assert_args(t, rows[i]);
		free(t);
	}
}

/* The same numbers in another ABI are other calls. */
static void other_abis(void **state)
{
	static const enum abi others[] = {ABI_NATIVE, ABI_X32};
	const uint64_t args[6] = {20, BLOCK, 3, 4, 5, 6};

	(void)state;
	for (size_t i = 0; i < COUNT(others); i++) {
		struct target *t = target_new("getuid", others[i]);

		t->ev.nr = 102;
		memcpy(t->ev.args, args, sizeof(args));
		put_block(t);
		decode_normalize(&t->ev, &t->mem);
		assert_string_equal(t->ev.def->name, "getuid");
		assert_args(t, args);
		free(t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arguments),
		cmocka_unit_test(argument_blocks),
		cmocka_unit_test(socketcall),
		cmocka_unit_test(socketcall_unreadable),
		cmocka_unit_test(other_abis),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
