/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/cli/words.h"

#include <errno.h>
#include <string.h>

/* NULL: there is no such option. */
static const struct optable_row *row_of(const struct optable *options, const char *option)
{
	return optable_find(options, option + 2, strcspn(option + 2, "="));
}

static int takes_value(const struct optable *options, const char *option)
{
	const struct optable_row *row = row_of(options, option);

	return row && row->kind != OPTION_FLAG;
}

/* What follows is left to who reads the options: it is the target's, or behind an option that there
 * is not, so that nothing can be told apart. */
static int ends_words(const struct optable *options, const char *arg)
{
	const char *option = optable_option(options, arg);

	return !strcmp(arg, "--") || (option && !row_of(options, option));
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
		} else if (!rest && ends_words(options, *from)) {
			while (*from)
				*to++ = *from++;
			break;
		} else if (rest || !(option = optable_option(options, *from))) {
			rc = add_word(ret, most, *from, err);
		} else {
			*to++ = *from;
			if (takes_value(options, option) && !strchr(*from, '=') && from[1])
				*to++ = *++from;
		}
	}
	*to = NULL;
	return rc;
}
