/* SPDX-License-Identifier: GPL-3.0-only */
/* profile-scenario: finds the command and runs it. */
#include "common/base/platform.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/mem.h"
#include "common/base/nearest.h"
#include "common/base/out.h"
#include "common/cli/command.h"
#include "common/write/tail.h"

static const struct command *const commands[] = {
#define COMMAND(name) &command_##name,
#include "common/cli/commands.def"
#undef COMMAND
};

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

void command_complain(const char *text)
{
	fputs("profile-scenario: ", stderr);
	for (; *text; text++)
		fputc((unsigned char)*text < ' ' || *text == 0x7f ? '?' : *text, stderr);
	fputc('\n', stderr);
}

void command_show_log(const char *path)
{
	enum { LINES = 10 };
	struct arena arena = {0};
	const char *text = tail_text(&arena, path, LINES);

	if (text)
		fprintf(stderr, "profile-scenario: %s ends with\n%s", path, text);
	arena_release(&arena);
}

int command_flush(struct out *o, struct err *err)
{
	int rc = out_flush(o);

	out_release(o);
	return rc < 0 ? err_set(err, rc, "cannot write to standard output: %s", strerror(-rc)) : 0;
}

size_t command_columns(size_t most)
{
	enum { LEAST = 40 };
	struct winsize w;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) < 0 || !w.ws_col || w.ws_col > most)
		return most;
	return w.ws_col < LEAST ? LEAST : w.ws_col;
}

int command_end(struct out *o)
{
	struct err err = {0};

	if (command_flush(o, &err) == 0)
		return STATUS_OK;
	command_complain(err.text);
	return STATUS_USAGE;
}

int command_print(void (*fn)(struct out *o))
{
	struct out o;

	out_init(&o, STDOUT_FILENO);
	fn(&o);
	return command_end(&o);
}

static void print_help(struct out *o)
{
	out_str(o, "profile-scenario [COMMAND] [OPTIONS] [-- ARGS...]\n"
		   "Runs a scenario of a target under a profiler and keeps the results.\n\n"
		   "commands (run, when none is named; COMMAND --help says more):\n");
	for (size_t i = 0; i < LEN(commands); i++)
		out_printf(o, "  %-10s %s\n", commands[i]->name, commands[i]->meaning);
	out_char(o, '\n');
	command_run.help(o);
}

static void print_version(struct out *o)
{
	out_str(o, "profile-scenario " IOTRACE_VERSION "\n");
}

/* --help and --version before any "--". */
static int has_flag(char **argv, const char *flag)
{
	for (; *argv && strcmp(*argv, "--") != 0; argv++)
		if (!strcmp(*argv, flag))
			return 1;
	return 0;
}

static int run_command(const struct command *command, char **argv)
{
	if (has_flag(argv, "--help"))
		return command_print(command->help);
	if (has_flag(argv, "--version"))
		return command_print(print_version);
	return command->run(argv);
}

static int complain_unknown(const char *name)
{
	struct nearest n = nearest_to(name, 1 + strlen(name) / 4);

	for (size_t i = 0; i < LEN(commands); i++)
		nearest_try(&n, commands[i]->name);
	cleanup_free char *hint = nearest_hint(&n);
	cleanup_free char *text = mem_printf("unknown command '%.100s'%s (see --help)", name, hint);

	command_complain(text);
	return STATUS_USAGE;
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		command_complain("--scenario NAME is needed (see --help)");
		return STATUS_USAGE;
	}
	if (!strcmp(argv[1], "--help"))
		return command_print(print_help);
	if (argv[1][0] == '-')
		return run_command(&command_run, argv + 1);
	for (size_t i = 0; i < LEN(commands); i++)
		if (!strcmp(commands[i]->name, argv[1]))
			return run_command(commands[i], argv + 2);
	return complain_unknown(argv[1]);
}
