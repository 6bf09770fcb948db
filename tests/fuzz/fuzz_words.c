/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Small texts from the command line, the catalogue and /proc: numbers with units, limits,
 * readiness, work and latency, iotrace's status line, tables of sockets. All are tried on the same
 * text.
 */
#include <math.h>

#include "common/base/mem.h"
#include "common/base/units.h"
#include "common/compare/limit.h"
#include "common/runner/load.h"
#include "common/runner/ready.h"
#include "common/runner/status_line.h"
#include "common/write/safe.h"
#include "tests/fuzz/fuzz.h"

static void numbers(const char *text)
{
	uint64_t v;
	char buf[UNITS_BUF];

	if (units_parse_bytes(text, &v, NULL) == 0)
		FUZZ_CHECK(strlen(units_bytes(buf, v)) < UNITS_BUF);
	if (units_parse_seconds(text, &v, NULL) == 0)
		FUZZ_CHECK(v <= 1000000000 * (uint64_t)1000000000 && units_duration(buf, v));
	if (units_parse_u64(text, 3, 99, &v, NULL) == 0)
		FUZZ_CHECK(v >= 3 && v <= 99);
}

/* What `accept` writes into a catalogue is a limit again, and met by the value it was made for. */
static void rewrite(const char *text, double v)
{
	char *rewritten = limit_rewrite(text, v);
	struct limit again;

	if (!rewritten)
		return;
	if (limit_parse(rewritten, &again, NULL) < 0 ||
		(!strchr(text, '%') && !limit_met(&again, v))) {
		fprintf(stderr, "%s for %.17g: %s\n", text, v, rewritten);
		abort();
	}
	free(rewritten);
}

static void limits(const char *text)
{
	static const double values[] = {
		0, 1, 1.9, 1.0 / 3, 1e-7, 1e6, 12 * 1048576.0, 12345678901, 9e18, NAN};
	struct limit l;

	if (limit_parse(text, &l, NULL) < 0)
		return;
	limit_tolerance(&l, 50);
	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
		limit_met(&l, values[i]);
		rewrite(text, values[i]);
	}
}

static void readiness(const char *text)
{
	struct ready r;
	uint64_t inodes[4];

	if (ready_parse(text, &r, NULL) == 0)
		FUZZ_CHECK(r.kind == READY_COMMAND || r.port);
	for (int kind = READY_UDP; kind <= READY_TCP; kind++) {
		r = (struct ready){.kind = kind, .port = 53};
		FUZZ_CHECK(ready_sockets(text, &r, inodes, 4) <= 4);
	}
}

/* The text is what a load says. */
static void work(const char *text, size_t len)
{
	static const char *const known[] = {"(\\d+)", "completed: +([0-9.,]+)"};
	char *unit, *regex;
	struct work_scan w;

	for (size_t i = 0; i < 2; i++) {
		if (work_scan_init(&w, known[i], 1000000, NULL) < 0)
			continue;
		work_scan_feed(&w, text, len / 2);
		work_scan_feed(&w, text + len / 2, len - len / 2);
		work_scan_end(&w);
		work_scan_release(&w);
	}
	if (work_split(text, &unit, &regex, NULL) == 0) {
		FUZZ_CHECK(unit[0] && regex[0]);
		free(unit);
		free(regex);
	}
}

static void show(const char *text)
{
	struct status_line last = {0};
	struct arena a = {0};
	char figures[64], *safe = safe_text(&a, text);
	struct out o;

	status_figures(text, &last, figures, sizeof(figures));
	out_init_mem(&o);
	out_str(&o, safe);
	fuzz_check_safe(&o);
	FUZZ_CHECK(!strchr(safe, '\n'));
	for (size_t columns = 8; columns < 40; columns += 7) {
		char *copy = arena_strdup(&a, safe);

		FUZZ_CHECK(safe_fit(safe, columns) <= strlen(safe));
		FUZZ_CHECK(safe_width(safe_cut(&a, copy, columns)) <= columns);
	}
	out_release(&o);
	arena_release(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);

	numbers(text);
	limits(text);
	readiness(text);
	work(text, strlen(text));
	show(text);
	free(text);
	return 0;
}
