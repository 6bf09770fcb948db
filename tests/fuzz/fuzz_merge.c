/* SPDX-License-Identifier: GPL-3.0-only */
/* Results with a line "----" between them, each of a host of its own, merged. */
#include "common/merge/merge.h"
#include "common/model/json.h"
#include "tests/fuzz/fuzz.h"

static void read_back(const struct res_merge *d)
{
	struct out first, second;
	struct err err = {0};
	void *again;

	out_init_mem(&first);
	out_init_mem(&second);
	json_write_doc(d, &first);
	if (json_read_struct(
		    fuzz_path(1, out_text(&first), first.len), &schema_merge, &again, &err) < 0)
		fprintf(stderr, "%s\n", err.text);
	FUZZ_CHECK(!err.code);
	json_write_doc(again, &second);
	FUZZ_CHECK(strcmp(out_text(&first), out_text(&second)) == 0);
	result_free(again);
	out_release(&first);
	out_release(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct merge *m = merge_new();
	uint64_t added = 0;

	while (size) {
		size_t len, at = fuzz_split(data, size, &len);
		struct res_result *r;
		char host[32];

		if (json_read_result(fuzz_path(0, data, len), &r, NULL) == 0) {
			/* Of several hosts, and each twice: odd ones are looked for from 10 on. */
			for (int i = 0; i < 8; i++) {
				snprintf(host, sizeof(host), "h%llu-%d", (unsigned long long)added,
					i / 2);
				merge_add(m, host, r);
			}
			added++;
			result_free(r);
		}
		data += at;
		size -= at;
	}
	const struct res_merge *d = merge_finish(m);

	FUZZ_CHECK(d->results == 8 * added);
	read_back(d);
	merge_free(m);
	return 0;
}
