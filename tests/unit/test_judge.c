/* SPDX-License-Identifier: GPL-3.0-only */
/* The rules of docs/COMPARE.md, a row each. p values: of n and m values without ties that lie
 * apart, 2 / C(n + m, n); with U = 2 of 5 and 5, 2 x 4 / 252. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/mem.h"
#include "common/compare/judge.h"
#include "common/compare/stats.h"
#include "common/model/result.h"

#define ROWS_MAX 4

struct side_runs {
	const double *v;
	size_t n;
};

#define RUNS(...)                                                                                  \
	{                                                                                          \
		(const double[]){__VA_ARGS__},                                                     \
			sizeof((const double[]){__VA_ARGS__}) / sizeof(double)                     \
	}
#define ABSENT(n)                                                                                  \
	{                                                                                          \
		NULL, n                                                                            \
	}

struct judged {
	const char *name;
	enum metric_kind kind;
	enum metric_worse worse;
	const char *limit;
	struct side_runs base, new;
	const char *is, *verdict, *why; /* expected: kind, verdict, why (NULL: none) */
};

static int in_turns; /* the runs that are judged */

/* A document with the rows of a scenario, judged. Released by family_release(). */
struct family {
	void *doc;
	struct metric metric[ROWS_MAX];
	struct judge_row row[ROWS_MAX];
};

static void judge_family_of(struct family *f, const struct judged *j, size_t n,
	const struct judge_rules *rules, enum judge_work work)
{
	struct judge judge;

	assert_true(n <= ROWS_MAX);
	memset(f, 0, sizeof(*f));
	f->doc = result_make(&schema_compare);
	for (size_t i = 0; i < n; i++) {
		f->metric[i] = (struct metric){
			.name = j[i].name, .unit = "", .kind = j[i].kind, .worse = j[i].worse};
		f->row[i] = (struct judge_row){.metric = &f->metric[i],
			.base = j[i].base.v,
			.new = j[i].new.v,
			.base_runs = j[i].base.n,
			.new_runs = j[i].new.n,
			.limit_text = j[i].limit,
			.out = RES_OBJ(f->doc, compare_metric)};
		if (j[i].limit)
			assert_int_equal(limit_parse(j[i].limit, &f->row[i].limit, NULL), 0);
	}
	judge = (struct judge){f->doc, work, rules, f->row, n, in_turns};
	judge_all(&judge);
}

static void judge_family(
	struct family *f, const struct judged *j, size_t n, const struct judge_rules *rules)
{
	judge_family_of(f, j, n, rules, WORK_UNKNOWN);
}

static void family_release(struct family *f)
{
	result_free(f->doc);
}

static int same(const char *a, const char *b)
{
	return !a || !b ? a == b : strcmp(a, b) == 0;
}

static void assert_judged(const struct judged *j, const struct res_compare_metric *out, size_t at)
{
	if (!same(out->kind, j->is) || !same(out->verdict, j->verdict) || !same(out->why, j->why))
		fail_msg("row %zu, %s %s: %s, %s (%s), expected %s, %s (%s)", at, j->name,
			j->limit ? j->limit : "", out->kind, out->verdict,
			out->why ? out->why : "no words", j->is, j->verdict,
			j->why ? j->why : "no words");
}

/* Each row alone in its family. */
static void judge_each(const struct judged *rows, size_t n, const struct judge_rules *rules)
{
	for (size_t i = 0; i < n; i++) {
		struct family f;

		judge_family(&f, &rows[i], 1, rules);
		assert_judged(&rows[i], f.row[0].out, i);
		family_release(&f);
	}
}

static const struct judge_rules anything = {NULL, NULL, NULL, NULL};

#define COUNT_UP    METRIC_COUNT, WORSE_UP
#define COUNT_MOVES METRIC_COUNT, WORSE_NEITHER
#define BATCH_DOWN  METRIC_BATCH, WORSE_DOWN
#define BATCH_MOVES METRIC_BATCH, WORSE_NEITHER
#define SIZE_UP     METRIC_SIZE, WORSE_UP
#define WORK_UP     METRIC_WORK, WORSE_UP
#define TIME_UP     METRIC_TIME, WORSE_UP
#define TIME_DOWN   METRIC_TIME, WORSE_DOWN
#define DESCRIBED   "described"
#define NOISY       "noisy"
#define EXACT       "exact"

/* ---- counts whose runs agree ---- */

static void exact_counts(void **state)
{
	const struct judged rows[] = {
		{"a.calls", COUNT_UP, NULL, RUNS(20, 20, 20), RUNS(20, 20, 20), EXACT, "same",
			"exact"},
		{"a.calls", COUNT_UP, NULL, RUNS(20, 20, 20), RUNS(21, 21, 21), EXACT, "REGRESSION",
			"exact"},
		{"a.calls", COUNT_UP, NULL, RUNS(20, 20, 20), RUNS(19, 19, 19), EXACT, "better",
			"exact"},
		{"a.calls", COUNT_UP, NULL, RUNS(0, 0, 0), RUNS(3, 3, 3, 3), EXACT, "REGRESSION",
			"exact"},
		{"a.calls", COUNT_UP, NULL, RUNS(3, 3, 3), RUNS(0, 0, 0), EXACT, "better", "exact"},
		{"a.per_call", BATCH_DOWN, NULL, RUNS(8, 8, 8), RUNS(4, 4, 4), EXACT, "REGRESSION",
			"exact"},
		{"a.per_call", BATCH_DOWN, NULL, RUNS(4, 4, 4), RUNS(8, 8, 8), EXACT, "better",
			"exact"},
		{"a.messages", COUNT_MOVES, NULL, RUNS(4, 4, 4), RUNS(8, 8, 8), EXACT, "moved",
			"exact"},
		{"a.fill", BATCH_MOVES, NULL, RUNS(1, 1, 1), RUNS(.5, .5, .5), EXACT, "moved",
			"exact"},
	};

	(void)state;
	judge_each(rows, LEN(rows), &anything);
}

