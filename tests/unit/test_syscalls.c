/* SPDX-License-Identifier: GPL-3.0-only */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "tracer/event.h"
#include "tracer/sys_set.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define X32_BIT  0x40000000U

/* ---- rows ---- */

static void rows_are_sound(void **state)
{
	(void)state;
	for (size_t i = 0; i < sys_count(); i++) {
		const struct sys_def *def = sys_by_index(i);
		size_t letters = strcspn(def->args, ">");

		print_message("# %s\n", def->name);
		assert_int_equal(def->index, i);
		assert_ptr_equal(sys_by_name(def->name), def);
		assert_true(letters <= 6);
		assert_int_equal(strspn(def->args, "dluzwxpfoca-VMRACDEFGIKLOPSTUWYn"), letters);
		assert_true(def->fd <= letters && def->batch <= letters && def->bytes <= letters);
		if (def->fd)
			assert_int_equal(def->args[def->fd - 1], 'd');
		if (def->batch)
			assert_non_null(strchr("dulz", def->args[def->batch - 1]));
		if (def->bytes)
			assert_int_equal(def->args[def->bytes - 1], 'z');
		assert_int_equal(!def->batch, def->unit == BATCH_NONE);
		assert_true(strlen(sys_class_name(def->class)) > 0);
		assert_true(!def->gather || (def->fd && sys_waits(def)));
	}
}

/* %io is what has a decoder or columns, and what waits for descriptors. */
static void io_is_what_is_measured(void **state)
{
	static const char *const waiting[] = {"poll", "ppoll", "select", "pselect6"};

	(void)state;
	for (size_t i = 0; i < sys_count(); i++) {
		const struct sys_def *def = sys_by_index(i);
		int io = def->unit || def->bytes || def->bytes_ret || def->decoder;

		for (size_t k = 0; k < COUNT(waiting); k++)
			io |= !strcmp(def->name, waiting[k]);
		print_message("# %s\n", def->name);
		assert_int_equal((def->sets & SET_IO) != 0, io != 0);
	}
}

/* ---- numbers ---- */

static uint32_t raw_number(int abi, uint32_t nr)
{
	return abi == ABI_X32 ? nr | X32_BIT : nr;
}

/* Every number that libseccomp has a name for leads to a row of that name, and back. */
static void numbers_agree_with_libseccomp(void **state)
{
	static const uint32_t arch[] = {SCMP_ARCH_X86_64, SCMP_ARCH_X86, SCMP_ARCH_X32};

	(void)state;
	for (int abi = 0; abi < ABI_COUNT; abi++) {
		size_t named = 0;

		for (uint32_t i = 0; i < 1024; i++) {
			uint32_t nr = raw_number(abi, i);
			char *name = seccomp_syscall_resolve_num_arch(arch[abi], (int)nr);

			if (!name)
				continue;
			named++;
			print_message("# abi %d, %s\n", abi, name);
			assert_non_null(sys_find(abi, nr));
			assert_ptr_equal(sys_find(abi, nr), sys_by_name(name));
			if (!strcmp(sys_find(abi, nr)->name, name))
				assert_int_equal(sys_number(abi, sys_by_name(name)), nr);
			free(name);
		}
		assert_true(named > 300);
	}
}

