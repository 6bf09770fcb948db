/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/compare/side.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "common/base/mem.h"
#include "common/model/json.h"

#define RUNS_SUFFIX ".runs"

struct side_part *side_part_of(struct side *s, const char *scenario, const struct result_kind *kind)
{
	struct side_part *p = (struct side_part *)side_find(s, scenario, kind);

	if (p)
		return p;
	p = VEC_PUSH(&s->parts);
	*p = (struct side_part){.scenario = mem_strdup(scenario), .kind = kind};
	return p;
}

static void keep_run(
	struct side *s, const char *scenario, const struct result_kind *kind, void *doc)
{
	struct side_part *p = side_part_of(s, scenario, kind);

	*VEC_PUSH(&p->runs) = doc;
	s->runs++;
}

static int add_run(struct side *s, const char *scenario, const struct result_kind *kind,
	const char *path, struct err *err)
{
	void *doc;
	int rc = json_read_struct(path, kind->schema, &doc, err);

	if (rc == 0)
		keep_run(s, scenario, kind, doc);
	return rc;
}

/* ---- one file ---- */

static int read_file(struct side *s, const char *path, const struct result_kind *k, struct err *err)
{
	struct json_doc *d;
	const char *schema, *scenario;
	void *doc = NULL;
	int rc = json_doc_read(path, &d, err);

	if (rc < 0)
		return rc;
	schema = json_text(json_get(json_doc_root(d), "schema"));
	scenario = json_text(json_get(json_doc_root(d), "scenario"));
	while (k->id && (!schema || strcmp(k->schema->id, schema) != 0))
		k++;
	rc = k->id ? json_doc_struct(d, k->schema, &doc, err)
		   : err_set(err, -EINVAL,
			     "%s: schema: %s%.60s%s is not a result that can be compared", path,
			     schema ? "'" : "", schema ? schema : "missing, so this",
			     schema ? "'" : "");
	if (rc == 0)
		keep_run(s, scenario ? scenario : "result", k, doc);
	json_doc_free(d);
	return rc;
}

/* ---- a directory ---- */

static int read_runs(struct side *s, const char *dir, const char *scenario,
	const struct result_kind *kind, struct err *err)
{
	struct arena a = {0};
	const char *const *names = file_names(&a, dir, ".json", 1);
	int rc = 0, any = names && *names;

	for (; names && *names && rc == 0; names++)
		rc = add_run(s, scenario, kind, arena_printf(&a, "%s/%s.json", dir, *names), err);
	arena_release(&a);
	return rc < 0 ? rc : any;
}

/* All runs where there were several, else the one. */
static int read_scenario(struct side *s, const char *dir, const char *scenario,
	const struct result_kind *kind, struct err *err)
{
	cleanup_free char *runs = mem_printf("%s/%s" RUNS_SUFFIX, dir, scenario);
	cleanup_free char *one = mem_printf("%s/%s%s", dir, scenario, kind->json_suffix);
	int rc = read_runs(s, runs, scenario, kind, err);

	return rc ? rc < 0 ? rc : 0 : add_run(s, scenario, kind, one, err);
}

static int read_folder(
	struct side *s, const char *dir, const struct result_kind *kind, struct err *err)
{
	struct arena a = {0};
	const char *const *names = file_names(&a, dir, kind->json_suffix, 0);
	int rc = 0;

	for (; names && *names && rc == 0; names++)
		rc = read_scenario(s, dir, *names, kind, err);
	arena_release(&a);
	return rc;
}

static int read_dir(
	struct side *s, const char *path, const struct result_kind *kinds, struct err *err)
{
	size_t before = s->runs;
	int rc = 0;

	for (const struct result_kind *k = kinds; k->id && rc == 0; k++) {
		cleanup_free char *results = mem_printf("%s/%s", path, k->folder);
		cleanup_free char *baseline = mem_printf("%s/%s", path, k->id);

		rc = read_folder(s, results, k, err);
		if (rc == 0)
			rc = read_folder(s, baseline, k, err);
	}
	if (rc == 0 && s->runs == before)
		return err_set(err, -ENOENT,
			"there are no results in %s: run a scenario first, or name where they are",
			path);
	return rc;
}

int side_read(struct side *s, const char *path, const struct result_kind *kinds, struct err *err)
{
	struct stat st;

	if (!s->label)
		s->label = mem_strdup(path);
	if (stat(path, &st) < 0)
		return err_set(err, -errno, "%s: %s", path, strerror(errno));
	return S_ISDIR(st.st_mode) ? read_dir(s, path, kinds, err) : read_file(s, path, kinds, err);
}

int side_read_one(struct side *s, const char *dir, const char *scenario,
	const struct result_kind *kind, struct err *err)
{
	cleanup_free char *folder = mem_printf("%s/%s", dir, kind->folder);
	cleanup_free char *one = mem_printf("%s/%s%s", folder, scenario, kind->json_suffix);

	if (!s->label)
		s->label = mem_strdup(dir);
	return access(one, F_OK) < 0 ? 0 : read_scenario(s, folder, scenario, kind, err);
}

void side_part_release(struct side_part *p)
{
	for (size_t i = 0; i < p->runs.len; i++)
		result_free(p->runs.at[i]);
	free(p->runs.at);
	free(p->scenario);
}

void side_release(struct side *s)
{
	for (size_t i = 0; i < s->parts.len; i++)
		side_part_release(&s->parts.at[i]);
	free(s->parts.at);
	free(s->label);
	*s = (struct side){0};
}

const struct side_part *side_find(
	const struct side *s, const char *scenario, const struct result_kind *kind)
{
	for (size_t i = 0; i < s->parts.len; i++)
		if (s->parts.at[i].kind == kind && strcmp(s->parts.at[i].scenario, scenario) == 0)
			return &s->parts.at[i];
	return NULL;
}