static void exact_counts_with_an_allowance(void **state)
{
	const struct judged rows[] = {
		{"a.calls", COUNT_UP, "+1", RUNS(20, 20, 20), RUNS(20, 20, 20), EXACT, "ok",
			"exact"},
		{"a.calls", COUNT_UP, "+1", RUNS(20, 20, 20), RUNS(21, 21, 21), EXACT, "ok",
			"exact, allowed +1"},
		{"a.calls", COUNT_UP, "+1", RUNS(20, 20, 20), RUNS(22, 22, 22), EXACT, "REGRESSION",
			"exact, allowed +1"},
		{"a.calls", COUNT_UP, "+0", RUNS(20, 20, 20), RUNS(21, 21, 21), EXACT, "REGRESSION",
			"exact, allowed +0"},
		{"a.calls", COUNT_UP, "+25%", RUNS(20, 20, 20), RUNS(25, 25, 25), EXACT, "ok",
			"exact, allowed +25%"},
		{"a.calls", COUNT_UP, "+25%", RUNS(20, 20, 20), RUNS(26, 26, 26), EXACT,
			"REGRESSION", "exact, allowed +25%"},
		{"a.calls", COUNT_UP, "+1", RUNS(20, 20, 20), RUNS(9, 9, 9), EXACT, "better",
			"exact"},
		{"a.per_call", BATCH_DOWN, "+2", RUNS(8, 8, 8), RUNS(6, 6, 6), EXACT, "ok",
			"exact, allowed +2"},
		{"a.per_call", BATCH_DOWN, "+2", RUNS(8, 8, 8), RUNS(5, 5, 5), EXACT, "REGRESSION",
			"exact, allowed +2"},
		/* in no direction worse: an allowance says nothing */
		{"a.fill", BATCH_MOVES, "+2", RUNS(8, 8, 8), RUNS(5, 5, 5), EXACT, "cannot tell",
			"neither more nor less of it is worse"},
	};

	(void)state;
	judge_each(rows, LEN(rows), &anything);
}

/* ---- what is not exact ---- */

/* One run that differs, on either side, in any place: tested as times are. */
static void counts_that_vary_are_tested(void **state)
{
	const struct judged rows[] = {
		/* 1,002 -> 2,001: was described, exit 0 */
		{"write.calls", COUNT_UP, NULL, RUNS(1002, 1001, 1002, 1000, 1001),
			RUNS(2001, 2000, 2002, 2001, 2000), NOISY, "REGRESSION", NULL},
		{"write.calls", COUNT_UP, NULL, RUNS(2001, 2000, 2002, 2001, 2000),
			RUNS(1002, 1001, 1002, 1000, 1001), NOISY, "better", NULL},
		/* 0.2% apart whoever they belong to: no test, and none is counted */
		{"write.calls", COUNT_UP, NULL, RUNS(1002, 1001, 1002, 1000, 1001),
			RUNS(1000, 1003, 1002, 1002, 1000), NOISY, "ok", "all runs within 5%"},
		{"a.calls", COUNT_UP, NULL, RUNS(20, 20, 21), RUNS(30, 30, 30), NOISY,
			"looks worse", "needs 4 runs"},
		{"a.calls", COUNT_UP, NULL, RUNS(30, 30, 30), RUNS(20, 20, 21), NOISY,
			"cannot tell", "needs 4 runs"},
		{"a.calls", COUNT_UP, NULL, RUNS(20, 20, 25), RUNS(30, 30, 30), NOISY,
			"cannot tell", "needs 4 runs"},
		{"a.per_call", BATCH_DOWN, NULL, RUNS(8, 8.1, 8), RUNS(4, 4, 4.1), NOISY,
			"looks worse", "needs 4 runs"},
		{"a.calls", COUNT_UP, NULL, RUNS(20, 20, 20), RUNS(31, 30, 30), NOISY,
			"looks worse", "needs 4 runs"},
		{"a.calls", COUNT_UP, NULL, RUNS(20, 20, 20, 20), RUNS(30, 30, 30, 31), NOISY,
			"REGRESSION", NULL},
		{"a.calls", COUNT_UP, NULL, RUNS(20, 20, 20, 21), RUNS(30, 30, 30, 30), NOISY,
			"REGRESSION", NULL},
		{"a.calls", COUNT_UP, NULL, RUNS(0, 0, 0, 1), RUNS(30, 30, 30, 31), NOISY,
			"REGRESSION", NULL},
		{"a.errors", COUNT_UP, NULL, RUNS(0, 0, 1, 0), RUNS(0, 1, 0, 0), NOISY,
			"cannot tell", "no ratio to 0"},
		{"a.per_call", BATCH_DOWN, NULL, RUNS(8, 8, 7.5, 8), RUNS(4, 4, 4, 4), NOISY,
			"REGRESSION", NULL},
		{"a.per_call", BATCH_DOWN, NULL, RUNS(8, 8, 8, 8), RUNS(4, 4.5, 4, 4), NOISY,
			"REGRESSION", NULL},
		{"peak_heap", SIZE_UP, NULL, RUNS(9, 8, 7, 8), RUNS(90, 80, 70, 80), NOISY,
			"REGRESSION", NULL},
		/* in no direction worse: not tested */
		{"a.messages", COUNT_MOVES, NULL, RUNS(9, 8, 7, 8), RUNS(90, 80, 70, 80), DESCRIBED,
			"moved", NULL},
	};

	(void)state;
	judge_each(rows, LEN(rows), &anything);
}

