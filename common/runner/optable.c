/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/runner/optable.h"

#include <errno.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/mem.h"
#include "common/base/nearest.h"
#include "common/base/units.h"

enum { HELP_COLUMN = 26 };

const struct optable_row *optable_find(
	const struct optable *table, const char *name, size_t name_len)
{
	for (size_t i = 0; i < table->len; i++)
		if (strlen(table->rows[i].name) == name_len &&
			!memcmp(table->rows[i].name, name, name_len))
			return &table->rows[i];
	return NULL;
}

/* A letter is the same option in every table that has it. */
static const struct {
	const char *letter, *name;
} letters[] = {{"-o", "--output"}, {"-q", "--quiet"}, {"-u", "--user"}, {"-V", "--version"},
	{"-h", "--help"}};

const char *optable_option(const struct optable *table, const char *arg)
{
	if (strncmp(arg, "--", 2) == 0)
		return arg;
	for (size_t i = 0; i < LEN(letters); i++)
		if (!strcmp(arg, letters[i].letter) &&
			optable_find(table, letters[i].name + 2, strlen(letters[i].name + 2)))
			return letters[i].name;
	return NULL;
}

static const char *letter_of(const struct optable_row *row)
{
	for (size_t i = 0; i < LEN(letters); i++)
		if (!strcmp(row->name, letters[i].name + 2))
			return letters[i].letter;
	return NULL;
}

static int unknown(const struct optable *table, const char *name, size_t name_len, struct err *err)
{
	cleanup_free char *word = mem_strndup(name, name_len);
	struct nearest n = nearest_to(word, 1 + name_len / 4);

	for (size_t i = 0; i < table->len; i++)
		nearest_try(&n, table->rows[i].name);
	cleanup_free char *meant = n.name ? mem_printf("--%s", n.name) : NULL;

	n.name = meant;
	cleanup_free char *hint = nearest_hint(&n);

	return err_set(err, -EINVAL, "unknown option '--%s'%s (see --help)", word, hint);
}

static int store(const struct optable_row *def, const char *value, void *into, struct err *err)
{
	char *field = (char *)into + def->offset;
	uint64_t number;
	int rc = 0;

	switch (def->kind) {
	case OPTION_FLAG:
		*(int *)(void *)field = 1;
		return 0;
	case OPTION_TEXT:
		*(const char **)(void *)field = value;
		return 0;
	case OPTION_SECONDS:
		rc = units_parse_seconds(value, &number, err);
		break;
	case OPTION_NUMBER:
		rc = units_parse_u64(value, def->min, def->max, &number, err);
		break;
	}
	if (rc < 0)
		return err_wrap(err, "--%s", def->name);
	*(uint64_t *)(void *)field = number;
	return 0;
}

static const char *no_option(const struct optable *table, const char *arg)
{
	if (*arg == '-')
		return "there is no such option (see --help)";
	return optable_find(table, "binary", strlen("binary"))
		       ? "a target is given by --binary, its arguments after --"
		       : "no argument is taken (see --help)";
}

int optable_parse(
	const struct optable *table, char **argv, void *into, char ***ret_rest, struct err *err)
{
	*ret_rest = NULL;
	for (char **arg = argv; *arg; arg++) {
		if (!strcmp(*arg, "--")) {
			*ret_rest = arg + 1;
			return 0;
		}
		const char *option = optable_option(table, *arg);

		if (!option)
			return err_set(err, -EINVAL, "unexpected argument '%s': %s", *arg,
				no_option(table, *arg));

		const char *name = option + 2;
		const char *equals = strchr(name, '=');
		size_t name_len = equals ? (size_t)(equals - name) : strlen(name);
		const struct optable_row *def = optable_find(table, name, name_len);
		const char *value = equals ? equals + 1 : NULL;

		if (!def)
			return unknown(table, name, name_len, err);
		if (def->kind == OPTION_FLAG && value)
			return err_set(err, -EINVAL, "--%s takes no value", def->name);
		if (def->kind != OPTION_FLAG && !value) {
			if (!arg[1])
				return err_set(err, -EINVAL, "--%s needs a value: %s", def->name,
					def->arg);
			value = *++arg;
		}
		int rc = store(def, value, into, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

void optable_help(const struct optable *table, struct out *o)
{
	for (size_t i = 0; i < table->len; i++) {
		const struct optable_row *def = &table->rows[i];
		const char *letter = letter_of(def);
		size_t used = 4 + strlen(def->name) + (def->arg ? 1 + strlen(def->arg) : 0) +
			      (letter ? strlen(letter) + 2 : 0);

		out_printf(o, "  %s%s--%s%s%s", letter ? letter : "", letter ? ", " : "", def->name,
			def->arg ? " " : "", def->arg ? def->arg : "");
		if (used + 2 > HELP_COLUMN)
			out_printf(o, "\n%*s", HELP_COLUMN, "");
		else
			out_printf(o, "%*s", (int)(HELP_COLUMN - used), "");
		out_printf(o, "%s\n", def->help);
	}
}
