/* SPDX-License-Identifier: GPL-3.0-only */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "common/base/mem.h"
#include "common/model/result.h"
#include "cpu/fold.h"
#include "cpu/stats.h"

static char *data_file(const char *name, const char *suffix, size_t *ret_len)
{
	const char *root = getenv("SRCDIR");
	cleanup_free char *path =
		mem_printf("%s/tests/unit/data/cpu-%s%s", root ? root : ".", name, suffix);
	struct err err = {0};
	char *text;

	if (file_read(path, 1 << 20, &text, ret_len, &err) < 0)
		fail_msg("%s", err.text);
	return text;
}

static void fold_pieces(struct fold *f, const char *text, size_t len, size_t piece)
{
	fold_init(f);
	for (size_t i = 0; i < len; i += piece)
		fold_feed(f, text + i, len - i < piece ? len - i : piece);
	fold_end(f);
}

static void expect_folded(const struct fold *f, const char *want)
{
	struct out o;

	out_init_mem(&o);
	fold_write(f, &o);
	assert_string_equal(out_text(&o), want);
	out_release(&o);
}

/* ---- recorded outputs ---- */

static const struct recorded {
	const char *name, *event, *perf_version;
	uint64_t samples, without_stack, lost, unreadable_lines;
	size_t threads;
} recorded[] = {
	{"6.1-dwarf", "cpu-clock:ppp", "", 10, 0, 0, 0, 3},
	{"6.1-header-fp", "cpu-clock", "6.1.187", 18, 0, 0, 0, 3},
	{"5.4-default-fields", "cycles:u", "", 4, 0, 0, 0, 3},
	{"6.8-java", "cycles:P", "", 4, 0, 0, 0, 3},
	{"cpp-rust", "cycles:Pu", "", 4, 0, 0, 0, 3},
	{"lost", "cpu-clock", "", 4, 1, 32, 0, 2},
	{"comms", "cpu-clock", "", 7, 1, 0, 0, 7},
	{"hostile", "cpu-clock", "", 2, 0, 0, 6, 1},
};

#define RECORDED_LEN (sizeof(recorded) / sizeof(recorded[0]))

static void recorded_outputs(void **state)
{
	static const size_t pieces[] = {1 << 20, 1, 7, 64};

	(void)state;
	for (size_t i = 0; i < RECORDED_LEN; i++) {
		const struct recorded *r = &recorded[i];
		size_t len;
		cleanup_free char *text = data_file(r->name, ".txt", &len);
		cleanup_free char *want = data_file(r->name, ".folded", NULL);

		print_message("# %s\n", r->name);
		for (size_t k = 0; k < sizeof(pieces) / sizeof(pieces[0]); k++) {
			struct fold f;

			fold_pieces(&f, text, len, pieces[k]);
			expect_folded(&f, want);
			assert_int_equal(f.samples, r->samples);
			assert_int_equal(f.without_stack, r->without_stack);
			assert_int_equal(f.lost, r->lost);
			assert_int_equal(f.unreadable_lines, r->unreadable_lines);
			assert_int_equal(f.thread.len, r->threads);
			assert_string_equal(fold_event(&f), r->event);
			assert_string_equal(f.perf_version, r->perf_version);
			fold_release(&f);
		}
	}
}

/* ---- single frames ---- */

static const struct frame_case {
	const char *line, *name, *module;
	int unknown;
} frame_cases[] = {
	{"1 main (/bin/t)", "main", "/bin/t", 0},
	{"1 main+0x1f (/bin/t)", "main", "/bin/t", 0},
	{"1 a+0xzz (/bin/t)", "a+0xzz", "/bin/t", 0},
	{"1 main", "main", NULL, 0},
	{"1 [unknown] (/bin/t)", "[t]", "/bin/t", 1},
	{"1 [unknown] (/lib/x.so (deleted))", "[x.so]", "/lib/x.so (deleted)", 1},
	{"1 [unknown] ([unknown])", "[unknown]", NULL, 1},
	{"1 [unknown] ([vdso])", "[vdso]", "[vdso]", 1},
	{"1 (/bin/t)", "[t]", "/bin/t", 1},
	{"1 [unknown] (/)", "[/]", "/", 1},
	{"1 f() (/a(b)/c)", "f()", "/a(b)/c", 0},
	{"1 f() (/a(b/c)", "f()", "/a(b/c", 0},
	{"1 f(g (/a/c)", "f(g", "/a/c", 0},
	{"1 a;b (/bin/t)", "a:b", "/bin/t", 0},
	{"1 a\\b (/bin/t)", "a/b", "/bin/t", 0},
	{"1 f 12 (/bin/t)", "f_12", "/bin/t", 0},
	{"1 f 1.5 (/bin/t)", "f_1.5", "/bin/t", 0},
	{"1 f 1x (/bin/t)", "f 1x", "/bin/t", 0},
	{"1 sys_read ([kernel.kallsyms])", "sys_read", "[kernel.kallsyms]", 0},
	{"1 i (inlined)", "i", NULL, 0},
};