/* "ok" only where the interval of the ratio leaves out what would be bad, 5% or the allowance. */
static void what_cannot_be_told(void **state)
{
	const struct judged rows[] = {
		{"wall_time", TIME_UP, NULL, RUNS(100, 101, 102, 103), RUNS(99, 100, 101, 102),
			NOISY, "ok", NULL},
		{"wall_time", TIME_UP, NULL, RUNS(80, 100, 110, 120), RUNS(85, 95, 105, 125), NOISY,
			"cannot tell", "needs 66 runs"},
		{"wall_time", TIME_UP, "+60%", RUNS(80, 100, 110, 120), RUNS(85, 95, 105, 125),
			NOISY, "ok", NULL},
		{"wall_time", TIME_UP, NULL, RUNS(10, 100, 200, 400), RUNS(11, 99, 201, 399), NOISY,
			"cannot tell", "needs more than 100 runs"},
		{"a.per_call", BATCH_DOWN, NULL, RUNS(10, 10.2, 10.4, 10.6),
			RUNS(10, 10.3, 10.3, 10.7), NOISY, "cannot tell", "needs 7 runs"},
		/* what is less is no less bad: the interval of a figure that should be large */
		{"throughput", TIME_DOWN, "+10%", RUNS(99, 100, 100, 101), RUNS(98, 99, 99, 100),
			NOISY, "ok", NULL},
		{"throughput", TIME_DOWN, "+10%", RUNS(99, 100, 100, 101), RUNS(85, 99, 99, 100),
			NOISY, "cannot tell", "needs 5 runs"},
	};

	(void)state;
	judge_each(rows, LEN(rows), &anything);
}

/* ---- the work done ---- */

static void judge_work(const struct judged *j, size_t n, enum judge_work work)
{
	struct family f;

	judge_family_of(&f, j, n, &anything, work);
	for (size_t i = 0; i < n; i++)
		assert_judged(&j[i], f.row[i].out, i);
	family_release(&f);
}

static void per_unit_of_work_first(void **state)
{
	/* Twice the calls for twice the work, and twice the calls for the same. */
	const struct judged twice_the_work[] = {
		{"a.calls", COUNT_UP, NULL, RUNS(100, 104, 98, 101, 90),
			RUNS(200, 208, 196, 202, 180), DESCRIBED, "moved", NULL},
		{"a.per_work", WORK_UP, NULL, RUNS(1, 1, 1, 1, 1), RUNS(1, 1, 1, 1, 1), EXACT,
			"same", "exact"},
	};
	const struct judged twice_the_calls[] = {
		{"a.calls", COUNT_UP, NULL, RUNS(100, 104, 98, 101, 90),
			RUNS(100, 104, 98, 101, 90), DESCRIBED, "same", NULL},
		{"a.per_work", WORK_UP, NULL, RUNS(1, 1.01, 1, 1, 1), RUNS(2, 2.01, 2, 2.02, 2),
			NOISY, "REGRESSION", NULL},
	};
	/* What does not grow with the work is judged as it is, not by the work. */
	const struct judged once_a_run[] = {
		{"a.calls", COUNT_UP, NULL, RUNS(3, 3, 3, 3, 3), RUNS(3, 3, 3, 3, 3), EXACT, "same",
			"exact"},
		{"a.per_work", WORK_UP, NULL, RUNS(.03, .031, .03, .029, .03),
			RUNS(.06, .062, .06, .058, .06), DESCRIBED, "moved", NULL},
	};
	const struct judged once_more[] = {
		{"a.calls", COUNT_UP, NULL, RUNS(3, 3, 3, 3, 3), RUNS(4, 4, 4, 4, 4), EXACT,
			"REGRESSION", "exact"},
	};
	/* Constant on each side, and twice the work: no regression. */
	const struct judged sides[] = {
		{"a.calls", COUNT_UP, NULL, RUNS(100, 100, 100), RUNS(200, 200, 200), DESCRIBED,
			"moved", NULL},
		{"a.single", METRIC_BATCHES, WORSE_UP, NULL, RUNS(100, 100, 100),
			RUNS(200, 200, 200), DESCRIBED, "moved", NULL},
		{"a.per_work", WORK_UP, NULL, RUNS(1, 1, 1), RUNS(1, 1, 1), EXACT, "same", "exact"},
	};
	const struct judged not_of_the_work[] = {
		{"processes", SIZE_UP, NULL, RUNS(1, 1, 1), RUNS(2, 2, 2), EXACT, "REGRESSION",
			"exact"},
		/* a limit is a limit */
		{"a.calls", COUNT_UP, "+1", RUNS(100, 100, 100), RUNS(200, 200, 200), EXACT,
			"REGRESSION", "exact, allowed +1"},
	};

	(void)state;
	judge_work(twice_the_work, LEN(twice_the_work), WORK_VARIES);
	judge_work(twice_the_calls, LEN(twice_the_calls), WORK_VARIES);
	judge_work(once_a_run, LEN(once_a_run), WORK_VARIES);
	judge_work(once_more, LEN(once_more), WORK_VARIES);
	judge_work(sides, LEN(sides), WORK_SIDES);
	judge_work(not_of_the_work, LEN(not_of_the_work), WORK_SIDES);
	judge_work(not_of_the_work, LEN(not_of_the_work), WORK_VARIES);
}

