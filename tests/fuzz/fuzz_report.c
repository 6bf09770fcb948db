/* SPDX-License-Identifier: GPL-3.0-only */
/* `report` on a saved result of any kind, and on folded stacks after a line "----". */
#include "common/report/report.h"
#include "common/base/mem.h"
#include "tests/fuzz/fuzz.h"

/* Tags that only a target could have brought in: the page's own have other letters after "<". */
static void check_page(const char *page)
{
	FUZZ_CHECK(!strstr(page, "<zz") && !strstr(page, "</zz"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct report r = {0};
	struct err err = {0};
	size_t len, at = fuzz_split(data, size, &len);
	struct out o;

	if (report_read(&r, fuzz_path(0, data, len), &err) == 0) {
		if (r.cpu && at < size && !r.cpu_stacks.path) {
			r.cpu_stacks.path = mem_strdup("x.folded");
			r.cpu_stacks.text = fuzz_text(data + at, size - at);
			r.cpu_stacks.len = size - at;
		}
		if (!r.io && !r.cpu && !r.memory) { /* a comparison needs a result beside it */
			r.io = result_new();
			r.io_path = mem_strdup("x.json");
		}
		out_init_mem(&o);
		report_html(&r, &o);
		check_page(out_text(&o));
		fuzz_renew(&o);
		report_text(&r, &o);
		fuzz_check_safe(&o);
		out_release(&o);
	}
	report_release(&r);
	return 0;
}
