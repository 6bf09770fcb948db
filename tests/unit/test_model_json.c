/* SPDX-License-Identifier: GPL-3.0-only */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "common/model/json.h"
#include "common/model/walk.h"

static char dir[] = "/tmp/test_json.XXXXXX";

static int enter_dir(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	cleanup_free char *command = mem_printf("rm -rf %s", dir);

	(void)state;
	return system(command); /* NOLINT(cert-env33-c): a fixed command on a name of our own */
}

/* Writes text to a file named f and returns its path; the caller frees. */
static char *file_with(const char *text, size_t len)
{
	char *path = mem_printf("%s/f", dir);

	assert_int_equal(file_write(path, text, len, NULL), 0);
	return path;
}

static char *written(const struct res_result *r)
{
	struct out o;
	char *text;

	out_init_mem(&o);
	json_write_doc(r, &o);
	text = mem_strdup(out_text(&o));
	out_release(&o);
	return text;
}

/* ---- every field there and back ---- */

struct filler {
	struct res_result *r;
	uint64_t seed;
	int nested_null; /* leave objects null and lists empty */
};

static uint64_t next_random(struct filler *fill)
{
	fill->seed ^= fill->seed << 13;
	fill->seed ^= fill->seed >> 7;
	fill->seed ^= fill->seed << 17;
	return fill->seed;
}

static uint64_t random_u64(struct filler *fill)
{
	static const uint64_t special[] = {
		0, 1, INT64_MAX, 1ULL << 63, (1ULL << 63) + 12345, UINT64_MAX - 1, U64_NONE};
	uint64_t r = next_random(fill);

	return r % 3 ? r >> (r % 64) : special[r / 3 % (sizeof(special) / sizeof(special[0]))];
}

static double random_double(struct filler *fill)
{
	static const double special[] = {0, 1, -3, 0.1, 1e300, -1e-300, 1e18, 1e19, 1.0 / 3,
		0x1p53 + 2, -0.0, NAN, INFINITY, 5e-324};
	uint64_t r = next_random(fill);

	return r % 2 ? (double)(r >> 20) / 1e5
		     : special[r / 2 % (sizeof(special) / sizeof(special[0]))];
}

static const char *random_str(struct filler *fill)
{
	static const char *const special[] = {NULL, "", "\"\\\n\t\x01\x7f/", "\xc3\xa4\xe2\x82\xac",
		"\xff bad \xc3", "\xed\xa0\x80", "\xf0\x9f\x98\x80"};
	uint64_t r = next_random(fill);

	if (r % 3 == 0)
		return special[r / 3 % (sizeof(special) / sizeof(special[0]))];
	return arena_printf(result_arena(fill->r), "s%lu", (unsigned long)r);
}

static void fill_struct(struct filler *fill, void *obj, const struct shape *shape);

static void fill_list(struct filler *fill, void *obj, const struct field *f)
{
	size_t n = fill->nested_null ? 0 : 1 + next_random(fill) % 2;
	char *at = result_alloc(fill->r, n, f->shape);

	for (size_t i = 0; i < n; i++) {
		fill_struct(fill, at + i * f->shape->size, f->shape);
		if (f->type == FIELD_KEYED)
			*(const char **)(at + i * f->shape->size) =
				arena_printf(result_arena(fill->r), "key %zu", i);
	}
	walk_set_list(obj, f, (struct walk_list){at, n});
}

static void fill_counts(struct filler *fill, struct res_counts *to)
{
	to->len = next_random(fill) % 20;
	to->at = arena_alloc(result_arena(fill->r), to->len, sizeof(*to->at));
	for (size_t i = 0; i < to->len; i++) {
		to->at[i].key = arena_printf(result_arena(fill->r), "%zu->%zu", 100 - i, i);
		to->at[i].count = random_u64(fill);
	}
}

static void fill_strs(struct filler *fill, struct res_strs *to)
{
	to->len = next_random(fill) % 4;
	to->at = arena_alloc(result_arena(fill->r), to->len, sizeof(*to->at));
	for (size_t i = 0; i < to->len; i++)
		to->at[i] = random_str(fill);
}