static void few_runs_are_described(void **state)
{
	const struct judged rows[] = {
		{"a.calls", COUNT_UP, NULL, RUNS(20), RUNS(21), DESCRIBED, "moved", NULL},
		{"a.calls", COUNT_UP, NULL, RUNS(20, 20), RUNS(21, 21, 21), DESCRIBED, "moved",
			NULL},
		{"a.calls", COUNT_UP, NULL, RUNS(20, 20, 20), RUNS(21, 21), DESCRIBED, "moved",
			NULL},
		{"a.calls", COUNT_UP, NULL, RUNS(20, 20), RUNS(20, 20), DESCRIBED, "same", NULL},
		{"a.calls", COUNT_UP, "+1", RUNS(20, 20), RUNS(20, 20, 20), NOISY, "cannot tell",
			"needs 4 runs"},
		{"wall_time", TIME_UP, NULL, RUNS(1, 2, 3, 4), RUNS(7, 8, 9), NOISY, "cannot tell",
			"needs 4 runs"},
		{"wall_time", TIME_UP, NULL, RUNS(1, 2, 3), RUNS(6, 7, 8, 9), NOISY, "cannot tell",
			"needs 4 runs"},
	};

	(void)state;
	judge_each(rows, LEN(rows), &anything);
}

/* A run that was not measured: neither exact nor tested. */
static void absent_values(void **state)
{
	const struct judged rows[] = {
		{"a.calls", COUNT_UP, NULL, RUNS(20, 20, 20, NAN), RUNS(21, 21, 21), DESCRIBED,
			"moved", NULL},
		{"a.calls", COUNT_UP, NULL, RUNS(20, 20, 20), RUNS(NAN, 21, 21, 21), DESCRIBED,
			"moved", NULL},
		{"a.calls", COUNT_UP, NULL, ABSENT(3), RUNS(21, 21, 21), DESCRIBED, "moved", NULL},
		{"a.calls", COUNT_UP, NULL, RUNS(21, 21, 21), ABSENT(3), DESCRIBED, "moved", NULL},
		{"a.calls", COUNT_UP, NULL, RUNS(NAN, NAN, NAN), RUNS(NAN, NAN, NAN), DESCRIBED,
			"same", NULL},
		{"a.calls", COUNT_UP, NULL, ABSENT(0), ABSENT(0), DESCRIBED, "same", NULL},
		{"a.calls", COUNT_UP, "+1", ABSENT(3), RUNS(21, 21, 21), DESCRIBED, "cannot tell",
			"not measured in the base's runs"},
		{"a.calls", COUNT_UP, "+1", ABSENT(0), ABSENT(0), DESCRIBED, "cannot tell",
			"not measured in the new runs"},
		{"a.calls", COUNT_UP, "+1", RUNS(21, 21, 21), ABSENT(3), DESCRIBED, "cannot tell",
			"not measured in the new runs"},
		{"a.calls", COUNT_UP, "+1", RUNS(21, 21, 21), RUNS(NAN, 21, 21), DESCRIBED,
			"cannot tell", "not measured in every run"},
		{"a.p50", TIME_UP, NULL, ABSENT(4), RUNS(7, 8, 9, 10), DESCRIBED, "moved", NULL},
		{"wall_time", TIME_UP, NULL, ABSENT(4), RUNS(7, 8, 9, 10), DESCRIBED, "moved",
			NULL},
		{"wall_time", TIME_UP, NULL, RUNS(7, 8, 9, 10), ABSENT(4), DESCRIBED, "moved",
			NULL},
		{"wall_time", TIME_UP, NULL, RUNS(1, 2, 3, 4, NAN), RUNS(7, 8, 9, 10), DESCRIBED,
			"moved", NULL},
		{"wall_time", TIME_UP, NULL, RUNS(1, 2, 3, 4), RUNS(7, NAN, 8, 9, 10), DESCRIBED,
			"moved", NULL},
	};

	(void)state;
	judge_each(rows, LEN(rows), &anything);
}

/* Times and batches: from 3 runs on what goes beyond their spread, below that 5% of the base. */
static void described_times(void **state)
{
	const struct judged rows[] = {
		{"a.p50", TIME_UP, NULL, RUNS(5, 5, 5), RUNS(5, 5, 5), DESCRIBED, "same", NULL},
		{"a.p50", TIME_UP, NULL, RUNS(100), RUNS(105), DESCRIBED, "same", NULL},
		{"a.p50", TIME_UP, NULL, RUNS(100), RUNS(106), DESCRIBED, "moved", NULL},
		{"a.p50", TIME_UP, NULL, RUNS(100), RUNS(94), DESCRIBED, "moved", NULL},
		{"a.p50", TIME_UP, NULL, RUNS(100, 100), RUNS(106, 106), DESCRIBED, "moved", NULL},
		{"a.p50", TIME_UP, NULL, RUNS(80, 100, 120), RUNS(130, 131, 132), DESCRIBED, "same",
			NULL},
		{"a.p50", TIME_UP, NULL, RUNS(80, 120), RUNS(110, 110), DESCRIBED, "moved", NULL},
		{"a.p50", TIME_UP, NULL, RUNS(99, 100, 101), RUNS(104, 104, 104), DESCRIBED, "same",
			NULL},
		{"a.p50", TIME_UP, NULL, RUNS(99, 100, 101), RUNS(110, 110, 110), DESCRIBED,
			"moved", NULL},
		{"a.batch_p50", BATCH_MOVES, NULL, RUNS(3.0, 3.1, 3.2), RUNS(3.2, 3.1, 3.2),
			DESCRIBED, "same", NULL},
		{"a.batch_p50", BATCH_MOVES, NULL, RUNS(3.0, 3.1, 3.2), RUNS(2.2, 2.1, 2.2),
			DESCRIBED, "moved", NULL},
	};

	(void)state;
	judge_each(rows, LEN(rows), &anything);
}

/* ---- what is tested ---- */

