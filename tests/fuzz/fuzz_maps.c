/* SPDX-License-Identifier: GPL-3.0-only */
/* /proc/PID/maps, where the names are the target's. */
#include <stdio.h>

static FILE *fuzz_open_maps(const char *path, const char *mode);
/* The functions that read it are not for others: the file is compiled in here, and what it opens is
 * the input. */
#define fopen fuzz_open_maps
#include "tracer/recorder/patch.c"
#undef fopen

#include "tests/fuzz/fuzz.h"

static const uint8_t *text;
static size_t text_len;

static FILE *fuzz_open_maps(const char *path, const char *mode)
{
	(void)path;
	return fmemopen((void *)(uintptr_t)text, text_len, mode[0] == 'r' ? "r" : mode);
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
		uint64_t page = free_page(1, addr);

		FUZZ_CHECK(!m || (addr >= m->start && addr < m->end));
		FUZZ_CHECK(!page || (page >= LOWEST_PAGE && page < 1ULL << 47));
	}
	patch_forget_code(&fs);
	return 0;
}
