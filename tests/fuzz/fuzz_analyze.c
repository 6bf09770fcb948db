/* SPDX-License-Identifier: GPL-3.0-only */
/* `analyze` on a saved result of any kind. */
#include "common/analyze/analyze.h"
#include "common/analyze/input.h"
#include "common/write/markdown.h"
#include "common/write/writer.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct analyze_input in = {0};
	struct ease_table ease = ease_defaults();
	struct err err = {0};

	if (analyze_input_add(&in, fuzz_path(0, data, size), &err) == 0) {
		struct doc *d = doc_new();
		struct out o;

		out_init_mem(&o);
		if (in.at[0].io)
			analyze_io(d, &in.at[0], &ease);
		analyze_profiling(d, in.at, in.len, &ease);
		markdown_write_doc(d, &o);
		fuzz_check_safe(&o);
		fuzz_renew(&o);
		text_write_doc(d, &o, 100);
		fuzz_check_safe(&o);
		out_release(&o);
		doc_free(d);
	}
	analyze_input_release(&in);
	return 0;
}