static void noisy_figures(void **state)
{
	const struct judged rows[] = {
		{"wall_time", TIME_UP, NULL, RUNS(100, 101, 102, 103), RUNS(200, 201, 202, 203),
			NOISY, "REGRESSION", NULL},
		{"wall_time", TIME_UP, NULL, RUNS(200, 201, 202, 203), RUNS(100, 101, 102, 103),
			NOISY, "better", NULL},
		/* significant, 2% and certainly below 5% of the base */
		{"wall_time", TIME_UP, NULL, RUNS(1000, 1001, 1002, 1003),
			RUNS(1020, 1021, 1022, 1023), NOISY, "ok",
			"too small a difference to matter"},
		/* 4%, which may well be 5% or more */
		{"wall_time", TIME_UP, NULL, RUNS(100, 101, 102, 103), RUNS(104, 105, 106, 107),
			NOISY, "cannot tell", "needs 33 runs"},
		/* large, and within twice the deviation of the base */
		{"wall_time", TIME_UP, NULL, RUNS(60, 80, 120, 140), RUNS(141, 142, 143, 144),
			NOISY, "cannot tell", "needs 7 runs"},
		/* one of the new among the old: p = 2 x 2 / 70 */
		{"wall_time", TIME_UP, NULL, RUNS(100, 101, 102, 110), RUNS(109, 201, 202, 203),
			NOISY, "cannot tell", "needs 5 runs"},
		{"wall_time", TIME_UP, NULL, RUNS(5, 5, 5, 5), RUNS(5, 5, 5, 5), NOISY, "ok", NULL},
		/* other times have no test without a limit */
		{"a.p50", TIME_UP, NULL, RUNS(100, 101, 102, 103), RUNS(200, 201, 202, 203),
			DESCRIBED, "moved", NULL},
	};

	(void)state;
	judge_each(rows, LEN(rows), &anything);
}

/* The machine is no reason for a difference then; but 5% it must be. */
static void noisy_figures_in_turns(void **state)
{
	const struct judged rows[] = {
		{"wall_time", TIME_UP, NULL, RUNS(60, 80, 120, 140), RUNS(141, 142, 143, 144),
			NOISY, "REGRESSION", NULL},
		{"wall_time", TIME_UP, NULL, RUNS(100, 101, 102, 103), RUNS(104, 105, 106, 107),
			NOISY, "cannot tell", "needs 33 runs"},
	};

	(void)state;
	in_turns = 1;
	judge_each(rows, LEN(rows), &anything);
	in_turns = 0;
}

static void noisy_figures_with_an_allowance(void **state)
{
	const struct judged rows[] = {
		{"wall_time", TIME_UP, "+50%", RUNS(100, 100, 100, 100), RUNS(148, 149, 149, 150),
			NOISY, "ok", NULL},
		{"wall_time", TIME_UP, "+50%", RUNS(100, 100, 100, 100), RUNS(149, 151, 151, 151),
			NOISY, "REGRESSION", "allowed +50%"},
		{"wall_time", TIME_UP, "+60ns", RUNS(100, 101, 102, 103), RUNS(150, 151, 152, 153),
			NOISY, "ok", NULL},
		{"wall_time", TIME_UP, "+60ns", RUNS(100, 101, 102, 103), RUNS(170, 171, 172, 173),
			NOISY, "REGRESSION", "allowed +60ns"},
		{"throughput", TIME_DOWN, "+10%", RUNS(99, 100, 100, 101), RUNS(91, 91, 91, 91),
			NOISY, "ok", NULL},
		{"throughput", TIME_DOWN, "+10%", RUNS(99, 100, 100, 101), RUNS(89, 89, 89, 89),
			NOISY, "REGRESSION", "allowed +10%"},
		{"throughput", TIME_DOWN, "+10%", RUNS(99, 100, 100, 101), RUNS(120, 120, 120, 120),
			NOISY, "better", NULL},
		/* a count with a limit whose runs differ: tested, not exact */
		{"a.calls", COUNT_UP, "+5", RUNS(20, 20, 21, 20), RUNS(30, 30, 30, 30), NOISY,
			"REGRESSION", "allowed +5"},
		{"a.calls", COUNT_UP, "+15", RUNS(20, 20, 20, 20), RUNS(30, 30, 31, 30), NOISY,
			"ok", NULL},
		/* of 0 there is no ratio */
		{"a.errors", COUNT_UP, "+2", RUNS(0, 0, 0, 0), RUNS(0, 1, 2, 1), NOISY, "ok", NULL},
		{"a.errors", COUNT_UP, "+2", RUNS(0, 0, 0, 0), RUNS(0, 1, 3, 1), NOISY,
			"cannot tell", "no ratio to 0"},
		{"a.errors", COUNT_UP, "+2", RUNS(0, 0, 0, 0), RUNS(3, 3, 4, 3), NOISY,
			"REGRESSION", "allowed +2"},
		{"a.per_call", BATCH_DOWN, "+2", RUNS(8, 9, 8, 9), RUNS(9, 8, 8, 7), NOISY, "ok",
			NULL},
		{"a.fill", BATCH_MOVES, "+1", RUNS(20, 20, 20, 20), RUNS(30, 30, 31, 30), NOISY,
			"cannot tell", "neither more nor less of it is worse"},
	};

	(void)state;
	judge_each(rows, LEN(rows), &anything);
}

/* As many of them are as can be, from all of them and of each host of several that took turns. */
static void more_runs_than_can_be_tested(void **state)
{
	enum { MANY = 20 * STATS_RUNS_MAX };
	static double low[MANY], high[MANY], turns[MANY], late[MANY];
	const struct judged rows[] = {
		{"wall_time", TIME_UP, NULL, {low, STATS_RUNS_MAX + 1}, {high, STATS_RUNS_MAX},
			NOISY, "REGRESSION", NULL},
		{"a.calls", COUNT_UP, NULL, {low, MANY}, {high, MANY}, NOISY, "REGRESSION", NULL},
		{"a.calls", COUNT_UP, NULL, {high, MANY}, {low, MANY}, NOISY, "better", NULL},
		{"a.calls", COUNT_UP, "+5", {low, MANY}, {high, MANY}, NOISY, "REGRESSION",
			"allowed +5"},
		{"a.calls", COUNT_UP, "+5%", {turns, MANY}, {turns + 1, MANY - 1}, NOISY, "ok",
			NULL},
		{"a.calls", COUNT_UP, NULL, {low, MANY}, {late, MANY}, NOISY, "REGRESSION", NULL},
	};

	(void)state;
	for (size_t i = 0; i < MANY; i++) {
		low[i] = 1000 + (double)(i * 7 % 101);
		high[i] = low[i] + 1000;
		turns[i] = i % 2 ? low[i] : high[i];
		late[i] = i < MANY / 4 ? low[i] : high[i];
	}
	judge_each(rows, LEN(rows), &anything);
}

