/* SPDX-License-Identifier: GPL-3.0-only */
/* CSV: fields, which tables and columns there are, and whole tables of results built by hand. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/out.h"
#include "common/model/json.h"
#include "common/model/result.h"
#include "common/write/csv.h"

static void test_text(void **state)
{
	static const struct {
		const char *from, *exact, *terminal;
	} rows[] = {
		{NULL, "", ""}, /* not measured */
		{"", "\"\"", "\"\""},
		{"plain text", "plain text", "plain text"},
		{"a,b", "\"a,b\"", "\"a,b\""},
		{"say \"x\"", "\"say \"\"x\"\"\"", "\"say \"\"x\"\"\""},
		{"\"", "\"\"\"\"", "\"\"\"\""},
		{"two\nlines", "\"two\nlines\"", "two\\nlines"},
		{"cr\rlf\n", "\"cr\rlf\n\"", "cr\\rlf\\n"},
		{"\x1b[31m", "\"\x1b[31m\"", "\\x1b[31m"},
		{"\x7f", "\"\x7f\"", "\\x7f"},
		{"=1+1", "'=1+1", "'=1+1"},
		{"+5%", "'+5%", "'+5%"},
		{"-x", "'-x", "'-x"},
		{"@SUM(A1)", "'@SUM(A1)", "'@SUM(A1)"},
		{"\tx", "\"'\tx\"", "'\\tx"},
		{"\rx", "\"'\rx\"", "'\\rx"},
		{"=a,\"b\"", "\"'=a,\"\"b\"\"\"", "\"'=a,\"\"b\"\"\""},
		{"a=b+c-d@e", "a=b+c-d@e", "a=b+c-d@e"},
		{"'=x", "'=x", "'=x"},
		{"\xc3\xa9", "\xc3\xa9", "\xc3\xa9"},
	};

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		struct out o;

		out_init_mem(&o);
		csv_text(&o, rows[i].from, CSV_EXACT);
		assert_string_equal(out_text(&o), rows[i].exact);
		out_release(&o);
		out_init_mem(&o);
		csv_text(&o, rows[i].from, CSV_TERMINAL);
		assert_string_equal(out_text(&o), rows[i].terminal);
		out_release(&o);
	}
}

static void test_real(void **state)
{
	static const struct {
		double from;
		const char *to;
	} rows[] = {
		{0.1, "0.1"},
		{-0.5, "-0.5"},
		{1.0 / 3, "0.3333333333333333"},
		{0.1 + 0.2, "0.30000000000000004"},
		{5e-324, "4.94065645841247e-324"},
		{0, "0"},
		{3, "3"},
		{9007199254740993.0, "9007199254740992"},
		{1e300, "1e+300"},
		{NAN, "null"},
		{INFINITY, "null"},
		{-INFINITY, "null"},
	};

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		struct out o;

		out_init_mem(&o);
		json_write_real(&o, rows[i].from);
		assert_string_equal(out_text(&o), rows[i].to);
		if (isfinite(rows[i].from))
			assert_true(strtod(out_text(&o), NULL) == rows[i].from);
		out_release(&o);
	}
}

/* ---- tables ---- */

static void check_table(const struct schema *schema, const void *doc, const char *name,
	uint64_t rows, const char *expected)
{
	struct csv_tables t;
	const struct csv_table *table;
	struct out o;

	csv_tables_init(&t, schema);
	table = csv_find(&t, name);
	assert_non_null(table);
	out_init_mem(&o);
	csv_write(table, doc, CSV_EXACT, &o);
	assert_string_equal(out_text(&o), expected);
	assert_int_equal(csv_rows(table, doc), rows);
	out_release(&o);
	csv_tables_release(&t);
}

/* Of any schema: no two tables, and no two columns of one, have the same name; an empty document
 * has no row but that of the whole. */
static void test_every_schema(void **state)
{
	(void)state;
	for (const struct schema *const *s = schemas; *s; s++) {
		void *doc = result_make(*s);
		struct csv_tables t;

		csv_tables_init(&t, *s);
		assert_true(t.len > 1);
		for (size_t i = 0; i < t.len; i++) {
			const struct csv_columns *c = &t.at[i].columns;

			assert_ptr_equal(csv_find(&t, t.at[i].name), &t.at[i]);
			assert_int_equal(csv_rows(&t.at[i], doc), i == 0);
			assert_true(c->len > 0 && *t.at[i].meaning);
			for (size_t k = 0; k < c->len; k++)
				for (size_t m = 0; m < k; m++)
					assert_string_not_equal(c->at[k].name, c->at[m].name);
		}
		assert_null(csv_find(&t, ""));
		assert_null(csv_find(&t, "nothing"));
		csv_tables_release(&t);
		result_free(doc);
	}
}