static void fill_field(struct filler *fill, void *obj, const struct field *f)
{
	void *to = walk_to(obj, f);
	void *nested;

	switch (f->type) {
	case FIELD_U64:
		*(uint64_t *)to = random_u64(fill);
		break;
	case FIELD_DBL:
		*(double *)to = random_double(fill);
		break;
	case FIELD_BOOL:
		*(int *)to = (int)(next_random(fill) % 3) - 1;
		break;
	case FIELD_STR:
		*(const char **)to = random_str(fill);
		break;
	case FIELD_STRS:
		fill_strs(fill, to);
		break;
	case FIELD_COUNTS:
		fill_counts(fill, to);
		break;
	case FIELD_OBJ:
		if (fill->nested_null)
			break;
		nested = result_alloc(fill->r, 1, f->shape);
		walk_set_obj(obj, f, nested);
		fill_struct(fill, nested, f->shape);
		break;
	case FIELD_LIST:
	case FIELD_KEYED:
		fill_list(fill, obj, f);
		break;
	}
}

static void fill_struct(struct filler *fill, void *obj, const struct shape *shape)
{
	for (size_t i = 0; i < shape->len; i++)
		fill_field(fill, obj, &shape->fields[i]);
}

static struct res_result *filled(uint64_t seed, int nested_null)
{
	struct filler fill = {.r = result_new(), .seed = seed, .nested_null = nested_null};

	fill_struct(&fill, fill.r, &shape_result);
	fill.r->schema = RESULT_SCHEMA;
	return fill.r;
}

static void there_and_back(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 60; seed++) {
		struct res_result *r = filled(seed, seed % 10 == 0), *back = NULL;
		cleanup_free char *first = written(r), *second = NULL, *path = NULL;
		struct err err = {0};

		path = file_with(first, strlen(first));
		if (json_read_result(path, &back, &err) < 0)
			fail_msg("seed %lu: %s", (unsigned long)seed, err.text);
		second = written(back);
		assert_string_equal(first, second);
		result_free(r);
		result_free(back);
	}
}

static void on_one_line(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 20; seed++) {
		struct res_result *r = filled(seed, 0), *back = NULL;
		cleanup_free char *first = written(r), *second = NULL, *path = NULL;
		struct out line;

		out_init_mem(&line);
		json_write_line(r, &shape_result, &line);
		assert_ptr_equal(strchr(out_text(&line), '\n'), line.buf + line.len - 1);
		path = file_with(out_text(&line), line.len);
		assert_int_equal(json_read_result(path, &back, NULL), 0);
		second = written(back);
		assert_string_equal(first, second);
		out_release(&line);
		result_free(r);
		result_free(back);
	}
}

static void empty_there_and_back(void **state)
{
	struct res_result *r = result_new(), *back = NULL;
	cleanup_free char *first = written(r), *second = NULL, *path = NULL;

	(void)state;
	path = file_with(first, strlen(first));
	assert_int_equal(json_read_result(path, &back, NULL), 0);
	assert_true(back->wall_ns == U64_NONE);
	assert_int_equal(back->complete, -1);
	assert_null(back->tracer);
	second = written(back);
	assert_string_equal(first, second);
	result_free(r);
	result_free(back);
}

/* ---- the form of values ---- */

static void value_forms(void **state)
{
	struct res_result *r = result_new();
	cleanup_free char *text = NULL;

	(void)state;
	r->scenario = "a\"\\\n\x01\x7f\xff\xc3\xa4";
	r->wall_ns = INT64_MAX;
	r->processes = UINT64_MAX - 1;
	r->threads_total = 0;
	r->complete = 0;
	RES_LIST(r, &r->syscalls, 1, syscall);
	r->syscalls.at[0].name = "sendmmsg";
	r->syscalls.at[0].errnos = (struct res_counts){&(struct res_count){"EAGAIN", 3}, 1};
	r->syscalls.at[0].batch = RES_OBJ(r, batch);
	r->syscalls.at[0].batch->fill = 0.1;
	r->syscalls.at[0].batch->per_call = RES_OBJ(r, per_call);
	r->syscalls.at[0].batch->per_call->mean = 32.0;
	RES_LIST(r, &r->syscalls.at[0].batch->by_transferred, 1, by_transferred);
	r->syscalls.at[0].batch->by_transferred.at[0].key = "32";
	r->syscalls.at[0].batch->by_transferred.at[0].calls = 5;
	r->syscalls.at[0].batch->by_transferred.at[0].sum_sq_ns = 1e20;
	text = written(r);

	assert_non_null(
		strstr(text, "\"scenario\": \"a\\\"\\\\\\n\\u0001\\u007f\xef\xbf\xbd\xc3\xa4\""));
	assert_non_null(strstr(text, "\"wall_ns\": 9223372036854775807,"));
	assert_non_null(strstr(text, "\"processes\": 1.844674407370955e+19,"));
	assert_non_null(strstr(text, "\"threads_total\": 0,"));
	assert_non_null(strstr(text, "\"complete\": false,"));
	assert_non_null(strstr(text, "\"errno\": {\"EAGAIN\": 3}"));
	assert_non_null(strstr(text, "\"fill\": 0.1,"));
	assert_non_null(strstr(text, "\"mean\": 32,"));
	assert_non_null(
		strstr(text, "\"32\": {\"calls\": 5, \"total_ns\": null, \"sum_sq_ns\": 1e+20,"));
	assert_int_equal(text[strlen(text) - 1], '\n');
	result_free(r);
}

