/* SPDX-License-Identifier: GPL-3.0-only */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "common/base/mem.h"
#include "common/runner/backend.h"

/* The table's; none of them is used here. */
#define BACKEND(name) const struct backend backend_##name = {.id = #name};
#include "common/runner/backends.def"
#undef BACKEND

/* ---- the status of a run that went wrong ---- */

static const char *const load[] = {"load", NULL};
static const struct scenario plain, loaded = {.load = load};

static void trouble_has_a_status(void **state)
{
	static const struct {
		enum drive_trouble trouble;
		int status, with_load;
	} rows[] = {
		{DRIVE_FINE, 0, 0},
		{DRIVE_TIMED_OUT, 124, 2},
		{DRIVE_NEVER_READY, 2, 2},
		{DRIVE_LOAD_FAILED, 2, 2},
		{DRIVE_INTERRUPTED, 2, 2},
		{DRIVE_LET_GO, 2, 2},
	};

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		const struct drive_result d = {.trouble = rows[i].trouble};

		print_message("# %s\n", drive_trouble_code(d.trouble));
		assert_int_equal(backend_trouble_status(&(struct backend_run){.sc = &plain}, &d),
			rows[i].status);
		assert_int_equal(backend_trouble_status(&(struct backend_run){.sc = &loaded}, &d),
			rows[i].with_load);
	}
}

static void attached_to_nothing(void **state)
{
	static const struct {
		struct drive_result d;
		const struct scenario *sc;
		int status, code;
	} rows[] = {
		{{.tool_started = 1, .trouble = DRIVE_TIMED_OUT}, &plain, 0, 0},
		{{.trouble = DRIVE_TIMED_OUT, .text = "late"}, &plain, 124, -ECHILD},
		{{.trouble = DRIVE_TIMED_OUT, .text = "late"}, &loaded, 2, -ECHILD},
		{{.trouble = DRIVE_NEVER_READY, .text = "never"}, &plain, 2, -ECHILD},
		{{.text = "gone"}, &plain, 2, -ECHILD},
		{{.trouble = DRIVE_TIMED_OUT, .interrupted = 15, .text = "TERM"}, &plain, 130,
			-EINTR},
	};

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		struct attach attach = {0};
		const struct backend_run in = {.sc = rows[i].sc, .attach = &attach};
		struct backend_result ret = {0};
		struct err err = {0};

		assert_int_equal(backend_not_attached(&in, &rows[i].d, &ret, &err), rows[i].code);
		assert_int_equal(ret.status, rows[i].status);
		assert_string_equal(err.text, rows[i].code ? rows[i].d.text : "");
	}
}

static void a_target_that_was_started(void **state)
{
	const struct drive_result d = {.trouble = DRIVE_TIMED_OUT};
	struct backend_result ret = {0};
	struct err err = {0};

	(void)state;
	assert_int_equal(
		backend_not_attached(&(struct backend_run){.sc = &plain}, &d, &ret, &err), 0);
	assert_int_equal(ret.status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(trouble_has_a_status),
		cmocka_unit_test(attached_to_nothing),
		cmocka_unit_test(a_target_that_was_started),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
