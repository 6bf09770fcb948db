/* SPDX-License-Identifier: GPL-3.0-only */
/* The text of perf script. The first byte is the size of the pieces in which it comes. */
#include "cpu/diff.h"
#include "cpu/fold.h"
#include "cpu/stats.h"
#include "tests/fuzz/fuzz.h"

static void fold(struct fold *f, struct out *o, const uint8_t *data, size_t size, size_t piece)
{
	fold_init(f);
	out_init_mem(o);
	for (size_t at = 0; at < size; at += piece)
		fold_feed(f, (const char *)data + at, size - at < piece ? size - at : piece);
	fold_end(f);
	fold_write(f, o);
}

static void check_folded(struct out *o, uint64_t samples)
{
	struct diff d = {0};
	struct err err = {0};

	if (diff_read(&d, DIFF_BASE, fuzz_path(0, out_text(o), o->len), &err) < 0)
		fprintf(stderr, "%s\n", err.text);
	FUZZ_CHECK(!err.code && d.samples[DIFF_BASE] == samples);
	diff_release(&d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fold whole, pieces;
	struct out a, b;
	struct res_cpu *r;

	if (!size)
		return 0;
	fold(&whole, &a, data + 1, size - 1, size);
	fold(&pieces, &b, data + 1, size - 1, (size_t)data[0] + 1);
	FUZZ_CHECK(strcmp(out_text(&a), out_text(&b)) == 0);
	FUZZ_CHECK(whole.samples == pieces.samples);
	check_folded(&a, whole.samples);
	r = result_make(&schema_cpu);
	r->sampling = RES_OBJ(r, cpu_sampling);
	stats_fill(&whole, r);
	fold_event(&whole);
	result_free(r);
	fold_release(&whole);
	fold_release(&pieces);
	out_release(&a);
	out_release(&b);
	return 0;
}
