/* SPDX-License-Identifier: GPL-3.0-only */
/* The text of a detail file: each line, and the replay of the whole. */
#include "common/analyze/whatif.h"
#include "common/analyze/whatif_parts.h"
#include "tests/fuzz/fuzz.h"

/* A line of its own allocation: it does not end with a NUL. */
static void parse(const uint8_t *line, size_t len)
{
	char *exact = malloc(len ? len : 1);
	struct detail_call c;

	FUZZ_CHECK(exact);
	memcpy(exact, line, len);
	if (detail_parse(exact, len, &c) == 0) {
		FUZZ_CHECK(c.name_len && c.args <= c.args_end && c.end <= exact + len);
		detail_parse_more(&c);
	}
	free(exact);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct whatif w = {0};
	struct err err = {0};

	for (size_t at = 0; at < size;) {
		const uint8_t *end = memchr(data + at, '\n', size - at);
		size_t len = end ? (size_t)(end - data) - at : size - at;

		parse(data + at, len);
		at += len + 1;
	}
	if (whatif_read(fuzz_path(0, data, size), &w, &err) == 0) {
		for (size_t i = 0; i < w.len; i++)
			for (int p = 0; p < WHATIF_POLICIES; p++)
				FUZZ_CHECK(w.at[i].outcome[p].calls <= w.at[i].calls);
		whatif_release(&w);
	} else {
		FUZZ_CHECK(err.text[0]);
	}
	return 0;
}
