/* SPDX-License-Identifier: GPL-3.0-only */
/* What a baseline holds: its manifest, the text of METADATA.md, and a result that is described. */
#include "common/baseline/baseline_manifest.h"
#include "common/baseline/baseline_metadata.h"
#include "tests/fuzz/fuzz.h"

static void read_manifest(const char *text)
{
	struct manifest m = {0}, again = {0};
	struct baseline_check check = {0};
	struct out o;

	if (manifest_parse(text, &m, NULL) == 0) {
		for (size_t i = 0; i < m.len; i++)
			FUZZ_CHECK(manifest_path_ok(m.at[i].path));
		out_init_mem(&o);
		manifest_write(&m, &o);
		FUZZ_CHECK(manifest_parse(out_text(&o), &again, NULL) == 0 && again.len == m.len);
		manifest_sort(&m);
		manifest_sort(&again);
		manifest_compare(&m, &again, &check);
		baseline_check_release(&check);
		out_release(&o);
	}
	manifest_release(&m);
	manifest_release(&again);
}

static void describe(const char *path)
{
	static const struct schema *const of_profiles[] = {
		&schema_result, &schema_cpu, &schema_memory};
	struct metadata m = {.version = "1.0", .date = "2026-01-31T12:00:00Z"};
	struct metadata_lines doubts = {0};
	struct out o;

	for (size_t i = 0; i < LEN(of_profiles); i++)
		metadata_read(&m, of_profiles[i]->name, of_profiles[i], "x", path);
	out_init_mem(&o);
	metadata_write(&m, &o);
	fuzz_check_safe(&o);
	metadata_doubts(&m, &doubts);
	free(doubts.at);
	out_release(&o);
	metadata_release(&m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	struct arena a = {0};

	read_manifest(text);
	metadata_date(&a, text);
	arena_release(&a);
	free(text);
	describe(fuzz_path(0, data, size));
	return 0;
}
