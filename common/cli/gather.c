/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/cli/gather.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "common/base/mem.h"
#include "common/base/nearest.h"
#include "common/compare/limit.h"
#include "common/compare/metric.h"
#include "common/runner/backend.h"
#include "common/baseline/baseline.h"

#define KINDS_MAX 16

const struct result_kind *gather_kinds(void)
{
	static struct result_kind kinds[KINDS_MAX];
	const struct backend *b;

	for (size_t i = 0; i < KINDS_MAX - 1 && (b = backend_at(i)); i++) {
		kinds[i] =
			(struct result_kind){b->id, b->folder, backend_json_suffix(b), b->schema};
	}
	return kinds;
}

const struct scenario_type *gather_types(void)
{
	static struct scenario_type types[KINDS_MAX];
	const struct backend *b;

	for (size_t i = 0; i < KINDS_MAX - 1 && (b = backend_at(i)); i++)
		types[i] = (struct scenario_type){b->id, b->cannot_attach, b->by_name};
	return types;
}

char *gather_path(const char *word, const char *out_dir)
{
	char *baseline;

	if (access(word, F_OK) == 0)
		return mem_strdup(word);
	baseline = mem_printf("%s/" BASELINE_FOLDER "/%s", out_dir, word);
	if (access(baseline, F_OK) == 0)
		return baseline;
	free(baseline);
	return NULL;
}

int gather_nothing(const char *dir, const char *scenario, struct err *err)
{
	return err_set(err, -ENOENT,
		"there are no results%s%s in %s: run a scenario first, or give --output-dir",
		scenario ? " of " : "", scenario ? scenario : "", dir);
}

static int no_such_side(const char *word, const char *out_dir, struct err *err)
{
	struct arena a = {0};
	struct nearest n = nearest_to(word, strlen(word) > 4 ? 2 : 1);
	const char *dir = arena_printf(&a, "%s/" BASELINE_FOLDER, out_dir);
	const char *const *names = file_names(&a, dir, "", 1);

	for (; names && *names; names++)
		nearest_try(&n, *names);
	cleanup_free char *hint = nearest_hint(&n);
	int rc = err_set(err, -ENOENT, "%s: no file, no directory, and no baseline in %s%s", word,
		dir, *hint ? hint : " (baseline list names those there are)");

	arena_release(&a);
	return rc;
}

int gather_side(struct side *s, const char *word, const char *out_dir, struct err *err)
{
	cleanup_free char *path = gather_path(word, out_dir);

	return path ? side_read(s, path, gather_kinds(), err) : no_such_side(word, out_dir, err);
}

/* What to say of a type that is not there, the caller's; NULL: it is. */
static char *type_fault(const char *type)
{
	struct nearest n = nearest_to(type, 2);
	const struct backend *b;

	nearest_try(&n, "all");
	for (size_t i = 0; (b = backend_at(i)); i++)
		nearest_try(&n, b->id);
	if (n.name && !n.distance)
		return NULL;
	cleanup_free char *hint = nearest_hint(&n);

	return mem_printf("no type is called '%.60s'%s", type, hint);
}

int gather_type(const char *type, struct err *err)
{
	cleanup_free char *fault = type_fault(type);

	return fault ? err_set(err, -EINVAL, "--type: %s", fault) : 0;
}

/* ---- the catalogue ---- */

static int check_types(const struct config *c, const struct config_scenario *s, struct err *err)
{
	const char *const keys[] = {"scenarios", s->name, "types"};

	for (const char *const *type = s->types; type && *type; type++) {
		cleanup_free char *fault = type_fault(*type);

		if (fault)
			return config_fault(c, keys, 3, fault, err);
	}
	return 0;
}

static int check_limits(const struct config *c, const struct config_scenario *s, struct err *err)
{
	for (const char *const *p = s->limits; p && p[0]; p += 2) {
		const char *const keys[] = {"scenarios", s->name, "limits", p[0]};
		struct limit limit;
		struct err why = {0};
		int rc = metric_check_name(p[0], &why);

		if (rc == 0)
			rc = metric_parse_limit(p[0], p[1], &limit, &why);
		if (rc < 0)
			return config_fault(c, keys, 4, why.text, err);
	}
	return 0;
}

/* What the reader of a catalogue does not know: figures, conditions, types. */
static int check_config(const struct config *c, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; i < c->scenarios_len && rc == 0; i++) {
		rc = check_types(c, &c->scenarios[i], err);
		if (rc == 0)
			rc = check_limits(c, &c->scenarios[i], err);
	}
	return rc;
}

int gather_no_catalogue(struct err *err)
{
	return err_set(err, -ENOENT,
		"no catalogue: " CONFIG_DEFAULT_FILE
		" is not in the working directory; --config FILE names another");
}

int gather_config(const char *path, struct config **ret, struct err *err)
{
	struct config *c;
	int rc;

	*ret = NULL;
	if (!path && access(CONFIG_DEFAULT_FILE, F_OK) < 0)
		return 0;
	rc = config_read(path ? path : CONFIG_DEFAULT_FILE, &c, err);
	if (rc < 0)
		return rc;
	rc = check_config(c, err);
	if (rc < 0)
		config_free(c);
	else
		*ret = c;
	return rc;
}

struct compare_limits *gather_limits(const struct config *c)
{
	size_t len = c ? c->scenarios_len : 0, n = 0;
	struct compare_limits *l = mem_calloc(len + 1, sizeof(*l));

	for (size_t i = 0; i < len; i++)
		if (c->scenarios[i].limits)
			l[n++] = (struct compare_limits){
				c->scenarios[i].name, c->scenarios[i].limits};
	return l;
}
