/* SPDX-License-Identifier: GPL-3.0-only */
#include "mem/command.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "mem/files.h"

struct words {
	struct arena *arena;
	const char **at;
	size_t len;
};

static void add(struct words *w, const char *word)
{
	const char **at = arena_alloc(w->arena, w->len + 2, sizeof(*at));

	/* Words are few: a new array each time. */
	if (w->len)
		memcpy(at, w->at, w->len * sizeof(*at));
	at[w->len++] = word;
	w->at = at;
}

/* 0 is never a value of these options. */
static void add_number(struct words *w, const char *option, uint64_t v)
{
	if (v != 0)
		add(w, arena_printf(w->arena, "--%s=%llu", option, (unsigned long long)v));
}

/* Several names, separated by ';', which no name holds. */
static void add_names(struct words *w, const char *option, const char *names)
{
	while (names && *names) {
		size_t len = strcspn(names, ";");

		if (len)
			add(w, arena_printf(w->arena, "--%s=%.*s", option, (int)len, names));
		names += len + (names[len] == ';');
	}
}

int command_check(const struct memory_options *o, struct err *err)
{
	if (o->time_unit && strcmp(o->time_unit, "i") != 0 && strcmp(o->time_unit, "ms") != 0 &&
		strcmp(o->time_unit, "B") != 0)
		return err_set(err, -EINVAL,
			"--time-unit: '%.64s' is not i (instructions), ms (milliseconds) or B "
			"(bytes allocated and freed)",
			o->time_unit);
	if (o->threshold) {
		char *end;
		double v = strtod(o->threshold, &end);

		if (end == o->threshold || *end || !(v >= 0 && v <= 100))
			return err_set(err, -EINVAL,
				"--threshold: '%.64s' is not a percentage from 0 to 100",
				o->threshold);
	}
	if (o->pages_as_heap && o->stacks)
		return err_set(err, -EINVAL,
			"--pages-as-heap and --stacks exclude each other: stacks are pages too");
	return 0;
}

const char **command_options(struct arena *a, const struct memory_options *o, size_t *ret_len)
{
	struct words w = {.arena = a};

	/* Instructions are the same from run to run, milliseconds are not. */
	add(&w, arena_printf(a, "--time-unit=%s", o->time_unit ? o->time_unit : "i"));
	add_number(&w, "detailed-freq", o->detailed_freq);
	add_number(&w, "max-snapshots", o->max_snapshots);
	add_number(&w, "depth", o->depth);
	if (o->threshold)
		add(&w, arena_printf(a, "--threshold=%s", o->threshold));
	if (o->pages_as_heap)
		add(&w, "--pages-as-heap=yes");
	if (o->stacks)
		add(&w, "--stacks=yes");
	add_names(&w, "alloc-fn", o->alloc_fn);
	add_names(&w, "ignore-fn", o->ignore_fn);
	*ret_len = w.len;
	return w.at;
}

/* Valgrind replaces %p, %n and %q in names of files: a % of the directory's is doubled. */
static const char *escaped(struct arena *a, const char *dir)
{
	char *to = arena_alloc(a, 2 * strlen(dir) + 1, 1), *at = to;

	for (; *dir; dir++) {
		if (*dir == '%')
			*at++ = '%';
		*at++ = *dir;
	}
	return to;
}

const char *const *command_line(
	struct arena *a, const struct scenario *sc, const char *valgrind, const char *dir, int vgdb)
{
	const char *escaped_dir = escaped(a, dir);
	struct words w = {.arena = a};
	size_t len;
	const char **options = command_options(a, &sc->memory, &len);

	add(&w, valgrind);
	/* Options of the environment and of .valgrindrc would make runs that cannot be compared. */
	add(&w, "--command-line-only=yes");
	add(&w, "--tool=massif");
	add(&w, "--trace-children=yes");
	add(&w, arena_printf(a, "--log-file=%s/%s", escaped_dir, FILES_LOG));
	add(&w, arena_printf(a, "--massif-out-file=%s/%s", escaped_dir, FILES_MASSIF));
	/* What is held at the end, in massif's format by the name's ending; what valgrind makes
	 * libc free after that is not the program's doing. */
	add(&w, "--xtree-memory=allocs");
	add(&w, arena_printf(a, "--xtree-memory-file=%s/%s", escaped_dir, FILES_END));
	add(&w, "--run-libc-freeres=no");
	add(&w, "--run-cxx-freeres=no");
	/* For the log: which files it found, and what memory is valgrind's own. */
	add(&w, "-v");
	add(&w, "--stats=yes");
	if (vgdb) {
		add(&w, "--vgdb=yes");
		add(&w, arena_printf(a, "--vgdb-prefix=%s/vgdb", escaped_dir));
	} else {
		add(&w, "--vgdb=no");
	}
	for (size_t i = 0; i < len; i++)
		add(&w, options[i]);
	for (size_t i = 0; sc->argv[i]; i++)
		add(&w, sc->argv[i]);
	return w.at;
}
