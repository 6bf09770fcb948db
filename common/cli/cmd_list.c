/* SPDX-License-Identifier: GPL-3.0-only */
/* profile-scenario list: the scenarios of the catalogue. */
#include "common/cli/command.h"
#include "common/cli/gather.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/text.h"
#include "common/runner/config.h"
#include "common/runner/load.h"
#include "common/view/doc.h"
#include "common/write/writer.h"

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

	for (size_t i = 1; types && types[0] && types[i]; i++)
		text_append(&text, ",", types[i]);
	return text;
}

/* What is said of a scenario; the caller frees. */
struct row {
	char *types, *command, *load; /* load: "" for none */
	uint64_t runs;
};

static struct row row_of(const struct config *c, const struct config_scenario *s)
{
	cleanup_free char *args = s->args ? load_text(s->args) : mem_strdup("");

	/* A command may hold a program of several lines. */
	return (struct row){
		.types = join_types(s->types),
		.command = text_one_line(
			s->command ? load_text(s->command)
				   : mem_printf("%s%s%s", c->binary ? c->binary : "TARGET",
					     *args ? " " : "", args)),
		.load = text_one_line(s->load ? load_text(s->load) : mem_strdup("")),
		.runs = s->runs == CONFIG_UNSET ? 1 : s->runs,
	};
}

static void row_release(struct row *r)
{
	free(r->types);
	free(r->command);
	free(r->load);
}

static void write_scenario(
	const struct config *c, const struct config_scenario *s, int width, struct out *o)
{
	struct row r = row_of(c, s);

	out_printf(o, "%-*s  %-13s %4llu  %s\n", width, s->name, r.types,
		(unsigned long long)r.runs, r.command);
	if (*r.load)
		out_printf(o, "%*s  load: %s\n", width + 20, "", r.load);
	if (s->attach)
		out_printf(o, "%*s  attached to for the load only\n", width + 20, "");
	row_release(&r);
}

static void write_lines(const void *config, struct out *o)
{
	const struct config *c = config;
	int width = (int)strlen("scenario");

	for (size_t i = 0; i < c->scenarios_len; i++)
		if ((int)strlen(c->scenarios[i].name) > width)
			width = (int)strlen(c->scenarios[i].name);
	out_printf(o, "%-*s  %-13s %s  command\n", width, "scenario", "types", "runs");
	for (size_t i = 0; i < c->scenarios_len; i++)
		write_scenario(c, &c->scenarios[i], width, o);
}

/* For a terminal that the lines are too long for. */
static void write_table(const void *config, struct out *o)
{
	static const struct doc_column columns[] = {
		{"scenario", "scenario", "its name", 2, 0},
		{"types", "types", "what is measured", 2, 0},
		{"runs", "runs", "of each type", 0, 0},
		{"command", "command", "the target", 2, 0},
		{"load", "load", "run against it", 2, 0},
		{"attach", "", "how it is traced", 2, 0},
	};
	const struct config *c = config;
	struct doc *d = doc_new();
	struct doc_table *t = doc_table(d, "scenarios", columns, LEN(columns));

	for (size_t i = 0; i < c->scenarios_len; i++) {
		const struct config_scenario *s = &c->scenarios[i];
		struct row r = row_of(c, s);

		doc_cell_text(d, t, "%s", s->name);
		doc_cell_text(d, t, "%s", r.types);
		doc_cell(t, CELL_COUNT, r.runs);
		doc_cell_text(d, t, "%s", r.command);
		doc_cell_text(d, t, "%s", r.load);
		doc_cell_text(d, t, "%s", s->attach ? "attached to for the load only" : "");
		row_release(&r);
	}
	text_write_doc(d, o, out_columns(STDOUT_FILENO, TEXT_COLUMNS));
	doc_free(d);
}

/* Whether a terminal that text goes to would break one of its lines. */
static int is_too_wide(const char *text)
{
	size_t columns = out_columns(STDOUT_FILENO, SIZE_MAX);

	for (; *text; text = strchr(text, '\n') + 1)
		if (strcspn(text, "\n") > columns)
			return 1;
	return 0;
}

static int list_run(void *ctx, const struct words *words, struct err *err)
{
	const struct list_args *args = ctx;
	struct config *c;
	struct out lines;
	int rc = gather_config(args->config, &c, err);

	(void)words;
	if (rc < 0)
		return rc;
	if (!c)
		return gather_no_catalogue(err);
	out_init_mem(&lines);
	write_lines(c, &lines);
	rc = command_write(is_too_wide(out_text(&lines)) ? write_table : write_lines, c, err);
	out_release(&lines);
	config_free(c);
	return rc;
}

const struct command command_list = {
	.name = "list",
	.meaning = "show the scenarios of the catalogue",
	.usage = "profile-scenario list [OPTIONS]\nThe scenarios of the catalogue: name, types, "
		 "runs, command, load.\n\n",
	COMMAND_OPTIONS(option_rows),
	.run = list_run,
};
