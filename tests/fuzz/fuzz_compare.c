/* SPDX-License-Identifier: GPL-3.0-only */
/* Two saved results, a line "----" between them, compared with limits on everything. */
#include "common/compare/compare.h"
#include "common/model/json.h"
#include "common/view/view.h"
#include "common/write/writer.h"
#include "tests/fuzz/fuzz.h"

static const struct result_kind kinds[] = {
	{"io", "iotrace", "-iotrace.json", &schema_result},
	{"cpu", "cpu", "-cpu.json", &schema_cpu},
	{"memory", "memory", "-memory.json", &schema_memory},
	{0},
};

static const char *const pairs[] = {"wall_time", "+2%", "calls", "<= 10", "peak_heap", "<= 12MiB",
	"sendmmsg.batch", ">= 1.9", NULL};

static void print(struct res_compare *c)
{
	struct doc *d = view_compare(c, 1);
	struct out o;

	out_init_mem(&o);
	text_write_doc(d, &o, 100);
	fuzz_check_safe(&o);
	fuzz_renew(&o);
	json_write_doc(c, &o);
	out_release(&o);
	doc_free(d);
	result_free(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct side base = {0}, new = {0};
	size_t len, at = fuzz_split(data, size, &len);
	struct compare_limits limits[] = {{NULL, pairs}, {0}};
	struct compare_options options = {.force = 1};
	struct res_compare *c;

	if (side_read(&base, fuzz_path(0, data, len), kinds, NULL) == 0 &&
		side_read(&new, fuzz_path(1, data + at, size - at), kinds, NULL) == 0 &&
		base.parts.len && new.parts.len) {
		limits[0].scenario = base.parts.at[0].scenario;
		options.limits = limits;
		if (compare_sides(&base, &new, &options, &c, NULL) == 0)
			print(c);
		if (compare_budgets(&new, limits, &c, NULL) == 0)
			print(c);
	}
	side_release(&base);
	side_release(&new);
	return 0;
}
