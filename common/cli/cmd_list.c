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

struct list_args {
	const char *config;
};

#define OPTIONS struct list_args
static const struct optable_row option_rows[] = {
	OPT_TEXT("config", "FILE", config, "the catalogue (default " CONFIG_DEFAULT_FILE ")"),
	OPT_OF_ALL,
};

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

static void list_scenario(
	const struct config *c, const struct config_scenario *s, int width, struct out *o)
{
	cleanup_free char *types = join_types(s->types);
	cleanup_free char *command = command_line(c, s);
	cleanup_free char *load = s->load ? load_text(s->load) : NULL;
	uint64_t runs = s->runs == CONFIG_UNSET ? 1 : s->runs;

	out_printf(o, "%-*s  %-13s %4llu  ", width, s->name, types, (unsigned long long)runs);
	/* A command may hold a program of several lines. */
	command_put(o, command, ' ');
	if (load)
		out_printf(o, "\n%*s  load: ", width + 20, "");
	command_put(o, load ? load : "", ' ');
	if (s->attach)
		out_printf(o, "\n%*s  attached to for the load only", width + 20, "");
	out_char(o, '\n');
}

static int list_run(void *ctx, const struct words *words, struct err *err)
{
	const struct list_args *args = ctx;
	struct config *c;
	struct out o;
	int width = (int)strlen("scenario");
	int rc = gather_config(args->config, &c, err);

	(void)words;
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

const struct command command_list = {
	.name = "list",
	.meaning = "show the scenarios of the catalogue",
	.usage = "profile-scenario list [OPTIONS]\nThe scenarios of the catalogue: name, types, "
		 "runs, command, load.\n\n",
	.options = COMMAND_OPTIONS(option_rows),
	.args_size = sizeof(OPTIONS),
	.defaults = &(const struct list_args){CONFIG_DEFAULT_FILE},
	.run = list_run,
};