/* ---- the family ---- */

static void assert_p(const struct res_compare_metric *m, double p, double p_holm)
{
	if (!(fabs(m->p - p) < 1e-9) || !(fabs(m->p_holm - p_holm) < 1e-9))
		fail_msg("%s: p %.9f, after Holm %.9f, not %.9f and %.9f", m->name ? m->name : "?",
			m->p, m->p_holm, p, p_holm);
}

#define BASE_5  RUNS(100, 101, 102, 103, 104)
#define APART_5 RUNS(200, 201, 202, 203, 204)
#define U2_5    RUNS(102.5, 201, 202, 203, 204) /* one of them below two of BASE_5 */
#define U2_5B   RUNS(205, 102.5, 202, 203, 204) /* the same in another order of runs */

static void holm_over_the_family(void **state)
{
	const struct judged two[] = {
		{"wall_time", TIME_UP, NULL, BASE_5, U2_5, NOISY, "REGRESSION", NULL},
		{"a.p50", TIME_UP, "+1%", BASE_5, APART_5, NOISY, "REGRESSION", "allowed +1%"},
		{"a.p99", TIME_UP, NULL, BASE_5, APART_5, DESCRIBED, "moved", NULL},
	};
	const struct judged three[] = {
		{"wall_time", TIME_UP, NULL, BASE_5, U2_5, NOISY, "cannot tell", "needs 6 runs"},
		{"a.p50", TIME_UP, "+1%", BASE_5, APART_5, NOISY, "REGRESSION", "allowed +1%"},
		{"a.p99", TIME_UP, "+1%", BASE_5, U2_5B, NOISY, "cannot tell", "needs 6 runs"},
	};
	struct family f;

	(void)state;
	judge_family(&f, two, LEN(two), &anything);
	for (size_t i = 0; i < LEN(two); i++)
		assert_judged(&two[i], f.row[i].out, i);
	assert_p(f.row[0].out, 8.0 / 252, 8.0 / 252);
	assert_p(f.row[1].out, 2.0 / 252, 4.0 / 252);
	assert_true(isnan(f.row[2].out->p) && isnan(f.row[2].out->p_holm));
	family_release(&f);

	judge_family(&f, three, LEN(three), &anything);
	for (size_t i = 0; i < LEN(three); i++)
		assert_judged(&three[i], f.row[i].out, i);
	assert_p(f.row[0].out, 8.0 / 252, 16.0 / 252);
	assert_p(f.row[1].out, 2.0 / 252, 6.0 / 252);
	assert_p(f.row[2].out, 8.0 / 252, 16.0 / 252);
	family_release(&f);
}

/* What is per call or of the whole has 4% of the 5%, the counts of each call 1%; what has the same
 * order is one test. With 5 runs: 5 tests of the first family, 1 of the second. */
static void two_families(void **state)
{
#define A RUNS(100, 101, 102, 103, 104)
#define B RUNS(200, 201, 202, 203, 204)
	const struct judged one_order[] = {
		{"calls", COUNT_UP, NULL, A, B, NOISY, "REGRESSION", NULL},
		{"a.calls", COUNT_UP, NULL, A, B, NOISY, "REGRESSION", NULL},
		{"a.bytes", COUNT_UP, NULL, RUNS(10, 11, 12, 13, 14), RUNS(21, 22, 23, 24, 25),
			NOISY, "REGRESSION", NULL},
		{"a.per_call", BATCH_DOWN, NULL, RUNS(9, 8, 7, 6, 5), RUNS(4, 3, 2, 1, .5), NOISY,
			"REGRESSION", NULL},
	};
	const struct judged two_orders[] = {
		{"calls", COUNT_UP, NULL, A, B, NOISY, "REGRESSION", NULL},
		{"a.calls", COUNT_UP, NULL, A, RUNS(201, 200, 202, 203, 204), NOISY, "REGRESSION",
			NULL},
	};
	const struct judged three_orders[] = {
		{"calls", COUNT_UP, NULL, A, B, NOISY, "REGRESSION", NULL},
		{"a.calls", COUNT_UP, NULL, A, RUNS(201, 200, 202, 203, 204), NOISY, "looks worse",
			"needs 6 runs"},
		{"b.calls", COUNT_UP, NULL, A, RUNS(202, 200, 201, 203, 204), NOISY, "looks worse",
			"needs 6 runs"},
	};
	struct family f;

	(void)state;
	judge_family(&f, one_order, LEN(one_order), &anything);
	for (size_t i = 0; i < LEN(one_order); i++) {
		assert_judged(&one_order[i], f.row[i].out, i);
		assert_p(f.row[i].out, 2.0 / 252, 2.0 / 252);
	}
	family_release(&f);
	judge_family(&f, two_orders, LEN(two_orders), &anything);
	for (size_t i = 0; i < LEN(two_orders); i++)
		assert_judged(&two_orders[i], f.row[i].out, i);
	assert_p(f.row[0].out, 2.0 / 252, 2.0 / 252 / 0.8);
	assert_p(f.row[1].out, 2.0 / 252, 2.0 / 252 / 0.2);
	family_release(&f);
	judge_family(&f, three_orders, LEN(three_orders), &anything);
	for (size_t i = 0; i < LEN(three_orders); i++)
		assert_judged(&three_orders[i], f.row[i].out, i);
	assert_p(f.row[1].out, 2.0 / 252, 4.0 / 252 / 0.2);
	family_release(&f);
#undef A
#undef B
}

