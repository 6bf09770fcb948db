/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include "common/base/err.h"
#include "common/base/out.h"

/*
 * A command of profile-scenario. To add one: a file in this folder with a
 * `const struct command command_NAME`, and one line in commands.def.
 */
struct command {
	const char *name;
	const char *meaning; /* one line for --help */
	/* argv: NULL-terminated, without the program's and the command's name. Returns the exit
	 * status. */
	int (*run)(char **argv);
	/* What `profile-scenario NAME --help` prints. */
	void (*help)(struct out *o);
};

enum { STATUS_OK = 0, STATUS_USAGE = 2 };

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
/* The same; an error is told, and the exit status is returned. */
int command_end(struct out *o);
/* How wide text on stdout may be: as the terminal that it is, where that is narrower than most. */
size_t command_columns(size_t most);
/* Prints on stdout what fn writes; the exit status. */
int command_print(void (*fn)(struct out *o));

#endif
