/* SPDX-License-Identifier: GPL-3.0-only */
/* A log of valgrind, which holds what the target printed too. */
#include "mem/files.h"
#include "tests/fuzz/fuzz.h"

static char folder[] = "/tmp/fuzz_valgrind.XXXXXX";
static char log_path[sizeof(folder) + 32];

static void clean_up(void)
{
	unlink(log_path);
	rmdir(folder);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct files f;
	char words[100];

	if (!log_path[0]) {
		FUZZ_CHECK(mkdtemp(folder));
		snprintf(log_path, sizeof(log_path), "%s/valgrind.42.log", folder);
		FUZZ_CHECK(symlink(fuzz_path(0, "", 0), log_path) == 0);
		atexit(clean_up);
	}
	fuzz_path(0, data, size);
	files_find(&f, folder, 7);
	FUZZ_CHECK(f.len == 1 && f.at[0].pid == 42 && f.at[0].is_main);
	files_release(&f);
	files_last_words(log_path, words, sizeof(words));
	FUZZ_CHECK(memchr(words, '\0', sizeof(words)));
	return 0;
}
