/* SPDX-License-Identifier: GPL-3.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "common/base/nearest.h"

static void the_nearest_name(void **state)
{
	static const char *const names[] = {"read", "write", "writev", "wall_time"};
	static const struct {
		const char *word, *name;
		size_t most, distance;
	} rows[] = {{"write", "write", 2, 0}, {"wirte", "write", 2, 1}, {"writ", "write", 2, 1},
		{"writes", "write", 2, 1}, {"wrtev", "writev", 2, 1},
		{"walltime", "wall_time", 2, 1}, {"", NULL, 2, 3}, {"xxxxx", NULL, 2, 3},
		{"wirte", NULL, 0, 1}, {"raed", "read", 1, 1}, {"ab", NULL, 1, 2},
		/* half of the letters is another word */
		{"rope", NULL, 3, 4}, {"ad", NULL, 2, 3}, {"rea", "read", 2, 1},
		/* its case is a slip */
		{"READ", "read", 4, 4}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct nearest n = nearest_to(rows[i].word, rows[i].most);

		print_message("# '%s'\n", rows[i].word);
		for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++)
			nearest_try(&n, names[k]);
		assert_int_equal(n.distance, rows[i].distance);
		assert_true(!n.name == !rows[i].name);
		if (n.name)
			assert_string_equal(n.name, rows[i].name);
	}
}

static void what_is_said_of_it(void **state)
{
	struct nearest n = nearest_to("wirte", 2);
	char *hint = nearest_hint(&n);

	(void)state;
	assert_string_equal(hint, "");
	free(hint);
	nearest_try(&n, "write");
	hint = nearest_hint(&n);
	assert_string_equal(hint, "; did you mean 'write'?");
	free(hint);
}

/* Longer than what is compared: no overrun, and a prefix still counts. */
static void long_words(void **state)
{
	char a[300] = "", b[300];
	struct nearest n = nearest_to(a, 5);

	(void)state;
	memset(a, 'x', sizeof(a));
	memset(b, 'x', sizeof(b));
	a[299] = b[299] = '\0';
	nearest_try(&n, b);
	assert_int_equal(n.distance, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_nearest_name),
		cmocka_unit_test(what_is_said_of_it),
		cmocka_unit_test(long_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
