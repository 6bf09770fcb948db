/* SPDX-License-Identifier: GPL-3.0-only */
/* iotrace's command line, a word a line; each word as a set of calls, too. */
#include <getopt.h>

#include "common/base/err.h"
#include "tests/fuzz/fuzz.h"
#include "tracer/options.h"

enum { WORDS = 64 };

static void as_set(const char *word)
{
	struct sys_set set = {0};
	struct err err = {0};

	if (sys_set_parse(&set, word, &err) < 0) {
		FUZZ_CHECK(err.text[0]);
		return;
	}
	for (size_t i = 0; i < sys_count(); i++)
		sys_set_has(&set, sys_by_index(i));
	sys_set_release(&set);
}

/* Counts in counts of a regular expression take the C library all memory. */
static int is_too_much(const char *word)
{
	return strchr(word, '/') && strchr(word, '{');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size), *rest = text, *word, name[] = "iotrace";
	char *argv[WORDS + 1] = {name};
	int argc = 1;
	struct options o = {0};
	enum options_action action;
	struct err err = {0};

	while (argc < WORDS && (word = strsep(&rest, "\n"))) {
		if (is_too_much(word))
			continue;
		argv[argc++] = word;
		as_set(word);
	}
	optind = 0;
	if (options_parse(&o, argc, argv, &action, &err) == 0)
		FUZZ_CHECK(action != OPTIONS_RUN || o.pids.len || (o.command && o.command[0]));
	else
		FUZZ_CHECK(err.text[0]);
	options_release(&o);
	free(text);
	return 0;
}