static void strings(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{NULL, "null"},
		{"", "\"\""},
		{"\xc3\xa4", "\"\xc3\xa4\""},
		{"\xf4\x8f\xbf\xbf", "\"\xf4\x8f\xbf\xbf\""},
		{"\xf4\x90\x80\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
		{"\xc0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\""}, /* overlong */
		{"\xe0\x80\x80z", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz\""},
		{"\xe2\x82", "\"\xef\xbf\xbd\xef\xbf\xbd\""}, /* cut off */
		{"\xe2(\xa1", "\"\xef\xbf\xbd(\xef\xbf\xbd\""},
		{"\xf0\x9f\x98", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
		{"\r\b", "\"\\u000d\\u0008\""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct out o;

		out_init_mem(&o);
		json_write_string(&o, cases[i].in);
		assert_string_equal(out_text(&o), cases[i].out);
		out_release(&o);
	}
}

/* ---- hostile and foreign files ---- */

#define HEAD "{\"schema\": \"iotrace.result/1\", "

struct bad_case {
	const char *text, *error; /* without "FILE: " */
};

static const struct bad_case bad_cases[] = {
	{HEAD "\"syscalls\": [{}, {}, {}, {\"batch\": {\"asked\": \"7\"}}]}",
		"syscalls[3].batch.asked: not an integer"},
	{HEAD "\"syscalls\": [{\"batch\": {\"asked\": 7.5}}]}",
		"syscalls[0].batch.asked: not an integer"},
	{HEAD "\"syscalls\": [{\"batch\": {\"asked\": 1e30}}]}",
		"syscalls[0].batch.asked: not an integer"},
	{HEAD "\"wall_ns\": -1}", "wall_ns: negative"},
	{HEAD "\"complete\": 1}", "complete: not true or false"},
	{HEAD "\"scenario\": {}}", "scenario: not a string"},
	{HEAD "\"command\": [\"a\", 1]}", "command[1]: not a string"},
	{HEAD "\"command\": \"a\"}", "command: not a list"},
	{HEAD "\"exit\": []}", "exit: not an object"},
	{HEAD "\"syscalls\": {}}", "syscalls: not a list"},
	{HEAD "\"syscalls\": [3]}", "syscalls[0]: not an object"},
	{HEAD "\"syscalls\": [{\"errno\": {\"EAGAIN\": true}}]}",
		"syscalls[0].errno.EAGAIN: not an integer"},
	{HEAD "\"syscalls\": [{\"errno\": []}]}", "syscalls[0].errno: not an object"},
	{HEAD "\"syscalls\": [{\"batch\": {\"fill\": \"x\"}}]}",
		"syscalls[0].batch.fill: not a number"},
	{HEAD "\"syscalls\": [{\"batch\": {\"by_transferred\": {\"32\": {\"calls\": {}}}}}]}",
		"syscalls[0].batch.by_transferred.32.calls: not an integer"},
	{HEAD "\"syscalls\": [{\"batch\": {\"by_transferred\": []}}]}",
		"syscalls[0].batch.by_transferred: not an object"},
	{"{}", "schema: missing, so this is not a result of iotrace"},
	{"{\"schema\": null}", "schema: missing, so this is not a result of iotrace"},
	{"{\"schema\": 1}", "schema: missing, so this is not a result of iotrace"},
	{"{\"schema\": \"iotrace.result/2\", \"wall_ns\": \"other\"}",
		"schema: iotrace.result/2 is newer than this program, which reads "
		"iotrace.result/1"},
	{"{\"schema\": \"iotrace.result/10\"}", "schema: iotrace.result/10 is newer than this "
						"program, which reads iotrace.result/1"},
	{"{\"schema\": \"iotrace.result/\"}", "schema: 'iotrace.result/' is not iotrace.result/1"},
	{"{\"schema\": \"iotrace.result/0\"}",
		"schema: 'iotrace.result/0' is not iotrace.result/1"},
	{"{\"schema\": \"perf.result/1\"}", "schema: 'perf.result/1' is not iotrace.result/1"},
	{"{\"schema\": \"a\\nb\\u001b\"}", "schema: 'a?b?' is not iotrace.result/1"},
	{"[]", "not a result of iotrace: not a JSON object"},
	{"7", "not a result of iotrace: not a JSON object"},
	{"", "line 1 column 0: "},
	{"{\"schema\": \"iotrace.result/1\",\n \"wall_ns\": ", "line 2 column 12: "},
	{HEAD "\"wall_ns\": NaN}", "line 1 column 45: invalid token near 'NaN'"},
	{HEAD "\"wall_ns\": 9223372036854775808}", "line 1 column "},
	{HEAD "\"wall_ns\": 1e999}", "line 1 column "},
	{HEAD "\"wall_ns\": 1, \"wall_ns\": 2}", "line 1 column "},
	{HEAD "\"wall_ns\": 1} x", "line 1 column "},
	{HEAD "\"scenario\": \"\xff\"}", "line 1 column "},
	{HEAD "\"scenario\": \"\\u0000\"}", "line 1 column "},
};

static void bad_files(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad_cases) / sizeof(bad_cases[0]); i++) {
		const struct bad_case *c = &bad_cases[i];
		cleanup_free char *path = file_with(c->text, strlen(c->text));
		cleanup_free char *expected = mem_printf("%s: %s", path, c->error);
		struct res_result *r = NULL;
		struct err err = {0};

		assert_int_equal(json_read_result(path, &r, &err), -EINVAL);
		assert_null(r);
		if (strncmp(err.text, expected, strlen(expected)) != 0)
			fail_msg("case %zu: %s", i, err.text);
	}
}

