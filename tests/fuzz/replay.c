/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * The harness without a fuzzer: runs it on every file of the directories that are named, or of its
 * own corpus, and says so as a test. What a fuzzer once found stays found on machines without one.
 */
#include <dirent.h>

#include "common/base/file.h"
#include "common/base/mem.h"
#include "tests/fuzz/fuzz.h"

#define INPUT_MAX ((size_t)1 << 20)

static int is_input(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* The name first: where it dies, the last name is the input that did it. */
static void run_file(const char *path)
{
	struct err err = {0};
	char *bytes;
	size_t len;

	printf("# %s\n", path);
	fflush(stdout);
	if (file_read(path, INPUT_MAX, &bytes, &len, &err) < 0) {
		printf("# %s\n", err.text);
		exit(1);
	}
	/* A copy of exactly that size, so that one byte beyond is seen. */
	uint8_t *exact = mem_calloc(1, len ? len : 1);

	memcpy(exact, bytes, len);
	LLVMFuzzerTestOneInput(exact, len);
	free(exact);
	free(bytes);
}

static int run_folder(const char *folder)
{
	struct dirent **names;
	int n = scandir(folder, &names, is_input, alphasort);

	for (int i = 0; i < n; i++) {
		char *path = mem_printf("%s/%s", folder, names[i]->d_name);

		run_file(path);
		free(path);
		free(names[i]);
	}
	if (n >= 0)
		free(names);
	return n;
}

/* .../fuzz_NAME -> tests/fuzz/corpus/NAME */
static char *own_corpus(const char *self)
{
	const char *name = strstr(strrchr(self, '/') ? strrchr(self, '/') : self, "fuzz_");

	return mem_printf("tests/fuzz/corpus/%s", name ? name + 5 : "");
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc || i == 1; i++) {
		char *folder = argc > 1 ? mem_strdup(argv[i]) : own_corpus(argv[0]);
		int n = run_folder(folder);

		printf("%s %d - %s: %d inputs\n", n > 0 ? "ok" : "not ok", i, folder, n);
		free(folder);
	}
	printf("1..%d\n", argc > 1 ? argc - 1 : 1);
	return 0;
}
