/* SPDX-License-Identifier: GPL-3.0-only */
/* profile-scenario accept: limits that an intended change has missed are rewritten. */
#include "common/cli/command.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "common/base/mem.h"
#include "common/cli/gather.h"
#include "common/compare/limit.h"
#include "common/runner/locate.h"

enum { CATALOGUE_MAX = 16 << 20 };

struct accept_args {
	const char *output_dir, *config;
	int all, dry_run;
};

#define OPTIONS struct accept_args
static const struct optable_row option_rows[] = {
	OPT_TEXT("output-dir", "DIR", output_dir, "where the results are (default results)"),
	OPT_TEXT("config", "FILE", config, "the catalogue (default " CONFIG_DEFAULT_FILE ")"),
	OPT_FLAG("all", all, "rewrite limits that are met, too: tighten them to what was measured"),
	OPT_FLAG("dry-run", dry_run, "only say what would be written"),
	OPT_OF_ALL,
};

/* ---- the catalogue's text ---- */

/* Puts the limit in the place of the one that is there. */
static int replace(char **text, const char *const *keys, const char *limit, struct err *err)
{
	const char *key = locate_key(*text, keys, 4), *value;
	size_t len = 0;

	if (!key || !(value = locate_value(key, &len)) || !len)
		return err_set(
			err, -EINVAL, "limits.%s is not found in the catalogue's text", keys[3]);
	char *made = mem_printf("%.*s\"%s\"%s", (int)(value - *text), *text, limit, value + len);
	free(*text);
	*text = made;
	return 0;
}

/* ---- what is accepted ---- */

struct change {
	char *name, *was, *is;
};

struct changes {
	struct change *at;
	size_t len, cap;
};

static void change_release(struct change *c)
{
	free(c->name);
	free(c->was);
	free(c->is);
}

static void changes_release(struct changes *c)
{
	for (size_t i = 0; i < c->len; i++)
		change_release(&c->at[i]);
	free(c->at);
}

/* A figure of several types has one limit: that which each of them meets. Takes is. */
static void put_change(struct changes *c, const struct res_compare_metric *m, char *is)
{
	struct limit l = {0};
	size_t i = 0;

	while (i < c->len && strcmp(c->at[i].name, m->name) != 0)
		i++;
	if (i == c->len) {
		*VEC_PUSH(c) = (struct change){mem_strdup(m->name), mem_strdup(m->limit), is};
		return;
	}
	if (limit_parse(c->at[i].is, &l, NULL) < 0 || !limit_met(&l, m->new_median)) {
		char *was = c->at[i].is;

		c->at[i].is = is;
		is = was;
	}
	free(is);
}

static void drop_unchanged(struct changes *c)
{
	size_t kept = 0;

	for (size_t i = 0; i < c->len; i++) {
		if (strcmp(c->at[i].was, c->at[i].is) != 0)
			c->at[kept++] = c->at[i];
		else
			change_release(&c->at[i]);
	}
	c->len = kept;
}

static void find_changes(
	const struct res_compare *c, const struct accept_args *args, struct changes *ret)
{
	for (size_t p = 0; p < c->parts.len; p++)
		for (size_t i = 0; i < c->parts.at[p].metrics.len; i++) {
			const struct res_compare_metric *m = &c->parts.at[p].metrics.at[i];
			struct limit l;
			char *is;

			if (limit_parse(m->limit, &l, NULL) < 0 || isnan(m->new_median) ||
				(strcmp(m->verdict, "REGRESSION") != 0 &&
					(!args->all || strcmp(m->verdict, "ok") != 0)))
				continue;
			is = limit_rewrite(m->limit, m->new_median); /* what is judged */
			if (is)
				put_change(ret, m, is);
		}
	drop_unchanged(ret);
}

