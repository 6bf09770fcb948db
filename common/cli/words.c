/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/cli/words.h"

#include <errno.h>
#include <string.h>

static int takes_value(const struct optable *options, const char *option)
{
	for (size_t i = 0; i < options->len; i++)
		if (!strcmp(options->rows[i].name, option + 2))
			return options->rows[i].kind != OPTION_FLAG;
	return 0;
}

static int add_word(struct words *w, size_t most, const char *word, struct err *err)
{
	if (w->len == most || w->len == WORDS_MAX)
		return err_set(err, -EINVAL, "'%.100s' is one argument too many", word);
	w->at[w->len++] = word;
	return 0;
}

int words_split(const struct optable *options, char **argv, size_t most, int keep_rest,
	struct words *ret, struct err *err)
{
	char **to = argv;
	const char *option;
	int rc = 0, rest = 0;

	*ret = (struct words){.len = 0};
	for (char **from = argv; *from && rc == 0; from++) {
		if (!rest && !strcmp(*from, "--") && !keep_rest) {
			rest = 1;
		} else if (!rest && !strcmp(*from, "--")) {
			while (*from)
				*to++ = *from++;
			break;
		} else if (rest || !(option = optable_option(options, *from))) {
			rc = add_word(ret, most, *from, err);
		} else {
			*to++ = *from;
			if (takes_value(options, option) && from[1])
				*to++ = *++from;
		}
	}
	*to = NULL;
	return rc;
}
