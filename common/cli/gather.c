/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/cli/gather.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/mem.h"
#include "common/run/backend.h"
#include "common/run/baseline.h"

#define KINDS_MAX 16

/* What a traced run is called on disk and on the command line is io. */
static const struct schema *schema_of(const char *type)
{
	for (const struct schema *const *s = schemas; *s; s++)
		if (strcmp((*s)->name, type) == 0)
			return *s;
	return &schema_result;
}

const struct side_kind *gather_kinds(void)
{
	static struct side_kind kinds[KINDS_MAX];
	const struct backend *b;

	for (size_t i = 0; i < KINDS_MAX - 1 && (b = backend_at(i)); i++) {
		kinds[i] = (struct side_kind){
			b->id, b->folder, backend_json_suffix(b), schema_of(b->id)};
	}
	return kinds;
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

int gather_side(struct side *s, const char *word, const char *out_dir, struct err *err)
{
	cleanup_free char *path = gather_path(word, out_dir);

	if (!path)
		return err_set(err, -ENOENT,
			"%s: no file, no directory, and no baseline in %s/" BASELINE_FOLDER, word,
			out_dir);
	return side_read(s, path, gather_kinds(), err);
}

int gather_config(const char *path, struct config **ret, struct err *err)
{
	*ret = NULL;
	if (path)
		return config_read(path, ret, err);
	if (access(CONFIG_DEFAULT_FILE, F_OK) < 0)
		return 0;
	return config_read(CONFIG_DEFAULT_FILE, ret, err);
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