static int write_changes(const char *path, const char *scenario, const struct changes *c,
	const struct accept_args *args, struct err *err)
{
	cleanup_free char *text = NULL;
	size_t len;
	int rc = file_read(path, CATALOGUE_MAX, &text, &len, err);

	for (size_t i = 0; i < c->len && rc == 0; i++) {
		const char *const keys[] = {"scenarios", scenario, "limits", c->at[i].name};

		rc = replace(&text, keys, c->at[i].is, err);
	}
	if (rc == 0 && c->len && !args->dry_run)
		rc = file_write(path, text, strlen(text), err);
	for (size_t i = 0; i < c->len && rc == 0; i++)
		printf("%s: %s -> %s\n", c->at[i].name, c->at[i].was, c->at[i].is);
	return rc;
}

/* ---- the command ---- */

static int find_limits(
	struct config *config, const char *name, struct compare_limits *ret, struct err *err)
{
	const struct config_scenario *s = config ? config_find(config, name) : NULL;

	if (!config)
		return gather_no_catalogue(err);
	if (!s)
		return err_set(err, -ENOENT, "scenario '%.100s' is not in %s; it has %s", name,
			config->path, config_names(config, name));
	if (!s->limits || !s->limits[0])
		return err_set(err, -ENOENT, "scenario %s has no limits in %s", name, config->path);
	ret[0] = (struct compare_limits){s->name, s->limits};
	ret[1] = (struct compare_limits){0};
	return 0;
}

/* What was lost or cut short is no figure to hold others against. */
static int check_runs(const struct res_compare *c, struct err *err)
{
	for (size_t p = 0; p < c->parts.len; p++)
		if (c->parts.at[p].runs.len)
			return err_set(err, -EINVAL, "%s %s: %s", c->parts.at[p].scenario,
				c->parts.at[p].type, c->parts.at[p].runs.at[0].text);
	return 0;
}

static int accept_results(const struct accept_args *args, const char *name,
	const struct compare_limits *limits, struct changes *ret, struct err *err)
{
	const char *dir = args->output_dir;
	struct side side = {0};
	struct res_compare *c = NULL;
	int rc = 0;

	for (const struct result_kind *k = gather_kinds(); k->id && rc == 0; k++)
		rc = side_read_one(&side, dir, name, k, err);
	if (rc == 0 && !side.parts.len)
		rc = err_set(err, -ENOENT, "no results of %s in %s: run it first", name, dir);
	if (rc == 0)
		rc = compare_budgets(&side, limits, &c, err);
	if (rc == 0)
		rc = check_runs(c, err);
	if (rc == 0)
		find_changes(c, args, ret);
	result_free(c);
	side_release(&side);
	return rc;
}

static int accept_name(const struct accept_args *args, const char *name, struct err *err)
{
	struct compare_limits limits[2];
	struct changes changes = {0};
	struct config *config = NULL;
	int rc = gather_config(args->config, &config, err);

	if (rc == 0)
		rc = find_limits(config, name, limits, err);
	if (rc == 0)
		rc = accept_results(args, name, limits, &changes, err);
	if (rc == 0)
		rc = write_changes(config->path, name, &changes, args, err);
	if (rc == 0 && !changes.len)
		printf("%s: nothing to rewrite\n", name);
	changes_release(&changes);
	config_free(config);
	return rc;
}

static int accept_run(void *args, const struct words *words, struct err *err)
{
	return words->len ? accept_name(args, words->at[0], err)
			  : err_set(err, -EINVAL, "accept needs the NAME of a scenario");
}

const struct command command_accept = {
	.name = "accept",
	.meaning = "take a change as intended: rewrite the limits it missed",
	.usage = "profile-scenario accept NAME [OPTIONS]\n"
		 "Rewrites the limits that the last results of scenario NAME have missed, in "
		 "the catalogue, so that they are just met. Relative ones (+2%) need no "
		 "change: save a new baseline.\n\n",
	.after = "\nexit status: 0, also if nothing was to be done; 2 trouble\n",
	COMMAND_OPTIONS(option_rows),
	.defaults = &(const struct accept_args){.output_dir = "results"},
	.words = 1,
	.run = accept_run,
};
