/* SPDX-License-Identifier: GPL-3.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "common/model/result.h"
#include "common/model/walk.h"

static void new_is_not_measured(void **state)
{
	struct res_result *r = result_new();

	(void)state;
	assert_string_equal(r->schema, RESULT_SCHEMA);
	assert_true(r->wall_ns == U64_NONE);
	assert_int_equal(r->complete, -1);
	assert_null(r->scenario);
	assert_null(r->tracer);
	assert_int_equal(r->syscalls.len, 0);
	r->tracer = RES_OBJ(r, tracer);
	assert_true(r->tracer->lost == U64_NONE);
	r->tracer->overhead = RES_OBJ(r, overhead);
	assert_true(isnan(r->tracer->overhead->estimated_share));
	RES_LIST(r, &r->syscalls, 3, syscall);
	assert_int_equal(r->syscalls.len, 3);
	assert_true(r->syscalls.at[2].no_return == U64_NONE);
	result_free(r);
	result_free(NULL);
}

struct offset_case {
	const struct shape *shape;
	const char *id;
	size_t offset;
	enum field_type type;
};

#define CASE(s, member, id, type)                                                                  \
	{                                                                                          \
		&shape_##s, id, offsetof(struct res_##s, member), FIELD_##type                     \
	}

/* A sample of what result.c computes without offsetof(), first and last members among it. */
static const struct offset_case offset_cases[] = {
	CASE(warning, code, "code", STR),
	CASE(warning, text, "text", STR),
	CASE(exit, timed_out, "timed_out", BOOL),
	CASE(overhead, estimated_share, "estimated_share", DBL),
	CASE(tracer, traced_set, "traced_set", STRS),
	CASE(tracer, calls_recorded_in_process, "calls_recorded_in_process", U64),
	CASE(tracer, unpatched_sites, "unpatched_sites", LIST),
	CASE(tracer, overhead, "overhead", OBJ),
	CASE(tracer, detail_lines_left_out, "detail_lines_left_out", U64),
	CASE(batch, by_transferred, "by_transferred", KEYED),
	CASE(batch, histogram_overflow, "histogram_overflow", U64),
	CASE(syscall, errnos, "errno", COUNTS),
	CASE(syscall, datagrams, "datagrams", OBJ),
	CASE(result, schema, "schema", STR),
	CASE(result, complete, "complete", BOOL),
	CASE(result, warnings, "warnings", LIST),
	CASE(result, timeline, "timeline", OBJ),
};

static void offsets(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(offset_cases) / sizeof(offset_cases[0]); i++) {
		const struct offset_case *c = &offset_cases[i];
		size_t k = 0;

		while (k < c->shape->len && strcmp(c->shape->fields[k].id, c->id) != 0)
			k++;
		assert_true(k < c->shape->len);
		assert_int_equal(c->shape->fields[k].offset, c->offset);
		assert_int_equal(c->shape->fields[k].type, c->type);
	}
}

static size_t size_of(enum field_type type)
{
	switch (type) {
	case FIELD_STRS:
	case FIELD_COUNTS:
	case FIELD_LIST:
	case FIELD_KEYED:
		return 16;
	default:
		return 8;
	}
}

/* Every shape that can be reached from a whole file: members without gaps, ids without doubles, and
 * a key where a KEYED needs one. */
static void check_shape(const struct shape *s, int depth)
{
	size_t end = 0;

	assert_true(depth < 10);
	for (size_t i = 0; i < s->len; i++) {
		const struct field *f = &s->fields[i];

		assert_int_equal(f->offset, end);
		end += size_of(f->type);
		assert_non_null(f->meaning);
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(s->fields[k].id, f->id);
		if (f->unit == UNIT_KEY)
			assert_true(i == 0 && f->type == FIELD_STR);
		if (f->type == FIELD_KEYED)
			assert_int_equal(f->shape->fields[0].unit, UNIT_KEY);
		if (f->shape)
			check_shape(f->shape, depth + 1);
	}
	assert_int_equal(end, s->size);
}

static void shapes(void **state)
{
	(void)state;
	for (const struct schema *const *schema = schemas; *schema; schema++)
		check_shape((*schema)->shape, 0);
}

static void warnings(void **state)
{
	struct res_result *r = result_new();

	(void)state;
	result_warn(r, "lost", "%d calls", 3);
	result_warn(r, "late", "x");
	result_warn(r, "lost", "%d calls", 4);
	assert_int_equal(r->warnings.len, 2);
	assert_string_equal(r->warnings.at[0].code, "lost");
	assert_string_equal(r->warnings.at[0].text, "3 calls");
	assert_string_equal(r->warnings.at[1].code, "late");
	assert_int_equal(r->complete, -1);
	result_free(r);
}

static void syscall_by_name(void **state)
{
	struct res_result *r = result_new();

	(void)state;
	assert_null(result_syscall(r, "read"));
	RES_LIST(r, &r->syscalls, 3, syscall);
	r->syscalls.at[1].name = "write";
	r->syscalls.at[2].name = "read";
	assert_ptr_equal(result_syscall(r, "read"), &r->syscalls.at[2]);
	assert_null(result_syscall(r, "rea"));
	result_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(new_is_not_measured),
		cmocka_unit_test(offsets),
		cmocka_unit_test(shapes),
		cmocka_unit_test(warnings),
		cmocka_unit_test(syscall_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
