/* SPDX-License-Identifier: GPL-3.0-only */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>

#include "common/merge/odd.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void scores_by_hand(void **state)
{
	/* median 6, deviations 1 2 3 4 5 5 4 3 2 1 0 94: MAD 3 */
	const double v[] = {7, 8, 9, 10, 11, 1, 2, 3, 4, 5, 6, 100};
	double scores[COUNT(v)];
	const double median = odd_scores(v, COUNT(v), scores);

	(void)state;
	assert_true(fabs(median - 6.5) < 1e-9);
	assert_true(fabs(scores[11] - 0.6745 * 93.5 / 3) < 1e-6);
	assert_true(fabs(scores[0] - 0.6745 * 0.5 / 3) < 1e-6);
}

/* More than half are the same: by the mean deviation. All: nobody is odd. */
static void same_values(void **state)
{
	double v[20], scores[20];

	(void)state;
	for (size_t i = 0; i < COUNT(v); i++)
		v[i] = 8;
	assert_true(odd_scores(v, COUNT(v), scores) == 8);
	assert_true(scores[3] == 0);
	v[3] = 1;
	assert_true(odd_scores(v, COUNT(v), scores) == 8);
	assert_true(fabs(scores[3] + 20 / 1.253314) < 1e-6);
	assert_true(scores[4] == 0);
}

static void few_hosts(void **state)
{
	double v[11], scores[11]; /* one more than ODD_HOSTS_MIN */

	(void)state;
	for (size_t i = 0; i < COUNT(v); i++)
		v[i] = i < 2 ? NAN : (double)i;
	assert_true(isnan(odd_scores(v, COUNT(v), scores)));
	assert_true(isnan(scores[5]));
	v[0] = 0;
	assert_true(!isnan(odd_scores(v, COUNT(v), scores)));
	assert_true(isnan(scores[1]));
	assert_true(!isnan(scores[5]));
}

/* Student's t, two-sided: 5% of df 2 is 4.303, of df 10 2.228; 0.0001 of df 10 is 6.211. */
static void thresholds(void **state)
{
	(void)state;
	assert_true(odd_threshold(0, 100) == 3.5);
	assert_true(odd_threshold(1, 100) == 3.5);
	assert_true(fabs(odd_threshold(1, 3) - 4.303) < 0.001);
	assert_true(fabs(odd_threshold(500, 29) - 6.211) < 0.001);
	assert_true(odd_threshold(100000, 1000000) < 5.1); /* the normal one is 5.03 */
}

/* ---- how often one is called odd that is not ---- */

static uint64_t seed;

static double uniform(void)
{
	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return ((double)(seed >> 11) + 0.5) / 9007199254740992.0;
}

static double normal(void)
{
	return sqrt(-2 * log(uniform())) * cos(2 * M_PI * uniform());
}

static size_t false_families(size_t hosts, size_t figures, size_t families)
{
	double v[200], scores[200];
	size_t found = 0;
	const double threshold = odd_threshold(hosts * figures, hosts);

	for (size_t k = 0; k < families; k++) {
		int odd = 0;

		for (size_t f = 0; f < figures; f++) {
			for (size_t i = 0; i < hosts; i++)
				v[i] = 100 + normal();
			odd_scores(v, hosts, scores);
			for (size_t i = 0; i < hosts; i++)
				odd |= fabs(scores[i]) > threshold;
		}
		found += (size_t)odd;
	}
	return found;
}

/* The promise is 5% of families; the effect that merge asks for besides is not here. */
static void false_alarms(void **state)
{
	static const size_t hosts[] = {10, 12, 20, 40, 100, 200};

	(void)state;
	seed = 1;
	for (size_t i = 0; i < COUNT(hosts); i++) {
		size_t found = false_families(hosts[i], 24, 200);

		print_message("# %zu hosts: %zu of 200 families\n", hosts[i], found);
		assert_true(found <= 20);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scores_by_hand),
		cmocka_unit_test(same_values),
		cmocka_unit_test(few_hosts),
		cmocka_unit_test(thresholds),
		cmocka_unit_test(false_alarms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
