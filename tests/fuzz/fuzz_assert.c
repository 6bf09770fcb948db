/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * --assert: figures and limits, a line each, held against the result behind a line "----"; where
 * there is none it is an empty one.
 */
#include "common/model/json.h"
#include "tests/fuzz/fuzz.h"
#include "tracer/assertions.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t len, at = fuzz_split(data, size, &len);
	char *text = fuzz_text(data, len), *rest = text, *line;
	struct assertions a = {0};
	struct res_result *r;
	struct out o;

	while ((line = strsep(&rest, "\n"))) {
		struct err err = {0};
		size_t before = a.len;

		if (assertions_add(&a, line, &err) == 0)
			FUZZ_CHECK(a.len == before + 1);
		else
			FUZZ_CHECK(err.text[0] && a.len == before);
	}
	assertions_on_times(&a);
	if (json_read_result(fuzz_path(0, data + at, size - at), &r, NULL) < 0)
		r = result_new();
	out_init_mem(&o);
	size_t failed = assertions_judge(&a, r, &o), lines = 0;

	for (const char *p = out_text(&o); *p; p++)
		lines += *p == '\n';
	FUZZ_CHECK(failed == lines && failed <= a.len);
	out_release(&o);
	result_free(r);
	assertions_release(&a);
	free(text);
	return 0;
}
