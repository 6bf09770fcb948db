/* SPDX-License-Identifier: GPL-3.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "common/base/map.h"

#define KEYS  200
#define STEPS 200000

static uint64_t next_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

/* Keys as they come: small, pages, tids in the upper half, and the extremes. */
static uint64_t key_of(size_t i)
{
	switch (i % 4) {
	case 0:
		return i;
	case 1:
		return (uint64_t)i << 12;
	case 2:
		return (uint64_t)i << 32 | 5;
	default:
		return UINT64_MAX - i + 3;
	}
}

static void expect_same(const struct map *m, void *const *model)
{
	struct map_iter it = {0};
	size_t live = 0, seen = 0;

	for (size_t i = 0; i < KEYS; i++) {
		live += model[i] != NULL;
		assert_ptr_equal(map_get(m, key_of(i)), model[i]);
	}
	assert_int_equal(m->len, live);
	while (map_next(m, &it)) {
		assert_ptr_equal(map_get(m, it.key), it.value);
		seen++;
	}
	assert_int_equal(seen, live);
}

/* Random sets and deletions against an array, with phases that grow and phases that shrink. */
static void against_a_model(void **state)
{
	static char values[1000];
	void *model[KEYS] = {0};
	struct map m = {0};
	uint64_t seed = 7;

	(void)state;
	expect_same(&m, model);
	for (size_t step = 0; step < STEPS; step++) {
		size_t i = next_random(&seed) % KEYS;
		uint64_t shrinking = step / 1000 % 2;

		if (next_random(&seed) % 4 < 1 + 2 * shrinking) {
			assert_ptr_equal(map_del(&m, key_of(i)), model[i]);
			model[i] = NULL;
		} else {
			model[i] = &values[next_random(&seed) % sizeof(values)];
			map_set(&m, key_of(i), model[i]);
		}
		if (step % 97 == 0)
			expect_same(&m, model);
	}
	expect_same(&m, model);
	map_release(&m);
	assert_null(map_get(&m, 1));
}

/* A table that lives long with few entries must not grow, nor its probes. */
static void churn_stays_small(void **state)
{
	struct map m = {0};
	char value;

	(void)state;
	for (uint64_t key = 0; key < 100000; key++) {
		map_set(&m, key, &value);
		if (key >= 8)
			assert_ptr_equal(map_del(&m, key - 8), &value);
	}
	assert_int_equal(m.len, 8);
	assert_true(m.cap <= 64);
	map_release(&m);
}

static void empty_map(void **state)
{
	struct map m = {0};
	struct map_iter it = {0};

	(void)state;
	assert_null(map_get(&m, 0));
	assert_null(map_del(&m, 0));
	assert_int_equal(map_next(&m, &it), 0);
	map_release(&m);
}

static void set_while_iterating(void **state)
{
	struct map_iter it = {0};
	struct map m = {0};
	char a, b;
	size_t n = 0;

	(void)state;
	for (uint64_t key = 0; key < 12; key++) /* as full as it gets before it grows */
		map_set(&m, key, &a);
	while (map_next(&m, &it)) {
		map_set(&m, it.key, &b);
		n++;
	}
	assert_int_equal(n, 12);
	assert_ptr_equal(map_get(&m, 11), &b);
	map_release(&m);
}

static void counting(void **state)
{
	struct counts c = {0};

	(void)state;
	counts_add(&c, 32, 9);
	counts_add(&c, 7, 1);
	counts_add(&c, UINT64_MAX, 2);
	counts_add(&c, 0, 4);
	counts_add(&c, 32, 1);
	counts_add(&c, 5, 0);
	assert_int_equal(c.len, 4);
	assert_true(c.at[0].key == 32 && c.at[0].count == 10);
	assert_true(c.at[1].key == 7 && c.at[1].count == 1);
	assert_true(c.at[2].key == UINT64_MAX && c.at[2].count == 2);
	assert_true(c.at[3].key == 0 && c.at[3].count == 4);
	assert_true(c.other == 0);
	counts_release(&c);
	counts_release(&c);
}

static void counting_is_bounded(void **state)
{
	struct counts c = {0};

	(void)state;
	for (uint64_t key = 0; key < COUNTS_CAP + 10; key++)
		counts_add(&c, key, 2);
	counts_add(&c, 3, 5);              /* a known key is still exact */
	counts_add(&c, COUNTS_CAP + 3, 1); /* one that came too late is not */
	assert_int_equal(c.len, COUNTS_CAP);
	assert_true(c.other == 21);
	assert_true(c.at[3].count == 7);
	counts_release(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(against_a_model),
		cmocka_unit_test(churn_stays_small),
		cmocka_unit_test(empty_map),
		cmocka_unit_test(set_while_iterating),
		cmocka_unit_test(counting),
		cmocka_unit_test(counting_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