static void frames(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(frame_cases) / sizeof(frame_cases[0]); i++) {
		const struct frame_case *c = &frame_cases[i];
		cleanup_free char *text = mem_printf("t 1/1 1.0: e: \n\t%s\n\n", c->line);
		const struct fold_frame *got;
		const uint32_t *stack;
		struct fold f;
		size_t len;

		print_message("# %s\n", c->line);
		fold_pieces(&f, text, strlen(text), SIZE_MAX / 2);
		assert_int_equal(f.stacks.len, 1);
		stack = fold_stack(&f, 0, &len);
		assert_int_equal(len, 2);
		got = &f.frame.at[stack[1]];
		assert_string_equal(got->name, c->name);
		if (c->module)
			assert_string_equal(got->module, c->module);
		else
			assert_null(got->module);
		assert_int_equal(got->unknown, c->unknown);
		fold_release(&f);
	}
}

/* ---- bounds ---- */

static void memory_is_that_of_the_distinct_stacks(void **state)
{
	size_t len, used;
	cleanup_free char *text = data_file("6.1-dwarf", ".txt", &len);
	struct fold f;

	(void)state;
	fold_init(&f);
	fold_feed(&f, text, len);
	used = f.texts.arena.used_bytes + f.frames.arena.used_bytes + f.stacks.arena.used_bytes +
	       f.threads.arena.used_bytes + f.events.arena.used_bytes;
	for (int i = 1; i < 2000; i++)
		fold_feed(&f, text, len);
	fold_end(&f);
	assert_int_equal(f.samples, 20000);
	assert_int_equal(f.stacks.len, 5);
	assert_int_equal(f.texts.arena.used_bytes + f.frames.arena.used_bytes +
				 f.stacks.arena.used_bytes + f.threads.arena.used_bytes +
				 f.events.arena.used_bytes,
		used);
	assert_true(f.now.cap < 4096 && f.rest.cap < 65536);
	fold_release(&f);
}

static void endless_line(void **state)
{
	static const char end[] = "\nt 1/1 1.0: e: \n\t1 main (/t)\n\n";
	cleanup_free char *block = mem_calloc(1, 65536);
	struct fold f;

	(void)state;
	memset(block, 'x', 65536);
	fold_init(&f);
	for (int i = 0; i < 1000; i++)
		fold_feed(&f, block, 65536);
	assert_true(f.rest.cap <= (size_t)2 << 20);
	fold_feed(&f, end, strlen(end));
	fold_end(&f);
	assert_int_equal(f.unreadable_lines, 1);
	assert_int_equal(f.samples, 1);
	fold_release(&f);
}

static void endless_stack(void **state)
{
	struct fold f;

	(void)state;
	fold_init(&f);
	fold_feed(&f, "t 1/1 1.0: e: \n", 15);
	for (int i = 0; i < 100000; i++)
		fold_feed(&f, "\t1 f (/t)\n", 10);
	fold_end(&f);
	assert_int_equal(f.samples, 1);
	assert_int_equal(f.unreadable_lines, 100000 - 65536);
	fold_release(&f);
}

/* Whatever comes, nothing breaks and each stack has its samples. */
static void damaged(void **state)
{
	uint64_t random = 1;

	(void)state;
	for (size_t i = 0; i < RECORDED_LEN; i++) {
		size_t len;
		cleanup_free char *text = data_file(recorded[i].name, ".txt", &len);

		for (int round = 0; round < 100; round++) {
			uint64_t samples = 0;
			struct fold f;

			for (int k = 0; k < 4; k++) {
				random = random * 6364136223846793005U + 1442695040888963407U;
				text[(random >> 33) % len] = (char)(random >> 25);
			}
			fold_pieces(&f, text, (random >> 20) % len, 100);
			for (size_t k = 0; k < f.stacks.len; k++)
				samples += f.stack_samples.at[k];
			assert_int_equal(samples, f.samples);
			fold_release(&f);
		}
	}
}