/* Slower by work or by waiting: either is found, and both together raise no more alarms than one.
 * Where the runs did not do the same it is the time of a unit. */
static void times_of_the_whole(void **state)
{
	const struct judged four[] = {
		{"wall_time", TIME_UP, NULL, RUNS(1, 2, 3, 4), RUNS(16, 17, 18, 19), NOISY,
			"cannot tell", "needs 5 runs"},
		{"cpu_time", TIME_UP, NULL, RUNS(1, 2, 4, 3), RUNS(16, 17, 18, 19), NOISY,
			"cannot tell", "needs 5 runs"},
		{"cpu_per_work", TIME_UP, NULL, RUNS(1, 2, 3, 4), RUNS(16, 17, 19, 18), DESCRIBED,
			"moved", NULL},
	};
	const struct judged five[] = {
		{"wall_time", TIME_UP, NULL, RUNS(60, 100, 101, 102, 180),
			RUNS(70, 103, 99, 104, 190), NOISY, "cannot tell",
			"needs more than 100 runs"},
		{"cpu_time", TIME_UP, NULL, BASE_5, APART_5, NOISY, "REGRESSION", NULL},
	};
	const struct judged varies[] = {
		{"wall_time", TIME_UP, NULL, BASE_5, RUNS(100, 101, 102, 103, 104.5), NOISY, "ok",
			NULL},
		{"cpu_time", TIME_UP, NULL, BASE_5, U2_5, DESCRIBED, "moved", NULL},
		{"cpu_per_work", TIME_UP, NULL, BASE_5, APART_5, NOISY, "REGRESSION", NULL},
	};
	const struct judged old[] = {
		{"cpu_time", TIME_UP, NULL, ABSENT(5), APART_5, DESCRIBED, "moved", NULL},
	};
	struct family f;

	(void)state;
	judge_family(&f, four, LEN(four), &anything);
	for (size_t i = 0; i < LEN(four); i++)
		assert_judged(&four[i], f.row[i].out, i);
	family_release(&f);
	judge_family(&f, five, LEN(five), &anything);
	for (size_t i = 0; i < LEN(five); i++)
		assert_judged(&five[i], f.row[i].out, i);
	assert_p(f.row[1].out, 2.0 / 252, 4.0 / 252);
	family_release(&f);
	for (enum judge_work work = WORK_SIDES; work <= WORK_VARIES; work++) {
		judge_family_of(&f, varies, LEN(varies), &anything, work);
		for (size_t i = 0; i < LEN(varies); i++)
			assert_judged(&varies[i], f.row[i].out, i);
		family_release(&f);
	}
	judge_each(old, LEN(old), &anything);
}

/* Two tests need 5 runs: what is exact, described or not to be compared is none of them. */
static void how_many_runs_a_family_needs(void **state)
{
	const struct judged rows[] = {
		{"wall_time", TIME_UP, NULL, RUNS(1, 2, 3, 4), RUNS(6, 7, 8, 9), NOISY,
			"cannot tell", "needs 5 runs"},
		{"a.calls", COUNT_UP, "+1", RUNS(1, 2, 4, 3), RUNS(6, 7, 8, 9), NOISY,
			"cannot tell", "needs 5 runs"},
	};
	const struct judged alone[] = {
		{"wall_time", TIME_UP, NULL, RUNS(1, 2, 3, 4), RUNS(16, 17, 18, 19), NOISY,
			"REGRESSION", NULL},
		{"a.calls", COUNT_UP, "+1", RUNS(1, 1, 1, 1), RUNS(2, 2, 2, 2), EXACT, "ok",
			"exact, allowed +1"},
		{"a.p50", TIME_UP, NULL, RUNS(1, 2, 3, 4), RUNS(16, 17, 18, 19), DESCRIBED, "moved",
			NULL},
		{"a.per_call", BATCH_DOWN, "+1", RUNS(1, 2, 3, 4), RUNS(16, 17, 18, 19), DESCRIBED,
			"not compared", "slowed"},
	};
	const struct judge_rules rules = {NULL, (char *)"slowed", NULL, NULL};
	struct family f;

	(void)state;
	judge_family(&f, rows, LEN(rows), &anything);
	for (size_t i = 0; i < LEN(rows); i++)
		assert_judged(&rows[i], f.row[i].out, i);
	family_release(&f);

	judge_family(&f, alone, LEN(alone), &rules);
	for (size_t i = 0; i < LEN(alone); i++)
		assert_judged(&alone[i], f.row[i].out, i);
	assert_p(f.row[0].out, 2.0 / 70, 2.0 / 70);
	family_release(&f);
}

/* ---- limits on the new value ---- */

