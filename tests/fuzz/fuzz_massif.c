/* SPDX-License-Identifier: GPL-3.0-only */
/* A massif file, and all that is made of it. */
#include "common/report/plot.h"
#include "mem/folded.h"
#include "mem/massif.h"
#include "mem/profile.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	struct massif m;
	uint64_t left_out;
	struct err err = {0};

	if (massif_parse(&m, text, size, &err) == 0) {
		struct res_memory *r = result_make(&schema_memory);
		struct out o;

		FUZZ_CHECK(m.peak < m.snapshots.len);
		/* What is one form is the other, too. */
		FUZZ_CHECK(massif_read_end(fuzz_path(0, data, size), &m, &err) == 0 && m.end.known);
		FUZZ_CHECK(m.peak < m.snapshots.len || m.peak == MASSIF_END);
		out_init_mem(&o);
		profile_fill(r, &m);
		folded_write(&m, &o, &left_out);
		plot_write(r, 1, &o);
		massif_has_option(&m, "--stacks=yes");
		massif_option(&m, "--threshold=", 1);
		out_release(&o);
		result_free(r);
		massif_release(&m);
	} else {
		FUZZ_CHECK(err.text[0]);
	}
	free(text);
	return 0;
}
