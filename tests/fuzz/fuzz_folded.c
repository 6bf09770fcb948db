/* SPDX-License-Identifier: GPL-3.0-only */
/* The folded stacks of heaptrack_print, whose names are the target's, as a profile's sites. */
#include "heap/folded.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct folded f = {0};
	struct res_memory *r = result_make(&schema_memory);
	struct err err = {0};
	double shares = 0;

	if (folded_read(fuzz_path(0, data, size), &f, &err) == 0) {
		for (size_t i = 0; i < f.len; i++)
			FUZZ_CHECK(f.at[i].cost <= f.total && f.at[i].leaf);
		folded_sites(&f, r);
		for (size_t i = 0; i < r->sites.len; i++) {
			FUZZ_CHECK(!i || r->sites.at[i].bytes <= r->sites.at[i - 1].bytes);
			FUZZ_CHECK(r->sites.at[i].function);
			shares += r->sites.at[i].share;
		}
		/* Costs may be too many to add up. */
		FUZZ_CHECK(f.total == INT64_MAX || shares < 1.000001);
	} else {
		FUZZ_CHECK(err.text[0]);
	}
	folded_release(&f);
	result_free(r);
	return 0;
}