static void known_numbers(void **state)
{
	static const struct {
		int abi;
		uint32_t nr;
		const char *name;
	} rows[] = {
		{ABI_NATIVE, SYS_write, "write"},
		{ABI_NATIVE, SYS_sendmmsg, "sendmmsg"},
		{ABI_NATIVE, 335, "uretprobe"},
		{ABI_NATIVE, 462, "mseal"},
		{ABI_NATIVE, 470, "listns"},
		{ABI_I386, 4, "write"},
		{ABI_I386, 7, "waitpid"},
		{ABI_I386, 90, "mmap"},
		{ABI_I386, 192, "mmap"},
		{ABI_I386, 102, "socketcall"},
		{ABI_I386, 106, "stat"},
		{ABI_I386, 119, "rt_sigreturn"},
		{ABI_I386, 195, "stat"},
		{ABI_I386, 199, "getuid"},
		{ABI_I386, 240, "futex"},
		{ABI_I386, 337, "recvmmsg"},
		{ABI_I386, 345, "sendmmsg"},
		{ABI_I386, 359, "socket"},
		{ABI_I386, 417, "recvmmsg"},
		{ABI_I386, 422, "futex"},
		{ABI_I386, 462, "mseal"},
		{ABI_X32, X32_BIT | 1, "write"},
		{ABI_X32, X32_BIT | 538, "sendmmsg"},
		{ABI_X32, 538, "sendmmsg"},
		{ABI_X32, X32_BIT | 462, "mseal"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_non_null(sys_find(rows[i].abi, rows[i].nr));
		assert_string_equal(sys_find(rows[i].abi, rows[i].nr)->name, rows[i].name);
		assert_ptr_equal(
			sys_by_number(rows[i].abi, rows[i].nr), sys_find(rows[i].abi, rows[i].nr));
	}
	assert_int_equal(sys_number(ABI_I386, sys_by_name("mmap2")), 90);
	assert_int_equal(sys_number(ABI_X32, sys_by_name("sendmmsg")), X32_BIT | 538);
	assert_int_equal(sys_number(ABI_NATIVE, sys_by_name("socketcall")), -1);
	assert_int_equal(sys_number(ABI_I386, sys_by_name("arch_prctl")), 384);
	assert_null(sys_by_name("nonsense"));
	assert_null(sys_by_name(""));
}

/* ---- numbers without a name: last, because these rows stay ---- */

static void unknown_numbers(void **state)
{
	size_t before = sys_count();
	const struct sys_def *def;
	struct sys_set some, all;

	(void)state;
	assert_int_equal(sys_set_parse(&some, "write", NULL), 0);
	assert_int_equal(sys_set_parse(&all, "all,!syscall_900", NULL), 0);
	assert_int_equal(sys_count(), before + 1);
	assert_null(sys_find(ABI_NATIVE, 901));
	assert_int_equal(sys_count(), before + 1);
	def = sys_by_number(ABI_NATIVE, 901);
	assert_string_equal(def->name, "syscall_901");
	assert_ptr_equal(def, sys_by_number(ABI_I386, 901));
	assert_ptr_equal(def, sys_find(ABI_NATIVE, 901));
	assert_ptr_equal(def, sys_by_name("syscall_901"));
	assert_ptr_equal(def, sys_by_index(def->index));
	assert_int_equal(sys_number(ABI_NATIVE, def), 901);
	assert_false(sys_set_has(&some, def));
	assert_true(sys_set_has(&all, def));
	assert_false(sys_set_has(&all, sys_by_name("syscall_900")));
	assert_string_equal(sys_by_number(ABI_NATIVE, UINT32_MAX)->name, "syscall_4294967295");
	sys_set_release(&some);
	sys_set_release(&all);
}

static void unknown_numbers_are_bounded(void **state)
{
	size_t named = sys_count();
	const struct sys_def *def = NULL;

	(void)state;
	for (uint32_t nr = 10000; nr < 20000; nr++) {
		def = sys_by_number(ABI_NATIVE, nr);
		assert_non_null(def);
	}
	assert_string_equal(def->name, "syscall_other");
	assert_int_equal(sys_number(ABI_NATIVE, def), -1);
	assert_true(sys_count() <= named + 513);
	assert_int_equal(def->index, sys_count() - 1);
	assert_string_equal(sys_by_number(ABI_NATIVE, 10000)->name, "syscall_10000");
	assert_string_equal(sys_by_number(ABI_NATIVE, 0)->name, "read");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_sound),
		cmocka_unit_test(io_is_what_is_measured),
		cmocka_unit_test(numbers_agree_with_libseccomp),
		cmocka_unit_test(known_numbers),
		cmocka_unit_test(unknown_numbers),
		cmocka_unit_test(unknown_numbers_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
