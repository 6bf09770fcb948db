/* SPDX-License-Identifier: GPL-3.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tracer/stacks/weights.h"

static const struct sys_def write_def = {.name = "write", .class = CLASS_DESC};
static const struct sys_def read_def = {.name = "read", .class = CLASS_DESC};

/* What is given, by stack (0: none was taken) and call (0 write, 1 read). */
struct given {
	uint64_t v[4][2][STACKS_WEIGHTS];
};

static void give(
	void *ctx, uint32_t stack_id, const struct sys_def *def, const uint64_t v[STACKS_WEIGHTS])
{
	struct given *g = ctx;

	for (size_t i = 0; i < STACKS_WEIGHTS; i++)
		g->v[stack_id][def == &read_def][i] += v[i];
}

static void add(struct weights *w, const struct sys_def *def, uint64_t site, uint64_t ns,
	uint32_t stack_id, int first, double chance)
{
	weights_add(w,
		&(struct sys_event){.def = def,
			.ret = 10,
			.entry_ns = 1000,
			.exit_ns = 1000 + ns,
			.m = {.bytes_moved = 10},
			.mm_id = 1,
			.stack_id = stack_id,
			.stack_first = (uint8_t)first,
			.site = site},
		chance);
}

static void expect(const struct given *g, uint32_t stack_id, int read, uint64_t calls, uint64_t ns)
{
	const uint64_t *v = g->v[stack_id][read];

	assert_int_equal(v[STACKS_CALLS], calls);
	assert_int_equal(v[STACKS_TIME], ns);
	assert_int_equal(v[STACKS_BYTES], 10 * calls);
}

/* The first ones stand for themselves; the rest is shared by what was taken by chance. */
static void shares(void **state)
{
	struct weights *w = weights_new();
	struct given g = {0};

	(void)state;
	add(w, &write_def, 5, 700, 3, 1, 0);
	for (int i = 0; i < 997; i++)
		add(w, &write_def, 5, 1, 0, 0, 0);
	add(w, &write_def, 5, 1, 1, 0, 0.01);
	add(w, &write_def, 5, 100002, 2, 0, 1);
	add(w, &write_def, 5, 0, 2, 0, 1);
	weights_all(w, give, &g);
	expect(&g, 3, 0, 1, 700);
	assert_int_equal(g.v[1][0][STACKS_CALLS], 980);  /* 100 of 102, of 1000 */
	assert_int_equal(g.v[1][0][STACKS_TIME], 101);   /* 100 of 100102, of 101000 */
	assert_int_equal(g.v[1][0][STACKS_BYTES], 9804); /* 1000 of 1020, of 10000 */
	g.v[1][0][STACKS_CALLS] += g.v[2][0][STACKS_CALLS];
	assert_int_equal(g.v[1][0][STACKS_CALLS], 1000);
	assert_int_equal(g.v[1][0][STACKS_TIME] + g.v[2][0][STACKS_TIME], 997 + 1 + 100002);
	assert_int_equal(weights_sites(w), 1);
	weights_free(w);
}

static void first_ones_stand_for_the_rest(void **state)
{
	struct weights *w = weights_new();
	struct given g = {0};

	(void)state;
	add(w, &write_def, 5, 30, 1, 1, 0);
	add(w, &write_def, 5, 10, 2, 1, 0);
	for (int i = 0; i < 10; i++)
		add(w, &write_def, 5, 4, 0, 0, 0);
	weights_all(w, give, &g);
	expect(&g, 1, 0, 6, 60);
	expect(&g, 2, 0, 6, 20);
	expect(&g, 0, 0, 0, 0);
	weights_free(w);
}

static void sites_are_apart(void **state)
{
	struct weights *w = weights_new();
	struct given g = {0};

	(void)state;
	add(w, &write_def, 5, 10, 1, 0, 0.5);
	add(w, &write_def, 5, 10, 0, 0, 0);
	add(w, &write_def, 6, 10, 2, 0, 0.001);
	add(w, &read_def, 5, 10, 3, 0, 0.5);
	add(w, &read_def, 6, 10, 0, 0, 0); /* none was taken */
	weights_fold(w, 2, give, &g);      /* another address space */
	expect(&g, 1, 0, 0, 0);
	weights_fold(w, 1, give, &g);
	weights_all(w, give, &g); /* nothing is left */
	expect(&g, 1, 0, 2, 20);
	expect(&g, 2, 0, 1, 10);
	expect(&g, 3, 1, 1, 10);
	expect(&g, 0, 1, 1, 10);
	assert_int_equal(weights_sites(w), 4);
	weights_free(w);
}

static void sums_are_exact(void **state)
{
	struct weights *w = weights_new();
	struct given g = {0};
	uint64_t total = 0;

	(void)state;
	for (uint64_t i = 0; i < 1000; i++) {
		uint32_t stack_id = i % 7 == 0 ? 1 + (uint32_t)(i / 7 % 3) : 0;

		add(w, &write_def, 5, i * i, stack_id, 0, 0.1 + (double)i / 2000);
		total += i * i;
	}
	weights_all(w, give, &g);
	for (uint32_t k = 0; k < 4; k++) {
		total -= g.v[k][0][STACKS_TIME];
		g.v[0][1][STACKS_CALLS] += g.v[k][0][STACKS_CALLS];
	}
	assert_int_equal(total, 0);
	assert_int_equal(g.v[0][1][STACKS_CALLS], 1000);
	expect(&g, 0, 0, 0, 0);
	weights_free(w);
}

static void first_ones(void **state)
{
	struct weights *w = weights_new();
	struct sys_event ev = {.def = &write_def, .mm_id = 1, .site = 5};
	struct sys_event other = {.def = &write_def, .mm_id = 2, .site = 5};

	(void)state;
	assert_true(weights_is_first(w, &ev, 2));
	assert_true(weights_is_first(w, &ev, 2));
	assert_false(weights_is_first(w, &ev, 2));
	assert_true(weights_is_first(w, &other, 2));
	weights_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shares),
		cmocka_unit_test(first_ones_stand_for_the_rest),
		cmocka_unit_test(sites_are_apart),
		cmocka_unit_test(sums_are_exact),
		cmocka_unit_test(first_ones),
	};

	return cmocka_run_group_tests_name("weights", tests, NULL, NULL);
}
