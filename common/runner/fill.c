/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/runner/fill.h"

#include <errno.h>
#include <string.h>

#include "common/base/text.h"

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_"

struct fill {
	struct arena *arena;
	const char *place, *value; /* "{batch}", "50" */
	size_t filled;
};

size_t fill_name_len(const char *text)
{
	size_t len = strspn(text, LETTERS "0123456789");

	return len && strchr(LETTERS, *text) && text[len] == '=' ? len : 0;
}

static void text(struct fill *f, const char **at)
{
	const char *rest = *at, *found;
	const char *filled = "";

	while (rest && (found = strstr(rest, f->place))) {
		filled = arena_printf(
			f->arena, "%s%.*s%s", filled, (int)(found - rest), rest, f->value);
		rest = found + strlen(f->place);
		f->filled++;
	}
	if (rest != *at)
		*at = arena_printf(f->arena, "%s%s", filled, rest);
}

static void list(struct fill *f, const char *const **at)
{
	size_t len = text_list_len(*at);

	if (!*at)
		return;
	const char **copy = arena_alloc(f->arena, len + 1, sizeof(*copy));

	for (size_t i = 0; i < len; i++) {
		copy[i] = (*at)[i];
		text(f, &copy[i]);
	}
	*at = copy;
}

int fill_scenario(struct scenario *sc, const char *set, struct err *err)
{
	size_t len = fill_name_len(set);

	if (!len)
		return err_set(err, -EINVAL, "'%.100s' is not NAME=VALUE", set);
	struct fill f = {.arena = &sc->arena,
		.place = arena_printf(&sc->arena, "{%.*s}", (int)len, set),
		.value = set + len + 1};

	list(&f, &sc->argv);
	list(&f, &sc->env);
	list(&f, &sc->load);
	text(&f, &sc->build);
	text(&f, &sc->prepare);
	for (size_t i = 0; i < sc->helpers_len; i++)
		list(&f, &sc->helpers[i].argv);
	if (sc->has_ready && sc->ready.kind == READY_COMMAND)
		text(&f, &sc->ready.command);
	if (!f.filled)
		return err_set(err, -EINVAL,
			"%s stands nowhere: not in target, arguments and environment, nor in load, "
			"helpers, build, prepare and ready",
			f.place);
	return 0;
}