static void missing_file(void **state)
{
	struct res_result *r = NULL;
	struct err err = {0};

	(void)state;
	assert_int_equal(json_read_result("/nonexistent/x.json", &r, &err), -ENOENT);
	assert_string_equal(err.text, "cannot open /nonexistent/x.json: No such file or directory");
}

/* Brackets in strings are no nesting; 64 levels are allowed, 65 are not, a million crash nothing.
 */
static void nesting(void **state)
{
	static const struct {
		size_t depth;
		int rc;
	} cases[] = {{63, 0}, {64, -EINVAL}, {1000000, -EINVAL}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cleanup_free char *path = NULL;
		struct res_result *r = NULL;
		struct err err = {0};
		struct out o;

		out_init_mem(&o);
		out_str(&o, HEAD "\"scenario\": \"[[[\\\"[[[[{{{{\", \"x\":\n");
		for (size_t k = 0; k < cases[i].depth; k++)
			out_char(&o, '[');
		for (size_t k = 0; k < cases[i].depth; k++)
			out_char(&o, ']');
		out_char(&o, '}');
		path = file_with(out_text(&o), o.len);
		out_release(&o);
		assert_int_equal(json_read_result(path, &r, &err), cases[i].rc);
		if (cases[i].rc)
			assert_non_null(strstr(
				err.text, ": line 2 column 64: nested deeper than 64 levels"));
		result_free(r);
	}
}

/* A truncated or damaged file is an error or a result, never a crash. */
static void damaged_files(void **state)
{
	struct res_result *whole = filled(5, 0);
	cleanup_free char *text = written(whole);
	size_t len = strlen(text), accepted = 0;
	uint64_t seed = 99;

	(void)state;
	result_free(whole);
	for (size_t i = 0; i < 600; i++) {
		size_t at = (size_t)((seed = seed * 6364136223846793005ULL + 1) >> 20) % len;
		cleanup_free char *damaged = mem_strdup(text), *path = NULL;
		struct res_result *r = NULL;
		struct err err = {0};
		int rc;

		damaged[at] = (char)(seed >> 50);
		path = file_with(damaged, i % 3 ? len : at);
		rc = json_read_result(path, &r, &err);
		assert_true(rc == 0 ? !err.code && r : err.code == rc && *err.text && !r);
		if (i % 3 == 0)
			assert_int_equal(rc, -EINVAL);
		accepted += rc == 0;
		result_free(r);
	}
	assert_true(accepted > 0);
}

