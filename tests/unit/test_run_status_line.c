/* SPDX-License-Identifier: GPL-3.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/runner/status_line.h"

/* Lines as they come, and what is shown after each. */
static const struct {
	const char *line, *figures;
} rows[] = {
	{"", ""},
	{"garbage", ""},
	{"1.000", ""},
	{"1.000 500\n", "500 calls/s"},
	{"1.000 900\n", "500 calls/s"}, /* not new */
	{"2.000 30200 recvmmsg 9890 20000\n", "29,700 calls/s  recvmmsg 2.0/call"},
	{"2.500 30200 recvmmsg 9890 20000\n", "0 calls/s  recvmmsg 2.0/call"},
	{"3.000 10\n", "0 calls/s  recvmmsg 2.0/call"}, /* the window began */
	{"4.000 20 sendmmsg 0 0\n", "10 calls/s"},
	{"5.000 30 sendmmsg 3\n", "10 calls/s"},
	{"99999999999999999999 x", "10 calls/s"},
};

static void lines(void **state)
{
	struct status_line last = {0};
	char figures[96] = "";

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		status_figures(rows[i].line, &last, figures, sizeof(figures));
		assert_string_equal(figures, rows[i].figures);
	}
}

static void a_small_buffer_is_enough(void **state)
{
	struct status_line last = {0};
	char figures[12] = "";

	(void)state;
	status_figures("1 123456789 recvmmsg 2 4", &last, figures, sizeof(figures));
	assert_string_equal(figures, "123,456,789");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines),
		cmocka_unit_test(a_small_buffer_is_enough),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
