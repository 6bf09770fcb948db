/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include "common/base/err.h"
#include "common/base/out.h"
#include "common/cli/words.h"

/*
 * A command of profile-scenario. To add one: a file in this folder with a
 * `const struct command command_NAME`, and one line in commands.def.
 */
struct command {
	const char *name;
	const char *meaning; /* one line for --help */
	/* What `profile-scenario NAME --help` prints above its options, and below them: first what
	 * is not the same each time (NULL: nothing is). */
	const char *usage, *after;
	void (*help)(struct out *o);
	struct optable options; /* into a struct of args_size bytes, at first as *defaults is */
	size_t args_size;
	const void *defaults; /* NULL: zeroed */
	size_t words;   /* it takes so many at most; 0: none, and says so by optable_parse() */
	int keeps_rest; /* what follows "--" is no words */
	/* args: that struct. Returns the exit status, or a negative errno: STATUS_USAGE, and what
	 * went wrong is told. */
	int (*run)(void *args, const struct words *words, struct err *err);
	/* Also does what else there is to do when something was wrong; may be NULL. */
	void (*refuse)(const void *args, const struct err *err);
};
/* Both of a command's OPTIONS. */
#define COMMAND_OPTIONS(rows) .options = {rows, LEN(rows)}, .args_size = sizeof(OPTIONS)

enum { STATUS_OK = 0, STATUS_USAGE = 2, STATUS_TROUBLE = 2 };

#define COMMAND(name) extern const struct command command_##name;
#include "common/cli/commands.def"
#undef COMMAND

/* "profile-scenario: TEXT" on stderr, one line: it may quote names of files and members, which may
 * hold anything. */
void command_complain(const char *text);
/* The path of a log on stderr, with its last lines; nothing where there are none. */
void command_show_log(const char *path);
/* Ends an output to stdout: flushed and released; an error says that it cannot be written. */
int command_flush(struct out *o, struct err *err);
/* Writes to stdout; -errno: it cannot be written. */
int command_write(void (*write)(const void *ctx, struct out *o), const void *ctx, struct err *err);
/* Text on one line: control characters, which names of files may hold, become ?. */
void command_put(struct out *o, const char *text);

#endif
