/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/cli/history_add.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/cli/command.h"
#include "common/cli/gather.h"
#include "common/cli/history_unsent.h"
#include "common/write/safe.h"

#define NAME_MAX_BYTES 200

char *history_address(const struct history_place *place)
{
	return place->store ? mem_strdup(place->store)
			    : mem_printf("%s/" HISTORY_FILE, place->output_dir);
}

/* It is printed, sorted by, and written into pictures; a server takes UTF-8 alone. */
static int check_name(const char *what, const char *name, struct err *err)
{
	size_t len;

	if (strlen(name) > NAME_MAX_BYTES)
		return err_set(err, -EINVAL, "%s: more than %d bytes", what, NAME_MAX_BYTES);
	for (const char *p = name; *p; p += len) {
		len = text_utf8_len(p);
		if (!len)
			return err_set(err, -EINVAL, "%s: it is not UTF-8", what);
		if (text_is_control(*p))
			return err_set(err, -EINVAL, "%s: a control character in it", what);
	}
	return 0;
}

int history_check(
	const struct history_place *place, const struct history_what *what, struct err *err)
{
	int rc;

	if (!what->label || !*what->label)
		return err_set(err, -EINVAL,
			"a history needs the label of a version (history add --label VERSION)");
	rc = check_name("the label of a version", what->label, err);
	if (rc == 0 && what->host)
		rc = check_name("--host", what->host, err);
	return rc == 0 && place->store ? db_check(place->store, err) : rc;
}

static int read_words(const struct history_place *place, const char *const *words, struct side *ret,
	struct err *err)
{
	int rc = 0;

	if (!words[0])
		return gather_side(ret, place->output_dir, place->output_dir, err);
	for (; *words && rc == 0; words++)
		rc = gather_side(ret, *words, place->output_dir, err);
	return rc;
}

static void tell(const char *where, const char *label, const struct history_added *a)
{
	struct arena arena = {0};

	fprintf(stderr, "%s: version %s: %zu run%s added", safe_text(&arena, where),
		safe_text(&arena, label), a->runs, a->runs == 1 ? "" : "s");
	if (a->there)
		fprintf(stderr, ", %zu there already", a->there);
	fputc('\n', stderr);
	arena_release(&arena);
}

/* The server does not answer: why says so. */
static int keep(const struct unsent *u, const struct history_what *what, const struct side *side,
	const struct err *why, struct err *err)
{
	cleanup_free char *path = unsent_path(u);
	struct history_added added;
	int rc = unsent_keep(u, what, side, &added, err);

	if (rc < 0)
		return rc;
	cleanup_free char *text = mem_printf("%s; %zu run%s of version %s kept in %s, the next "
					     "`history add` sends them",
		why->text, added.runs, added.runs == 1 ? " is" : "s are", what->label, path);

	command_complain(text);
	return 0;
}

/* What was kept before goes first. */
static int add(const struct unsent *u, const struct history_what *what, const struct side *side,
	struct err *err)
{
	struct history *h = NULL;
	struct history_added added;
	size_t sent = 0;
	int rc = history_open(u->address, 0, u->kinds, &h, err);

	if (rc == 0 && db_is_server(u->address))
		rc = unsent_send(u, h, &sent, err);
	if (sent)
		fprintf(stderr, "%s: %zu run%s sent that had been kept\n", h->db->shown, sent,
			sent == 1 ? "" : "s");
	if (rc == 0)
		rc = history_add(h, what, side, &added, err);
	if (rc == 0)
		tell(h->db->shown, what->label, &added);
	history_close(h);
	return rc;
}

static int add_or_keep(const struct unsent *u, const struct history_what *what,
	const struct side *side, struct err *err)
{
	struct err why = {0};
	int rc = add(u, what, side, &why);

	if (rc == -EAGAIN && db_is_server(u->address))
		return keep(u, what, side, &why, err);
	return rc < 0 ? err_set(err, rc, "%s", why.text) : 0;
}

int history_add_side(const struct history_place *place, const struct history_what *what,
	const struct side *side, struct err *err)
{
	cleanup_free char *address = history_address(place);
	struct history_what full = *what;
	char host[256] = "unknown";
	int rc = history_check(place, what, err);

	for (size_t i = 0; i < side->parts.len && rc == 0; i++)
		rc = check_name("the scenario", side->parts.at[i].scenario, err);
	gethostname(host, sizeof(host) - 1);
	if (!full.host)
		full.host = host;
	return rc < 0 ? rc
		      : add_or_keep(&(struct unsent){place->output_dir, address, gather_kinds()},
				&full, side, err);
}

int history_add_results(const struct history_place *place, const struct history_what *what,
	const char *const *words, struct err *err)
{
	struct side side = {0};
	int rc = history_check(place, what, err);

	if (rc == 0)
		rc = read_words(place, words, &side, err);
	if (rc == 0)
		rc = history_add_side(place, what, &side, err);
	side_release(&side);
	return rc;
}