static void nothing(void **state)
{
	struct fold f;

	(void)state;
	fold_init(&f);
	fold_end(&f);
	expect_folded(&f, "");
	assert_null(fold_event(&f));
	fold_release(&f);
}

/* ---- figures ---- */

static const char recursion[] =
	"t 1/1 1.0: e: \n\t1 f (/t)\n\t2 f (/t)\n\t3 main (/t)\n\n"
	"t 1/1 1.0: e: \n\t1 g (/t)\n\t2 f (/t)\n\t3 main (/t)\n\n"
	"t 1/1 1.0: e: \n\t9 [unknown] (/u)\n\t3 main (/t)\n\t4 _start (/t)\n\n"
	"w x 1/2 1.0: e: \n\t1 g (/t)\n\n"
	"k 3/3 1.0: e: \n\n";

static void expect_function(
	const struct res_cpu_function *f, const char *name, uint64_t self, uint64_t total)
{
	assert_string_equal(f->name, name);
	assert_int_equal(f->self, self);
	assert_int_equal(f->total, total);
	assert_true(f->self_share == (double)self / 5 && f->total_share == (double)total / 5);
}

static void figures(void **state)
{
	struct res_cpu *r = result_make(&schema_cpu);
	struct fold f;

	(void)state;
	fold_pieces(&f, recursion, strlen(recursion), 10);
	r->sampling = RES_OBJ(r, cpu_sampling);
	stats_fill(&f, r);
	fold_release(&f); /* nothing of it is used any more */

	assert_int_equal(r->sampling->samples, 5);
	assert_int_equal(r->sampling->stacks, 5);
	assert_int_equal(r->sampling->frames, 10);
	assert_int_equal(r->sampling->unknown_frames, 1);
	assert_int_equal(r->sampling->without_stack, 1);
	assert_int_equal(r->sampling->cut, 1); /* g of w x: nothing called it */
	assert_int_equal(r->functions_by_self.len, 3);
	expect_function(&r->functions_by_self.at[0], "g", 2, 2);
	expect_function(&r->functions_by_self.at[1], "f", 1, 2);
	expect_function(&r->functions_by_self.at[2], "[u]", 1, 1);
	assert_int_equal(r->functions_by_total.len, 5);
	expect_function(&r->functions_by_total.at[0], "main", 0, 3);
	expect_function(&r->functions_by_total.at[1], "g", 2, 2);
	assert_int_equal(r->threads.len, 3);
	assert_int_equal(r->threads.at[0].samples, 3);
	assert_string_equal(r->threads.at[1].comm, "w x");
	assert_int_equal(r->processes.len, 2);
	assert_int_equal(r->processes.at[0].threads, 2);
	assert_int_equal(r->processes.at[0].samples, 4);
	assert_string_equal(r->processes.at[0].comm, "t");
	result_free(r);
}

static void interrupts_are_charged_to_what_they_came_upon(void **state)
{
	static const char text[] =
		"t 1/1 1.0: e: \n\t1 burn (/t)\n\t2 main (/t)\n\n"
		"t 1/1 1.0: e: \n\t1 irqentry_exit_to_user_mode ([kernel.kallsyms])\n"
		"\t2 asm_sysvec_apic_timer_interrupt ([kernel.kallsyms])\n"
		"\t3 burn (/t)\n\t4 main (/t)\n\n"
		/* an interrupt in an interrupt, and one that came upon the idle kernel */
		"t 1/1 1.0: e: \n\t1 rcu_core ([kernel.kallsyms])\n\t2 el1h_64_irq (k)\n"
		"\t3 asm_common_interrupt (k)\n\t4 main (/t)\n\n"
		"t 1/1 1.0: e: \n\t1 rcu_core ([kernel.kallsyms])\n\t2 asm_exc_nmi (k)\n\n"
		"t 1/1 1.0: e: \n\t1 rcu_core ([kernel.kallsyms])\n\t2 sys (k)\n\n"
		"t 1/1 1.0: e: \n\t4 main (/t)\n\n";
	static const struct {
		const char *name;
		uint64_t self, charged;
	} want[] = {{"rcu_core", 3, 1}, {"main", 1, 2}, {"burn", 1, 2},
		{"irqentry_exit_to_user_mode", 1, 0}};
	struct res_cpu *r = result_make(&schema_cpu);
	struct fold f;

	(void)state;
	fold_pieces(&f, text, strlen(text), 10);
	r->sampling = RES_OBJ(r, cpu_sampling);
	stats_fill(&f, r);
	fold_release(&f);
	assert_int_equal(r->functions_by_self.len, LEN(want));
	for (size_t i = 0; i < LEN(want); i++) {
		const struct res_cpu_function *fn = &r->functions_by_self.at[i];

		assert_string_equal(fn->name, want[i].name);
		assert_int_equal(fn->self, want[i].self);
		assert_int_equal(fn->charged, want[i].charged);
	}
	result_free(r);
}

