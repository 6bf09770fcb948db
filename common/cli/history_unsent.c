/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/cli/history_unsent.h"

#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/map.h"
#include "common/base/mem.h"

char *unsent_path(const struct unsent *u)
{
	cleanup_free char *shown = db_shown(u->address);

	return mem_printf("%s/history-unsent-%08x.sqlite", u->output_dir,
		(unsigned int)(map_text_key(shown) & 0xffffffff));
}

int unsent_keep(const struct unsent *u, const struct history_what *what, const struct side *side,
	struct history_added *ret, struct err *err)
{
	cleanup_free char *path = unsent_path(u);
	struct history *h = NULL;
	int rc = history_open(path, 0, u->kinds, &h, err);

	if (rc == 0)
		rc = history_add(h, what, side, ret, err);
	history_close(h);
	return rc;
}

int unsent_send(const struct unsent *u, struct history *h, size_t *ret_runs, struct err *err)
{
	cleanup_free char *path = unsent_path(u);
	struct history *from = NULL;
	struct history_added sent = {0};
	int rc;

	*ret_runs = 0;
	if (access(path, F_OK) < 0)
		return 0;
	rc = history_open(path, 1, u->kinds, &from, err);
	if (rc == 0)
		rc = history_merge(h, from, 1, &sent, err);
	history_close(from);
	*ret_runs = sent.runs;
	return rc;
}