static void limits_on_the_new_value(void **state)
{
	const struct judged rows[] = {
		{"a.per_call", BATCH_DOWN, ">= 1.9", RUNS(1), RUNS(1.9), DESCRIBED, "ok",
			"limit >= 1.9"},
		{"a.per_call", BATCH_DOWN, ">= 1.9", RUNS(2), RUNS(1.8), DESCRIBED, "REGRESSION",
			"limit >= 1.9"},
		{"a.calls", COUNT_UP, "<= 20", RUNS(9, 9, 9), RUNS(20, 20, 20), EXACT, "ok",
			"limit <= 20"},
		{"a.calls", COUNT_UP, "<= 20", RUNS(30, 30, 30), RUNS(21, 21, 21), EXACT,
			"REGRESSION", "limit <= 20"},
		{"a.calls", COUNT_UP, "== 3", ABSENT(0), RUNS(3), DESCRIBED, "ok", "limit == 3"},
		{"a.calls", COUNT_UP, "<= 20", RUNS(1), RUNS(30, 19, 18), DESCRIBED, "ok",
			"limit <= 20, met by 2 of 3 runs"},
		{"a.calls", COUNT_UP, "<= 20", RUNS(1), RUNS(30, 31, 18), DESCRIBED, "REGRESSION",
			"limit <= 20, met by 1 of 3 runs"},
		{"a.calls", COUNT_UP, "<= 20", RUNS(1), RUNS(NAN, 31, 18, 17), DESCRIBED,
			"cannot tell", "limit <= 20, measured in 3 of 4 runs"},
		{"a.calls", COUNT_UP, "<= 20", RUNS(1), RUNS(NAN, 31, 32, 17), DESCRIBED,
			"REGRESSION", "limit <= 20, met by 1 of 3 runs"},
		{"a.calls", COUNT_UP, "<= 20", RUNS(1), RUNS(NAN, 18), DESCRIBED, "cannot tell",
			"limit <= 20, measured in 1 of 2 runs"},
		{"a.calls", COUNT_UP, "<= 20", RUNS(1), RUNS(NAN, NAN), DESCRIBED, "cannot tell",
			"not measured in the new runs"},
		{"a.calls", COUNT_UP, "<= 20", RUNS(1), ABSENT(2), DESCRIBED, "cannot tell",
			"not measured in the new runs"},
		{"a.calls", COUNT_UP, "<= 20", RUNS(1), ABSENT(0), DESCRIBED, "cannot tell",
			"not measured in the new runs"},
	};

	(void)state;
	judge_each(rows, LEN(rows), &anything);
}

/* ---- what may not be compared ---- */

static void rules_forbid_kinds(void **state)
{
	static const struct {
		const char *counts, *batches, *times; /* the rules */
		const char *of_count, *of_batch, *of_time;
	} cases[] = {
		{NULL, NULL, NULL, NULL, NULL, NULL},
		{"c", NULL, NULL, "c", "c", NULL},
		{NULL, "b", NULL, NULL, "b", NULL},
		{NULL, NULL, "t", NULL, NULL, "t"},
		{"c", "b", "t", "c", "b", "t"},
	};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		const char *c = cases[i].of_count, *b = cases[i].of_batch, *t = cases[i].of_time;
		const struct judge_rules rules = {(char *)cases[i].counts, (char *)cases[i].batches,
			(char *)cases[i].times, NULL};
		const struct judged rows[] = {
			{"a.calls", COUNT_UP, NULL, RUNS(1, 1, 1), RUNS(2, 2, 2), EXACT,
				c ? "not compared" : "REGRESSION", c ? c : "exact"},
			/* what may not be compared is held against no limit */
			{"a.calls", COUNT_UP, "<= 1", RUNS(1, 1, 1), RUNS(2, 2, 2), EXACT,
				c ? "not compared" : "REGRESSION", c ? c : "limit <= 1"},
			{"a.per_call", BATCH_DOWN, NULL, RUNS(2, 2, 2), RUNS(1, 1, 1), EXACT,
				b ? "not compared" : "REGRESSION", b ? b : "exact"},
			{"wall_time", TIME_UP, NULL, RUNS(1, 2, 3, 4), RUNS(16, 17, 18, 19),
				t ? DESCRIBED : NOISY, t ? "not compared" : "REGRESSION", t},
		};

		judge_each(rows, LEN(rows), &rules);
	}
}

/* ---- figures ---- */

static void figures(void **state)
{
	const struct judged row = {"wall_time", TIME_UP, NULL, RUNS(104, 100, 101, 103),
		RUNS(205, 200, 210, 203), NOISY, "REGRESSION", NULL};
	const struct judged gaps = {
		"a.calls", COUNT_UP, NULL, RUNS(NAN, 0), ABSENT(2), DESCRIBED, "moved", NULL};
	struct family f;
	const struct res_compare_metric *m;

	(void)state;
	judge_family(&f, &row, 1, &anything);
	m = f.row[0].out;
	assert_true(m->base_median == 102 && m->base_min == 100 && m->base_max == 104);
	assert_true(m->new_median == 204 && m->new_min == 200 && m->new_max == 210);
	assert_true(m->change == 1);
	/* 4 and 4 at 95%: the least and the largest of all ratios */
	assert_true(m->ratio_low == 200.0 / 104 && m->ratio_high == 210.0 / 100);
	family_release(&f);

	judge_family(&f, &gaps, 1, &anything);
	m = f.row[0].out;
	assert_true(m->base_median == 0 && m->base_min == 0 && m->base_max == 0);
	assert_true(isnan(m->new_median) && isnan(m->new_min) && isnan(m->new_max));
	assert_true(isnan(m->change) && isnan(m->ratio_low) && isnan(m->ratio_high));
	family_release(&f);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(exact_counts),
		cmocka_unit_test(exact_counts_with_an_allowance),
		cmocka_unit_test(counts_that_vary_are_tested),
		cmocka_unit_test(what_cannot_be_told),
		cmocka_unit_test(per_unit_of_work_first),
		cmocka_unit_test(few_runs_are_described),
		cmocka_unit_test(absent_values),
		cmocka_unit_test(described_times),
		cmocka_unit_test(noisy_figures),
		cmocka_unit_test(noisy_figures_in_turns),
		cmocka_unit_test(noisy_figures_with_an_allowance),
		cmocka_unit_test(more_runs_than_can_be_tested),
		cmocka_unit_test(holm_over_the_family),
		cmocka_unit_test(two_families),
		cmocka_unit_test(times_of_the_whole),
		cmocka_unit_test(how_many_runs_a_family_needs),
		cmocka_unit_test(limits_on_the_new_value),
		cmocka_unit_test(rules_forbid_kinds),
		cmocka_unit_test(figures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
