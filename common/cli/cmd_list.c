/* SPDX-License-Identifier: GPL-3.0-only */
/* profile-scenario list: the scenarios of the catalogue. */
#include "common/cli/command.h"
#include "common/cli/gather.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/runner/config.h"
#include "common/runner/load.h"
#include "common/runner/optable.h"

struct list_args {
	const char *config;
	int help, version;
};

static const struct optable_row option_rows[] = {
	{"config", "FILE", OPTION_TEXT, offsetof(struct list_args, config), 0, 0,
		"the catalogue (default " CONFIG_DEFAULT_FILE ")"},
	OPTION_ROWS_OF_ALL(struct list_args),
};

static const struct optable options = {option_rows, sizeof(option_rows) / sizeof(option_rows[0])};

static void list_help(struct out *o)
{
	out_str(o, "profile-scenario list [OPTIONS]\nThe scenarios of the catalogue: name, types, "
		   "runs, command, load.\n\n");
	optable_help(&options, o);
}

static char *join_types(const char *const *types)
{
	char *text = mem_strdup(types && types[0] ? types[0] : "cpu");

	for (size_t i = 1; types && types[0] && types[i]; i++) {
		char *longer = mem_printf("%s,%s", text, types[i]);

		free(text);
		text = longer;
	}
	return text;
}

static char *command_line(const struct config *c, const struct config_scenario *s)
{
	cleanup_free char *args = s->args ? load_text(s->args) : NULL;

	if (s->command)
		return load_text(s->command);
	return mem_printf("%s%s%s", c->binary ? c->binary : "TARGET", args && *args ? " " : "",
		args ? args : "");
}

/* A command may hold a program of several lines: a newline is shown as a space. */
static void print_line(struct out *o, const char *text)
{
	for (; *text; text++)
		out_char(o, (unsigned char)*text < ' ' ? ' ' : *text);
	out_char(o, '\n');
}

static void list_scenario(
	const struct config *c, const struct config_scenario *s, int width, struct out *o)
{
	cleanup_free char *types = join_types(s->types);
	cleanup_free char *command = command_line(c, s);
	cleanup_free char *load = s->load ? load_text(s->load) : NULL;
	uint64_t runs = s->runs == CONFIG_UNSET ? 1 : s->runs;

	out_printf(o, "%-*s  %-13s %4llu  ", width, s->name, types, (unsigned long long)runs);
	print_line(o, command);
	if (load) {
		out_printf(o, "%*s  load: ", width + 20, "");
		print_line(o, load);
	}
	if (s->attach)
		out_printf(o, "%*s  attached to for the load only\n", width + 20, "");
}

static int list_config(const char *path, struct err *err)
{
	struct config *c;
	struct out o;
	int width = (int)strlen("scenario");
	int rc = gather_config(path, &c, err);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < c->scenarios_len; i++)
		if ((int)strlen(c->scenarios[i].name) > width)
			width = (int)strlen(c->scenarios[i].name);
	out_init(&o, STDOUT_FILENO);
	out_printf(&o, "%-*s  %-13s %s  command\n", width, "scenario", "types", "runs");
	for (size_t i = 0; i < c->scenarios_len; i++)
		list_scenario(c, &c->scenarios[i], width, &o);
	rc = command_flush(&o, err);
	config_free(c);
	return rc;
}

static int list_main(char **argv)
{
	struct list_args args = {0};
	struct err err = {0};
	char **rest;
	int rc = optable_parse(&options, argv, &args, &rest, &err);

	if (rc == 0)
		rc = list_config(args.config ? args.config : CONFIG_DEFAULT_FILE, &err);
	if (rc < 0)
		command_complain(err.text);
	return rc < 0 ? STATUS_USAGE : STATUS_OK;
}

const struct command command_list = {
	.name = "list",
	.meaning = "show the scenarios of the catalogue",
	.run = list_main,
	.help = list_help,
};
