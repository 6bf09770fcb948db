/* SPDX-License-Identifier: GPL-3.0-only */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "common/base/mem.h"
#include "cpu/diff.h"

static char dir[] = "/tmp/test_cpu_diff.XXXXXX";

static int read_text(struct diff *d, enum diff_side side, const char *text, struct err *err)
{
	cleanup_free char *path =
		mem_printf("%s/%s.folded", dir, side == DIFF_BASE ? "base" : "now");

	assert_int_equal(file_write(path, text, strlen(text), err), 0);
	return diff_read(d, side, path, err);
}

static const struct z_case {
	uint64_t base, now, base_total, now_total;
	double z; /* of the textbook formula, by hand */
} z_cases[] = {
	{50, 50, 100, 100, 0},
	{40, 60, 100, 100, 2.8284},
	{60, 40, 100, 100, -2.8284},
	{10, 20, 100, 400, -1.8831},
	{0, 0, 100, 100, 0},
	{100, 100, 100, 100, 0},
	{5, 0, 5, 0, 0},
};

static void z_values(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(z_cases) / sizeof(z_cases[0]); i++) {
		const struct z_case *c = &z_cases[i];
		const struct diff_count count = {{c->base, c->now}};
		const uint64_t totals[] = {c->base_total, c->now_total};

		if (fabs(diff_z(&count, totals) - c->z) > 0.0002)
			fail_msg("case %zu: %f is not %f", i, diff_z(&count, totals), c->z);
	}
}

static void significance(void **state)
{
	(void)state;
	assert_false(diff_significant(2.57, 1));
	assert_true(diff_significant(2.58, 1));
	assert_true(diff_significant(-2.58, 1));
	assert_false(diff_significant(2.58, 2));
	assert_false(diff_significant(4.0, 1000));
	assert_true(diff_significant(4.5, 1000));
	assert_false(diff_significant(9, 0));
}

static const struct write_case {
	const char *what, *base, *now, *want;
	uint64_t significant;
} write_cases[] = {
	{"equal", "a;b 500\na;c 500\n", "a;b 500\na;c 500\n", "b 500 500\nc 500 500\n", 0},
	{"chance is muted", "a;b 510\na;c 490\n", "a;b 490\na;c 510\n", "b 490 490\nc 510 510\n",
		0},
	{"a change is kept, the base scaled to as many samples", "a;b 50\na;c 950\n",
		"a;b 1000\na;c 1000\n", "b 100 1000\nc 1900 1000\n", 2},
	{"new and gone", "a;b 500\na;old 500\n", "a;b 500\na;new 500\n",
		"b 500 500\nold 500 0\nnew 0 500\n", 2},
	{"few samples are not tested", "a;b 5\na;c 995\n", "a;c 1000\n", "c 1000 1000\n", 0},
	{"an empty base", "", "a;b 10\n", "b 10 10\n", 0},
	{"names with spaces", "a;f(int, char) 10\n", "a;f(int, char) 10\n", "f(int, char) 10 10\n",
		0},
	{"no newline at the end", "a 10", "a 10", "[no stack] 10 10\n", 0},
	{"another name of the program", "old;m;f 500\nold;[old] 500\n",
		"new;m;f 500\nnew;[new] 500\n", "m;f 500 500\n[program] 500 500\n", 0},
	{"another name, also in threads that have their own, and cut at 15",
		"worker;[a_program_of_old] 500\na_program_of_ol;f 500\n",
		"worker;[a_program_of_new] 500\na_program_of_ne;f 500\n",
		"[program] 500 500\nf 500 500\n", 0},
	{"interrupts of a machine that was busier count for what they came upon",
		"a;m;burn 67\na;m;burn;asm_sysvec_apic_timer_interrupt;irqentry_exit_to_user_mode "
		"44\n"
		"a;m;sys;el1h_64_irq;x 20\na;m;other 30\na;asm_common_interrupt;x 9\n",
		"a;m;burn 111\na;m;sys 20\na;m;other 30\n",
		"m;burn 111 111\nm;sys 20 20\nm;other 30 30\n", 0},
	{"a library's name is none of the program", "p;[libx.so] 500\np;f 500\n",
		"p;[liby.so] 500\np;f 500\n", "[libx.so] 500 0\nf 500 500\n[liby.so] 0 500\n", 2},
};

static void written(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(write_cases) / sizeof(write_cases[0]); i++) {
		const struct write_case *c = &write_cases[i];
		struct res_cpu *r = result_make(&schema_cpu);
		struct res_cpu_diff *figures;
		struct diff d = {0};
		struct err err = {0};
		struct out o;

		print_message("# %s\n", c->what);
		assert_int_equal(read_text(&d, DIFF_BASE, c->base, &err), 0);
		assert_int_equal(read_text(&d, DIFF_NOW, c->now, &err), 0);
		out_init_mem(&o);
		diff_write(&d, &o);
		assert_string_equal(out_text(&o), c->want);
		out_release(&o);
		figures = diff_result(&d, r);
		diff_release(&d);
		assert_int_equal(figures->significant, c->significant);
		result_free(r);
	}
}

static void figures_by_function(void **state)
{
	struct res_cpu *r = result_make(&schema_cpu);
	const struct res_cpu_diff *to;
	struct diff d = {0};
	struct err err = {0};

	(void)state;
	assert_int_equal(read_text(&d, DIFF_BASE, "a;m;f 300\na;f 200\na;m;g 500\na 3\n", &err), 0);
	assert_int_equal(read_text(&d, DIFF_NOW, "a;m;f 100\na;f 100\na;m;g 800\n", &err), 0);
	to = diff_result(&d, r);
	assert_int_equal(to->base_samples, 1003);
	assert_int_equal(to->stacks, 4);
	assert_int_equal(to->changes.len, 2); /* not that without a stack */
	assert_int_equal(to->changes.at[0].significant, 1);
	for (size_t i = 0; i < 2; i++) {
		const struct res_cpu_change *c = &to->changes.at[i];
		int f = !strcmp(c->name, "f");

		assert_int_equal(c->base, 500);
		assert_int_equal(c->now, f ? 200 : 800);
		assert_true(f ? c->z < 0 : c->z > 0);
	}
	diff_release(&d);
	result_free(r);
}

static const char *const bad_files[] = {"a b\n", "12\n", "a 1x\n", "a -1\n", "a 5\nnonsense\n",
	"a 99999999999999999999999\n", " 5\n", "{\"schema\": \"profile.cpu/1\"}\n"};

static void bad_input(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad_files) / sizeof(bad_files[0]); i++) {
		struct diff d = {0};
		struct err err = {0};

		print_message("# %s", bad_files[i]);
		assert_true(read_text(&d, DIFF_BASE, bad_files[i], &err) < 0);
		assert_non_null(strstr(err.text, "not a folded profile"));
		diff_release(&d);
	}
	struct diff d = {0};
	struct err err = {0};
	assert_int_equal(diff_read(&d, DIFF_BASE, "/nonexistent", &err), -ENOENT);
	diff_release(&d);
}

static int make_dir(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	cleanup_free char *base = mem_printf("%s/base.folded", dir);
	cleanup_free char *now = mem_printf("%s/now.folded", dir);

	(void)state;
	unlink(base);
	unlink(now);
	return rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(z_values),
		cmocka_unit_test(significance),
		cmocka_unit_test(written),
		cmocka_unit_test(figures_by_function),
		cmocka_unit_test(bad_input),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
