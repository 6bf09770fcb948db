/* SPDX-License-Identifier: GPL-3.0-only */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/runner/load_output.h"
#include "common/runner/ready.h"

static void test_work(void **state)
{
	static const struct {
		const char *regex, *output;
		uint64_t count, scale;
	} rows[] = {
		{"Queries completed: +(\\d+)", "x\n  Queries completed:    20000 (100%)\ny\n",
			20000, 1},
		{"done (\\d+)", "done 1\ndone 2\nelse\n", 2, 1},
		{"done (\\d+)", "done 7", 7, 1},
		{"(\\d+) done", "1\r2 done\r30 done\r\n", 30, 1},
		{"n=([0-9,]+)", "n=1,234,567\n", 1234567, 1},
		{"n=([\\d.]+)", "n=12.75\n", 12, 1},
		{"n=([^]\\d]|\\d+)", "n=4\n", 4, 1},
		{"a\\\\d([0-9])", "a\\d5\n", 5, 1},
		{"n=(\\d*)", "n=\n", UINT64_MAX, 1},
		{"n=(.*)", "n=-3\n", UINT64_MAX, 1},
		{"n=(\\d+)", "n=9223372036854775807\n", INT64_MAX, 1},
		{"n=(\\d+)", "n=9223372036854775808\n", UINT64_MAX, 1},
		{"n=(\\d+)", "n=99999999999999999999999\n", UINT64_MAX, 1},
		{"^(\\d+)$", "a1\n5\n2b\n", 5, 1},
		{"x(a)?(\\d)", "x5\n", UINT64_MAX, 1},
		{"n=(\\d+)", "", UINT64_MAX, 1},
		{"n=([0-9.]+)", "n=0.000071 s\n", 71000, 1000000000},
		{"n=([0-9,.]+)", "n=1,234.5\n", 1234500, 1000},
		{"n=([0-9.]+)", "n=1.23456789\n", 1234, 1000},
		{"n=([0-9.]+)", "n=3.\n", 3000, 1000},
		{"n=([0-9.]+)", "n=.5\n", UINT64_MAX, 1000},
		{"n=([0-9.]+)", "n=9223372036854775807\n", UINT64_MAX, 1000},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		/* The same whole and byte by byte. */
		for (int bytewise = 0; bytewise <= 1; bytewise++) {
			struct work_scan w;
			struct err err = {0};
			size_t len = strlen(rows[i].output);

			assert_int_equal(work_scan_init(&w, rows[i].regex, rows[i].scale, &err), 0);
			for (size_t k = 0; k < (bytewise ? len : 1); k++)
				work_scan_feed(&w, rows[i].output + k, bytewise ? 1 : len);
			work_scan_end(&w);
			if (w.count != rows[i].count)
				fail_msg("row %zu: %llu", i, (unsigned long long)w.count);
			work_scan_release(&w);
		}
	}
}

static void test_long_lines_are_cut(void **state)
{
	struct work_scan w;
	struct err err = {0};
	char block[1000];

	(void)state;
	memset(block, 'x', sizeof(block));
	assert_int_equal(work_scan_init(&w, "(\\d+)", 1, &err), 0);
	for (int i = 0; i < 20; i++)
		work_scan_feed(&w, block, sizeof(block));
	work_scan_feed(&w, "5\n6\n", 4);
	assert_int_equal(w.count, 6);
	work_scan_release(&w);
}

