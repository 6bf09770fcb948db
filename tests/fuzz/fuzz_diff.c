/* SPDX-License-Identifier: GPL-3.0-only */
/* Two files of folded stacks, a line "----" between them: their difference, and the flame graph. */
#include "common/base/mem.h"
#include "common/report/report_flame.h"
#include "common/report/report_page.h"
#include "cpu/diff.h"
#include "tests/fuzz/fuzz.h"

static void compare(const uint8_t *data, size_t len, const uint8_t *then, size_t then_len)
{
	struct diff d = {0};
	struct res_cpu *r = result_make(&schema_cpu);
	struct out o;

	out_init_mem(&o);
	if (diff_read(&d, DIFF_BASE, fuzz_path(0, data, len), NULL) == 0 &&
		diff_read(&d, DIFF_NOW, fuzz_path(1, then, then_len), NULL) == 0) {
		diff_write(&d, &o);
		diff_result(&d, r);
	}
	diff_release(&d);
	result_free(r);
	out_release(&o);
}

static void draw(const uint8_t *data, size_t len)
{
	struct flame f = {.noun = "sample", .unit = CELL_COUNT};
	char *text = fuzz_text(data, len);
	struct out o;
	struct page page = {.o = &o, .whole_left = 1000};

	out_init_mem(&o);
	flame_of_folded(&f, text, len);
	flame_least(&f, 100, 0.01);
	report_flame_svg(&page, &f, "a");
	FUZZ_CHECK(!strstr(out_text(&o), "<zz"));
	flame_release(&f);
	arena_release(&page.arena);
	out_release(&o);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t len, at = fuzz_split(data, size, &len);

	compare(data, len, data + at, size - at);
	draw(data, len);
	return 0;
}