static void null_is_fine(void **state)
{
	static const char text[] = HEAD
		"\"complete\": null, \"warnings\": null, \"command\": [null], \"exit\": null, "
		"\"new member\": {\"a\": [1]}, \"syscalls\": [null, {\"errno\": null, \"batch\": "
		"{\"asked_histogram\": {\"3\": null}, \"by_transferred\": {\"3\": null}}}]}";
	cleanup_free char *path = file_with(text, strlen(text));
	struct res_result *r = NULL;
	struct err err = {0};

	(void)state;
	assert_int_equal(json_read_result(path, &r, &err), 0);
	assert_int_equal(r->complete, -1);
	assert_int_equal(r->warnings.len, 0);
	assert_int_equal(r->command.len, 1);
	assert_null(r->command.at[0]);
	assert_int_equal(r->syscalls.len, 2);
	assert_true(r->syscalls.at[0].calls == U64_NONE);
	assert_true(r->syscalls.at[1].batch->asked_histogram.at[0].count == U64_NONE);
	assert_string_equal(r->syscalls.at[1].batch->by_transferred.at[0].key, "3");
	result_free(r);
}

/* ---- generic values ---- */

static struct json_doc *doc_of(const char *text)
{
	cleanup_free char *path = file_with(text, strlen(text));
	struct json_doc *doc = NULL;
	struct err err = {0};

	if (json_doc_read(path, &doc, &err) < 0)
		fail_msg("%s", err.text);
	return doc;
}

static void generic_values(void **state)
{
	struct json_doc *doc = doc_of("{\"z\": 1, \"a\": [true, null, 1.5, \"s\", {}], \"m\": -3}");
	const struct json_value *root = json_doc_root(doc), *a = json_get(root, "a");
	static const enum json_kind kinds[] = {JSON_KIND_BOOL, JSON_KIND_NULL, JSON_KIND_REAL,
		JSON_KIND_STRING, JSON_KIND_OBJECT, JSON_KIND_NULL};

	(void)state;
	assert_int_equal(json_kind_of(root), JSON_KIND_OBJECT);
	assert_int_equal(json_kind_of(a), JSON_KIND_ARRAY);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		assert_int_equal(json_kind_of(json_at(a, i)), kinds[i]);
	assert_int_equal(json_len(root), 3);
	assert_int_equal(json_len(a), 5);
	assert_int_equal(json_len(json_get(root, "z")), 0);
	assert_int_equal(json_len(NULL), 0);
	assert_string_equal(json_key(root, 0), "z");
	assert_string_equal(json_key(root, 2), "m");
	assert_null(json_key(root, 3));
	assert_null(json_key(a, 0));
	assert_null(json_get(root, "none"));
	assert_null(json_get(a, "a"));
	assert_null(json_get(NULL, "a"));
	assert_null(json_at(root, 0));
	assert_string_equal(json_text(json_at(a, 3)), "s");
	assert_null(json_text(a));
	assert_null(json_text(NULL));
	assert_int_equal(json_int(json_get(root, "m"), 9), -3);
	assert_int_equal(json_int(json_at(a, 2), 9), 9);
	assert_true(json_number(json_at(a, 2), 9) == 1.5);
	assert_true(json_number(json_get(root, "m"), 9) == -3);
	assert_true(json_number(NULL, 9) == 9);
	assert_int_equal(json_bool(json_at(a, 0), 0), 1);
	assert_int_equal(json_bool(a, 0), 0);
	json_doc_free(doc);
	json_doc_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_and_back),
		cmocka_unit_test(on_one_line),
		cmocka_unit_test(empty_there_and_back),
		cmocka_unit_test(value_forms),
		cmocka_unit_test(strings),
		cmocka_unit_test(bad_files),
		cmocka_unit_test(missing_file),
		cmocka_unit_test(nesting),
		cmocka_unit_test(damaged_files),
		cmocka_unit_test(null_is_fine),
		cmocka_unit_test(generic_values),
	};

	return cmocka_run_group_tests(tests, enter_dir, remove_dir);
}
