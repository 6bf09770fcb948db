/* SPDX-License-Identifier: GPL-3.0-only */
/* /proc/PID/maps, where the names are the target's. */
#include <stddef.h>

struct err;
static int fuzz_read_maps(
	const char *path, size_t max_bytes, char **ret_text, size_t *ret_len, struct err *err);
/* The functions that read it are not for others: the file is compiled in here, and what it reads is
 * the input. */
#include "common/base/file.h"
#define file_read fuzz_read_maps
#include "tracer/recorder/patch.c"
#undef file_read

#include "tests/fuzz/fuzz.h"

static const uint8_t *text;
static size_t text_len;

static int fuzz_read_maps(
	const char *path, size_t max_bytes, char **ret_text, size_t *ret_len, struct err *err)
{
	(void)path, (void)max_bytes, (void)ret_len, (void)err;
	*ret_text = mem_strndup((const char *)text, text_len);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct recorder_mm fs = {0};

	if (!size)
		return 0;
	text = data;
	text_len = size;
	read_code_mappings(&fs, 1);
	for (uint64_t addr = 1; addr; addr <<= 3) {
		const struct code_mapping *m = mapping_at(&fs, addr);
		uint64_t page;

		FUZZ_CHECK(!m || (addr >= m->start && addr < m->end));
		page = free_page(&fs, 1, addr); /* which reads them anew */
		FUZZ_CHECK(!page || (page >= LOWEST_PAGE && page < 1ULL << 47));
	}
	patch_forget_code(&fs);
	return 0;
}
