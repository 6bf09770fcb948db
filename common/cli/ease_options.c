/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/cli/ease_options.h"

#include <errno.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/mem.h"
#include "common/base/units.h"
#include "common/cli/gather.h"

static int set_ease(struct ease_table *t, const char *kind, const char *text, struct err *err)
{
	uint64_t ease;
	int rc = units_parse_u64(text, 1, 10, &ease, err);

	return rc < 0 ? rc : ease_set(t, kind, ease, err);
}

static int read_list(const char *list, struct ease_table *t, struct err *err)
{
	cleanup_free char *copy = mem_strdup(list ? list : "");
	char *save = NULL;
	int rc = 0;

	for (char *p = strtok_r(copy, ",", &save); p && rc == 0; p = strtok_r(NULL, ",", &save)) {
		char *equals = strchr(p, '=');

		if (!equals)
			return err_set(err, -EINVAL, "--ease: '%.60s' is not KIND=N", p);
		*equals = '\0';
		rc = set_ease(t, p, equals + 1, err);
	}
	return rc < 0 ? err_wrap(err, "--ease") : 0;
}

/* "ease": {"batch-limit": "4"} */
static int read_catalogue(const char *path, struct ease_table *t, struct err *err)
{
	struct config *config;
	int rc = gather_config(path, &config, err);

	for (const char *const *p = config ? config->ease : NULL; p && p[0] && rc == 0; p += 2) {
		rc = set_ease(t, p[0], p[1], err);
		if (rc < 0)
			err_wrap(err, "%s: ease.%.60s", config->path, p[0]);
	}
	config_free(config);
	return rc;
}

int ease_options(const char *config, const char *list, struct ease_table *t, struct err *err)
{
	int rc = read_catalogue(config, t, err);

	return rc < 0 ? rc : read_list(list, t, err);
}