static void stacks_that_are_cut(void **state)
{
	/* Leaf first, as perf has them; of 2 samples of one thread, or of two with another comm. */
	static const struct {
		const char *stack;
		uint64_t cut;
	} rows[] = {
		{"a 1/1 1.0: e: \n\t1 f (/t)\n\t2 main (/t)\n\t3 __libc_start_call_main (/l)\n\n",
			0},
		{"a 1/1 1.0: e: \n\t1 f (/t)\n\t2 main (/t)\n\t3 _start (/t)\n\n", 0},
		{"a 1/1 1.0: e: \n\t1 f (/t)\n\t2 start_thread (/l)\n\t3 clone3 (/l)\n\n", 0},
		{"a 1/1 1.0: e: \n\t1 f (/t)\n\t2 main (/t)\n\t3 [unknown] ([unknown])\n\n", 0},
		{"a 1/1 1.0: e: \n\t1 main.f (/t)\n\t2 runtime.goexit.abi0 (/t)\n\n", 0},
		{"a 1/1 1.0: e: \n\t1 f (/t)\n\t2 [unknown] ([unknown])\n\n", 1},
		{"a 1/1 1.0: e: \n\t1 f (/t)\n\t1 f (/t)\n\n", 1},
		/* What makes a thread is no start of its own. */
		{"a 1/1 1.0: e: \n\t1 clone (/l)\n\t2 f (/t)\n\n", 1},
		/* Without symbols nothing is known.. */
		{"a 1/1 1.0: e: \n\t1 [unknown] (/t)\n\t2 [unknown] (/t)\n\n", 0},
		/* .. unless other stacks of these threads have a start. */
		{"a 1/1 1.0: e: \n\t1 [unknown] (/t)\n\t2 [unknown] (/t)\n\n"
		 "a 1/1 1.0: e: \n\t1 [unknown] (/t)\n\t3 __libc_start_main@@GLIBC_2.34 (/l)\n\t4 "
		 "[unknown] (/t)\n\n",
			1},
		{"a 1/1 1.0: e: \n\t1 [unknown] (/t)\n\n"
		 "b 1/1 1.0: e: \n\t1 f (/t)\n\t4 _start (/t)\n\n",
			0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct res_cpu *r = result_make(&schema_cpu);
		struct fold f;

		fold_pieces(&f, rows[i].stack, strlen(rows[i].stack), 10);
		r->sampling = RES_OBJ(r, cpu_sampling);
		stats_fill(&f, r);
		fold_release(&f);
		if (r->sampling->cut != rows[i].cut)
			fail_msg("row %zu: cut %llu", i, (unsigned long long)r->sampling->cut);
		result_free(r);
	}
}

static void no_figures(void **state)
{
	struct res_cpu *r = result_make(&schema_cpu);
	struct fold f;

	(void)state;
	fold_pieces(&f, "", 0, 1);
	r->sampling = RES_OBJ(r, cpu_sampling);
	stats_fill(&f, r);
	assert_int_equal(r->sampling->samples, 0);
	assert_true(isnan(r->sampling->unknown_share));
	assert_null(r->sampling->event_used);
	assert_int_equal(r->functions_by_self.len + r->threads.len + r->processes.len, 0);
	fold_release(&f);
	result_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(recorded_outputs),
		cmocka_unit_test(frames),
		cmocka_unit_test(memory_is_that_of_the_distinct_stacks),
		cmocka_unit_test(endless_line),
		cmocka_unit_test(endless_stack),
		cmocka_unit_test(damaged),
		cmocka_unit_test(nothing),
		cmocka_unit_test(figures),
		cmocka_unit_test(interrupts_are_charged_to_what_they_came_upon),
		cmocka_unit_test(stacks_that_are_cut),
		cmocka_unit_test(no_figures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