static struct res_result *two_calls(void)
{
	static struct res_count asked[] = {{"2", 3}, {"=x", U64_NONE}};
	struct res_result *r = result_new();
	struct res_batch *b = RES_OBJ(r, batch);

	RES_LIST(r, &r->syscalls, 2, syscall);
	r->syscalls.at[0].name = "read";
	r->syscalls.at[1].name = "sendmmsg";
	r->syscalls.at[1].batch = b;
	b->asked_histogram.at = asked;
	b->asked_histogram.len = LEN(asked);
	RES_LIST(r, &b->by_transferred, 1, by_transferred);
	b->by_transferred.at[0].key = "2";
	b->by_transferred.at[0].calls = 3;
	b->by_transferred.at[0].sum_sq_ns = 0.25;
	return r;
}

static void test_nested(void **state)
{
	struct res_result *r = two_calls();

	(void)state;
	check_table(&schema_result, r, "syscalls.batch.asked_histogram", 2,
		"name,key,count\nsendmmsg,2,3\nsendmmsg,'=x,\n");
	check_table(&schema_result, r, "syscalls.batch.by_transferred", 1,
		"name,key,calls,total_ns,sum_sq_ns,usual_calls,usual_ns,usual_sq_ns\n"
		"sendmmsg,2,3,,0.25,,,\n");
	check_table(&schema_result, r, "syscalls.latency_histogram", 0, "name,le_ns,count\n");
	result_free(r);
}

/* The name of a phase and that of a call in it are both called name. */
static void test_same_names(void **state)
{
	struct res_result *r = result_new();

	(void)state;
	RES_LIST(r, &r->phases, 2, phase);
	r->phases.at[0].name = "start-up";
	r->phases.at[1].name = "a\"b";
	RES_LIST(r, &r->phases.at[1].syscalls, 1, phase_call);
	r->phases.at[1].syscalls.at[0] = (struct res_phase_call){"read", 1, 0, UINT64_MAX - 1};
	check_table(&schema_result, r, "phases.syscalls", 1,
		"phases.name,name,calls,errors,wall_ns\n"
		"\"a\"\"b\",read,1,0,18446744073709551614\n");
	result_free(r);
}

static void test_strings(void **state)
{
	static const char *callers[] = {"main", NULL, ""};
	struct res_memory *m = result_make(&schema_memory);

	(void)state;
	RES_LIST(m, &m->processes, 2, memory_process);
	m->processes.at[1].pid = 7;
	RES_LIST(m, &m->processes.at[1].sites, 1, memory_site);
	m->processes.at[1].sites.at[0].function = "f<a, b>";
	m->processes.at[1].sites.at[0].callers = (struct res_strs){callers, LEN(callers)};
	check_table(&schema_memory, m, "processes.sites.callers", 3,
		"pid,function,place,index,value\n"
		"7,\"f<a, b>\",,0,main\n7,\"f<a, b>\",,1,\n7,\"f<a, b>\",,2,\"\"\n");
	result_free(m);
}

static void test_whole(void **state)
{
	struct res_run *r = result_make(&schema_run);
	struct res_compare *c = result_make(&schema_compare);

	(void)state;
	r->status = 1;
	check_table(&schema_run, r, "whole", 1, "schema,status\nprofile.run/1,1\n");
	c->base = "a,b";
	check_table(&schema_compare, c, "whole", 1,
		"schema,status,base,new,regressions,troubles,judged\nprofile.compare/"
		"1,,\"a,b\",,,,\n");
	result_free(r);
	result_free(c);
}

/* Two lists deep, and a list in an object. */
static void test_places(void **state)
{
	struct res_run *r = result_make(&schema_run);
	struct res_result *t = result_new();

	(void)state;
	RES_LIST(r, &r->scenarios, 1, run_scenario);
	r->scenarios.at[0].name = "s";
	RES_LIST(r, &r->scenarios.at[0].types, 1, run_type);
	r->scenarios.at[0].types.at[0].type = "io";
	RES_LIST(r, &r->scenarios.at[0].types.at[0].figures, 1, run_figure);
	r->scenarios.at[0].types.at[0].figures.at[0] = (struct res_run_figure){"n", "", -1.5, 2};
	check_table(&schema_run, r, "scenarios.types.figures", 1,
		"scenarios.name,type,name,unit,value,of\ns,io,n,\"\",-1.5,2\n");
	t->timeline = RES_OBJ(t, timeline);
	RES_LIST(t, &t->timeline->rows, 1, timeline_row);
	t->timeline->rows.at[0].t_ns = 5;
	check_table(&schema_result, t, "timeline.rows", 1,
		"t_ns,calls,errors,wall_ns,bytes,batch_calls,messages,mapped\n5,,,,,,,\n");
	result_free(r);
	result_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_real),
		cmocka_unit_test(test_every_schema),
		cmocka_unit_test(test_nested),
		cmocka_unit_test(test_same_names),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_places),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
