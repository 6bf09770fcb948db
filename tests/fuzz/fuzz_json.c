/* SPDX-License-Identifier: GPL-3.0-only */
/* Files of every schema. What is read is written so that it reads back as the same. */
#include "common/model/json.h"
#include "tests/fuzz/fuzz.h"

static void read_back(const struct schema *schema, const void *doc)
{
	struct out first, second;
	struct err err = {0};
	void *again;

	out_init_mem(&first);
	out_init_mem(&second);
	json_write_doc(doc, &first);
	if (json_read_struct(fuzz_path(1, out_text(&first), first.len), schema, &again, &err) < 0)
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
	const char *path = fuzz_path(0, data, size);

	for (const struct schema *const *s = schemas; *s; s++) {
		struct err err = {0};
		void *doc;

		if (json_read_struct(path, *s, &doc, &err) < 0) {
			FUZZ_CHECK(err.text[0]);
			continue;
		}
		read_back(*s, doc);
		result_free(doc);
	}
	return 0;
}
