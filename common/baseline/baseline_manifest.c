/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/baseline/baseline_manifest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { HASH_LEN = 64 };

struct manifest_row *manifest_add(struct manifest *m, const char *path)
{
	struct manifest_row *row = VEC_PUSH(m);

	*row = (struct manifest_row){.path = arena_strdup(&m->arena, path)};
	return row;
}

static int by_path(const void *a, const void *b)
{
	const struct manifest_row *x = a, *y = b;

	return strcmp(x->path, y->path);
}

void manifest_sort(struct manifest *m)
{
	if (m->len)
		qsort(m->at, m->len, sizeof(*m->at), by_path);
}

void manifest_release(struct manifest *m)
{
	free(m->at);
	arena_release(&m->arena);
	*m = (struct manifest){0};
}

void manifest_write(const struct manifest *m, struct out *o)
{
	for (size_t i = 0; i < m->len; i++)
		out_printf(o, "%s  %s\n", m->at[i].sha256, m->at[i].path);
}

int manifest_path_ok(const char *path)
{
	for (const char *part = path;; part++) {
		size_t len = strcspn(part, "/");

		if (len == 0 || (len == 1 && part[0] == '.') ||
			(len == 2 && !memcmp(part, "..", 2)))
			return 0;
		part += len;
		if (!*part)
			return 1;
	}
}

static int is_hash(const char *line)
{
	return strspn(line, "0123456789abcdef") == HASH_LEN && line[HASH_LEN] == ' ' &&
	       (line[HASH_LEN + 1] == ' ' || line[HASH_LEN + 1] == '*');
}

int manifest_parse(const char *text, struct manifest *m, struct err *err)
{
	struct arena copy = {0};
	char *rest = arena_strdup(&copy, text), *line;
	size_t number = 0;
	int rc = 0;

	while (rc == 0 && (line = strsep(&rest, "\n"))) {
		number++;
		if (!*line && !rest)
			break; /* after the last newline */
		if (!is_hash(line) || !manifest_path_ok(line + HASH_LEN + 2)) {
			rc = err_set(err, -EINVAL, "line %zu is not HASH  PATH", number);
			break;
		}
		memcpy(manifest_add(m, line + HASH_LEN + 2)->sha256, line, HASH_LEN);
	}
	arena_release(&copy);
	manifest_sort(m);
	for (size_t i = 1; i < m->len && rc == 0; i++)
		if (!strcmp(m->at[i - 1].path, m->at[i].path))
			rc = err_set(err, -EINVAL, "%s is named twice", m->at[i].path);
	return rc;
}

void baseline_check_release(struct baseline_check *c)
{
	free(c->findings.at);
	arena_release(&c->arena);
	*c = (struct baseline_check){0};
}

static void found(struct baseline_check *c, enum baseline_difference what, const char *path)
{
	*VEC_PUSH(&c->findings) = (struct baseline_finding){what, arena_strdup(&c->arena, path)};
}

void manifest_compare(
	const struct manifest *saved, const struct manifest *there, struct baseline_check *ret)
{
	size_t s = 0, t = 0;

	ret->files = saved->len;
	while (s < saved->len || t < there->len) {
		int order = s == saved->len   ? 1
			    : t == there->len ? -1
					      : strcmp(saved->at[s].path, there->at[t].path);

		if (order < 0) {
			found(ret, BASELINE_MISSING, saved->at[s++].path);
		} else if (order > 0) {
			found(ret, BASELINE_EXTRA, there->at[t++].path);
		} else {
			if (!*there->at[t].sha256)
				found(ret, BASELINE_UNREADABLE, there->at[t].path);
			else if (strcmp(saved->at[s].sha256, there->at[t].sha256) != 0)
				found(ret, BASELINE_CHANGED, there->at[t].path);
			s++;
			t++;
		}
	}
}