/* A few dozen characters may ask for all memory, or for all time. */
static void test_what_would_take_all_memory_is_refused(void **state)
{
	static const struct {
		const char *regex;
		int ok;
	} rows[] = {
		{"((((a{99}){99}){99}){99})", 0},
		{"(((a{9999}){9999}){9999})", 0},
		{"(a++++++++++++++++++++++++++++++++)", 0},
		{"(a", 0},
		{"^ +([0-9]+) +([0-9]+) +([0-9]+) +([0-9]+) +([0-9]+) +([0-9]+) +$", 1},
		{"([0-9]{1,3}(,[0-9]{3})*)", 1},
		{"([]+{[]+)", 1},
		{"\\+\\{99(a+)", 1},
		{"([\\d]{200})", 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct work_scan w;
		struct err err = {0};
		int rc = work_scan_init(&w, rows[i].regex, 1, &err);

		if ((rc == 0) != rows[i].ok)
			fail_msg("%s: %d %s", rows[i].regex, rc, err.text);
		if (rc == 0)
			work_scan_release(&w);
		else
			assert_non_null(strstr(err.text, rows[i].regex));
	}
}

static void test_a_regex_that_takes_too_many_steps(void **state)
{
	struct work_scan w;

	(void)state;
	assert_int_equal(work_scan_init(&w, "^(?:a|aa)+(\\d)$", 1, NULL), 0);
	work_scan_feed(&w, "a5\n", 3);
	assert_int_equal(w.count, 5);
	assert_false(w.too_hard);
	for (int i = 0; i < 200; i++)
		work_scan_feed(&w, "a", 1);
	work_scan_feed(&w, "b6\n", 3);
	assert_true(w.too_hard);
	work_scan_release(&w);
}

static void test_command_text(void **state)
{
	static const struct {
		const char *argv[5];
		const char *want;
	} rows[] = {
		{{"dnsperf", "-Q", "15000", NULL}, "dnsperf -Q 15000"},
		{{"sh", "-c", "a | b", NULL}, "a | b"},
		{{"sh", "-c", NULL}, "sh -c"},
		{{"sh", "-c", "a", "b", NULL}, "sh -c a b"},
		{{"x", "a b", "", "it's", NULL}, "x 'a b' '' 'it'\\''s'"},
		{{NULL}, ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *text = load_text(rows[i].argv);

		assert_string_equal(text, rows[i].want);
		free(text);
	}
}

static void test_units(void **state)
{
	(void)state;
	assert_int_equal(load_unit_ns("ns"), 1);
	assert_int_equal(load_unit_ns("us"), 1000);
	assert_int_equal(load_unit_ns("ms"), 1000000);
	assert_int_equal(load_unit_ns("s"), 1000000000);
	assert_int_equal(load_unit_ns("query"), 0);
}

static void test_ready_parse(void **state)
{
	static const struct {
		const char *spec;
		int kind; /* -1: an error */
		uint16_t port;
	} rows[] = {
		{"udp:53", READY_UDP, 53},
		{"tcp:65535", READY_TCP, 65535},
		{"test -e x", READY_COMMAND, 0},
		{"udp", READY_COMMAND, 0},
		{"53", -1, 0}, /* which of both? */
		{"udp:", -1, 0},
		{"udp:0", -1, 0},
		{"tcp:65536", -1, 0},
		{"tcp:1x", -1, 0},
		{"", -1, 0},
		{" ", -1, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err err = {0};
		struct ready r;
		int rc = ready_parse(rows[i].spec, &r, &err);

		assert_int_equal(rc < 0, rows[i].kind < 0);
		if (rc < 0)
			continue;
		assert_int_equal(r.kind, rows[i].kind);
		if (r.kind != READY_COMMAND)
			assert_int_equal(r.port, rows[i].port);
	}
}

static void test_ready_sockets(void **state)
{
	/* As Linux 6 prints them. */
	static const char udp[] =
		"   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   "
		"uid  "
		"timeout inode ref pointer drops            \n"
		"  345: 0100007F:3BC6 00000000:0000 07 00000000:00000000 00:00000000 00000000     0"
		"        0 4711 2 0000000000000000 0         \n"
		"  346: 00000000000000000000000001000000:3BC6 "
		"00000000000000000000000000000000:0000 07 "
		"00000000:00000000 00:00000000 00000000     0        0 4712 2 0000000000000000 0\n"
		"  347: 0100007F:3BC7 00000000:3BC6 01 00000000:00000000 00:00000000 00000000     0"
		"        0 4713 2 0000000000000000 0         ";
	static const char tcp[] =
		"  sl  local_address rem_address   st ...\n"
		"   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000"
		"        0 99999999999 1 0000000000000000 100 0 0 10 0\n"
		"   1: 0100007F:1F90 0100007F:8000 01 00000000:00000000 00:00000000 00000000  1000"
		"        0 5 1 0000000000000000 100 0 0 10 0\n";
	static const struct {
		const char *text;
		struct ready ready;
		size_t max, want;
		uint64_t first;
	} rows[] = {
		{udp, {READY_UDP, 15302, NULL}, 8, 2, 4711},
		{udp, {READY_UDP, 15302, NULL}, 1, 1, 4711},
		{udp, {READY_UDP, 15303, NULL}, 8, 1, 4713},
		{udp, {READY_UDP, 15304, NULL}, 8, 0, 0},
		{tcp, {READY_TCP, 8080, NULL}, 8, 1, 99999999999},
		{"", {READY_UDP, 1, NULL}, 8, 0, 0},
		{"\n\n", {READY_UDP, 1, NULL}, 8, 0, 0},
		{"garbage: x\n 1: zz", {READY_UDP, 1, NULL}, 8, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t inodes[8] = {0};

		assert_int_equal(ready_sockets(rows[i].text, &rows[i].ready, inodes, rows[i].max),
			rows[i].want);
		assert_int_equal(inodes[0], rows[i].first);
	}
}

/* As the load does it: to what it was given; then it has ended. */
static void says(int *fd, const char *text)
{
	assert_int_equal(write(*fd, text, strlen(text)), strlen(text));
	close(*fd);
	*fd = -1;
}

/* What goes through us to our outputs is not for who reads the results of tests. */
static int load_output_end_quietly(
	struct load_output *o, uint64_t *ret_count, uint64_t *ret_ns, struct err *err)
{
	int kept[2], null = open("/dev/null", O_WRONLY), rc;

	fflush(stdout);
	for (int i = 0; i < 2; i++) {
		kept[i] = dup(i + 1);
		assert_true(kept[i] >= 0 && dup2(null, i + 1) == i + 1);
	}
	rc = load_output_end(o, ret_count, ret_ns, err);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(dup2(kept[i], i + 1), i + 1);
		close(kept[i]);
	}
	close(null);
	return rc;
}

static void test_what_comes_through_us(void **state)
{
	static const struct {
		const char *out, *err;
		const char *work, *latency;
		uint64_t count, ns;
		int rc;
	} rows[] = {
		{"", "did 7\ntook 3 ms\n", "did (\\d+)", "took (\\d+)", 7, 3000000, 0},
		{"did 9\n", "did 7\n", "did (\\d+)", NULL, 9, UINT64_MAX, 0},
		{"di", "d 7\n", "did (\\d+)", NULL, UINT64_MAX, UINT64_MAX, -ENOMSG},
		{"", "did 7", NULL, "took (\\d+)", UINT64_MAX, UINT64_MAX, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct scenario sc = {.work_regex = rows[i].work,
			.latency_regex = rows[i].latency,
			.latency_unit_ns = 1000000};
		struct load_output o;
		struct err err = {0};
		uint64_t count, ns;
		int fds[2];

		assert_int_equal(load_output_begin(&o, &sc, NULL, fds, &err), 0);
		says(&fds[0], rows[i].out);
		says(&fds[1], rows[i].err);
		assert_int_equal(load_output_end_quietly(&o, &count, &ns, &err), rows[i].rc);
		assert_true(count == rows[i].count && ns == rows[i].ns);
		load_output_release(&o);
	}
}

static void test_what_is_logged(void **state)
{
	char path[] = "/tmp/test-run-load-XXXXXX";
	struct scenario sc = {.work_regex = "did (\\d+)"};
	struct load_output o;
	struct err err = {0};
	uint64_t count, ns;
	int fds[2], file = mkstemp(path);

	(void)state;
	assert_true(file >= 0);
	assert_int_equal(load_output_begin(&o, &sc, path, fds, &err), 0);
	assert_true(o.streams[0].from < 0 && o.streams[1].from < 0);
	says(&fds[0], "one\n");
	says(&fds[1], "did 5\n");
	assert_int_equal(load_output_end(&o, &count, &ns, &err), 0);
	assert_int_equal(count, 5);
	load_output_release(&o);
	close(file);
	unlink(path);
	/* Where it cannot be written nothing is left open. */
	assert_true(load_output_begin(&o, &sc, "/nonexistent/log", fds, &err) < 0);
	assert_true(fds[0] < 0 && fds[1] < 0);
	load_output_release(&o);
	/* Nobody asks: the load has our own outputs. */
	assert_int_equal(load_output_begin(&o, &(struct scenario){0}, NULL, fds, &err), 0);
	assert_true(fds[0] < 0 && fds[1] < 0);
	assert_int_equal(load_output_end(&o, &count, &ns, &err), 0);
	assert_true(count == UINT64_MAX && ns == UINT64_MAX);
	load_output_release(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_comes_through_us),
		cmocka_unit_test(test_what_is_logged),
		cmocka_unit_test(test_work),
		cmocka_unit_test(test_long_lines_are_cut),
		cmocka_unit_test(test_what_would_take_all_memory_is_refused),
		cmocka_unit_test(test_a_regex_that_takes_too_many_steps),
		cmocka_unit_test(test_command_text),
		cmocka_unit_test(test_units),
		cmocka_unit_test(test_ready_parse),
		cmocka_unit_test(test_ready_sockets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
